/* bulk.c - orders of more than one chunk: signed by all, they run chunk by chunk, each chunk one
 * transaction. What is done is read from the database, so that a crash costs nothing and no
 * certificate is touched twice. */
#include "intake.h"

#include "log.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TURN_MS = 500, AGAIN_MS = 50, CHUNK_ARENA_BYTES = 8 * 1024 * 1024, TRIES_MAX = 100 };

struct bulk_run { /* the thread */
	struct bulk *control;
	struct worker w;
	struct queue home; /* where the writer gives chunks back */
};

struct bulk_order { /* one order */
	struct evidence ev;
	struct store_approvals kept;
	struct bytes texts[REQUEST_APPROVALS_MAX];
	struct bytes serials;
	uint8_t (*done)[16]; /* changed by it already, ascending */
	size_t done_count;
	struct store_outcome *outcomes; /* of what it did not change */
	size_t outcome_count;
	struct arena arena;
};

static void
pause_ms(long ms)
{
	const struct timespec t = {ms / 1000, ms % 1000 * 1000000L};

	nanosleep(&t, NULL);
}

static int
serial_compare(const void *a, const void *b)
{
	return memcmp(a, b, 16);
}

/* What the database says that this order has changed. */
static enum err
done_read(struct bulk_run *b, const struct store_request *r, struct bulk_order *o)
{
	struct store_changes changes;
	enum err e = store_request_changes(b->w.store, r->id, &changes);

	if (e != ERR_OK)
		return e;
	o->done = calloc(changes.count + 1, sizeof *o->done);
	for (size_t i = 0; o->done != NULL && i < changes.count; i++)
		memcpy(o->done[i], changes.rows[i].serial.p, 16);
	o->done_count = changes.count;
	store_result_free(changes.owner);
	if (o->done == NULL)
		return ERR_MEMORY;
	qsort(o->done, o->done_count, sizeof *o->done, serial_compare);
	return ERR_OK;
}

static enum err
order_open(struct bulk_run *b, const struct store_request *r, struct bulk_order *o)
{
	const struct roster *roster = atomic_load(&b->w.s->roster);
	enum err e;

	if (roster == NULL)
		return ERR_NOT_READY;
	if ((e = evidence_open(r->jws, roster, b->w.s->field, service_now(), &o->ev)) != ERR_OK)
		return e;
	arena_init(&o->arena, ARENA_BYTES_MAX);
	if (o->ev.request.selects)
		e = order_list(b->w.store, &o->ev, r->id, &o->arena);
	o->serials = order_serials(&o->ev.request, o->ev.list);
	if (e == ERR_OK && (e = store_approvals(b->w.store, r->id, &o->kept)) == ERR_OK)
		for (size_t i = 0;
		        i < o->kept.count && o->ev.official_count < REQUEST_APPROVALS_MAX; i++) {
			size_t at = o->ev.official_count;

			/* one that has expired meanwhile counts no more */
			if (evidence_add(&o->ev, o->kept.rows[i].jws, roster, service_now()) ==
			        ERR_OK)
				o->texts[at] = o->kept.rows[i].jws;
		}
	if (e == ERR_OK)
		e = evidence_complete(&o->ev) ? done_read(b, r, o) : ERR_APPROVALS;
	o->outcomes = calloc(o->serials.n / 16 + 1, sizeof *o->outcomes);
	return e == ERR_OK && o->outcomes == NULL ? ERR_MEMORY : e;
}

static void
order_close(struct bulk_order *o)
{
	store_result_free(o->kept.owner);
	free(o->done);
	free(o->outcomes);
	evidence_free(&o->ev);
	arena_free(&o->arena);
}

/* One chunk through signer and writer, until it is in the log or cannot be. */
static enum err
chunk_run(struct bulk_run *b, const struct store_request *r, const struct order_chunk *c,
        struct job *j)
{
	struct queue_taker me = {.takers = 1};
	struct job *back;
	enum err e = ERR_OK;

	for (unsigned tries = 0; tries < TRIES_MAX && !atomic_load(&b->control->stop); tries++) {
		arena_free(j->arena);
		*j = (struct job){
		        .home = &b->home, .stage = JOB_WRITE, .order = true, .arena = j->arena};
		j->request = *r;
		if ((e = intake_chunk_send(&b->w, j, c)) != ERR_OK)
			return e;
		queue_put(&b->w.s->write, j);
		/* the writer gives back everything that it takes */
		if (queue_get(&b->home, &me, &back, 1) == 0)
			return ERR_INTERNAL;
		batch_release(j->batch);
		j->batch = NULL;
		if (j->stage == JOB_ANSWER)
			return j->result;
		pause_ms(AGAIN_MS);
	}
	return ERR_STALE;
}

