/* pg.c - the only file that sees libpq: no statement runs unprepared but migrations, no wait is
 * without an end, and a COMMIT counts only when the server said COMMIT and nothing else. */
#include "pg.h"
#include "log.h"

#include <assert.h>
#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	ANSWER_MS_MAX =
	        35 * 1000, /* longer than statement_timeout: the server is stopped or gone */
	SQLSTATE_CHARS = 5,
	VERSION_MIN = 150000,
};

struct pg {
	PGconn *c;   /* NULL once lost */
	bool warned; /* a WARNING came since this was last cleared */
	char sqlstate[SQLSTATE_CHARS + 1];
};

static const char settings[] =
        "-c statement_timeout=30s -c lock_timeout=5s "
        "-c idle_in_transaction_session_timeout=5s -c plan_cache_mode=force_generic_plan "
        "-c search_path= -c datestyle=ISO";

static const struct {
	const char *prefix; /* of the SQLSTATE */
	enum err e;
	bool quiet; /* the caller expects it */
} states[] = {
        {"23505", ERR_EXISTS, true},
        {"23503", ERR_NOT_FOUND, true},
        {"55P03", ERR_BUSY, true},
        {"ZZ002", ERR_MOVE, false},
        {"ZZ003", ERR_SIZE, false},
        {"ZZ004", ERR_NOT_WAITING, true},
        {"ZZ005", ERR_APPROVAL_PERSON, true},
        {"22021", ERR_VALUE, false}, /* character not in repertoire */
        {"40", ERR_DATABASE, false}, /* serialization, deadlock */
        {"57", ERR_DATABASE, false}, /* cancelled, shutting down */
        {"53", ERR_DATABASE, false}, /* out of disk, memory, connections */
        {"58", ERR_DATABASE, false}, /* I/O */
        {"08", ERR_DATABASE, false}, /* connection */
        {"25P03", ERR_DATABASE, false},
};

static void
on_notice(void *context, const PGresult *r)
{
	struct pg *pg = context;
	const char *severity = PQresultErrorField(r, PG_DIAG_SEVERITY_NONLOCALIZED);
	if (severity == NULL || strcmp(severity, "WARNING") != 0)
		return;
	pg->warned = true;
	const char *text = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
	log_note("database_warning", "text=\"%s\"", text == NULL ? "" : text);
}

static void
connection_drop(struct pg *pg)
{
	PQfinish(pg->c);
	pg->c = NULL;
}

/* Waits until a result can be taken without blocking. False when the connection is lost or the
 * server silent. */
static bool
answer_wait(struct pg *pg)
{
	while (PQisBusy(pg->c)) {
		struct pollfd f = {.fd = PQsocket(pg->c), .events = POLLIN};
		int n = poll(&f, 1, ANSWER_MS_MAX);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			log_fault("database_silent", "waited_ms=%d", ANSWER_MS_MAX);
			return false;
		}
		if (!PQconsumeInput(pg->c))
			return false;
	}
	return true;
}

/* Takes all results of what was sent: the first error, else the last one. NULL when the connection
 * is lost. */
static PGresult *
answer_take(struct pg *pg)
{
	PGresult *kept = NULL;
	while (answer_wait(pg)) {
		PGresult *r = PQgetResult(pg->c);
		if (r == NULL && PQstatus(pg->c) == CONNECTION_OK && kept != NULL)
			return kept;
		if (r == NULL)
			break;
		if (kept != NULL && PQresultStatus(kept) == PGRES_FATAL_ERROR) {
			PQclear(r);
			continue;
		}
		PQclear(kept);
		kept = r;
	}
	const char *state = kept == NULL ? NULL : PQresultErrorField(kept, PG_DIAG_SQLSTATE);
	snprintf(pg->sqlstate, sizeof pg->sqlstate, "%s", state == NULL ? "" : state);
	log_fault("database_lost", "sqlstate=%s", pg->sqlstate);
	PQclear(kept);
	connection_drop(pg);
	return NULL;
}

static enum err
state_map(struct pg *pg, const PGresult *r)
{
	const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
	const char *text = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
	const char *table = PQresultErrorField(r, PG_DIAG_TABLE_NAME);
	snprintf(pg->sqlstate, sizeof pg->sqlstate, "%s", state == NULL ? "" : state);
	enum err e = ERR_INTERNAL;
	bool quiet = false;
	for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
		if (strncmp(pg->sqlstate, states[i].prefix, strlen(states[i].prefix)) != 0)
			continue;
		e = states[i].e;
		quiet = states[i].quiet;
		break;
	}
	/* never the DETAIL: it quotes rows */
	if (!quiet)
		log_fault("database_error", "sqlstate=%s table=%s text=\"%s\"", pg->sqlstate,
		        table == NULL ? "" : table, text == NULL ? "" : text);
	return e;
}

