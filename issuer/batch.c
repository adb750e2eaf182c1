/* batch.c - puts one transaction together from jobs and pending entries: every entry gets its place
 * in the log here. */
#include "batch.h"

#include "log.h"
#include "manifest.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void
build_end(struct build *b)
{
	free(b->pairs);
	free(b->pair_rows);
	free(b->pair_job);
	if (b->has_pending)
		store_result_free(b->pending.owner);
	free(b->entries);
	free(b->entry_of);
	free(b->requests);
	free(b->events);
	free(b->outcomes);
	free(b->certificates);
	free(b->changes);
	free(b->done);
	memset(b, 0, sizeof *b);
}

static size_t
rows_total(const struct build *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->job_count; i++)
		n += b->jobs[i].job->row_count;
	return n;
}

/* Two copies of one request, or two requests under one jti, in this transaction: the later one is
 * answered from the row of the earlier. */
static bool
is_copy(const struct build *b, size_t index)
{
	const struct store_request *mine = &b->jobs[index].job->request;

	for (size_t i = 0; i < index; i++) {
		const struct store_request *other = &b->jobs[i].job->request;

		if (b->jobs[i].job->x == NULL)
			continue;
		if (bytes_equal(mine->id, other->id) ||
		        (bytes_equal(mine->kid, other->kid) && bytes_equal(mine->jti, other->jti)))
			return true;
	}
	return false;
}

enum err
build_keys(struct build *b)
{
	size_t rows = rows_total(b), room = rows + 1;

	b->pairs = calloc(room, sizeof *b->pairs);
	b->pair_rows = calloc(room, sizeof *b->pair_rows);
	b->pair_job = calloc(room, sizeof *b->pair_job);
	if (b->pairs == NULL || b->pair_rows == NULL || b->pair_job == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < b->job_count; i++) {
		struct job *j = b->jobs[i].job;

		if (j->x != NULL && is_copy(b, i)) {
			b->jobs[i].drop = DROP_SERVE;
			continue;
		}
		if (j->fresh) {
			b->key_job[b->key_count] = i;
			b->keys[b->key_count++] =
			        (struct store_key){j->request.kid, j->request.jti};
		}
		for (size_t k = 0; !j->order && k < j->row_count; k++) {
			if (!j->rows[k].has_entry)
				continue;
			b->pair_job[b->pair_count] = i;
			b->pair_rows[b->pair_count] = &j->rows[k];
			b->pairs[b->pair_count++] = (struct store_holder_item){
			        j->rows[k].certificate.holder_key, j->rows[k].certificate.item,
			        j->rows[k].certificate.follows};
		}
	}
	return ERR_OK;
}

void
build_refuse(struct job_row *row, enum outcome why)
{
	row->outcome = why;
	row->has_entry = row->has_end = false;
}

void
build_refuse_twice(struct build *b)
{
	size_t room = 16;
	size_t *table;

	while (room < 2 * b->pair_count)
		room *= 2;
	/* without memory the database's own rule has the last word at the next request */
	if (b->pair_count < 2 || (table = calloc(room, sizeof *table)) == NULL)
		return;
	for (size_t i = 0; i < b->pair_count; i++) {
		size_t at = (size_t)be_get(b->pairs[i].holder_key.p, 8) & (room - 1);

		struct build_job *mine = &b->jobs[b->pair_job[i]];

		if (!b->pair_rows[i]->has_entry || mine->drop != DROP_NO)
			continue;
		while (table[at] != 0 &&
		        !(bytes_equal(b->pairs[table[at] - 1].holder_key, b->pairs[i].holder_key) &&
		                bytes_equal(b->pairs[table[at] - 1].item, b->pairs[i].item)))
			at = (at + 1) & (room - 1);
		if (table[at] == 0) {
			table[at] = i + 1;
			continue;
		}
		/* the earlier one may still leave this transaction: the database tells next time */
		mine->drop = DROP_AGAIN;
		mine->job->result = ERR_STALE;
	}
	free(table);
}

static void
entry_add(struct build *b, const struct signed_entry *e, struct build_entry from)
{
	assert(b->entry_count < b->entry_room);
	b->entry_of[b->entry_count] = from;
	b->entries[b->entry_count++] = *e;
}

