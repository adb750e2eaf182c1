/* fold.c - the state that follows from the log: it changes only by fold_batch_apply, and only as
 * the entries say. */
#include "fold.h"

#include "date.h"
#include "log.h"
#include "status.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { DONE_ROOM_MIN = 1024 };

struct batch_item { /* one checked entry, with views into the caller's bytes */
	struct entry e;
	struct entry_note n;
	struct merkle_hash leaf;
	uint8_t key[SHA256_BYTES]; /* in the table of executed requests */
};

struct fold_batch {
	const struct fold *f;
	const struct roster *roster;
	bool prepare;
	struct batch_item *items;
	size_t count, room;
	int64_t time;
	struct fold_done *done; /* keys of this batch: exp holds position + 1 of the newest item */
	size_t done_room;
	struct fold_caps caps; /* of this batch */
};

/* A fold that cannot grow cannot go on: the journal brings everything back. */
static void *
grow(void *p, size_t n, size_t size)
{
	void *q = reallocarray(p, n, size);

	if (q == NULL) {
		log_fault("out_of_memory", "where=fold");
		abort();
	}
	return q;
}

void
fold_init(struct fold *f)
{
	memset(f, 0, sizeof *f);
}

void
fold_free(struct fold *f)
{
	for (uint32_t i = 0; i < f->list_count; i++) {
		free(f->lists[i].raw);
		free(f->lists[i].rows);
	}
	free(f->lists);
	free(f->caps.rows);
	free(f->done);
	memset(f, 0, sizeof *f);
}

enum err
fold_status(const struct fold *f, uint32_t list, uint32_t idx, enum status *out)
{
	if (list >= f->list_count || idx >= LIST_ENTRIES)
		return ERR_SERIAL_UNKNOWN;
	*out = status_get(f->lists[list].raw, idx);
	return ERR_OK;
}

static struct crl_row *
row_find(const struct fold_list *l, const uint8_t *serial)
{
	for (size_t i = l->row_count; i > 0; i--)
		if (memcmp(l->rows[i - 1].serial, serial, 16) == 0)
			return &l->rows[i - 1];
	return NULL;
}

const struct crl_row *
fold_row(const struct fold *f, uint32_t list, const uint8_t serial[16])
{
	return list < f->list_count ? row_find(&f->lists[list], serial) : NULL;
}

static uint64_t
caps_count(const struct fold_caps *caps, struct bytes center, int64_t day)
{
	for (size_t i = 0; i < caps->count; i++)
		if (bytes_equal_text(center, caps->rows[i].center))
			return caps->rows[i].day == day ? caps->rows[i].count : 0;
	return 0;
}

/* Counts one more certificate of a centre; only its newest day is kept. */
static void
caps_add(struct fold_caps *caps, struct bytes center, int64_t day)
{
	struct fold_cap *c = NULL;

	for (size_t i = 0; i < caps->count && c == NULL; i++)
		if (bytes_equal_text(center, caps->rows[i].center))
			c = &caps->rows[i];
	if (c == NULL) {
		if (caps->count == caps->room) {
			caps->room = caps->room == 0 ? 16 : 2 * caps->room;
			caps->rows = grow(caps->rows, caps->room, sizeof *caps->rows);
		}
		c = &caps->rows[caps->count++];
		memset(c, 0, sizeof *c);
		assert(center.n < sizeof c->center);
		memcpy(c->center, center.p, center.n);
	}
	if (c->day != day) {
		c->day = day;
		c->count = 0;
	}
	c->count++;
}

uint64_t
fold_issued(const struct fold *f, struct bytes center, int64_t day)
{
	return caps_count(&f->caps, center, day);
}

/* An issue is executed once as a whole, an order once for each certificate. */
static void
done_key(const uint8_t request[SHA256_BYTES], struct bytes cti, uint8_t out[SHA256_BYTES])
{
	const struct bytes parts[] = {bytes_of(request, SHA256_BYTES), cti};

	if (cti.n == 0)
		memcpy(out, request, SHA256_BYTES);
	else
		sha256(parts, 2, out);
}

