/* monitor_run.c - one pass: what a verifier would be given is fetched first, then the log up to a
 * checkpoint that is at least as new, then both are compared. What does not fit is not learned. */
#include "monitor.h"

#include "cosignature.h"
#include "head.h"
#include "status.h"
#include "verify_state.h"
#include "verify_tiles.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
	ENTRIES_BYTES_MAX = TILE_WIDTH * (2 + ENTRY_BYTES_MAX) + CHECKPOINT_BYTES_MAX,
	CACHE_S = 300
};

struct bare { /* a list as a phone gets it */
	bool there;
	uint64_t sequence;
	uint8_t raw[SHA256_BYTES], cwt[SHA256_BYTES];
};

struct pass {
	const struct sync_source *from;
	const struct monitor_options *o;
	struct monitor_state *s;
	struct monitor_report *r;
	uint8_t *manifest_bytes, *note;
	size_t manifest_n, note_n;
	struct manifest m;
	bool m_open;
	uint8_t head_bytes[HEAD_BYTES_MAX];
	struct head head;
	struct table_row *rows;
	size_t row_count;
	struct bare *lists;
	struct checkpoint c;
};

/* --- endings --- */

static bool
pass_ends(struct pass *p, enum monitor_end end, enum err e)
{
	p->r->end = end;
	p->r->e = e;
	return false;
}

/* Said, and the pass is over: the rest would be built on it. */
static bool
pass_alarm(struct pass *p, enum alarm a, const char *detail)
{
	monitor_find(p->r, a, UINT64_MAX, -1, detail);
	return false;
}

static bool
fetch(struct pass *p, const char *path, size_t bytes_max, struct client_reply *reply)
{
	enum err e;

	snprintf(p->r->file, sizeof p->r->file, "%s", path);
	if ((e = p->from->get(p->from->ctx, path, bytes_max, reply)) != ERR_OK)
		return pass_ends(p, MONITOR_AWAY, e);
	if (reply->status != 200)
		return pass_ends(p, MONITOR_AWAY, reply->status == 404 ? ERR_NOT_FOUND : ERR_HTTP);
	return true;
}

static bool
copy(struct pass *p, struct bytes from, uint8_t **to, size_t *n)
{
	if ((*to = malloc(from.n + 1)) == NULL)
		return pass_ends(p, MONITOR_FAULT, ERR_MEMORY);
	memcpy(*to, from.p, from.n);
	*n = from.n;
	return true;
}

/* --- what a verifier would be given --- */

static bool
manifest_fetch(struct pass *p)
{
	struct client_reply reply;
	uint8_t *held = NULL;
	size_t n = 0;
	bool same;

	if (!fetch(p, "/manifest.cose", MANIFEST_BYTES_MAX, &reply) ||
	        !copy(p, reply.body, &p->manifest_bytes, &p->manifest_n))
		return false;
	if (manifest_open(bytes_of(p->manifest_bytes, p->manifest_n), p->o->root, &p->m) != ERR_OK)
		return pass_alarm(p, ALARM_MANIFEST, "");
	p->m_open = true;
	if (p->m.version < p->s->manifest_version)
		return pass_alarm(p, ALARM_ROLLBACK, "manifest");
	if (p->m.version > p->s->manifest_version ||
	        state_read(p->o->dir, "manifest.cose", MANIFEST_BYTES_MAX, &held, &n) != ERR_OK)
		return true;
	same = bytes_equal(bytes_of(held, n), bytes_of(p->manifest_bytes, p->manifest_n));
	free(held);
	return same || pass_alarm(p, ALARM_FORK, "two manifests of one version");
}

static bool
signed_by_status(const struct pass *p, const struct cose_sign1 *m, const char *type)
{
	const struct manifest_key *key = manifest_find(&p->m, m->kid, KEY_STATUS);

	return key != NULL && cose_verify(m, key->key, type) == ERR_OK;
}

static bool
table_fetch(struct pass *p)
{
	struct client_reply reply;
	struct cose_sign1 m;
	struct table t;
	uint8_t hash[SHA256_BYTES];
	char path[80];

	snprintf(path, sizeof path, "/status/table/%" PRIu64 ".cwt", p->head.sequence);
	if (!fetch(p, path, TABLE_BYTES_MAX, &reply))
		return false;
	sha256_one(reply.body, hash);
	if ((p->rows = calloc(HEAD_LISTS_MAX, sizeof *p->rows)) == NULL)
		return pass_ends(p, MONITOR_FAULT, ERR_MEMORY);
	if (memcmp(hash, p->head.table_sha256, SHA256_BYTES) != 0 ||
	        table_decode(reply.body, &m, p->rows, HEAD_LISTS_MAX, &t) != ERR_OK ||
	        !signed_by_status(p, &m, TABLE_TYPE) || t.count != p->head.list_count)
		return pass_alarm(p, ALARM_HEAD, "the table is not the head's");
	p->row_count = t.count;
	return true;
}

