/* test_authority_publish.c - LIST, CRL, CHECKPOINT: the publisher names a list or a size and gets
 * what the log folds to, never a step back; and INIT, MANIFEST, ROSTER: only what the root signed,
 * in force when the log has it. */
#include "authority_world.h"

static struct world *w;

static int
make(void **state)
{
	(void)state;
	w = world_new();
	return 0;
}

static int
make_started(void **state)
{
	make(state);
	world_start(w);
	return 0;
}

static int
unmake(void **state)
{
	(void)state;
	world_delete(w);
	return 0;
}

/* Revokes the first certificate of the rows. */
static void
revoke_first(const struct rows *certs)
{
	const struct bytes record = certs->rows[0].e.record;
	struct bytes jws = world_revoke(w, WANG, &record, 1), approval = world_approve(w, LI, jws);
	struct signed_entry entry = {0};
	struct rows r;

	assert_int_equal(ask_order(w, jws, &approval, 1, &record, 1, &r), ERR_OK);
	assert_int_equal(rows_entries(&r, &entry), 1);
	world_extend(w, &entry, 1);
}

static struct record
record_of(const struct row *row)
{
	struct cose_sign1 m;
	struct record r;

	assert_int_equal(record_open(row->e.record, false, &m, &r), ERR_OK);
	return r;
}

/* ---- lists ---- */

/* Token, JWT and entry 3 of a version, and the bits in it. */
static void
list_check(const struct list_answer *l, struct bytes previous, const struct record *revoked)
{
	uint8_t *raw = malloc(LIST_BYTES), hash[SHA256_BYTES];
	struct status_token t;
	struct cose_sign1 m;
	struct entry e;
	size_t set = 0;

	assert_true(l->list == 0 && l->sequence == (uint64_t)w->now);
	assert_int_equal(status_cwt_decode(l->cwt, &m, &t), ERR_OK);
	assert_int_equal(cose_verify(&m, w->status, STATUS_CWT_TYPE), ERR_OK);
	assert_true(bytes_equal_text(t.uri, "https://" HOST "/status/0"));
	assert_true(t.iat == w->now && t.exp == w->now + LIST_LIFETIME_S && t.ttl == LIST_TTL_S);
	assert_true(t.sequence == l->sequence);
	assert_true(bytes_equal(bytes_of(t.previous, SHA256_BYTES), previous));
	assert_int_equal(status_inflate(t.lst, raw, LIST_BYTES), ERR_OK);
	for (size_t i = 0; i < LIST_BYTES; i++)
		set += raw[i] != 0;
	assert_int_equal(set, revoked == NULL ? 0 : 1);
	if (revoked != NULL)
		assert_int_equal(status_get(raw, revoked->idx), STATUS_INVALID);
	assert_int_equal(entry_decode(l->e.entry, &e), ERR_OK);
	assert_true(e.type == ENTRY_LIST && e.list == 0 && e.sequence == l->sequence);
	sha256_one(bytes_of(raw, LIST_BYTES), hash);
	assert_memory_equal(e.raw_sha256, hash, SHA256_BYTES);
	sha256_one(l->cwt, hash);
	assert_memory_equal(e.cwt_sha256, hash, SHA256_BYTES);
	sha256_one(l->jwt, hash);
	assert_memory_equal(e.jwt_sha256, hash, SHA256_BYTES);
	assert_true(bytes_equal(bytes_of(e.previous_sha256, SHA256_BYTES), previous));
	assert_true(e.tree_size == w->size && e.this_update == w->now);
	assert_int_equal(e.next_update, w->now + LIST_LIFETIME_S);
	free(raw);
}

static void
lists_say_what_the_log_folds_to_and_chain(void **state)
{
	static const uint8_t zero[SHA256_BYTES];
	uint8_t first_hash[SHA256_BYTES];
	struct list_answer first, second, third;
	struct rows certs;
	struct record revoked;

	(void)state;
	assert_int_equal(ask_list(w, 0, &first), ERR_NOT_FOUND); /* nothing stands on it */
	certs = world_issue(w, 1, 3);
	revoked = record_of(&certs.rows[0]);
	assert_true(state_of(w).dirty);
	w->now++;
	assert_int_equal(ask_list(w, 0, &first), ERR_OK);
	list_check(&first, bytes_of(zero, SHA256_BYTES), NULL);
	assert_int_equal(ask_list(w, 1, &second), ERR_NOT_FOUND);
	world_extend(w, &first.e, 1);
	assert_false(state_of(w).dirty);
	assert_int_equal(state_of(w).sequence, first.sequence);
	sha256_one(first.cwt, first_hash);
	/* two versions in one second cannot be */
	assert_int_equal(ask_list(w, 0, &second), ERR_VERSION);
	w->now++;
	revoke_first(&certs);
	assert_true(state_of(w).dirty);
	assert_int_equal(ask_list(w, 0, &second), ERR_OK);
	list_check(&second, bytes_of(first_hash, SHA256_BYTES), &revoked);
	/* one that never gets into the log is nobody's previous */
	w->now++;
	assert_int_equal(ask_list(w, 0, &third), ERR_OK);
	list_check(&third, bytes_of(first_hash, SHA256_BYTES), &revoked);
	world_extend(w, &third.e, 1);
	assert_int_equal(ask_extend(w, w->size, &second.e, 1, NULL), ERR_STALE);
}

