/* zz-audit.c - derives everything a second time from the database and from what is published, and
 * names what differs. It reads, and writes nothing but its own state file. */
#include "audit.h"
#include "audit_journal.h"
#include "audit_log.h"
#include "audit_public.h"
#include "audit_trust.h"
#include "config.h"
#include "file.h"
#include "log.h"

#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { EXIT_SAME = 0, EXIT_DIFFERS = 2, EXIT_UNFINISHED = 3 };

static const char help[] =
        "usage: zz-audit --config zz.conf [--public FOLDER|URL] [--journal FOLDER] "
        "[--pepper FILE]\n"
        "                [--state FILE [--full]] [--progress]\n"
        "       zz-audit --columns\n"
        "       zz-audit --config zz.conf --schema\n\n"
        "Derives every signature, right, record, leaf, status, list, CRL and count again from the "
        "database (audit_database,\n"
        "which can only read) and from the public files, and says what differs: the first "
        "difference by table, column and\n"
        "row, then up to three of each column, then how many of each. Names no person.\n\n"
        "  --config FILE      zz.conf of the authority\n"
        "  --public WHERE     its public files: a folder, or http(s)://HOST[:PORT]; without it, "
        "public_dir of zz.conf\n"
        "  --journal FOLDER   the signer's folder or a copy of its journal: binds notes, tags and "
        "batches too\n"
        "  --pepper FILE      pepper of the holder index: binds holder_key too\n"
        "  --state FILE       remembers what was audited without a difference; the next audit "
        "verifies no signature of it again\n"
        "  --full             verifies everything again and writes --state\n"
        "  --progress         shows a bar even where standard error is no terminal\n"
        "  --columns          lists every column that is covered, and by what\n"
        "  --schema           prints the catalogue as audit_schema.txt holds it\n\n"
        "Exit codes: 0 nothing differs, 2 differences, 3 could not finish (also usage, "
        "configuration, no database)\n";

struct arguments {
	const char *config, *public, *journal, *pepper, *state;
	bool full, progress, schema, columns;
};

static bool
arguments_read(int argc, char **argv, struct arguments *out)
{
	static const struct option options[] = {{"config", required_argument, NULL, 'c'},
	        {"public", required_argument, NULL, 'p'}, {"journal", required_argument, NULL, 'j'},
	        {"pepper", required_argument, NULL, 'k'}, {"state", required_argument, NULL, 's'},
	        {"full", no_argument, NULL, 'f'}, {"progress", no_argument, NULL, 'b'},
	        {"schema", no_argument, NULL, 'S'}, {"columns", no_argument, NULL, 'C'},
	        {NULL, 0, NULL, 0}};
	int c;

	memset(out, 0, sizeof *out);
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			out->config = optarg;
			break;
		case 'p':
			out->public = optarg;
			break;
		case 'j':
			out->journal = optarg;
			break;
		case 'k':
			out->pepper = optarg;
			break;
		case 's':
			out->state = optarg;
			break;
		case 'f':
			out->full = true;
			break;
		case 'b':
			out->progress = true;
			break;
		case 'S':
			out->schema = true;
			break;
		case 'C':
			out->columns = true;
			break;
		default:
			return false;
		}
	}
	return optind == argc && (out->config != NULL || out->columns);
}

static void
columns_print(void)
{
	for (int c = 0; c < AUDIT_COLUMN_COUNT; c++)
		printf("%s %s %s\n", audit_table((enum audit_column)c),
		        audit_column((enum audit_column)c), audit_kind((enum audit_column)c));
}

static int
unfinished(const char *what, enum err e)
{
	fprintf(stderr, "zz-audit: %s: %s: %s\n", what, err_word(e), err_en(e));
	return EXIT_UNFINISHED;
}

static enum err
keys_read(struct audit *a)
{
	uint8_t *p = NULL;
	size_t n = 0;
	enum err e = file_read(a->o->root, KEY_PEM_BYTES_MAX, &p, &n);

	if (e == ERR_OK)
		e = key_read_pem(bytes_of(p, n), &a->root);
	free(p);
	if (e != ERR_OK || a->o->pepper == NULL)
		return e;
	p = NULL;
	if ((e = file_read(a->o->pepper, sizeof a->pepper, &p, &n)) != ERR_OK)
		return e;
	if (n == sizeof a->pepper)
		memcpy(a->pepper, p, n);
	a->has_pepper = n == sizeof a->pepper;
	secret_wipe(p, n);
	free(p);
	return a->has_pepper ? ERR_OK : ERR_VALUE;
}

