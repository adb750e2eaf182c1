/* test_authority_bulk.c - orders by selector and by the thousand: what a list names, who must have
 * signed it, and that a sender's day counts together whatever keys and requests it comes in. */
#include "authority_world.h"

static struct world *w;
static struct bytes records[ORDER_ALONE_MAX + 8];
static struct bytes session; /* that issued them */

static void
make_many(unsigned count)
{
	struct signed_entry *entries = calloc(count, sizeof *entries);
	struct rows r;

	w = world_new();
	world_start(w);
	session = world_session(w, 1, count);
	assert_int_equal(ask_issue(w, session, NULL, 0, &r), ERR_OK);
	world_extend(w, entries, rows_entries(&r, entries));
	free(entries);
	for (size_t i = 0; i < count; i++)
		records[i] = r.rows[i].e.record;
}

static int
make(void **state)
{
	(void)state;
	make_many(4);
	return 0;
}

static int
make_thousand(void **state)
{
	(void)state;
	make_many(ORDER_ALONE_MAX + 8);
	return 0;
}

static int
unmake(void **state)
{
	(void)state;
	world_delete(w);
	return 0;
}

static int
serial_compare(const void *a, const void *b)
{
	return memcmp(a, b, 16);
}

/* Serials of these records, and more that nobody has, ascending. */
static struct bytes
list_of(const struct bytes *named, size_t count, size_t all)
{
	uint8_t(*serials)[16] = keep_room(w, all * 16);

	for (size_t i = 0; i < count; i++)
		serial_of(named[i], serials[i]);
	for (size_t i = count; i < all; i++) {
		memset(serials[i], 0xff, 16);
		be_put(serials[i], i, 8);
	}
	qsort(serials, all, 16, serial_compare);
	return bytes_of(serials, all * 16);
}

static struct bytes
approve_list(enum who by, struct bytes request, struct bytes list)
{
	char more[100], hex[2 * SHA256_BYTES + 1];
	struct consent c = {w->now, w->now + DAY_S, "approve", more};
	uint8_t room[4096], hash[SHA256_BYTES];
	struct buf b = BUF_OF(room);

	sha256_one(list, hash);
	hex_encode(bytes_of(hash, sizeof hash), hex);
	snprintf(more, sizeof more, ",\"list_sha256\":\"%s\"", hex);
	return keep(w, approval_sign(w->people.keys[by], request, &c, &b));
}

#define REVOKE "\"ground\":\"R12\",\"effective_at\":\"2026-10-18\","
#define HOLD "\"ground\":\"S01\",\"effective_at\":\"2026-10-18\",\"until\":\"2026-11-10\","
#define OF_CENTER "\"select\":{\"center\":\"330106-01\"}"

/* Wang's order by that selector, with the list that the front brings, signed by Li: on record 0. */
static enum err
selected(const char *select, struct bytes list)
{
	char members[600];
	struct bytes jws, approval;

	snprintf(members, sizeof members, REVOKE "\"select\":{%s}", select);
	jws = order_sign(w, WANG, "revoke", members);
	approval = approve_list(LI, jws, list);
	return ask_order_with(w, jws, &(struct proof){&approval, 1, records, 1, list}, NULL);
}

static enum err
in_time(const char *name, int64_t at)
{
	char select[200], text[30] = {0};
	struct buf b = BUF_OF(text);

	time_put_shanghai(&b, at);
	snprintf(select, sizeof select, "\"center\":\"330106-01\",\"%s\":\"%.25s\"", name, text);
	return selected(select, list_of(records, 1, 1));
}

static void
what_the_selector_does_not_say_no_list_can_name(void **state)
{
	struct bytes list = list_of(records, 1, 1);
	char by_request[100] = "\"request\":\"";
	struct jws j;

	(void)state;
	assert_int_equal(selected("\"center\":\"330106-01\"", list), ERR_OK);
	assert_int_equal(selected("\"center\":\"440305-02\"", list), ERR_SERIAL_UNKNOWN);
	assert_int_equal(selected("\"center\":\"330106-0\"", list), ERR_SERIAL_UNKNOWN);
	assert_int_equal(selected("\"item\":\"030102\"", list), ERR_OK);
	assert_int_equal(selected("\"item\":\"030101\"", list), ERR_SERIAL_UNKNOWN);
	assert_int_equal(
	        selected("\"center\":\"330106-01\",\"item\":\"030101\"", list), ERR_SERIAL_UNKNOWN);
	/* from <= iat < to */
	assert_int_equal(in_time("from", NOW), ERR_OK);
	assert_int_equal(in_time("from", NOW + 1), ERR_SERIAL_UNKNOWN);
	assert_int_equal(in_time("to", NOW + 1), ERR_OK);
	assert_int_equal(in_time("to", NOW), ERR_SERIAL_UNKNOWN);
	assert_int_equal(jws_decode(session, JWS_BYTES_MAX, &j), ERR_OK);
	hex_encode(bytes_of(j.hash, SHA256_BYTES), by_request + 11);
	snprintf(by_request + 75, 2, "\"");
	assert_int_equal(selected(by_request, list), ERR_OK);
	by_request[11] ^= 1; /* one digit of it */
	assert_int_equal(selected(by_request, list), ERR_SERIAL_UNKNOWN);
}

