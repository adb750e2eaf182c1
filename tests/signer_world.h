#ifndef TESTS_SIGNER_WORLD_H
#define TESTS_SIGNER_WORLD_H
/* signer_world.h - a signer in this process, with a state folder and a log of three certificates:
 * tests call its handlers as the publisher and the front do. */
#include "authority.h"
#include "base64.h"
#include "crl.h"
#include "file.h"
#include "log.h"
#include "note.h"
#include "status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SIGNER_AT = 1792224000, SIGNER_ROOM = 1 << 20 };

struct signer_world {
	char dir[40];
	struct authority *a;
	struct authority_manifest manifest; /* in force, of version 1 */
	struct key *root;
	struct roster *roster;
	int64_t now;
	uint8_t room[SIGNER_ROOM]; /* the last answer */
	struct bytes answer;
	uint8_t checkpoint[CHECKPOINT_BYTES_MAX];
	size_t checkpoint_n;
};

static inline void
signer_file(const struct signer_world *w, const char *name, struct bytes data)
{
	char path[80];

	snprintf(path, sizeof path, "%s/%s", w->dir, name);
	assert_int_equal(file_write(path, data, 0600), ERR_OK);
}

static inline void
signer_key(const struct signer_world *w, const char *name, enum key_suite suite, struct key **out)
{
	uint8_t room[KEY_PEM_BYTES_MAX];
	struct buf pem = BUF_OF(room);

	assert_int_equal(key_generate(suite, out), ERR_OK);
	assert_int_equal(key_write_private(*out, &pem), ERR_OK);
	signer_file(w, name, buf_bytes(&pem));
}

