#ifndef CA_JSON_H
#define CA_JSON_H
/* json.h - strict reading of JSON with jansson: size, depth and UTF-8 are checked before it sees
 * the text, duplicate names are refused, and each object is read by a table of its members, so
 * unknown names are too. */
#include "bytes.h"

#include <jansson.h>

/* ERR_LIMIT above bytes_max, ERR_NOT_UTF8, ERR_JSON_TOO_DEEP above JSON_DEPTH_MAX,
 * ERR_JSON_DUPLICATE, ERR_LIMIT above JSON_VALUES_MAX, ERR_JSON_INVALID. The text must be one
 * object or array. json_decref the result. */
MUST_USE enum err json_read(struct bytes text, size_t bytes_max, json_t **out);

/* Member table of one object. Types: 's' string, 'i' integer ≥ 0, 'n' number, 'o' object, 'a'
 * array, 'b' boolean; upper case: may be missing (then *at stays untouched). */
struct json_member {
	const char *name;
	char type;
	void *at; /* struct bytes *, uint64_t *, double *, json_t ** (borrowed), bool * */
};
/* ERR_FIELD_UNKNOWN, ERR_FIELD_MISSING, ERR_FIELD_INVALID. String views live as long as the object.
 */
MUST_USE enum err json_members(
        const json_t *object, const struct json_member *members, size_t count);
#define JSON_MEMBERS(object, table)                                                                \
	json_members((object), (table), sizeof(table) / sizeof((table)[0]))

/* Compact text, keys in the order they were set, scores with 4 digits (JSON_REAL_PRECISION(4)).
 * free() it. */
char *json_write(const json_t *value, size_t *length);
#endif
