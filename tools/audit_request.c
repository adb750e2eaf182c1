/* audit_request.c - the pass over the requests, in the order in which they came: pages of whole
 * requests with their states, approvals, certificates and changes; and what hangs on nothing. */
#include "audit_request.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	UNITS_MAX = 512,
	IDS_MAX = 2048,
	BYTES_MAX = 3 * 1024 * 1024,
	FINAL_S = 9 * 24 * 3600, /* a request lives 7 days: older ones change no more */
};

/* clang-format off */
static const char cursor_sql[] =
	"DECLARE requests NO SCROLL CURSOR FOR SELECT r.id, octet_length(r.jws)::int8, r.received_at FROM zz.request r"
	" ORDER BY r.received_at, r.id";
static const char requests_sql[] =
	"SELECT r.id, r.kid, r.jti, r.type, r.center, r.sender, r.session, r.jws, r.exp, r.received_at FROM zz.request r"
	" WHERE r.id = ANY($1::bytea[]) ORDER BY r.id";
static const char events_sql[] =
	"SELECT e.request, e.seq, e.state, e.code, e.at, e.seat, e.outcome FROM zz.request_event e"
	" WHERE e.request = ANY($1::bytea[]) ORDER BY e.request, e.seq";
static const char approvals_sql[] =
	"SELECT a.request, a.kid, a.jti, a.person, a.jws, a.approve, a.exp, a.received_at FROM zz.approval a"
	" WHERE a.request = ANY($1::bytea[]) ORDER BY a.request, a.received_at, a.kid";
static const char certificates_sql[] =
	"SELECT c.request, c.idx, c.seat, c.record, coalesce(e.note, ''::bytea), coalesce(o.record, ''::bytea)"
	" FROM zz.certificate c LEFT JOIN zz.log_entry e ON e.idx = c.idx"
	" LEFT JOIN zz.certificate_event v ON v.idx = c.idx + 1 AND v.status = 3 AND v.request = c.request"
	" LEFT JOIN zz.certificate o ON o.serial = v.serial WHERE c.request = ANY($1::bytea[]) ORDER BY c.request, c.idx";
static const char changes_sql[] =
	"SELECT v.request, v.idx, v.serial, v.status, coalesce(v.reason, -1::int2), v.effective, coalesce(v.until, -1::int8),"
	" v.at, coalesce(e.note, ''::bytea), coalesce(v.ban_until, -1) FROM zz.certificate_event v LEFT JOIN zz.log_entry e ON e.idx = v.idx"
	" WHERE v.request = ANY($1::bytea[]) ORDER BY v.request, v.idx";
static const char lists_sql[] =
	"SELECT l.request, l.serials, l.sha256 FROM zz.request_list l WHERE l.request = ANY($1::bytea[]) ORDER BY l.request";
/* $1 and $2 take part only in name */
static const char orphans_sql[] =
	"SELECT 0::int8, encode(e.request, 'hex') FROM zz.request_event e WHERE $1::int8 = $2::int8"
	" AND NOT EXISTS (SELECT FROM zz.request r WHERE r.id = e.request)"
	" UNION ALL SELECT 1, encode(a.request, 'hex') || ' kid ' || a.kid FROM zz.approval a"
	" WHERE NOT EXISTS (SELECT FROM zz.request r WHERE r.id = a.request)"
	" UNION ALL SELECT 2, encode(a.request, 'hex') || ' kid ' || a.kid FROM zz.approval a JOIN zz.request r"
	" ON r.kid = a.kid AND r.jti = a.jti"
	" UNION ALL SELECT 4, encode(l.request, 'hex') FROM zz.request_list l"
	" WHERE NOT EXISTS (SELECT FROM zz.request r WHERE r.id = l.request)"
	" UNION ALL SELECT 3, encode(e.request, 'hex') FROM zz.request_event e JOIN zz.request r ON r.id = e.request"
	" WHERE e.state = 'withdrawn' AND NOT EXISTS (SELECT FROM zz.request w JOIN zz.request_event x ON x.request = w.id"
	" WHERE w.type = 'withdraw' AND w.sender = r.sender AND x.state = 'executed' AND x.at >= e.at"
	" AND x.at <= e.at + 60)";