static void
the_crl_has_what_is_revoked_with_reason_and_dates(void **state)
{
	struct rows certs = world_issue(w, 1, 2);
	struct record revoked = record_of(&certs.rows[0]), other = record_of(&certs.rows[1]);
	struct bytes ca = world_crl_ca(w), der;
	struct crl_row row;
	struct cbor c;
	bool found = true;

	(void)state;
	assert_int_equal(ask_number(w, authority_crl, 1), ERR_NOT_FOUND);
	assert_int_equal(ask_number(w, authority_crl, 0), ERR_OK);
	w->now += 10;
	revoke_first(&certs);
	w->now++;
	assert_int_equal(ask_number(w, authority_crl, 0), ERR_OK);
	c = cbor_init(buf_bytes(&w->out));
	cbor_array_exact(&c, 3);
	assert_true(cbor_uint(&c) == 0);
	assert_true(cbor_uint(&c) == (uint64_t)w->now);
	der = keep(w, cbor_bytes(&c));
	assert_int_equal(cbor_end(&c), ERR_OK);
	assert_int_equal(crl_find(der, ca, other.cti.p, &found, &row), ERR_OK);
	assert_false(found);
	assert_int_equal(crl_find(der, ca, revoked.cti.p, &found, &row), ERR_OK);
	assert_true(found && row.reason == 9 && row.revoked_at == NOW + 10);
	assert_int_equal(row.invalid_from, date_from_civil(2026, 10, 17));
}

/* ---- checkpoints ---- */

static void
a_checkpoint_is_of_a_size_that_the_log_had(void **state)
{
	struct bytes note, receipt;
	struct checkpoint p;
	struct receipt r;
	struct state_answer t;

	(void)state;
	world_issue(w, 1, 4); /* 3 and 7; never 4 to 6 */
	t = state_of(w);
	assert_int_equal(ask_checkpoint(w, 0, &note, &receipt), ERR_VALUE); /* the empty log */
	for (uint64_t size = 1; size < 10; size++)
		if (size != 3 && size != 7)
			assert_int_equal(ask_checkpoint(w, size, &note, &receipt), ERR_SIZE);
	assert_int_equal(ask_checkpoint(w, UINT64_MAX, &note, &receipt), ERR_SIZE);
	assert_int_equal(ask_checkpoint(w, 7, &note, &receipt), ERR_OK);
	assert_int_equal(checkpoint_decode(note, &p), ERR_OK);
	assert_int_equal(checkpoint_verify(&p, BYTES_LIT(ORIGIN), w->log), ERR_OK);
	assert_true(p.size == 7 && bytes_equal_text(p.origin, ORIGIN));
	assert_memory_equal(p.root.b, t.root.b, SHA256_BYTES);
	assert_int_equal(receipt_head_decode(receipt, &r), ERR_OK);
	assert_int_equal(receipt_head_verify(&r, w->log, BYTES_LIT(ORIGIN), &t.root), ERR_OK);
	assert_true(r.size == 7 && r.time == t.time);
}

static void
no_checkpoint_falls_back(void **state)
{
	struct bytes old, note, again, receipt;
	struct state_answer t;

	(void)state;
	assert_int_equal(ask_checkpoint(w, 3, &old, &receipt), ERR_OK);
	world_issue(w, 1, 1);
	assert_int_equal(ask_checkpoint(w, 3, &again, &receipt), ERR_OK); /* not below any yet */
	assert_true(bytes_equal(old, again));
	assert_int_equal(ask_checkpoint(w, 4, &note, &receipt), ERR_OK);
	assert_int_equal(ask_checkpoint(w, 3, &again, &receipt), ERR_SIZE);
	assert_int_equal(ask_checkpoint(w, 4, &again, &receipt), ERR_OK);
	assert_true(bytes_equal(note, again));
	/* a publisher that was stopped before it wrote the newest shows an older one: no fault, and
	 * still nothing falls back */
	assert_int_equal(ask_state(w, old, &t), ERR_OK);
	assert_int_equal(t.problem, ERR_OK);
	assert_int_equal(ask_checkpoint(w, 3, &again, &receipt), ERR_SIZE);
	assert_int_equal(ask_checkpoint(w, 4, &again, &receipt), ERR_OK);
	/* after a start the publisher's word brings the guard back */
	world_reopen(w);
	assert_int_equal(ask_state(w, note, &t), ERR_OK);
	assert_int_equal(ask_checkpoint(w, 3, &again, &receipt), ERR_SIZE);
	assert_int_equal(ask_checkpoint(w, 4, &again, &receipt), ERR_OK);
}

