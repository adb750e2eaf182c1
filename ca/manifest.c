/* manifest.c - the authority's keys and what each may sign: nothing of a manifest is used before
 * the root's signature over the very bytes that came has been verified. */
#include "manifest.h"

#include <stdlib.h>
#include <string.h>

enum { CLAIM_ISS = 1, CLAIM_IAT = 6, CLAIM_MANIFEST = -65540, TEXT_MAX = 300, WITNESSES_MAX = 16 };

static const char *const purposes[] = {
        [KEY_RECORD] = "record",
        [KEY_STATUS] = "status",
        [KEY_LOG] = "log",
        [KEY_CRL] = "crl",
        [KEY_ROOT] = "root",
};

const char *
key_purpose_word(enum key_purpose p)
{
	return purposes[p];
}

static void
put_key(struct buf *b, const struct manifest_key *k)
{
	bool cut_off = k->last_size != UINT64_MAX;

	cbor_put_array(b, cut_off ? 6 : 5);
	cbor_put_bytes(b, k->kid);
	buf_put(b, k->cose_key);
	cbor_put_text(b, bytes_of_text(purposes[k->purpose]));
	cbor_put_int(b, k->not_before);
	cbor_put_int(b, k->not_after);
	if (cut_off)
		cbor_put_uint(b, k->last_size);
}

static void
put_text_at(struct buf *b, uint64_t key, struct bytes v)
{
	cbor_put_uint(b, key);
	cbor_put_text(b, v);
}

static size_t
soft_count(const struct manifest *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->key_count; i++)
		n += m->keys[i].soft;
	return n;
}

/* Members that are there only where they say something. */
static void
put_optional(struct buf *b, const struct manifest *m)
{
	if (soft_count(m) > 0) {
		cbor_put_uint(b, 11);
		cbor_put_array(b, soft_count(m));
		for (size_t i = 0; i < m->key_count; i++)
			if (m->keys[i].soft)
				cbor_put_bytes(b, m->keys[i].kid);
	}
	if (m->transcript.n > 0) {
		cbor_put_uint(b, 12);
		cbor_put_bytes(b, m->transcript);
	}
}

static void
put_claims(struct buf *b, const struct manifest *m)
{
	cbor_put_map(b, 3);
	put_text_at(b, CLAIM_ISS, m->iss);
	cbor_put_uint(b, CLAIM_IAT);
	cbor_put_int(b, m->iat);
	cbor_put_int(b, CLAIM_MANIFEST);
	cbor_put_map(b, 10U + (soft_count(m) > 0) + (m->transcript.n > 0));
	cbor_put_uint(b, 1);
	cbor_put_uint(b, m->version);
	put_text_at(b, 2, m->name_zh);
	put_text_at(b, 3, m->name_en);
	cbor_put_uint(b, 4);
	cbor_put_array(b, m->key_count);
	for (size_t i = 0; i < m->key_count; i++)
		put_key(b, &m->keys[i]);
	put_text_at(b, 5, m->origin);
	put_text_at(b, 6, m->log_vkey);
	put_text_at(b, 7, m->status_prefix);
	cbor_put_uint(b, 8);
	cbor_put_bytes(b, m->crl_ca);
	cbor_put_uint(b, 9);
	cbor_put_array(b, m->witness_count);
	for (size_t i = 0; i < m->witness_count; i++)
		cbor_put_text(b, m->witnesses[i]);
	cbor_put_uint(b, 10);
	cbor_put_uint(b, m->quorum);
	put_optional(b, m);
}

/* Rules that hold for every manifest, made or read. */
static enum err
check_keys(const struct manifest *m)
{
	if (m->key_count < 1 || m->key_count > MANIFEST_KEYS_MAX)
		return ERR_LIMIT;
	for (size_t i = 0; i < m->key_count; i++) {
		const struct manifest_key *k = &m->keys[i];

		if (k->purpose < KEY_RECORD || k->purpose > KEY_ROOT || k->kid.n != KEY_KID_BYTES ||
		        k->not_before < 0 || k->not_before >= k->not_after)
			return ERR_VALUE;
		for (size_t earlier = 0; earlier < i; earlier++)
			if (bytes_equal(m->keys[earlier].kid, k->kid))
				return ERR_VALUE;
	}
	return ERR_OK;
}

