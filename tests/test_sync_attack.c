/* test_sync_attack.c - each attack on zz-verify sync is named, and nothing bad replaces what is
 * held. */
#include "sync_fixture.h"

/* attacks: a second publication, spoiled */

static void
nothing(struct fixture *f)
{
	(void)f;
}

static void
flip(struct fixture *f, const char *path)
{
	struct served *s = served_find(f, path);

	s->bytes[s->n - 1] ^= 1;
}

static void
manifest_flip(struct fixture *f)
{
	flip(f, "/manifest.cose");
}

static void
manifest_portal(struct fixture *f)
{
	serve(f, "/manifest.cose", BYTES_LIT("<html>Please log in</html>"));
}

static void
manifest_old(struct fixture *f)
{
	world_manifest(f->w, 2, WORLD_NOW);
	serve(f, "/manifest.cose", f->w->manifest_bytes);
}

static void
manifest_twice(struct fixture *f)
{
	world_manifest(f->w, 3, WORLD_NOW + 1);
	serve(f, "/manifest.cose", f->w->manifest_bytes);
}

static void
manifest_ahead(struct fixture *f)
{
	world_manifest(f->w, 4, f->o.now + SEQUENCE_AHEAD_S_MAX + 1);
	serve(f, "/manifest.cose", f->w->manifest_bytes);
}

static void
endless(struct fixture *f, const char *path, size_t n)
{
	uint8_t *much = calloc(1, n);

	serve(f, path, bytes_of(much, n));
	free(much);
}

static void
manifest_endless(struct fixture *f)
{
	endless(f, "/manifest.cose", MANIFEST_BYTES_MAX + 1);
}

static void
list_endless(struct fixture *f)
{
	endless(f, "/status/0.cwt", TOKEN_BYTES_MAX + 1);
}

static void
checkpoint_put(struct fixture *f, const struct key *k, uint64_t size)
{
	uint8_t room[2048];
	struct buf note = BUF_OF(room);

	world_checkpoint(f->w, k, size, &note);
	serve(f, "/log/checkpoint", buf_bytes(&note));
}

static void
checkpoint_old(struct fixture *f)
{
	checkpoint_put(f, f->w->log, 2);
}

static void
checkpoint_other_key(struct fixture *f)
{
	struct key *other = NULL;

	assert_int_equal(key_generate(KEY_ED25519, &other), ERR_OK);
	checkpoint_put(f, other, 10);
	key_free(other);
}

static void
checkpoint_fork(struct fixture *f)
{
	f->w->leaves[1].b[0] ^= 1; /* an entry that is held was exchanged */
	checkpoint_put(f, f->w->log, 10);
}

static void
checkpoint_same_size_other_root(struct fixture *f)
{
	f->w->leaves[1].b[0] ^= 1;
	checkpoint_put(f, f->w->log, 3);
}

static void
checkpoint_junk(struct fixture *f)
{
	serve(f, "/log/checkpoint", BYTES_LIT("zz\n"));
}

static void
list_put(struct fixture *f, const struct key *k, uint32_t list, int64_t at)
{
	uint8_t room[8192];
	struct buf token = BUF_OF(room);

	world_list(f->w, k, list, at, &token);
	serve(f, "/status/0.cwt", buf_bytes(&token));
}

static void
list_flip(struct fixture *f)
{
	flip(f, "/status/0.cwt");
}

static void
list_other_key(struct fixture *f)
{
	list_put(f, f->w->record, 0, f->o.now);
}

static void
list_other_number(struct fixture *f)
{
	list_put(f, f->w->status, 1, f->o.now);
}

static void
list_old(struct fixture *f)
{
	list_put(f, f->w->status, 0, WORLD_NOW - 1);
}

static void
list_twice(struct fixture *f)
{
	status_set(f->w->raw, 5, STATUS_INVALID);
	list_put(f, f->w->status, 0, WORLD_NOW);
}

static void
list_ahead(struct fixture *f)
{
	list_put(f, f->w->status, 0, f->o.now + SEQUENCE_AHEAD_S_MAX + 1);
}

static void
list_reinstated(struct fixture *f)
{
	status_set(f->w->raw, 77, STATUS_VALID);
	list_put(f, f->w->status, 0, f->o.now);
}

static void
list_replaced_again_valid(struct fixture *f)
{
	status_set(f->w->raw, 78, STATUS_VALID);
	list_put(f, f->w->status, 0, f->o.now);
}

static void
list_gone(struct fixture *f)
{
	serve_not(f, "/status/0.cwt");
}

/* A token of one byte more than a list, properly signed. */
static void
list_of_size(struct fixture *f, size_t n)
{
	uint8_t *raw = calloc(1, n), stream_room[8192], room[8192];
	struct buf stream = BUF_OF(stream_room), token = BUF_OF(room);
	struct status_token t = {.uri = BYTES_LIT(WORLD_PREFIX "0"),
	        .iat = f->o.now,
	        .exp = f->o.now + 1000,
	        .ttl = 10,
	        .sequence = (uint64_t)f->o.now};

	assert_int_equal(status_deflate(bytes_of(raw, n), &stream), ERR_OK);
	t.lst = buf_bytes(&stream);
	assert_int_equal(status_cwt_sign(&t, f->w->status, &token), ERR_OK);
	serve(f, "/status/0.cwt", buf_bytes(&token));
	free(raw);
}

static void
list_bomb(struct fixture *f)
{
	list_of_size(f, 8 * LIST_BYTES);
}

