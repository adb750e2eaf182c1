/* test_evidence.c - a decision rests on signatures of the right people over the right bytes at the
 * right time, and on nothing less. */
#include "evidence.h"
#include "people.h"

#include <jansson.h>

enum { ROOM = 65536 };

static struct people people;
static struct roster *roster;
static struct field *field;
static uint8_t room[ROOM]; /* what a test signs */
static struct buf out;

static int
make(void **state)
{
	static uint8_t roster_room[ROOM];
	struct buf b = BUF_OF(roster_room);

	(void)state;
	people_make(&people);
	people_roster(&people, 1, 1000, &b);
	return roster_read(buf_bytes(&b), people.root, &roster) != ERR_OK ||
	       field_open(&field) != ERR_OK;
}

static int
unmake(void **state)
{
	(void)state;
	roster_free(roster);
	field_free(field);
	people_free(&people);
	return 0;
}

static int
clear(void **state)
{
	(void)state;
	out = BUF_OF(room);
	return 0;
}

static enum err
opened(struct bytes jws, int64_t now)
{
	struct evidence ev;
	enum err e = evidence_open(jws, roster, field, now, &ev);

	if (e == ERR_OK)
		evidence_free(&ev);
	return e;
}

static struct bytes
revoke_by(enum who who)
{
	static const uint8_t serials[1][16] = {{1}};

	return revoke_sign(people.keys[who], NOW, serials, 1, &out);
}

static struct bytes
approval_by(enum who who, struct bytes request)
{
	return approval_sign(people.keys[who], request, &consent_usual, &out);
}

/* ---- the published requests ---- */

static struct bytes
text_of(const json_t *object, const char *name)
{
	return bytes_of_text(json_string_value(json_object_get(object, name)));
}

/* Ed25519: the same payload under the same key gives the same JWS. */
static void
signed_again(const json_t *row, const char *typ)
{
	struct key *k = NULL;

	out = BUF_OF(room);
	assert_int_equal(key_read_pem(text_of(row, "private_key"), &k), ERR_OK);
	assert_true(bytes_equal_text(text_of(row, "kid"), key_thumb_text(k)));
	assert_int_equal(jws_sign(k, typ, text_of(row, "payload"), &out), ERR_OK);
	assert_true(bytes_equal(buf_bytes(&out), text_of(row, "jws")));
	key_free(k);
}

static void
the_published_requests_are_made_again_and_complete(void **state)
{
	json_t *rows = json_load_file(
	        SOURCE_DIR "/tests/vectors/request.json", JSON_REJECT_DUPLICATES, NULL);
	json_t *row, *approval;
	size_t i, k;

	(void)state;
	assert_int_equal(json_array_size(rows), 2);
	json_array_foreach(rows, i, row)
	{
		struct evidence ev;
		char id[2 * SHA256_BYTES + 1];

		signed_again(row, REQUEST_TYP);
		assert_int_equal(
		        evidence_open(text_of(row, "jws"), roster, field, NOW + 100, &ev), ERR_OK);
		hex_encode(bytes_of(ev.jws.hash, SHA256_BYTES), id);
		assert_true(bytes_equal_text(text_of(row, "request"), id));
		assert_int_equal(evidence_complete(&ev), i == 0);
		json_array_foreach(json_object_get(row, "approvals"), k, approval)
		{
			signed_again(approval, APPROVAL_TYP);
			assert_int_equal(
			        evidence_add(&ev, text_of(approval, "jws"), roster, NOW + 100),
			        ERR_OK);
		}
		assert_true(evidence_complete(&ev));
		assert_int_equal(ev.request.type, i == 0 ? REQUEST_ISSUE : REQUEST_REVOKE);
		evidence_free(&ev);
	}
	json_decref(rows);
}

/* ---- requests ---- */

