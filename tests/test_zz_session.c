/* test_zz_session.c - the centre's two files: read whole and unchanged, or refused with line and
 * reason; and the signed request that is made of them. */
#include "document.h"
#include "file.h"
#include "zz_request.h"
#include "zz_session.h"
#include "zz_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { NOW = 1792224000 };
#define HEAD "seat,name,sex,doc_type,doc_number,theory,practical,photo_sha256,evidence_sha256\n"
#define DIGEST "5f5007465f4b7f3b1f3ee8c23ca0abacb5480ccc9a843973d691a20689d83309"
#define ROW(seat, theory)                                                                          \
	seat ",王伟,M,01,330000199608213897," theory ",81.9," DIGEST "," DIGEST "\n"
#define SESSION                                                                                    \
	"{\"id\":\"330106-2026-10-0042\",\"center\":\"330106-01\",\"region\":\"330000\",\"item\":" \
	"\"030102\","                                                                              \
	"\"theory_at\":\"2026-10-15T09:00:00+08:00\",\"practical_at\":\"2026-10-15T14:00:00+08:"   \
	"00\","                                                                                    \
	"\"paper_sha256\":\"" DIGEST "\",\"recording_sha256\":\"" DIGEST                           \
	"\",\"examiners\":[\"E33-0069\",\"E33-0692\"]}"

static void
scores_are_sent_as_they_were_written_or_not_at_all(void **state)
{
	static const struct {
		const char *text;
		bool good;
		const char *sent;
	} table[] = {{"0", true, "0.0"}, {"100", true, "100.0"}, {"101", true, "101.0"},
	        {"95.8", true, "95.8"}, {"79.9", true, "79.9"}, {"85.55", true, "85.55"},
	        {"100.5", true, "100.5"}, {"-1", true, "-1.0"}, {"08.5", true, "8.5"},
	        {"", false, ""}, {"-", false, ""}, {".5", false, ""}, {"5.", false, ""},
	        {"1000", false, ""}, {"100.25", false, ""}, {"95.801", false, ""},
	        {"9.5.1", false, ""}, {"1e2", false, ""}, {" 95", false, ""}, {"95 ", false, ""},
	        {"+95", false, ""}, {"95,8", false, ""}, {"nan", false, ""}, {"９５", false, ""},
	        {"--5", false, ""}};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		double score = -7;
		enum err e = zz_score_decode(bytes_of_text(table[i].text), &score);
		json_t *list;
		char *text;
		size_t n;

		assert_int_equal(e, table[i].good ? ERR_OK : ERR_VALUE);
		if (!table[i].good) {
			assert_true(score <= -7);
			continue;
		}
		list = json_pack("[f]", score);
		text = json_write(list, &n);
		text[n - 1] = 0;
		assert_string_equal(text + 1, table[i].sent);
		free(text);
		json_decref(list);
	}
}

/* All tenths from 0 to 100 stand in the JSON as they stood in the file: nothing is rounded on the
 * way. */
static void
every_tenth_from_0_to_100_survives(void **state)
{
	(void)state;
	for (unsigned tenths = 0; tenths <= 1000; tenths++) {
		char want[16], got[16];
		double score;
		int n = snprintf(want, sizeof want, "%u.%u", tenths / 10, tenths % 10);
		json_t *number;

		assert_int_equal(zz_score_decode(bytes_of(want, (size_t)n), &score), ERR_OK);
		number = json_real(score);
		assert_int_equal(json_dumpb(number, got, sizeof got,
		                         JSON_ENCODE_ANY | JSON_REAL_PRECISION(4)),
		        (size_t)n);
		assert_memory_equal(want, got, (size_t)n);
		json_decref(number);
	}
}

