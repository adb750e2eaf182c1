/* test_cose.c - one form of COSE_Sign1: nothing unsigned beside it, no other type, algorithm or
 * kid, and the bytes received are what is verified. */
#include "cose.h"

#include "limits.h"
#include "seed_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define TYPE "application/zz-test+cwt"

enum { ROOM = 512 };

static struct key *es, *ed, *other;
static uint8_t good_room[ROOM];
static struct buf good; /* by ed */

static int
make(void **state)
{
	(void)state;
	if (key_generate(KEY_ES256, &es) != ERR_OK || key_generate(KEY_ES256, &other) != ERR_OK)
		return -1;
	ed = seed_key_from(7);
	good = BUF_OF(good_room);
	return ed == NULL || cose_sign(ed, TYPE, BYTES_LIT("payload"), &good) != ERR_OK;
}

static int
unmake(void **state)
{
	(void)state;
	key_free(es);
	key_free(ed);
	key_free(other);
	return 0;
}

static enum err
verdict(struct bytes in, const struct key *k, const char *type)
{
	struct cose_sign1 m;
	enum err e = cose_decode(in, false, &m);

	return e != ERR_OK ? e : cose_verify(&m, k, type);
}

/* A message of any parts, with its signature made as it should be. */
struct parts {
	struct bytes protected, unprotected, payload;
	uint64_t tag, count;
};

static struct bytes
message(const struct parts *p, const struct key *k, uint8_t room[ROOM])
{
	uint8_t tbs_room[ROOM], signature[KEY_SIGNATURE_BYTES];
	struct buf b = buf_init(room, ROOM), tbs = BUF_OF(tbs_room);

	cose_put_tbs(&tbs, p->protected, p->payload);
	assert_int_equal(key_sign(k, buf_bytes(&tbs), signature), ERR_OK);
	cbor_put_tag(&b, p->tag);
	cbor_put_array(&b, p->count);
	cbor_put_bytes(&b, p->protected);
	buf_put(&b, p->unprotected);
	cbor_put_bytes(&b, p->payload);
	cbor_put_bytes(&b, bytes_of(signature, sizeof signature));
	assert_int_equal(buf_end(&b), ERR_OK);
	return buf_bytes(&b);
}

/* The protected header with its three members, or others. */
static struct bytes
header(int64_t alg, struct bytes kid, const char *type, uint8_t room[ROOM])
{
	struct buf b = buf_init(room, ROOM);

	cbor_put_map(&b, 3);
	cbor_put_int(&b, 1);
	cbor_put_int(&b, alg);
	cbor_put_int(&b, 4);
	cbor_put_bytes(&b, kid);
	cbor_put_int(&b, 16);
	cbor_put_text(&b, bytes_of_text(type));
	return buf_bytes(&b);
}

static struct parts
right(uint8_t room[ROOM])
{
	return (struct parts){header(-8, key_kid(ed), TYPE, room), BYTES_LIT("\xa0"),
	        BYTES_LIT("payload"), 18, 4};
}

static void
what_was_signed_verifies_and_says_what_it_is(void **state)
{
	const struct key *keys[] = {es, ed};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		uint8_t room[ROOM];
		struct buf b = BUF_OF(room);
		struct cose_sign1 m;

		assert_int_equal(cose_sign(keys[i], TYPE, BYTES_LIT("payload"), &b), ERR_OK);
		assert_int_equal(cbor_check(buf_bytes(&b)), ERR_OK);
		assert_int_equal(cose_decode(buf_bytes(&b), false, &m), ERR_OK);
		assert_int_equal(m.alg, i == 0 ? -7 : -8);
		assert_true(bytes_equal(m.kid, key_kid(keys[i])));
		assert_true(bytes_equal_text(m.type, TYPE));
		assert_true(bytes_equal_text(m.payload, "payload"));
		assert_true(bytes_equal(m.unprotected, BYTES_LIT("\xa0")));
		assert_int_equal(m.signature.n, KEY_SIGNATURE_BYTES);
		assert_int_equal(cose_verify(&m, keys[i], TYPE), ERR_OK);
	}
	/* no payload is too short, and one that leaves the stack is hashed all the same */
	for (size_t n = 0; n <= 100000; n += 50000) {
		uint8_t *payload = calloc(1, n + 1), *room = malloc(n + ROOM);
		struct buf b = buf_init(room, n + ROOM);

		assert_int_equal(cose_sign(es, TYPE, bytes_of(payload, n), &b), ERR_OK);
		assert_int_equal(verdict(buf_bytes(&b), es, TYPE), ERR_OK);
		b.p[b.n - 80] ^= 1; /* the end of the payload, or of the header */
		assert_int_not_equal(verdict(buf_bytes(&b), es, TYPE), ERR_OK);
		free(payload);
		free(room);
	}
}

