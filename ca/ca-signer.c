/* ca-signer - holds the keys and decides (DESIGN.md section 2): three Unix sockets, one role each,
 * one thread a connection. It opens no network connection and no database; after start it touches
 * nothing but its state folder. */
#include "authority.h"
#include "config.h"
#include "file.h"
#include "log.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { SOCKETS = 3, CONNECTIONS_MAX = 64, EXIT_USAGE = 2, EXIT_REFUSED = 4 };
enum role_socket { FRONT = 1, PUBLISH = 2, ADMIN = 4 };

static volatile sig_atomic_t stop;

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
	size_t places; /* connections at once: one role cannot lock out another */
	const char *name;
	int fd;
	uid_t owner;
	char path[108];
};

struct connection {
	struct server *server;
	const struct listener *listener;
	int fd;
	pthread_t thread;
	bool used, ended;
};

struct server {
	struct authority *a;
	struct listener listeners[SOCKETS];
	struct connection connections[CONNECTIONS_MAX];
	pthread_mutex_t lock;
	int64_t clock_offset; /* wall clock less CLOCK_BOOTTIME at start */
};

static void
on_stop(int signal_number)
{
	stop = signal_number;
}

/* A clock that leaps while we run would date certificates: it stops issuing until it is set right.
 */
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

/* Answers that wait to be sent: to those who ask several things at once, together. */
struct outbox {
	uint8_t *room; /* OUTBOX_BYTES; untouched pages cost nothing */
	size_t n;
};
enum {
	GATHER_BYTES_MAX = 64 * 1024,
	KEPT_BYTES_MAX = 1024 * 1024,
	OUTBOX_BYTES = GATHER_BYTES_MAX + FRAME_HEAD_BYTES + ANSWER_BYTES_MAX
};

