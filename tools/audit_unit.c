/* audit_unit.c - one request by itself: its bytes, its columns, who signed it and his right, the
 * course of its states, and each approval. */
#include "audit_request.h"
#include "base64.h"

#include <stdlib.h>
#include <string.h>

enum { AHEAD_S = 300, WEEK_S = 7 * 24 * 3600, CLOCK_S = 2 };

void
unit_wrong(struct unit *u, enum audit_column c, const char *why)
{
	if (u->why == NULL)
		u->why = why;
	audit_found_add(&u->found, c);
}

void
unit_state_wrong(struct unit *u, const char *why)
{
	unit_wrong(u, AUDIT_EVENT_STATE, why);
	unit_wrong(u, AUDIT_EVENT_REQUEST, why);
}

static void
unit_want(struct unit *u, bool holds, enum audit_column c, const char *why)
{
	if (!holds)
		unit_wrong(u, c, why);
}

/* Who signed: by one of the rosters that were in force then. */
static const struct operator*
        signer_of(const struct audit_rosters *rosters, const struct jws *j, int64_t time)
{
	for (size_t i = 0; i < 2; i++) {
		const struct operator* by = rosters->r[i] == NULL
		        ? NULL
		        : roster_find(rosters->r[i], j->kid);

		if (by != NULL && jws_verify(j, by->key) == ERR_OK &&
		        time + AUDIT_SLACK_S >= by->not_before &&
		        time - AUDIT_SLACK_S < by->not_after)
			return by;
	}
	return NULL;
}

static bool
unit_open(struct unit *u)
{
	if (jws_decode(u->jws, JWS_BYTES_MAX, &u->j) != ERR_OK ||
	        strcmp(u->j.typ, REQUEST_TYP) != 0 ||
	        (u->by = signer_of(&u->rosters, &u->j, u->received)) == NULL ||
	        request_decode(&u->j, &u->r) != ERR_OK) {
		unit_wrong(u, AUDIT_REQUEST_JWS, "its signature or form does not stand up");
		return false;
	}
	u->open = true;
	return true;
}

static void
columns_check(struct unit *u)
{
	bool center = u->by->role == ROLE_CENTER;
	static const char why[] = "is not what was signed";

	unit_want(u, bytes_equal(u->id, bytes_of(u->j.hash, SHA256_BYTES)), AUDIT_REQUEST_ID, why);
	unit_want(u, bytes_equal_text(u->kid, u->j.kid), AUDIT_REQUEST_KID, why);
	unit_want(u, bytes_equal(u->jti, u->r.jti), AUDIT_REQUEST_JTI, why);
	unit_want(u, bytes_equal_text(u->type, request_type_word(u->r.type)), AUDIT_REQUEST_TYPE,
	        why);
	unit_want(u, center ? bytes_equal(u->center, u->by->code) : u->center.n == 0,
	        AUDIT_REQUEST_CENTER, why);
	unit_want(u, bytes_equal(u->sender, u->by->person), AUDIT_REQUEST_SENDER, why);
	unit_want(u, bytes_equal(u->session, u->r.session.id), AUDIT_REQUEST_SESSION, why);
	unit_want(u, u->exp == u->r.exp, AUDIT_REQUEST_EXP, why);
}

/* ---- states ---- */

static bool
move_good(const struct unit *u, size_t i)
{
	enum audit_state now = u->events[i].state;
	enum audit_state before = i == 0 ? 0 : u->events[i - 1].state;

	if (i == 0)
		return now == UNIT_WAITING || now == UNIT_EXECUTED || now == UNIT_REFUSED;
	if (before == UNIT_WAITING)
		return now != UNIT_WAITING && now != 0;
	if (before == UNIT_APPROVED)
		return now == UNIT_EXECUTED || now == UNIT_REFUSED || now == UNIT_LAPSED;
	return before == UNIT_EXECUTED && now == UNIT_EXECUTED && u->r.type == REQUEST_SUSPEND;
}

static bool
code_good(const struct unit_event *e)
{
	enum err code;

	if (e->state != UNIT_REFUSED)
		return e->code.n == 0;
	code = err_from_word((const char *)e->code.p, e->code.n);
	return bytes_equal_text(e->code, err_word(code)) &&
	       (err_http_status(code) == 403 || err_http_status(code) == 422);
}

static bool
rejected_by(const struct unit *u, int64_t at)
{
	for (size_t i = 0; i < u->approval_count; i++)
		if (!u->approvals[i].approve && u->approvals[i].received <= at + CLOCK_S)
			return true;
	return false;
}

