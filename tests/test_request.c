/* test_request.c - every member of a payload is known, typed and bounded, and every fault has its
 * own word. */
#include "request.h"

#include "base64.h"
#include "date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DIGEST "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define JTI "0123456789abcdefghij-_"
#define SERIAL "00112233445566778899aabbccddeeff"
/* clang-format off */
#define SEAT                                                                                           \
	"{\"seat\":1,\"name\":\"买买提·艾力\",\"sex\":\"M\",\"doc_type\":\"01\",\"doc_number\":" \
	"\"330000199608213897\","                                                                      \
	"\"theory\":95.8,\"practical\":80,\"photo_sha256\":\"" DIGEST                                  \
	"\",\"evidence_sha256\":\"" DIGEST "\"}"

static const char issue[] =
        "{\"type\":\"issue\",\"jti\":\"" JTI "\",\"iat\":1792224000,\"exp\":1792310400,"
        "\"session\":{\"id\":\"330106-2026-10-0042\",\"center\":\"330106-01\",\"region\":"
        "\"330000\",\"item\":\"030102\","
        "\"basis\":\"initial\",\"theory_at\":\"2026-10-17T09:00:00+08:00\","
        "\"practical_at\":\"2026-10-17T14:00:00+08:00\",\"paper_sha256\":\"" DIGEST
        "\",\"recording_sha256\":\"" DIGEST
        "\",\"examiners\":[\"E33-0069\",\"E33-0692\"]},\"results\":[" SEAT "]}";

static const char revoke[] = "{\"type\":\"revoke\",\"jti\":\"" JTI
                             "\",\"iat\":1792224000,\"exp\":1792310400,\"ground\":\"R05\","
                             "\"decision_no\":\"应急〔2026〕1号\",\"decided_at\":\"2026-11-02\","
                             "\"effective_at\":\"2026-10-17\","
                             "\"serials\":[\"" SERIAL "\",\"ffeeddccbbaa99887766554433221100\"]}";

/* clang-format on */

static struct jws
jws_of(struct bytes payload, const char *typ, char **text)
{
	struct jws j;
	struct buf b;
	size_t room = BASE64URL_CHARS(payload.n) + 1;

	memset(&j, 0, sizeof j);
	snprintf(j.typ, sizeof j.typ, "%s", typ);
	*text = malloc(room);
	b = buf_init(*text, room);
	base64url_put(&b, payload);
	j.payload_text = buf_bytes(&b);
	return j;
}

static enum err
decode(const char *payload, struct request *r)
{
	char *text = NULL;
	struct jws j = jws_of(bytes_of_text(payload), REQUEST_TYP, &text);
	enum err e = request_decode(&j, r);

	free(text);
	return e;
}

/* The payload with the first `from` replaced by `to`. */
static char *
changed(const char *payload, const char *from, const char *to)
{
	const char *at = strstr(payload, from);
	size_t n = strlen(payload) + strlen(to) + 1;
	char *out = malloc(n);

	assert_non_null(at);
	snprintf(out, n, "%.*s%s%s", (int)(at - payload), payload, to, at + strlen(from));
	return out;
}

struct change {
	const char *from, *to;
	enum err want;
};

static void
check_changes(const char *payload, const struct change *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct request r;
		char *text = changed(payload, rows[i].from, rows[i].to);
		enum err e = decode(text, &r);

		if (e != rows[i].want)
			fail_msg("%s -> %s: %s, want %s", rows[i].from, rows[i].to, err_word(e),
			        err_word(rows[i].want));
		if (e == ERR_OK)
			request_free(&r);
		free(text);
	}
}

static void
an_issue_request_is_read_whole(void **state)
{
	struct request r;

	(void)state;
	assert_int_equal(decode(issue, &r), ERR_OK);
	assert_int_equal(r.type, REQUEST_ISSUE);
	assert_true(bytes_equal_text(r.jti, JTI));
	assert_int_equal(r.iat, 1792224000);
	assert_int_equal(r.exp, 1792310400);
	assert_true(bytes_equal_text(r.session.center, "330106-01"));
	assert_true(bytes_equal_text(r.session.basis, "initial"));
	assert_true(bytes_equal_text(r.session.examiners[1], "E33-0692"));
	assert_int_equal(r.session.practical_at - r.session.theory_at, 5 * 3600);
	assert_int_equal(r.session.paper_sha256[1], 0x11);
	assert_int_equal(r.seat_count, 1);
	assert_int_equal(r.seats[0].seat, 1);
	assert_true(bytes_equal_text(r.seats[0].name, "买买提·艾力"));
	assert_true(r.seats[0].theory > 95.79 && r.seats[0].theory < 95.81);
	assert_true(r.seats[0].practical > 79.9 && r.seats[0].practical < 80.1);
	assert_int_equal(r.seats[0].follows.n, 0);
	request_free(&r);
}