static void
every_prefix_and_every_longer_message_is_refused(void **state)
{
	struct cose_sign1 m;

	(void)state;
	for (size_t n = 0; n < good.n; n++)
		assert_int_not_equal(cose_decode(bytes_of(good.p, n), false, &m), ERR_OK);
	good.p[good.n] = 0;
	assert_int_equal(cose_decode(bytes_of(good.p, good.n + 1), false, &m), ERR_TRAILING);
	assert_int_equal(verdict(buf_bytes(&good), ed, TYPE), ERR_OK);
}

static void
every_changed_byte_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < good.n; i++)
		for (unsigned v = 1; v < 256; v++) {
			good.p[i] ^= (uint8_t)v;
			assert_int_not_equal(verdict(buf_bytes(&good), ed, TYPE), ERR_OK);
			good.p[i] ^= (uint8_t)v;
		}
	assert_int_equal(verdict(buf_bytes(&good), ed, TYPE), ERR_OK);
}

/* What decodes is written again the same: m keeps the parts of the one form. */
static void
what_decodes_has_one_spelling(void **state)
{
	(void)state;
	for (size_t i = 0; i < good.n; i++)
		for (unsigned v = 0; v < 256; v++) {
			uint8_t before = good.p[i], room[ROOM];
			struct buf b = BUF_OF(room);
			struct cose_sign1 m;

			good.p[i] = (uint8_t)v;
			if (cose_decode(buf_bytes(&good), false, &m) == ERR_OK) {
				cbor_put_tag(&b, 18);
				cbor_put_array(&b, 4);
				cbor_put_bytes(&b, m.protected);
				cbor_put_map(&b, 0);
				cbor_put_bytes(&b, m.payload);
				cbor_put_bytes(&b, m.signature);
				assert_true(bytes_equal(buf_bytes(&b), buf_bytes(&good)));
			}
			good.p[i] = before;
		}
}

/* All of these are signed by the right key: the form alone refuses them. */
static void
other_forms_are_refused_though_signed(void **state)
{
	uint8_t head[ROOM], room[ROOM];
	struct parts p = right(head);
	const struct {
		const char *what;
		struct parts p;
	} rows[] = {
	        {"a kid beside the signature",
	                {p.protected, BYTES_LIT("\xa1\x04\x48kidkidki"), p.payload, 18, 4}},
	        {"any member beside the signature",
	                {p.protected, BYTES_LIT("\xa1\x18\x63\x00"), p.payload, 18, 4}},
	        {"a receipt where no bundle is asked for",
	                {p.protected, BYTES_LIT("\xa1\x19\x01\x8a\x80"), p.payload, 18, 4}},
	        {"an array beside the signature",
	                {p.protected, BYTES_LIT("\x80"), p.payload, 18, 4}},
	        {"an empty map in two bytes",
	                {p.protected, BYTES_LIT("\xb8\x00"), p.payload, 18, 4}},
	        {"tag 17", {p.protected, p.unprotected, p.payload, 17, 4}},
	        {"tag 98", {p.protected, p.unprotected, p.payload, 98, 4}},
	        {"three parts", {p.protected, p.unprotected, p.payload, 18, 3}},
	        {"five parts", {p.protected, p.unprotected, p.payload, 18, 5}},
	        {"no header", {BYTES_LIT(""), p.unprotected, p.payload, 18, 4}},
	        {"an empty header", {BYTES_LIT("\xa0"), p.unprotected, p.payload, 18, 4}},
	        {"a header with alg only",
	                {BYTES_LIT("\xa1\x01\x27"), p.unprotected, p.payload, 18, 4}},
	};

	(void)state;
	assert_int_equal(verdict(message(&p, ed, room), ed, TYPE), ERR_OK);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (verdict(message(&rows[i].p, ed, room), ed, TYPE) == ERR_OK)
			fail_msg("%s is accepted", rows[i].what);
}

static void
headers_of_another_form_are_refused_though_signed(void **state)
{
	static const struct {
		const char *what;
		const char *from, *to; /* hex, of the same or another length */
	} rows[] = {
	        {"crit beside the three", "a3", "a4"},
	        {"alg as text", "0127", "016145"},
	        {"alg in two bytes", "0127", "013807"},
	        {"label 5 in place of 4", "0448", "0548"},
	        {"kid of 7 bytes", "0448", "0447"},
	        {"kid as text", "0448", "0468"},
	        {"type as a number", "1077", "1000"},
	        {"type as bytes", "1077", "1057"},
	        {"label 17 in place of 16", "1077", "1177"},
	};
	uint8_t head[ROOM], changed_room[ROOM], room[ROOM];
	struct parts p = right(head);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint8_t from[8], to[8];
		size_t from_n = strlen(rows[i].from) / 2, to_n = strlen(rows[i].to) / 2, at = 0;
		struct buf changed = BUF_OF(changed_room);
		struct parts q = p;

		assert_int_equal(hex_decode(bytes_of_text(rows[i].from), from, from_n), ERR_OK);
		assert_int_equal(hex_decode(bytes_of_text(rows[i].to), to, to_n), ERR_OK);
		while (memcmp(p.protected.p + at, from, from_n) != 0)
			assert_true(++at < p.protected.n);
		buf_put(&changed, bytes_of(p.protected.p, at));
		buf_put(&changed, bytes_of(to, to_n));
		buf_put(&changed, bytes_skip(p.protected, at + from_n));
		q.protected = buf_bytes(&changed);
		if (verdict(message(&q, ed, room), ed, TYPE) == ERR_OK)
			fail_msg("%s is accepted", rows[i].what);
	}
}

