/* roster.c - who may ask for what: a roster is read whole and checked whole before anyone is looked
 * up in it, and never changes afterwards, so threads share it without a lock. */
#include "roster.h"

#include "base64.h"
#include "document.h"
#include "json.h"

#include <stdlib.h>
#include <string.h>

/* the formatter takes "operator" for the word of C++ */
/* clang-format off */

enum { APPROVAL_ROWS = 8, CODE_BYTES_MAX = 32, DAILY_CAP_MAX = 10000000 };

/* Floors of DESIGN.md section 4: a roster may ask for more officials, never for fewer. */
struct floor {
	const char *name;
	enum request_type type;
	bool late;
	uint64_t officials;
};

static const struct floor floors[APPROVAL_ROWS] = {
        {"issue", REQUEST_ISSUE, false, 0},
        {"issue_late", REQUEST_ISSUE, true, 1},
        {"revoke", REQUEST_REVOKE, false, 2},
        {"suspend", REQUEST_SUSPEND, false, 1},
        {"reinstate", REQUEST_REINSTATE, false, 2},
        {"replace", REQUEST_REPLACE, false, 1},
        {"stop", REQUEST_STOP, false, 1},
        {"resume", REQUEST_RESUME, false, 2},
};

struct roster {
	json_t *json; /* views of the operators point into it */
	uint64_t version;
	int64_t iat, exp;
	uint64_t officials[APPROVAL_ROWS]; /* in the order of floors[] */
	struct operator *operators;
	size_t count;
	const struct operator **by_kid; /* all, sorted by kid */
	const struct operator **by_code; /* centres only, sorted by code, then by their place in the roster */
	size_t center_count;
	uint8_t sha256[SHA256_BYTES];
};

static bool
name_valid(struct bytes v)
{
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] < 0x20 || v.p[i] == 0x7f)
			return false;
	return v.n > 0 && v.n <= TEXT_BYTES_MAX;
}

static bool
code_valid(struct bytes v)
{
	for (size_t i = 0; i < v.n; i++) {
		uint8_t c = v.p[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z') &&
		        c != '-')
			return false;
	}
	return v.n > 0 && v.n <= CODE_BYTES_MAX;
}

/* A coordinate or key in a JWK: 32 bytes. */
static enum err
coordinate_read(struct bytes text, uint8_t out[32])
{
	struct buf b = buf_init(out, 32);

	if (base64url_get(text, &b) != ERR_OK || b.n != 32)
		return ERR_FIELD_INVALID;
	return ERR_OK;
}

static enum err
jwk_read(const json_t *jwk, struct key **out)
{
	struct bytes kty, crv, x, y = {NULL, 0};
	const struct json_member members[] = {
	        {"kty", 's', &kty},
	        {"crv", 's', &crv},
	        {"x", 's', &x},
	        {"y", 'S', &y},
	};
	const struct key_suite_info *suite;
	uint8_t raw[64];
	enum err e = JSON_MEMBERS(jwk, members);

	if (e != ERR_OK || (e = coordinate_read(x, raw)) != ERR_OK)
		return e;
	if ((suite = key_suite_by_curve(kty, crv)) == NULL ||
	        (suite->suite == KEY_ED25519) != (y.p == NULL))
		return ERR_CONFIG;
	if (y.p == NULL)
		return key_from_public(suite->suite, bytes_of(raw, 32), out);
	if ((e = coordinate_read(y, raw + 32)) != ERR_OK)
		return e;
	return key_from_public(suite->suite, bytes_of(raw, 64), out);
}

/* Prefixes of 6-digit codes: 2 to 6 digits each, at least one. */
static enum err
scope_read(const json_t *array, struct bytes out[ROSTER_SCOPE_MAX], size_t *count)
{
	size_t n = json_array_size(array);

	if (n < 1 || n > ROSTER_SCOPE_MAX)
		return ERR_CONFIG;
	for (size_t i = 0; i < n; i++) {
		const json_t *v = json_array_get(array, i);
		const char *text = json_string_value(v);

		if (text == NULL)
			return ERR_FIELD_INVALID;
		out[i] = bytes_of(text, json_string_length(v));
		if (out[i].n < 2 || out[i].n > 6 || strspn(text, "0123456789") != out[i].n)
			return ERR_CONFIG;
	}
	*count = n;
	return ERR_OK;
}

static enum err
center_read(const json_t *json, struct operator *o)
{
	json_t *regions = NULL, *items = NULL;
	const struct json_member members[] = {
	        {"code", 's', &o->code},
	        {"name", 's', &o->name},
	        {"uscc", 's', &o->uscc},
	        {"regions", 'a', &regions},
	        {"items", 'a', &items},
	        {"daily_cap", 'i', &o->daily_cap},
	};
	enum err e = JSON_MEMBERS(json, members);

	if (e != ERR_OK)
		return e;
	if (!code_valid(o->code) || !name_valid(o->name) || !uscc_valid(o->uscc) ||
	        o->daily_cap < 1 || o->daily_cap > DAILY_CAP_MAX)
		return ERR_CONFIG;
	if ((e = scope_read(regions, o->regions, &o->region_count)) != ERR_OK)
		return e;
	return scope_read(items, o->items, &o->item_count);
}

