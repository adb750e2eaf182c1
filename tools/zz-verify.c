/* zz-verify.c - checks certificates offline against a pinned root key: only `sync` opens a
 * connection. */
#include "client.h"
#include "field.h"
#include "file.h"
#include "verify_many.h"
#include "verify_prove_main.h"
#include "verify_state.h"
#include "verify_sync.h"

#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { EXIT_USAGE = 2, EXIT_AWAY = 6 };

struct arguments {
	const char *root, *state, *url, *policy;
	struct check_words words;
	char *const *names; /* what to check */
	size_t count;
	bool require_log, json, untrusted_clock, crl, help, version;
};

static void
help_print(FILE *to)
{
	fputs("zz-verify – checks certificates offline against the root key of the authority\n"
	      "\n"
	      "  zz-verify sync  --url URL --root ROOT.pub --state DIR [options]\n"
	      "      fetches the signed head, then what it names and is not held: manifest, "
	      "checkpoint, table, a delta\n"
	      "      or the lists. Keeps what verifies. The one command that opens a "
	      "connection.\n"
	      "        --crl              CRLs too: date and reason of a revocation, for many "
	      "times the data\n"
	      "        --policy FILE      witnesses of your own choice must have cosigned, besides "
	      "those that the\n"
	      "                           manifest demands (C2SP tlog-policy)\n"
	      "        --untrusted-clock  the clock here may be wrong\n"
	      "  zz-verify check --root ROOT.pub --state DIR [options] FILE... | FOLDER | QR-TEXT "
	      "| -\n"
	      "      FILE holds a record (.cose), a bundle or a QR text; `-` reads standard "
	      "input. Of a FOLDER each\n"
	      "      file, of several FILEs and of a text with many lines each is checked, on all "
	      "cores: for each one\n"
	      "      line, in order (name or line number, verdict, time of the status data, "
	      "reason; "
	      "tabs between),\n"
	      "      then a summary. Exit 0 only if all are VALID, else the code of the worst, the "
	      "lowest in the\n"
	      "      table below; 1 where the rest is VALID but something in a folder was not to "
	      "be read.\n"
	      "        --item CODE        must be for this item (6 digits)\n"
	      "        --document NUMBER  must be for this identity document\n"
	      "        --at TIME          judge the dates as of then: 2026-10-17 or "
	      "2026-10-17T09:00:00+08:00\n"
	      "        --max-age S        status data may be this old (default 86400)\n"
	      "        --require-log      a proof of the log must come with it (a bundle)\n"
	      "        --json             one JSON object; of many, one a line\n"
	      "  zz-verify --help | --version\n",
	        to);
	prove_help(to);
	fputs("\nExit codes of check; only 0 is good:\n", to);
	for (unsigned i = VERDICT_COUNT; i-- > 0;)
		fprintf(to, "  %3d %-16s %s %s\n", verdict_exit((enum verdict_code)i),
		        verdict_word((enum verdict_code)i), verdict_en((enum verdict_code)i),
		        verdict_zh((enum verdict_code)i));
	fputs("Exit codes of sync: 0 done, 60 ATTACK, named; nothing bad was kept.\n"
	      "Both: 1 trouble with files here, 2 usage, 6 not available (no server, or nothing "
	      "synced yet).\n",
	        to);
}

static int
version_print(const struct field *f)
{
	uint8_t hash[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1];

	field_sha256(f, hash);
	hex_encode(bytes_of(hash, sizeof hash), hex);
	printf("zz-verify %s, field data %s\n", ZZ_VERSION, hex);
	return 0;
}

static int
usage(const char *what)
{
	fprintf(stderr, "zz-verify: %s (zz-verify --help)\n", what);
	return EXIT_USAGE;
}

static int
trouble(const char *what, const char *name, enum err e)
{
	const char *en = e == ERR_NOT_FOUND ? "there is no such file." : err_en(e);
	const char *zh = e == ERR_NOT_FOUND ? "没有该文件。" : err_zh(e);

	fprintf(stderr, "zz-verify: %s %s: %s %s\n", what, name, en, zh);
	return 1;
}

