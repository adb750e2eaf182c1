/* http.c - the one file that sees libmicrohttpd: what it calls, and what the loop (http_loop.c)
 * asks of it. A connection is suspended only inside its call of us and resumed only by its loop; a
 * request passes the rules of http_head.c before anything else happens. */
#include "http.h"

#include "http_head.h"
#include "http_loop.h"
#include "log.h"
#include "metrics.h"
#include "reply.h"

#include <assert.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	POOL_BYTES = 8 * 1024,           /* a connection's: head of a request, buffers */
	DISCARD_BYTES_MAX = 1024 * 1024, /* a refused body is read to its end below this */
	LIBRARY_LINES_S_MAX = 5
};

/* --- replies --- */

static void
count_reply(struct live *v)
{
	static const enum metric classes[] = {
	        METRIC_HTTP_2XX, METRIC_HTTP_3XX, METRIC_HTTP_4XX, METRIC_HTTP_5XX};
	struct metrics *m = v->loop->http->calls.metrics;
	unsigned status = v->x.reply.status;

	metrics_add(m, classes[status < 300 ? 0 : status < 400 ? 1 : status < 500 ? 2 : 3], 1);
	metrics_add(m, METRIC_HTTP_TIME, http_now_us() - v->started_us);
	if (status >= 500)
		log_note("http_answer", "id=%016llx status=%u path=%s", (unsigned long long)v->x.id,
		        status, v->x.path.p == NULL ? "-" : (const char *)v->x.path.p);
}

/* The bytes stay ours until the exchange ends, which is after the library has sent them. */
static struct MHD_Response *
response_of(struct reply *r)
{
	struct MHD_Response *m = NULL;

	if (r->fd >= 0) {
		m = MHD_create_response_from_fd64(r->fd_bytes, r->fd);
		if (m != NULL)
			r->fd = -1;
		return m;
	}
	return MHD_create_response_from_buffer(r->body.n,
	        r->body.n == 0 ? NULL : (void *)(uintptr_t)r->body.p, MHD_RESPMEM_PERSISTENT);
}

static bool
add_headers(struct MHD_Response *m, const struct reply *r, bool close_after)
{
	if (r->type != NULL && MHD_add_response_header(m, "Content-Type", r->type) != MHD_YES)
		return false;
	for (size_t i = 0; i < r->headers_n; i++)
		if (MHD_add_response_header(m, r->headers[i].name, r->headers[i].value) != MHD_YES)
			return false;
	return !close_after || MHD_add_response_header(m, "Connection", "close") == MHD_YES;
}

static enum MHD_Result
queue_reply(struct live *v)
{
	struct http *h = v->loop->http;
	struct MHD_Response *m = NULL;
	enum MHD_Result result = MHD_NO;

	if (v->x.reply.status == 0)
		reply_problem(&v->x, ERR_INTERNAL, NULL);
	m = response_of(&v->x.reply);
	if (m != NULL && add_headers(m, &v->x.reply, v->x.reply.close || h->stopping))
		result = MHD_queue_response(v->conn->mhd, v->x.reply.status, m);
	if (m != NULL)
		MHD_destroy_response(m);
	v->queued = true;
	v->conn->phase = PHASE_WRITING;
	v->conn->deadline_ms = http_now_ms() + h->deadline_ms;
	count_reply(v);
	return result;
}

/* --- one request --- */

static enum MHD_Result
collect_field(void *cls, enum MHD_ValueKind kind, const char *name, size_t name_n,
        const char *value, size_t value_n)
{
	struct http_head *head = cls;

	(void)kind;
	if (head->fields_n == HTTP_FIELDS_MAX) {
		head->too_many = true;
		return MHD_NO;
	}
	/* a header without value has no value pointer in some releases */
	head->fields[head->fields_n++] =
	        (struct http_field){bytes_of(name, name_n), bytes_of(value, value_n)};
	return MHD_YES;
}

static void
read_head(struct MHD_Connection *mhd, struct http_head *head)
{
	const union MHD_ConnectionInfo *info =
	        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

	head->fields_n = 0;
	head->too_many = false;
	head->head_bytes = info == NULL ? 0 : info->header_size;
	MHD_get_connection_values_n(mhd, MHD_HEADER_KIND, collect_field, head);
}

/* Nothing of a head is trusted that breaks a rule: the connection ends with the answer. */
static enum MHD_Result
refuse_head(struct live *v, enum err e, const char *why)
{
	metrics_add(v->loop->http->calls.metrics, METRIC_HTTP_REFUSED, 1);
	log_refuse("http_refused", "id=%016llx rule=\"%s\"", (unsigned long long)v->x.id, why);
	reply_problem(&v->x, e, why);
	v->x.reply.close = true;
	return queue_reply(v);
}

/* A good head whose route says no. A small body is read over first: closing on unread bytes makes
 * the kernel send a reset, which may overtake the answer. Without a body the answer waits for the
 * library's last call of us, because an earlier one ends the connection. */