/* an outcome of an order against what the log did to the certificate before, within a minute */
static const char status_sql[] =
	"SELECT v.status, v.at, v.request FROM zz.certificate_event v WHERE v.serial = $1::bytea ORDER BY v.idx";
/* clang-format on */

enum part { REQUESTS, EVENTS, APPROVALS, CERTIFICATES, CHANGES, LISTS, PARTS };

struct page {
	struct audit *a;
	struct unit units[UNITS_MAX];
	size_t count;
	struct pg_result *r[PARTS];
	struct unit_event *events;
	struct unit_approval *approvals;
	struct unit_certificate *certificates;
	struct unit_change *changes;
};

struct ids { /* what the cursor gave */
	uint8_t id[IDS_MAX][SHA256_BYTES];
	uint32_t bytes[IDS_MAX];
	size_t count, next;
	bool end;
	uint64_t seen, skipped;
};

static void
page_end(struct page *p)
{
	for (size_t i = 0; i < p->count; i++)
	{
		if (p->units[i].open)
			request_free(&p->units[i].r);
		audit_map_free(&p->units[i].name_at);
	}
	for (int i = 0; i < PARTS; i++)
		pg_result_free(p->r[i]);
	free(p->events);
	free(p->approvals);
	free(p->certificates);
	free(p->changes);
	memset(p->r, 0, sizeof p->r);
	p->events = NULL;
	p->approvals = NULL;
	p->certificates = NULL;
	p->changes = NULL;
	p->count = 0;
}

static enum err
ids_read(struct audit *a, struct ids *ids)
{
	struct pg_result *r;
	enum err e = audit_read_text(a, "FETCH 2048 FROM requests", &r);

	if (e != ERR_OK)
		return e;
	ids->count = ids->next = 0;
	ids->end = pg_rows(r) == 0;
	for (size_t i = 0; i < pg_rows(r); i++) {
		struct pg_row row = pg_row(r, i);
		struct bytes id = pg_next_fixed(&row, SHA256_BYTES);
		uint64_t bytes = pg_next_uint(&row);
		int64_t received = pg_next_int(&row);
		struct audit_group *g;

		if (id.n != SHA256_BYTES)
			continue;
		ids->seen++;
		/* a request that was final when it was audited is there: that is all */
		if (a->last.size != 0 && received < a->last.time - FINAL_S) {
			ids->skipped++;
			if ((g = audit_group_find(a, id.p)) != NULL)
				g->met = true;
			continue;
		}
		memcpy(ids->id[ids->count], id.p, SHA256_BYTES);
		ids->bytes[ids->count++] = (uint32_t)bytes;
	}
	pg_result_free(r);
	return ERR_OK;
}

/* As many as fit into a page; at least one. */
static size_t
ids_cut(const struct ids *ids)
{
	size_t n = 0, bytes = 0;

	while (ids->next + n < ids->count && n < UNITS_MAX &&
	        (n == 0 || bytes + ids->bytes[ids->next + n] <= BYTES_MAX))
		bytes += ids->bytes[ids->next + n++];
	return n;
}

static enum err
parts_read(struct audit *a, struct page *p, const struct ids *ids, size_t count)
{
	static const char *const sql[PARTS] = {
	        requests_sql, events_sql, approvals_sql, certificates_sql, changes_sql,
	        lists_sql};
	enum err e = ERR_OK;

	for (int i = 0; e == ERR_OK && i < PARTS; i++) {
		struct pg_params params;

		pg_params_init(&params);
		pg_array(&params, PG_BYTEA, count);
		for (size_t k = 0; k < count; k++)
			pg_item_bytes(&params, bytes_of(ids->id[ids->next + k], SHA256_BYTES));
		e = pg_query(a->pg, sql[i], &params, &p->r[i]);
	}
	return e;
}