static void
lists_of_another_form_are_refused(void **state)
{
	const char *center = "\"center\":\"330106-01\"";
	struct bytes list = list_of(records, 3, 3), others = list_of(records + 1, 3, 3);
	uint8_t *turned = keep_room(w, 48), *twice = keep_room(w, 32);
	size_t most = ORDER_LIST_MAX;

	(void)state;
	memcpy(turned, list.p + 16, 16);
	memcpy(turned + 16, list.p, 16);
	memcpy(turned + 32, list.p + 32, 16);
	memcpy(twice, list.p, 16);
	memcpy(twice + 16, list.p, 16);
	assert_int_equal(selected(center, list), ERR_OK);
	assert_int_equal(selected(center, others), ERR_SERIAL_UNKNOWN); /* not on it */
	assert_int_equal(selected(center, bytes_of(turned, 48)), ERR_VALUE);
	assert_int_equal(selected(center, bytes_of(twice, 32)), ERR_VALUE);
	assert_int_equal(selected(center, bytes_of(list.p, 47)), ERR_VALUE);
	assert_int_equal(selected(center, bytes_of(list.p, 15)), ERR_VALUE);
	assert_int_equal(selected(center, bytes_of(list.p, 0)), ERR_VALUE);
	list = list_of(records, 1, most + 1);
	assert_int_equal(selected(center, list), ERR_LIMIT);
	/* the longest: read, and more than two may decide */
	list = list_of(records, 1, most);
	assert_int_equal(selected(center, list), ERR_APPROVALS);
}

static void
approvals_sign_the_list_of_a_selector_and_no_other(void **state)
{
	struct bytes list = list_of(records, 2, 2), other = list_of(records, 3, 3);
	struct bytes named = world_revoke(w, WANG, records, 1);
	struct bytes jws = order_sign(w, WANG, "revoke", REVOKE OF_CENTER);
	struct bytes with = approve_list(LI, jws, list), bare = world_approve(w, LI, jws);
	struct bytes theirs = approve_list(LI, jws, other), both[] = {with, with};
	struct bytes of_named = approve_list(LI, named, list_of(records, 1, 1));
	struct proof p = {&with, 1, records, 2, list};
	struct buf *b;

	(void)state;
	assert_int_equal(ask_order_with(w, jws, &p, NULL), ERR_OK);
	p.approvals = &bare;
	assert_int_equal(ask_order_with(w, jws, &p, NULL), ERR_APPROVAL_OTHER);
	p.approvals = &theirs;
	assert_int_equal(ask_order_with(w, jws, &p, NULL), ERR_APPROVAL_OTHER);
	p.approvals = both;
	p.approval_count = 2;
	assert_int_equal(ask_order_with(w, jws, &p, NULL), ERR_APPROVAL_PERSON);
	/* without a list a selector names nothing, whoever signed */
	p = (struct proof){&bare, 1, records, 2, bytes_of(NULL, 0)};
	assert_int_equal(ask_order_with(w, jws, &p, NULL), ERR_APPROVALS);
	p.approvals = &with;
	assert_int_equal(ask_order_with(w, jws, &p, NULL), ERR_APPROVAL_OTHER);
	/* who names serials has no list, and nobody signs one */
	p = (struct proof){&of_named, 1, records, 1, bytes_of(NULL, 0)};
	assert_int_equal(ask_order_with(w, named, &p, NULL), ERR_APPROVAL_OTHER);
	p.list = list_of(records, 1, 1);
	assert_int_equal(ask_order_with(w, named, &p, NULL), ERR_VALUE);
	b = ask_start(w, 4);
	cbor_put_bytes(b, jws);
	cbor_put_array(b, 2);
	cbor_put_bytes(b, list);
	cbor_put_bytes(b, list);
	approvals_ask(b, &with, 1);
	approvals_ask(b, records, 1);
	assert_int_equal(ask(w, authority_order), ERR_PROTOCOL);
}

