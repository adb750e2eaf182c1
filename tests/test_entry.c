/* test_entry.c - eight types of entry, one spelling each; note and entry are bound by the tag, and
 * any bit of either changes it. */
#include "entry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROOM = 1024 };
#define TIME_EDGE (INT64_C(1) << 40)

static const uint8_t ones[32] = {1, 1, 1}, cti[16] = {9, 8, 7};

static struct entry
base(enum entry_type type)
{
	return (struct entry){.type = type, .time = 1792224000, .crl_reason = -1, .until = -1};
}

enum { SAMPLES = 13 };

/* Each type, and each member that may be null in both ways. */
static struct entry
sample(size_t i)
{
	struct entry e = base((enum entry_type)(i < 8 ? i : i < 10 ? 2 : i < 12 ? 6 : 0));

	e.origin = BYTES_LIT("zz.example.gov.cn/log");
	e.iss = BYTES_LIT("zz.example.gov.cn");
	e.cti = bytes_of(cti, 16);
	e.center = BYTES_LIT("330106-01");
	e.item = BYTES_LIT("030102");
	e.policy = BYTES_LIT("SP-19");
	e.kid = bytes_of(cti, 8);
	memcpy(e.record_sha256, ones, 32);
	memcpy(e.request, ones, 32);
	memcpy(e.raw_sha256, ones, 32);
	memcpy(e.sha256, ones, 32);
	e.list = 3;
	e.idx = 77;
	e.status = STATUS_INVALID;
	e.crl_reason = 9;
	e.effective = 20743;
	e.sequence = 1792224000;
	e.tree_size = 12;
	e.this_update = e.time;
	e.next_update = e.time + 1;
	e.resumed = i == 7;
	if (i == 8)
		e.status = STATUS_SUSPENDED, e.crl_reason = 6, e.until = 1792310400;
	if (i == 9)
		e.status = STATUS_VALID, e.crl_reason = -1, e.effective = 0;
	if (i == 10)
		e.tree_size = UINT64_MAX;
	if (i == 12)
		e.last_checkpoint = BYTES_LIT("zz.example.gov.cn/log\n1\n");
	return e;
}

static struct bytes
encoded(const struct entry *e, uint8_t room[ROOM])
{
	struct buf b = buf_init(room, ROOM);

	entry_put(e, &b);
	assert_int_equal(buf_end(&b), ERR_OK);
	return buf_bytes(&b);
}

static void
all_types_come_back_the_same(void **state)
{
	(void)state;
	for (size_t i = 0; i < SAMPLES; i++) {
		uint8_t room[ROOM], again_room[ROOM];
		struct entry e = sample(i), back;
		struct bytes in = encoded(&e, room);

		assert_int_equal(cbor_check(in), ERR_OK);
		assert_true(in.n <= ENTRY_BYTES_MAX);
		assert_int_equal(entry_decode(in, &back), ERR_OK);
		assert_int_equal(back.type, e.type);
		assert_int_equal(entry_time(&back), e.time);
		assert_true(bytes_equal(encoded(&back, again_room), in));
	}
}

static void
members_are_read_as_they_were_written(void **state)
{
	uint8_t room[ROOM];
	struct entry e = sample(1), back;

	(void)state;
	assert_int_equal(entry_decode(encoded(&e, room), &back), ERR_OK);
	assert_true(bytes_equal(back.cti, e.cti) && bytes_equal(back.center, e.center));
	assert_memory_equal(back.record_sha256, ones, 32);
	e = sample(8);
	assert_int_equal(entry_decode(encoded(&e, room), &back), ERR_OK);
	assert_true(back.list == 3 && back.idx == 77 && back.status == STATUS_SUSPENDED);
	assert_true(back.crl_reason == 6 && back.until == 1792310400 && back.effective == 20743);
	e = sample(9);
	assert_int_equal(entry_decode(encoded(&e, room), &back), ERR_OK);
	assert_true(back.crl_reason == -1 && back.until == -1);
	e = sample(10);
	assert_int_equal(entry_decode(encoded(&e, room), &back), ERR_OK);
	assert_true(back.tree_size == UINT64_MAX && bytes_equal(back.kid, e.kid));
	e = sample(12);
	assert_int_equal(entry_decode(encoded(&e, room), &back), ERR_OK);
	assert_true(bytes_equal(back.last_checkpoint, e.last_checkpoint));
	e = sample(0);
	assert_int_equal(entry_decode(encoded(&e, room), &back), ERR_OK);
	assert_int_equal(back.last_checkpoint.n, 0);
}

