#ifndef ISSUER_HTTP_LOOP_H
#define ISSUER_HTTP_LOOP_H
/* http_loop.h - inside of the server, shared by http.c (the library) and http_loop.c (threads,
 * lists, deadlines) and by nobody else. */
#include "http.h"
#include "http_listen.h"

#include <pthread.h>
#include <stdatomic.h>

struct MHD_Connection;
struct MHD_Daemon;

enum phase {
	PHASE_IDLE,    /* between requests, or before the first */
	PHASE_READING, /* request line seen */
	PHASE_WORKING, /* a worker owns the exchange */
	PHASE_WRITING
};

/* One connection; of its loop's thread. */
struct conn {
	struct conn *next, *prev;
	struct MHD_Connection *mhd;
	enum phase phase;
	bool served, cut; /* a request was answered on it; it was shut down */
	uint64_t deadline_ms;
};

/* An exchange and what the server keeps with it. */
struct live {
	struct exchange x; /* first: exchange_done gets its address */
	struct loop *loop;
	struct conn *conn;
	struct live *next;      /* in loop->done */
	bool finished, waiting; /* under loop->lock: exchange_done was called; the connection is
	                           suspended */
	bool discard, queued;   /* refused, its body is read over; the reply is with the library */
	size_t body_have;
	uint8_t *body;
	uint64_t started_us;
};

struct loop {
	struct http *http;
	struct MHD_Daemon *daemon;
	int epoll_fd, wake_fd;
	pthread_t thread;
	pthread_mutex_t lock;
	struct live *done; /* under lock */
	/* of the thread alone: */
	struct conn *conns;
	bool quiet;
	uint64_t next_id, tick_ms, look_ms, window_s;
	unsigned library_lines;
};

struct http {
	struct http_callbacks calls;
	void *ctx;
	uint64_t deadline_ms;
	struct http_listener listener;
	_Atomic bool stopping, cutting;
	pthread_mutex_t lock;
	pthread_cond_t ended_one;
	size_t running; /* under lock: threads that have not ended */
	bool started;
	size_t loops_n, threads_n; /* made, started */
	struct loop loops[];
};

uint64_t http_now_us(void);

/* What http.c does for the loop, all on the loop's own thread but start and stop. */
MUST_USE enum err daemon_start(struct loop *l, unsigned connections); /* sets daemon and epoll_fd */
int daemon_wait_ms(const struct loop *l, int most); /* how long the loop may poll */
void daemon_turn(struct loop *l);                   /* all work that is ready; never blocks */
void daemon_resume(struct conn *c);
void daemon_cut(struct conn *c);             /* shuts the socket down */
bool daemon_peer_left(const struct conn *c); /* the end of its stream is all that is left to read */
void daemon_accept_no_more(struct loop *l);
void daemon_stop(struct loop *l);
#endif