static inline void
signer_folder(struct signer_world *w)
{
	struct key *k = NULL;
	uint8_t room[KEY_PEM_BYTES_MAX];
	struct buf out = BUF_OF(room);

	snprintf(w->dir, sizeof w->dir, "/tmp/zz-test-signer-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	signer_file(w, "host", BYTES_LIT("zz.example.gov.cn\n"));
	signer_file(w, "tag.key", BYTES_LIT("0123456789abcdef0123456789abcdef"));
	signer_file(w, "slot.key", BYTES_LIT("0123456789abcdef0123456789abcdeF"));
	signer_key(w, "record.pem", KEY_ES256, &k);
	key_free(k);
	signer_key(w, "status.pem", KEY_ES256, &k);
	key_free(k);
	signer_key(w, "log.pem", KEY_ED25519, &k);
	key_free(k);
	signer_key(w, "crl.pem", KEY_ES256, &w->root);
	k = w->root;
	assert_int_equal(crl_ca_make(k, BYTES_LIT("Example CRL"), SIGNER_AT - 1000,
	                         SIGNER_AT + 1000000, &out),
	        ERR_OK);
	signer_file(w, "crl-ca.der", buf_bytes(&out));
	out = BUF_OF(room);
	assert_int_equal(key_write_public(k, &out), ERR_OK);
	signer_file(w, "root.pub", buf_bytes(&out));
}

/* The entries of these tests are made with the signer's own tag: one official is on it, because one
 * must be. */
static inline void
signer_roster(struct signer_world *w)
{
	uint8_t text_room[1000], room[2048];
	struct buf text = BUF_OF(text_room), jws = BUF_OF(room);
	struct bytes point = key_public(w->root);

	buf_put_text(
	        &text, "{\"version\":1,\"iat\":1000,\"exp\":4000000000,\"operators\":[{\"kid\":\"");
	buf_put_text(&text, key_thumb_text(w->root));
	buf_put_text(&text, "\",\"jwk\":{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"");
	base64url_put(&text, bytes_of(point.p, 32));
	buf_put_text(&text, "\",\"y\":\"");
	base64url_put(&text, bytes_of(point.p + 32, 32));
	buf_put_text(&text,
	        "\"},\"person\":\"Wang\",\"role\":\"official\",\"not_before\":1000,"
	        "\"not_after\":4000000000}],\"approvals\":{\"issue\":0,\"issue_late\":1,"
	        "\"revoke\":2,\"suspend\":1,\"reinstate\":2,\"replace\":1,\"stop\":1,"
	        "\"resume\":2}}");
	assert_int_equal(jws_sign(w->root, ROSTER_TYP, buf_bytes(&text), &jws), ERR_OK);
	assert_int_equal(roster_read(buf_bytes(&jws), w->root, &w->roster), ERR_OK);
}

/* Manifest and roster are put in force without their entries: what is tested comes after them. */
static inline void
signer_start(struct signer_world *w)
{
	assert_int_equal(authority_open(w->dir, w->now, &w->a), ERR_OK);
	w->manifest.m.version = 1;
	w->manifest.m.key_count = w->a->keys.count;
	for (size_t i = 0; i < w->a->keys.count; i++)
		w->manifest.m.keys[i] = (struct manifest_key){
		        .kid = key_kid(w->a->keys.rows[i].key),
		        .purpose = w->a->keys.rows[i].purpose,
		        .not_after = INT64_MAX,
		        .last_size = UINT64_MAX,
		        .soft = true,
		};
	w->a->fold.manifest_version = 1;
	w->a->manifest = &w->manifest;
	w->a->roster = w->roster;
}

static inline void
signer_end(struct signer_world *w)
{
	w->a->roster = NULL;
	authority_free(w->a);
}

static inline enum err
signer_ask(struct signer_world *w, authority_handler handler, const struct buf *body)
{
	struct buf out = BUF_OF(w->room);
	struct call c = {.now = w->now, .clock = ERR_OK, .body = buf_bytes(body), .out = &out};
	enum err e = handler(w->a, &c);

	w->answer = buf_bytes(&out);
	return e;
}

static inline enum err
signer_number(struct signer_world *w, authority_handler handler, uint64_t number)
{
	uint8_t room[16];
	struct buf body = BUF_OF(room);

	cbor_put_array(&body, 1);
	cbor_put_uint(&body, number);
	return signer_ask(w, handler, &body);
}

/* What an answer [number …, bytes] holds; `numbers` of them before the bytes. */
static inline struct bytes
signer_token(const struct signer_world *w, unsigned numbers, uint64_t *first)
{
	struct cbor c = cbor_init(w->answer);
	struct bytes token;

	cbor_array_exact(&c, numbers + 1);
	*first = cbor_uint(&c);
	for (unsigned i = 1; i < numbers; i++)
		(void)cbor_uint(&c);
	token = cbor_bytes(&c);
	assert_int_equal(cbor_end(&c), ERR_OK);
	return token;
}

static inline enum err
signer_state_ask(struct signer_world *w, struct bytes *table, struct bytes *head)
{
	uint8_t room[CHECKPOINT_BYTES_MAX + 16];
	struct buf body = BUF_OF(room);
	struct cbor c;
	enum err e;

	cbor_put_array(&body, 1);
	cbor_put_bytes(&body, bytes_of(w->checkpoint, w->checkpoint_n));
	if ((e = signer_ask(w, authority_state, &body)) != ERR_OK)
		return e;
	c = cbor_init(w->answer);
	cbor_array_exact(&c, 16);
	for (int i = 0; i < 13; i++)
		(void)cbor_item(&c);
	*table = cbor_bytes(&c);
	*head = cbor_bytes(&c);
	assert_int_equal(cbor_bytes(&c).n, 0); /* the SM2 head: of an SM2 authority alone */
	return cbor_end(&c);
}

/* Appends one entry, given as [entry, note, tag] in `parts`. */
static inline void
signer_append(struct signer_world *w, struct bytes parts, struct bytes record)
{
	uint8_t room[8192];
	struct buf body = BUF_OF(room);

	cbor_put_array(&body, 2);
	cbor_put_uint(&body, w->a->fold.frontier.size);
	cbor_put_array(&body, 1);
	cbor_put_array(&body, 4);
	buf_put(&body, parts);
	if (record.n == 0)
		cbor_put_null(&body);
	else
		cbor_put_bytes(&body, record);
	assert_int_equal(signer_ask(w, authority_extend, &body), ERR_OK);
}

static inline void
signer_append_entry(struct signer_world *w, const struct entry *e, const struct entry_note *n,
        struct bytes record)
{
	uint8_t room[2048];
	struct buf parts = BUF_OF(room);

	authority_put_entry(w->a, &parts, e, n);
	signer_append(w, buf_bytes(&parts), record);
}

static inline void
signer_issue_one(struct signer_world *w, uint8_t number)
{
	const uint8_t cti[16] = {number};
	struct entry e = {.type = ENTRY_ISSUE,
	        .cti = bytes_of(cti, sizeof cti),
	        .time = w->now,
	        .center = BYTES_LIT("330106-01"),
	        .item = BYTES_LIT("030102"),
	        .policy = BYTES_LIT("SP-19"),
	        .request = {number}};
	const struct entry_note n = {
	        .exp = w->now + 86400, .slot = number, .seat = 1, .answer = number};

	sha256_one(bytes_of(cti, sizeof cti), e.record_sha256);
	signer_append_entry(w, &e, &n, bytes_of(cti, sizeof cti));
}

static inline void
signer_revoke(struct signer_world *w, uint8_t number, uint32_t idx)
{
	const uint8_t cti[16] = {number};
	const struct entry e = {.type = ENTRY_STATUS,
	        .cti = bytes_of(cti, sizeof cti),
	        .idx = idx,
	        .status = STATUS_INVALID,
	        .crl_reason = 9,
	        .until = -1,
	        .time = w->now,
	        .request = {0xff, number}};
	const struct entry_note n = {
	        .exp = w->now + 86400, .slot = -1, .seat = -1, .answer = number};

	signer_append_entry(w, &e, &n, bytes_of(NULL, 0));
}

/* LIST and its entry 3. */
static inline void
signer_list_one(struct signer_world *w)
{
	struct cbor c;
	struct bytes parts;
	uint8_t room[2048];

	assert_int_equal(signer_number(w, authority_list, 0), ERR_OK);
	c = cbor_init(w->answer);
	cbor_array_exact(&c, 7);
	for (int i = 0; i < 4; i++)
		(void)cbor_item(&c);
	assert_true(c.e == ERR_OK && c.in.n < sizeof room);
	memcpy(room, c.in.p, c.in.n);
	parts = bytes_of(room, c.in.n);
	signer_append(w, parts, bytes_of(NULL, 0));
}

static inline void
signer_checkpoint_now(struct signer_world *w)
{
	struct cbor c;
	struct bytes note;

	assert_int_equal(signer_number(w, authority_checkpoint, w->a->fold.frontier.size), ERR_OK);
	c = cbor_init(w->answer);
	cbor_array_exact(&c, 2);
	note = cbor_bytes(&c);
	memcpy(w->checkpoint, note.p, note.n);
	w->checkpoint_n = note.n;
}

static inline int
signer_make(void **state)
{
	struct signer_world *w = calloc(1, sizeof *w);
	const struct entry genesis = {.type = ENTRY_GENESIS,
	        .time = SIGNER_AT,
	        .origin = BYTES_LIT("zz.example.gov.cn/log"),
	        .iss = BYTES_LIT("zz.example.gov.cn")};
	const struct entry_note note = {.slot = -1, .seat = -1};
	struct bytes table, head;

	log_open("test");
	w->now = SIGNER_AT;
	signer_folder(w);
	signer_roster(w);
	signer_start(w);
	assert_int_equal(signer_state_ask(w, &table, &head), ERR_OK);
	assert_true(table.n == 0 && head.n == 0);
	signer_append_entry(w, &genesis, &note, bytes_of(NULL, 0));
	for (uint8_t i = 1; i <= 3; i++)
		signer_issue_one(w, i);
	*state = w;
	return 0;
}

static inline int
signer_remove(void **state)
{
	struct signer_world *w = *state;
	char command[80];

	signer_end(w);
	snprintf(command, sizeof command, "rm -r %s", w->dir);
	assert_int_equal(system(command), 0);
	roster_free(w->roster);
	key_free(w->root);
	free(w);
	return 0;
}
#endif
