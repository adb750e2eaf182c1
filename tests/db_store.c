/* db_store.c - what is put comes back the same, twice is once, and each look-up finds what it
 * should and no more. */
#include "db_support.h"

#define DATABASE "zz_db_store"

static int
setup(void **state)
{
	(void)state;
	db_fresh(DATABASE);
	return 0;
}

static void
same(struct bytes a, struct bytes b)
{
	assert_true(bytes_equal(a, b));
}

static void
a_request_comes_back_as_it_was_put(void **state)
{
	(void)state;
	struct store *s = db_store(DATABASE, STORE_ISSUER);
	struct db_request m;
	struct store_request r = db_request(&m, 1, "revoke");
	struct store_requests got;
	assert_int_equal(store_request_get(s, r.id, &got), ERR_NOT_FOUND);
	assert_int_equal(store_request_put(s, &r, STATE_WAITING, ""), ERR_OK);
	assert_int_equal(store_request_find(s, r.kid, r.jti, &got), ERR_OK);
	same(got.rows[0].id, r.id);
	same(got.rows[0].kid, r.kid);
	same(got.rows[0].jti, r.jti);
	same(got.rows[0].type, r.type);
	same(got.rows[0].center, r.center);
	same(got.rows[0].sender, r.sender);
	same(got.rows[0].session, r.session);
	same(got.rows[0].jws, r.jws);
	assert_int_equal(got.rows[0].exp, r.exp);
	assert_int_equal(got.rows[0].received_at, r.received_at);
	assert_int_equal(got.rows[0].newest.state, STATE_WAITING);
	assert_int_equal(got.rows[0].newest.at, DB_NOW);
	assert_int_equal(got.rows[0].newest.outcome_count, 0);
	store_result_free(got.owner);
	store_free(s);
}

static void
the_same_request_inserts_once(void **state)
{
	(void)state;
	struct store *s = db_store(DATABASE, STORE_ISSUER);
	struct db_request m, other;
	struct store_request r = db_request(&m, 2, "issue"), o = db_request(&other, 3, "issue");
	assert_int_equal(store_request_put(s, &r, STATE_REFUSED, "seats_invalid"), ERR_OK);
	assert_int_equal(store_request_put(s, &r, STATE_REFUSED, "seats_invalid"), ERR_EXISTS);
	o.kid = r.kid; /* other bytes under the same kid and jti */
	o.jti = r.jti;
	assert_int_equal(store_request_put(s, &o, STATE_WAITING, ""), ERR_EXISTS);
	struct store_requests got;
	assert_int_equal(store_request_get(s, o.id, &got), ERR_NOT_FOUND);
	assert_int_equal(store_request_get(s, r.id, &got), ERR_OK);
	assert_int_equal(got.rows[0].newest.state, STATE_REFUSED);
	same(got.rows[0].newest.code, BYTES_LIT("seats_invalid"));
	store_result_free(got.owner);
	store_free(s);
}

static void
a_waiting_request_ends_once(void **state)
{
	(void)state;
	static const enum store_state ends[] = {
	        STATE_LAPSED, STATE_REJECTED, STATE_WITHDRAWN, STATE_REFUSED};
	struct store *s = db_store(DATABASE, STORE_ISSUER);
	for (unsigned i = 0; i < 4; i++) {
		struct db_request m;
		struct store_request r = db_request(&m, 10 + i, "revoke");
		assert_int_equal(store_request_put(s, &r, STATE_WAITING, ""), ERR_OK);
		struct store_event end = {.request = r.id, .state = ends[i], .at = DB_NOW + 1};
		assert_int_equal(store_event_put(s, &end), ERR_OK);
		end.at++;
		assert_int_equal(store_event_put(s, &end), ERR_NOT_WAITING);
		struct store_requests got;
		assert_int_equal(store_request_get(s, r.id, &got), ERR_OK);
		assert_int_equal(got.rows[0].newest.state, ends[i]);
		assert_int_equal(got.rows[0].newest.at, DB_NOW + 1);
		store_result_free(got.owner);
	}
	store_free(s);
}

