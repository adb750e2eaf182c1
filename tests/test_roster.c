/* test_roster.c - a roster is taken whole or not at all, and nobody gets in by its bytes alone. */
#include "roster.h"

#include "base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* the formatter takes "operator" for the word of C++ */
/* clang-format off */

#define CENTER \
	"{\"code\":\"330106-01\",\"name\":\"某考试点\",\"uscc\":\"91110000600037341L\",\"regions\":[\"330000\"]," \
	"\"items\":[\"03\",\"0101\"],\"daily_cap\":20000}"
#define APPROVALS \
	"{\"issue\":0,\"issue_late\":1,\"revoke\":2,\"suspend\":1,\"reinstate\":2,\"replace\":1,\"stop\":1,\"resume\":2}"

static struct key *root, *center, *official, *second;
static char payload[8000], second_operator[1500];

static void
jwk_put(const struct key *k, char *out, size_t n)
{
	uint8_t room[200];
	struct buf b = BUF_OF(room);
	struct bytes p = key_public(k);

	base64url_put(&b, bytes_of(p.p, 32));
	buf_put_u8(&b, 0);
	if (p.n == 64)
		base64url_put(&b, bytes_of(p.p + 32, 32));
	buf_put_u8(&b, 0);
	if (p.n == 64)
		snprintf(out, n, "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%.43s\",\"y\":\"%.43s\"}", (char *)room,
			(char *)room + 44);
	else
		snprintf(out, n, "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"%.43s\"}", (char *)room);
}

static void
operator_put(const struct key *k, const char *person, const char *center_json, char *out, size_t n)
{
	char jwk[200];

	jwk_put(k, jwk, sizeof jwk);
	snprintf(out, n, "{\"kid\":\"%s\",\"jwk\":%s,\"person\":\"%s\",\"role\":\"%s\"%s%s,\"not_before\":1000,"
		"\"not_after\":2000}", key_thumb_text(k), jwk, person, center_json == NULL ? "official" : "center",
		center_json == NULL ? "" : ",\"center\":", center_json == NULL ? "" : center_json);
}

static int
make_keys(void **state)
{
	char a[1500], b[1500];

	(void)state;
	if (key_generate(KEY_ES256, &root) != ERR_OK || key_generate(KEY_ES256, &center) != ERR_OK ||
		key_generate(KEY_ED25519, &official) != ERR_OK || key_generate(KEY_ES256, &second) != ERR_OK)
		return -1;
	operator_put(center, "赵敏", CENTER, a, sizeof a);
	operator_put(official, "王建国", NULL, b, sizeof b);
	operator_put(second, "钱进", CENTER, second_operator, sizeof second_operator);
	snprintf(payload, sizeof payload, "{\"version\":3,\"iat\":500,\"exp\":5000,\"operators\":[%s,%s],\"approvals\":%s}",
		a, b, APPROVALS);
	return 0;
}

static int
free_keys(void **state)
{
	(void)state;
	key_free(root);
	key_free(center);
	key_free(official);
	key_free(second);
	return 0;
}

static enum err
read_signed(const char *text, const struct key *by, const char *typ, struct roster **out)
{
	static uint8_t room[20000];
	struct buf b = BUF_OF(room);

	assert_int_equal(jws_sign(by, typ, bytes_of_text(text), &b), ERR_OK);
	return roster_read(buf_bytes(&b), root, out);
}

static void
a_signed_roster_is_read_whole(void **state)
{
	struct roster *r = NULL;
	const struct operator *o = NULL;

	(void)state;
	assert_int_equal(read_signed(payload, root, ROSTER_TYP, &r), ERR_OK);
	assert_int_equal(roster_version(r), 3);
	assert_int_equal(roster_exp(r), 5000);
	o = roster_find(r, key_thumb_text(center));
	assert_non_null(o);
	assert_int_equal(o->role, ROLE_CENTER);
	assert_true(bytes_equal_text(o->items[1], "0101"));
	assert_int_equal(o->daily_cap, 20000);
	assert_ptr_equal(roster_center(r, BYTES_LIT("330106-01")), o);
	assert_null(roster_center(r, BYTES_LIT("330106-02")));
	assert_null(roster_center(r, BYTES_LIT("330106-0")));
	o = roster_find(r, key_thumb_text(official));
	assert_non_null(o);
	assert_int_equal(o->role, ROLE_OFFICIAL);
	assert_true(bytes_equal_text(o->person, "王建国"));
	assert_null(roster_find(r, key_thumb_text(root)));
	roster_free(r);
}

static void
officials_needed_are_never_below_the_floor(void **state)
{
	struct roster *r = NULL;

	(void)state;
	assert_int_equal(read_signed(payload, root, ROSTER_TYP, &r), ERR_OK);
	assert_int_equal(roster_officials(r, REQUEST_ISSUE, false), 0);
	assert_int_equal(roster_officials(r, REQUEST_ISSUE, true), 1);
	assert_int_equal(roster_officials(r, REQUEST_REVOKE, false), 2);
	assert_int_equal(roster_officials(r, REQUEST_REVOKE, true), 2);
	assert_int_equal(roster_officials(r, REQUEST_RESUME, false), 2);
	assert_int_equal(roster_officials(r, REQUEST_WITHDRAW, false), 0);
	roster_free(r);
}

