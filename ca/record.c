/* record.c - claims of a certificate record to bytes and back: what is read must be exactly what we
 * would write. */
#include "record.h"

#include "date.h"

#include <stdlib.h>
#include <string.h>

enum {
	CLAIM_ISS = 1,
	CLAIM_EXP = 4,
	CLAIM_NBF = 5,
	CLAIM_IAT = 6,
	CLAIM_CTI = 7,
	CLAIM_STATUS = 65535
};
enum { CLAIM_CERT = -65537, CERT_VERSION = 1, CODE_BYTES_MAX = 32, ITEM_NAME_BYTES_MAX = 120 };

/* Keys of the certificate map, FORMATS.md section 2. */
enum cert_key {
	CERT_KEY_VERSION = 1,
	CERT_NAME,
	CERT_DOC_TYPE,
	CERT_DOC_NUMBER,
	CERT_SEX,
	CERT_ITEM,
	CERT_POLICY,
	CERT_FIRST,
	CERT_REVIEW,
	CERT_REGION,
	CERT_CENTER,
	CERT_PHOTO,
	CERT_REQUEST,
	CERT_SEQUENCE,
	CERT_ITEM_NAME,
	CERT_AUTHORITY,
	CERT_FOLLOWS
};

static bool
is_digits(struct bytes v, size_t n)
{
	if (v.n != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (v.p[i] < '0' || v.p[i] > '9')
			return false;
	return true;
}

static bool
text_ok(struct bytes v, size_t bytes_max)
{
	return v.n >= 1 && v.n <= bytes_max && utf8_valid(v, NULL);
}

static bool
name_ok(struct bytes v)
{
	size_t points = 0;

	if (!text_ok(v, NAME_BYTES_MAX) || !utf8_valid(v, &points) || points > NAME_POINTS_MAX)
		return false;
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] < 0x20 || v.p[i] == 0x7f || (v.p[i] == 0xc2 && v.p[i + 1] < 0xa0))
			return false;
	return true;
}

/* Every rule of the format on values, the same for writing and for reading. */
static enum err
record_check(const struct record *r)
{
	if (!text_ok(r->iss, HOST_BYTES_MAX) || r->cti.n != 16 || r->request.n != SHA256_BYTES)
		return ERR_VALUE;
	if (r->iat < 0 || r->nbf < 0 || r->exp <= r->nbf || r->iat < r->nbf ||
	        r->idx >= LIST_ENTRIES)
		return ERR_VALUE;
	/* the first second of the day of issue, and the second after the last, both in Shanghai */
	if (r->nbf != date_shanghai_start(date_shanghai(r->iat)) ||
	        r->exp != date_shanghai_start(date_shanghai(r->exp)))
		return ERR_VALUE;
	if (!name_ok(r->name) || !is_digits(r->doc_type, 2) ||
	        !text_ok(r->doc_number, DOCUMENT_BYTES_MAX))
		return ERR_VALUE;
	if (r->sex < 0 || r->sex > 2 || !is_digits(r->item, 6) ||
	        !text_ok(r->policy, CODE_BYTES_MAX))
		return ERR_VALUE;
	if (r->first_issued < 0 || !is_digits(r->region, 6) || !text_ok(r->center, CODE_BYTES_MAX))
		return ERR_VALUE;
	if ((r->photo.n != 0 && r->photo.n != 16) || (r->follows.n != 0 && r->follows.n != 16))
		return ERR_VALUE;
	if (r->item_name.n != 0 && !text_ok(r->item_name, ITEM_NAME_BYTES_MAX))
		return ERR_VALUE;
	if (r->authority.n != 0 && !text_ok(r->authority, ITEM_NAME_BYTES_MAX))
		return ERR_VALUE;
	return ERR_OK;
}

static void
put_key_text(struct buf *b, enum cert_key key, struct bytes v)
{
	if (v.n == 0)
		return;
	cbor_put_uint(b, key);
	cbor_put_text(b, v);
}

static void
put_key_bytes(struct buf *b, enum cert_key key, struct bytes v)
{
	if (v.n == 0)
		return;
	cbor_put_uint(b, key);
	cbor_put_bytes(b, v);
}

static void
put_key_uint(struct buf *b, enum cert_key key, int64_t v)
{
	cbor_put_uint(b, key);
	cbor_put_uint(b, (uint64_t)v);
}

