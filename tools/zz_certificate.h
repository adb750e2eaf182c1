#ifndef TOOLS_ZZ_CERTIFICATE_H
#define TOOLS_ZZ_CERTIFICATE_H
/* zz_certificate.h - one certificate asked of the service. What is shown of it comes from the
 * record's bytes, never from the server's words beside it. */
#include "field.h"
#include "manifest.h"
#include "record.h"
#include "zz_cmd.h"

struct zz_certificate { /* not to be copied: the record's views point into room */
	uint8_t room[RECORD_BYTES_MAX];
	struct cose_sign1 message;
	struct record record;
	json_t *json; /* the whole answer */
};

/* Gets, decodes, and checks that the record's own serial is the one asked for. With a manifest the
 * record's signature is verified too. */
enum zz_exit zz_certificate_get(const struct zz_service *s, const char *serial,
        const struct manifest *m, struct zz_certificate *out);
void zz_certificate_free(struct zz_certificate *c);
/* All members, a line each. */
void zz_certificate_print(FILE *to, const struct zz_certificate *c, const struct field *f);
/* One line: serial, name, document, item, first day. */
void zz_certificate_line(FILE *to, const struct zz_certificate *c, const struct field *f);
void zz_status_put(FILE *to, struct bytes word);
void zz_status_column(FILE *to, struct bytes word, unsigned cells);
/* Code and names of an item. */
void zz_item_put(FILE *to, struct bytes code, const struct field *f);
/* Member of an answer: text, or a time (UTC seconds), or a day. */
void zz_value_put(FILE *to, const json_t *object, const char *name);

/* The manifest of the service, verified under a root key file. The room outlives the manifest. */
struct zz_authority {
	uint8_t room[MANIFEST_BYTES_MAX];
	struct manifest manifest;
	bool open;
};
enum zz_exit zz_authority_open(
        const struct zz_service *s, const char *root_path, struct zz_authority *out);
void zz_authority_close(struct zz_authority *a);
#endif
