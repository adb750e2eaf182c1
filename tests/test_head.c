/* test_head.c - head, table and delta have one spelling; what a reader would refuse is never
 * signed. */
#include "head.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { AT = 1792224000, ROOM = 2048 };

static struct key *status;
static struct table_row rows[3];
static struct delta_change changes[38];
static uint8_t room[ROOM];

static int
make_key(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		rows[i].sequence = AT - i;
		memset(rows[i].raw_sha256, (int)i + 1, SHA256_BYTES);
		memset(rows[i].cwt_sha256, (int)i + 11, SHA256_BYTES);
	}
	for (unsigned i = 0; i < 38; i++)
		changes[i] = (struct delta_change){
		        i / 2, 500000 + i, i % 2 == 0 ? STATUS_INVALID : STATUS_VALID};
	return key_generate(KEY_ES256, &status) != ERR_OK;
}

static int
free_key(void **state)
{
	(void)state;
	key_free(status);
	return 0;
}

static struct head
head_sample(void)
{
	struct head h = {.iss = BYTES_LIT("zz.example.gov.cn"),
	        .iat = AT,
	        .exp = AT + HEAD_LIFETIME_S,
	        .sequence = AT,
	        .list_count = 48,
	        .tree_size = 50000000,
	        .delta_count = 3,
	        .manifest_version = 3};

	memset(h.previous, 1, SHA256_BYTES);
	memset(h.table_sha256, 2, SHA256_BYTES);
	memset(h.root.b, 3, SHA256_BYTES);
	memset(h.manifest_sha256, 4, SHA256_BYTES);
	for (unsigned i = 0; i < 3; i++) {
		h.deltas[i].base = AT - 700000 + 100000 * i;
		memset(h.deltas[i].sha256, (int)i + 5, SHA256_BYTES);
	}
	return h;
}

static struct table
table_sample(void)
{
	return (struct table){
	        .iss = BYTES_LIT("zz.example.gov.cn"), .iat = AT, .rows = rows, .count = 3};
}

static struct delta
delta_sample(void)
{
	return (struct delta){.iss = BYTES_LIT("zz.example.gov.cn"),
	        .iat = AT,
	        .base = AT - 3600,
	        .sequence = AT,
	        .changes = changes,
	        .count = 38};
}

/* One kind of message: sample signed, and read again. */

static enum err
head_make(struct buf *out)
{
	struct head h = head_sample();

	return head_sign(&h, status, out);
}

static enum err
table_make(struct buf *out)
{
	struct table t = table_sample();

	return table_sign(&t, status, out);
}

static enum err
delta_make(struct buf *out)
{
	struct delta d = delta_sample();

	return delta_sign(&d, status, out);
}

/* Decodes, verifies, and signs again what was read: *payload_same tells of the one spelling. */
static enum err
again(const struct cose_sign1 *m, enum err signed_again, const struct buf *out, const char *type)
{
	struct cose_sign1 back;

	assert_int_equal(signed_again, ERR_OK);
	assert_int_equal(cose_decode(buf_bytes(out), false, &back), ERR_OK);
	assert_true(bytes_equal(m->payload, back.payload));
	return cose_verify(m, status, type);
}

static enum err
head_read(struct bytes in)
{
	uint8_t again_room[ROOM];
	struct buf out = BUF_OF(again_room);
	struct cose_sign1 m;
	struct head h;
	enum err e = head_decode(in, &m, &h);

	return e != ERR_OK ? e : again(&m, head_sign(&h, status, &out), &out, HEAD_TYPE);
}

static enum err
table_read(struct bytes in)
{
	uint8_t again_room[ROOM];
	struct buf out = BUF_OF(again_room);
	struct table_row got[3];
	struct cose_sign1 m;
	struct table t;
	enum err e = table_decode(in, &m, got, 3, &t);

	return e != ERR_OK ? e : again(&m, table_sign(&t, status, &out), &out, TABLE_TYPE);
}

