/* store_migrate.c - brings the schema up: numbered files, each once and in a transaction of its
 * own, and never one that differs from what was applied. */
#include "file.h"
#include "hash.h"
#include "log.h"
#include "pg.h"
#include "store_admin.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MIGRATION_BYTES_MAX = 4 * 1024 * 1024, NUMBER_DIGITS = 4, PATH_MAX_HERE = 1024 };

struct migration {
	const char *folder, *name;
	unsigned version;
	uint8_t *text; /* ends with a NUL; owned */
	uint8_t sha256[SHA256_BYTES];
};

static int
is_sql(const struct dirent *d)
{
	size_t n = strlen(d->d_name);
	return n > 4 && d->d_name[0] != '.' && strcmp(d->d_name + n - 4, ".sql") == 0;
}

static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name); /* not by locale */
}

/* The file's number must be `version`: no gap, no two files of one number. */
static enum err
number_check(const char *name, unsigned version)
{
	char want[NUMBER_DIGITS + 2]; /* 0001_ */
	snprintf(want, sizeof want, "%04u_", version % 10000);
	if (strncmp(name, want, NUMBER_DIGITS + 1) == 0)
		return ERR_OK;
	log_fault("migration_gap", "file=%s must_begin=%s", name, want);
	return ERR_CONFIG;
}

static enum err
migration_load(struct migration *m)
{
	char path[PATH_MAX_HERE];
	size_t n = 0;
	if ((size_t)snprintf(path, sizeof path, "%s/%s", m->folder, m->name) >= sizeof path)
		return ERR_CONFIG;
	enum err e = file_read(path, MIGRATION_BYTES_MAX, &m->text, &n);
	if (e != ERR_OK) {
		log_fault("migration_read", "file=%s error=%s", m->name, err_word(e));
		return e;
	}
	sha256_one(bytes_of(m->text, n), m->sha256);
	if (strlen((const char *)m->text) == n)
		return ERR_OK;
	log_fault("migration_read", "file=%s text=\"holds a NUL\"", m->name);
	return ERR_CONFIG;
}

static enum err
count_get(struct pg *pg, const char *sql, int64_t *out)
{
	struct pg_result *r;
	enum err e = pg_query(pg, sql, NULL, &r);
	if (e != ERR_OK)
		return e;
	struct pg_row row = pg_row(r, 0);
	int64_t v = pg_next_int(&row);
	e = pg_row_end(&row);
	pg_result_free(r);
	if (e == ERR_OK)
		*out = v;
	return e;
}

/* How many are applied: 0 before the table is there. */
static enum err
applied_count(struct pg *pg, int64_t *out)
{
	int64_t there;
	enum err e = count_get(pg, "SELECT to_regclass('zz.schema_migration') IS NOT NULL", &there);
	if (e != ERR_OK || !there) {
		*out = 0;
		return e;
	}
	return count_get(pg, "SELECT count(*) FROM zz.schema_migration", out);
}

static enum err
applied_check(struct pg *pg, const struct migration *m)
{
	struct pg_params p;
	struct pg_result *r;
	pg_params_init(&p);
	pg_put_int(&p, PG_INT4, m->version);
	enum err e = pg_query(pg,
	        "SELECT m.name, m.sha256 FROM zz.schema_migration m WHERE m.version = $1::int4", &p,
	        &r);
	if (e != ERR_OK)
		return e;
	bool same = false;
	if (pg_rows(r) == 1) {
		struct pg_row row = pg_row(r, 0);
		struct bytes name = pg_next_bytes(&row), digest = pg_next_fixed(&row, SHA256_BYTES);
		same = pg_row_end(&row) == ERR_OK && bytes_equal_text(name, m->name) &&
		       bytes_equal(digest, bytes_of(m->sha256, SHA256_BYTES));
	}
	pg_result_free(r);
	if (same)
		return ERR_OK;
	log_fault("migration_edited", "file=%s text=\"differs from what was applied: restore it\"",
	        m->name);
	return ERR_CONFIG;
}

static enum err
migration_apply(struct pg *pg, const struct migration *m)
{
	struct pg_params p;
	enum err e = pg_begin(pg);
	if (e != ERR_OK)
		return e;
	if ((e = pg_script(pg, (const char *)m->text)) != ERR_OK)
		goto out;
	pg_params_init(&p);
	pg_put_int(&p, PG_INT4, m->version);
	pg_put_bytes(&p, bytes_of_text(m->name));
	pg_put_bytes(&p, bytes_of(m->sha256, SHA256_BYTES));
	e = pg_query(pg,
	        "INSERT INTO zz.schema_migration (version, name, sha256) VALUES ($1::int4, "
	        "$2::text, $3::bytea)",
	        &p, NULL);
	if (e == ERR_OK)
		return pg_commit(pg);
out:
	log_fault("migration_failed", "file=%s sqlstate=%s", m->name, pg_sqlstate(pg));
	pg_rollback(pg);
	return e;
}

static enum err
migration_run(struct pg *pg, struct migration *m, bool applied)
{
	enum err e = migration_load(m);
	if (e == ERR_OK)
		e = applied ? applied_check(pg, m) : migration_apply(pg, m);
	free(m->text);
	return e;
}

/* Checks all names before it applies the first. */
static enum err
migrate(struct pg *pg, const char *folder, struct dirent **files, unsigned count, unsigned *applied)
{
	int64_t before;
	/* two at once: the second waits and finds nothing to do */
	enum err e = pg_query(pg, "SELECT pg_advisory_lock(7879)", NULL, NULL);
	if (e != ERR_OK || (e = applied_count(pg, &before)) != ERR_OK)
		return e;
	if (before > count) {
		log_fault("migration_missing",
		        "database=%lld files=%u text=\"the database is newer than this program\"",
		        (long long)before, count);
		return ERR_CONFIG;
	}
	for (unsigned i = 0; i < count; i++)
		if ((e = number_check(files[i]->d_name, i + 1)) != ERR_OK)
			return e;
	for (unsigned i = 0; i < count; i++) {
		struct migration m = {.folder = folder, .name = files[i]->d_name, .version = i + 1};
		if ((e = migration_run(pg, &m, i < before)) != ERR_OK)
			return e;
	}
	*applied = count - (unsigned)before;
	return ERR_OK;
}

enum err
store_migrate(const char *conninfo, const char *folder, unsigned *applied)
{
	static const struct pg_session owner = {.application = "zz-admin migrate",
	        .settings = "-c statement_timeout=0 -c lock_timeout=60s -c "
	                    "idle_in_transaction_session_timeout=0"};
	struct pg_session session = owner;
	struct dirent **files;
	struct pg *pg = NULL;
	int count = scandir(folder, &files, is_sql, by_name);
	if (count < 0) {
		log_fault("migration_read", "folder=%s", folder);
		return ERR_NOT_FOUND;
	}
	session.conninfo = conninfo;
	enum err e = pg_open(&session, &pg);
	if (e == ERR_OK)
		e = migrate(pg, folder, files, (unsigned)count, applied);
	pg_free(pg);
	for (int i = 0; i < count; i++)
		free(files[i]);
	free(files);
	return e;
}
