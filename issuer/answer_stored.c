/* answer_stored.c - the answer to a request that is in the database: the same words as when it was
 * decided, whoever asks again. */
#include "answer.h"
#include "intake.h"

#include "date.h"

#include <stdlib.h>
#include <string.h>

/* An order as its rows tell it. */
struct stored {
	const struct store_request *row;
	struct request request;
	struct bytes serials; /* 16 bytes each, in the order of the answer */
	struct store_list list;
	struct store_changes changes;
	bool deregisters; /* by its ground */
	bool second;      /* asked by whoever confirmed a hold */
};

/* What a change of status was called when it was made. */
static enum outcome
change_outcome(const struct stored *t, enum status status)
{
	if (status == STATUS_INVALID)
		return t->deregisters ? OUTCOME_DEREGISTERED : OUTCOME_REVOKED;
	return status == STATUS_SUSPENDED ? OUTCOME_SUSPENDED : OUTCOME_REINSTATED;
}

/* The change that this order made to a certificate, for its sender the first one, for whoever
 * confirmed a hold the second; what the signer did later of itself (a lapse) is no answer. NULL
 * when it made none. */
static const struct store_change *
change_of(const struct stored *t, const uint8_t serial[16], bool *confirms)
{
	const struct store_change *first = NULL;

	*confirms = false;
	for (size_t i = 0; i < t->changes.count; i++) {
		const struct store_change *c = &t->changes.rows[i];

		if (memcmp(c->serial.p, serial, 16) != 0)
			continue;
		if (first != NULL && t->second && c->status == STATUS_SUSPENDED) {
			*confirms = true;
			return c;
		}
		if (first == NULL)
			first = c;
	}
	return first;
}

/* When a certificate was revoked first. */
static enum err
first_decided(struct worker *w, struct bytes serial, json_t *row)
{
	struct store_changes changes;
	enum err e = store_certificate_changes(w->store, serial, &changes);

	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < changes.count; i++) {
		if (changes.rows[i].status != STATUS_INVALID)
			continue;
		json_object_set_new(row, "decided", json_integer(changes.rows[i].at));
		break;
	}
	store_result_free(changes.owner);
	return ERR_OK;
}

static enum err
stored_row(struct worker *w, const struct stored *t, size_t i, json_t *rows)
{
	const struct store_event *event = &t->row->newest;
	const uint8_t *serial = t->serials.p + 16 * i;
	bool confirms;
	const struct store_change *c = change_of(t, serial, &confirms);
	json_t *o = json_object();
	enum outcome outcome = c == NULL  ? OUTCOME_ALREADY
	                       : confirms ? OUTCOME_CONFIRMED
	                                  : change_outcome(t, c->status);
	enum err e = ERR_OK;

	json_object_set_new(o, "serial", json_hex(bytes_of(serial, 16)));
	for (size_t k = 0; c == NULL && k < event->outcome_count; k++)
		if (event->outcomes[k].seat == i)
			outcome = (enum outcome)event->outcomes[k].outcome;
	if (outcome == OUTCOME_ALREADY && t->request.type == REQUEST_REVOKE)
		e = first_decided(w, bytes_of(serial, 16), o);
	json_object_set_new(o, "outcome", json_string(outcome_word(outcome)));
	if (c != NULL)
		json_object_set_new(o, "index", json_integer((json_int_t)c->index));
	json_array_append_new(rows, o);
	return e;
}

static enum err
stored_open(struct worker *w, const struct store_request *r, struct stored *t)
{
	const struct field_ground *g;
	struct jws jws;
	enum err e;

	if ((e = jws_decode(r->jws, JWS_BYTES_MAX, &jws)) != ERR_OK ||
	        (e = request_decode(&jws, &t->request)) != ERR_OK)
		return e;
	if (t->request.selects)
		e = store_list_get(w->store, r->id, &t->list);
	t->row = r;
	t->serials = order_serials(&t->request, t->list.serials);
	g = t->request.ground.n > 0 ? field_ground(w->s->field, t->request.ground) : NULL;
	t->deregisters = g != NULL && g->effect == EFFECT_FOLLOWS;
	return e;
}

static void
stored_close(struct stored *t)
{
	request_free(&t->request);
	store_result_free(t->list.owner);
	store_result_free(t->changes.owner);
}

/* Committed and not yet appended: the writer does it within a second. A stop leaves no change
 * behind, so it waits for everything that is committed. */
static enum err
appended_check(struct worker *w, const struct stored *t)
{
	uint64_t appended = atomic_load(&w->s->log_size), size = 0;
	int64_t time = 0;
	enum err e = ERR_OK;

	if (t->changes.count > 0)
		return t->changes.rows[t->changes.count - 1].index < appended ? ERR_OK
		                                                              : ERR_UNKNOWN_COMMIT;
	if (t->serials.n == 0 && (e = store_head(w->store, &size, &time)) == ERR_OK &&
	        size > appended)
		e = ERR_UNKNOWN_COMMIT;
	return e;
}

