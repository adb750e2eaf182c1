/* issuerd - takes signed requests over HTTP, has the signer decide, and commits what it decided
 * (DESIGN.md section 2). It holds no private key. */
#include "file.h"
#include "hash.h"
#include "log.h"
#include "sandbox.h"
#include "service.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	EXIT_USAGE = 2,
	EXIT_REFUSED = 4,
	EXIT_STUCK = 70,
	WORKERS_MAX = 64,
	STOP_WAIT_MS = 20000,
	PATH_BYTES = 900
};
enum { ROOM_BYTES = 32 };

static volatile sig_atomic_t stop;

static void
on_stop(int signal_number)
{
	stop = signal_number;
}

int64_t
service_now(void)
{
	return (int64_t)time(NULL);
}

static enum err
file_of(const struct config *c, const char *dir, const char *name, size_t bytes_max, uint8_t **p,
        size_t *n)
{
	char folder[CONFIG_TEXT_MAX], path[PATH_BYTES];
	enum err e;

	config_path(c, dir, folder, sizeof folder);
	snprintf(path, sizeof path, "%s%s%s", folder, name[0] == '\0' ? "" : "/", name);
	e = file_read(path, bytes_max, p, n);
	if (e != ERR_OK)
		log_fault("file_unreadable", "path=%s error=%s", path, err_word(e));
	return e;
}

static enum err
root_load(struct service *s)
{
	uint8_t *p = NULL;
	size_t n = 0;
	enum err e =
	        file_of(s->config, s->config->trust_dir, "root.pub", KEY_PEM_BYTES_MAX, &p, &n);

	if (e == ERR_OK)
		e = key_read_pem(bytes_of(p, n), &s->root);
	free(p);
	return e;
}

static enum err
pepper_load(struct service *s)
{
	uint8_t *p = NULL;
	size_t n = 0;
	enum err e = file_of(s->config, s->config->pepper_file, "", ROOM_BYTES, &p, &n);

	if (e != ERR_OK)
		return e;
	if (n == sizeof s->pepper)
		memcpy(s->pepper, p, n);
	secret_wipe(p, n);
	free(p);
	return n == sizeof s->pepper ? ERR_OK : ERR_CONFIG;
}

/* A database behind the signer is an old backup: it refuses to start, and says both sizes. */
static enum err
sizes_check(struct service *s)
{
	struct signer_state t;
	struct store *store = NULL;
	struct signer *signer = NULL;
	uint64_t size = 0;
	int64_t time_s = 0;
	enum err e;

	if ((e = store_open(s->config->issuer_database, STORE_ISSUER, &store)) != ERR_OK)
		return e;
	/* the signer first: it is never ahead of what is committed while other fronts work */
	if ((e = signer_open(s->front_sock, &signer)) == ERR_OK &&
	        (e = signer_state(signer, bytes_of(NULL, 0), &t)) == ERR_OK)
		e = store_head(store, &size, &time_s);
	if (e == ERR_OK && t.size > size) {
		log_fault("database_behind", "database=%llu signer=%llu do=zz-admin_recover",
		        (unsigned long long)size, (unsigned long long)t.size);
		e = ERR_BEHIND;
	}
	store_free(store);
	signer_free(signer);
	return e;
}

/* Data that the law has not confirmed yet may issue certificates, but never silently. */
static void
provisional_tell(const struct field *f)
{
	uint8_t room[200];
	struct buf ids = BUF_OF(room);

	if (field_provisional(f, &ids))
		log_note("policy_provisional", "ids=%.*s what=\"confirm before production\"",
		        (int)ids.n, (const char *)room);
}

static enum err
service_open(struct service *s, const struct config *config)
{
	char folder[CONFIG_TEXT_MAX];
	enum err e;

	s->config = config;
	config_path(config, config->public_dir, s->public_dir, sizeof s->public_dir);
	config_path(config, config->run_dir, folder, sizeof folder);
	if ((size_t)snprintf(s->front_sock, sizeof s->front_sock, "%s/front.sock", folder) >=
	        sizeof s->front_sock)
		return ERR_CONFIG;
	queue_init(&s->work);
	queue_init(&s->write);
	metrics_init(&s->metrics);
	metrics_set(&s->metrics, METRIC_START_AT, (uint64_t)service_now());
	atomic_store(&s->problem, (int)ERR_NOT_READY);
	if ((e = field_open(&s->field)) != ERR_OK || (e = root_load(s)) != ERR_OK ||
	        (e = pepper_load(s)) != ERR_OK)
		return e;
	provisional_tell(s->field);
	return sizes_check(s);
}

struct threads {
	pthread_t writer, bulk, workers[WORKERS_MAX];
	struct bulk bulk_control;
	size_t count;
};

