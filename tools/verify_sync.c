/* verify_sync.c - one sync, with its manifest and checkpoint: nothing replaces a held file before
 * it was verified, and nothing older, contradicting or endless ever does. */
#include "verify_sync.h"

#include "verify_part.h"
#include "verify_state.h"
#include "verify_tiles.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool
sync_ends(struct sync *s, enum sync_end end, enum verdict_reason reason, enum err e)
{
	s->r->end = end;
	s->r->reason = reason;
	s->r->e = e;
	return false;
}

bool
sync_attack(struct sync *s, enum verdict_reason reason)
{
	return sync_ends(s, SYNC_ATTACK, reason, ERR_OK);
}

bool
sync_away(struct sync *s, enum err e)
{
	return sync_ends(s, SYNC_AWAY, REASON_NONE, e);
}

bool
sync_fault(struct sync *s, enum err e)
{
	return sync_ends(s, SYNC_FAULT, REASON_NONE, e);
}

bool
sync_mismatch(struct sync *s, enum verdict_reason reason)
{
	s->mismatch = true;
	return sync_attack(s, reason);
}

bool
sync_source_fails(struct sync *s, enum err e)
{
	return e == ERR_LIMIT ? sync_attack(s, REASON_ENDLESS) : sync_away(s, e);
}

void
sync_seen(struct sync *s, int64_t signed_time)
{
	if (signed_time > s->r->newest)
		s->r->newest = signed_time;
}

bool
sync_ahead(const struct sync *s, int64_t t)
{
	return s->o->clock_trusted && t > s->now + SEQUENCE_AHEAD_S_MAX;
}

bool
sync_fetch(struct sync *s, const char *path, size_t bytes_max, struct client_reply *reply,
        bool *missing)
{
	enum err e = ERR_OK;

	snprintf(s->r->file, sizeof s->r->file, "%s", path);
	if ((e = s->from->get(s->from->ctx, path, bytes_max, reply)) != ERR_OK)
		return sync_source_fails(s, e);
	*missing = reply->status == 404;
	if (!*missing && reply->status != 200)
		return sync_away(s, ERR_HTTP);
	return true;
}

bool
sync_fetch_named(struct sync *s, const char *path, size_t bytes_max, struct client_reply *reply)
{
	bool missing = false;

	if (!sync_fetch(s, path, bytes_max, reply, &missing))
		return false;
	if (!missing)
		return true;
	s->mismatch = true;
	return sync_away(s, ERR_NOT_FOUND);
}

bool
sync_keep(struct sync *s, const char *name, struct bytes data)
{
	enum err e = state_write(s->o->dir, name, data);

	if (e != ERR_OK)
		return sync_fault(s, e);
	s->r->changed++;
	return true;
}

/* Manifest */

static bool
manifest_against(struct sync *s, const struct manifest *now)
{
	const struct manifest *held = &s->m;

	if (!s->m_open)
		return true;
	if (!bytes_equal(now->iss, held->iss))
		return sync_attack(s, REASON_MIXED);
	if (now->version < held->version)
		return sync_attack(s, REASON_ROLLBACK);
	if (now->version == held->version &&
	        memcmp(now->sha256, held->sha256, sizeof held->sha256) != 0)
		return sync_attack(s, REASON_FORK);
	return true;
}

static void
manifest_use(struct sync *s, uint8_t *bytes, const struct manifest *m)
{
	if (s->m_open)
		manifest_close(&s->m);
	free(s->manifest_bytes);
	s->manifest_bytes = bytes;
	s->m = *m;
	s->m_open = true;
}

/* What the folder holds: it was verified under this root, or it is not this root's folder. */
static bool
manifest_held(struct sync *s)
{
	struct manifest m;
	uint8_t *bytes = NULL;
	size_t n = 0;
	enum err e = state_read(s->o->dir, "manifest.cose", MANIFEST_BYTES_MAX, &bytes, &n);

	snprintf(s->r->file, sizeof s->r->file, "/manifest.cose");
	if (e == ERR_NOT_FOUND)
		return true;
	if (e == ERR_OK)
		e = manifest_open(bytes_of(bytes, n), s->o->root, &m);
	if (e != ERR_OK) {
		free(bytes);
		return sync_fault(s, e);
	}
	manifest_use(s, bytes, &m);
	return true;
}

