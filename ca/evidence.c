/* evidence.c - request and approvals, each verified before it counts. */
#include "evidence.h"

#include <string.h>

static enum err
request_rules(struct evidence *e, const struct roster *roster, const struct field *f, int64_t now)
{
	bool issue = e->request.type == REQUEST_ISSUE;
	int64_t lifetime = issue ? ISSUE_LIFETIME_S_MAX : ORDER_LIFETIME_S_MAX;
	enum err fault = request_times_check(e->request.iat, e->request.exp, lifetime, now);

	if (fault != ERR_OK)
		return fault;
	if (issue)
		fault = rules_session_check(&e->request, e->sender, f, now, &e->session);
	else
		fault = rules_order_check(&e->request, e->sender, f, &e->ground);
	if (fault != ERR_OK)
		return fault;
	e->needed = rules_officials_needed(&e->request, roster, f, issue && e->session.late);
	e->signed_by = e->sender->role == ROLE_OFFICIAL ? 1 : 0;
	return ERR_OK;
}

enum err
evidence_open(struct bytes jws, const struct roster *roster, const struct field *f, int64_t now,
        struct evidence *out)
{
	enum err e;

	memset(out, 0, sizeof *out);
	if ((e = jws_decode(jws, JWS_BYTES_MAX, &out->jws)) != ERR_OK)
		return e;
	if (strcmp(out->jws.typ, REQUEST_TYP) != 0)
		return ERR_JWS_INVALID;
	/* the signature first: nothing of a stranger's payload is parsed */
	if ((e = roster_verify(roster, &out->jws, now, &out->sender)) != ERR_OK)
		return e;
	if ((e = request_decode(&out->jws, &out->request)) != ERR_OK)
		return e;
	if ((e = request_rules(out, roster, f, now)) != ERR_OK)
		request_free(&out->request);
	return e;
}

void
evidence_free(struct evidence *e)
{
	request_free(&e->request);
}

enum err
evidence_add(struct evidence *e, struct bytes jws, const struct roster *roster, int64_t now)
{
	const struct operator* by;
	struct approval approval;
	struct jws j;
	enum err fault;

	if (e->official_count == REQUEST_APPROVALS_MAX)
		return ERR_LIMIT;
	if ((fault = jws_decode(jws, APPROVAL_BYTES_MAX, &j)) != ERR_OK)
		return fault;
	if (strcmp(j.typ, APPROVAL_TYP) != 0)
		return ERR_JWS_INVALID;
	if ((fault = roster_verify(roster, &j, now, &by)) != ERR_OK ||
	        (fault = approval_decode(&j, &approval)) != ERR_OK)
		return fault;
	fault = rules_approval_check(
	        &approval, by, e->jws.hash, e->sender, e->officials, e->official_count, now);
	if (fault != ERR_OK)
		return fault;
	e->officials[e->official_count++] = by;
	e->signed_by++;
	return ERR_OK;
}

bool
evidence_complete(const struct evidence *e)
{
	return e->signed_by >= e->needed;
}