/* Nothing ends without the signature that ended it, and no signature is kept that ended nothing. */
static void
a_rejection_is_kept_with_the_state_that_it_brings(void **state)
{
	(void)state;
	struct store *s = db_store(DATABASE, STORE_ISSUER);
	struct db_request m, keys;
	struct store_request r = db_request(&m, 23, "revoke"), k = db_request(&keys, 24, "revoke");
	struct store_event end = {.request = r.id, .state = STATE_REJECTED, .at = DB_NOW + 1};
	struct store_approval a = {.request = r.id,
	        .kid = k.kid,
	        .jti = k.jti,
	        .person = BYTES_LIT("other"),
	        .jws = BYTES_LIT("a.b.c"),
	        .exp = DB_NOW + 60,
	        .received_at = DB_NOW + 1};
	struct store_approvals got;
	struct store_requests found;

	assert_int_equal(store_request_put(s, &r, STATE_WAITING, ""), ERR_OK);
	assert_int_equal(store_event_put(s,
	                         &(struct store_event){
	                                 .request = r.id, .state = STATE_LAPSED, .at = DB_NOW}),
	        ERR_OK);
	assert_int_equal(store_reject(s, &a, &end), ERR_NOT_WAITING);
	assert_int_equal(store_approvals(s, r.id, &got), ERR_OK);
	assert_int_equal(got.count, 0);
	store_result_free(got.owner);
	assert_int_equal(store_request_put(s, &k, STATE_WAITING, ""), ERR_OK);
	a.request = end.request = k.id;
	a.kid = r.kid;
	a.jti = r.jti;
	assert_int_equal(
	        store_reject(s, &a, &end), ERR_EXISTS); /* the jti is that of the request */
	a.jti = BYTES_LIT("the-jti-of-a-rejection");
	assert_int_equal(store_reject(s, &a, &end), ERR_OK);
	assert_int_equal(store_approvals(s, k.id, &got), ERR_OK);
	assert_int_equal(got.count, 1);
	assert_false(got.rows[0].approve);
	store_result_free(got.owner);
	assert_int_equal(store_request_get(s, k.id, &found), ERR_OK);
	assert_int_equal(found.rows[0].newest.state, STATE_REJECTED);
	store_result_free(found.owner);
	assert_int_equal(store_reject(s, &a, &end), ERR_EXISTS);
	store_free(s);
}

static void
an_approval_is_of_another_person_and_key(void **state)
{
	(void)state;
	struct store *s = db_store(DATABASE, STORE_ISSUER);
	struct db_request m, keys;
	struct store_request r = db_request(&m, 20, "revoke"), k = db_request(&keys, 21, "revoke");
	assert_int_equal(store_request_put(s, &r, STATE_WAITING, ""), ERR_OK);
	struct store_approval a = {.request = r.id,
	        .kid = k.kid,
	        .jti = k.jti,
	        .person = BYTES_LIT("other"),
	        .jws = BYTES_LIT("a.b.c"),
	        .approve = true,
	        .exp = DB_NOW + 60,
	        .received_at = DB_NOW};
	struct store_approval wrong = a;
	wrong.kid = r.kid;
	assert_int_equal(store_approval_put(s, &wrong), ERR_APPROVAL_PERSON);
	wrong = a;
	wrong.person = r.sender;
	assert_int_equal(store_approval_put(s, &wrong), ERR_APPROVAL_PERSON);
	assert_int_equal(store_approval_put(s, &a), ERR_OK);
	assert_int_equal(store_approval_put(s, &a), ERR_EXISTS);
	wrong = a;
	wrong.kid = BYTES_LIT("kid-of-the-same-person-0123456789012345678x");
	assert_int_equal(
	        store_approval_put(s, &wrong), ERR_EXISTS); /* the same person by another key */
	struct store_approvals got;
	assert_int_equal(store_approvals(s, r.id, &got), ERR_OK);
	assert_int_equal(got.count, 1);
	same(got.rows[0].kid, a.kid);
	same(got.rows[0].person, a.person);
	same(got.rows[0].jws, a.jws);
	assert_true(got.rows[0].approve);
	assert_int_equal(got.rows[0].exp, a.exp);
	store_result_free(got.owner);
	wrong = a;
	wrong.request = k.id; /* never sent */
	wrong.jti = BYTES_LIT("another-jti-0123456789");
	assert_int_equal(store_approval_put(s, &wrong), ERR_NOT_FOUND);
	assert_int_equal(store_approval_find(s, a.kid, a.jti, &got), ERR_OK);
	same(got.rows[0].request, r.id);
	store_result_free(got.owner);
	assert_int_equal(store_approval_find(s, a.kid, wrong.jti, &got), ERR_NOT_FOUND);
	assert_int_equal(store_approval_find(s, r.kid, a.jti, &got), ERR_NOT_FOUND);
	/* kid and jti of an approval are taken for requests too */
	assert_int_equal(store_request_put(s, &k, STATE_WAITING, ""), ERR_EXISTS);
	store_free(s);
}

