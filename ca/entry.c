/* entry.c - log entries, their private notes and tags: an entry is one CBOR array whose shape
 * follows from its type. */
#include "entry.h"

#include <string.h>

enum { ENTRY_VERSION = 1, TEXT_MAX = 128, TIME_MAX_SHIFT = 40 };

static void
put_time(struct buf *out, int64_t t)
{
	cbor_put_uint(out, (uint64_t)t);
}

static void
put_hash(struct buf *out, const uint8_t hash[SHA256_BYTES])
{
	cbor_put_bytes(out, bytes_of(hash, SHA256_BYTES));
}

static void
put_or_null(struct buf *out, int64_t v)
{
	if (v < 0)
		cbor_put_null(out);
	else
		cbor_put_uint(out, (uint64_t)v);
}

static void
issue_put(const struct entry *e, struct buf *out)
{
	cbor_put_bytes(out, e->cti);
	put_hash(out, e->record_sha256);
	put_time(out, e->time);
	cbor_put_text(out, e->center);
	cbor_put_text(out, e->item);
	cbor_put_text(out, e->policy);
	put_hash(out, e->request);
}

static void
status_put_entry(const struct entry *e, struct buf *out)
{
	cbor_put_bytes(out, e->cti);
	cbor_put_uint(out, e->list);
	cbor_put_uint(out, e->idx);
	cbor_put_uint(out, e->status);
	put_or_null(out, e->crl_reason);
	cbor_put_uint(out, (uint64_t)e->effective);
	put_or_null(out, e->until);
	put_time(out, e->time);
	put_hash(out, e->request);
}

static void
list_put(const struct entry *e, struct buf *out)
{
	cbor_put_uint(out, e->list);
	cbor_put_uint(out, e->sequence);
	put_hash(out, e->raw_sha256);
	put_hash(out, e->cwt_sha256);
	put_hash(out, e->jwt_sha256);
	put_hash(out, e->previous_sha256);
	cbor_put_uint(out, e->tree_size);
	put_time(out, e->this_update);
	put_time(out, e->next_update);
}

static void
genesis_put(const struct entry *e, struct buf *out)
{
	cbor_put_text(out, e->origin);
	cbor_put_text(out, e->iss);
	put_time(out, e->time);
	if (e->last_checkpoint.n == 0)
		cbor_put_null(out);
	else
		cbor_put_text(out, e->last_checkpoint);
}

static void
cutoff_put(const struct entry *e, struct buf *out)
{
	cbor_put_bytes(out, e->kid);
	if (e->tree_size == UINT64_MAX)
		cbor_put_null(out);
	else
		cbor_put_uint(out, e->tree_size);
	cbor_put_uint(out, e->reason);
	put_time(out, e->time);
}

void
entry_put(const struct entry *e, struct buf *out)
{
	static const uint8_t items[] = {6, 9, 11, 11, 5, 5, 6, 6};

	cbor_put_array(out, items[e->type]);
	cbor_put_uint(out, ENTRY_VERSION);
	cbor_put_uint(out, e->type);
	switch (e->type) {
	case ENTRY_GENESIS:
		genesis_put(e, out);
		return;
	case ENTRY_ISSUE:
		issue_put(e, out);
		return;
	case ENTRY_STATUS:
		status_put_entry(e, out);
		return;
	case ENTRY_LIST:
		list_put(e, out);
		return;
	case ENTRY_MANIFEST:
	case ENTRY_ROSTER:
		cbor_put_uint(out, e->sequence);
		put_hash(out, e->sha256);
		put_time(out, e->time);
		return;
	case ENTRY_CUTOFF:
		cutoff_put(e, out);
		return;
	case ENTRY_STOP:
		cbor_put_text(out, e->center);
		cbor_put_uint(out, e->resumed);
		put_time(out, e->time);
		put_hash(out, e->request);
		return;
	}
}

static int64_t
time_get(struct cbor *c)
{
	return (int64_t)cbor_uint_max(c, 1ULL << TIME_MAX_SHIFT);
}

