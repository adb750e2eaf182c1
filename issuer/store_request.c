/* store_request.c - requests, what became of them, and approvals: rows are only added, and the
 * newest event of a request is its state. */
#include "store_internal.h"

#include <assert.h>
#include <string.h>

static const char *const state_words[] = {
        [STATE_WAITING] = "waiting",
        [STATE_EXECUTED] = "executed",
        [STATE_REFUSED] = "refused",
        [STATE_LAPSED] = "lapsed",
        [STATE_REJECTED] = "rejected",
        [STATE_WITHDRAWN] = "withdrawn",
        [STATE_APPROVED] = "approved",
};

const char *
store_state_word(enum store_state s)
{
	assert(s >= STATE_WAITING && s <= STATE_APPROVED);
	return state_words[s];
}

enum err
store_state_of(struct bytes word, enum store_state *out)
{
	for (enum store_state s = STATE_WAITING; s <= STATE_APPROVED; s++) {
		if (!bytes_equal_text(word, state_words[s]))
			continue;
		*out = s;
		return ERR_OK;
	}
	return ERR_INTERNAL;
}

static enum err
outcomes_read(struct pg_row *row, struct store_result *owner, struct store_event *out)
{
	struct pg_ints seats = pg_next_ints(row), outcomes = pg_next_ints(row);
	if (seats.count != outcomes.count)
		return ERR_INTERNAL;
	if (seats.count == 0)
		return ERR_OK;
	struct store_outcome *o = store_result_room(owner, seats.count, sizeof *o);
	if (o == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < seats.count; i++)
		o[i] = (struct store_outcome){
		        (uint32_t)pg_ints_get(&seats, i), (uint32_t)pg_ints_get(&outcomes, i)};
	out->outcomes = o;
	out->outcome_count = seats.count;
	return ERR_OK;
}

static enum err
request_read(struct pg_row *row, struct store_result *owner, void *out)
{
	struct store_request *r = out;
	r->id = pg_next_fixed(row, SHA256_BYTES);
	r->kid = pg_next_bytes(row);
	r->jti = pg_next_bytes(row);
	r->type = pg_next_bytes(row);
	r->center = pg_next_bytes(row);
	r->sender = pg_next_bytes(row);
	r->session = pg_next_bytes(row);
	r->jws = pg_next_bytes(row);
	r->exp = pg_next_int(row);
	r->received_at = pg_next_int(row);
	r->newest.request = pg_next_fixed(row, SHA256_BYTES);
	enum err e = store_state_of(pg_next_bytes(row), &r->newest.state);
	r->newest.code = pg_next_bytes(row);
	r->newest.at = pg_next_int(row);
	return e != ERR_OK ? e : outcomes_read(row, owner, &r->newest);
}

static const struct store_reader request_reader = {sizeof(struct store_request), request_read};

static struct store_requests
requests_of(const struct store_rows *r)
{
	return (struct store_requests){.rows = r->rows, .count = r->count, .owner = r->owner};
}

enum err
store_request_find(struct store *s, struct bytes kid, struct bytes jti, struct store_requests *out)
{
	struct pg_params p;
	struct store_rows rows;
	pg_params_init(&p);
	pg_put_bytes(&p, kid);
	pg_put_bytes(&p, jti);
	enum err e = store_read_one(s, SQL_REQUEST_FIND, &p, &request_reader, &rows);
	if (e == ERR_OK)
		*out = requests_of(&rows);
	return e;
}

enum err
store_request_get(struct store *s, struct bytes id, struct store_requests *out)
{
	struct pg_params p;
	struct store_rows rows;
	pg_params_init(&p);
	pg_put_bytes(&p, id);
	enum err e = store_read_one(s, SQL_REQUEST_GET, &p, &request_reader, &rows);
	if (e == ERR_OK)
		*out = requests_of(&rows);
	return e;
}

static enum err
waiting_read(struct store *s, enum store_sql id, int64_t now, struct bytes center,
        struct store_requests *out)
{
	struct pg_params p;
	struct store_rows rows;
	pg_params_init(&p);
	pg_put_int(&p, PG_INT8, now);
	pg_put_bytes(&p, center);
	pg_put_int(&p, PG_INT8, STORE_LIST_MAX);
	enum err e = store_read(s, id, &p, &request_reader, &rows);
	if (e == ERR_OK)
		*out = requests_of(&rows);
	return e;
}

