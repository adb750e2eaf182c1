/* authority_order.c - ORDER: evidence and the records it touches in, one status entry for each
 * certificate out. Serial and place on the list come only from a record that bears the signer's own
 * signature, the status from its own list. */
#include "authority_issue.h"

#include "date.h"
#include "log.h"

#include <string.h>

struct order {
	struct authority *a;
	struct call *c;
	struct evidence *ev;
	struct entry_note note;
	size_t started; /* holds that this answer starts */
};

/* Does the order mean this certificate? What a selector says holds for the record itself, whatever
 * list the front brought. */
static bool
is_named(const struct evidence *ev, const struct record *r)
{
	const struct request_select *s = &ev->request.select;

	if (!evidence_names(ev, r->cti.p))
		return false;
	if (!ev->request.selects)
		return true;
	return (s->center.p == NULL || bytes_equal(s->center, r->center)) &&
	       (s->item.p == NULL || bytes_equal(s->item, r->item)) && s->from <= r->iat &&
	       r->iat < s->to &&
	       (!s->by_request || memcmp(s->request, r->request.p, SHA256_BYTES) == 0);
}

/* Certificates that the sender's other orders touched today, by whichever of his keys. */
static uint64_t
ordered_before(const struct order *o)
{
	const struct fold *f = &o->a->fold;
	const struct request *r = &o->ev->request;
	int64_t day = date_shanghai(o->c->now);
	const uint8_t *serials = r->selects ? o->ev->list.p : (const uint8_t *)r->sorted;
	uint64_t n = 0;

	for (size_t i = 0; i < f->orders.count; i++) {
		const struct operator* by = roster_find(o->a->roster, f->orders.rows[i].center);

		if (by != NULL && bytes_equal(by->person, o->ev->sender->person) &&
		        f->orders.rows[i].day == day)
			n += f->orders.rows[i].count;
	}
	/* what this one has done already is not counted twice */
	for (size_t i = 0; n > 0 && i < o->ev->count; i++)
		n -= fold_executed(f, o->ev->jws.hash, bytes_of(serials + 16 * i, 16));
	return n;
}

static void
row_head(struct buf *out, struct bytes cti, enum outcome outcome)
{
	cbor_put_array(out, 6);
	cbor_put_bytes(out, cti);
	cbor_put_uint(out, outcome);
}

static void
row_refuse(const struct order *o, const struct record *r, enum outcome why)
{
	const struct crl_row *row =
	        why == OUTCOME_ALREADY ? fold_row(&o->a->fold, r->list, r->cti.p) : NULL;
	struct buf *out = o->c->out;

	row_head(out, r->cti, why);
	if (row == NULL)
		cbor_put_null(out);
	else
		cbor_put_uint(out, (uint64_t)row->revoked_at);
	for (int i = 0; i < 3; i++)
		cbor_put_null(out);
}

/* Did enough officials sign to make a hold more than one person's act? */
static bool
hold_confirmed(const struct evidence *ev)
{
	return ev->signed_by >= ev->confirms;
}

/* A hold by one official is short; its second signature gives it the time that was asked for. */
static enum outcome
suspend_decide(struct order *o, enum status now, struct entry *e)
{
	const struct hold *hold = holds_find(&o->a->fold.holds, e->list, e->idx);
	int64_t asked = date_shanghai_start(o->ev->request.until + 1) - 1;

	e->status = STATUS_SUSPENDED;
	e->crl_reason = o->ev->ground->crl_reason;
	e->until = asked;
	if (now == STATUS_SUSPENDED) {
		if (hold != NULL && !hold->confirmed && hold_confirmed(o->ev) &&
		        memcmp(hold->request, o->ev->jws.hash, SHA256_BYTES) == 0) {
			if (e->until > hold->started + HOLD_MAX_S)
				e->until = hold->started + HOLD_MAX_S;
			return OUTCOME_CONFIRMED;
		}
		return OUTCOME_ALREADY;
	}
	/* what this request held once and has ended since is not held again by it */
	if (fold_executed(&o->a->fold, o->ev->jws.hash, e->cti))
		return OUTCOME_NO_MOVE;
	if (!hold_confirmed(o->ev) && e->until > e->time + HOLD_FIRST_S)
		e->until = e->time + HOLD_FIRST_S;
	if (e->until > e->time + HOLD_MAX_S)
		e->until = e->time + HOLD_MAX_S;
	return OUTCOME_SUSPENDED;
}

/* A ground that follows a revocation (C03) registers it, once; every other one ends a certificate
 * that is not over yet. */
static enum outcome
revoke_decide(struct order *o, enum status now, struct entry *e)
{
	const struct crl_row *row = fold_row(&o->a->fold, e->list, e->cti.p);
	bool follows = o->ev->ground->effect == EFFECT_FOLLOWS;

	e->status = STATUS_INVALID;
	e->crl_reason = o->ev->ground->crl_reason;
	if (now == STATUS_SUPERSEDED || (follows && now != STATUS_INVALID))
		return OUTCOME_NO_MOVE;
	if (now != STATUS_INVALID)
		return OUTCOME_REVOKED;
	return follows && row != NULL && row->reason == CRL_REVOKED && !row->deregistered
	               ? OUTCOME_DEREGISTERED
	               : OUTCOME_ALREADY;
}

