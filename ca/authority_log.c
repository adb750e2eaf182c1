/* authority_log.c - PREPARE, EXTEND, STATE, RECOVER: the log grows only by entries that carry the
 * signer's own tag and that passed every check against the log before them. */
#include "authority.h"

#include "hash.h"
#include "log.h"
#include "note.h"
#include "receipt.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { ENTRIES_MAX = 2 * REQUEST_SEATS_MAX + BATCH_CERTIFICATES_MAX + 64, SNAPSHOT_EVERY = 200000 };

/* Reads one [entry, note, tag(, record)]. */
static void
entry_get(struct cbor *in, bool with_record, struct signed_entry *s)
{
	cbor_array_exact(in, with_record ? 4 : 3);
	s->entry = cbor_bytes(in);
	s->note = cbor_bytes(in);
	s->tag = cbor_bytes_exact(in, ENTRY_TAG_BYTES);
	s->record = bytes_of(NULL, 0);
	if (with_record && !cbor_null_next(in))
		s->record = cbor_bytes(in);
}

/* Tag, shape, and with entry 1 its record. */
static enum err
entry_open(const struct authority *a, const struct signed_entry *s, bool with_record,
        struct entry *e, struct entry_note *n)
{
	uint8_t tag[ENTRY_TAG_BYTES], hash[SHA256_BYTES];
	enum err fault;

	entry_tag(bytes_of(a->tag_key, sizeof a->tag_key), s->entry, s->note, tag);
	if (!secret_equal(tag, s->tag.p, sizeof tag))
		return ERR_TAG;
	if ((fault = entry_decode(s->entry, e)) != ERR_OK ||
	        (fault = entry_note_decode(s->note, n)) != ERR_OK)
		return fault;
	if (!with_record)
		return ERR_OK;
	if ((e->type == ENTRY_ISSUE) != (s->record.n != 0) || s->record.n > RECORD_BYTES_MAX)
		return ERR_VALUE;
	if (e->type != ENTRY_ISSUE)
		return ERR_OK;
	sha256_one(s->record, hash);
	return memcmp(hash, e->record_sha256, SHA256_BYTES) == 0 ? ERR_OK : ERR_VALUE;
}

/* Every check of one entry, for PREPARE and EXTEND alike. */
static enum err
entry_add(const struct authority *a, struct fold_batch *b, const struct signed_entry *s,
        bool with_record)
{
	struct entry_note note;
	struct entry entry;
	enum err e = entry_open(a, s, with_record, &entry, &note);

	return e == ERR_OK ? fold_batch_add(b, &entry, &note, s->entry) : e;
}

static enum err
prepare_run(struct authority *a, struct call *c, struct cbor *in)
{
	uint64_t size = cbor_uint(in), count = cbor_array(in), stale_count = 0;
	struct fold_batch *b = NULL;
	uint8_t why[ENTRIES_MAX];
	enum err e;

	/* a new log has nothing to be ready with: its first entries make it so */
	e = authority_problem(a, c);
	if (e == ERR_NOT_READY && !a->stopped && a->checkpoint_seen)
		e = ERR_OK;
	if (e != ERR_OK)
		return e;
	if (size != a->fold.frontier.size)
		return size < a->fold.frontier.size ? ERR_BEHIND : ERR_SIZE;
	if (count > ENTRIES_MAX)
		return ERR_LIMIT;
	if ((e = fold_batch_open(&a->fold, a->roster, true, &b)) != ERR_OK)
		return e;
	for (uint64_t i = 0; i < count && in->e == ERR_OK; i++) {
		struct signed_entry s;

		entry_get(in, false, &s);
		why[i] = (uint8_t)entry_add(a, b, &s, false);
		stale_count += why[i] != ERR_OK;
	}
	e = cbor_end(in);
	if (e == ERR_OK && count > 0 && why[count - 1] == ERR_OK && fold_batch_end(b) != ERR_OK) {
		why[count - 1] = ERR_MOVE;
		stale_count++;
	}
	fold_batch_free(b);
	if (e != ERR_OK)
		return e;
	cbor_put_array(c->out, 2);
	cbor_put_uint(c->out, size);
	cbor_put_array(c->out, stale_count);
	for (uint64_t i = 0; i < count; i++) {
		if (why[i] == ERR_OK)
			continue;
		cbor_put_array(c->out, 2);
		cbor_put_uint(c->out, i);
		cbor_put_text(c->out, bytes_of_text(err_word((enum err)why[i])));
	}
	return buf_end(c->out);
}