static void
a_revocation_is_read_whole(void **state)
{
	struct request r;

	(void)state;
	assert_int_equal(decode(revoke, &r), ERR_OK);
	assert_int_equal(r.type, REQUEST_REVOKE);
	assert_true(bytes_equal_text(r.ground, "R05"));
	assert_int_equal(r.decided_at, date_from_civil(2026, 11, 2));
	assert_int_equal(r.effective_at, date_from_civil(2026, 10, 17));
	assert_int_equal(r.serial_count, 2);
	assert_int_equal(r.serials[1][0], 0xff);
	request_free(&r);
}

static void
changes_of_an_issue_request_are_answered_by_name(void **state)
{
	static const struct change rows[] = {
	        {"\"issue\"", "\"issues\"", ERR_TYPE_UNKNOWN},
	        {"\"issue\"", "\"suspend\"", ERR_FIELD_MISSING},
	        {"\"issue\"", "\"replace\"", ERR_FIELD_MISSING},
	        {"\"issue\"", "\"withdraw\"", ERR_FIELD_MISSING},
	        {"\"issue\"", "1", ERR_FIELD_INVALID},
	        {"\"type\":\"issue\",", "", ERR_FIELD_MISSING},
	        {"\"type\"", "\"x\":1,\"type\"", ERR_FIELD_UNKNOWN},
	        {"\"id\"", "\"x\":1,\"id\"", ERR_FIELD_UNKNOWN},
	        {"\"seat\"", "\"x\":1,\"seat\"", ERR_FIELD_UNKNOWN},
	        {"\"type\"", "\"type\":\"issue\",\"type\"", ERR_JSON_DUPLICATE},
	        {"\"seat\"", "\"seat\":1,\"seat\"", ERR_JSON_DUPLICATE},
	        {JTI, "0123456789abcdefghijk", ERR_JTI_INVALID},
	        {JTI, "0123456789abcdefghij+/", ERR_JTI_INVALID},
	        {JTI, "0123456789012345678901234567890123456789012345678901234567890123", ERR_OK},
	        {JTI, "01234567890123456789012345678901234567890123456789012345678901234",
	                ERR_JTI_INVALID},
	        {"1792224000", "-1", ERR_FIELD_INVALID},
	        {"1792224000", "1792224000.0", ERR_FIELD_INVALID},
	        {"1792224000", "\"1792224000\"", ERR_FIELD_INVALID},
	        {"1792310400", "253402300799", ERR_OK},
	        {"1792310400", "253402300800", ERR_FIELD_INVALID},
	        {"1792310400", "99999999999999999999999", ERR_JSON_INVALID},
	        {"330106-2026-10-0042", "", ERR_FIELD_INVALID},
	        {"330106-2026-10-0042", "a\\nb", ERR_FIELD_INVALID},
	        {"330106-2026-10-0042", "a\\u0085b", ERR_FIELD_INVALID},
	        {"330106-2026-10-0042", "a\\u0000b", ERR_JSON_INVALID},
	        {"\"330000\"", "\"33000\"", ERR_FIELD_INVALID},
	        {"\"330000\"", "\"33000x\"", ERR_FIELD_INVALID},
	        {"\"basis\":\"initial\",", "", ERR_OK},
	        {"\"basis\":\"initial\"", "\"basis\":1", ERR_FIELD_INVALID},
	        {"2026-10-17T09:00:00+08:00", "2026-10-17T09:00:00", ERR_FIELD_INVALID},
	        {"2026-10-17T09:00:00+08:00", "2026-02-30T09:00:00+08:00", ERR_FIELD_INVALID},
	        {"\"" DIGEST "\",\"recording", "\"" SERIAL "\",\"recording", ERR_FIELD_INVALID},
	        {",\"E33-0692\"", "", ERR_EXAMINERS},
	        {"\"E33-0692\"", "\"E33-0692\",\"E33-0693\"", ERR_EXAMINERS},
	        {"\"E33-0692\"", "2", ERR_FIELD_INVALID},
	        {"\"E33-0692\"", "\"\"", ERR_FIELD_INVALID},
	        {SEAT, "", ERR_SEATS},
	        {SEAT, "1", ERR_FIELD_INVALID},
	        {"\"seat\":1", "\"seat\":0", ERR_SEATS},
	        {"\"seat\":1", "\"seat\":5000", ERR_OK},
	        {"\"seat\":1", "\"seat\":5001", ERR_SEATS},
	        {"\"seat\":1", "\"seat\":1.0", ERR_FIELD_INVALID},
	        {"\"seat\":1", "\"seat\":\"1\"", ERR_FIELD_INVALID},
	        {"95.8", "\"95.8\"", ERR_FIELD_INVALID},
	        {"95.8", "true", ERR_FIELD_INVALID},
	        {"95.8", "-1e3", ERR_OK},
	        {"\"sex\":\"M\",", "", ERR_FIELD_MISSING},
	        {"\"sex\":\"M\"", "\"sex\":\"\"", ERR_OK},
	        {"\"photo_sha256\":\"" DIGEST "\"", "\"photo_sha256\":\"no digest\"", ERR_OK},
	        {"\"sex\"", "\"follows\":\"" SERIAL "\",\"sex\"", ERR_OK},
	        {"\"sex\"", "\"follows\":\"\",\"sex\"", ERR_FIELD_INVALID},
	        {"\"sex\"", "\"follows\":\"00112233445566778899AABBCCDDEEFF\",\"sex\"",
	                ERR_FIELD_INVALID},
	        {"\"results\"", "\"serials\":[],\"results\"", ERR_FIELD_UNKNOWN},
	        {"{\"type\"", "[{\"type\"", ERR_JSON_INVALID},
	        {"\"E33-0692\"", "[[[[[]]]]]", ERR_JSON_TOO_DEEP},
	};

	(void)state;
	check_changes(issue, rows, sizeof rows / sizeof rows[0]);
}

