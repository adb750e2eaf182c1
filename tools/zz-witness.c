/* zz-witness - cosigns checkpoints of logs that only ever grow: what a second agency runs beside
 * nobody's database. It holds one key and, for each log, the tree that it cosigned last. */
#include "add_checkpoint.h"
#include "file.h"
#include "hash.h"
#include "http.h"
#include "log.h"
#include "reply.h"
#include "witness_log.h"

#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { EXIT_USAGE = 2, EXIT_REFUSED = 4, STOP_WAIT_MS = 5000 };

struct arguments {
	const char *name, *key, *state, *listen;
	const char *logs[WITNESS_LOGS_MAX + 1];
	size_t log_count;
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
	fputs("zz-witness – cosigns the checkpoints of logs that only ever grow (C2SP "
	      "tlog-witness)\n"
	      "\n"
	      "  zz-witness keygen --name NAME --key FILE\n"
	      "      makes a private key (mode 0600, never over another file) and prints its "
	      "vkey:\n"
	      "      the authority puts that into its manifest and its zz.conf\n"
	      "  zz-witness run --name NAME --key FILE --state DIR --log VKEY [--log VKEY …]\n"
	      "        --listen ADDRESS   127.0.0.1:PORT, [::1]:PORT or unix:PATH (default "
	      "127.0.0.1:8090)\n"
	      "      answers POST /add-checkpoint and GET /<hex SHA-256 of the "
	      "origin>/checkpoint.\n"
	      "      TLS and the outside world are nginx's affair.\n"
	      "  zz-witness --help | --version\n"
	      "\n"
	      "NAME is the key's name, such as witness.example.org: no blanks, no plus.\n"
	      "VKEY is the log's, as in its trust/log.vkey. The state folder must never be "
	      "restored from a backup:\n"
	      "a witness that forgets may cosign a second history. Begin with a new key "
	      "instead.\n"
	      "Exit: 0 stopped, 1 trouble with files here, 2 usage, 4 refused to start.\n",
	        to);
	return code;
}

static int
refused(const char *what, enum err e)
{
	log_fault("start_refused", "at=\"%s\" error=%s what=\"%s\"", what, err_word(e), err_en(e));
	return EXIT_REFUSED;
}

static void
vkey_print(const char *name, const struct key *k)
{
	char room[COSIGNER_NAME_BYTES_MAX + 100];
	struct buf b = BUF_OF(room);

	cosigner_vkey_put(&b, bytes_of_text(name), k);
	printf("%.*s\n", (int)b.n, room);
}

/* keygen */

static enum err
key_create(const char *path, struct bytes pem)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	enum err e;

	if (fd < 0)
		return file_exists(path) ? ERR_EXISTS : ERR_IO;
	if ((e = file_put_all(fd, pem)) == ERR_OK)
		file_sync(fd, path);
	close(fd);
	file_sync_folder(path);
	return e;
}

static bool
name_valid(const char *name)
{
	char room[COSIGNER_NAME_BYTES_MAX + 100];
	struct buf b = BUF_OF(room);
	struct key *k = NULL;
	bool good =
	        strlen(name) <= COSIGNER_NAME_BYTES_MAX && key_generate(KEY_ED25519, &k) == ERR_OK;

	if (good)
		cosigner_vkey_put(&b, bytes_of_text(name), k);
	key_free(k);
	return good && !b.failed;
}

static int
keygen_main(const struct arguments *a)
{
	uint8_t room[KEY_PEM_BYTES_MAX];
	struct buf pem = BUF_OF(room);
	struct key *k = NULL;
	enum err e = key_generate(KEY_ED25519, &k);

	if (e == ERR_OK && (e = key_write_private(k, &pem)) == ERR_OK)
		e = key_create(a->key, buf_bytes(&pem));
	secret_wipe(room, sizeof room);
	if (e == ERR_OK)
		vkey_print(a->name, k);
	key_free(k);
	if (e == ERR_OK)
		return 0;
	fprintf(stderr, "zz-witness: %s: %s\n", a->key, err_en(e));
	return 1;
}

/* run */

static bool
is_add(const struct exchange *x)
{
	return bytes_equal_text(x->path, ADD_CHECKPOINT_PATH);
}

/* "/<64 hex>/checkpoint" */
static bool
is_last(const struct exchange *x)
{
	return x->path.n == 1 + WITNESS_ORIGIN_HEX + strlen("/checkpoint") &&
	       bytes_equal_text(bytes_skip(x->path, 1 + WITNESS_ORIGIN_HEX), "/checkpoint");
}

static enum err
on_admit(void *ctx, struct exchange *x, size_t *body_max)
{
	(void)ctx;
	*body_max = is_add(x) ? ADD_CHECKPOINT_BYTES_MAX : 0;
	if (!is_add(x) && !is_last(x))
		return ERR_NOT_FOUND;
	if (is_add(x) == (x->method == HTTP_POST))
		return ERR_OK;
	reply_add_header(x, "Allow", is_add(x) ? "POST" : "GET, HEAD");
	return ERR_METHOD;
}

static void
serve_add(struct witness *w, struct exchange *x)
{
	struct witness_answer a;
	struct bytes body;

	witness_add(w, x->body, (int64_t)time(NULL), &a);
	body = arena_copy(&x->arena, bytes_of(a.body, a.n));
	if (body.p == NULL)
		return;
	reply_bytes(x, a.status,
	        a.status == 409 ? ADD_CHECKPOINT_SIZE_TYPE : "text/plain; charset=utf-8", body);
}