static void
event_check(struct unit *u, size_t i)
{
	const struct unit_event *e = &u->events[i];

	unit_want(u, e->seq == (int64_t)i + 1, AUDIT_EVENT_SEQ, "states are numbered 1, 2, 3");
	if (!move_good(u, i))
		unit_state_wrong(u, "this state does not follow");
	/* which of both was changed, nothing says */
	if ((e->state == UNIT_REFUSED) != (e->code.n != 0))
		unit_wrong(
		        u, AUDIT_EVENT_STATE, "a refusal has its word, and nothing else has one");
	unit_want(u, code_good(e), AUDIT_EVENT_CODE, "no word of a refusal");
	if (e->state == UNIT_REJECTED && !rejected_by(u, INT64_MAX - CLOCK_S)) {
		unit_state_wrong(u, "nobody rejected it");
		unit_wrong(u, AUDIT_APPROVAL_REQUEST, NULL);
	} else if (e->state == UNIT_REJECTED) {
		unit_want(u, rejected_by(u, e->at), AUDIT_EVENT_AT, "before it was rejected");
	}
	if (e->state == UNIT_LAPSED && e->at < u->r.exp) {
		unit_wrong(u, AUDIT_EVENT_AT, "it lapsed before its end");
		unit_wrong(u, AUDIT_EVENT_REQUEST, NULL);
	}
	if (e->state != UNIT_EXECUTED)
		unit_want(u, e->seat.count == 0 && e->outcome.count == 0, AUDIT_EVENT_SEAT,
		        "nothing was executed");
	if (i > 0)
		unit_want(u, e->at >= u->events[i - 1].at, AUDIT_EVENT_AT, "states follow in time");
	if (e->state != UNIT_LAPSED && e->state != UNIT_REFUSED)
		unit_want(u, e->at <= u->r.exp + AUDIT_SLACK_S, AUDIT_EVENT_AT,
		        "after the end of the request");
}

/* A time at which the request can have come: signed, not over, and before whoever approved it. */
static bool
can_be_first(const struct unit *u, int64_t time)
{
	for (size_t i = 0; i < u->approval_count; i++)
		if (u->approvals[i].received + CLOCK_S < time)
			return false;
	return time + AHEAD_S >= u->r.iat && time <= u->r.exp;
}

/* It is received and has its first state at one time, and no signature says which of both columns
 * is right: the one that cannot be, or both. */
static void
first_time_wrong(struct unit *u)
{
	static const char why[] = "it came at one time with its first state, or before it";
	bool received = can_be_first(u, u->received), at = can_be_first(u, u->events[0].at);

	if (received || !at)
		unit_wrong(u, AUDIT_EVENT_AT, why);
	if (at || !received)
		unit_wrong(u, AUDIT_REQUEST_RECEIVED, why);
}

static void
received_check(struct unit *u)
{
	const struct unit_event *first = &u->events[0];
	bool ahead = bytes_equal_text(first->code, err_word(ERR_TIME_AHEAD));
	bool late = bytes_equal_text(first->code, err_word(ERR_REQUEST_EXPIRED));

	unit_want(u, ahead || u->r.iat <= u->received + AHEAD_S, AUDIT_REQUEST_RECEIVED,
	        "before it was signed");
	unit_want(u, late || u->received <= u->r.exp, AUDIT_REQUEST_RECEIVED, "after its end");
	if (first->state == UNIT_EXECUTED ? u->received > first->at : u->received != first->at)
		first_time_wrong(u);
}

/* A rejection is kept together with the state that it brings. */
static void
rejection_check(struct unit *u)
{
	bool rejected = false, ended = false;

	for (size_t i = 0; i < u->approval_count; i++)
		rejected = rejected || !u->approvals[i].approve;
	for (size_t i = 0; i < u->event_count; i++)
		ended = ended || u->events[i].state == UNIT_REJECTED;
	if (rejected && !ended)
		unit_state_wrong(u, "it was rejected, and goes on");
}

/* Refusals that follow from the log, not from the request: they cannot be told from its bytes. */
static bool
refused_by_log(enum err code)
{
	return code == ERR_STOPPED || code == ERR_CAP || code == ERR_SERIAL_UNKNOWN ||
	       code == ERR_APPROVALS || code == ERR_VALUE || code == ERR_MOVE ||
	       code == ERR_APPROVAL_PERSON || code == ERR_NOT_YOURS || code == ERR_SELECT ||
	       code == ERR_LIMIT;
}

static void
refusal_check(struct unit *u)
{
	const struct unit_event *e = &u->events[0];
	struct right right;
	enum err code = err_from_word((const char *)e->code.p, e->code.n);

	right_of(u, u->received, &right);
	if (right.fault == ERR_OK)
		unit_want(u, refused_by_log(code), AUDIT_EVENT_CODE, "nothing refuses it for that");
	else
		unit_want(u, right.fault == code, AUDIT_EVENT_CODE, "another rule refuses it");
}

