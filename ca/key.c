/* key.c - keys on OpenSSL's EVP: each signature copies a template context and is verified before it
 * is returned. */
#include "key.h"

#include "base64.h"
#include "hash.h"
#include "key_name.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct key {
	enum key_suite suite;
	bool private;
	EVP_PKEY *pkey;
	EVP_MD_CTX *sign, *verify; /* templates, never used but to copy */
	uint8_t public[KEY_PUBLIC_BYTES_MAX];
	size_t public_n;
	uint8_t kid[SHA256_BYTES]; /* RFC 9679 thumbprint; the first 8 bytes count */
	uint8_t thumb[KEY_THUMB_BYTES];
	char thumb_text[KEY_THUMB_TEXT + 1];
	struct key_elsewhere elsewhere; /* sign NULL: the private half is here */
};

enum { COORDINATE_BYTES = 32, DER_SIGNATURE_BYTES_MAX = 80 };

/* What OpenSSL calls them. */
static const struct {
	const char *type, *group, *digest;
} names[] = {
        [KEY_ES256] = {"EC", "prime256v1", "SHA2-256"},
        [KEY_ED25519] = {"ED25519", NULL, NULL},
        [KEY_SM2] = {"SM2", "SM2", "SM3"},
};

/* OpenSSL keeps a queue of what went wrong; our callers get one code, so it is emptied here. */
static enum err
crypto_failed(enum err e)
{
	ERR_clear_error();
	return e;
}

static enum err
public_read(struct key *k)
{
	uint8_t point[1 + KEY_PUBLIC_BYTES_MAX];
	size_t n = COORDINATE_BYTES;

	if (k->suite == KEY_ED25519) {
		k->public_n = COORDINATE_BYTES;
		return EVP_PKEY_get_raw_public_key(k->pkey, k->public, &n) == 1 ? ERR_OK
		                                                                : ERR_VALUE;
	}
	if (EVP_PKEY_get_octet_string_param(
	            k->pkey, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point, &n) != 1 ||
	        n != sizeof point || point[0] != POINT_CONVERSION_UNCOMPRESSED)
		return ERR_VALUE;
	memcpy(k->public, point + 1, KEY_PUBLIC_BYTES_MAX);
	k->public_n = KEY_PUBLIC_BYTES_MAX;
	return ERR_OK;
}

/* The ID belongs before the first byte of a message: later it is refused. */
static bool
id_set(const struct key *k, EVP_PKEY_CTX *ctx)
{
	return k->suite != KEY_SM2 ||
	       EVP_PKEY_CTX_set1_id(ctx, KEY_SM2_ID, sizeof KEY_SM2_ID - 1) == 1;
}

static enum err
templates_make(struct key *k)
{
	const char *digest = names[k->suite].digest;
	EVP_PKEY_CTX *ctx = NULL;

	k->verify = EVP_MD_CTX_new();
	if (k->verify == NULL ||
	        EVP_DigestVerifyInit_ex(k->verify, &ctx, digest, NULL, NULL, k->pkey, NULL) != 1 ||
	        !id_set(k, ctx))
		return ERR_CRYPTO;
	if (!k->private)
		return ERR_OK;
	k->sign = EVP_MD_CTX_new();
	if (k->sign == NULL ||
	        EVP_DigestSignInit_ex(k->sign, &ctx, digest, NULL, NULL, k->pkey, NULL) != 1 ||
	        !id_set(k, ctx))
		return ERR_CRYPTO;
	return ERR_OK;
}

/* EVP_PKEY_get_id is not the same for an SM2 key made and one read: only the names are. */
static bool
suite_of(EVP_PKEY *pkey, enum key_suite *out)
{
	char group[32] = "";
	size_t n;

	for (unsigned s = 0; s < KEY_SUITE_COUNT; s++) {
		if (EVP_PKEY_is_a(pkey, names[s].type) != 1)
			continue;
		*out = (enum key_suite)s;
		return names[s].group == NULL ||
		       (EVP_PKEY_get_utf8_string_param(
		                pkey, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group, &n) == 1 &&
		               strcmp(group, names[s].group) == 0);
	}
	return false;
}

