/* request_order.c - payloads of orders: what each type must and may carry (FORMATS.md section 3).
 */
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
serials_distinct(const struct request *r)
{
	uint8_t(*sorted)[16] = malloc(r->serial_count * 16);
	enum err e = ERR_OK;

	if (sorted == NULL)
		return ERR_MEMORY;
	memcpy(sorted, r->serials, r->serial_count * 16);
	qsort(sorted, r->serial_count, 16, serial_order);
	for (size_t i = 1; i < r->serial_count; i++)
		if (memcmp(sorted[i - 1], sorted[i], 16) == 0)
			e = ERR_FIELD_INVALID;
	free(sorted);
	return e;
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
	return serials_distinct(r);
}

/* What an order may carry, beyond type, jti, iat and exp. */
struct parts {
	struct bytes type, decided, effective, until, withdraws, kid;
	uint64_t iat, exp;
	json_t *serials;
};

enum { MEMBERS_MAX = 12 };

/* The members of each type: a letter of json.h beside each name, or none. */
static size_t
members_of(enum request_type t, struct request *r, struct parts *p, struct json_member *m)
{
	bool stop = t == REQUEST_STOP || t == REQUEST_RESUME, withdraw = t == REQUEST_WITHDRAW;
	bool serials = !stop && !withdraw;
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
	if (t == REQUEST_SUSPEND)
		m[n++] = (struct json_member){"until", 's', &p->until};
	if (serials)
		m[n++] = (struct json_member){"serials", 'a', &p->serials};
	if (stop) {
		m[n++] = (struct json_member){"center", 'S', &r->center};
		m[n++] = (struct json_member){"kid", 'S', &p->kid};
	}
	return n;
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

enum err
request_order_read(struct request *r)
{
	struct json_member members[MEMBERS_MAX];
	struct parts p = {0};
	size_t n = members_of(r->type, r, &p, members);
	enum err e;

	/* a selector needs its list frozen before anyone approves it: not served yet */
	if (json_object_get(r->json, "select") != NULL)
		return ERR_TYPE_UNKNOWN;
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
	if (p.serials != NULL)
		return serials_read(p.serials, r);
	return target_check(r, &p);
}
