/* test_receipt.c - receipts and kept checkpoints: the published vectors, one spelling, and nothing
 * changed that still verifies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include "receipt_world.h"

static enum err
head_verdict(struct bytes in)
{
	struct merkle_hash root = naive_root(leaves, SIZE);
	struct receipt r;
	enum err e = receipt_head_decode(in, &r);

	return e != ERR_OK ? e : receipt_head_verify(&r, own, BYTES_LIT(ORIGIN), &root);
}

static void
equals_hex(const struct buf *b, const json_t *row, const char *name)
{
	static char hex[2 * RECEIPT_BYTES_MAX + 1];

	hex_encode(buf_bytes(b), hex);
	assert_string_equal(hex, json_string_value(json_object_get(row, name)));
}

static void
vector_check(const json_t *row)
{
	size_t index = (size_t)json_integer_value(json_object_get(row, "index"));
	size_t size = (size_t)json_integer_value(json_object_get(row, "size"));
	uint8_t with[RECEIPT_BYTES_MAX], without[RECEIPT_BYTES_MAX], room[64];
	struct buf a = BUF_OF(with), b = BUF_OF(without), kid = BUF_OF(room);
	struct merkle_hash root = naive_root(leaves, size);
	struct receipt r;
	char entry[24];
	int n = snprintf(entry, sizeof entry, "leaf %zu", index);

	receipt_make(index, size, &a, &b);
	equals_hex(&a, row, "receipt");
	equals_hex(&b, row, "checkpoint");
	assert_int_equal(cbor_check(buf_bytes(&a)), ERR_OK);
	assert_int_equal(receipt_head_decode(buf_bytes(&b), &r), ERR_OK);
	assert_int_equal(receipt_head_verify(&r, own, BYTES_LIT(ORIGIN), &root), ERR_OK);
	assert_true(r.path.n == 0 && r.size == size && r.time == TIME);
	assert_int_equal(receipt_decode(buf_bytes(&a), &r), ERR_OK);
	assert_int_equal(
	        receipt_verify(&r, own, BYTES_LIT(ORIGIN), bytes_of(entry, (size_t)n)), ERR_OK);
	assert_true(bytes_equal_text(r.origin, ORIGIN) && r.size == size && r.index == index);
	assert_int_equal(r.time, json_integer_value(json_object_get(row, "time")));
	buf_put(&kid, r.kid);
	equals_hex(&kid, row, "kid");
	a = BUF_OF(with);
	receipt_put(&a, r.protected, r.signature, r.size, r.index, &r.path);
	equals_hex(&a, row, "receipt");
}

static void
the_published_vectors_are_made_again(void **state)
{
	json_t *rows = json_load_file(
	               SOURCE_DIR "/tests/vectors/receipt.json", JSON_REJECT_DUPLICATES, NULL),
	       *row;
	size_t i;

	(void)state;
	assert_true(json_array_size(rows) == 7);
	json_array_foreach(rows, i, row) vector_check(row);
	json_decref(rows);
}

static void
every_prefix_and_every_longer_message_is_refused(void **state)
{
	struct receipt r;

	(void)state;
	assert_int_equal(verdict(buf_bytes(&good)), ERR_OK);
	assert_int_equal(head_verdict(buf_bytes(&head)), ERR_OK);
	for (size_t n = 0; n < good.n; n++)
		assert_int_not_equal(receipt_decode(bytes_of(good.p, n), &r), ERR_OK);
	for (size_t n = 0; n < head.n; n++)
		assert_int_not_equal(receipt_head_decode(bytes_of(head.p, n), &r), ERR_OK);
	assert_int_equal(receipt_decode(bytes_of(good.p, good.n + 1), &r), ERR_TRAILING);
	assert_int_equal(receipt_head_decode(bytes_of(head.p, head.n + 1), &r), ERR_TRAILING);
}

static void
every_changed_bit_is_refused(void **state)
{
	(void)state;
	for (size_t bit = 0; bit < 8 * good.n; bit++) {
		good.p[bit / 8] ^= (uint8_t)(1U << bit % 8);
		assert_int_not_equal(verdict(buf_bytes(&good)), ERR_OK);
		good.p[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
	for (size_t bit = 0; bit < 8 * head.n; bit++) {
		head.p[bit / 8] ^= (uint8_t)(1U << bit % 8);
		assert_int_not_equal(head_verdict(buf_bytes(&head)), ERR_OK);
		head.p[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
	assert_int_equal(verdict(buf_bytes(&good)), ERR_OK);
	assert_int_equal(head_verdict(buf_bytes(&head)), ERR_OK);
}

/* The first occurrence of `from` in the good receipt becomes `to`, of the same length. */
static const struct {
	const char *what, *from, *to;
	enum err want;
} changes[] = {
        {"another algorithm", "a50127", "a50126", ERR_ALG_MISMATCH},
        {"another number of header members", "a50127", "a40127", ERR_VALUE},
        {"another kid", "0448", "0548", ERR_VALUE},
        {"another subject", "6a636865636b706f696e74", "6a636865636b706f696e75", ERR_VALUE},
        {"an empty origin", "0172", "0160", ERR_VALUE},
        {"an origin as bytes", "0172", "0152", ERR_VALUE},
        {"a time before 1970", "061a", "063a", ERR_VALUE},
        {"a time as a float", "061a", "06fa", ERR_ENCODING},
        {"another tree structure", "19018b01", "19018b02", ERR_VALUE},
        {"another label of the size", "3a00010004", "3a00010005", ERR_VALUE},
        {"the empty tree", "3a0001000407", "3a0001000400", ERR_VALUE},
        {"another signed size", "3a0001000407", "3a0001000408", ERR_VALUE},
        {"both sizes changed", "", "", ERR_SIGNATURE}, /* see below */
        {"another label of the proofs", "a119018c", "a119018d", ERR_VALUE},
        {"a consistency proof", "a12081", "a12181", ERR_VALUE},
        {"no proof", "a12081", "a12080", ERR_VALUE},
        {"another size beside the proof", "83070583", "83080583", ERR_VALUE},
        {"an index at the size", "83070583", "83070783", ERR_VALUE},
        {"an index with a shorter path", "83070583", "83070683", ERR_VALUE},
        {"another index with as long a path", "83070583", "83070483", ERR_SIGNATURE},
        {"an index as text", "83070583", "83076583", ERR_VALUE},
        {"a payload", "f65840", "405840", ERR_VALUE},
        {"a payload that is false", "f65840", "f45840", ERR_VALUE},
};

