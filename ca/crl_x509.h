#ifndef CA_CRL_X509_H
#define CA_CRL_X509_H
/* crl_x509.h - what crl.c and crl_read.c share of OpenSSL's X.509; for them alone. */
#include "key.h"

#include <openssl/x509v3.h>

enum { SERIAL_BYTES = 16 };

/* e unless ok; drains OpenSSL's error queue then. */
MUST_USE enum err crl_done(bool ok, enum err e);
/* A positive INTEGER from big-endian bytes; NULL without memory. */
ASN1_INTEGER *crl_integer(const uint8_t *p, size_t n);
/* One certificate and nothing after it, or NULL. */
X509 *crl_ca_read(struct bytes der);
/* Signs and verifies what was signed. */
bool crl_ca_sign(X509 *ca, const struct key *k);
bool crl_list_sign(X509_CRL *crl, const struct key *k);
/* The CRL, which `der` holds, is of the key's own algorithm and by it. */
bool crl_list_by(X509_CRL *crl, struct bytes der, const struct key *k);
bool crl_list_by_ca(X509_CRL *crl, struct bytes der, X509 *ca);
/* Takes the first of several certificates off, or NULL. */
X509 *crl_ca_next(struct bytes *ders);
#endif