/* NULL and a word on standard error where the file is no public key. */
static struct key *
root_read(const char *path)
{
	struct key *root = NULL;
	uint8_t *pem = NULL;
	size_t n = 0;
	enum err e = file_read(path, KEY_PEM_BYTES_MAX, &pem, &n);

	if (e == ERR_OK)
		e = key_read_pem(bytes_of(pem, n), &root);
	free(pem);
	if (e != ERR_OK)
		(void)trouble("root key", path, e);
	return e == ERR_OK ? root : NULL;
}

/* sync */

static enum err
client_source(void *ctx, const char *path, size_t bytes_max, struct client_reply *out)
{
	return client_get(ctx, path, NULL, bytes_max, out);
}

static int
sync_print(const struct sync_report *r, const struct client *c, const char *url, bool crls)
{
	switch (r->end) {
	case SYNC_DONE:
		printf("manifest %llu, log %llu, lists %u, CRLs %u%s, files changed %u\n",
		        (unsigned long long)r->version, (unsigned long long)r->size, r->lists,
		        r->crls, crls ? "" : " (--crl)", r->changed);
		return 0;
	case SYNC_ATTACK:
		printf("ATTACK  %s\n%s\n%s\n  %s%s (%s)\n", verdict_zh(VERDICT_ATTACK),
		        reason_zh(r->reason), reason_en(r->reason), url, r->file,
		        reason_word(r->reason));
		return verdict_exit(VERDICT_ATTACK);
	case SYNC_AWAY:
		fprintf(stderr,
		        "zz-verify: %s%s is not available (%s): try again later. "
		        "服务不可用，请稍后重试。%s\n",
		        url, r->file, err_word(r->e),
		        r->e == ERR_IO || r->e == ERR_DEADLINE ? client_why(c) : "");
		return EXIT_AWAY;
	case SYNC_FAULT:
	default:
		fprintf(stderr,
		        "zz-verify: the state folder is damaged or of another root key, at %s: %s "
		        "If need be, remove it and "
		        "sync again.\n",
		        r->file, err_en(r->e));
		return 1;
	}
}

static int
sync_locked(const struct arguments *a, const struct key *root, const struct policy *policy,
        struct client *c)
{
	struct sync_source from = {c, client_source};
	struct sync_options o = {.dir = a->state,
	        .root = root,
	        .now = (int64_t)time(NULL),
	        .clock_trusted = !a->untrusted_clock,
	        .policy = policy,
	        .crls = a->crl};
	struct sync_report report;
	int64_t newest = 0;

	/* a clock behind what was signed long ago cannot say what is ahead */
	if (state_newest(a->state, &newest) == ERR_OK && o.now + SEQUENCE_AHEAD_S_MAX < newest &&
	        o.clock_trusted) {
		fputs("zz-verify: the clock here is behind the newest signed time seen: it is not "
		      "trusted. "
		      "本机时钟落后，不予信任。\n",
		        stderr);
		o.clock_trusted = false;
	}
	sync_run(&from, &o, &report);
	return sync_print(&report, c, a->url, a->crl);
}

static int
sync_to(const struct arguments *a, const struct key *root, const struct policy *policy)
{
	struct client *c = NULL;
	int lock = -1, code = 1;
	enum err e = ERR_OK;

	if ((e = state_make(a->state)) != ERR_OK || (e = state_lock(a->state, &lock)) != ERR_OK)
		return trouble("state folder", a->state, e);
	if ((e = client_open(a->url, &c)) == ERR_OK)
		code = sync_locked(a, root, policy, c);
	else
		code = e == ERR_VALUE ? usage("--url must be http:// or https:// and a host")
		                      : trouble("URL", a->url, e);
	client_free(c);
	close(lock);
	return code;
}

