/* audit_schema.c - the catalogue against audit_schema.txt: each table, column, constraint, trigger,
 * function, privilege and role is a line; a line too few or too many is a difference. Then
 * settings, and that every column is covered. */
#include "audit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define EMBED(id, name)                                                                            \
	__asm__(".pushsection .rodata\n"                                                           \
	        ".hidden zz_" #id "\n"                                                             \
	        ".hidden zz_" #id "_end\n"                                                         \
	        ".globl zz_" #id "\n"                                                              \
	        ".globl zz_" #id "_end\n"                                                          \
	        "zz_" #id ":\n"                                                                    \
	        ".incbin \"" AUDIT_DATA_DIR "/" name "\"\n"                                        \
	        "zz_" #id "_end:\n"                                                                \
	        ".byte 0\n"                                                                        \
	        ".popsection\n");                                                                  \
	extern const uint8_t zz_##id[] __attribute__((visibility("hidden")));                      \
	extern const uint8_t zz_##id##_end[] __attribute__((visibility("hidden")));
EMBED(audit_schema, "audit_schema.txt")
EMBED(audit_catalogue, "audit_catalogue.sql")

/* clang-format off */
static const char settings[] =
	"SELECT s.name, coalesce(current_setting(s.name, true), '-') FROM (VALUES ('fsync', 'on'), ('full_page_writes', 'on'),"
	" ('data_checksums', 'on'), ('session_replication_role', 'origin'), ('zero_damaged_pages', 'off'),"
	" ('ignore_checksum_failure', 'off')) s (name, want)"
	" WHERE coalesce(current_setting(s.name, true), s.want) <> s.want"
	" UNION ALL SELECT 'synchronous_commit', current_setting('synchronous_commit')"
	" WHERE current_setting('synchronous_commit') IN ('off', 'local')"
	" AND (current_setting('synchronous_commit') = 'off' OR current_setting('synchronous_standby_names') <> '')";

static const char columns[] =
	"SELECT c.relname::text, a.attname::text FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE c.relnamespace = 'zz'::regnamespace"
	" AND c.relkind IN ('r', 'p', 'f', 'v', 'm') AND a.attnum > 0 AND NOT a.attisdropped ORDER BY 1, a.attnum";

static const char migrations[] =
	"SELECT m.version, (extract(epoch FROM m.applied_at))::int8, (extract(epoch FROM clock_timestamp()))::int8, m.name,"
	" encode(m.sha256, 'hex') FROM zz.schema_migration m ORDER BY m.version";
/* clang-format on */

/* The search path is empty, so that names are told in full: the catalogue itself is always on it.
 */
static struct bytes
expected_line(struct bytes *rest)
{
	const uint8_t *end = rest->n == 0 ? NULL : memchr(rest->p, '\n', rest->n);
	struct bytes line = {rest->p, end == NULL ? rest->n : (size_t)(end - rest->p)};

	*rest = bytes_skip(*rest, end == NULL ? rest->n : line.n + 1);
	return line;
}

static void
line_differs(struct audit *a, struct bytes line, const char *why)
{
	char text[400];

	/* told by column below */
	if (bytes_start(line, "zz migration "))
		return;
	snprintf(text, sizeof text, "\"%.*s\"", (int)(line.n > 380 ? 380 : line.n),
	        (const char *)line.p);
	audit_differ(a, "schema", "catalogue", text, why);
}

/* Both are sorted bytewise: what one has and the other has not falls out of a merge. */
static enum err
catalogue_compare(struct audit *a)
{
	struct bytes rest = {zz_audit_schema, (size_t)(zz_audit_schema_end - zz_audit_schema)};
	struct bytes want = expected_line(&rest);
	struct pg_result *r;
	enum err e = audit_read_text(a, (const char *)zz_audit_catalogue, &r);

	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < pg_rows(r); i++) {
		struct pg_row row = pg_row(r, i);
		struct bytes have = pg_next_bytes(&row);

		while (want.n > 0 && bytes_compare(want, have) < 0) {
			line_differs(a, want, "is missing");
			want = expected_line(&rest);
		}
		if (want.n > 0 && bytes_equal(want, have))
			want = expected_line(&rest);
		else
			line_differs(a, have, "is not of this version");
	}
	for (; want.n > 0; want = expected_line(&rest))
		line_differs(a, want, "is missing");
	pg_result_free(r);
	return ERR_OK;
}

