/* verify_head.c - head and table: a head is taken only above the one held, whole and in time, and
 * is kept only when everything that it names is in place. */
#include "verify_part.h"
#include "verify_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of the one that this reader relies on. */
static const char *
head_path(const struct sync *s)
{
	return manifest_head_path(key_suite(s->o->root));
}

/* What is held */

static bool
rows_held(struct sync *s)
{
	struct sync_head *held = &s->held;
	char name[STATE_NAME_MAX];
	uint8_t *bytes = NULL, hash[SHA256_BYTES];
	struct cose_sign1 m;
	struct table t = {0};
	size_t n = 0;
	enum err e;

	state_table_name(held->h.sequence, name);
	e = state_read(s->o->dir, name, TABLE_BYTES_MAX, &bytes, &n);
	if (e == ERR_OK) {
		sha256_one(bytes_of(bytes, n), hash);
		e = memcmp(hash, held->h.table_sha256, SHA256_BYTES) != 0
		            ? ERR_ENCODING
		            : table_decode(bytes_of(bytes, n), &m, held->rows, HEAD_LISTS_MAX, &t);
	}
	free(bytes);
	if (e != ERR_OK)
		return sync_fault(s, e);
	held->count = t.count;
	return true;
}

bool
sync_held(struct sync *s)
{
	struct cose_sign1 m;
	uint8_t *bytes = NULL;
	size_t n = 0;
	enum err e;

	s->held.rows = calloc(HEAD_LISTS_MAX, sizeof *s->held.rows);
	s->next.rows = calloc(HEAD_LISTS_MAX, sizeof *s->next.rows);
	if (s->held.rows == NULL || s->next.rows == NULL)
		return sync_fault(s, ERR_MEMORY);
	snprintf(s->r->file, sizeof s->r->file, "%s", head_path(s));
	e = state_read(s->o->dir, "head.cwt", HEAD_BYTES_MAX, &bytes, &n);
	if (e == ERR_NOT_FOUND)
		return true;
	if (e == ERR_OK) {
		memcpy(s->held.bytes, bytes, n);
		s->held.n = n;
		e = head_decode(bytes_of(s->held.bytes, n), &m, &s->held.h);
	}
	free(bytes);
	if (e != ERR_OK)
		return sync_fault(s, e);
	s->held.there = true;
	return rows_held(s);
}

/* The head */

/* A server that is not set up yet has no manifest either; one that was seen, or that publishes all
 * the rest, hides its head. */
static bool
head_missing(struct sync *s)
{
	struct client_reply reply;
	bool missing = false;

	if (!s->held.there && !s->m_open &&
	        sync_fetch(s, "/manifest.cose", MANIFEST_BYTES_MAX, &reply, &missing) && missing)
		return sync_away(s, ERR_NOT_FOUND);
	snprintf(s->r->file, sizeof s->r->file, "%s", head_path(s));
	return sync_attack(s, REASON_NO_HEAD);
}

bool
sync_head_fetch(struct sync *s)
{
	struct client_reply reply;
	bool missing = false;

	if (!sync_fetch(s, head_path(s), HEAD_BYTES_MAX, &reply, &missing))
		return false;
	if (missing)
		return head_missing(s);
	if (reply.body.n > 0)
		memcpy(s->next.bytes, reply.body.p, reply.body.n);
	s->next.n = reply.body.n;
	return true;
}

/* The manifest is fetched only when the head names another than the one held. */
static bool
manifest_bring(struct sync *s)
{
	const struct head *h = &s->next.h;

	if ((!s->m_open || s->m.version != h->manifest_version ||
	            memcmp(s->m.sha256, h->manifest_sha256, SHA256_BYTES) != 0) &&
	        !sync_manifest(s))
		return false;
	s->r->version = s->m.version;
	if (s->m.version < h->manifest_version)
		return sync_mismatch(s, REASON_ROLLBACK);
	if (s->m.version == h->manifest_version &&
	        memcmp(s->m.sha256, h->manifest_sha256, SHA256_BYTES) != 0)
		return sync_mismatch(s, REASON_MIXED);
	return true;
}

static bool
head_signed(struct sync *s, const struct cose_sign1 *m)
{
	const struct manifest_key *key = manifest_head_key(&s->m, m->kid);
	const struct head *h = &s->next.h;

	return key != NULL && cose_verify(m, key->key, HEAD_TYPE) == ERR_OK &&
	       bytes_equal(h->iss, s->m.iss) && h->iat >= key->not_before &&
	       h->iat < key->not_after &&
	       (key->last_size == UINT64_MAX || h->tree_size <= key->last_size);
}

