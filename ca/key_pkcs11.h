#ifndef CA_KEY_PKCS11_H
#define CA_KEY_PKCS11_H
/* key_pkcs11.h - a key in a PKCS #11 token (v2.40; CKM_EDDSA of 3.0), by direct calls of a module:
 * CKM_ECDSA over the digest, CKM_EDDSA over the message. URIs: RFC 7512 with module-path and
 * pin-source, a file with the PIN. For key_store.c and tests. */
#include "key.h"

/* ERR_CONFIG for a URI that lacks module-path, pin-source or object; ERR_TOKEN, ERR_TOKEN_PIN: the
 * PIN is tried once a start, never again. */
MUST_USE enum err key_pkcs11_open(const char *dir, struct bytes uri, struct key **out);
/* Makes a pair in the token of `like`, not extractable, and the URI that names it. ES256, Ed25519;
 * ERR_EXISTS where a key bears that label. */
MUST_USE enum err key_pkcs11_make(const char *dir, struct bytes like, enum key_suite suite,
        const char *label, struct key **out, struct buf *uri);
#endif
