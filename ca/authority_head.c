/* authority_head.c - TABLE, DELTA, HEAD: one publication at a time, each above the last in sequence
 * and never below it in size; a head is on disk before anyone sees it. */
#include "authority_head.h"

#include "authority.h"
#include "file.h"
#include "log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_BYTES = 600, FILE_VERSION = 2, FILE_BYTES_MAX = TABLE_BYTES_MAX + 64 * 1024 };
enum { HOUR_S = 3600, DAY_S = 24 * HOUR_S };

static void
path_of(const struct authority *a, char out[PATH_BYTES])
{
	snprintf(out, PATH_BYTES, "%s/publication", a->dir);
}

/* The file: [version, table, head, SM2 head, [[sequence, floor] …]]; version 1 is without the SM2
 * head. */

static enum err
publication_write(const struct authority *a, struct bytes table, const struct bytes heads[2],
        const struct authority_base *bases, size_t count)
{
	uint8_t *p = malloc(FILE_BYTES_MAX);
	struct buf b = buf_init(p, FILE_BYTES_MAX);
	char path[PATH_BYTES];
	enum err e;

	if (p == NULL)
		return ERR_MEMORY;
	cbor_put_array(&b, 5);
	cbor_put_uint(&b, FILE_VERSION);
	cbor_put_bytes(&b, table);
	cbor_put_bytes(&b, heads[0]);
	cbor_put_bytes(&b, heads[1]);
	cbor_put_array(&b, count);
	for (size_t i = 0; i < count; i++) {
		cbor_put_array(&b, 2);
		cbor_put_uint(&b, bases[i].sequence);
		cbor_put_uint(&b, bases[i].floor);
	}
	path_of(a, path);
	if ((e = buf_end(&b)) == ERR_OK)
		e = file_write(path, buf_bytes(&b), 0600);
	free(p);
	return e;
}

static enum err
publication_take(struct authority *a, struct bytes in)
{
	struct authority_publication *p = &a->publication;
	struct cbor c = cbor_init(in);
	struct bytes table, head, sm2 = {0};
	struct cose_sign1 m;
	const struct authority_key *key;
	struct head h;
	uint64_t count, parts = cbor_array(&c);
	enum err e;

	if (cbor_uint(&c) + 3 != parts || (parts != 4 && parts != 5))
		cbor_fail(&c, ERR_VERSION);
	table = cbor_bytes(&c);
	head = cbor_bytes(&c);
	if (parts == 5)
		sm2 = cbor_bytes(&c);
	count = cbor_array(&c);
	if (count > AUTHORITY_BASES)
		cbor_fail(&c, ERR_LIMIT);
	for (; p->base_count < count && c.e == ERR_OK; p->base_count++) {
		cbor_array_exact(&c, 2);
		p->bases[p->base_count].sequence = cbor_uint(&c);
		p->bases[p->base_count].floor = cbor_uint(&c);
	}
	if ((e = cbor_end(&c)) != ERR_OK || (e = head_decode(head, &m, &h)) != ERR_OK)
		return e;
	/* the file is ours only if its head is: keys may have been taken away since */
	if ((key = authority_key_held(a, KEY_STATUS, m.kid)) != NULL &&
	        (e = cose_verify(&m, key->key, HEAD_TYPE)) != ERR_OK)
		return e;
	if (sm2.n > HEAD_BYTES_MAX || table.n > TABLE_BYTES_MAX ||
	        (p->table = malloc(table.n + 1)) == NULL)
		return ERR_MEMORY;
	memcpy(p->table, table.p, table.n);
	p->table_n = table.n;
	memcpy(p->head, head.p, head.n);
	p->head_n = head.n;
	if (sm2.n > 0)
		memcpy(p->head_sm2, sm2.p, sm2.n);
	p->head_sm2_n = sm2.n;
	p->sequence = h.sequence;
	p->tree_size = h.tree_size;
	p->list_count = h.list_count;
	return ERR_OK;
}

enum err
authority_publication_open(struct authority *a)
{
	char path[PATH_BYTES];
	uint8_t *p = NULL;
	size_t n = 0;
	enum err e;

	path_of(a, path);
	e = file_read(path, FILE_BYTES_MAX, &p, &n);
	if (e == ERR_NOT_FOUND)
		return ERR_OK;
	if (e == ERR_OK)
		e = publication_take(a, bytes_of(p, n));
	free(p);
	if (e != ERR_OK)
		log_fault("publication_unreadable", "file=%s error=%s", path, err_word(e));
	return e;
}