/* Takes pkey over, also on failure. */
static enum err
key_make(EVP_PKEY *pkey, bool private, struct key **out)
{
	struct key *k = calloc(1, sizeof *k);
	struct buf text;
	enum err e = ERR_VALUE;

	if (k == NULL) {
		EVP_PKEY_free(pkey);
		return ERR_MEMORY;
	}
	k->pkey = pkey;
	k->private = private;
	if (!suite_of(pkey, &k->suite) || (e = public_read(k)) != ERR_OK ||
	        (e = templates_make(k)) != ERR_OK)
		goto out;
	key_names(k, k->kid, k->thumb);
	text = buf_init(k->thumb_text, KEY_THUMB_TEXT);
	base64url_put(&text, bytes_of(k->thumb, KEY_THUMB_BYTES));
	*out = k;
	return ERR_OK;
out:
	key_free(k);
	return crypto_failed(e);
}

enum err
key_generate(enum key_suite suite, struct key **out)
{
	EVP_PKEY *pkey = suite == KEY_ES256 ? EVP_EC_gen("P-256")
	                                    : EVP_PKEY_Q_keygen(NULL, NULL, names[suite].type);

	return pkey == NULL ? crypto_failed(ERR_CRYPTO) : key_make(pkey, true, out);
}

enum err
key_read_pem(struct bytes pem, struct key **out)
{
	char no_password[] = ""; /* else OpenSSL would ask the terminal */
	BIO *in = NULL;
	EVP_PKEY *pkey = NULL;
	bool private = true;

	if (pem.n > KEY_PEM_BYTES_MAX)
		return ERR_LIMIT;
	in = BIO_new_mem_buf(pem.p, (int)pem.n);
	if (in == NULL)
		return ERR_MEMORY;
	pkey = PEM_read_bio_PrivateKey(in, NULL, NULL, no_password);
	if (pkey == NULL) {
		private = false;
		BIO_reset(in);
		pkey = PEM_read_bio_PUBKEY(in, NULL, NULL, no_password);
	}
	BIO_free(in);
	if (pkey == NULL)
		return crypto_failed(ERR_VALUE);
	ERR_clear_error();
	return key_make(pkey, private, out);
}

static enum err
pem_write(const struct key *k, bool private, struct buf *out)
{
	BIO *mem = BIO_new(BIO_s_mem());
	enum err e = ERR_CRYPTO;
	char *p = NULL;
	int ok;
	long n;

	if (mem == NULL)
		return ERR_MEMORY;
	ok = private ? PEM_write_bio_PKCS8PrivateKey(mem, k->pkey, NULL, NULL, 0, NULL, NULL)
	             : PEM_write_bio_PUBKEY(mem, k->pkey);
	if (ok == 1 && (n = BIO_get_mem_data(mem, &p)) > 0) {
		buf_put(out, bytes_of(p, (size_t)n));
		if (private)
			secret_wipe(p, (size_t)n);
		e = buf_end(out);
	}
	BIO_free(mem);
	return e == ERR_OK ? ERR_OK : crypto_failed(e);
}

enum err
key_write_private(const struct key *k, struct buf *out)
{
	return k->private ? pem_write(k, true, out) : ERR_VALUE;
}

enum err
key_write_public(const struct key *k, struct buf *out)
{
	return pem_write(k, false, out);
}

