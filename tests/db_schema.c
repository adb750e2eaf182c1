/* db_schema.c - what each role may do to each table, by privilege and by trigger; each trigger with
 * a control that shows it was the trigger. */
#include "db_support.h"

#define DATABASE "zz_db_schema"

static const char *const tables[] = {"schema_migration", "log_head", "log_entry", "request",
        "request_event", "request_list", "approval", "certificate", "certificate_event",
        "log_pending", "log_pending_done", "log_pending_void", "publication", "manifest", "roster"};
enum { TABLES = sizeof tables / sizeof tables[0] };

/* One row in every table, so that row triggers have something to fire on. */
static const char fill[] =
        "SET session_replication_role = replica;" /* foreign keys off; ENABLE ALWAYS triggers stay
                                                   */
        "INSERT INTO zz.log_entry VALUES (0, 0, 'e', 'n', '0123456789abcdef');"
        "UPDATE zz.log_head SET size = 1, time = 1;"
        "INSERT INTO zz.request VALUES (sha256('r'), repeat('k', 43), repeat('j', 22), 'revoke', "
        "'', 'a', '', 'x', 1, 1);"
        "INSERT INTO zz.request_event VALUES (sha256('r'), 1, 'waiting', '', 1, '{}', '{}');"
        "INSERT INTO zz.request_list VALUES (sha256('r'), '0123456789abcdef', "
        "sha256('0123456789abcdef'));"
        "INSERT INTO zz.approval VALUES (sha256('r'), repeat('l', 43), repeat('j', 22), 'b', 'x', "
        "true, 1, 1);"
        "INSERT INTO zz.certificate VALUES (0, '0123456789abcdef', sha256('r'), 1, sha256('h'), "
        "'030102', 'c', 0, 0, 0, 1, 'x');"
        "INSERT INTO zz.certificate_event VALUES (0, '0123456789abcdef', 2, 6, 1, NULL, 1, "
        "sha256('r'));"
        "INSERT INTO zz.log_pending (entry, note, tag, created_at) VALUES ('e', 'n', "
        "'0123456789abcdef', 1),"
        " ('e', 'n', '0123456789abcdeF', 1);"
        "INSERT INTO zz.log_pending_done VALUES (1, 0);"
        "INSERT INTO zz.log_pending_void VALUES (2, 'entry_stale');"
        "INSERT INTO zz.publication VALUES (0, 1, 'c', 'j', 1, 1);"
        "INSERT INTO zz.manifest VALUES (1, 'm', sha256('m'), 1);"
        "INSERT INTO zz.roster VALUES (1, 'r', sha256('r'), 1);"
        "RESET session_replication_role;";

static int
setup(void **state)
{
	(void)state;
	db_fresh(DATABASE);
	db_do_in(DATABASE, "postgres", fill);
	return 0;
}

static void
refused(struct pg *pg, const char *sql, const char *sqlstate)
{
	enum err e = pg_script(pg, sql);
	if (e == ERR_OK)
		fail_msg("not refused: %s", sql);
	if (strcmp(pg_sqlstate(pg), sqlstate) != 0)
		fail_msg("%s: sqlstate %s, want %s", sql, pg_sqlstate(pg), sqlstate);
}

static void
refused_on_all(struct pg *pg, const char *verb, const char *sqlstate)
{
	for (size_t i = 0; i < TABLES; i++) {
		char sql[200];
		snprintf(sql, sizeof sql, "%s zz.%s", verb, tables[i]);
		refused(pg, sql, sqlstate);
	}
}

static void
no_role_may_delete_or_truncate_anything(void **state)
{
	(void)state;
	static const char *const roles[] = {"zz_issuer", "zz_publish", "zz_admin", "zz_audit"};
	for (size_t i = 0; i < 4; i++) {
		struct pg *pg = db_pg(DATABASE, roles[i]);
		refused_on_all(pg, "DELETE FROM", "42501");
		refused_on_all(pg, "TRUNCATE", "42501");
		pg_free(pg);
	}
}

