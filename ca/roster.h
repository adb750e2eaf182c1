#ifndef CA_ROSTER_H
#define CA_ROSTER_H
/* roster.h - who may ask for what: operators and the table of approvals, signed by the root (JWS,
 * typ zz-roster+jwt). Source: FORMATS.md section 7.
 *
 * Payload:
 * {"version":1,"iat":S,"exp":S,
 *  "operators":[{"kid":"…","jwk":{"kty":"EC","crv":"P-256","x":"…","y":"…"},"person":"…",
 *      "role":"center",
 *      "center":{"code":"330106-01","name":"…","uscc":"…","regions":["330000"],"items":["03"],
 *          "daily_cap":20000},
 *      "not_before":S,"not_after":S}, …],
 *  "approvals":{"issue":0,"issue_late":1,"revoke":2,"suspend":1,"reinstate":2,"replace":1,"stop":1,
 *      "resume":2}} */
#include "hash.h"
#include "jws.h"
#include "request.h"

#define ROSTER_TYP "zz-roster+jwt"

enum role { ROLE_CENTER = 1, ROLE_OFFICIAL };

enum { ROSTER_SCOPE_MAX = 40 };

/* the formatter takes "operator" for the word of C++ */
/* clang-format off */
struct operator {
	struct key *key;
	struct bytes person; /* a person's name: never into a log or a public file */
	enum role role;
	int64_t not_before, not_after; /* UTC s; in force while not_before <= now < not_after */
	/* centres only */
	struct bytes code, name, uscc;
	struct bytes regions[ROSTER_SCOPE_MAX], items[ROSTER_SCOPE_MAX]; /* prefixes of 6-digit codes */
	size_t region_count, item_count;
	uint64_t daily_cap;
};

struct roster; /* immutable once read */

/* Verifies under the root key and reads. ERR_SIGNATURE, ERR_KID_UNKNOWN, and ERR_CONFIG where two
 * operators share a kid, a centre lacks a part, two keys of a centre differ in what it may do, or
 * the table of approvals falls below DESIGN.md section 4; the errors of jws.h and json.h for form. */
MUST_USE enum err roster_read(struct bytes text, const struct key *root, struct roster **out);
void roster_free(struct roster *r);
uint64_t roster_version(const struct roster *r);
int64_t roster_exp(const struct roster *r);
void roster_sha256(const struct roster *r, uint8_t out[SHA256_BYTES]); /* of the JWS text */
const struct operator *roster_find(const struct roster *r, const char *kid); /* NULL when unknown */
/* First key of it, or NULL. */
const struct operator *roster_center(const struct roster *r, struct bytes code);
/* Officials needed in all by the roster's table, never below DESIGN.md section 4. */
int roster_officials(const struct roster *r, enum request_type t, bool late);
/* Finds kid, checks alg, signature, and not_before/not_after at `now`. */
MUST_USE enum err roster_verify(const struct roster *r, const struct jws *j, int64_t now,
	const struct operator **out);
#endif