static void
a_fault_in_the_results_names_its_line(void **state)
{
	static const struct {
		const char *what, *text, *reason;
		unsigned line;
	} table[] = {
	        {"score no number", HEAD ROW("1", "95.8") ROW("2", "missed"),
	                "theory is not a score", 3},
	        {"score empty", HEAD ROW("1", ""), "theory is empty", 2},
	        {"seat 0", HEAD ROW("0", "95.8"), "seat is not a whole number", 2},
	        {"seat 5001", HEAD ROW("5001", "95.8"), "seat is not a whole number", 2},
	        {"seat is text", HEAD ROW("A7", "95.8"), "seat is not a whole number", 2},
	        {"seat twice", HEAD ROW("1", "95.8") ROW("2", "95.8") ROW("1", "95.8"),
	                "earlier line", 4},
	        {"column missing",
	                "seat,name,sex,doc_type,doc_number,theory,practical,photo_sha256\n",
	                "evidence_sha256", 1},
	        {"column unknown", "remark," HEAD, "not known", 1},
	        {"column twice", "seat," HEAD, "different columns", 1},
	        {"too few fields", HEAD "1,王伟\n", "as many columns", 2},
	        {"open quote", HEAD "1,\"王伟,M,01,1,2,3,4,5\n", "not CSV", 2},
	        {"not UTF-8", HEAD "1,\xcd\xf5,M,01,3,95.8,81.9,a,b\n", "is not UTF-8", 2},
	        {"no seats", HEAD, "no seat", 1},
	        {"nothing", "", "", 1},
	};
	struct session_fault fault;
	json_t *json;

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		json = NULL;
		memset(&fault, 0, sizeof fault);
		if (zz_results_read(bytes_of_text(table[i].text), false, &json, &fault) == ERR_OK)
			fail_msg("%s was read", table[i].what);
		assert_null(json);
		if (fault.line != table[i].line || !strstr(fault.reason, table[i].reason))
			fail_msg("%s: line %u: %s", table[i].what, fault.line, fault.reason);
		/* no name and no number of a person in what is printed */
		assert_null(strstr(fault.reason, "王伟"));
		assert_null(strstr(fault.reason, "330000199608213897"));
	}
}

static void
columns_may_stand_in_any_order(void **state)
{
	static const char text[] =
	        "\xef\xbb\xbfname,seat,sex,doc_type,doc_number,practical,theory,evidence_sha256,"
	        "photo_sha256,follows\r\n\"欧阳, 震华\",7,,02,X,81.9,95.8,e,p,\r\n"
	        "王伟,8,F,01,Y,80,90,e,p,\r\n";
	struct session_fault fault = {0};
	json_t *json = NULL, *first;

	(void)state;
	assert_int_equal(zz_results_read(BYTES_LIT(text), false, &json, &fault), ERR_OK);
	assert_int_equal(json_array_size(json), 2);
	first = json_array_get(json, 0);
	assert_string_equal(json_string_value(json_object_get(first, "name")), "欧阳, 震华");
	assert_string_equal(json_string_value(json_object_get(first, "sex")), "");
	assert_string_equal(json_string_value(json_object_get(first, "photo_sha256")), "p");
	assert_null(json_object_get(first, "follows"));
	json_decref(json);
}

static void
a_renewal_names_for_each_seat_what_it_follows_and_nothing_else_does(void **state)
{
#define FOLLOWED                                                                                   \
	"seat,name,sex,doc_type,doc_number,theory,practical,photo_sha256,evidence_sha256,"         \
	"follows\n"
#define AFTER(seat, follows)                                                                       \
	seat ",王伟,M,01,330000199608213897,95.8,81.9," DIGEST "," DIGEST "," follows "\n"
#define SERIAL "00112233445566778899aabbccddeeff"
	static const struct {
		const char *text;
		bool follows;
		const char *reason;
		unsigned line;
	} table[] = {{FOLLOWED AFTER("1", SERIAL), true, "", 0},
	        {FOLLOWED AFTER("1", SERIAL) AFTER("2", ""), true, "follows is empty", 3},
	        {FOLLOWED AFTER("1", "0011"), true, "not a serial", 2},
	        {FOLLOWED AFTER("1", "00112233445566778899AABBCCDDEEFF"), true, "not a serial", 2},
	        {HEAD ROW("1", "95.8"), true, "column follows is missing", 1},
	        {FOLLOWED AFTER("1", SERIAL), false, "renewal or review only", 2},
	        {FOLLOWED AFTER("1", ""), false, "", 0}};
	struct session_fault fault;
	json_t *json;

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		enum err e = zz_results_read(
		        bytes_of_text(table[i].text), table[i].follows, &json, &fault);

		assert_int_equal(e == ERR_OK, table[i].line == 0);
		if (e == ERR_OK)
			json_decref(json);
		else if (fault.line != table[i].line || !strstr(fault.reason, table[i].reason))
			fail_msg("%zu: line %u: %s", i, fault.line, fault.reason);
	}
}

static void
the_basis_says_whether_seats_follow(void **state)
{
	static const struct {
		const char *basis;
		bool good, follows;
	} table[] = {{"initial", true, false}, {"renewal", true, true}, {"review", true, true},
	        {"renewed", false, false}, {"", false, false}};
	struct session_fault fault;

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		json_t *json = json_loads(SESSION, 0, NULL), *read = NULL;
		size_t n;
		char *text;

		assert_false(zz_session_follows(json));
		json_object_set_new(json, "basis", json_string(table[i].basis));
		text = json_write(json, &n);
		assert_int_equal(
		        zz_session_read(bytes_of(text, n), &read, &fault) == ERR_OK, table[i].good);
		if (table[i].good)
			assert_int_equal(zz_session_follows(read), table[i].follows);
		else
			assert_non_null(strstr(fault.reason, "initial, renewal or review"));
		json_decref(read);
		json_decref(json);
		free(text);
	}
}