/* What the order does to a certificate of this status: the outcome, and the entry where it changes.
 */
static enum outcome
row_decide(struct order *o, enum status now, struct entry *e, bool *changes)
{
	bool over = now == STATUS_INVALID || now == STATUS_SUPERSEDED;
	enum outcome outcome;

	*changes = false;
	if (o->ev->request.type == REQUEST_REVOKE) {
		outcome = revoke_decide(o, now, e);
		*changes = outcome == OUTCOME_REVOKED || outcome == OUTCOME_DEREGISTERED;
		return outcome;
	}
	if (over)
		return OUTCOME_NO_MOVE;
	if (o->ev->request.type == REQUEST_REINSTATE) {
		*changes = now == STATUS_SUSPENDED;
		return *changes ? OUTCOME_REINSTATED : OUTCOME_ALREADY;
	}
	outcome = suspend_decide(o, now, e);
	*changes = outcome == OUTCOME_SUSPENDED || outcome == OUTCOME_CONFIRMED;
	return outcome;
}

/* Limits of holds, before the log's own check: so that each certificate gets its answer. */
static enum outcome
limits_decide(struct order *o, const struct entry *e, enum status now, enum outcome outcome)
{
	const struct holds *holds = &o->a->fold.holds;
	enum err fault;

	if (outcome != OUTCOME_SUSPENDED)
		return outcome;
	fault = holds_check(holds, e, &o->note, now);
	if (fault == ERR_OK && o->note.official_count == 0 &&
	        holds_of_day(holds, o->note.sender, date_shanghai(e->time)) + o->started >=
	                HOLD_DAY_MAX)
		fault = ERR_HOLD_DAY;
	if (fault == ERR_OK) {
		o->started++;
		return outcome;
	}
	return fault == ERR_HOLD_AGAIN ? OUTCOME_HOLD_AGAIN
	       : fault == ERR_HOLD_DAY ? OUTCOME_HOLD_LIMIT
	                               : OUTCOME_NO_MOVE;
}

static enum err
row_put(struct order *o, struct bytes record)
{
	struct entry entry = {.type = ENTRY_STATUS, .crl_reason = -1, .until = -1};
	enum outcome outcome, allowed;
	enum status now;
	struct record r;
	bool changes;
	enum err e;

	if ((e = authority_record(&o->a->manifest->m, record, &r)) != ERR_OK)
		return e;
	if (!is_named(o->ev, &r))
		return ERR_SERIAL_UNKNOWN;
	if ((e = fold_status(&o->a->fold, r.list, r.idx, &now)) != ERR_OK)
		return e;
	entry.cti = r.cti;
	entry.list = r.list;
	entry.idx = r.idx;
	entry.effective = o->ev->request.effective_at;
	entry.time = o->c->now;
	memcpy(entry.request, o->ev->jws.hash, SHA256_BYTES);
	outcome = row_decide(o, now, &entry, &changes);
	allowed = changes ? limits_decide(o, &entry, now, outcome) : outcome;
	if (!changes || allowed != outcome) {
		row_refuse(o, &r, allowed);
		return buf_end(o->c->out);
	}
	row_head(o->c->out, r.cti, outcome);
	cbor_put_null(o->c->out);
	authority_put_entry(o->a, o->c->out, &entry, &o->note);
	return buf_end(o->c->out);
}

/* Stop and resume touch no certificate: one row without a serial. */
static enum err
stop_put(struct order *o)
{
	static const uint8_t no_serial[16];
	const struct request *r = &o->ev->request;
	struct entry entry = {.type = ENTRY_STOP,
	        .center = r->center,
	        .resumed = r->type == REQUEST_RESUME,
	        .time = o->c->now};
	bool already = holds_stopped(&o->a->fold.holds, r->center) != entry.resumed;

	memcpy(entry.request, o->ev->jws.hash, SHA256_BYTES);
	row_head(o->c->out, bytes_of(no_serial, sizeof no_serial),
	        already         ? OUTCOME_ALREADY
	        : entry.resumed ? OUTCOME_RESUMED
	                        : OUTCOME_STOPPED);
	cbor_put_null(o->c->out);
	if (already)
		for (int i = 0; i < 3; i++)
			cbor_put_null(o->c->out);
	else
		authority_put_entry(o->a, o->c->out, &entry, &o->note);
	return buf_end(o->c->out);
}

/* The centre that is named must be one, and the key one of a centre: a typing error would stop
 * nobody, and officials issue nothing. */
static enum err
target_known(const struct request *r, const struct roster *roster)
{
	char kid[KEY_THUMB_TEXT + 1] = {0};
	const struct operator* owner;

	if (!r->target_is_key)
		return roster_center(roster, r->center) != NULL ? ERR_OK : ERR_VALUE;
	memcpy(kid, r->center.p, KEY_THUMB_TEXT);
	owner = roster_find(roster, kid);
	return owner != NULL && owner->role == ROLE_CENTER ? ERR_OK : ERR_VALUE;
}

