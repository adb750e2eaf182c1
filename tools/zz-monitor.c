/* zz-monitor.c - watches an authority from outside: its log grows and never changes, its lists are
 * what its log says, and nothing is issued that looks wrong. */
#include "file.h"
#include "monitor.h"
#include "verify_state.h"

#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	EXIT_TROUBLE = 1,
	EXIT_ALARM = 2,
	EXIT_AWAY = 3,
	KNOWN_BYTES_MAX = MONITOR_KNOWN_MAX * (2 * SHA256_BYTES + 1)
};

struct arguments {
	const char *root, *state, *url, *center, *known, *every, *burst;
	bool once, json, help, version;
};

static volatile sig_atomic_t stop;

static void
on_stop(int signal_number)
{
	stop = signal_number;
}

static int
usage(FILE *to, int code)
{
	fprintf(to,
	        "zz-monitor – watches an authority from outside: log, lists, and who issues what\n"
	        "\n"
	        "  zz-monitor --url URL --root ROOT.pub --state DIR [options]\n"
	        "        --once          one pass, then the exit code says what was found\n"
	        "        --every S       otherwise a pass each S seconds (default 60)\n"
	        "        --center CODE   only what concerns this exam centre, with each request "
	        "in its name\n"
	        "        --known FILE    request ids that the centre sent, one a line: any other "
	        "is an alarm\n"
	        "        --burst N       certificates of a centre in an hour that are too many "
	        "(default %d)\n"
	        "        --json          one JSON object a pass\n"
	        "  zz-monitor --help | --version\n"
	        "\n"
	        "Needs no rights: the root key and the public address. The state folder is its "
	        "memory.\n"
	        "Exit codes: 0 nothing found, 1 usage, or files here, 2 ALARM, 3 could not finish "
	        "(no server).\n"
	        "Alarms:\n",
	        MONITOR_BURST);
	for (unsigned i = 0; i < ALARM_COUNT; i++)
		fprintf(to, "  %-16s %s %s\n", alarm_word((enum alarm)i), alarm_en((enum alarm)i),
		        alarm_zh((enum alarm)i));
	return code;
}

static int
trouble(const char *what, const char *name, enum err e)
{
	fprintf(stderr, "zz-monitor: %s %s: %s %s\n", what, name,
	        e == ERR_NOT_FOUND ? "there is no such file." : err_en(e),
	        e == ERR_NOT_FOUND ? "没有该文件。" : err_zh(e));
	return EXIT_TROUBLE;
}

static enum err
client_source(void *ctx, const char *path, size_t bytes_max, struct client_reply *out)
{
	return client_get(ctx, path, NULL, bytes_max, out);
}

static enum err
root_read(const char *path, struct key **out)
{
	uint8_t *pem = NULL;
	size_t n = 0;
	enum err e = file_read(path, KEY_PEM_BYTES_MAX, &pem, &n);

	if (e == ERR_OK)
		e = key_read_pem(bytes_of(pem, n), out);
	free(pem);
	return e;
}

/* One hex id a line; other words of a line are passed over, so that output of zz serves too. */
static enum err
known_read(const char *path, struct monitor_options *o)
{
	uint8_t(*ids)[SHA256_BYTES] = NULL, *text = NULL;
	size_t n = 0, count = 0, at = 0;
	enum err e = file_read(path, KNOWN_BYTES_MAX, &text, &n);

	if (e == ERR_OK && (ids = calloc(n / (2 * SHA256_BYTES) + 1, sizeof *ids)) == NULL)
		e = ERR_MEMORY;
	while (e == ERR_OK && at < n) {
		size_t word = strcspn((const char *)text + at, " \t\r\n");

		if (hex_decode(bytes_of(text + at, word), ids[count], SHA256_BYTES) == ERR_OK)
			count++;
		at += word + 1;
	}
	free(text);
	o->known = (const uint8_t(*)[SHA256_BYTES])ids;
	o->known_count = count;
	return e;
}

static int
report_show(const struct arguments *a, const struct monitor_options *o,
        const struct monitor_state *s, const struct monitor_report *r, const char *why)
{
	bool alarm = r->finding_more > 0;

	for (size_t i = 0; i < r->finding_count; i++)
		alarm = alarm || monitor_shows(o, &r->findings[i]);
	if (a->json) {
		json_t *object = monitor_json(o, s, r);

		json_dumpf(object, stdout, JSON_COMPACT);
		putchar('\n');
		fflush(stdout);
		json_decref(object);
	} else {
		monitor_print(stdout, o, s, r);
	}
	if (r->end != MONITOR_DONE)
		fprintf(stderr, "zz-monitor: could not finish at %s: %s %s %s\n", r->file,
		        err_en(r->e), err_zh(r->e), why);
	if (alarm)
		return EXIT_ALARM;
	return r->end == MONITOR_DONE ? 0 : r->end == MONITOR_AWAY ? EXIT_AWAY : EXIT_TROUBLE;
}