/* In an SM2 authority, the head for readers of ES256: what it says of one publication is the same.
 */
static bool
twin_fetch(struct pass *p, const struct cose_sign1 *ours)
{
	struct client_reply reply;
	struct cose_sign1 m;
	struct head h;

	if (!fetch(p, "/status/head.cwt", sizeof p->head_bytes, &reply))
		return false;
	if (head_decode(reply.body, &m, &h) != ERR_OK || !signed_by_status(p, &m, HEAD_TYPE))
		return pass_alarm(p, ALARM_HEAD, "");
	return h.sequence != p->head.sequence || bytes_equal(m.payload, ours->payload) ||
	       pass_alarm(p, ALARM_FORK, "two heads of one sequence");
}

static bool
head_fetch(struct pass *p)
{
	struct client_reply reply;
	struct cose_sign1 m;

	if (!fetch(p, manifest_head_path(key_suite(p->o->root)), sizeof p->head_bytes, &reply))
		return false;
	memcpy(p->head_bytes, reply.body.p, reply.body.n);
	if (head_decode(bytes_of(p->head_bytes, reply.body.n), &m, &p->head) != ERR_OK ||
	        manifest_head_key(&p->m, m.kid) == NULL || !signed_by_status(p, &m, HEAD_TYPE))
		return pass_alarm(p, ALARM_HEAD, "");
	if (p->m.sm2 && !twin_fetch(p, &m))
		return false;
	if (p->head.sequence < p->s->head_sequence)
		return pass_alarm(p, ALARM_ROLLBACK, "head");
	if (p->head.exp < p->o->now)
		monitor_find(p->r, ALARM_STALE, UINT64_MAX, -1, "head");
	return table_fetch(p);
}

/* The list at its plain address. */
static bool
bare_fetch(struct pass *p, uint32_t n)
{
	struct bare *b = &p->lists[n];
	struct client_reply reply;
	struct status_token t;
	struct cose_sign1 m;
	uint8_t *raw;
	char path[60];
	bool good;

	snprintf(path, sizeof path, "/status/%" PRIu32 ".cwt", n);
	if (!fetch(p, path, TOKEN_BYTES_MAX, &reply))
		return false;
	if ((raw = malloc(LIST_BYTES)) == NULL)
		return pass_ends(p, MONITOR_FAULT, ERR_MEMORY);
	good = status_cwt_decode(reply.body, &m, &t) == ERR_OK &&
	       signed_by_status(p, &m, STATUS_CWT_TYPE) && t.list == n &&
	       status_inflate(t.lst, raw, LIST_BYTES) == ERR_OK;
	if (good) {
		sha256_one(bytes_of(raw, LIST_BYTES), b->raw);
		sha256_one(reply.body, b->cwt);
		b->sequence = t.sequence;
		b->there = true;
		if (t.exp < p->o->now)
			monitor_find(p->r, ALARM_STALE, UINT64_MAX, (int64_t)n, "list");
	} else {
		monitor_find(p->r, ALARM_LIST_HIDDEN, UINT64_MAX, (int64_t)n,
		        "it is not signed, or of another list");
	}
	free(raw);
	return true;
}

static bool
lists_fetch(struct pass *p)
{
	bool ok = true;

	if ((p->lists = calloc(p->row_count + 1, sizeof *p->lists)) == NULL)
		return pass_ends(p, MONITOR_FAULT, ERR_MEMORY);
	for (size_t n = 0; ok && n < p->row_count; n++)
		ok = bare_fetch(p, (uint32_t)n);
	return ok;
}

/* --- the log --- */

static bool
checkpoint_fetch(struct pass *p)
{
	struct client_reply reply;

	if (!fetch(p, "/log/checkpoint", CHECKPOINT_BYTES_MAX, &reply) ||
	        !copy(p, reply.body, &p->note, &p->note_n))
		return false;
	if (checkpoint_decode(bytes_of(p->note, p->note_n), &p->c) != ERR_OK ||
	        !bytes_equal(p->c.origin, p->m.origin) ||
	        manifest_checkpoint(&p->m, &p->c) != ERR_OK)
		return pass_alarm(p, ALARM_CHECKPOINT, "");
	if (cosignature_quorum(&p->m, &p->c) != ERR_OK)
		monitor_find(p->r, ALARM_QUORUM, UINT64_MAX, -1, "");
	p->r->size = p->c.size;
	return p->c.size >= p->s->frontier.size || pass_alarm(p, ALARM_ROLLBACK, "log");
}

