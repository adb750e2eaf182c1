/* verify_crl.c - fetches the CRL of a list: it gives dates and reasons, and is taken only when it
 * is this list's and not older than the one held. */
#include "verify_part.h"
#include "verify_state.h"

#include <stdio.h>
#include <stdlib.h>

/* The IDP must name this list's CRL of this authority, whatever the scheme. */
static bool
crl_is(const struct sync *s, struct bytes url, uint32_t n)
{
	uint8_t room[HOST_BYTES_MAX + 64];
	struct buf want = BUF_OF(room);

	buf_put_text(&want, "://");
	buf_put(&want, s->m.iss);
	buf_put_text(&want, "/crl/");
	buf_put_decimal(&want, n);
	buf_put_text(&want, ".crl");
	if (want.failed || (!bytes_start(url, "http:") && !bytes_start(url, "https:")))
		return false;
	return bytes_equal(bytes_skip(url, bytes_start(url, "http:") ? 4 : 5), buf_bytes(&want));
}

static bool
crl_against(
        struct sync *s, const struct crl_times *t, struct bytes der, const char *name, bool *same)
{
	struct crl_times held;
	uint8_t *bytes = NULL, url_room[600];
	struct buf url = BUF_OF(url_room);
	size_t n = 0;
	enum err e = state_read(s->o->dir, name, SYNC_CRL_BYTES_MAX, &bytes, &n);
	bool known = false;

	if (e != ERR_OK)
		return e == ERR_NOT_FOUND || sync_fault(s, e);
	*same = bytes_equal(der, bytes_of(bytes, n));
	/* one under a CA that the manifest has since replaced is no measure */
	known = crl_check(bytes_of(bytes, n), s->m.crl_ca, &held, &url) == ERR_OK;
	free(bytes);
	if (known && t->number < held.number)
		return sync_attack(s, REASON_ROLLBACK);
	if (known && t->number == held.number && !*same)
		return sync_attack(s, REASON_FORK);
	return true;
}

bool
sync_crl(struct sync *s, uint32_t list)
{
	char path[STATE_NAME_MAX], name[STATE_NAME_MAX];
	struct client_reply reply;
	struct crl_times t;
	uint8_t url_room[600];
	struct buf url = BUF_OF(url_room);
	bool missing = false, same = false;

	snprintf(path, sizeof path, "/crl/%lu.crl", (unsigned long)list);
	state_crl_name(list, name);
	if (!sync_fetch(s, path, SYNC_CRL_BYTES_MAX, &reply, &missing))
		return false;
	if (missing)
		return !state_has(s->o->dir, name) || sync_attack(s, REASON_ROLLBACK);
	if (crl_check(reply.body, s->m.crl_ca, &t, &url) != ERR_OK)
		return sync_attack(s, REASON_CRL);
	if (!crl_is(s, buf_bytes(&url), list))
		return sync_attack(s, REASON_MIXED);
	if (sync_ahead(s, t.this_update) || t.number > INT64_MAX ||
	        sync_ahead(s, (int64_t)t.number))
		return sync_attack(s, REASON_AHEAD);
	if (!crl_against(s, &t, reply.body, name, &same))
		return false;
	if (t.next_update <= s->now)
		return sync_attack(s, REASON_FREEZE);
	sync_seen(s, t.this_update);
	s->r->crls++;
	return same || sync_keep(s, name, reply.body);
}

bool
sync_crls_missing(struct sync *s)
{
	char name[STATE_NAME_MAX];

	for (uint32_t n = 0; n < s->held.count; n++) {
		state_crl_name(n, name);
		if (!state_has(s->o->dir, name) && !sync_crl(s, n))
			return false;
	}
	return true;
}
