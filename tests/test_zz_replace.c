/* test_zz_replace.c - one certificate after another: a replacement says what it changes and nothing
 * else, a renewal follows what its seat named, and whoever approves sees old and new. */
#include "test_zz_world.h"

#define DECISION "--decision-no", "浙应急〔2026〕8号", "--decided-at", "2026-10-16"
#define PHOTO_SHA "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" /* of abc */

/* What is wrong with the record that the toy gives for a replacement. */
enum new_lie {
	NEW_TRUTH,
	NEW_NAME,
	NEW_NUMBER,
	NEW_SEX,
	NEW_ITEM,
	NEW_CENTER,
	NEW_FOLLOWS,
	NEW_PHOTO,
	NEW_TERM,
	NEW_REQUEST,
	NEW_TWICE,
};
struct replacing {
	enum new_lie lie;
	bool waits;
	char old_serial[33], old_record[2 * RECORD_BYTES_MAX];
};

static void
lie_put(enum new_lie lie, struct record *r)
{
	static const uint8_t zero[32];

	if (lie == NEW_NAME)
		r->name = BYTES_LIT("李伟");
	if (lie == NEW_NUMBER)
		r->doc_number = BYTES_LIT("330000198501010011");
	if (lie == NEW_SEX)
		r->sex = 3 - r->sex;
	if (lie == NEW_ITEM)
		r->item = BYTES_LIT("030201");
	if (lie == NEW_CENTER)
		r->center = BYTES_LIT("440305-02");
	if (lie == NEW_FOLLOWS)
		r->follows = bytes_of(zero, 16);
	if (lie == NEW_PHOTO)
		r->photo = bytes_of(zero, 16);
	if (lie == NEW_TERM)
		r->exp += DAY_S;
	if (lie == NEW_REQUEST)
		r->request = bytes_of(zero, 32);
}

/* The old record with the changes of the request, and perhaps something else. */
static void
record_replace(struct world *w, const struct zz_request *q, struct buf *out)
{
	const struct replacing *p = w->more_ctx;
	const struct request_seat *c = &q->request.changes;
	uint8_t room[RECORD_BYTES_MAX], photo[32], cti[16] = {[6] = 0x70, [8] = 0x80, [15] = 99};
	struct buf b = BUF_OF(room);
	struct cose_sign1 m;
	struct record r;

	assert_int_equal(base64url_get(bytes_of_text(p->old_record), &b), ERR_OK);
	assert_int_equal(record_open(buf_bytes(&b), false, &m, &r), ERR_OK);
	r.follows = bytes_of(q->request.serials[0], 16);
	r.cti = bytes_of(cti, 16);
	r.request = bytes_of(q->jws.hash, SHA256_BYTES);
	if (c->name.p)
		r.name = c->name;
	if (c->doc_number.p)
		r.doc_number = c->doc_number;
	if (c->sex.p)
		r.sex = bytes_equal_text(c->sex, "M") ? 1 : 2;
	if (c->photo_sha256.p && hex_decode(c->photo_sha256, photo, 32) == ERR_OK)
		r.photo = bytes_of(photo, 16);
	lie_put(p->lie, &r);
	assert_int_equal(record_sign(&r, w->record_key, out), ERR_OK);
}

static void
replace_answer(struct world *w, const struct zz_request *q, struct toy_reply *out)
{
	const struct replacing *p = w->more_ctx;
	uint8_t room[RECORD_BYTES_MAX];
	char text[2 * RECORD_BYTES_MAX] = {0};
	struct buf record = BUF_OF(room), b = BUF_OF(text);
	json_t *row, *rows;

	if (p->waits) {
		snprintf(w->state, sizeof w->state, "waiting");
		waiting_answer(w, q->id, out);
		return;
	}
	record_replace(w, q, &record);
	base64url_put(&b, buf_bytes(&record));
	rows = json_array();
	row = json_pack("{s:i,s:s,s:s,s:s,s:i}", "seat", 0, "outcome", "issued", "serial",
	        "00000000000070008000000000000063", "record", text, "index", 5);
	json_array_append(rows, row);
	if (p->lie == NEW_TWICE)
		json_array_append(rows, row);
	json_decref(row);
	say_json(out, 201,
	        json_pack("{s:s,s:s,s:o}", "request", q->id, "state", "executed", "seats", rows));
}

static bool
replacing_answer(struct world *w, const struct toy_request *in, struct toy_reply *out)
{
	struct replacing *p = w->more_ctx;
	struct zz_request q = {0};

	if (!strncmp(in->path, "/v1/certificates/", 17)) {
		say_json(out, 200,
		        json_pack("{s:s,s:s,s:s,s:s}", "serial", p->old_serial, "record",
		                p->old_record, "status", "superseded", "superseded_by",
		                "00000000000070008000000000000063"));
		return true;
	}
	if (strcmp(in->path, "/v1/requests") != 0 || strcmp(in->method, "POST") != 0)
		return false;
	free(w->order);
	w->order = strndup((const char *)in->body.p, in->body.n);
	assert_int_equal(zz_request_open((uint8_t *)strdup(w->order), in->body.n, &q), ERR_OK);
	assert_int_equal(q.request.type, REQUEST_REPLACE);
	replace_answer(w, &q, out);
	zz_request_free(&q);
	return true;
}

