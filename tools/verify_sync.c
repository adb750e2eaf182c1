/* verify_sync.c - fetches manifest, checkpoint, lists and CRLs: nothing replaces a held file before
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

/* An attack where the source sent too much, else it is away. */
static bool
source_fails(struct sync *s, enum err e)
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
		return source_fails(s, e);
	*missing = reply->status == 404;
	if (!*missing && reply->status != 200)
		return sync_away(s, ERR_HTTP);
	return true;
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
manifest_against(struct sync *s, const struct manifest *held)
{
	if (!bytes_equal(s->m.iss, held->iss))
		return sync_attack(s, REASON_MIXED);
	if (s->m.version < held->version)
		return sync_attack(s, REASON_ROLLBACK);
	if (s->m.version == held->version &&
	        memcmp(s->m.sha256, held->sha256, sizeof held->sha256) != 0)
		return sync_attack(s, REASON_FORK);
	return true;
}

/* *held_version 0: none is held. */
static bool
manifest_compare(struct sync *s, uint64_t *held_version)
{
	struct manifest held;
	uint8_t *bytes = NULL;
	size_t n = 0;
	bool ok = false;
	enum err e = state_read(s->o->dir, "manifest.cose", MANIFEST_BYTES_MAX, &bytes, &n);

	*held_version = 0;
	if (e == ERR_NOT_FOUND)
		return true;
	if (e == ERR_OK && (e = manifest_open(bytes_of(bytes, n), s->o->root, &held)) == ERR_OK) {
		*held_version = held.version;
		ok = manifest_against(s, &held);
		manifest_close(&held);
	} else {
		sync_fault(s, e);
	}
	free(bytes);
	return ok;
}

static bool
manifest_take(struct sync *s, struct bytes body)
{
	if ((s->manifest_bytes = malloc(body.n + 1)) == NULL)
		return sync_fault(s, ERR_MEMORY);
	memcpy(s->manifest_bytes, body.p, body.n);
	if (manifest_open(bytes_of(s->manifest_bytes, body.n), s->o->root, &s->m) != ERR_OK)
		return sync_attack(s, REASON_MANIFEST);
	s->m_open = true;
	return true;
}

static bool
sync_manifest(struct sync *s)
{
	struct client_reply reply;
	uint64_t held = 0;
	bool missing = false;

	if (!sync_fetch(s, "/manifest.cose", MANIFEST_BYTES_MAX, &reply, &missing))
		return false;
	if (missing || reply.body.n == 0)
		return sync_away(s, ERR_NOT_FOUND);
	if (!manifest_take(s, reply.body) || !manifest_compare(s, &held))
		return false;
	if (sync_ahead(s, s->m.iat))
		return sync_attack(s, REASON_AHEAD);
	sync_seen(s, s->m.iat);
	s->r->version = s->m.version;
	return held == s->m.version ||
	       sync_keep(s, "manifest.cose", bytes_of(s->manifest_bytes, reply.body.n));
}

/* Checkpoint */

static enum err
checkpoint_accept(const struct manifest *m, const struct checkpoint *c)
{
	struct bytes name = {0};
	struct key *log = NULL;
	const struct manifest_key *row = NULL;
	enum err e = note_vkey_decode(m->log_vkey, &name, &log);

	if (e != ERR_OK)
		return e;
	row = manifest_find(m, key_kid(log), KEY_LOG);
	if (row == NULL || !bytes_equal(name, m->origin) || !bytes_equal(c->origin, m->origin) ||
	        c->size > row->last_size)
		e = ERR_VALUE;
	else
		e = checkpoint_verify(c, name, log);
	key_free(log);
	return e;
}

/* The tree that grew must still begin with the tree that is held. */
static bool
checkpoint_extends(struct sync *s, const struct checkpoint *held, const struct checkpoint *now)
{
	struct tiles *tiles = malloc(sizeof *tiles);
	struct merkle_path path;
	enum err e = ERR_OK;

	if (tiles == NULL)
		return sync_fault(s, ERR_MEMORY);
	tiles_init(tiles, s->from, now->size);
	e = merkle_consistency(held->size, now->size, tiles_get, tiles, &path);
	free(tiles);
	if (e == ERR_VALUE)
		return sync_attack(s, REASON_FORK);
	if (e != ERR_OK)
		return source_fails(s, e);
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

static bool
sync_checkpoint(struct sync *s)
{
	uint8_t bytes[CHECKPOINT_BYTES_MAX];
	struct client_reply reply;
	struct checkpoint c;
	struct bytes note;
	bool missing = false, same = false;

	if (!sync_fetch(s, "/log/checkpoint", sizeof bytes, &reply, &missing))
		return false;
	if (missing)
		return sync_away(s, ERR_NOT_FOUND);
	memcpy(bytes, reply.body.p,
	        reply.body.n); /* the tiles of the proof take the reply's place */
	note = bytes_of(bytes, reply.body.n);
	if (checkpoint_decode(note, &c) != ERR_OK || checkpoint_accept(&s->m, &c) != ERR_OK)
		return sync_attack(s, REASON_CHECKPOINT);
	if (!checkpoint_compare(s, note, &c, &same))
		return false;
	s->r->size = c.size;
	return same || sync_keep(s, "checkpoint", note);
}

void
sync_run(const struct sync_source *from, const struct sync_options *o, struct sync_report *out)
{
	struct sync s = {.from = from, .o = o, .r = out, .now = o->now};
	int64_t held = 0;
	enum err e = ERR_OK;

	*out = (struct sync_report){.end = SYNC_DONE, .reason = REASON_NONE, .e = ERR_OK};
	if ((e = state_newest(o->dir, &held)) != ERR_OK) {
		sync_fault(&s, e);
		return;
	}
	out->newest = held;
	if (held > s.now)
		s.now = held;
	if (sync_manifest(&s) && sync_checkpoint(&s))
		(void)sync_lists(&s);
	/* a signed time that was seen is kept, however the rest ended */
	if (out->newest > held && (e = state_newest_set(o->dir, out->newest)) != ERR_OK &&
	        out->end == SYNC_DONE)
		sync_fault(&s, e);
	if (s.m_open)
		manifest_close(&s.m);
	free(s.manifest_bytes);
}