static enum MHD_Result
refuse_route(struct live *v, enum err e, bool expects)
{
	reply_problem(&v->x, e, NULL);
	if (v->x.body_announced == 0 || (!expects && v->x.body_announced <= DISCARD_BYTES_MAX)) {
		v->discard = true;
		return MHD_YES;
	}
	v->x.reply.close = true;
	return queue_reply(v);
}

static bool
copy_optional(struct arena *a, struct bytes from, struct bytes *to)
{
	if (from.p == NULL)
		return true;
	*to = arena_copy(a, from);
	return to->p != NULL;
}

static enum err
keep_head(struct live *v, const struct http_head *head, const struct http_facts *f)
{
	struct exchange *x = &v->x;

	x->method = (enum http_method)f->method;
	x->body_announced = f->body_bytes;
	if (!copy_optional(&x->arena, head->path, &x->path) ||
	        !copy_optional(&x->arena, f->authorization, &x->authorization) ||
	        !copy_optional(&x->arena, f->accept, &x->accept) ||
	        !copy_optional(&x->arena, f->accept_encoding, &x->accept_encoding) ||
	        !copy_optional(&x->arena, f->if_none_match, &x->if_none_match))
		return ERR_MEMORY;
	return ERR_OK;
}

static enum err
admit(struct live *v)
{
	struct http *h = v->loop->http;
	size_t body_max = 0;
	enum err e = h->calls.admit(h->ctx, &v->x, &body_max);

	if (e != ERR_OK)
		return e;
	if (v->x.body_announced > body_max)
		return ERR_BODY_TOO_LARGE;
	if (v->x.body_announced == 0)
		return ERR_OK;
	v->body = arena_alloc(&v->x.arena, (size_t)v->x.body_announced);
	return v->body == NULL ? ERR_MEMORY : ERR_OK;
}

static struct live *
live_make(struct loop *l, struct conn *c)
{
	struct live *v = malloc(sizeof *v);

	if (v == NULL)
		return NULL;
	*v = (struct live){.loop = l, .conn = c, .started_us = http_now_us()};
	exchange_init(&v->x, HTTP_GET, (struct bytes){NULL, 0});
	v->x.id = l->next_id++;
	v->x.deadline_ms = c->deadline_ms;
	return v;
}

static enum MHD_Result
begin(struct live *v, struct http_head *head)
{
	struct http_facts facts;
	const char *why = "";
	enum err e = ERR_OK;

	read_head(v->conn->mhd, head);
	if ((e = http_head_check(head, &facts, &why)) != ERR_OK)
		return refuse_head(v, e, why);
	if ((e = keep_head(v, head, &facts)) != ERR_OK || (e = admit(v)) != ERR_OK)
		return refuse_route(v, e, facts.expects);
	return MHD_YES;
}

static enum MHD_Result
take_body(struct live *v, const char *data, size_t *data_n)
{
	if (!v->discard) {
		assert(*data_n <= v->x.body_announced - v->body_have);
		memcpy(v->body + v->body_have, data, *data_n);
		v->body_have += *data_n;
	}
	*data_n = 0;
	return MHD_YES;
}

/* The whole request is there. The library may be told to suspend only from its own call of us, so
 * the answer to "is it done already?" is taken under the lock, and whoever finishes later puts the
 * exchange on the list. */
static enum MHD_Result
serve(struct live *v)
{
	struct loop *l = v->loop;
	struct http *h = l->http;
	bool wait = false;

	v->x.body = bytes_of(v->body, v->body_have);
	v->conn->phase = PHASE_WORKING;
	metrics_add(h->calls.metrics, METRIC_HTTP_BUSY, 1);
	h->calls.serve(h->ctx, &v->x);
	pthread_mutex_lock(&l->lock);
	wait = v->waiting = !v->finished;
	pthread_mutex_unlock(&l->lock);
	if (wait) {
		MHD_suspend_connection(v->conn->mhd);
		return MHD_YES;
	}
	metrics_sub(h->calls.metrics, METRIC_HTTP_BUSY, 1);
	return queue_reply(v);
}

static enum MHD_Result
on_request(void *cls, struct MHD_Connection *mhd, const char *url, const char *method,
        const char *version, const char *data, size_t *data_n, void **request)
{
	const union MHD_ConnectionInfo *info =
	        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct conn *c = info == NULL ? NULL : info->socket_context;
	struct live *v = *request;

	if (c == NULL)
		return MHD_NO;
	if (v == NULL) {
		struct http_head head = {.method = bytes_of_text(method),
		        .path = bytes_of_text(url),
		        .version = bytes_of_text(version)};

		*request = v = live_make(cls, c);
		return v == NULL ? MHD_NO : begin(v, &head);
	}
	if (*data_n != 0)
		return take_body(v, data, data_n);
	if (v->queued)
		return MHD_YES;
	if (v->discard || v->waiting)
		return queue_reply(v);
	return serve(v);
}

/* --- what the library tells --- */

/* A kept connection waits as long as it may for the next request; the request itself then has its
 * own time. The first one has been counted since accept. */