static void
hash_get(struct cbor *c, uint8_t out[SHA256_BYTES])
{
	memcpy(out, cbor_bytes_exact(c, SHA256_BYTES).p, SHA256_BYTES);
}

static struct bytes
text_get(struct cbor *c, size_t bytes_max)
{
	struct bytes v = cbor_text(c);

	if (v.n == 0 || v.n > bytes_max)
		cbor_fail(c, ERR_VALUE);
	return v;
}

static void
status_get_entry(struct cbor *c, struct entry *e)
{
	e->cti = cbor_bytes_exact(c, 16);
	e->list = (uint32_t)cbor_uint_max(c, UINT32_MAX);
	e->idx = (uint32_t)cbor_uint_max(c, LIST_ENTRIES - 1);
	e->status = (enum status)cbor_uint_max(c, STATUS_SUPERSEDED);
	e->crl_reason = cbor_null_next(c) ? -1 : (int)cbor_uint_max(c, ENTRY_REASON_MAX);
	e->effective = (int64_t)cbor_uint_max(c, INT32_MAX);
	e->until = cbor_null_next(c) ? -1 : time_get(c);
	e->time = time_get(c);
	hash_get(c, e->request);
	/* the reasons that we publish */
	if (e->crl_reason >= 0 && e->crl_reason != 4 && e->crl_reason != 5 && e->crl_reason != 6 &&
	        e->crl_reason != 9)
		cbor_fail(c, ERR_VALUE);
}

static void
list_get(struct cbor *c, struct entry *e)
{
	e->list = (uint32_t)cbor_uint_max(c, UINT32_MAX);
	e->sequence = (uint64_t)time_get(c);
	hash_get(c, e->raw_sha256);
	hash_get(c, e->cwt_sha256);
	hash_get(c, e->jwt_sha256);
	hash_get(c, e->previous_sha256);
	e->tree_size = cbor_uint_max(c, INT64_MAX);
	e->this_update = time_get(c);
	e->next_update = time_get(c);
	e->time = e->this_update;
}

static void
issue_get(struct cbor *c, struct entry *e)
{
	e->cti = cbor_bytes_exact(c, 16);
	hash_get(c, e->record_sha256);
	e->time = time_get(c);
	e->center = text_get(c, TEXT_MAX);
	e->item = text_get(c, TEXT_MAX);
	e->policy = text_get(c, TEXT_MAX);
	hash_get(c, e->request);
}

static void
genesis_get(struct cbor *c, struct entry *e)
{
	e->origin = text_get(c, TEXT_MAX);
	e->iss = text_get(c, TEXT_MAX);
	e->time = time_get(c);
	if (!cbor_null_next(c))
		e->last_checkpoint = text_get(c, CHECKPOINT_BYTES_MAX);
}

static void
members_get(struct cbor *c, struct entry *e)
{
	switch (e->type) {
	case ENTRY_GENESIS:
		genesis_get(c, e);
		return;
	case ENTRY_ISSUE:
		issue_get(c, e);
		return;
	case ENTRY_STATUS:
		status_get_entry(c, e);
		return;
	case ENTRY_LIST:
		list_get(c, e);
		return;
	case ENTRY_MANIFEST:
	case ENTRY_ROSTER:
		e->sequence = cbor_uint_max(c, INT64_MAX);
		hash_get(c, e->sha256);
		e->time = time_get(c);
		return;
	case ENTRY_CUTOFF:
		e->kid = cbor_bytes_exact(c, KEY_KID_BYTES);
		e->tree_size = cbor_null_next(c) ? UINT64_MAX : cbor_uint_max(c, INT64_MAX);
		e->reason = cbor_uint_max(c, 10);
		e->time = time_get(c);
		return;
	case ENTRY_STOP:
		e->center = text_get(c, TEXT_MAX);
		e->resumed = cbor_uint_max(c, 1) == 1;
		e->time = time_get(c);
		hash_get(c, e->request);
		return;
	}
}

