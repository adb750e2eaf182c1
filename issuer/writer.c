/* writer.c - the group commit: one thread, one transaction for all that waits, and nothing is
 * answered before it is committed and appended by the signer. A certificate exists if and only if
 * its log entry exists (DESIGN.md section 4). */
#include "batch.h"

#include "log.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
	IDLE_MS = 500,
	GATHER_MS = 4,
	TRIES_MAX = 4,
	LAPSE_EVERY_S = 60,
	BATCH_BYTES_MAX = 32 * 1024 * 1024,
	PENDING_MAX = 64
};

/* A job is done here: to be answered, or handled anew. */
static void
job_mark(struct job *j, enum job_stage stage, enum err result)
{
	j->stage = stage;
	j->result = result;
}

static void
jobs_return(struct job *list, enum job_stage stage, enum err result)
{
	while (list != NULL) {
		struct job *next = list->next;

		job_mark(list, stage, result);
		queue_put(list->home, list);
		list = next;
	}
}

/* Requests that another front has put there meanwhile are answered from their rows. */
static enum err
known_leave(struct writer *w, struct build *b)
{
	struct store_knowns known;
	enum err e;

	if (b->key_count == 0)
		return ERR_OK;
	if ((e = store_known(w->store, b->keys, b->key_count, &known)) != ERR_OK)
		return e;
	for (size_t i = 0; i < known.count; i++)
		b->jobs[b->key_job[known.rows[i].position]].drop = DROP_SERVE;
	store_result_free(known.owner);
	return ERR_OK;
}

/* The database knows better: whoever may not apply, or holds such a certificate in force, gets
 * none.
 */
static enum err
holders_refuse(struct writer *w, struct build *b)
{
	struct store_holders found;
	enum err e;

	if (b->pair_count == 0)
		return ERR_OK;
	if ((e = store_holders(w->store, b->pairs, b->pair_count, service_now(), &found)) != ERR_OK)
		return e;
	for (size_t i = 0; i < found.count; i++) {
		const struct store_holder *h = &found.rows[i];
		bool unbanned = b->jobs[b->pair_job[h->position]].job->unbanned;

		if (h->banned && !unbanned)
			build_refuse(b->pair_rows[h->position], OUTCOME_BANNED);
		else if (h->held)
			build_refuse(b->pair_rows[h->position], OUTCOME_ALREADY_HOLDS);
	}
	store_result_free(found.owner);
	build_refuse_twice(b);
	return ERR_OK;
}

static enum err
pending_take(struct writer *w, struct build *b)
{
	enum err e = store_pending(w->store, PENDING_MAX, &b->pending);

	if (e == ERR_OK)
		b->has_pending = true;
	return e;
}

/* An entry that must be built anew takes its job or its pending row out of this transaction. */
static enum err
stale_leave(struct writer *w, struct build *b, const struct signer_stale *stale, size_t count)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		const struct build_entry *be = &b->entry_of[stale[i].position];

		log_note("entry_refused", "position=%" PRIu64 " error=%s", stale[i].position,
		        err_word(stale[i].why));
		if (be->job == NULL) {
			b->pending_gone[be->pending] = true;
			e = store_pending_void(
			        w->store, b->pending.rows[be->pending].id, err_word(stale[i].why));
			b->voided = true;
			continue;
		}
		be->job->drop = DROP_AGAIN;
		be->job->job->result = stale[i].why;
	}
	return e;
}

/* PREPARE until nothing is named any more: what passed it at this size will pass EXTEND. */
static enum err
prepare(struct writer *w, struct build *b, uint64_t size)
{
	const struct signer_stale *stale;
	size_t count;
	enum err e;

	for (;;) {
		if ((e = build_entries(b)) != ERR_OK || b->entry_count == 0)
			return e;
		if ((e = signer_prepare(w->signer, size, b->entries, b->entry_count, &stale,
		             &count)) != ERR_OK ||
		        count == 0)
			return e;
		if ((e = stale_leave(w, b, stale, count)) != ERR_OK)
			return e;
	}
}

/* After the commit: append, and make what the answers need of the tree. */
static enum err
extend(struct writer *w, struct build *b, uint64_t size, struct batch **out)
{
	struct merkle_frontier before = w->frontier;
	struct signer_head head;
	enum err e = signer_extend(w->signer, size, b->entries, b->entry_count, &head);

	if (e != ERR_OK) {
		metrics_add(&w->s->metrics, METRIC_SIGNER_FAILED, 1);
		w->frontier_known = false;
		return e;
	}
	writer_frontier_add(w, b->entries, b->entry_count);
	atomic_store(&w->s->log_size, head.size);
	/* another front has extended past us: our own size has no signature, the receipt comes from
	 * what is public */
	if (head.size != w->frontier.size)
		w->frontier_known = false;
	return batch_make(&before, b, &head, out);
}

