/* verify_logged.c - each list version that a table names must have its entry 3 in the log that the
 * head names, and be young: who stole the status key alone can neither show a list that is not
 * logged, nor go on showing an old one. */
#include "entry.h"
#include "proof.h"
#include "verify_part.h"
#include "verify_tiles.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool
row_held(const struct sync *s, size_t n)
{
	const struct table_row *old = &s->held.rows[n], *row = &s->next.rows[n];

	return n < s->held.count && row->sequence == old->sequence &&
	       memcmp(row->cwt_sha256, old->cwt_sha256, SHA256_BYTES) == 0;
}

/* The entry says what the row says, and when. */
static bool
entry_fits(struct sync *s, const struct entry *e, size_t list, uint64_t index)
{
	const struct table_row *row = &s->next.rows[list];

	if (e->type != ENTRY_LIST || e->list != list || e->sequence != row->sequence ||
	        memcmp(e->raw_sha256, row->raw_sha256, SHA256_BYTES) != 0 ||
	        memcmp(e->cwt_sha256, row->cwt_sha256, SHA256_BYTES) != 0 || e->tree_size > index)
		return sync_mismatch(s, REASON_UNLOGGED);
	if (e->this_update + LIST_RENEWED_S_MAX <= s->next.h.iat)
		return sync_mismatch(s, REASON_FREEZE);
	return true;
}

/* In the tree of the head: the path is made here, from tiles. */
static bool
entry_logged(struct sync *s, const struct proof *p)
{
	const struct head *h = &s->next.h;
	struct merkle_hash leaf, root;
	struct merkle_path path;
	struct tiles *tiles = NULL;
	enum err e = ERR_VALUE;

	if (!sync_tiles(s, h->tree_size, &tiles))
		return false;
	if (p->index < h->tree_size)
		e = merkle_inclusion(p->index, h->tree_size, tiles_get, tiles, &path);
	if (e != ERR_OK)
		return e == ERR_VALUE ? sync_mismatch(s, REASON_UNLOGGED) : sync_source_fails(s, e);
	merkle_leaf(bytes_of(p->extra, p->extra_n), &leaf);
	if (merkle_inclusion_root(p->index, h->tree_size, &leaf, &path, &root) != ERR_OK ||
	        memcmp(root.b, h->root.b, SHA256_BYTES) != 0)
		return sync_mismatch(s, REASON_UNLOGGED);
	return true;
}

static bool
row_logged(struct sync *s, size_t n, struct proof *p)
{
	const struct table_row *row = &s->next.rows[n];
	struct client_reply reply;
	struct entry e;
	char path[80];
	bool missing = false;

	snprintf(path, sizeof path, "/status/version/%zu-%llu.tlog-proof", n,
	        (unsigned long long)row->sequence);
	if (!sync_fetch(s, path, PROOF_TEXT_BYTES_MAX, &reply, &missing))
		return false;
	if (missing || proof_decode(reply.body, p) != ERR_OK ||
	        entry_decode(bytes_of(p->extra, p->extra_n), &e) != ERR_OK)
		return sync_mismatch(s, REASON_UNLOGGED);
	return entry_fits(s, &e, n, p->index) && entry_logged(s, p);
}

bool
sync_logged(struct sync *s)
{
	struct proof *p = malloc(sizeof *p);
	bool good = true;

	if (p == NULL)
		return sync_fault(s, ERR_MEMORY);
	for (size_t n = 0; good && n < s->next.count; n++)
		good = row_held(s, n) || row_logged(s, n, p);
	free(p);
	return good;
}
