#ifndef TOOLS_ZZ_ANSWER_H
#define TOOLS_ZZ_ANSWER_H
/* zz_answer.h - the service's answer to a request: checked against what was handed in before
 * anything of it is kept, then files and a table in words. Source: FORMATS.md sections 2 and 4. */
#include "record.h"
#include "zz_request.h"

struct zz_answer {
	const struct zz *z;
	const struct zz_request *request;
	const char *dir;
	const struct record *old;       /* of a replace: the record that is replaced */
	size_t done, refused, unproved; /* unproved: issued, but no receipt came */
	char wrong[160];                /* why a check failed: seat number and rule, no person */
};

/* Every seat of the request (of a replace the new certificate) stands in the answer once; each
 * record is well-formed, is the one of its serial, seat, session and request, and goes to
 * DIR/<serial>.cose, .bundle (where a receipt came) and .qr.txt. */
MUST_USE enum err zz_answer_keep(struct zz_answer *a, const json_t *answer);
/* Sets done and refused. */
void zz_answer_count(struct zz_answer *a, const json_t *answer);
/* Prints each row; after zz_answer_keep for an issue. */
void zz_answer_table(struct zz_answer *a, const json_t *answer);
/* Executed: ZZ_DONE or ZZ_SOME. Waiting or being executed: says what comes next, ZZ_WAITS. Anything
 * else: ZZ_REFUSED. Prints the table, or `raw` where it is given. `url` stands in the advice. */
enum zz_exit zz_answer_say(
        struct zz_answer *a, const json_t *answer, const struct bytes *raw, const char *url);
/* Chinese and English of an outcome code; the code itself where it is unknown. */
void zz_outcome_put(FILE *to, struct bytes code);
#endif