static enum err
delta_read(struct bytes in)
{
	uint8_t again_room[ROOM];
	struct buf out = BUF_OF(again_room);
	struct delta_change got[38];
	struct cose_sign1 m;
	struct delta d;
	enum err e = delta_decode(in, &m, got, 38, &d);

	return e != ERR_OK ? e : again(&m, delta_sign(&d, status, &out), &out, DELTA_TYPE);
}

static const struct {
	const char *what;
	enum err (*make)(struct buf *out);
	enum err (*read)(struct bytes in);
} kinds[] = {{"head", head_make, head_read}, {"table", table_make, table_read},
        {"delta", delta_make, delta_read}};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

static void
what_is_signed_reads_and_signs_again_to_the_same_payload(void **state)
{
	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		struct buf out = BUF_OF(room);

		assert_int_equal(kinds[i].make(&out), ERR_OK);
		assert_int_equal(kinds[i].read(buf_bytes(&out)), ERR_OK);
		print_message("%s: %zu bytes\n", kinds[i].what, out.n);
	}
}

static void
every_prefix_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		struct buf out = BUF_OF(room);

		assert_int_equal(kinds[i].make(&out), ERR_OK);
		for (size_t n = 0; n < out.n; n++)
			assert_int_not_equal(kinds[i].read(bytes_of(room, n)), ERR_OK);
		room[out.n] = 0;
		assert_int_not_equal(kinds[i].read(bytes_of(room, out.n + 1)), ERR_OK);
	}
}

static void
every_changed_byte_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		struct buf out = BUF_OF(room);

		assert_int_equal(kinds[i].make(&out), ERR_OK);
		for (size_t at = 0; at < out.n; at++) {
			room[at] ^= (uint8_t)(1U << at % 8);
			assert_int_not_equal(kinds[i].read(bytes_of(room, out.n)), ERR_OK);
			room[at] ^= (uint8_t)(1U << at % 8);
		}
		assert_int_equal(kinds[i].read(bytes_of(room, out.n)), ERR_OK);
	}
}

static void
a_head_and_an_hours_delta_are_under_1500_bytes(void **state)
{
	struct buf out = BUF_OF(room);
	struct head h = head_sample();
	uint8_t long_host[HOST_BYTES_MAX];

	(void)state;
	assert_int_equal(head_make(&out), ERR_OK);
	assert_int_equal(delta_make(&out), ERR_OK);
	print_message("head and delta of 38 changes: %zu bytes\n", out.n);
	assert_true(out.n < 1500);
	memset(long_host, 'a', sizeof long_host);
	h.iss = bytes_of(long_host, sizeof long_host);
	h.list_count = HEAD_LISTS_MAX;
	h.tree_size = h.manifest_version = UINT64_MAX;
	out = BUF_OF(room);
	assert_int_equal(head_sign(&h, status, &out), ERR_OK);
	assert_true(out.n <= HEAD_BYTES_MAX);
}

static void
one_kind_is_not_another(void **state)
{
	(void)state;
	for (size_t i = 0; i < KINDS; i++)
		for (size_t j = 0; j < KINDS; j++) {
			struct buf out = BUF_OF(room);

			assert_int_equal(kinds[i].make(&out), ERR_OK);
			assert_true((kinds[j].read(buf_bytes(&out)) == ERR_OK) == (i == j));
		}
}

static void
head_expiry(struct head *h)
{
	h->exp = h->iat;
}

static void
head_bases(struct head *h)
{
	h->deltas[2].base = h->deltas[1].base;
}

static void
head_base_ahead(struct head *h)
{
	h->deltas[2].base = h->sequence;
}

static void
head_lists(struct head *h)
{
	h->list_count = HEAD_LISTS_MAX + 1;
}

static void
head_deltas(struct head *h)
{
	h->delta_count = HEAD_DELTAS_MAX + 1;
}

static void
head_no_tree(struct head *h)
{
	h->tree_size = 0;
}

static void
head_no_sequence(struct head *h)
{
	h->sequence = 0;
	h->delta_count = 0;
}

