#ifndef CA_DOCUMENT_H
#define CA_DOCUMENT_H
/* document.h - identity documents of holders (code table ca/data/id_document_types.csv) and unified
 * social credit codes. Sources: GB 11643 (MOD 11-2), GB 32100 (MOD 31); FORMATS.md section 2. */
#include "bytes.h"
#include "limits.h"

struct document {
	char type[3];                        /* "01".."08" and NUL */
	char number[DOCUMENT_BYTES_MAX + 1]; /* normalised, and NUL */
	bool has_birth;                      /* types whose number holds a birth date */
	int64_t birth;                       /* day */
	bool has_sex;
	int sex; /* 1 M, 2 F by parity of the order digits */
	bool has_region;
	char region[7];
};

/* Full-width digits and letters to ASCII, blanks out, letters to upper case. ERR_LIMIT when too
 * long, ERR_VALUE for control characters and for text that is not UTF-8. */
MUST_USE enum err document_normalise(struct bytes text, char out[DOCUMENT_BYTES_MAX + 1]);
/* Normalises and checks form, birth date and check character of the type.
 * ERR_TYPE_UNKNOWN for another type, ERR_VALUE for a bad number. */
MUST_USE enum err document_check(struct bytes type, struct bytes number, struct document *out);
char document_check_char(const char *first17); /* ISO 7064 MOD 11-2 */
bool uscc_valid(struct bytes code);            /* 18 characters, GB 32100-2015 */
#endif