static void
serve_last(struct witness *w, struct exchange *x)
{
	struct buf note =
	        buf_init(arena_alloc(&x->arena, CHECKPOINT_BYTES_MAX), CHECKPOINT_BYTES_MAX);
	enum err e = note.p == NULL
	                     ? ERR_MEMORY
	                     : witness_last(w, bytes_of(x->path.p + 1, WITNESS_ORIGIN_HEX), &note);

	if (e != ERR_OK) {
		reply_problem(x, e, NULL);
		return;
	}
	reply_add_header(x, "Cache-Control", "no-cache");
	reply_bytes(x, 200, "text/plain; charset=utf-8", buf_bytes(&note));
}

/* On the loop thread: one write to disk a request, and every request waits for the same lock. */
static void
on_serve(void *ctx, struct exchange *x)
{
	if (is_add(x))
		serve_add(ctx, x);
	else
		serve_last(ctx, x);
	exchange_done(x);
}

static void
config_make(const struct arguments *a, struct config *c)
{
	memset(c, 0, sizeof *c);
	snprintf(c->listen, sizeof c->listen, "%s", a->listen);
	if (getcwd(c->folder, sizeof c->folder) == NULL)
		c->folder[0] = '\0';
	c->loops = 1;
	c->connections_max = 128;
	c->request_deadline_s = 10;
}

static int
serve_until_stopped(const struct arguments *a, struct witness *w)
{
	static const struct http_callbacks calls = {.admit = on_admit, .serve = on_serve};
	const struct timespec tick = {.tv_nsec = 100000000};
	struct config *c = calloc(1, sizeof *c);
	struct http *h = NULL;
	enum err e = c == NULL ? ERR_MEMORY : ERR_OK;

	if (e == ERR_OK) {
		config_make(a, c);
		if ((e = http_open(c, &calls, w, &h)) == ERR_OK)
			e = http_run(h);
	}
	if (e == ERR_OK) {
		log_note("ready", "listen=%s port=%u", a->listen, http_port(h));
		while (stop == 0)
			nanosleep(&tick, NULL);
		e = http_stop(h, STOP_WAIT_MS);
	}
	http_free(h);
	free(c);
	return e == ERR_OK ? 0 : refused(a->listen, e);
}

static enum err
key_load(const char *path, struct key **out)
{
	struct key *k = NULL;
	uint8_t *pem = NULL;
	size_t n = 0;
	enum err e = file_read(path, KEY_PEM_BYTES_MAX, &pem, &n);

	if (e != ERR_OK)
		return e;
	e = key_read_pem(bytes_of(pem, n), &k);
	secret_wipe(pem, n);
	free(pem);
	if (e == ERR_OK && (!key_is_private(k) || key_suite(k) != KEY_ED25519))
		e = ERR_ALG_MISMATCH;
	if (e != ERR_OK) {
		key_free(k);
		return e;
	}
	*out = k;
	return ERR_OK;
}

static int
run_main(const struct arguments *a)
{
	struct witness *w = NULL;
	struct key *key = NULL;
	enum err e;
	int code;

	log_open("zz-witness");
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, on_stop);
	signal(SIGINT, on_stop);
	umask(0022);
	if ((e = key_load(a->key, &key)) != ERR_OK)
		return refused(a->key, e);
	if ((e = witness_open(a->state, a->name, key, a->logs, &w)) != ERR_OK)
		code = refused(a->state, e);
	else
		code = serve_until_stopped(a, w);
	witness_free(w);
	key_free(key);
	return code;
}

static bool
option_take(struct arguments *a, int option)
{
	switch (option) {
	case 'n':
		a->name = optarg;
		return true;
	case 'k':
		a->key = optarg;
		return true;
	case 's':
		a->state = optarg;
		return true;
	case 'l':
		a->listen = optarg;
		return true;
	case 'g':
		if (a->log_count == WITNESS_LOGS_MAX)
			return false;
		a->logs[a->log_count++] = optarg;
		return true;
	default:
		return false;
	}
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {{"name", required_argument, NULL, 'n'},
	        {"key", required_argument, NULL, 'k'}, {"state", required_argument, NULL, 's'},
	        {"listen", required_argument, NULL, 'l'}, {"log", required_argument, NULL, 'g'},
	        {"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'v'},
	        {NULL, 0, NULL, 0}};
	struct arguments a = {.listen = "127.0.0.1:8090"};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'h')
			return usage(stdout, 0);
		if (option == 'v')
			return printf("zz-witness %s\n", ZZ_VERSION) > 0 ? 0 : 1;
		if (!option_take(&a, option))
			return usage(stderr, EXIT_USAGE);
	}
	if (optind + 1 != argc || a.name == NULL || a.key == NULL || !name_valid(a.name))
		return usage(stderr, EXIT_USAGE);
	if (strcmp(argv[optind], "keygen") == 0)
		return keygen_main(&a);
	if (strcmp(argv[optind], "run") == 0 && a.state != NULL && a.log_count > 0)
		return run_main(&a);
	return usage(stderr, EXIT_USAGE);
}