/* What is published and what the signer keeps first, then the snapshot: nothing seen is newer. */
static int
sources_open(struct audit *a)
{
	struct field *field = NULL;
	enum err e = keys_read(a);

	if (e != ERR_OK)
		return unfinished("root key or pepper", e);
	if ((e = field_open(&field)) != ERR_OK || (e = audit_pool_open(&a->pool)) != ERR_OK)
		return unfinished("start", e);
	a->field = field;
	if (a->o->public != NULL && (e = audit_public_open(a)) != ERR_OK)
		return unfinished(a->o->public, e);
	if (a->o->journal != NULL && (e = audit_journal_open(a, a->o->journal)) != ERR_OK)
		return unfinished(a->o->journal, e);
	if ((e = audit_last_read(a)) != ERR_OK)
		return unfinished(a->o->state, e);
	if ((e = audit_open(a)) != ERR_OK)
		return unfinished("audit_database", e);
	return EXIT_SAME;
}

static void
sources_close(struct audit *a)
{
	audit_public_free(a->public);
	audit_journal_free(a->journal);
	audit_log_free(a->log);
	audit_trust_free(a->trust);
	audit_pool_free(a->pool);
	pg_free(a->pg);
	key_free(a->root);
	field_free((struct field *)(uintptr_t)a->field);
	secret_wipe(a->pepper, sizeof a->pepper);
}

static enum err
parts_run(struct audit *a)
{
	enum err e;

	if ((e = audit_schema(a)) != ERR_OK || (e = audit_trust_run(a)) != ERR_OK ||
	        (e = audit_log_run(a)) != ERR_OK || (e = audit_requests_run(a)) != ERR_OK ||
	        (e = audit_pending_run(a)) != ERR_OK)
		return e;
	return audit_public_run(a);
}

static int
audit_main(struct audit *a, bool schema)
{
	int exit = sources_open(a);
	enum err e;

	if (exit != EXIT_SAME)
		return exit;
	if (schema)
		return audit_schema_print(a) == ERR_OK ? EXIT_SAME : EXIT_UNFINISHED;
	e = parts_run(a);
	audit_summary(a);
	if (e != ERR_OK)
		return unfinished(a->phase, e);
	printf("%s: %" PRIu64 " entries, %" PRIu64 " certificates, %" PRIu64
	       " differences, %.1f s\n",
	        a->differences == 0 ? "same" : "differs", a->size, a->log->certificates,
	        a->differences, (double)(audit_ms() - a->began_ms) / 1000);
	if (a->differences != 0)
		return EXIT_DIFFERS;
	if ((e = audit_last_write(a)) != ERR_OK)
		return unfinished(a->o->state, e);
	return EXIT_SAME;
}

int
main(int argc, char **argv)
{
	struct arguments args;
	struct config c;
	char public[CONFIG_TEXT_MAX], trust[CONFIG_TEXT_MAX], root[CONFIG_TEXT_MAX + 20], why[200];
	struct audit_options o = {.now = time(NULL)};
	struct audit a = {.o = &o, .began_ms = audit_ms()};
	int exit;

	log_open("zz-audit");
	signal(SIGPIPE, SIG_IGN);
	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		fputs(help, stdout);
		return EXIT_SAME;
	}
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		puts("zz-audit " ZZ_VERSION);
		return EXIT_SAME;
	}
	if (!arguments_read(argc, argv, &args)) {
		fputs(help, stderr);
		return EXIT_UNFINISHED;
	}
	if (args.columns) {
		columns_print();
		return EXIT_SAME;
	}
	if (config_read(args.config, &c, why, sizeof why) != ERR_OK) {
		fprintf(stderr, "zz-audit: %s: %s\n", args.config, why);
		return EXIT_UNFINISHED;
	}
	config_path(&c, c.public_dir, public, sizeof public);
	config_path(&c, c.trust_dir, trust, sizeof trust);
	snprintf(root, sizeof root, "%s/root.pub", trust);
	o.database = c.audit_database;
	o.root = root;
	o.host = c.host;
	o.config = &c;
	o.public = args.public != NULL ? args.public : public;
	o.journal = args.journal;
	o.pepper = args.pepper;
	o.state = args.state;
	o.full = args.full;
	o.progress = args.progress || isatty(2);
	exit = audit_main(&a, args.schema);
	sources_close(&a);
	return exit;
}
