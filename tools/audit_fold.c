/* audit_fold.c - the log's order: what each entry may do is judged by the entries before it, and
 * then done. Nothing here is shared with the signer's fold. */
#include "audit_fold.h"
#include "audit_journal.h"
#include "audit_log.h"
#include "audit_public.h"
#include "audit_trust.h"
#include "base64.h"
#include "date.h"
#include "status.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
audit_entry_wrong(struct audit *a, const struct log_row *row, const char *why)
{
	audit_differ_n(a, AUDIT_ENTRY_ENTRY, "idx", row->index, why);
}

/* FNV-1a over a text and a day. */
uint64_t
audit_key2(struct bytes text, int64_t day)
{
	uint64_t h = 14695981039346656037u ^ (uint64_t)day * 0x9e3779b97f4a7c15u;

	for (size_t i = 0; i < text.n; i++)
		h = (h ^ text.p[i]) * 1099511628211u;
	return h >> 1;
}

static struct audit_list *
list_at(struct audit_log *l, uint32_t list)
{
	while (l->list_count <= list) {
		struct audit_list *n;

		l->lists = audit_grow(l->lists, l->list_count + 1U, sizeof *l->lists);
		n = &l->lists[l->list_count++];
		memset(n, 0, sizeof *n);
		n->raw = audit_grow(NULL, LIST_BYTES, 1);
		n->rows = audit_grow(NULL, LIST_BYTES, 1);
		n->taken = audit_grow(NULL, LIST_ENTRIES / 8, 1);
		memset(n->raw, 0, LIST_BYTES);
		memset(n->rows, 0, LIST_BYTES);
		memset(n->taken, 0, LIST_ENTRIES / 8);
	}
	return &l->lists[list];
}

void
audit_bits_set(uint8_t *raw, uint32_t place, unsigned value)
{
	unsigned shift = 2 * (place & 3);

	raw[place >> 2] = (uint8_t)((raw[place >> 2] & ~(3u << shift)) | value << shift);
}

unsigned
audit_bits(const uint8_t *raw, uint32_t place)
{
	return raw[place >> 2] >> (2 * (place & 3)) & 3;
}

/* ---- groups: which entries belong to one request ---- */

/* What ends a certificate belongs to what replaces it. */
void
audit_group_add(struct audit_log *l, const struct log_row *row)
{
	enum entry_type type = row->e.type == ENTRY_STATUS && row->e.status == STATUS_SUPERSEDED
	                               ? ENTRY_ISSUE
	                               : row->e.type;
	struct audit_group *g = l->group_count == 0 ? NULL : &l->groups[l->group_count - 1];

	if (g != NULL && g->type == type && g->first + g->count == row->index &&
	        memcmp(g->request, row->e.request, SHA256_BYTES) == 0) {
		g->count++;
		return;
	}
	if (l->group_count == l->group_room) {
		l->group_room = l->group_room * 2 + 1024;
		l->groups = audit_grow(l->groups, l->group_room, sizeof *l->groups);
	}
	g = &l->groups[l->group_count++];
	assert(g != NULL);
	memset(g, 0, sizeof *g);
	memcpy(g->request, row->e.request, SHA256_BYTES);
	g->first = row->index;
	g->count = 1;
	g->type = (uint8_t)type;
}

struct audit_group *
audit_group_find(struct audit *a, const uint8_t request[SHA256_BYTES])
{
	size_t low = 0, high = a->log->group_count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (memcmp(a->log->groups[mid].request, request, SHA256_BYTES) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == a->log->group_count ||
	        memcmp(a->log->groups[low].request, request, SHA256_BYTES) != 0)
		return NULL;
	return &a->log->groups[low];
}

/* ---- entry 1 ---- */

static void
right_to_issue(struct audit *a, const struct log_row *row)
{
	uint8_t room[64];
	struct buf kid = BUF_OF(room);
	struct audit_log *l = a->log;
	uint64_t *issued;

	/* a replacement by an official stands in the name of the centre, and is not bound by it */
	if (row->n.seat == SEAT_OF_OFFICIAL)
		return;
	issued = audit_map_at(
	        &l->caps, audit_key2(row->e.center, date_shanghai(entry_time(&row->e))));
	base64url_put(&kid, row->n.sender);
	if (audit_stopped(a, row->e.center, row->index) ||
	        audit_stopped(a, buf_bytes(&kid), row->index))
		audit_entry_wrong(a, row, "its centre or key was stopped");
	if (!l->roster_asked) {
		l->roster = audit_roster_below(a, row->index);
		l->roster_asked = true;
	}
	if (l->roster != NULL) {
		const struct operator* center = roster_center(l->roster, row->e.center);

		if (center != NULL && *issued >= center->daily_cap)
			audit_entry_wrong(a, row, "above the daily cap of its centre");
	}
	++*issued;
}

