/* test_witnesses.c - what issuer-publish asks witnesses and what it makes of their answers: the
 * published dialogue from the log's side, pauses that grow, and no cosignature unverified. */
#include "seed_key.h"
#include "temp_folder.h"
#include "witnesses.h"

#include "add_checkpoint.h"
#include "file.h"

#include <jansson.h>

enum { NOW = 1700000000 };

struct world {
	struct config config;
	char folder[FOLDER_BYTES];
	struct witnesses w;
	struct key *key; /* of the witness */
	json_t *doc;
	uint64_t cosigned; /* told to the callback */
	unsigned calls;
};

static void
on_cosigned(void *ctx, uint64_t size, struct bytes line)
{
	struct world *w = ctx;

	assert_true(line.n > 0 && line.p[line.n - 1] == '\n');
	w->cosigned = size;
	w->calls++;
}

/* The tree of the dialogue: its leaf hashes are 2a, the number, zeros. */
static void
tiles_make(const struct world *w)
{
	uint8_t tile[5 * SHA256_BYTES] = {0};
	char path[FOLDER_PATH_BYTES];

	for (uint8_t i = 0; i < 5; i++) {
		tile[i * SHA256_BYTES] = 0x2a;
		tile[i * SHA256_BYTES + 1] = i;
	}
	folder_path(w->folder, "log/tile/0/000.p", path);
	assert_int_equal(file_make_folders(path, 0755), ERR_OK);
	for (size_t n = 1; n <= 5; n++) {
		snprintf(path, sizeof path, "%s/log/tile/0/000.p/%zu", w->folder, n);
		assert_int_equal(file_write(path, bytes_of(tile, n * SHA256_BYTES), 0644), ERR_OK);
	}
}

static const char *
body_of(const struct world *w, size_t row)
{
	return json_string_value(
	        json_object_get(json_array_get(json_object_get(w->doc, "dialogue"), row), "body"));
}

static struct bytes
note_of(const struct world *w, size_t row)
{
	return bytes_of_text(strstr(body_of(w, row), "\n\n") + 2);
}

static void
world_open(struct world *w)
{
	char vkey[200];
	struct buf v = BUF_OF(vkey);

	memset(w, 0, sizeof *w);
	folder_make(w->folder);
	w->doc = json_load_file(SOURCE_DIR "/tests/vectors/witness.json", 0, NULL);
	w->key = seed_key_from(0x20);
	cosigner_vkey_put(&v, BYTES_LIT("example.com/witness"), w->key);
	snprintf(w->config.host, sizeof w->config.host, "zz.example");
	snprintf(w->config.witness, sizeof w->config.witness, "w1 %.*s http://127.0.0.1:9/\n",
	        (int)v.n, vkey);
	snprintf(w->config.witness_quorum, sizeof w->config.witness_quorum, "w1");
	tiles_make(w);
	assert_int_equal(witnesses_open(&w->config,
	                         bytes_of_text(json_string_value(json_object_get(w->doc, "log"))),
	                         w->folder, &w->w),
	        ERR_OK);
	w->w.cosigned = on_cosigned;
	w->w.ctx = w;
	w->w.now = NOW;
}

static void
world_close(struct world *w)
{
	char path[FOLDER_PATH_BYTES];

	witnesses_close(&w->w);
	key_free(w->key);
	json_decref(w->doc);
	for (size_t n = 1; n <= 5; n++) {
		snprintf(path, sizeof path, "%s/log/tile/0/000.p/%zu", w->folder, n);
		unlink(path);
	}
	for (const char *const *d = (const char *const[]){"log/tile/0/000.p", "log/tile/0",
	             "log/tile", "log", NULL};
	        *d != NULL; d++) {
		folder_path(w->folder, *d, path);
		rmdir(path);
	}
	rmdir(w->folder);
}

static void
asks(struct world *w, size_t row)
{
	static uint8_t room[ADD_CHECKPOINT_BYTES_MAX];
	struct buf body = BUF_OF(room);

	assert_int_equal(witnesses_question(&w->w, 0, &body), ERR_OK);
	assert_true(bytes_equal_text(buf_bytes(&body), body_of(w, row)));
}

static void
answer(struct world *w, unsigned status, const char *type, const char *body, uint64_t now_ms)
{
	struct witness_reply r = {
	        .e = ERR_OK, .status = status, .type = type, .body = bytes_of_text(body)};

	witnesses_answer(&w->w, 0, &r, now_ms);
}

