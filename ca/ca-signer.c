/* ca-signer - holds the keys and decides (DESIGN.md section 2): three Unix sockets, one role each,
 * one thread a connection, all made at start. It opens no network connection and no database; after
 * start it can touch nothing but its state folder (sandbox.c). */
#include "authority.h"
#include "config.h"
#include "file.h"
#include "log.h"
#include "outbox.h"
#include "sandbox.h"
#include "secret.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <malloc.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { SOCKETS = 3, EXIT_USAGE = 2, EXIT_REFUSED = 4 };
/* connections at once: one role cannot lock out another; one more thread each says so */
enum { FRONT_PLACES = 48, PUBLISH_PLACES = 8, ADMIN_PLACES = 8 };
enum { WORKERS = FRONT_PLACES + PUBLISH_PLACES + ADMIN_PLACES + SOCKETS };
enum role_socket { FRONT = 1, PUBLISH = 2, ADMIN = 4 };

/* What each socket may ask. STATE is for all. */
static const struct {
	enum frame_type type;
	unsigned sockets;
	authority_handler handler;
} messages[] = {
        {FRAME_ISSUE, FRONT, authority_issue},
        {FRAME_ORDER, FRONT, authority_order},
        {FRAME_LAPSE, FRONT, authority_lapse},
        {FRAME_PREPARE, FRONT, authority_prepare},
        {FRAME_EXTEND, FRONT, authority_extend},
        {FRAME_STATE, FRONT | PUBLISH | ADMIN, authority_state},
        {FRAME_LIST, PUBLISH, authority_list},
        {FRAME_CRL, PUBLISH, authority_crl},
        {FRAME_CHECKPOINT, PUBLISH, authority_checkpoint},
        {FRAME_TABLE, PUBLISH, authority_table},
        {FRAME_DELTA, PUBLISH, authority_delta},
        {FRAME_HEAD, PUBLISH, authority_head},
        {FRAME_INIT, ADMIN, authority_init},
        {FRAME_ROSTER, ADMIN, authority_roster},
        {FRAME_MANIFEST, ADMIN, authority_manifest},
        {FRAME_CUTOFF, ADMIN, authority_cutoff},
        {FRAME_KEYS, ADMIN, authority_keys},
        {FRAME_RECOVER, ADMIN, authority_recover},
};

struct server;

struct listener {
	enum role_socket role;
	enum call_from from;
	size_t places, taken;
	const char *name;
	int fd;
	uid_t owner;
};

struct connection { /* and the thread that serves one after the other */
	struct server *server;
	struct listener *listener;
	int fd;
	bool in_call;
	pthread_t thread;
};

struct server {
	struct authority *a;
	struct listener listeners[SOCKETS];
	struct connection workers[WORKERS];
	pthread_mutex_t lock; /* of all below, and of each listener's `taken` */
	pthread_cond_t calls_end, never;
	pthread_barrier_t gate;
	size_t calls; /* messages under way */
	bool stopping;
	int64_t clock_offset; /* wall clock less CLOCK_BOOTTIME at start */
};

/* A clock that leaps while we run would date certificates: issuing stops until it is right. */
static enum err
clock_read(const struct server *s, int64_t *now)
{
	struct timespec boot;
	int64_t drift;

	*now = (int64_t)time(NULL);
	if (clock_gettime(CLOCK_BOOTTIME, &boot) != 0)
		return ERR_CLOCK;
	drift = *now - (int64_t)boot.tv_sec - s->clock_offset;
	return drift > CLOCK_LEAP_S_MAX || drift < -CLOCK_LEAP_S_MAX ? ERR_CLOCK : ERR_OK;
}

static enum err
dispatch(struct connection *cn, enum frame_type type, struct bytes body, struct buf *out,
        const char **detail)
{
	struct call c = {.from = cn->listener->from, .body = body, .out = out};
	enum err e;

	c.clock = clock_read(cn->server, &c.now);
	for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++) {
		if (messages[i].type != type || (messages[i].sockets & cn->listener->role) == 0)
			continue;
		e = messages[i].handler(cn->server->a, &c);
		*detail = c.detail;
		return e;
	}
	log_refuse("message_not_allowed", "socket=%s type=%d", cn->listener->name, (int)type);
	return ERR_PROTOCOL;
}

enum { GATHER_BYTES_MAX = 64 * 1024 };

