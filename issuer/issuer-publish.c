/* issuer-publish - makes the public folder (DESIGN.md section 5). It signs nothing and issues
 * nothing; what it publishes is what the database holds and the signer signed. */
#include "http.h"
#include "log.h"
#include "publish.h"
#include "sandbox.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	EXIT_USAGE = 2,
	EXIT_REFUSED = 4,
	EXIT_FORK = 70,
	ROUND_MS = CHECKPOINT_INTERVAL_MS_MIN,
	BREATH_MS = 25,
	WAIT_MS_MAX = 5000
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
	        "Usage: issuer-publish --config zz.conf\n\n"
	        "Writes public_dir: log tiles and checkpoints, status lists, CRLs, manifest. A "
	        "round and a checkpoint each %d ms.\n"
	        "Exit: 0 stopped, 2 usage, 4 refused to start, 70 another history is public "
	        "(fork).\n\nSettings:\n",
	        ROUND_MS);
	config_help(to);
	return code;
}

/* In slices, so that a signal is seen soon. */
static void
rest(struct publish *p, unsigned ms)
{
	while (ms > 0 && stop == 0) {
		unsigned slice = ms < ROUND_MS ? ms : ROUND_MS;

		if (publish_wait(p, slice, (int64_t)time(NULL)))
			return;
		ms -= slice;
	}
}

/* Opens and runs until a signal or a fork; what else goes wrong is tried again, less and less
 * often. */
static int
run(struct publish *p)
{
	unsigned pause_ms = ROUND_MS;
	enum err last = ERR_OK;

	while (stop == 0) {
		uint64_t since;
		enum err e = publish_round(p, (int64_t)time(NULL));

		if (e == ERR_FORK) {
			log_fault("fork",
			        "what=\"what is public or in the database is not what the signer "
			        "signed: the lines before say which\" size=%llu",
			        (unsigned long long)p->published);
			return EXIT_FORK;
		}
		if (e != ERR_OK && e != last)
			log_fault("round_failed", "error=%s detail=%s", err_word(e),
			        signer_detail(p->signer));
		if (e == ERR_OK && last != ERR_OK)
			log_note("round_works", "size=%llu", (unsigned long long)p->published);
		pause_ms = e == ERR_OK                  ? ROUND_MS
		           : pause_ms * 2 > WAIT_MS_MAX ? WAIT_MS_MAX
		                                        : pause_ms * 2;
		last = e;
		/* from the last checkpoint on, so that what came after it in its round delays none
		 */
		since = http_now_ms() - p->asked_ms;
		rest(p, since + BREATH_MS < pause_ms ? pause_ms - (unsigned)since : BREATH_MS);
	}
	return 0;
}

/* Writes its public folder; reads the trust folder, and what the look-up of a host and TLS need. */
static enum err
sandbox_close(struct sandbox *box, const struct config *config)
{
	char public[CONFIG_TEXT_MAX], trust[CONFIG_TEXT_MAX];
	const char *const read[] = {
	        trust, "/etc", "/usr/lib", "/usr/share", "/run/systemd/resolve", NULL};
	enum err e;

	config_path(config, config->public_dir, public, sizeof public);
	config_path(config, config->trust_dir, trust, sizeof trust);
	if ((e = sandbox_folders(box, public, read)) != ERR_OK)
		return e;
	return sandbox_calls(box);
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {{"config", required_argument, NULL, 'c'},
	        {"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'v'},
	        {NULL, 0, NULL, 0}};
	struct config *config = calloc(1, sizeof *config);
	struct publish *p = calloc(1, sizeof *p);
	struct sandbox box = {.profile = SANDBOX_PUBLISHER};
	const char *path = NULL;
	char why[400];
	int option, code;
	enum err e;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'h')
			return usage(stdout, 0);
		if (option == 'v')
			return printf("issuer-publish %s\n", ZZ_VERSION) > 0 ? 0 : 1;
		if (option != 'c')
			return usage(stderr, EXIT_USAGE);
		path = optarg;
	}
	if (path == NULL || optind != argc || config == NULL || p == NULL)
		return usage(stderr, EXIT_USAGE);
	log_open("issuer-publish");
	umask(0022);
	if (config_read(path, config, why, sizeof why) != ERR_OK) {
		log_fault("configuration", "%s", why);
		return EXIT_USAGE;
	}
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, on_stop);
	signal(SIGINT, on_stop);
	box.available = !config->sandbox_required;
	if ((e = sandbox_user(&box, config->publish_user, "")) != ERR_OK ||
	        (e = publish_open(config, p)) != ERR_OK ||
	        (e = sandbox_close(&box, config)) != ERR_OK) {
		log_fault("start_refused", "error=%s what=\"%s\"", err_word(e), err_en(e));
		return EXIT_REFUSED;
	}
	log_note("ready", "published=%llu", (unsigned long long)p->published);
	code = run(p);
	publish_close(p);
	log_note("stopped", "signal=%d", (int)stop);
	free(p);
	free(config);
	return code;
}