/* Hands the jobs back to where they came from, those of the workers with one wake-up. */
static void
jobs_home(struct service *s, struct build *b)
{
	struct job *list = NULL;

	for (size_t i = b->job_count; i-- > 0;) {
		struct job *j = b->jobs[i].job;

		if (j->home == &s->work) {
			j->next = list;
			list = j;
		} else if (j->home != NULL) {
			queue_put(j->home, j);
		}
	}
	queue_put_list(&s->work, list);
}

static void
settle(struct service *s, struct build *b, enum err committed, struct batch *batch)
{
	for (size_t i = 0; i < b->job_count; i++) {
		struct build_job *bj = &b->jobs[i];
		struct job *j = bj->job;

		if (j->home == NULL)
			continue; /* the writer's own: built again at the next turn */
		if (bj->drop == DROP_SERVE) {
			job_mark(j, JOB_SERVE, ERR_OK);
		} else if (bj->drop == DROP_AGAIN) {
			if (++j->tries < TRIES_MAX)
				job_mark(j, JOB_SERVE, ERR_OK);
			else
				job_mark(j, JOB_ANSWER,
				        err_may_retry(j->result) ? j->result : ERR_STALE);
		} else if (committed == ERR_OK) {
			j->batch = batch;
			if (batch != NULL)
				atomic_fetch_add(&batch->users, 1);
			job_mark(j, JOB_ANSWER, ERR_OK);
		} else if ((committed == ERR_UNKNOWN_COMMIT || committed == ERR_EXISTS ||
		                   committed == ERR_NOT_WAITING || committed == ERR_SIZE ||
		                   committed == ERR_STALE) &&
		           ++j->tries < TRIES_MAX) {
			/* never "not done": the answer is read back */
			job_mark(j, JOB_SERVE, ERR_OK);
		} else {
			job_mark(j, JOB_ANSWER, committed);
		}
	}
	jobs_home(s, b);
}

/* Everything under the head lock. On ERR_OK the transaction is committed; otherwise none is open.
 */
static enum err
transaction(struct writer *w, struct build *b, uint64_t *size)
{
	struct store_batch batch = {0};
	int64_t time = 0;
	enum err e = writer_head_begin(w, size, &time);

	if (e != ERR_OK)
		return e;
	if ((e = known_leave(w, b)) != ERR_OK || (e = holders_refuse(w, b)) != ERR_OK ||
	        (e = pending_take(w, b)) != ERR_OK || (e = prepare(w, b, *size)) != ERR_OK ||
	        (e = build_batch(b, *size, time, &batch)) != ERR_OK) {
		if (e == ERR_SIZE || e == ERR_BEHIND || e == ERR_SIGNER)
			w->frontier_known = false;
		store_rollback(w->store);
		return e;
	}
	if (batch.entry_count == 0 && batch.request_count == 0 && batch.event_count == 0 &&
	        !b->voided) {
		store_rollback(w->store);
		return ERR_OK;
	}
	e = store_commit_batch(w->store, &batch);
	if (e != ERR_OK)
		metrics_add(&w->s->metrics, METRIC_COMMIT_FAILED, 1);
	return e;
}

static void
count_done(struct writer *w, const struct build *b, uint64_t started_ms)
{
	struct metrics *m = &w->s->metrics;

	metrics_add(m, METRIC_BATCHES, 1);
	metrics_add(m, METRIC_BATCH_ENTRIES, b->entry_count);
	metrics_add(m, METRIC_BATCH_TIME, (http_now_ms() - started_ms) * 1000);
	for (size_t i = 0; i < b->entry_count; i++) {
		if (b->entry_of[i].row == NULL)
			continue;
		metrics_add(m,
		        b->entry_of[i].job->job->order ? METRIC_STATUS_CHANGED : METRIC_ISSUED, 1);
	}
}

/* One transaction with these jobs (none: only what is pending). */
static enum err
run(struct writer *w, struct build *b)
{
	struct batch *batch = NULL;
	uint64_t size = 0, started_ms = http_now_ms();
	enum err e = build_keys(b);

	if (e == ERR_OK)
		e = transaction(w, b, &size);
	if (e == ERR_OK && b->entry_count > 0) {
		e = extend(w, b, size, &batch);
		if (e != ERR_OK && e != ERR_MEMORY)
			log_fault("extend_failed", "size=%" PRIu64 " error=%s detail=%s", size,
			        err_word(e), signer_detail(w->signer));
		/* committed, but not appended: the next transaction does it first, and the retry
		 * finds the row */
		count_done(w, b, started_ms);
	}
	atomic_store(&w->s->problem, (int)e);
	settle(w->s, b, e, batch);
	batch_release(batch);
	build_end(b);
	return e;
}