/* ---- approvals ---- */

static bool
same_person(
        const struct unit *u, const struct unit_approval *p, const struct operator* by, size_t i)
{
	if (bytes_equal(by->person, u->by->person))
		return true;
	if (bytes_equal(key_thumb(by->key), key_thumb(u->by->key)))
		return true;
	for (size_t k = 0; k < i; k++)
		if (bytes_equal(u->approvals[k].person, by->person) ||
		        memcmp(u->approvals[k].thumb, p->thumb, sizeof p->thumb) == 0)
			return true;
	return false;
}

static void
approval_check(struct unit *u, size_t i)
{
	struct unit_approval *p = &u->approvals[i];
	static const char why[] = "is not what was signed";
	const struct operator* by;
	struct approval approval;
	struct jws j;

	if (jws_decode(p->jws, APPROVAL_BYTES_MAX, &j) != ERR_OK ||
	        strcmp(j.typ, APPROVAL_TYP) != 0 ||
	        (by = signer_of(&p->rosters, &j, p->received)) == NULL ||
	        approval_decode(&j, &approval) != ERR_OK) {
		unit_wrong(u, AUDIT_APPROVAL_JWS, "its signature or form does not stand up");
		return;
	}
	memcpy(p->thumb, key_thumb(by->key).p, sizeof p->thumb);
	unit_want(u, memcmp(approval.request, u->j.hash, SHA256_BYTES) == 0, AUDIT_APPROVAL_REQUEST,
	        why);
	p->has_list = approval.has_list;
	memcpy(p->list, approval.list_sha256, sizeof p->list);
	if (approval.has_list != u->r.selects ||
	        (approval.has_list &&
	                !bytes_equal(u->list_sha256, bytes_of(p->list, sizeof p->list))))
		unit_wrong(u, AUDIT_LIST_SHA256, "is not the list that was approved");
	unit_want(u, bytes_equal_text(p->kid, j.kid), AUDIT_APPROVAL_KID, why);
	unit_want(u, bytes_equal_text(p->jti, approval.jti), AUDIT_APPROVAL_JTI, why);
	unit_want(u, bytes_equal(p->person, by->person), AUDIT_APPROVAL_PERSON, why);
	unit_want(u, p->approve == approval.approve, AUDIT_APPROVAL_APPROVE, why);
	unit_want(u, p->exp == approval.exp, AUDIT_APPROVAL_EXP, why);
	unit_want(u, by->role == ROLE_OFFICIAL, AUDIT_APPROVAL_JWS, "approved by no official");
	unit_want(u, !same_person(u, p, by, i), AUDIT_APPROVAL_PERSON,
	        "nobody approves twice, or his own");
	unit_want(u, approval.exp > approval.iat && approval.exp <= approval.iat + WEEK_S,
	        AUDIT_APPROVAL_JWS, "lives too long");
	unit_want(u,
	        approval.iat <= p->received + AHEAD_S && p->received <= approval.exp &&
	                p->received + CLOCK_S >= u->received && p->received <= u->r.exp,
	        AUDIT_APPROVAL_RECEIVED, "outside of its own times and those of its request");
	p->good = u->found.count == 0 && approval.approve;
}

/* What a selector was frozen to. */
static void
list_check(struct unit *u)
{
	bool refused = u->event_count > 0 && u->events[0].state == UNIT_REFUSED;

	u->names = u->r.selects ? u->list : bytes_of(u->r.serials, 16 * u->r.serial_count);
	for (size_t i = 0; i < u->names.n / 16; i++)
		*audit_map_at(&u->name_at, be_get(u->names.p + 16 * i + 8, 8)) = i + 1;
	if (u->list.p == NULL) {
		unit_want(u, !u->r.selects || refused, AUDIT_LIST_REQUEST, "its list is missing");
		return;
	}
	unit_want(u, u->r.selects, AUDIT_LIST_REQUEST, "it selects nothing");
	for (size_t i = 16; i + 16 <= u->list.n; i += 16)
		unit_want(u, memcmp(u->list.p + i - 16, u->list.p + i, 16) < 0, AUDIT_LIST_SERIALS,
		        "serials rise");
}

