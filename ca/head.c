/* head.c - head, table and delta in their one spelling: what is signed here is what a reader takes,
 * checked by the same function on both sides. */
#include "head.h"

#include <string.h>

enum {
	CLAIM_ISS = 1,
	CLAIM_EXP = 4,
	CLAIM_IAT = 6,
	CLAIM_HEAD = -65539,
	CLAIM_DELTA = -65542,
	CLAIM_TABLE = -65543
};
enum { HEAD_PARTS = 7, DELTA_PARTS = 3, COSE_BYTES = 160 /* header, signature, lengths */ };
#define TIME_MAX INT64_C(253402300799) /* the last second of year 9999 */

static bool
times_valid(struct bytes iss, int64_t iat)
{
	return iss.n > 0 && iss.n <= HOST_BYTES_MAX && iat > 0 && iat <= TIME_MAX;
}

static void
key_expect(struct cbor *c, int64_t want)
{
	if (cbor_int(c) != want)
		cbor_fail(c, ERR_VALUE);
}

static void
hash_get(struct cbor *c, uint8_t out[SHA256_BYTES])
{
	memcpy(out, cbor_bytes_exact(c, SHA256_BYTES).p, SHA256_BYTES);
}

static void
hash_put(struct buf *b, const uint8_t hash[SHA256_BYTES])
{
	cbor_put_bytes(b, bytes_of(hash, SHA256_BYTES));
}

/* Head */

static enum err
head_check(const struct head *h)
{
	if (!times_valid(h->iss, h->iat) || h->exp <= h->iat || h->exp > TIME_MAX)
		return ERR_VALUE;
	if (h->sequence == 0 || h->sequence > TIME_MAX || h->tree_size == 0 ||
	        h->manifest_version == 0)
		return ERR_VALUE;
	if (h->list_count > HEAD_LISTS_MAX || h->delta_count > HEAD_DELTAS_MAX)
		return ERR_LIMIT;
	for (size_t i = 0; i < h->delta_count; i++)
		if (h->deltas[i].base >= h->sequence ||
		        (i > 0 && h->deltas[i].base <= h->deltas[i - 1].base))
			return ERR_VALUE;
	return ERR_OK;
}

static void
head_body_put(struct buf *b, const struct head *h)
{
	cbor_put_map(b, HEAD_PARTS);
	cbor_put_int(b, 1);
	cbor_put_uint(b, h->sequence);
	cbor_put_int(b, 2);
	hash_put(b, h->previous);
	cbor_put_int(b, 3);
	cbor_put_array(b, 2);
	cbor_put_uint(b, h->list_count);
	hash_put(b, h->table_sha256);
	cbor_put_int(b, 4);
	cbor_put_uint(b, h->tree_size);
	cbor_put_int(b, 5);
	hash_put(b, h->root.b);
	cbor_put_int(b, 6);
	cbor_put_array(b, h->delta_count);
	for (size_t i = 0; i < h->delta_count; i++) {
		cbor_put_array(b, 2);
		cbor_put_uint(b, h->deltas[i].base);
		hash_put(b, h->deltas[i].sha256);
	}
	cbor_put_int(b, 7);
	cbor_put_array(b, 2);
	cbor_put_uint(b, h->manifest_version);
	hash_put(b, h->manifest_sha256);
}

enum err
head_sign(const struct head *h, const struct key *k, struct buf *out)
{
	uint8_t room[HEAD_BYTES_MAX];
	struct buf claims = BUF_OF(room);
	size_t before = out->n;
	enum err e = head_check(h);

	if (e != ERR_OK)
		return e;
	cbor_put_map(&claims, 4);
	cbor_put_int(&claims, CLAIM_ISS);
	cbor_put_text(&claims, h->iss);
	cbor_put_int(&claims, CLAIM_EXP);
	cbor_put_int(&claims, h->exp);
	cbor_put_int(&claims, CLAIM_IAT);
	cbor_put_int(&claims, h->iat);
	cbor_put_int(&claims, CLAIM_HEAD);
	head_body_put(&claims, h);
	if ((e = buf_end(&claims)) != ERR_OK ||
	        (e = cose_sign(k, HEAD_TYPE, buf_bytes(&claims), out)) != ERR_OK)
		return e;
	return out->n - before > HEAD_BYTES_MAX ? ERR_LIMIT : ERR_OK;
}