static enum err
bundle_get(struct pass *p, uint64_t n, unsigned width, struct client_reply *out)
{
	struct buf b = buf_init(p->r->file, sizeof p->r->file - 1);
	enum err e;

	buf_put_text(&b, "/log/");
	tile_path_put(&b, -1, n, width);
	if ((e = buf_end(&b)) != ERR_OK)
		return e;
	p->r->file[b.n] = '\0';
	if ((e = p->from->get(p->from->ctx, p->r->file, ENTRIES_BYTES_MAX, out)) != ERR_OK)
		return e;
	return out->status == 200 ? ERR_OK : out->status == 404 ? ERR_NOT_FOUND : ERR_HTTP;
}

/* Entries of one bundle from `skip` on, `width` in all; a full bundle may hold more. */
static bool
bundle_fold(struct pass *p, struct bytes in, unsigned skip, unsigned width)
{
	for (unsigned i = 0; i < width; i++) {
		size_t n = in.n < 2 ? 0 : (size_t)be_get(in.p, 2);
		enum err e;

		if (in.n < 2 || in.n - 2 < n)
			return pass_alarm(p, ALARM_ENTRIES, "a bundle ends too early");
		if (i >= skip &&
		        (e = monitor_fold(p->s, p->o, bytes_of(in.p + 2, n), p->r)) != ERR_OK)
			return pass_ends(p, MONITOR_FAULT, e);
		in = bytes_skip(in, 2 + n);
	}
	return true;
}

static bool
entries_fetch(struct pass *p)
{
	while (p->s->frontier.size < p->c.size) {
		uint64_t at = p->s->frontier.size, n = at / TILE_WIDTH,
		         left = p->c.size - n * TILE_WIDTH;
		unsigned width = left < TILE_WIDTH ? (unsigned)left : TILE_WIDTH;
		struct client_reply reply;
		enum err e = bundle_get(p, n, width, &reply);

		if (e == ERR_NOT_FOUND && width < TILE_WIDTH)
			e = bundle_get(p, n, TILE_WIDTH, &reply);
		if (e != ERR_OK)
			return pass_ends(p, MONITOR_AWAY, e);
		if (!bundle_fold(p, reply.body, (unsigned)(at % TILE_WIDTH), width))
			return false;
	}
	return true;
}

/* Is it another history, or are only the bundles wrong? The tiles tell. */
static bool
is_fork(struct pass *p, uint64_t size, const struct merkle_hash *root)
{
	struct tiles *tiles = malloc(sizeof *tiles);
	struct merkle_path path;
	bool extends = false;

	if (size == 0 || tiles == NULL) {
		free(tiles);
		return false;
	}
	tiles_init(tiles, p->from, p->c.size);
	extends = merkle_consistency(size, p->c.size, tiles_get, tiles, &path) == ERR_OK &&
	          merkle_consistency_verify(size, p->c.size, root, &p->c.root, &path) == ERR_OK;
	free(tiles);
	return !extends;
}

static bool
log_follow(struct pass *p)
{
	struct merkle_hash before, now;
	uint64_t size = p->s->frontier.size;

	merkle_root(&p->s->frontier, &before);
	p->r->before = size;
	if (!checkpoint_fetch(p) || !entries_fetch(p))
		return false;
	p->r->fresh = p->c.size - size;
	merkle_root(&p->s->frontier, &now);
	if (memcmp(now.b, p->c.root.b, SHA256_BYTES) == 0)
		return true;
	/* what these entries said counts for nothing */
	p->r->finding_count = 0;
	p->r->finding_more = 0;
	/* signed by the log: with the checkpoint held before it, the proof */
	err_ignore(state_write(p->o->dir, "contradiction", bytes_of(p->note, p->note_n)));
	return is_fork(p, size, &before) ? pass_alarm(p, ALARM_FORK, "log")
	                                 : pass_alarm(p, ALARM_ENTRIES, "");
}

/* --- both together --- */