static void
requests_take(struct page *p)
{
	for (size_t i = 0; i < pg_rows(p->r[REQUESTS]) && p->count < UNITS_MAX; i++) {
		struct pg_row row = pg_row(p->r[REQUESTS], i);
		struct unit *u = &p->units[p->count++];

		memset(u, 0, sizeof *u);
		u->a = p->a;
		u->id = pg_next_bytes(&row);
		u->kid = pg_next_bytes(&row);
		u->jti = pg_next_bytes(&row);
		u->type = pg_next_bytes(&row);
		u->center = pg_next_bytes(&row);
		u->sender = pg_next_bytes(&row);
		u->session = pg_next_bytes(&row);
		u->jws = pg_next_bytes(&row);
		u->exp = pg_next_int(&row);
		u->received = pg_next_int(&row);
		audit_rosters_at(p->a, u->received, &u->rosters);
	}
}

/* Both are in order of the id: the unit of a row is at or after that of the row before. */
static struct unit *
unit_of(struct page *p, size_t *at, struct bytes id)
{
	while (*at < p->count && bytes_compare(p->units[*at].id, id) < 0)
		++*at;
	return *at < p->count && bytes_equal(p->units[*at].id, id) ? &p->units[*at] : NULL;
}

static enum audit_state
state_of(struct bytes word)
{
	static const char *const words[] = {[UNIT_WAITING] = "waiting",
	        [UNIT_EXECUTED] = "executed",
	        [UNIT_REFUSED] = "refused",
	        [UNIT_LAPSED] = "lapsed",
	        [UNIT_REJECTED] = "rejected",
	        [UNIT_WITHDRAWN] = "withdrawn",
	        [UNIT_APPROVED] = "approved"};

	for (unsigned i = UNIT_WAITING; i <= UNIT_APPROVED; i++)
		if (bytes_equal_text(word, words[i]))
			return (enum audit_state)i;
	return 0;
}

static void
events_take(struct page *p)
{
	size_t n = pg_rows(p->r[EVENTS]), at = 0;

	p->events = audit_grow(NULL, n, sizeof *p->events);
	for (size_t i = 0; i < n; i++) {
		struct pg_row row = pg_row(p->r[EVENTS], i);
		struct unit *u = unit_of(p, &at, pg_next_bytes(&row));
		struct unit_event *e = &p->events[i];

		e->seq = pg_next_int(&row);
		e->state = state_of(pg_next_bytes(&row));
		e->code = pg_next_bytes(&row);
		e->at = pg_next_int(&row);
		e->seat = pg_next_ints(&row);
		e->outcome = pg_next_ints(&row);
		if (u != NULL && u->event_count++ == 0)
			u->events = e;
		if (e->seat.count != e->outcome.count) {
			e->seat.count = e->outcome.count = 0;
			if (u != NULL) {
				unit_wrong(u, AUDIT_EVENT_SEAT, "as many seats as outcomes");
				unit_wrong(u, AUDIT_EVENT_OUTCOME, NULL);
			}
		}
		if (u != NULL && (e->state == UNIT_EXECUTED || e->state == UNIT_APPROVED)) {
			struct audit_rosters r;

			audit_rosters_at(p->a, e->at, &r);
			u->executed_under[0] = r.r[0];
			u->executed_under[1] = r.r[1];
		}
	}
}

static void
approvals_take(struct page *p)
{
	size_t n = pg_rows(p->r[APPROVALS]), at = 0;

	p->approvals = audit_grow(NULL, n, sizeof *p->approvals);
	memset(p->approvals, 0, n * sizeof *p->approvals);
	for (size_t i = 0; i < n; i++) {
		struct pg_row row = pg_row(p->r[APPROVALS], i);
		struct unit *u = unit_of(p, &at, pg_next_bytes(&row));
		struct unit_approval *x = &p->approvals[i];

		x->kid = pg_next_bytes(&row);
		x->jti = pg_next_bytes(&row);
		x->person = pg_next_bytes(&row);
		x->jws = pg_next_bytes(&row);
		x->approve = pg_next_int(&row) != 0;
		x->exp = pg_next_int(&row);
		x->received = pg_next_int(&row);
		audit_rosters_at(p->a, x->received, &x->rosters);
		if (u != NULL && u->approval_count++ == 0)
			u->approvals = x;
	}
}

