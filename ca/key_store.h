#ifndef CA_KEY_STORE_H
#define CA_KEY_STORE_H
/* key_store.h - where the signer's private keys lie. A key file of the state folder holds the key
 * or names its place, and its first line says which (paths start at the state folder):
 *
 *   -----BEGIN PRIVATE KEY-----       the key itself: whoever can read the file has it
 *   passphrase-source: FILE           and an ENCRYPTED PRIVATE KEY after it (key_pem.h)
 *   pkcs11:token=…;object=…?module-path=…&pin-source=…     RFC 7512: a token holds it (PKCS #11)
 *   sdf:…                             a cipher device (GM/T 0018): documented, not served
 *
 * Digest in, 64 bytes out (Ed25519: message in); every signature is verified with the public key
 * before it leaves. */
#include "file.h"
#include "key_pem.h"

enum { KEY_FILE_BYTES_MAX = 8192 };

/* Zero it and set dir; key_store_end is due. The passphrase that was read once is remembered: after
 * the start its file is out of reach. */
struct key_store {
	const char *dir;
	char path[FILE_PATH_MAX];
	uint8_t secret[PASSPHRASE_BYTES_MAX];
	size_t secret_n;
};
void key_store_end(struct key_store *s); /* wipes */

/* ERR_VALUE for another form, ERR_SIGNATURE for a wrong passphrase, ERR_NOT_FOUND, ERR_TOKEN where
 * the token does not answer or lacks the object, ERR_TOKEN_PIN; says why in the log. */
MUST_USE enum err key_store_open(struct key_store *s, struct bytes file, struct key **out);
/* A new key of that suite in the same kind of place as `like`, and the file that names it. A token
 * gives it the label `label`. */
MUST_USE enum err key_store_make(struct key_store *s, struct bytes like, enum key_suite suite,
        const char *label, struct key **out, struct buf *file);
/* Does software hold it, so that a copy of some file is a copy of the key? */
bool key_store_soft(const struct key *k);
#endif
