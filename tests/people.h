#ifndef TESTS_PEOPLE_H
#define TESTS_PEOPLE_H
/* people.h - centres and officials of tests: their keys, the roster that names them, and what they
 * sign. Nobody is real; the keys follow from their seeds. */
#include "date.h"
#include "enrolment.h"
#include "roster.h"
#include "seed_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { NOW = 1792310400 }; /* 2026-10-18, eight in the morning in Shanghai */

enum who {
	CENTER,
	CENTER_AGAIN, /* another key of the same centre */
	SHENZHEN,
	WANG,
	LI,
	ZHANG,
	WANG_AGAIN, /* another key of the same person */
	LATE,       /* in force from tomorrow on */
	STRANGER,   /* not on the roster */
	PEOPLE
};

struct person {
	uint8_t seed;
	const char *name, *center; /* code, or NULL of an official */
};
static const struct person persons[PEOPLE] = {
        [CENTER] = {0x40, "赵敏", "330106-01"},
        [CENTER_AGAIN] = {0x41, "孙芳", "330106-01"},
        [SHENZHEN] = {0x42, "钱进", "440305-02"},
        [WANG] = {0x60, "王建国", NULL},
        [LI] = {0x80, "李秀英", NULL},
        [ZHANG] = {0x81, "张伟", NULL},
        [WANG_AGAIN] = {0x61, "王建国", NULL},
        [LATE] = {0x82, "周杰", NULL},
        [STRANGER] = {0x83, "吴强", NULL},
};

struct people {
	struct key *root, *keys[PEOPLE];
};

static inline void
people_make(struct people *p)
{
	p->root = seed_key_from(0xc0);
	assert_non_null(p->root);
	for (size_t i = 0; i < PEOPLE; i++) {
		p->keys[i] = seed_key_from(persons[i].seed);
		assert_non_null(p->keys[i]);
	}
}

static inline void
people_free(struct people *p)
{
	key_free(p->root);
	for (size_t i = 0; i < PEOPLE; i++)
		key_free(p->keys[i]);
}

static inline void
person_put(struct buf *b, const struct people *p, enum who who, uint64_t cap)
{
	const struct person *person = &persons[who];
	char text[1000];

	snprintf(text, sizeof text,
	        "%s{\"kid\":\"%s\",\"jwk\":{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"",
	        who == 0 ? "" : ",", key_thumb_text(p->keys[who]));
	buf_put_text(b, text);
	base64url_put(b, key_public(p->keys[who]));
	snprintf(text, sizeof text, "\"},\"person\":\"%s\",\"role\":\"%s\",", person->name,
	        person->center == NULL ? "official" : "center");
	buf_put_text(b, text);
	if (person->center != NULL) {
		snprintf(text, sizeof text,
		        "\"center\":{\"code\":\"%s\",\"name\":\"考试点\",\"uscc\":"
		        "\"91110000600037341L\",\"regions\":[\"%.2s0000\"],\"items\":[\"03\"],"
		        "\"daily_cap\":%llu},",
		        person->center, person->center, (unsigned long long)cap);
		buf_put_text(b, text);
	}
	snprintf(text, sizeof text, "\"not_before\":%d,\"not_after\":%d}",
	        who == LATE ? NOW + DAY_S : NOW - 365 * DAY_S, NOW + 1000 * DAY_S);
	buf_put_text(b, text);
}

/* A roster of all but the stranger, signed by the root. */
static inline void
people_roster(const struct people *p, uint64_t version, uint64_t cap, struct buf *out)
{
	char *room = malloc(32768), text[300];
	struct buf b = buf_init(room, 32768);

	assert_non_null(room);
	snprintf(text, sizeof text, "{\"version\":%llu,\"iat\":%d,\"exp\":%d,\"operators\":[",
	        (unsigned long long)version, NOW - DAY_S, NOW + 1000 * DAY_S);
	buf_put_text(&b, text);
	for (size_t i = 0; i < STRANGER; i++)
		person_put(&b, p, (enum who)i, cap);
	buf_put_text(&b, "],\"approvals\":{\"issue\":0,\"issue_late\":1,\"revoke\":2,\"suspend\":1,"
	                 "\"reinstate\":2,\"replace\":1,\"stop\":1,\"resume\":2}}");
	assert_int_equal(buf_end(&b), ERR_OK);
	assert_int_equal(jws_sign(p->root, ROSTER_TYP, buf_bytes(&b), out), ERR_OK);
	free(room);
}

