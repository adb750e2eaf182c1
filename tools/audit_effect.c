/* audit_effect.c - what a request caused: each certificate follows from its seat, each change from
 * its order, enough officials signed, and every seat and serial has one answer. */
#include "audit_request.h"
#include "date.h"
#include "document.h"

#include <stdlib.h>
#include <string.h>

enum { ALONE_S = 72 * 3600, HOLD_S = 30 * 24 * 3600, MADE_S = 60 };

static int
officials_needed(const struct unit *u, const struct right *right, bool late)
{
	int most = right->officials;

	/* the roster of that time may ask for more; of two, either may have been in force */
	if (u->executed_under[0] != NULL) {
		int asked = roster_officials(u->executed_under[0], u->r.type, late);
		int other = u->executed_under[1] == NULL
		                    ? asked
		                    : roster_officials(u->executed_under[1], u->r.type, late);

		asked = other < asked ? other : asked;
		most = asked > most ? asked : most;
	}
	return most;
}

/* An entry is made after the request and its last approval came, and committed within a minute. */
static void
made_check(struct unit *u, int64_t time)
{
	bool meets = false;

	for (size_t i = 0; i < u->event_count; i++)
		meets = meets || (u->events[i].state == UNIT_EXECUTED &&
		                         u->events[i].at + MADE_S >= time &&
		                         u->events[i].at <= time + AUDIT_SLACK_S);
	if (!meets)
		unit_wrong(u, AUDIT_EVENT_AT, "is not when its entries were made");
	if (u->received > time + 2)
		unit_wrong(u, AUDIT_REQUEST_RECEIVED, "after its entries were made");
}

/* ---- a session ---- */

static const struct request_seat *
seat_of(const struct request *r, int64_t number)
{
	for (size_t i = 0; i < r->seat_count; i++)
		if (r->seats[i].seat == (unsigned)number)
			return &r->seats[i];
	return NULL;
}

static bool
sex_is(struct bytes text, int sex)
{
	return sex == (bytes_equal_text(text, "M") ? 1 : bytes_equal_text(text, "F") ? 2 : 0);
}

static bool
dates_follow(const struct record *r, const struct field_policy *p)
{
	int64_t first = date_shanghai(r->iat);
	int64_t review = p->review_years > 0 ? date_last_valid(first, p->review_years) : -1;

	return r->first_issued == first && r->nbf == date_shanghai_start(first) &&
	       r->exp == date_shanghai_start(date_last_valid(first, p->validity_years) + 1) &&
	       r->review_due == review;
}

/* Nothing in the record but what the seat, the session and the tables of the field say. */
static bool
record_follows(
        const struct unit *u, const struct record *r, const struct request_seat *s, const struct right *right)
{
	uint8_t photo[SHA256_BYTES];
	struct document d;

	if (document_check(s->doc_type, s->doc_number, &d) != ERR_OK ||
	        hex_decode(s->photo_sha256, photo, sizeof photo) != ERR_OK)
		return false;
	return bytes_equal(r->name, s->name) && bytes_equal_text(r->doc_type, d.type) &&
	       bytes_equal_text(r->doc_number, d.number) && sex_is(s->sex, r->sex) &&
	       bytes_equal(r->item, right->item->code) &&
	       bytes_equal(r->policy, right->policy->id) &&
	       bytes_equal(r->region, u->r.session.region) &&
	       bytes_equal(r->center, u->by->code) && bytes_equal(r->photo, bytes_of(photo, 16)) &&
	       bytes_equal(r->item_name, right->item->name_zh) && dates_follow(r, right->policy) &&
	       memcmp(r->request.p, u->j.hash, SHA256_BYTES) == 0;
}

struct answer { /* of all certificates of a session */
	uint64_t number;
	int64_t iat, slot;
	bool begun;
};

static void
certificate_check(struct unit *u, const struct right *right, size_t i, struct answer *answer)
{
	const struct unit_certificate *c = &u->certificates[i];
	const struct request_seat *s = seat_of(&u->r, c->seat);
	struct cose_sign1 m;
	struct entry_note n;
	struct record r;
	int officials;

	if (record_open(c->record, false, &m, &r) != ERR_OK)
		return; /* told with its entry */
	if (s == NULL || !record_follows(u, &r, s, right))
		unit_wrong(u, AUDIT_CERT_RECORD, "does not follow from its request");
	officials = unit_note(u, c->note, r.iat, &n);
	if (officials < officials_needed(u, right, right->late))
		unit_wrong(u, AUDIT_APPROVAL_REQUEST, "too few officials have approved");
	if (n.seat != c->seat)
		unit_wrong(u, AUDIT_CERT_SEAT, "is not the seat of its note");
	if (answer->begun && (n.answer != answer->number || r.iat != answer->iat ||
	                             n.slot <= answer->slot))
		unit_wrong(u, AUDIT_ENTRY_NOTE, "a session is executed by one answer");
	*answer = (struct answer){n.answer, r.iat, n.slot, true};
	made_check(u, r.iat);
}

