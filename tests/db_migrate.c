/* db_migrate.c - migrations: each once, in order, unedited; and a schema that is not the program's
 * stops the start. */
#include "db_support.h"
#include "file.h"

#include <dirent.h>
#include <unistd.h>

#define DATABASE "zz_db_migrate"

/* A copy of the checkout's migrations, to be changed. */
static char folder[] = "/tmp/zz-migrations-XXXXXX";
static unsigned files;

/* after: how many files behind those of the checkout; 0: the name as it is. */
static void
path_of(unsigned after, const char *name, char room[400])
{
	if (after == 0)
		snprintf(room, 400, "%s/%s", folder, name);
	else
		snprintf(room, 400, "%s/%04u_%s", folder, files + after, name);
}

static void
file_put(unsigned after, const char *name, const char *text)
{
	char path[400];
	path_of(after, name, path);
	assert_int_equal(file_write(path, bytes_of_text(text), 0600), ERR_OK);
}

static void
file_remove(unsigned after, const char *name)
{
	char path[400];
	path_of(after, name, path);
	assert_int_equal(unlink(path), 0);
}

static int
setup(void **state)
{
	(void)state;
	struct dirent *d;
	assert_non_null(mkdtemp(folder));
	DIR *from = opendir(SOURCE_DIR "/migrations");
	assert_non_null(from);
	while ((d = readdir(from)) != NULL) {
		char path[600];
		uint8_t *text;
		size_t n;
		if (strstr(d->d_name, ".sql") == NULL)
			continue;
		snprintf(path, sizeof path, SOURCE_DIR "/migrations/%s", d->d_name);
		assert_int_equal(file_read(path, 1 << 20, &text, &n), ERR_OK);
		file_put(0, d->d_name, (const char *)text);
		free(text);
		files++;
	}
	closedir(from);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	struct dirent *d;
	DIR *dir = opendir(folder);
	while (dir != NULL && (d = readdir(dir)) != NULL)
		if (d->d_name[0] != '.')
			file_remove(0, d->d_name);
	closedir(dir);
	return rmdir(folder);
}

/* An empty database. */
static void
empty(void)
{
	struct pg *pg = db_pg("postgres", "postgres");
	db_do(pg, "DROP DATABASE IF EXISTS " DATABASE " WITH (FORCE)");
	db_do(pg, "CREATE DATABASE " DATABASE " OWNER zz_owner");
	pg_free(pg);
}

static enum err
migrate(unsigned *applied)
{
	char room[300];
	*applied = 99;
	return store_migrate(db_conninfo(DATABASE, "zz_owner", room), folder, applied);
}

static void
migrations_apply_once(void **state)
{
	(void)state;
	unsigned applied;
	empty();
	assert_int_equal(migrate(&applied), ERR_OK);
	assert_int_equal(applied, files);
	assert_int_equal(migrate(&applied), ERR_OK);
	assert_int_equal(applied, 0);
	store_free(db_store(DATABASE, STORE_ISSUER));
	store_free(db_store(DATABASE, STORE_PUBLISH));
	store_free(db_store(DATABASE, STORE_ADMIN));
}

static void
a_new_file_applies_alone(void **state)
{
	(void)state;
	unsigned applied;
	file_put(1, "more.sql", "CREATE TABLE zz.more (a int); CREATE TABLE zz.more2 (a int);");
	assert_int_equal(migrate(&applied), ERR_OK);
	assert_int_equal(applied, 1);
}

static void
a_database_newer_than_the_folder_is_refused(void **state)
{
	(void)state;
	unsigned applied;
	file_remove(1, "more.sql");
	assert_int_equal(migrate(&applied), ERR_CONFIG);
	file_put(1, "more.sql", "CREATE TABLE zz.more (a int); CREATE TABLE zz.more2 (a int);");
	assert_int_equal(migrate(&applied), ERR_OK);
}