static EVP_PKEY *
ec_from_point(enum key_suite suite, struct bytes raw)
{
	uint8_t point[1 + KEY_PUBLIC_BYTES_MAX] = {POINT_CONVERSION_UNCOMPRESSED};
	char group[16];
	OSSL_PARAM params[3];
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, names[suite].type, NULL);
	EVP_PKEY *pkey = NULL;

	snprintf(group, sizeof group, "%s", names[suite].group);
	memcpy(point + 1, raw.p, KEY_PUBLIC_BYTES_MAX);
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
	params[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point);
	params[2] = OSSL_PARAM_construct_end();
	if (ctx != NULL && EVP_PKEY_fromdata_init(ctx) == 1 &&
	        EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
		pkey = NULL;
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

enum err
key_from_public(enum key_suite suite, struct bytes raw, struct key **out)
{
	EVP_PKEY *pkey = NULL;

	if (suite != KEY_ED25519 && raw.n == KEY_PUBLIC_BYTES_MAX)
		pkey = ec_from_point(suite, raw);
	else if (suite == KEY_ED25519 && raw.n == COORDINATE_BYTES)
		pkey = EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, raw.p, raw.n);
	if (pkey == NULL)
		return crypto_failed(ERR_VALUE);
	return key_make(pkey, false, out);
}

void
key_free(struct key *k)
{
	if (k == NULL)
		return;
	if (k->elsewhere.free != NULL)
		k->elsewhere.free(k->elsewhere.ctx);
	EVP_MD_CTX_free(k->sign);
	EVP_MD_CTX_free(k->verify);
	EVP_PKEY_free(k->pkey);
	secret_wipe(k, sizeof *k);
	free(k);
}

enum key_suite
key_suite(const struct key *k)
{
	return k->suite;
}

bool
key_is_private(const struct key *k)
{
	return k->private;
}

struct bytes
key_public(const struct key *k)
{
	return bytes_of(k->public, k->public_n);
}

struct bytes
key_kid(const struct key *k)
{
	return bytes_of(k->kid, KEY_KID_BYTES);
}

struct bytes
key_thumb(const struct key *k)
{
	return bytes_of(k->thumb, KEY_THUMB_BYTES);
}

const char *
key_thumb_text(const struct key *k)
{
	return k->thumb_text;
}

enum err
key_attach(struct key *k, const struct key_elsewhere *e)
{
	if (k->private || k->suite == KEY_SM2)
		return ERR_VALUE;
	k->elsewhere = *e;
	k->private = true;
	return ERR_OK;
}

bool
key_is_elsewhere(const struct key *k)
{
	return k->elsewhere.sign != NULL;
}

struct evp_pkey_st *
key_openssl(const struct key *k)
{
	return k->pkey;
}

struct evp_md_ctx_st *
key_openssl_signer(const struct key *k)
{
	EVP_MD_CTX *ctx = k->private ? EVP_MD_CTX_new() : NULL;

	if (ctx != NULL && EVP_MD_CTX_copy_ex(ctx, k->sign) != 1) {
		EVP_MD_CTX_free(ctx);
		ctx = NULL;
	}
	return ctx;
}

enum err
key_from_openssl(struct evp_pkey_st *pkey, struct key **out)
{
	return EVP_PKEY_up_ref(pkey) == 1 ? key_make(pkey, false, out) : crypto_failed(ERR_CRYPTO);
}

/* r‖s of a DER signature. */
static enum err
raw_from_der(const uint8_t *der, size_t n, uint8_t out[KEY_SIGNATURE_BYTES])
{
	ECDSA_SIG *s = d2i_ECDSA_SIG(NULL, &der, (long)n);
	bool ok = s != NULL &&
	          BN_bn2binpad(ECDSA_SIG_get0_r(s), out, COORDINATE_BYTES) == COORDINATE_BYTES &&
	          BN_bn2binpad(ECDSA_SIG_get0_s(s), out + COORDINATE_BYTES, COORDINATE_BYTES) ==
	                  COORDINATE_BYTES;

	ECDSA_SIG_free(s);
	return ok ? ERR_OK : ERR_CRYPTO;
}

