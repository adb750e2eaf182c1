/* test_record_limits.c - every limit of a record at its edge, for writing and for reading alike. */
#include "record_world.h"

static struct key *key;
static struct record_case sample; /* the first vector: a usual record */
static json_t *vectors;

static int
make(void **state)
{
	(void)state;
	vectors = vectors_load("record.json");
	claims_read(json_object_get(json_array_get(vectors, 0), "claims"), &sample);
	key = seed_key_from(0);
	return key == NULL;
}

static int
unmake(void **state)
{
	(void)state;
	key_free(key);
	json_decref(vectors);
	return 0;
}

enum { NAME_LONG = 4 * 65, TEXT_LONG = 200 };

/* One member of a good record becomes something else. */
/* clang-format off */
static void
spoil(struct record *r, size_t which, char *text)
{
	static const uint8_t zero[33];

	memset(text, '1', TEXT_LONG);
	switch (which) {
	case 0: r->iss = bytes_of(NULL, 0); return;
	case 1: r->iss = bytes_of(text, HOST_BYTES_MAX + 1); return;
	case 2: r->cti = bytes_of(zero, 15); return;
	case 3: r->cti = bytes_of(zero, 17); return;
	case 4: r->request = bytes_of(zero, 31); return;
	case 5: r->request = bytes_of(zero, 33); return;
	case 6: r->iat = r->nbf - 1; return;
	case 7: r->nbf += 1; return;
	case 8: r->nbf -= 1; return;
	case 9: r->exp += 1; return;
	case 10: r->exp -= 1; return;
	case 11: r->exp = r->nbf; return;
	case 12: r->idx = LIST_ENTRIES; return;
	case 13: r->doc_type = BYTES_LIT("1"); return;
	case 14: r->doc_type = BYTES_LIT("0a"); return;
	case 15: r->doc_number = bytes_of(NULL, 0); return;
	case 16: r->doc_number = bytes_of(text, DOCUMENT_BYTES_MAX + 1); return;
	case 17: r->sex = 3; return;
	case 18: r->sex = -1; return;
	case 19: r->item = BYTES_LIT("03010"); return;
	case 20: r->item = BYTES_LIT("03010x"); return;
	case 21: r->policy = bytes_of(NULL, 0); return;
	case 22: r->policy = bytes_of(text, 33); return;
	case 23: r->first_issued = -1; return;
	case 24: r->region = BYTES_LIT("33000"); return;
	case 25: r->center = bytes_of(NULL, 0); return;
	case 26: r->center = bytes_of(text, 33); return;
	case 27: r->photo = bytes_of(zero, 15); return;
	case 28: r->follows = bytes_of(zero, 17); return;
	case 29: r->item_name = bytes_of(text, 121); return;
	case 30: r->authority = bytes_of(text, 121); return;
	case 31: r->item_name = BYTES_LIT("\xff"); return;
	case 32: r->iat = -1; return;
	case 33: r->iat = r->nbf + DAY_S; return;
	default: r->name = bytes_of(NULL, 0); return;
	}
}
/* clang-format on */
enum { SPOILS = 35 };

static void
what_breaks_the_format_is_not_signed(void **state)
{
	uint8_t room[ROOM];
	char text[TEXT_LONG];

	(void)state;
	for (size_t i = 0; i < SPOILS; i++) {
		struct record r = sample.r;
		struct buf b = BUF_OF(room);

		spoil(&r, i, text);
		if (record_sign(&r, key, &b) != ERR_VALUE)
			fail_msg("case %zu is signed", i);
		assert_int_equal(b.n, 0);
	}
}

static void
limits_are_reached_and_read_back(void **state)
{
	char text[TEXT_LONG];
	uint8_t room[ROOM], once_room[ROOM];
	struct record r = sample.r, back;

	(void)state;
	memset(text, '1', sizeof text);
	r.iss = bytes_of(text, HOST_BYTES_MAX);
	r.doc_number = bytes_of(text, DOCUMENT_BYTES_MAX);
	r.policy = r.center = bytes_of(text, 32);
	r.item_name = r.authority = bytes_of(text, 120);
	r.idx = LIST_ENTRIES - 1;
	r.list = UINT32_MAX;
	r.first_issued = 0;
	r.review_due = INT32_MAX;
	r.sequence = INT32_MAX;
	assert_int_equal(record_decode(payload_of(&r, key, room), &back), ERR_OK);
	assert_true(same_record(&r, &back));
	r.list = r.idx = 0;
	r.review_due = r.sequence = 0;
	assert_int_equal(record_decode(payload_of(&r, key, once_room), &back), ERR_OK);
	assert_true(same_record(&r, &back));
}