static struct fold_done *
done_find(struct fold_done *table, size_t room, const uint8_t key[SHA256_BYTES])
{
	size_t at = (size_t)be_get(key, 8) & (room - 1);

	while (table[at].exp != 0 && memcmp(table[at].key, key, SHA256_BYTES) != 0)
		at = (at + 1) & (room - 1);
	return &table[at];
}

bool
fold_executed(const struct fold *f, const uint8_t request[SHA256_BYTES], struct bytes cti)
{
	uint8_t key[SHA256_BYTES];

	if (f->done_room == 0)
		return false;
	done_key(request, cti, key);
	return done_find(f->done, f->done_room, key)->exp != 0;
}

/* Makes room; what is older than the log would refuse for age is forgotten on the way. */
static void
done_rehash(struct fold *f, size_t more)
{
	size_t room = DONE_ROOM_MIN, kept = 0;
	struct fold_done *table;

	if ((f->done_count + more) * 2 <= f->done_room)
		return;
	for (size_t i = 0; i < f->done_room; i++)
		kept += f->done[i].exp >= f->time && f->done[i].exp != 0;
	while (room < (kept + more) * 4)
		room *= 2;
	table = grow(NULL, room, sizeof *table);
	memset(table, 0, room * sizeof *table);
	for (size_t i = 0; i < f->done_room; i++)
		if (f->done[i].exp != 0 && f->done[i].exp >= f->time)
			*done_find(table, room, f->done[i].key) = f->done[i];
	free(f->done);
	f->done = table;
	f->done_room = room;
	f->done_count = kept;
}

enum err
fold_batch_open(
        const struct fold *f, const struct roster *roster, bool prepare, struct fold_batch **out)
{
	struct fold_batch *b = calloc(1, sizeof *b);

	if (b == NULL)
		return ERR_MEMORY;
	b->f = f;
	b->roster = roster;
	b->prepare = prepare;
	b->time = f->time;
	*out = b;
	return ERR_OK;
}

void
fold_batch_free(struct fold_batch *b)
{
	if (b == NULL)
		return;
	free(b->items);
	free(b->done);
	free(b->caps.rows);
	free(b);
}

/* Position + 1 of the newest item with that key, 0 when there is none. */
static struct fold_done *
batch_done(struct fold_batch *b, const uint8_t key[SHA256_BYTES])
{
	if (b->done_room < 2 * (b->count + 1)) {
		b->done_room = b->done_room == 0 ? 256 : 2 * b->done_room;
		free(b->done);
		b->done = grow(NULL, b->done_room, sizeof *b->done);
		memset(b->done, 0, b->done_room * sizeof *b->done);
		for (size_t i = 0; i < b->count; i++) {
			struct fold_done *d = done_find(b->done, b->done_room, b->items[i].key);

			memcpy(d->key, b->items[i].key, SHA256_BYTES);
			d->exp = (int64_t)i + 1;
		}
	}
	return done_find(b->done, b->done_room, key);
}

/* All seats of an issue come from one answer, each slot once and rising. */
static enum err
issue_check(struct fold_batch *b, const struct batch_item *it)
{
	int64_t day = date_shanghai(it->e.time);
	const struct fold_done *d;
	const struct operator* center;

	if (it->n.slot < 0 || it->n.exp == 0)
		return ERR_VALUE;
	if (fold_executed(b->f, it->e.request, bytes_of(NULL, 0)))
		return ERR_EXECUTED;
	d = batch_done(b, it->key);
	if (d->exp != 0) {
		const struct batch_item *before = &b->items[d->exp - 1];

		if (before->n.answer != it->n.answer || it->n.slot <= before->n.slot)
			return ERR_EXECUTED;
	}
	center = b->roster == NULL ? NULL : roster_center(b->roster, it->e.center);
	if (center != NULL && caps_count(&b->f->caps, it->e.center, day) +
	                                      caps_count(&b->caps, it->e.center, day) >=
	                              center->daily_cap)
		return ERR_CAP;
	return ERR_OK;
}