static enum err
columns_compare(struct audit *a)
{
	bool met[AUDIT_COLUMN_COUNT] = {false};
	struct pg_result *r;
	enum err e = audit_read_text(a, columns, &r);

	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < pg_rows(r); i++) {
		struct pg_row row = pg_row(r, i);
		struct bytes table = pg_next_bytes(&row), column = pg_next_bytes(&row);
		char name[160];
		int c = 0;

		while (c < AUDIT_COLUMN_COUNT &&
		        !(bytes_equal_text(table, audit_table((enum audit_column)c)) &&
		                bytes_equal_text(column, audit_column((enum audit_column)c))))
			c++;
		if (c < AUDIT_COLUMN_COUNT) {
			met[c] = true;
			continue;
		}
		snprintf(name, sizeof name, "zz.%.*s.%.*s", (int)table.n, (const char *)table.p,
		        (int)column.n, (const char *)column.p);
		audit_differ(a, "schema", "uncovered", name, "no check covers this column");
	}
	for (int c = 0; c < AUDIT_COLUMN_COUNT; c++)
		if (!met[c])
			audit_differ_at(a, (enum audit_column)c, "column", "the database lacks it");
	pg_result_free(r);
	return ERR_OK;
}

static enum err
settings_compare(struct audit *a)
{
	struct pg_result *r;
	enum err e = audit_read_text(a, settings, &r);

	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < pg_rows(r); i++) {
		struct pg_row row = pg_row(r, i);
		struct bytes name = pg_next_bytes(&row), value = pg_next_bytes(&row);
		char text[200];

		snprintf(text, sizeof text, "%.*s=%.*s", (int)name.n, (const char *)name.p,
		        (int)value.n, (const char *)value.p);
		audit_differ(a, "schema", "setting", text, "the server would lose or alter data");
	}
	pg_result_free(r);
	return ERR_OK;
}

/* The line of a migration as it was when this program was built: name and digest in hex. */
static void
migration_expected(int64_t version, struct bytes *name, struct bytes *hex)
{
	struct bytes rest = {zz_audit_schema, (size_t)(zz_audit_schema_end - zz_audit_schema)};
	char start[40];
	size_t n = (size_t)snprintf(start, sizeof start, "zz migration %" PRId64 " ", version);

	*name = *hex = bytes_of(NULL, 0);
	while (rest.n > 0) {
		struct bytes line = expected_line(&rest);

		if (!bytes_start(line, start) || line.n < n + 65)
			continue;
		*name = bytes_of(line.p + n, line.n - n - 65);
		*hex = bytes_of(line.p + line.n - 64, 64);
	}
}

static size_t
migrations_expected(void)
{
	struct bytes rest = {zz_audit_schema, (size_t)(zz_audit_schema_end - zz_audit_schema)};
	size_t n = 0;

	while (rest.n > 0)
		n += bytes_start(expected_line(&rest), "zz migration ");
	return n;
}

/* Versions without a gap; applied in their order, and not in the future. */
static enum err
migrations_check(struct audit *a)
{
	int64_t before = 0;
	struct pg_result *r;
	enum err e = audit_read_text(a, migrations, &r);

	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < pg_rows(r); i++) {
		struct pg_row row = pg_row(r, i);
		int64_t version = pg_next_int(&row), at = pg_next_int(&row),
		        now = pg_next_int(&row);
		struct bytes name = pg_next_bytes(&row), hex = pg_next_bytes(&row);
		struct audit_found f = {0};
		struct bytes want, digest;
		char key[40];

		migration_expected(version, &want, &digest);
		audit_want(&f, version == (int64_t)i + 1 && want.n > 0, AUDIT_MIGRATION_VERSION);
		audit_want(&f, want.n == 0 || bytes_equal(name, want), AUDIT_MIGRATION_NAME);
		audit_want(&f, want.n == 0 || bytes_equal(hex, digest), AUDIT_MIGRATION_SHA256);
		audit_want(&f, at >= before && at <= now + AUDIT_SLACK_S, AUDIT_MIGRATION_APPLIED);
		snprintf(key, sizeof key, "version=%" PRId64, version);
		audit_found_tell(a, &f, key, "is not the migration of this version");
		before = at;
	}
	if (pg_rows(r) != migrations_expected())
		audit_differ(a, "schema_migration", "(row)", "migrations", "another number");
	pg_result_free(r);
	return ERR_OK;
}

enum err
audit_schema(struct audit *a)
{
	enum err e;

	audit_phase(a, "schema", 0);
	if ((e = catalogue_compare(a)) != ERR_OK || (e = columns_compare(a)) != ERR_OK ||
	        (e = settings_compare(a)) != ERR_OK)
		return e;
	return migrations_check(a);
}

enum err
audit_schema_print(struct audit *a)
{
	struct pg_result *r;
	enum err e = audit_read_text(a, (const char *)zz_audit_catalogue, &r);

	for (size_t i = 0; e == ERR_OK && i < pg_rows(r); i++) {
		struct pg_row row = pg_row(r, i);
		struct bytes line = pg_next_bytes(&row);

		printf("%.*s\n", (int)line.n, (const char *)line.p);
	}
	if (e == ERR_OK)
		pg_result_free(r);
	return e;
}