/* Sizes between the publisher's question and its answer: the last ones are remembered. */
static void
the_last_thousand_sizes_are_remembered(void **state)
{
	struct bytes note, receipt;
	struct signed_entry e = {0};
	struct list_answer list;

	(void)state;
	world_issue(w, 1, 1);
	for (size_t i = 0; i + 1 < AUTHORITY_HEADS; i++) {
		assert_int_equal(ask_roster(w, 2 + i, CAP, &e), ERR_OK);
		assert_int_equal(ask_extend(w, w->size++, &e, 1, NULL), ERR_OK);
	}
	w->now++;
	assert_int_equal(ask_list(w, 0, &list), ERR_OK);
	assert_int_equal(ask_checkpoint(w, 3, &note, &receipt), ERR_SIZE);
	assert_int_equal(ask_checkpoint(w, 4, &note, &receipt), ERR_OK);
	assert_int_equal(ask_checkpoint(w, w->size, &note, &receipt), ERR_OK);
}

static void
bodies_of_another_form_are_refused(void **state)
{
	static const authority_handler handlers[] = {
	        authority_list, authority_crl, authority_checkpoint, authority_recover};
	const struct {
		struct bytes body;
		enum err want;
	} rows[] = {
	        {BYTES_LIT(""), ERR_TRUNCATED},
	        {BYTES_LIT("\x80"), ERR_VALUE},
	        {BYTES_LIT("\x81"), ERR_TRUNCATED},
	        {BYTES_LIT("\x81\x60"), ERR_VALUE},
	        {BYTES_LIT("\x81\x00\x00"), ERR_TRAILING},
	        {BYTES_LIT("\x82\x00\x00"), ERR_VALUE},
	        {BYTES_LIT("\x81\x18\x00"), ERR_ENCODING},
	        {BYTES_LIT("\x00"), ERR_VALUE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof handlers / sizeof handlers[0]; i++)
		for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++)
			assert_int_equal(ask_bytes(w, handlers[i], rows[k].body), rows[k].want);
	assert_int_equal(
	        ask_bytes(w, authority_list, BYTES_LIT("\x81\x1b\0\0\0\1\0\0\0\0")), ERR_LIMIT);
}

/* ---- what the root signs ---- */

static void
a_log_begins_once(void **state)
{
	struct signed_entry a = {0}, b = {0}, c = {0};
	enum err fault;
	struct entry e;

	(void)state;
	assert_int_equal(ask_state(w, BYTES_LIT(""), NULL), ERR_OK);
	assert_int_equal(ask_init(w, &a), ERR_OK);
	w->now++;
	assert_int_equal(ask_init(w, &b), ERR_OK); /* nothing is appended yet */
	world_extend(w, &a, 1);
	assert_int_equal(ask_init(w, &c), ERR_EXISTS);
	/* the second one can be no entry of this log any more */
	assert_int_equal(ask_prepare(w, 1, &b, 1, &fault), ERR_OK);
	assert_int_equal(fault, ERR_NOT_READY);
	assert_int_equal(ask_extend(w, 1, &b, 1, NULL), ERR_NOT_READY);
	/* a log that follows another names its last checkpoint */
	world_delete(w);
	w = world_new();
	cbor_put_text(ask_start(w, 1), BYTES_LIT("old/log\n5\nroot\n"));
	assert_int_equal(ask_admin(w, authority_init, &a), ERR_OK);
	assert_int_equal(entry_decode(a.entry, &e), ERR_OK);
	assert_true(bytes_equal_text(e.last_checkpoint, "old/log\n5\nroot\n"));
}