static bool
text_valid(struct bytes v)
{
	return v.n > 0 && v.n <= TEXT_MAX && utf8_valid(v, NULL);
}

/* Is `v` made of these three parts? */
static bool
spelled(struct bytes v, const char *before, struct bytes middle, const char *after)
{
	size_t head = strlen(before);

	return v.n == head + middle.n + strlen(after) && bytes_start(v, before) &&
	       bytes_equal(bytes_of(v.p + head, middle.n), middle) &&
	       bytes_equal_text(bytes_skip(v, head + middle.n), after);
}

static enum err
check(const struct manifest *m)
{
	if (m->version < 1 || m->iat < 0 || m->iss.n > HOST_BYTES_MAX ||
	        m->witness_count > WITNESSES_MAX || m->quorum > m->witness_count ||
	        m->crl_ca.n == 0 || (m->transcript.n != 0 && m->transcript.n != SHA256_BYTES))
		return ERR_VALUE;
	if (!text_valid(m->iss) || !text_valid(m->name_zh) || !text_valid(m->name_en) ||
	        !text_valid(m->log_vkey))
		return ERR_VALUE;
	for (size_t i = 0; i < m->witness_count; i++)
		if (!text_valid(m->witnesses[i]))
			return ERR_VALUE;
	/* names follow from the host: a manifest cannot send readers elsewhere */
	if (!spelled(m->origin, "", m->iss, "/log") ||
	        !spelled(m->status_prefix, "https://", m->iss, "/status/"))
		return ERR_VALUE;
	return check_keys(m);
}

enum err
manifest_sign(const struct manifest *m, const struct key *root, struct buf *out)
{
	struct buf claims = buf_init(NULL, 0);
	enum err e = check(m);

	if (e != ERR_OK)
		return e;
	claims = buf_init(malloc(MANIFEST_BYTES_MAX), MANIFEST_BYTES_MAX);
	if (claims.p == NULL)
		return ERR_MEMORY;
	put_claims(&claims, m);
	if ((e = buf_end(&claims)) == ERR_OK && (e = cbor_check(buf_bytes(&claims))) == ERR_OK)
		e = cose_sign(root, MANIFEST_TYPE, buf_bytes(&claims), out);
	free(claims.p);
	return e;
}

static enum key_purpose
purpose_of(struct cbor *c)
{
	struct bytes word = cbor_text(c);

	for (unsigned p = KEY_RECORD; p <= KEY_ROOT; p++)
		if (bytes_equal_text(word, purposes[p]))
			return (enum key_purpose)p;
	cbor_fail(c, ERR_VALUE);
	return KEY_RECORD;
}

static void
read_key(struct cbor *c, struct manifest_key *k)
{
	uint64_t parts = cbor_array(c);

	if (parts != 5 && parts != 6)
		cbor_fail(c, ERR_VALUE);
	k->kid = cbor_bytes_exact(c, KEY_KID_BYTES);
	k->cose_key = cbor_item(c);
	k->purpose = purpose_of(c);
	k->not_before = cbor_int(c);
	k->not_after = cbor_int(c);
	k->last_size = parts == 6 ? cbor_uint_max(c, UINT64_MAX - 1) : UINT64_MAX;
}

static void
expect(struct cbor *c, int64_t key)
{
	if (cbor_int(c) != key)
		cbor_fail(c, ERR_VALUE);
}

static void
read_keys(struct cbor *c, struct manifest *m)
{
	uint64_t count = cbor_array(c);

	if (count > MANIFEST_KEYS_MAX)
		cbor_fail(c, ERR_LIMIT);
	for (m->key_count = 0; m->key_count < count && c->e == ERR_OK; m->key_count++)
		read_key(c, &m->keys[m->key_count]);
}

static void
read_witnesses(struct cbor *c, struct manifest *m)
{
	uint64_t count = cbor_array(c);

	if (count > WITNESSES_MAX)
		cbor_fail(c, ERR_LIMIT);
	for (m->witness_count = 0; m->witness_count < count && c->e == ERR_OK; m->witness_count++)
		m->witnesses[m->witness_count] = cbor_text(c);
}

