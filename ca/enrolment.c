/* enrolment.c - the approvals in front of a roster: they bind its very bytes, and only officials of
 * the roster before it count, so nobody enrols himself and the root alone enrols nobody. */
#include "enrolment.h"

#include "rules.h"

#include <stdlib.h>
#include <string.h>

static const char begin[] = "{\"enrolled_by\":[\"", between[] = "\",\"", end[] = "\"],",
                  plain[] = "{";

enum err
enrolment_digest(struct bytes payload, uint8_t out[SHA256_BYTES])
{
	if (!bytes_start(payload, plain))
		return ERR_VALUE;
	sha256_one(payload, out);
	return ERR_OK;
}

enum err
enrolment_put(
        struct bytes payload, const struct bytes approvals[ENROLMENT_OFFICIALS], struct buf *out)
{
	if (!bytes_start(payload, plain))
		return ERR_VALUE;
	buf_put_text(out, begin);
	buf_put(out, approvals[0]);
	buf_put_text(out, between);
	buf_put(out, approvals[1]);
	buf_put_text(out, end);
	buf_put(out, bytes_skip(payload, 1));
	return buf_end(out);
}

/* Takes what comes before `stop` off, and `stop`. A JWS has no character that JSON would escape. */
static bool
until(struct bytes *rest, const char *stop, struct bytes *out)
{
	size_t n = strlen(stop);
	const uint8_t *at = memmem(rest->p, rest->n, stop, n);

	if (at == NULL)
		return false;
	*out = bytes_of(rest->p, (size_t)(at - rest->p));
	*rest = bytes_skip(*rest, out->n + n);
	return true;
}

struct enrolment {
	struct bytes approvals[ENROLMENT_OFFICIALS];
	uint8_t digest[SHA256_BYTES];
};

static enum err
split(struct bytes payload, struct enrolment *out)
{
	struct bytes parts[2] = {{(const uint8_t *)"{", 1}, {NULL, 0}};

	if (!bytes_start(payload, begin))
		return ERR_APPROVALS;
	parts[1] = bytes_skip(payload, sizeof begin - 1);
	if (!until(&parts[1], between, &out->approvals[0]) ||
	        !until(&parts[1], end, &out->approvals[1]))
		return ERR_APPROVALS;
	sha256(parts, 2, out->digest);
	return ERR_OK;
}

/* clang-format off */
static enum err
approval_open(struct bytes text, const struct roster *before, int64_t now, struct approval *out,
	const struct operator **by)
/* clang-format on */
{
	struct jws j;
	enum err e = jws_decode(text, APPROVAL_BYTES_MAX, &j);

	if (e != ERR_OK)
		return e;
	if (strcmp(j.typ, APPROVAL_TYP) != 0)
		return ERR_JWS_INVALID;
	if ((e = roster_verify(before, &j, now, by)) != ERR_OK)
		return e;
	return approval_decode(&j, out);
}

static enum err
officials_check(const struct enrolment *n, const struct roster *before, int64_t now)
{
	struct approval a[ENROLMENT_OFFICIALS];
	const struct operator* by[ENROLMENT_OFFICIALS];
	enum err e = ERR_OK;

	for (size_t i = 0; i < ENROLMENT_OFFICIALS; i++)
		if ((e = approval_open(n->approvals[i], before, now, &a[i], &by[i])) != ERR_OK)
			return e;
	for (size_t i = 0; i < ENROLMENT_OFFICIALS; i++) {
		const struct rules_approved what = {
		        .request = n->digest, .sender = by[ENROLMENT_OFFICIALS - 1 - i]};

		if ((e = rules_approval_check(&a[i], by[i], &what, now)) != ERR_OK)
			return e;
	}
	return ERR_OK;
}

enum err
enrolment_check(struct bytes text, const struct roster *before, int64_t now)
{
	struct enrolment n;
	struct jws j;
	struct buf b;
	enum err e = jws_decode(text, ROSTER_BYTES_MAX, &j);

	if (e != ERR_OK)
		return e;
	b = buf_init(malloc(j.payload_text.n + 1), j.payload_text.n);
	if (b.p == NULL)
		return ERR_MEMORY;
	if ((e = jws_payload(&j, &b)) == ERR_OK && (e = split(buf_bytes(&b), &n)) == ERR_OK)
		e = officials_check(&n, before, now);
	free(b.p);
	return e;
}