/* Serials and their hash belong together; which of both was changed, an approval may know. */
static void
list_hash_check(struct unit *u)
{
	static const char why[] = "the list and its hash differ";
	bool serials = false, sum = false;
	uint8_t hash[SHA256_BYTES];

	sha256_one(u->list, hash);
	if (u->list.p == NULL || bytes_equal(u->list_sha256, bytes_of(hash, sizeof hash)))
		return;
	for (size_t i = 0; i < u->approval_count; i++) {
		struct bytes signed_list = bytes_of(u->approvals[i].list, SHA256_BYTES);

		serials = serials ||
		          (u->approvals[i].has_list && bytes_equal(signed_list, u->list_sha256));
		sum = sum || (u->approvals[i].has_list &&
		                     memcmp(u->approvals[i].list, hash, sizeof hash) == 0);
	}
	if (serials || !sum)
		unit_wrong(u, AUDIT_LIST_SERIALS, why);
	if (sum || !serials)
		unit_wrong(u, AUDIT_LIST_SHA256, why);
}

int64_t
unit_position(struct unit *u, struct bytes serial)
{
	uint64_t at = serial.n == 16 ? *audit_map_at(&u->name_at, be_get(serial.p + 8, 8)) : 0;

	if (at == 0 || memcmp(u->names.p + 16 * (at - 1), serial.p, 16) != 0)
		return -1;
	return (int64_t)at - 1;
}

/* The moment by which the rules are judged: when its entries were made, else its last state. */
static int64_t
decided_at(const struct unit *u)
{
	struct cose_sign1 m;
	struct record r;

	if (u->certificate_count > 0 &&
	        record_open(u->certificates[0].record, false, &m, &r) == ERR_OK)
		return r.iat;
	if (u->change_count > 0)
		return u->changes[0].at;
	if (u->stop != NULL)
		return u->stop->e.time;
	return u->events[u->event_count - 1].at;
}

/* Something was done that these bytes give no right to, or not at that time. */
static void
fault_tell(struct unit *u, enum err fault)
{
	bool logged = u->certificate_count > 0 || u->change_count > 0 || u->stop != NULL;

	if (fault != ERR_TIME_AHEAD && fault != ERR_REQUEST_EXPIRED) {
		unit_wrong(u, AUDIT_REQUEST_JWS, err_en(fault));
		return;
	}
	unit_wrong(u, logged ? AUDIT_ENTRY_ENTRY : AUDIT_EVENT_AT, err_en(fault));
	if (!logged)
		unit_state_wrong(u, NULL);
}

void
unit_check(struct unit *u)
{
	const struct unit_event *last;
	struct right right;

	if (!unit_open(u))
		return;
	columns_check(u);
	list_check(u);
	if (u->event_count > 0)
		received_check(u);
	for (size_t i = 0; i < u->approval_count; i++)
		approval_check(u, i);
	list_hash_check(u);
	if (u->event_count == 0) {
		unit_wrong(u, AUDIT_EVENT_REQUEST, "its states are missing");
		return;
	}
	for (size_t i = 0; i < u->event_count; i++)
		event_check(u, i);
	rejection_check(u);
	last = &u->events[u->event_count - 1];
	if (u->events[0].state == UNIT_REFUSED)
		refusal_check(u);
	right_of(u, last->state == UNIT_EXECUTED ? decided_at(u) : u->received, &right);
	if (u->events[0].state != UNIT_REFUSED && right.fault != ERR_OK &&
	        last->state != UNIT_REFUSED)
		fault_tell(u, right.fault);
	/* what hangs on the id is of this request only where the id is */
	if (bytes_equal(u->id, bytes_of(u->j.hash, SHA256_BYTES)))
		unit_effects(u, &right);
}

int
unit_note(struct unit *u, struct bytes note, int64_t time, struct entry_note *out)
{
	int officials = u->by->role == ROLE_OFFICIAL ? 1 : 0;

	if (entry_note_decode(note, out) != ERR_OK) {
		unit_wrong(u, AUDIT_ENTRY_NOTE, "is no note");
		return 0;
	}
	unit_want(u, bytes_equal(out->sender, key_thumb(u->by->key)) && out->exp == u->r.exp,
	        AUDIT_ENTRY_NOTE, "is not of the request that caused the entry");
	for (size_t i = 0; i < out->official_count; i++) {
		bool there = false;

		for (size_t k = 0; k < u->approval_count; k++)
			there = there ||
			        (u->approvals[k].approve &&
			                u->approvals[k].received <= time + CLOCK_S &&
			                bytes_equal(out->officials[i],
			                        bytes_of(u->approvals[k].thumb, KEY_THUMB_BYTES)));
		/* beside the journal the note is beyond doubt */
		unit_want(u, there,
		        u->a->journal != NULL ? AUDIT_APPROVAL_REQUEST : AUDIT_ENTRY_NOTE,
		        "an official of the note whose approval is missing");
		officials += there ? 1 : 0;
	}
	return officials;
}