static void
list_short(struct fixture *f)
{
	list_of_size(f, LIST_BYTES - 1);
}

static void
crl_put(struct fixture *f, uint32_t list, int64_t at)
{
	uint8_t *der = NULL;
	size_t n = 0;

	world_crl(f->w, list, at, NULL, &der, &n);
	serve(f, "/crl/0.crl", bytes_of(der, n));
	free(der);
}

static void
crl_flip(struct fixture *f)
{
	flip(f, "/crl/0.crl");
}

static void
crl_other_list(struct fixture *f)
{
	crl_put(f, 1, f->o.now);
}

static void
crl_old(struct fixture *f)
{
	crl_put(f, 0, WORLD_NOW - 1);
}

static void
crl_ahead(struct fixture *f)
{
	crl_put(f, 0, f->o.now + SEQUENCE_AHEAD_S_MAX + 1);
}

static void
crl_gone(struct fixture *f)
{
	serve_not(f, "/crl/0.crl");
}

static const struct {
	const char *what;
	void (*spoil)(struct fixture *f);
	enum verdict_reason want; /* REASON_NONE: no attack */
	const char *held;         /* this file must stay as it was */
} attacks[] = {
        {"control: nothing spoiled", nothing, REASON_NONE, NULL},
        {"manifest changed", manifest_flip, REASON_MANIFEST, "manifest.cose"},
        {"a portal's page", manifest_portal, REASON_MANIFEST, "manifest.cose"},
        {"an older manifest", manifest_old, REASON_ROLLBACK, "manifest.cose"},
        {"two manifests of a version", manifest_twice, REASON_FORK, "manifest.cose"},
        {"a manifest of the future", manifest_ahead, REASON_AHEAD, "manifest.cose"},
        {"an endless manifest", manifest_endless, REASON_ENDLESS, "manifest.cose"},
        {"a smaller log", checkpoint_old, REASON_ROLLBACK, "checkpoint"},
        {"another log's key", checkpoint_other_key, REASON_CHECKPOINT, "checkpoint"},
        {"history exchanged", checkpoint_fork, REASON_FORK, "checkpoint"},
        {"two roots of a size", checkpoint_same_size_other_root, REASON_FORK, "checkpoint"},
        {"no checkpoint at all", checkpoint_junk, REASON_CHECKPOINT, "checkpoint"},
        {"list changed", list_flip, REASON_LIST, "lists/0.cwt"},
        {"list under the record key", list_other_key, REASON_LIST, "lists/0.cwt"},
        {"another list's token", list_other_number, REASON_MIXED, "lists/0.cwt"},
        {"an older list", list_old, REASON_ROLLBACK, "lists/0.cwt"},
        {"two lists of a sequence", list_twice, REASON_FORK, "lists/0.cwt"},
        {"a list of the future", list_ahead, REASON_AHEAD, "lists/0.cwt"},
        {"a revocation undone", list_reinstated, REASON_REINSTATED, "lists/0.cwt"},
        {"a replacement undone", list_replaced_again_valid, REASON_REINSTATED, "lists/0.cwt"},
        {"a list that vanished", list_gone, REASON_ROLLBACK, "lists/0.cwt"},
        {"a list that inflates without end", list_bomb, REASON_ENDLESS, "lists/0.cwt"},
        {"a list that is too short", list_short, REASON_LIST, "lists/0.cwt"},
        {"an endless list", list_endless, REASON_ENDLESS, "lists/0.cwt"},
        {"CRL changed", crl_flip, REASON_CRL, "crl/0.crl"},
        {"another list's CRL", crl_other_list, REASON_MIXED, "crl/0.crl"},
        {"an older CRL", crl_old, REASON_ROLLBACK, "crl/0.crl"},
        {"a CRL of the future", crl_ahead, REASON_AHEAD, "crl/0.crl"},
        {"a CRL that vanished", crl_gone, REASON_ROLLBACK, "crl/0.crl"},
};

static void
attack_run(size_t i)
{
	void *state = NULL;
	struct fixture *f = NULL;
	uint8_t *before = NULL, *after = NULL;
	size_t before_n = 0, after_n = 0;

	fixture_make(&state);
	f = state;
	run(f);
	assert_int_equal(f->r.end, SYNC_DONE);
	if (attacks[i].held != NULL)
		assert_int_equal(
		        state_read(f->dir, attacks[i].held, TOKEN_BYTES_MAX, &before, &before_n),
		        ERR_OK);
	f->o.now = WORLD_NOW + STEP;
	publish(f, f->o.now, 10);
	attacks[i].spoil(f);
	run(f);
	if (f->r.end != (attacks[i].want == REASON_NONE ? SYNC_DONE : SYNC_ATTACK) ||
	        f->r.reason != attacks[i].want)
		fail_msg("%s: end %d, reason %s, at %s", attacks[i].what, (int)f->r.end,
		        reason_word(f->r.reason), f->r.file);
	if (attacks[i].held != NULL) {
		assert_int_equal(
		        state_read(f->dir, attacks[i].held, TOKEN_BYTES_MAX, &after, &after_n),
		        ERR_OK);
		assert_true(bytes_equal(bytes_of(before, before_n), bytes_of(after, after_n)));
	}
	free(before);
	free(after);
	fixture_free(&state);
}

static void
each_attack_is_named_and_replaces_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof attacks / sizeof attacks[0]; i++)
		attack_run(i);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(each_attack_is_named_and_replaces_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