static void
head_body_get(struct cbor *c, struct head *h)
{
	uint64_t count;

	if (cbor_map(c) != HEAD_PARTS)
		cbor_fail(c, ERR_VALUE);
	key_expect(c, 1);
	h->sequence = cbor_uint(c);
	key_expect(c, 2);
	hash_get(c, h->previous);
	key_expect(c, 3);
	cbor_array_exact(c, 2);
	h->list_count = cbor_uint(c);
	hash_get(c, h->table_sha256);
	key_expect(c, 4);
	h->tree_size = cbor_uint(c);
	key_expect(c, 5);
	hash_get(c, h->root.b);
	key_expect(c, 6);
	count = cbor_array(c);
	if (count > HEAD_DELTAS_MAX)
		cbor_fail(c, ERR_LIMIT);
	for (; h->delta_count < count && c->e == ERR_OK; h->delta_count++) {
		cbor_array_exact(c, 2);
		h->deltas[h->delta_count].base = cbor_uint(c);
		hash_get(c, h->deltas[h->delta_count].sha256);
	}
	key_expect(c, 7);
	cbor_array_exact(c, 2);
	h->manifest_version = cbor_uint(c);
	hash_get(c, h->manifest_sha256);
}

enum err
head_decode(struct bytes in, struct cose_sign1 *m, struct head *out)
{
	struct cose_sign1 message;
	struct head h;
	struct cbor c;
	enum err e;

	memset(&h, 0, sizeof h);
	if (in.n > HEAD_BYTES_MAX)
		return ERR_LIMIT;
	if ((e = cose_decode(in, false, &message)) != ERR_OK)
		return e;
	c = cbor_init(message.payload);
	if (cbor_map(&c) != 4)
		cbor_fail(&c, ERR_VALUE);
	key_expect(&c, CLAIM_ISS);
	h.iss = cbor_text(&c);
	key_expect(&c, CLAIM_EXP);
	h.exp = (int64_t)cbor_uint_max(&c, TIME_MAX);
	key_expect(&c, CLAIM_IAT);
	h.iat = (int64_t)cbor_uint_max(&c, TIME_MAX);
	key_expect(&c, CLAIM_HEAD);
	head_body_get(&c, &h);
	if ((e = cbor_end(&c)) != ERR_OK || (e = head_check(&h)) != ERR_OK)
		return e;
	*m = message;
	*out = h;
	return ERR_OK;
}

/* Claims that table and delta share: issuer, time, then one of ours. */

static void
claims_put(struct buf *b, struct bytes iss, int64_t iat, int64_t ours)
{
	cbor_put_map(b, 3);
	cbor_put_int(b, CLAIM_ISS);
	cbor_put_text(b, iss);
	cbor_put_int(b, CLAIM_IAT);
	cbor_put_int(b, iat);
	cbor_put_int(b, ours);
}

static void
claims_get(struct cbor *c, struct bytes *iss, int64_t *iat, int64_t ours)
{
	if (cbor_map(c) != 3)
		cbor_fail(c, ERR_VALUE);
	key_expect(c, CLAIM_ISS);
	*iss = cbor_text(c);
	key_expect(c, CLAIM_IAT);
	*iat = (int64_t)cbor_uint_max(c, TIME_MAX);
	key_expect(c, ours);
}

/* Table */

static enum err
table_check(const struct table *t)
{
	if (!times_valid(t->iss, t->iat))
		return ERR_VALUE;
	for (size_t i = 0; i < t->count; i++)
		if (t->rows[i].sequence == 0 || t->rows[i].sequence > TIME_MAX)
			return ERR_VALUE;
	return t->count > HEAD_LISTS_MAX ? ERR_LIMIT : ERR_OK;
}

enum err
table_sign(const struct table *t, const struct key *k, struct buf *out)
{
	uint8_t room[TABLE_BYTES_MAX - COSE_BYTES];
	struct buf claims = BUF_OF(room);
	enum err e = table_check(t);

	if (e != ERR_OK)
		return e;
	claims_put(&claims, t->iss, t->iat, CLAIM_TABLE);
	cbor_put_array(&claims, t->count);
	for (size_t i = 0; i < t->count; i++) {
		cbor_put_array(&claims, 4);
		cbor_put_uint(&claims, i);
		cbor_put_uint(&claims, t->rows[i].sequence);
		hash_put(&claims, t->rows[i].raw_sha256);
		hash_put(&claims, t->rows[i].cwt_sha256);
	}
	if ((e = buf_end(&claims)) != ERR_OK)
		return e;
	return cose_sign(k, TABLE_TYPE, buf_bytes(&claims), out);
}

static void
rows_get(struct cbor *c, size_t room, struct table *t)
{
	uint64_t count = cbor_array(c);

	if (count > room || count > HEAD_LISTS_MAX)
		cbor_fail(c, ERR_LIMIT);
	for (; t->count < count && c->e == ERR_OK; t->count++) {
		struct table_row *row = &t->rows[t->count];

		cbor_array_exact(c, 4);
		if (cbor_uint(c) != t->count) /* no list is left out, none stands twice */
			cbor_fail(c, ERR_VALUE);
		row->sequence = cbor_uint(c);
		hash_get(c, row->raw_sha256);
		hash_get(c, row->cwt_sha256);
	}
}