static size_t
der_integer(const uint8_t *v, uint8_t *out)
{
	size_t skip = 0, n, pad;

	while (skip < COORDINATE_BYTES - 1 && v[skip] == 0)
		skip++;
	n = COORDINATE_BYTES - skip;
	pad = v[skip] >> 7;
	out[0] = 0x02;
	out[1] = (uint8_t)(n + pad);
	out[2] = 0;
	memcpy(out + 2 + pad, v + skip, n);
	return 2 + pad + n;
}

static size_t
der_from_raw(const uint8_t raw[KEY_SIGNATURE_BYTES], uint8_t out[DER_SIGNATURE_BYTES_MAX])
{
	size_t n = der_integer(raw, out + 2);

	n += der_integer(raw + COORDINATE_BYTES, out + 2 + n);
	out[0] = 0x30;
	out[1] = (uint8_t)n;
	return 2 + n;
}

static enum err
openssl_verify(const struct key *k, struct bytes message, struct bytes signature)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx != NULL && EVP_MD_CTX_copy_ex(ctx, k->verify) == 1 &&
	          EVP_DigestVerify(ctx, signature.p, signature.n, message.p, message.n) == 1;

	EVP_MD_CTX_free(ctx);
	return ok ? ERR_OK : crypto_failed(ERR_SIGNATURE);
}

enum err
key_verify_der(const struct key *k, struct bytes message, struct bytes signature)
{
	return k->suite == KEY_ED25519 ? ERR_VALUE : openssl_verify(k, message, signature);
}

enum err
key_verify(const struct key *k, struct bytes message, struct bytes signature)
{
	uint8_t der[DER_SIGNATURE_BYTES_MAX];

	if (signature.n != KEY_SIGNATURE_BYTES)
		return ERR_SIGNATURE;
	if (k->suite != KEY_ED25519)
		signature = bytes_of(der, der_from_raw(signature.p, der));
	return openssl_verify(k, message, signature);
}

static enum err
sign_elsewhere(const struct key *k, struct bytes message, uint8_t out[KEY_SIGNATURE_BYTES])
{
	uint8_t digest[SHA256_BYTES];

	if (k->suite == KEY_ED25519)
		return k->elsewhere.sign(k->elsewhere.ctx, message, out);
	sha256_one(message, digest);
	return k->elsewhere.sign(k->elsewhere.ctx, bytes_of(digest, sizeof digest), out);
}

static enum err
sign_here(const struct key *k, struct bytes message, uint8_t raw[KEY_SIGNATURE_BYTES])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t der[DER_SIGNATURE_BYTES_MAX];
	size_t n = sizeof der;
	enum err e = ERR_CRYPTO;

	if (ctx != NULL && EVP_MD_CTX_copy_ex(ctx, k->sign) == 1 &&
	        EVP_DigestSign(ctx, der, &n, message.p, message.n) == 1)
		e = ERR_OK;
	EVP_MD_CTX_free(ctx);
	if (e == ERR_OK && k->suite != KEY_ED25519)
		e = raw_from_der(der, n, raw);
	else if (e == ERR_OK && n == KEY_SIGNATURE_BYTES)
		memcpy(raw, der, n);
	else
		e = ERR_CRYPTO;
	return e == ERR_OK ? ERR_OK : crypto_failed(e);
}

enum err
key_sign(const struct key *k, struct bytes message, uint8_t out[KEY_SIGNATURE_BYTES])
{
	uint8_t raw[KEY_SIGNATURE_BYTES];
	enum err e;

	if (!k->private)
		return ERR_VALUE;
	e = key_is_elsewhere(k) ? sign_elsewhere(k, message, raw) : sign_here(k, message, raw);
	if (e != ERR_OK)
		return e;
	/* a fault in the machine must not publish a signature that is none */
	if (key_verify(k, message, bytes_of(raw, sizeof raw)) != ERR_OK)
		return ERR_CRYPTO;
	memcpy(out, raw, sizeof raw);
	return ERR_OK;
}
