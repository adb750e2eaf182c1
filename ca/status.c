/* status.c - status lists and their tokens: two bits a certificate, lowest bits of a byte first; a
 * list always inflates to exactly LIST_BYTES. */
#include "status.h"

#include "base64.h"
#include "jws.h"

#include <assert.h>
#include <string.h>
#define ZLIB_CONST /* next_in points to const */
#include <zlib.h>

enum {
	CLAIM_SUB = 2,
	CLAIM_EXP = 4,
	CLAIM_IAT = 6,
	CLAIM_LIST = 65533,
	CLAIM_TTL = 65534,
	CLAIM_VERSION = -65538
};

enum {
	/* what zlib can make of a list in the worst case: stored blocks, header and checksum */
	ZLIB_BYTES_MAX = LIST_BYTES + LIST_BYTES / 4096 + LIST_BYTES / 16384 + 13,
	URI_BYTES_MAX = HOST_BYTES_MAX + 32,
	CLAIMS_BYTES_MAX = ZLIB_BYTES_MAX + URI_BYTES_MAX + 160,
	JSON_BYTES_MAX = BASE64URL_CHARS(ZLIB_BYTES_MAX) + URI_BYTES_MAX + 320,
	BITS = 2,
	MEMORY_LEVEL = 8, /* zlib's own */
};
#define TIME_MAX INT64_C(253402300799) /* the last second of year 9999 */

enum status
status_get(const uint8_t raw[LIST_BYTES], uint32_t idx)
{
	assert(idx < LIST_ENTRIES);
	return (enum status)(raw[idx / 4] >> (idx % 4 * BITS) & 3);
}

void
status_set(uint8_t raw[LIST_BYTES], uint32_t idx, enum status s)
{
	unsigned shift = idx % 4 * BITS;

	assert(idx < LIST_ENTRIES && (unsigned)s <= 3);
	raw[idx / 4] = (uint8_t)((raw[idx / 4] & ~(3U << shift)) | (unsigned)s << shift);
}

bool
status_undoes(const uint8_t before[LIST_BYTES], const uint8_t now[LIST_BYTES])
{
	for (uint32_t i = 0; i < LIST_BYTES; i++) {
		if (before[i] == now[i])
			continue;
		for (uint32_t idx = 4 * i; idx < 4 * i + 4; idx++) {
			enum status was = status_get(before, idx), is = status_get(now, idx);

			if (was == STATUS_INVALID && is != STATUS_INVALID)
				return true;
			if (was == STATUS_SUPERSEDED && is != STATUS_SUPERSEDED &&
			        is != STATUS_INVALID)
				return true;
		}
	}
	return false;
}

void
status_count(const uint8_t raw[LIST_BYTES], uint64_t out[4])
{
	memset(out, 0, 4 * sizeof *out);
	for (uint32_t i = 0; i < LIST_BYTES; i++)
		for (unsigned at = 0; at < 8; at += BITS)
			out[raw[i] >> at & 3]++;
}

/* zlib */

struct effort {
	int level, window, strategy;
};

/* What a list costs to make against what it costs to send, by the share of its bytes that are not
 * zero; measured with 48 lists of random places, each choice below 1 s for all of them:
 * - up to 1/128 (0.2 % of certificates revoked) zlib's best, as the draft recommends; 12 ms a list;
 * - up to 1/20 (1.3 %) a window of 1 KiB instead of 32. Matches are runs of zeros that end alike:
 *   they stand close by, and near ones have short codes. At 1 % 16.1 kB in 15 ms, where the whole
 *   window takes 47 ms for 16.0 kB and level 6 leaves 19.2 kB;
 * - above it runs of one byte alone: at 3 % 39 kB in 1 ms instead of 37 kB in 150 ms; from 10 % on
 *   smaller than the best, too. */
static struct effort
effort_of(struct bytes raw)
{
	size_t set = 0;

	for (size_t i = 0; i < raw.n; i++)
		set += raw.p[i] != 0;
	if (set <= raw.n / 128)
		return (struct effort){9, 15, Z_DEFAULT_STRATEGY};
	if (set <= raw.n / 20)
		return (struct effort){8, 10, Z_DEFAULT_STRATEGY};
	return (struct effort){9, 15, Z_RLE};
}

enum err
status_deflate(struct bytes raw, struct buf *out)
{
	struct effort f = effort_of(raw);
	z_stream z = {0};
	int rc;

	if (out->failed || raw.n > UINT32_MAX)
		return ERR_LIMIT;
	if (deflateInit2(&z, f.level, Z_DEFLATED, f.window, MEMORY_LEVEL, f.strategy) != Z_OK)
		return ERR_MEMORY;
	z.next_in = raw.p;
	z.avail_in = (uInt)raw.n;
	z.next_out = out->p + out->n;
	z.avail_out = (uInt)(out->cap - out->n);
	rc = deflate(&z, Z_FINISH);
	deflateEnd(&z);
	if (rc != Z_STREAM_END || z.total_out < 2)
		return ERR_LIMIT;
	/* the same header for all, of 32 KiB: a reader may know no other, and needs no less */
	out->p[out->n] = 0x78;
	out->p[out->n + 1] = 0xda;
	out->n += z.total_out;
	return ERR_OK;
}