static void
waiting_shows_what_waits_and_is_not_expired(void **state)
{
	(void)state;
	db_fresh(DATABASE);
	struct store *s = db_store(DATABASE, STORE_ISSUER);
	struct db_request m[4];
	struct store_request r[4];
	for (unsigned i = 0; i < 4; i++) {
		r[i] = db_request(&m[i], 30 + i, "revoke");
		r[i].received_at = DB_NOW + 4 - i; /* the last is the oldest */
	}
	r[1].exp = DB_NOW + 10;
	r[2].center = BYTES_LIT("330106-02");
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(store_request_put(s, &r[i], STATE_WAITING, ""), ERR_OK);
	const struct store_event rejected = {
	        .request = r[0].id, .state = STATE_REJECTED, .at = DB_NOW};
	assert_int_equal(store_event_put(s, &rejected), ERR_OK);
	struct store_requests got;
	assert_int_equal(store_waiting(s, DB_NOW, BYTES_LIT(""), &got), ERR_OK);
	assert_int_equal(got.count, 3);
	same(got.rows[0].id, r[3].id);
	same(got.rows[2].id, r[1].id);
	assert_int_equal(got.rows[0].jws.n, 0);
	store_result_free(got.owner);
	assert_int_equal(store_waiting(s, DB_NOW, BYTES_LIT("330106-02"), &got), ERR_OK);
	assert_int_equal(got.count, 1);
	store_result_free(got.owner);
	assert_int_equal(store_waiting(s, DB_NOW + 10, BYTES_LIT(""), &got), ERR_OK);
	assert_int_equal(got.count, 2);
	store_result_free(got.owner);
	assert_int_equal(store_lapsing(s, DB_NOW + 10, &got), ERR_OK);
	assert_int_equal(got.count, 1);
	same(got.rows[0].id, r[1].id);
	store_result_free(got.owner);
	store_free(s);
}

static void
known_requests_are_found_by_key_and_jti(void **state)
{
	(void)state;
	struct store *s = db_store(DATABASE, STORE_ISSUER);
	struct db_request m[3];
	struct store_request a = db_request(&m[0], 40, "issue"), b = db_request(&m[1], 41, "issue"),
	                     c = db_request(&m[2], 42, "issue");
	assert_int_equal(store_request_put(s, &a, STATE_WAITING, ""), ERR_OK);
	assert_int_equal(store_request_put(s, &b, STATE_REFUSED, "cap"), ERR_OK);
	struct store_key keys[] = {{c.kid, c.jti}, {b.kid, b.jti}, {a.kid, a.jti}};
	struct store_knowns got;
	assert_int_equal(store_known(s, keys, 3, &got), ERR_OK);
	assert_int_equal(got.count, 2);
	assert_int_equal(got.rows[0].position, 1);
	same(got.rows[0].id, b.id);
	assert_int_equal(got.rows[0].state, STATE_REFUSED);
	assert_int_equal(got.rows[1].position, 2);
	assert_int_equal(got.rows[1].state, STATE_WAITING);
	store_result_free(got.owner);
	assert_int_equal(store_known(s, keys, 0, &got), ERR_OK);
	assert_int_equal(got.count, 0);
	store_result_free(got.owner);
	store_free(s);
}

