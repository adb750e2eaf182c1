/* test_record.c - the published records are read and made again; every rule of the format has its
 * edge; nothing changed is a record of ours. */
#include "record_world.h"

#include "base45.h"
#include "entry.h"

static struct key *key;
static json_t *vectors;

static int
make(void **state)
{
	(void)state;
	vectors = vectors_load("record.json");
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

/* Read, verified, and every claim is what the vector says; written again the payload is the same,
 * and with Ed25519 the signature too. */
static void
vector_check(json_t *row)
{
	uint8_t in_room[ROOM], payload_room[ROOM], entry_room[ROOM], room[ROOM];
	struct bytes in = member_hex(row, "record", in_room);
	struct key *k = member_key(row, "private_key"), *public = member_key(row, "public_key");
	struct buf again = BUF_OF(room);
	struct record_case want;
	struct cose_sign1 m, made;
	struct record r;
	struct entry entry;

	claims_read(json_object_get(row, "claims"), &want);
	assert_int_equal(record_open(in, false, &m, &r), ERR_OK);
	assert_int_equal(cose_verify(&m, public, RECORD_TYPE), ERR_OK);
	assert_true(same_record(&r, &want.r));
	assert_true(bytes_equal(m.payload, member_hex(row, "payload", payload_room)));
	assert_int_equal(record_sign(&want.r, k, &again), ERR_OK);
	assert_int_equal(cose_decode(buf_bytes(&again), false, &made), ERR_OK);
	assert_true(bytes_equal(made.payload, m.payload));
	assert_true(bytes_equal(made.protected, m.protected));
	if (key_suite(k) == KEY_ED25519)
		assert_true(bytes_equal(buf_bytes(&again), in));
	again = BUF_OF(room);
	assert_int_equal(record_bare(&m, &again), ERR_OK);
	assert_true(bytes_equal(buf_bytes(&again), in));
	entry_of_record(&r, in, &entry);
	again = BUF_OF(room);
	entry_put(&entry, &again);
	assert_true(bytes_equal(buf_bytes(&again), member_hex(row, "entry", entry_room)));
	again = BUF_OF(room);
	qr_put(&again, in);
	assert_true(bytes_equal(buf_bytes(&again), member_text(row, "qr")));
	key_free(k);
	key_free(public);
}

static void
the_published_records_are_read_and_made_again(void **state)
{
	json_t *row;
	size_t i;

	(void)state;
	assert_int_equal(json_array_size(vectors), 14);
	json_array_foreach(vectors, i, row) vector_check(row);
}

static void
usual_records_are_small(void **state)
{
	uint8_t room[ROOM];
	json_t *row;
	size_t i, seen = 0;

	(void)state;
	json_array_foreach(vectors, i, row)
	{
		struct bytes in = member_hex(row, "record", room);
		struct bytes name = member_text(row, "name");

		assert_true(in.n <= RECORD_BYTES_MAX);
		if (bytes_start(name, "usual") || bytes_start(name, "nothing") ||
		        bytes_start(name, "from") || bytes_start(name, "to") ||
		        bytes_start(name, "management")) {
			assert_in_range(in.n, 351, 443);
			seen++;
		}
	}
	assert_int_equal(seen, 10);
}

/* Each vector, each bit: refused as a form, or it does not verify. */
static void
every_changed_bit_is_refused(void **state)
{
	uint8_t room[ROOM];
	json_t *row;
	size_t i;

	(void)state;
	json_array_foreach(vectors, i, row)
	{
		struct bytes in = member_hex(row, "record", room);
		struct key *k = member_key(row, "public_key");

		for (size_t bit = 0; bit < 8 * in.n; bit++) {
			struct cose_sign1 m;
			struct record r;

			room[bit / 8] ^= (uint8_t)(1U << bit % 8);
			if (record_open(in, false, &m, &r) == ERR_OK)
				assert_int_not_equal(cose_verify(&m, k, RECORD_TYPE), ERR_OK);
			room[bit / 8] ^= (uint8_t)(1U << bit % 8);
		}
		key_free(k);
	}
}

static void
every_prefix_and_every_longer_record_is_refused(void **state)
{
	uint8_t room[ROOM];
	struct bytes in = member_hex(json_array_get(vectors, 5), "record", room);
	struct cose_sign1 m;
	struct record r;

	(void)state;
	assert_int_equal(record_open(in, false, &m, &r), ERR_OK);
	for (size_t n = 0; n < in.n; n++)
		assert_int_not_equal(record_open(bytes_of(room, n), false, &m, &r), ERR_OK);
	assert_int_equal(record_open(bytes_of(room, in.n + 1), false, &m, &r), ERR_TRAILING);
	in = member_hex(json_array_get(vectors, 5), "payload", room);
	for (size_t n = 0; n < in.n; n++)
		assert_int_not_equal(record_decode(bytes_of(room, n), &r), ERR_OK);
	assert_int_equal(record_decode(bytes_of(room, in.n + 1), &r), ERR_TRAILING);
}

/* Whatever claims are read are written again as the same bytes. */
static void
claims_have_one_spelling(void **state)
{
	uint8_t room[ROOM], again_room[ROOM];
	struct bytes in = member_hex(json_array_get(vectors, 5), "payload", room);
	size_t read = 0;

	(void)state;
	for (size_t i = 0; i < in.n; i++)
		for (unsigned v = 0; v < 256; v++) {
			uint8_t before = room[i];
			struct record r;

			room[i] = (uint8_t)v;
			if (record_decode(in, &r) == ERR_OK) {
				assert_true(bytes_equal(payload_of(&r, key, again_room), in));
				read++;
			}
			room[i] = before;
		}
	assert_true(read > in.n);
}

/* Payloads that are CBOR of the one spelling and no record. */
static const struct {
	const char *what, *from, *to; /* hex, the first occurrence in the payload */
	enum err want;
} changes[] = {
        {"a claim of another number", "a701", "a702", ERR_VALUE},
        {"a claim missing", "a701", "a601", ERR_VALUE},
        {"a version that we do not know", "0102", "0202", ERR_VALUE},
        {"sex 0", "0501", "0500", ERR_VALUE},
        {"sex 3", "0501", "0503", ERR_LIMIT},
        {"sex as text", "0501", "0560", ERR_VALUE},
        {"another status claim", "6b7374617475735f6c697374", "6b7374617475735f6c697375", ERR_VALUE},
        {"idx by another name", "63696478", "63696479", ERR_VALUE},
        {"uri by another name", "63757269", "6375726a", ERR_VALUE},
        {"uri without https", "68747470733a", "687474707a3a", ERR_VALUE},
        {"uri of another host", "2f2f7a7a2e", "2f2f7a792e", ERR_VALUE},
        {"uri with a list that is no number", "7374617475732f30", "7374617475732f78", ERR_VALUE},
};

static size_t
find(struct bytes in, const uint8_t *what, size_t n)
{
	for (size_t i = 0; i + n <= in.n; i++)
		if (memcmp(in.p + i, what, n) == 0)
			return i;
	fail_msg("not found");
	return 0;
}

static void
payloads_of_another_form_are_refused_by_name(void **state)
{
	uint8_t room[ROOM], from[32], to[32];

	(void)state;
	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		struct bytes in = member_hex(json_array_get(vectors, 0), "payload", room);
		size_t n = strlen(changes[i].from) / 2;
		struct record r;
		enum err e;

		assert_int_equal(record_decode(in, &r), ERR_OK);
		assert_int_equal(hex_decode(bytes_of_text(changes[i].from), from, n), ERR_OK);
		assert_int_equal(hex_decode(bytes_of_text(changes[i].to), to, n), ERR_OK);
		memcpy(room + find(in, from, n), to, n);
		if ((e = record_decode(in, &r)) != changes[i].want)
			fail_msg("%s: %s", changes[i].what, err_word(e));
	}
}