/* From a message to its sent answer: the end of the process waits for it, and for a message that
 * comes later there is no signer any more. */
static void
call_begin(struct connection *cn)
{
	struct server *s = cn->server;

	if (cn->in_call)
		return;
	pthread_mutex_lock(&s->lock);
	while (s->stopping)
		pthread_cond_wait(&s->never, &s->lock);
	s->calls++;
	pthread_mutex_unlock(&s->lock);
	cn->in_call = true;
}

static void
call_end(struct connection *cn)
{
	struct server *s = cn->server;

	if (!cn->in_call)
		return;
	pthread_mutex_lock(&s->lock);
	s->calls--;
	pthread_cond_signal(&s->calls_end);
	pthread_mutex_unlock(&s->lock);
	cn->in_call = false;
}

/* One message and its answer, into the outbox. */
static enum err
answer(struct connection *cn, struct outbox *o, enum frame_type type, struct bytes body)
{
	uint8_t *head = o->room + o->n;
	struct buf out = buf_init(head + FRAME_HEAD_BYTES, ANSWER_BYTES_MAX);
	enum frame_type how = FRAME_ANSWER;
	const char *detail = NULL;
	enum err e = dispatch(cn, type, body, &out, &detail);

	if (e == ERR_OK && out.failed)
		e = ERR_LIMIT;
	if (e != ERR_OK) {
		out = buf_init(head + FRAME_HEAD_BYTES, ANSWER_BYTES_MAX);
		how = FRAME_ERROR;
		cbor_put_array(&out, 2);
		cbor_put_text(&out, bytes_of_text(err_word(e)));
		cbor_put_text(&out, bytes_of_text(detail != NULL ? detail : ""));
	}
	frame_head_put(head, how, out.n);
	o->n += FRAME_HEAD_BYTES + out.n;
	return e;
}

static void
connection_run(struct connection *cn)
{
	struct frame_in in = {.fd = cn->fd};
	struct outbox o = {0};
	enum err e = outbox_open(&o, GATHER_BYTES_MAX) ? ERR_OK : ERR_MEMORY;

	while (e == ERR_OK) {
		enum frame_type type = 0;
		struct bytes body;

		/* before we wait, and before the room could become short */
		if (!frame_waiting(&in) || o.n > GATHER_BYTES_MAX) {
			if (outbox_send(&o, cn->fd) != ERR_OK)
				break;
			call_end(cn);
		}
		if ((e = frame_read(&in, &type, &body)) != ERR_OK) {
			if (e != ERR_TRUNCATED)
				log_refuse("frame_refused", "socket=%s error=%s",
				        cn->listener->name, err_word(e));
			break;
		}
		call_begin(cn);
		/* anything but a message of the table: logged and closed */
		if (answer(cn, &o, type, body) == ERR_PROTOCOL)
			e = ERR_PROTOCOL;
	}
	if (o.room != NULL)
		err_ignore(outbox_send(&o, cn->fd));
	call_end(cn);
	outbox_close(&o);
	frame_in_end(&in);
}

static bool
peer_allowed(int fd, const struct listener *l)
{
	struct ucred peer;
	socklen_t n = sizeof peer;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) != 0)
		return false;
	/* root runs zz-admin at a ceremony */
	if (peer.uid == l->owner || (l->role == ADMIN && peer.uid == 0))
		return true;
	log_refuse("peer_refused", "socket=%s uid=%u", l->name, (unsigned)peer.uid);
	return false;
}

static bool
place_take(struct server *s, struct listener *l)
{
	bool room;

	pthread_mutex_lock(&s->lock);
	room = l->taken < l->places;
	l->taken += room;
	pthread_mutex_unlock(&s->lock);
	if (!room)
		log_refuse("connections_full", "socket=%s places=%zu", l->name, l->places);
	return room;
}

static void
place_give(struct server *s, struct listener *l)
{
	pthread_mutex_lock(&s->lock);
	l->taken--;
	pthread_mutex_unlock(&s->lock);
}