static int
pass(const struct arguments *a, struct monitor_options *o, struct client *c)
{
	const struct sync_source from = {c, client_source};
	struct monitor_report *r = malloc(sizeof *r);
	struct monitor_state s;
	int code;

	if (r == NULL)
		return trouble("pass", "", ERR_MEMORY);
	o->now = (int64_t)time(NULL);
	monitor_run(&from, o, &s, r);
	code = report_show(a, o, &s, r, r->end == MONITOR_AWAY ? client_why(c) : "");
	monitor_state_free(&s);
	free(r);
	return code;
}

/* The worst that a pass found is what a loop ends with. */
static int
passes(const struct arguments *a, struct monitor_options *o, struct client *c, uint64_t every)
{
	int worst = 0;

	while (stop == 0) {
		int code = pass(a, o, c);

		worst = code > worst ? code : worst;
		if (a->once)
			return code;
		for (uint64_t left = every; left > 0 && stop == 0; left--)
			sleep(1);
	}
	return worst;
}

static int
run(const struct arguments *a, struct monitor_options *o, uint64_t every)
{
	struct client *c = NULL;
	int lock = -1, code = EXIT_TROUBLE;
	enum err e;

	if ((e = state_make(a->state)) != ERR_OK || (e = state_lock(a->state, &lock)) != ERR_OK)
		return trouble("state folder", a->state, e);
	if ((e = client_open(a->url, &c)) != ERR_OK)
		code = trouble("--url", a->url, e);
	else
		code = passes(a, o, c, every);
	client_free(c);
	close(lock);
	return code;
}

static const struct option options[] = {
        {"root", required_argument, NULL, 'r'},
        {"state", required_argument, NULL, 's'},
        {"url", required_argument, NULL, 'u'},
        {"center", required_argument, NULL, 'c'},
        {"known", required_argument, NULL, 'k'},
        {"every", required_argument, NULL, 'e'},
        {"burst", required_argument, NULL, 'b'},
        {"once", no_argument, NULL, 'o'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'},
        {NULL, 0, NULL, 0},
};

static bool
option_take(struct arguments *a, int c)
{
	const char **texts[] = {
	        &a->root, &a->state, &a->url, &a->center, &a->known, &a->every, &a->burst};
	bool *flags[] = {&a->once, &a->json, &a->help, &a->version};
	static const char text_letters[] = "rsuckeb", flag_letters[] = "ojhv";
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

static bool
number_read(const char *text, uint64_t max, uint64_t *out)
{
	return text == NULL ||
	       (decimal_decode(bytes_of_text(text), max, out) == ERR_OK && *out > 0);
}

int
main(int argc, char **argv)
{
	struct monitor_options o = {.burst = MONITOR_BURST};
	struct arguments a = {.once = false};
	struct key *root = NULL;
	uint64_t every = 60;
	int c = 0, code = EXIT_TROUBLE;
	enum err e;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (!option_take(&a, c))
			return EXIT_TROUBLE;
	if (a.help)
		return usage(stdout, 0);
	if (a.version)
		return printf("zz-monitor %s\n", ZZ_VERSION) > 0 ? 0 : EXIT_TROUBLE;
	if (optind != argc || a.url == NULL || a.root == NULL || a.state == NULL ||
	        !number_read(a.every, INT32_MAX, &every) ||
	        !number_read(a.burst, INT32_MAX, &o.burst) || (a.known && !a.center))
		return usage(stderr, EXIT_TROUBLE);
	signal(SIGTERM, on_stop);
	signal(SIGINT, on_stop);
	o.dir = a.state;
	o.center = a.center;
	if ((e = root_read(a.root, &root)) != ERR_OK)
		return trouble("root key", a.root, e);
	o.root = root;
	if (a.known != NULL && (e = known_read(a.known, &o)) != ERR_OK)
		code = trouble("--known", a.known, e);
	else
		code = run(&a, &o, every);
	free((void *)(uintptr_t)o.known);
	key_free(root);
	return code;
}