static void
certificates_take(struct page *p)
{
	size_t n = pg_rows(p->r[CERTIFICATES]), at = 0;

	p->certificates = audit_grow(NULL, n, sizeof *p->certificates);
	for (size_t i = 0; i < n; i++) {
		struct pg_row row = pg_row(p->r[CERTIFICATES], i);
		struct unit *u = unit_of(p, &at, pg_next_bytes(&row));
		struct unit_certificate *c = &p->certificates[i];

		c->index = pg_next_uint(&row);
		c->seat = pg_next_int(&row);
		c->record = pg_next_bytes(&row);
		c->note = pg_next_bytes(&row);
		c->old = pg_next_bytes(&row);
		if (u != NULL && u->certificate_count++ == 0)
			u->certificates = c;
	}
}

static void
changes_take(struct page *p)
{
	size_t n = pg_rows(p->r[CHANGES]), at = 0;

	p->changes = audit_grow(NULL, n, sizeof *p->changes);
	for (size_t i = 0; i < n; i++) {
		struct pg_row row = pg_row(p->r[CHANGES], i);
		struct unit *u = unit_of(p, &at, pg_next_bytes(&row));
		struct unit_change *c = &p->changes[i];

		c->index = pg_next_uint(&row);
		c->serial = pg_next_bytes(&row);
		c->status = pg_next_int(&row);
		c->reason = pg_next_int(&row);
		c->effective = pg_next_int(&row);
		c->until = pg_next_int(&row);
		c->at = pg_next_int(&row);
		c->note = pg_next_bytes(&row);
		c->ban = pg_next_int(&row);
		if (u != NULL && u->change_count++ == 0)
			u->changes = c;
	}
}

static void
lists_take(struct page *p)
{
	size_t at = 0;

	for (size_t i = 0; i < pg_rows(p->r[LISTS]); i++) {
		struct pg_row row = pg_row(p->r[LISTS], i);
		struct unit *u = unit_of(p, &at, pg_next_bytes(&row));

		if (u == NULL)
			continue;
		u->list = pg_next_bytes(&row);
		u->list_sha256 = pg_next_bytes(&row);
	}
}

static void
stops_take(struct page *p)
{
	size_t count;
	const struct audit_stop *stops = audit_stops(p->a, &count);

	for (size_t i = 0; i < p->count; i++)
		for (size_t k = 0; k < count; k++)
			if (stops[k].e.type == ENTRY_STOP &&
			        bytes_equal(p->units[i].id,
			                bytes_of(stops[k].e.request, SHA256_BYTES)))
				p->units[i].stop = &stops[k];
}

static enum err
page_read(struct audit *a, struct page *p, struct ids *ids)
{
	size_t n;
	enum err e = ERR_OK;

	p->a = a;
	while (e == ERR_OK && !ids->end && ids->next == ids->count)
		e = ids_read(a, ids);
	if (e != ERR_OK || ids->end)
		return e;
	n = ids_cut(ids);
	e = parts_read(a, p, ids, n);
	ids->next += n;
	if (e != ERR_OK)
		return e;
	requests_take(p);
	events_take(p);
	approvals_take(p);
	certificates_take(p);
	changes_take(p);
	lists_take(p);
	stops_take(p);
	return ERR_OK;
}

static void
unit_work(void *page, size_t i)
{
	struct page *p = page;

	unit_check(&p->units[i]);
}

/* ---- outcomes of orders, which other entries explain ---- */

