/* bench_watch.c - a reader of the public folder: nothing counts that the head's hashes do not lead
 * to. */
#include "bench_watch.h"

#include "bench_child.h"
#include "head.h"
#include "status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LOOK_MS = 50, PATH_BYTES = 100 };

struct reader {
	struct bench_watch *w;
	struct client *client;
	struct table_row *rows;
	uint64_t *read; /* sequence of each list that was looked at */
	uint8_t *raw, head[HEAD_BYTES_MAX];
	size_t head_n;
};

static enum err
get(struct reader *r, const char *path, size_t bytes_max, const uint8_t *sha256, struct bytes *out)
{
	uint8_t hash[SHA256_BYTES];
	struct client_reply reply;
	enum err e = client_get(r->client, path, NULL, bytes_max, &reply);

	if (e != ERR_OK)
		return e;
	if (reply.status != 200)
		return ERR_NOT_FOUND;
	sha256_one(reply.body, hash);
	if (sha256 != NULL && memcmp(hash, sha256, SHA256_BYTES) != 0)
		return ERR_FORK;
	*out = reply.body;
	return ERR_OK;
}

static void
targets_mark(struct reader *r, uint32_t list)
{
	struct bench_watch *w = r->w;
	double now = bench_clock_s();

	pthread_mutex_lock(&w->lock);
	for (unsigned i = 0; i < w->count; i++) {
		struct bench_target *t = &w->targets[i];

		if (t->list == list && t->public_s == 0 &&
		        status_get(r->raw, t->idx) == STATUS_INVALID)
			t->public_s = now;
	}
	pthread_mutex_unlock(&w->lock);
}

static enum err
list_look(struct reader *r, uint32_t list)
{
	const struct table_row *row = &r->rows[list];
	struct status_token t;
	struct cose_sign1 m;
	struct bytes cwt;
	char path[PATH_BYTES];
	enum err e;

	snprintf(path, sizeof path, "/status/version/%u-%llu.cwt", (unsigned)list,
	        (unsigned long long)row->sequence);
	if ((e = get(r, path, TOKEN_BYTES_MAX, row->cwt_sha256, &cwt)) != ERR_OK ||
	        (e = status_cwt_decode(cwt, &m, &t)) != ERR_OK ||
	        (e = status_inflate(t.lst, r->raw, LIST_BYTES)) != ERR_OK)
		return e;
	r->read[list] = row->sequence;
	targets_mark(r, list);
	return ERR_OK;
}

static bool
list_wanted(const struct reader *r, uint32_t list)
{
	for (unsigned i = 0; i < r->w->count; i++)
		if (r->w->targets[i].list == list)
			return r->rows[list].sequence != r->read[list];
	return false;
}

static enum err
look(struct reader *r)
{
	struct bytes head, table;
	struct cose_sign1 m;
	struct table t;
	struct head h;
	char path[PATH_BYTES];
	enum err e = get(r, "/status/head.cwt", HEAD_BYTES_MAX, NULL, &head);

	if (e != ERR_OK || bytes_equal(head, bytes_of(r->head, r->head_n)))
		return e;
	memcpy(r->head, head.p, head.n);
	r->head_n = head.n;
	if ((e = head_decode(bytes_of(r->head, r->head_n), &m, &h)) != ERR_OK)
		return e;
	snprintf(path, sizeof path, "/status/table/%llu.cwt", (unsigned long long)h.sequence);
	if ((e = get(r, path, TABLE_BYTES_MAX, h.table_sha256, &table)) != ERR_OK ||
	        (e = table_decode(table, &m, r->rows, HEAD_LISTS_MAX, &t)) != ERR_OK)
		return e;
	for (uint32_t i = 0; e == ERR_OK && i < t.count; i++)
		if (list_wanted(r, i))
			e = list_look(r, i);
	r->w->heads++;
	return e;
}

static void *
watch(void *arg)
{
	static const struct timespec pause = {0, LOOK_MS * 1000000L};
	struct reader r = {.w = arg};

	r.rows = calloc(HEAD_LISTS_MAX, sizeof *r.rows);
	r.read = calloc(HEAD_LISTS_MAX, sizeof *r.read);
	r.raw = malloc(LIST_BYTES);
	r.w->fault = r.rows == NULL || r.read == NULL || r.raw == NULL
	                     ? ERR_MEMORY
	                     : client_open(r.w->url, &r.client);
	while (r.w->fault == ERR_OK && !atomic_load(&r.w->stop)) {
		enum err e = look(&r);

		/* a busy server may let one look fail; a lie ends the run */
		if (e != ERR_OK) {
			r.head_n = 0;
			r.w->fault = e == ERR_FORK || e == ERR_ENCODING ? e : ERR_OK;
		}
		nanosleep(&pause, NULL);
	}
	client_free(r.client);
	free(r.rows);
	free(r.read);
	free(r.raw);
	return NULL;
}

enum err
bench_watch_start(struct bench_watch *w)
{
	atomic_init(&w->stop, false);
	w->heads = 0;
	w->fault = ERR_OK;
	pthread_mutex_init(&w->lock, NULL);
	return pthread_create(&w->thread, NULL, watch, w) == 0 ? ERR_OK : ERR_MEMORY;
}

unsigned
bench_watch_open_count(struct bench_watch *w)
{
	unsigned n = 0;

	pthread_mutex_lock(&w->lock);
	for (unsigned i = 0; i < w->count; i++)
		n += w->targets[i].asked_s != 0 && w->targets[i].public_s == 0;
	pthread_mutex_unlock(&w->lock);
	return n;
}

void
bench_watch_end(struct bench_watch *w)
{
	atomic_store(&w->stop, true);
	pthread_join(w->thread, NULL);
	pthread_mutex_destroy(&w->lock);
}