/* As the witness would: the line in static memory. */
static const char *
cosign(const struct world *w, const char *name, int64_t time)
{
	static char room[COSIGNATURE_LINE_BYTES_MAX];
	struct buf line = BUF_OF(room);
	const struct witness_peer *p = &w->w.peers[0];

	assert_int_equal(cosignature_sign(bytes_of(p->text, p->text_n), bytes_of_text(name), w->key,
	                         time, &line),
	        ERR_OK);
	buf_put_u8(&line, 0);
	return room;
}

static void
the_published_dialogue_is_asked_as_published(void **state)
{
	struct world w;
	struct checkpoint c;

	(void)state;
	world_open(&w);
	assert_int_equal(witnesses_target(&w.w, note_of(&w, 0)), ERR_OK);
	asks(&w, 0);
	answer(&w, 200, "text/plain", cosign(&w, "example.com/witness", NOW), 1);
	assert_int_equal(w.cosigned, 1);
	assert_int_equal(witnesses_target(&w.w, note_of(&w, 5)), ERR_OK);
	asks(&w, 5);
	answer(&w, 200, "text/plain", cosign(&w, "example.com/witness", NOW), 2);
	assert_int_equal(w.cosigned, 3);
	assert_int_equal(witnesses_target(&w.w, note_of(&w, 7)), ERR_OK);
	w.w.peers[0].size = 0; /* as after a restart: it is asked what it has */
	asks(&w, 8);
	answer(&w, 409, ADD_CHECKPOINT_SIZE_TYPE, "3\n", 3);
	assert_int_equal(w.w.peers[0].due_ms, 3); /* at once */
	asks(&w, 7);
	answer(&w, 200, "text/plain", cosign(&w, "example.com/witness", NOW), 4);
	assert_int_equal(w.cosigned, 5);
	assert_int_equal(checkpoint_decode(bytes_of(w.w.note, w.w.note_n), &c), ERR_OK);
	assert_int_equal(witnesses_quorum(&w.w, &c), ERR_OK);
	world_close(&w);
}

static const struct {
	const char *what;
	unsigned status;
	const char *type, *body;
} bad[] = {
        {"refused", 400, "text/plain", "no\n"},
        {"it_refuses_our_signature", 403, "text/plain", ""},
        {"it_does_not_know_this_log", 404, "text/plain", ""},
        {"it_says_inconsistent", 422, "text/plain", ""},
        {"refused", 429, "text/plain", ""},
        {"refused", 500, "text/plain", ""},
        {"refused", 301, "text/plain", ""},
        {"no_cosignature_of_its_key", 200, "text/plain", ""},
        {"no_cosignature_of_its_key", 200, "text/plain", "rubbish\n"},
        {"no_cosignature_of_its_key", 200, "text/plain",
                "— witness.example.org uKLPIAAAAABpVGeAhm2bOvKc3LaB9PFN1ruG19Y5yqslmcAAbhftnn1Zznm"
                "o0LXFZq4LGvqKqLX8jWlwLKasxEGTLIqAVusneCBmBw==\n"},
        {"conflict_without_size", 409, "text/plain", "1\n"},
        {"conflict_without_size", 409, ADD_CHECKPOINT_SIZE_TYPE, "1"},
        {"conflict_without_size", 409, ADD_CHECKPOINT_SIZE_TYPE, "\n"},
        {"conflict_without_size", 409, ADD_CHECKPOINT_SIZE_TYPE, "01\n"},
        {"conflict_without_size", 409, ADD_CHECKPOINT_SIZE_TYPE, "99999999999999999999\n"},
        {"conflict_again", 409, ADD_CHECKPOINT_SIZE_TYPE, "0\n"},
        {"ahead_of_us", 409, ADD_CHECKPOINT_SIZE_TYPE, "6\n"},
};

static void
no_other_answer_counts(void **state)
{
	struct world w;

	(void)state;
	world_open(&w);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		w.w.peers[0] = (struct witness_peer){.size = 0};
		assert_int_equal(witnesses_target(&w.w, note_of(&w, 7)), ERR_OK);
		asks(&w, 8);
		answer(&w, bad[i].status, bad[i].type, bad[i].body, 1000);
		assert_string_equal(w.w.peers[0].trouble, bad[i].what);
		assert_true(w.w.peers[0].due_ms > 1000);
		assert_int_equal(w.calls, 0);
		assert_int_equal(w.w.note_n, note_of(&w, 7).n);
	}
	world_close(&w);
}

