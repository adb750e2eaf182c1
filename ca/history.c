/* history.c - versions and recent changes of the lists: a delta is made only from what is surely
 * complete. */
#include "history.h"

#include "fold_item.h"

#include <stdlib.h>
#include <string.h>

enum { VERSION_BYTES = 3 * 8 + 2 * SHA256_BYTES, CHANGE_BYTES = 8 + 8 + 4 + 4 + 1 };

void
history_free(struct history *h)
{
	free(h->lists);
	free(h->changes);
	memset(h, 0, sizeof *h);
}

static void
lists_until(struct history *h, uint32_t count)
{
	if (count <= h->list_count)
		return;
	h->lists = fold_grow(h->lists, count, sizeof *h->lists);
	memset(h->lists + h->list_count, 0, (count - h->list_count) * sizeof *h->lists);
	h->list_count = count;
}

void
history_list_add(struct history *h, const struct entry *e, uint64_t index)
{
	struct history_version v = {
	        .index = index, .sequence = e->sequence, .covered = e->tree_size};
	struct history_list *l;

	lists_until(h, e->list + 1);
	l = &h->lists[e->list];
	memcpy(v.raw_sha256, e->raw_sha256, SHA256_BYTES);
	memcpy(v.cwt_sha256, e->cwt_sha256, SHA256_BYTES);
	if (l->count == HISTORY_VERSIONS) {
		memmove(l->versions, l->versions + 1, (HISTORY_VERSIONS - 1) * sizeof v);
		l->count--;
	}
	l->versions[l->count++] = v;
}

static void
changes_forget(struct history *h, int64_t now)
{
	while (h->count > 0 && (h->count >= HISTORY_CHANGES_MAX ||
	                               h->changes[h->first].time + HISTORY_S_MAX < now)) {
		h->floor = h->changes[h->first].size;
		h->first++;
		h->count--;
	}
}

void
history_change_add(struct history *h, const struct entry *e, uint64_t size)
{
	changes_forget(h, e->time);
	if (h->first + h->count == h->room) {
		if (h->first > h->room / 2) {
			memmove(h->changes, h->changes + h->first, h->count * sizeof *h->changes);
			h->first = 0;
		} else {
			h->room = h->room == 0 ? 256 : 2 * h->room;
			h->changes = fold_grow(h->changes, h->room, sizeof *h->changes);
		}
	}
	h->changes[h->first + h->count++] =
	        (struct history_change){size, e->time, e->list, e->idx, e->status};
}

const struct history_version *
history_version(const struct history *h, uint32_t list, uint64_t size)
{
	const struct history_list *l = list < h->list_count ? &h->lists[list] : NULL;

	for (unsigned i = l == NULL ? 0 : l->count; i > 0; i--)
		if (l->versions[i - 1].index < size)
			return &l->versions[i - 1];
	return NULL;
}

uint64_t
history_floor(const struct history *h, uint64_t size)
{
	uint64_t floor = size;

	/* what is forgotten may be missing in a version that is older */
	for (uint32_t i = 0; i < h->list_count; i++) {
		const struct history_version *v = history_version(h, i, size);

		if (v != NULL && v->covered < h->floor && v->covered < floor)
			floor = v->covered;
	}
	for (size_t i = 0; i < h->count; i++) {
		const struct history_change *c = &h->changes[h->first + i];
		const struct history_version *v = history_version(h, c->list, size);

		if (c->size > floor)
			break;
		if (v == NULL || c->size > v->covered)
			return c->size - 1;
	}
	return floor;
}

/* By place; of one place the newest first. */
static int
change_order(const void *left, const void *right)
{
	const struct history_change *a = left, *b = right;

	if (a->list != b->list)
		return a->list < b->list ? -1 : 1;
	if (a->idx != b->idx)
		return a->idx < b->idx ? -1 : 1;
	return a->size > b->size ? -1 : 1;
}

static size_t
changes_take(const struct history *h, uint64_t floor, uint64_t size, struct history_change *out)
{
	size_t count = 0;

	for (size_t i = 0; i < h->count; i++) {
		const struct history_change *c = &h->changes[h->first + i];
		const struct history_version *v;

		if (c->size <= floor)
			continue;
		v = history_version(h, c->list, size);
		if (v != NULL && c->size <= v->covered)
			out[count++] = *c;
	}
	return count;
}

