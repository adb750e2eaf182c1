/* writer_head.c - the head of the log, locked, and the signer brought up to it: nothing is appended
 * that a synchronous standby may lack. */
#include "batch.h"

#include "log.h"

#include <inttypes.h>
#include <time.h>

enum { CATCH_UP_BYTES = 8 * 1024 * 1024, APPEND_PAUSE_MS = 5, APPEND_PAUSES = 40, SETTLE_MAX = 4 };

void
writer_frontier_add(struct writer *w, const struct signed_entry *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct merkle_hash leaf;

		merkle_leaf(rows[i].entry, &leaf);
		merkle_append(&w->frontier, &leaf);
	}
}

/* What is committed and not yet appended goes first, batch by batch as it was committed. */
static enum err
extend_stored(struct writer *w, const struct store_entries *e)
{
	struct signer_head head;
	enum err fault = ERR_OK;

	for (size_t i = 0, n; fault == ERR_OK && i < e->count; i += n) {
		for (n = 1; i + n < e->count && e->batch[i + n] == e->batch[i]; n++)
			;
		fault = signer_extend(w->signer, e->first + i, e->rows + i, n, &head);
		if (fault != ERR_OK) {
			log_fault("catch_up_failed", "size=%" PRIu64 " error=%s", e->first + i,
			        err_word(fault));
			break;
		}
		writer_frontier_add(w, e->rows + i, n);
		atomic_store(&w->s->log_size, head.size);
	}
	return fault;
}

/* Reads the signer's state anew after a fault, or at start. */
static enum err
state_read(struct writer *w)
{
	struct signer_state t;
	enum err e;

	if (w->frontier_known)
		return ERR_OK;
	if ((e = signer_state(w->signer, bytes_of(NULL, 0), &t)) != ERR_OK)
		return e;
	w->frontier = t.frontier;
	w->frontier_known = true;
	atomic_store(&w->s->log_size, t.size);
	return ERR_OK;
}

/* Under the head lock: brings the signer up to the database. A database behind the signer stops
 * everything. */
static enum err
catch_up(struct writer *w, uint64_t size)
{
	enum err e;

	/* another front may have appended it meanwhile: what we know is read anew before anything
	 * is repeated */
	if (w->frontier_known && w->frontier.size < size)
		w->frontier_known = false;
	while ((e = state_read(w)) == ERR_OK && w->frontier.size < size) {
		struct store_entries entries;

		e = store_entries_from(w->store, w->frontier.size, CATCH_UP_BYTES, &entries);
		if (e != ERR_OK)
			return e;
		log_note(
		        "catch_up", "signer=%" PRIu64 " database=%" PRIu64, w->frontier.size, size);
		e = entries.count == 0 ? ERR_SIZE : extend_stored(w, &entries);
		store_result_free(entries.owner);
		if (e != ERR_OK)
			return e;
	}
	if (e != ERR_OK || w->frontier.size == size)
		return e;
	log_fault("database_behind", "database=%" PRIu64 " signer=%" PRIu64 " do=zz-admin_recover",
	        size, w->frontier.size);
	return ERR_BEHIND;
}

/* Has the signer all of it? Another front's COMMIT is seen a moment before that front appends it:
 * so long it is waited for. */
static enum err
appended_wait(struct writer *w, uint64_t size, bool *appended)
{
	static const struct timespec pause = {0, APPEND_PAUSE_MS * 1000000L};
	enum err e = ERR_OK;

	*appended = false;
	for (unsigned i = 0; e == ERR_OK && !*appended && i < APPEND_PAUSES; i++) {
		if (i > 0)
			nanosleep(&pause, NULL);
		if (w->frontier_known && w->frontier.size < size)
			w->frontier_known = false;
		if ((e = state_read(w)) == ERR_OK)
			*appended = w->frontier.size >= size;
	}
	return e;
}

/* May what the signer lacks be appended? Not before it is on the standby too: what nobody appends
 * may be of a COMMIT whose wait was broken. */
static enum err
settled(struct writer *w, uint64_t size, bool *out)
{
	bool synchronous;
	enum err e;

	*out = size <= w->settled || (w->frontier_known && w->frontier.size >= size);
	if (*out)
		return ERR_OK;
	if ((e = store_synchronous(w->store, &synchronous)) != ERR_OK)
		return e;
	*out = !synchronous;
	return synchronous ? appended_wait(w, size, out) : ERR_OK;
}

/* The lock of the head, with nothing below it unsettled; without it the standby is asked. */
static enum err
settled_begin(struct writer *w, uint64_t *size, int64_t *time)
{
	for (unsigned i = 0; i < SETTLE_MAX; i++) {
		bool done;
		enum err e = store_begin_head(w->store, size, time);

		if (e != ERR_OK)
			return e;
		if ((e = settled(w, *size, &done)) == ERR_OK && done)
			return ERR_OK;
		store_rollback(w->store);
		if (e != ERR_OK || (e = store_settle(w->store)) != ERR_OK)
			return e;
		w->settled = *size;
	}
	return ERR_UNKNOWN_COMMIT;
}

enum err
writer_head_begin(struct writer *w, uint64_t *size, int64_t *time)
{
	enum err e = settled_begin(w, size, time);

	if (e == ERR_OK && (e = catch_up(w, *size)) != ERR_OK)
		store_rollback(w->store);
	if (e == ERR_SIZE || e == ERR_BEHIND || e == ERR_SIGNER)
		w->frontier_known = false;
	return e;
}