static enum err
role_read(struct bytes role, const json_t *center, struct operator *o)
{
	if (bytes_equal_text(role, "center") && center != NULL) {
		o->role = ROLE_CENTER;
		return center_read(center, o);
	}
	if (!bytes_equal_text(role, "official") || center != NULL)
		return ERR_CONFIG;
	o->role = ROLE_OFFICIAL;
	return ERR_OK;
}

static enum err
operator_read(const json_t *json, struct operator *o)
{
	struct bytes kid, role;
	json_t *jwk = NULL, *center = NULL;
	uint64_t not_before = 0, not_after = 0;
	const struct json_member members[] = {
	        {"kid", 's', &kid},
	        {"jwk", 'o', &jwk},
	        {"person", 's', &o->person},
	        {"role", 's', &role},
	        {"center", 'O', &center},
	        {"not_before", 'i', &not_before},
	        {"not_after", 'i', &not_after},
	};
	enum err e = JSON_MEMBERS(json, members);

	if (e != ERR_OK || (e = jwk_read(jwk, &o->key)) != ERR_OK)
		return e;
	if (!bytes_equal_text(kid, key_thumb_text(o->key)) || !name_valid(o->person) ||
	        not_before >= not_after || not_after > INT64_MAX)
		return ERR_CONFIG;
	o->not_before = (int64_t)not_before;
	o->not_after = (int64_t)not_after;
	return role_read(role, center, o);
}

static enum err
operators_read(const json_t *array, struct roster *r)
{
	size_t count = json_array_size(array);
	enum err e = ERR_OK;

	if (count < 1 || count > ROSTER_OPERATORS_MAX)
		return ERR_CONFIG;
	r->operators = calloc(count, sizeof *r->operators);
	r->by_kid = calloc(count, sizeof *r->by_kid);
	r->by_code = calloc(count, sizeof *r->by_code);
	if (r->operators == NULL || r->by_kid == NULL || r->by_code == NULL)
		return ERR_MEMORY;
	for (r->count = 0; r->count < count; r->count++) {
		struct operator *o = &r->operators[r->count];

		if ((e = operator_read(json_array_get(array, r->count), o)) != ERR_OK) {
			key_free(o->key);
			return e;
		}
		r->by_kid[r->count] = o;
		if (o->role == ROLE_CENTER)
			r->by_code[r->center_count++] = o;
	}
	return ERR_OK;
}

static int
kid_order(const void *a, const void *b)
{
	const struct operator *x = *(const struct operator *const *)a;
	const struct operator *y = *(const struct operator *const *)b;

	return strcmp(key_thumb_text(x->key), key_thumb_text(y->key));
}

static int
code_order(const void *a, const void *b)
{
	const struct operator *x = *(const struct operator *const *)a;
	const struct operator *y = *(const struct operator *const *)b;
	int c = bytes_compare(x->code, y->code);

	return c != 0 ? c : (x > y) - (x < y);
}

static bool
scope_equal(const struct bytes *a, size_t a_count, const struct bytes *b, size_t b_count)
{
	for (size_t i = 0; i < a_count && i < b_count; i++)
		if (!bytes_equal(a[i], b[i]))
			return false;
	return a_count == b_count;
}

/* Two keys of one centre: what it may do must not depend on which of them signs. */
static bool
center_equal(const struct operator *a, const struct operator *b)
{
	return bytes_equal(a->name, b->name) && bytes_equal(a->uscc, b->uscc) &&
	       a->daily_cap == b->daily_cap &&
	       scope_equal(a->regions, a->region_count, b->regions, b->region_count) &&
	       scope_equal(a->items, a->item_count, b->items, b->item_count);
}

static enum err
index_make(struct roster *r)
{
	qsort(r->by_kid, r->count, sizeof *r->by_kid, kid_order);
	qsort(r->by_code, r->center_count, sizeof *r->by_code, code_order);
	for (size_t i = 1; i < r->count; i++)
		if (kid_order(&r->by_kid[i - 1], &r->by_kid[i]) == 0)
			return ERR_CONFIG;
	for (size_t i = 1; i < r->center_count; i++)
		if (bytes_equal(r->by_code[i - 1]->code, r->by_code[i]->code) &&
		        !center_equal(r->by_code[i - 1], r->by_code[i]))
			return ERR_CONFIG;
	return ERR_OK;
}