static void
cert_put(const struct record *r, struct buf *b)
{
	unsigned pairs = 10U + (r->sex != 0) + (r->review_due >= 0) + (r->photo.n != 0) +
	                 (r->sequence >= 0) + (r->item_name.n != 0) + (r->authority.n != 0) +
	                 (r->follows.n != 0);

	cbor_put_map(b, pairs);
	put_key_uint(b, CERT_KEY_VERSION, CERT_VERSION);
	put_key_text(b, CERT_NAME, r->name);
	put_key_text(b, CERT_DOC_TYPE, r->doc_type);
	put_key_text(b, CERT_DOC_NUMBER, r->doc_number);
	if (r->sex != 0)
		put_key_uint(b, CERT_SEX, r->sex);
	put_key_text(b, CERT_ITEM, r->item);
	put_key_text(b, CERT_POLICY, r->policy);
	put_key_uint(b, CERT_FIRST, r->first_issued);
	if (r->review_due >= 0)
		put_key_uint(b, CERT_REVIEW, r->review_due);
	put_key_text(b, CERT_REGION, r->region);
	put_key_text(b, CERT_CENTER, r->center);
	put_key_bytes(b, CERT_PHOTO, r->photo);
	put_key_bytes(b, CERT_REQUEST, r->request);
	if (r->sequence >= 0)
		put_key_uint(b, CERT_SEQUENCE, r->sequence);
	put_key_text(b, CERT_ITEM_NAME, r->item_name);
	put_key_text(b, CERT_AUTHORITY, r->authority);
	put_key_bytes(b, CERT_FOLLOWS, r->follows);
}

static void
uri_put(struct buf *b, struct bytes iss, uint32_t list)
{
	buf_put_text(b, "https://");
	buf_put(b, iss);
	buf_put_text(b, "/status/");
	buf_put_decimal(b, list);
}

static void
claims_put(const struct record *r, struct buf *b)
{
	uint8_t room[HOST_BYTES_MAX + 40];
	struct buf uri = BUF_OF(room);

	uri_put(&uri, r->iss, r->list);
	cbor_put_map(b, 7);
	cbor_put_uint(b, CLAIM_ISS);
	cbor_put_text(b, r->iss);
	cbor_put_uint(b, CLAIM_EXP);
	cbor_put_uint(b, (uint64_t)r->exp);
	cbor_put_uint(b, CLAIM_NBF);
	cbor_put_uint(b, (uint64_t)r->nbf);
	cbor_put_uint(b, CLAIM_IAT);
	cbor_put_uint(b, (uint64_t)r->iat);
	cbor_put_uint(b, CLAIM_CTI);
	cbor_put_bytes(b, r->cti);
	cbor_put_uint(b, CLAIM_STATUS);
	cbor_put_map(b, 1);
	cbor_put_text(b, BYTES_LIT("status_list"));
	cbor_put_map(b, 2);
	cbor_put_text(b, BYTES_LIT("idx"));
	cbor_put_uint(b, r->idx);
	cbor_put_text(b, BYTES_LIT("uri"));
	cbor_put_text(b, buf_bytes(&uri));
	cbor_put_int(b, CLAIM_CERT);
	cert_put(r, b);
}

enum err
record_sign(const struct record *r, const struct key *k, struct buf *out)
{
	uint8_t room[RECORD_BYTES_MAX];
	struct buf claims = BUF_OF(room);
	size_t start = out->n;
	enum err e = record_check(r);

	if (e != ERR_OK)
		return e;
	claims_put(r, &claims);
	if ((e = buf_end(&claims)) != ERR_OK ||
	        (e = cose_sign(k, RECORD_TYPE, buf_bytes(&claims), out)) != ERR_OK)
		return e;
	return out->n - start > RECORD_BYTES_MAX ? ERR_LIMIT : ERR_OK;
}

static int64_t
seconds_get(struct cbor *c)
{
	return (int64_t)cbor_uint_max(c, INT64_MAX / 4);
}

static void
status_decode(struct cbor *c, struct record *r)
{
	uint8_t room[HOST_BYTES_MAX + 40];
	struct buf want = BUF_OF(room);
	struct bytes uri;
	uint64_t list = 0;
	size_t prefix;

	if (cbor_map(c) != 1 || !bytes_equal_text(cbor_text(c), "status_list") ||
	        cbor_map(c) != 2 || !bytes_equal_text(cbor_text(c), "idx")) {
		cbor_fail(c, ERR_VALUE);
		return;
	}
	r->idx = (uint32_t)cbor_uint_max(c, LIST_ENTRIES - 1);
	if (!bytes_equal_text(cbor_text(c), "uri"))
		cbor_fail(c, ERR_VALUE);
	uri = cbor_text(c);
	uri_put(&want, r->iss, 0);
	prefix = want.n - 1;
	if (want.failed || uri.n <= prefix || memcmp(uri.p, room, prefix) != 0 ||
	        decimal_decode(bytes_skip(uri, prefix), UINT32_MAX, &list) != ERR_OK)
		cbor_fail(c, ERR_VALUE);
	r->list = (uint32_t)list;
}

