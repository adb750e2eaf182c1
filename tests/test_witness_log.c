/* test_witness_log.c - the witness answers the published dialogue as others do, keeps what it said
 * over a restart, and never cosigns two histories. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "add_checkpoint.h"
#include "seed_key.h"
#include "temp_folder.h"
#include "witness_log.h"

#include <jansson.h>
#include <pthread.h>

#define NAME "witness.example.gov/w1"

enum { NOW = 1800000000 };

struct world {
	char folder[FOLDER_BYTES];
	struct key *key, *log;
	char vkey[200];
	const char *vkeys[2];
	struct witness *w;
};

static void
world_open(struct world *w)
{
	struct buf v = BUF_OF(w->vkey);

	folder_make(w->folder);
	w->key = seed_key_from(0x20);
	w->log = seed_key_from(0);
	note_vkey_put(&v, BYTES_LIT("ca.example.gov/log"), w->log);
	buf_put_u8(&v, 0);
	w->vkeys[0] = w->vkey;
	w->vkeys[1] = NULL;
	assert_int_equal(witness_open(w->folder, NAME, w->key, w->vkeys, &w->w), ERR_OK);
}

static void
world_close(struct world *w)
{
	witness_free(w->w);
	key_free(w->key);
	key_free(w->log);
	folder_remove(w->folder);
}

static void
reopen(struct world *w)
{
	witness_free(w->w);
	w->w = NULL;
	assert_int_equal(witness_open(w->folder, NAME, w->key, w->vkeys, &w->w), ERR_OK);
}

static void
dialogue_turn(struct witness *w, const json_t *row, struct bytes name, const struct key *key)
{
	const char *body = json_string_value(json_object_get(row, "body"));
	const char *want = json_string_value(json_object_get(row, "answer"));
	struct witness_answer a;
	struct cosignature c;
	const char *text = strstr(body, "\n\n") + 2, *end = strstr(text, "\n\n");

	witness_add(w, bytes_of_text(body), NOW, &a);
	if (a.status != json_integer_value(json_object_get(row, "status")))
		fail_msg("%s: %u", json_string_value(json_object_get(row, "what")), a.status);
	if (want != NULL)
		assert_true(bytes_equal_text(bytes_of(a.body, a.n), want));
	if (a.status != 200)
		return;
	assert_non_null(end);
	assert_int_equal(cosignature_find(bytes_of(text, (size_t)(end - text) + 1),
	                         bytes_of(a.body, a.n), name, key, &c),
	        ERR_OK);
	assert_int_equal(c.time, NOW);
	assert_int_equal(c.line.n, a.n);
}

static void
the_published_dialogue_goes_as_published(void **state)
{
	json_t *doc = json_load_file(SOURCE_DIR "/tests/vectors/witness.json", 0, NULL), *row;
	char folder[FOLDER_BYTES];
	const char *vkeys[2] = {json_string_value(json_object_get(doc, "log")), NULL};
	struct key *key = seed_key_from(0x20);
	struct witness *w = NULL;
	size_t i;

	(void)state;
	folder_make(folder);
	assert_int_equal(witness_open(folder, "example.com/witness", key, vkeys, &w), ERR_OK);
	json_array_foreach(json_object_get(doc, "dialogue"), i, row)
	        dialogue_turn(w, row, BYTES_LIT("example.com/witness"), key);
	assert_int_equal(i, 11);
	witness_free(w);
	key_free(key);
	folder_remove(folder);
	json_decref(doc);
}

/* A log of leaves "leaf <i>", or of another history from `other` on. */
struct tree {
	struct merkle_hash leaf[64];
};
static enum err
tree_get(void *tree, unsigned level, uint64_t index, struct merkle_hash *out)
{
	const struct tree *t = tree;
	struct merkle_frontier f = {.size = 0};

	for (uint64_t i = index << level; i < (index + 1) << level; i++)
		merkle_append(&f, &t->leaf[i]);
	merkle_root(&f, out);
	return ERR_OK;
}

static void
tree_make(struct tree *t, unsigned other)
{
	for (unsigned i = 0; i < 64; i++) {
		char text[20];

		snprintf(text, sizeof text, i < other ? "leaf %u" : "other %u", i);
		merkle_leaf(bytes_of_text(text), &t->leaf[i]);
	}
}

