#ifndef CA_FIELD_DATA_H
#define CA_FIELD_DATA_H
/* field_data.h - the inside of field.h, for field.c, field_read.c and their tests: the files of
 * ca/data/ as they were when the program was built, the tables made from them, and the reader
 * behind field_open, which tests also give changed files. */
#include "field.h"

/* In the bytewise order of their names, which is the order of field_sha256. */
#define FIELD_FILES(X)                                                                             \
	X(FILE_DOCUMENTS, "id_document_types.csv")                                                 \
	X(FILE_MANAGEMENT, "management.csv")                                                       \
	X(FILE_VARIANTS, "operation_variants.csv")                                                 \
	X(FILE_OPERATIONS, "operations.csv")                                                       \
	X(FILE_POLICIES, "policies.csv")                                                           \
	X(FILE_REGIONS, "regions.csv")                                                             \
	X(FILE_GROUNDS, "revocation_grounds.csv")

enum field_file {
#define X(id, name) id,
	FIELD_FILES(X)
#undef X
	        FIELD_FILE_COUNT
};

const char *field_file_name(enum field_file f);
struct bytes field_file_bytes(enum field_file f); /* lives as long as the program */

enum { PERSON_TYPES = 3 };

struct policy {
	struct field_policy shown;
	bool applies[PERSON_TYPES]; /* to person types 01, 02, 03 */
};

struct named { /* a code and its Chinese name: regions, documents, categories */
	struct bytes code, name_zh;
};

/* A table of rows that begin with their code, sorted by it. */
struct table {
	void *rows;
	size_t count, size;
};

struct field {
	struct table items, policies, grounds, documents, regions, categories;
	struct buf text; /* owns every name and code */
	uint8_t sha256[SHA256_BYTES];
};

int field_code_order(const void *a, const void *b); /* of rows that begin with their code */
void *field_row(const struct table *t, size_t i);

/* As field_open, from these files, which may go away afterwards. ERR_CONFIG names file and line in
 * the log. */
MUST_USE enum err field_read(const struct bytes files[FIELD_FILE_COUNT], struct field **out);
#endif