static int
sync_main(const struct arguments *a, const struct key *root)
{
	struct policy *policy = NULL;
	uint8_t *text = NULL;
	unsigned line = 0;
	size_t n = 0;
	int code;
	enum err e;

	if (a->url == NULL)
		return usage("sync needs --url");
	if (a->count != 0)
		return usage("sync takes no file");
	if (a->policy == NULL)
		return sync_to(a, root, NULL);
	if ((e = file_read(a->policy, POLICY_BYTES_MAX, &text, &n)) != ERR_OK)
		return trouble("policy", a->policy, e);
	if ((policy = calloc(1, sizeof *policy)) == NULL)
		e = ERR_MEMORY;
	else
		e = policy_read(bytes_of(text, n), policy, &line);
	if (e == ERR_OK) {
		code = sync_to(a, root, policy);
		policy_close(policy);
	} else {
		fprintf(stderr, "zz-verify: %s line %u: %s %s\n", a->policy, line, err_en(e),
		        err_zh(e));
		code = EXIT_USAGE;
	}
	free(policy);
	free(text);
	return code;
}

/* check */

static int
check_show(const struct arguments *a, const struct check *c, const struct field *f)
{
	json_t *object = NULL;

	if (!a->json) {
		check_print(stdout, c, f);
		return verdict_exit(c->v.code);
	}
	if ((object = check_json(c, f)) == NULL)
		return trouble("output", "json", ERR_MEMORY);
	json_dumpf(object, stdout, JSON_INDENT(1));
	putchar('\n');
	json_decref(object);
	return verdict_exit(c->v.code);
}

/* Why there is no verdict. */
static int
check_fail(const char *dir, enum err e)
{
	if (e == ERR_NOT_FOUND) {
		fprintf(stderr,
		        "zz-verify: nothing is held in %s: run zz-verify sync first. 请先同步。\n",
		        dir);
		return EXIT_AWAY;
	}
	if (e == ERR_SIGNATURE || e == ERR_KID_UNKNOWN) {
		printf("ATTACK  %s\n%s\n%s\n  %s/manifest.cose\n", verdict_zh(VERDICT_ATTACK),
		        reason_zh(REASON_MANIFEST), reason_en(REASON_MANIFEST), dir);
		return verdict_exit(VERDICT_ATTACK);
	}
	return trouble("state folder", dir, e);
}

static int
check_one(const struct arguments *a, const struct check_options *o, const struct field *f)
{
	struct check *c = calloc(1, sizeof *c);
	enum err e = c == NULL ? ERR_MEMORY : check_run(o, c);
	int code = e == ERR_OK ? check_show(a, c, f) : check_fail(o->dir, e);

	if (c != NULL)
		check_close(c);
	free(c);
	return code;
}

/* Cores that this process may use. */
static unsigned
cores(void)
{
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;

	if (n < 1)
		return 1;
	return n > MANY_THREADS_MAX ? MANY_THREADS_MAX : (unsigned)n;
}

static int
check_many(const struct arguments *a, const struct check_options *o, const struct field *f,
        struct input *in)
{
	struct many_options many = {.check = *o,
	        .threads = cores(),
	        .json = a->json,
	        .out = stdout,
	        .err = stderr,
	        .terminal = isatty(STDERR_FILENO) == 1,
	        .shared = isatty(STDOUT_FILENO) == 1,
	        .field = f};
	struct many_report report;
	struct held *held = NULL;
	enum err e = held_open(o->dir, o->root, HELD_ALL, &held);

	if (e != ERR_OK)
		return check_fail(o->dir, e);
	if ((e = many_run(&many, held, in, &report)) == ERR_OK)
		e = many_print_summary(&many, &report);
	held_free(held);
	if (e != ERR_OK)
		return trouble("input or output", "", e);
	if (report.count == 0 && report.unread == 0)
		fputs("zz-verify: there is no certificate to check. 没有可核验的证书。\n", stderr);
	return many_exit(&report);
}

