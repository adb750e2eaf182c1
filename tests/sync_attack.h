#ifndef TESTS_SYNC_ATTACK_H
#define TESTS_SYNC_ATTACK_H
/* sync_attack.h - one attack on a sync: a second publication is spoiled before it is signed, or on
 * its way. */
#include "sync_fixture.h"

struct attack {
	const char *what;
	void (*before)(struct fixture *f), (*after)(struct fixture *f);
	enum verdict_reason want; /* REASON_NONE: no attack */
	bool lasts;               /* what it did to the world is no longer honest */
};

static inline void
flip(struct fixture *f, const char *path)
{
	struct served *s = served_find(f, path);

	assert_non_null(s);
	s->bytes[s->n - 1] ^= 1;
}

static inline void
endless(struct fixture *f, const char *path, size_t n)
{
	uint8_t *much = calloc(1, n);

	serve(f, path, bytes_of(much, n));
	free(much);
}

static inline void
nothing(struct fixture *f)
{
	(void)f;
}

static inline void
no_delta(struct fixture *f)
{
	f->p.no_delta = true;
}

/* A new manifest, and a head that names it. */
static inline void
manifest_new(struct fixture *f, uint64_t version, int64_t iat)
{
	world_manifest(f->w, version, iat);
	serve(f, "/manifest.cose", f->w->manifest_bytes);
	f->p.head.manifest_version = version;
	memcpy(f->p.head.manifest_sha256, f->w->m.sha256, SHA256_BYTES);
}

static inline void
manifest_honest(struct fixture *f)
{
	manifest_new(f, 4, WORLD_NOW);
}

static inline void
held_read(const struct fixture *f, uint8_t **head, size_t *n)
{
	assert_int_equal(state_read(f->dir, "head.cwt", HEAD_BYTES_MAX, head, n), ERR_OK);
}

static inline void
attack_run(const struct attack *a)
{
	void *state = NULL;
	struct fixture *f = NULL;
	uint8_t *before = NULL, *after = NULL;
	size_t before_n = 0, after_n = 0;

	fixture_make(&state);
	f = state;
	expect(f, SYNC_DONE, REASON_NONE);
	held_read(f, &before, &before_n);
	f->o.now = WORLD_NOW + STEP;
	status_set(f->w->raw, 5, STATUS_INVALID);
	publish_begin(f, f->o.now, 10);
	a->before(f);
	publish_end(f);
	a->after(f);
	run(f);
	if (f->r.end != (a->want == REASON_NONE ? SYNC_DONE : SYNC_ATTACK) ||
	        f->r.reason != a->want)
		fail_msg("%s: end %d, reason %s, at %s", a->what, (int)f->r.end,
		        reason_word(f->r.reason), f->r.file);
	held_read(f, &after, &after_n);
	assert_true(bytes_equal(bytes_of(before, before_n), bytes_of(after, after_n)) ==
	            (a->want != REASON_NONE));
	free(before);
	free(after);
	fixture_free(&state);
}

/* What is held after an attack still takes the next honest publication. */
static inline void
recovery_run(const struct attack *a)
{
	void *made = NULL;
	struct fixture *f = NULL;

	fixture_make(&made);
	f = made;
	expect(f, SYNC_DONE, REASON_NONE);
	f->o.now = WORLD_NOW + STEP;
	status_set(f->w->raw, 5, STATUS_INVALID);
	publish_begin(f, f->o.now, 10);
	a->before(f);
	publish_end(f);
	a->after(f);
	run(f);
	status_set(f->w->raw, 77, STATUS_INVALID);
	status_set(f->w->raw, 78, STATUS_SUPERSEDED);
	f->sequence = 0;
	publish(f, f->o.now + 1, 12);
	run(f);
	if (f->r.end != SYNC_DONE)
		fail_msg("after %s: end %d, reason %s, at %s", a->what, (int)f->r.end,
		        reason_word(f->r.reason), f->r.file);
	fixture_free(&made);
}

static inline void
attacks_run(const struct attack *attacks, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		attack_run(&attacks[i]);
		if (!attacks[i].lasts)
			recovery_run(&attacks[i]);
	}
}
#endif
