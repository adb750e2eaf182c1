/* test_authority_hostile.c - a front that was taken over speaks to the signer: ten thousand
 * messages, forged, replayed, re-ordered and cut, from a fixed seed, and none gives a signature or
 * moves the log. After each kind the untouched message works, or the test would prove nothing. */
#include "authority_world.h"

enum { MESSAGES = 10000, SEATS = 4, BODY_MAX = 256 * 1024 };

static struct world *w;
static uint64_t seed;
static struct rows certs;           /* in the log */
static struct bytes records[SEATS]; /* theirs */
static struct bytes old_session;    /* executed */
static struct rows fresh[2];        /* answered, not appended: two sessions */
static size_t told;                 /* messages so far */

static uint64_t
draw(uint64_t below)
{
	/* xorshift64: the same run each time */
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % below;
}

static int
make(void **state)
{
	struct signed_entry entries[SEATS];

	(void)state;
	seed = 0x5a5a1234;
	w = world_new();
	world_start(w);
	old_session = world_session(w, 1, SEATS);
	assert_int_equal(ask_issue(w, old_session, NULL, 0, &certs), ERR_OK);
	world_extend(w, entries, rows_entries(&certs, entries));
	for (size_t i = 0; i < SEATS; i++)
		records[i] = certs.rows[i].e.record;
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(
		        ask_issue(w, world_session(w, 100 + 10 * i, SEATS), NULL, 0, &fresh[i]),
		        ERR_OK);
	return 0;
}

static int
unmake(void **state)
{
	(void)state;
	world_delete(w);
	return 0;
}

/* Whatever was answered, nothing in it is signed for the front, and the log stands where it stood.
 */
static void
nothing_given(enum err e, bool issue)
{
	struct rows r;

	told++;
	assert_int_equal(w->a->fold.frontier.size, w->size);
	if (e != ERR_OK)
		return;
	rows_read(w, issue, &r);
	for (size_t i = 0; i < r.count; i++)
		assert_false(r.rows[i].has_entry);
}

static struct bytes
body_of(struct buf *b, struct bytes jws, const struct bytes *approvals, size_t count, bool order)
{
	b->n = 0;
	cbor_put_array(b, order ? 4 : 3);
	cbor_put_bytes(b, jws);
	if (order)
		cbor_put_array(b, 0);
	approvals_ask(b, approvals, count);
	cbor_put_array(b, order ? 1 : 0);
	if (order)
		cbor_put_bytes(b, records[0]);
	return buf_bytes(b);
}

/* Every prefix that is drawn, and every byte that is changed, of a body that works as it is. */
static void
spoil(struct bytes body, authority_handler handler, bool issue, size_t times)
{
	uint8_t *copy = malloc(body.n);

	assert_non_null(copy);
	for (size_t i = 0; i < times; i++) {
		size_t n = body.n, mark = w->arena.n;

		memcpy(copy, body.p, body.n);
		if (draw(3) == 0)
			n = (size_t)draw(body.n);
		else
			copy[draw(body.n)] ^= (uint8_t)(1 + draw(255));
		nothing_given(ask_bytes(w, handler, bytes_of(copy, n)), issue);
		w->arena.n = mark;
	}
	free(copy);
}

static void
a_changed_or_cut_session_gives_nothing(void **state)
{
	uint8_t *room = malloc(BODY_MAX);
	struct buf b = buf_init(room, BODY_MAX);
	struct bytes body = body_of(&b, world_session(w, 200, SEATS), NULL, 0, false);
	struct rows r;

	(void)state;
	spoil(body, authority_issue, true, 3000);
	assert_int_equal(ask_bytes(w, authority_issue, body), ERR_OK); /* untouched it works */
	rows_read(w, true, &r);
	for (size_t i = 0; i < SEATS; i++)
		assert_true(r.rows[i].has_entry);
	free(room);
}

