/* test_sync_attack.c - each attack on zz-verify sync is named, and nothing bad replaces what is
 * held: the ten of The Update Framework (section 1.5.2 of its specification), by name, and those
 * on log and CRL. */
#include "sync_fixture.h"

/* attacks on what is served: after a second, honest publication was signed */

static void
flip(struct fixture *f, const char *path)
{
	struct served *s = served_find(f, path);

	assert_non_null(s);
	s->bytes[s->n - 1] ^= 1;
}

static void
endless(struct fixture *f, const char *path, size_t n)
{
	uint8_t *much = calloc(1, n);

	serve(f, path, bytes_of(much, n));
	free(much);
}

static void
named(const struct fixture *f, char out[64], const char *format)
{
	snprintf(out, 64, format, (unsigned long long)f->p.head.sequence);
}

static void
nothing(struct fixture *f)
{
	(void)f;
}

static void
head_flip(struct fixture *f)
{
	flip(f, "/status/head.cwt");
}

static void
head_portal(struct fixture *f)
{
	serve(f, "/status/head.cwt", BYTES_LIT("<html>Please log in</html>"));
}

static void
head_endless(struct fixture *f)
{
	endless(f, "/status/head.cwt", HEAD_BYTES_MAX + 1);
}

static void
head_gone(struct fixture *f)
{
	serve_not(f, "/status/head.cwt");
}

static void
table_endless(struct fixture *f)
{
	char path[64];

	named(f, path, "/status/table/%llu.cwt");
	endless(f, path, TABLE_BYTES_MAX + 1);
}

/* The table of the publication before, under the new one's name. */
static void
table_old(struct fixture *f)
{
	char path[64];
	const struct served *old = served_find(f, "/status/table/1792224000.cwt");

	named(f, path, "/status/table/%llu.cwt");
	serve(f, path, bytes_of(old->bytes, old->n));
}

static void
list_endless(struct fixture *f)
{
	char path[64];

	named(f, path, "/status/version/0-%llu.cwt");
	endless(f, path, TOKEN_BYTES_MAX + 1);
}

static void
list_flip(struct fixture *f)
{
	char path[64];

	named(f, path, "/status/version/0-%llu.cwt");
	flip(f, path);
}

/* Signed by the authority, but another file than the one that is named. */
static void
list_of(struct fixture *f, const char *other)
{
	char path[64];
	const struct served *s = served_find(f, other);

	assert_non_null(s);
	named(f, path, "/status/version/0-%llu.cwt");
	serve(f, path, bytes_of(s->bytes, s->n));
}

static void
list_old(struct fixture *f)
{
	list_of(f, "/status/version/0-1792224000.cwt");
}

static void
list_other_number(struct fixture *f)
{
	list_of(f, "/status/version/1-1792225000.cwt");
}

static void
delta_endless(struct fixture *f)
{
	char path[64];

	snprintf(path, sizeof path, "/status/delta/%llu-%llu.cwt",
	        (unsigned long long)f->p.delta.base, (unsigned long long)f->p.head.sequence);
	endless(f, path, DELTA_BYTES_MAX + 1);
}

static void
checkpoint_other_key(struct fixture *f)
{
	struct key *other = NULL;

	assert_int_equal(key_generate(KEY_ED25519, &other), ERR_OK);
	checkpoint_serve(f, other, 10, 10);
	key_free(other);
}

static void
checkpoint_of_another_size(struct fixture *f)
{
	checkpoint_serve(f, f->w->log, 9, 10);
}

static void
checkpoint_junk(struct fixture *f)
{
	serve(f, "/log/checkpoints/10", BYTES_LIT("zz\n"));
}

