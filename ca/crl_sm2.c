/* crl_sm2.c - signatures of CRLs and their CA certificates, with all that SM2 needs besides:
 * OpenSSL 3.0 takes an ID where it signs and on certificates, and nowhere for a CRL. */
#include "crl_x509.h"

/* An X.509 signature is made over what the context hashes: its ID was set with the key. */
static bool
ca_by(X509 *ca, const struct key *k)
{
	ASN1_OCTET_STRING *id = NULL;

	if (key_suite(k) == KEY_SM2) {
		id = ASN1_OCTET_STRING_new();
		if (id == NULL || ASN1_OCTET_STRING_set(id, (const uint8_t *)KEY_SM2_ID,
		                          sizeof KEY_SM2_ID - 1) != 1) {
			ASN1_OCTET_STRING_free(id);
			return false;
		}
		X509_set0_distinguishing_id(ca, id); /* the certificate's from here on */
	}
	return X509_verify(ca, key_openssl(k)) == 1;
}

bool
crl_ca_sign(X509 *ca, const struct key *k)
{
	EVP_MD_CTX *ctx = key_openssl_signer(k);
	bool ok = ctx != NULL && X509_sign_ctx(ca, ctx) > 0 && ca_by(ca, k);

	EVP_MD_CTX_free(ctx);
	return ok;
}

bool
crl_list_sign(X509_CRL *crl, const struct key *k)
{
	EVP_MD_CTX *ctx = key_openssl_signer(k);
	bool ok = ctx != NULL && X509_CRL_sign_ctx(crl, ctx) > 0;

	EVP_MD_CTX_free(ctx);
	return ok;
}

/* One DER item with its head; `in` goes on after it. */
static bool
item_take(struct bytes *in, int tag, struct bytes *whole, struct bytes *inside)
{
	const unsigned char *p = in->p;
	long n = 0;
	int found = 0, class = 0;

	if (in->n == 0 || in->n > INT32_MAX ||
	        (ASN1_get_object(&p, &n, &found, &class, (long)in->n) & 0x80) != 0 ||
	        found != tag || class != V_ASN1_UNIVERSAL)
		return false;
	*inside = bytes_of(p, (size_t)n);
	*whole = bytes_of(in->p, (size_t)(p - in->p) + (size_t)n);
	*in = bytes_skip(*in, whole->n);
	return true;
}

/* The bytes as they came, never encoded again: to be signed, then algorithm, then signature. The
 * algorithm stands inside once more, after the version, and must be the same. */
static bool
tbs_find(struct bytes der, struct bytes *tbs)
{
	struct bytes whole, in, algorithm, inside, version, again;

	return item_take(&der, V_ASN1_SEQUENCE, &whole, &in) && der.n == 0 &&
	       item_take(&in, V_ASN1_SEQUENCE, tbs, &inside) &&
	       item_take(&in, V_ASN1_SEQUENCE, &algorithm, &whole) &&
	       item_take(&inside, V_ASN1_INTEGER, &version, &whole) &&
	       item_take(&inside, V_ASN1_SEQUENCE, &again, &whole) && bytes_equal(algorithm, again);
}

static bool
sm2_list_by(const X509_CRL *crl, struct bytes der, const struct key *k)
{
	const ASN1_BIT_STRING *signature = NULL;
	struct bytes tbs;

	X509_CRL_get0_signature(crl, &signature, NULL);
	/* whole bytes, as OpenSSL asks of other signatures */
	return (signature->flags & 7) == 0 && tbs_find(der, &tbs) &&
	       key_verify_der(k, tbs,
	               bytes_of(ASN1_STRING_get0_data(signature),
	                       (size_t)ASN1_STRING_length(signature))) == ERR_OK;
}

bool
crl_list_by(X509_CRL *crl, struct bytes der, const struct key *k)
{
	int algorithm = X509_CRL_get_signature_nid(crl);

	if (key_suite(k) == KEY_SM2)
		return algorithm == NID_SM2_with_SM3 && sm2_list_by(crl, der, k);
	return algorithm == NID_ecdsa_with_SHA256 && X509_CRL_verify(crl, key_openssl(k)) == 1;
}

bool
crl_list_by_ca(X509_CRL *crl, struct bytes der, X509 *ca)
{
	struct key *k = NULL;
	bool ok = X509_get0_pubkey(ca) != NULL &&
	          key_from_openssl(X509_get0_pubkey(ca), &k) == ERR_OK && crl_list_by(crl, der, k);

	key_free(k);
	return ok;
}