enum err
table_decode(struct bytes in, struct cose_sign1 *m, struct table_row *rows, size_t room,
        struct table *out)
{
	struct cose_sign1 message;
	struct table t = {.rows = rows};
	struct cbor c;
	enum err e;

	if (in.n > TABLE_BYTES_MAX)
		return ERR_LIMIT;
	if ((e = cose_decode(in, false, &message)) != ERR_OK)
		return e;
	c = cbor_init(message.payload);
	claims_get(&c, &t.iss, &t.iat, CLAIM_TABLE);
	rows_get(&c, room, &t);
	if ((e = cbor_end(&c)) != ERR_OK || (e = table_check(&t)) != ERR_OK)
		return e;
	*m = message;
	*out = t;
	return ERR_OK;
}

/* Delta */

static bool
change_after(const struct delta_change *a, const struct delta_change *b)
{
	return a->list != b->list ? a->list > b->list : a->idx > b->idx;
}

static enum err
delta_check(const struct delta *d)
{
	if (!times_valid(d->iss, d->iat) || d->sequence == 0 || d->sequence > TIME_MAX ||
	        d->base >= d->sequence)
		return ERR_VALUE;
	if (d->count > DELTA_CHANGES_MAX)
		return ERR_LIMIT;
	for (size_t i = 0; i < d->count; i++)
		if (d->changes[i].list >= HEAD_LISTS_MAX || d->changes[i].idx >= LIST_ENTRIES ||
		        (unsigned)d->changes[i].status > STATUS_SUPERSEDED ||
		        (i > 0 && !change_after(&d->changes[i], &d->changes[i - 1])))
			return ERR_VALUE;
	return ERR_OK;
}

enum err
delta_sign(const struct delta *d, const struct key *k, struct buf *out)
{
	uint8_t room[DELTA_BYTES_MAX - COSE_BYTES];
	struct buf claims = BUF_OF(room);
	enum err e = delta_check(d);

	if (e != ERR_OK)
		return e;
	claims_put(&claims, d->iss, d->iat, CLAIM_DELTA);
	cbor_put_map(&claims, DELTA_PARTS);
	cbor_put_int(&claims, 1);
	cbor_put_uint(&claims, d->base);
	cbor_put_int(&claims, 2);
	cbor_put_uint(&claims, d->sequence);
	cbor_put_int(&claims, 3);
	cbor_put_array(&claims, d->count);
	for (size_t i = 0; i < d->count; i++) {
		cbor_put_array(&claims, 3);
		cbor_put_uint(&claims, d->changes[i].list);
		cbor_put_uint(&claims, d->changes[i].idx);
		cbor_put_uint(&claims, d->changes[i].status);
	}
	if ((e = buf_end(&claims)) != ERR_OK)
		return e;
	return cose_sign(k, DELTA_TYPE, buf_bytes(&claims), out);
}

static void
changes_get(struct cbor *c, size_t room, struct delta *d)
{
	uint64_t count = cbor_array(c);

	if (count > room)
		cbor_fail(c, ERR_LIMIT);
	for (; d->count < count && c->e == ERR_OK; d->count++) {
		struct delta_change *change = &d->changes[d->count];

		cbor_array_exact(c, 3);
		change->list = (uint32_t)cbor_uint_max(c, HEAD_LISTS_MAX - 1);
		change->idx = (uint32_t)cbor_uint_max(c, LIST_ENTRIES - 1);
		change->status = (enum status)cbor_uint_max(c, STATUS_SUPERSEDED);
	}
}

enum err
delta_decode(struct bytes in, struct cose_sign1 *m, struct delta_change *changes, size_t room,
        struct delta *out)
{
	struct cose_sign1 message;
	struct delta d = {.changes = changes};
	struct cbor c;
	enum err e;

	if (in.n > DELTA_BYTES_MAX)
		return ERR_LIMIT;
	if ((e = cose_decode(in, false, &message)) != ERR_OK)
		return e;
	c = cbor_init(message.payload);
	claims_get(&c, &d.iss, &d.iat, CLAIM_DELTA);
	if (cbor_map(&c) != DELTA_PARTS)
		cbor_fail(&c, ERR_VALUE);
	key_expect(&c, 1);
	d.base = cbor_uint(&c);
	key_expect(&c, 2);
	d.sequence = cbor_uint(&c);
	key_expect(&c, 3);
	changes_get(&c, room, &d);
	if ((e = cbor_end(&c)) != ERR_OK || (e = delta_check(&d)) != ERR_OK)
		return e;
	*m = message;
	*out = d;
	return ERR_OK;
}
