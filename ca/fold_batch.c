/* fold_batch.c - checks of a batch against the log before each of its entries, with nothing changed
 * until the whole batch is applied. */
#include "fold_item.h"

#include "base64.h"
#include "date.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct fold_batch {
	const struct fold *f;
	const struct roster *roster;
	bool prepare;
	struct batch_item *items;
	size_t count, room;
	int64_t time;
	int64_t cutoff_time;    /* fold.h */
	struct fold_done *done; /* keys of this batch: exp holds position + 1 of the newest item */
	size_t done_room;
	struct fold_caps caps, orders; /* of this batch */
	bool stops;                    /* it stops or resumes someone */
	bool pair_open; /* the newest item replaces a certificate that is not yet ended */
};

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
	b->cutoff_time = f->cutoff_time;
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
	free(b->orders.rows);
	free(b);
}

/* Position + 1 of the newest item with that key, 0 when there is none. */
static struct fold_done *
batch_done(struct fold_batch *b, const uint8_t key[SHA256_BYTES])
{
	if (b->done_room < 2 * (b->count + 1)) {
		b->done_room = b->done_room == 0 ? 256 : 2 * b->done_room;
		free(b->done);
		b->done = fold_grow(NULL, b->done_room, sizeof *b->done);
		memset(b->done, 0, b->done_room * sizeof *b->done);
		for (size_t i = 0; i < b->count; i++) {
			struct fold_done *d =
			        fold_done_find(b->done, b->done_room, b->items[i].key);

			memcpy(d->key, b->items[i].key, SHA256_BYTES);
			d->exp = (int64_t)i + 1;
		}
	}
	return fold_done_find(b->done, b->done_room, key);
}

/* A replacement by an official stands in the name of the centre that issued, and nothing of that
 * centre's binds it: neither stop nor cap. */
static bool
is_of_official(const struct batch_item *it)
{
	return it->n.seat == SEAT_OF_OFFICIAL;
}

/* In force when appended: also against entries that were built before. */
static bool
is_stopped(const struct fold_batch *b, const struct batch_item *it)
{
	uint8_t room[KEY_THUMB_TEXT + 1];
	struct buf kid = BUF_OF(room);
	struct bytes names[2] = {it->e.center, {room, 0}};

	if (b->f->holds.stop_count == 0 && !b->stops)
		return false;
	base64url_put(&kid, it->n.sender);
	names[1] = buf_bytes(&kid);
	for (size_t k = 0; k < 2; k++) {
		bool stopped = holds_stopped(&b->f->holds, names[k]);

		for (size_t i = 0; i < b->count; i++)
			if (b->items[i].e.type == ENTRY_STOP &&
			        bytes_equal(b->items[i].e.center, names[k]))
				stopped = !b->items[i].e.resumed;
		if (stopped)
			return true;
	}
	return false;
}

/* All seats of an issue come from one answer, each slot once and rising. */
static enum err
issue_check(struct fold_batch *b, const struct batch_item *it)
{
	int64_t day = date_shanghai(it->e.time);
	const struct fold_done *d;
	const struct operator* center;

	if (it->n.slot < 0 || it->n.seat < 0 || it->n.exp == 0)
		return ERR_VALUE;
	if (fold_executed(b->f, it->e.request, bytes_of(NULL, 0)))
		return ERR_EXECUTED;
	d = batch_done(b, it->key);
	if (d->exp != 0) {
		const struct batch_item *before = &b->items[d->exp - 1];

		if (before->n.answer != it->n.answer || it->n.slot <= before->n.slot)
			return ERR_EXECUTED;
	}
	if (is_of_official(it))
		return ERR_OK;
	if (is_stopped(b, it))
		return ERR_STOPPED;
	center = b->roster == NULL ? NULL : roster_center(b->roster, it->e.center);
	if (center != NULL && fold_caps_count(&b->f->caps, it->e.center, day) +
	                                      fold_caps_count(&b->caps, it->e.center, day) >=
	                              center->daily_cap)
		return ERR_CAP;
	return ERR_OK;
}

/* The status before this entry, and whether the batch itself has changed it. */
static bool
batch_status(const struct fold_batch *b, const struct entry *e, enum status *now)
{
	bool changed = false;

	for (size_t i = 0; i < b->count; i++)
		if (b->items[i].e.type == ENTRY_STATUS && b->items[i].e.list == e->list &&
		        b->items[i].e.idx == e->idx) {
			*now = b->items[i].e.status;
			changed = true;
		}
	return changed;
}

