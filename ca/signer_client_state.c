/* signer_client_state.c - the calls that ask for the signer's state and for what it publishes,
 * keeps or recovers. */
#include "signer_client.h"

#include "signer_call.h"

#include <string.h>

enum { KEY_ROWS_MAX = 1000 };

static void
frontier_read(struct cbor *c, struct merkle_frontier *f, uint64_t size)
{
	uint64_t n = cbor_array(c);

	f->size = size;
	for (unsigned i = 0; i < 64; i++) {
		if ((size >> i & 1) == 0)
			continue;
		memcpy(f->level[i].b, cbor_bytes_exact(c, SHA256_BYTES).p, SHA256_BYTES);
		n--;
	}
	if (n != 0)
		cbor_fail(c, ERR_PROTOCOL);
}

static void
lists_read(struct signer *s, struct cbor *c, struct signer_state *t)
{
	t->list_count = (size_t)cbor_array(c);
	t->lists = signer_rows(s, c, t->list_count, sizeof *t->lists);
	for (size_t i = 0; i < t->list_count && c->e == ERR_OK; i++) {
		cbor_array_exact(c, 5);
		t->lists[i].list = (uint32_t)cbor_uint_max(c, UINT32_MAX);
		t->lists[i].sequence = cbor_uint(c);
		t->lists[i].dirty = cbor_bool(c);
		t->lists[i].this_update = (int64_t)cbor_uint_max(c, INT64_MAX);
		t->lists[i].previous = cbor_bytes_exact(c, SHA256_BYTES);
	}
}

enum err
signer_state(struct signer *s, struct bytes checkpoint, struct signer_state *out)
{
	struct signer_state t = {0};
	struct merkle_hash root;
	struct bytes word;
	struct cbor c;
	struct buf b;
	enum err e = signer_room(s, checkpoint.n + 64, &b);

	if (e != ERR_OK)
		return e;
	cbor_put_array(&b, 1);
	if (checkpoint.p == NULL)
		cbor_put_null(&b);
	else
		cbor_put_bytes(&b, checkpoint);
	if ((e = signer_call(s, FRAME_STATE, &b, &c)) != ERR_OK)
		return e;
	cbor_array_exact(&c, 16);
	t.size = cbor_uint(&c);
	memcpy(t.root.b, cbor_bytes_exact(&c, SHA256_BYTES).p, SHA256_BYTES);
	t.time = (int64_t)cbor_uint_max(&c, INT64_MAX);
	frontier_read(&c, &t.frontier, t.size);
	t.manifest_version = cbor_uint(&c);
	t.manifest_sha256 = cbor_bytes_exact(&c, SHA256_BYTES);
	t.roster_version = cbor_uint(&c);
	t.roster_sha256 = cbor_bytes_exact(&c, SHA256_BYTES);
	t.field_sha256 = cbor_bytes_exact(&c, SHA256_BYTES);
	word = cbor_text(&c);
	t.problem = err_from_word((const char *)word.p, word.n);
	lists_read(s, &c, &t);
	t.manifest_held = cbor_uint(&c);
	t.roster_held = cbor_uint(&c);
	t.table = cbor_bytes(&c);
	t.head = cbor_bytes(&c);
	t.head_sm2 = cbor_bytes(&c);
	merkle_root(&t.frontier, &root);
	if (cbor_end(&c) != ERR_OK || memcmp(root.b, t.root.b, SHA256_BYTES) != 0)
		return ERR_PROTOCOL;
	*out = t;
	return ERR_OK;
}

static enum err
number_call(struct signer *s, enum frame_type type, uint64_t number, struct cbor *c)
{
	struct buf b;
	enum err e = signer_room(s, 32, &b);

	if (e != ERR_OK)
		return e;
	cbor_put_array(&b, 1);
	cbor_put_uint(&b, number);
	return signer_call(s, type, &b, c);
}

enum err
signer_list(struct signer *s, uint32_t list, struct signer_token *out)
{
	struct signer_token t = {0};
	struct cbor c;
	enum err e = number_call(s, FRAME_LIST, list, &c);

	if (e != ERR_OK)
		return e;
	cbor_array_exact(&c, 7);
	if (cbor_uint(&c) != list)
		cbor_fail(&c, ERR_PROTOCOL);
	t.sequence = cbor_uint(&c);
	t.cwt = cbor_bytes(&c);
	t.jwt = cbor_bytes(&c);
	signer_entry_read(&c, &t.e);
	if (cbor_end(&c) != ERR_OK)
		return ERR_PROTOCOL;
	*out = t;
	return ERR_OK;
}

