/* holds.c - holds begin, are confirmed, end and lapse only as the log's entries say; limits are
 * judged by the log's own times. */
#include "holds.h"

#include "date.h"
#include "fold_item.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void
holds_free(struct holds *h)
{
	free(h->rows);
	free(h->places);
	free(h->stops);
	memset(h, 0, sizeof *h);
}

/* Where the newest row of a place is found in the index, or would be. */
static size_t
place_find(const struct holds *h, uint32_t list, uint32_t idx)
{
	uint64_t mixed = ((uint64_t)list << 32 | idx) * 0x9e3779b97f4a7c15U;
	size_t at = (size_t)(mixed >> 32) & (h->place_room - 1);

	while (h->places[at] != 0 &&
	        (h->rows[h->places[at] - 1].list != list || h->rows[h->places[at] - 1].idx != idx))
		at = (at + 1) & (h->place_room - 1);
	return at;
}

static void
places_make(struct holds *h)
{
	size_t room = 64;

	while (room < 4 * h->room)
		room *= 2;
	free(h->places);
	h->places = fold_grow(NULL, room, sizeof *h->places);
	memset(h->places, 0, room * sizeof *h->places);
	h->place_room = room;
	/* of one place the newest row is the last */
	for (size_t i = 0; i < h->count; i++)
		h->places[place_find(h, h->rows[i].list, h->rows[i].idx)] = (uint32_t)i + 1;
}

const struct hold *
holds_find(const struct holds *h, uint32_t list, uint32_t idx)
{
	uint32_t row = h->place_room == 0 ? 0 : h->places[place_find(h, list, idx)];

	return row == 0 ? NULL : &h->rows[row - 1];
}

size_t
holds_of_day(const struct holds *h, struct bytes sender, int64_t day)
{
	size_t n = 0;

	assert(h->count == 0 || h->rows != NULL);
	for (size_t i = 0; i < h->count; i++)
		n += !h->rows[i].confirmed && date_shanghai(h->rows[i].started) == day &&
		     bytes_equal(bytes_of(h->rows[i].sender, KEY_THUMB_BYTES), sender);
	return n;
}

static struct stopped *
stop_find(const struct holds *h, struct bytes name)
{
	for (size_t i = 0; i < h->stop_count; i++)
		if (bytes_equal_text(name, h->stops[i].name))
			return &h->stops[i];
	return NULL;
}

bool
holds_stopped(const struct holds *h, struct bytes name)
{
	return stop_find(h, name) != NULL;
}

bool
holds_is_lapse(const struct entry *e, const struct entry_note *n)
{
	return e->type == ENTRY_STATUS && e->status == STATUS_VALID && n->sender.n == 0 &&
	       n->exp == 0;
}

/* A new hold: one official may start a few short ones; what two signed is free of those limits. */
static enum err
start_check(const struct holds *h, const struct entry *e, const struct entry_note *n)
{
	const struct hold *before = holds_find(h, e->list, e->idx);

	if (e->until <= e->time || e->until > e->time + HOLD_MAX_S)
		return ERR_HOLD_LONG;
	if (n->official_count > 0)
		return ERR_OK;
	if (e->until > e->time + HOLD_FIRST_S)
		return ERR_HOLD_LONG;
	if (before != NULL && before->started + HOLD_AGAIN_S > e->time)
		return ERR_HOLD_AGAIN;
	return holds_of_day(h, n->sender, date_shanghai(e->time)) < HOLD_DAY_MAX ? ERR_OK
	                                                                         : ERR_HOLD_DAY;
}

enum err
holds_check(
        const struct holds *h, const struct entry *e, const struct entry_note *n, enum status now)
{
	const struct hold *hold = holds_find(h, e->list, e->idx);
	bool holds = hold != NULL && hold->ended == 0 && now == STATUS_SUSPENDED;

	if (e->status == STATUS_SUSPENDED && now == STATUS_VALID)
		return start_check(h, e, n);
	if (!holds)
		return ERR_MOVE;
	if (e->status == STATUS_SUSPENDED) /* the second signature, once */
		return !hold->confirmed && n->official_count > 0 &&
		                       memcmp(hold->request, e->request, SHA256_BYTES) == 0 &&
		                       e->until > e->time && e->until <= hold->started + HOLD_MAX_S
		               ? ERR_OK
		               : ERR_MOVE;
	if (!holds_is_lapse(e, n))
		return e->status == STATUS_VALID ? ERR_OK : ERR_MOVE;
	return hold->until < e->time && memcmp(hold->request, e->request, SHA256_BYTES) == 0
	               ? ERR_OK
	               : ERR_MOVE;
}

enum err
holds_stop_check(const struct holds *h, const struct entry *e)
{
	if (e->center.n > HOLD_STOP_BYTES)
		return ERR_VALUE;
	return holds_stopped(h, e->center) == e->resumed ? ERR_OK : ERR_MOVE;
}

/* Forgets what ended so long ago that no limit asks for it. */
static void
forget(struct holds *h, int64_t now)
{
	size_t kept = 0;

	assert(h->count == 0 || h->rows != NULL);
	for (size_t i = 0; i < h->count; i++)
		if (h->rows[i].ended == 0 || h->rows[i].started + HOLD_AGAIN_S > now)
			h->rows[kept++] = h->rows[i];
	h->count = kept;
}

