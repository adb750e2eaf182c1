#ifndef CA_CRL_H
#define CA_CRL_H
/* crl.h - X.509 CRL v2 of one list and the self-signed CA certificate that signs it. Complete CRLs
 * only. Sources: RFC 5280 section 5, FORMATS.md section 6. The one file that sees OpenSSL's X.509.
 */
#include "key.h"

struct crl_row {
	uint8_t serial[16];
	int reason;           /* 4, 5, 6, 9 */
	int64_t revoked_at;   /* UTC seconds: when it was logged */
	int64_t invalid_from; /* day; first second of it in Shanghai is the invalidityDate */
	bool deregistered;    /* cancelled after it was revoked: not in the CRL, but done once */
};

/* Self-signed CA certificate (DER): critical CA:TRUE, keyUsage cRLSign, SKI. */
MUST_USE enum err crl_ca_make(const struct key *k, struct bytes common_name, int64_t not_before,
        int64_t not_after, struct buf *der);
MUST_USE enum err crl_ca_pem(struct bytes der, struct buf *pem); /* of each certificate */
struct crl_times {
	int64_t this_update, next_update;
	uint64_t number;
};
/* DER of the CRL of one list; url stands in the critical IDP. free() the result. Verified before it
 * is returned. */
MUST_USE enum err crl_make(const struct key *k, struct bytes ca_der, struct bytes url,
        const struct crl_times *t, const struct crl_row *rows, size_t count, uint8_t **der,
        size_t *der_n);
/* Wherever a CRL is read, ca_der may be several certificates one after the other: one must fit. */
/* Verifies a DER CRL under the CA certificate and gives its times, its number and the URI of its
 * IDP (written to url). ERR_ENCODING for another form, ERR_SIGNATURE. */
MUST_USE enum err crl_check(
        struct bytes der, struct bytes ca_der, struct crl_times *t, struct buf *url);
/* Verifies a DER CRL under the CA certificate and looks one serial up. *found says whether it is
 * there. */
MUST_USE enum err crl_find(struct bytes der, struct bytes ca_der, const uint8_t serial[16],
        bool *found, struct crl_row *out);
/* Verifies a DER CRL under the CA certificate and shows each of its rows. ERR_ENCODING where one of
 * them is not of our form. */
MUST_USE enum err crl_each(struct bytes der, struct bytes ca_der,
        void (*see)(void *ctx, const struct crl_row *row), void *ctx);

/* A CRL for any number of questions, by several threads at once: what crl_check asks for was found
 * right. Errors as there; crl_free is due after success. */
struct crl;
MUST_USE enum err crl_open(struct bytes der, struct bytes ca_der, struct crl **out);
const struct crl_times *crl_times_of(const struct crl *c);
MUST_USE enum err crl_lookup(
        const struct crl *c, const uint8_t serial[16], bool *found, struct crl_row *out);
void crl_free(struct crl *c); /* NULL is fine */
#endif