static void
names_have_64_points_and_no_control_characters(void **state)
{
	static const struct {
		const char *what, *unit;
		size_t count;
		enum err want;
	} rows[] = {
	        {"one point", "a", 1, ERR_OK},
	        {"64 of one byte", "a", 64, ERR_OK},
	        {"65 of one byte", "a", 65, ERR_VALUE},
	        {"64 of three bytes", "水", 64, ERR_OK},
	        {"65 of three bytes", "水", 65, ERR_VALUE},
	        {"64 of four bytes", "\xf0\xa0\x80\x80", 64, ERR_OK},
	        {"65 of four bytes", "\xf0\xa0\x80\x80", 65, ERR_VALUE},
	        {"a middle dot", "买买提·艾力", 1, ERR_OK},
	        {"blanks stay as they are", " a ", 1, ERR_OK},
	        {"a tab", "\t", 1, ERR_VALUE},
	        {"a line end", "a\n", 1, ERR_VALUE},
	        {"0x1f", "\x1f", 1, ERR_VALUE},
	        {"delete", "\x7f", 1, ERR_VALUE},
	        {"the last of C1", "\xc2\x9f", 1, ERR_VALUE},
	        {"the first of C1", "a\xc2\x80", 1, ERR_VALUE},
	        {"a blank of Latin-1", "a\xc2\xa0", 1, ERR_OK},
	        {"a point that ends as C1 does", "\xe2\x82\x9f", 1, ERR_OK},
	        {"no UTF-8", "\xff", 1, ERR_VALUE},
	        {"cut off", "\xc2", 1, ERR_VALUE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint8_t name_room[NAME_LONG], room[ROOM];
		struct buf name = BUF_OF(name_room), b = BUF_OF(room);
		struct record r = sample.r, back;
		struct cose_sign1 m;

		for (size_t k = 0; k < rows[i].count; k++)
			buf_put_text(&name, rows[i].unit);
		r.name = buf_bytes(&name);
		if (record_sign(&r, key, &b) != rows[i].want)
			fail_msg("%s", rows[i].what);
		if (rows[i].want != ERR_OK)
			continue;
		assert_int_equal(record_open(buf_bytes(&b), false, &m, &back), ERR_OK);
		assert_true(bytes_equal(back.name, r.name));
	}
}

/* Long texts make a record as long as we like: 1,024 bytes are one, 1,025 are none. */
static void
a_record_has_at_most_1024_bytes(void **state)
{
	char text[TEXT_LONG], name[NAME_LONG];
	uint8_t room[ROOM], serial[16] = {0};
	size_t last = 0;

	(void)state;
	memset(text, 'a', sizeof text);
	for (size_t i = 0; i < 64; i++)
		memcpy(name + 4 * i, "\xf0\xa0\x80\x80", 4);
	for (size_t n = 1; n <= 120; n++)
		for (size_t host = 60; host <= HOST_BYTES_MAX; host += 40) {
			struct record r = sample.r, back;
			struct buf b = BUF_OF(room);
			struct cose_sign1 m;
			enum err e;

			r.name = bytes_of(name, 256);
			r.iss = bytes_of(text, host);
			r.policy = r.center = bytes_of(text, 32);
			r.item_name = bytes_of(text, 120);
			r.authority = bytes_of(text, n);
			r.follows = bytes_of(serial, 16);
			e = record_sign(&r, key, &b);
			assert_true(e == ERR_OK || e == ERR_LIMIT);
			assert_true((e == ERR_OK) == (b.n != 0 && b.n <= RECORD_BYTES_MAX));
			if (b.n == 0) /* the claims alone did not fit */
				continue;
			assert_int_equal(record_open(buf_bytes(&b), false, &m, &back),
			        b.n <= RECORD_BYTES_MAX ? ERR_OK : ERR_LIMIT);
			if (b.n <= RECORD_BYTES_MAX && b.n > last)
				last = b.n;
		}
	assert_int_equal(last, RECORD_BYTES_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(what_breaks_the_format_is_not_signed),
	        cmocka_unit_test(limits_are_reached_and_read_back),
	        cmocka_unit_test(names_have_64_points_and_no_control_characters),
	        cmocka_unit_test(a_record_has_at_most_1024_bytes),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}