/* The outcome, or the error, of so many on a list, with Li and, for three, Zhang. */
static enum err
by_number(const char *type, const char *what, size_t all, size_t signing, struct rows *out)
{
	char members[300];
	struct bytes list = list_of(records, 1, all), jws, approvals[2];

	snprintf(members, sizeof members, "%s" OF_CENTER, what);
	jws = order_sign(w, WANG, type, members);
	approvals[0] = approve_list(LI, jws, list);
	approvals[1] = approve_list(ZHANG, jws, list);
	return ask_order_with(
	        w, jws, &(struct proof){approvals, signing - 1, records, 1, list}, out);
}

static void
more_than_a_thousand_take_one_official_more(void **state)
{
	const size_t k = ORDER_ALONE_MAX;
	struct entry_note note;
	struct entry e;
	struct rows r;

	(void)state;
	assert_int_equal(by_number("revoke", REVOKE, k, 1, &r), ERR_APPROVALS);
	assert_int_equal(by_number("revoke", REVOKE, k, 2, &r), ERR_OK);
	assert_int_equal(by_number("revoke", REVOKE, k + 1, 2, &r), ERR_APPROVALS);
	assert_int_equal(by_number("revoke", REVOKE, k + 1, 3, &r), ERR_OK);
	assert_int_equal(by_number("reinstate", "", k, 2, &r), ERR_OK);
	assert_int_equal(by_number("reinstate", "", k + 1, 2, &r), ERR_APPROVALS);
	assert_int_equal(by_number("reinstate", "", k + 1, 3, &r), ERR_OK);
	/* a hold of one official is short; of so many none begins so */
	assert_int_equal(by_number("suspend", HOLD, k, 1, &r), ERR_OK);
	assert_int_equal(entry_decode(r.rows[0].e.entry, &e), ERR_OK);
	assert_int_equal(e.until, NOW + HOLD_FIRST_S);
	assert_int_equal(by_number("suspend", HOLD, k + 1, 1, &r), ERR_APPROVALS);
	assert_int_equal(by_number("suspend", HOLD, k + 1, 2, &r), ERR_APPROVALS);
	assert_int_equal(by_number("suspend", HOLD, k + 1, 3, &r), ERR_OK);
	assert_int_equal(entry_decode(r.rows[0].e.entry, &e), ERR_OK);
	assert_int_equal(e.until, date_shanghai_start(date_from_civil(2026, 11, 11)) - 1);
	assert_int_equal(entry_note_decode(r.rows[0].e.note, &note), ERR_OK);
	assert_int_equal(note.official_count, 2);
}

/* ---- a day counts together ---- */

static struct rows
revoked(enum who by, enum who second, size_t first, size_t count)
{
	struct bytes jws = world_revoke(w, by, records + first, count);
	struct bytes approval = world_approve(w, second, jws);
	struct rows r;

	assert_int_equal(ask_order(w, jws, &approval, 1, records + first, count, &r), ERR_OK);
	return r;
}

static void
append(const struct rows *r)
{
	struct signed_entry *entries = calloc(r->count + 1, sizeof *entries);

	world_extend(w, entries, rows_entries(r, entries));
	free(entries);
}

static enum err
one_more(enum who by, size_t signing)
{
	const size_t last = ORDER_ALONE_MAX + 7;
	struct bytes jws = world_revoke(w, by, records + last, 1);
	struct bytes approvals[] = {
	        world_approve(w, by == LI ? WANG : LI, jws), world_approve(w, ZHANG, jws)};

	return ask_order(w, jws, approvals, signing - 1, records + last, 1, NULL);
}

