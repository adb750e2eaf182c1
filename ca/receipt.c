/* receipt.c - COSE receipts whose signed header binds origin, time and tree size, and records that
 * carry one: a receipt is read in its one spelling, and its claimed size is the signed one. */
#include "receipt.h"

#include <string.h>

enum {
	LABEL_ALG = 1,
	LABEL_KID = 4,
	LABEL_CWT = 15,
	LABEL_RECEIPTS = 394,
	LABEL_VDS = 395,
	LABEL_VDP = 396,
	LABEL_SIZE = -65541,
	CLAIM_ISS = 1,
	CLAIM_SUB = 2,
	CLAIM_IAT = 6,
	VDS_RFC9162_SHA256 = 1,
	VDP_INCLUSION = -1,
	ALG_EDDSA = -8,
	TAG_SIGN1 = 18,
};

enum {
	ORIGIN_BYTES_MAX = HOST_BYTES_MAX + 4, /* <host>/log */
	PROTECTED_BYTES_MAX = 64 + ORIGIN_BYTES_MAX,
	TBS_BYTES_MAX = PROTECTED_BYTES_MAX + SHA256_BYTES + COSE_TBS_OVERHEAD,
	PROOF_BYTES_MAX = 32 + MERKLE_PATH_MAX * (SHA256_BYTES + 2),
};

static const char subject[] = "checkpoint";

static void
protected_put(struct buf *out, const struct receipt *r)
{
	cbor_put_map(out, 5);
	cbor_put_int(out, LABEL_ALG);
	cbor_put_int(out, ALG_EDDSA);
	cbor_put_int(out, LABEL_KID);
	cbor_put_bytes(out, r->kid);
	cbor_put_int(out, LABEL_CWT);
	cbor_put_map(out, 3);
	cbor_put_int(out, CLAIM_ISS);
	cbor_put_text(out, r->origin);
	cbor_put_int(out, CLAIM_SUB);
	cbor_put_text(out, bytes_of_text(subject));
	cbor_put_int(out, CLAIM_IAT);
	cbor_put_int(out, r->time);
	cbor_put_int(out, LABEL_VDS);
	cbor_put_int(out, VDS_RFC9162_SHA256);
	cbor_put_int(out, LABEL_SIZE);
	cbor_put_uint(out, r->size);
}

static void
tbs_put(struct buf *out, struct bytes protected, const struct merkle_hash *root)
{
	cose_put_tbs(out, protected, bytes_of(root->b, sizeof root->b));
}

static bool
origin_valid(struct bytes origin)
{
	return origin.n > 0 && origin.n <= ORIGIN_BYTES_MAX && utf8_valid(origin, NULL);
}

enum err
receipt_sign(const struct key *log, struct bytes origin, int64_t time, uint64_t size,
        const struct merkle_hash *root, struct buf *protected,
        uint8_t signature[KEY_SIGNATURE_BYTES])
{
	struct receipt r = {.kid = key_kid(log), .origin = origin, .time = time, .size = size};
	uint8_t header_room[PROTECTED_BYTES_MAX], tbs_room[TBS_BYTES_MAX];
	struct buf header = BUF_OF(header_room), tbs = BUF_OF(tbs_room);
	enum err e;

	if (key_suite(log) != KEY_ED25519)
		return ERR_ALG_MISMATCH;
	if (!origin_valid(origin) || time < 0 || size == 0 || size > INT64_MAX)
		return ERR_VALUE;
	protected_put(&header, &r);
	tbs_put(&tbs, buf_bytes(&header), root);
	buf_put(protected, buf_bytes(&header));
	if ((e = buf_end(&header)) != ERR_OK || (e = buf_end(&tbs)) != ERR_OK ||
	        (e = buf_end(protected)) != ERR_OK)
		return e;
	if ((e = key_sign(log, buf_bytes(&tbs), signature)) == ERR_OK)
		return ERR_OK;
	protected->n -= header.n; /* nothing is written on failure */
	return e;
}

static void
proof_put(struct buf *out, uint64_t size, uint64_t index, const struct merkle_path *path)
{
	cbor_put_array(out, 3);
	cbor_put_uint(out, size);
	cbor_put_uint(out, index);
	cbor_put_array(out, path->n);
	for (size_t i = 0; i < path->n; i++)
		cbor_put_bytes(out, bytes_of(path->hash[i].b, SHA256_BYTES));
}