/* The end of a certificate stands directly after what replaces it. */
static void
row_add(struct build *b, struct build_job *bj, struct job_row *row)
{
	if (row->has_entry)
		entry_add(b, &row->e, (struct build_entry){.job = bj, .row = row});
	if (row->has_end)
		entry_add(b, &row->end, (struct build_entry){.job = bj, .row = row, .end = true});
}

enum err
build_entries(struct build *b)
{
	size_t room = 2 * rows_total(b) + b->pending.count + 1;

	if (b->entries == NULL) {
		b->entries = calloc(room, sizeof *b->entries);
		b->entry_of = calloc(room, sizeof *b->entry_of);
		b->entry_room = room;
		if (b->entries == NULL || b->entry_of == NULL)
			return ERR_MEMORY;
	}
	b->entry_count = 0;
	for (size_t i = 0; i < b->pending.count; i++)
		if (!b->pending_gone[i])
			entry_add(b, &b->pending.rows[i].e, (struct build_entry){.pending = i});
	for (size_t i = 0; i < b->job_count; i++) {
		struct build_job *bj = &b->jobs[i];

		for (size_t k = 0; bj->drop == DROP_NO && k < bj->job->row_count; k++)
			row_add(b, bj, &bj->job->rows[k]);
	}
	return ERR_OK;
}

/* Seats and certificates that got no entry, with the reason: the answer of a later retry. */
static size_t
outcomes_put(const struct job *j, struct store_outcome *out)
{
	size_t n = 0;

	for (size_t k = 0; k < j->row_count; k++)
		if (!j->rows[k].has_entry)
			out[n++] = (struct store_outcome){j->order ? (uint32_t)k : j->rows[k].seat,
			        (uint32_t)j->rows[k].outcome};
	return n;
}

static enum err
rooms_make(struct build *b)
{
	size_t rows = rows_total(b) + 1, jobs = b->job_count + 1;

	b->requests = calloc(jobs, sizeof *b->requests);
	b->events = calloc(jobs, sizeof *b->events);
	b->outcomes = calloc(rows, sizeof *b->outcomes);
	b->certificates = calloc(rows, sizeof *b->certificates);
	b->changes = calloc(rows, sizeof *b->changes);
	b->done = calloc(b->pending.count + 1, sizeof *b->done);
	return b->requests != NULL && b->events != NULL && b->outcomes != NULL &&
	                       b->certificates != NULL && b->changes != NULL && b->done != NULL
	               ? ERR_OK
	               : ERR_MEMORY;
}

static void
requests_put(struct build *b, struct store_batch *out)
{
	size_t outcome_count = 0;

	for (size_t i = 0; i < b->job_count; i++) {
		const struct job *j = b->jobs[i].job;
		struct store_event *e;

		if (b->jobs[i].drop != DROP_NO || j->x == NULL)
			continue;
		if (j->fresh)
			b->requests[out->request_count++] = j->request;
		e = &b->events[out->event_count++];
		*e = (struct store_event){.request = j->request.id,
		        .first = j->fresh,
		        .state = STATE_EXECUTED,
		        .at = service_now()};
		e->outcomes = b->outcomes + outcome_count;
		e->outcome_count = outcomes_put(j, b->outcomes + outcome_count);
		outcome_count += e->outcome_count;
	}
}

static void
row_index(struct build *b, const struct build_entry *from, uint64_t index, struct store_batch *out)
{
	struct job_row *row = from->row;

	if (!from->end)
		row->index = index;
	if (from->job->job->order || from->end) {
		row->change.index = index;
		if (row->change.serial.n != 0)
			b->changes[out->change_count++] = row->change;
		return;
	}
	row->certificate.index = index;
	b->certificates[out->certificate_count++] = row->certificate;
}

/* Gives each entry its index, and sorts it into what the database keeps of it. */
static enum err
indexes_put(struct build *b, struct store_batch *out)
{
	for (size_t i = 0; i < b->entry_count; i++) {
		const struct build_entry *from = &b->entry_of[i];
		uint64_t index = out->size + i;
		int64_t time;

		if (from->job == NULL) {
			struct entry e;

			if (entry_decode(b->entries[i].entry, &e) != ERR_OK)
				return ERR_PROTOCOL;
			time = entry_time(&e);
			b->done[out->done_count++] =
			        (struct store_done){b->pending.rows[from->pending].id, index};
		} else {
			time = from->row->entry_time;
			row_index(b, from, index, out);
		}
		if (time > out->time)
			out->time = time;
	}
	return ERR_OK;
}