static bool
change(uint8_t *p, size_t n, const char *from, const char *to)
{
	uint8_t a[16], b[16];
	size_t length = strlen(from) / 2;

	assert_int_equal(hex_decode(bytes_of_text(from), a, length), ERR_OK);
	assert_int_equal(hex_decode(bytes_of_text(to), b, length), ERR_OK);
	for (size_t i = 0; i + length <= n; i++) {
		if (memcmp(p + i, a, length) != 0)
			continue;
		memcpy(p + i, b, length);
		return true;
	}
	return false;
}

static void
every_member_has_one_form(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		uint8_t room[RECEIPT_BYTES_MAX];
		enum err e;

		memcpy(room, good.p, good.n);
		if (changes[i].from[0] != '\0')
			assert_true(change(room, good.n, changes[i].from, changes[i].to));
		else
			assert_true(change(room, good.n, "3a0001000407", "3a0001000408") &&
			            change(room, good.n, "83070583", "83080583"));
		e = verdict(bytes_of(room, good.n));
		if (e != changes[i].want)
			fail_msg("%s: %s", changes[i].what, err_word(e));
	}
}

/* Entry 0 has the same path in trees of 3 and of 4 as far as hashes go: only the signature tells.
 */
static void
a_size_of_the_same_shape_is_caught_by_the_signature(void **state)
{
	uint8_t room[RECEIPT_BYTES_MAX], other[RECEIPT_BYTES_MAX];
	struct buf b = BUF_OF(room), without = BUF_OF(other);
	struct merkle_path path = path_of(0, 3);
	struct merkle_hash root, claimed = naive_root(leaves, 3);
	struct receipt r;

	(void)state;
	assert_int_equal(merkle_inclusion_root(0, 4, &leaves[0], &path, &root), ERR_OK);
	assert_true(same_hash(&root, &claimed)); /* the hashes alone would let it pass */
	receipt_make(0, 3, &b, &without);
	assert_int_equal(receipt_decode(buf_bytes(&b), &r), ERR_OK);
	assert_int_equal(receipt_verify(&r, own, BYTES_LIT(ORIGIN), BYTES_LIT("leaf 0")), ERR_OK);
	assert_true(change(room, b.n, "83030082", "83040082"));
	assert_int_equal(receipt_decode(buf_bytes(&b), &r), ERR_VALUE);
	assert_true(change(room, b.n, "3a0001000403", "3a0001000404"));
	assert_int_equal(receipt_decode(buf_bytes(&b), &r), ERR_OK);
	assert_int_equal(
	        receipt_verify(&r, own, BYTES_LIT(ORIGIN), BYTES_LIT("leaf 0")), ERR_SIGNATURE);
}

static void
the_two_forms_are_not_taken_for_each_other(void **state)
{
	struct receipt r;

	(void)state;
	assert_int_equal(receipt_decode(buf_bytes(&head), &r), ERR_VALUE);
	assert_int_equal(receipt_head_decode(buf_bytes(&good), &r), ERR_VALUE);
}