void
receipt_put(struct buf *out, struct bytes protected, struct bytes signature, uint64_t size,
        uint64_t index, const struct merkle_path *path)
{
	uint8_t room[PROOF_BYTES_MAX];
	struct buf proof = BUF_OF(room);

	/* RFC 9942: [+ bstr], so an empty path has no encoding */
	if (path != NULL && (path->n == 0 || path->n > MERKLE_PATH_MAX)) {
		out->failed = true;
		return;
	}
	cbor_put_tag(out, TAG_SIGN1);
	cbor_put_array(out, 4);
	cbor_put_bytes(out, protected);
	cbor_put_map(out, path == NULL ? 0 : 1);
	if (path != NULL) {
		proof_put(&proof, size, index, path);
		cbor_put_int(out, LABEL_VDP);
		cbor_put_map(out, 1);
		cbor_put_int(out, VDP_INCLUSION);
		cbor_put_array(out, 1);
		cbor_put_bytes(out, buf_bytes(&proof));
	}
	cbor_put_null(out);
	cbor_put_bytes(out, signature);
}

/* The formats fix every key, so each is expected where it stands. */
static void
expect(struct cbor *c, int64_t want)
{
	if (cbor_int(c) != want)
		cbor_fail(c, ERR_VALUE);
}

static void
expect_map(struct cbor *c, uint64_t pairs)
{
	if (cbor_map(c) != pairs)
		cbor_fail(c, ERR_VALUE);
}

static enum err
protected_decode(struct bytes in, struct receipt *r)
{
	struct cbor c = cbor_init(in);

	expect_map(&c, 5);
	expect(&c, LABEL_ALG);
	if (cbor_int(&c) != ALG_EDDSA)
		cbor_fail(&c, ERR_ALG_MISMATCH);
	expect(&c, LABEL_KID);
	r->kid = cbor_bytes_exact(&c, KEY_KID_BYTES);
	expect(&c, LABEL_CWT);
	expect_map(&c, 3);
	expect(&c, CLAIM_ISS);
	r->origin = cbor_text(&c);
	expect(&c, CLAIM_SUB);
	if (!bytes_equal_text(cbor_text(&c), subject))
		cbor_fail(&c, ERR_VALUE);
	expect(&c, CLAIM_IAT);
	r->time = (int64_t)cbor_uint_max(&c, INT64_MAX);
	expect(&c, LABEL_VDS);
	expect(&c, VDS_RFC9162_SHA256);
	expect(&c, LABEL_SIZE);
	r->size = cbor_uint_max(&c, INT64_MAX);
	if (r->size == 0 || !origin_valid(r->origin))
		cbor_fail(&c, ERR_VALUE); /* nobody signs the empty tree */
	return cbor_end(&c);
}

static enum err
proof_decode(struct bytes in, struct receipt *r)
{
	struct cbor c = cbor_init(in);
	uint64_t n;

	cbor_array_exact(&c, 3);
	/* the size beside the proof is not signed: it must be the one that is */
	if (cbor_uint(&c) != r->size)
		cbor_fail(&c, ERR_VALUE);
	r->index = cbor_uint(&c);
	if (r->index >= r->size)
		cbor_fail(&c, ERR_VALUE);
	n = cbor_array(&c);
	if (n == 0 || n > MERKLE_PATH_MAX)
		cbor_fail(&c, ERR_VALUE);
	for (r->path.n = 0; c.e == ERR_OK && r->path.n < n; r->path.n++)
		memcpy(r->path.hash[r->path.n].b, cbor_bytes_exact(&c, SHA256_BYTES).p,
		        SHA256_BYTES);
	return cbor_end(&c);
}

/* The message; `proof` takes the encoded inclusion proof, NULL where there must be none. */
static enum err
message_decode(struct bytes in, struct receipt *r, struct bytes *proof)
{
	struct cbor c = cbor_init(in);
	enum err e;

	if (in.n > RECEIPT_BYTES_MAX)
		return ERR_LIMIT;
	cbor_tag(&c, TAG_SIGN1);
	cbor_array_exact(&c, 4);
	r->protected = cbor_bytes(&c);
	expect_map(&c, proof == NULL ? 0 : 1);
	if (proof != NULL) {
		expect(&c, LABEL_VDP);
		expect_map(&c, 1);
		expect(&c, VDP_INCLUSION);
		cbor_array_exact(&c, 1);
		*proof = cbor_bytes(&c);
	}
	if (!cbor_null_next(&c))
		cbor_fail(&c, c.in.n == 0 ? ERR_TRUNCATED : ERR_VALUE); /* the root is never sent */
	r->signature = cbor_bytes_exact(&c, KEY_SIGNATURE_BYTES);
	e = cbor_end(&c);
	return e != ERR_OK ? e : protected_decode(r->protected, r);
}

