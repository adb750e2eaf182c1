/* test_check.c - zz-verify check: what is held is used, what is not signed is not shown, numbers
 * are masked. */
#include "base45.h"
#include "check_world.h"

/* What check_print shows. free() it. */
static char *
shown(struct asked *a)
{
	char *text = NULL;
	size_t n = 0;
	FILE *to = open_memstream(&text, &n);

	check_close(&a->c);
	assert_int_equal(check_run(&a->o, &a->c), ERR_OK);
	check_print(to, &a->c, a->field);
	fclose(to);
	return text;
}

static void
a_certificate_is_shown_in_both_languages(void **state)
{
	static const char *const words[] = {"VALID  有效", "买买提·艾力", "330***********3897",
	        "030102", "低压电工作业", "Low-voltage electrician work", "2026-10-07 – 2032-10-",
	        "示范监管机关", "Example authority", "330106-01", "居民身份证", "log: not checked",
	        "2026-10-17T"};
	struct asked *a = *state;
	char *text = shown(a);

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strstr(text, words[i]) == NULL)
			fail_msg("%s is not in:\n%s", words[i], text);
	assert_null(strstr(text, "330000199608213897"));
	free(text);
}

static void
the_number_is_shown_only_to_who_knows_it(void **state)
{
	struct asked *a = *state;
	char *text = NULL;

	a->o.document = BYTES_LIT("330000199608213897");
	text = shown(a);
	assert_non_null(strstr(text, "330000199608213897"));
	free(text);
	a->o.document = BYTES_LIT("330000199608213898");
	text = shown(a);
	assert_int_equal(a->c.v.code, VERDICT_PERSON_MISMATCH);
	assert_null(strstr(text, "330000199608213897"));
	free(text);
}

static void
a_mismatch_names_both_items(void **state)
{
	struct asked *a = *state;
	char *text = NULL;

	a->o.item = BYTES_LIT("030101");
	text = shown(a);
	assert_int_equal(a->c.v.code, VERDICT_ITEM_MISMATCH);
	assert_non_null(strstr(text, "030102 低压电工作业"));
	assert_non_null(strstr(text, "030101 高压电工作业"));
	free(text);
}

static void
nothing_is_shown_of_what_is_not_signed_by_the_authority(void **state)
{
	struct asked *a = *state;
	struct buf bare = BUF_OF(a->bare_room);
	char *text = NULL;
	json_t *object = NULL;

	assert_int_equal(record_sign(&a->r, a->f->w->stranger, &bare), ERR_OK);
	a->o.data = buf_bytes(&bare);
	text = shown(a);
	assert_int_equal(a->c.v.code, VERDICT_NOT_ISSUED);
	assert_null(strstr(text, "买买提"));
	assert_null(strstr(text, "030102"));
	free(text);
	object = check_json(&a->c, a->field);
	assert_true(json_is_null(json_object_get(object, "certificate")));
	assert_string_equal(json_string_value(json_object_get(object, "reason")), "unknown_key");
	json_decref(object);
}

static void
json_has_stable_names(void **state)
{
	static const char *const names[] = {"verdict", "exit", "zh", "en", "reason", "checked_for",
	        "certificate", "status_as_of", "status_expired", "log", "log_index", "log_size",
	        "revocation"};
	static const char *const inner[] = {"serial", "name", "document_type", "document",
	        "document_matched", "item", "item_name_zh", "item_name_en", "valid_from",
	        "valid_until", "first_issued", "review_due", "region", "center", "authority_zh",
	        "authority_en"};
	struct asked *a = *state;
	json_t *object = NULL, *certificate = NULL;

	assert_int_equal(check_run(&a->o, &a->c), ERR_OK);
	object = check_json(&a->c, a->field);
	assert_non_null(object);
	assert_int_equal(json_object_size(object), sizeof names / sizeof names[0]);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		assert_non_null(json_object_get(object, names[i]));
	certificate = json_object_get(object, "certificate");
	assert_int_equal(json_object_size(certificate), sizeof inner / sizeof inner[0]);
	for (size_t i = 0; i < sizeof inner / sizeof inner[0]; i++)
		assert_non_null(json_object_get(certificate, inner[i]));
	assert_string_equal(json_string_value(json_object_get(object, "verdict")), "VALID");
	json_decref(object);
}

static void
a_qr_text_may_end_its_line(void **state)
{
	struct asked *a = *state;
	uint8_t room[QR_TEXT_BYTES_MAX + 2];
	struct buf text = BUF_OF(room);

	qr_put(&text, a->bare);
	buf_put_text(&text, "\r\n");
	a->o.data = buf_bytes(&text);
	assert_int_equal(check_run(&a->o, &a->c), ERR_OK);
	assert_int_equal(a->c.v.code, VERDICT_VALID);
}

