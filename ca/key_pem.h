#ifndef CA_KEY_PEM_H
#define CA_KEY_PEM_H
/* key_pem.h - private keys in files under a passphrase: PKCS #8 EncryptedPrivateKeyInfo, scrypt
 * (N 16384, r 8, p 1: 16 MiB and some 50 ms) and AES-256-CBC. Sources: RFC 5958, RFC 7914, RFC 8018
 * section 6.2. */
#include "key.h"

enum { PASSPHRASE_BYTES_MIN = 16, PASSPHRASE_BYTES_MAX = 1024 };

/* ERR_LIMIT for a passphrase that is too short or too long; ERR_VALUE for a key that is not
 * here. */
MUST_USE enum err key_write_encrypted(
        const struct key *k, struct bytes passphrase, struct buf *out);
/* ERR_SIGNATURE where the passphrase does not open it; ERR_VALUE for another form. */
MUST_USE enum err key_read_encrypted(struct bytes pem, struct bytes passphrase, struct key **out);
#endif
