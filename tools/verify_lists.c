/* verify_lists.c - fetches status lists and CRLs: a list is taken only when it is this list, newer
 * than the one held, and undoes no revocation of it. */
#include "status.h"
#include "verify_part.h"
#include "verify_state.h"

#include <stdio.h>
#include <stdlib.h>

/* Status lists */

static bool
list_accept(struct sync *s, uint32_t n, struct bytes token, struct status_token *t)
{
	struct cose_sign1 m;
	const struct manifest_key *key = NULL;

	if (status_cwt_decode(token, &m, t) != ERR_OK ||
	        (key = manifest_find(&s->m, m.kid, KEY_STATUS)) == NULL ||
	        cose_verify(&m, key->key, STATUS_CWT_TYPE) != ERR_OK || t->iat < key->not_before ||
	        t->iat >= key->not_after)
		return sync_attack(s, REASON_LIST);
	if (!status_uri_is(t->uri, s->m.status_prefix, n))
		return sync_attack(s, REASON_MIXED);
	if (sync_ahead(s, t->iat) || t->sequence > INT64_MAX || sync_ahead(s, (int64_t)t->sequence))
		return sync_attack(s, REASON_AHEAD);
	return true;
}

static bool
list_inflate(struct sync *s, const struct status_token *t, uint8_t *raw)
{
	enum err e = status_inflate(t->lst, raw, LIST_BYTES);

	if (e == ERR_MEMORY)
		return sync_fault(s, e);
	return e == ERR_OK || sync_attack(s, e == ERR_LIMIT ? REASON_ENDLESS : REASON_LIST);
}

/* A revocation is for ever, and so is the end of a certificate that was replaced. */
static bool
list_undoes(const uint8_t *held, const uint8_t *now)
{
	for (uint32_t i = 0; i < LIST_ENTRIES; i++) {
		enum status was = status_get(held, i), is = status_get(now, i);

		if (was == STATUS_INVALID && is != STATUS_INVALID)
			return true;
		if (was == STATUS_SUPERSEDED && is != STATUS_SUPERSEDED && is != STATUS_INVALID)
			return true;
	}
	return false;
}

static bool
list_against(
        struct sync *s, const struct status_token *held, const struct status_token *now, bool same)
{
	uint8_t *raw = NULL;
	bool ok = false;

	if (now->sequence < held->sequence)
		return sync_attack(s, REASON_ROLLBACK);
	if (now->sequence == held->sequence)
		return same || sync_attack(s, REASON_FORK);
	if ((raw = malloc((size_t)2 * LIST_BYTES)) == NULL)
		return sync_fault(s, ERR_MEMORY);
	if (status_inflate(held->lst, raw, LIST_BYTES) != ERR_OK)
		sync_fault(s, ERR_ENCODING);
	else if (list_inflate(s, now, raw + LIST_BYTES))
		ok = !list_undoes(raw, raw + LIST_BYTES) || sync_attack(s, REASON_REINSTATED);
	free(raw);
	return ok;
}

/* *same: the server offers what is held. */
static bool
list_compare(struct sync *s, const char *name, struct bytes token, const struct status_token *t,
        bool *same)
{
	struct status_token held;
	struct cose_sign1 m;
	uint8_t *bytes = NULL;
	size_t n = 0;
	bool ok = false;
	enum err e = state_read(s->o->dir, name, TOKEN_BYTES_MAX, &bytes, &n);

	*same = false;
	if (e == ERR_NOT_FOUND)
		return true;
	if (e == ERR_OK && (e = status_cwt_decode(bytes_of(bytes, n), &m, &held)) == ERR_OK) {
		*same = bytes_equal(token, bytes_of(bytes, n));
		ok = list_against(s, &held, t, *same);
	} else {
		sync_fault(s, e);
	}
	free(bytes);
	return ok;
}

static bool
list_whole(struct sync *s, const struct status_token *t)
{
	uint8_t *raw = malloc(LIST_BYTES);
	bool ok = raw == NULL ? sync_fault(s, ERR_MEMORY) : list_inflate(s, t, raw);

	free(raw);
	return ok;
}

static bool
sync_list(struct sync *s, uint32_t n, bool *missing)
{
	char path[STATE_NAME_MAX], name[STATE_NAME_MAX];
	struct client_reply reply;
	struct status_token t;
	bool same = false;

	snprintf(path, sizeof path, "/status/%lu.cwt", (unsigned long)n);
	state_list_name(n, name);
	if (!sync_fetch(s, path, TOKEN_BYTES_MAX, &reply, missing))
		return false;
	if (*missing)
		return !state_has(s->o->dir, name) ||
		       sync_attack(s, REASON_ROLLBACK); /* lists do not vanish */
	if (!list_accept(s, n, reply.body, &t) || !list_whole(s, &t) ||
	        !list_compare(s, name, reply.body, &t, &same))
		return false;
	if (t.exp <= s->now)
		return sync_attack(s, REASON_FREEZE);
	sync_seen(s, t.iat);
	s->r->lists++;
	return same || sync_keep(s, name, reply.body);
}

/* CRLs */

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

static bool
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
sync_lists(struct sync *s)
{
	for (uint32_t n = 0; n < SYNC_LISTS_MAX; n++) {
		bool missing = false;

		if (!sync_list(s, n, &missing))
			return false;
		if (missing)
			return true;
		if (!sync_crl(s, n))
			return false;
	}
	return sync_attack(s, REASON_ENDLESS);
}
