/* test_request_order.c - each type of order carries exactly its members, each of the right form,
 * and every fault has its own word. */
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

#define HEAD(type)                                                                                 \
	"{\"type\":\"" type "\",\"jti\":\"0123456789abcdefghij-_\",\"iat\":1792224000,\"exp\":"    \
	"1792310400"
#define DECISION ",\"decision_no\":\"应急〔2026〕1号\",\"decided_at\":\"2026-11-02\""
#define GROUND(code) ",\"ground\":\"" code "\",\"effective_at\":\"2026-11-03\""
#define SERIAL "00112233445566778899aabbccddeeff"
#define SERIALS ",\"serials\":[\"" SERIAL "\",\"ffeeddccbbaa99887766554433221100\"]"
#define KID "0123456789abcdefghijklmnopqrstuvwxyz-_ABCDE"
#define ID SERIAL SERIAL

struct form {
	enum request_type type;
	const char *payload;
	const char *members; /* of it, beside the four that all have */
};
static const struct form forms[] = {
        {REQUEST_REVOKE, HEAD("revoke") GROUND("R05") DECISION SERIALS "}",
                "ground effective_at decision_no decided_at serials"},
        {REQUEST_SUSPEND,
                HEAD("suspend") GROUND("S01") DECISION ",\"until\":\"2026-12-01\"" SERIALS "}",
                "ground effective_at decision_no decided_at until serials"},
        {REQUEST_REINSTATE, HEAD("reinstate") DECISION SERIALS "}",
                "decision_no decided_at serials"},
        {REQUEST_STOP, HEAD("stop") DECISION ",\"center\":\"330106-01\"}",
                "decision_no decided_at center"},
        {REQUEST_RESUME, HEAD("resume") DECISION ",\"kid\":\"" KID "\"}",
                "decision_no decided_at kid"},
        {REQUEST_WITHDRAW, HEAD("withdraw") ",\"request\":\"" ID "\"}", "request"},
};
enum { FORMS = sizeof forms / sizeof forms[0] };

static enum err
decode_text(const char *payload, struct request *r)
{
	struct bytes text = bytes_of_text(payload);
	size_t room = BASE64URL_CHARS(text.n) + 1;
	struct jws j = {.typ = REQUEST_TYP};
	struct buf b = buf_init(malloc(room), room);
	enum err e;

	assert_non_null(b.p);
	base64url_put(&b, text);
	j.payload_text = buf_bytes(&b);
	e = request_decode(&j, r);
	free(b.p);
	return e;
}

/* Decodes and forgets. */
static enum err
refused(const char *payload)
{
	struct request r;
	enum err e = decode_text(payload, &r);

	if (e == ERR_OK)
		request_free(&r);
	return e;
}

static enum err
refused_json(const json_t *payload)
{
	size_t n = 0;
	char *text = json_write(payload, &n);
	enum err e;

	assert_non_null(text);
	e = refused(text);
	free(text);
	return e;
}

static json_t *
json_of(const struct form *f)
{
	json_t *json = NULL;

	assert_int_equal(json_read(bytes_of_text(f->payload), 100000, &json), ERR_OK);
	return json;
}

static void
each_type_is_read_whole(void **state)
{
	struct request r;

	(void)state;
	for (size_t i = 0; i < FORMS; i++) {
		assert_int_equal(decode_text(forms[i].payload, &r), ERR_OK);
		assert_int_equal(r.type, forms[i].type);
		assert_int_equal(r.iat, 1792224000);
		assert_int_equal(r.exp, 1792310400);
		if (strstr(forms[i].members, "decided_at")) {
			assert_true(bytes_equal_text(r.decision_no, "应急〔2026〕1号"));
			assert_int_equal(r.decided_at, date_from_civil(2026, 11, 2));
		}
		/* without a day of its own the effect is from the decision */
		assert_int_equal(r.effective_at, strstr(forms[i].members, "effective")
		                                         ? date_from_civil(2026, 11, 3)
		                                         : r.decided_at);
		if (strstr(forms[i].members, "serials")) {
			assert_int_equal(r.serial_count, 2);
			assert_int_equal(r.serials[1][0], 0xff);
		}
		request_free(&r);
	}
}

static void
what_only_one_type_has_is_read(void **state)
{
	struct request r;

	(void)state;
	assert_int_equal(decode_text(forms[1].payload, &r), ERR_OK);
	assert_int_equal(r.until, date_from_civil(2026, 12, 1));
	assert_true(bytes_equal_text(r.ground, "S01"));
	request_free(&r);
	assert_int_equal(decode_text(forms[3].payload, &r), ERR_OK);
	assert_true(bytes_equal_text(r.center, "330106-01"));
	assert_false(r.target_is_key);
	request_free(&r);
	assert_int_equal(decode_text(forms[4].payload, &r), ERR_OK);
	assert_true(bytes_equal_text(r.center, KID));
	assert_true(r.target_is_key);
	request_free(&r);
	assert_int_equal(decode_text(forms[5].payload, &r), ERR_OK);
	assert_int_equal(r.withdraws[17], 0x11);
	request_free(&r);
}