static void
a_revocation_is_shown_with_its_date_from_the_crl(void **state)
{
	struct asked *a = *state;
	struct crl_row row = {.reason = 9,
	        .revoked_at = WORLD_NOW - 3600,
	        .invalid_from = date_shanghai(WORLD_NOW) - 5};
	uint8_t *der = NULL;
	size_t n = 0;
	char *text = NULL;
	json_t *object = NULL;

	status_set(a->f->w->raw, a->r.idx, STATUS_INVALID);
	publish(a->f, WORLD_NOW + 10, 3);
	memcpy(row.serial, a->cti, sizeof row.serial);
	world_crl(a->f->w, 0, WORLD_NOW + 10, &row, &der, &n);
	serve(a->f, "/crl/0.crl", bytes_of(der, n));
	free(der);
	run(a->f);
	assert_int_equal(a->f->r.end, SYNC_DONE);
	text = shown(a);
	assert_non_null(strstr(text, "REVOKED  已撤销"));
	assert_non_null(strstr(text, "privilege_withdrawn"));
	free(text);
	object = check_json(&a->c, a->field);
	assert_string_equal(
	        json_string_value(json_object_get(json_object_get(object, "revocation"), "reason")),
	        "privilege_withdrawn");
	json_decref(object);
}

static void
without_a_crl_a_revocation_is_on_the_list_of_its_time(void **state)
{
	struct asked *a = *state;
	char *text = NULL;

	a->f->o.crls = false;
	state_remove(a->f->dir, "crl/0.crl");
	status_set(a->f->w->raw, a->r.idx, STATUS_INVALID);
	publish(a->f, WORLD_NOW + 10, 3);
	run(a->f);
	assert_int_equal(a->f->r.end, SYNC_DONE);
	text = shown(a);
	assert_non_null(strstr(text, "REVOKED  已撤销"));
	assert_non_null(
	        strstr(text, "列于 2026-10-17T16:00:10+08:00 的清单 on the list of that time"));
	free(text);
}

static void
without_a_manifest_there_is_no_verdict(void **state)
{
	struct asked *a = *state;

	a->o.dir = "/tmp/zz-there-is-no-such-folder";
	assert_int_equal(check_run(&a->o, &a->c), ERR_NOT_FOUND);
	check_close(&a->c);
	a->o.dir = a->f->dir;
	a->o.root = a->f->w->record;
	assert_int_equal(check_run(&a->o, &a->c), ERR_KID_UNKNOWN);
}

static void
a_list_that_the_head_does_not_count_is_never_valid(void **state)
{
	struct asked *a = *state;
	struct buf bare = BUF_OF(a->bare_room);

	a->r.list = LISTS;
	assert_int_equal(record_sign(&a->r, a->f->w->record, &bare), ERR_OK);
	a->o.data = buf_bytes(&bare);
	assert_int_equal(check_run(&a->o, &a->c), ERR_OK);
	assert_int_equal(a->c.v.code, VERDICT_STATUS_UNKNOWN);
}

static void
a_masked_number_tells_little(void **state)
{
	static const struct {
		const char *number, *want;
	} rows[] = {
	        {"330000199608213897", "330***********3897"},
	        {"330000960821", "330*****0821"},
	        {"E12345678", "E*******8"},
	        {"1234", "****"},
	        {"1", "*"},
	        {"", ""},
	        {"台湾123", "***"},
	};
	char out[DOCUMENT_BYTES_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		check_mask(bytes_of_text(rows[i].number), out);
		assert_string_equal(out, rows[i].want);
	}
}

#define A(name) cmocka_unit_test_setup_teardown(name, asked_make, asked_free)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        A(a_certificate_is_shown_in_both_languages),
	        A(the_number_is_shown_only_to_who_knows_it),
	        A(a_mismatch_names_both_items),
	        A(nothing_is_shown_of_what_is_not_signed_by_the_authority),
	        A(json_has_stable_names),
	        A(a_qr_text_may_end_its_line),
	        A(a_revocation_is_shown_with_its_date_from_the_crl),
	        A(without_a_crl_a_revocation_is_on_the_list_of_its_time),
	        A(without_a_manifest_there_is_no_verdict),
	        A(a_list_that_the_head_does_not_count_is_never_valid),
	        cmocka_unit_test(a_masked_number_tells_little),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