static void
only_the_root_and_its_typ_count(void **state)
{
	struct roster *r = NULL;

	(void)state;
	assert_int_equal(read_signed(payload, center, ROSTER_TYP, &r), ERR_KID_UNKNOWN);
	assert_int_equal(read_signed(payload, root, REQUEST_TYP, &r), ERR_JWS_INVALID);
}

struct change {
	const char *from, *to;
	enum err want;
};

static void
faults_refuse_the_whole_roster(void **state)
{
	static const struct change rows[] = {
		{"\"version\":3", "\"version\":4", ERR_OK},
		{"\"version\":3", "\"version\":0", ERR_CONFIG},
		{"\"version\":3", "\"version\":\"3\"", ERR_FIELD_INVALID},
		{"\"exp\":5000", "\"exp\":500", ERR_CONFIG},
		{"\"revoke\":2", "\"revoke\":3", ERR_OK},
		{"\"revoke\":2", "\"revoke\":1", ERR_CONFIG},
		{"\"revoke\":2", "\"revoke\":0", ERR_CONFIG},
		{"\"revoke\":2", "\"revoke\":9", ERR_CONFIG},
		{"\"revoke\":2,", "", ERR_FIELD_MISSING},
		{"\"issue_late\":1", "\"issue_late\":0", ERR_CONFIG},
		{"\"suspend\":1", "\"suspend\":0", ERR_CONFIG},
		{"\"reinstate\":2", "\"reinstate\":1", ERR_CONFIG},
		{"\"replace\":1", "\"replace\":0", ERR_CONFIG},
		{"\"stop\":1", "\"stop\":0", ERR_CONFIG},
		{"\"resume\":2", "\"resume\":1", ERR_CONFIG},
		{"\"version\"", "\"x\":1,\"version\"", ERR_FIELD_UNKNOWN},
		{"\"person\"", "\"x\":1,\"person\"", ERR_FIELD_UNKNOWN},
		{"\"code\"", "\"x\":1,\"code\"", ERR_FIELD_UNKNOWN},
		{"\"kty\"", "\"d\":\"AA\",\"kty\"", ERR_FIELD_UNKNOWN},
		{"\"role\":\"center\"", "\"role\":\"official\"", ERR_CONFIG},
		{"\"role\":\"official\"", "\"role\":\"center\"", ERR_CONFIG},
		{"\"role\":\"official\"", "\"role\":\"root\"", ERR_CONFIG},
		{"91110000600037341L", "91110000600037341M", ERR_CONFIG},
		{"\"regions\":[\"330000\"]", "\"regions\":[]", ERR_CONFIG},
		{"\"regions\":[\"330000\"]", "\"regions\":[\"3\"]", ERR_CONFIG},
		{"\"regions\":[\"330000\"]", "\"regions\":[\"3300000\"]", ERR_CONFIG},
		{"\"regions\":[\"330000\"]", "\"regions\":[\"33*\"]", ERR_CONFIG},
		{"\"regions\":[\"330000\"]", "\"regions\":[33]", ERR_FIELD_INVALID},
		{"\"items\":[\"03\",\"0101\"]", "\"items\":[\"\"]", ERR_CONFIG},
		{"\"daily_cap\":20000", "\"daily_cap\":0", ERR_CONFIG},
		{"\"daily_cap\":20000", "\"daily_cap\":-1", ERR_FIELD_INVALID},
		{"\"code\":\"330106-01\"", "\"code\":\"\"", ERR_CONFIG},
		{"\"code\":\"330106-01\"", "\"code\":\"33/01\"", ERR_CONFIG},
		{"\"person\":\"赵敏\"", "\"person\":\"\"", ERR_CONFIG},
		{"\"not_before\":1000", "\"not_before\":2000", ERR_CONFIG},
		{"\"crv\":\"P-256\"", "\"crv\":\"P-384\"", ERR_CONFIG},
		{"\"crv\":\"Ed25519\"", "\"crv\":\"X25519\"", ERR_CONFIG},
		{"\"kid\":\"", "\"kid\":\"A", ERR_CONFIG},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char text[9000];
		const char *at = strstr(payload, rows[i].from);
		struct roster *r = NULL;
		enum err e = ERR_OK;

		assert_non_null(at);
		snprintf(text, sizeof text, "%.*s%s%s", (int)(at - payload), payload, rows[i].to,
			at + strlen(rows[i].from));
		e = read_signed(text, root, ROSTER_TYP, &r);
		if (e != rows[i].want)
			fail_msg("%s: %s, want %s", rows[i].to, err_word(e), err_word(rows[i].want));
		roster_free(r);
	}
}

