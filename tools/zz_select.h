#ifndef TOOLS_ZZ_SELECT_H
#define TOOLS_ZZ_SELECT_H
/* zz_select.h - certificates named by a selector or a list: the words of the selector, the list
 * that the service froze, and a sample of its certificates held against the selector. Source:
 * FORMATS.md section 3, DESIGN.md section 4. */
#include "request.h"
#include "zz_certificate.h"

enum {
	ZZ_SERIALS_MAX = 100 * 1000, /* of one request */
	ZZ_BULK = 1000,              /* above it one official more, and done in the background */
	ZZ_SAMPLE_MAX = 20
};

/* NULL, or the rule that the record breaks. */
const char *zz_select_breaks(const struct request_select *s, const struct record *r);
void zz_select_print(FILE *to, const struct request_select *s, const struct field *f);

struct zz_list { /* ascending, each once */
	uint8_t (*serials)[16];
	size_t count;
	uint8_t sha256[SHA256_BYTES];
};
/* Members count, list_sha256 and list of an answer, held against each other: says what is wrong. */
enum zz_exit zz_list_read(const struct zz *z, const json_t *answer, struct zz_list *out);
/* A copy of serials in any order. */
MUST_USE enum err zz_list_copy(uint8_t (*serials)[16], size_t count, struct zz_list *out);
void zz_list_free(struct zz_list *l);

struct zz_sample {
	const struct zz_service *service;
	const struct manifest *manifest; /* NULL: signatures are not checked */
	const struct field *field;
	const struct request_select *select; /* NULL: nothing to hold a record against */
	unsigned max;                        /* at most ZZ_SAMPLE_MAX */
	bool groups;                         /* count what was fetched by centre, item and status */
};
/* Fetches and prints all, or `max` of them: one at random out of each of `max` equal stretches.
 * ZZ_REFUSED where a record breaks the selector. */
enum zz_exit zz_sample_print(const struct zz_sample *s, const struct zz_list *l);

struct zz_group { /* one row of counts; texts of others */
	struct bytes center, item, status;
	uint64_t count;
};
void zz_group_head(FILE *to);
void zz_group_print(FILE *to, const struct zz_group *g, const struct field *f);
#endif
