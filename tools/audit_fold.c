/* audit_fold.c - the log's order: what each entry may do is judged by the entries before it, and
 * then done. Nothing here is shared with the signer's fold. */
#include "audit_log.h"
#include "audit_journal.h"
#include "audit_public.h"
#include "audit_trust.h"
#include "base64.h"
#include "date.h"
#include "status.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	HOLD_ALONE_S = 72 * 3600,
	HOLD_S = 30 * 24 * 3600,
	HOLD_PAUSE_S = 90 * 24 * 3600,
	HOLDS_A_DAY = 100,
	ORDERS_A_DAY = 1000, /* more take one official more */
	REVOKED = 9,         /* CRL reasons */
	CANCELLED = 5,
	DEREGISTERED = 100, /* beside a reason: the second entry has come */
};

static void
entry_wrong(struct audit *a, const struct log_row *row, const char *why)
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

static void
two_bits_set(uint8_t *raw, uint32_t place, unsigned value)
{
	unsigned shift = 2 * (place & 3);

	raw[place >> 2] = (uint8_t)((raw[place >> 2] & ~(3u << shift)) | value << shift);
}

static unsigned
two_bits(const uint8_t *raw, uint32_t place)
{
	return raw[place >> 2] >> (2 * (place & 3)) & 3;
}

/* ---- groups: which entries belong to one request ---- */

/* What ends a certificate belongs to what replaces it. */
static void
group_add(struct audit_log *l, const struct log_row *row)
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
		entry_wrong(a, row, "its centre or key was stopped");
	if (!l->roster_asked) {
		l->roster = audit_roster_below(a, row->index);
		l->roster_asked = true;
	}
	if (l->roster != NULL) {
		const struct operator* center = roster_center(l->roster, row->e.center);

		if (center != NULL && *issued >= center->daily_cap)
			entry_wrong(a, row, "above the daily cap of its centre");
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

	group_add(l, row);
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
	two_bits_set(list->rows, (uint32_t)c->place, (unsigned)c->status & 3);
}

/* ---- entry 2 ---- */

static const char *
hold_start(struct audit *a, const struct log_row *row, const struct audit_hold *before)
{
	const struct entry *e = &row->e;
	bool alone = row->n.official_count == 0;

	if (e->until <= e->time || e->until > e->time + HOLD_S)
		return "a hold ends within 30 days";
	if (before != NULL && memcmp(before->request, e->request, SHA256_BYTES) == 0)
		return "its request has held it before";
	if (!alone)
		return NULL;
	if (e->until > e->time + HOLD_ALONE_S)
		return "a hold by one official ends within 72 hours";
	if (before != NULL && before->started + HOLD_PAUSE_S > e->time)
		return "it was held within 90 days";
	if (*audit_map_at(&a->log->day_holds,
	            audit_key2(row->n.sender, date_shanghai(e->time))) >= HOLDS_A_DAY)
		return "one official starts 100 holds a day";
	return NULL;
}

static const char *
hold_goes_on(const struct log_row *row, const struct audit_hold *h)
{
	const struct entry *e = &row->e;

	if (h == NULL || h->ended != 0)
		return "no hold is there";
	if (e->status == STATUS_SUSPENDED)
		return !h->confirmed && row->n.official_count > 0 && e->until > e->time &&
		                       e->until <= h->started + HOLD_S &&
		                       memcmp(h->request, e->request, SHA256_BYTES) == 0
		               ? NULL
		               : "it does not confirm the hold";
	if (row->n.sender.n != 0)
		return NULL;
	return h->until < e->time && memcmp(h->request, e->request, SHA256_BYTES) == 0
	               ? NULL
	               : "the hold has not lapsed";
}

/* More than a thousand certificates of one key in a day take one official more. */
static const char *
orders_refused(struct audit *a, const struct log_row *row, unsigned before)
{
	bool suspends = row->e.status == STATUS_SUSPENDED;
	uint64_t *touched;

	if (row->e.status == STATUS_SUPERSEDED || row->n.exp == 0 ||
	        (suspends && before == STATUS_SUSPENDED))
		return NULL;
	touched = audit_map_at(
	        &a->log->orders, audit_key2(row->n.sender, date_shanghai(row->e.time)));
	return (*touched)++ < ORDERS_A_DAY || row->n.official_count >= (suspends ? 1u : 2u)
	               ? NULL
	               : "more than a thousand in a day take one official more";
}