enum err
authority_prepare(struct authority *a, struct call *c)
{
	struct cbor in = cbor_init(c->body);
	enum err e;

	cbor_array_exact(&in, 2);
	pthread_mutex_lock(&a->lock);
	e = prepare_run(a, c, &in);
	pthread_mutex_unlock(&a->lock);
	return e;
}

struct compare { /* what EXTEND repeats must equal the journal */
	const struct signed_entry *entries;
	uint64_t size, count;
	uint64_t same; /* compared and equal */
};

static enum err
frame_compare(void *ctx, const struct journal_frame *frame)
{
	struct compare *w = ctx;

	for (size_t i = 0; i < frame->count; i++) {
		uint64_t at = frame->size + i;
		const struct signed_entry *mine = &frame->entries[i], *theirs;

		if (at < w->size)
			continue;
		if (at >= w->size + w->count)
			return ERR_LIMIT;
		theirs = &w->entries[at - w->size];
		if (!bytes_equal(mine->entry, theirs->entry) ||
		        !bytes_equal(mine->note, theirs->note) ||
		        !bytes_equal(mine->tag, theirs->tag))
			return ERR_FORK;
		w->same++;
	}
	return ERR_OK;
}

/* At the size of the newest published checkpoint another root means that this is not the log that
 * was published. */
static enum err
guard_check(struct authority *a, const struct merkle_frontier *next)
{
	struct merkle_hash root;

	if (next->size != a->guard_size)
		return ERR_OK;
	merkle_root(next, &root);
	if (memcmp(root.b, a->guard_root.b, SHA256_BYTES) == 0)
		return ERR_OK;
	a->stopped = true;
	log_fault("log_fork", "size=%" PRIu64 " what=published_root_differs", a->guard_size);
	return ERR_FORK;
}

static enum err
entries_append(struct authority *a, const struct signed_entry *entries, size_t count)
{
	uint64_t size = a->fold.frontier.size;
	struct merkle_frontier next = a->fold.frontier;
	struct fold_batch *b = NULL;
	struct merkle_hash leaf, root;
	enum err e = fold_batch_open(&a->fold, a->roster, false, &b);

	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		if ((e = entry_add(a, b, &entries[i], true)) != ERR_OK)
			log_refuse("extend_refused", "index=%" PRIu64 " error=%s", size + i,
			        err_word(e));
		merkle_leaf(entries[i].entry, &leaf);
		merkle_append(&next, &leaf);
		if (e == ERR_OK)
			e = guard_check(a, &next);
	}
	if (e == ERR_OK)
		e = fold_batch_end(b);
	merkle_root(&next, &root);
	if (e == ERR_OK && (e = authority_recount_before(a, entries, count, &root)) == ERR_OK) {
		journal_append(a->journal, size, &root, entries, count);
		fold_batch_apply(b, &a->fold);
		if ((e = authority_recount_after(a)) == ERR_OK)
			authority_head_keep(a);
		authority_refresh(a);
	}
	fold_batch_free(b);
	if (a->fold.frontier.size - a->snapshot_size >= SNAPSHOT_EVERY)
		authority_snapshot(a);
	return e;
}

static enum err
extend_answer(struct authority *a, struct call *c)
{
	uint8_t room[256], signature[KEY_SIGNATURE_BYTES];
	struct buf protected = BUF_OF(room), *out = c->out;
	struct merkle_hash root;
	const struct authority_key *log = NULL;
	bool may_sign = a->checkpoint_seen && !a->stopped &&
	                a->fold.frontier.size >= a->guard_size &&
	                authority_key_at(a, KEY_LOG, c->now, &log) == ERR_OK;
	enum err e = authority_recount_same(a, &root);

	if (e == ERR_OK && may_sign)
		e = receipt_sign(log->key, bytes_of_text(a->origin), a->fold.time,
		        a->fold.frontier.size, &root, &protected, signature);
	if (e != ERR_OK)
		return e;
	cbor_put_array(out, 5);
	cbor_put_uint(out, a->fold.frontier.size);
	cbor_put_bytes(out, bytes_of(root.b, SHA256_BYTES));
	cbor_put_uint(out, (uint64_t)a->fold.time);
	if (may_sign) {
		cbor_put_bytes(out, buf_bytes(&protected));
		cbor_put_bytes(out, bytes_of(signature, sizeof signature));
	} else {
		cbor_put_null(out);
		cbor_put_null(out);
	}
	return buf_end(out);
}

