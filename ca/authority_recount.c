/* authority_recount.c - the root of the log a second time: other code (subtrees of the batch and an
 * audit path, not the frontier's append), another copy of what came before, and leaves read again,
 * at last from the disk. Where the two differ, a bit fell over: nothing is signed any more. */
#include "authority.h"

#include "hash.h"
#include "log.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct batch { /* one batch on top of what was counted */
	struct merkle_range range;
	struct merkle_hash *leaves, *nodes;
};

static enum err
batch_open(const struct merkle_frontier *before, size_t count, struct batch *b)
{
	b->leaves = calloc(count, sizeof *b->leaves);
	b->nodes = calloc(2 * count + 64, sizeof *b->nodes);
	b->range.before = *before;
	return b->leaves != NULL && b->nodes != NULL ? ERR_OK : ERR_MEMORY;
}

static void
batch_free(struct batch *b)
{
	free(b->leaves);
	free(b->nodes);
}

/* The root by the path of the last entry. */
static enum err
batch_root(struct batch *b, size_t count, struct merkle_hash *root)
{
	uint64_t size = b->range.before.size + count;
	struct merkle_frontier before = b->range.before;
	struct merkle_path path;
	enum err e;

	merkle_range_init(&b->range, &before, b->leaves, count, b->nodes);
	e = merkle_inclusion(size - 1, size, merkle_range_get, &b->range, &path);
	return e == ERR_OK
	               ? merkle_inclusion_root(size - 1, size, &b->leaves[count - 1], &path, root)
	               : e;
}

/* The complete subtrees that the next batch builds on. */
static enum err
batch_after(struct batch *b, size_t count, struct merkle_frontier *out)
{
	struct merkle_frontier after = {.size = b->range.before.size + count};
	enum err e = ERR_OK;

	for (unsigned level = 0; e == ERR_OK && level < 64; level++)
		if ((after.size >> level & 1) != 0)
			e = merkle_range_get(
			        &b->range, level, (after.size >> level) - 1, &after.level[level]);
	if (e == ERR_OK)
		*out = after;
	return e;
}

/* Their tags show that the bytes are still those that left this signer. */
static enum err
leaves_take(const struct authority *a, const struct signed_entry *entries, size_t count,
        struct merkle_hash *leaves)
{
	uint8_t tag[ENTRY_TAG_BYTES];

	for (size_t i = 0; i < count; i++) {
		entry_tag(bytes_of(a->tag_key, sizeof a->tag_key), entries[i].entry,
		        entries[i].note, tag);
		if (!secret_equal(tag, entries[i].tag.p, sizeof tag))
			return ERR_TAG;
		merkle_leaf(entries[i].entry, &leaves[i]);
	}
	return ERR_OK;
}

/* Counts a batch on top of a->recount. `out` takes the frontier after it, where it is not NULL. */
static enum err
count_batch(const struct authority *a, const struct signed_entry *entries, size_t count,
        const struct merkle_hash *want, struct merkle_frontier *out)
{
	struct batch b = {0};
	struct merkle_hash root;
	enum err e = batch_open(&a->recount, count, &b);

	if (e == ERR_OK && (e = leaves_take(a, entries, count, b.leaves)) == ERR_OK &&
	        (e = batch_root(&b, count, &root)) == ERR_OK &&
	        memcmp(root.b, want->b, SHA256_BYTES) != 0)
		e = ERR_RECOUNT;
	if (e == ERR_OK && out != NULL)
		e = batch_after(&b, count, out);
	batch_free(&b);
	return e;
}

/* For good: who starts the signer again reads everything anew, and nothing wrong was signed. */
static enum err
stop(struct authority *a, uint64_t size, enum err e, const char *where)
{
	a->stopped = a->recount_differs = true;
	log_fault("root_differs",
	        "size=%" PRIu64
	        " where=%s error=%s what=\"two counts of the log differ: nothing is "
	        "signed\" do=\"check this machine's memory and disk, then start the signer again\"",
	        size, where, err_word(e));
	return ERR_RECOUNT;
}

