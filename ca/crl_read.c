/* crl_read.c - reads CRLs: nothing is told of a CRL that does not verify under the CA certificate.
 */
#include "crl.h"

#include "crl_x509.h"
#include "date.h"

#include <openssl/err.h>

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { POINT_BYTES_MAX = 512 };

struct crl {
	X509_CRL *x509;
	struct crl_times times;
};

static bool
time_of(const ASN1_TIME *at, int64_t *utc_s)
{
	struct tm tm;

	if (at == NULL || ASN1_TIME_to_tm(at, &tm) != 1)
		return false;
	*utc_s = date_from_civil(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday) * DAY_S +
	         tm.tm_hour * 3600 + tm.tm_min * 60 + tm.tm_sec;
	return true;
}

static bool
signed_by(X509_CRL *crl, struct bytes der, X509 *ca)
{
	return X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(ca)) == 0 &&
	       crl_list_by_ca(crl, der, ca);
}

/* While one CRL key takes over from another there are two certificates. */
static enum err
signed_by_one(X509_CRL *crl, struct bytes der, struct bytes cas)
{
	bool found = false;

	if (cas.n == 0)
		return ERR_ENCODING;
	while (!found && cas.n > 0) {
		X509 *ca = crl_ca_next(&cas);

		if (ca == NULL)
			return ERR_ENCODING;
		found = signed_by(crl, der, ca);
		X509_free(ca);
	}
	return found ? ERR_OK : ERR_SIGNATURE;
}

/* Parses and verifies: issuer, algorithm and signature. */
static enum err
crl_read(struct bytes der, struct bytes ca_der, X509_CRL **out)
{
	const unsigned char *p = der.p;
	X509_CRL *crl = NULL;
	enum err e = ERR_ENCODING;

	if (der.n <= INT_MAX && (crl = d2i_X509_CRL(NULL, &p, (long)der.n)) != NULL &&
	        p != der.p + der.n)
		e = ERR_TRAILING;
	else if (crl != NULL)
		e = signed_by_one(crl, der, ca_der);
	if (e != ERR_OK) {
		X509_CRL_free(crl);
		return crl_done(false, e);
	}
	ERR_clear_error(); /* of a certificate that it is not by */
	*out = crl;
	return ERR_OK;
}

static bool
number_get(X509_CRL *crl, uint64_t *number)
{
	ASN1_INTEGER *i = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
	bool ok = i != NULL && ASN1_INTEGER_get_uint64(number, i) == 1;

	ASN1_INTEGER_free(i);
	return ok;
}

static bool
point_get(X509_CRL *crl, struct buf *url)
{
	int critical = 0;
	ISSUING_DIST_POINT *idp =
	        X509_CRL_get_ext_d2i(crl, NID_issuing_distribution_point, &critical, NULL);
	const GENERAL_NAME *name = NULL;
	bool ok = idp != NULL && critical == 1 && idp->distpoint != NULL &&
	          idp->distpoint->type == 0 &&
	          sk_GENERAL_NAME_num(idp->distpoint->name.fullname) == 1 &&
	          (name = sk_GENERAL_NAME_value(idp->distpoint->name.fullname, 0))->type == GEN_URI;

	if (ok) {
		const ASN1_IA5STRING *uri = name->d.uniformResourceIdentifier;

		buf_put(url, bytes_of(ASN1_STRING_get0_data(uri), (size_t)ASN1_STRING_length(uri)));
	}
	ISSUING_DIST_POINT_free(idp);
	return ok;
}

static enum err
frame_get(X509_CRL *crl, struct crl_times *t, struct buf *url)
{
	bool ok = X509_CRL_get_version(crl) == X509_CRL_VERSION_2 &&
	          time_of(X509_CRL_get0_lastUpdate(crl), &t->this_update) &&
	          time_of(X509_CRL_get0_nextUpdate(crl), &t->next_update) &&
	          number_get(crl, &t->number) && point_get(crl, url);

	return ok ? buf_end(url) : crl_done(false, ERR_ENCODING);
}

enum err
crl_check(struct bytes der, struct bytes ca_der, struct crl_times *t, struct buf *url)
{
	X509_CRL *crl = NULL;
	struct crl_times times = {0};
	enum err e = crl_read(der, ca_der, &crl);

	if (e != ERR_OK)
		return e;
	if ((e = frame_get(crl, &times, url)) == ERR_OK)
		*t = times;
	X509_CRL_free(crl);
	return e;
}