static void
a_batch_comes_back_as_certificates(void **state)
{
	(void)state;
	db_fresh(DATABASE);
	struct store *s = db_store(DATABASE, STORE_ISSUER);
	struct db_batch *d = db_batch(0, 3, 50);
	static const struct store_outcome outcomes[] = {{4, 9}, {5, 12}};
	d->events[0].outcomes = outcomes;
	d->events[0].outcome_count = 2;
	uint64_t size;
	int64_t time;
	assert_int_equal(store_begin_head(s, &size, &time), ERR_OK);
	assert_int_equal(size, 0);
	assert_int_equal(store_commit_batch(s, &d->b), ERR_OK);
	assert_int_equal(store_head(s, &size, &time), ERR_OK);
	assert_int_equal(size, 3);
	assert_int_equal(time, DB_NOW);

	struct store_requests r;
	assert_int_equal(store_request_get(s, d->requests[0].id, &r), ERR_OK);
	assert_int_equal(r.rows[0].newest.state, STATE_EXECUTED);
	assert_int_equal(r.rows[0].newest.outcome_count, 2);
	assert_int_equal(r.rows[0].newest.outcomes[1].seat, 5);
	assert_int_equal(r.rows[0].newest.outcomes[1].outcome, 12);
	store_result_free(r.owner);

	struct store_certificates c;
	assert_int_equal(store_request_certificates(s, d->requests[0].id, &c), ERR_OK);
	assert_int_equal(c.count, 3);
	const struct store_certificate *want = &d->certificates[2], *got = &c.rows[2];
	assert_int_equal(got->index, 2);
	same(got->serial, want->serial);
	same(got->request, want->request);
	assert_int_equal(got->seat, want->seat);
	same(got->holder_key, want->holder_key);
	same(got->item, want->item);
	same(got->center, want->center);
	assert_int_equal(got->list, want->list);
	assert_int_equal(got->idx, want->idx);
	assert_int_equal(got->status, STATUS_VALID);
	assert_int_equal(got->exp, want->exp);
	same(got->record, want->record);
	store_result_free(c.owner);
	free(d);
	store_free(s);
}

static void
serials_are_looked_up_in_the_order_asked(void **state)
{
	(void)state;
	struct store *s = db_store(DATABASE, STORE_ISSUER); /* holds the batch before */
	struct db_batch *d = db_batch(0, 3, 50);
	struct bytes asked[] = {d->certificates[2].serial, BYTES_LIT("0123456789abcdef"),
	        d->certificates[0].serial};
	struct store_certificates c;
	assert_int_equal(store_records(s, asked, 3, &c), ERR_OK);
	assert_int_equal(c.count, 2);
	assert_int_equal(c.rows[0].index, 2);
	assert_int_equal(c.rows[1].index, 0);
	store_result_free(c.owner);
	assert_int_equal(store_certificate_get(s, asked[0], &c), ERR_OK);
	assert_int_equal(c.rows[0].index, 2);
	store_result_free(c.owner);
	assert_int_equal(store_certificate_get(s, asked[1], &c), ERR_NOT_FOUND);
	assert_int_equal(store_holder(s, d->certificates[1].holder_key, &c), ERR_OK);
	assert_int_equal(c.count, 1);
	store_result_free(c.owner);

	struct store_holder_item pairs[] = {
	        {BYTES_LIT("01234567890123456789012345678901"), BYTES_LIT("030102"), {NULL, 0}},
	        {d->certificates[1].holder_key, BYTES_LIT("030102"), {NULL, 0}},
	        {d->certificates[1].holder_key, BYTES_LIT("030103"), {NULL, 0}},
	        {d->certificates[1].holder_key, BYTES_LIT("030102"), d->certificates[1].serial}};
	struct store_holders p;
	assert_int_equal(store_holders(s, pairs, 4, DB_NOW, &p), ERR_OK);
	assert_int_equal(p.count, 1); /* what is followed does not stand in the way */
	assert_int_equal(p.rows[0].position, 1);
	assert_true(p.rows[0].held && !p.rows[0].banned);
	store_result_free(p.owner);
	assert_int_equal(store_holders(s, pairs, 3, DB_NOW + 1000000, &p), ERR_OK); /* expired */
	assert_int_equal(p.count, 0);
	store_result_free(p.owner);
	free(d);
	store_free(s);
}

static enum err
change_commit(struct store *s, struct store_change *changes, size_t count, unsigned request)
{
	uint64_t size;
	int64_t time;
	assert_int_equal(store_begin_head(s, &size, &time), ERR_OK);
	struct db_batch *d = db_batch(size, count, request);
	for (size_t i = 0; i < count; i++) {
		changes[i].index = size + i;
		changes[i].request = d->requests[0].id;
	}
	d->b.certificate_count = 0;
	d->b.changes = changes;
	d->b.change_count = count;
	enum err e = store_commit_batch(s, &d->b);
	free(d);
	return e;
}