static void
manifests_of_others_are_refused_by_name(void **state)
{
	struct key *foreign = NULL;
	struct manifest_plan plan = manifest_plan_of(w);
	struct signed_entry e = {0};

	(void)state;
	assert_int_equal(key_generate(KEY_ES256, &foreign), ERR_OK);
	plan.root = foreign;
	assert_int_equal(ask_manifest(w, &plan, 2, &e), ERR_KID_UNKNOWN);
	plan = manifest_plan_of(w);
	plan.host = "other.example";
	assert_int_equal(ask_manifest(w, &plan, 2, &e), ERR_CONFIG);
	assert_non_null(w->detail);
	plan = manifest_plan_of(w);
	plan.record = foreign; /* the signer's own key is missing */
	assert_int_equal(ask_manifest(w, &plan, 2, &e), ERR_CONFIG);
	plan = manifest_plan_of(w);
	plan.not_after++; /* another manifest 1 */
	assert_int_equal(ask_manifest(w, &plan, 1, &e), ERR_VERSION);
	assert_int_equal(ask_manifest(w, &plan, 2, &e), ERR_OK);
	plan.not_after++; /* another manifest 2, though the first waits for its entry */
	assert_int_equal(ask_manifest(w, &plan, 2, &e), ERR_FORK);
	cbor_put_bytes(ask_start(w, 1), BYTES_LIT("no manifest"));
	assert_int_not_equal(ask_admin(w, authority_manifest, &e), ERR_OK);
	key_free(foreign);
}

/* What is handed in waits: it takes force when its entry is appended, for the next request. */
static void
versions_take_force_when_they_are_in_the_log(void **state)
{
	struct bytes jws = world_session(w, 1, 3);
	struct state_answer t;
	struct signed_entry e = {0};

	(void)state;
	assert_int_equal(ask_roster(w, 1, 2, &e), ERR_VERSION); /* another roster 1 */
	assert_int_equal(ask_roster(w, 2, 2, &e), ERR_OK);
	t = state_of(w);
	assert_true(t.roster == 1 && t.roster_held == 2);
	assert_int_equal(ask_issue(w, jws, NULL, 0, NULL), ERR_OK);
	world_extend(w, &e, 1);
	assert_int_equal(state_of(w).roster, 2);
	assert_int_equal(ask_issue(w, jws, NULL, 0, NULL), ERR_CAP);
	/* also after a start */
	world_reopen(w);
	assert_int_equal(ask_state(w, BYTES_LIT(""), &t), ERR_OK);
	assert_int_equal(t.roster, 2);
	assert_int_equal(ask_issue(w, jws, NULL, 0, NULL), ERR_CAP);
	assert_int_equal(ask_roster(w, 1, CAP, &e), ERR_VERSION);
}

/* A signer that lost the file of what is in force says so, and takes the same one back. */
static void
a_roster_or_manifest_that_was_lost_is_brought_back(void **state)
{
	struct manifest_plan plan = manifest_plan_of(w);
	struct bytes jws = world_session(w, 1, 1);
	uint8_t *kept;
	struct signed_entry e = {0};
	struct state_answer t;
	size_t n;

	(void)state;
	kept = folder_get(w->dir, "manifest-1.cose", &n);
	world_close(w);
	folder_unlink(NULL, w->dir, "roster-1.jws");
	folder_unlink(NULL, w->dir, "manifest-1.cose");
	world_open(w);
	assert_int_equal(ask_state(w, BYTES_LIT(""), &t), ERR_OK);
	assert_int_equal(t.problem, ERR_NOT_READY);
	assert_int_equal(ask_issue(w, jws, NULL, 0, NULL), ERR_NOT_READY);
	assert_int_equal(ask_roster(w, 1, CAP + 1, &e), ERR_VERSION); /* another one */
	assert_int_equal(ask_roster(w, 1, CAP, &e), ERR_EXISTS);      /* it is in the log already */
	plan.not_after++;
	assert_int_equal(ask_manifest(w, &plan, 1, &e), ERR_VERSION);
	cbor_put_bytes(ask_start(w, 1), bytes_of(kept, n));
	assert_int_equal(ask_admin(w, authority_manifest, &e), ERR_EXISTS);
	assert_int_equal(ask_issue(w, jws, NULL, 0, NULL), ERR_OK);
	free(kept);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define WITH(make_it, name) cmocka_unit_test_setup_teardown(name, make_it, unmake)
	        WITH(make_started, lists_say_what_the_log_folds_to_and_chain),
	        WITH(make_started, the_crl_has_what_is_revoked_with_reason_and_dates),
	        WITH(make_started, a_checkpoint_is_of_a_size_that_the_log_had),
	        WITH(make_started, no_checkpoint_falls_back),
	        WITH(make_started, the_last_thousand_sizes_are_remembered),
	        WITH(make_started, bodies_of_another_form_are_refused),
	        WITH(make, a_log_begins_once),
	        WITH(make_started, manifests_of_others_are_refused_by_name),
	        WITH(make_started, versions_take_force_when_they_are_in_the_log),
	        WITH(make_started, a_roster_or_manifest_that_was_lost_is_brought_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