static void *
worker_run(void *arg)
{
	struct connection *cn = arg;
	struct server *s = cn->server;

	pthread_barrier_wait(&s->gate); /* all are there: a thread needs more calls to begin */
	pthread_barrier_wait(&s->gate); /* the sandbox is closed */
	for (;;) {
		cn->fd = accept4(cn->listener->fd, NULL, NULL, SOCK_CLOEXEC);
		if (cn->fd < 0)
			continue;
		if (peer_allowed(cn->fd, cn->listener) && place_take(s, cn->listener)) {
			connection_run(cn);
			place_give(s, cn->listener);
		}
		close(cn->fd);
	}
	return NULL;
}

static enum err
user_find(const char *name, uid_t *out)
{
	const struct passwd *p;

	*out = geteuid();
	if (name[0] == '\0')
		return ERR_OK;
	if ((p = getpwnam(name)) == NULL) {
		log_fault("user_unknown", "setting names a user that does not exist");
		return ERR_CONFIG;
	}
	*out = p->pw_uid;
	return ERR_OK;
}

static enum err
listener_open(struct listener *l, const struct config *config, const char *user)
{
	char folder[CONFIG_TEXT_MAX * 2];
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	enum err e = user_find(user, &l->owner);
	int n;

	if (e != ERR_OK)
		return e;
	config_path(config, config->run_dir, folder, sizeof folder);
	n = snprintf(address.sun_path, sizeof address.sun_path, "%s/%s", folder, l->name);
	if (n < 0 || (size_t)n >= sizeof address.sun_path) {
		log_fault("socket_name_too_long", "name=%s", l->name);
		return ERR_CONFIG;
	}
	err_ignore(unlink(address.sun_path) == 0 ? ERR_OK : ERR_NOT_FOUND);
	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (l->fd < 0 || bind(l->fd, (struct sockaddr *)&address, sizeof address) != 0 ||
	        listen(l->fd, 16) != 0) {
		log_fault("socket_failed", "name=%s errno=%d", l->name, errno);
		return ERR_IO;
	}
	/* anyone may knock; the peer's uid decides */
	return chmod(address.sun_path, 0666) == 0 ? ERR_OK : ERR_IO;
}

static enum err
workers_start(struct server *s, struct sandbox *box)
{
	size_t n = 0;

	for (size_t i = 0; i < SOCKETS; i++)
		for (size_t j = 0; j <= s->listeners[i].places; j++, n++) {
			struct connection *cn = &s->workers[n];

			*cn = (struct connection){.server = s, .listener = &s->listeners[i]};
			if (pthread_create(&cn->thread, NULL, worker_run, cn) != 0)
				return ERR_MEMORY;
		}
	pthread_barrier_wait(&s->gate);
	return sandbox_calls(box);
}

/* Until a signal; then what is under way is answered. A later call waits for the process's end. */
static enum err
serve(struct server *s, struct sandbox *box, const sigset_t *signals, int *signal_number)
{
	const struct timespec second = {1, 0};
	enum err e = workers_start(s, box);

	if (e != ERR_OK)
		return e;
	log_note("ready", "size=%" PRIu64, s->a->fold.frontier.size);
	pthread_barrier_wait(&s->gate);
	while ((*signal_number = sigtimedwait(signals, NULL, &second)) < 0)
		authority_key_alarms(s->a, (int64_t)time(NULL));
	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	while (s->calls > 0)
		pthread_cond_wait(&s->calls_end, &s->lock);
	pthread_mutex_unlock(&s->lock);
	return ERR_OK;
}

/* Everything that a library reads once and late is read here. */
static enum err
sandbox_close(struct sandbox *box, const struct config *config, const struct authority *a)
{
	static const char *const nothing[] = {NULL};
	char folder[CONFIG_TEXT_MAX * 2];

	for (size_t i = 0; i < a->keys.count; i++)
		box->token = box->token || !key_store_soft(a->keys.rows[i].key);

	json_object_seed(0);
	mallopt(M_ARENA_MAX, 1); /* those of threads would grow by one more system call */
	config_path(config, config->signer_dir, folder, sizeof folder);
	return sandbox_folders(box, folder, nothing);
}