static void
each_role_has_exactly_its_privileges(void **state)
{
	(void)state;
	static const struct {
		const char *what, *sql;
		int64_t want;
	} rows[] = {
	        {"INSERT of zz_issuer", "zz_issuer:INSERT", 8},
	        {"INSERT of zz_publish", "zz_publish:INSERT", 3},
	        {"INSERT of zz_admin", "zz_admin:INSERT", 6},
	        {"INSERT of zz_audit", "zz_audit:INSERT", 0},
	        {"SELECT of zz_issuer", "zz_issuer:SELECT", TABLES},
	        {"SELECT of zz_publish", "zz_publish:SELECT", 11},
	        {"SELECT of zz_admin", "zz_admin:SELECT", TABLES},
	        {"SELECT of zz_audit", "zz_audit:SELECT", TABLES},
	        {"UPDATE of zz_issuer", "zz_issuer:UPDATE", 0},
	        {"UPDATE of zz_admin", "zz_admin:UPDATE", 0},
	        {"DELETE of zz_issuer", "zz_issuer:DELETE", 0},
	        {"REFERENCES of zz_issuer", "zz_issuer:REFERENCES", 0},
	        {"TRIGGER of zz_issuer", "zz_issuer:TRIGGER", 0},
	};
	struct pg *pg = db_pg(DATABASE, "postgres");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char sql[400];
		const char *colon = strchr(rows[i].sql, ':');
		snprintf(sql, sizeof sql,
		        "SELECT count(*) FROM pg_class WHERE relnamespace = 'zz'::regnamespace AND "
		        "relkind = 'r'"
		        " AND has_table_privilege('%.*s', oid, '%s')",
		        (int)(colon - rows[i].sql), rows[i].sql, colon + 1);
		int64_t got = db_number(pg, sql);
		if (got != rows[i].want)
			fail_msg("%s: %lld tables, want %lld", rows[i].what, (long long)got,
			        (long long)rows[i].want);
	}
	/* whole columns: exactly three may be updated, by two roles */
	assert_int_equal(db_number(pg, "SELECT count(*) FROM information_schema.column_privileges "
	                               "WHERE table_schema = 'zz'"
	                               " AND privilege_type = 'UPDATE' AND grantee <> 'zz_owner'"),
	        6);
	assert_int_equal(
	        db_number(pg, "SELECT count(*) FROM pg_database WHERE datname = 'zz'"
	                      " AND has_database_privilege('zz_audit', oid, 'CREATE, TEMP')"),
	        0);
	pg_free(pg);
}

static void
columns_that_follow_from_others_cannot_be_set(void **state)
{
	(void)state;
	struct pg *pg = db_pg(DATABASE, "zz_issuer");
	refused(pg, "UPDATE zz.certificate SET record = 'forged'", "42501");
	refused(pg, "UPDATE zz.certificate SET holder_key = holder_key", "42501");
	refused(pg,
	        "INSERT INTO zz.certificate (idx, serial, request, seat, holder_key, item, center, "
	        "list, list_idx, status,"
	        " exp, record) SELECT 5, sha256('x'), request, seat, holder_key, item, center, 1, "
	        "1, 1, exp, record"
	        " FROM zz.certificate",
	        "42501");
	refused(pg, "UPDATE zz.log_head SET id = 1", "42501");
	refused(pg, "INSERT INTO zz.log_head VALUES (1, 9, 9)", "42501");
	refused(pg, "INSERT INTO zz.publication VALUES (0, 2, 'c', 'j', 1, 1)", "42501");
	refused(pg, "INSERT INTO zz.roster VALUES (2, 'r', sha256('r'), 1)", "42501");
	refused(pg, "SET session_replication_role = replica", "42501");
	refused(pg, "ALTER TABLE zz.certificate DISABLE TRIGGER certificate_move", "42501");
	refused(pg, "CREATE TABLE zz.x (a int)", "42501");
	refused(pg, "CREATE TABLE public.x (a int)", "42501");
	pg_free(pg);
}

static void
even_the_owner_cannot_change_rows(void **state)
{
	(void)state;
	static const char *const users[] = {"zz_owner", "postgres"};
	for (size_t u = 0; u < 2; u++) {
		struct pg *pg = db_pg(DATABASE, users[u]);
		for (size_t i = 0; i < TABLES; i++) {
			char sql[200];
			snprintf(sql, sizeof sql, "DELETE FROM zz.%s", tables[i]);
			refused(pg, sql, "ZZ001");
			snprintf(sql, sizeof sql, "TRUNCATE zz.%s CASCADE", tables[i]);
			refused(pg, sql, "ZZ001");
		}
		refused(pg, "UPDATE zz.log_entry SET entry = 'forged'", "ZZ001");
		refused(pg, "UPDATE zz.request SET sender = 'b'", "ZZ001");
		refused(pg, "UPDATE zz.request_event SET state = 'executed'", "ZZ001");
		refused(pg, "UPDATE zz.approval SET approve = false", "ZZ001");
		refused(pg, "UPDATE zz.certificate_event SET status = 0", "ZZ001");
		refused(pg, "UPDATE zz.certificate SET record = 'forged'", "ZZ001");
		refused(pg, "UPDATE zz.publication SET cwt = 'forged'", "ZZ001");
		refused(pg, "UPDATE zz.roster SET jws = 'x', sha256 = sha256('x')", "ZZ001");
		pg_free(pg);
	}
}

