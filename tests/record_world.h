#ifndef TESTS_RECORD_WORLD_H
#define TESTS_RECORD_WORLD_H
/* record_world.h - records of the published vectors, and one good record for tests that spoil it.
 * Included once by each test program. */
#include "date.h"
#include "record.h"
#include "seed_key.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { ROOM = 4096 };

/* Bytes of the hex text at `name`, in memory of the case; empty where the member is missing. */
static inline struct bytes
member_hex(json_t *object, const char *name, uint8_t *room)
{
	const char *text = json_string_value(json_object_get(object, name));
	size_t n = text == NULL ? 0 : strlen(text) / 2;

	assert_true(n <= ROOM);
	if (n == 0)
		return bytes_of(NULL, 0);
	assert_int_equal(hex_decode(bytes_of_text(text), room, n), ERR_OK);
	return bytes_of(room, n);
}

static inline struct bytes
member_text(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text == NULL ? bytes_of(NULL, 0) : bytes_of_text(text);
}

static inline int64_t
member_number(const json_t *object, const char *name, int64_t missing)
{
	const json_t *v = json_object_get(object, name);

	return v == NULL ? missing : (int64_t)json_integer_value(v);
}

static inline int64_t
member_day(const json_t *object, const char *name)
{
	struct bytes text = member_text(object, name);
	int64_t day = -1;

	if (text.n != 0)
		assert_int_equal(date_decode(text, &day), ERR_OK);
	return day;
}

struct record_case {
	uint8_t cti[ROOM], request[ROOM], photo[ROOM], follows[ROOM];
	struct record r;
};

/* Claims of a vector as we would write them. */
static inline void
claims_read(json_t *c, struct record_case *out)
{
	out->r = (struct record){
	        .iss = member_text(c, "iss"),
	        .iat = member_number(c, "iat", 0),
	        .nbf = date_shanghai_start(member_day(c, "first_day")),
	        .exp = date_shanghai_start(member_day(c, "last_day") + 1),
	        .cti = member_hex(c, "cti", out->cti),
	        .list = (uint32_t)member_number(c, "list", 0),
	        .idx = (uint32_t)member_number(c, "idx", 0),
	        .name = member_text(c, "name"),
	        .doc_type = member_text(c, "doc_type"),
	        .doc_number = member_text(c, "doc_number"),
	        .sex = (int)member_number(c, "sex", 0),
	        .item = member_text(c, "item"),
	        .policy = member_text(c, "policy"),
	        .first_issued = member_day(c, "first_issued"),
	        .review_due = member_day(c, "review_due"),
	        .region = member_text(c, "region"),
	        .center = member_text(c, "center"),
	        .photo = member_hex(c, "photo", out->photo),
	        .request = member_hex(c, "request", out->request),
	        .sequence = member_number(c, "sequence", -1),
	        .item_name = member_text(c, "item_name"),
	        .authority = member_text(c, "authority"),
	        .follows = member_hex(c, "follows", out->follows),
	};
}

static inline json_t *
vectors_load(const char *name)
{
	char path[500];
	json_t *rows;

	snprintf(path, sizeof path, "%s/tests/vectors/%s", SOURCE_DIR, name);
	rows = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
	assert_true(json_array_size(rows) > 0);
	return rows;
}

static inline bool
same_record(const struct record *a, const struct record *b)
{
	return bytes_equal(a->iss, b->iss) && a->iat == b->iat && a->nbf == b->nbf &&
	       a->exp == b->exp && bytes_equal(a->cti, b->cti) && a->list == b->list &&
	       a->idx == b->idx && bytes_equal(a->name, b->name) &&
	       bytes_equal(a->doc_type, b->doc_type) && bytes_equal(a->doc_number, b->doc_number) &&
	       a->sex == b->sex && bytes_equal(a->item, b->item) &&
	       bytes_equal(a->policy, b->policy) && a->first_issued == b->first_issued &&
	       a->review_due == b->review_due && bytes_equal(a->region, b->region) &&
	       bytes_equal(a->center, b->center) && bytes_equal(a->photo, b->photo) &&
	       bytes_equal(a->request, b->request) && a->sequence == b->sequence &&
	       bytes_equal(a->item_name, b->item_name) && bytes_equal(a->authority, b->authority) &&
	       bytes_equal(a->follows, b->follows);
}

static inline struct bytes
payload_of(const struct record *r, const struct key *key, uint8_t room[ROOM])
{
	struct buf b = buf_init(room, ROOM);
	struct cose_sign1 m;

	assert_int_equal(record_sign(r, key, &b), ERR_OK);
	assert_int_equal(cose_decode(buf_bytes(&b), false, &m), ERR_OK);
	return m.payload;
}

static inline struct key *
member_key(const json_t *object, const char *name)
{
	struct key *k = NULL;

	assert_int_equal(key_read_pem(member_text(object, name), &k), ERR_OK);
	return k;
}
#endif
