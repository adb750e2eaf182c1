#ifndef TOOLS_ZZ_SESSION_H
#define TOOLS_ZZ_SESSION_H
/* zz_session.h - what an exam centre hands in, from its two files to the members of an issue
 * request. Values are passed on as they stand: whether a seat passes is the signer's to say.
 * Source: FORMATS.md section 3. */
#include "csv.h"
#include "json.h"

enum {
	SESSION_BYTES_MAX = 64 * 1024,
	RESULTS_BYTES_MAX = 8 * 1024 * 1024,
	SESSION_REASON_BYTES = 160
};

struct session_fault {
	unsigned line; /* of the CSV, from 1; 0: the whole file */
	char reason[SESSION_REASON_BYTES];
};

/* session.json: exactly the members of "session"; json_decref the result. */
MUST_USE enum err zz_session_read(struct bytes text, json_t **out, struct session_fault *fault);
/* results.csv with the columns seat, name, sex, doc_type, doc_number, theory, practical,
 * photo_sha256, evidence_sha256 in any order, and follows, which each seat must have where the
 * basis asks for it and none may have otherwise: the array "results". */
MUST_USE enum err zz_results_read(
        struct bytes text, bool follows, json_t **out, struct session_fault *fault);
/* Does the session's basis (renewal, review) name for each seat the certificate that it follows? */
bool zz_session_follows(const json_t *session);
/* -?d{1,3}(.d{1,2})?, at most four digits in all, so that the number is sent exactly as it was
 * written. */
MUST_USE enum err zz_score_decode(struct bytes text, double *out);
#endif