static void
a_session_of_its_centre_needs_nobody_else(void **state)
{
	struct session s = session_of(1, 3);
	struct bytes jws = session_sign(&s, people.keys[CENTER], &out);
	struct evidence ev;

	(void)state;
	assert_int_equal(evidence_open(jws, roster, field, NOW, &ev), ERR_OK);
	assert_int_equal(ev.request.seat_count, 3);
	assert_int_equal(ev.needed, 0);
	assert_int_equal(ev.signed_by, 0);
	assert_true(evidence_complete(&ev));
	assert_true(bytes_equal_text(ev.sender->code, "330106-01"));
	assert_true(bytes_equal_text(ev.session.policy->id, "SP-19"));
	evidence_free(&ev);
}

static void
a_late_session_needs_one_official(void **state)
{
	struct session s = session_of(1, 1);
	struct bytes jws;
	struct evidence ev;

	(void)state;
	s.exam_age_days = EXAM_LATE_DAYS;
	jws = session_sign(&s, people.keys[CENTER], &out);
	assert_int_equal(evidence_open(jws, roster, field, NOW, &ev), ERR_OK);
	assert_true(evidence_complete(&ev));
	evidence_free(&ev);
	s.exam_age_days = EXAM_LATE_DAYS + 1;
	jws = session_sign(&s, people.keys[CENTER], &out);
	assert_int_equal(evidence_open(jws, roster, field, NOW, &ev), ERR_OK);
	assert_false(evidence_complete(&ev));
	/* another key of a centre is no official */
	assert_int_equal(evidence_add(&ev, approval_by(CENTER_AGAIN, jws), roster, NOW), ERR_ROLE);
	assert_false(evidence_complete(&ev));
	assert_int_equal(evidence_add(&ev, approval_by(LI, jws), roster, NOW), ERR_OK);
	assert_true(evidence_complete(&ev));
	evidence_free(&ev);
}

