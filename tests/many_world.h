#ifndef TESTS_MANY_WORLD_H
#define TESTS_MANY_WORLD_H
/* many_world.h - a folder of certificates to check at once, and what was written about them. */
#include "base45.h"
#include "check_world.h"
#include "verify_many.h"

#include <sys/stat.h>

enum { FILES_MAX = 40 };

struct many {
	struct asked *a;
	char dir[40]; /* of the input */
	char *names[FILES_MAX];
	size_t count;
	struct many_options o;
	struct many_report r;
	char *text; /* what was written to out, to err */
	char *said;
	size_t text_n, said_n;
};

static inline int
many_make(void **state)
{
	struct many *m = calloc(1, sizeof *m);
	void *a = NULL;

	asked_make(&a);
	m->a = a;
	snprintf(m->dir, sizeof m->dir, "/tmp/zz-test-many-XXXXXX");
	assert_non_null(mkdtemp(m->dir));
	m->o = (struct many_options){.check = m->a->o, .threads = 2, .field = m->a->field};
	*state = m;
	return 0;
}

static inline int
many_free(void **state)
{
	struct many *m = *state;
	void *a = m->a;
	char command[80];

	snprintf(command, sizeof command, "rm -r %s", m->dir);
	assert_int_equal(system(command), 0);
	for (size_t i = 0; i < m->count; i++)
		free(m->names[i]);
	free(m->text);
	free(m->said);
	asked_free(&a);
	free(m);
	return 0;
}

/* A file of the input folder; names of one test in the order of their bytes. */
static inline void
put(struct many *m, const char *name, struct bytes data)
{
	char path[FILE_PATH_MAX];
	FILE *to = NULL;

	snprintf(path, sizeof path, "%s/%s", m->dir, name);
	to = fopen(path, "w");
	assert_non_null(to);
	assert_int_equal(fwrite(data.p, 1, data.n, to), data.n);
	fclose(to);
	assert_true(m->count < FILES_MAX);
	m->names[m->count++] = strdup(path);
}

/* Checks what `path` names, or the folder. */
static inline void
check_all(struct many *m, const char *path)
{
	struct input *in = NULL;
	struct held *held = NULL;

	free(m->text);
	free(m->said);
	m->o.out = open_memstream(&m->text, &m->text_n);
	m->o.err = open_memstream(&m->said, &m->said_n);
	assert_int_equal(input_open(path == NULL ? m->dir : path, &in), ERR_OK);
	assert_int_equal(input_kind(in), INPUT_MANY);
	assert_int_equal(held_open(m->a->f->dir, m->a->f->w->root, HELD_ALL, &held), ERR_OK);
	assert_int_equal(many_run(&m->o, held, in, &m->r), ERR_OK);
	fclose(m->o.out);
	fclose(m->o.err);
	held_free(held);
	input_free(in);
}

/* The room is the test's. */
static inline struct bytes
record_of(const struct record *r, const struct key *k, uint8_t *room)
{
	struct buf out = buf_init(room, RECORD_BYTES_MAX);

	assert_int_equal(record_sign(r, k, &out), ERR_OK);
	return buf_bytes(&out);
}

static inline struct bytes
qr_of(struct bytes record, uint8_t *room)
{
	struct buf out = buf_init(room, QR_TEXT_BYTES_MAX);

	qr_put(&out, record);
	assert_int_equal(buf_end(&out), ERR_OK);
	return buf_bytes(&out);
}

#define M(name) cmocka_unit_test_setup_teardown(name, many_make, many_free)
#endif
