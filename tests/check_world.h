#ifndef TESTS_CHECK_WORLD_H
#define TESTS_CHECK_WORLD_H
/* check_world.h - a synced state folder and a certificate that is valid: each test asks about it,
 * or spoils it. */
#include "sync_fixture.h"
#include "verify_check.h"

struct asked {
	struct fixture *f;
	uint8_t cti[16], bare_room[RECORD_BYTES_MAX];
	struct record r;
	struct bytes bare;
	struct check_options o;
	struct field *field;
	struct check c;
};

static inline int
asked_make(void **state)
{
	struct asked *a = calloc(1, sizeof *a);
	struct buf bare = BUF_OF(a->bare_room);
	void *f = NULL;

	fixture_make(&f);
	a->f = f;
	run(a->f);
	a->r = world_record(a->cti, 1);
	assert_int_equal(record_sign(&a->r, a->f->w->record, &bare), ERR_OK);
	a->bare = buf_bytes(&bare);
	a->o = (struct check_options){.dir = a->f->dir,
	        .root = a->f->w->root,
	        .data = a->bare,
	        .now = WORLD_NOW + 60,
	        .at = -1,
	        .age_s_max = STATUS_FRESH_S};
	assert_int_equal(field_open(&a->field), ERR_OK);
	*state = a;
	return 0;
}

static inline int
asked_free(void **state)
{
	struct asked *a = *state;
	void *f = a->f;

	fixture_free(&f);
	check_close(&a->c);
	field_free(a->field);
	free(a);
	return 0;
}
#endif