/* Its certificate, or its place among the outcomes. */
static void
seat_check(struct unit *u, const struct unit_event *e, size_t i, enum outcome want, size_t *listed)
{
	const struct request_seat *s = &u->r.seats[i];
	size_t found = 0;

	for (size_t k = 0; k < u->certificate_count; k++)
		found += u->certificates[k].seat == (int64_t)s->seat;
	if (found == 1 && want == OUTCOME_ISSUED)
		return;
	if (found > 0) {
		unit_wrong(u, AUDIT_CERT_SEAT, "a seat that failed, or twice");
		return;
	}
	if (*listed >= e->seat.count || pg_ints_get(&e->seat, *listed) != (int32_t)s->seat) {
		unit_wrong(u, AUDIT_EVENT_SEAT, "a seat has neither certificate nor reason");
		return;
	}
	if (want == OUTCOME_ISSUED)
		want = OUTCOME_ALREADY_HOLDS;
	if (pg_ints_get(&e->outcome, *listed) != (int32_t)want)
		unit_wrong(u, AUDIT_EVENT_OUTCOME, "another reason follows from the request");
	++*listed;
}

static void
session_check(struct unit *u, const struct right *right, const struct unit_event *e)
{
	struct audit_map met = {NULL, 0, 0};
	struct answer answer = {0, 0, -1, false};
	size_t listed = 0;

	if (right->policy == NULL)
		return;
	for (size_t i = 0; i < u->certificate_count; i++)
		certificate_check(u, right, i, &answer);
	for (size_t i = 0; i < u->r.seat_count; i++)
		seat_check(u, e, i, right_seat(&u->r.seats[i], right, &met), &listed);
	if (listed != e->seat.count || e->seat.count != e->outcome.count)
		unit_wrong(u, AUDIT_EVENT_SEAT, "reasons for seats that are not there");
	audit_map_free(&met);
}

/* ---- an order ---- */

static int64_t
until_asked(const struct request *r)
{
	return date_shanghai_start(r->until + 1) - 1;
}

static int64_t
least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Until when a hold may last that so many officials signed; `started`: when it began. */
static bool
until_follows(const struct unit *u, const struct right *right, const struct unit_change *c,
        int officials, int64_t started)
{
	int64_t want = least(until_asked(&u->r), started + HOLD_S);

	if (u->r.type != REQUEST_SUSPEND)
		return c->until == -1;
	if (officials < right->ground->officials)
		want = least(want, c->at + ALONE_S);
	return c->until == want;
}

static int64_t
serial_position(const struct request *r, struct bytes serial)
{
	for (size_t i = 0; serial.n == 16 && i < r->serial_count; i++)
		if (memcmp(r->serials[i], serial.p, 16) == 0)
			return (int64_t)i;
	return -1;
}

/* The change of the same certificate by this request before change i; NULL: it is the first. */
static const struct unit_change *
change_before(const struct unit *u, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (bytes_equal(u->changes[k].serial, u->changes[i].serial) &&
		        u->changes[k].status == STATUS_SUSPENDED)
			return &u->changes[k];
	return NULL;
}

static bool
is_lapse(const struct unit_change *c)
{
	struct entry_note n;

	return c->status == STATUS_VALID && entry_note_decode(c->note, &n) == ERR_OK &&
	       n.sender.n == 0;
}

static void
change_check(struct unit *u, const struct right *right, size_t i)
{
	static const enum status status[] = {[REQUEST_REVOKE] = STATUS_INVALID,
	        [REQUEST_SUSPEND] = STATUS_SUSPENDED,
	        [REQUEST_REINSTATE] = STATUS_VALID,
	        [REQUEST_WITHDRAW] = STATUS_VALID};
	const struct unit_change *c = &u->changes[i], *before = change_before(u, i);
	int reason = right->ground == NULL ? -1 : right->ground->crl_reason;
	int needed = officials_needed(u, right, false), officials;
	struct entry_note n;

	if (is_lapse(c))
		return;
	if ((u->r.type != REQUEST_REVOKE && u->r.type != REQUEST_SUSPEND &&
	            u->r.type != REQUEST_REINSTATE) ||
	        serial_position(&u->r, c->serial) < 0) {
		unit_wrong(u, AUDIT_CHANGE_REQUEST, "no order for this certificate");
		return;
	}
	officials = unit_note(u, c->note, c->at, &n);
	if (before != NULL && right->ground->officials > needed)
		needed = right->ground->officials;
	if (officials < needed)
		unit_wrong(u, AUDIT_APPROVAL_REQUEST, "too few officials have signed");
	if (c->status != (int64_t)status[u->r.type])
		unit_wrong(u, AUDIT_CHANGE_STATUS, "is not what was ordered");
	if (c->reason != reason)
		unit_wrong(u, AUDIT_CHANGE_REASON, "is not that of the ground");
	if (c->effective != u->r.effective_at)
		unit_wrong(u, AUDIT_CHANGE_EFFECTIVE, "is not what was ordered");
	if (!until_follows(u, right, c, officials, before == NULL ? c->at : before->at))
		unit_wrong(u, AUDIT_CHANGE_UNTIL, "is not what was ordered and signed");
	made_check(u, c->at);
}