static void
replica_mode_does_not_switch_the_triggers_off(void **state)
{
	(void)state;
	struct pg *pg = db_pg(DATABASE, "postgres");
	db_do(pg, "SET session_replication_role = replica");
	refused(pg, "UPDATE zz.log_entry SET entry = 'forged'", "ZZ001");
	refused(pg, "UPDATE zz.certificate SET record = 'forged'", "ZZ001");
	pg_free(pg);
}

/* The control: with the trigger taken away the same statement goes through, so it was the trigger
 * that refused. */
static void
without_its_trigger_each_refusal_is_gone(void **state)
{
	(void)state;
	static const struct {
		const char *table, *trigger, *sql, *sqlstate;
	} rows[] = {
	        {"log_entry", "append_only", "UPDATE zz.log_entry SET entry = 'forged'", "ZZ001"},
	        {"log_entry", "append_only", "DELETE FROM zz.log_entry", "ZZ001"},
	        {"roster", "no_truncate", "TRUNCATE zz.roster", "ZZ001"},
	        {"certificate", "certificate_move", "UPDATE zz.certificate SET record = 'forged'",
	                "ZZ001"},
	        {"certificate", "certificate_move", "UPDATE zz.certificate SET status = 0",
	                "ZZ002"},
	        {"log_head", "log_head_rises", "UPDATE zz.log_head SET size = 0", "ZZ003"},
	        {"request_event", "request_event_move",
	                "INSERT INTO zz.request_event VALUES (sha256('r'), 5, 'waiting', '', 1, "
	                "'{}', '{}')",
	                "ZZ004"},
	        {"approval", "approval_four_eyes",
	                "INSERT INTO zz.approval VALUES (sha256('r'), repeat('k', 43), repeat('i', "
	                "22), 'c', 'x', true, 1, 1)",
	                "ZZ005"},
	        {"certificate_event", "is_logged",
	                "INSERT INTO zz.certificate_event VALUES (7, '0123456789abcdef', 1, 4, 1, "
	                "NULL, 1, sha256('r'))",
	                "ZZ006"},
	};
	struct pg *pg = db_pg(DATABASE, "postgres");
	db_do(pg, "SET session_replication_role = replica"); /* no foreign key in the way */
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char sql[200];
		refused(pg, rows[i].sql, rows[i].sqlstate);
		assert_int_equal(pg_begin(pg), ERR_OK);
		snprintf(sql, sizeof sql, "ALTER TABLE zz.%s DISABLE TRIGGER %s", rows[i].table,
		        rows[i].trigger);
		db_do(pg, sql);
		db_do(pg, rows[i].sql);
		pg_rollback(pg);
	}
	pg_free(pg);
}

static void
status_makes_legal_moves_only(void **state)
{
	(void)state;
	static const bool legal[4][4] = {{false, true, true, true}, {false, false, false, false},
	        {true, true, true, true}, {false, false, false, false}};
	struct pg *owner = db_pg(DATABASE, "postgres"), *pg = db_pg(DATABASE, "zz_issuer");
	for (int from = 0; from < 4; from++)
		for (int to = 0; to < 4; to++) {
			char sql[300];
			snprintf(sql, sizeof sql,
			        "ALTER TABLE zz.certificate DISABLE TRIGGER certificate_move;"
			        "UPDATE zz.certificate SET status = %d;"
			        "ALTER TABLE zz.certificate ENABLE ALWAYS TRIGGER certificate_move",
			        from);
			db_do(owner, sql);
			snprintf(sql, sizeof sql, "UPDATE zz.certificate SET status = %d", to);
			if (legal[from][to])
				db_do(pg, sql);
			else
				refused(pg, sql, "ZZ002");
		}
	pg_free(owner);
	pg_free(pg);
}

static void
the_head_only_rises_and_counts_its_entries(void **state)
{
	(void)state;
	struct pg *pg = db_pg(DATABASE, "zz_issuer");
	refused(pg, "UPDATE zz.log_head SET size = 0", "ZZ003");
	refused(pg, "UPDATE zz.log_head SET size = size", "ZZ003");
	refused(pg, "UPDATE zz.log_head SET size = 2", "ZZ003"); /* entry 1 is not there */
	refused(pg,
	        "INSERT INTO zz.log_entry VALUES (1, 1, 'e', 'n', '0123456789abcdef');"
	        "UPDATE zz.log_head SET size = 2, time = 0",
	        "ZZ003"); /* time falls */
	refused(pg,
	        "INSERT INTO zz.log_entry VALUES (2, 1, 'e', 'n', '0123456789abcdef');"
	        "UPDATE zz.log_head SET size = 2, time = 2",
	        "ZZ003"); /* a gap */
	refused(pg,
	        "INSERT INTO zz.log_entry VALUES (1, 1, 'e', 'n', '0123456789abcdef'),"
	        " (2, 1, 'e', 'n', '0123456789abcdef'); UPDATE zz.log_head SET size = 2, time = 2",
	        "ZZ003");
	refused(pg,
	        "INSERT INTO zz.log_entry VALUES (1, 0, 'e', 'n', '0123456789abcdef');"
	        "UPDATE zz.log_head SET size = 2, time = 2",
	        "ZZ003"); /* of another batch */
	db_do(pg, "INSERT INTO zz.log_entry VALUES (1, 1, 'e', 'n', '0123456789abcdef');"
	          "UPDATE zz.log_head SET size = 2, time = 2");
	pg_free(pg);
}