static unsigned
offer(struct world *w, struct tree *t, uint64_t old, uint64_t size, struct witness_answer *a)
{
	static _Thread_local char note_room[2000], room[8000];
	struct buf note = BUF_OF(note_room), body = BUF_OF(room);
	struct merkle_frontier f = {.size = 0};
	struct add_checkpoint ask = {.old = old};
	struct merkle_hash root;

	for (uint64_t i = 0; i < size; i++)
		merkle_append(&f, &t->leaf[i]);
	merkle_root(&f, &root);
	assert_int_equal(
	        checkpoint_sign(BYTES_LIT("ca.example.gov/log"), size, &root, w->log, &note),
	        ERR_OK);
	if (old > 0 && old < size)
		assert_int_equal(merkle_consistency(old, size, tree_get, t, &ask.proof), ERR_OK);
	ask.note = buf_bytes(&note);
	add_checkpoint_put(&ask, &body);
	assert_int_equal(buf_end(&body), ERR_OK);
	witness_add(w->w, buf_bytes(&body), NOW, a);
	return a->status;
}

static void
origin_hex(char hex[65])
{
	uint8_t hash[SHA256_BYTES];

	sha256_one(BYTES_LIT("ca.example.gov/log"), hash);
	hex_encode(bytes_of(hash, sizeof hash), hex);
}

static void
what_was_cosigned_is_kept_over_a_restart(void **state)
{
	struct witness_answer a;
	struct world w;
	struct tree good, fork;
	char room[CHECKPOINT_BYTES_MAX], hex[65];
	struct buf note = BUF_OF(room);
	struct checkpoint c;

	(void)state;
	world_open(&w);
	tree_make(&good, 64);
	tree_make(&fork, 7);
	assert_int_equal(offer(&w, &good, 0, 10, &a), 200);
	reopen(&w);
	assert_int_equal(offer(&w, &good, 0, 12, &a), 409);
	assert_true(bytes_equal_text(bytes_of(a.body, a.n), "10\n"));
	assert_int_equal(offer(&w, &fork, 10, 12, &a), 422);
	assert_int_equal(offer(&w, &fork, 10, 10, &a), 422); /* same size, another root */
	assert_int_equal(offer(&w, &good, 10, 10, &a), 200); /* the same again: a newer time */
	assert_int_equal(offer(&w, &good, 10, 9, &a), 400);
	assert_int_equal(offer(&w, &good, 10, 37, &a), 200);
	assert_int_equal(
	        witness_last(w.w,
	                BYTES_LIT(
	                        "d88d6a7dd7bb0acd1f7b5cb1b2cb65c7a20f4cd1d8fc2f4fa3e9b5d3b6f0a3a1"),
	                &note),
	        ERR_NOT_FOUND);
	origin_hex(hex);
	assert_int_equal(witness_last(w.w, bytes_of_text(hex), &note), ERR_OK);
	assert_int_equal(checkpoint_decode(buf_bytes(&note), &c), ERR_OK);
	assert_int_equal(c.size, 37);
	assert_int_equal(checkpoint_verify(&c, BYTES_LIT("ca.example.gov/log"), w.log), ERR_OK);
	world_close(&w);
}

static void
a_state_that_someone_changed_stops_the_start(void **state)
{
	struct witness_answer a;
	struct witness *other = NULL;
	struct world w;
	struct tree good;
	uint8_t *p;
	char hex[65];
	size_t n;

	(void)state;
	world_open(&w);
	tree_make(&good, 64);
	assert_int_equal(offer(&w, &good, 0, 10, &a), 200);
	/* a second process on the same folder would be a second witness under one key */
	assert_int_equal(witness_open(w.folder, NAME, w.key, w.vkeys, &other), ERR_EXISTS);
	witness_free(w.w);
	w.w = NULL;
	origin_hex(hex);
	p = folder_get(w.folder, hex, &n);
	assert_non_null(p);
	for (size_t i = 0; i < n; i++) {
		p[i] ^= 1;
		folder_put(w.folder, hex, bytes_of(p, n));
		assert_int_not_equal(witness_open(w.folder, NAME, w.key, w.vkeys, &other), ERR_OK);
		p[i] ^= 1;
	}
	folder_put(w.folder, hex, bytes_of(p, n));
	assert_int_equal(witness_open(w.folder, NAME, w.key, w.vkeys, &w.w), ERR_OK);
	free(p);
	world_close(&w);
}