/* The outcome of each serial of an order, in the order in which it names them. */
static enum err
stored_changes(struct worker *w, struct stored *t, json_t *rows)
{
	const struct store_request *r = t->row;
	enum request_type type = t->request.type;
	enum err e = store_request_changes(w->store, r->id, &t->changes);

	if (e == ERR_OK)
		e = appended_check(w, t);
	for (size_t i = 0; e == ERR_OK && i < t->serials.n / 16; i++)
		e = stored_row(w, t, i, rows);
	if (type == REQUEST_STOP || type == REQUEST_RESUME)
		json_array_append_new(
		        rows, json_pack("{s:s}", "outcome",
		                      outcome_word(r->newest.outcome_count > 0 ? OUTCOME_ALREADY
		                                   : type == REQUEST_STOP      ? OUTCOME_STOPPED
		                                                               : OUTCOME_RESUMED)));
	return e;
}

/* Of a large order: how many by outcome, and the first that it did not change. */
static enum err
stored_counts(struct worker *w, const struct stored *t, json_t *o)
{
	static const enum status made[] = {
	        [REQUEST_REVOKE] = STATUS_INVALID, [REQUEST_SUSPEND] = STATUS_SUSPENDED};
	enum request_type type = t->request.type;
	enum outcome main =
	        change_outcome(t, type == REQUEST_REINSTATE ? STATUS_VALID : made[type]);
	size_t counts[OUTCOME_COUNT] = {0};
	json_t *outcomes = json_array(), *rows = json_array();
	uint64_t changed = 0;
	enum err e = store_changed_count(w->store, t->row->id, &changed);

	counts[main] = (size_t)changed;
	for (size_t i = 0; i < t->row->newest.outcome_count; i++) {
		const struct store_outcome *out = &t->row->newest.outcomes[i];

		if (out->outcome >= OUTCOME_COUNT || out->seat >= t->serials.n / 16)
			continue;
		counts[out->outcome]++;
		if (i < ORDER_ALONE_MAX)
			json_array_append_new(
			        rows, json_pack("{s:o,s:s}", "serial",
			                      json_hex(bytes_of(t->serials.p + 16 * out->seat, 16)),
			                      "outcome", outcome_word((enum outcome)out->outcome)));
	}
	for (unsigned i = 0; i < OUTCOME_COUNT; i++)
		if (counts[i] > 0)
			json_array_append_new(outcomes,
			        json_pack("{s:s,s:I}", "outcome", outcome_word((enum outcome)i),
			                "count", (json_int_t)counts[i]));
	json_object_set_new(o, "outcomes", outcomes);
	json_object_set_new(o, "certificates", rows);
	return e;
}

static enum err
stored_order(struct worker *w, struct job *j, const struct store_request *r, json_t **out)
{
	struct stored t = {.second = j->second};
	json_t *rows = json_array();
	json_t *o = result_json(r->id, true, rows);
	enum err e = stored_open(w, r, &t);

	if (e == ERR_OK && t.serials.n / 16 > ORDER_ALONE_MAX) {
		json_object_set_new(o, "count", json_integer((json_int_t)(t.serials.n / 16)));
		e = stored_counts(w, &t, o);
	} else if (e == ERR_OK) {
		e = stored_changes(w, &t, rows);
	}
	stored_close(&t);
	if (e == ERR_OK)
		*out = o;
	else
		json_decref(o);
	return e;
}

/* Waiting, under way, or ended without being executed. */
static enum err
stored_state(struct worker *w, struct job *j, const struct store_request *r, unsigned status)
{
	enum store_state state = r->newest.state;
	bool open = state == STATE_WAITING || state == STATE_APPROVED;
	json_t *o = json_object();
	struct stored t = {0};
	uint64_t done = 0;
	enum err e = ERR_OK;

	json_object_set_new(o, "request", json_hex(r->id));
	json_object_set_new(o, "state", json_string(store_state_word(state)));
	if (state == STATE_APPROVED) {
		if ((e = stored_open(w, r, &t)) == ERR_OK)
			e = store_changed_count(w->store, r->id, &done);
		json_object_set_new(o, "count", json_integer((json_int_t)(t.serials.n / 16)));
		json_object_set_new(o, "done", json_integer((json_int_t)done));
		stored_close(&t);
	}
	if (e == ERR_OK)
		reply_json(j->x, open ? 202 : status, o);
	json_decref(o);
	return e;
}

enum err
answer_stored(struct worker *w, struct job *j, const struct store_request *r, unsigned status)
{
	json_t *rows = NULL, *o = NULL;
	enum err e = store_settle(w->store);

	if (e != ERR_OK)
		return e;
	if (r->newest.state == STATE_REFUSED) {
		reply_problem(j->x, err_from_word((const char *)r->newest.code.p, r->newest.code.n),
		        NULL);
		return ERR_OK;
	}
	if (r->newest.state != STATE_EXECUTED)
		return stored_state(w, j, r, status);
	if (!request_issues(r->type))
		e = stored_order(w, j, r, &o);
	else if ((e = answer_seats(w, j, r, &rows)) == ERR_OK)
		o = result_json(r->id, false, rows);
	if (e == ERR_OK)
		reply_json(j->x, status, o);
	json_decref(o);
	return e;
}
