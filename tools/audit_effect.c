/* audit_effect.c - what an order caused: each change follows from it, enough officials signed, and
 * every serial has one answer. */
#include "audit_request.h"
#include "date.h"

#include <stdlib.h>
#include <string.h>

enum { ALONE_S = 72 * 3600, HOLD_S = 30 * 24 * 3600, MADE_S = 60, CLOCK_S = 2 };

int
unit_officials(const struct unit *u, const struct right *right, bool late)
{
	int most = right->officials;

	/* the roster of that time may ask for more; of two, either may have been in force */
	if (u->executed_under[0] != NULL) {
		int asked = roster_officials(u->executed_under[0], u->r.type, late);
		int other = u->executed_under[1] == NULL
		                    ? asked
		                    : roster_officials(u->executed_under[1], u->r.type, late);

		asked = (other < asked ? other : asked) + (right->many ? 1 : 0);
		most = asked > most ? asked : most;
	}
	return most;
}

static bool
was(const struct unit *u, enum audit_state state)
{
	for (size_t i = 0; i < u->event_count; i++)
		if (u->events[i].state == state)
			return true;
	return false;
}

/* An entry is made after the request and its last approval came, and committed within a minute. */
void
unit_made(struct unit *u, int64_t time)
{
	bool meets = false, under_way = was(u, UNIT_APPROVED);

	for (size_t i = 0; i < u->event_count; i++)
		/* an order by the thousand begins when it is approved and ends when it is executed
		 */
		meets = meets ||
		        (u->events[i].state == UNIT_EXECUTED && u->events[i].at + MADE_S >= time &&
		                (under_way || u->events[i].at <= time + AUDIT_SLACK_S)) ||
		        (u->events[i].state == UNIT_APPROVED && i + 1 == u->event_count);
	if (!meets)
		unit_wrong(u, AUDIT_EVENT_AT, "is not when its entries were made");
	if (u->received > time + 2)
		unit_wrong(u, AUDIT_REQUEST_RECEIVED, "after its entries were made");
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
	if (officials < right->confirms)
		want = least(want, c->at + ALONE_S);
	return c->until == want;
}

static bool
is_lapse(const struct unit_change *c)
{
	struct entry_note n;

	return c->status == STATUS_VALID && entry_note_decode(c->note, &n) == ERR_OK &&
	       n.sender.n == 0;
}

/* A ban begins on the day after the decision, and is counted in months. */
static int64_t
ban_asked(const struct unit *u, const struct right *right)
{
	if (u->r.type != REQUEST_REVOKE || right->ground->ban_months == 0)
		return -1;
	return date_add_months(u->r.decided_at, right->ground->ban_months) + 1;
}

/* `before`: the change that began the hold which this one confirms, or NULL. */
static void
change_check(struct unit *u, const struct right *right, const struct unit_change *c,
        const struct unit_change *before)
{
	static const enum status status[] = {[REQUEST_REVOKE] = STATUS_INVALID,
	        [REQUEST_SUSPEND] = STATUS_SUSPENDED,
	        [REQUEST_REINSTATE] = STATUS_VALID};
	int reason = right->ground == NULL ? -1 : right->ground->crl_reason;
	int needed = unit_officials(u, right, false), officials;
	struct entry_note n;

	if ((u->r.type != REQUEST_REVOKE && u->r.type != REQUEST_SUSPEND &&
	            u->r.type != REQUEST_REINSTATE) ||
	        unit_position(u, c->serial) < 0) {
		unit_wrong(u, AUDIT_CHANGE_REQUEST, "no order for this certificate");
		return;
	}
	officials = unit_note(u, c->note, c->at, &n);
	if (before != NULL && right->confirms > needed)
		needed = right->confirms;
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
	if (c->ban != ban_asked(u, right))
		unit_wrong(u, AUDIT_CHANGE_BAN, "is not what follows from the ground");
	unit_made(u, c->at);
}

static bool
outcome_of_order(enum request_type t, int32_t outcome)
{
	if (outcome == OUTCOME_ALREADY || outcome == OUTCOME_NO_MOVE)
		return true;
	return t == REQUEST_SUSPEND &&
	       (outcome == OUTCOME_HOLD_AGAIN || outcome == OUTCOME_HOLD_LIMIT);
}