static enum err
with_operator(const char *json)
{
	char text[12000];
	const char *at = strstr(payload, "],\"approvals\"");
	struct roster *r = NULL;
	enum err e = ERR_OK;

	snprintf(text, sizeof text, "%.*s,%s%s", (int)(at - payload), payload, json, at);
	e = read_signed(text, root, ROSTER_TYP, &r);
	if (e == ERR_OK)
		assert_true(bytes_equal_text(roster_center(r, BYTES_LIT("330106-01"))->person, "赵敏"));
	roster_free(r);
	return e;
}

static void
two_keys_of_a_centre_agree_and_no_kid_stands_twice(void **state)
{
	char json[1500];

	(void)state;
	assert_int_equal(with_operator(second_operator), ERR_OK);
	operator_put(second, "钱进", "{\"code\":\"330106-01\",\"name\":\"某考试点\",\"uscc\":\"91110000600037341L\","
		"\"regions\":[\"330000\"],\"items\":[\"03\",\"0101\"],\"daily_cap\":20001}", json, sizeof json);
	assert_int_equal(with_operator(json), ERR_CONFIG);
	operator_put(center, "赵敏", CENTER, json, sizeof json);
	assert_int_equal(with_operator(json), ERR_CONFIG);
	operator_put(official, "另一人", NULL, json, sizeof json);
	assert_int_equal(with_operator(json), ERR_CONFIG);
}

static void
a_point_off_the_curve_is_refused(void **state)
{
	char text[9000], *at = NULL;
	struct roster *r = NULL;

	(void)state;
	memcpy(text, payload, sizeof payload);
	at = strstr(text, "\"y\":\"") + 5;
	*at = *at == 'A' ? 'B' : 'A';
	assert_int_not_equal(read_signed(text, root, ROSTER_TYP, &r), ERR_OK);
	at = strstr(text, "\"x\":\"") + 5;
	memmove(at, at + 1, strlen(at));
	assert_int_equal(read_signed(text, root, ROSTER_TYP, &r), ERR_FIELD_INVALID);
}

static void
a_signature_counts_while_its_key_is_in_force(void **state)
{
	uint8_t room[500];
	struct buf b = BUF_OF(room);
	struct jws j;
	struct roster *r = NULL;
	const struct operator *o = NULL;

	(void)state;
	assert_int_equal(read_signed(payload, root, ROSTER_TYP, &r), ERR_OK);
	assert_int_equal(jws_sign(center, REQUEST_TYP, BYTES_LIT("{}"), &b), ERR_OK);
	assert_int_equal(jws_decode(buf_bytes(&b), sizeof room, &j), ERR_OK);
	assert_int_equal(roster_verify(r, &j, 999, &o), ERR_KEY_EXPIRED);
	assert_int_equal(roster_verify(r, &j, 1000, &o), ERR_OK);
	assert_int_equal(roster_verify(r, &j, 1999, &o), ERR_OK);
	assert_int_equal(roster_verify(r, &j, 2000, &o), ERR_KEY_EXPIRED);
	assert_true(bytes_equal_text(o->code, "330106-01"));
	j.signature[5] ^= 1;
	assert_int_equal(roster_verify(r, &j, 1500, &o), ERR_SIGNATURE);
	j.signature[5] ^= 1;
	snprintf(j.alg, sizeof j.alg, "EdDSA");
	assert_int_equal(roster_verify(r, &j, 1500, &o), ERR_ALG_MISMATCH);
	b.n = 0;
	assert_int_equal(jws_sign(second, REQUEST_TYP, BYTES_LIT("{}"), &b), ERR_OK);
	assert_int_equal(jws_decode(buf_bytes(&b), sizeof room, &j), ERR_OK);
	assert_int_equal(roster_verify(r, &j, 1500, &o), ERR_KID_UNKNOWN);
	roster_free(r);
}

static void
every_changed_byte_is_refused(void **state)
{
	uint8_t room[8000];
	struct buf b = BUF_OF(room);
	struct roster *r = NULL;

	(void)state;
	assert_int_equal(jws_sign(root, ROSTER_TYP, bytes_of_text(payload), &b), ERR_OK);
	for (size_t i = 0; i < b.n; i++) {
		room[i] ^= 1;
		assert_int_not_equal(roster_read(buf_bytes(&b), root, &r), ERR_OK);
		room[i] ^= 1;
		assert_int_not_equal(roster_read(bytes_of(room, i), root, &r), ERR_OK);
	}
	assert_int_equal(roster_read(buf_bytes(&b), root, &r), ERR_OK);
	roster_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signed_roster_is_read_whole),
		cmocka_unit_test(officials_needed_are_never_below_the_floor),
		cmocka_unit_test(only_the_root_and_its_typ_count),
		cmocka_unit_test(faults_refuse_the_whole_roster),
		cmocka_unit_test(two_keys_of_a_centre_agree_and_no_kid_stands_twice),
		cmocka_unit_test(a_point_off_the_curve_is_refused),
		cmocka_unit_test(a_signature_counts_while_its_key_is_in_force),
		cmocka_unit_test(every_changed_byte_is_refused),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