/* Fills a chunk from position *at on with what is not done yet. `positions`: of each. */
static size_t
chunk_fill(const struct bulk_order *o, size_t *at, uint8_t (*serials)[16], uint32_t *positions)
{
	size_t n = 0;

	for (; *at < o->serials.n / 16 && n < ORDER_CHUNK_MAX; (*at)++) {
		const uint8_t *serial = o->serials.p + 16 * *at;

		if (bsearch(serial, o->done, o->done_count, 16, serial_compare) != NULL)
			continue;
		memcpy(serials[n], serial, 16);
		positions[n++] = (uint32_t)*at;
	}
	return n;
}

static enum err
chunks_run(struct bulk_run *b, const struct store_request *r, struct bulk_order *o)
{
	struct order_chunk c = {.request = &o->ev.request,
	        .list = o->ev.list,
	        .approvals = o->texts,
	        .approval_count = o->ev.official_count};
	uint8_t(*serials)[16] = calloc(ORDER_CHUNK_MAX, 16);
	uint32_t *positions = calloc(ORDER_CHUNK_MAX, sizeof *positions);
	struct arena arena;
	struct job j = {.arena = &arena};
	size_t at = 0, n;
	enum err e = serials == NULL || positions == NULL ? ERR_MEMORY : ERR_OK;

	arena_init(&arena, CHUNK_ARENA_BYTES);
	while (e == ERR_OK && (n = chunk_fill(o, &at, serials, positions)) > 0) {
		c.serials = bytes_of(serials, 16 * n);
		e = chunk_run(b, r, &c, &j);
		for (size_t i = 0; e == ERR_OK && i < j.row_count; i++)
			if (!j.rows[i].has_entry)
				o->outcomes[o->outcome_count++] = (struct store_outcome){
				        positions[i], (uint32_t)j.rows[i].outcome};
	}
	arena_free(&arena);
	free(positions);
	free(serials);
	return e;
}

/* What may pass later is left as it is; anything else ends the request, and says why. */
static void
order_end(struct bulk_run *b, const struct store_request *r, const struct bulk_order *o, enum err e)
{
	struct store_event end = {.request = r->id, .state = STATE_EXECUTED, .at = service_now()};
	char id[2 * SHA256_BYTES + 1];

	if (e != ERR_OK && (err_may_retry(e) || err_http_status(e) >= 500))
		return;
	hex_encode(r->id, id);
	if (e == ERR_OK) {
		end.outcomes = o->outcomes;
		end.outcome_count = o->outcome_count;
	} else {
		end.state = e == ERR_REQUEST_EXPIRED ? STATE_LAPSED : STATE_REFUSED;
		end.code = bytes_of_text(err_word(e));
		log_refuse("order_ended", "request=%s error=%s", id, err_word(e));
	}
	e = store_event_put(b->w.store, &end);
	if (e == ERR_OK)
		log_note("order_done", "request=%s unchanged=%zu", id, o->outcome_count);
}

static void
turn(struct bulk_run *b)
{
	struct store_requests found;
	bool mine = false;

	/* asked each time: a connection that was made anew holds nothing */
	if (store_bulk_lock(b->w.store, &mine) != ERR_OK || !mine ||
	        store_approved(b->w.store, service_now(), &found) != ERR_OK)
		return;
	for (size_t i = 0; i < found.count && !atomic_load(&b->control->stop); i++) {
		struct bulk_order o = {0};
		enum err e = order_open(b, &found.rows[i], &o);

		if (e == ERR_OK)
			e = chunks_run(b, &found.rows[i], &o);
		if (!atomic_load(&b->control->stop))
			order_end(b, &found.rows[i], &o, e);
		order_close(&o);
	}
	store_result_free(found.owner);
}

void *
bulk_run(void *bulk)
{
	struct bulk_run b = {.control = bulk};

	b.w.s = b.control->s;
	queue_init(&b.home);
	if (signer_open(b.w.s->front_sock, &b.w.signer) != ERR_OK)
		return NULL;
	while (!atomic_load(&b.control->stop)) {
		pause_ms(TURN_MS);
		if (b.w.store == NULL && store_open(b.w.s->config->issuer_database, STORE_ISSUER,
		                                 &b.w.store) != ERR_OK)
			continue;
		turn(&b);
	}
	store_free(b.w.store);
	signer_free(b.w.signer);
	return NULL;
}
