/* audit_page.c - reads requests page by page: states, approvals, certificates, changes and lists of
 * each stand beside it, and nothing of another's. */
#include "audit_page.h"

#include "date.h"
#include "holder.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off */
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
/* clang-format on */

void
audit_page_end(struct page *p)
{
	for (size_t i = 0; i < p->count; i++) {
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
	        requests_sql, events_sql, approvals_sql, certificates_sql, changes_sql, lists_sql};
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
			        bytes_equal(
			                p->units[i].id, bytes_of(stops[k].e.request, SHA256_BYTES)))
				p->units[i].stop = &stops[k];
}

enum err
audit_page_read(struct audit *a, struct page *p, struct ids *ids)
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
