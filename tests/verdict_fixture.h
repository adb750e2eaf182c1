#ifndef TESTS_VERDICT_FIXTURE_H
#define TESTS_VERDICT_FIXTURE_H
/* verdict_fixture.h - a certificate that is valid, with all that shows it: each test spoils what it
 * is about. */
#include "verdict.h"
#include "verify_world.h"

enum { BYTES = 4096 };

struct fixture {
	struct world *w;
	uint8_t cti[16], bare_room[RECORD_BYTES_MAX], list_room[BYTES],
	        bundle_room[BUNDLE_BYTES_MAX];
	struct record r;
	struct bytes bare, list, bundle;
	struct verdict_input in; /* all good: each test spoils what it is about */
	struct verdict v;
};

static inline void
fixture_list(struct fixture *f, int64_t sequence)
{
	struct buf list = BUF_OF(f->list_room);

	world_list(f->w, f->w->status, 0, sequence, &list);
	f->list = f->in.list_token = buf_bytes(&list);
}

static inline void
fixture_record(struct fixture *f, const struct key *k)
{
	struct buf bare = BUF_OF(f->bare_room);

	assert_int_equal(record_sign(&f->r, k, &bare), ERR_OK);
	f->bare = f->in.data = buf_bytes(&bare);
}

/* Appends the record as the last of `before` + 1 entries and bundles it. */
static inline void
fixture_bundle(struct fixture *f, uint64_t before)
{
	struct buf bundle = BUF_OF(f->bundle_room);

	f->w->size = 0;
	world_append_any(f->w, before);
	world_append(f->w, f->bare);
	world_append_any(f->w, 5);
	world_bundle(f->w, f->w->log, f->bare, before, f->w->size, &bundle);
	f->bundle = f->in.data = buf_bytes(&bundle);
}

static inline int
fixture_make(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	f->w = world_make();
	f->r = world_record(f->cti, 1);
	f->in = (struct verdict_input){
	        .manifest = &f->w->m, .now = WORLD_NOW, .at = -1, .age_s_max = STATUS_FRESH_S};
	fixture_record(f, f->w->record);
	fixture_list(f, WORLD_NOW - 100);
	*state = f;
	return 0;
}

static inline int
fixture_free(void **state)
{
	struct fixture *f = *state;

	world_free(f->w);
	free(f);
	return 0;
}

static inline void
expect(struct fixture *f, enum verdict_code code, enum verdict_reason reason)
{
	verdict_find(&f->in, &f->v);
	if (f->v.code != code || f->v.reason != reason)
		fail_msg("%s (%s), not %s (%s)", verdict_word(f->v.code), reason_word(f->v.reason),
		        verdict_word(code), reason_word(reason));
}

static inline void
mark(struct fixture *f, enum status s)
{
	status_set(f->w->raw, f->r.idx, s);
	fixture_list(f, WORLD_NOW - 100);
}

#define T(name) cmocka_unit_test_setup_teardown(name, fixture_make, fixture_free)
#endif