void
authority_publication_free(struct authority_publication *p)
{
	free(p->table);
	free(p->work.table.p);
}

void
authority_publication_put(const struct authority_publication *p, struct buf *out)
{
	cbor_put_bytes(out, bytes_of(p->table, p->table_n));
	cbor_put_bytes(out, bytes_of(p->head, p->head_n));
	cbor_put_bytes(out, bytes_of(p->head_sm2, p->head_sm2_n));
}

/* TABLE */

static enum err
rows_fill(const struct authority *a, uint64_t size, struct table *t)
{
	while (t->count < a->fold.list_count) {
		const struct history_version *v =
		        history_version(&a->fold.history, (uint32_t)t->count, size);
		struct table_row *row = &t->rows[t->count];

		if (v == NULL)
			break;
		row->sequence = v->sequence;
		memcpy(row->raw_sha256, v->raw_sha256, SHA256_BYTES);
		memcpy(row->cwt_sha256, v->cwt_sha256, SHA256_BYTES);
		t->count++;
	}
	/* lists do not vanish */
	return t->count < a->publication.list_count ? ERR_SIZE : ERR_OK;
}

/* Only at the newest checkpoint that was signed or is public, and with nothing that falls back. */
static enum err
table_allowed(const struct authority *a, const struct call *c, uint64_t size)
{
	enum err e = authority_problem(a, c);

	if (e != ERR_OK)
		return e;
	if (size == 0 || size != a->guard_size || size > a->fold.frontier.size ||
	        size < a->publication.tree_size)
		return ERR_SIZE;
	return (uint64_t)c->now <= a->publication.sequence ? ERR_VERSION : ERR_OK;
}

static enum err
table_run(struct authority *a, struct call *c, uint64_t size)
{
	struct authority_work *w = &a->publication.work;
	struct table t = {.iss = bytes_of_text(a->host), .iat = c->now};
	enum err e = table_allowed(a, c, size);

	w->sequence = 0;
	if (e != ERR_OK || (e = authority_key_at(a, KEY_STATUS, c->now, &w->key)) != ERR_OK)
		return e;
	if (w->table.p == NULL &&
	        (w->table = buf_init(malloc(TABLE_BYTES_MAX), TABLE_BYTES_MAX)).p == NULL)
		return ERR_MEMORY;
	if ((t.rows = calloc(a->fold.list_count + 1U, sizeof *t.rows)) == NULL)
		return ERR_MEMORY;
	w->table = buf_init(w->table.p, TABLE_BYTES_MAX);
	e = rows_fill(a, size, &t);
	if (e == ERR_OK)
		e = table_sign(&t, w->key->key, &w->table);
	free(t.rows);
	if (e != ERR_OK)
		return e;
	w->sequence = (uint64_t)c->now;
	w->tree_size = size;
	w->root = a->guard_root;
	w->list_count = t.count;
	w->floor = history_floor(&a->fold.history, size);
	w->delta_count = 0;
	cbor_put_array(c->out, 2);
	cbor_put_uint(c->out, w->sequence);
	cbor_put_bytes(c->out, buf_bytes(&w->table));
	return buf_end(c->out);
}

enum err
authority_table(struct authority *a, struct call *c)
{
	struct cbor in = cbor_init(c->body);
	uint64_t size;
	enum err e;

	cbor_array_exact(&in, 1);
	size = cbor_uint(&in);
	if ((e = cbor_end(&in)) != ERR_OK)
		return e;
	pthread_mutex_lock(&a->lock);
	e = table_run(a, c, size);
	pthread_mutex_unlock(&a->lock);
	return e;
}

/* DELTA */

/* The newest head of that time or before, else the oldest there is. */
static const struct authority_base *
base_find(const struct authority_publication *p, uint64_t at)
{
	size_t i = p->base_count;

	while (i > 1 && p->bases[i - 1].sequence > at)
		i--;
	return i == 0 ? NULL : &p->bases[i - 1];
}

