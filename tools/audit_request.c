/* audit_request.c - the pass over the requests, in the order in which they came: pages of whole
 * requests with their states, approvals, certificates and changes; and what hangs on nothing. */
#include "audit_page.h"

#include "date.h"
#include "holder.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off */
static const char cursor_sql[] =
	"DECLARE requests NO SCROLL CURSOR FOR SELECT r.id, octet_length(r.jws)::int8, r.received_at FROM zz.request r"
	" ORDER BY r.received_at, r.id";
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
static const char withdrawn_sql[] =
	"SELECT e.seq FROM zz.request_event e WHERE e.request = $1::bytea AND e.state = 'withdrawn'";
/* received before $1, and up to $2 */
static const char counts_sql[] =
	"SELECT (SELECT count(*) FROM zz.request r WHERE r.received_at < $1::int8),"
	" (SELECT count(*) FROM zz.approval p WHERE p.received_at < $1),"
	" (SELECT count(*) FROM zz.request r WHERE r.received_at <= $2::int8),"
	" (SELECT count(*) FROM zz.request_event x WHERE x.at <= $2),"
	" (SELECT count(*) FROM zz.approval p WHERE p.received_at <= $2)";
static const char status_sql[] =
	"SELECT v.status, v.at, v.request FROM zz.certificate_event v WHERE v.serial = $1::bytea ORDER BY v.idx";
static const char holder_sql[] =
	"SELECT coalesce(bool_or(c.item = $2::text AND c.exp > $3::int8 AND NOT EXISTS (SELECT FROM zz.certificate_event v"
	" WHERE v.serial = c.serial AND v.status IN (1, 3) AND v.at < $3 - 120)), false),"
	" coalesce(bool_or(EXISTS (SELECT FROM zz.certificate_event v WHERE v.serial = c.serial AND v.at <= $3 + 120"
	" AND v.ban_until > $4::int8)), false) FROM zz.certificate c WHERE c.holder_key = $1::bytea";
/* clang-format on */

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
			explained = explained || outcome_explained(u, outcome, (unsigned)was, ours);
		if (next > e->at + AUDIT_SLACK_S)
			break;
	}
	pg_result_free(r);
	if (!explained)
		unit_wrong(u, AUDIT_EVENT_OUTCOME, "the certificate's history says otherwise");
	return ERR_OK;
}

/* The holder had one, or was banned: asked where the pepper is known. */
static enum err
holder_check(struct audit *a, struct unit *u, const struct request_seat *s,
        const struct unit_event *e, int32_t outcome)
{
	uint8_t holder[SHA256_BYTES];
	struct pg_params p;
	struct pg_result *r;
	struct document d;
	bool held, banned;
	enum err fault;

	if (document_check(s->doc_type, s->doc_number, &d) != ERR_OK)
		return ERR_OK;
	holder_hmac(bytes_of(a->pepper, sizeof a->pepper), bytes_of_text(d.type),
	        bytes_of_text(d.number), holder);
	pg_params_init(&p);
	pg_put_bytes(&p, bytes_of(holder, sizeof holder));
	pg_put_bytes(&p, u->r.session.item);
	pg_put_int(&p, PG_INT8, e->at);
	pg_put_int(&p, PG_INT8, date_shanghai(e->at));
	if ((fault = pg_query(a->pg, holder_sql, &p, &r)) != ERR_OK)
		return fault;
	struct pg_row row = pg_row(r, 0);

	held = pg_next_int(&row) != 0;
	banned = pg_next_int(&row) != 0;
	pg_result_free(r);
	if (outcome == OUTCOME_BANNED ? !banned : !held)
		unit_wrong(u, AUDIT_EVENT_OUTCOME, "the holder's certificates say otherwise");
	return ERR_OK;
}

static enum err
holders_check(struct audit *a, struct unit *u)
{
	enum err e = ERR_OK;

	for (size_t i = 0; i < u->event_count; i++)
		for (size_t k = 0; e == ERR_OK && k < u->events[i].seat.count; k++) {
			int32_t outcome = pg_ints_get(&u->events[i].outcome, k);
			int32_t number = pg_ints_get(&u->events[i].seat, k);
			const struct request_seat *s = NULL;

			if (outcome != OUTCOME_BANNED && outcome != OUTCOME_ALREADY_HOLDS)
				continue;
			for (size_t n = 0; n < u->r.seat_count; n++)
				if ((int32_t)u->r.seats[n].seat == number)
					s = &u->r.seats[n];
			if (s != NULL)
				e = holder_check(a, u, s, &u->events[i], outcome);
		}
	return e;
}

