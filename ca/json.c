/* json.c - strict JSON: what jansson cannot refuse (size, depth, number of values, bad UTF-8) is
 * refused before it sees the text, so a small body cannot become much memory or a deep stack. */
#include "json.h"

#include "cbor.h"
#include "limits.h"

#include <string.h>

/* Brackets and commas outside strings bound depth and number of values; whether they match is
 * jansson's to say. */
static enum err
check_shape(struct bytes text)
{
	size_t depth = 0, values = 0;
	bool in_string = false;

	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = text.p[i];

		if (in_string) {
			if (c == '\\')
				i++;
			in_string = c != '"';
			continue;
		}
		if (c == '"')
			in_string = true;
		if (c == '[' || c == '{' || c == ',')
			values++;
		if ((c == '[' || c == '{') && ++depth > JSON_DEPTH_MAX)
			return ERR_JSON_TOO_DEEP;
		if ((c == ']' || c == '}') && depth > 0)
			depth--;
	}
	return values > JSON_VALUES_MAX ? ERR_LIMIT : ERR_OK;
}

enum err
json_read(struct bytes text, size_t bytes_max, json_t **out)
{
	json_error_t why;
	json_t *json = NULL;
	enum err e = ERR_OK;

	if (text.n > bytes_max)
		return ERR_LIMIT;
	if (text.n == 0)
		return ERR_JSON_INVALID;
	if (!utf8_valid(text, NULL))
		return ERR_NOT_UTF8;
	if ((e = check_shape(text)) != ERR_OK)
		return e;
	json = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, &why);
	if (json != NULL) {
		*out = json;
		return ERR_OK;
	}
	if (json_error_code(&why) == json_error_duplicate_key)
		return ERR_JSON_DUPLICATE;
	return json_error_code(&why) == json_error_out_of_memory ? ERR_MEMORY : ERR_JSON_INVALID;
}

static char
kind_of(const struct json_member *m)
{
	return (char)(m->type | 0x20);
}

/* Stores a value where the table says. ERR_FIELD_INVALID for another type. */
static enum err
store(const struct json_member *m, json_t *value)
{
	switch (kind_of(m)) {
	case 's':
		if (!json_is_string(value))
			return ERR_FIELD_INVALID;
		*(struct bytes *)m->at =
		        bytes_of(json_string_value(value), json_string_length(value));
		return ERR_OK;
	case 'i':
		if (!json_is_integer(value) || json_integer_value(value) < 0)
			return ERR_FIELD_INVALID;
		*(uint64_t *)m->at = (uint64_t)json_integer_value(value);
		return ERR_OK;
	case 'n':
		if (!json_is_number(value))
			return ERR_FIELD_INVALID;
		*(double *)m->at = json_number_value(value);
		return ERR_OK;
	case 'b':
		if (!json_is_boolean(value))
			return ERR_FIELD_INVALID;
		*(bool *)m->at = json_is_true(value);
		return ERR_OK;
	case 'o':
	case 'a':
		if (kind_of(m) == 'o' ? !json_is_object(value) : !json_is_array(value))
			return ERR_FIELD_INVALID;
		*(json_t **)m->at = value;
		return ERR_OK;
	default:
		return ERR_INTERNAL;
	}
}

enum err
json_members(const json_t *object, const struct json_member *members, size_t count)
{
	size_t found = 0;
	enum err e = ERR_OK;

	if (!json_is_object(object))
		return ERR_FIELD_INVALID;
	for (size_t i = 0; i < count; i++) {
		json_t *value = json_object_get(object, members[i].name);

		if (value == NULL && members[i].type != kind_of(&members[i]))
			continue;
		if (value == NULL)
			return ERR_FIELD_MISSING;
		found++;
		if ((e = store(&members[i], value)) != ERR_OK)
			return e;
	}
	/* names are unique, so a member beside those found is one the table does not know */
	return json_object_size(object) == found ? ERR_OK : ERR_FIELD_UNKNOWN;
}

char *
json_write(const json_t *value, size_t *length)
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_REAL_PRECISION(4));

	if (text != NULL)
		*length = strlen(text);
	return text;
}