enum err
store_waiting(struct store *s, int64_t now, struct bytes center, struct store_requests *out)
{
	return waiting_read(s, SQL_WAITING, now, center, out);
}

enum err
store_lapsing(struct store *s, int64_t now, struct store_requests *out)
{
	return waiting_read(s, SQL_LAPSING, now, BYTES_LIT(""), out);
}

static enum err
newest_read(struct store *s, enum store_sql id, int64_t now, struct store_requests *out)
{
	struct pg_params p;
	struct store_rows rows;
	pg_params_init(&p);
	pg_put_int(&p, PG_INT8, now);
	pg_put_int(&p, PG_INT8, STORE_LIST_MAX);
	enum err e = store_read(s, id, &p, &request_reader, &rows);
	if (e == ERR_OK)
		*out = requests_of(&rows);
	return e;
}

enum err
store_holds_waiting(struct store *s, int64_t now, struct store_requests *out)
{
	return newest_read(s, SQL_HOLDS_WAITING, now, out);
}

enum err
store_approved(struct store *s, int64_t now, struct store_requests *out)
{
	return newest_read(s, SQL_APPROVED, now, out);
}

enum err
store_put_requests(struct store *s, const struct store_request *rows, size_t count)
{
	struct pg_params p;
	if (count == 0)
		return ERR_OK;
	pg_params_init(&p);
	PG_COLUMN(&p, PG_BYTEA, rows, id, count);
	PG_COLUMN(&p, PG_TEXT, rows, kid, count);
	PG_COLUMN(&p, PG_TEXT, rows, jti, count);
	PG_COLUMN(&p, PG_TEXT, rows, type, count);
	PG_COLUMN(&p, PG_TEXT, rows, center, count);
	PG_COLUMN(&p, PG_TEXT, rows, sender, count);
	PG_COLUMN(&p, PG_TEXT, rows, session, count);
	PG_COLUMN(&p, PG_BYTEA, rows, jws, count);
	PG_COLUMN(&p, PG_INT8, rows, exp, count);
	PG_COLUMN(&p, PG_INT8, rows, received_at, count);
	enum err e = store_write(s, SQL_REQUESTS_PUT, &p, count);
	return e != ERR_OK ? e : store_put_lists(s, rows, count);
}

/* Slices: event i has the outcomes first[i]..last[i] of all, counted from 1; an empty slice is
 * n+1..n. */
static void
put_slices(struct pg_params *p, const struct store_event *rows, size_t count, bool last)
{
	size_t before = 0;
	pg_array(p, PG_INT4, count);
	for (size_t i = 0; i < count; i++) {
		pg_item_int(
		        p, PG_INT4, (int64_t)(last ? before + rows[i].outcome_count : before + 1));
		before += rows[i].outcome_count;
	}
}

static void
put_outcomes(struct pg_params *p, const struct store_event *rows, size_t count)
{
	size_t all = 0;
	for (size_t i = 0; i < count; i++)
		all += rows[i].outcome_count;
	pg_array(p, PG_INT4, all);
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < rows[i].outcome_count; j++)
			pg_item_int(p, PG_INT4, rows[i].outcomes[j].seat);
	pg_array(p, PG_INT2, all);
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < rows[i].outcome_count; j++)
			pg_item_int(p, PG_INT2, rows[i].outcomes[j].outcome);
}

enum err
store_put_events(struct store *s, const struct store_event *rows, size_t count)
{
	struct pg_params p;
	if (count == 0)
		return ERR_OK;
	pg_params_init(&p);
	PG_COLUMN(&p, PG_BYTEA, rows, request, count);
	pg_array(&p, PG_BOOL, count);
	for (size_t i = 0; i < count; i++)
		pg_item_int(&p, PG_BOOL, rows[i].first);
	pg_array(&p, PG_TEXT, count);
	for (size_t i = 0; i < count; i++)
		pg_item_bytes(&p, bytes_of_text(store_state_word(rows[i].state)));
	PG_COLUMN(&p, PG_TEXT, rows, code, count);
	PG_COLUMN(&p, PG_INT8, rows, at, count);
	put_slices(&p, rows, count, false);
	put_slices(&p, rows, count, true);
	put_outcomes(&p, rows, count);
	return store_write(s, SQL_EVENTS_PUT, &p, count);
}

