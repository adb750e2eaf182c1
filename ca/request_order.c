/* request_order.c - payloads of orders: what each type must and may carry (FORMATS.md section 3).
 */
#include "date.h"
#include "request_read.h"

#include <stdlib.h>
#include <string.h>

static int
serial_order(const void *a, const void *b)
{
	return memcmp(a, b, 16);
}

/* An order names each certificate once: a second row would be counted twice and done once. */
static enum err
serials_sort(struct request *r)
{
	r->sorted = malloc(r->serial_count * 16);
	if (r->sorted == NULL)
		return ERR_MEMORY;
	memcpy(r->sorted, r->serials, r->serial_count * 16);
	qsort(r->sorted, r->serial_count, 16, serial_order);
	for (size_t i = 1; i < r->serial_count; i++)
		if (memcmp(r->sorted[i - 1], r->sorted[i], 16) == 0)
			return ERR_FIELD_INVALID;
	return ERR_OK;
}

static enum err
serials_read(const json_t *array, struct request *r)
{
	size_t count = json_array_size(array);

	if (count < 1)
		return ERR_FIELD_INVALID;
	if (count > REQUEST_SERIALS_MAX)
		return ERR_LIMIT;
	r->serials = calloc(count, sizeof *r->serials);
	if (r->serials == NULL)
		return ERR_MEMORY;
	r->serial_count = count;
	for (size_t i = 0; i < count; i++) {
		const json_t *v = json_array_get(array, i);

		if (!json_is_string(v) ||
		        hex_decode(bytes_of(json_string_value(v), json_string_length(v)),
		                r->serials[i], sizeof r->serials[i]) != ERR_OK)
			return ERR_FIELD_INVALID;
	}
	return serials_sort(r);
}

/* What an order may carry, beyond type, jti, iat and exp. */
struct parts {
	struct bytes type, decided, effective, until, withdraws, kid, serial;
	uint64_t iat, exp;
	json_t *serials, *changes, *select;
};

enum { MEMBERS_MAX = 13 };

/* The members of each type: a letter of json.h beside each name, or none. */
static size_t
members_of(enum request_type t, struct request *r, struct parts *p, struct json_member *m)
{
	bool stop = t == REQUEST_STOP || t == REQUEST_RESUME, withdraw = t == REQUEST_WITHDRAW;
	bool replace = t == REQUEST_REPLACE, serials = !stop && !withdraw && !replace;
	size_t n = 0;

	m[n++] = (struct json_member){"type", 's', &p->type};
	m[n++] = (struct json_member){"jti", 's', &r->jti};
	m[n++] = (struct json_member){"iat", 'i', &p->iat};
	m[n++] = (struct json_member){"exp", 'i', &p->exp};
	if (withdraw) {
		m[n++] = (struct json_member){"request", 's', &p->withdraws};
		return n;
	}
	m[n++] = (struct json_member){"decision_no", 's', &r->decision_no};
	m[n++] = (struct json_member){"decided_at", 's', &p->decided};
	if (t == REQUEST_REVOKE || t == REQUEST_SUSPEND) {
		m[n++] = (struct json_member){"ground", 's', &r->ground};
		m[n++] = (struct json_member){"effective_at", 's', &p->effective};
	}
	if (replace) {
		m[n++] = (struct json_member){"ground", 's', &r->ground};
		m[n++] = (struct json_member){"serial", 's', &p->serial};
		m[n++] = (struct json_member){"changes", 'o', &p->changes};
	}
	if (t == REQUEST_SUSPEND)
		m[n++] = (struct json_member){"until", 's', &p->until};
	if (serials) {
		m[n++] = (struct json_member){"serials", 'A', &p->serials};
		m[n++] = (struct json_member){"select", 'O', &p->select};
	}
	if (stop) {
		m[n++] = (struct json_member){"center", 'S', &r->center};
		m[n++] = (struct json_member){"kid", 'S', &p->kid};
	}
	return n;
}