static enum err
approvals_read(const json_t *json, struct roster *r)
{
	struct json_member members[APPROVAL_ROWS];
	enum err e = ERR_OK;

	for (size_t i = 0; i < APPROVAL_ROWS; i++)
		members[i] = (struct json_member){floors[i].name, 'i', &r->officials[i]};
	if ((e = JSON_MEMBERS(json, members)) != ERR_OK)
		return e;
	for (size_t i = 0; i < APPROVAL_ROWS; i++)
		if (r->officials[i] < floors[i].officials ||
		        r->officials[i] > REQUEST_APPROVALS_MAX)
			return ERR_CONFIG;
	return ERR_OK;
}

static enum err
payload_read(struct roster *r)
{
	uint64_t iat = 0, exp = 0;
	json_t *operators = NULL, *approvals = NULL, *enrolled_by = NULL; /* enrolment.h */
	const struct json_member members[] = {
	        {"enrolled_by", 'A', &enrolled_by},
	        {"version", 'i', &r->version},
	        {"iat", 'i', &iat},
	        {"exp", 'i', &exp},
	        {"operators", 'a', &operators},
	        {"approvals", 'o', &approvals},
	};
	enum err e = JSON_MEMBERS(r->json, members);

	if (e != ERR_OK)
		return e;
	if (r->version < 1 || iat >= exp || exp > INT64_MAX)
		return ERR_CONFIG;
	r->iat = (int64_t)iat;
	r->exp = (int64_t)exp;
	if ((e = approvals_read(approvals, r)) != ERR_OK ||
	        (e = operators_read(operators, r)) != ERR_OK)
		return e;
	return index_make(r);
}

/* Verified before a byte of the payload is read. */
static enum err
json_of(struct bytes text, const struct key *root, json_t **out)
{
	struct jws j;
	struct buf b;
	enum err e = jws_decode(text, ROSTER_BYTES_MAX, &j);

	if (e != ERR_OK || (e = jws_verify(&j, root)) != ERR_OK)
		return e;
	if (strcmp(j.typ, ROSTER_TYP) != 0)
		return ERR_JWS_INVALID;
	b = buf_init(malloc(j.payload_text.n), j.payload_text.n);
	if (b.p == NULL)
		return ERR_MEMORY;
	if ((e = jws_payload(&j, &b)) == ERR_OK)
		e = json_read(buf_bytes(&b), ROSTER_BYTES_MAX, out);
	free(b.p);
	return e;
}

enum err
roster_read(struct bytes text, const struct key *root, struct roster **out)
{
	struct roster *r = calloc(1, sizeof *r);
	enum err e = ERR_OK;

	if (r == NULL)
		return ERR_MEMORY;
	if ((e = json_of(text, root, &r->json)) != ERR_OK || (e = payload_read(r)) != ERR_OK) {
		roster_free(r);
		return e;
	}
	sha256_one(text, r->sha256);
	*out = r;
	return ERR_OK;
}

void
roster_free(struct roster *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < r->count; i++)
		key_free(r->operators[i].key);
	free(r->operators);
	free(r->by_kid);
	free(r->by_code);
	json_decref(r->json);
	free(r);
}

uint64_t
roster_version(const struct roster *r)
{
	return r->version;
}

int64_t
roster_exp(const struct roster *r)
{
	return r->exp;
}

void
roster_sha256(const struct roster *r, uint8_t out[SHA256_BYTES])
{
	memcpy(out, r->sha256, SHA256_BYTES);
}

static int
kid_find(const void *kid, const void *row)
{
	return strcmp(kid, key_thumb_text((*(const struct operator *const *)row)->key));
}

const struct operator *
roster_find(const struct roster *r, const char *kid)
{
	const struct operator **at = bsearch(kid, r->by_kid, r->count, sizeof *r->by_kid, kid_find);

	return at == NULL ? NULL : *at;
}

const struct operator *
roster_center(const struct roster *r, struct bytes code)
{
	size_t low = 0, high = r->center_count;

	while (low < high) { /* the first whose code is not lower */
		size_t mid = low + (high - low) / 2;

		if (bytes_compare(r->by_code[mid]->code, code) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == r->center_count || !bytes_equal(r->by_code[low]->code, code))
		return NULL;
	return r->by_code[low];
}

int
roster_officials(const struct roster *r, enum request_type t, bool late)
{
	uint64_t most = 0;

	for (size_t i = 0; i < APPROVAL_ROWS; i++)
		if (floors[i].type == t && (late || !floors[i].late) && r->officials[i] > most)
			most = r->officials[i];
	return (int)most;
}

enum err
roster_verify(const struct roster *r, const struct jws *j, int64_t now, const struct operator **out)
{
	const struct operator *o = roster_find(r, j->kid);
	enum err e = ERR_OK;

	if (o == NULL)
		return ERR_KID_UNKNOWN;
	if ((e = jws_verify(j, o->key)) != ERR_OK)
		return e;
	if (now < o->not_before || now >= o->not_after)
		return ERR_KEY_EXPIRED;
	*out = o;
	return ERR_OK;
}