static void
what_a_reader_would_refuse_is_not_signed(void **state)
{
	static const struct {
		const char *what;
		void (*spoil)(struct head *h);
		enum err want;
	} heads[] = {
	        {"no lifetime", head_expiry, ERR_VALUE},
	        {"bases do not rise", head_bases, ERR_VALUE},
	        {"a base of the future", head_base_ahead, ERR_VALUE},
	        {"too many lists", head_lists, ERR_LIMIT},
	        {"too many deltas", head_deltas, ERR_LIMIT},
	        {"no tree", head_no_tree, ERR_VALUE},
	        {"no sequence", head_no_sequence, ERR_VALUE},
	};
	struct buf out = BUF_OF(room);
	struct delta d = delta_sample();
	struct delta_change kept = changes[5];

	(void)state;
	for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
		struct head h = head_sample();

		heads[i].spoil(&h);
		assert_int_equal(head_sign(&h, status, &out), heads[i].want);
	}
	changes[5] = changes[4]; /* a place twice */
	assert_int_equal(delta_sign(&d, status, &out), ERR_VALUE);
	changes[5] = kept;
	d.base = d.sequence;
	assert_int_equal(delta_sign(&d, status, &out), ERR_VALUE);
	d = delta_sample();
	assert_int_equal(delta_sign(&d, status, &out), ERR_OK);
}

static void
more_rows_than_there_is_room_for_are_refused(void **state)
{
	struct buf out = BUF_OF(room);
	struct table_row got[3];
	struct delta_change few[38];
	struct cose_sign1 m;
	struct table t;
	struct delta d;

	(void)state;
	assert_int_equal(table_make(&out), ERR_OK);
	assert_int_equal(table_decode(buf_bytes(&out), &m, got, 2, &t), ERR_LIMIT);
	assert_int_equal(table_decode(buf_bytes(&out), &m, got, 3, &t), ERR_OK);
	out = BUF_OF(room);
	assert_int_equal(delta_make(&out), ERR_OK);
	assert_int_equal(delta_decode(buf_bytes(&out), &m, few, 37, &d), ERR_LIMIT);
	assert_int_equal(delta_decode(buf_bytes(&out), &m, few, 38, &d), ERR_OK);
	assert_int_equal(d.changes[37].idx, 500037);
}

/* The largest that may be signed fits in what readers take. */
static void
the_largest_table_and_delta_fit(void **state)
{
	struct table_row *many = calloc(HEAD_LISTS_MAX, sizeof *many);
	struct delta_change *most = calloc(DELTA_CHANGES_MAX, sizeof *most);
	uint8_t *p = malloc(TABLE_BYTES_MAX);
	struct buf out = buf_init(p, TABLE_BYTES_MAX);
	struct table t = table_sample();
	struct delta d = delta_sample();

	(void)state;
	for (size_t i = 0; i < HEAD_LISTS_MAX; i++)
		many[i].sequence = AT;
	t.rows = many;
	t.count = HEAD_LISTS_MAX;
	assert_int_equal(table_sign(&t, status, &out), ERR_OK);
	for (size_t i = 0; i < DELTA_CHANGES_MAX; i++)
		most[i] = (struct delta_change){HEAD_LISTS_MAX - 1,
		        LIST_ENTRIES - DELTA_CHANGES_MAX + (uint32_t)i, STATUS_INVALID};
	d.changes = most;
	d.count = DELTA_CHANGES_MAX;
	out = buf_init(p, DELTA_BYTES_MAX);
	assert_int_equal(delta_sign(&d, status, &out), ERR_OK);
	free(p);
	free(most);
	free(many);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(what_is_signed_reads_and_signs_again_to_the_same_payload),
	        cmocka_unit_test(every_prefix_is_refused),
	        cmocka_unit_test(every_changed_byte_is_refused),
	        cmocka_unit_test(a_head_and_an_hours_delta_are_under_1500_bytes),
	        cmocka_unit_test(one_kind_is_not_another),
	        cmocka_unit_test(what_a_reader_would_refuse_is_not_signed),
	        cmocka_unit_test(more_rows_than_there_is_room_for_are_refused),
	        cmocka_unit_test(the_largest_table_and_delta_fit),
	};

	return cmocka_run_group_tests(tests, make_key, free_key);
}