static enum status
batch_status(const struct fold_batch *b, const struct entry *e, enum status now)
{
	for (size_t i = 0; i < b->count; i++)
		if (b->items[i].e.type == ENTRY_STATUS && b->items[i].e.list == e->list &&
		        b->items[i].e.idx == e->idx)
			now = b->items[i].e.status;
	return now;
}

static enum err
status_check(struct fold_batch *b, const struct batch_item *it)
{
	enum status now;
	enum err e;

	if (it->n.exp == 0)
		return ERR_VALUE;
	if (fold_executed(b->f, it->e.request, it->e.cti) || batch_done(b, it->key)->exp != 0)
		return ERR_EXECUTED;
	if ((e = fold_status(b->f, it->e.list, it->e.idx, &now)) != ERR_OK)
		return e;
	now = batch_status(b, &it->e, now);
	if (it->e.status != STATUS_INVALID || (now != STATUS_VALID && now != STATUS_SUSPENDED))
		return ERR_MOVE;
	return ERR_OK;
}

static enum err
list_check(const struct fold_batch *b, const struct entry *e)
{
	const struct fold_list *l;

	if (e->list >= b->f->list_count)
		return ERR_SERIAL_UNKNOWN;
	l = &b->f->lists[e->list];
	for (size_t i = 0; i < b->count; i++)
		if (b->items[i].e.type == ENTRY_LIST && b->items[i].e.list == e->list)
			return ERR_STALE;
	if (memcmp(e->previous_sha256, l->previous, SHA256_BYTES) != 0 ||
	        e->sequence <= l->sequence || e->tree_size < l->covered)
		return ERR_STALE;
	return ERR_OK;
}

static enum err
version_check(const struct fold_batch *b, const struct entry *e)
{
	uint64_t now = e->type == ENTRY_MANIFEST ? b->f->manifest_version : b->f->roster_version;

	for (size_t i = 0; i < b->count; i++)
		if (b->items[i].e.type == e->type)
			now = b->items[i].e.sequence;
	return e->sequence > now ? ERR_OK : ERR_VERSION;
}

static enum err
item_check(struct fold_batch *b, const struct batch_item *it)
{
	uint64_t size = b->f->frontier.size + b->count;

	if ((it->e.type == ENTRY_GENESIS) != (size == 0))
		return ERR_NOT_READY;
	/* age counts against the log's newest time, never against the clock */
	if (b->prepare && it->e.time + ENTRY_AGE_S_MAX < b->time)
		return ERR_STALE;
	if (it->n.exp != 0 && it->n.exp < b->time)
		return ERR_REQUEST_EXPIRED;
	switch (it->e.type) {
	case ENTRY_GENESIS:
		return ERR_OK;
	case ENTRY_ISSUE:
		return issue_check(b, it);
	case ENTRY_STATUS:
		return status_check(b, it);
	case ENTRY_LIST:
		return list_check(b, &it->e);
	case ENTRY_MANIFEST:
	case ENTRY_ROSTER:
		return version_check(b, &it->e);
	case ENTRY_CUTOFF:
	case ENTRY_STOP:
		return ERR_TYPE_UNKNOWN;
	}
	return ERR_TYPE_UNKNOWN;
}

enum err
fold_batch_add(
        struct fold_batch *b, const struct entry *e, const struct entry_note *n, struct bytes bytes)
{
	struct batch_item it = {.e = *e, .n = *n};
	struct fold_done *d;
	enum err fault;

	if (e->type == ENTRY_ISSUE)
		done_key(e->request, bytes_of(NULL, 0), it.key);
	else if (e->type == ENTRY_STATUS)
		done_key(e->request, e->cti, it.key);
	else
		sha256_one(bytes, it.key);
	if ((fault = item_check(b, &it)) != ERR_OK)
		return fault;
	merkle_leaf(bytes, &it.leaf);
	d = batch_done(b, it.key);
	if (b->count == b->room) {
		b->room = b->room == 0 ? 64 : 2 * b->room;
		b->items = grow(b->items, b->room, sizeof *b->items);
	}
	b->items[b->count++] = it;
	memcpy(d->key, it.key, SHA256_BYTES);
	d->exp = (int64_t)b->count;
	if (e->type == ENTRY_ISSUE)
		caps_add(&b->caps, e->center, date_shanghai(e->time));
	if (e->time > b->time)
		b->time = e->time;
	return ERR_OK;
}