static void
a_missing_member_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < FORMS; i++) {
		json_t *whole = json_of(&forms[i]), *left;
		const char *name;
		json_t *value;

		json_object_foreach(whole, name, value)
		{
			bool target = !strcmp(name, "center") || !strcmp(name, "kid");

			left = json_copy(whole);
			json_object_del(left, name);
			/* one of centre and key: neither is no missing member, but no order */
			if (refused_json(left) != (target ? ERR_FIELD_INVALID : ERR_FIELD_MISSING))
				fail_msg("%s without %s", request_type_word(forms[i].type), name);
			json_decref(left);
		}
		json_decref(whole);
	}
}

static void
a_member_of_another_type_is_refused(void **state)
{
	static const char *const names[] = {"ground", "effective_at", "decision_no", "decided_at",
	        "until", "serials", "center", "kid", "request", "serial", "changes", "session", "x",
	        ""};

	(void)state;
	for (size_t i = 0; i < FORMS; i++) {
		json_t *whole = json_of(&forms[i]);

		for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
			bool target = strstr(forms[i].members, "center") ||
			              strstr(forms[i].members, "kid");
			bool both =
			        target && (!strcmp(names[k], "center") || !strcmp(names[k], "kid"));
			json_t *more;

			if (json_object_get(whole, names[k]))
				continue;
			more = json_copy(whole);
			json_object_set_new(more, names[k],
			        json_string(both && names[k][0] == 'k' ? KID : "330106-01"));
			if (refused_json(more) != (both ? ERR_FIELD_INVALID : ERR_FIELD_UNKNOWN))
				fail_msg("%s with %s", request_type_word(forms[i].type), names[k]);
			json_decref(more);
		}
		json_decref(whole);
	}
}

static void
a_member_of_another_kind_of_value_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < FORMS; i++) {
		json_t *whole = json_of(&forms[i]), *other;
		const char *name;
		json_t *value;

		json_object_foreach(whole, name, value)
		{
			static const char *const wrong[] = {
			        "null", "true", "-1", "1.0", "{}", "\"\""};

			for (size_t k = 0; k < sizeof wrong / sizeof wrong[0]; k++) {
				enum err e;

				other = json_copy(whole);
				json_object_set_new(
				        other, name, json_loads(wrong[k], JSON_DECODE_ANY, NULL));
				e = refused_json(other);
				if (e != ERR_FIELD_INVALID && e != ERR_JTI_INVALID &&
				        e != ERR_TYPE_UNKNOWN)
					fail_msg("%s %s %s: %s", request_type_word(forms[i].type),
					        name, wrong[k], err_word(e));
				json_decref(other);
			}
		}
		json_decref(whole);
	}
}

static void
a_selector_stands_in_place_of_serials(void **state)
{
	static const struct {
		const char *select;
		enum err want;
	} rows[] = {
	        {"{\"center\":\"330106-01\"}", ERR_OK},
	        {"{\"item\":\"030102\"}", ERR_OK},
	        {"{\"request\":\"" ID "\"}", ERR_OK},
	        {"{\"center\":\"c\",\"from\":\"2026-10-17T00:00:00+08:00\","
	         "\"to\":\"2026-10-17T00:00:01+08:00\"}",
	                ERR_OK},
	        {"{\"center\":\"c\",\"from\":\"2026-10-17T00:00:00+08:00\","
	         "\"to\":\"2026-10-17T00:00:00+08:00\"}",
	                ERR_FIELD_INVALID},
	        {"{\"from\":\"2026-10-17T00:00:00+08:00\"}", ERR_FIELD_INVALID},
	        {"{}", ERR_FIELD_INVALID},
	        {"{\"center\":\"\"}", ERR_FIELD_INVALID},
	        {"{\"center\":\"c\",\"to\":\"2026-10-17\"}", ERR_FIELD_INVALID},
	        {"{\"request\":\"" SERIAL "\"}", ERR_FIELD_INVALID},
	        {"{\"center\":\"c\",\"region\":\"330000\"}", ERR_FIELD_UNKNOWN},
	};

	(void)state;
	for (size_t i = 0; i < FORMS; i++) {
		json_t *whole = json_of(&forms[i]);
		bool named = json_object_get(whole, "serials") != NULL;

		json_object_set_new(whole, "select", json_pack("{s:s}", "center", "330106-01"));
		assert_int_equal(
		        refused_json(whole), named ? ERR_FIELD_INVALID : ERR_FIELD_UNKNOWN);
		json_object_del(whole, "serials");
		for (size_t k = 0; named && k < sizeof rows / sizeof rows[0]; k++) {
			json_object_set_new(whole, "select", json_loads(rows[k].select, 0, NULL));
			if (refused_json(whole) != rows[k].want)
				fail_msg("%s: %s", rows[k].select, err_word(refused_json(whole)));
		}
		json_decref(whole);
	}
}