static enum err
inflate_outcome(int rc, const z_stream *z)
{
	if (rc == Z_MEM_ERROR)
		return ERR_MEMORY;
	if (rc == Z_STREAM_END)
		return z->avail_out != 0 ? ERR_TRUNCATED : z->avail_in != 0 ? ERR_TRAILING : ERR_OK;
	/* the room is full and the stream goes on */
	if ((rc == Z_OK || rc == Z_BUF_ERROR) && z->avail_out == 0 && z->avail_in != 0)
		return ERR_LIMIT;
	return ERR_ENCODING;
}

enum err
status_inflate(struct bytes zlib, uint8_t *raw, size_t raw_n)
{
	z_stream z = {0};
	uint8_t nothing[1];
	enum err e = ERR_OK;

	if (zlib.n == 0 || zlib.n > UINT32_MAX || raw_n > UINT32_MAX)
		return ERR_ENCODING;
	if (inflateInit(&z) != Z_OK)
		return ERR_MEMORY;
	z.next_in = zlib.p;
	z.avail_in = (uInt)zlib.n;
	z.next_out = raw_n == 0 ? nothing : raw;
	z.avail_out = (uInt)raw_n;
	e = inflate_outcome(inflate(&z, Z_FINISH), &z);
	inflateEnd(&z);
	return e;
}

/* tokens */

static bool
uri_list(struct bytes uri, uint32_t *list)
{
	size_t at = uri.n;
	uint64_t n = 0;

	while (at > 0 && uri.p[at - 1] != '/')
		at--;
	if (at == 0 || decimal_decode(bytes_skip(uri, at), UINT32_MAX, &n) != ERR_OK)
		return false;
	*list = (uint32_t)n;
	return true;
}

/* Only characters that need no escape in JSON, and that a URI of ours has. */
static bool
uri_valid(struct bytes uri)
{
	if (uri.n == 0 || uri.n > URI_BYTES_MAX)
		return false;
	for (size_t i = 0; i < uri.n; i++) {
		uint8_t c = uri.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) &&
		        memchr("./:_-", c, 5) == NULL)
			return false;
	}
	return true;
}

static enum err
token_check(const struct status_token *t)
{
	uint32_t list = 0;

	if (!uri_valid(t->uri) || !uri_list(t->uri, &list) || list != t->list)
		return ERR_VALUE;
	if (t->iat < 0 || t->exp <= t->iat || t->exp > TIME_MAX || t->ttl <= 0 || t->ttl > TIME_MAX)
		return ERR_VALUE;
	if (t->lst.n == 0)
		return ERR_VALUE;
	return t->lst.n > ZLIB_BYTES_MAX ? ERR_LIMIT : ERR_OK;
}

static void
claims_put(const struct status_token *t, struct buf *b)
{
	cbor_put_map(b, 6);
	cbor_put_int(b, CLAIM_SUB);
	cbor_put_text(b, t->uri);
	cbor_put_int(b, CLAIM_EXP);
	cbor_put_int(b, t->exp);
	cbor_put_int(b, CLAIM_IAT);
	cbor_put_int(b, t->iat);
	cbor_put_int(b, CLAIM_LIST);
	cbor_put_map(b, 2);
	cbor_put_text(b, BYTES_LIT("lst")); /* encodes as 63…, before "bits", 64… */
	cbor_put_bytes(b, t->lst);
	cbor_put_text(b, BYTES_LIT("bits"));
	cbor_put_uint(b, BITS);
	cbor_put_int(b, CLAIM_TTL);
	cbor_put_int(b, t->ttl);
	cbor_put_int(b, CLAIM_VERSION);
	cbor_put_array(b, 2);
	cbor_put_uint(b, t->sequence);
	cbor_put_bytes(b, bytes_of(t->previous, SHA256_BYTES));
}

enum err
status_cwt_sign(const struct status_token *t, const struct key *k, struct buf *out)
{
	uint8_t room[CLAIMS_BYTES_MAX];
	struct buf claims = BUF_OF(room);
	enum err e = token_check(t);

	if (e != ERR_OK)
		return e;
	claims_put(t, &claims);
	if ((e = buf_end(&claims)) != ERR_OK)
		return e;
	return cose_sign(k, STATUS_CWT_TYPE, buf_bytes(&claims), out);
}

static void
json_put(const struct status_token *t, struct buf *b)
{
	buf_put_text(b, "{\"sub\":\"");
	buf_put(b, t->uri);
	buf_put_text(b, "\",\"iat\":");
	buf_put_decimal(b, (uint64_t)t->iat);
	buf_put_text(b, ",\"exp\":");
	buf_put_decimal(b, (uint64_t)t->exp);
	buf_put_text(b, ",\"ttl\":");
	buf_put_decimal(b, (uint64_t)t->ttl);
	buf_put_text(b, ",\"status_list\":{\"bits\":2,\"lst\":\"");
	base64url_put(b, t->lst);
	buf_put_text(b, "\"},\"zz_version\":[");
	buf_put_decimal(b, t->sequence);
	buf_put_text(b, ",\"");
	buf_put_hex(b, bytes_of(t->previous, SHA256_BYTES));
	buf_put_text(b, "\"]}");
}