static void
a_senders_day_counts_together_by_whichever_key(void **state)
{
	struct bytes own = world_revoke(w, WANG, records, ORDER_ALONE_MAX);
	struct bytes approval = world_approve(w, LI, own);
	struct rows r;

	(void)state;
	for (size_t at = 0; at < ORDER_ALONE_MAX; at += ORDER_ALONE_MAX / 2) {
		assert_int_equal(one_more(WANG, 2), ERR_OK);
		assert_int_equal(
		        ask_order(w, own, &approval, 1, records + at, ORDER_ALONE_MAX / 2, &r),
		        ERR_OK); /* its own first part does not count twice */
		append(&r);
	}
	assert_int_equal(
	        fold_ordered(&w->a->fold, bytes_of_text(key_thumb_text(w->people.keys[WANG])),
	                date_shanghai(NOW)),
	        ORDER_ALONE_MAX);
	assert_int_equal(ask_order(w, own, &approval, 1, records, 1, &r), ERR_OK);
	assert_int_equal(r.rows[0].outcome, OUTCOME_ALREADY);
	assert_int_equal(one_more(WANG, 2), ERR_APPROVALS);
	assert_int_equal(one_more(WANG_AGAIN, 2), ERR_APPROVALS);
	assert_int_equal(one_more(WANG, 3), ERR_OK);
	assert_int_equal(one_more(WANG_AGAIN, 3), ERR_OK);
	assert_int_equal(one_more(LI, 2), ERR_OK); /* another's day */
	world_reopen(w);
	assert_int_equal(ask_state(w, BYTES_LIT(""), NULL), ERR_OK);
	assert_int_equal(one_more(WANG, 2), ERR_APPROVALS);
	w->now = date_shanghai_start(date_shanghai(NOW) + 1) - 1;
	assert_int_equal(one_more(WANG, 2), ERR_APPROVALS);
	w->now++;
	assert_int_equal(one_more(WANG, 2), ERR_OK); /* tomorrow */
}

/* Of two answers that were given before either was appended, as many entries as the rule allows. */
static void
race(enum who second_key, size_t allowed)
{
	enum { EACH = 600 };
	struct rows a = revoked(WANG, LI, 0, EACH), b = revoked(second_key, LI, EACH, 400);
	struct rows c = revoked(second_key, LI, ORDER_ALONE_MAX, 8);
	struct signed_entry *entries = calloc(ORDER_ALONE_MAX + 8, sizeof *entries);
	enum err *faults = calloc(ORDER_ALONE_MAX + 8, sizeof *faults);
	size_t n = rows_entries(&a, entries), ok = 0;

	n += rows_entries(&b, entries + n);
	n += rows_entries(&c, entries + n);
	assert_int_equal(ask_prepare(w, w->size, entries, n, faults), ERR_OK);
	for (size_t i = 0; i < n; i++) {
		assert_true(faults[i] == ERR_OK || faults[i] == ERR_APPROVALS);
		ok += faults[i] == ERR_OK;
	}
	assert_int_equal(ok, allowed);
	assert_int_equal(
	        ask_extend(w, w->size, entries, n, NULL), allowed == n ? ERR_OK : ERR_APPROVALS);
	if (allowed < n) { /* one after the other it is the same */
		world_extend(w, entries, ORDER_ALONE_MAX);
		assert_int_equal(
		        ask_extend(w, w->size, entries + ORDER_ALONE_MAX, 8, NULL), ERR_APPROVALS);
		assert_int_equal(state_of(w).size, w->size);
	}
	free(entries);
	free(faults);
}

static void
answers_that_were_given_before_either_was_appended_count_together(void **state)
{
	(void)state;
	race(WANG, ORDER_ALONE_MAX);
}

static void
answers_to_two_keys_of_one_person_count_together(void **state)
{
	(void)state;
	race(WANG_AGAIN, ORDER_ALONE_MAX);
}

static void
answers_to_two_persons_do_not(void **state)
{
	(void)state;
	race(ZHANG, ORDER_ALONE_MAX + 8);
}

