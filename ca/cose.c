/* cose.c - COSE_Sign1 in its one accepted form; what is verified are the bytes received, never a
 * new encoding. */
#include "cose.h"

#include "limits.h"

#include <stdlib.h>
#include <string.h>

enum { LABEL_ALG = 1, LABEL_KID = 4, LABEL_TYPE = 16, TAG_SIGN1 = 18 };
enum { PROTECTED_BYTES_MAX = 128, TBS_ON_STACK = 4096 };

void
cose_put_tbs(struct buf *out, struct bytes protected, struct bytes payload)
{
	cbor_put_array(out, 4);
	cbor_put_text(out, BYTES_LIT("Signature1"));
	cbor_put_bytes(out, protected);
	cbor_put_bytes(out, bytes_of(NULL, 0));
	cbor_put_bytes(out, payload);
}

static void
protected_put(struct buf *out, const struct key *k, const char *type)
{
	cbor_put_map(out, 3);
	cbor_put_int(out, LABEL_ALG);
	cbor_put_int(out, key_suite_info(key_suite(k))->cose_alg);
	cbor_put_int(out, LABEL_KID);
	cbor_put_bytes(out, key_kid(k));
	cbor_put_int(out, LABEL_TYPE);
	cbor_put_text(out, bytes_of_text(type));
}

/* A status list token is hashed from the heap, a record from the stack. */
static enum err
tbs_make(struct bytes protected, struct bytes payload, uint8_t *stack, uint8_t **heap,
        struct buf *out)
{
	size_t n = protected.n + payload.n + COSE_TBS_OVERHEAD;

	*heap = NULL;
	if (n > TBS_ON_STACK && (*heap = malloc(n)) == NULL)
		return ERR_MEMORY;
	*out = buf_init(*heap != NULL ? *heap : stack, n);
	cose_put_tbs(out, protected, payload);
	return buf_end(out);
}

enum err
cose_sign(const struct key *k, const char *type, struct bytes payload, struct buf *out)
{
	uint8_t room[PROTECTED_BYTES_MAX], stack[TBS_ON_STACK], signature[KEY_SIGNATURE_BYTES],
	        *heap;
	struct buf protected = BUF_OF(room), tbs;
	enum err e;

	protected_put(&protected, k, type);
	if ((e = buf_end(&protected)) != ERR_OK)
		return e;
	if ((e = tbs_make(buf_bytes(&protected), payload, stack, &heap, &tbs)) != ERR_OK)
		return e;
	e = key_sign(k, buf_bytes(&tbs), signature);
	free(heap);
	if (e != ERR_OK)
		return e;
	cbor_put_tag(out, TAG_SIGN1);
	cbor_put_array(out, 4);
	cbor_put_bytes(out, buf_bytes(&protected));
	cbor_put_map(out, 0);
	cbor_put_bytes(out, payload);
	cbor_put_bytes(out, bytes_of(signature, sizeof signature));
	return buf_end(out);
}

static enum err
protected_decode(struct bytes in, struct cose_sign1 *m)
{
	struct cbor c = cbor_init(in);
	int64_t last = INT64_MIN;

	if (cbor_map(&c) != 3)
		return ERR_VALUE;
	if (cbor_key(&c, &last) != LABEL_ALG)
		return ERR_VALUE;
	m->alg = cbor_int(&c);
	if (cbor_key(&c, &last) != LABEL_KID)
		return ERR_VALUE;
	m->kid = cbor_bytes_exact(&c, KEY_KID_BYTES);
	if (cbor_key(&c, &last) != LABEL_TYPE)
		return ERR_VALUE;
	m->type = cbor_text(&c);
	return cbor_end(&c);
}

/* {394: …}, or {-65544: …} with a landmark's path. */
static bool
is_bundle(struct bytes unprotected)
{
	static const uint8_t landmark[] = {0xa1, 0x3a, 0x00, 0x01, 0x00, 0x07};

	return bytes_start(unprotected, "\xa1\x19\x01\x8a") ||
	       (unprotected.n > sizeof landmark &&
	               memcmp(unprotected.p, landmark, sizeof landmark) == 0);
}

enum err
cose_decode(struct bytes in, bool bundle, struct cose_sign1 *out)
{
	struct cose_sign1 m = {0};
	struct cbor c = cbor_init(in);
	enum err e;

	cbor_tag(&c, TAG_SIGN1);
	cbor_array_exact(&c, 4);
	m.protected = cbor_bytes(&c);
	m.unprotected = cbor_item(&c);
	m.payload = cbor_bytes(&c);
	m.signature = cbor_bytes_exact(&c, KEY_SIGNATURE_BYTES);
	if ((e = cbor_end(&c)) != ERR_OK || (e = protected_decode(m.protected, &m)) != ERR_OK)
		return e;
	/* anything unsigned beside the signature would change hashes: an empty map, or exactly the
	 * receipts */
	if (!bytes_equal(m.unprotected, BYTES_LIT("\xa0")) && !(bundle && is_bundle(m.unprotected)))
		return ERR_VALUE;
	*out = m;
	return ERR_OK;
}

enum err
cose_verify(const struct cose_sign1 *m, const struct key *k, const char *type)
{
	uint8_t stack[TBS_ON_STACK], *heap;
	struct buf tbs;
	enum err e;

	if (!bytes_equal(m->kid, key_kid(k)))
		return ERR_KID_UNKNOWN;
	if (m->alg != key_suite_info(key_suite(k))->cose_alg)
		return ERR_ALG_MISMATCH;
	if (!bytes_equal_text(m->type, type))
		return ERR_VALUE;
	if ((e = tbs_make(m->protected, m->payload, stack, &heap, &tbs)) != ERR_OK)
		return e;
	e = key_verify(k, buf_bytes(&tbs), m->signature);
	free(heap);
	return e;
}
