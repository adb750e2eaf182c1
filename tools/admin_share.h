#ifndef TOOLS_ADMIN_SHARE_H
#define TOOLS_ADMIN_SHARE_H
/* admin_share.h - the root key's passphrase in M of N shares (Shamir, libgfshare over GF(2^8)): M
 * of them open the key, fewer say nothing of it. A share is a small text file for one custodian. */
#include "key.h"

enum {
	SHARE_SECRET_BYTES = 32,
	SHARES_MAX = 16,
	SHARE_FILE_BYTES_MAX = 2048,
	SHARE_PASSPHRASE_BYTES = 64 /* room: base64url of the secret */
};

struct share_names {
	const char *host;
	const char *custodians[SHARES_MAX];
	size_t count;
	unsigned threshold; /* 2 to count */
	struct bytes root;  /* kid of the root key */
};

/* The N files, one after the other; files[i] are views into `out`. Checks before it returns that
 * each M of them that stand together give the secret back. */
MUST_USE enum err shares_make(const struct share_names *names,
        const uint8_t secret[SHARE_SECRET_BYTES], struct buf *out, struct bytes files[SHARES_MAX]);
/* The root key in that file, from the shares in `paths`, separated by commas. ERR_SIGNATURE for a
 * share that is damaged, of another key, there twice, or where they are too few; says which. */
MUST_USE enum err shares_open(const char *paths, struct bytes pem, struct key **root);
/* The text under which the root key is encrypted. */
void share_passphrase(const uint8_t secret[SHARE_SECRET_BYTES], struct buf *out);
#endif