static void
every_prefix_and_every_longer_entry_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < SAMPLES; i++) {
		uint8_t room[ROOM];
		struct entry e = sample(i), back;
		struct bytes in = encoded(&e, room);

		for (size_t n = 0; n < in.n; n++)
			assert_int_not_equal(entry_decode(bytes_of(room, n), &back), ERR_OK);
		room[in.n] = 0;
		assert_int_equal(entry_decode(bytes_of(room, in.n + 1), &back), ERR_TRAILING);
	}
}

static void
whatever_is_read_has_one_spelling(void **state)
{
	(void)state;
	for (size_t i = 0; i < SAMPLES; i++) {
		uint8_t room[ROOM], again_room[ROOM];
		struct entry e = sample(i);
		struct bytes in = encoded(&e, room);

		for (size_t at = 0; at < in.n; at++)
			for (unsigned v = 0; v < 256; v++) {
				uint8_t before = room[at];
				struct entry back;

				room[at] = (uint8_t)v;
				if (entry_decode(in, &back) == ERR_OK)
					assert_true(bytes_equal(encoded(&back, again_room), in));
				room[at] = before;
			}
	}
}

static void
unknown_types_and_versions_are_refused_by_name(void **state)
{
	uint8_t room[ROOM];
	struct entry e = sample(4), back;
	struct bytes in = encoded(&e, room);

	(void)state;
	for (unsigned type = 8; type < 24; type++) {
		room[2] = (uint8_t)type;
		assert_int_equal(entry_decode(in, &back), ERR_TYPE_UNKNOWN);
	}
	room[2] = 4;
	assert_int_equal(entry_decode(in, &back), ERR_OK);
	room[1] = 2;
	assert_int_equal(entry_decode(in, &back), ERR_TYPE_UNKNOWN);
	room[1] = 0;
	assert_int_equal(entry_decode(in, &back), ERR_TYPE_UNKNOWN);
	room[1] = 1;
	room[2] = 6; /* a type of another length */
	assert_int_equal(entry_decode(in, &back), ERR_VALUE);
}

/* Limits of a status entry and of times. */
static void
values_end_at_their_limits(void **state)
{
	static const struct {
		const char *what;
		int64_t time, until, effective;
		uint32_t idx;
		int status, reason;
		enum err want;
	} rows[] = {
	        {"all low", 0, 0, 0, 0, 0, 4, ERR_OK},
	        {"all high", TIME_EDGE, TIME_EDGE, INT32_MAX, LIST_ENTRIES - 1, 3, 9, ERR_OK},
	        {"a time beyond", TIME_EDGE + 1, 0, 0, 0, 0, 4, ERR_LIMIT},
	        {"until beyond", 0, TIME_EDGE + 1, 0, 0, 0, 4, ERR_LIMIT},
	        {"a day beyond", 0, 0, (int64_t)INT32_MAX + 1, 0, 0, 4, ERR_LIMIT},
	        {"an index beyond", 0, 0, 0, LIST_ENTRIES, 0, 4, ERR_LIMIT},
	        {"a status beyond", 0, 0, 0, 0, 4, 4, ERR_LIMIT},
	        {"reason 0", 0, 0, 0, 0, 0, 0, ERR_VALUE},
	        {"reason 1, key compromise", 0, 0, 0, 0, 0, 1, ERR_VALUE},
	        {"reason 5", 0, 0, 0, 0, 0, 5, ERR_OK},
	        {"reason 6", 0, 0, 0, 0, 0, 6, ERR_OK},
	        {"reason 8", 0, 0, 0, 0, 0, 8, ERR_VALUE},
	        {"reason 10", 0, 0, 0, 0, 0, 10, ERR_VALUE},
	        {"reason 11", 0, 0, 0, 0, 0, 11, ERR_LIMIT},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint8_t room[ROOM];
		struct entry e = sample(2), back;
		enum err got;

		e.time = rows[i].time;
		e.until = rows[i].until;
		e.effective = rows[i].effective;
		e.idx = rows[i].idx;
		e.status = (enum status)rows[i].status;
		e.crl_reason = rows[i].reason;
		if ((got = entry_decode(encoded(&e, room), &back)) != rows[i].want)
			fail_msg("%s: %s", rows[i].what, err_word(got));
	}
}