static bool
head_against(struct sync *s)
{
	const struct head *held = &s->held.h, *h = &s->next.h;

	if (!s->held.there)
		return true;
	if (h->sequence < held->sequence || h->list_count < held->list_count ||
	        h->tree_size < held->tree_size || h->manifest_version < held->manifest_version)
		return sync_attack(s, REASON_ROLLBACK);
	return h->sequence > held->sequence ||
	       bytes_equal(
	               bytes_of(s->next.bytes, s->next.n), bytes_of(s->held.bytes, s->held.n)) ||
	       sync_attack(s, REASON_FORK);
}

static bool
head_accept(struct sync *s)
{
	struct cose_sign1 m;
	const struct head *h = &s->next.h;

	if (head_decode(bytes_of(s->next.bytes, s->next.n), &m, &s->next.h) != ERR_OK)
		return sync_attack(s, REASON_HEAD);
	if (!manifest_bring(s))
		return false;
	snprintf(s->r->file, sizeof s->r->file, "%s", head_path(s));
	if (!head_signed(s, &m))
		return sync_attack(s, REASON_HEAD);
	if (sync_ahead(s, h->iat) || sync_ahead(s, (int64_t)h->sequence))
		return sync_attack(s, REASON_AHEAD);
	if (!head_against(s))
		return false;
	if (h->exp <= s->now)
		return sync_attack(s, REASON_FREEZE);
	sync_seen(s, h->iat);
	return true;
}

/* The table */

static bool
rows_against(struct sync *s)
{
	for (size_t i = 0; i < s->held.count; i++) {
		const struct table_row *old = &s->held.rows[i], *row = &s->next.rows[i];

		if (row->sequence < old->sequence)
			return sync_attack(s, REASON_ROLLBACK);
		if (row->sequence == old->sequence &&
		        (memcmp(row->cwt_sha256, old->cwt_sha256, SHA256_BYTES) != 0 ||
		                memcmp(row->raw_sha256, old->raw_sha256, SHA256_BYTES) != 0))
			return sync_attack(s, REASON_FORK);
	}
	return true;
}

bool
sync_table(struct sync *s)
{
	char path[80], name[STATE_NAME_MAX];
	struct client_reply reply;
	const struct manifest_key *key;
	struct cose_sign1 m;
	struct table t;
	uint8_t hash[SHA256_BYTES];

	snprintf(path, sizeof path, "/status/table/%llu.cwt",
	        (unsigned long long)s->next.h.sequence);
	if (!sync_fetch_named(s, path, TABLE_BYTES_MAX, &reply))
		return false;
	sha256_one(reply.body, hash);
	if (memcmp(hash, s->next.h.table_sha256, SHA256_BYTES) != 0)
		return sync_mismatch(s, REASON_MIXED);
	if (table_decode(reply.body, &m, s->next.rows, HEAD_LISTS_MAX, &t) != ERR_OK ||
	        (key = manifest_find(&s->m, m.kid, KEY_STATUS)) == NULL ||
	        cose_verify(&m, key->key, TABLE_TYPE) != ERR_OK)
		return sync_attack(s, REASON_HEAD);
	if (t.count != s->next.h.list_count || !bytes_equal(t.iss, s->next.h.iss))
		return sync_attack(s, REASON_MIXED);
	s->next.count = t.count;
	state_table_name(s->next.h.sequence, name);
	return rows_against(s) && sync_keep(s, name, reply.body);
}

/* Is this file named by the head that is kept now? */
static bool
file_named(void *ctx, const char *name)
{
	const struct sync *s = ctx;
	char want[STATE_NAME_MAX];

	state_table_name(s->next.h.sequence, want);
	if (strcmp(name, want) == 0)
		return true;
	if (strncmp(name, "lists/", 6) != 0)
		return false;
	unsigned long n = strtoul(name + 6, NULL, 10);
	if (n >= s->next.count)
		return false;
	state_raw_name((uint32_t)n, s->next.rows[n].raw_sha256, want);
	return strcmp(name, want) == 0;
}

/* The same head again, and nothing of it lost: one request was enough. */
static bool
head_same(const struct sync *s)
{
	return s->held.there && s->m_open && s->held.h.manifest_version == s->m.version &&
	       bytes_equal(
	               bytes_of(s->next.bytes, s->next.n), bytes_of(s->held.bytes, s->held.n)) &&
	       sync_lists_there(s);
}

bool
sync_head(struct sync *s)
{
	if (head_same(s)) {
		s->r->version = s->m.version;
		s->r->size = s->held.h.tree_size;
		s->r->lists = (uint32_t)s->held.count;
		if (s->held.h.exp <= s->now)
			return sync_attack(s, REASON_FREEZE);
		return !s->o->crls || sync_crls_missing(s);
	}
	if (!head_accept(s) || !sync_checkpoint(s) || !sync_table(s) || !sync_logged(s) ||
	        !sync_lists(s) || !sync_keep(s, "head.cwt", bytes_of(s->next.bytes, s->next.n)))
		return false;
	state_sweep(s->o->dir, file_named, s);
	return true;
}
