/* crl.c - makes complete X.509 CRLs of one list each, and their CA certificate: nothing leaves that
 * does not verify under that certificate. */
#include "crl.h"

#include "crl_x509.h"
#include "date.h"

#include <assert.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

enum { URL_BYTES_MAX = 512 };
/* Revocation stays on the list after a certificate's last day: true of everything this authority
 * ever issued. */
static const char expired_certs_since[] = "20200101000000Z";

enum err
crl_done(bool ok, enum err e)
{
	if (!ok)
		ERR_clear_error();
	return ok ? ERR_OK : e;
}

ASN1_INTEGER *
crl_integer(const uint8_t *p, size_t n)
{
	BIGNUM *number = BN_bin2bn(
	        p, (int)n, NULL); /* unsigned: a high first bit gets its zero byte in DER */
	ASN1_INTEGER *i = number == NULL ? NULL : BN_to_ASN1_INTEGER(number, NULL);

	BN_free(number);
	return i;
}

X509 *
crl_ca_read(struct bytes der)
{
	const unsigned char *p = der.p;
	X509 *ca = der.n > INT_MAX ? NULL : d2i_X509(NULL, &p, (long)der.n);

	if (ca != NULL && p != der.p + der.n) { /* nothing may follow */
		X509_free(ca);
		return NULL;
	}
	return ca;
}

X509 *
crl_ca_next(struct bytes *ders)
{
	const unsigned char *p = ders->p;
	X509 *ca = ders->n == 0 || ders->n > INT_MAX ? NULL : d2i_X509(NULL, &p, (long)ders->n);

	if (ca != NULL)
		*ders = bytes_skip(*ders, (size_t)(p - ders->p));
	return ca;
}

/* The CA certificate */

static bool
ca_extend(X509 *ca)
{
	static const struct {
		int nid;
		const char *value;
	} rows[] = {
	        {NID_basic_constraints, "critical,CA:TRUE"},
	        {NID_key_usage, "critical,cRLSign"},
	        {NID_subject_key_identifier, "hash"},
	};
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, ca, ca, NULL, NULL, 0);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		X509_EXTENSION *x = X509V3_EXT_conf_nid(NULL, &ctx, rows[i].nid, rows[i].value);
		bool ok = x != NULL && X509_add_ext(ca, x, -1) == 1;

		X509_EXTENSION_free(x);
		if (!ok)
			return false;
	}
	return true;
}

static bool
ca_name(X509 *ca, struct bytes common_name)
{
	X509_NAME *name = X509_get_subject_name(ca);

	return common_name.n > 0 && common_name.n <= 256 &&
	       X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8, common_name.p,
	               (int)common_name.n, -1, 0) == 1 &&
	       X509_set_issuer_name(ca, name) == 1;
}

static bool
ca_fill(X509 *ca, const struct key *k, struct bytes common_name, int64_t not_before,
        int64_t not_after)
{
	uint8_t number[SERIAL_BYTES];
	ASN1_INTEGER *serial = NULL;
	bool ok = false;

	memcpy(number, key_thumb(k).p, sizeof number);
	number[0] = (uint8_t)((number[0] & 0x7f) | 0x40); /* positive, never zero */
	serial = crl_integer(number, sizeof number);
	ok = serial != NULL && X509_set_version(ca, X509_VERSION_3) == 1 &&
	     X509_set_serialNumber(ca, serial) == 1 &&
	     ASN1_TIME_set(X509_getm_notBefore(ca), not_before) != NULL &&
	     ASN1_TIME_set(X509_getm_notAfter(ca), not_after) != NULL &&
	     X509_set_pubkey(ca, key_openssl(k)) == 1 && ca_name(ca, common_name) && ca_extend(ca);
	ASN1_INTEGER_free(serial);
	return ok;
}

static enum err
ca_write(X509 *ca, struct buf *der)
{
	int n = i2d_X509(ca, NULL);
	unsigned char *p = NULL;

	if (n <= 0)
		return ERR_CRYPTO;
	if ((p = buf_room(der, (size_t)n)) == NULL)
		return ERR_LIMIT;
	return i2d_X509(ca, &p) == n ? ERR_OK : ERR_CRYPTO;
}

enum err
crl_ca_make(const struct key *k, struct bytes common_name, int64_t not_before, int64_t not_after,
        struct buf *der)
{
	X509 *ca = NULL;
	enum err e = ERR_OK;

	if (key_suite(k) == KEY_ED25519 || !key_is_private(k) || not_after <= not_before)
		return ERR_VALUE;
	if ((ca = X509_new()) == NULL)
		return ERR_MEMORY;
	e = crl_done(ca_fill(ca, k, common_name, not_before, not_after) && crl_ca_sign(ca, k),
	        ERR_CRYPTO);
	if (e == ERR_OK)
		e = ca_write(ca, der);
	X509_free(ca);
	return e;
}