static enum err
writer_connect(struct writer *w)
{
	if (w->store != NULL)
		return ERR_OK;
	return store_open(w->s->config->issuer_database, STORE_ISSUER, &w->store);
}

/* Takes jobs from the list up to the size of one transaction. */
static struct job *
build_take(struct build *b, struct job *list)
{
	size_t rows = 0, bytes = 0;

	while (list != NULL && b->job_count < BUILD_JOBS_MAX) {
		struct job *next = list->next;

		/* a larger request stands alone */
		if (b->job_count > 0 && (rows + list->row_count > BATCH_CERTIFICATES_MAX ||
		                                bytes + list->request.jws.n > BATCH_BYTES_MAX))
			break;
		rows += list->row_count;
		bytes += list->request.jws.n;
		b->jobs[b->job_count++] = (struct build_job){.job = list};
		list = next;
	}
	return list;
}

/* Holds whose time has passed end now: the signer builds the entries, also after a restart. */
static enum err
lapses_run(struct writer *w, struct build *b)
{
	struct signed_entry *entries;
	struct arena arena;
	struct job own = {.stage = JOB_WRITE, .order = true, .arena = &arena};
	size_t count;
	enum err e = signer_lapse(w->signer, &entries, &count);

	if (e != ERR_OK || count == 0)
		return e == ERR_NOT_READY ? ERR_OK : e;
	arena_init(&arena, ARENA_BYTES_MAX);
	if ((e = rows_lapse(&own, entries, count)) == ERR_OK) {
		b->jobs[b->job_count++] = (struct build_job){.job = &own};
		log_note("holds_lapse", "count=%zu", count);
		e = run(w, b);
	}
	arena_free(&arena);
	return e;
}

/* A request that waited past its exp is over, and its state says so. */
static enum err
requests_lapse(struct writer *w)
{
	struct store_requests found;
	int64_t now = service_now();
	enum err e;

	if (now < w->lapse_at)
		return ERR_OK;
	w->lapse_at = now + LAPSE_EVERY_S;
	if ((e = store_lapsing(w->store, now, &found)) != ERR_OK)
		return e;
	for (size_t i = 0; e == ERR_OK && i < found.count; i++) {
		e = store_event_put(w->store,
		        &(struct store_event){
		                .request = found.rows[i].id, .state = STATE_LAPSED, .at = now});
		if (e == ERR_NOT_WAITING) /* decided in this moment */
			e = ERR_OK;
	}
	store_result_free(found.owner);
	return e;
}

/* What lies in log_pending, the roster in force, and whether we are well: at least each second. */
static void
idle(struct writer *w, struct build *b)
{
	enum err e = run(w, b);
	struct signer_state t;

	if (e == ERR_OK)
		e = lapses_run(w, b);
	if (e == ERR_OK)
		e = requests_lapse(w);
	if (e == ERR_OK && (e = signer_state(w->signer, bytes_of(NULL, 0), &t)) == ERR_OK) {
		e = trust_take(w, &t);
		atomic_store(&w->s->problem, (int)(e != ERR_OK ? e : t.problem));
	}
	if (e != ERR_OK)
		atomic_store(&w->s->problem, (int)e);
}

void *
writer_run(void *service)
{
	struct writer w = {.s = service};
	struct build *b = calloc(1, sizeof *b);
	uint64_t idle_at = 0;

	if (b == NULL || signer_open(w.s->front_sock, &w.signer) != ERR_OK) {
		log_fault("writer_cannot_start", "socket=%s", w.s->front_sock);
		abort();
	}
	while (!queue_ended(&w.s->write)) {
		struct job *list = queue_take_all(&w.s->write, IDLE_MS, &w.s->held, GATHER_MS);
		enum err e = writer_connect(&w);

		if (e != ERR_OK) {
			atomic_store(&w.s->problem, (int)e);
			jobs_return(list, JOB_ANSWER, ERR_DATABASE);
			continue;
		}
		while (list != NULL) {
			list = build_take(b, list);
			err_ignore(run(&w, b));
		}
		if (http_now_ms() >= idle_at) {
			idle(&w, b);
			idle_at = http_now_ms() + IDLE_MS;
		}
	}
	store_free(w.store);
	signer_free(w.signer);
	free(b);
	return NULL;
}