static enum err
answer_check(struct pg *pg, PGresult *r, struct pg_result **out)
{
	if (r == NULL)
		return ERR_DATABASE;
	ExecStatusType status = PQresultStatus(r);
	enum err e =
	        status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK ? ERR_OK : state_map(pg, r);
	if (e != ERR_OK || out == NULL) {
		PQclear(r);
		return e;
	}
	*out = (struct pg_result *)r;
	return ERR_OK;
}

static enum err
send_failed(struct pg *pg)
{
	pg->sqlstate[0] = 0;
	log_fault("database_lost", "when=send");
	connection_drop(pg);
	return ERR_DATABASE;
}

struct wire { /* parameters as libpq takes them */
	const char *values[PG_PARAMS_MAX];
	int lengths[PG_PARAMS_MAX], formats[PG_PARAMS_MAX];
	int count;
};

static void
wire_of(const struct pg_params *p, struct wire *w)
{
	*w = (struct wire){.count = p == NULL ? 0 : (int)p->count};
	for (int i = 0; i < w->count; i++) {
		size_t end = i + 1 < w->count ? p->start[i + 1] : p->n;
		w->values[i] = p->p == NULL ? "" : (const char *)p->p + p->start[i];
		w->lengths[i] = (int)(end - p->start[i]);
		w->formats[i] = 1;
	}
}

static const char *
statement_name(unsigned id, char room[16])
{
	snprintf(room, 16, "s%u", id);
	return room;
}

/* Prepared when sql is NULL. */
static enum err
run(struct pg *pg, const char *name, const char *sql, struct pg_params *params,
        struct pg_result **out)
{
	enum err e = params == NULL ? ERR_OK : params->failed;
	if (e == ERR_OK && pg->c == NULL)
		e = ERR_DATABASE;
	if (e == ERR_OK) {
		struct wire w;
		wire_of(params, &w);
		int sent = sql == NULL ? PQsendQueryPrepared(pg->c, name, w.count, w.values,
		                                 w.lengths, w.formats, 1)
		                       : PQsendQueryParams(pg->c, sql, w.count, NULL, w.values,
		                                 w.lengths, w.formats, 1);
		e = sent ? answer_check(pg, answer_take(pg), out) : send_failed(pg);
	}
	if (params != NULL)
		pg_params_free(params);
	return e;
}

enum err
pg_exec(struct pg *pg, unsigned statement, struct pg_params *params, struct pg_result **out)
{
	char name[16];
	return run(pg, statement_name(statement, name), NULL, params, out);
}

enum err
pg_query(struct pg *pg, const char *sql, struct pg_params *params, struct pg_result **out)
{
	return run(pg, NULL, sql, params, out);
}

enum err
pg_script(struct pg *pg, const char *sql)
{
	if (pg->c == NULL)
		return ERR_DATABASE;
	return PQsendQuery(pg->c, sql) ? answer_check(pg, answer_take(pg), NULL) : send_failed(pg);
}

enum err
pg_begin(struct pg *pg)
{
	return pg_script(pg, "BEGIN");
}

enum err
pg_commit(struct pg *pg)
{
	if (pg->c == NULL || PQstatus(pg->c) != CONNECTION_OK)
		return ERR_DATABASE; /* COMMIT was never sent */
	pg->warned = false;
	PGresult *r = PQsendQuery(pg->c, "COMMIT") ? answer_take(pg) : NULL;
	if (r == NULL) {
		log_fault("commit_unknown", "why=connection_lost");
		if (pg->c != NULL)
			connection_drop(pg);
		return ERR_UNKNOWN_COMMIT;
	}
	bool committed =
	        PQresultStatus(r) == PGRES_COMMAND_OK && strcmp(PQcmdStatus(r), "COMMIT") == 0;
	enum err e = ERR_OK;
	if (PQresultStatus(r) != PGRES_COMMAND_OK) {
		e = state_map(pg, r);
	} else if (!committed) {
		log_fault("commit_refused", "tag=%s", PQcmdStatus(r));
		e = ERR_DATABASE;
	} else if (pg->warned) {
		/* the wait for the standby was cancelled: on this disk, perhaps not on the other */
		log_fault("commit_unknown", "why=warning");
		e = ERR_UNKNOWN_COMMIT;
	}
	PQclear(r);
	return e;
}

void
pg_rollback(struct pg *pg)
{
	if (pg->c != NULL)
		err_ignore(pg_script(pg, "ROLLBACK"));
}