enum err
crl_ca_pem(struct bytes der, struct buf *pem)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	long n = 0;
	X509 *ca = NULL;
	bool ok = bio != NULL && der.n > 0;
	enum err e = ERR_ENCODING;

	while (ok && der.n > 0) {
		X509_free(ca);
		ok = (ca = crl_ca_next(&der)) != NULL && PEM_write_bio_X509(bio, ca) == 1;
	}
	if (ok) {
		n = BIO_get_mem_data(bio, &text);
		buf_put(pem, bytes_of(text, (size_t)n));
		e = buf_end(pem);
	}
	ERR_clear_error();
	BIO_free(bio);
	X509_free(ca);
	return e;
}

/* Making a CRL */

static bool
row_extend(X509_REVOKED *r, const struct crl_row *row)
{
	ASN1_ENUMERATED *reason = ASN1_ENUMERATED_new();
	ASN1_GENERALIZEDTIME *from =
	        ASN1_GENERALIZEDTIME_set(NULL, date_shanghai_start(row->invalid_from));
	bool ok = reason != NULL && from != NULL && ASN1_ENUMERATED_set(reason, row->reason) == 1 &&
	          X509_REVOKED_add1_ext_i2d(r, NID_crl_reason, reason, 0, 0) == 1 &&
	          X509_REVOKED_add1_ext_i2d(r, NID_invalidity_date, from, 0, 0) == 1;

	ASN1_ENUMERATED_free(reason);
	ASN1_GENERALIZEDTIME_free(from);
	return ok;
}

static bool
row_add(X509_CRL *crl, const struct crl_row *row)
{
	X509_REVOKED *r = X509_REVOKED_new();
	ASN1_INTEGER *serial = crl_integer(row->serial, SERIAL_BYTES);
	ASN1_TIME *at = ASN1_TIME_set(NULL, row->revoked_at);
	bool ok = r != NULL && serial != NULL && at != NULL &&
	          X509_REVOKED_set_serialNumber(r, serial) == 1 &&
	          X509_REVOKED_set_revocationDate(r, at) == 1 && row_extend(r, row) &&
	          X509_CRL_add0_revoked(crl, r) == 1;

	if (!ok)
		X509_REVOKED_free(r);
	ASN1_TIME_free(at);
	ASN1_INTEGER_free(serial);
	return ok;
}

static bool
put_number(X509_CRL *crl, uint64_t number)
{
	ASN1_INTEGER *i = ASN1_INTEGER_new();
	bool ok = i != NULL && ASN1_INTEGER_set_uint64(i, number) == 1 &&
	          X509_CRL_add1_ext_i2d(crl, NID_crl_number, i, 0, 0) == 1;

	ASN1_INTEGER_free(i);
	return ok;
}

static bool
put_authority(X509_CRL *crl, X509 *ca)
{
	AUTHORITY_KEYID *id = AUTHORITY_KEYID_new();
	const ASN1_OCTET_STRING *ski = X509_get0_subject_key_id(ca);
	bool ok = id != NULL && ski != NULL && (id->keyid = ASN1_OCTET_STRING_dup(ski)) != NULL &&
	          X509_CRL_add1_ext_i2d(crl, NID_authority_key_identifier, id, 0, 0) == 1;

	AUTHORITY_KEYID_free(id);
	return ok;
}

/* fullName with one URI. Ownership moves into the IDP step by step, so that one free undoes all. */
static bool
point_fill(ISSUING_DIST_POINT *idp, struct bytes url)
{
	DIST_POINT_NAME *point = DIST_POINT_NAME_new();
	GENERAL_NAME *name = NULL;
	ASN1_IA5STRING *uri = NULL;

	if ((idp->distpoint = point) == NULL)
		return false;
	point->type = 0;
	if ((point->name.fullname = GENERAL_NAMES_new()) == NULL ||
	        (name = GENERAL_NAME_new()) == NULL)
		return false;
	if (sk_GENERAL_NAME_push(point->name.fullname, name) <= 0) {
		GENERAL_NAME_free(name);
		return false;
	}
	if ((uri = ASN1_IA5STRING_new()) == NULL)
		return false;
	GENERAL_NAME_set0_value(name, GEN_URI, uri);
	return ASN1_STRING_set(uri, url.p, (int)url.n) == 1;
}