static void
forms_of_values_have_their_edges(void **state)
{
	static const struct {
		size_t form;
		const char *name, *value;
		enum err want;
	} rows[] = {
	        {1, "until", "2026-02-29", ERR_FIELD_INVALID},
	        {1, "until", "2028-02-29", ERR_OK},
	        {1, "until", "2026-12-01T00:00:00+08:00", ERR_FIELD_INVALID},
	        {1, "until", "2026-12-1", ERR_FIELD_INVALID},
	        {1, "effective_at", "2026-13-01", ERR_FIELD_INVALID},
	        {2, "decided_at", "2026-11-31", ERR_FIELD_INVALID},
	        {2, "decision_no", "a\nb", ERR_FIELD_INVALID},
	        {2, "decision_no", "a\xc2\x85", ERR_FIELD_INVALID},
	        {3, "center", "某考试点", ERR_OK},
	        {3, "center", "a\tb", ERR_FIELD_INVALID},
	        {4, "kid", "0123456789abcdefghijklmnopqrstuvwxyz-_ABCD", ERR_FIELD_INVALID},
	        {4, "kid", KID "F", ERR_FIELD_INVALID},
	        {5, "request", SERIAL, ERR_FIELD_INVALID},
	        {5, "request", ID "00", ERR_FIELD_INVALID},
	        {5, "request", SERIAL "00112233445566778899AABBCCDDEEFF", ERR_FIELD_INVALID},
	        {5, "request", SERIAL "0011223344556677889 aabbccddeeff", ERR_FIELD_INVALID},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		json_t *whole = json_of(&forms[rows[i].form]);
		enum err e;

		assert_int_equal(
		        json_object_set_new(whole, rows[i].name, json_string(rows[i].value)), 0);
		if ((e = refused_json(whole)) != rows[i].want)
			fail_msg("%s %s: %s", rows[i].name, rows[i].value, err_word(e));
		json_decref(whole);
	}
}

static void
each_certificate_is_named_once_and_100000_at_most(void **state)
{
	static const size_t with_serials[] = {0, 1, 2};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		json_t *whole = json_of(&forms[with_serials[i]]), *serials = json_array();
		char serial[33];

		json_object_set_new(whole, "serials", serials);
		assert_int_equal(refused_json(whole), ERR_FIELD_INVALID);
		for (unsigned n = 0; n < REQUEST_SERIALS_MAX; n++) {
			snprintf(serial, sizeof serial, "%032x", n);
			json_array_append_new(serials, json_string(serial));
		}
		assert_int_equal(refused_json(whole), ERR_OK);
		json_array_set_new(serials, 999, json_string("00000000000000000000000000000000"));
		assert_int_equal(refused_json(whole), ERR_FIELD_INVALID);
		json_array_set_new(serials, 999, json_string(SERIAL));
		assert_int_equal(refused_json(whole), ERR_OK);
		json_array_append_new(serials, json_string("ffeeddccbbaa99887766554433221100"));
		assert_int_equal(refused_json(whole), ERR_LIMIT);
		json_decref(whole);
	}
}

static void
every_prefix_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < FORMS; i++)
		for (size_t n = 0; n < strlen(forms[i].payload); n++) {
			char *text = strndup(forms[i].payload, n);

			assert_int_not_equal(refused(text), ERR_OK);
			free(text);
		}
}

/* A change may give another valid order, but never one that is read as the first. */
static void
no_changed_byte_is_overlooked(void **state)
{
	(void)state;
	for (size_t i = 0; i < FORMS; i++) {
		json_t *first = json_of(&forms[i]);

		for (size_t at = 0; forms[i].payload[at]; at++)
			for (unsigned bit = 0; bit < 8; bit++) {
				char *text = strdup(forms[i].payload);
				struct request r;

				text[at] = (char)(text[at] ^ (1 << bit));
				if (decode_text(text, &r) == ERR_OK) {
					assert_false(json_equal(first, r.json));
					request_free(&r);
				}
				free(text);
			}
		json_decref(first);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(each_type_is_read_whole),
	        cmocka_unit_test(what_only_one_type_has_is_read),
	        cmocka_unit_test(a_missing_member_is_refused),
	        cmocka_unit_test(a_member_of_another_type_is_refused),
	        cmocka_unit_test(a_member_of_another_kind_of_value_is_refused),
	        cmocka_unit_test(a_selector_stands_in_place_of_serials),
	        cmocka_unit_test(forms_of_values_have_their_edges),
	        cmocka_unit_test(each_certificate_is_named_once_and_100000_at_most),
	        cmocka_unit_test(every_prefix_is_refused),
	        cmocka_unit_test(no_changed_byte_is_overlooked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
