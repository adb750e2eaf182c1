/* fold.c - the state that follows from the log: it changes only by fold_batch_apply, and only as
 * the entries say. */
#include "fold.h"

#include "fold_item.h"

#include "base64.h"
#include "date.h"
#include "log.h"
#include "status.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { DONE_ROOM_MIN = 1024 };

/* A fold that cannot grow cannot go on: the journal brings everything back. */
void *
fold_grow(void *p, size_t n, size_t size)
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
		free(f->lists[i].places);
	}
	free(f->lists);
	free(f->caps.rows);
	free(f->orders.rows);
	free(f->done);
	holds_free(&f->holds);
	history_free(&f->history);
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

const struct crl_row *
fold_row(const struct fold *f, uint32_t list, const uint8_t serial[16])
{
	return list < f->list_count ? fold_rows_find(&f->lists[list], serial) : NULL;
}

uint64_t
fold_caps_count(const struct fold_caps *caps, struct bytes center, int64_t day)
{
	for (size_t i = 0; i < caps->count; i++)
		if (bytes_equal_text(center, caps->rows[i].center))
			return caps->rows[i].day == day ? caps->rows[i].count : 0;
	return 0;
}

/* Counts one more certificate of a centre; only its newest day is kept. */
void
fold_caps_add(struct fold_caps *caps, struct bytes center, int64_t day)
{
	struct fold_cap *c = NULL;

	for (size_t i = 0; i < caps->count && c == NULL; i++)
		if (bytes_equal_text(center, caps->rows[i].center))
			c = &caps->rows[i];
	if (c == NULL) {
		if (caps->count == caps->room) {
			caps->room = caps->room == 0 ? 16 : 2 * caps->room;
			caps->rows = fold_grow(caps->rows, caps->room, sizeof *caps->rows);
		}
		assert(caps->rows != NULL);
		c = &caps->rows[caps->count++];
		memset(c, 0, sizeof *c);
		assert(center.n < sizeof c->center);
		memcpy(c->center, center.p, center.n);
	}
	/* what comes late for an earlier day does not open that day again */
	if (day < c->day)
		return;
	if (c->day != day) {
		c->day = day;
		c->count = 0;
	}
	c->count++;
}

uint64_t
fold_issued(const struct fold *f, struct bytes center, int64_t day)
{
	return fold_caps_count(&f->caps, center, day);
}

uint64_t
fold_ordered(const struct fold *f, struct bytes kid, int64_t day)
{
	return fold_caps_count(&f->orders, kid, day);
}

void
fold_orders_add(struct fold_caps *orders, const struct entry *e, const struct entry_note *n)
{
	uint8_t room[KEY_THUMB_TEXT + 1];
	struct buf kid = BUF_OF(room);

	base64url_put(&kid, n->sender);
	fold_caps_add(orders, buf_bytes(&kid), date_shanghai(e->time));
}

bool
fold_order_counts(const struct fold *f, const struct entry *e, const struct entry_note *n)
{
	enum status now;

	if (e->type != ENTRY_STATUS || e->status == STATUS_SUPERSEDED || n->exp == 0)
		return false;
	/* a second signature touches nothing that its first did not */
	return e->status != STATUS_SUSPENDED || fold_status(f, e->list, e->idx, &now) != ERR_OK ||
	       now != STATUS_SUSPENDED;
}

/* An issue is executed once as a whole, an order once for each certificate. */
void
fold_done_key(const uint8_t request[SHA256_BYTES], struct bytes cti, uint8_t out[SHA256_BYTES])
{
	const struct bytes parts[] = {bytes_of(request, SHA256_BYTES), cti};

	if (cti.n == 0)
		memcpy(out, request, SHA256_BYTES);
	else
		sha256(parts, 2, out);
}

void
fold_done_key_of(const struct entry *e, const struct entry_note *n, uint8_t out[SHA256_BYTES])
{
	uint8_t first[SHA256_BYTES];

	fold_done_key(e->request, e->cti, out);
	if (e->status != STATUS_SUSPENDED || n->official_count == 0)
		return;
	memcpy(first, out, sizeof first);
	fold_done_key(first, BYTES_LIT("confirmed"), out);
}

struct fold_done *
fold_done_find(struct fold_done *table, size_t room, const uint8_t key[SHA256_BYTES])
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
	fold_done_key(request, cti, key);
	return fold_done_find(f->done, f->done_room, key)->exp != 0;
}

/* Makes room; what is older than the log would refuse for age is forgotten on the way. */
static void
done_rehash(struct fold *f, size_t more)
{
	size_t room = DONE_ROOM_MIN, kept = 0;
	struct fold_done *table;

	if ((f->done_count + more) * 4 <= f->done_room * 3)
		return;
	for (size_t i = 0; i < f->done_room; i++)
		kept += f->done[i].exp >= f->time && f->done[i].exp != 0;
	/* between 31 and 62 % full: a row is 40 bytes, and there are millions */
	while (room * 5 < (kept + more) * 8)
		room *= 2;
	table = fold_grow(NULL, room, sizeof *table);
	memset(table, 0, room * sizeof *table);
	for (size_t i = 0; i < f->done_room; i++)
		if (f->done[i].exp != 0 && f->done[i].exp >= f->time)
			*fold_done_find(table, room, f->done[i].key) = f->done[i];
	free(f->done);
	f->done = table;
	f->done_room = room;
	f->done_count = kept;
}