static enum err
threads_start(struct service *s, struct threads *t)
{
	t->bulk_control.s = s;
	if (pthread_create(&t->writer, NULL, writer_run, s) != 0 ||
	        pthread_create(&t->bulk, NULL, bulk_run, &t->bulk_control) != 0)
		return ERR_MEMORY;
	for (t->count = 0; t->count < s->config->workers && t->count < WORKERS_MAX; t->count++)
		if (pthread_create(&t->workers[t->count], NULL, worker_run, s) != 0)
			return ERR_MEMORY;
	return ERR_OK;
}

/* What was taken in is finished; then the queues close, the writer's first. An order under way
 * stops after its chunk. */
static void
threads_stop(struct service *s, struct threads *t)
{
	atomic_store(&t->bulk_control.stop, true);
	pthread_join(t->bulk, NULL);
	queue_close(&s->write);
	pthread_join(t->writer, NULL);
	queue_close(&s->work);
	for (size_t i = 0; i < t->count; i++)
		pthread_join(t->workers[i], NULL);
}

/* Reads what is public and what the look-up of a host and TLS need; writes nothing. */
static enum err
folders_close(const struct service *s, struct sandbox *box)
{
	const char *const read[] = {
	        s->public_dir, "/etc", "/usr/lib", "/usr/share", "/run/systemd/resolve", NULL};

	return sandbox_folders(box, NULL, read);
}

static int
service_run(struct service *s, struct sandbox *box)
{
	const struct http_callbacks calls = {service_admit, service_serve, &s->metrics};
	struct threads threads = {0};
	struct http *http = NULL;
	enum err e;

	if ((e = http_open(s->config, &calls, s, &http)) != ERR_OK ||
	        (e = folders_close(s, box)) != ERR_OK ||
	        (e = threads_start(s, &threads)) != ERR_OK || (e = http_run(http)) != ERR_OK ||
	        (e = sandbox_calls(box)) != ERR_OK) {
		log_fault("start_refused", "error=%s", err_word(e));
		return EXIT_REFUSED;
	}
	log_note("ready", "listen=%s port=%u", s->config->listen, http_port(http));
	while (stop == 0)
		pause();
	if (http_stop(http, STOP_WAIT_MS) != ERR_OK) {
		log_fault("stop_forced", "what=a request is still under way");
		_exit(EXIT_STUCK);
	}
	threads_stop(s, &threads);
	http_free(http);
	log_note("stopped", "signal=%d", (int)stop);
	return 0;
}

static int
usage(FILE *to, int code)
{
	fprintf(to, "Usage: issuerd --config zz.conf\n\n"
	            "The authority's HTTP front: takes signed requests, has ca-signer decide, "
	            "commits the result to\n"
	            "PostgreSQL and answers with records and receipts. Put nginx in front of it "
	            "(tools/deploy/nginx.conf).\n"
	            "Exit: 0 stopped, 2 usage, 4 refused to start (the log line says "
	            "why).\n\nSettings:\n");
	config_help(to);
	return code;
}

static int
version(void)
{
	uint8_t hash[SHA256_BYTES];
	char text[2 * SHA256_BYTES + 1];
	struct field *f = NULL;

	if (field_open(&f) != ERR_OK)
		return EXIT_REFUSED;
	field_sha256(f, hash);
	hex_encode(bytes_of(hash, sizeof hash), text);
	printf("issuerd %s field-data-sha256 %s\n", ZZ_VERSION, text);
	field_free(f);
	return 0;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {{"config", required_argument, NULL, 'c'},
	        {"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'v'},
	        {NULL, 0, NULL, 0}};
	struct service *s = calloc(1, sizeof *s);
	struct config *config = calloc(1, sizeof *config);
	struct sandbox box = {.profile = SANDBOX_FRONT};
	const char *path = NULL;
	char why[400];
	int option, code;
	enum err e;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'h')
			return usage(stdout, 0);
		if (option == 'v')
			return version();
		if (option != 'c')
			return usage(stderr, EXIT_USAGE);
		path = optarg;
	}
	if (path == NULL || optind != argc || s == NULL || config == NULL)
		return usage(stderr, EXIT_USAGE);
	log_open("issuerd");
	if (config_read(path, config, why, sizeof why) != ERR_OK) {
		log_fault("configuration", "%s", why);
		return EXIT_USAGE;
	}
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, on_stop);
	signal(SIGINT, on_stop);
	box.available = !config->sandbox_required;
	if ((e = sandbox_user(&box, config->front_user, "")) != ERR_OK ||
	        (e = service_open(s, config)) != ERR_OK) {
		log_fault("start_refused", "error=%s what=\"%s\"", err_word(e), err_en(e));
		return EXIT_REFUSED;
	}
	code = service_run(s, &box);
	secret_wipe(s->pepper, sizeof s->pepper);
	return code;
}