static void
texts_are_neither_empty_nor_longer_than_128_bytes(void **state)
{
	char text[130];

	(void)state;
	memset(text, 'a', sizeof text);
	for (size_t n = 0; n <= 129; n++) {
		uint8_t room[ROOM];
		struct entry e = sample(7), back;

		e.center = bytes_of(text, n);
		assert_int_equal(entry_decode(encoded(&e, room), &back),
		        n >= 1 && n <= 128 ? ERR_OK : ERR_VALUE);
	}
}

static struct entry_note
note_sample(size_t officials)
{
	struct entry_note n = {.sender = bytes_of(ones, 32),
	        .official_count = officials,
	        .exp = 1792310400,
	        .slot = 5,
	        .seat = 6,
	        .answer = UINT64_MAX};

	for (size_t i = 0; i < officials && i < ENTRY_OFFICIALS_MAX; i++)
		n.officials[i] = bytes_of(ones, 32);
	return n;
}

static struct bytes
note_encoded(const struct entry_note *n, uint8_t room[ROOM])
{
	struct buf b = buf_init(room, ROOM);

	entry_note_put(n, &b);
	assert_int_equal(buf_end(&b), ERR_OK);
	return buf_bytes(&b);
}

static void
notes_come_back_the_same_and_in_one_spelling(void **state)
{
	(void)state;
	for (size_t officials = 0; officials <= ENTRY_OFFICIALS_MAX; officials++) {
		uint8_t room[ROOM], again_room[ROOM];
		struct entry_note n = note_sample(officials), back;
		struct bytes in;

		if (officials == 0)
			n = (struct entry_note){.slot = -1, .seat = -1};
		in = note_encoded(&n, room);
		assert_true(in.n <= NOTE_BYTES_MAX);
		assert_int_equal(entry_note_decode(in, &back), ERR_OK);
		assert_true(back.official_count == officials && back.slot == n.slot);
		assert_true(back.seat == n.seat && back.answer == n.answer && back.exp == n.exp);
		assert_true(bytes_equal(note_encoded(&back, again_room), in));
		for (size_t cut = 0; cut < in.n; cut++)
			assert_int_not_equal(entry_note_decode(bytes_of(room, cut), &back), ERR_OK);
		for (size_t at = 0; at < in.n; at++)
			for (unsigned v = 1; v < 256; v++) {
				room[at] ^= (uint8_t)v;
				if (entry_note_decode(in, &back) == ERR_OK)
					assert_true(
					        bytes_equal(note_encoded(&back, again_room), in));
				room[at] ^= (uint8_t)v;
			}
		room[in.n] = 0;
		assert_int_equal(entry_note_decode(bytes_of(room, in.n + 1), &back), ERR_TRAILING);
	}
}