static enum err
extend_run(struct authority *a, struct call *c, uint64_t size, const struct signed_entry *entries,
        size_t count)
{
	struct compare w = {entries, size, count, 0};
	uint64_t mine = a->fold.frontier.size, known;
	enum err e;

	if (a->stopped)
		return a->recount_differs ? ERR_RECOUNT : ERR_FORK;
	if (size > mine)
		return ERR_SIZE;
	known = mine - size < count ? mine - size : count;
	if (known > 0) {
		w.count = known;
		e = journal_read(a->journal, size, frame_compare, &w);
		if (e != ERR_OK || w.same != known) {
			log_fault(
			        "log_fork", "size=%" PRIu64 " what=repeated_entries_differ", size);
			return ERR_FORK;
		}
	}
	if (known < count &&
	        (e = entries_append(a, entries + known, count - (size_t)known)) != ERR_OK)
		return e;
	return extend_answer(a, c);
}

enum err
authority_extend(struct authority *a, struct call *c)
{
	struct cbor in = cbor_init(c->body);
	struct signed_entry *entries = NULL;
	uint64_t size, count;
	enum err e;

	cbor_array_exact(&in, 2);
	size = cbor_uint(&in);
	count = cbor_array(&in);
	if (count > ENTRIES_MAX)
		return ERR_LIMIT;
	if (count > 0 && (entries = calloc((size_t)count, sizeof *entries)) == NULL)
		return ERR_MEMORY;
	for (uint64_t i = 0; i < count; i++)
		entry_get(&in, true, &entries[i]);
	if ((e = cbor_end(&in)) == ERR_OK) {
		pthread_mutex_lock(&a->lock);
		e = extend_run(a, c, size, entries, (size_t)count);
		pthread_mutex_unlock(&a->lock);
	}
	free(entries);
	return e;
}

/* By whichever of our log keys: what was published stays so when its key ends or is cut off. */
static enum err
checkpoint_is_ours(const struct authority *a, const struct checkpoint *p)
{
	enum err e = ERR_KID_UNKNOWN;

	for (size_t i = 0; e == ERR_KID_UNKNOWN && i < a->keys.count; i++)
		if (a->keys.rows[i].purpose == KEY_LOG)
			e = checkpoint_verify(p, bytes_of_text(a->origin), a->keys.rows[i].key);
	return e;
}

/* The publisher tells what is public: a signer restored from an old copy must not sign below it. An
 * older one than was signed here is fine: the publisher was stopped before it wrote the newest. */
static enum err
checkpoint_seen(struct authority *a, struct bytes note)
{
	struct merkle_hash root;
	struct checkpoint p;
	enum err e;

	if ((e = checkpoint_decode(note, &p)) != ERR_OK ||
	        (e = checkpoint_is_ours(a, &p)) != ERR_OK)
		return e;
	if (!bytes_equal_text(p.origin, a->origin))
		return ERR_VALUE;
	if (p.size == a->guard_checked && memcmp(p.root.b, a->guard_root.b, SHA256_BYTES) == 0)
		return ERR_OK;
	if (p.size >= a->guard_size) {
		a->guard_size = p.size;
		a->guard_root = p.root;
	}
	a->checkpoint_seen = true;
	if (p.size == 0 || p.size > a->fold.frontier.size)
		return ERR_OK;
	if ((e = authority_root_at(a, p.size, &root)) != ERR_OK)
		return e;
	if (memcmp(root.b, p.root.b, SHA256_BYTES) != 0) {
		a->stopped = true;
		log_fault("log_fork", "size=%" PRIu64 " what=published_root_differs", p.size);
		return ERR_FORK;
	}
	if (p.size == a->guard_size)
		a->guard_checked = p.size;
	return ERR_OK;
}