static void
crl_flip(struct fixture *f)
{
	flip(f, "/crl/0.crl");
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

/* attacks with a key of the authority, or another: before the publication is signed */

static void
key_record(struct fixture *f)
{
	f->p.key = f->w->record;
}

static void
key_stranger(struct fixture *f)
{
	f->p.key = f->w->stranger;
}

static void
ahead(struct fixture *f)
{
	f->p.head.sequence = (uint64_t)f->o.now + SEQUENCE_AHEAD_S_MAX + 1;
	f->p.delta.sequence = f->p.head.sequence;
}

static void
far_ahead(struct fixture *f)
{
	f->p.head.sequence = f->p.delta.sequence = 253402300799;
}

static void
time_ahead(struct fixture *f)
{
	f->p.head.iat = f->o.now + SEQUENCE_AHEAD_S_MAX + 1;
}

static void
sequence_old(struct fixture *f)
{
	f->p.head.sequence = WORLD_NOW - 1;
	f->p.no_delta = true;
}

static void
sequence_same(struct fixture *f)
{
	f->p.head.sequence = WORLD_NOW;
	f->p.no_delta = true;
}

static void
expired(struct fixture *f)
{
	f->p.head.iat = WORLD_NOW - 10;
	f->p.head.exp = f->o.now;
}

static void
fewer_lists(struct fixture *f)
{
	f->p.head.list_count = f->p.table.count = LISTS - 1;
}

static void
one_list_too_many(struct fixture *f)
{
	f->p.rows[LISTS] = f->p.rows[1];
	f->p.table.count = LISTS + 1;
}

static void
row_old(struct fixture *f)
{
	f->p.rows[0].sequence = WORLD_NOW - 1;
}

static void
row_twice(struct fixture *f)
{
	f->p.rows[0].sequence = WORLD_NOW;
}

static void
raw_other(struct fixture *f)
{
	f->p.rows[0].raw_sha256[0] ^= 1;
}

static void
other_authority(struct fixture *f)
{
	f->p.head.iss = f->p.table.iss = BYTES_LIT("other.example");
}

static void
tree_smaller(struct fixture *f)
{
	f->p.head.tree_size = 2;
	f->p.head.root = world_root(f->w, 2);
	checkpoint_serve(f, f->w->log, 2, 2);
}

static void
tree_forked(struct fixture *f)
{
	f->w->leaves[1].b[0] ^= 1; /* an entry that is held was exchanged */
	f->p.head.root = world_root(f->w, 10);
	checkpoint_serve(f, f->w->log, 10, 10);
}

static void
tree_same_size_other_root(struct fixture *f)
{
	f->w->leaves[1].b[0] ^= 1;
	f->p.head.tree_size = 3;
	f->p.head.root = world_root(f->w, 3);
	checkpoint_serve(f, f->w->log, 3, 3);
}

static void
root_other(struct fixture *f)
{
	f->p.head.root.b[0] ^= 1;
}

/* What list 0 says is changed and signed by the authority's own key. */
static void
list_says(struct fixture *f, uint32_t idx, enum status s)
{
	status_set(f->w->raw, idx, s);
	list_serve(f, 0, f->p.at, &f->p.rows[0]);
	f->p.delta.count = 0;
	changes_fill(f, &f->p.delta);
}

static void
reinstated(struct fixture *f)
{
	list_says(f, 77, STATUS_VALID);
}

static void
reinstated_in_the_list(struct fixture *f)
{
	list_says(f, 77, STATUS_VALID);
	f->p.no_delta = true;
}

static void
replaced_again_valid(struct fixture *f)
{
	list_says(f, 78, STATUS_VALID);
}

/* A token of another size than a list, properly signed and named. */
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
	PATH(path, "/status/version/0-%lld.cwt", (long long)f->o.now);

	assert_int_equal(status_deflate(bytes_of(raw, n), &stream), ERR_OK);
	t.lst = buf_bytes(&stream);
	assert_int_equal(status_cwt_sign(&t, f->w->status, &token), ERR_OK);
	serve(f, path, buf_bytes(&token));
	sha256_one(buf_bytes(&token), f->p.rows[0].cwt_sha256);
	f->p.no_delta = true;
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
list_other_key(struct fixture *f)
{
	uint8_t room[8192];
	struct buf token = BUF_OF(room);
	PATH(path, "/status/version/0-%lld.cwt", (long long)f->p.at);

	world_list(f->w, f->w->record, 0, f->p.at, &token);
	serve(f, path, buf_bytes(&token));
	sha256_one(buf_bytes(&token), f->p.rows[0].cwt_sha256);
	f->p.no_delta = true;
}

static void
no_delta(struct fixture *f)
{
	f->p.no_delta = true;
}

/* A new manifest, and a head that names it. */
static void
manifest_new(struct fixture *f, uint64_t version, int64_t iat)
{
	world_manifest(f->w, version, iat);
	serve(f, "/manifest.cose", f->w->manifest_bytes);
	f->p.head.manifest_version = version;
	memcpy(f->p.head.manifest_sha256, f->w->m.sha256, SHA256_BYTES);
}

static void
manifest_honest(struct fixture *f)
{
	manifest_new(f, 4, WORLD_NOW);
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
manifest_endless(struct fixture *f)
{
	endless(f, "/manifest.cose", MANIFEST_BYTES_MAX + 1);
}

static void
manifest_old(struct fixture *f)
{
	manifest_new(f, 2, WORLD_NOW);
}

static void
manifest_twice(struct fixture *f)
{
	manifest_new(f, 3, WORLD_NOW + 1);
}

static void
manifest_ahead(struct fixture *f)
{
	manifest_new(f, 4, f->o.now + SEQUENCE_AHEAD_S_MAX + 1);
}

static void
manifest_held_back(struct fixture *f)
{
	f->p.head.manifest_version = 4;
}

/* The status key was stolen. The new manifest names another; a head under the old one is served
 * together with it. */
static void
key_replaced(struct fixture *f)
{
	const struct key *stolen = f->w->status;
	struct key *other = NULL;

	assert_int_equal(key_generate(KEY_ES256, &other), ERR_OK);
	key_free(f->w->late); /* world_free frees what stands here */
	f->w->late = f->w->status;
	f->w->status = other;
	manifest_new(f, 4, WORLD_NOW);
	f->p.key = stolen;
}

/* The key was cut off at a size: what it signs above that is not believed. */
static void
key_cut_off(struct fixture *f)
{
	f->w->status_last_size = 5;
	manifest_new(f, 4, WORLD_NOW);
}

static const struct {
	const char *what;
	void (*before)(struct fixture *f), (*after)(struct fixture *f);
	enum verdict_reason want; /* REASON_NONE: no attack */
} attacks[] = {
        {"control: nothing spoiled", nothing, nothing, REASON_NONE},
        {"control: without a delta", no_delta, nothing, REASON_NONE},
        {"control: with a new manifest", manifest_honest, nothing, REASON_NONE},
        /* 1 arbitrary software */
        {"a head under the record key", key_record, nothing, REASON_HEAD},
        {"a head under a stranger's key", key_stranger, nothing, REASON_HEAD},
        {"a head that was changed", nothing, head_flip, REASON_HEAD},
        {"a portal's page for a head", nothing, head_portal, REASON_HEAD},
        {"a list that was changed", no_delta, list_flip, REASON_LIST},
        {"a list under the record key", list_other_key, nothing, REASON_LIST},
        {"a manifest that was changed", manifest_honest, manifest_flip, REASON_MANIFEST},
        {"a portal's page for a manifest", manifest_honest, manifest_portal, REASON_MANIFEST},
        /* 2 endless data */
        {"an endless head", nothing, head_endless, REASON_ENDLESS},
        {"an endless table", nothing, table_endless, REASON_ENDLESS},
        {"an endless delta", nothing, delta_endless, REASON_ENDLESS},
        {"an endless list", no_delta, list_endless, REASON_ENDLESS},
        {"a list that inflates without end", list_bomb, nothing, REASON_ENDLESS},
        {"a list that is too short", list_short, nothing, REASON_LIST},
        {"an endless manifest", manifest_honest, manifest_endless, REASON_ENDLESS},
        /* 3 extraneous dependencies */
        {"a list that the head does not count", one_list_too_many, nothing, REASON_MIXED},
        /* 4 fast-forward */
        {"a sequence of the future", ahead, nothing, REASON_AHEAD},
        {"the highest sequence there is", far_ahead, nothing, REASON_AHEAD},
        {"a head of the future", time_ahead, nothing, REASON_AHEAD},
        {"a manifest of the future", manifest_ahead, nothing, REASON_AHEAD},
        /* 5 indefinite freeze; test_sync.c has the very same head after its expiry */
        {"a head past its expiry", expired, nothing, REASON_FREEZE},
        /* 6 a malicious mirror */
        {"a mirror without a head", nothing, head_gone, REASON_NO_HEAD},
        {"a mirror that holds the manifest back", manifest_held_back, nothing, REASON_ROLLBACK},
        {"a CRL that vanished", nothing, crl_gone, REASON_ROLLBACK},
        /* 7 mix and match */
        {"the table of the publication before", nothing, table_old, REASON_MIXED},
        {"the list of the publication before", no_delta, list_old, REASON_MIXED},
        {"a raw list of another hash", raw_other, nothing, REASON_MIXED},
        {"a checkpoint of another size", nothing, checkpoint_of_another_size, REASON_MIXED},
        {"another list's CRL", nothing, crl_other_list, REASON_MIXED},
        /* 8 rollback */
        {"an older head", sequence_old, nothing, REASON_ROLLBACK},
        {"two heads of a sequence", sequence_same, nothing, REASON_FORK},
        {"fewer lists", fewer_lists, nothing, REASON_ROLLBACK},
        {"an older list in a newer head", row_old, nothing, REASON_ROLLBACK},
        {"two lists of a sequence", row_twice, nothing, REASON_FORK},
        {"a revocation undone by delta", reinstated, nothing, REASON_REINSTATED},
        {"a revocation undone by list", reinstated_in_the_list, nothing, REASON_REINSTATED},
        {"a replacement undone", replaced_again_valid, nothing, REASON_REINSTATED},
        {"an older manifest", manifest_old, nothing, REASON_ROLLBACK},
        {"two manifests of a version", manifest_twice, nothing, REASON_FORK},
        {"an older CRL", nothing, crl_old, REASON_ROLLBACK},
        /* 9 vulnerability to key compromise */
        {"a head under a key that was replaced", key_replaced, nothing, REASON_HEAD},
        {"a head above the size where its key was cut", key_cut_off, nothing, REASON_HEAD},
        /* 10 wrong software */
        {"another list's token", no_delta, list_other_number, REASON_MIXED},
        {"another authority's head", other_authority, nothing, REASON_HEAD},
        /* the log and the CRL */
        {"a smaller log", tree_smaller, nothing, REASON_ROLLBACK},
        {"another log's key", nothing, checkpoint_other_key, REASON_CHECKPOINT},
        {"history exchanged", tree_forked, nothing, REASON_FORK},
        {"two roots of a size", tree_same_size_other_root, nothing, REASON_FORK},
        {"head and checkpoint of two roots", root_other, nothing, REASON_FORK},
        {"no checkpoint at all", nothing, checkpoint_junk, REASON_CHECKPOINT},
        {"CRL changed", nothing, crl_flip, REASON_CRL},
        {"a CRL of the future", nothing, crl_ahead, REASON_AHEAD},
};

static void
held_read(const struct fixture *f, uint8_t **head, size_t *n)
{
	assert_int_equal(state_read(f->dir, "head.cwt", HEAD_BYTES_MAX, head, n), ERR_OK);
}

static void
attack_run(size_t i)
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
	attacks[i].before(f);
	publish_end(f);
	attacks[i].after(f);
	run(f);
	if (f->r.end != (attacks[i].want == REASON_NONE ? SYNC_DONE : SYNC_ATTACK) ||
	        f->r.reason != attacks[i].want)
		fail_msg("%s: end %d, reason %s, at %s", attacks[i].what, (int)f->r.end,
		        reason_word(f->r.reason), f->r.file);
	held_read(f, &after, &after_n);
	assert_true(bytes_equal(bytes_of(before, before_n), bytes_of(after, after_n)) ==
	            (attacks[i].want != REASON_NONE));
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

/* What is held after an attack still takes the next honest publication. */
static void
after_each_attack_an_honest_publication_is_taken(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof attacks / sizeof attacks[0]; i++) {
		void *made = NULL;
		struct fixture *f = NULL;

		/* what these did to the world is no longer honest */
		if (attacks[i].before == tree_forked ||
		        attacks[i].before == tree_same_size_other_root ||
		        attacks[i].before == manifest_old || attacks[i].before == manifest_twice ||
		        attacks[i].before == key_cut_off || attacks[i].before == manifest_ahead)
			continue;
		fixture_make(&made);
		f = made;
		expect(f, SYNC_DONE, REASON_NONE);
		f->o.now = WORLD_NOW + STEP;
		status_set(f->w->raw, 5, STATUS_INVALID);
		publish_begin(f, f->o.now, 10);
		attacks[i].before(f);
		publish_end(f);
		attacks[i].after(f);
		run(f);
		status_set(f->w->raw, 77, STATUS_INVALID);
		status_set(f->w->raw, 78, STATUS_SUPERSEDED);
		f->sequence = 0;
		publish(f, f->o.now + 1, 11);
		run(f);
		if (f->r.end != SYNC_DONE)
			fail_msg("after %s: end %d, reason %s, at %s", attacks[i].what,
			        (int)f->r.end, reason_word(f->r.reason), f->r.file);
		fixture_free(&made);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(each_attack_is_named_and_replaces_nothing),
	        cmocka_unit_test(after_each_attack_an_honest_publication_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