static int
check_input(const struct arguments *a, struct check_options *o, const struct field *f)
{
	struct input *in = NULL;
	enum err e = a->count == 1 ? input_open(a->names[0], &in)
	                           : input_open_files(a->names, a->count, &in);
	int code = 0;

	if (e != ERR_OK) {
		(void)trouble("cannot read", a->names[0], e);
		return e == ERR_NOT_FOUND ? EXIT_USAGE : 1;
	}
	if (input_kind(in) == INPUT_MANY) {
		code = check_many(a, o, f, in);
	} else {
		o->data = input_data(in);
		code = check_one(a, o, f);
	}
	input_free(in);
	return code;
}

static int
check_main(const struct arguments *a, const struct key *root, const struct field *f)
{
	struct check_options o = {.dir = a->state,
	        .root = root,
	        .now = (int64_t)time(NULL),
	        .require_log = a->require_log};
	const char *wrong = check_words_read(&a->words, &o);

	if (a->count == 0)
		return usage("check needs files, a folder, a QR text or -");
	return wrong != NULL ? usage(wrong) : check_input(a, &o, f);
}

/* arguments */

static const struct option options[] = {
        {"root", required_argument, NULL, 'r'},
        {"state", required_argument, NULL, 's'},
        {"url", required_argument, NULL, 'u'},
        {"policy", required_argument, NULL, 'p'},
        {"item", required_argument, NULL, 'i'},
        {"document", required_argument, NULL, 'd'},
        {"at", required_argument, NULL, 'a'},
        {"max-age", required_argument, NULL, 'm'},
        {"require-log", no_argument, NULL, 'l'},
        {"json", no_argument, NULL, 'j'},
        {"untrusted-clock", no_argument, NULL, 'c'},
        {"crl", no_argument, NULL, 'n'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'},
        {NULL, 0, NULL, 0},
};

static bool
option_take(struct arguments *a, int c)
{
	const char **texts[] = {&a->root, &a->state, &a->url, &a->policy, &a->words.item,
	        &a->words.document, &a->words.at, &a->words.age};
	bool *flags[] = {
	        &a->require_log, &a->json, &a->untrusted_clock, &a->crl, &a->help, &a->version};
	static const char text_letters[] = "rsupidam", flag_letters[] = "ljcnhv";
	const char *at = strchr(text_letters, c);

	if (at != NULL) {
		*texts[at - text_letters] = optarg;
		return true;
	}
	if ((at = strchr(flag_letters, c)) == NULL)
		return false; /* getopt has said why */
	*flags[at - flag_letters] = true;
	return true;
}

static int
command_run(const char *command, const struct arguments *a, const struct field *f)
{
	bool sync = strcmp(command, "sync") == 0;
	struct key *root = NULL;
	int code = 0;

	if (!sync && strcmp(command, "check") != 0)
		return usage("the command must be sync or check");
	if (a->root == NULL || a->state == NULL)
		return usage("--root and --state are needed");
	if ((root = root_read(a->root)) == NULL)
		return EXIT_USAGE;
	code = sync ? sync_main(a, root) : check_main(a, root, f);
	key_free(root);
	return code;
}

int
main(int argc, char **argv)
{
	struct arguments a = {0};
	struct field *f = NULL;
	enum err e = ERR_OK;
	int c = 0, code = 0;

	if (prove_owns(argc, argv))
		return prove_main(argc, argv, (int64_t)time(NULL));
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (!option_take(&a, c))
			return EXIT_USAGE;
	if (a.help) {
		help_print(stdout);
		return 0;
	}
	if ((e = field_open(&f)) != ERR_OK)
		return trouble("field data", "", e);
	if (a.version)
		code = version_print(f);
	else if (optind >= argc)
		code = usage("a command is needed: sync or check");
	else {
		a.names = argv + optind + 1;
		a.count = (size_t)(argc - optind - 1);
		code = command_run(argv[optind], &a, f);
	}
	field_free(f);
	return code;
}