enum err
request_select_read(const json_t *json, struct request_select *out)
{
	struct bytes from = {NULL, 0}, to = {NULL, 0}, request = {NULL, 0};
	struct request_select s = {.from = 0, .to = INT64_MAX};
	const struct json_member members[] = {
	        {"center", 'S', &s.center},
	        {"from", 'S', &from},
	        {"to", 'S', &to},
	        {"item", 'S', &s.item},
	        {"request", 'S', &request},
	};
	enum err e = JSON_MEMBERS(json, members);

	if (e != ERR_OK)
		return e;
	s.by_request = request.p != NULL;
	if (s.center.p == NULL && s.item.p == NULL && !s.by_request)
		return ERR_FIELD_INVALID;
	if ((s.center.p != NULL && !request_text_valid(s.center, 1)) ||
	        (s.item.p != NULL && !request_text_valid(s.item, 1)) ||
	        (from.p != NULL && time_decode(from, &s.from) != ERR_OK) ||
	        (to.p != NULL && time_decode(to, &s.to) != ERR_OK) || s.from < 0 ||
	        s.to <= s.from ||
	        (s.by_request && hex_decode(request, s.request, SHA256_BYTES) != ERR_OK))
		return ERR_FIELD_INVALID;
	*out = s;
	return ERR_OK;
}

/* Exactly one of centre and key. */
static enum err
target_check(struct request *r, const struct parts *p)
{
	if ((r->center.p == NULL) == (p->kid.p == NULL))
		return ERR_FIELD_INVALID;
	if (p->kid.p != NULL) {
		if (p->kid.n != KEY_THUMB_TEXT)
			return ERR_FIELD_INVALID;
		r->center = p->kid;
		r->target_is_key = true;
	}
	return request_text_valid(r->center, 1) ? ERR_OK : ERR_FIELD_INVALID;
}

static enum err
days_read(struct request *r, const struct parts *p)
{
	enum err e = request_day_read(p->decided, &r->decided_at);

	r->effective_at = r->decided_at;
	if (e == ERR_OK && p->effective.p != NULL)
		e = request_day_read(p->effective, &r->effective_at);
	if (e == ERR_OK && p->until.p != NULL)
		e = request_day_read(p->until, &r->until);
	return e;
}

/* The one certificate that is replaced, and what changes in it. */
static enum err
replace_read(const struct parts *p, struct request *r)
{
	struct request_seat *c = &r->changes;
	const struct json_member members[] = {
	        {"name", 'S', &c->name},
	        {"sex", 'S', &c->sex},
	        {"doc_type", 'S', &c->doc_type},
	        {"doc_number", 'S', &c->doc_number},
	        {"photo_sha256", 'S', &c->photo_sha256},
	};
	enum err e = JSON_MEMBERS(p->changes, members);

	if (e != ERR_OK)
		return e;
	if ((c->doc_type.p == NULL) != (c->doc_number.p == NULL))
		return ERR_FIELD_MISSING; /* a number means nothing without its type */
	if ((r->serials = calloc(1, sizeof *r->serials)) == NULL)
		return ERR_MEMORY;
	r->serial_count = 1;
	return hex_decode(p->serial, r->serials[0], sizeof r->serials[0]) == ERR_OK
	               ? ERR_OK
	               : ERR_FIELD_INVALID;
}

enum err
request_order_read(struct request *r)
{
	struct json_member members[MEMBERS_MAX];
	struct parts p = {0};
	size_t n = members_of(r->type, r, &p, members);
	enum err e;

	if ((e = json_members(r->json, members, n)) != ERR_OK ||
	        (e = request_common_check(r, p.iat, p.exp)) != ERR_OK)
		return e;
	if (r->type == REQUEST_WITHDRAW)
		return hex_decode(p.withdraws, r->withdraws, SHA256_BYTES) == ERR_OK
		               ? ERR_OK
		               : ERR_FIELD_INVALID;
	if (!request_text_valid(r->decision_no, 1) ||
	        (r->ground.p != NULL && !request_text_valid(r->ground, 1)))
		return ERR_FIELD_INVALID;
	if ((e = days_read(r, &p)) != ERR_OK)
		return e;
	if (p.serials != NULL && p.select != NULL)
		return ERR_FIELD_INVALID;
	if (p.serials != NULL)
		return serials_read(p.serials, r);
	if (p.select != NULL) {
		r->selects = true;
		return request_select_read(p.select, &r->select);
	}
	if (p.changes != NULL)
		return replace_read(&p, r);
	if (r->type != REQUEST_STOP && r->type != REQUEST_RESUME)
		return ERR_FIELD_MISSING; /* neither serials nor select */
	return target_check(r, &p);
}