static void
lists_until(struct fold *f, uint32_t count, uint64_t size)
{
	while (f->list_count < count) {
		struct fold_list *l;

		f->lists = grow(f->lists, f->list_count + 1U, sizeof *f->lists);
		l = &f->lists[f->list_count++];
		memset(l, 0, sizeof *l);
		l->raw = grow(NULL, LIST_BYTES, 1);
		memset(l->raw, 0, LIST_BYTES);
		l->changed = size; /* a new list is to be signed, though nothing stands on it */
	}
}

static void
issue_apply(struct fold *f, const struct batch_item *it)
{
	lists_until(f, (uint32_t)(it->n.slot / LIST_ENTRIES) + 1, f->frontier.size);
	caps_add(&f->caps, it->e.center, date_shanghai(it->e.time));
}

static void
status_apply(struct fold *f, const struct entry *e)
{
	struct fold_list *l = &f->lists[e->list];
	enum status before = status_get(l->raw, e->idx);
	/* a certificate that was good has no row: no search, however long the list is */
	struct crl_row *row = before == STATUS_VALID ? NULL : row_find(l, e->cti.p);

	status_set(l->raw, e->idx, e->status);
	l->changed = f->frontier.size;
	if (e->status != STATUS_INVALID && e->status != STATUS_SUSPENDED) {
		if (row != NULL)
			*row = l->rows[--l->row_count];
		return;
	}
	if (row == NULL) {
		if (l->row_count == l->row_room) {
			l->row_room = l->row_room == 0 ? 16 : 2 * l->row_room;
			l->rows = grow(l->rows, l->row_room, sizeof *l->rows);
		}
		row = &l->rows[l->row_count++];
	}
	memcpy(row->serial, e->cti.p, 16);
	row->reason = e->crl_reason;
	row->revoked_at = e->time;
	row->invalid_from = e->effective;
}

static void
list_apply(struct fold *f, const struct entry *e)
{
	struct fold_list *l = &f->lists[e->list];

	l->sequence = e->sequence;
	l->this_update = e->this_update;
	l->covered = e->tree_size;
	memcpy(l->previous, e->cwt_sha256, SHA256_BYTES);
}

static void
item_apply(struct fold *f, const struct batch_item *it)
{
	if (it->e.time > f->time)
		f->time = it->e.time;
	merkle_append(&f->frontier, &it->leaf);
	if (it->e.type == ENTRY_ISSUE || it->e.type == ENTRY_STATUS) {
		struct fold_done *d;

		done_rehash(f, 1);
		d = done_find(f->done, f->done_room, it->key);
		f->done_count += d->exp == 0;
		memcpy(d->key, it->key, SHA256_BYTES);
		d->exp = it->n.exp;
	}
	if (it->e.type == ENTRY_ISSUE)
		issue_apply(f, it);
	if (it->e.type == ENTRY_STATUS)
		status_apply(f, &it->e);
	if (it->e.type == ENTRY_LIST)
		list_apply(f, &it->e);
	if (it->e.type == ENTRY_MANIFEST) {
		f->manifest_version = it->e.sequence;
		memcpy(f->manifest_sha256, it->e.sha256, SHA256_BYTES);
	}
	if (it->e.type == ENTRY_ROSTER) {
		f->roster_version = it->e.sequence;
		memcpy(f->roster_sha256, it->e.sha256, SHA256_BYTES);
	}
}

void
fold_batch_apply(struct fold_batch *b, struct fold *f)
{
	assert(b->f == f);
	for (size_t i = 0; i < b->count; i++)
		item_apply(f, &b->items[i]);
}