static void
a_changed_or_cut_order_gives_nothing(void **state)
{
	uint8_t *room = malloc(BODY_MAX);
	struct buf b = buf_init(room, BODY_MAX);
	struct bytes order = world_revoke(w, WANG, records, 1), approval, body;
	struct rows r;

	(void)state;
	approval = world_approve(w, LI, order);
	body = body_of(&b, order, &approval, 1, true);
	spoil(body, authority_order, false, 3000);
	assert_int_equal(ask_bytes(w, authority_order, body), ERR_OK);
	rows_read(w, false, &r);
	assert_true(r.rows[0].has_entry);
	free(room);
}

/* The same signature in another spelling: s + L of Ed25519, or bits of r and s. */
static struct bytes
malleated(struct bytes jws)
{
	static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6,
	        0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10};
	const uint8_t *dot = memrchr(jws.p, '.', jws.n);
	size_t head = (size_t)(dot - jws.p) + 1;
	uint8_t signature[64], *copy = malloc(jws.n + 16);
	struct buf raw = BUF_OF(signature), out = buf_init(copy, jws.n + 16);
	struct bytes kept;
	unsigned carry = 0;

	assert_int_equal(base64url_get(bytes_skip(jws, head), &raw), ERR_OK);
	if (draw(2) == 0)
		for (size_t i = 0; i < 32; i++) {
			carry += signature[32 + i] + (unsigned)order[i];
			signature[32 + i] = (uint8_t)carry;
			carry >>= 8;
		}
	else
		signature[draw(64)] ^= (uint8_t)(1U << draw(8));
	buf_put(&out, bytes_of(jws.p, head));
	base64url_put(&out, bytes_of(signature, sizeof signature));
	kept = keep(w, buf_bytes(&out));
	free(copy);
	return kept;
}

static void
another_spelling_of_a_signature_gives_nothing(void **state)
{
	struct bytes session = world_session(w, 300, 1), order = world_revoke(w, WANG, records, 1),
	             approval = world_approve(w, LI, order), bad;
	struct rows r;

	(void)state;
	for (size_t i = 0; i < 500; i++) {
		size_t mark = w->arena.n;

		nothing_given(ask_issue(w, malleated(session), NULL, 0, NULL), true);
		nothing_given(ask_issue(w, malleated(old_session), NULL, 0, NULL), true);
		nothing_given(
		        ask_order(w, malleated(order), &approval, 1, records, 1, NULL), false);
		bad = malleated(approval);
		nothing_given(ask_order(w, order, &bad, 1, records, 1, NULL), false);
		w->arena.n = mark;
	}
	assert_int_equal(ask_issue(w, session, NULL, 0, &r), ERR_OK);
	assert_int_equal(ask_order(w, order, &approval, 1, records, 1, &r), ERR_OK);
	assert_true(r.rows[0].has_entry);
}

/* Requests of others, of yesterday, of nobody; approvals that were given for something else. */
static void
forged_and_old_requests_give_nothing(void **state)
{
	static const enum who wrong[] = {WANG, SHENZHEN, STRANGER, LATE};
	static const struct consent old = {NOW - 8 * DAY_S, NOW - DAY_S, "approve", ""},
	                            no = {NOW, NOW + DAY_S, "reject", ""};
	uint8_t *room = malloc(BODY_MAX);

	(void)state;
	for (size_t i = 0; i < 100; i++) {
		struct session s = session_of(1000 + (unsigned)i, 1);
		struct buf b = buf_init(room, BODY_MAX);
		struct bytes order = world_revoke(w, WANG, records, 1), other, approval;
		size_t mark = w->arena.n;

		nothing_given(ask_issue(w, session_sign(&s, w->people.keys[wrong[draw(4)]], &b),
		                      NULL, 0, NULL),
		        true);
		s.iat = NOW - DAY_S - 1 - (int64_t)draw(1000);
		b.n = 0;
		nothing_given(
		        ask_issue(w, session_sign(&s, w->people.keys[CENTER], &b), NULL, 0, NULL),
		        true);
		nothing_given(ask_order(w, order, NULL, 0, records, 1, NULL), false);
		approval = world_approve(w, draw(2) == 0 ? WANG : WANG_AGAIN, order);
		nothing_given(ask_order(w, order, &approval, 1, records, 1, NULL), false);
		approval = world_approve(w, draw(2) == 0 ? CENTER : STRANGER, order);
		nothing_given(ask_order(w, order, &approval, 1, records, 1, NULL), false);
		other = world_revoke(w, WANG, records, 1);
		approval = world_approve(w, LI, other);
		nothing_given(ask_order(w, order, &approval, 1, records, 1, NULL), false);
		b.n = 0;
		approval = approval_sign(w->people.keys[LI], order, draw(2) == 0 ? &old : &no, &b);
		nothing_given(ask_order(w, order, &approval, 1, records, 1, NULL), false);
		w->arena.n = mark;
	}
	free(room);
}