static void
changes_of_a_revocation_are_answered_by_name(void **state)
{
	static const struct change rows[] = {
	        {"\"serials\":[\"" SERIAL "\",\"ffeeddccbbaa99887766554433221100\"]",
	                "\"select\":{}", ERR_FIELD_INVALID},
	        {"\"serials\"", "\"select\":{},\"serials\"", ERR_FIELD_INVALID},
	        {"\"" SERIAL "\",\"ffeeddccbbaa99887766554433221100\"", "", ERR_FIELD_INVALID},
	        {"ffeeddccbbaa99887766554433221100", SERIAL, ERR_FIELD_INVALID},
	        {"ffeeddccbbaa99887766554433221100", "ffeeddccbbaa9988776655443322110",
	                ERR_FIELD_INVALID},
	        {"ffeeddccbbaa99887766554433221100", "FFEEDDCCBBAA99887766554433221100",
	                ERR_FIELD_INVALID},
	        {"\"ffeeddccbbaa99887766554433221100\"", "1", ERR_FIELD_INVALID},
	        {"2026-11-02", "2026-11-31", ERR_FIELD_INVALID},
	        {"2026-11-02", "2026-11-02T00:00:00Z", ERR_FIELD_INVALID},
	        {"\"decision_no\"", "\"x\"", ERR_FIELD_MISSING},
	        {"应急〔2026〕1号", "", ERR_FIELD_INVALID},
	        {"\"R05\"", "\"\"", ERR_FIELD_INVALID},
	        {"\"revoke\"", "\"reinstate\"", ERR_FIELD_UNKNOWN},
	        {"\"revoke\"", "\"stop\"", ERR_FIELD_UNKNOWN},
	        {"\"revoke\"", "\"resume\"", ERR_FIELD_UNKNOWN},
	        {"\"revoke\"", "\"issue\"", ERR_FIELD_MISSING},
	};

	(void)state;
	check_changes(revoke, rows, sizeof rows / sizeof rows[0]);
}

/* A request with `count` rows between head and tail; row is written anew for each with its number.
 */
static char *
many(const char *payload, const char *row, size_t count)
{
	const char *at = strstr(payload, row);
	size_t n = strlen(row), used = (size_t)(at - payload);
	char *out = malloc(strlen(payload) + count * (n + 8) + 1);

	memcpy(out, payload, used);
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			out[used++] = ',';
		memcpy(out + used, row, n);
		if (row[0] == '"') { /* serials differ */
			char digits[9];

			snprintf(digits, sizeof digits, "%08x", (unsigned)i);
			memcpy(out + used + 1, digits, 8);
		}
		used += n;
	}
	memcpy(out + used, at + n, strlen(at + n) + 1);
	return out;
}