static struct hold *
hold_new(struct holds *h, const struct entry *e, const struct entry_note *n)
{
	struct hold *hold;

	if (h->count == h->room) {
		forget(h, e->time);
		h->room = h->count * 2 + 16;
		h->rows = fold_grow(h->rows, h->room, sizeof *h->rows);
		places_make(h); /* rows have moved, and there are at least twice as many places */
	}
	assert(h->rows != NULL && h->places != NULL);
	h->places[place_find(h, e->list, e->idx)] = (uint32_t)h->count + 1;
	hold = &h->rows[h->count++];
	memset(hold, 0, sizeof *hold);
	hold->list = e->list;
	hold->idx = e->idx;
	hold->started = e->time;
	memcpy(hold->cti, e->cti.p, sizeof hold->cti);
	memcpy(hold->request, e->request, SHA256_BYTES);
	if (n->sender.n == KEY_THUMB_BYTES)
		memcpy(hold->sender, n->sender.p, KEY_THUMB_BYTES);
	return hold;
}

void
holds_apply(struct holds *h, const struct entry *e, const struct entry_note *n)
{
	const struct hold *found = holds_find(h, e->list, e->idx);
	struct hold *hold = found == NULL ? NULL : &h->rows[found - h->rows];

	if (e->status != STATUS_SUSPENDED) {
		if (hold != NULL && hold->ended == 0)
			hold->ended = e->time;
		return;
	}
	if (hold == NULL || hold->ended != 0)
		hold = hold_new(h, e, n);
	hold->until = e->until;
	hold->confirmed = n->official_count > 0;
}

void
holds_stop_apply(struct holds *h, const struct entry *e)
{
	struct stopped *s = stop_find(h, e->center);

	if (e->resumed) {
		if (s != NULL)
			*s = h->stops[--h->stop_count];
		return;
	}
	if (s != NULL)
		return;
	if (h->stop_count == h->stop_room) {
		h->stop_room = h->stop_room * 2 + 8;
		h->stops = fold_grow(h->stops, h->stop_room, sizeof *h->stops);
	}
	assert(h->stops != NULL);
	s = &h->stops[h->stop_count++];
	memset(s, 0, sizeof *s);
	memcpy(s->name, e->center.p, e->center.n);
}

size_t
holds_bytes(const struct holds *h)
{
	return 64 + h->count * 200 + h->stop_count * 64;
}

void
holds_put(const struct holds *h, struct buf *out)
{
	cbor_put_array(out, 2);
	cbor_put_array(out, h->count);
	for (size_t i = 0; i < h->count; i++) {
		const struct hold *r = &h->rows[i];

		cbor_put_array(out, 9);
		cbor_put_uint(out, r->list);
		cbor_put_uint(out, r->idx);
		cbor_put_bytes(out, bytes_of(r->cti, sizeof r->cti));
		cbor_put_bytes(out, bytes_of(r->request, SHA256_BYTES));
		cbor_put_bytes(out, bytes_of(r->sender, KEY_THUMB_BYTES));
		cbor_put_uint(out, (uint64_t)r->started);
		cbor_put_uint(out, (uint64_t)r->until);
		cbor_put_uint(out, (uint64_t)r->ended);
		cbor_put_bool(out, r->confirmed);
	}
	cbor_put_array(out, h->stop_count);
	for (size_t i = 0; i < h->stop_count; i++)
		cbor_put_text(out, bytes_of_text(h->stops[i].name));
}

static void
hold_get(struct cbor *c, struct hold *r)
{
	cbor_array_exact(c, 9);
	r->list = (uint32_t)cbor_uint_max(c, UINT32_MAX);
	r->idx = (uint32_t)cbor_uint_max(c, LIST_ENTRIES - 1);
	memcpy(r->cti, cbor_bytes_exact(c, sizeof r->cti).p, sizeof r->cti);
	memcpy(r->request, cbor_bytes_exact(c, SHA256_BYTES).p, SHA256_BYTES);
	memcpy(r->sender, cbor_bytes_exact(c, KEY_THUMB_BYTES).p, KEY_THUMB_BYTES);
	r->started = (int64_t)cbor_uint(c);
	r->until = (int64_t)cbor_uint(c);
	r->ended = (int64_t)cbor_uint(c);
	r->confirmed = cbor_bool(c);
}

void
holds_get(struct cbor *c, struct holds *h)
{
	cbor_array_exact(c, 2);
	h->count = h->room = (size_t)cbor_array(c);
	if (h->count > 0)
		h->rows = fold_grow(NULL, h->count, sizeof *h->rows);
	for (size_t i = 0; i < h->count; i++) {
		memset(&h->rows[i], 0, sizeof h->rows[i]);
		hold_get(c, &h->rows[i]);
	}
	places_make(h);
	h->stop_count = h->stop_room = (size_t)cbor_array(c);
	if (h->stop_count > 0)
		h->stops = fold_grow(NULL, h->stop_count, sizeof *h->stops);
	for (size_t i = 0; i < h->stop_count; i++) {
		struct bytes name = cbor_text(c);

		memset(&h->stops[i], 0, sizeof h->stops[i]);
		if (name.n > HOLD_STOP_BYTES)
			cbor_fail(c, ERR_LIMIT);
		else if (name.n > 0)
			memcpy(h->stops[i].name, name.p, name.n);
	}
}