/* The second signature of a hold touches nothing that its first did not. */
static void
the_confirmation_of_a_hold_counts_nothing(void **state)
{
	char members[300], hex[33];
	uint8_t serial[16];
	struct bytes kid = bytes_of_text(key_thumb_text(w->people.keys[WANG])), jws, approval;
	struct signed_entry *entries = calloc(ORDER_ALONE_MAX + 8, sizeof *entries);
	enum err *faults = calloc(ORDER_ALONE_MAX + 8, sizeof *faults);
	struct rows r, rest;
	size_t n;

	(void)state;
	serial_of(records[0], serial);
	hex_encode(bytes_of(serial, 16), hex);
	snprintf(members, sizeof members, HOLD "\"serials\":[\"%s\"]", hex);
	jws = order_sign(w, WANG, "suspend", members);
	approval = world_approve(w, LI, jws);
	assert_int_equal(ask_order(w, jws, NULL, 0, records, 1, &r), ERR_OK);
	append(&r);
	assert_int_equal(fold_ordered(&w->a->fold, kid, date_shanghai(NOW)), 1);
	assert_int_equal(ask_order(w, jws, &approval, 1, records, 1, &r), ERR_OK);
	assert_int_equal(r.rows[0].outcome, OUTCOME_CONFIRMED);
	/* confirmation and the rest of what a day allows, in one batch */
	rest = revoked(WANG, LI, 1, ORDER_ALONE_MAX - 1);
	n = rows_entries(&r, entries);
	n += rows_entries(&rest, entries + n);
	world_extend(w, entries, n);
	assert_int_equal(fold_ordered(&w->a->fold, kid, date_shanghai(NOW)), ORDER_ALONE_MAX);
	assert_int_equal(one_more(WANG, 2), ERR_APPROVALS);
	free(entries);
	free(faults);
}

/* ---- deregistration ---- */

static enum err
deregister(struct rows *out)
{
	char members[300], hex[33];
	uint8_t serial[16];
	struct bytes jws, approval;

	serial_of(records[0], serial);
	hex_encode(bytes_of(serial, 16), hex);
	snprintf(members, sizeof members,
	        "\"ground\":\"C03\",\"effective_at\":\"2026-10-18\",\"serials\":[\"%s\"]", hex);
	jws = order_sign(w, WANG, "revoke", members);
	approval = world_approve(w, LI, jws);
	return ask_order(w, jws, &approval, 1, records, 1, out);
}

static void
what_was_revoked_is_deregistered_once(void **state)
{
	struct signed_entry two[2];
	enum err faults[2];
	struct rows r, again;
	struct entry e;

	(void)state;
	assert_int_equal(deregister(&r), ERR_OK);
	assert_int_equal(r.rows[0].outcome, OUTCOME_NO_MOVE); /* not before its revocation */
	r = revoked(WANG, LI, 0, 1);
	append(&r);
	assert_int_equal(deregister(&r), ERR_OK);
	assert_int_equal(r.rows[0].outcome, OUTCOME_DEREGISTERED);
	assert_int_equal(entry_decode(r.rows[0].e.entry, &e), ERR_OK);
	assert_true(e.status == STATUS_INVALID && e.crl_reason == CRL_CANCELLED);
	assert_int_equal(deregister(&again), ERR_OK);
	rows_entries(&r, two);
	rows_entries(&again, two + 1);
	assert_int_equal(ask_prepare(w, w->size, two, 2, faults), ERR_OK);
	assert_true(faults[0] == ERR_OK && faults[1] == ERR_MOVE);
	assert_int_equal(ask_extend(w, w->size, two, 2, NULL), ERR_MOVE);
	world_extend(w, two, 1);
	assert_int_equal(ask_extend(w, w->size, two + 1, 1, NULL), ERR_MOVE);
	/* the CRL goes on to say why it was revoked, also after snapshot and start */
	for (size_t i = 0; i < 2; i++) {
		const struct crl_row *row = fold_row(&w->a->fold, e.list, e.cti.p);

		assert_true(row != NULL && row->reason == CRL_REVOKED && row->deregistered);
		assert_int_equal(deregister(&again), ERR_OK);
		assert_int_equal(again.rows[0].outcome, OUTCOME_ALREADY);
		assert_int_equal(again.rows[0].first, NOW);
		authority_snapshot(w->a);
		world_reopen(w);
		assert_int_equal(ask_state(w, BYTES_LIT(""), NULL), ERR_OK);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define WITH(make_it, name) cmocka_unit_test_setup_teardown(name, make_it, unmake)
	        WITH(make, what_the_selector_does_not_say_no_list_can_name),
	        WITH(make, lists_of_another_form_are_refused),
	        WITH(make, approvals_sign_the_list_of_a_selector_and_no_other),
	        WITH(make, more_than_a_thousand_take_one_official_more),
	        WITH(make_thousand, a_senders_day_counts_together_by_whichever_key),
	        WITH(make_thousand,
	                answers_that_were_given_before_either_was_appended_count_together),
	        WITH(make_thousand, answers_to_two_keys_of_one_person_count_together),
	        WITH(make_thousand, answers_to_two_persons_do_not),
	        WITH(make_thousand, the_confirmation_of_a_hold_counts_nothing),
	        WITH(make, what_was_revoked_is_deregistered_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
