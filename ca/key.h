#ifndef CA_KEY_H
#define CA_KEY_H
/* key.h - keys of the suites of FORMATS.md section 1: make, read, write, sign, verify.
 * A key is immutable after it was made and may be used by several threads at once; each signature
 * copies a template context (a DigestSign context used twice signs both messages and says success,
 * OpenSSL 3.0). */
#include "bytes.h"

struct key;

/* GB/T 35276: hashed before every message that SM2 signs. Without it OpenSSL 3.0 takes an empty
 * one, and nobody else verifies the signature. */
#define KEY_SM2_ID "1234567812345678"

enum key_suite { KEY_ES256, KEY_ED25519, KEY_SM2, KEY_SUITE_COUNT };

enum key_purpose { KEY_RECORD = 1, KEY_STATUS, KEY_LOG, KEY_CRL, KEY_ROOT, KEY_REQUEST };

enum {
	KEY_SIGNATURE_BYTES = 64,  /* r‖s, or RFC 8032 */
	KEY_KID_BYTES = 8,         /* kid in COSE */
	KEY_THUMB_BYTES = 32,      /* RFC 7638 thumbprint, kid in JWS before base64url */
	KEY_THUMB_TEXT = 43,       /* its base64url, without NUL */
	KEY_PUBLIC_BYTES_MAX = 64, /* x‖y, or 32 bytes of Ed25519 */
	KEY_COSE_BYTES_MAX = 128,
	KEY_PEM_BYTES_MAX = 4096,
};

/* Row of the suite table: what names the suite in COSE, JOSE and on the command line. */
struct key_suite_info {
	enum key_suite suite;
	int64_t cose_alg;
	const char *jose_alg;  /* ES256, EdDSA, SM2SM3 */
	const char *name;      /* es256, ed25519, sm2 */
	const char *kty, *crv; /* JWK; SM2's are not registered: EC, SM2 */
	int64_t cose_kty, cose_crv;
};
const struct key_suite_info *key_suite_info(enum key_suite suite);
const struct key_suite_info *key_suite_by_name(const char *name); /* NULL when unknown */
/* Of a JWK; NULL when unknown. */
const struct key_suite_info *key_suite_by_curve(struct bytes kty, struct bytes crv);

MUST_USE enum err key_generate(enum key_suite suite, struct key **out);
/* PKCS #8 or SubjectPublicKeyInfo, PEM. ERR_VALUE for another kind of key. Costs as much as 20
 * signatures: never in a request. */
MUST_USE enum err key_read_pem(struct bytes pem, struct key **out);
MUST_USE enum err key_write_private(
        const struct key *k, struct buf *out); /* PKCS #8 PEM, not encrypted */
MUST_USE enum err key_write_public(
        const struct key *k, struct buf *out); /* SubjectPublicKeyInfo PEM */
/* From the public point: x‖y (64 bytes) or 32 bytes of Ed25519. ERR_VALUE when it is no point of
 * the curve. */
MUST_USE enum err key_from_public(enum key_suite suite, struct bytes raw, struct key **out);
/* COSE_Key {1: kty, -1: crv, -2: x, -3: y}, deterministic, no other member (RFC 9052 section 7). */
MUST_USE enum err key_from_cose(struct bytes cose_key, struct key **out);
void key_put_cose(const struct key *k, struct buf *out);
/* The public members of the JWK, in the spelling of RFC 7638. */
void key_put_jwk(const struct key *k, struct buf *out);
void key_free(struct key *k); /* wipes; NULL is fine */

enum key_suite key_suite(const struct key *k);
bool key_is_private(const struct key *k);
struct bytes key_public(const struct key *k);    /* 64 or 32 bytes; lives as long as the key */
struct bytes key_kid(const struct key *k);       /* first 8 bytes of the RFC 9679
                                                  * thumbprint: SHA-256; SM3 of an SM2 key */
struct bytes key_thumb(const struct key *k);     /* 32 bytes, RFC 7638 */
const char *key_thumb_text(const struct key *k); /* 43 characters of base64url and a NUL */

/* Signs the message itself (not a digest), SM2 always with the ID 1234567812345678, and verifies
 * the signature before it returns it. */
MUST_USE enum err key_sign(
        const struct key *k, struct bytes message, uint8_t out[KEY_SIGNATURE_BYTES]);
/* ERR_SIGNATURE unless `signature` is exactly 64 bytes and verifies. */
MUST_USE enum err key_verify(const struct key *k, struct bytes message, struct bytes signature);

/* A private half that lies elsewhere, in a token: it gives the 64 bytes. `input` is the SHA-256
 * digest for ES256, the message itself for Ed25519 (RFC 8032 hashes it twice). */
struct key_elsewhere {
	enum err (*sign)(void *ctx, struct bytes input, uint8_t out[KEY_SIGNATURE_BYTES]);
	void (*free)(void *ctx);
	void *ctx;
};
/* From now on `k`, a public key, signs there; each signature is verified as any other. key_free
 * frees ctx. ERR_VALUE for a key that is private already, or SM2. */
MUST_USE enum err key_attach(struct key *k, const struct key_elsewhere *e);
bool key_is_elsewhere(const struct key *k);

/* OpenSSL's objects, for the files of the CRL only. */
struct evp_pkey_st *key_openssl(const struct key *k);
/* A fresh context that signs one message with this key; EVP_MD_CTX_free it. NULL without memory or
 * private key. */
struct evp_md_ctx_st *key_openssl_signer(const struct key *k);
/* Takes a reference of its own. */
MUST_USE enum err key_from_openssl(struct evp_pkey_st *pkey, struct key **out);
/* As key_verify, of a signature in DER as X.509 has it. Not for Ed25519: ERR_VALUE. */
MUST_USE enum err key_verify_der(const struct key *k, struct bytes message, struct bytes signature);
#endif