/* What an execution did not change has a reason; counts them into `answers`. */
static void
reasons_count(struct unit *u, const struct unit_event *e, uint8_t *answers)
{
	int32_t last = -1;

	for (size_t k = 0; k < e->seat.count; k++) {
		int32_t at = pg_ints_get(&e->seat, k);

		if (at <= last || (size_t)at >= u->names.n / 16)
			unit_wrong(u, AUDIT_EVENT_SEAT, "no position of a serial");
		else
			answers[at]++;
		last = at;
		if (!outcome_of_order(u->r.type, pg_ints_get(&e->outcome, k)))
			unit_wrong(u, AUDIT_EVENT_OUTCOME, "no reason of an order");
	}
}

/* Each execution answers for every serial: by a change, or by a reason. */
static void
changes_check(struct unit *u, const struct right *right)
{
	size_t names = u->names.n / 16, executions = 0;
	uint8_t *answers = audit_grow(NULL, names + 1, 1);
	size_t *first = audit_grow(NULL, names + 1, sizeof *first); /* its first change + 1 */

	memset(answers, 0, names + 1);
	memset(first, 0, (names + 1) * sizeof *first);
	for (size_t i = 0; i < u->change_count; i++) {
		const struct unit_change *c = &u->changes[i];
		int64_t at = unit_position(u, c->serial);
		bool begun = at >= 0 && first[at] != 0;

		if (is_lapse(c))
			continue;
		change_check(u, right, c, begun ? &u->changes[first[at] - 1] : NULL);
		if (at < 0)
			continue;
		answers[at]++;
		if (!begun)
			first[at] = i + 1;
	}
	for (size_t i = 0; i < u->event_count; i++) {
		if (u->events[i].state != UNIT_EXECUTED)
			continue;
		executions++;
		reasons_count(u, &u->events[i], answers);
	}
	/* one that is under way, or was ended in it, has not answered for all */
	for (size_t i = 0; executions > 0 && i < names; i++)
		if (answers[i] != executions)
			unit_wrong(u, AUDIT_EVENT_SEAT, "a serial has neither change nor reason");
	free(answers);
	free(first);
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
	        unit_officials(u, right, false))
		unit_wrong(u, AUDIT_APPROVAL_REQUEST, "too few officials have signed");
	if (u->stop->e.resumed != resume || !bytes_equal(u->stop->e.center, u->r.center))
		unit_wrong(u, AUDIT_ENTRY_ENTRY, "does not follow from its request");
	unit_made(u, u->stop->e.time);
}

/* Whether or not it changed anything, enough officials had signed when it was executed. */
static void
officials_check(struct unit *u, const struct right *right)
{
	int needed = unit_officials(u, right, right->late), executions = 0;

	for (size_t i = 0; i < u->event_count; i++) {
		const struct unit_event *e = &u->events[i];
		int officials = u->by->role == ROLE_OFFICIAL ? 1 : 0;

		if (e->state != UNIT_EXECUTED && e->state != UNIT_APPROVED)
			continue;
		/* the second signature of a hold */
		if (e->state == UNIT_EXECUTED && executions++ > 0 && right->confirms > needed)
			needed = right->confirms;
		for (size_t k = 0; k < u->approval_count; k++)
			officials += u->approvals[k].approve &&
			             u->approvals[k].received <= e->at + CLOCK_S;
		if (officials >= needed)
			continue;
		/* the log knows nothing of it: was it executed? */
		if (u->certificate_count == 0 && u->change_count == 0 && u->stop == NULL)
			unit_state_wrong(u, "too few officials have signed");
		unit_wrong(u, AUDIT_APPROVAL_REQUEST, "too few officials have signed");
	}
}

void
unit_effects(struct unit *u, const struct right *right)
{
	const struct unit_event *last = &u->events[u->event_count - 1];

	if (!was(u, UNIT_EXECUTED) && !was(u, UNIT_APPROVED)) {
		if (u->certificate_count > 0 || u->change_count > 0 || u->stop != NULL)
			unit_state_wrong(u, "the log has executed it");
		return;
	}
	if (right->fault != ERR_OK || u->r.type == REQUEST_WITHDRAW)
		return;
	officials_check(u, right);
	if (u->r.type == REQUEST_ISSUE || u->r.type == REQUEST_REPLACE)
		unit_session(u, right, last);
	else if (u->r.type == REQUEST_STOP || u->r.type == REQUEST_RESUME)
		stop_check(u, right, last);
	else
		changes_check(u, right);
}