static void *
on_request_line(void *cls, const char *uri, struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info =
	        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct conn *c = info == NULL ? NULL : info->socket_context;
	const struct loop *l = cls;

	(void)uri;
	if (c == NULL)
		return NULL;
	c->phase = PHASE_READING;
	if (c->served)
		c->deadline_ms = http_now_ms() + l->http->deadline_ms;
	return NULL;
}

static void
on_request_end(
        void *cls, struct MHD_Connection *mhd, void **request, enum MHD_RequestTerminationCode code)
{
	struct live *v = *request;
	const struct loop *l = cls;

	(void)mhd;
	(void)code;
	if (v == NULL)
		return;
	v->conn->phase = PHASE_IDLE;
	v->conn->served = true;
	v->conn->deadline_ms = http_now_ms() + l->http->deadline_ms;
	exchange_end(&v->x);
	free(v);
	*request = NULL;
}

static void
on_connection(void *cls, struct MHD_Connection *mhd, void **context,
        enum MHD_ConnectionNotificationCode code)
{
	struct loop *l = cls;
	struct conn *c = *context;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		c = malloc(sizeof *c);
		*context = c;
		if (c == NULL)
			return;
		*c = (struct conn){.next = l->conns,
		        .mhd = mhd,
		        .deadline_ms = http_now_ms() + l->http->deadline_ms};
		if (l->conns != NULL)
			l->conns->prev = c;
		l->conns = c;
		metrics_add(l->http->calls.metrics, METRIC_HTTP_CONNECTIONS, 1);
		return;
	}
	if (c == NULL)
		return;
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		l->conns = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	metrics_sub(l->http->calls.metrics, METRIC_HTTP_CONNECTIONS, 1);
	free(c);
	*context = NULL;
}

/* The path reaches us as it was sent. */
static size_t
unescape_nothing(void *cls, struct MHD_Connection *mhd, char *text)
{
	(void)cls;
	(void)mhd;
	return strlen(text);
}

/* One line for each aborted connection would fill a disk. */
static void __attribute__((format(printf, 2, 0)))
on_library_line(void *cls, const char *format, va_list args)
{
	struct loop *l = cls;
	uint64_t second = http_now_ms() / 1000;
	char line[256];

	if (second != l->window_s) {
		l->window_s = second;
		l->library_lines = 0;
	}
	if (l->library_lines++ >= LIBRARY_LINES_S_MAX)
		return;
	vsnprintf(line, sizeof line, format, args);
	log_refuse("http_library", "text=\"%s\"", line);
}

static int
socket_of(const struct conn *c)
{
	const union MHD_ConnectionInfo *info =
	        MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_CONNECTION_FD);

	return info == NULL ? -1 : info->connect_fd;
}

void
daemon_cut(struct conn *c)
{
	int fd = socket_of(c);

	c->cut = true;
	if (fd >= 0)
		shutdown(fd, SHUT_RDWR);
}

bool
daemon_peer_left(const struct conn *c)
{
	char byte;

	return recv(socket_of(c), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

enum err
daemon_start(struct loop *l, unsigned connections)
{
	const union MHD_DaemonInfo *info = NULL;
	int fd = dup(l->http->listener.fd);

	if (fd < 0)
		return ERR_IO;
	l->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG,
	        0, NULL, NULL, on_request, l, MHD_OPTION_EXTERNAL_LOGGER, on_library_line, l,
	        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, connections,
	        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)POOL_BYTES,
	        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_UNESCAPE_CALLBACK, unescape_nothing,
	        NULL, MHD_OPTION_URI_LOG_CALLBACK, on_request_line, l, MHD_OPTION_NOTIFY_COMPLETED,
	        on_request_end, l, MHD_OPTION_NOTIFY_CONNECTION, on_connection, l,
	        MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
	if (l->daemon == NULL) {
		close(fd);
		return ERR_IO;
	}
	info = MHD_get_daemon_info(l->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	l->epoll_fd = info == NULL ? -1 : info->epoll_fd;
	return l->epoll_fd < 0 ? ERR_IO : ERR_OK;
}

int
daemon_wait_ms(const struct loop *l, int most)
{
	MHD_UNSIGNED_LONG_LONG ms = 0;

	if (MHD_get_timeout(l->daemon, &ms) == MHD_YES && ms < (MHD_UNSIGNED_LONG_LONG)most)
		return (int)ms;
	return most;
}

void
daemon_turn(struct loop *l)
{
	MHD_run(l->daemon);
}

void
daemon_resume(struct conn *c)
{
	MHD_resume_connection(c->mhd);
}

void
daemon_accept_no_more(struct loop *l)
{
	MHD_socket fd = MHD_quiesce_daemon(l->daemon);

	if (fd != MHD_INVALID_SOCKET)
		close(fd);
}

void
daemon_stop(struct loop *l)
{
	if (l->daemon != NULL)
		MHD_stop_daemon(l->daemon);
	l->daemon = NULL;
}
