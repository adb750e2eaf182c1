/* authority_publish.c - LIST, CRL, CHECKPOINT: the publisher names a list or a size, never bits or
 * digests; what is signed is what the log folds to, at the size that the signer has. */
#include "authority.h"

#include "hash.h"
#include "log.h"
#include "note.h"
#include "receipt.h"
#include "status.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tokens { /* one list version while it is made */
	const struct authority_key *key;
	uint8_t *raw, *zlib, *cwt, *jwt;
	struct buf cwt_buf, jwt_buf;
};

static enum err
tokens_room(struct tokens *t)
{
	t->raw = malloc(LIST_BYTES);
	t->zlib = malloc(TOKEN_BYTES_MAX);
	t->cwt = malloc(TOKEN_BYTES_MAX);
	t->jwt = malloc(TOKEN_BYTES_MAX);
	return t->raw != NULL && t->zlib != NULL && t->cwt != NULL && t->jwt != NULL ? ERR_OK
	                                                                             : ERR_MEMORY;
}

static void
tokens_free(struct tokens *t)
{
	free(t->raw);
	free(t->zlib);
	free(t->cwt);
	free(t->jwt);
}

static enum err
tokens_sign(const struct authority *a, const struct key *k, struct tokens *t,
        struct status_token *token)
{
	struct buf zlib = buf_init(t->zlib, TOKEN_BYTES_MAX);
	char uri[HOST_BYTES_MAX + 40];
	enum err e;

	snprintf(uri, sizeof uri, "https://%s/status/%" PRIu32, a->host, token->list);
	token->uri = bytes_of_text(uri);
	if ((e = status_deflate(bytes_of(t->raw, LIST_BYTES), &zlib)) != ERR_OK)
		return e;
	token->lst = buf_bytes(&zlib);
	t->cwt_buf = buf_init(t->cwt, TOKEN_BYTES_MAX);
	t->jwt_buf = buf_init(t->jwt, TOKEN_BYTES_MAX);
	if ((e = status_cwt_sign(token, k, &t->cwt_buf)) != ERR_OK)
		return e;
	return status_jwt_sign(token, k, &t->jwt_buf);
}

/* Under the lock: what the newest version would say, and after which one it comes. */
static enum err
list_take(struct authority *a, struct call *c, uint32_t list, struct tokens *t, struct entry *e)
{
	const struct fold_list *l;
	enum err fault = authority_problem(a, c);

	if (fault != ERR_OK)
		return fault;
	if (list >= a->fold.list_count)
		return ERR_NOT_FOUND;
	if ((fault = authority_key_at(a, KEY_STATUS, c->now, &t->key)) != ERR_OK)
		return fault;
	l = &a->fold.lists[list];
	/* sequence = UTC seconds, strictly rising: two versions in one second cannot be */
	if ((uint64_t)c->now < l->sequence)
		log_refuse("list_falls_back", "list=%" PRIu32 " last=%" PRIu64 " asked=%" PRId64,
		        list, l->sequence, c->now);
	if ((uint64_t)c->now <= l->sequence)
		return ERR_VERSION;
	memcpy(t->raw, l->raw, LIST_BYTES);
	*e = (struct entry){
	        .type = ENTRY_LIST,
	        .list = list,
	        .sequence = (uint64_t)c->now,
	        .tree_size = a->fold.frontier.size,
	        .this_update = c->now,
	        .next_update = c->now + LIST_LIFETIME_S,
	        .time = c->now,
	};
	memcpy(e->previous_sha256, l->previous, SHA256_BYTES);
	return ERR_OK;
}

static void
list_answer(
        const struct authority *a, struct call *c, const struct tokens *t, const struct entry *e)
{
	const struct entry_note note = {.slot = -1, .seat = -1};

	cbor_put_array(c->out, 7);
	cbor_put_uint(c->out, e->list);
	cbor_put_uint(c->out, e->sequence);
	cbor_put_bytes(c->out, buf_bytes(&t->cwt_buf));
	cbor_put_bytes(c->out, buf_bytes(&t->jwt_buf));
	authority_put_entry(a, c->out, e, &note);
}

enum err
authority_list(struct authority *a, struct call *c)
{
	struct cbor in = cbor_init(c->body);
	struct tokens t = {0};
	struct status_token token = {.ttl = LIST_TTL_S};
	struct entry entry = {0};
	enum err e;

	cbor_array_exact(&in, 1);
	token.list = (uint32_t)cbor_uint_max(&in, UINT32_MAX);
	if ((e = cbor_end(&in)) != ERR_OK)
		return e;
	if ((e = tokens_room(&t)) != ERR_OK)
		goto out;
	pthread_mutex_lock(&a->lock);
	e = list_take(a, c, token.list, &t, &entry);
	pthread_mutex_unlock(&a->lock);
	if (e != ERR_OK)
		goto out;
	token.iat = entry.this_update;
	token.exp = entry.next_update;
	token.sequence = entry.sequence;
	memcpy(token.previous, entry.previous_sha256, SHA256_BYTES);
	if ((e = tokens_sign(a, t.key->key, &t, &token)) != ERR_OK)
		goto out;
	sha256_one(bytes_of(t.raw, LIST_BYTES), entry.raw_sha256);
	sha256_one(buf_bytes(&t.cwt_buf), entry.cwt_sha256);
	sha256_one(buf_bytes(&t.jwt_buf), entry.jwt_sha256);
	list_answer(a, c, &t, &entry);
	e = buf_end(c->out);
out:
	tokens_free(&t);
	return e;
}