static enum err
order_run(struct order *o, struct cbor *in)
{
	bool stop = o->ev->request.type == REQUEST_STOP || o->ev->request.type == REQUEST_RESUME;
	uint64_t count = cbor_array(in);
	struct buf *out = o->c->out;
	enum err e = authority_problem(o->a, o->c);

	if (e != ERR_OK)
		return e;
	if (stop ? count != 0 : count == 0 || count > ORDER_CHUNK_MAX)
		return ERR_LIMIT;
	if (!o->ev->many)
		evidence_together(o->ev, ordered_before(o));
	if (!evidence_complete(o->ev))
		return ERR_APPROVALS;
	authority_note(o->ev, ++o->a->answer, &o->note);
	/* what the note says of officials is what makes a hold confirmed */
	if (o->ev->request.type == REQUEST_SUSPEND && !hold_confirmed(o->ev))
		o->note.official_count = 0;
	cbor_put_array(out, 3);
	cbor_put_uint(out, o->note.answer);
	cbor_put_bytes(out, bytes_of(o->ev->jws.hash, SHA256_BYTES));
	cbor_put_array(out, stop ? 1 : count);
	if (stop && (e = target_known(&o->ev->request, o->a->roster)) == ERR_OK)
		e = stop_put(o);
	for (uint64_t i = 0; e == ERR_OK && i < count; i++)
		e = row_put(o, cbor_bytes(in));
	return e == ERR_OK ? cbor_end(in) : e;
}

/* The list that approvals sign comes before them. */
static enum err
list_read(struct cbor *in, struct evidence *ev)
{
	uint64_t count = cbor_array(in);

	if (count == 0)
		return ERR_OK;
	return count == 1 ? evidence_list(ev, cbor_bytes(in)) : ERR_PROTOCOL;
}

enum err
authority_order(struct authority *a, struct call *c)
{
	struct cbor in = cbor_init(c->body);
	const struct roster *roster;
	struct evidence ev;
	struct order o = {.a = a, .c = c, .ev = &ev};
	struct bytes jws;
	enum err e;

	pthread_mutex_lock(&a->lock);
	e = authority_problem(a, c);
	roster = a->roster;
	pthread_mutex_unlock(&a->lock);
	if (e != ERR_OK)
		return e;
	cbor_array_exact(&in, 4);
	jws = cbor_bytes(&in);
	if ((e = evidence_open(jws, roster, a->field, c->now, &ev)) != ERR_OK)
		return e;
	if ((e = list_read(&in, &ev)) != ERR_OK) {
		evidence_free(&ev);
		return e;
	}
	e = ev.request.type != REQUEST_ISSUE && ev.request.type != REQUEST_REPLACE &&
	                    ev.request.type != REQUEST_WITHDRAW
	            ? authority_approvals(&in, &ev, roster, c->now)
	            : ERR_TYPE_UNKNOWN;
	if (e == ERR_OK) {
		pthread_mutex_lock(&a->lock);
		e = order_run(&o, &in);
		pthread_mutex_unlock(&a->lock);
	}
	evidence_free(&ev);
	return e;
}

/* Holds whose time has passed: built by the signer alone, on its own clock, and repeated until they
 * are in the log. */
enum err
authority_lapse(struct authority *a, struct call *c)
{
	struct cbor in = cbor_init(c->body);
	struct entry_note note = {.slot = -1, .seat = -1};
	uint64_t count = 0;
	enum err e;

	cbor_array_exact(&in, 0);
	if ((e = cbor_end(&in)) != ERR_OK)
		return e;
	pthread_mutex_lock(&a->lock);
	e = authority_problem(a, c);
	for (size_t i = 0; e == ERR_OK && i < a->fold.holds.count; i++)
		count += a->fold.holds.rows[i].ended == 0 && a->fold.holds.rows[i].until < c->now;
	if (count > ORDER_CHUNK_MAX)
		count = ORDER_CHUNK_MAX;
	note.answer = ++a->answer;
	cbor_put_array(c->out, count);
	for (size_t i = 0; e == ERR_OK && i < a->fold.holds.count && count > 0; i++) {
		const struct hold *h = &a->fold.holds.rows[i];
		struct entry entry = {.type = ENTRY_STATUS,
		        .status = STATUS_VALID,
		        .crl_reason = -1,
		        .until = -1};

		if (h->ended != 0 || h->until >= c->now)
			continue;
		count--;
		entry.cti = bytes_of(h->cti, sizeof h->cti);
		entry.list = h->list;
		entry.idx = h->idx;
		entry.effective = date_shanghai(c->now);
		entry.time = c->now;
		memcpy(entry.request, h->request, SHA256_BYTES);
		cbor_put_array(c->out, 3);
		authority_put_entry(a, c->out, &entry, &note);
	}
	pthread_mutex_unlock(&a->lock);
	return e == ERR_OK ? buf_end(c->out) : e;
}