/* Takes `bytes` in any case. */
static bool
manifest_take(struct sync *s, uint8_t *bytes, size_t n)
{
	struct manifest m;
	bool newer;

	if (manifest_open(bytes_of(bytes, n), s->o->root, &m) != ERR_OK) {
		free(bytes);
		return sync_attack(s, REASON_MANIFEST);
	}
	if (!manifest_against(s, &m) || (sync_ahead(s, m.iat) && !sync_attack(s, REASON_AHEAD))) {
		manifest_close(&m);
		free(bytes);
		return false;
	}
	newer = !s->m_open || s->m.version != m.version;
	manifest_use(s, bytes, &m);
	sync_seen(s, m.iat);
	return !newer || sync_keep(s, "manifest.cose", bytes_of(bytes, n));
}

bool
sync_manifest(struct sync *s)
{
	struct client_reply reply;
	uint8_t *bytes = NULL;
	bool missing = false;

	if (!sync_fetch(s, "/manifest.cose", MANIFEST_BYTES_MAX, &reply, &missing))
		return false;
	if (missing || reply.body.n == 0)
		return sync_away(s, ERR_NOT_FOUND);
	if ((bytes = malloc(reply.body.n)) == NULL)
		return sync_fault(s, ERR_MEMORY);
	memcpy(bytes, reply.body.p, reply.body.n);
	return manifest_take(s, bytes, reply.body.n);
}

/* Checkpoint */

bool
sync_tiles(struct sync *s, uint64_t size, struct tiles **out)
{
	bool fresh = s->tiles == NULL;

	if (fresh && (s->tiles = malloc(sizeof *s->tiles)) == NULL)
		return sync_fault(s, ERR_MEMORY);
	if (fresh || s->tiles->size != size)
		tiles_init(s->tiles, s->from, size);
	*out = s->tiles;
	return true;
}

/* The tree that grew must still begin with the tree that is held. */
static bool
checkpoint_extends(struct sync *s, const struct checkpoint *held, const struct checkpoint *now)
{
	struct tiles *tiles = NULL;
	struct merkle_path path;
	enum err e = ERR_OK;

	if (!sync_tiles(s, now->size, &tiles))
		return false;
	e = merkle_consistency(held->size, now->size, tiles_get, tiles, &path);
	if (e == ERR_VALUE)
		return sync_attack(s, REASON_FORK);
	if (e != ERR_OK)
		return sync_source_fails(s, e);
	if (merkle_consistency_verify(held->size, now->size, &held->root, &now->root, &path) !=
	        ERR_OK)
		return sync_attack(s, REASON_FORK);
	return true;
}

static bool
checkpoint_against(struct sync *s, const struct checkpoint *held, const struct checkpoint *now)
{
	if (now->size < held->size)
		return sync_attack(s, REASON_ROLLBACK);
	if (held->size == 0)
		return true;
	if (now->size > held->size)
		return checkpoint_extends(s, held, now);
	return memcmp(now->root.b, held->root.b, sizeof held->root.b) == 0 ||
	       sync_attack(s, REASON_FORK);
}

/* *same: the server offers what is held. */
static bool
checkpoint_compare(struct sync *s, struct bytes note, const struct checkpoint *now, bool *same)
{
	struct checkpoint held;
	uint8_t *bytes = NULL;
	size_t n = 0;
	bool ok = false;
	enum err e = state_read(s->o->dir, "checkpoint", CHECKPOINT_BYTES_MAX, &bytes, &n);

	*same = false;
	if (e == ERR_NOT_FOUND)
		return true;
	if (e == ERR_OK && (e = checkpoint_decode(bytes_of(bytes, n), &held)) == ERR_OK) {
		*same = bytes_equal(note, bytes_of(bytes, n));
		ok = checkpoint_against(s, &held, now);
	} else {
		sync_fault(s, e);
	}
	free(bytes);
	return ok;
}