/* What replaces a certificate is followed at once by what ends it, and nothing else ends one so. */
static const char *
pair_refused(const struct audit_pair *p, const struct log_row *row)
{
	bool ends = row->e.type == ENTRY_STATUS && row->e.status == STATUS_SUPERSEDED;

	if (p->open != ends)
		return p->open ? "the certificate that it replaces is not ended"
		               : "nothing replaces it";
	if (!ends)
		return NULL;
	return memcmp(row->e.cti.p, p->follows, sizeof p->follows) == 0 &&
	                       memcmp(row->e.request, p->request, sizeof p->request) == 0 &&
	                       row->n.answer == p->answer && row->n.seat == p->seat
	               ? NULL
	               : "another certificate is replaced";
}

/* Revoked, and once later deregistered: the list stays as it is. */
static bool
deregisters(struct audit *a, const struct log_row *row, uint64_t place, unsigned before)
{
	uint64_t *end = audit_map_at(&a->log->ends, place);
	bool good = before == STATUS_INVALID && row->e.status == STATUS_INVALID &&
	            *end == REVOKED && row->e.crl_reason == CANCELLED;

	if (row->e.status == STATUS_INVALID)
		*end = good ? *end + DEREGISTERED : (uint64_t)row->e.crl_reason;
	return good;
}

/* From and to: 1 allowed, 2 with what holds ask for. */
static const char *
move_refused(struct audit *a, const struct log_row *row, unsigned before, const struct audit_hold *h)
{
	static const uint8_t moves[4][4] = {
	        {0, 1, 2, 1}, {0, 0, 0, 0}, {2, 1, 2, 1}, {0, 0, 0, 0}};
	unsigned after = (unsigned)row->e.status;
	const char *why = orders_refused(a, row, before);

	if (why != NULL)
		return why;
	if (moves[before][after] == 0)
		return "the status before does not allow it";
	if (moves[before][after] == 1)
		return row->n.sender.n != 0 ? NULL : "nobody asked for it";
	return before == STATUS_VALID ? hold_start(a, row, h) : hold_goes_on(row, h);
}

static void
hold_apply(struct audit *a, const struct log_row *row, uint64_t place, struct audit_hold *h)
{
	struct audit_log *l = a->log;

	if (row->e.status != STATUS_SUSPENDED) {
		if (h != NULL && h->ended == 0)
			h->ended = row->e.time;
		return;
	}
	if (h == NULL || h->ended != 0) {
		if (l->hold_count == l->hold_room) {
			l->hold_room = l->hold_room * 2 + 64;
			l->holds = audit_grow(l->holds, l->hold_room, sizeof *l->holds);
		}
		h = &l->holds[l->hold_count++];
		memset(h, 0, sizeof *h);
		h->place = place;
		h->started = row->e.time;
		h->day_key = audit_key2(row->n.sender, date_shanghai(row->e.time));
		memcpy(h->request, row->e.request, SHA256_BYTES);
		*audit_map_at(&l->hold_of, place) = l->hold_count;
		++*audit_map_at(&l->day_holds, h->day_key);
	}
	h->until = row->e.until;
	if (!h->confirmed && row->n.official_count > 0) {
		h->confirmed = true;
		--*audit_map_at(&l->day_holds, h->day_key);
	}
}

static void
change_add(struct audit_log *l, const struct log_row *row, unsigned before)
{
	struct audit_change *c;

	if (l->change_count == l->change_room) {
		l->change_room = l->change_room * 2 + 256;
		l->changes = audit_grow(l->changes, l->change_room, sizeof *l->changes);
	}
	c = &l->changes[l->change_count++];
	*c = (struct audit_change){.index = row->index,
	        .list = row->e.list,
	        .place = row->e.idx,
	        .before = (uint8_t)before,
	        .after = (uint8_t)row->e.status,
	        .reason = (int8_t)row->e.crl_reason,
	        .effective = (int32_t)row->e.effective,
	        .time = row->e.time};
	memcpy(c->serial, row->e.cti.p, sizeof c->serial);
}