static bool
outcome_explained(const struct unit *u, int32_t outcome, unsigned status, bool ours)
{
	enum request_type t = u->r.type;
	const struct field_ground *g = field_ground(u->a->field, u->r.ground);
	bool follows = t == REQUEST_REVOKE && g != NULL && g->effect == EFFECT_FOLLOWS;

	if (outcome == OUTCOME_ALREADY)
		return (t == REQUEST_REVOKE && status == STATUS_INVALID) ||
		       (t == REQUEST_SUSPEND && status == STATUS_SUSPENDED) ||
		       (t == REQUEST_REINSTATE && status == STATUS_VALID);
	if (outcome == OUTCOME_NO_MOVE)
		return status == STATUS_SUPERSEDED || (follows && status != STATUS_INVALID) ||
		       (status == STATUS_INVALID && t != REQUEST_REVOKE) ||
		       (t == REQUEST_SUSPEND && status == STATUS_VALID && ours);
	return status == STATUS_VALID;
}

/* Some status of the minute before the answer explains it. */
static enum err
outcome_check(struct audit *a, struct unit *u, const struct unit_event *e, size_t k)
{
	int32_t at = pg_ints_get(&e->seat, k), outcome = pg_ints_get(&e->outcome, k);
	bool explained = false, ours = false;
	unsigned status = STATUS_VALID;
	struct pg_params p;
	struct pg_result *r;
	enum err fault;

	if (at < 0 || (size_t)at >= u->names.n / 16)
		return ERR_OK;
	pg_params_init(&p);
	pg_put_bytes(&p, bytes_of(u->names.p + 16 * at, 16));
	if ((fault = pg_query(a->pg, status_sql, &p, &r)) != ERR_OK)
		return fault;
	for (size_t i = 0; i <= pg_rows(r); i++) {
		struct pg_row row = {0};
		int64_t next = INT64_MAX, was = status;

		if (i < pg_rows(r)) {
			row = pg_row(r, i);
			status = (unsigned)pg_next_int(&row);
			next = pg_next_int(&row);
			ours = ours || bytes_equal(pg_next_bytes(&row), u->id);
		}
		/* `was` held until `next` */
		if (next >= e->at - AUDIT_SLACK_S)
			explained = explained || outcome_explained(u, outcome,
			                                 (unsigned)was, ours);
		if (next > e->at + AUDIT_SLACK_S)
			break;
	}
	pg_result_free(r);
	if (!explained)
		unit_wrong(u, AUDIT_EVENT_OUTCOME, "the certificate's history says otherwise");
	return ERR_OK;
}

static enum err
outcomes_check(struct audit *a, struct unit *u)
{
	enum err e = ERR_OK;

	if (!u->open || u->names.n == 0 || u->r.type == REQUEST_REPLACE)
		return ERR_OK;
	for (size_t i = 0; i < u->event_count; i++)
		for (size_t k = 0; e == ERR_OK && k < u->events[i].seat.count &&
		                   k < u->events[i].outcome.count;
		        k++)
			e = outcome_check(a, u, &u->events[i], k);
	return e;
}

static enum err
page_tell(struct audit *a, struct page *p)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < p->count; i++) {
		struct unit *u = &p->units[i];
		struct audit_group *g =
			u->id.n == SHA256_BYTES ? audit_group_find(a, u->id.p) : NULL;
		char key[2 * SHA256_BYTES + 8];

		for (; g != NULL && g < a->log->groups + a->log->group_count &&
		        memcmp(g->request, u->id.p, SHA256_BYTES) == 0;
		        g++)
			g->met = true;
		e = outcomes_check(a, u);
		memcpy(key, "id=", 3);
		hex_encode(u->id, key + 3);
		audit_found_tell(a, &u->found, key, u->why);
	}
	page_end(p);
	return e;
}

static enum err
pages_run(struct audit *a, struct page *pages, struct ids *ids)
{
	struct page *now = &pages[0], *next = &pages[1], *swap;
	enum err e = page_read(a, now, ids);

	while (e == ERR_OK && now->count > 0) {
		audit_pool_start(a->pool, unit_work, now, now->count);
		e = page_read(a, next, ids);
		audit_pool_wait(a->pool);
		audit_step(a, ids->seen - (ids->count - ids->next));
		if (e == ERR_OK)
			e = page_tell(a, now);
		swap = now;
		now = next;
		next = swap;
	}
	return e;
}