static void
replayed_requests_give_nothing(void **state)
{
	struct bytes order = world_revoke(w, WANG, records, 1),
	             approval = world_approve(w, LI, order);
	struct signed_entry e;
	struct rows r;

	(void)state;
	assert_int_equal(ask_order(w, order, &approval, 1, records, 1, &r), ERR_OK);
	e = r.rows[0].e;
	world_extend(w, &e, 1);
	for (size_t i = 0; i < 300; i++) {
		size_t mark = w->arena.n;

		nothing_given(ask_issue(w, old_session, NULL, 0, NULL), true);
		nothing_given(ask_order(w, order, &approval, 1, records, 1, NULL), false);
		w->arena.n = mark;
	}
}

/* ---- what was answered, brought back otherwise ---- */

static void
refused_at(uint64_t size, const struct signed_entry *entries, size_t count)
{
	enum err faults[4 * SEATS], e = ask_prepare(w, size, entries, count, faults);
	struct head_answer h;
	bool fault = e != ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < count; i++)
		fault = fault || faults[i] != ERR_OK;
	assert_true(fault || size != w->size || count == 0 || entries[0].record.n != 0);
	assert_int_not_equal(ask_extend(w, size, entries, count, &h), ERR_OK);
	assert_int_equal(w->a->fold.frontier.size, w->size);
	told += 2;
}

/* Two sessions of four seats, each entry with its record; one thing is exchanged. */
static void
exchange(struct signed_entry *entries)
{
	size_t i = (size_t)draw(2 * SEATS), k = (i + 1 + (size_t)draw(2 * SEATS - 1)) % (2 * SEATS);
	struct bytes *a, *b, t;

	switch (draw(5)) {
	case 0: /* the seat of one, the index of the other */
		entries[i] = entries[k];
		return;
	case 1:
		a = &entries[i].record;
		b = &entries[k].record;
		break;
	case 2:
		a = &entries[i].note;
		b = &entries[k].note;
		break;
	case 3:
		a = &entries[i].tag;
		b = &entries[k].tag;
		break;
	default:
		a = &entries[i].entry;
		b = &entries[k].entry;
		break;
	}
	t = *a;
	*a = *b;
	*b = t;
}

static void
exchanged_entries_are_not_appended(void **state)
{
	struct signed_entry good[2 * SEATS], entries[2 * SEATS];
	size_t n = rows_entries(&fresh[0], good);

	(void)state;
	n += rows_entries(&fresh[1], good + n);
	assert_int_equal(n, 2 * SEATS);
	for (size_t i = 0; i < 500; i++) {
		size_t mark = w->arena.n;

		memcpy(entries, good, sizeof good);
		exchange(entries);
		refused_at(w->size, entries, n);
		w->arena.n = mark;
	}
	for (size_t i = 0; i < 100; i++)
		refused_at(w->size + 1 + draw(1000), good, n); /* a log that is not there */
	world_extend(w, good, n);
	for (size_t i = 0; i < 100; i++) { /* what is there already, once more at the end */
		memcpy(entries, good, sizeof good);
		refused_at(w->size, entries, 1 + (size_t)draw(n));
	}
}