/* In the order of the keys, each once, at least one. */
static void
read_soft(struct cbor *c, struct manifest *m)
{
	uint64_t count = cbor_array(c);
	size_t at = 0;

	if (count == 0)
		cbor_fail(c, ERR_VALUE);
	for (; count > 0 && c->e == ERR_OK; count--) {
		struct bytes kid = cbor_bytes_exact(c, KEY_KID_BYTES);

		while (at < m->key_count && !bytes_equal(m->keys[at].kid, kid))
			at++;
		if (at == m->key_count)
			cbor_fail(c, ERR_VALUE);
		else
			m->keys[at++].soft = true;
	}
}

static void
read_optional(struct cbor *c, struct manifest *m, uint64_t members)
{
	int64_t key = members > 0 ? cbor_int(c) : 0;

	if (key == 11) {
		read_soft(c, m);
		members--;
		key = members > 0 ? cbor_int(c) : 0;
	}
	if (key == 12) {
		m->transcript = cbor_bytes_exact(c, SHA256_BYTES);
		members--;
	}
	if (members != 0)
		cbor_fail(c, ERR_VALUE);
}

static void
read_body(struct cbor *c, struct manifest *m)
{
	uint64_t members = cbor_map(c);

	if (members < 10 || members > 12)
		cbor_fail(c, ERR_VALUE);
	expect(c, 1);
	m->version = cbor_uint(c);
	expect(c, 2);
	m->name_zh = cbor_text(c);
	expect(c, 3);
	m->name_en = cbor_text(c);
	expect(c, 4);
	read_keys(c, m);
	expect(c, 5);
	m->origin = cbor_text(c);
	expect(c, 6);
	m->log_vkey = cbor_text(c);
	expect(c, 7);
	m->status_prefix = cbor_text(c);
	expect(c, 8);
	m->crl_ca = cbor_bytes(c);
	expect(c, 9);
	read_witnesses(c, m);
	expect(c, 10);
	m->quorum = cbor_uint(c);
	read_optional(c, m, members - 10);
}

static enum err
read_claims(struct bytes payload, struct manifest *m)
{
	struct cbor c = cbor_init(payload);
	enum err e = ERR_OK;

	if (cbor_map(&c) != 3)
		cbor_fail(&c, ERR_VALUE);
	expect(&c, CLAIM_ISS);
	m->iss = cbor_text(&c);
	expect(&c, CLAIM_IAT);
	m->iat = cbor_int(&c);
	expect(&c, CLAIM_MANIFEST);
	read_body(&c, m);
	if ((e = cbor_end(&c)) != ERR_OK || (e = cbor_check(payload)) != ERR_OK)
		return e;
	return check(m);
}

/* A kid is what the key gives, so that two keys cannot trade names. */
static enum err
open_keys(struct manifest *m)
{
	enum err e = ERR_OK;

	for (size_t i = 0; i < m->key_count; i++) {
		if ((e = key_from_cose(m->keys[i].cose_key, &m->keys[i].key)) != ERR_OK)
			return e;
		if (!bytes_equal(key_kid(m->keys[i].key), m->keys[i].kid))
			return ERR_VALUE;
	}
	return ERR_OK;
}

enum err
manifest_open(struct bytes in, const struct key *root, struct manifest *out)
{
	struct manifest m;
	struct cose_sign1 message;
	enum err e = ERR_OK;

	memset(&m, 0, sizeof m);
	if (in.n > MANIFEST_BYTES_MAX)
		return ERR_LIMIT;
	if ((e = cose_decode(in, false, &message)) != ERR_OK ||
	        (e = cose_verify(&message, root, MANIFEST_TYPE)) != ERR_OK ||
	        (e = read_claims(message.payload, &m)) != ERR_OK)
		return e;
	if ((e = open_keys(&m)) != ERR_OK) {
		manifest_close(&m);
		return e;
	}
	sha256_one(in, m.sha256);
	m.sm2 = key_suite(root) == KEY_SM2;
	*out = m;
	return ERR_OK;
}

void
manifest_close(struct manifest *m)
{
	for (size_t i = 0; i < m->key_count; i++) {
		key_free(m->keys[i].key);
		m->keys[i].key = NULL;
	}
}

const struct manifest_key *
manifest_find(const struct manifest *m, struct bytes kid, enum key_purpose purpose)
{
	for (size_t i = 0; i < m->key_count; i++)
		if (m->keys[i].purpose == purpose && bytes_equal(m->keys[i].kid, kid))
			return &m->keys[i];
	return NULL;
}