/* Requests that the log names and the database lacks. */
static void
groups_tell(struct audit *a)
{
	for (size_t i = 0; i < a->log->group_count; i++) {
		const struct audit_group *g = &a->log->groups[i];
		char key[2 * SHA256_BYTES + 8];

		if (g->met)
			continue;
		memcpy(key, "id=", 3);
		hex_encode(bytes_of(g->request, SHA256_BYTES), key + 3);
		audit_differ(a, "request", "(row)", key, "is missing, the log names it");
	}
}

static enum err
orphans_tell(struct audit *a)
{
	static const enum audit_column column[] = {AUDIT_EVENT_REQUEST, AUDIT_APPROVAL_REQUEST,
	        AUDIT_APPROVAL_JTI, AUDIT_EVENT_STATE, AUDIT_LIST_REQUEST};
	static const char *const why[] = {"no such request", "no such request",
	        "a request has this jti", "nobody withdrew it", "no such request"};
	struct pg_result *r;
	enum err e = audit_read(a, orphans_sql, 0, 0, &r);

	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < pg_rows(r); i++) {
		struct pg_row row = pg_row(r, i);
		size_t kind = (size_t)pg_next_int(&row);
		struct bytes key = pg_next_bytes(&row);
		char text[160];

		snprintf(text, sizeof text, "request=%.*s", (int)key.n, (const char *)key.p);
		audit_differ_at(a, column[kind], text, why[kind]);
	}
	pg_result_free(r);
	return ERR_OK;
}

/* What was final at the last audit is still there, row for row by number. */
static enum err
counts_check(struct audit *a, const struct ids *ids)
{
	static const char sql[] = "SELECT count(*), (SELECT count(*) FROM zz.approval p WHERE "
	                          "p.received_at < $2::int8) FROM zz.request r WHERE "
	                          "r.received_at < $1::int8";
	int64_t old = a->last.time - FINAL_S, now = a->time - FINAL_S;
	struct pg_result *r;
	uint64_t requests, approvals;
	enum err e;

	if (a->last.size != 0) {
		if ((e = audit_read(a, sql, old, old, &r)) != ERR_OK)
			return e;
		struct pg_row row = pg_row(r, 0);

		requests = pg_next_uint(&row);
		approvals = pg_next_uint(&row);
		pg_result_free(r);
		if (requests != a->last.requests || ids->skipped != requests)
			audit_differ(a, "request", "(row)", "below the last audit",
			        "another number");
		if (approvals != a->last.approvals)
			audit_differ(a, "approval", "(row)", "below the last audit",
			        "another number");
	}
	if ((e = audit_read(a, sql, now, now, &r)) != ERR_OK)
		return e;
	struct pg_row row = pg_row(r, 0);

	a->last.requests = pg_next_uint(&row);
	a->last.approvals = pg_next_uint(&row);
	pg_result_free(r);
	return ERR_OK;
}

enum err
audit_requests_run(struct audit *a)
{
	struct page *pages = calloc(2, sizeof *pages);
	struct ids *ids = calloc(1, sizeof *ids);
	struct pg_result *r;
	enum err e = pages == NULL || ids == NULL
	                     ? ERR_MEMORY
	                     : audit_read_text(a, "SELECT count(*) FROM zz.request", &r);

	if (e == ERR_OK) {
		struct pg_row row = pg_row(r, 0);

		audit_phase(a, "requests", pg_next_uint(&row));
		pg_result_free(r);
		if ((e = pg_script(a->pg, cursor_sql)) == ERR_OK)
			e = pages_run(a, pages, ids);
		page_end(&pages[0]);
		page_end(&pages[1]);
	}
	if (e == ERR_OK) {
		groups_tell(a);
		if ((e = orphans_tell(a)) == ERR_OK)
			e = counts_check(a, ids);
	}
	free(pages);
	free(ids);
	return e;
}