/* What was withdrawn says so. */
static enum err
withdrawn_check(struct audit *a, const struct unit *u)
{
	char key[2 * SHA256_BYTES + 10] = "request=";
	struct pg_params p;
	struct pg_result *r;
	enum err e;

	pg_params_init(&p);
	pg_put_bytes(&p, bytes_of(u->r.withdraws, SHA256_BYTES));
	if ((e = pg_query(a->pg, withdrawn_sql, &p, &r)) != ERR_OK)
		return e;
	hex_encode(bytes_of(u->r.withdraws, SHA256_BYTES), key + 8);
	if (pg_rows(r) == 0) {
		audit_differ_at(a, AUDIT_EVENT_STATE, key, "it was withdrawn");
		audit_differ_at(a, AUDIT_EVENT_REQUEST, key, "it was withdrawn");
	}
	pg_result_free(r);
	return ERR_OK;
}

static enum err
outcomes_check(struct audit *a, struct unit *u)
{
	enum err e = ERR_OK;

	if (u->open && u->r.type == REQUEST_WITHDRAW && u->event_count > 0 &&
	        u->events[0].state == UNIT_EXECUTED)
		return withdrawn_check(a, u);

	if (u->open && u->r.type == REQUEST_ISSUE && a->has_pepper)
		return holders_check(a, u);
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
	audit_page_end(p);
	return e;
}

static enum err
pages_run(struct audit *a, struct page *pages, struct ids *ids)
{
	struct page *now = &pages[0], *next = &pages[1], *swap;
	enum err e = audit_page_read(a, now, ids);

	while (e == ERR_OK && now->count > 0) {
		audit_pool_start(a->pool, unit_work, now, now->count);
		e = audit_page_read(a, next, ids);
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
		/* a withdrawal may be another's */
		if (kind == 3)
			audit_differ_at(a, AUDIT_EVENT_REQUEST, text, why[kind]);
		/* one of both: the row is gone, or this one names another */
		if (kind == 0)
			audit_differ(a, "request", "(row)", text, "is missing, its states name it");
		audit_differ_at(a, column[kind], text, why[kind]);
	}
	pg_result_free(r);
	return ERR_OK;
}

static MUST_USE enum err
counts_read(struct audit *a, struct audit_last *l)
{
	struct pg_result *r;
	enum err e = audit_read(a, counts_sql, l->time - FINAL_S, l->seen_at, &r);

	if (e != ERR_OK)
		return e;
	struct pg_row row = pg_row(r, 0);

	l->requests = pg_next_uint(&row);
	l->approvals = pg_next_uint(&row);
	l->seen_requests = pg_next_uint(&row);
	l->seen_events = pg_next_uint(&row);
	l->seen_approvals = pg_next_uint(&row);
	pg_result_free(r);
	return ERR_OK;
}

/* What was final at the last audit is still there, row for row by number; and of what was there,
 * nothing went: rows are only added. */
static enum err
counts_check(struct audit *a, const struct ids *ids)
{
	static const char final[] = "below the last audit", seen[] = "at the last audit",
	                  other[] = "another number", fewer[] = "fewer than there were";
	struct audit_last before = a->last, still = before;
	enum err e;

	a->last.time = a->time;
	a->last.seen_at = a->o->now;
	if ((e = counts_read(a, &a->last)) != ERR_OK || before.size == 0)
		return e;
	if ((e = counts_read(a, &still)) != ERR_OK)
		return e;
	if (still.requests != before.requests || ids->skipped != still.requests)
		audit_differ(a, "request", "(row)", final, other);
	if (still.approvals != before.approvals)
		audit_differ(a, "approval", "(row)", final, other);
	if (still.seen_requests < before.seen_requests)
		audit_differ(a, "request", "(row)", seen, fewer);
	if (still.seen_events < before.seen_events)
		audit_differ(a, "request_event", "(row)", seen, fewer);
	if (still.seen_approvals < before.seen_approvals)
		audit_differ(a, "approval", "(row)", seen, fewer);
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
		audit_page_end(&pages[0]);
		audit_page_end(&pages[1]);
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