static bool
outcome_of_order(enum request_type t, int32_t outcome)
{
	if (outcome == OUTCOME_ALREADY || outcome == OUTCOME_NO_MOVE)
		return true;
	return t == REQUEST_SUSPEND &&
	       (outcome == OUTCOME_HOLD_AGAIN || outcome == OUTCOME_HOLD_LIMIT);
}

/* Each execution answers for every serial: by a change, or by a reason. */
static void
positions_check(struct unit *u)
{
	uint8_t *answers = audit_grow(NULL, u->r.serial_count + 1, 1);
	size_t executions = 0;

	memset(answers, 0, u->r.serial_count + 1);
	for (size_t i = 0; i < u->change_count; i++) {
		int64_t at = is_lapse(&u->changes[i])
		                     ? -1
		                     : serial_position(&u->r, u->changes[i].serial);

		if (at >= 0)
			answers[at]++;
	}
	for (size_t i = 0; i < u->event_count; i++) {
		const struct unit_event *e = &u->events[i];
		int32_t last = -1;

		if (e->state != UNIT_EXECUTED)
			continue;
		executions++;
		for (size_t k = 0; k < e->seat.count && k < e->outcome.count; k++) {
			int32_t at = pg_ints_get(&e->seat, k);

			if (at <= last || (size_t)at >= u->r.serial_count)
				unit_wrong(u, AUDIT_EVENT_SEAT, "no position of a serial");
			else
				answers[at]++;
			last = at;
			if (!outcome_of_order(u->r.type, pg_ints_get(&e->outcome, k)))
				unit_wrong(u, AUDIT_EVENT_OUTCOME, "no reason of an order");
		}
	}
	for (size_t i = 0; i < u->r.serial_count; i++)
		if (answers[i] != executions)
			unit_wrong(u, AUDIT_EVENT_SEAT, "a serial has neither change nor reason");
	free(answers);
}

static void
stop_check(struct unit *u, const struct right *right, const struct unit_event *e)
{
	bool resume = u->r.type == REQUEST_RESUME;
	struct entry_note n;

	if (u->stop == NULL) {
		if (e->seat.count != 1 || pg_ints_get(&e->seat, 0) != 0)
			unit_wrong(u, AUDIT_EVENT_SEAT, "it has neither entry nor reason");
		else if (pg_ints_get(&e->outcome, 0) != OUTCOME_ALREADY)
			unit_wrong(u, AUDIT_EVENT_OUTCOME, "no reason of a stop");
		return;
	}
	if (e->seat.count != 0)
		unit_wrong(u, AUDIT_EVENT_SEAT, "it has an entry");
	if (unit_note(u, bytes_of(u->stop->note, u->stop->note_n), u->stop->e.time, &n) <
	        officials_needed(u, right, false))
		unit_wrong(u, AUDIT_APPROVAL_REQUEST, "too few officials have signed");
	if (u->stop->e.resumed != resume || !bytes_equal(u->stop->e.center, u->r.center))
		unit_wrong(u, AUDIT_ENTRY_ENTRY, "does not follow from its request");
	made_check(u, u->stop->e.time);
}

static bool
executed(const struct unit *u)
{
	for (size_t i = 0; i < u->event_count; i++)
		if (u->events[i].state == UNIT_EXECUTED)
			return true;
	return false;
}

void
unit_effects(struct unit *u, const struct right *right)
{
	const struct unit_event *last = &u->events[u->event_count - 1];

	if (!executed(u)) {
		if (u->certificate_count > 0 || u->change_count > 0 || u->stop != NULL)
			unit_wrong(u, AUDIT_EVENT_STATE, "the log has executed it");
		return;
	}
	if (right->fault != ERR_OK)
		return;
	if (u->r.type == REQUEST_ISSUE) {
		session_check(u, right, last);
		return;
	}
	if (u->r.type == REQUEST_WITHDRAW)
		return;
	if (u->r.type == REQUEST_STOP || u->r.type == REQUEST_RESUME) {
		stop_check(u, right, last);
		return;
	}
	for (size_t i = 0; i < u->change_count; i++)
		change_check(u, right, i);
	positions_check(u);
}