struct racer {
	struct world *w;
	struct tree *t;
	unsigned won;
};
static void *
race(void *at)
{
	struct racer *r = at;
	struct witness_answer a;

	for (uint64_t size = 1; size < 40; size++)
		r->won += offer(r->w, r->t, size - 1, size, &a) == 200;
	return NULL;
}

/* Two that offer different histories: each step is won by one of them, and once the histories part
 * only one of them goes on. */
static void
of_two_histories_at_once_one_is_cosigned(void **state)
{
	struct world w;
	struct tree one, two;
	struct racer r[2] = {{.w = &w, .t = &one}, {.w = &w, .t = &two}};
	struct witness_answer a;
	pthread_t threads[2];
	unsigned good, fork;
	uint64_t size;

	(void)state;
	world_open(&w);
	tree_make(&one, 64);
	tree_make(&two, 1);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, race, &r[i]), 0);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	assert_true(r[0].won + r[1].won <= 39 && r[0].won + r[1].won > 0);
	assert_int_equal(offer(&w, &one, 0, 60, &a), 409);
	assert_int_equal(decimal_decode(bytes_of(a.body, a.n - 1), INT64_MAX, &size), ERR_OK);
	/* from there on one history fits, and after it the other does not */
	good = offer(&w, &one, size, 60, &a);
	fork = offer(&w, &two, good == 200 ? 60 : size, 60, &a);
	assert_true((good == 200 && fork == 422) || (good == 422 && fork == 200));
	world_close(&w);
}

static void
a_request_has_one_spelling_and_bounds(void **state)
{
	static const struct {
		const char *what, *body;
		enum err want;
	} bad[] = {
	        {"empty", "", ERR_TRUNCATED},
	        {"no end", "old 1", ERR_TRUNCATED},
	        {"no blank line", "old 1\nKgEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
	                ERR_TRUNCATED},
	        {"nothing after it", "old 1\n\n", ERR_TRUNCATED},
	        {"another word", "new 1\n\nx", ERR_ENCODING},
	        {"two blanks", "old  1\n\nx", ERR_ENCODING},
	        {"a leading zero", "old 01\n\nx", ERR_ENCODING},
	        {"a sign", "old -1\n\nx", ERR_ENCODING},
	        {"CR", "old 1\r\n\nx", ERR_ENCODING},
	        {"above 2^63-1", "old 9223372036854775808\n\nx", ERR_LIMIT},
	        {"a short hash", "old 1\nKgE=\n\nx", ERR_VALUE},
	        {"no base64", "old 1\n!\n\nx", ERR_ENCODING},
	};
	struct add_checkpoint a;
	char room[6000];
	struct buf b = BUF_OF(room);

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		enum err e = add_checkpoint_decode(bytes_of_text(bad[i].body), &a);

		if (e == ERR_OK || (bad[i].want == ERR_TRUNCATED && e != bad[i].want))
			fail_msg("%s: %s", bad[i].what, err_word(e));
	}
	for (size_t n = 62; n <= 64; n++) {
		b.n = 0;
		buf_put_text(&b, "old 1\n");
		for (size_t i = 0; i < n; i++)
			buf_put_text(&b, "KgEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n");
		buf_put_text(&b, "\nx");
		assert_int_equal(
		        add_checkpoint_decode(buf_bytes(&b), &a), n <= 63 ? ERR_OK : ERR_LIMIT);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_published_dialogue_goes_as_published),
	        cmocka_unit_test(what_was_cosigned_is_kept_over_a_restart),
	        cmocka_unit_test(a_state_that_someone_changed_stops_the_start),
	        cmocka_unit_test(of_two_histories_at_once_one_is_cosigned),
	        cmocka_unit_test(a_request_has_one_spelling_and_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