/* Holds that this batch starts count with those of the log. */
static enum err
hold_day_check(const struct fold_batch *b, const struct batch_item *it)
{
	int64_t day = date_shanghai(it->e.time);
	size_t n = holds_of_day(&b->f->holds, it->n.sender, day);

	if (it->e.status != STATUS_SUSPENDED || it->n.official_count > 0)
		return ERR_OK;
	for (size_t i = 0; i < b->count; i++)
		n += b->items[i].e.type == ENTRY_STATUS &&
		     b->items[i].e.status == STATUS_SUSPENDED &&
		     b->items[i].n.official_count == 0 &&
		     date_shanghai(b->items[i].e.time) == day &&
		     bytes_equal(b->items[i].n.sender, it->n.sender);
	return n < HOLD_DAY_MAX ? ERR_OK : ERR_HOLD_DAY;
}

/* Certificates that the orders of this key touched on that day, and those of the person's other
 * keys, where the roster knows whose they are. */
static uint64_t
ordered_with(
        const struct fold_batch *b, const struct fold_caps *orders, const char *kid, int64_t day)
{
	const struct operator* mine = b->roster == NULL ? NULL : roster_find(b->roster, kid);
	uint64_t n = 0;

	for (size_t i = 0; i < orders->count; i++) {
		const struct fold_cap *c = &orders->rows[i];
		const struct operator* by = NULL;
		bool same = strcmp(c->center, kid) == 0;

		if (c->day != day)
			continue;
		if (!same && mine != NULL)
			by = roster_find(b->roster, c->center);
		if (same || (by != NULL && bytes_equal(by->person, mine->person)))
			n += c->count;
	}
	return n;
}

/* More than a thousand certificates of one person in a day take one official more, however many
 * orders they come in: at least three for what takes two, two for what takes one. */
static enum err
order_day_check(const struct fold_batch *b, const struct batch_item *it)
{
	size_t least = it->e.status == STATUS_SUSPENDED ? 1 : 2;
	int64_t day = date_shanghai(it->e.time);
	uint8_t room[KEY_THUMB_TEXT + 1] = {0};
	struct buf kid = BUF_OF(room);

	if (!fold_order_counts(b->f, &it->e, &it->n) || it->n.official_count >= least)
		return ERR_OK;
	base64url_put(&kid, it->n.sender);
	return ordered_with(b, &b->f->orders, (const char *)room, day) +
	                               ordered_with(b, &b->orders, (const char *)room, day) <
	                       ORDER_ALONE_MAX
	               ? ERR_OK
	               : ERR_APPROVALS;
}

/* Does the entry end the certificate that the entry before it replaces? */
static bool
pair_fits(const struct fold_batch *b, const struct batch_item *it)
{
	const struct batch_item *first = &b->items[b->count - 1];

	return it->e.type == ENTRY_STATUS && it->e.status == STATUS_SUPERSEDED &&
	       bytes_equal(it->e.cti, first->n.follows) && it->n.answer == first->n.answer &&
	       it->n.seat == first->n.seat &&
	       memcmp(it->e.request, first->e.request, SHA256_BYTES) == 0;
}

/* Revoked and then deregistered: a second entry, once, that changes no list. */
static bool
is_deregistration(const struct fold_batch *b, const struct entry *e)
{
	const struct crl_row *row = fold_row(b->f, e->list, e->cti.p);

	return row != NULL && row->reason == CRL_REVOKED && !row->deregistered &&
	       e->crl_reason == CRL_CANCELLED;
}

/* The moves of DESIGN.md section 4. A certificate changes once in a batch: conflicts are decided by
 * who comes first. */