static void
another_entry_root_origin_or_key_is_refused(void **state)
{
	struct merkle_hash root = naive_root(leaves, SIZE + 1);
	struct key *other = seed_key_from(32), *es256;
	struct receipt r;

	(void)state;
	assert_int_equal(key_generate(KEY_ES256, &es256), ERR_OK);
	assert_int_equal(receipt_decode(buf_bytes(&good), &r), ERR_OK);
	assert_int_equal(
	        receipt_verify(&r, own, BYTES_LIT(ORIGIN), BYTES_LIT("leaf 4")), ERR_SIGNATURE);
	assert_int_equal(
	        receipt_verify(&r, own, BYTES_LIT("ca.example.org/log"), BYTES_LIT("leaf 5")),
	        ERR_VALUE);
	assert_int_equal(
	        receipt_verify(&r, other, BYTES_LIT(ORIGIN), BYTES_LIT("leaf 5")), ERR_KID_UNKNOWN);
	assert_int_equal(receipt_head_verify(&r, own, BYTES_LIT(ORIGIN), &root), ERR_SIGNATURE);
	r.kid = key_kid(es256);
	assert_int_equal(receipt_verify(&r, es256, BYTES_LIT(ORIGIN), BYTES_LIT("leaf 5")),
	        ERR_ALG_MISMATCH);
	r.kid = key_kid(other); /* its kid on our signature */
	assert_int_equal(
	        receipt_verify(&r, other, BYTES_LIT(ORIGIN), BYTES_LIT("leaf 5")), ERR_SIGNATURE);
	key_free(other);
	key_free(es256);
}

static size_t
slots_used(const struct receipt_seen *seen)
{
	static const uint8_t none[SHA256_BYTES];
	size_t used = 0;

	for (size_t i = 0; i < RECEIPT_SEEN_MAX; i++)
		used += memcmp(seen->slots[i], none, sizeof none) != 0;
	return used;
}

static void
a_signature_that_was_seen_serves_no_other_entry_tree_or_key(void **state)
{
	struct receipt_seen *seen = calloc(1, sizeof *seen);
	struct key *other = seed_key_from(32);
	uint8_t signature[KEY_SIGNATURE_BYTES];
	struct receipt r;
	const struct bytes origin = BYTES_LIT(ORIGIN), leaf = BYTES_LIT("leaf 5");

	(void)state;
	assert_int_equal(receipt_decode(buf_bytes(&good), &r), ERR_OK);
	assert_int_equal(
	        receipt_verify_seen(&r, own, origin, BYTES_LIT("leaf 4"), seen), ERR_SIGNATURE);
	assert_int_equal(slots_used(seen), 0); /* what failed is not kept */
	for (int i = 0; i < 3; i++)
		assert_int_equal(receipt_verify_seen(&r, own, origin, leaf, seen), ERR_OK);
	assert_int_equal(slots_used(seen), 1);
	assert_int_equal(
	        receipt_verify_seen(&r, own, origin, BYTES_LIT("leaf 4"), seen), ERR_SIGNATURE);
	assert_int_equal(
	        receipt_verify_seen(&r, own, BYTES_LIT("other/log"), leaf, seen), ERR_VALUE);
	memcpy(signature, r.signature.p, sizeof signature);
	signature[40] ^= 1;
	r.signature = bytes_of(signature, sizeof signature);
	assert_int_equal(receipt_verify_seen(&r, own, origin, leaf, seen), ERR_SIGNATURE);
	signature[40] ^= 1;
	assert_int_equal(receipt_verify_seen(&r, own, origin, leaf, seen), ERR_OK);
	r.kid = key_kid(other); /* its kid on our signature */
	assert_int_equal(receipt_verify_seen(&r, other, origin, leaf, seen), ERR_SIGNATURE);
	assert_int_equal(slots_used(seen), 1);
	key_free(other);
	free(seen);
}

static void
only_what_the_format_allows_is_signed(void **state)
{
	char longest[HOST_BYTES_MAX + 5];
	uint8_t room[256], signature[KEY_SIGNATURE_BYTES];
	struct buf b = BUF_OF(room), small = buf_init(room, 40);
	struct key *es256;

	(void)state;
	memset(longest, 'h', sizeof longest);
	assert_int_equal(key_generate(KEY_ES256, &es256), ERR_OK);
	assert_int_equal(receipt_sign(es256, BYTES_LIT(ORIGIN), TIME, 2, leaves, &b, signature),
	        ERR_ALG_MISMATCH);
	assert_int_equal(
	        receipt_sign(own, BYTES_LIT(ORIGIN), TIME, 0, leaves, &b, signature), ERR_VALUE);
	assert_int_equal(
	        receipt_sign(own, BYTES_LIT(ORIGIN), TIME, 1ULL << 63, leaves, &b, signature),
	        ERR_VALUE);
	assert_int_equal(
	        receipt_sign(own, BYTES_LIT(ORIGIN), -1, 2, leaves, &b, signature), ERR_VALUE);
	assert_int_equal(
	        receipt_sign(own, BYTES_LIT(""), TIME, 2, leaves, &b, signature), ERR_VALUE);
	assert_int_equal(
	        receipt_sign(own, BYTES_LIT("\xff"), TIME, 2, leaves, &b, signature), ERR_VALUE);
	assert_int_equal(receipt_sign(own, bytes_of(longest, sizeof longest), TIME, 2, leaves, &b,
	                         signature),
	        ERR_VALUE);
	assert_int_equal(b.n, 0);
	assert_int_equal(receipt_sign(own, BYTES_LIT(ORIGIN), TIME, 2, leaves, &small, signature),
	        ERR_LIMIT);
	key_free(es256);
}

