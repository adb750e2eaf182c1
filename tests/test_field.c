/* test_field.c - the field's data as it is compiled in, and data that contradicts itself, which
 * stops the start. */
#include "date.h"
#include "field_data.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct field *field;

static int
open_field(void **state)
{
	(void)state;
	return field_open(&field) != ERR_OK;
}

static int
close_field(void **state)
{
	(void)state;
	field_free(field);
	return 0;
}

static void
assert_text(struct bytes got, const char *want)
{
	if (!bytes_equal_text(got, want))
		fail_msg("%.*s instead of %s", (int)got.n, (const char *)got.p, want);
}

static const struct field_item *
item(const char *code)
{
	const struct field_item *m = field_item(field, bytes_of_text(code));

	assert_non_null(m);
	return m;
}

static void
items_of_both_files_are_found(void **state)
{
	static const struct {
		const char *code, *person_type, *category_zh, *name_zh, *name_en, *scope;
	} rows[] = {
	        {"030102", "03", "电工作业", "低压电工作业", "Low-voltage electrician work", "CN"},
	        {"030302", "03", "高处作业", "高处安装、维护、拆除作业",
	                "Installation, maintenance and dismantling at height", "CN"},
	        {"031901", "03", "有限空间作业（北京市地方类别）", "地下有限空间监护作业",
	                "Underground confined-space attendant work (Beijing local item)", "110000"},
	        {"020301", "02", "安全生产管理人员·危险化学品", "危险化学品生产单位",
	                "Hazardous chemicals: Production unit", "CN"},
	        {"010100", "01", "主要负责人·煤矿", "煤矿企业", "Coal mining: Coal mine enterprise",
	                "CN"},
	        {"010500", "01", "主要负责人·金属冶炼", "金属冶炼单位", "Metal smelting unit",
	                "CN"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct field_item *m = item(rows[i].code);

		assert_text(m->code, rows[i].code);
		assert_text(m->person_type, rows[i].person_type);
		assert_text(m->category_zh, rows[i].category_zh);
		assert_text(m->name_zh, rows[i].name_zh);
		assert_text(m->name_en, rows[i].name_en);
		assert_text(m->scope, rows[i].scope);
	}
}

static void
codes_that_are_no_items_are_unknown(void **state)
{
	static const char *const rows[] = {"", "03", "0301", "030107", "0301021", "30102", "031100",
	        "030100", "999999", "03010 ", "０30102"};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_null(field_item(field, bytes_of_text(rows[i])));
}

static void
the_day_of_the_examination_picks_the_policy(void **state)
{
	static const struct {
		const char *item;
		int year, month, day;
		const char *want;
	} rows[] = {
	        {"030102", 2010, 6, 30, NULL},
	        {"030102", 2010, 7, 1, "SP-30"},
	        {"030102", 2026, 5, 31, "SP-30"},
	        {"030102", 2026, 6, 1, "SP-19"},
	        {"030102", 2999, 12, 31, "SP-19"},
	        {"020301", 2012, 2, 29, NULL},
	        {"020301", 2012, 3, 1, "MG-44"},
	        {"010100", 2026, 6, 1, "MG-44"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct field_policy *p = field_policy(field, item(rows[i].item),
		        date_from_civil(rows[i].year, rows[i].month, rows[i].day));

		if (rows[i].want == NULL) {
			assert_null(p);
			continue;
		}
		assert_non_null(p);
		assert_text(p->id, rows[i].want);
		assert_ptr_equal(p, field_policy_by_id(field, p->id));
	}
	assert_null(field_policy_by_id(field, BYTES_LIT("SP-18")));
}

static void
policies_hold_the_terms_of_the_law(void **state)
{
	const struct field_policy *sp = field_policy_by_id(field, BYTES_LIT("SP-30"));
	const struct field_policy *mg = field_policy_by_id(field, BYTES_LIT("MG-44"));
	char room[100];
	struct buf ids = BUF_OF(room);

	(void)state;
	assert_int_equal(sp->validity_years, 6);
	assert_int_equal(sp->review_years, 3);
	assert_int_equal(sp->renewal_window_days, 60);
	assert_int_equal(sp->age_min, 18);
	assert_int_equal(sp->pass_tenths, 800);
	assert_false(sp->provisional);
	assert_int_equal(mg->validity_years, 3);
	assert_int_equal(mg->review_years, 0);
	assert_true(mg->to == INT64_MAX);
	assert_true(field_provisional(field, &ids));
	assert_text(buf_bytes(&ids), "SP-19");
}

static void
grounds_have_kind_effect_and_officials(void **state)
{
	static const struct {
		const char *code;
		enum ground_kind kind;
		enum ground_effect effect;
		int ban_months, officials, crl_reason;
	} rows[] = {
	        {"R03", GROUND_REVOKE, EFFECT_EX_NUNC, 0, 2, 9},
	        {"R05", GROUND_REVOKE, EFFECT_EX_TUNC, 36, 2, 9},
	        {"R15", GROUND_REVOKE, EFFECT_CASE, 0, 2, 9},
	        {"W01", GROUND_WITHDRAW, EFFECT_EX_NUNC, 0, 2, 5},
	        {"C03", GROUND_CANCEL, EFFECT_FOLLOWS, 0, 2, 5},
	        {"L01", GROUND_LAPSE, EFFECT_EX_NUNC, 0, 0, 5},
	        {"S01", GROUND_SUSPEND, EFFECT_EX_NUNC, 0, 2, 6},
	        {"S02", GROUND_ADVISORY, EFFECT_EX_NUNC, 0, 0, -1},
	        {"X02", GROUND_SUPERSEDE, EFFECT_EX_NUNC, 0, 1, 4},
	        {"V02", GROUND_VOID, EFFECT_FROM_TIME, 0, 2, 9},
	        {"F01", GROUND_FLAG, EFFECT_NONE, 0, 2, -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct field_ground *g = field_ground(field, bytes_of_text(rows[i].code));

		assert_non_null(g);
		assert_int_equal(g->kind, rows[i].kind);
		assert_int_equal(g->effect, rows[i].effect);
		assert_int_equal(g->ban_months, rows[i].ban_months);
		assert_int_equal(g->officials, rows[i].officials);
		assert_int_equal(g->crl_reason, rows[i].crl_reason);
	}
	assert_text(field_ground(field, BYTES_LIT("S01"))->public_zh, "状态核查中，请联系发证机关");
	assert_text(field_ground(field, BYTES_LIT("V01"))->name_en,
	        "Issued in error (data mistake), void");
	assert_null(field_ground(field, BYTES_LIT("R99")));
	assert_null(field_ground(field, BYTES_LIT("")));
}

static void
regions_and_documents_have_names(void **state)
{
	(void)state;
	assert_true(field_region_known(field, BYTES_LIT("110000")));
	assert_true(field_region_known(field, BYTES_LIT("830000")));
	assert_text(field_region_name(field, BYTES_LIT("440305")), "南山区");
	assert_false(field_region_known(field, BYTES_LIT("110103"))); /* retired in 2010 */
	assert_false(field_region_known(field, BYTES_LIT("11")));
	assert_text(field_region_name(field, BYTES_LIT("999999")), "");
	assert_text(field_document_name(field, BYTES_LIT("01")), "居民身份证");
	assert_text(field_document_name(field, BYTES_LIT("08")), "军官证/士兵证");
	assert_text(field_document_name(field, BYTES_LIT("09")), "");
}

static void
the_files_are_those_of_the_checkout(void **state)
{
	static uint8_t disk[256 * 1024];
	struct bytes parts[FIELD_FILE_COUNT];
	uint8_t want[SHA256_BYTES], got[SHA256_BYTES];

	(void)state;
	for (unsigned i = 0; i < FIELD_FILE_COUNT; i++) {
		char path[500];
		FILE *f;
		size_t n;

		parts[i] = field_file_bytes((enum field_file)i);
		(void)snprintf(path, sizeof path, SOURCE_DIR "/ca/data/%s",
		        field_file_name((enum field_file)i));
		assert_non_null(f = fopen(path, "rb"));
		n = fread(disk, 1, sizeof disk, f);
		(void)fclose(f);
		assert_true(bytes_equal(parts[i], bytes_of(disk, n)));
		if (i > 0)
			assert_true(strcmp(field_file_name((enum field_file)(i - 1)),
			                    field_file_name((enum field_file)i)) < 0);
	}
	sha256(parts, FIELD_FILE_COUNT, want);
	field_sha256(field, got);
	assert_memory_equal(got, want, SHA256_BYTES);
}

/* One file with the first `from` replaced by `to`. */
static enum err
read_changed(enum field_file file, const char *from, const char *to)
{
	struct bytes files[FIELD_FILE_COUNT];
	struct bytes old = field_file_bytes(file);
	size_t room = old.n + strlen(to) + 1;
	struct buf b = buf_init(malloc(room), room);
	struct field *f = NULL;
	size_t at = 0;
	enum err e;

	for (unsigned i = 0; i < FIELD_FILE_COUNT; i++)
		files[i] = field_file_bytes((enum field_file)i);
	while (at < old.n && !bytes_start(bytes_skip(old, at), from))
		at++;
	if (at == old.n || b.p == NULL)
		fail_msg("%s is not in the file", from);
	buf_put(&b, bytes_of(old.p, at));
	buf_put_text(&b, to);
	buf_put(&b, bytes_skip(old, at + strlen(from)));
	files[file] = buf_bytes(&b);
	e = field_read(files, &f);
	free(b.p);
	field_free(f);
	return e;
}

static void
data_that_contradicts_itself_stops_the_start(void **state)
{
	static const struct {
		const char *what;
		enum field_file file;
		const char *from, *to;
	} rows[] = {
	        {"item twice", FILE_OPERATIONS, "0301,030101,", "0301,030102,"},
	        {"item outside its category", FILE_OPERATIONS, "0301,030101,", "0302,030101,"},
	        {"item without category", FILE_OPERATIONS, "0301,,", "0399,,"},
	        {"item without name", FILE_OPERATIONS, "030101,高压电工作业", "030101,"},
	        {"item of 5 digits", FILE_OPERATIONS, "030101", "03010"},
	        {"item of letters", FILE_OPERATIONS, "030101", "03010A"},
	        {"item that is no special operation", FILE_OPERATIONS, "0319,,", "0119,,"},
	        {"scope of words", FILE_OPERATIONS, "local item),6,3,110000",
	                "local item),6,3,Beijing"},
	        {"scope of an unknown region", FILE_OPERATIONS, ",6,3,CN\n0301,030102",
	                ",6,3,999999\n0301,030102"},
	        {"column missing", FILE_OPERATIONS, "name_en", "name"},
	        {"row cut short", FILE_OPERATIONS, ",6,3,CN\n0301,030101", ",6,3\n0301,030101"},
	        {"person type 03 in the management file", FILE_MANAGEMENT, "\n01,", "\n03,"},
	        {"subtype outside its industry", FILE_MANAGEMENT, ",010100,", ",010900,"},
	        {"variant of no item", FILE_VARIANTS, "030603,01", "030699,01"},
	        {"policies that overlap", FILE_POLICIES, "2026-05-31", "2026-06-01"},
	        {"policy that ends before it begins", FILE_POLICIES, "2026-05-31", "2009-05-31"},
	        {"policy twice", FILE_POLICIES, "SP-19", "SP-30"},
	        {"day that does not exist", FILE_POLICIES, "2026-05-31", "2026-05-32"},
	        {"review after the end", FILE_POLICIES, ",6,3,60,18,80,no", ",6,6,60,18,80,no"},
	        {"no validity", FILE_POLICIES, ",6,3,60,18,80,no", ",0,0,60,18,80,no"},
	        {"pass mark above 100", FILE_POLICIES, "18,80,no", "18,101,no"},
	        {"negative age", FILE_POLICIES, "18,80,no", "-18,80,no"},
	        {"provisional perhaps", FILE_POLICIES, "18,80,no", "18,80,perhaps"},
	        {"unknown person type", FILE_POLICIES, "01 02", "01 04"},
	        {"person types without blank", FILE_POLICIES, "01 02", "01,02"},
	        {"nobody serves person type 02 any more", FILE_POLICIES, "01 02", "01"},
	        {"nobody serves person type 03 any more", FILE_POLICIES, "2026-06-01,,6",
	                "2026-06-01,2027-01-01,6"},
	        {"ground twice", FILE_GROUNDS, "R02,", "R01,"},
	        {"unknown kind", FILE_GROUNDS, ",revoke,", ",revoked,"},
	        {"unknown effect", FILE_GROUNDS, ",ex_nunc,", ",ex,"},
	        {"one official revokes", FILE_GROUNDS, ",ex_nunc,0,2,9", ",ex_nunc,0,1,9"},
	        {"reason that lists do not carry", FILE_GROUNDS, ",ex_nunc,0,2,9",
	                ",ex_nunc,0,2,1"},
	        {"revoked without a reason", FILE_GROUNDS, ",ex_nunc,0,2,9", ",ex_nunc,0,2,"},
	        {"document that no code checks", FILE_DOCUMENTS, "08,", "09,"},
	        {"document twice", FILE_DOCUMENTS, "08,", "07,"},
	        {"region twice", FILE_REGIONS, "110102,", "110101,"},
	        {"region of 5 digits", FILE_REGIONS, "110102,", "11010,"},
	        {"misplaced quote", FILE_GROUNDS, "\"Issued in", "\"Issued\" in"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		enum err e = read_changed(rows[i].file, rows[i].from, rows[i].to);

		if (e != ERR_CONFIG)
			fail_msg("%s: %s", rows[i].what, err_word(e));
	}
}

/* The negative control: a change that contradicts nothing is read. */
static void
changes_of_the_law_are_only_data(void **state)
{
	(void)state;
	assert_int_equal(read_changed(FILE_POLICIES, "18,80,no", "16,90,no"), ERR_OK);
	assert_int_equal(read_changed(FILE_GROUNDS, ",ex_nunc,0,2,9", ",ex_nunc,12,3,9"), ERR_OK);
	assert_int_equal(
	        read_changed(FILE_OPERATIONS, "0301,030101,高压", "0301,030199,高压"), ERR_OK);
	assert_int_equal(read_changed(FILE_REGIONS, "110101,东城区", "110199,东城区"), ERR_OK);
}

static void
a_file_without_rows_stops_the_start(void **state)
{
	(void)state;
	for (unsigned i = 0; i < FIELD_FILE_COUNT; i++) {
		struct bytes files[FIELD_FILE_COUNT];
		struct field *f = NULL;
		size_t n = 0;

		for (unsigned k = 0; k < FIELD_FILE_COUNT; k++)
			files[k] = field_file_bytes((enum field_file)k);
		while (files[i].p[n] != '\n')
			n++;
		files[i].n = n + 1;
		/* variants and management items may all be abolished */
		assert_int_equal(field_read(files, &f),
		        i == FILE_VARIANTS || i == FILE_MANAGEMENT ? ERR_OK : ERR_CONFIG);
		field_free(f);
		files[i].n = 0;
		assert_int_equal(field_read(files, &f), ERR_CONFIG);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(items_of_both_files_are_found),
	        cmocka_unit_test(codes_that_are_no_items_are_unknown),
	        cmocka_unit_test(the_day_of_the_examination_picks_the_policy),
	        cmocka_unit_test(policies_hold_the_terms_of_the_law),
	        cmocka_unit_test(grounds_have_kind_effect_and_officials),
	        cmocka_unit_test(regions_and_documents_have_names),
	        cmocka_unit_test(the_files_are_those_of_the_checkout),
	        cmocka_unit_test(data_that_contradicts_itself_stops_the_start),
	        cmocka_unit_test(changes_of_the_law_are_only_data),
	        cmocka_unit_test(a_file_without_rows_stops_the_start),
	};

	return cmocka_run_group_tests(tests, open_field, close_field);
}