static enum err
server_check(struct pg *pg)
{
	struct pg_result *r;
	enum err e = pg_query(pg,
	        "SELECT current_setting('server_version_num')::int8, current_setting('fsync') = "
	        "'on',"
	        " current_setting('full_page_writes') = 'on', "
	        "current_setting('synchronous_commit') <> 'off',"
	        " current_setting('synchronous_standby_names') = '' OR "
	        "current_setting('synchronous_commit') <> 'local'",
	        NULL, &r);
	if (e != ERR_OK)
		return e;
	struct pg_row row = pg_row(r, 0);
	int64_t version = pg_next_int(&row);
	static const char *const names[] = {"fsync", "full_page_writes", "synchronous_commit",
	        "synchronous_commit_of_standbys"};
	e = version >= VERSION_MIN ? ERR_OK : ERR_CONFIG;
	if (e != ERR_OK)
		log_fault("database_settings", "server_version=%lld must_be=%d", (long long)version,
		        VERSION_MIN);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (pg_next_int(&row) == 1)
			continue;
		log_fault("database_settings",
		        "setting=%s text=\"is not durable: set it on in postgresql.conf\"",
		        names[i]);
		e = ERR_CONFIG;
	}
	if (pg_row_end(&row) != ERR_OK)
		e = ERR_INTERNAL;
	pg_result_free(r);
	return e;
}

static enum err
prepare_all(struct pg *pg, const struct pg_session *s)
{
	for (size_t i = 0; i < s->statement_count; i++) {
		char name[16];
		statement_name(s->statements[i].id, name);
		if (!PQsendPrepare(pg->c, name, s->statements[i].sql, 0, NULL))
			return send_failed(pg);
		enum err e = answer_check(pg, answer_take(pg), NULL);
		if (e == ERR_INTERNAL) {
			/* class 42: a table, column or privilege is missing */
			log_fault("database_schema",
			        "statement=%u text=\"does not fit the schema: run zz-admin "
			        "migrate\"",
			        s->statements[i].id);
			return ERR_CONFIG;
		}
		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}

static PGconn *
connect_to(const struct pg_session *s)
{
	char options[512];
	int n = snprintf(options, sizeof options, "%s %s", settings, s->settings);
	assert(n > 0 && (size_t)n < sizeof options);
	const char *const keywords[] = {"dbname", "application_name", "options", "client_encoding",
	        "connect_timeout", NULL};
	const char *const values[] = {s->conninfo, s->application, options, "UTF8", "5", NULL};
	return PQconnectdbParams(keywords, values, 1);
}

enum err
pg_open(const struct pg_session *session, struct pg **out)
{
	struct pg *pg = calloc(1, sizeof *pg);
	if (pg == NULL)
		return ERR_MEMORY;
	enum err e = ERR_DATABASE;
	pg->c = connect_to(session);
	if (PQstatus(pg->c) != CONNECTION_OK) {
		log_fault("database_connect", "text=\"%.200s\"", PQerrorMessage(pg->c));
		goto out;
	}
	PQsetNoticeReceiver(pg->c, on_notice, pg);
	if ((e = server_check(pg)) != ERR_OK || (e = prepare_all(pg, session)) != ERR_OK)
		goto out;
	*out = pg;
	pg = NULL;
out:
	pg_free(pg);
	return e;
}

void
pg_free(struct pg *pg)
{
	if (pg == NULL)
		return;
	PQfinish(pg->c);
	free(pg);
}

bool
pg_alive(const struct pg *pg)
{
	return pg->c != NULL && PQstatus(pg->c) == CONNECTION_OK;
}

const char *
pg_sqlstate(const struct pg *pg)
{
	return pg->sqlstate;
}

/* -- results -- */

static const PGresult *
result_of(const struct pg_result *r)
{
	return (const PGresult *)r;
}

void
pg_result_free(struct pg_result *r)
{
	PQclear((PGresult *)r);
}

size_t
pg_rows(const struct pg_result *r)
{
	return (size_t)PQntuples(result_of(r));
}

size_t
pg_affected(const struct pg_result *r)
{
	/* libpq does not change it, it only lacks the const */
	uint64_t n = 0;
	PGresult *writable;
	memcpy(&writable, &r, sizeof writable);
	const char *text = PQcmdTuples(writable);
	if (decimal_decode(bytes_of_text(text), INT64_MAX, &n) != ERR_OK)
		return 0;
	return (size_t)n;
}

bool
pg_value(const struct pg_result *r, int row, int column, struct bytes *out)
{
	if (column >= PQnfields(result_of(r)) || PQgetisnull(result_of(r), row, column))
		return false;
	*out = bytes_of(PQgetvalue(result_of(r), row, column),
	        (size_t)PQgetlength(result_of(r), row, column));
	return true;
}

int
pg_columns(const struct pg_result *r)
{
	return PQnfields(result_of(r));
}