struct enrolling { /* what tests change of the approvals of a roster */
	enum who by[2];
	int64_t now;
	const char *decision;
	bool other; /* they are for another text */
};

/* The next roster with the approvals of two officials in front. */
static inline void
people_enrol(const struct people *p, uint64_t version, uint64_t cap, const struct enrolling *n,
        struct buf *out)
{
	uint8_t *plain = malloc(65536), *payload = malloc(65536), *whole = malloc(65536),
	        *texts = malloc(8192);
	struct buf b = buf_init(plain, 65536), text = buf_init(payload, 65536),
	           all = buf_init(whole, 65536), room = buf_init(texts, 8192);
	struct bytes approvals[2];
	uint8_t digest[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1], say[400];
	struct jws j;

	people_roster(p, version, cap, &b);
	assert_int_equal(jws_decode(buf_bytes(&b), ROSTER_BYTES_MAX, &j), ERR_OK);
	assert_int_equal(jws_payload(&j, &text), ERR_OK);
	assert_int_equal(enrolment_digest(buf_bytes(&text), digest), ERR_OK);
	digest[0] ^= n->other;
	hex_encode(bytes_of(digest, sizeof digest), hex);
	for (int i = 0; i < 2; i++) {
		size_t start = room.n;

		snprintf(say, sizeof say,
		        "{\"request\":\"%s\",\"jti\":\"enrol-%016d\",\"iat\":%lld,\"exp\":"
		        "%lld,\"decision\":\"%s\"}",
		        hex, i, (long long)n->now, (long long)n->now + DAY_S, n->decision);
		assert_int_equal(
		        jws_sign(p->keys[n->by[i]], APPROVAL_TYP, bytes_of_text(say), &room),
		        ERR_OK);
		approvals[i] = bytes_of(room.p + start, room.n - start);
	}
	assert_int_equal(enrolment_put(buf_bytes(&text), approvals, &all), ERR_OK);
	assert_int_equal(jws_sign(p->root, ROSTER_TYP, buf_bytes(&all), out), ERR_OK);
	free(plain);
	free(payload);
	free(whole);
	free(texts);
}

static inline struct bytes
signed_text(const struct key *k, const char *typ, const char *payload, struct buf *out)
{
	size_t start = out->n;

	assert_int_equal(jws_sign(k, typ, bytes_of_text(payload), out), ERR_OK);
	return bytes_of(out->p + start, out->n - start);
}

/* Each request has its own jti. */
static inline void
jti_next(char out[JTI_BYTES_MIN + 1])
{
	static unsigned last;

	snprintf(out, JTI_BYTES_MIN + 1, "jti-%018u", ++last);
}

struct session {               /* what tests change of an examination session */
	unsigned first, count; /* numbers of the candidates */
	int64_t iat, exam_age_days;
	const char *center, *region;
	unsigned failing;             /* so many of the last seats did not pass */
	const char *basis;            /* NULL: initial */
	const uint8_t (*follows)[16]; /* of each seat, where the basis asks for it */
};

static inline struct session
session_of(unsigned first, unsigned count)
{
	return (struct session){.first = first,
	        .count = count,
	        .iat = NOW,
	        .exam_age_days = 1,
	        .center = "330106-01",
	        .region = "330000"};
}

#define DIGEST_HEX "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

/* `,"follows":"…"` of a seat, or nothing. */
static inline const char *
follows_text(const struct session *s, unsigned seat, char room[50])
{
	char hex[33];

	room[0] = '\0';
	if (s->follows == NULL)
		return room;
	hex_encode(bytes_of(s->follows[seat], 16), hex);
	snprintf(room, 50, ",\"follows\":\"%s\"", hex);
	return room;
}