static enum err
delta_allowed(const struct authority *a, const struct call *c, const struct authority_base *base)
{
	const struct authority_work *w = &a->publication.work;
	enum err e = authority_problem(a, c);

	if (e != ERR_OK)
		return e;
	if (w->sequence == 0)
		return ERR_NOT_READY;
	if (!authority_key_signs(a, w->key, c->now))
		return ERR_RECORD_KEY;
	if (base == NULL)
		return ERR_NOT_FOUND;
	for (size_t i = 0; i < w->delta_count; i++)
		if (w->deltas[i].base == base->sequence)
			return ERR_EXISTS;
	return w->delta_count == AUTHORITY_DELTAS ? ERR_LIMIT : ERR_OK;
}

static enum err
delta_run(struct authority *a, struct call *c, uint64_t at)
{
	struct authority_work *w = &a->publication.work;
	const struct authority_base *base = base_find(&a->publication, at);
	struct delta d = {.iss = bytes_of_text(a->host), .iat = c->now};
	struct buf out = {0};
	enum err e = delta_allowed(a, c, base);

	if (e != ERR_OK)
		return e;
	d.base = base->sequence;
	d.sequence = w->sequence;
	e = history_delta(&a->fold.history, base->floor, w->tree_size, &d.changes, &d.count);
	if (e != ERR_OK)
		return e;
	out = buf_init(malloc(DELTA_BYTES_MAX), DELTA_BYTES_MAX);
	e = out.p == NULL ? ERR_MEMORY : delta_sign(&d, w->key->key, &out);
	if (e == ERR_OK) {
		struct head_delta *kept = &w->deltas[w->delta_count++];

		kept->base = d.base;
		sha256_one(buf_bytes(&out), kept->sha256);
		cbor_put_array(c->out, 3);
		cbor_put_uint(c->out, d.base);
		cbor_put_uint(c->out, d.sequence);
		cbor_put_bytes(c->out, buf_bytes(&out));
		e = buf_end(c->out);
	}
	free(d.changes);
	free(out.p);
	return e;
}

enum err
authority_delta(struct authority *a, struct call *c)
{
	struct cbor in = cbor_init(c->body);
	uint64_t at;
	enum err e;

	cbor_array_exact(&in, 1);
	at = cbor_uint(&in);
	if ((e = cbor_end(&in)) != ERR_OK)
		return e;
	pthread_mutex_lock(&a->lock);
	e = delta_run(a, c, at);
	pthread_mutex_unlock(&a->lock);
	return e;
}

/* HEAD */

/* A delta may start a minute apart for an hour and a half, then a quarter of an hour for a day,
 * then three hours: of each such stretch the first head is kept. The newest always is. */
static size_t
bases_thin(struct authority_base *bases, size_t count, uint64_t now)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		uint64_t age = now - bases[i].sequence;
		uint64_t step = age < 90 * 60 ? 60 : age < 27 * HOUR_S ? 900 : 3 * HOUR_S;

		if (age > HISTORY_S_MAX)
			continue;
		if (kept > 0 && i + 1 < count &&
		        bases[kept - 1].sequence / step == bases[i].sequence / step)
			continue;
		bases[kept++] = bases[i];
	}
	if (kept == AUTHORITY_BASES) {
		memmove(bases, bases + 1, (AUTHORITY_BASES - 1) * sizeof *bases);
		kept--;
	}
	return kept;
}

/* The deltas that the publisher keeps, by their bases, which rise. */
static enum err
deltas_name(const struct authority_work *w, struct cbor *in, struct head *h)
{
	uint64_t count = cbor_array(in);

	if (count > HEAD_DELTAS_MAX)
		return ERR_LIMIT;
	for (uint64_t i = 0; i < count; i++) {
		uint64_t base = cbor_uint(in);
		size_t k = 0;

		while (k < w->delta_count && w->deltas[k].base != base)
			k++;
		if (k == w->delta_count)
			return ERR_NOT_FOUND;
		h->deltas[h->delta_count++] = w->deltas[k];
	}
	return cbor_end(in);
}