static void
notes_of_another_form_are_refused_by_name(void **state)
{
	uint8_t room[ROOM];
	struct buf b = BUF_OF(room);
	struct entry_note n = note_sample(0), back;

	(void)state;
	n.sender = bytes_of(ones, 31);
	assert_int_equal(entry_note_decode(note_encoded(&n, room), &back), ERR_VALUE);
	n = note_sample(0);
	n.seat = (int64_t)INT32_MAX + 1;
	assert_int_equal(entry_note_decode(note_encoded(&n, room), &back), ERR_LIMIT);
	/* one official more than there is room for */
	cbor_put_array(&b, 6);
	cbor_put_bytes(&b, bytes_of(ones, 32));
	cbor_put_array(&b, ENTRY_OFFICIALS_MAX + 1);
	for (size_t i = 0; i <= ENTRY_OFFICIALS_MAX; i++)
		cbor_put_bytes(&b, bytes_of(ones, 32));
	for (size_t i = 0; i < 4; i++)
		cbor_put_uint(&b, 1);
	assert_int_equal(entry_note_decode(buf_bytes(&b), &back), ERR_LIMIT);
}

static void
any_bit_of_entry_note_or_key_changes_the_tag(void **state)
{
	uint8_t key[32] = {1}, room[ROOM], note_room[ROOM], tag[ENTRY_TAG_BYTES],
	        other[ENTRY_TAG_BYTES];
	struct entry e = sample(1);
	struct entry_note n = note_sample(1);
	struct bytes in = encoded(&e, room), note = note_encoded(&n, note_room);
	const struct {
		uint8_t *p;
		size_t n;
	} parts[] = {{room, in.n}, {note_room, note.n}, {key, sizeof key}};

	(void)state;
	entry_tag(bytes_of(key, 32), in, note, tag);
	entry_tag(bytes_of(key, 32), in, note, other);
	assert_memory_equal(tag, other, sizeof tag);
	for (size_t k = 0; k < 3; k++)
		for (size_t bit = 0; bit < 8 * parts[k].n; bit++) {
			parts[k].p[bit / 8] ^= (uint8_t)(1U << bit % 8);
			entry_tag(bytes_of(key, 32), in, note, other);
			assert_memory_not_equal(tag, other, sizeof tag);
			parts[k].p[bit / 8] ^= (uint8_t)(1U << bit % 8);
		}
}

/* The border between entry and note is part of what is tagged. */
static void
bytes_that_move_from_entry_to_note_change_the_tag(void **state)
{
	static const uint8_t text[8] = "abcdefgh";
	uint8_t tags[9][ENTRY_TAG_BYTES];
	const struct bytes key = BYTES_LIT("key");

	(void)state;
	for (size_t cut = 0; cut <= 8; cut++) {
		entry_tag(key, bytes_of(text, cut), bytes_of(text + cut, 8 - cut), tags[cut]);
		for (size_t k = 0; k < cut; k++)
			assert_memory_not_equal(tags[k], tags[cut], ENTRY_TAG_BYTES);
	}
}

/* By another implementation: HMAC-SHA-256 over 00000003 "abc" 00000002 "de", first 16 bytes. */
static void
the_tag_is_what_the_format_says(void **state)
{
	uint8_t tag[ENTRY_TAG_BYTES];
	char hex[2 * ENTRY_TAG_BYTES + 1];

	(void)state;
	entry_tag(BYTES_LIT("key"), BYTES_LIT("abc"), BYTES_LIT("de"), tag);
	hex_encode(bytes_of(tag, sizeof tag), hex);
	assert_string_equal(hex, "16ea5af5d868828c8d87df776e40692f");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(all_types_come_back_the_same),
	        cmocka_unit_test(members_are_read_as_they_were_written),
	        cmocka_unit_test(every_prefix_and_every_longer_entry_is_refused),
	        cmocka_unit_test(whatever_is_read_has_one_spelling),
	        cmocka_unit_test(unknown_types_and_versions_are_refused_by_name),
	        cmocka_unit_test(values_end_at_their_limits),
	        cmocka_unit_test(texts_are_neither_empty_nor_longer_than_128_bytes),
	        cmocka_unit_test(notes_come_back_the_same_and_in_one_spelling),
	        cmocka_unit_test(notes_of_another_form_are_refused_by_name),
	        cmocka_unit_test(any_bit_of_entry_note_or_key_changes_the_tag),
	        cmocka_unit_test(bytes_that_move_from_entry_to_note_change_the_tag),
	        cmocka_unit_test(the_tag_is_what_the_format_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