/* The head names a size and a root: the note of that size must say the same. */
static bool
checkpoint_named(struct sync *s, const struct checkpoint *c)
{
	const struct head *h = &s->next.h;

	if (manifest_checkpoint(&s->m, c) != ERR_OK)
		return sync_attack(s, REASON_CHECKPOINT);
	if (c->size != h->tree_size)
		return sync_mismatch(s, REASON_MIXED);
	return memcmp(c->root.b, h->root.b, sizeof h->root.b) == 0 || sync_attack(s, REASON_FORK);
}

bool
sync_checkpoint(struct sync *s)
{
	uint8_t bytes[CHECKPOINT_BYTES_MAX];
	char path[80];
	struct client_reply reply;
	struct checkpoint c;
	struct bytes note;
	bool same = false;

	snprintf(path, sizeof path, "/log/checkpoints/%llu",
	        (unsigned long long)s->next.h.tree_size);
	if (!sync_fetch_named(s, path, sizeof bytes, &reply))
		return false;
	memcpy(bytes, reply.body.p,
	        reply.body.n); /* the tiles of the proof take the reply's place */
	note = bytes_of(bytes, reply.body.n);
	if (checkpoint_decode(note, &c) != ERR_OK)
		return sync_attack(s, REASON_CHECKPOINT);
	if (!checkpoint_named(s, &c) || !sync_quorum(s, &c) ||
	        !checkpoint_compare(s, note, &c, &same))
		return false;
	s->r->size = c.size;
	return same || sync_keep(s, "checkpoint", note);
}

/* Parts that do not fit together may be of two publications: the head is fetched once more. The
 * same head again, or none, leaves the first verdict. */
static bool
head_again(struct sync *s)
{
	const struct sync_report first = *s->r;
	uint8_t before[HEAD_BYTES_MAX];
	size_t n = s->next.n;

	memcpy(before, s->next.bytes, n);
	s->mismatch = s->delta_asked = s->delta_there = false;
	free(s->changes);
	s->changes = NULL;
	s->change_count = 0;
	if (sync_head_fetch(s) &&
	        !bytes_equal(bytes_of(before, n), bytes_of(s->next.bytes, s->next.n))) {
		s->r->end = SYNC_DONE;
		s->r->reason = REASON_NONE;
		s->r->e = ERR_OK;
		s->r->lists = 0;
		return true;
	}
	*s->r = first;
	return false;
}

static void
sync_close(struct sync *s)
{
	if (s->m_open)
		manifest_close(&s->m);
	free(s->manifest_bytes);
	free(s->held.rows);
	free(s->next.rows);
	free(s->changes);
	free(s->raw);
	free(s->tiles);
	free(s);
}

void
sync_run(const struct sync_source *from, const struct sync_options *o, struct sync_report *out)
{
	struct sync *s = calloc(1, sizeof *s);
	int64_t held = 0;
	enum err e = s == NULL ? ERR_MEMORY : state_newest(o->dir, &held);

	*out = (struct sync_report){.end = SYNC_DONE, .reason = REASON_NONE, .e = ERR_OK};
	if (e != ERR_OK) {
		out->end = SYNC_FAULT;
		out->e = e;
		free(s);
		return;
	}
	s->from = from;
	s->o = o;
	s->r = out;
	out->newest = held;
	s->now = held > o->now ? held : o->now;
	if (manifest_held(s) && sync_held(s) && sync_head_fetch(s) && !sync_head(s) &&
	        s->mismatch && head_again(s))
		(void)sync_head(s);
	/* a signed time that was seen is kept, however the rest ended */
	if (out->newest > held && (e = state_newest_set(o->dir, out->newest)) != ERR_OK &&
	        out->end == SYNC_DONE)
		sync_fault(s, e);
	sync_close(s);
}