static enum err
server_open(struct server *s, const struct config *config)
{
	/* clang-format off */
	static const struct listener listeners[SOCKETS] = {
		{.role = FRONT, .from = FROM_FRONT, .places = FRONT_PLACES, .name = "front.sock", .fd = -1},
		{.role = PUBLISH, .from = FROM_PUBLISHER, .places = PUBLISH_PLACES, .name = "publish.sock", .fd = -1},
		{.role = ADMIN, .from = FROM_ADMIN, .places = ADMIN_PLACES, .name = "admin.sock", .fd = -1},
	};
	/* clang-format on */
	char folder[CONFIG_TEXT_MAX * 2];
	struct timespec boot;
	enum err e;

	memcpy(s->listeners, listeners, sizeof listeners);
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->calls_end, NULL);
	pthread_cond_init(&s->never, NULL);
	pthread_barrier_init(&s->gate, NULL, WORKERS + 1);
	if (clock_gettime(CLOCK_BOOTTIME, &boot) != 0)
		return ERR_CLOCK;
	s->clock_offset = (int64_t)time(NULL) - (int64_t)boot.tv_sec;
	config_path(config, config->signer_dir, folder, sizeof folder);
	if ((e = authority_open(folder, (int64_t)time(NULL), &s->a)) != ERR_OK)
		return e;
	if ((e = listener_open(&s->listeners[0], config, config->front_user)) != ERR_OK ||
	        (e = listener_open(&s->listeners[1], config, config->publish_user)) != ERR_OK)
		return e;
	return listener_open(&s->listeners[2], config, config->admin_user);
}

static int
usage(FILE *to, int code)
{
	fprintf(to, "Usage: ca-signer --config zz.conf [--confirm-clock]\n\n"
	            "Holds the authority's keys and its own copy of the log; issues and revokes on "
	            "signed evidence only.\n"
	            "Listens on front.sock, publish.sock and admin.sock in run_dir. Exit: 0 "
	            "stopped, 2 usage, 4 refused to\n"
	            "start (the log line says why).\n\n--confirm-clock: the machine stood still "
	            "for more than 30 days, and its clock is right.\n"
	            "--sandbox: says what this kernel offers to confine it, exit 4 where "
	            "something is missing.\n\nSettings:\n");
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
	printf("ca-signer %s field-data-sha256 %s\n", ZZ_VERSION, text);
	field_free(f);
	return 0;
}

/* Own user, then what is open, then the threads, then the sandbox: nothing goes back. */
static enum err
run(struct server *s, const struct config *config, bool confirm, int *signal_number)
{
	struct sandbox box = {.profile = SANDBOX_SIGNER, .available = !config->sandbox_required};
	char folder[CONFIG_TEXT_MAX * 2];
	sigset_t signals;
	enum err e;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	config_path(config, config->signer_dir, folder, sizeof folder);
	if ((e = sandbox_user(&box, "", folder)) != ERR_OK ||
	        (e = server_open(s, config)) != ERR_OK)
		return e;
	if (confirm)
		s->a->clock_doubt = false; /* no thread runs yet */
	if ((e = sandbox_close(&box, config, s->a)) != ERR_OK)
		return e;
	return serve(s, &box, &signals, signal_number);
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {{"config", required_argument, NULL, 'c'},
	        {"confirm-clock", no_argument, NULL, 'k'}, {"help", no_argument, NULL, 'h'},
	        {"sandbox", no_argument, NULL, 's'}, {"version", no_argument, NULL, 'v'},
	        {NULL, 0, NULL, 0}};
	struct server *s = calloc(1, sizeof *s);
	struct config *config = calloc(1, sizeof *config);
	const char *path = NULL;
	char why[400];
	bool confirm = false;
	int option, signal_number = 0;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'h')
			return usage(stdout, 0);
		if (option == 'v')
			return version();
		if (option == 's')
			return sandbox_probe() == ERR_OK ? 0 : EXIT_REFUSED;
		if (option != 'c' && option != 'k')
			return usage(stderr, EXIT_USAGE);
		path = option == 'c' ? optarg : path;
		confirm = confirm || option == 'k';
	}
	if (path == NULL || optind != argc || s == NULL || config == NULL)
		return usage(stderr, EXIT_USAGE);
	log_open("ca-signer");
	umask(0077);
	if (secret_memory_open() != ERR_OK)
		return EXIT_REFUSED;
	if (config_read(path, config, why, sizeof why) != ERR_OK) {
		log_fault("configuration", "%s", why);
		return EXIT_USAGE;
	}
	if (run(s, config, confirm, &signal_number) != ERR_OK)
		return EXIT_REFUSED;
	authority_free(s->a); /* wipes the keys; the threads that remain see nothing of it */
	log_note("stopped", "signal=%d", signal_number);
	return 0;
}