/* A world in which certificate 2 of the usual session, 王伟, was issued. */
static struct world *
replacing_open(struct replacing *p)
{
	struct world *w = world_open();

	memset(p, 0, sizeof *p);
	assert_int_equal(submit(w), ZZ_DONE);
	memcpy(p->old_serial, w->serial, sizeof p->old_serial);
	memcpy(p->old_record, w->record, sizeof p->old_record);
	w->more = replacing_answer;
	w->more_ctx = p;
	return w;
}

#define REPLACE(ground, out)                                                                       \
	"replace", "--url", w->toy.url, "--key", w->key, "--ground", ground, DECISION, "--out",    \
	        out, p.old_serial

static void
a_lost_certificate_is_replaced_and_the_new_one_kept(void **state)
{
	struct replacing p;
	struct world *w = replacing_open(&p);
	struct zz_request q = {0};
	char out[300];

	(void)state;
	snprintf(out, sizeof out, "%s/new", w->dir);
	assert_int_equal(run_in(w, zz_replace, "", REPLACE("X02", out), NULL), ZZ_DONE);
	assert_non_null(strstr(w->out, "1 issued, 0 refused"));
	assert_non_null(strstr(w->out, "00000000000070008000000000000063"));
	assert_non_null(strstr(w->err, "遗失补发"));
	assert_int_equal(files_with(out, ".cose"), 1);
	assert_int_equal(files_with(out, ".qr.txt"), 1);
	assert_int_equal(
	        zz_request_open((uint8_t *)strdup(w->order), strlen(w->order), &q), ERR_OK);
	assert_int_equal(json_object_size(json_object_get(q.request.json, "changes")), 0);
	assert_int_equal(json_object_size(q.request.json), 9);
	assert_string_equal(
	        json_string_value(json_object_get(q.request.json, "serial")), p.old_serial);
	zz_request_free(&q);
	/* the same order again is the same bytes; another one is not sent from its folder */
	assert_int_equal(run_in(w, zz_replace, "", REPLACE("X02", out), NULL), ZZ_DONE);
	assert_non_null(strstr(w->err, "Sending again as it is"));
	assert_int_equal(run_in(w, zz_replace, "", REPLACE("X03", out), NULL), ZZ_USAGE);
	world_close(w);
}

static void
only_what_was_asked_for_may_change(void **state)
{
	static const struct {
		enum new_lie lie;
		const char *why;
	} table[] = {{NEW_NAME, "another name"}, {NEW_NUMBER, "another document"},
	        {NEW_SEX, "another sex"}, {NEW_ITEM, "another item"},
	        {NEW_CENTER, "another item, region or centre"},
	        {NEW_FOLLOWS, "follows another certificate"}, {NEW_PHOTO, "another photograph"},
	        {NEW_TERM, "another last day"}, {NEW_REQUEST, "made for another request"},
	        {NEW_TWICE, "new certificate once"}};
	struct replacing p;
	struct world *w = replacing_open(&p);
	char out[300];

	(void)state;
	snprintf(out, sizeof out, "%s/new", w->dir);
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		p.lie = table[i].lie;
		if (run_in(w, zz_replace, "", REPLACE("X03", out), "--name", "王炜", NULL) !=
		                ZZ_REFUSED ||
		        !strstr(w->err, table[i].why))
			fail_msg("lie %d: %s", (int)table[i].lie, w->err);
		assert_int_equal(files_with(out, ".cose"), 0);
	}
	/* negative control */
	p.lie = NEW_TRUTH;
	assert_int_equal(
	        run_in(w, zz_replace, "", REPLACE("X03", out), "--name", "王炜", NULL), ZZ_DONE);
	world_close(w);
}

static void
a_change_is_sent_as_it_was_given(void **state)
{
	struct replacing p;
	struct world *w = replacing_open(&p);
	struct zz_request q = {0};
	char out[300], photo[300];

	(void)state;
	snprintf(out, sizeof out, "%s/new", w->dir);
	snprintf(photo, sizeof photo, "%s/photo", w->dir);
	put(photo, "abc");
	assert_int_equal(run_in(w, zz_replace, "", REPLACE("X03", out), "--name", "王炜", "--sex",
	                         "M", "--doc-type", "01", "--doc-number", "330000198501010011",
	                         "--photo", photo, NULL),
	        ZZ_DONE);
	assert_int_equal(
	        zz_request_open((uint8_t *)strdup(w->order), strlen(w->order), &q), ERR_OK);
	assert_int_equal(json_object_size(json_object_get(q.request.json, "changes")), 5);
	assert_true(bytes_equal_text(q.request.changes.name, "王炜"));
	assert_true(bytes_equal_text(q.request.changes.sex, "M"));
	assert_true(bytes_equal_text(q.request.changes.doc_number, "330000198501010011"));
	assert_true(bytes_equal_text(q.request.changes.photo_sha256, PHOTO_SHA));
	zz_request_free(&q);
	world_close(w);
}