enum err
history_delta(const struct history *h, uint64_t floor, uint64_t size, struct delta_change **out,
        size_t *count)
{
	struct history_change *taken;
	struct delta_change *changes;
	size_t n, kept = 0;

	if (floor < h->floor)
		return ERR_NOT_FOUND;
	taken = calloc(h->count + 1, sizeof *taken);
	changes = calloc(DELTA_CHANGES_MAX + 1, sizeof *changes);
	if (taken == NULL || changes == NULL) {
		free(taken);
		free(changes);
		return ERR_MEMORY;
	}
	n = changes_take(h, floor, size, taken);
	qsort(taken, n, sizeof *taken, change_order);
	for (size_t i = 0; i < n && kept <= DELTA_CHANGES_MAX; i++)
		if (i == 0 || taken[i].list != taken[i - 1].list ||
		        taken[i].idx != taken[i - 1].idx)
			changes[kept++] =
			        (struct delta_change){taken[i].list, taken[i].idx, taken[i].status};
	free(taken);
	if (kept > DELTA_CHANGES_MAX) {
		free(changes);
		return ERR_LIMIT;
	}
	*out = changes;
	*count = kept;
	return ERR_OK;
}

size_t
history_bytes(const struct history *h)
{
	return 64 + h->list_count * (HISTORY_VERSIONS * (size_t)VERSION_BYTES + 8) +
	       h->count * CHANGE_BYTES;
}

void
history_put(const struct history *h, struct buf *b)
{
	uint8_t *p;

	cbor_put_array(b, 3);
	cbor_put_uint(b, h->floor);
	cbor_put_array(b, h->list_count);
	for (uint32_t i = 0; i < h->list_count; i++) {
		const struct history_list *l = &h->lists[i];

		p = cbor_put_bytes_room(b, l->count * (size_t)VERSION_BYTES);
		for (unsigned k = 0; p != NULL && k < l->count; k++, p += VERSION_BYTES) {
			be_put(p, l->versions[k].index, 8);
			be_put(p + 8, l->versions[k].sequence, 8);
			be_put(p + 16, l->versions[k].covered, 8);
			memcpy(p + 24, l->versions[k].raw_sha256, SHA256_BYTES);
			memcpy(p + 24 + SHA256_BYTES, l->versions[k].cwt_sha256, SHA256_BYTES);
		}
	}
	p = cbor_put_bytes_room(b, h->count * CHANGE_BYTES);
	for (size_t i = 0; p != NULL && i < h->count; i++, p += CHANGE_BYTES) {
		const struct history_change *c = &h->changes[h->first + i];

		be_put(p, c->size, 8);
		be_put(p + 8, (uint64_t)c->time, 8);
		be_put(p + 16, c->list, 4);
		be_put(p + 20, c->idx, 4);
		p[24] = (uint8_t)c->status;
	}
}

static void
versions_get(struct cbor *c, struct history_list *l)
{
	struct bytes in = cbor_bytes(c);

	if (in.n % VERSION_BYTES != 0 || in.n / VERSION_BYTES > HISTORY_VERSIONS) {
		cbor_fail(c, ERR_ENCODING);
		return;
	}
	for (; in.n > 0; in = bytes_skip(in, VERSION_BYTES)) {
		struct history_version *v = &l->versions[l->count++];

		v->index = be_get(in.p, 8);
		v->sequence = be_get(in.p + 8, 8);
		v->covered = be_get(in.p + 16, 8);
		memcpy(v->raw_sha256, in.p + 24, SHA256_BYTES);
		memcpy(v->cwt_sha256, in.p + 24 + SHA256_BYTES, SHA256_BYTES);
	}
}

static void
changes_get(struct cbor *c, struct history *h)
{
	struct bytes in = cbor_bytes(c);

	if (in.n % CHANGE_BYTES != 0) {
		cbor_fail(c, ERR_ENCODING);
		return;
	}
	h->room = in.n / CHANGE_BYTES;
	if (h->room == 0)
		return;
	h->changes = fold_grow(NULL, h->room, sizeof *h->changes);
	for (; in.n > 0; in = bytes_skip(in, CHANGE_BYTES))
		h->changes[h->count++] = (struct history_change){be_get(in.p, 8),
		        (int64_t)be_get(in.p + 8, 8), (uint32_t)be_get(in.p + 16, 4),
		        (uint32_t)be_get(in.p + 20, 4), (enum status)(in.p[24] & 3)};
}

void
history_get(struct cbor *c, struct history *h)
{
	uint64_t count;

	cbor_array_exact(c, 3);
	h->floor = cbor_uint(c);
	count = cbor_array(c);
	if (count > HEAD_LISTS_MAX) {
		cbor_fail(c, ERR_ENCODING);
		return;
	}
	lists_until(h, (uint32_t)count);
	for (uint32_t i = 0; i < h->list_count && c->e == ERR_OK; i++)
		versions_get(c, &h->lists[i]);
	changes_get(c, h);
}