enum err
store_request_put(
        struct store *s, const struct store_request *r, enum store_state state, const char *code)
{
	struct store_event first = {.request = r->id,
	        .first = true,
	        .state = state,
	        .code = bytes_of_text(code),
	        .at = r->received_at};
	enum err e = store_begin(s);
	if (e == ERR_OK && (e = store_put_requests(s, r, 1)) == ERR_OK)
		e = store_put_events(s, &first, 1);
	return store_end(s, e);
}

/* Under the head lock, so that it cannot cross an execution. */
static enum err
event_put(struct store *s, const struct store_event *event, const struct store_request *beside)
{
	struct store_event first = {.first = true, .state = STATE_EXECUTED};
	uint64_t size;
	int64_t time;
	enum err e = store_begin(s);
	if (e == ERR_OK && (e = store_lock_head(s, &size, &time)) == ERR_OK)
		e = store_put_events(s, event, 1);
	if (e == ERR_OK && beside != NULL && (e = store_put_requests(s, beside, 1)) == ERR_OK) {
		first.request = beside->id;
		first.at = event->at;
		e = store_put_events(s, &first, 1);
	}
	return store_end(s, e);
}

enum err
store_event_put(struct store *s, const struct store_event *event)
{
	return event_put(s, event, NULL);
}

enum err
store_withdraw(struct store *s, const struct store_request *by, const struct store_event *event)
{
	return event_put(s, event, by);
}

static MUST_USE enum err
approval_put(struct store *s, const struct store_approval *a)
{
	struct pg_params p;
	pg_params_init(&p);
	pg_put_bytes(&p, a->request);
	pg_put_bytes(&p, a->kid);
	pg_put_bytes(&p, a->jti);
	pg_put_bytes(&p, a->person);
	pg_put_bytes(&p, a->jws);
	pg_put_int(&p, PG_BOOL, a->approve);
	pg_put_int(&p, PG_INT8, a->exp);
	pg_put_int(&p, PG_INT8, a->received_at);
	return store_write(s, SQL_APPROVAL_PUT, &p, 1);
}

enum err
store_approval_put(struct store *s, const struct store_approval *a)
{
	enum err e = store_begin(s);
	return e == ERR_OK ? store_end(s, approval_put(s, a)) : e;
}

enum err
store_reject(struct store *s, const struct store_approval *a, const struct store_event *end)
{
	uint64_t size;
	int64_t time;
	enum err e = store_begin(s);
	if (e == ERR_OK && (e = store_lock_head(s, &size, &time)) == ERR_OK &&
	        (e = approval_put(s, a)) == ERR_OK)
		e = store_put_events(s, end, 1);
	return store_end(s, e);
}

static enum err
approval_read(struct pg_row *row, struct store_result *owner, void *out)
{
	(void)owner;
	struct store_approval *a = out;
	a->request = pg_next_fixed(row, SHA256_BYTES);
	a->kid = pg_next_bytes(row);
	a->jti = pg_next_bytes(row);
	a->person = pg_next_bytes(row);
	a->jws = pg_next_bytes(row);
	a->approve = pg_next_int(row) != 0;
	a->exp = pg_next_int(row);
	a->received_at = pg_next_int(row);
	return ERR_OK;
}

static const struct store_reader approval_reader = {sizeof(struct store_approval), approval_read};

enum err
store_approvals(struct store *s, struct bytes request, struct store_approvals *out)
{
	struct pg_params p;
	struct store_rows rows;
	pg_params_init(&p);
	pg_put_bytes(&p, request);
	enum err e = store_read(s, SQL_APPROVALS, &p, &approval_reader, &rows);
	if (e == ERR_OK)
		*out = (struct store_approvals){rows.rows, rows.count, rows.owner};
	return e;
}

enum err
store_approval_find(
        struct store *s, struct bytes kid, struct bytes jti, struct store_approvals *out)
{
	struct pg_params p;
	struct store_rows rows;
	pg_params_init(&p);
	pg_put_bytes(&p, kid);
	pg_put_bytes(&p, jti);
	enum err e = store_read_one(s, SQL_APPROVAL_FIND, &p, &approval_reader, &rows);
	if (e == ERR_OK)
		*out = (struct store_approvals){rows.rows, rows.count, rows.owner};
	return e;
}