static bool
put_point(X509_CRL *crl, struct bytes url)
{
	ISSUING_DIST_POINT *idp = ISSUING_DIST_POINT_new();
	bool ok = idp != NULL && point_fill(idp, url) &&
	          X509_CRL_add1_ext_i2d(crl, NID_issuing_distribution_point, idp, 1, 0) == 1;

	ISSUING_DIST_POINT_free(idp);
	return ok;
}

/* expiredCertsOnCRL (X.509, 2.5.29.60), which OpenSSL 3.0 does not know: a GeneralizedTime as the
 * value. */
static bool
put_expired(X509_CRL *crl)
{
	uint8_t der[2 + sizeof expired_certs_since - 1] = {
	        V_ASN1_GENERALIZEDTIME, sizeof expired_certs_since - 1};
	ASN1_OBJECT *oid = OBJ_txt2obj("2.5.29.60", 1);
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *x = NULL;
	bool ok = false;

	memcpy(der + 2, expired_certs_since, sizeof der - 2);
	ok = oid != NULL && value != NULL && ASN1_OCTET_STRING_set(value, der, sizeof der) == 1 &&
	     (x = X509_EXTENSION_create_by_OBJ(NULL, oid, 0, value)) != NULL &&
	     X509_CRL_add_ext(crl, x, -1) == 1;
	X509_EXTENSION_free(x);
	ASN1_OCTET_STRING_free(value);
	ASN1_OBJECT_free(oid);
	return ok;
}

static bool
put_times(X509_CRL *crl, const struct crl_times *t)
{
	ASN1_TIME *this_update = ASN1_TIME_set(NULL, t->this_update),
	          *next = ASN1_TIME_set(NULL, t->next_update);
	bool ok = this_update != NULL && next != NULL &&
	          X509_CRL_set1_lastUpdate(crl, this_update) == 1 &&
	          X509_CRL_set1_nextUpdate(crl, next) == 1;

	ASN1_TIME_free(this_update);
	ASN1_TIME_free(next);
	return ok;
}

static bool
crl_fill(X509_CRL *crl, X509 *ca, struct bytes url, const struct crl_times *t)
{
	return X509_CRL_set_version(crl, X509_CRL_VERSION_2) == 1 &&
	       X509_CRL_set_issuer_name(crl, X509_get_subject_name(ca)) == 1 && put_times(crl, t) &&
	       put_authority(crl, ca) && put_number(crl, t->number) && put_point(crl, url) &&
	       put_expired(crl);
}

static bool
rows_valid(const struct crl_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int reason = rows[i].reason;

		if (reason != 4 && reason != 5 && reason != 6 && reason != 9)
			return false;
	}
	return true;
}

static enum err
crl_sign(X509_CRL *crl, const struct key *k, uint8_t **der, size_t *der_n)
{
	unsigned char *out = NULL, *whole = NULL;
	int n = 0;

	if (X509_CRL_sort(crl) != 1 || !crl_list_sign(crl, k) || (n = i2d_X509_CRL(crl, NULL)) <= 0)
		return crl_done(false, ERR_CRYPTO);
	if ((whole = out = malloc((size_t)n)) == NULL)
		return ERR_MEMORY;
	if (i2d_X509_CRL(crl, &out) != n || !crl_list_by(crl, bytes_of(whole, (size_t)n), k)) {
		free(whole);
		return crl_done(false, ERR_CRYPTO);
	}
	*der = whole;
	*der_n = (size_t)n;
	return ERR_OK;
}

enum err
crl_make(const struct key *k, struct bytes ca_der, struct bytes url, const struct crl_times *t,
        const struct crl_row *rows, size_t count, uint8_t **der, size_t *der_n)
{
	X509 *ca = NULL;
	X509_CRL *crl = NULL;
	enum err e = ERR_OK;

	if (url.n == 0 || url.n > URL_BYTES_MAX || t->next_update <= t->this_update ||
	        !rows_valid(rows, count))
		return ERR_VALUE;
	if ((ca = crl_ca_read(ca_der)) == NULL)
		return crl_done(false, ERR_ENCODING);
	if (EVP_PKEY_eq(X509_get0_pubkey(ca), key_openssl(k)) != 1) {
		e = crl_done(false, ERR_KID_UNKNOWN);
		goto out;
	}
	if ((crl = X509_CRL_new()) == NULL || !crl_fill(crl, ca, url, t)) {
		e = crl_done(false, ERR_CRYPTO);
		goto out;
	}
	for (size_t i = 0; i < count; i++)
		if (!row_add(crl, &rows[i])) {
			e = crl_done(false, ERR_CRYPTO);
			goto out;
		}
	e = crl_sign(crl, k, der, der_n);
out:
	X509_CRL_free(crl);
	X509_free(ca);
	return e;
}