static void
a_lying_witness_changes_nothing(void **state)
{
	struct world w;
	char line[COSIGNATURE_LINE_BYTES_MAX];

	(void)state;
	world_open(&w);
	assert_int_equal(witnesses_target(&w.w, note_of(&w, 7)), ERR_OK);
	asks(&w, 8);
	snprintf(line, sizeof line, "%s", cosign(&w, "example.com/witness", NOW));
	line[strlen(line) - 10] = line[strlen(line) - 10] == 'A' ? 'B' : 'A';
	answer(&w, 200, "text/plain", line, 1000);
	assert_string_equal(w.w.peers[0].trouble, "cosignature_bad");
	asks(&w, 8);
	answer(&w, 200, "text/plain", cosign(&w, "example.com/other", NOW), 1000);
	assert_string_equal(w.w.peers[0].trouble, "no_cosignature_of_its_key");
	asks(&w, 8);
	answer(&w, 200, "text/plain",
	        cosign(&w, "example.com/witness", NOW + SEQUENCE_AHEAD_S_MAX + 1), 1000);
	assert_string_equal(w.w.peers[0].trouble, "cosignature_from_the_future");
	assert_int_equal(w.calls, 0);
	/* negative control: the same, and right */
	asks(&w, 8);
	answer(&w, 200, "text/plain", cosign(&w, "example.com/witness", NOW), 1000);
	assert_null(w.w.peers[0].trouble);
	assert_int_equal(w.calls, 1);
	world_close(&w);
}

static void
pauses_grow_and_end_with_success(void **state)
{
	struct world w;
	uint64_t at = 1000, most = 0;

	(void)state;
	world_open(&w);
	assert_int_equal(witnesses_target(&w.w, note_of(&w, 7)), ERR_OK);
	for (unsigned i = 0; i < 12; i++) {
		uint64_t full = (uint64_t)WITNESS_PAUSE_MS_MIN << (i < 7 ? i : 7), pause;

		full = full < WITNESS_PAUSE_MS_MAX ? full : WITNESS_PAUSE_MS_MAX;
		asks(&w, 8);
		answer(&w, 503, "text/plain", "", at);
		pause = w.w.peers[0].due_ms - at;
		assert_true(pause >= full / 2 && pause <= full);
		most = pause > most ? pause : most;
		at += pause;
	}
	assert_true(most > WITNESS_PAUSE_MS_MAX / 2);
	asks(&w, 8);
	answer(&w, 200, "text/plain", cosign(&w, "example.com/witness", NOW), at);
	assert_int_equal(w.w.peers[0].due_ms, at);
	assert_int_equal(w.w.peers[0].failures, 0);
	world_close(&w);
}

static void
what_a_witness_has_seen_is_remembered(void **state)
{
	const struct policy_witness *who;
	struct world w;

	(void)state;
	world_open(&w);
	assert_int_equal(witnesses_target(&w.w, note_of(&w, 7)), ERR_OK);
	assert_false(witnesses_heard(&w.w, false));
	assert_int_equal(witnesses_ahead(&w.w, &who), 0);
	asks(&w, 8);
	answer(&w, 409, ADD_CHECKPOINT_SIZE_TYPE, "900\n", 1000);
	assert_true(witnesses_heard(&w.w, false));
	assert_int_equal(witnesses_ahead(&w.w, &who), 900);
	assert_true(bytes_equal_text(who->name, "w1"));
	world_close(&w);
}

/* A mode that nothing can satisfy must not start. */
static void
a_policy_that_cannot_work_stops_the_start(void **state)
{
	struct witnesses other;
	struct world w;
	struct bytes vkey;

	(void)state;
	world_open(&w);
	vkey = bytes_of_text(json_string_value(json_object_get(w.doc, "log")));
	w.config.witness_required = true;
	assert_int_equal(witnesses_open(&w.config, vkey, w.folder, &other), ERR_OK);
	witnesses_close(&other);
	snprintf(w.config.witness_quorum, sizeof w.config.witness_quorum, "none");
	assert_int_equal(witnesses_open(&w.config, vkey, w.folder, &other), ERR_CONFIG);
	snprintf(w.config.witness_quorum, sizeof w.config.witness_quorum, "w2");
	assert_int_equal(witnesses_open(&w.config, vkey, w.folder, &other), ERR_CONFIG);
	w.config.witness_required = false;
	snprintf(w.config.witness_quorum, sizeof w.config.witness_quorum, "none");
	*strrchr(w.config.witness, ' ') = '\n'; /* no URL */
	assert_int_equal(witnesses_open(&w.config, vkey, w.folder, &other), ERR_CONFIG);
	world_close(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_published_dialogue_is_asked_as_published),
	        cmocka_unit_test(no_other_answer_counts),
	        cmocka_unit_test(a_lying_witness_changes_nothing),
	        cmocka_unit_test(pauses_grow_and_end_with_success),
	        cmocka_unit_test(what_a_witness_has_seen_is_remembered),
	        cmocka_unit_test(a_policy_that_cannot_work_stops_the_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
