/* test_sync_forged.c - attacks by who can sign: with a key of the authority, with a stolen or
 * another one. The numbers are those of the ten attacks in The Update Framework's specification,
 * section 1.5.2. */
#include "sync_attack.h"

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
	list_log(f, 0);
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

/* What list 0 says is changed, signed by the authority's own key and logged. */
static void
list_says(struct fixture *f, uint32_t idx, enum status s)
{
	status_set(f->w->raw, idx, s);
	list_serve(f, 0, f->p.at, &f->p.rows[0]);
	list_log(f, 0);
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
	list_log(f, 0);
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
	list_log(f, 0);
	f->p.no_delta = true;
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

/* Whoever stole the status key and the web server, but not the log: head and table name a list that
 * this key signed, and the log's own checkpoint. */
static void
list_unlogged(struct fixture *f)
{
	status_set(f->w->raw, 5, STATUS_VALID); /* hides what was decided last */
	list_serve(f, 0, f->p.at, &f->p.rows[0]);
	f->p.delta.count = 0;
	changes_fill(f, &f->p.delta);
}

static void
list_unlogged_in_full(struct fixture *f)
{
	list_unlogged(f);
	f->p.no_delta = true;
}

/* The same under a version that the log does not know. */
static void
list_unknown_version(struct fixture *f)
{
	status_set(f->w->raw, 5, STATUS_VALID);
	list_serve(f, 0, f->p.at + 1, &f->p.rows[0]);
	f->p.no_delta = true;
}

static void
proof_path(const struct fixture *f, char path[64], unsigned list)
{
	snprintf(path, 64, "/status/version/%u-%llu.tlog-proof", list,
	        (unsigned long long)f->p.rows[list].sequence);
}

/* A proof may not say what it likes: an entry that fits, but is not in the tree. */
static void
list_with_a_made_up_entry(struct fixture *f)
{
	struct merkle_hash leaf = f->w->leaves[f->log_size - LISTS];

	list_unlogged_in_full(f);
	list_log(f, 0);
	f->w->leaves[f->log_size - LISTS] = leaf; /* the log has the honest one */
	checkpoint_serve(f, f->w->log, f->log_size, f->log_size);
	f->p.head.root = world_root(f->w, f->log_size);
}

/* The entry of another list, and of the list's version before. */
static void
proof_of_another_list(struct fixture *f)
{
	char path[64];
	const struct served *other;

	proof_path(f, path, 1);
	other = served_find(f, path);
	proof_path(f, path, 0);
	serve(f, path, bytes_of(other->bytes, other->n));
}

static void
proof_of_an_older_version(struct fixture *f)
{
	char path[64];
	const struct served *old = served_find(f, "/status/version/0-1792224000.tlog-proof");

	proof_path(f, path, 0);
	serve(f, path, bytes_of(old->bytes, old->n));
}

static void
proof_of_a_place_outside(struct fixture *f)
{
	char path[64];
	struct served *s;

	proof_path(f, path, 0);
	s = served_find(f, path);
	/* index 8 becomes 9, then a place beyond the tree */
	for (size_t i = 0; i + 7 < s->n; i++)
		if (memcmp(s->bytes + i, "\nindex 8", 8) == 0)
			s->bytes[i + 7] = '9';
}

static void
proof_gone(struct fixture *f)
{
	char path[64];

	proof_path(f, path, 0);
	serve_not(f, path);
}

static void
proof_junk(struct fixture *f)
{
	char path[64];

	proof_path(f, path, 0);
	serve(f, path, BYTES_LIT("<html>Please log in</html>"));
}

static void
proof_endless(struct fixture *f)
{
	char path[64];

	proof_path(f, path, 0);
	endless(f, path, PROOF_TEXT_BYTES_MAX + 1);
}

/* A logged list of long ago in a fresh head, before who knows no later one. */
static void
list_aged(struct fixture *f)
{
	f->list_age = LIST_RENEWED_S_MAX;
	list_log(f, 0);
	f->list_age = 0;
}

static void
list_aged_less(struct fixture *f)
{
	f->list_age = LIST_RENEWED_S_MAX - 1;
	list_log(f, 0);
	f->list_age = 0;
}

/* The head's own place: a size and root that the log never signed. */
static void
tree_made_up(struct fixture *f)
{
	struct key *other = NULL;

	list_unlogged_in_full(f);
	list_log(f, 0);
	assert_int_equal(key_generate(KEY_ED25519, &other), ERR_OK);
	checkpoint_serve(f, other, f->log_size, f->log_size);
	key_free(other);
}

static const struct attack attacks[] = {
        /* 1 arbitrary software */
        {"a head under the record key", key_record, nothing, REASON_HEAD, false},
        {"a head under a stranger's key", key_stranger, nothing, REASON_HEAD, false},
        {"a list under the record key", list_other_key, nothing, REASON_LIST, false},
        /* 2 endless data */
        {"a list that inflates without end", list_bomb, nothing, REASON_ENDLESS, false},
        {"a list that is too short", list_short, nothing, REASON_LIST, false},
        /* 3 extraneous dependencies */
        {"a list that the head does not count", one_list_too_many, nothing, REASON_MIXED, false},
        /* 4 fast-forward */
        {"a sequence of the future", ahead, nothing, REASON_AHEAD, false},
        {"the highest sequence there is", far_ahead, nothing, REASON_AHEAD, false},
        {"a head of the future", time_ahead, nothing, REASON_AHEAD, false},
        {"a manifest of the future", manifest_ahead, nothing, REASON_AHEAD, true},
        /* 5 indefinite freeze; test_sync.c has the very same head after its expiry */
        {"a head past its expiry", expired, nothing, REASON_FREEZE, false},
        /* 6 a malicious mirror */
        {"a mirror that holds the manifest back", manifest_held_back, nothing, REASON_ROLLBACK,
                false},
        /* 7 mix and match */
        {"a raw list of another hash", raw_other, nothing, REASON_MIXED, false},
        /* 8 rollback */
        {"an older head", sequence_old, nothing, REASON_ROLLBACK, false},
        {"two heads of a sequence", sequence_same, nothing, REASON_FORK, false},
        {"fewer lists", fewer_lists, nothing, REASON_ROLLBACK, false},
        {"an older list in a newer head", row_old, nothing, REASON_ROLLBACK, false},
        {"two lists of a sequence", row_twice, nothing, REASON_FORK, false},
        {"a revocation undone by delta", reinstated, nothing, REASON_REINSTATED, false},
        {"a revocation undone by list", reinstated_in_the_list, nothing, REASON_REINSTATED, false},
        {"a replacement undone", replaced_again_valid, nothing, REASON_REINSTATED, false},
        {"an older manifest", manifest_old, nothing, REASON_ROLLBACK, true},
        {"two manifests of a version", manifest_twice, nothing, REASON_FORK, true},
        /* 9 vulnerability to key compromise */
        {"a head under a key that was replaced", key_replaced, nothing, REASON_HEAD, false},
        {"a head above the size where its key was cut", key_cut_off, nothing, REASON_HEAD, true},
        {"a list under the stolen status key that is not logged", list_unlogged, nothing,
                REASON_UNLOGGED, true},
        {"the same without a delta", list_unlogged_in_full, nothing, REASON_UNLOGGED, true},
        {"a version that the log does not know", list_unknown_version, nothing, REASON_UNLOGGED,
                true},
        {"an entry made up for it", list_with_a_made_up_entry, nothing, REASON_UNLOGGED, true},
        {"a tree made up for it", tree_made_up, nothing, REASON_CHECKPOINT, true},
        {"the entry of another list", proof_of_another_list, nothing, REASON_UNLOGGED, false},
        {"the entry of an older version", proof_of_an_older_version, nothing, REASON_UNLOGGED,
                false},
        {"an entry at another place", proof_of_a_place_outside, nothing, REASON_UNLOGGED, false},
        {"no proof of a list", proof_gone, nothing, REASON_UNLOGGED, false},
        {"a page in place of a proof", proof_junk, nothing, REASON_UNLOGGED, false},
        {"a proof without end", proof_endless, nothing, REASON_ENDLESS, false},
        {"a list of long ago in a new head", list_aged, nothing, REASON_FREEZE, false},
        {"negative control: a list that is a second younger", list_aged_less, nothing, REASON_NONE,
                false},
        /* 10 wrong software */
        {"another authority's head", other_authority, nothing, REASON_HEAD, false},
        /* the log and the CRL */
        {"a smaller log", tree_smaller, nothing, REASON_ROLLBACK, false},
        {"history exchanged", tree_forked, nothing, REASON_FORK, true},
        {"two roots of a size", tree_same_size_other_root, nothing, REASON_FORK, true},
        {"head and checkpoint of two roots", root_other, nothing, REASON_FORK, false},
};

static void
each_attack_is_named_replaces_nothing_and_leaves_a_state_that_goes_on(void **state)
{
	(void)state;
	attacks_run(attacks, sizeof attacks / sizeof attacks[0]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(
	                each_attack_is_named_replaces_nothing_and_leaves_a_state_that_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