/* An issue request of candidates with military cards A0000001, A0000002, … */
static inline struct bytes
session_sign(const struct session *s, const struct key *k, struct buf *out)
{
	size_t room_n = 1024 + (size_t)s->count * 450;
	char *room = malloc(room_n), text[600], jti[JTI_BYTES_MIN + 1], at[30], follows[50];
	struct buf b = buf_init(room, room_n), time = BUF_OF(at);
	struct bytes jws;

	assert_non_null(room);
	jti_next(jti);
	time_put_shanghai(&time, s->iat - s->exam_age_days * DAY_S);
	snprintf(text, sizeof text,
	        "{\"type\":\"issue\",\"jti\":\"%s\",\"iat\":%lld,\"exp\":%lld,\"session\":{\"id\":"
	        "\"s\",\"center\":\"%s\",\"region\":\"%s\",\"item\":\"030102\",\"basis\":"
	        "\"%s\",\"theory_at\":\"%.25s\",\"practical_at\":\"%.25s\",\"paper_sha256\":"
	        "\"" DIGEST_HEX "\",\"recording_sha256\":\"" DIGEST_HEX
	        "\",\"examiners\":[\"E33-1\",\"E33-2\"]},\"results\":[",
	        jti, (long long)s->iat, (long long)s->iat + ISSUE_LIFETIME_S_MAX, s->center,
	        s->region, s->basis == NULL ? "initial" : s->basis, at, at);
	buf_put_text(&b, text);
	for (unsigned i = 0; i < s->count; i++) {
		snprintf(text, sizeof text,
		        "%s{\"seat\":%u,\"name\":\"某人\",\"sex\":\"\",\"doc_type\":\"08\",\"doc_"
		        "number\":\"A%07u\",\"theory\":90,\"practical\":%d,\"photo_sha256\":"
		        "\"" DIGEST_HEX "\",\"evidence_sha256\":\"" DIGEST_HEX "\"%s}",
		        i == 0 ? "" : ",", i + 1, s->first + i,
		        i + s->failing >= s->count ? 10 : 90, follows_text(s, i, follows));
		buf_put_text(&b, text);
	}
	buf_put_text(&b, "]}");
	assert_int_equal(buf_end(&b), ERR_OK);
	buf_put_u8(&b, 0);
	jws = signed_text(k, REQUEST_TYP, room, out);
	free(room);
	return jws;
}

/* A revocation by ground R05, from the beginning. */
static inline struct bytes
revoke_sign(const struct key *k, int64_t iat, const uint8_t (*serials)[16], size_t count,
        struct buf *out)
{
	size_t room_n = 512 + count * 40;
	char *room = malloc(room_n), text[400], jti[JTI_BYTES_MIN + 1], serial[33];
	struct buf b = buf_init(room, room_n);
	struct bytes jws;

	assert_non_null(room);
	jti_next(jti);
	snprintf(text, sizeof text,
	        "{\"type\":\"revoke\",\"jti\":\"%s\",\"iat\":%lld,\"exp\":%lld,\"ground\":\"R05\","
	        "\"decision_no\":\"1\",\"decided_at\":\"2026-10-18\",\"effective_at\":"
	        "\"2026-10-17\",\"serials\":[",
	        jti, (long long)iat, (long long)iat + ORDER_LIFETIME_S_MAX);
	buf_put_text(&b, text);
	for (size_t i = 0; i < count; i++) {
		hex_encode(bytes_of(serials[i], 16), serial);
		buf_put_text(&b, i == 0 ? "\"" : ",\"");
		buf_put_text(&b, serial);
		buf_put_text(&b, "\"");
	}
	buf_put_text(&b, "]}");
	assert_int_equal(buf_end(&b), ERR_OK);
	buf_put_u8(&b, 0);
	jws = signed_text(k, REQUEST_TYP, room, out);
	free(room);
	return jws;
}

struct consent { /* what tests change of an approval */
	int64_t iat, exp;
	const char *decision, *more; /* more: further members */
};
static const struct consent consent_usual = {NOW, NOW + DAY_S, "approve", ""};

static inline struct bytes
approval_sign(const struct key *k, struct bytes request, const struct consent *a, struct buf *out)
{
	char text[500], jti[JTI_BYTES_MIN + 1], id[2 * SHA256_BYTES + 1];
	struct jws j;

	assert_int_equal(jws_decode(request, JWS_BYTES_MAX, &j), ERR_OK);
	hex_encode(bytes_of(j.hash, SHA256_BYTES), id);
	jti_next(jti);
	snprintf(text, sizeof text,
	        "{\"request\":\"%s\",\"jti\":\"%s\",\"iat\":%lld,\"exp\":%lld,\"decision\":\"%s\"%"
	        "s}",
	        id, jti, (long long)a->iat, (long long)a->exp, a->decision, a->more);
	return signed_text(k, APPROVAL_TYP, text, out);
}
#endif