static void
an_edited_file_is_refused(void **state)
{
	(void)state;
	unsigned applied;
	file_put(1, "more.sql", "CREATE TABLE zz.more (a int); CREATE TABLE zz.more2 (a int); ");
	assert_int_equal(migrate(&applied), ERR_CONFIG);
	file_remove(1, "more.sql");
	file_put(1, "renamed.sql", "CREATE TABLE zz.more (a int); CREATE TABLE zz.more2 (a int);");
	assert_int_equal(migrate(&applied), ERR_CONFIG);
	file_remove(1, "renamed.sql");
	file_put(1, "more.sql", "CREATE TABLE zz.more (a int); CREATE TABLE zz.more2 (a int);");
	assert_int_equal(migrate(&applied), ERR_OK);
}

static void
a_gap_or_a_double_number_is_refused(void **state)
{
	(void)state;
	unsigned applied;
	file_put(3, "gap.sql", "CREATE TABLE zz.gap (a int);");
	assert_int_equal(migrate(&applied), ERR_CONFIG);
	file_remove(3, "gap.sql");
	file_put(1, "twin.sql", "CREATE TABLE zz.twin (a int);");
	assert_int_equal(migrate(&applied), ERR_CONFIG);
	file_remove(1, "twin.sql");
	assert_int_equal(migrate(&applied), ERR_OK);
}

static void
a_failing_file_leaves_nothing(void **state)
{
	(void)state;
	unsigned applied;
	file_put(2, "bad.sql", "CREATE TABLE zz.half (a int); SELECT 1 / 0;");
	assert_int_equal(migrate(&applied), ERR_INTERNAL);
	struct pg *pg = db_pg(DATABASE, "postgres");
	assert_int_equal(db_number(pg, "SELECT count(*) FROM pg_class WHERE relname = 'half'"), 0);
	assert_int_equal(db_number(pg, "SELECT count(*) FROM zz.schema_migration"), files + 1);
	pg_free(pg);
	file_put(2, "bad.sql", "CREATE TABLE zz.half (a int);");
	assert_int_equal(migrate(&applied), ERR_OK);
	assert_int_equal(applied, 1);
}

static void
with_postgres_records_what_zz_admin_would(void **state)
{
	(void)state;
	char room[300];
	unsigned applied = 99;
	db_fresh(DATABASE); /* as tools/with_postgres migrated it */
	assert_int_equal(store_migrate(db_conninfo(DATABASE, "zz_owner", room),
	                         SOURCE_DIR "/migrations", &applied),
	        ERR_OK);
	assert_int_equal(applied, 0);
}

static void
a_renamed_column_stops_the_start(void **state)
{
	(void)state;
	static const struct {
		const char *sql, *user;
		enum store_role role;
	} rows[] = {
	        {"ALTER TABLE zz.certificate RENAME COLUMN record TO signed", "zz_issuer",
	                STORE_ISSUER},
	        {"ALTER TABLE zz.publication RENAME COLUMN cwt TO token", "zz_publish",
	                STORE_PUBLISH},
	        {"ALTER TABLE zz.roster RENAME COLUMN jws TO text", "zz_admin", STORE_ADMIN},
	        {"DROP TABLE zz.approval", "zz_issuer", STORE_ISSUER},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char room[300];
		struct store *s = NULL;
		db_fresh(DATABASE);
		store_free(db_store(DATABASE, rows[i].role)); /* the control */
		db_do_in(DATABASE, "zz_owner", rows[i].sql);
		assert_int_equal(
		        store_open(db_conninfo(DATABASE, rows[i].user, room), rows[i].role, &s),
		        ERR_CONFIG);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(migrations_apply_once),
	        cmocka_unit_test(a_new_file_applies_alone),
	        cmocka_unit_test(a_database_newer_than_the_folder_is_refused),
	        cmocka_unit_test(an_edited_file_is_refused),
	        cmocka_unit_test(a_gap_or_a_double_number_is_refused),
	        cmocka_unit_test(a_failing_file_leaves_nothing),
	        cmocka_unit_test(with_postgres_records_what_zz_admin_would),
	        cmocka_unit_test(a_renamed_column_stops_the_start),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
