#ifndef TOOLS_ADMIN_MANIFEST_H
#define TOOLS_ADMIN_MANIFEST_H
/* admin_manifest.h - the next manifest as JSON, for a person to read before the root signs it:
 * {"host":…,"version":N,"iat":TIME,"name_zh":…,"name_en":…,
 *  "keys":[{"kid":HEX,"purpose":WORD,"key":COSE_Key in base64url,"not_before":TIME,
 *      "not_after":TIME, ? "last_valid_tree_size":N} …],
 *  "crl_ca":[DER in base64url …],"witnesses":[vkey …],"quorum":N}
 * What follows from these is not in it: origin, status prefix, the log's verifier key. */
#include "admin.h"
#include "json.h"
#include "manifest.h"

/* The manifest of trust/ with the cut-offs of the log and the keys that the signer holds and it
 * does not name; those begin at `from`. Says what is wrong. json_decref the result. */
enum admin_exit admin_manifest_draft(
        const struct config *c, struct admin_peers *p, int64_t now, int64_t from, json_t **out);
/* Signs it, reads it back under the root, writes it. ERR_FIELD_*, ERR_VALUE, … */
MUST_USE enum err admin_manifest_write(
        const json_t *draft, const struct key *root, const char *path, uint64_t *version);
/* What others pin beside the root, as the manifest of trust/ has it: trust/log.vkey, crl-ca.pem. */
enum admin_exit admin_trust_follow(const struct config *c, struct bytes manifest);
#endif