enum err
signer_crl(struct signer *s, uint32_t list, uint64_t *number, struct bytes *der)
{
	struct cbor c;
	struct bytes got;
	uint64_t n;
	enum err e = number_call(s, FRAME_CRL, list, &c);

	if (e != ERR_OK)
		return e;
	cbor_array_exact(&c, 3);
	if (cbor_uint(&c) != list)
		cbor_fail(&c, ERR_PROTOCOL);
	n = cbor_uint(&c);
	got = cbor_bytes(&c);
	if (cbor_end(&c) != ERR_OK)
		return ERR_PROTOCOL;
	*number = n;
	*der = got;
	return ERR_OK;
}

enum err
signer_checkpoint(struct signer *s, uint64_t size, struct bytes *note, struct bytes *receipt)
{
	struct cbor c;
	struct bytes n, r;
	enum err e = number_call(s, FRAME_CHECKPOINT, size, &c);

	if (e != ERR_OK)
		return e;
	cbor_array_exact(&c, 2);
	n = cbor_bytes(&c);
	r = cbor_bytes(&c);
	if (cbor_end(&c) != ERR_OK)
		return ERR_PROTOCOL;
	*note = n;
	*receipt = r;
	return ERR_OK;
}

/* [sequence, token] of TABLE and HEAD. */
static enum err
token_read(struct cbor *c, uint64_t *sequence, struct bytes *cwt)
{
	uint64_t n;
	struct bytes got;

	cbor_array_exact(c, 2);
	n = cbor_uint(c);
	got = cbor_bytes(c);
	if (cbor_end(c) != ERR_OK)
		return ERR_PROTOCOL;
	*sequence = n;
	*cwt = got;
	return ERR_OK;
}

enum err
signer_table(struct signer *s, uint64_t size, uint64_t *sequence, struct bytes *cwt)
{
	struct cbor c;
	enum err e = number_call(s, FRAME_TABLE, size, &c);

	return e != ERR_OK ? e : token_read(&c, sequence, cwt);
}

enum err
signer_delta(struct signer *s, uint64_t at, uint64_t *base, uint64_t *sequence, struct bytes *cwt)
{
	struct cbor c;
	uint64_t from, to;
	struct bytes got;
	enum err e = number_call(s, FRAME_DELTA, at, &c);

	if (e != ERR_OK)
		return e;
	cbor_array_exact(&c, 3);
	from = cbor_uint(&c);
	to = cbor_uint(&c);
	got = cbor_bytes(&c);
	if (cbor_end(&c) != ERR_OK)
		return ERR_PROTOCOL;
	*base = from;
	*sequence = to;
	*cwt = got;
	return ERR_OK;
}

enum err
signer_publication(struct signer *s, const uint64_t *bases, size_t count, uint64_t *sequence,
        struct bytes cwt[2])
{
	struct bytes got[2];
	struct cbor c;
	struct buf b;
	uint64_t n;
	enum err e = signer_room(s, 64 + count * 9, &b);

	if (e != ERR_OK)
		return e;
	cbor_put_array(&b, 1);
	cbor_put_array(&b, count);
	for (size_t i = 0; i < count; i++)
		cbor_put_uint(&b, bases[i]);
	if ((e = signer_call(s, FRAME_HEAD, &b, &c)) != ERR_OK)
		return e;
	cbor_array_exact(&c, 3);
	n = cbor_uint(&c);
	got[0] = cbor_bytes(&c);
	got[1] = cbor_bytes(&c);
	if (cbor_end(&c) != ERR_OK)
		return ERR_PROTOCOL;
	*sequence = n;
	cwt[0] = got[0];
	cwt[1] = got[1];
	return ERR_OK;
}

enum err
signer_admin(struct signer *s, enum frame_type type, struct bytes body, struct signed_entry *out)
{
	struct signed_entry got = {0};
	struct cbor c;
	struct buf b;
	enum err e = signer_room(s, body.n + 32, &b);

	if (e != ERR_OK)
		return e;
	cbor_put_array(&b, 1);
	if (type == FRAME_INIT && body.n == 0)
		cbor_put_null(&b);
	else if (type == FRAME_INIT)
		cbor_put_text(&b, body);
	else
		cbor_put_bytes(&b, body);
	if ((e = signer_call(s, type, &b, &c)) != ERR_OK)
		return e;
	cbor_array_exact(&c, 3);
	signer_entry_read(&c, &got);
	if (cbor_end(&c) != ERR_OK)
		return ERR_PROTOCOL;
	*out = got;
	return ERR_OK;
}

