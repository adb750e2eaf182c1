/* verify_lists.c - brings the raw lists to what the table says: by the delta where its result has
 * the right hash, else by the list itself; a revocation is never undone. */
#include "status.h"
#include "verify_part.h"
#include "verify_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool
sync_lists_there(const struct sync *s)
{
	char name[STATE_NAME_MAX];

	for (uint32_t n = 0; n < s->held.count; n++) {
		state_raw_name(n, s->held.rows[n].raw_sha256, name);
		if (!state_has(s->o->dir, name))
			return false;
	}
	return true;
}

/* Delta */

/* The shortest that begins at or before what is held. */
static const struct head_delta *
delta_choose(const struct sync *s)
{
	const struct head_delta *best = NULL;

	for (size_t i = 0; s->held.there && i < s->next.h.delta_count; i++)
		if (s->next.h.deltas[i].base <= s->held.h.sequence)
			best = &s->next.h.deltas[i];
	return best;
}

/* What does not verify is passed over: the lists themselves decide. */
static bool
delta_take(struct sync *s, const struct head_delta *named, struct bytes body)
{
	struct cose_sign1 m;
	const struct manifest_key *key;
	struct delta d;
	uint8_t hash[SHA256_BYTES];

	sha256_one(body, hash);
	if (memcmp(hash, named->sha256, SHA256_BYTES) != 0)
		return true;
	s->changes = calloc(DELTA_CHANGES_MAX, sizeof *s->changes);
	if (s->changes == NULL)
		return sync_fault(s, ERR_MEMORY);
	if (delta_decode(body, &m, s->changes, DELTA_CHANGES_MAX, &d) != ERR_OK ||
	        (key = manifest_find(&s->m, m.kid, KEY_STATUS)) == NULL ||
	        cose_verify(&m, key->key, DELTA_TYPE) != ERR_OK || d.base != named->base ||
	        d.sequence != s->next.h.sequence)
		return true;
	s->change_count = d.count;
	s->delta_there = true;
	return true;
}

static bool
delta_fetch(struct sync *s)
{
	const struct head_delta *named = delta_choose(s);
	struct client_reply reply;
	char path[80];
	bool missing = false;

	s->delta_asked = true;
	if (named == NULL)
		return true;
	snprintf(path, sizeof path, "/status/delta/%llu-%llu.cwt", (unsigned long long)named->base,
	        (unsigned long long)s->next.h.sequence);
	if (!sync_fetch(s, path, DELTA_BYTES_MAX, &reply, &missing))
		return false;
	return missing || delta_take(s, named, reply.body);
}

static bool
raw_is(const uint8_t *raw, const struct table_row *row)
{
	uint8_t hash[SHA256_BYTES];

	sha256_one(bytes_of(raw, LIST_BYTES), hash);
	return memcmp(hash, row->raw_sha256, SHA256_BYTES) == 0;
}

static bool
delta_makes(const struct sync *s, uint32_t n, uint8_t *raw)
{
	memcpy(raw, s->raw, LIST_BYTES);
	for (size_t i = 0; i < s->change_count; i++)
		if (s->changes[i].list == n)
			status_set(raw, s->changes[i].idx, s->changes[i].status);
	return raw_is(raw, &s->next.rows[n]);
}

/* The list itself */

static bool
list_signed(const struct sync *s, struct bytes token, struct status_token *t)
{
	struct cose_sign1 m;
	const struct manifest_key *key;

	return status_cwt_decode(token, &m, t) == ERR_OK &&
	       (key = manifest_find(&s->m, m.kid, KEY_STATUS)) != NULL &&
	       cose_verify(&m, key->key, STATUS_CWT_TYPE) == ERR_OK && t->iat >= key->not_before &&
	       t->iat < key->not_after;
}

static bool
list_fetch(struct sync *s, uint32_t n, uint8_t *raw)
{
	const struct table_row *row = &s->next.rows[n];
	struct client_reply reply;
	struct status_token t;
	uint8_t hash[SHA256_BYTES];
	char path[80];
	enum err e;

	snprintf(path, sizeof path, "/status/version/%lu-%llu.cwt", (unsigned long)n,
	        (unsigned long long)row->sequence);
	if (!sync_fetch_named(s, path, TOKEN_BYTES_MAX, &reply))
		return false;
	if (!list_signed(s, reply.body, &t))
		return sync_mismatch(s, REASON_LIST);
	sha256_one(reply.body, hash);
	if (!status_uri_is(t.uri, s->m.status_prefix, n) || t.sequence != row->sequence ||
	        memcmp(hash, row->cwt_sha256, SHA256_BYTES) != 0)
		return sync_mismatch(s, REASON_MIXED);
	if ((e = status_inflate(t.lst, raw, LIST_BYTES)) == ERR_MEMORY)
		return sync_fault(s, e);
	if (e != ERR_OK)
		return sync_attack(s, e == ERR_LIMIT ? REASON_ENDLESS : REASON_LIST);
	return raw_is(raw, row) || sync_attack(s, REASON_MIXED);
}

/* One list */

/* Into the first half of s->raw; false where it is not held, or damaged. */
static bool
raw_held(struct sync *s, uint32_t n)
{
	char name[STATE_NAME_MAX];
	uint8_t *bytes = NULL;
	size_t size = 0;
	bool good;

	if (n >= s->held.count)
		return false;
	state_raw_name(n, s->held.rows[n].raw_sha256, name);
	if (state_read(s->o->dir, name, LIST_BYTES, &bytes, &size) != ERR_OK)
		return false;
	good = size == LIST_BYTES && raw_is(bytes, &s->held.rows[n]);
	if (good)
		memcpy(s->raw, bytes, LIST_BYTES);
	free(bytes);
	return good;
}

static bool
list_bring(struct sync *s, uint32_t n, const char *name)
{
	uint8_t *next = s->raw + LIST_BYTES;
	bool held = raw_held(s, n);

	if (held && !s->delta_asked && !delta_fetch(s))
		return false;
	if (!(held && s->delta_there && delta_makes(s, n, next)) && !list_fetch(s, n, next))
		return false;
	/* a revocation is for ever, and so is the end of a certificate that was replaced */
	if (held && status_undoes(s->raw, next))
		return sync_attack(s, REASON_REINSTATED);
	return sync_keep(s, name, bytes_of(next, LIST_BYTES));
}

bool
sync_lists(struct sync *s)
{
	if (s->raw == NULL && (s->raw = malloc((size_t)2 * LIST_BYTES)) == NULL)
		return sync_fault(s, ERR_MEMORY);
	for (uint32_t n = 0; n < s->next.count; n++) {
		char name[STATE_NAME_MAX], crl[STATE_NAME_MAX];
		bool same =
		        n < s->held.count && memcmp(s->held.rows[n].raw_sha256,
		                                     s->next.rows[n].raw_sha256, SHA256_BYTES) == 0;

		state_raw_name(n, s->next.rows[n].raw_sha256, name);
		state_crl_name(n, crl);
		if (!state_has(s->o->dir, name) && !list_bring(s, n, name))
			return false;
		s->r->lists++;
		/* one older than its list would pass for current later: it goes, and comes back
		 * with --crl */
		if (!s->o->crls && !same)
			state_remove(s->o->dir, crl);
		if (s->o->crls && (!same || !state_has(s->o->dir, crl)) && !sync_crl(s, n))
			return false;
	}
	return true;
}
