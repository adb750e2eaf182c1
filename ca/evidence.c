/* evidence.c - request and approvals, each verified before it counts. */
#include "evidence.h"

#include <stdlib.h>
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
	e->confirms = e->ground != NULL ? e->ground->officials : 0;
	e->count = e->request.serial_count;
	evidence_together(e, 0);
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

/* DESIGN.md section 4: more than a thousand take one official more than the table says. */
void
evidence_together(struct evidence *e, uint64_t before)
{
	if (e->many || e->count + before <= ORDER_ALONE_MAX)
		return;
	e->many = true;
	e->needed++;
	e->confirms++;
	/* one official alone starts a hundred holds: so many begin confirmed */
	if (e->request.type == REQUEST_SUSPEND)
		e->needed = e->confirms;
}

enum err
evidence_list(struct evidence *e, struct bytes list)
{
	size_t count = list.n / 16;

	if (!e->request.selects || e->official_count > 0 || count == 0 || list.n % 16 != 0)
		return ERR_VALUE;
	if (count > ORDER_LIST_MAX)
		return ERR_LIMIT;
	for (size_t i = 1; i < count; i++)
		if (memcmp(list.p + 16 * (i - 1), list.p + 16 * i, 16) >= 0)
			return ERR_VALUE;
	sha256_one(list, e->list_sha256);
	e->list = list;
	e->count = count;
	evidence_together(e, 0);
	return ERR_OK;
}

static int
serial_compare(const void *a, const void *b)
{
	return memcmp(a, b, 16);
}

bool
evidence_names(const struct evidence *e, const uint8_t cti[16])
{
	const void *sorted = e->request.selects ? (const void *)e->list.p : e->request.sorted;

	return sorted != NULL && bsearch(cti, sorted, e->count, 16, serial_compare) != NULL;
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
	struct rules_approved what;
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
	what = (struct rules_approved){.request = e->jws.hash,
	        .list_sha256 = e->list.n > 0 ? e->list_sha256 : NULL,
	        .sender = e->sender,
	        .others = e->officials,
	        .other_count = e->official_count};
	if ((fault = rules_approval_check(&approval, by, &what, now)) != ERR_OK)
		return fault;
	e->officials[e->official_count++] = by;
	e->signed_by++;
	return ERR_OK;
}

bool
evidence_complete(const struct evidence *e)
{
	/* a selector names nothing before its list is frozen */
	if (e->request.selects && e->list.n == 0)
		return false;
	return e->signed_by >= e->needed;
}