static void
a_replacement_that_is_none_is_not_sent(void **state)
{
	static const char *const table[][6] = {{"X02", "--name", "王炜"}, {"X05", "--sex", "M"},
	        {"R05"}, {"X01"}, {"X99"}, {"X03", "--sex", "X"},
	        {"X03", "--doc-number", "330000198501010011"}, {"X03", "--doc-type", "01"},
	        {"X03", "--photo", "/none/at/all"}, {"X03", "--photo-sha256", "12"},
	        {"X03", "--photo-sha256", PHOTO_SHA, "--photo", "/dev/null"},
	        {"X03", "00112233445566778899aabbccddeeff"}, {"X03", "--effective", "2026-10-16"}};
	struct replacing p;
	struct world *w = replacing_open(&p);
	unsigned before = w->toy.requests;
	char out[300];

	(void)state;
	snprintf(out, sizeof out, "%s/never", w->dir);
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		const char *const *t = table[i];

		if (run_in(w, zz_replace, "", REPLACE(t[0], out), t[1], t[2], t[3], t[4], NULL) !=
		        ZZ_USAGE)
			fail_msg("%zu: %s", i, w->err);
	}
	assert_int_equal(w->toy.requests, before);
	assert_false(file_exists(out));
	world_close(w);
}

static void
whoever_approves_sees_the_old_record_and_each_change(void **state)
{
	struct replacing p;
	struct world *w = replacing_open(&p);
	char out[300], id[65];

	(void)state;
	p.waits = true;
	snprintf(out, sizeof out, "%s/new", w->dir);
	assert_int_equal(run_in(w, zz_replace, "", REPLACE("X03", out), "--name", "王炜",
	                         "--doc-type", "02", "--doc-number", "E12345678", NULL),
	        ZZ_WAITS);
	snprintf(id, sizeof id, "%.64s", strstr(w->out, "request ") + 8);
	assert_int_equal(run_in(w, zz_approve, "no\n", "approve", "--url", w->toy.url, "--key",
	                         w->other_key, id, NULL),
	        ZZ_REFUSED);
	assert_non_null(strstr(w->out, "信息变更或损毁换发"));
	assert_non_null(strstr(w->out, "王伟 -> 王炜"));
	assert_non_null(strstr(w->out, "33000019850101002X -> E12345678"));
	assert_non_null(strstr(w->out, "低压电工作业"));
	assert_non_null(strstr(w->out, p.old_serial));
	assert_null(strstr(w->out, "sex       性别"));
	assert_non_null(strstr(w->out, "were not checked"));
	assert_null(strstr(w->out, "effective 生效日"));
	assert_int_equal(w->approval_count, 0);
	world_close(w);
}

static void
show_names_what_follows_and_what_replaces(void **state)
{
	struct replacing p;
	struct world *w = replacing_open(&p);

	(void)state;
	assert_int_equal(run_in(w, zz_show, "", "show", "--url", w->toy.url, "--key", w->key,
	                         p.old_serial, NULL),
	        ZZ_DONE);
	assert_non_null(strstr(w->out, "已换发"));
	assert_non_null(strstr(w->out, "replaced by 换发为 00000000000070008000000000000063"));
	world_close(w);
}

static void
a_renewal_follows_the_certificate_of_its_seat(void **state)
{
	struct world *w = world_open();
	char session[2048] = SESSION;

	(void)state;
	snprintf(strrchr(session, '}'), 40, ",\"basis\":\"renewal\"}");
	put(w->session, session);
	put(w->results, RESULTS);
	assert_int_equal(submit(w), ZZ_USAGE);
	assert_non_null(strstr(w->err, "column follows is missing"));
	put(w->results,
	        "seat,name,sex,doc_type,doc_number,theory,practical,photo_sha256,evidence_sha256,"
	        "follows\n1,王伟,F,01,33000019850101002X,95.8,81.9," DIGEST "," DIGEST
	        ",00112233445566778899aabbccddeeff\n");
	w->lie = OTHER_FOLLOWS;
	assert_int_equal(submit(w), ZZ_REFUSED);
	assert_non_null(strstr(w->err, "follows another certificate"));
	w->lie = TRUTH;
	assert_int_equal(submit(w), ZZ_DONE);
	assert_int_equal(run_in(w, zz_show, "", "show", "--url", w->toy.url, "--key", w->key,
	                         w->serial, NULL),
	        ZZ_DONE);
	assert_non_null(strstr(w->out, "follows   承接   00112233445566778899aabbccddeeff"));
	world_close(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_lost_certificate_is_replaced_and_the_new_one_kept),
	        cmocka_unit_test(only_what_was_asked_for_may_change),
	        cmocka_unit_test(a_change_is_sent_as_it_was_given),
	        cmocka_unit_test(a_replacement_that_is_none_is_not_sent),
	        cmocka_unit_test(whoever_approves_sees_the_old_record_and_each_change),
	        cmocka_unit_test(show_names_what_follows_and_what_replaces),
	        cmocka_unit_test(a_renewal_follows_the_certificate_of_its_seat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