static void
fixed_sizes_are_checked(void **state)
{
	(void)state;
	static const char *const rows[] = {
	        "INSERT INTO zz.log_entry VALUES (9, 9, 'e', 'n', '0123456789abcde')",
	        "INSERT INTO zz.log_entry VALUES (9, 10, 'e', 'n', '0123456789abcdef')",
	        "INSERT INTO zz.request VALUES ('short', repeat('m', 43), repeat('j', 22), "
	        "'issue', '', 'a', '', 'x', 1, 1)",
	        "INSERT INTO zz.request VALUES (sha256('q'), 'short', repeat('j', 22), 'issue', "
	        "'', 'a', '', 'x', 1, 1)",
	        "INSERT INTO zz.request VALUES (sha256('q'), repeat('m', 43), repeat('j', 21), "
	        "'issue', '', 'a', '', 'x', 1, 1)",
	        "INSERT INTO zz.request VALUES (sha256('q'), repeat('m', 43), repeat('j', 22), "
	        "'forge', '', 'a', '', 'x', 1, 1)",
	        "INSERT INTO zz.roster VALUES (9, 'r', sha256('other'), 1)",
	        "INSERT INTO zz.manifest VALUES (9, 'r', sha256('other'), 1)",
	        "INSERT INTO zz.certificate_event VALUES (1, '0123456789abcdef', 4, 4, 1, NULL, 1, "
	        "sha256('r'))",
	        "INSERT INTO zz.certificate_event VALUES (1, '0123456789abcdef', 1, 3, 1, NULL, 1, "
	        "sha256('r'))",
	        "INSERT INTO zz.log_head VALUES (2, 0, 0)",
	        "INSERT INTO zz.request_event VALUES (sha256('r'), 2, 'executed', '', 1, '{1}', "
	        "'{}')",
	};
	struct pg *pg = db_pg(DATABASE, "postgres");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		refused(pg, rows[i], "23514");
	pg_free(pg);
}

static void
every_table_and_column_has_a_comment(void **state)
{
	(void)state;
	struct pg *pg = db_pg(DATABASE, "postgres");
	assert_int_equal(
	        db_number(pg,
	                "SELECT count(*) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
	                " WHERE c.relnamespace = 'zz'::regnamespace AND c.relkind = 'r' AND "
	                "a.attnum > 0"
	                " AND (col_description(c.oid, a.attnum) IS NULL OR obj_description(c.oid) "
	                "IS NULL)"),
	        0);
	/* two append-only triggers a table, all of them ENABLE ALWAYS */
	assert_int_equal(
	        db_number(pg,
	                "SELECT count(*) FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid"
	                " WHERE c.relnamespace = 'zz'::regnamespace AND tgname IN ('append_only', "
	                "'no_truncate')"),
	        2 * TABLES);
	assert_int_equal(
	        db_number(pg,
	                "SELECT count(*) FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid"
	                " WHERE c.relnamespace = 'zz'::regnamespace AND NOT tgisinternal AND "
	                "tgenabled <> 'A'"),
	        0);
	pg_free(pg);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(no_role_may_delete_or_truncate_anything),
	        cmocka_unit_test(each_role_has_exactly_its_privileges),
	        cmocka_unit_test(columns_that_follow_from_others_cannot_be_set),
	        cmocka_unit_test(even_the_owner_cannot_change_rows),
	        cmocka_unit_test(replica_mode_does_not_switch_the_triggers_off),
	        cmocka_unit_test(without_its_trigger_each_refusal_is_gone),
	        cmocka_unit_test(status_makes_legal_moves_only),
	        cmocka_unit_test(the_head_only_rises_and_counts_its_entries),
	        cmocka_unit_test(fixed_sizes_are_checked),
	        cmocka_unit_test(every_table_and_column_has_a_comment),
	};
	return cmocka_run_group_tests(tests, setup, NULL);
}
