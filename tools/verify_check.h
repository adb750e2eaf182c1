#ifndef TOOLS_VERIFY_CHECK_H
#define TOOLS_VERIFY_CHECK_H
/* verify_check.h - one certificate against the state folder, and how the answer is shown. No
 * network. */
#include "field.h"
#include "verify_held.h"

#include <jansson.h>
#include <stdio.h>

struct check_options {
	const char *dir;
	const struct key *root;
	struct bytes
	        data; /* record, bundle or QR text; line ends after a QR text are passed over */
	int64_t now, at, age_s_max; /* at -1: now */
	bool require_log;
	struct bytes item, document;
};
struct check_words { /* of the command line; NULL: not given */
	const char *item, *document, *at, *age;
};
/* What is asked, into o, and the age that is asked for where none is given. NULL, or what is wrong
 * with a word. */
const char *check_words_read(const struct check_words *w, struct check_options *o);

/* What a verdict was found with; views of `v` point in here and into the data. Zero it; check_close
 * is due. */
struct check {
	struct verdict v;
	struct bytes item; /* asked for, or empty */
	const struct manifest *m;
	struct held *own; /* of check_run */
};
/* ERR_NOT_FOUND where no manifest is held; ERR_SIGNATURE or the like where the held one is not
 * signed by this root; else ERR_OK and the verdict in c->v. */
MUST_USE enum err check_run(const struct check_options *o, struct check *c);
void check_close(struct check *c);
/* The same against what is open already; o->dir and o->root are not looked at. `seen`: of this
 * thread, or NULL. */
MUST_USE enum err check_find(
        const struct check_options *o, struct held *h, struct receipt_seen *seen, struct check *c);

/* For people, Chinese and English. The document's number is masked unless it was the one asked for.
 */
void check_print(FILE *to, const struct check *c, const struct field *f);
/* One object with stable names. json_decref the result; NULL without memory. */
json_t *check_json(const struct check *c, const struct field *f);
/* The rest of a line that names one of many: verdict word, time of the status data, reason where
 * there is one, a tab before each. */
void check_print_line(FILE *to, const struct verdict *v);
/* First three and last four characters; less of a short number. `out` has room for
 * DOCUMENT_BYTES_MAX + 1. */
void check_mask(struct bytes number, char *out);
#endif
