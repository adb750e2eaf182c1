/* audit_fold_status.c - entries 2 in the log's order: holds, revocations, deregistrations, what
 * ends a certificate for another one, and how many officials each takes. */
#include "audit_fold.h"

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
	if (*audit_map_at(&a->log->day_holds, audit_key2(row->n.sender, date_shanghai(e->time))) >=
	        HOLDS_A_DAY)
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
const char *
audit_pair_refused(const struct audit_pair *p, const struct log_row *row)
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
move_refused(
        struct audit *a, const struct log_row *row, unsigned before, const struct audit_hold *h)
{
	static const uint8_t moves[4][4] = {{0, 1, 2, 1}, {0, 0, 0, 0}, {2, 1, 2, 1}, {0, 0, 0, 0}};
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

void
audit_status_apply(struct audit *a, const struct log_row *row)
{
	struct audit_log *l = a->log;
	uint64_t place = (uint64_t)row->e.list * LIST_ENTRIES + row->e.idx;
	uint64_t at = *audit_map_at(&l->hold_of, place);
	struct audit_hold *h = at == 0 ? NULL : &l->holds[at - 1];
	struct audit_list *list;
	const char *why;
	unsigned before;

	if (row->n.sender.n != 0)
		audit_group_add(l, row);
	if (row->v.there) {
		l->changes_rows++;
	} else {
		char key[40];

		snprintf(key, sizeof key, "idx=%" PRIu64, row->index);
		audit_differ(a, "certificate_event", "(row)", key, "is missing, the log has it");
	}
	if (row->e.list >= l->list_count || row->e.idx >= LIST_ENTRIES) {
		audit_entry_wrong(a, row, "no certificate stands on that list");
		return;
	}
	list = &l->lists[row->e.list];
	before = audit_bits(list->raw, row->e.idx);
	if ((list->taken[row->e.idx >> 3] & 1u << (row->e.idx & 7)) == 0)
		audit_entry_wrong(a, row, "no certificate stands at that place");
	if (deregisters(a, row, place, before)) {
		if ((why = orders_refused(a, row, before)) != NULL)
			audit_entry_wrong(a, row, why);
		return;
	}
	if ((why = move_refused(a, row, before, h)) != NULL)
		audit_entry_wrong(a, row, why);
	change_add(l, row, before);
	audit_bits_set(list->raw, row->e.idx, (unsigned)row->e.status);
	list->changed = row->index + 1;
	hold_apply(a, row, place, h);
}