enum err
signer_cutoff(struct signer *s, struct bytes kid, uint64_t last_size, uint64_t reason,
        struct signed_entry *out)
{
	struct signed_entry got = {0};
	struct cbor c;
	struct buf b;
	enum err e = signer_room(s, 64, &b);

	if (e != ERR_OK)
		return e;
	cbor_put_array(&b, 3);
	cbor_put_bytes(&b, kid);
	if (last_size == UINT64_MAX)
		cbor_put_null(&b);
	else
		cbor_put_uint(&b, last_size);
	cbor_put_uint(&b, reason);
	if ((e = signer_call(s, FRAME_CUTOFF, &b, &c)) != ERR_OK)
		return e;
	cbor_array_exact(&c, 3);
	signer_entry_read(&c, &got);
	if (cbor_end(&c) != ERR_OK)
		return ERR_PROTOCOL;
	*out = got;
	return ERR_OK;
}

static void
key_rows_read(struct signer *s, struct cbor *c, struct signer_keys *k)
{
	struct cbor again;

	/* one room for both tables: the second is counted first */
	cbor_array_exact(c, 2);
	again = *c;
	(void)cbor_item(&again);
	k->key_count = (size_t)cbor_array(c);
	k->cut_count = (size_t)cbor_array(&again);
	if (again.e != ERR_OK || k->key_count > KEY_ROWS_MAX || k->cut_count > KEY_ROWS_MAX) {
		cbor_fail(c, ERR_PROTOCOL);
		return;
	}
	k->keys = signer_rows(s, c, k->key_count + k->cut_count,
	        sizeof *k->keys > sizeof *k->cuts ? sizeof *k->keys : sizeof *k->cuts);
	for (size_t i = 0; i < k->key_count && c->e == ERR_OK; i++) {
		cbor_array_exact(c, 5);
		k->keys[i].purpose = cbor_text(c);
		k->keys[i].cose_key = cbor_bytes(c);
		k->keys[i].ca = cbor_bytes(c);
		k->keys[i].dropped = cbor_bool(c);
		k->keys[i].soft = cbor_bool(c);
	}
	(void)cbor_array(c);
	k->cuts = c->e == ERR_OK ? (void *)(k->keys + k->key_count) : NULL;
	for (size_t i = 0; i < k->cut_count && c->e == ERR_OK; i++) {
		cbor_array_exact(c, 2);
		k->cuts[i].kid = cbor_bytes(c);
		k->cuts[i].last_size = cbor_uint(c);
	}
}

enum err
signer_keys(struct signer *s, struct bytes purpose, struct signer_keys *out)
{
	struct signer_keys got = {0};
	struct cbor c;
	struct buf b;
	enum err e = signer_room(s, purpose.n + 32, &b);

	if (e != ERR_OK)
		return e;
	cbor_put_array(&b, 1);
	if (purpose.n == 0)
		cbor_put_null(&b);
	else
		cbor_put_text(&b, purpose);
	if ((e = signer_call(s, FRAME_KEYS, &b, &c)) != ERR_OK)
		return e;
	key_rows_read(s, &c, &got);
	if (cbor_end(&c) != ERR_OK)
		return ERR_PROTOCOL;
	*out = got;
	return ERR_OK;
}

enum err
signer_recover(struct signer *s, uint64_t size, struct signed_entry **entries, size_t *count)
{
	struct signed_entry *rows;
	struct cbor c;
	uint64_t n;
	enum err e = number_call(s, FRAME_RECOVER, size, &c);

	if (e != ERR_OK)
		return e;
	cbor_array_exact(&c, 2);
	if (cbor_uint(&c) != size)
		cbor_fail(&c, ERR_PROTOCOL);
	n = cbor_array(&c);
	rows = signer_rows(s, &c, n, sizeof *rows);
	for (uint64_t i = 0; i < n && c.e == ERR_OK; i++) {
		cbor_array_exact(&c, 4);
		signer_entry_read(&c, &rows[i]);
		if (!cbor_null_next(&c))
			rows[i].record = cbor_bytes(&c);
	}
	if (cbor_end(&c) != ERR_OK)
		return ERR_PROTOCOL;
	*entries = rows;
	*count = (size_t)n;
	return ERR_OK;
}