static void
a_session_with_5000_seats_is_read_and_5001_is_not(void **state)
{
	size_t room = sizeof HEAD + 5001 * 220, n = sizeof HEAD - 1;
	char *text = malloc(room);
	struct session_fault fault = {0};
	json_t *json = NULL;

	(void)state;
	assert_non_null(text);
	memcpy(text, HEAD, n);
	for (unsigned i = 1; i <= 5000; i++)
		n += (size_t)snprintf(text + n, room - n,
		        "%u,王伟,M,01,330000199608213897,95.8,81.9," DIGEST "," DIGEST "\n", i);
	assert_int_equal(zz_results_read(bytes_of(text, n), false, &json, &fault), ERR_OK);
	assert_int_equal(json_array_size(json), 5000);
	json_decref(json);
	n += (size_t)snprintf(text + n, room - n, "%s", ROW("1", "95.8"));
	assert_int_equal(
	        zz_results_read(bytes_of(text, n), false, &json, &fault), ERR_FIELD_INVALID);
	assert_int_equal(fault.line, 5002);
	free(text);
}

static void
a_session_file_with_an_unknown_or_missing_member_is_refused(void **state)
{
	static const struct {
		const char *text;
		enum err want;
	} table[] = {{SESSION, ERR_OK}, {"{}", ERR_FIELD_MISSING}, {"[]", ERR_FIELD_INVALID},
	        {"{", ERR_JSON_INVALID}, {"{\"id\":1}", ERR_FIELD_INVALID},
	        {"{\"id\":\"a\",\"id\":\"b\"}", ERR_JSON_DUPLICATE}};
	struct session_fault fault;
	json_t *json, *more;
	char *text;
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		json = NULL;
		assert_int_equal(zz_session_read(bytes_of_text(table[i].text), &json, &fault),
		        table[i].want);
		json_decref(json);
	}
	more = json_loads(SESSION, 0, NULL);
	json_object_set_new(more, "remark", json_string("x"));
	text = json_write(more, &n);
	assert_int_equal(zz_session_read(bytes_of(text, n), &json, &fault), ERR_FIELD_UNKNOWN);
	free(text);
	json_decref(more);
}

static json_t *
payload_of(const char *session, const char *results)
{
	struct session_fault fault = {0};
	char jti[ZZ_JTI_TEXT + 1];
	json_t *payload, *part = NULL;

	zz_jti(jti);
	payload = zz_payload("issue", jti, NOW, ISSUE_LIFETIME_S_MAX);
	assert_int_equal(zz_session_read(bytes_of_text(session), &part, &fault), ERR_OK);
	json_object_set_new(payload, "session", part);
	assert_int_equal(zz_results_read(bytes_of_text(results), false, &part, &fault), ERR_OK);
	json_object_set_new(payload, "results", part);
	return payload;
}

/* Every example that we ship becomes a request that our own strict reader takes, seat for seat. */
static void
each_example_session_becomes_a_request(void **state)
{
	static const struct {
		const char *name;
		size_t seats;
	} table[] = {{"low-voltage-60", 60}, {"welding-120", 120}, {"chemical-managers-35", 35},
	        {"height-40-faults", 40}};
	struct key *k = NULL;

	(void)state;
	assert_int_equal(key_generate(KEY_ES256, &k), ERR_OK);
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct zz_request r;
		uint8_t *session, *results, *jws;
		char path[300];
		json_t *payload;
		size_t n;

		snprintf(path, sizeof path, SOURCE_DIR "/tools/examples/%s/session.json",
		        table[i].name);
		assert_int_equal(file_read(path, SESSION_BYTES_MAX, &session, &n), ERR_OK);
		snprintf(path, sizeof path, SOURCE_DIR "/tools/examples/%s/results.csv",
		        table[i].name);
		assert_int_equal(file_read(path, RESULTS_BYTES_MAX, &results, &n), ERR_OK);
		payload = payload_of((char *)session, (char *)results);
		assert_int_equal(zz_sign(k, REQUEST_TYP, payload, &jws, &n), ERR_OK);
		assert_int_equal(zz_request_open(jws, n, &r), ERR_OK);
		assert_int_equal(jws_verify(&r.jws, k), ERR_OK);
		assert_int_equal(r.request.seat_count, table[i].seats);
		assert_int_equal(r.request.exp - r.request.iat, ISSUE_LIFETIME_S_MAX);
		assert_int_equal(request_times_check(
		                         r.request.iat, r.request.exp, ISSUE_LIFETIME_S_MAX, NOW),
		        ERR_OK);
		assert_true(zz_request_same(&r, payload));
		assert_int_equal(r.request.seats[0].seat, 1);
		zz_request_free(&r);
		json_decref(payload);
		free(session);
		free(results);
	}
	key_free(k);
}