static void
lists_until(struct fold *f, uint32_t count, uint64_t size)
{
	while (f->list_count < count) {
		struct fold_list *l;

		f->lists = fold_grow(f->lists, f->list_count + 1U, sizeof *f->lists);
		l = &f->lists[f->list_count++];
		memset(l, 0, sizeof *l);
		l->raw = fold_grow(NULL, LIST_BYTES, 1);
		memset(l->raw, 0, LIST_BYTES);
		l->changed = size; /* a new list is to be signed, though nothing stands on it */
	}
}

static void
issue_apply(struct fold *f, const struct batch_item *it)
{
	lists_until(f, (uint32_t)(it->n.slot / LIST_ENTRIES) + 1, f->frontier.size);
	if ((uint64_t)it->n.slot >= f->slots)
		f->slots = (uint64_t)it->n.slot + 1;
	if (it->n.seat != SEAT_OF_OFFICIAL)
		fold_caps_add(&f->caps, it->e.center, date_shanghai(it->e.time));
}

static void
status_apply(struct fold *f, const struct entry *e)
{
	struct fold_list *l = &f->lists[e->list];
	enum status before = status_get(l->raw, e->idx);
	struct crl_row *row = fold_rows_find(l, e->cti.p);

	if (before == STATUS_INVALID && row != NULL) {
		row->deregistered = true; /* no list changes, and the CRL says why it was revoked */
		return;
	}
	status_set(l->raw, e->idx, e->status);
	l->changed = f->frontier.size;
	history_change_add(&f->history, e, f->frontier.size);
	if (e->status != STATUS_INVALID && e->status != STATUS_SUSPENDED) {
		if (row != NULL)
			fold_rows_remove(l, row);
		return;
	}
	if (row == NULL)
		row = fold_rows_add(l, e->cti.p);
	row->reason = e->crl_reason;
	row->revoked_at = e->time;
	row->invalid_from = e->effective;
	row->deregistered = false;
}

static void
list_apply(struct fold *f, const struct entry *e)
{
	struct fold_list *l = &f->lists[e->list];

	l->sequence = e->sequence;
	l->this_update = e->this_update;
	l->covered = e->tree_size;
	memcpy(l->previous, e->cwt_sha256, SHA256_BYTES);
	history_list_add(&f->history, e, f->frontier.size - 1);
}

const struct fold_cutoff *
fold_cutoff(const struct fold *f, struct bytes kid)
{
	for (size_t i = 0; i < f->cutoff_count; i++)
		if (bytes_equal(bytes_of(f->cutoffs[i].kid, KEY_KID_BYTES), kid))
			return &f->cutoffs[i];
	return NULL;
}

enum err
fold_cutoff_allowed(const struct fold *f, struct bytes kid, uint64_t last_size)
{
	const struct fold_cutoff *c = fold_cutoff(f, kid);

	if (c != NULL)
		return last_size < c->last_size ? ERR_OK : ERR_MOVE;
	return f->cutoff_count < MANIFEST_KEYS_MAX ? ERR_OK : ERR_LIMIT;
}

/* Its own index is the size before it; fold_apply has appended the leaf. */
static void
cutoff_apply(struct fold *f, const struct entry *e)
{
	size_t i = 0;

	while (i < f->cutoff_count && memcmp(f->cutoffs[i].kid, e->kid.p, KEY_KID_BYTES) != 0)
		i++;
	if (i == f->cutoff_count)
		f->cutoff_count++;
	memcpy(f->cutoffs[i].kid, e->kid.p, KEY_KID_BYTES);
	f->cutoffs[i].last_size = e->tree_size == UINT64_MAX ? f->frontier.size - 1 : e->tree_size;
	f->cutoff_time = e->time;
}

void
fold_apply(struct fold *f, const struct batch_item *it)
{
	if (it->e.time > f->time)
		f->time = it->e.time;
	merkle_append(&f->frontier, &it->leaf);
	/* a lapse has no request of its own to replay */
	if ((it->e.type == ENTRY_ISSUE || it->e.type == ENTRY_STATUS || it->e.type == ENTRY_STOP) &&
	        it->n.exp != 0) {
		struct fold_done *d;

		done_rehash(f, 1);
		d = fold_done_find(f->done, f->done_room, it->key);
		f->done_count += d->exp == 0;
		memcpy(d->key, it->key, SHA256_BYTES);
		d->exp = it->n.exp;
	}
	if (it->e.type == ENTRY_ISSUE)
		issue_apply(f, it);
	if (it->e.type == ENTRY_STATUS) {
		if (fold_order_counts(f, &it->e, &it->n))
			fold_orders_add(&f->orders, &it->e, &it->n);
		status_apply(f, &it->e);
		holds_apply(&f->holds, &it->e, &it->n);
	}
	if (it->e.type == ENTRY_STOP)
		holds_stop_apply(&f->holds, &it->e);
	if (it->e.type == ENTRY_LIST)
		list_apply(f, &it->e);
	if (it->e.type == ENTRY_CUTOFF)
		cutoff_apply(f, &it->e);
	if (it->e.type == ENTRY_MANIFEST) {
		f->manifest_version = it->e.sequence;
		memcpy(f->manifest_sha256, it->e.sha256, SHA256_BYTES);
	}
	if (it->e.type == ENTRY_ROSTER) {
		f->roster_version = it->e.sequence;
		memcpy(f->roster_sha256, it->e.sha256, SHA256_BYTES);
	}
}
