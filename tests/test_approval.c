/* test_approval.c - approvals and query tokens are read whole or refused by name, and every signed
 * time has its edges. */
#include "base64.h"
#include "request.h"

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

static void
approvals_are_read_or_refused_by_name(void **state)
{
#define APPROVAL(request, extra, decision)                                                         \
	"{\"request\":\"" request "\",\"jti\":\"" JTI "\",\"iat\":1,\"exp\":2" extra               \
	",\"decision\":\"" decision "\"}"
	static const struct {
		const char *text;
		enum err want;
	} rows[] = {
	        {APPROVAL(DIGEST, "", "approve"), ERR_OK},
	        {APPROVAL(DIGEST, ",\"list_sha256\":\"" DIGEST "\",\"reason\":\"\"", "reject"),
	                ERR_OK},
	        {APPROVAL(DIGEST, "", "accept"), ERR_FIELD_INVALID},
	        {APPROVAL(SERIAL, "", "approve"), ERR_FIELD_INVALID},
	        {APPROVAL(DIGEST, ",\"list_sha256\":\"\"", "approve"), ERR_FIELD_INVALID},
	        {APPROVAL(DIGEST, ",\"reason\":\"\\t\"", "approve"), ERR_FIELD_INVALID},
	        {APPROVAL(DIGEST, ",\"x\":1", "approve"), ERR_FIELD_UNKNOWN},
	        {"{}", ERR_FIELD_MISSING},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char *text = NULL;
		struct jws j = jws_of(bytes_of_text(rows[i].text), APPROVAL_TYP, &text);
		struct approval a;

		assert_int_equal(approval_decode(&j, &a), rows[i].want);
		if (rows[i].want == ERR_OK) {
			assert_string_equal(a.jti, JTI);
			assert_int_equal(a.approve, i == 0);
			assert_int_equal(a.has_list, i == 1);
			assert_int_equal(a.request[2], 0x22);
		}
		free(text);
	}
}

static void
queries_are_read_or_refused_by_name(void **state)
{
	static const struct {
		const char *text;
		enum err want;
	} rows[] = {
	        {"{\"aud\":\"/v1/"
	         "holder\",\"iat\":1,\"exp\":2,\"document\":\"33X\",\"type\":\"01\"}",
	                ERR_OK},
	        {"{\"aud\":\"/v1/requests\",\"iat\":1,\"exp\":2}", ERR_OK},
	        {"{\"aud\":\"v1\",\"iat\":1,\"exp\":2}", ERR_FIELD_INVALID},
	        {"{\"aud\":\"/\",\"iat\":1,\"exp\":2,\"document\":\"1\"}", ERR_FIELD_INVALID},
	        {"{\"aud\":\"/\",\"iat\":1,\"exp\":2,\"document\":\"\",\"type\":\"01\"}",
	                ERR_FIELD_INVALID},
	        {"{\"aud\":\"/\",\"iat\":1,\"exp\":2,\"document\":\"1\",\"type\":\"001\"}",
	                ERR_FIELD_INVALID},
	        {"{\"aud\":\"/\",\"iat\":1}", ERR_FIELD_MISSING},
	        {"{\"aud\":\"/\",\"iat\":1,\"exp\":2,\"jti\":\"\"}", ERR_FIELD_UNKNOWN},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char *text = NULL;
		struct jws j = jws_of(bytes_of_text(rows[i].text), QUERY_TYP, &text);
		struct query q;

		assert_int_equal(query_decode(&j, &q), rows[i].want);
		if (i == 0) {
			assert_string_equal(q.aud, "/v1/holder");
			assert_string_equal(q.document, "33X");
			assert_string_equal(q.type, "01");
		}
		free(text);
	}
}

static void
times_are_checked_at_their_edges(void **state)
{
	static const struct {
		int64_t iat, exp, now;
		enum err want;
	} rows[] = {
	        {1000, 1000 + ISSUE_LIFETIME_S_MAX, 1000, ERR_OK},
	        {1000, 1001 + ISSUE_LIFETIME_S_MAX, 1000, ERR_LIFETIME},
	        {1300, 2000, 1000, ERR_OK},
	        {1301, 2000, 1000, ERR_TIME_AHEAD},
	        {1000, 2000, 1999, ERR_OK},
	        {1000, 2000, 2000, ERR_REQUEST_EXPIRED},
	        {1200, 1200, 1000, ERR_LIFETIME},
	        {1200, 1100, 1000, ERR_LIFETIME},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_int_equal(request_times_check(rows[i].iat, rows[i].exp, ISSUE_LIFETIME_S_MAX,
		                         rows[i].now),
		        rows[i].want);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(approvals_are_read_or_refused_by_name),
	        cmocka_unit_test(queries_are_read_or_refused_by_name),
	        cmocka_unit_test(times_are_checked_at_their_edges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