static void
issue_apply(struct audit *a, const struct log_row *row)
{
	struct audit_log *l = a->log;
	const struct log_certificate *c = &row->c;
	struct audit_list *list;
	uint8_t bit;

	audit_group_add(l, row);
	right_to_issue(a, row);
	if (!c->there) {
		char key[40];

		snprintf(key, sizeof key, "idx=%" PRIu64, row->index);
		audit_differ(a, "certificate", "(row)", key, "is missing, the log has its entry");
		return;
	}
	l->certificates++;
	if (c->list < 0 || c->list > UINT16_MAX || c->place < 0 || c->place >= LIST_ENTRIES)
		return;
	list = list_at(l, (uint32_t)c->list);
	bit = (uint8_t)(1u << (c->place & 7));
	if ((list->taken[c->place >> 3] & bit) != 0)
		audit_differ_n(a, AUDIT_CERT_PLACE, "idx", row->index, "the place is taken");
	list->taken[c->place >> 3] |= bit;
	audit_bits_set(list->rows, (uint32_t)c->place, (unsigned)c->status & 3);
}

/* ---- entries 3, 4, 5, 7 ---- */

uint8_t *
audit_list_raw(const struct audit *a, uint32_t list, uint64_t size)
{
	const struct audit_log *l = a->log;
	uint8_t *raw = audit_grow(NULL, LIST_BYTES, 1);

	memcpy(raw, l->lists[list].raw, LIST_BYTES);
	for (size_t i = l->change_count; i-- > 0 && l->changes[i].index >= size;)
		if (l->changes[i].list == list)
			audit_bits_set(raw, l->changes[i].place, l->changes[i].before);
	return raw;
}

static void
list_hash(const struct audit *a, uint32_t list, uint64_t size, uint8_t out[SHA256_BYTES])
{
	uint8_t *raw = audit_list_raw(a, list, size);

	sha256_one(bytes_of(raw, LIST_BYTES), out);
	free(raw);
}

static void
list_apply(struct audit *a, const struct log_row *row)
{
	struct audit_log *l = a->log;
	const struct entry *e = &row->e;
	struct audit_list *list;

	l->lists_entries++;
	if (e->list >= l->list_count) {
		audit_entry_wrong(a, row, "no certificate stands on that list");
		return;
	}
	list = &l->lists[e->list];
	if (e->sequence <= list->sequence || e->tree_size > row->index ||
	        e->tree_size < list->covered)
		audit_entry_wrong(a, row, "a list's sequence and covered size rise");
	if (memcmp(e->previous_sha256, list->cwt_sha256, SHA256_BYTES) != 0)
		audit_entry_wrong(a, row, "it does not follow the version before");
	if (e->next_update != e->this_update + LIST_LIFETIME_S)
		audit_entry_wrong(a, row, "a list lives a week");
	/* nothing changed since the version before: its hash is still that of the list */
	if (list->hashed == 0 || list->changed > list->hashed || e->tree_size < list->hashed) {
		list_hash(a, e->list, e->tree_size, list->raw_sha256);
		list->hashed = e->tree_size;
	}
	if (memcmp(list->raw_sha256, e->raw_sha256, SHA256_BYTES) != 0)
		audit_entry_wrong(a, row, "the list is not what the entries below its size make");
	list->sequence = e->sequence;
	list->covered = e->tree_size;
	list->version_index = row->index;
	memcpy(list->cwt_sha256, e->cwt_sha256, SHA256_BYTES);
}

static void
cutoff_apply(struct audit *a, const struct log_row *row)
{
	const struct manifest *m = audit_manifest_below(a, row->index);
	bool known = false;

	for (size_t i = 0; m != NULL && i < m->key_count; i++)
		known = known || bytes_equal(m->keys[i].kid, row->e.kid);
	if (!known)
		audit_entry_wrong(a, row, "it cuts off a key that no manifest named");
	if (row->e.tree_size != UINT64_MAX && row->e.tree_size > row->index)
		audit_entry_wrong(a, row, "it cuts off at a size that was not there");
}

static void
other_apply(struct audit *a, const struct log_row *row)
{
	struct audit_log *l = a->log;
	const struct entry *e = &row->e;

	switch (e->type) {
	case ENTRY_GENESIS:
		if (!bytes_equal_text(e->iss, a->o->host))
			audit_entry_wrong(a, row, "another authority");
		return;
	case ENTRY_LIST:
		list_apply(a, row);
		return;
	case ENTRY_MANIFEST:
		if (e->sequence <= l->manifest_version)
			audit_entry_wrong(a, row, "versions of manifests rise");
		l->manifest_version = e->sequence;
		return;
	case ENTRY_ROSTER:
		if (e->sequence <= l->roster_version)
			audit_entry_wrong(a, row, "versions of rosters rise");
		l->roster_version = e->sequence;
		l->roster_asked = false;
		return;
	case ENTRY_STOP:
		audit_group_add(l, row);
		if (audit_stopped(a, e->center, row->index) != e->resumed)
			audit_entry_wrong(a, row, "it was so already");
		return;
	case ENTRY_CUTOFF:
		cutoff_apply(a, row);
		return;
	case ENTRY_ISSUE:
	case ENTRY_STATUS:
		return;
	}
}

