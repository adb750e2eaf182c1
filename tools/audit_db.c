/* audit_db.c - one read-only transaction of one snapshot: every part of an audit sees the same
 * rows, whatever the service writes meanwhile. */
#include "audit.h"

#include <stdio.h>

/* the audit alone decides how long it may take; each page is asked for in the order of an index */
static const char settings[] =
        "-c statement_timeout=600s -c idle_in_transaction_session_timeout=0 "
        "-c plan_cache_mode=auto -c default_transaction_read_only=on -c jit=off "
        "-c enable_hashjoin=off -c max_parallel_workers_per_gather=0 -c work_mem=32MB";

enum err
audit_open(struct audit *a)
{
	const struct pg_session session = {
	        .conninfo = a->o->database, .application = "zz-audit", .settings = settings};
	struct pg_result *r;
	enum err e = pg_open(&session, &a->pg);

	if (e != ERR_OK)
		return e;
	if ((e = pg_script(a->pg, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")) != ERR_OK)
		return e;
	/* the snapshot is taken here */
	if ((e = audit_read_text(a,
	             "SELECT h.id, h.size, h.time, (SELECT count(*) FROM zz.log_head) "
	             "FROM zz.log_head h ORDER BY h.id LIMIT 1",
	             &r)) != ERR_OK)
		return e;
	if (pg_rows(r) != 1) {
		audit_differ(a, "log_head", "(row)", "id=1", "is missing");
	} else {
		struct pg_row row = pg_row(r, 0);
		int64_t id = pg_next_int(&row), rows;

		a->size = pg_next_uint(&row);
		a->time = pg_next_int(&row);
		rows = pg_next_int(&row);
		if (id != 1 || rows != 1)
			audit_differ_n(a, AUDIT_HEAD_ID, "id", (uint64_t)id, "one row, 1");
		e = pg_row_end(&row);
	}
	pg_result_free(r);
	return e;
}

enum err
audit_read(struct audit *a, const char *sql, int64_t first, int64_t second, struct pg_result **out)
{
	struct pg_params p;

	pg_params_init(&p);
	pg_put_int(&p, PG_INT8, first);
	pg_put_int(&p, PG_INT8, second);
	return pg_query(a->pg, sql, &p, out);
}

enum err
audit_read_text(struct audit *a, const char *sql, struct pg_result **out)
{
	return pg_query(a->pg, sql, NULL, out);
}