static void
manifest_compare(struct pass *p)
{
	bool logged = false;

	for (size_t i = 0; i < p->s->manifest_count; i++)
		logged = logged || memcmp(p->s->manifests[i], p->m.sha256, SHA256_BYTES) == 0;
	if (!logged)
		monitor_find(p->r, ALARM_MANIFEST, UINT64_MAX, -1, "it is not in the log");
}

static const struct monitor_version *
version_below(const struct monitor_list *l, uint64_t size)
{
	for (size_t i = l->count; i-- > 0;)
		if (l->versions[i].index < size)
			return &l->versions[i];
	return NULL;
}

/* The head names the newest version below its size. */
static bool
row_agrees(const struct monitor_list *l, const struct table_row *row, uint64_t size)
{
	const struct monitor_version *v = version_below(l, size);

	return v != NULL && v->sequence == row->sequence &&
	       memcmp(v->cwt, row->cwt_sha256, SHA256_BYTES) == 0 &&
	       memcmp(v->raw, row->raw_sha256, SHA256_BYTES) == 0;
}

/* At the plain address stands a logged version, not older than the head's for longer than caches
 * keep it (FORMATS.md section 4). */
static bool
bare_agrees(const struct monitor_list *l, const struct bare *b, const struct table_row *row,
        int64_t now)
{
	bool fresh = (int64_t)row->sequence + CACHE_S > now; /* caches may still have the old one */

	for (size_t i = 0; i < l->count; i++)
		if (memcmp(l->versions[i].cwt, b->cwt, SHA256_BYTES) == 0)
			return (fresh || b->sequence >= row->sequence) &&
			       memcmp(l->versions[i].raw, b->raw, SHA256_BYTES) == 0;
	return false;
}

static void
lists_compare(struct pass *p)
{
	static const struct monitor_list none;

	if (p->head.tree_size > p->c.size)
		monitor_find(p->r, ALARM_HEAD, UINT64_MAX, -1, "it names more than the log has");
	for (size_t n = 0; n < p->row_count; n++) {
		const struct monitor_list *l = n < p->s->list_count ? &p->s->lists[n] : &none;

		if (!row_agrees(l, &p->rows[n], p->head.tree_size))
			monitor_find(p->r, ALARM_LIST_HIDDEN, UINT64_MAX, (int64_t)n,
			        "the head does not name the newest logged version");
		if (p->lists[n].there && !bare_agrees(l, &p->lists[n], &p->rows[n], p->o->now))
			monitor_find(p->r, ALARM_LIST_HIDDEN, UINT64_MAX, (int64_t)n,
			        "the list at its address is not a logged version, or an old one");
	}
	for (size_t n = p->row_count; n < p->s->list_count; n++)
		if (version_below(&p->s->lists[n], p->head.tree_size) != NULL)
			monitor_find(p->r, ALARM_LIST_HIDDEN, UINT64_MAX, (int64_t)n,
			        "the head leaves it out");
}

static void
pass_learn(struct pass *p)
{
	enum err e;

	p->s->head_sequence = p->head.sequence;
	p->s->manifest_version = p->m.version;
	if ((e = state_write(p->o->dir, "manifest.cose",
	             bytes_of(p->manifest_bytes, p->manifest_n))) != ERR_OK ||
	        (e = state_write(p->o->dir, "checkpoint", bytes_of(p->note, p->note_n))) !=
	                ERR_OK ||
	        (e = monitor_save(p->o->dir, p->s)) != ERR_OK)
		pass_ends(p, MONITOR_FAULT, e);
}

static void
pass_close(struct pass *p)
{
	if (p->m_open)
		manifest_close(&p->m);
	free(p->manifest_bytes);
	free(p->note);
	free(p->rows);
	free(p->lists);
	free(p);
}

void
monitor_run(const struct sync_source *from, const struct monitor_options *o,
        struct monitor_state *s, struct monitor_report *r)
{
	struct pass *p = calloc(1, sizeof *p);
	enum err e = p == NULL ? ERR_MEMORY : monitor_load(o->dir, s);

	memset(r, 0, sizeof *r);
	if (e != ERR_OK) {
		r->end = MONITOR_FAULT;
		r->e = e;
		snprintf(r->file, sizeof r->file, "%s", o->dir);
		*s = (struct monitor_state){.newest = 0};
		free(p);
		return;
	}
	p->from = from;
	p->o = o;
	p->s = s;
	p->r = r;
	r->size = r->before = s->frontier.size;
	if (manifest_fetch(p) && head_fetch(p) && lists_fetch(p) && log_follow(p)) {
		manifest_compare(p);
		lists_compare(p);
		pass_learn(p);
	}
	pass_close(p);
}