static void
a_jti_is_22_characters_and_never_the_same(void **state)
{
	char a[ZZ_JTI_TEXT + 1], b[ZZ_JTI_TEXT + 1];

	(void)state;
	zz_jti(a);
	zz_jti(b);
	assert_int_equal(strlen(a), 22);
	assert_int_equal(
	        strspn(a, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), 22);
	assert_string_not_equal(a, b);
}

static void
a_saved_request_is_used_again_and_never_replaced(void **state)
{
	char dir[] = "/tmp/zz-test-XXXXXX", path[128], sub[64];
	FILE *quiet = fopen("/dev/null", "w");
	struct zz z = {.now = NOW, .in = stdin, .out = quiet, .err = quiet};
	struct zz_request first = {0}, second = {0};
	json_t *payload = payload_of(SESSION, HEAD ROW("1", "95.8"));
	json_t *other = payload_of(SESSION, HEAD ROW("1", "95.9"));
	struct key *k = NULL;
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(sub, sizeof sub, "%s/a/b", dir);
	snprintf(path, sizeof path, "%s/request.jws", sub);
	assert_int_equal(key_generate(KEY_ED25519, &k), ERR_OK);
	assert_int_equal(zz_request_take(&z, sub, k, payload, &first), ZZ_DONE);
	assert_false(first.saved);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(zz_request_take(&z, sub, k, other, &second), ZZ_DONE);
	assert_true(second.saved);
	assert_true(bytes_equal(bytes_of(first.text, first.n), bytes_of(second.text, second.n)));
	assert_string_equal(first.id, second.id);
	assert_true(zz_request_same(&second, payload));
	assert_false(zz_request_same(&second, other));
	assert_int_equal(zz_create(path, BYTES_LIT("x"), 0600), ERR_EXISTS);
	zz_request_free(&second);
	/* a file that is no request stops the run and stays as it is */
	assert_int_equal(file_write(path, BYTES_LIT("not.a.request"), 0600), ERR_OK);
	assert_int_equal(zz_request_take(&z, sub, k, payload, &second), ZZ_USAGE);
	zz_request_free(&first);
	json_decref(payload);
	json_decref(other);
	key_free(k);
	unlink(path);
	rmdir(sub);
	snprintf(sub, sizeof sub, "%s/a", dir);
	rmdir(sub);
	assert_int_equal(rmdir(dir), 0);
	fclose(quiet);
}

static void
text_of_others_cannot_steer_the_terminal(void **state)
{
	static const struct {
		const char *text, *want;
		unsigned cells;
	} table[] = {{"王伟", "王伟", 4}, {"a\x1b[31mb", "a?[31mb", 7}, {"a\nb\r\tc", "a?b??c", 6},
	        {"\xe2\x80\xae"
	         "abc",
	                "?abc", 4},
	        {"\xc2\x9b"
	         "31m",
	                "?31m", 4},
	        {"\xff\xfe", "??", 2}, {"\xc0\xaf", "??", 2}, {"\xed\xa0\x80", "???", 3},
	        {"\xe7\x8e", "??", 2}, {"买买提·艾力", "买买提·艾力", 11},
	        {"\xef\xbb\xbfx", "?x", 2}};
	char *out;
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		FILE *to = open_memstream(&out, &n);

		text_put(to, bytes_of_text(table[i].text));
		fclose(to);
		assert_string_equal(out, table[i].want);
		assert_int_equal(text_cells(bytes_of_text(table[i].text)), table[i].cells);
		free(out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(scores_are_sent_as_they_were_written_or_not_at_all),
	        cmocka_unit_test(every_tenth_from_0_to_100_survives),
	        cmocka_unit_test(a_fault_in_the_results_names_its_line),
	        cmocka_unit_test(columns_may_stand_in_any_order),
	        cmocka_unit_test(
	                a_renewal_names_for_each_seat_what_it_follows_and_nothing_else_does),
	        cmocka_unit_test(the_basis_says_whether_seats_follow),
	        cmocka_unit_test(a_session_with_5000_seats_is_read_and_5001_is_not),
	        cmocka_unit_test(a_session_file_with_an_unknown_or_missing_member_is_refused),
	        cmocka_unit_test(each_example_session_becomes_a_request),
	        cmocka_unit_test(a_jti_is_22_characters_and_never_the_same),
	        cmocka_unit_test(a_saved_request_is_used_again_and_never_replaced),
	        cmocka_unit_test(text_of_others_cannot_steer_the_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