/* ---- any entry ---- */

static void
batch_check(struct audit *a, const struct log_row *row)
{
	struct audit_log *l = a->log;

	if (row->batch == row->index)
		l->batch = row->index;
	else if (row->batch != l->batch)
		audit_differ_n(a, AUDIT_ENTRY_BATCH, "idx", row->index,
		        "a batch begins at its own first entry");
}

static void
times_check(struct audit *a, const struct log_row *row, int64_t time)
{
	if (time + ENTRY_AGE_S_MAX < a->log->time)
		audit_entry_wrong(a, row, "older than the log allowed");
	if (row->n.exp != 0 && row->n.exp < a->log->time)
		audit_entry_wrong(a, row, "its request had expired");
	if ((row->e.type == ENTRY_GENESIS) != (row->index == 0))
		audit_entry_wrong(a, row, "the first entry alone is the genesis");
}

static void
level_add(struct audit_level *v, const struct merkle_hash *hash)
{
	if (v->count == v->room) {
		v->room = v->room * 2 + 64;
		v->hashes = audit_grow(v->hashes, v->room, sizeof *v->hashes);
	}
	v->hashes[v->count++] = *hash;
}

/* The tree, its roots at the sizes that checkpoints name, and the hashes of its tiles. */
static void
tree_add(struct audit_log *l, const struct merkle_hash *leaf)
{
	struct merkle_hash up = *leaf;

	merkle_append(&l->frontier, leaf);
	for (unsigned level = 1; level < AUDIT_LEVELS; level++) {
		struct audit_level *v = &l->levels[level];

		merkle_append(&v->part, &up);
		if (v->part.size < TILE_WIDTH)
			break;
		merkle_root(&v->part, &up);
		v->part.size = 0;
		level_add(v, &up);
	}
	while (l->root_next < l->root_count && l->roots[l->root_next].size <= l->frontier.size) {
		struct audit_root *r = &l->roots[l->root_next++];

		if (r->size == l->frontier.size)
			merkle_root(&l->frontier, &r->root);
	}
}

static void
extras_check(struct audit *a, const struct log_row *row)
{
	if (row->c.there && (!row->there || (row->decoded && row->e.type != ENTRY_ISSUE)))
		audit_differ_n(a, AUDIT_CERT_IDX, "idx", row->index, "no such entry in the log");
	if (row->v.there && (!row->there || (row->decoded && row->e.type != ENTRY_STATUS)))
		audit_differ_n(a, AUDIT_CHANGE_IDX, "idx", row->index, "no such entry in the log");
}

static void
pair_check(struct audit *a, const struct log_row *row)
{
	struct audit_pair *p = &a->log->pair;
	const char *why = audit_pair_refused(p, row);

	if (why != NULL)
		audit_entry_wrong(a, row, why);
	p->open = row->e.type == ENTRY_ISSUE && row->n.follows.n == sizeof p->follows;
	if (!p->open)
		return;
	memcpy(p->follows, row->n.follows.p, sizeof p->follows);
	memcpy(p->request, row->e.request, sizeof p->request);
	p->answer = row->n.answer;
	p->seat = row->n.seat;
}

static void
day_add(struct audit_log *l, uint64_t index)
{
	if (l->day_count == l->day_room) {
		l->day_room = l->day_room * 2 + 64;
		l->days = audit_grow(l->days, l->day_room, sizeof *l->days);
	}
	l->days[l->day_count++] = index;
}

void
audit_fold(struct audit *a, struct log_row *row)
{
	char key[40];
	int64_t time;

	snprintf(key, sizeof key, "idx=%" PRIu64, row->index);
	audit_found_tell(a, &row->found, key, NULL);
	if (row->published_wrong)
		audit_public_differ(a, "log/tile/entries", key);
	if (!row->there && audit_journal_lacks(a, row->index))
		audit_differ_at(a, AUDIT_HEAD_SIZE, key, "the journal has no such entry");
	else if (!row->there)
		audit_differ(a, "log_entry", "(row)", key, "is missing");
	extras_check(a, row);
	if (!row->there)
		return;
	batch_check(a, row);
	tree_add(a->log, &row->leaf);
	if (!row->decoded)
		return;
	time = entry_time(&row->e);
	if (row->noted) {
		times_check(a, row, time);
		pair_check(a, row);
	}
	if (row->e.type == ENTRY_ISSUE)
		issue_apply(a, row);
	else if (row->e.type == ENTRY_STATUS)
		audit_status_apply(a, row);
	else
		other_apply(a, row);
	if (row->index > 0 && date_shanghai(time) > date_shanghai(a->log->time))
		day_add(a->log, row->index);
	if (time > a->log->time)
		a->log->time = time;
}