enum err
authority_crl(struct authority *a, struct call *c)
{
	struct cbor in = cbor_init(c->body);
	uint32_t list;
	char url[HOST_BYTES_MAX + 40];
	struct crl_times times = {c->now, c->now + LIST_LIFETIME_S, (uint64_t)c->now};
	const struct authority_key *key = NULL;
	struct crl_row *rows = NULL;
	size_t count = 0, der_n = 0;
	uint8_t *der = NULL;
	enum err e;

	cbor_array_exact(&in, 1);
	list = (uint32_t)cbor_uint_max(&in, UINT32_MAX);
	if ((e = cbor_end(&in)) != ERR_OK)
		return e;
	pthread_mutex_lock(&a->lock);
	e = authority_problem(a, c);
	if (e == ERR_OK && list >= a->fold.list_count)
		e = ERR_NOT_FOUND;
	if (e == ERR_OK)
		e = authority_key_at(a, KEY_CRL, c->now, &key);
	if (e == ERR_OK && (count = a->fold.lists[list].row_count) > 0) {
		if ((rows = calloc(count, sizeof *rows)) == NULL)
			e = ERR_MEMORY;
		else
			memcpy(rows, a->fold.lists[list].rows, count * sizeof *rows);
	}
	pthread_mutex_unlock(&a->lock);
	snprintf(url, sizeof url, "https://%s/crl/%" PRIu32 ".crl", a->host, list);
	if (e == ERR_OK)
		e = crl_make(key->key, bytes_of(key->ca, key->ca_n), bytes_of_text(url), &times,
		        rows, count, &der, &der_n);
	if (e == ERR_OK) {
		cbor_put_array(c->out, 3);
		cbor_put_uint(c->out, list);
		cbor_put_uint(c->out, times.number);
		cbor_put_bytes(c->out, bytes_of(der, der_n));
		e = buf_end(c->out);
	}
	free(rows);
	free(der);
	return e;
}

static const struct authority_head *
head_find(const struct authority *a, uint64_t size)
{
	uint64_t oldest = a->head_count > AUTHORITY_HEADS ? a->head_count - AUTHORITY_HEADS : 0;

	for (uint64_t i = a->head_count; i > oldest; i--)
		if (a->heads[(i - 1) % AUTHORITY_HEADS].size == size)
			return &a->heads[(i - 1) % AUTHORITY_HEADS];
	return NULL;
}

/* A line by each log key in validity, the one that begins last on top: who pinned one of them can
 * go on with it until it ends. */
static enum err
lines_put(struct authority *a, struct call *c, const struct authority_key *first, struct buf *note)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < a->keys.count; i++) {
		const struct authority_key *k = &a->keys.rows[i];

		if (k != first && k->purpose == KEY_LOG && authority_key_signs(a, k, c->now))
			e = checkpoint_sign_also(bytes_of_text(a->origin), k->key, note);
	}
	return e;
}

static enum err
checkpoint_sign_at(
        struct authority *a, struct call *c, uint64_t size, struct buf *note, struct buf *receipt)
{
	uint8_t room[256], signature[KEY_SIGNATURE_BYTES];
	struct buf protected = BUF_OF(room);
	const struct authority_head *h = head_find(a, size);
	const struct authority_key *log = NULL;
	enum err e = authority_problem(a, c);

	if (e != ERR_OK)
		return e;
	/* a size that it had, and nothing that falls back */
	if (h == NULL || size < a->guard_size) {
		log_refuse("head_does_not_extend",
		        "asked=%" PRIu64 " last=%" PRIu64 " log=%" PRIu64, size, a->guard_size,
		        a->fold.frontier.size);
		return ERR_SIZE;
	}
	if ((e = authority_recount_head(a, h)) != ERR_OK ||
	        (e = authority_key_at(a, KEY_LOG, c->now, &log)) != ERR_OK)
		return e;
	if ((e = checkpoint_sign(bytes_of_text(a->origin), size, &h->root, log->key, note)) !=
	                ERR_OK ||
	        (e = lines_put(a, c, log, note)) != ERR_OK)
		return e;
	e = receipt_sign(
	        log->key, bytes_of_text(a->origin), h->time, size, &h->root, &protected, signature);
	if (e != ERR_OK)
		return e;
	receipt_put(receipt, buf_bytes(&protected), bytes_of(signature, sizeof signature), size, 0,
	        NULL);
	if ((e = buf_end(receipt)) != ERR_OK)
		return e;
	a->guard_size = size;
	a->guard_root = h->root;
	a->guard_checked = size; /* it is our own head: the next STATE need not look it up */
	return ERR_OK;
}

enum err
authority_checkpoint(struct authority *a, struct call *c)
{
	struct cbor in = cbor_init(c->body);
	uint8_t note_room[CHECKPOINT_BYTES_MAX], receipt_room[RECEIPT_BYTES_MAX];
	struct buf note = BUF_OF(note_room), receipt = BUF_OF(receipt_room);
	uint64_t size;
	enum err e;

	cbor_array_exact(&in, 1);
	size = cbor_uint(&in);
	if ((e = cbor_end(&in)) != ERR_OK)
		return e;
	pthread_mutex_lock(&a->lock);
	e = checkpoint_sign_at(a, c, size, &note, &receipt);
	pthread_mutex_unlock(&a->lock);
	if (e != ERR_OK)
		return e;
	cbor_put_array(c->out, 2);
	cbor_put_bytes(c->out, buf_bytes(&note));
	cbor_put_bytes(c->out, buf_bytes(&receipt));
	return buf_end(c->out);
}