enum err
build_batch(struct build *b, uint64_t size, int64_t time, struct store_batch *out)
{
	enum err e = rooms_make(b);

	if (e != ERR_OK)
		return e;
	*out = (struct store_batch){
	        .size = size,
	        .time = time,
	        .requests = b->requests,
	        .events = b->events,
	        .certificates = b->certificates,
	        .entries = b->entries,
	        .entry_count = b->entry_count,
	        .changes = b->changes,
	        .done = b->done,
	};
	requests_put(b, out);
	return indexes_put(b, out);
}

enum err
batch_make(const struct merkle_frontier *before, const struct build *b,
        const struct signer_head *head, struct batch **out)
{
	struct batch *t = calloc(1, sizeof *t);

	if (t == NULL)
		return ERR_MEMORY;
	atomic_init(&t->users, 1);
	t->size = before->size + b->entry_count;
	t->leaves = calloc(b->entry_count, sizeof *t->leaves);
	t->nodes = calloc(2 * b->entry_count + 64, sizeof *t->nodes);
	if (t->leaves == NULL || t->nodes == NULL) {
		batch_release(t);
		return ERR_MEMORY;
	}
	for (size_t i = 0; i < b->entry_count; i++)
		merkle_leaf(b->entries[i].entry, &t->leaves[i]);
	merkle_range_init(&t->range, before, t->leaves, b->entry_count, t->nodes);
	if (head->size == t->size && head->signature.n == KEY_SIGNATURE_BYTES &&
	        head->protected.n <= sizeof t->protected) {
		memcpy(t->protected, head->protected.p, head->protected.n);
		t->protected_n = head->protected.n;
		memcpy(t->signature, head->signature.p, KEY_SIGNATURE_BYTES);
		t->receipts = true;
	}
	*out = t;
	return ERR_OK;
}

void
batch_release(struct batch *b)
{
	if (b == NULL || atomic_fetch_sub(&b->users, 1) != 1)
		return;
	free(b->leaves);
	free(b->nodes);
	free(b);
}

static enum err
roster_take(struct writer *w, uint64_t version)
{
	struct store_message m;
	struct roster *r = NULL;
	enum err e = store_roster_get(w->store, version, &m);

	if (e != ERR_OK)
		return e;
	e = roster_read(m.message, w->s->root, &r);
	store_result_free(m.owner);
	if (e != ERR_OK) {
		log_fault("roster_refused", "version=%llu error=%s", (unsigned long long)version,
		        err_word(e));
		return e;
	}
	/* the roster before stays in memory: a worker may still read it */
	atomic_store(&w->s->roster, r);
	w->s->roster_version = version;
	log_note("roster_in_force", "version=%llu", (unsigned long long)version);
	return ERR_OK;
}

static enum err
manifest_take(struct writer *w, uint64_t version)
{
	static const struct {
		enum key_purpose purpose;
		enum metric metric;
	} rows[] = {{KEY_RECORD, METRIC_KEY_RECORD}, {KEY_STATUS, METRIC_KEY_STATUS},
	        {KEY_LOG, METRIC_KEY_LOG}, {KEY_CRL, METRIC_KEY_CRL}};
	struct store_message found;
	struct manifest m;
	int64_t now = service_now();
	enum err e;

	if ((e = store_manifest_get(w->store, version, &found)) != ERR_OK)
		return e;
	if ((e = manifest_open(found.message, w->s->root, &m)) == ERR_OK) {
		for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
			metrics_set(&w->s->metrics, rows[i].metric,
			        (uint64_t)manifest_keys_end(
			                m.keys, m.key_count, rows[i].purpose, now));
		manifest_close(&m);
		w->s->manifest_version = version;
	}
	store_result_free(found.owner);
	return e;
}

enum err
trust_take(struct writer *w, const struct signer_state *t)
{
	enum err e = ERR_OK;

	if (t->roster_version != w->s->roster_version && t->roster_version != 0)
		e = roster_take(w, t->roster_version);
	if (e == ERR_OK && t->manifest_version != w->s->manifest_version &&
	        t->manifest_version != 0)
		e = manifest_take(w, t->manifest_version);
	return e;
}