static void
requests_of_the_wrong_people_are_refused_by_name(void **state)
{
	static const struct {
		const char *what;
		enum who by;
		bool issue;
		enum err want;
	} rows[] = {
	        {"a session by its centre", CENTER, true, ERR_OK},
	        {"by another key of it", CENTER_AGAIN, true, ERR_OK},
	        {"by another centre", SHENZHEN, true, ERR_CENTER},
	        {"by an official", WANG, true, ERR_ROLE},
	        {"by a stranger", STRANGER, true, ERR_KID_UNKNOWN},
	        {"a revocation by an official", WANG, false, ERR_OK},
	        {"by a centre", CENTER, false, ERR_ROLE},
	        {"by a stranger", STRANGER, false, ERR_KID_UNKNOWN},
	        {"by a key of tomorrow", LATE, false, ERR_KEY_EXPIRED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct session s = session_of(1, 1);
		struct bytes jws = rows[i].issue ? session_sign(&s, people.keys[rows[i].by], &out)
		                                 : revoke_by(rows[i].by);
		enum err e = opened(jws, NOW);

		if (e != rows[i].want)
			fail_msg("%s: %s", rows[i].what, err_word(e));
	}
	assert_int_equal(opened(revoke_by(LATE), NOW + DAY_S), ERR_OK);
}

static void
requests_count_within_their_times_only(void **state)
{
	struct session s = session_of(1, 1);
	struct bytes issue = session_sign(&s, people.keys[CENTER], &out);
	struct bytes revoke = revoke_by(WANG);

	(void)state;
	assert_int_equal(opened(issue, NOW - IAT_AHEAD_S_MAX), ERR_OK);
	assert_int_equal(opened(issue, NOW - IAT_AHEAD_S_MAX - 1), ERR_TIME_AHEAD);
	assert_int_equal(opened(issue, NOW + ISSUE_LIFETIME_S_MAX - 1), ERR_OK);
	assert_int_equal(opened(issue, NOW + ISSUE_LIFETIME_S_MAX), ERR_REQUEST_EXPIRED);
	assert_int_equal(opened(revoke, NOW + ORDER_LIFETIME_S_MAX - 1), ERR_OK);
	assert_int_equal(opened(revoke, NOW + ORDER_LIFETIME_S_MAX), ERR_REQUEST_EXPIRED);
}

/* Nothing of a stranger's payload is parsed, and no byte may change. */
static void
every_changed_byte_of_a_request_is_refused(void **state)
{
	struct bytes jws = revoke_by(WANG);

	(void)state;
	assert_int_equal(opened(jws, NOW), ERR_OK);
	for (size_t i = 0; i < jws.n; i++) {
		room[i] ^= 1;
		assert_int_not_equal(opened(jws, NOW), ERR_OK);
		room[i] ^= 1;
	}
	for (size_t n = 0; n < jws.n; n++)
		assert_int_not_equal(opened(bytes_of(jws.p, n), NOW), ERR_OK);
	assert_int_equal(opened(signed_text(people.keys[STRANGER], REQUEST_TYP, "{", &out), NOW),
	        ERR_KID_UNKNOWN);
	assert_int_equal(opened(signed_text(people.keys[WANG], REQUEST_TYP, "{", &out), NOW),
	        ERR_JSON_INVALID);
}

static void
messages_of_another_type_are_no_request_and_no_approval(void **state)
{
	struct bytes jws = revoke_by(WANG);
	struct evidence ev;

	(void)state;
	assert_int_equal(opened(approval_by(LI, jws), NOW), ERR_JWS_INVALID);
	assert_int_equal(evidence_open(jws, roster, field, NOW, &ev), ERR_OK);
	assert_int_equal(evidence_add(&ev, jws, roster, NOW), ERR_JWS_INVALID);
	assert_int_equal(evidence_add(&ev, BYTES_LIT(""), roster, NOW), ERR_JWS_INVALID);
	assert_int_equal(
	        evidence_add(&ev, bytes_of(room, APPROVAL_BYTES_MAX + 1), roster, NOW), ERR_LIMIT);
	assert_int_equal(ev.signed_by, 1);
	evidence_free(&ev);
}

/* ---- approvals ---- */

static void
two_different_officials_revoke(void **state)
{
	struct bytes jws = revoke_by(WANG);
	struct evidence ev;

	(void)state;
	assert_int_equal(evidence_open(jws, roster, field, NOW, &ev), ERR_OK);
	assert_int_equal(ev.needed, 2);
	assert_int_equal(ev.signed_by, 1);
	assert_false(evidence_complete(&ev));
	assert_int_equal(evidence_add(&ev, approval_by(LI, jws), roster, NOW), ERR_OK);
	assert_true(evidence_complete(&ev));
	assert_true(bytes_equal_text(ev.officials[0]->person, "李秀英"));
	/* a third is welcome, the same one again is not */
	assert_int_equal(evidence_add(&ev, approval_by(LI, jws), roster, NOW), ERR_APPROVAL_PERSON);
	assert_int_equal(evidence_add(&ev, approval_by(ZHANG, jws), roster, NOW), ERR_OK);
	assert_int_equal(ev.signed_by, 3);
	/* there is room for so many and no more */
	ev.official_count = REQUEST_APPROVALS_MAX;
	assert_int_equal(evidence_add(&ev, approval_by(LI, jws), roster, NOW), ERR_LIMIT);
	evidence_free(&ev);
}

/* Each is refused, and none counts: the revocation stays incomplete. */
static void
approvals_that_do_not_count_are_refused_by_name(void **state)
{
	static const struct {
		const char *what;
		enum who by;
		struct consent c;
		enum err want;
	} rows[] = {
	        {"by the sender", WANG, {NOW, NOW + 60, "approve", ""}, ERR_APPROVAL_PERSON},
	        {"by the sender's other key", WANG_AGAIN, {NOW, NOW + 60, "approve", ""},
	                ERR_APPROVAL_PERSON},
	        {"by a centre", CENTER, {NOW, NOW + 60, "approve", ""}, ERR_ROLE},
	        {"by a stranger", STRANGER, {NOW, NOW + 60, "approve", ""}, ERR_KID_UNKNOWN},
	        {"by a key of tomorrow", LATE, {NOW, NOW + 60, "approve", ""}, ERR_KEY_EXPIRED},
	        {"a rejection", LI, {NOW, NOW + 60, "reject", ""}, ERR_APPROVAL_REJECT},
	        {"of a list", LI, {NOW, NOW + 60, "approve", ",\"list_sha256\":\"" DIGEST_HEX "\""},
	                ERR_APPROVAL_OTHER},
	        {"expired", LI, {NOW - 60, NOW, "approve", ""}, ERR_REQUEST_EXPIRED},
	        {"in its last second", LI, {NOW - 60, NOW + 1, "approve", ""}, ERR_OK},
	        {"too far ahead", LI, {NOW + 301, NOW + 400, "approve", ""}, ERR_TIME_AHEAD},
	        {"as far ahead as may be", LI, {NOW + 300, NOW + 400, "approve", ""}, ERR_OK},
	        {"for too long", LI, {NOW, NOW + ORDER_LIFETIME_S_MAX + 1, "approve", ""},
	                ERR_LIFETIME},
	        {"as long as may be", LI, {NOW, NOW + ORDER_LIFETIME_S_MAX, "approve", ""}, ERR_OK},
	        {"with a member that nobody knows", LI, {NOW, NOW + 60, "approve", ",\"x\":1"},
	                ERR_FIELD_UNKNOWN},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct bytes jws = revoke_by(WANG);
		struct bytes a = approval_sign(people.keys[rows[i].by], jws, &rows[i].c, &out);
		struct evidence ev;
		enum err e;

		assert_int_equal(evidence_open(jws, roster, field, NOW, &ev), ERR_OK);
		if ((e = evidence_add(&ev, a, roster, NOW)) != rows[i].want)
			fail_msg("%s: %s", rows[i].what, err_word(e));
		assert_int_equal(evidence_complete(&ev), rows[i].want == ERR_OK);
		evidence_free(&ev);
	}
}

static void
an_approval_of_other_bytes_does_not_count(void **state)
{
	struct bytes jws = revoke_by(WANG), other = revoke_by(WANG);
	struct bytes a = approval_by(LI, other);
	struct evidence ev;

	(void)state;
	assert_int_equal(evidence_open(jws, roster, field, NOW, &ev), ERR_OK);
	assert_int_equal(evidence_add(&ev, a, roster, NOW), ERR_APPROVAL_OTHER);
	assert_false(evidence_complete(&ev));
	evidence_free(&ev);
	/* negative control: for the bytes that it names it does */
	assert_int_equal(evidence_open(other, roster, field, NOW, &ev), ERR_OK);
	assert_int_equal(evidence_add(&ev, a, roster, NOW), ERR_OK);
	assert_true(evidence_complete(&ev));
	evidence_free(&ev);
}

static void
every_changed_byte_of_an_approval_is_refused(void **state)
{
	struct bytes jws = revoke_by(WANG), a = approval_by(LI, jws);
	size_t start = (size_t)(a.p - room);
	struct evidence ev;

	(void)state;
	assert_int_equal(evidence_open(jws, roster, field, NOW, &ev), ERR_OK);
	for (size_t i = 0; i < a.n; i++) {
		room[start + i] ^= 1;
		assert_int_not_equal(evidence_add(&ev, a, roster, NOW), ERR_OK);
		room[start + i] ^= 1;
	}
	assert_int_equal(ev.signed_by, 1);
	assert_int_equal(evidence_add(&ev, a, roster, NOW), ERR_OK);
	evidence_free(&ev);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup(the_published_requests_are_made_again_and_complete, clear),
	        cmocka_unit_test_setup(a_session_of_its_centre_needs_nobody_else, clear),
	        cmocka_unit_test_setup(a_late_session_needs_one_official, clear),
	        cmocka_unit_test_setup(requests_of_the_wrong_people_are_refused_by_name, clear),
	        cmocka_unit_test_setup(requests_count_within_their_times_only, clear),
	        cmocka_unit_test_setup(every_changed_byte_of_a_request_is_refused, clear),
	        cmocka_unit_test_setup(
	                messages_of_another_type_are_no_request_and_no_approval, clear),
	        cmocka_unit_test_setup(two_different_officials_revoke, clear),
	        cmocka_unit_test_setup(approvals_that_do_not_count_are_refused_by_name, clear),
	        cmocka_unit_test_setup(an_approval_of_other_bytes_does_not_count, clear),
	        cmocka_unit_test_setup(every_changed_byte_of_an_approval_is_refused, clear),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}