static void
status_apply(struct audit *a, const struct log_row *row)
{
	struct audit_log *l = a->log;
	uint64_t place = (uint64_t)row->e.list * LIST_ENTRIES + row->e.idx;
	uint64_t at = *audit_map_at(&l->hold_of, place);
	struct audit_hold *h = at == 0 ? NULL : &l->holds[at - 1];
	struct audit_list *list;
	const char *why;
	unsigned before;

	if (row->n.sender.n != 0)
		group_add(l, row);
	if (row->v.there) {
		l->changes_rows++;
	} else {
		char key[40];

		snprintf(key, sizeof key, "idx=%" PRIu64, row->index);
		audit_differ(a, "certificate_event", "(row)", key, "is missing, the log has it");
	}
	if (row->e.list >= l->list_count || row->e.idx >= LIST_ENTRIES) {
		entry_wrong(a, row, "no certificate stands on that list");
		return;
	}
	list = &l->lists[row->e.list];
	before = two_bits(list->raw, row->e.idx);
	if ((list->taken[row->e.idx >> 3] & 1u << (row->e.idx & 7)) == 0)
		entry_wrong(a, row, "no certificate stands at that place");
	if (deregisters(a, row, place, before)) {
		if ((why = orders_refused(a, row, before)) != NULL)
			entry_wrong(a, row, why);
		return;
	}
	if ((why = move_refused(a, row, before, h)) != NULL)
		entry_wrong(a, row, why);
	change_add(l, row, before);
	two_bits_set(list->raw, row->e.idx, (unsigned)row->e.status);
	list->changed = row->index + 1;
	hold_apply(a, row, place, h);
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
			two_bits_set(raw, l->changes[i].place, l->changes[i].before);
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
		entry_wrong(a, row, "no certificate stands on that list");
		return;
	}
	list = &l->lists[e->list];
	if (e->sequence <= list->sequence || e->tree_size > row->index ||
	        e->tree_size < list->covered)
		entry_wrong(a, row, "a list's sequence and covered size rise");
	if (memcmp(e->previous_sha256, list->cwt_sha256, SHA256_BYTES) != 0)
		entry_wrong(a, row, "it does not follow the version before");
	if (e->next_update != e->this_update + LIST_LIFETIME_S)
		entry_wrong(a, row, "a list lives a week");
	/* nothing changed since the version before: its hash is still that of the list */
	if (list->hashed == 0 || list->changed > list->hashed || e->tree_size < list->hashed) {
		list_hash(a, e->list, e->tree_size, list->raw_sha256);
		list->hashed = e->tree_size;
	}
	if (memcmp(list->raw_sha256, e->raw_sha256, SHA256_BYTES) != 0)
		entry_wrong(a, row, "the list is not what the entries below its size make");
	list->sequence = e->sequence;
	list->covered = e->tree_size;
	list->version_index = row->index;
	memcpy(list->cwt_sha256, e->cwt_sha256, SHA256_BYTES);
}

static void
other_apply(struct audit *a, const struct log_row *row)
{
	struct audit_log *l = a->log;
	const struct entry *e = &row->e;

	switch (e->type) {
	case ENTRY_GENESIS:
		if (!bytes_equal_text(e->iss, a->o->host))
			entry_wrong(a, row, "another authority");
		return;
	case ENTRY_LIST:
		list_apply(a, row);
		return;
	case ENTRY_MANIFEST:
		if (e->sequence <= l->manifest_version)
			entry_wrong(a, row, "versions of manifests rise");
		l->manifest_version = e->sequence;
		return;
	case ENTRY_ROSTER:
		if (e->sequence <= l->roster_version)
			entry_wrong(a, row, "versions of rosters rise");
		l->roster_version = e->sequence;
		l->roster_asked = false;
		return;
	case ENTRY_STOP:
		group_add(l, row);
		if (audit_stopped(a, e->center, row->index) != e->resumed)
			entry_wrong(a, row, "it was so already");
		return;
	case ENTRY_ISSUE:
	case ENTRY_STATUS:
	case ENTRY_CUTOFF:
		entry_wrong(a, row, "this type is not written");
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
		entry_wrong(a, row, "older than the log allowed");
	if (row->n.exp != 0 && row->n.exp < a->log->time)
		entry_wrong(a, row, "its request had expired");
	if ((row->e.type == ENTRY_GENESIS) != (row->index == 0))
		entry_wrong(a, row, "the first entry alone is the genesis");
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
	const char *why = pair_refused(p, row);

	if (why != NULL)
		entry_wrong(a, row, why);
	p->open = row->e.type == ENTRY_ISSUE && row->n.follows.n == sizeof p->follows;
	if (!p->open)
		return;
	memcpy(p->follows, row->n.follows.p, sizeof p->follows);
	memcpy(p->request, row->e.request, sizeof p->request);
	p->answer = row->n.answer;
	p->seat = row->n.seat;
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
		status_apply(a, row);
	else
		other_apply(a, row);
	if (time > a->log->time)
		a->log->time = time;
}