static bool
row_get(const X509_REVOKED *r, struct crl_row *row)
{
	ASN1_ENUMERATED *reason = X509_REVOKED_get_ext_d2i(r, NID_crl_reason, NULL, NULL);
	ASN1_GENERALIZEDTIME *from = X509_REVOKED_get_ext_d2i(r, NID_invalidity_date, NULL, NULL);
	int64_t from_s = 0;
	bool ok = reason != NULL && time_of(from, &from_s) &&
	          time_of(X509_REVOKED_get0_revocationDate(r), &row->revoked_at);

	if (ok) {
		row->reason = (int)ASN1_ENUMERATED_get(reason);
		row->invalid_from = date_shanghai(from_s);
	}
	ASN1_ENUMERATED_free(reason);
	ASN1_GENERALIZEDTIME_free(from);
	return ok;
}

static enum err
row_find(X509_CRL *crl, const uint8_t serial[16], bool *found, struct crl_row *out)
{
	X509_REVOKED *r = NULL;
	ASN1_INTEGER *number = crl_integer(serial, SERIAL_BYTES);
	struct crl_row row = {0};
	bool there = false;

	if (number == NULL)
		return crl_done(false, ERR_MEMORY);
	there = X509_CRL_get0_by_serial(crl, &r, number) == 1;
	ASN1_INTEGER_free(number);
	memcpy(row.serial, serial, SERIAL_BYTES);
	if (there && !row_get(r, &row))
		return crl_done(false, ERR_ENCODING);
	*found = there;
	if (there)
		*out = row;
	return ERR_OK;
}

enum err
crl_find(struct bytes der, struct bytes ca_der, const uint8_t serial[16], bool *found,
        struct crl_row *out)
{
	X509_CRL *crl = NULL;
	enum err e = crl_read(der, ca_der, &crl);

	if (e != ERR_OK)
		return e;
	e = row_find(crl, serial, found, out);
	X509_CRL_free(crl);
	return e;
}

enum err
crl_each(struct bytes der, struct bytes ca_der, void (*see)(void *ctx, const struct crl_row *row),
        void *ctx)
{
	X509_CRL *crl = NULL;
	const STACK_OF(X509_REVOKED) * all;
	enum err e = crl_read(der, ca_der, &crl);

	if (e != ERR_OK)
		return e;
	all = X509_CRL_get_REVOKED(crl);
	for (int i = 0; e == ERR_OK && all != NULL && i < sk_X509_REVOKED_num(all); i++) {
		const X509_REVOKED *r = sk_X509_REVOKED_value(all, i);
		const ASN1_INTEGER *number = X509_REVOKED_get0_serialNumber(r);
		int n = ASN1_STRING_length(number);
		struct crl_row row = {0};

		if (n < 1 || n > SERIAL_BYTES || !row_get(r, &row)) {
			e = crl_done(false, ERR_ENCODING);
			break;
		}
		memcpy(row.serial + SERIAL_BYTES - n, ASN1_STRING_get0_data(number), (size_t)n);
		see(ctx, &row);
	}
	X509_CRL_free(crl);
	return e;
}

enum err
crl_open(struct bytes der, struct bytes ca_der, struct crl **out)
{
	uint8_t room[POINT_BYTES_MAX];
	struct buf url = BUF_OF(room);
	struct crl *c = calloc(1, sizeof *c);
	enum err e = c == NULL ? ERR_MEMORY : crl_read(der, ca_der, &c->x509);

	if (e != ERR_OK || (e = frame_get(c->x509, &c->times, &url)) != ERR_OK) {
		crl_free(c);
		return e;
	}
	*out = c;
	return ERR_OK;
}

const struct crl_times *
crl_times_of(const struct crl *c)
{
	return &c->times;
}

enum err
crl_lookup(const struct crl *c, const uint8_t serial[16], bool *found, struct crl_row *out)
{
	return row_find(c->x509, serial, found, out);
}

void
crl_free(struct crl *c)
{
	if (c == NULL)
		return;
	X509_CRL_free(c->x509);
	free(c);
}