enum err
receipt_decode(struct bytes in, struct receipt *out)
{
	struct receipt r = {.size = 0};
	struct bytes proof;
	enum err e;

	if ((e = message_decode(in, &r, &proof)) != ERR_OK ||
	        (e = proof_decode(proof, &r)) != ERR_OK)
		return e;
	*out = r;
	return ERR_OK;
}

enum err
receipt_head_decode(struct bytes in, struct receipt *out)
{
	struct receipt r = {.size = 0};
	enum err e;

	if ((e = message_decode(in, &r, NULL)) != ERR_OK)
		return e;
	*out = r;
	return ERR_OK;
}

static enum err
signature_verify(
        const struct key *log, struct bytes tbs, struct bytes signature, struct receipt_seen *seen)
{
	const struct bytes parts[] = {key_thumb(log), signature, tbs};
	uint8_t hash[SHA256_BYTES], *slot;
	enum err e;

	if (seen == NULL)
		return key_verify(log, tbs, signature);
	sha256(parts, sizeof parts / sizeof parts[0], hash);
	slot = seen->slots[be_get(hash, 4) % RECEIPT_SEEN_MAX];
	if (memcmp(slot, hash, sizeof hash) == 0)
		return ERR_OK;
	if ((e = key_verify(log, tbs, signature)) == ERR_OK)
		memcpy(slot, hash, sizeof hash);
	return e;
}

static enum err
root_verify(const struct receipt *r, const struct key *log, struct bytes origin,
        const struct merkle_hash *root, struct receipt_seen *seen)
{
	uint8_t room[TBS_BYTES_MAX];
	struct buf tbs = BUF_OF(room);
	enum err e;

	if (!bytes_equal(r->kid, key_kid(log)))
		return ERR_KID_UNKNOWN;
	if (key_suite(log) != KEY_ED25519)
		return ERR_ALG_MISMATCH;
	if (!bytes_equal(r->origin, origin))
		return ERR_VALUE; /* the same key may not speak for another log */
	tbs_put(&tbs, r->protected, root);
	if ((e = buf_end(&tbs)) != ERR_OK)
		return e;
	return signature_verify(log, buf_bytes(&tbs), r->signature, seen);
}

enum err
receipt_head_verify(const struct receipt *r, const struct key *log, struct bytes origin,
        const struct merkle_hash *root)
{
	return root_verify(r, log, origin, root, NULL);
}

enum err
receipt_verify(
        const struct receipt *r, const struct key *log, struct bytes origin, struct bytes entry)
{
	return receipt_verify_seen(r, log, origin, entry, NULL);
}

enum err
receipt_verify_seen(const struct receipt *r, const struct key *log, struct bytes origin,
        struct bytes entry, struct receipt_seen *seen)
{
	struct merkle_hash leaf, root;
	enum err e;

	merkle_leaf(entry, &leaf);
	if ((e = merkle_inclusion_root(r->index, r->size, &leaf, &r->path, &root)) != ERR_OK)
		return e;
	return root_verify(r, log, origin, &root, seen);
}

enum err
bundle_put(struct buf *out, struct bytes bare_record, struct bytes receipt)
{
	struct cose_sign1 m;
	struct receipt r;
	size_t before;
	enum err e;

	if (bare_record.n > RECORD_BYTES_MAX)
		return ERR_LIMIT;
	if ((e = cose_decode(bare_record, false, &m)) != ERR_OK ||
	        (e = receipt_decode(receipt, &r)) != ERR_OK)
		return e;
	before = (size_t)(m.unprotected.p - bare_record.p);
	buf_put(out, bytes_of(bare_record.p, before));
	cbor_put_map(out, 1);
	cbor_put_int(out, LABEL_RECEIPTS);
	cbor_put_array(out, 1);
	cbor_put_bytes(out, receipt);
	buf_put(out, bytes_skip(bare_record, before + m.unprotected.n));
	return buf_end(out);
}

enum err
bundle_receipt(const struct cose_sign1 *m, struct bytes *receipt)
{
	struct cbor c = cbor_init(m->unprotected);
	uint64_t pairs = cbor_map(&c);
	struct bytes first;
	enum err e;

	if (c.e == ERR_OK && pairs == 0 && c.in.n == 0)
		return ERR_FIELD_MISSING;
	if (pairs != 1)
		cbor_fail(&c, ERR_VALUE);
	expect(&c, LABEL_RECEIPTS);
	cbor_array_exact(&c, 1);
	first = cbor_bytes(&c);
	if ((e = cbor_end(&c)) != ERR_OK)
		return e;
	*receipt = first;
	return ERR_OK;
}