/* The certificate map with one member left out, or one that nobody knows. */
static enum err
with_members(uint32_t leave_out, int64_t more)
{
	static const uint8_t zero[32];
	uint8_t room[ROOM], full_room[ROOM];
	struct bytes full = member_hex(json_array_get(vectors, 0), "payload", full_room);
	static const uint8_t cert_key[] = {0x3a, 0x00, 0x01, 0x00, 0x00};
	struct buf b = BUF_OF(room);
	struct record r;
	unsigned pairs = more >= 0;

	buf_put(&b, bytes_of(full.p, find(full, cert_key, sizeof cert_key) + sizeof cert_key));
	for (uint32_t k = 1; k <= 13; k++)
		pairs += k != 5 && k != 9 && k != 12 && k != leave_out;
	cbor_put_map(&b, pairs);
	for (uint32_t k = 1; k <= 13; k++) {
		if (k == 5 || k == 9 || k == 12 || k == leave_out)
			continue;
		cbor_put_uint(&b, k);
		if (k == 13)
			cbor_put_bytes(&b, bytes_of(zero, 32));
		else if (k == 1 || k == 8)
			cbor_put_uint(&b, 1);
		else
			cbor_put_text(&b, k == 3 ? BYTES_LIT("01") : BYTES_LIT("330000"));
	}
	if (more >= 0) {
		cbor_put_uint(&b, (uint64_t)more);
		cbor_put_uint(&b, 0);
	}
	return record_decode(buf_bytes(&b), &r);
}

static void
required_members_are_required_and_unknown_ones_refused(void **state)
{
	static const uint32_t required[] = {1, 2, 3, 4, 6, 7, 8, 10, 11, 13};

	(void)state;
	assert_int_equal(with_members(0, -1), ERR_OK);
	assert_int_equal(with_members(0, 14), ERR_OK);
	assert_int_equal(with_members(0, 18), ERR_FIELD_UNKNOWN);
	assert_int_equal(with_members(0, 64), ERR_FIELD_UNKNOWN);
	assert_int_equal(with_members(0, 1), ERR_ENCODING); /* it stands there already */
	for (size_t i = 0; i < sizeof required / sizeof required[0]; i++)
		assert_int_equal(with_members(required[i], -1), ERR_FIELD_MISSING);
}

static void
another_type_of_message_is_no_record(void **state)
{
	uint8_t room[ROOM], payload_room[ROOM];
	struct buf b = BUF_OF(room);
	struct bytes payload = member_hex(json_array_get(vectors, 0), "payload", payload_room);
	struct cose_sign1 m;
	struct record r;

	(void)state;
	assert_int_equal(cose_sign(key, "application/zz-head+cwt", payload, &b), ERR_OK);
	assert_int_equal(record_open(buf_bytes(&b), false, &m, &r), ERR_VALUE);
	b = BUF_OF(room);
	assert_int_equal(cose_sign(key, RECORD_TYPE, payload, &b), ERR_OK);
	assert_int_equal(record_open(buf_bytes(&b), false, &m, &r), ERR_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_published_records_are_read_and_made_again),
	        cmocka_unit_test(usual_records_are_small),
	        cmocka_unit_test(every_changed_bit_is_refused),
	        cmocka_unit_test(every_prefix_and_every_longer_record_is_refused),
	        cmocka_unit_test(claims_have_one_spelling),
	        cmocka_unit_test(payloads_of_another_form_are_refused_by_name),
	        cmocka_unit_test(required_members_are_required_and_unknown_ones_refused),
	        cmocka_unit_test(another_type_of_message_is_no_record),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}
