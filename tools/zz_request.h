#ifndef TOOLS_ZZ_REQUEST_H
#define TOOLS_ZZ_REQUEST_H
/* zz_request.h - a signed request on disk: it is saved before it is sent, and a rerun sends that
 * file, since signatures are random and only the same bytes are the same request (FORMATS.md
 * section 3). */
#include "request.h"
#include "zz_cmd.h"

enum { ZZ_JTI_TEXT = 22 }; /* base64url of 16 random bytes */

struct zz_request { /* views into `text`, which it owns */
	uint8_t *text;
	size_t n;
	struct jws jws;
	struct request request;
	char id[2 * SHA256_BYTES + 1];
	bool saved; /* it was on disk already */
};

void zz_jti(char out[ZZ_JTI_TEXT + 1]);
/* {"type","jti","iat","exp"}: the caller adds the rest. NULL without memory. */
json_t *zz_payload(const char *type, const char *jti, int64_t now, int64_t lifetime_s);
/* Signs a payload as `typ`: malloc'ed text. */
MUST_USE enum err zz_sign(
        const struct key *k, const char *typ, const json_t *payload, uint8_t **out, size_t *n);
/* Decodes text, of which it takes ownership in every case. */
MUST_USE enum err zz_request_open(uint8_t *text, size_t n, struct zz_request *out);
void zz_request_free(struct zz_request *r);

/* DIR/request.jws where it is there (saved = true), else signs `payload` and saves it there. Says
 * what is wrong. */
enum zz_exit zz_request_take(const struct zz *z, const char *dir, const struct key *k,
        const json_t *payload, struct zz_request *out);
/* The members that count are the same (all but jti, iat, exp). */
bool zz_request_same(const struct zz_request *r, const json_t *payload);
/* Creates the file, or ERR_EXISTS: of two at once only one wins. */
MUST_USE enum err zz_create(const char *path, struct bytes data, unsigned mode);
#endif