enum err
entry_decode(struct bytes in, struct entry *out)
{
	static const uint8_t items[] = {6, 9, 11, 11, 5, 5, 6, 6};
	struct entry e = {.crl_reason = -1, .until = -1};
	struct cbor c = cbor_init(in);
	uint64_t count = cbor_array(&c), type;
	enum err fault;

	if (cbor_uint(&c) != ENTRY_VERSION)
		cbor_fail(&c, ERR_TYPE_UNKNOWN);
	type = cbor_uint(&c);
	if (c.e != ERR_OK)
		return c.e;
	if (type > ENTRY_STOP)
		return ERR_TYPE_UNKNOWN;
	if (count != items[type])
		return ERR_VALUE;
	e.type = (enum entry_type)type;
	members_get(&c, &e);
	if ((fault = cbor_end(&c)) != ERR_OK)
		return fault;
	*out = e;
	return ERR_OK;
}

int64_t
entry_time(const struct entry *e)
{
	return e->time;
}

void
entry_of_record(const struct record *r, struct bytes bare, struct entry *out)
{
	*out = (struct entry){
	        .type = ENTRY_ISSUE,
	        .cti = r->cti,
	        .time = r->iat,
	        .center = r->center,
	        .item = r->item,
	        .policy = r->policy,
	        .crl_reason = -1,
	        .until = -1,
	};
	sha256_one(bare, out->record_sha256);
	memcpy(out->request, r->request.p, SHA256_BYTES);
}

void
entry_note_put(const struct entry_note *n, struct buf *out)
{
	cbor_put_array(out, n->follows.n == 0 ? 6 : 7);
	cbor_put_bytes(out, n->sender);
	cbor_put_array(out, n->official_count);
	for (size_t i = 0; i < n->official_count; i++)
		cbor_put_bytes(out, n->officials[i]);
	cbor_put_uint(out, (uint64_t)n->exp);
	put_or_null(out, n->slot);
	put_or_null(out, n->seat);
	cbor_put_uint(out, n->answer);
	if (n->follows.n != 0)
		cbor_put_bytes(out, n->follows);
}

enum err
entry_note_decode(struct bytes in, struct entry_note *out)
{
	struct entry_note n = {0};
	struct cbor c = cbor_init(in);
	uint64_t members = cbor_array(&c);
	enum err e;

	if (members != 6 && members != 7)
		cbor_fail(&c, ERR_VALUE);
	n.sender = cbor_bytes(&c);
	if (n.sender.n != 0 && n.sender.n != KEY_THUMB_BYTES)
		cbor_fail(&c, ERR_VALUE);
	n.official_count = (size_t)cbor_array(&c);
	if (n.official_count > ENTRY_OFFICIALS_MAX)
		return ERR_LIMIT;
	for (size_t i = 0; i < n.official_count; i++)
		n.officials[i] = cbor_bytes_exact(&c, KEY_THUMB_BYTES);
	n.exp = time_get(&c);
	n.slot = cbor_null_next(&c) ? -1 : (int64_t)cbor_uint_max(&c, INT64_MAX);
	n.seat = cbor_null_next(&c) ? -1 : (int64_t)cbor_uint_max(&c, INT32_MAX);
	n.answer = cbor_uint(&c);
	if (members == 7)
		n.follows = cbor_bytes_exact(&c, 16);
	if ((e = cbor_end(&c)) != ERR_OK)
		return e;
	*out = n;
	return ERR_OK;
}

void
entry_tag(struct bytes key, struct bytes entry, struct bytes note, uint8_t out[ENTRY_TAG_BYTES])
{
	uint8_t entry_n[4] = {0}, note_n[4] = {0}, full[SHA256_BYTES];
	const struct bytes parts[] = {bytes_of(entry_n, 4), entry, bytes_of(note_n, 4), note};

	be_put(entry_n, entry.n, 4);
	be_put(note_n, note.n, 4);
	hmac_sha256(key, parts, sizeof parts / sizeof parts[0], full);
	memcpy(out, full, ENTRY_TAG_BYTES);
}