static void
another_type_algorithm_or_kid_is_refused_by_name(void **state)
{
	uint8_t head[ROOM], room[ROOM];
	struct parts p = right(head);

	(void)state;
	assert_int_equal(verdict(buf_bytes(&good), ed, "application/zz-head+cwt"), ERR_VALUE);
	assert_int_equal(verdict(buf_bytes(&good), ed, "application/zz-test+cw"), ERR_VALUE);
	assert_int_equal(verdict(buf_bytes(&good), es, TYPE), ERR_KID_UNKNOWN);
	/* the algorithm is that of the key, whatever the message says */
	p.protected = header(-7, key_kid(ed), TYPE, head);
	assert_int_equal(verdict(message(&p, ed, room), ed, TYPE), ERR_ALG_MISMATCH);
	p.protected = header(-66037, key_kid(ed), TYPE, head);
	assert_int_equal(verdict(message(&p, ed, room), ed, TYPE), ERR_ALG_MISMATCH);
	/* a stranger's signature under our kid */
	p.protected = header(-7, key_kid(es), TYPE, head);
	assert_int_equal(verdict(message(&p, other, room), es, TYPE), ERR_SIGNATURE);
	assert_int_equal(verdict(message(&p, es, room), es, TYPE), ERR_OK);
}

static void
a_bundle_may_carry_receipts_and_nothing_else(void **state)
{
	uint8_t head[ROOM], room[ROOM];
	struct parts p = right(head);
	struct cose_sign1 m;
	struct bytes in;

	(void)state;
	p.unprotected = BYTES_LIT("\xa1\x19\x01\x8a\x81\x41\x00");
	in = message(&p, ed, room);
	assert_int_equal(cose_decode(in, false, &m), ERR_VALUE);
	assert_int_equal(cose_decode(in, true, &m), ERR_OK);
	assert_true(bytes_equal(m.unprotected, p.unprotected));
	assert_int_equal(cose_verify(&m, ed, TYPE), ERR_OK);
	assert_int_equal(cose_decode(buf_bytes(&good), true, &m), ERR_OK);
	p.unprotected = BYTES_LIT("\xa1\x19\x01\x8b\x81\x41\x00");
	assert_int_equal(cose_decode(message(&p, ed, room), true, &m), ERR_VALUE);
	p.unprotected = BYTES_LIT("\xa2\x04\x00\x19\x01\x8a\x81\x41\x00");
	assert_int_equal(cose_decode(message(&p, ed, room), true, &m), ERR_VALUE);
}

static void
what_does_not_fit_is_not_signed(void **state)
{
	uint8_t room[ROOM];
	char type[200];
	struct buf b = buf_init(room, 40);

	(void)state;
	assert_int_equal(cose_sign(ed, TYPE, BYTES_LIT("payload"), &b), ERR_LIMIT);
	memset(type, 't', sizeof type);
	type[sizeof type - 1] = '\0';
	b = BUF_OF(room);
	assert_int_equal(cose_sign(ed, type, BYTES_LIT("payload"), &b), ERR_LIMIT);
	assert_int_equal(b.n, 0);
}

/* RFC 9052 section 4.4, written by hand. */
static void
the_signed_bytes_are_those_of_the_standard(void **state)
{
	uint8_t room[ROOM];
	struct buf b = BUF_OF(room);

	(void)state;
	cose_put_tbs(&b, BYTES_LIT("\xa1\x01\x27"), BYTES_LIT("hi"));
	assert_true(bytes_equal(buf_bytes(&b), BYTES_LIT("\x84\x6a"
	                                                 "Signature1\x43\xa1\x01\x27\x40\x42hi")));
	assert_true(b.n <= 3 + 2 + COSE_TBS_OVERHEAD);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(what_was_signed_verifies_and_says_what_it_is),
	        cmocka_unit_test(every_prefix_and_every_longer_message_is_refused),
	        cmocka_unit_test(every_changed_byte_is_refused),
	        cmocka_unit_test(what_decodes_has_one_spelling),
	        cmocka_unit_test(other_forms_are_refused_though_signed),
	        cmocka_unit_test(headers_of_another_form_are_refused_though_signed),
	        cmocka_unit_test(another_type_algorithm_or_kid_is_refused_by_name),
	        cmocka_unit_test(a_bundle_may_carry_receipts_and_nothing_else),
	        cmocka_unit_test(what_does_not_fit_is_not_signed),
	        cmocka_unit_test(the_signed_bytes_are_those_of_the_standard),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}