static enum err
status_check(struct fold_batch *b, const struct batch_item *it)
{
	bool lapse = holds_is_lapse(&it->e, &it->n);
	enum status now;
	enum err e;

	if (it->n.exp == 0 && !lapse)
		return ERR_VALUE;
	if (!lapse && (fold_executed(b->f, it->key, bytes_of(NULL, 0)) ||
	                      batch_done(b, it->key)->exp != 0))
		return ERR_EXECUTED;
	if ((e = fold_status(b->f, it->e.list, it->e.idx, &now)) != ERR_OK)
		return e;
	if (batch_status(b, &it->e, &now))
		return ERR_MOVE;
	if ((e = order_day_check(b, it)) != ERR_OK)
		return e;
	/* superseded only directly after the entry of what replaces it; never out of a hold, which
	 * one replacement would end where two officials must */
	if (it->e.status == STATUS_SUPERSEDED)
		return b->pair_open && now == STATUS_VALID ? ERR_OK : ERR_MOVE;
	if (it->e.status == STATUS_INVALID && now == STATUS_INVALID)
		return is_deregistration(b, &it->e) ? ERR_OK : ERR_MOVE;
	if (it->e.status == STATUS_INVALID)
		return now == STATUS_VALID || now == STATUS_SUSPENDED ? ERR_OK : ERR_MOVE;
	/* a second signature confirms a hold; it does not begin one anew that has ended */
	if (it->e.status == STATUS_SUSPENDED && now == STATUS_VALID &&
	        fold_executed(b->f, it->e.request, it->e.cti))
		return ERR_EXECUTED;
	if ((e = hold_day_check(b, it)) != ERR_OK)
		return e;
	return holds_check(&b->f->holds, &it->e, &it->n, now);
}

/* A centre is stopped or resumed once in a batch. */
static enum err
stop_check(struct fold_batch *b, const struct batch_item *it)
{
	if (fold_executed(b->f, it->e.request, bytes_of(NULL, 0)))
		return ERR_EXECUTED;
	for (size_t i = 0; i < b->count; i++)
		if (b->items[i].e.type == ENTRY_STOP &&
		        bytes_equal(b->items[i].e.center, it->e.center))
			return ERR_MOVE;
	return holds_stop_check(&b->f->holds, &it->e);
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
cutoff_check(const struct fold_batch *b, const struct entry *e)
{
	uint64_t index = b->f->frontier.size + b->count;

	for (size_t i = 0; i < b->count; i++)
		if (b->items[i].e.type == ENTRY_CUTOFF && bytes_equal(b->items[i].e.kid, e->kid))
			return ERR_MOVE;
	if (e->tree_size != UINT64_MAX && e->tree_size > index)
		return ERR_SIZE;
	return fold_cutoff_allowed(b->f, e->kid, e->tree_size);
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
	/* made before a key was cut off, maybe by it: made anew, by another */
	if ((it->e.type == ENTRY_ISSUE || it->e.type == ENTRY_LIST) && it->e.time <= b->cutoff_time)
		return ERR_STALE;
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
	case ENTRY_STOP:
		return stop_check(b, it);
	case ENTRY_CUTOFF:
		return cutoff_check(b, &it->e);
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
		fold_done_key(e->request, bytes_of(NULL, 0), it.key);
	else if (e->type == ENTRY_STATUS)
		fold_done_key_of(e, n, it.key);
	else if (e->type == ENTRY_STOP)
		fold_done_key(e->request, bytes_of(NULL, 0), it.key);
	else
		sha256_one(bytes, it.key);
	fault = b->pair_open && !pair_fits(b, &it) ? ERR_MOVE : item_check(b, &it);
	/* the pair is complete, or refused: PREPARE goes on with what comes after it */
	b->pair_open = false;
	if (fault != ERR_OK)
		return fault;
	merkle_leaf(bytes, &it.leaf);
	d = batch_done(b, it.key);
	if (b->count == b->room) {
		b->room = b->room == 0 ? 64 : 2 * b->room;
		b->items = fold_grow(b->items, b->room, sizeof *b->items);
	}
	b->items[b->count++] = it;
	memcpy(d->key, it.key, SHA256_BYTES);
	d->exp = (int64_t)b->count;
	if (e->type == ENTRY_CUTOFF)
		b->cutoff_time = e->time;
	b->stops = b->stops || e->type == ENTRY_STOP;
	b->pair_open = e->type == ENTRY_ISSUE && n->follows.n != 0;
	if (e->type == ENTRY_ISSUE && n->seat != SEAT_OF_OFFICIAL)
		fold_caps_add(&b->caps, e->center, date_shanghai(e->time));
	/* a certificate changes once in a batch, so what the fold says of it still holds */
	if (fold_order_counts(b->f, e, n))
		fold_orders_add(&b->orders, e, n);
	if (e->time > b->time)
		b->time = e->time;
	return ERR_OK;
}

enum err
fold_batch_end(const struct fold_batch *b)
{
	return b->pair_open ? ERR_MOVE : ERR_OK;
}

void
fold_batch_apply(struct fold_batch *b, struct fold *f)
{
	assert(b->f == f);
	for (size_t i = 0; i < b->count; i++)
		fold_apply(f, &b->items[i]);
}