enum err
authority_recount_before(struct authority *a, const struct signed_entry *entries, size_t count,
        const struct merkle_hash *root)
{
	uint64_t size = a->fold.frontier.size;
	enum err e =
	        a->recount.size == size ? count_batch(a, entries, count, root, NULL) : ERR_RECOUNT;

	return e == ERR_OK || e == ERR_MEMORY ? e : stop(a, size + count, e, "memory");
}

static enum err
frame_recount(void *ctx, const struct journal_frame *frame)
{
	struct authority *a = ctx;

	if (frame->size != a->recount.size)
		return ERR_RECOUNT;
	return count_batch(a, frame->entries, frame->count, &frame->root, &a->recount);
}

enum err
authority_recount_after(struct authority *a)
{
	uint64_t size = a->fold.frontier.size;
	struct merkle_hash root;
	enum err e = journal_read(a->journal, a->recount.size, frame_recount, a);

	if (e == ERR_OK && a->recount.size != size)
		e = ERR_TRUNCATED; /* what was written cannot be read */
	if (e == ERR_OK)
		e = authority_recount_same(a, &root);
	return e == ERR_OK ? ERR_OK : stop(a, size, e, "disk");
}

enum err
authority_recount_same(struct authority *a, struct merkle_hash *out)
{
	struct merkle_hash first, second;

	merkle_root(&a->fold.frontier, &first);
	merkle_root(&a->recount, &second);
	if (a->fold.frontier.size != a->recount.size ||
	        memcmp(first.b, second.b, SHA256_BYTES) != 0)
		return stop(a, a->fold.frontier.size, ERR_RECOUNT, "memory");
	*out = second;
	return ERR_OK;
}

enum err
authority_recount_head(struct authority *a, const struct authority_head *h)
{
	if (memcmp(h->root.b, h->recount.b, SHA256_BYTES) == 0)
		return ERR_OK;
	return stop(a, h->size, ERR_RECOUNT, "memory");
}

static enum err
frame_last(void *ctx, const struct journal_frame *frame)
{
	const struct merkle_frontier *f = ctx;
	struct merkle_hash root;

	if (frame->size + frame->count < f->size)
		return ERR_OK;
	merkle_root(f, &root);
	return memcmp(root.b, frame->root.b, SHA256_BYTES) == 0 ? ERR_LIMIT : ERR_RECOUNT;
}

enum err
authority_recount_start(struct authority *a)
{
	enum err e;

	a->recount = a->fold.frontier;
	if (a->recount.size == 0)
		return ERR_OK;
	e = journal_read(a->journal, a->recount.size - 1, frame_last, &a->recount);
	return e == ERR_OK ? ERR_OK : stop(a, a->recount.size, e, "snapshot");
}

struct root_at {
	uint64_t size;
	struct merkle_hash root;
	bool found;
	struct merkle_frontier f; /* of what was read from the first entry on */
};

static enum err
frame_root(void *ctx, const struct journal_frame *frame)
{
	struct root_at *w = ctx;

	if (frame->size + frame->count < w->size)
		return ERR_OK;
	w->found = frame->size + frame->count == w->size;
	w->root = frame->root;
	return ERR_LIMIT;
}

static enum err
frame_leaves(void *ctx, const struct journal_frame *frame)
{
	struct root_at *w = ctx;
	struct merkle_hash leaf;

	for (size_t i = 0; i < frame->count && w->f.size < w->size; i++) {
		merkle_leaf(frame->entries[i].entry, &leaf);
		merkle_append(&w->f, &leaf);
	}
	return w->f.size < w->size ? ERR_OK : ERR_LIMIT;
}

/* Where an EXTEND that caught up went over that size in one frame, only the leaves tell. */
enum err
authority_root_at(struct authority *a, uint64_t size, struct merkle_hash *out)
{
	struct root_at at = {.size = size};
	enum err e = journal_read(a->journal, size - 1, frame_root, &at);

	if (e != ERR_OK)
		return e;
	if (!at.found) {
		if ((e = journal_read(a->journal, 0, frame_leaves, &at)) != ERR_OK)
			return e;
		if (at.f.size != size)
			return ERR_IO;
		merkle_root(&at.f, &at.root);
	}
	*out = at.root;
	return ERR_OK;
}