static void
counts_are_bounded_at_their_edge(void **state)
{
	static const struct {
		const char *payload, *row;
		size_t count;
		enum err want;
	} rows[] = {
	        {issue, SEAT, REQUEST_SEATS_MAX, ERR_OK},
	        {issue, SEAT, REQUEST_SEATS_MAX + 1, ERR_SEATS},
	        {revoke, "\"ffeeddccbbaa99887766554433221100\"", REQUEST_SERIALS_MAX - 1, ERR_OK},
	        {revoke, "\"ffeeddccbbaa99887766554433221100\"", REQUEST_SERIALS_MAX, ERR_LIMIT},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct request r;
		char *text = many(rows[i].payload, rows[i].row, rows[i].count);

		/* serial 0011… of the template is also a written one: make them differ */
		if (rows[i].payload == revoke)
			memcpy(strstr(text, SERIAL), "ffffffff", 8);
		assert_int_equal(decode(text, &r), rows[i].want);
		if (rows[i].want == ERR_OK)
			request_free(&r);
		free(text);
	}
}

static void
a_body_at_its_limit_passes_and_one_byte_more_is_refused(void **state)
{
	size_t n = strlen(issue);
	char *text = malloc((size_t)REQUEST_BYTES_MAX + 2);
	struct request r;

	(void)state;
	memcpy(text, issue, n);
	memset(text + n, ' ', (size_t)REQUEST_BYTES_MAX + 1 - n);
	text[REQUEST_BYTES_MAX] = '\0';
	assert_int_equal(decode(text, &r), ERR_OK);
	request_free(&r);
	text[REQUEST_BYTES_MAX] = ' ';
	text[REQUEST_BYTES_MAX + 1] = '\0';
	assert_int_equal(decode(text, &r), ERR_LIMIT);
	free(text);
}

static void
text_at_its_limit_passes_and_one_byte_more_is_refused(void **state)
{
	char id[TEXT_BYTES_MAX + 2];
	struct request r;
	char *text = NULL;

	(void)state;
	memset(id, 'a', sizeof id);
	id[TEXT_BYTES_MAX] = '\0';
	text = changed(issue, "330106-2026-10-0042", id);
	assert_int_equal(decode(text, &r), ERR_OK);
	request_free(&r);
	free(text);
	id[TEXT_BYTES_MAX] = 'a';
	id[TEXT_BYTES_MAX + 1] = '\0';
	text = changed(issue, "330106-2026-10-0042", id);
	assert_int_equal(decode(text, &r), ERR_FIELD_INVALID);
	free(text);
}

static void
every_prefix_is_refused(void **state)
{
	struct request r;

	(void)state;
	for (size_t n = 0; n < sizeof issue - 1; n++) {
		char *text = malloc(n + 1);

		memcpy(text, issue, n);
		text[n] = '\0';
		assert_int_not_equal(decode(text, &r), ERR_OK);
		free(text);
	}
}

/* A change may give another valid request, but never one that is read as the first. */
static void
no_changed_byte_is_overlooked(void **state)
{
	char text[sizeof issue];

	(void)state;
	for (size_t i = 0; i + 1 < sizeof issue; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			struct request r;
			json_t *before = NULL;

			memcpy(text, issue, sizeof text);
			text[i] = (char)(text[i] ^ (1 << bit));
			if (decode(text, &r) != ERR_OK)
				continue;
			assert_int_equal(
			        json_read(BYTES_LIT(issue), sizeof issue, &before), ERR_OK);
			assert_false(json_equal(before, r.json));
			json_decref(before);
			request_free(&r);
		}
}

static void
another_typ_is_refused(void **state)
{
	char *text = NULL;
	struct jws j = jws_of(BYTES_LIT(issue), APPROVAL_TYP, &text);
	struct request r;

	(void)state;
	assert_int_equal(request_decode(&j, &r), ERR_JWS_INVALID);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(an_issue_request_is_read_whole),
	        cmocka_unit_test(a_revocation_is_read_whole),
	        cmocka_unit_test(changes_of_an_issue_request_are_answered_by_name),
	        cmocka_unit_test(changes_of_a_revocation_are_answered_by_name),
	        cmocka_unit_test(counts_are_bounded_at_their_edge),
	        cmocka_unit_test(a_body_at_its_limit_passes_and_one_byte_more_is_refused),
	        cmocka_unit_test(text_at_its_limit_passes_and_one_byte_more_is_refused),
	        cmocka_unit_test(every_prefix_is_refused),
	        cmocka_unit_test(no_changed_byte_is_overlooked),
	        cmocka_unit_test(another_typ_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