static enum err
outbox_send(struct outbox *o, int fd)
{
	enum err e = frame_send(fd, bytes_of(o->room, o->n));

	/* what a large answer took goes back */
	if (o->n > KEPT_BYTES_MAX && madvise(o->room, OUTBOX_BYTES, MADV_DONTNEED) != 0)
		e = ERR_MEMORY;
	o->n = 0;
	return e;
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

static void *
connection_run(void *arg)
{
	struct connection *cn = arg;
	struct frame_in in = {.fd = cn->fd};
	struct outbox o = {.room = mmap(NULL, OUTBOX_BYTES, PROT_READ | PROT_WRITE,
	                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)};
	enum err e = ERR_OK;

	while (e == ERR_OK && o.room != MAP_FAILED) {
		enum frame_type type = 0;
		struct bytes body;

		/* before we wait, and before the room could become short */
		if ((!frame_waiting(&in) || o.n > GATHER_BYTES_MAX) &&
		        outbox_send(&o, cn->fd) != ERR_OK)
			break;
		if ((e = frame_read(&in, &type, &body)) != ERR_OK) {
			if (e != ERR_TRUNCATED)
				log_refuse("frame_refused", "socket=%s error=%s",
				        cn->listener->name, err_word(e));
			break;
		}
		/* anything but a message of the table: logged and closed */
		if (answer(cn, &o, type, body) == ERR_PROTOCOL)
			e = ERR_PROTOCOL;
	}
	if (o.room != MAP_FAILED) {
		err_ignore(outbox_send(&o, cn->fd));
		munmap(o.room, OUTBOX_BYTES);
	}
	frame_in_end(&in);
	pthread_mutex_lock(&cn->server->lock);
	cn->ended = true;
	pthread_mutex_unlock(&cn->server->lock);
	return NULL;
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

static struct connection *
place_find(struct server *s, const struct listener *l)
{
	struct connection *free_one = NULL;
	size_t mine = 0;

	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		struct connection *cn = &s->connections[i];

		if (cn->used && cn->ended) {
			pthread_join(cn->thread, NULL);
			close(cn->fd);
			cn->used = cn->ended = false;
		}
		mine += cn->used && cn->listener == l;
		if (!cn->used && free_one == NULL)
			free_one = cn;
	}
	pthread_mutex_unlock(&s->lock);
	if (mine < l->places && free_one != NULL)
		return free_one;
	log_refuse("connections_full", "socket=%s places=%zu", l->name, l->places);
	return NULL;
}

static void
connection_start(struct server *s, const struct listener *l)
{
	int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC);
	struct connection *cn;

	if (fd < 0)
		return;
	if (!peer_allowed(fd, l) || (cn = place_find(s, l)) == NULL) {
		close(fd);
		return;
	}
	*cn = (struct connection){.server = s, .listener = l, .fd = fd, .used = true};
	if (pthread_create(&cn->thread, NULL, connection_run, cn) != 0) {
		cn->used = false;
		close(fd);
	}
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
	memcpy(l->path, address.sun_path, sizeof l->path);
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

static void
serve(struct server *s)
{
	struct pollfd polls[SOCKETS];

	for (size_t i = 0; i < SOCKETS; i++)
		polls[i] = (struct pollfd){.fd = s->listeners[i].fd, .events = POLLIN};
	log_note("ready", "size=%" PRIu64, s->a->fold.frontier.size);
	while (stop == 0) {
		int ready = poll(polls, SOCKETS, 500);

		authority_key_alarms(s->a, (int64_t)time(NULL));
		if (ready <= 0)
			continue;
		for (size_t i = 0; i < SOCKETS; i++)
			if ((polls[i].revents & POLLIN) != 0)
				connection_start(s, &s->listeners[i]);
	}
}

static void
connections_end(struct server *s)
{
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		if (s->connections[i].used)
			shutdown(s->connections[i].fd, SHUT_RDWR);
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		if (s->connections[i].used) {
			pthread_join(s->connections[i].thread, NULL);
			close(s->connections[i].fd);
		}
	for (size_t i = 0; i < SOCKETS; i++) {
		close(s->listeners[i].fd);
		/* a socket without a signer behind it tells others to wait for nothing */
		err_ignore(unlink(s->listeners[i].path) == 0 ? ERR_OK : ERR_NOT_FOUND);
	}
}

static enum err
server_open(struct server *s, const struct config *config)
{
	char folder[CONFIG_TEXT_MAX * 2];
	struct timespec boot;
	enum err e;

	s->listeners[0] = (struct listener){
	        .role = FRONT, .from = FROM_FRONT, .places = 48, .name = "front.sock", .fd = -1};
	s->listeners[1] = (struct listener){.role = PUBLISH,
	        .from = FROM_PUBLISHER,
	        .places = 8,
	        .name = "publish.sock",
	        .fd = -1};
	s->listeners[2] = (struct listener){
	        .role = ADMIN, .from = FROM_ADMIN, .places = 8, .name = "admin.sock", .fd = -1};
	pthread_mutex_init(&s->lock, NULL);
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
	            "for more than 30 days, and its clock is right.\n\nSettings:\n");
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

int
main(int argc, char **argv)
{
	static const struct option options[] = {{"config", required_argument, NULL, 'c'},
	        {"confirm-clock", no_argument, NULL, 'k'}, {"help", no_argument, NULL, 'h'},
	        {"version", no_argument, NULL, 'v'}, {NULL, 0, NULL, 0}};
	const struct rlimit no_core = {0, 0};
	struct server *s = calloc(1, sizeof *s);
	struct config *config = calloc(1, sizeof *config);
	const char *path = NULL;
	char why[400];
	bool confirm = false;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'h')
			return usage(stdout, 0);
		if (option == 'v')
			return version();
		if (option != 'c' && option != 'k')
			return usage(stderr, EXIT_USAGE);
		if (option == 'c')
			path = optarg;
		confirm = confirm || option == 'k';
	}
	if (path == NULL || optind != argc || s == NULL || config == NULL)
		return usage(stderr, EXIT_USAGE);
	log_open("ca-signer");
	setrlimit(RLIMIT_CORE, &no_core);
	umask(0077);
	if (config_read(path, config, why, sizeof why) != ERR_OK) {
		log_fault("configuration", "%s", why);
		return EXIT_USAGE;
	}
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, on_stop);
	signal(SIGINT, on_stop);
	if (server_open(s, config) != ERR_OK)
		return EXIT_REFUSED;
	if (confirm)
		s->a->clock_doubt = false; /* no thread runs yet */
	serve(s);
	connections_end(s);
	authority_free(s->a);
	log_note("stopped", "signal=%d", (int)stop);
	free(s);
	free(config);
	return 0;
}