/* The largest receipt there is: longest origin, largest size and time, 63 hashes. */
static void
paths_of_one_to_sixty_three_hashes_are_written(void **state)
{
	struct bytes zero = bytes_of(leaves, KEY_SIGNATURE_BYTES);
	struct merkle_path path = {.n = MERKLE_PATH_MAX};
	char longest[HOST_BYTES_MAX + 4];
	uint8_t room[RECEIPT_BYTES_MAX], header[256], signature[KEY_SIGNATURE_BYTES];
	struct buf b = BUF_OF(room), protected = BUF_OF(header);
	struct receipt r;

	(void)state;
	memset(longest, 'h', sizeof longest);
	assert_int_equal(receipt_sign(own, bytes_of(longest, sizeof longest), INT64_MAX, INT64_MAX,
	                         leaves, &protected, signature),
	        ERR_OK);
	receipt_put(&b, buf_bytes(&protected), zero, INT64_MAX, INT64_MAX - 1, &path);
	assert_int_equal(buf_end(&b), ERR_OK);
	assert_int_equal(receipt_decode(buf_bytes(&b), &r), ERR_OK);
	assert_true(r.path.n == MERKLE_PATH_MAX && r.index == INT64_MAX - 1 && r.time == INT64_MAX);
	for (path.n = 0; path.n <= MERKLE_PATH_MAX + 1; path.n += MERKLE_PATH_MAX + 1) {
		b = BUF_OF(room);
		receipt_put(&b, buf_bytes(&protected), zero, 2, 0, &path);
		assert_int_equal(buf_end(&b), ERR_LIMIT);
	}
}

/* Written by hand, as receipt_put refuses it. */
static void
a_receipt_of_the_first_entry_alone_is_refused(void **state)
{
	uint8_t room[RECEIPT_BYTES_MAX], header[256], signature[KEY_SIGNATURE_BYTES];
	struct buf b = BUF_OF(room), protected = BUF_OF(header);
	struct receipt r;

	(void)state;
	assert_int_equal(
	        receipt_sign(own, BYTES_LIT(ORIGIN), TIME, 1, leaves, &protected, signature),
	        ERR_OK);
	buf_put(&b, BYTES_LIT("\xd2\x84"));
	cbor_put_bytes(&b, buf_bytes(&protected));
	buf_put(&b, BYTES_LIT("\xa1\x19\x01\x8c\xa1\x20\x81\x44\x83\x01\x00\x80\xf6"));
	cbor_put_bytes(&b, bytes_of(signature, sizeof signature));
	assert_int_equal(cbor_check(buf_bytes(&b)), ERR_OK);
	assert_int_equal(receipt_decode(buf_bytes(&b), &r), ERR_VALUE);
	b.n = 0;
	receipt_put(&b, buf_bytes(&protected), bytes_of(signature, sizeof signature), 1, 0, NULL);
	assert_int_equal(receipt_head_decode(buf_bytes(&b), &r),
	        ERR_OK); /* a kept checkpoint of it is fine */
	assert_int_equal(receipt_head_verify(&r, own, BYTES_LIT(ORIGIN), leaves), ERR_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_published_vectors_are_made_again),
	        cmocka_unit_test(every_prefix_and_every_longer_message_is_refused),
	        cmocka_unit_test(every_changed_bit_is_refused),
	        cmocka_unit_test(every_member_has_one_form),
	        cmocka_unit_test(a_size_of_the_same_shape_is_caught_by_the_signature),
	        cmocka_unit_test(the_two_forms_are_not_taken_for_each_other),
	        cmocka_unit_test(another_entry_root_origin_or_key_is_refused),
	        cmocka_unit_test(a_signature_that_was_seen_serves_no_other_entry_tree_or_key),
	        cmocka_unit_test(only_what_the_format_allows_is_signed),
	        cmocka_unit_test(paths_of_one_to_sixty_three_hashes_are_written),
	        cmocka_unit_test(a_receipt_of_the_first_entry_alone_is_refused),
	};

	return cmocka_run_group_tests(tests, world_make, world_free);
}