/* And once more under the SM2 key of an SM2 authority. */
static enum err
head_make(struct authority *a, const struct call *c, struct head *h, struct buf out[2])
{
	const struct authority_publication *p = &a->publication;
	const struct authority_work *w = &p->work;
	const struct authority_key *sm2 = NULL;
	enum err e;

	h->iss = bytes_of_text(a->host);
	h->iat = c->now;
	h->exp = c->now + HEAD_LIFETIME_S;
	h->sequence = w->sequence;
	if (p->head_n > 0)
		sha256_one(bytes_of(p->head, p->head_n), h->previous);
	h->list_count = w->list_count;
	sha256_one(buf_bytes(&w->table), h->table_sha256);
	h->tree_size = w->tree_size;
	h->root = w->root;
	h->manifest_version = a->fold.manifest_version;
	memcpy(h->manifest_sha256, a->fold.manifest_sha256, SHA256_BYTES);
	e = head_sign(h, w->key->key, &out[0]);
	if (e != ERR_OK || key_suite(a->root) != KEY_SM2 ||
	        (e = authority_key_sm2_at(a, KEY_STATUS, c->now, &sm2)) != ERR_OK)
		return e;
	return head_sign(h, sm2->key, &out[1]);
}

/* On disk first; only then is it the last. */
static enum err
head_keep(struct authority *a, const struct head *h, const struct bytes heads[2])
{
	struct authority_publication *p = &a->publication;
	struct authority_base bases[AUTHORITY_BASES];
	size_t count = p->base_count;
	uint8_t *table;
	enum err e;

	memcpy(bases, p->bases, count * sizeof *bases);
	bases[count++] = (struct authority_base){h->sequence, p->work.floor};
	count = bases_thin(bases, count, h->sequence);
	if ((table = malloc(p->work.table.n + 1)) == NULL)
		return ERR_MEMORY;
	e = publication_write(a, buf_bytes(&p->work.table), heads, bases, count);
	if (e != ERR_OK) {
		free(table);
		return e;
	}
	memcpy(table, p->work.table.p, p->work.table.n);
	free(p->table);
	p->table = table;
	p->table_n = p->work.table.n;
	memcpy(p->head, heads[0].p, heads[0].n);
	p->head_n = heads[0].n;
	if (heads[1].n > 0)
		memcpy(p->head_sm2, heads[1].p, heads[1].n);
	p->head_sm2_n = heads[1].n;
	p->sequence = h->sequence;
	p->tree_size = h->tree_size;
	p->list_count = h->list_count;
	memcpy(p->bases, bases, count * sizeof *bases);
	p->base_count = count;
	p->work.sequence = 0;
	return ERR_OK;
}

static enum err
head_run(struct authority *a, struct call *c, struct cbor *in)
{
	const struct authority_work *w = &a->publication.work;
	uint8_t room[2][HEAD_BYTES_MAX + 64];
	struct buf out[2] = {BUF_OF(room[0]), BUF_OF(room[1])};
	struct bytes heads[2];
	struct head h;
	enum err e = authority_problem(a, c);

	memset(&h, 0, sizeof h);
	if (e != ERR_OK)
		return e;
	if (w->sequence == 0)
		return ERR_NOT_READY;
	if (!authority_key_signs(a, w->key, c->now))
		return ERR_RECORD_KEY;
	/* a table that lay about would date the head */
	if ((uint64_t)c->now < w->sequence || (uint64_t)c->now > w->sequence + ENTRY_AGE_S_MAX)
		return ERR_STALE;
	if ((e = deltas_name(w, in, &h)) != ERR_OK || (e = head_make(a, c, &h, out)) != ERR_OK)
		return e;
	heads[0] = buf_bytes(&out[0]);
	heads[1] = buf_bytes(&out[1]);
	if ((e = head_keep(a, &h, heads)) != ERR_OK)
		return e;
	cbor_put_array(c->out, 3);
	cbor_put_uint(c->out, h.sequence);
	cbor_put_bytes(c->out, heads[0]);
	cbor_put_bytes(c->out, heads[1]);
	return buf_end(c->out);
}

enum err
authority_head(struct authority *a, struct call *c)
{
	struct cbor in = cbor_init(c->body);
	enum err e;

	cbor_array_exact(&in, 1);
	pthread_mutex_lock(&a->lock);
	e = head_run(a, c, &in);
	pthread_mutex_unlock(&a->lock);
	return e;
}