static void
a_hold_does_not_come_back_after_its_end(void **state)
{
	char members[200], hex[33];
	uint8_t serial[16];
	struct bytes hold, end, approval;
	struct signed_entry first, second;
	struct rows r;

	(void)state;
	serial_of(records[2], serial);
	hex_encode(bytes_of(serial, sizeof serial), hex);
	snprintf(members, sizeof members,
	        "\"ground\":\"S01\",\"effective_at\":\"2026-10-18\",\"until\":\"2026-11-10\","
	        "\"serials\":[\"%s\"]",
	        hex);
	hold = order_sign(w, WANG, "suspend", members);
	assert_int_equal(ask_order(w, hold, NULL, 0, &records[2], 1, &r), ERR_OK);
	first = r.rows[0].e;
	world_extend(w, &first, 1);
	w->now += 10;
	snprintf(members, sizeof members, "\"serials\":[\"%s\"]", hex);
	end = order_sign(w, WANG, "reinstate", members);
	approval = world_approve(w, LI, end);
	assert_int_equal(ask_order(w, end, &approval, 1, &records[2], 1, &r), ERR_OK);
	second = r.rows[0].e;
	world_extend(w, &second, 1);
	for (size_t i = 0; i < 100; i++) {
		size_t mark = w->arena.n;
		struct signed_entry both[2] = {second, first};

		nothing_given(ask_order(w, hold, NULL, 0, &records[2], 1, NULL), false);
		nothing_given(ask_order(w, end, &approval, 1, &records[2], 1, NULL), false);
		refused_at(w->size, &first, 1);
		refused_at(w->size, both, 2);
		w->arena.n = mark;
	}
}

static void
so_many_messages_were_told(void **state)
{
	(void)state;
	printf("# %zu messages\n", told);
	assert_true(told >= MESSAGES);
}

/* ---- the publisher's side ---- */

static void
a_head_or_list_that_falls_back_is_refused(void **state)
{
	struct bytes note, receipt, token;
	struct list_answer list;
	uint64_t size;

	(void)state;
	token = world_checkpoint(w);
	assert_true(token.n > 0);
	size = w->size;
	world_issue(w, 5000, 2);
	token = world_checkpoint(w);
	assert_true(token.n > 0);
	assert_int_equal(ask_checkpoint(w, size, &note, &receipt), ERR_SIZE); /* signed before */
	for (uint64_t i = 0; i < 100; i++)
		assert_int_equal(ask_checkpoint(w, draw(size), &note, &receipt), ERR_SIZE);
	assert_int_equal(ask_checkpoint(w, w->size + 1, &note, &receipt), ERR_SIZE);
	assert_int_equal(ask_list(w, 0, &list), ERR_OK);
	world_extend(w, &list.e, 1);
	assert_int_equal(ask_list(w, 0, &list), ERR_VERSION); /* in the same second */
	w->now += 10;
	assert_int_equal(ask_list(w, 0, &list), ERR_OK);
	w->now -= 20;
	assert_int_not_equal(ask_list(w, 0, &list), ERR_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(
	                a_changed_or_cut_session_gives_nothing, make, unmake),
	        cmocka_unit_test_setup_teardown(a_changed_or_cut_order_gives_nothing, make, unmake),
	        cmocka_unit_test_setup_teardown(
	                another_spelling_of_a_signature_gives_nothing, make, unmake),
	        cmocka_unit_test_setup_teardown(forged_and_old_requests_give_nothing, make, unmake),
	        cmocka_unit_test_setup_teardown(replayed_requests_give_nothing, make, unmake),
	        cmocka_unit_test_setup_teardown(exchanged_entries_are_not_appended, make, unmake),
	        cmocka_unit_test_setup_teardown(
	                a_hold_does_not_come_back_after_its_end, make, unmake),
	        cmocka_unit_test(so_many_messages_were_told),
	        cmocka_unit_test_setup_teardown(
	                a_head_or_list_that_falls_back_is_refused, make, unmake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