static void
state_put(const struct authority *a, const struct call *c)
{
	uint8_t field[SHA256_BYTES];
	struct buf *out = c->out;
	struct merkle_hash root;
	unsigned bits = 0;

	merkle_root(&a->fold.frontier, &root);
	field_sha256(a->field, field);
	for (unsigned i = 0; i < 64; i++)
		bits += (unsigned)(a->fold.frontier.size >> i & 1);
	cbor_put_array(out, 16);
	cbor_put_uint(out, a->fold.frontier.size);
	cbor_put_bytes(out, bytes_of(root.b, SHA256_BYTES));
	cbor_put_uint(out, (uint64_t)a->fold.time);
	cbor_put_array(out, bits);
	for (unsigned i = 0; i < 64; i++)
		if ((a->fold.frontier.size >> i & 1) != 0)
			cbor_put_bytes(out, bytes_of(a->fold.frontier.level[i].b, SHA256_BYTES));
	cbor_put_uint(out, a->fold.manifest_version);
	cbor_put_bytes(out, bytes_of(a->fold.manifest_sha256, SHA256_BYTES));
	cbor_put_uint(out, a->fold.roster_version);
	cbor_put_bytes(out, bytes_of(a->fold.roster_sha256, SHA256_BYTES));
	cbor_put_bytes(out, bytes_of(field, sizeof field));
	cbor_put_text(out, bytes_of_text(err_word(authority_problem(a, c))));
	cbor_put_array(out, a->fold.list_count);
	for (uint32_t i = 0; i < a->fold.list_count; i++) {
		const struct fold_list *l = &a->fold.lists[i];

		cbor_put_array(out, 5);
		cbor_put_uint(out, i);
		cbor_put_uint(out, l->sequence);
		/* also what a key may have signed that is cut off now */
		cbor_put_bool(out, l->sequence == 0 || l->covered < l->changed ||
		                           l->this_update <= a->fold.cutoff_time);
		cbor_put_uint(out, (uint64_t)l->this_update);
		cbor_put_bytes(out, bytes_of(l->previous, SHA256_BYTES));
	}
	cbor_put_uint(out, a->manifest_held);
	cbor_put_uint(out, a->roster_held);
	authority_publication_put(&a->publication, out);
}

enum err
authority_state(struct authority *a, struct call *c)
{
	struct cbor in = cbor_init(c->body);
	struct bytes note = bytes_of(NULL, 0);
	enum err e;

	cbor_array_exact(&in, 1);
	if (!cbor_null_next(&in))
		note = cbor_bytes(&in);
	if ((e = cbor_end(&in)) != ERR_OK)
		return e;
	if (note.p != NULL && c->from != FROM_PUBLISHER)
		return ERR_PROTOCOL;
	pthread_mutex_lock(&a->lock);
	if (note.p != NULL && !a->stopped)
		e = note.n == 0 ? ERR_OK : checkpoint_seen(a, note);
	/* empty, not null: the publisher says that nothing was published yet */
	if (note.p != NULL && note.n == 0)
		a->checkpoint_seen = true;
	if (e == ERR_OK || e == ERR_FORK) {
		state_put(a, c);
		e = buf_end(c->out);
	}
	pthread_mutex_unlock(&a->lock);
	return e;
}

struct recover {
	uint64_t size, count;
	struct buf rows;
};

static enum err
frame_recover(void *ctx, const struct journal_frame *frame)
{
	struct recover *w = ctx;

	if (w->count == 0)
		w->size = frame->size;
	for (size_t i = 0; i < frame->count; i++) {
		cbor_put_array(&w->rows, 4);
		cbor_put_bytes(&w->rows, frame->entries[i].entry);
		cbor_put_bytes(&w->rows, frame->entries[i].note);
		cbor_put_bytes(&w->rows, frame->entries[i].tag);
		if (frame->entries[i].record.n == 0)
			cbor_put_null(&w->rows);
		else
			cbor_put_bytes(&w->rows, frame->entries[i].record);
		w->count++;
	}
	/* one frame: a batch stays a batch in the database too */
	return ERR_LIMIT;
}

enum err
authority_recover(struct authority *a, struct call *c)
{
	struct cbor in = cbor_init(c->body);
	struct recover w = {0};
	size_t room = FRAME_BYTES_MAX - 64;
	uint8_t *p = malloc(room);
	enum err e;

	if (p == NULL)
		return ERR_MEMORY;
	w.rows = buf_init(p, room);
	cbor_array_exact(&in, 1);
	w.size = cbor_uint(&in);
	if ((e = cbor_end(&in)) == ERR_OK) {
		pthread_mutex_lock(&a->lock);
		e = journal_read(a->journal, w.size, frame_recover, &w);
		pthread_mutex_unlock(&a->lock);
	}
	if (e == ERR_OK && (e = buf_end(&w.rows)) == ERR_OK) {
		cbor_put_array(c->out, 2);
		cbor_put_uint(c->out, w.size);
		cbor_put_array(c->out, w.count);
		buf_put(c->out, buf_bytes(&w.rows));
		e = buf_end(c->out);
	}
	free(p);
	return e;
}