static void
changes_move_the_status_and_are_kept(void **state)
{
	(void)state;
	struct store *s = db_store(DATABASE, STORE_ISSUER);
	struct db_batch *d = db_batch(0, 3, 50);
	struct store_change hold = {.serial = d->certificates[0].serial,
	        .status = STATUS_SUSPENDED,
	        .reason = 6,
	        .effective = 20742,
	        .until = DB_NOW + 9,
	        .at = DB_NOW};
	struct store_change free_it = hold, end = hold;
	free_it.status = STATUS_VALID;
	free_it.reason = -1;
	free_it.until = -1;
	end.status = STATUS_INVALID;
	end.reason = 9;
	end.until = -1;
	struct store_change three[] = {hold, free_it, end};
	assert_int_equal(change_commit(s, &hold, 1, 60), ERR_OK);
	assert_int_equal(change_commit(s, three, 3, 61), ERR_OK); /* the last one counts */
	assert_int_equal(change_commit(s, &free_it, 1, 62), ERR_MOVE);
	assert_int_equal(change_commit(s, &end, 1, 63),
	        ERR_OK); /* deregistered after revocation: the same status */
	struct store_changes got;
	assert_int_equal(store_certificate_changes(s, d->certificates[0].serial, &got), ERR_OK);
	assert_int_equal(got.count, 5);
	assert_int_equal(got.rows[0].status, STATUS_SUSPENDED);
	assert_int_equal(got.rows[0].reason, 6);
	assert_int_equal(got.rows[0].effective, 20742);
	assert_int_equal(got.rows[0].until, DB_NOW + 9);
	assert_int_equal(got.rows[2].reason, -1);
	assert_int_equal(got.rows[2].until, -1);
	assert_int_equal(got.rows[4].status, STATUS_INVALID);
	store_result_free(got.owner);
	struct db_request m;
	assert_int_equal(store_request_changes(s, db_request(&m, 61, "issue").id, &got), ERR_OK);
	assert_int_equal(got.count, 3);
	store_result_free(got.owner);
	struct store_certificates c;
	assert_int_equal(store_certificate_get(s, d->certificates[0].serial, &c), ERR_OK);
	assert_int_equal(c.rows[0].status, STATUS_INVALID);
	store_result_free(c.owner);
	free(d);
	store_free(s);
}

static void
catch_up_reads_whole_batches(void **state)
{
	(void)state;
	static const size_t sizes[] = {5, 1, 7, 2};
	db_fresh(DATABASE);
	struct store *s = db_store(DATABASE, STORE_ISSUER);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(db_issue(s, sizes[i], 70 + i), ERR_OK);
	static const struct {
		const char *what;
		uint64_t from;
		size_t bytes, want;
	} rows[] = {
	        {"all", 0, 1 << 20, 15},
	        {"one batch at least", 0, 1, 5},
	        {"two batches fit", 0, 6 * 600, 6},
	        {"the third does not fit", 0, 12 * 600, 6},
	        {"from the third", 6, 1, 7},
	        {"to the end", 13, 1 << 20, 2},
	        {"nothing", 15, 1 << 20, 0},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct store_entries got;
		assert_int_equal(store_entries_from(s, rows[i].from, rows[i].bytes, &got), ERR_OK);
		if (got.count != rows[i].want)
			fail_msg(
			        "%s: %zu entries, want %zu", rows[i].what, got.count, rows[i].want);
		store_result_free(got.owner);
	}
	struct store_entries got;
	struct db_batch *d = db_batch(5, 1, 71);
	assert_int_equal(store_entries_from(s, 5, 1, &got), ERR_OK);
	assert_int_equal(got.batch[0], 5);
	same(got.rows[0].entry, d->entries[0].entry);
	same(got.rows[0].note, d->entries[0].note);
	same(got.rows[0].tag, d->entries[0].tag);
	same(got.rows[0].record, d->entries[0].record);
	store_result_free(got.owner);
	free(d);
	store_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_request_comes_back_as_it_was_put),
	        cmocka_unit_test(the_same_request_inserts_once),
	        cmocka_unit_test(a_waiting_request_ends_once),
	        cmocka_unit_test(a_rejection_is_kept_with_the_state_that_it_brings),
	        cmocka_unit_test(an_approval_is_of_another_person_and_key),
	        cmocka_unit_test(waiting_shows_what_waits_and_is_not_expired),
	        cmocka_unit_test(known_requests_are_found_by_key_and_jti),
	        cmocka_unit_test(a_batch_comes_back_as_certificates),
	        cmocka_unit_test(serials_are_looked_up_in_the_order_asked),
	        cmocka_unit_test(changes_move_the_status_and_are_kept),
	        cmocka_unit_test(catch_up_reads_whole_batches),
	};
	return cmocka_run_group_tests(tests, setup, NULL);
}