/* One member of the certificate map. */
static void
cert_member(struct cbor *c, int64_t key, struct record *r)
{
	switch ((enum cert_key)key) {
	case CERT_KEY_VERSION:
		if (cbor_uint(c) != CERT_VERSION)
			cbor_fail(c, ERR_VALUE);
		return;
	case CERT_NAME:
		r->name = cbor_text(c);
		return;
	case CERT_DOC_TYPE:
		r->doc_type = cbor_text(c);
		return;
	case CERT_DOC_NUMBER:
		r->doc_number = cbor_text(c);
		return;
	case CERT_SEX:
		r->sex = (int)cbor_uint_max(c, 2);
		if (r->sex == 0)
			cbor_fail(c, ERR_VALUE);
		return;
	case CERT_ITEM:
		r->item = cbor_text(c);
		return;
	case CERT_POLICY:
		r->policy = cbor_text(c);
		return;
	case CERT_FIRST:
		r->first_issued = (int64_t)cbor_uint_max(c, INT32_MAX);
		return;
	case CERT_REVIEW:
		r->review_due = (int64_t)cbor_uint_max(c, INT32_MAX);
		return;
	case CERT_REGION:
		r->region = cbor_text(c);
		return;
	case CERT_CENTER:
		r->center = cbor_text(c);
		return;
	case CERT_PHOTO:
		r->photo = cbor_bytes_exact(c, 16);
		return;
	case CERT_REQUEST:
		r->request = cbor_bytes_exact(c, SHA256_BYTES);
		return;
	case CERT_SEQUENCE:
		r->sequence = (int64_t)cbor_uint_max(c, INT32_MAX);
		return;
	case CERT_ITEM_NAME:
		r->item_name = cbor_text(c);
		break;
	case CERT_AUTHORITY:
		r->authority = cbor_text(c);
		if (r->authority.n == 0)
			cbor_fail(c, ERR_VALUE);
		break;
	case CERT_FOLLOWS:
		r->follows = cbor_bytes_exact(c, 16);
		return;
	default:
		cbor_fail(c, ERR_FIELD_UNKNOWN);
		return;
	}
	if (key == CERT_ITEM_NAME && r->item_name.n == 0)
		cbor_fail(c, ERR_VALUE);
}

static void
cert_decode(struct cbor *c, struct record *r)
{
	static const uint32_t required = 1U << CERT_KEY_VERSION | 1U << CERT_NAME |
	                                 1U << CERT_DOC_TYPE | 1U << CERT_DOC_NUMBER |
	                                 1U << CERT_ITEM | 1U << CERT_POLICY | 1U << CERT_FIRST |
	                                 1U << CERT_REGION | 1U << CERT_CENTER | 1U << CERT_REQUEST;
	int64_t last = INT64_MIN;
	uint32_t seen = 0;

	for (uint64_t left = cbor_map(c); left > 0 && c->e == ERR_OK; left--) {
		int64_t key = cbor_key(c, &last);

		if (key < CERT_KEY_VERSION || key > CERT_FOLLOWS) {
			cbor_fail(c, ERR_FIELD_UNKNOWN);
			return;
		}
		seen |= 1U << key;
		cert_member(c, key, r);
	}
	if ((seen & required) != required)
		cbor_fail(c, ERR_FIELD_MISSING);
}

static void
claim_expect(struct cbor *c, int64_t *last, int64_t want)
{
	if (cbor_key(c, last) != want)
		cbor_fail(c, ERR_VALUE);
}

enum err
record_decode(struct bytes payload, struct record *out)
{
	struct record r = {.review_due = -1, .sequence = -1};
	struct cbor c = cbor_init(payload);
	int64_t last = INT64_MIN;
	enum err e;

	if (cbor_map(&c) != 7)
		cbor_fail(&c, ERR_VALUE);
	claim_expect(&c, &last, CLAIM_ISS);
	r.iss = cbor_text(&c);
	claim_expect(&c, &last, CLAIM_EXP);
	r.exp = seconds_get(&c);
	claim_expect(&c, &last, CLAIM_NBF);
	r.nbf = seconds_get(&c);
	claim_expect(&c, &last, CLAIM_IAT);
	r.iat = seconds_get(&c);
	claim_expect(&c, &last, CLAIM_CTI);
	r.cti = cbor_bytes_exact(&c, 16);
	claim_expect(&c, &last, CLAIM_STATUS);
	status_decode(&c, &r);
	claim_expect(&c, &last, CLAIM_CERT);
	cert_decode(&c, &r);
	if ((e = cbor_end(&c)) != ERR_OK || (e = record_check(&r)) != ERR_OK)
		return e;
	*out = r;
	return ERR_OK;
}

enum err
record_open(struct bytes in, bool bundle, struct cose_sign1 *m, struct record *out)
{
	enum err e;

	if (in.n > (bundle ? BUNDLE_BYTES_MAX : RECORD_BYTES_MAX))
		return ERR_LIMIT;
	if ((e = cose_decode(in, bundle, m)) != ERR_OK)
		return e;
	if (!bytes_equal_text(m->type, RECORD_TYPE))
		return ERR_VALUE;
	return record_decode(m->payload, out);
}

enum err
record_bare(const struct cose_sign1 *m, struct buf *out)
{
	cbor_put_tag(out, 18);
	cbor_put_array(out, 4);
	cbor_put_bytes(out, m->protected);
	cbor_put_map(out, 0);
	cbor_put_bytes(out, m->payload);
	cbor_put_bytes(out, m->signature);
	return buf_end(out);
}