enum err
status_jwt_sign(const struct status_token *t, const struct key *k, struct buf *out)
{
	uint8_t room[JSON_BYTES_MAX];
	struct buf claims = BUF_OF(room);
	enum err e = token_check(t);

	if (e != ERR_OK)
		return e;
	json_put(t, &claims);
	if ((e = buf_end(&claims)) != ERR_OK)
		return e;
	return jws_sign(k, STATUS_JWT_TYP, buf_bytes(&claims), out);
}

static void
key_expect(struct cbor *c, int64_t *last, int64_t want)
{
	if (cbor_key(c, last) != want)
		cbor_fail(c, ERR_VALUE);
}

static void
text_expect(struct cbor *c, const char *want)
{
	if (!bytes_equal_text(cbor_text(c), want))
		cbor_fail(c, ERR_VALUE);
}

static void
claims_get(struct cbor *c, struct status_token *t)
{
	int64_t last = INT64_MIN;

	if (cbor_map(c) != 6)
		cbor_fail(c, ERR_VALUE);
	key_expect(c, &last, CLAIM_SUB);
	t->uri = cbor_text(c);
	key_expect(c, &last, CLAIM_EXP);
	t->exp = (int64_t)cbor_uint_max(c, TIME_MAX);
	key_expect(c, &last, CLAIM_IAT);
	t->iat = (int64_t)cbor_uint_max(c, TIME_MAX);
	key_expect(c, &last, CLAIM_LIST);
	if (cbor_map(c) != 2)
		cbor_fail(c, ERR_VALUE);
	text_expect(c, "lst");
	t->lst = cbor_bytes(c);
	text_expect(c, "bits");
	if (cbor_uint(c) != BITS)
		cbor_fail(c, ERR_VALUE);
	key_expect(c, &last, CLAIM_TTL);
	t->ttl = (int64_t)cbor_uint_max(c, TIME_MAX);
	key_expect(c, &last, CLAIM_VERSION);
	cbor_array_exact(c, 2);
	t->sequence = cbor_uint(c);
	memcpy(t->previous, cbor_bytes_exact(c, SHA256_BYTES).p, SHA256_BYTES);
}

enum err
status_cwt_decode(struct bytes in, struct cose_sign1 *m, struct status_token *out)
{
	struct cose_sign1 message;
	struct status_token t = {0};
	struct cbor c;
	enum err e = ERR_OK;

	if (in.n > TOKEN_BYTES_MAX)
		return ERR_LIMIT;
	if ((e = cose_decode(in, false, &message)) != ERR_OK)
		return e;
	c = cbor_init(message.payload);
	claims_get(&c, &t);
	if ((e = cbor_end(&c)) != ERR_OK)
		return e;
	if (!uri_list(t.uri, &t.list))
		return ERR_VALUE;
	if ((e = token_check(&t)) != ERR_OK)
		return e;
	*m = message;
	*out = t;
	return ERR_OK;
}

bool
status_uri_is(struct bytes uri, struct bytes prefix, uint32_t list)
{
	uint8_t room[URI_BYTES_MAX + 1];
	struct buf want = BUF_OF(room);

	buf_put(&want, prefix);
	buf_put_decimal(&want, list);
	return !want.failed && bytes_equal(uri, buf_bytes(&want));
}

/* Eight rounds of a balanced Feistel network: a permutation whatever the round function is, and
 * four already hide the order from whoever lacks the key. */
enum { ROUNDS = 8, HALF_BITS = 10, HALF_MASK = (1 << HALF_BITS) - 1 };

static uint32_t
round_of(struct bytes key, uint32_t list, unsigned round, uint32_t half)
{
	uint8_t message[7] = {0}, mac[SHA256_BYTES];
	struct bytes parts[2] = {BYTES_LIT("zz-status-place"), bytes_of(message, sizeof message)};

	be_put(message, list, 4);
	be_put(message + 4, round, 1);
	be_put(message + 5, half, 2);
	hmac_sha256(key, parts, 2, mac);
	return (uint32_t)be_get(mac, 2) & HALF_MASK;
}

void
status_place(struct bytes key, uint64_t slot, uint32_t *list, uint32_t *idx)
{
	uint64_t number = slot / LIST_ENTRIES;
	uint32_t left = (uint32_t)(slot % LIST_ENTRIES) >> HALF_BITS;
	uint32_t right = (uint32_t)slot & HALF_MASK;

	assert(number <= UINT32_MAX);
	for (unsigned i = 0; i < ROUNDS; i++) {
		uint32_t next = left ^ round_of(key, (uint32_t)number, i, right);

		left = right;
		right = next;
	}
	*list = (uint32_t)number;
	*idx = left << HALF_BITS | right;
}
