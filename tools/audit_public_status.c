/* audit_public_status.c - published lists, CRLs, head, table and deltas against the versions in the
 * database and the lists that the entries make. */
#include "audit_public.h"
#include "audit_trust.h"
#include "crl.h"
#include "head.h"
#include "status.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct version { /* of a list, as the database has it */
	bool there, jwt;
	uint64_t sequence, covered, index;
	uint8_t raw_sha256[SHA256_BYTES], cwt_sha256[SHA256_BYTES];
};

/* clang-format off */
#define VERSION "SELECT b.sequence, coalesce(d.idx, -1::int8), e.entry"
#define VERSION_TAIL " LEFT JOIN zz.log_pending_done d ON d.pending = b.pending LEFT JOIN zz.log_entry e ON e.idx = d.idx"
static const char by_digest_sql[] = VERSION ", b.kind FROM (SELECT r.sequence, r.pending, sha256(r.jwt) = $2::bytea AS kind FROM"
	" (SELECT * FROM zz.publication p WHERE p.list = $1::int8 ORDER BY p.sequence DESC LIMIT 64) r"
	" WHERE sha256(r.cwt) = $2::bytea OR sha256(r.jwt) = $2::bytea) b" VERSION_TAIL;
static const char by_sequence_sql[] = VERSION ", false FROM zz.publication b" VERSION_TAIL
	" WHERE b.list = $1::int8 AND b.sequence = $2::int8";
/* clang-format on */

static enum err
version_take(struct pg_result *r, struct version *out)
{
	struct entry e;
	int64_t index;

	memset(out, 0, sizeof *out);
	if (pg_rows(r) > 0) {
		struct pg_row row = pg_row(r, 0);
		struct bytes bytes;

		out->sequence = pg_next_uint(&row);
		index = pg_next_int(&row);
		if (index >= 0) {
			bytes = pg_next_bytes(&row);
			out->jwt = pg_next_int(&row) != 0;
			out->there = entry_decode(bytes, &e) == ERR_OK && e.type == ENTRY_LIST;
			out->index = (uint64_t)index;
		}
	}
	if (out->there) {
		out->covered = e.tree_size;
		memcpy(out->raw_sha256, e.raw_sha256, SHA256_BYTES);
		memcpy(out->cwt_sha256, e.cwt_sha256, SHA256_BYTES);
	}
	pg_result_free(r);
	return ERR_OK;
}

static enum err
version_of_file(struct audit *a, uint32_t list, const struct audit_file *f, struct version *out)
{
	uint8_t hash[SHA256_BYTES];
	struct pg_params p;
	struct pg_result *r;
	enum err e;

	sha256_one(bytes_of(f->p, f->n), hash);
	pg_params_init(&p);
	pg_put_int(&p, PG_INT8, list);
	pg_put_bytes(&p, bytes_of(hash, sizeof hash));
	e = pg_query(a->pg, by_digest_sql, &p, &r);
	return e == ERR_OK ? version_take(r, out) : e;
}

static enum err
version_of(struct audit *a, uint32_t list, uint64_t sequence, struct version *out)
{
	struct pg_result *r;
	enum err e = audit_read(a, by_sequence_sql, list, (int64_t)sequence, &r);

	return e == ERR_OK ? version_take(r, out) : e;
}

/* ---- head, table, deltas ---- */

struct heads {
	struct audit *a;
	struct head h;
	bool there;
	struct table_row *rows; /* of its table */
	size_t count;
};

static bool
signed_by_status(const struct audit *a, const struct cose_sign1 *m, const char *type)
{
	const struct manifest_key *k = audit_key_below(a, UINT64_MAX, m->kid, KEY_STATUS);

	return k != NULL && cose_verify(m, k->key, type) == ERR_OK;
}

/* Rows of a table that was kept; free() them. NULL: it is not there or not good, which is told. */
static struct table_row *
table_rows(struct audit *a, uint64_t sequence, size_t *count, uint8_t hash[SHA256_BYTES])
{
	struct table_row *rows = audit_grow(NULL, HEAD_LISTS_MAX, sizeof *rows);
	const struct audit_file *f;
	struct cose_sign1 m;
	struct table t;
	char path[80];

	snprintf(path, sizeof path, "status/table/%" PRIu64 ".cwt", sequence);
	f = audit_public_kept(a, path);
	if (f != NULL) {
		sha256_one(bytes_of(f->p, f->n), hash);
		if (table_decode(bytes_of(f->p, f->n), &m, rows, HEAD_LISTS_MAX, &t) == ERR_OK &&
		        signed_by_status(a, &m, TABLE_TYPE) &&
		        bytes_equal_text(t.iss, a->o->host)) {
			*count = t.count;
			return rows;
		}
		audit_public_differ(a, path, "is no table of this authority");
	}
	free(rows);
	return NULL;
}

static enum err
table_compare(struct heads *w)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < w->count; i++) {
		struct version v;

		if ((e = version_of(w->a, (uint32_t)i, w->rows[i].sequence, &v)) != ERR_OK)
			return e;
		if (!v.there || v.index >= audit_public_size(w->a) ||
		        memcmp(v.cwt_sha256, w->rows[i].cwt_sha256, SHA256_BYTES) != 0 ||
		        memcmp(v.raw_sha256, w->rows[i].raw_sha256, SHA256_BYTES) != 0)
			audit_public_differ(
			        w->a, "status/table", "names a list that the log does not have");
	}
	return e;
}

static uint8_t *
raw_of(struct audit *a, uint32_t list, uint64_t sequence, enum err *e)
{
	struct version v;

	*e = version_of(a, list, sequence, &v);
	if (*e != ERR_OK || !v.there || list >= a->log->list_count)
		return NULL;
	return audit_list_raw(a, list, v.covered);
}

/* What differs between the list that the base names and that of the head stands in the delta, and
 * nothing in it is other than the head's list. */
static enum err
delta_list(struct heads *w, const struct delta *d, uint32_t list, const struct table_row *base,
        bool *good)
{
	enum err e = ERR_OK, e2 = ERR_OK;
	uint8_t *now = raw_of(w->a, list, w->rows[list].sequence, &e);
	uint8_t *was = base == NULL ? NULL : raw_of(w->a, list, base->sequence, &e2);

	for (size_t i = 0; now != NULL && i < d->count; i++) {
		const struct delta_change *c = &d->changes[i];

		if (c->list != list)
			continue;
		if (status_get(now, c->idx) != c->status)
			*good = false;
		if (was != NULL)
			status_set(was, c->idx, c->status);
	}
	if (now == NULL || (was != NULL && memcmp(now, was, LIST_BYTES) != 0))
		*good = false;
	free(now);
	free(was);
	return e != ERR_OK ? e : e2;
}

static enum err
delta_compare(struct heads *w, const struct head_delta *named)
{
	struct delta_change *room = audit_grow(NULL, DELTA_CHANGES_MAX, sizeof *room);
	uint8_t hash[SHA256_BYTES], ignored[SHA256_BYTES];
	struct table_row *base = NULL;
	const struct audit_file *f;
	struct cose_sign1 m;
	struct delta d;
	enum err e = ERR_OK;
	size_t count = 0;
	bool good = true;
	char path[90];

	snprintf(path, sizeof path, "status/delta/%" PRIu64 "-%" PRIu64 ".cwt", named->base,
	        w->h.sequence);
	if ((f = audit_public_kept(w->a, path)) == NULL) {
		audit_public_differ(w->a, path, "is missing, the head names it");
		goto out;
	}
	sha256_one(bytes_of(f->p, f->n), hash);
	if (memcmp(hash, named->sha256, sizeof hash) != 0 ||
	        delta_decode(bytes_of(f->p, f->n), &m, room, DELTA_CHANGES_MAX, &d) != ERR_OK ||
	        !signed_by_status(w->a, &m, DELTA_TYPE) || d.base != named->base ||
	        d.sequence != w->h.sequence || !bytes_equal_text(d.iss, w->a->o->host)) {
		audit_public_differ(w->a, path, "is not the delta that the head names");
		goto out;
	}
	base = table_rows(w->a, d.base, &count, ignored);
	for (uint32_t i = 0; e == ERR_OK && i < w->count; i++)
		e = delta_list(w, &d, i, base != NULL && i < count ? &base[i] : NULL, &good);
	for (size_t i = 0; i < d.count; i++)
		good = good && d.changes[i].list < w->count;
	if (!good)
		audit_public_differ(w->a, path, "is not what changed between its heads");
out:
	free(base);
	free(room);
	return e;
}

static bool
head_good(struct heads *w)
{
	const struct audit_file *f = audit_public_kept(w->a, "status/head.cwt");
	const struct manifest *m = audit_manifest_newest(w->a),
	                      *before = audit_manifest_below(w->a, audit_public_size(w->a));
	struct cose_sign1 message;

	if (head_decode(bytes_of(f->p, f->n), &message, &w->h) != ERR_OK ||
	        !signed_by_status(w->a, &message, HEAD_TYPE) ||
	        !bytes_equal_text(w->h.iss, w->a->o->host) || w->h.tree_size > w->a->size)
		return false;
	if ((m == NULL || memcmp(m->sha256, w->h.manifest_sha256, SHA256_BYTES) != 0) &&
	        (before == NULL || memcmp(before->sha256, w->h.manifest_sha256, SHA256_BYTES) != 0))
		return false;
	return audit_root_is(w->a, w->h.tree_size, &w->h.root);
}

/* Of an SM2 authority: the same claims; or those of the next, written since the other was read. */
static void
head_sm2_compare(struct heads *w)
{
	const struct audit_file *f = audit_public_kept(w->a, "status/head.cwt"),
	                        *sm2 = audit_public_kept(w->a, "status/head-sm2.cwt");
	const struct manifest *newest = audit_manifest_newest(w->a);
	const struct manifest_key *key;
	struct cose_sign1 m, of_sm2;
	struct head h;
	bool good;

	if (newest == NULL || !newest->sm2 || head_decode(bytes_of(f->p, f->n), &m, &h) != ERR_OK)
		return;
	good = sm2 != NULL && head_decode(bytes_of(sm2->p, sm2->n), &of_sm2, &h) == ERR_OK &&
	       (key = audit_key_below(w->a, UINT64_MAX, of_sm2.kid, KEY_STATUS)) != NULL &&
	       key_suite(key->key) == KEY_SM2 &&
	       cose_verify(&of_sm2, key->key, HEAD_TYPE) == ERR_OK &&
	       (h.sequence > w->h.sequence || bytes_equal(m.payload, of_sm2.payload));
	if (!good)
		audit_public_differ(w->a, "status/head-sm2.cwt", "is not what head.cwt says");
}

static enum err
head_compare(struct heads *w)
{
	uint8_t hash[SHA256_BYTES];
	enum err e;

	if (audit_public_kept(w->a, "status/head.cwt") == NULL)
		return ERR_OK;
	if (!head_good(w)) {
		audit_public_differ(
		        w->a, "status/head.cwt", "is no head of this tree and manifest");
		return ERR_OK;
	}
	head_sm2_compare(w);
	w->rows = table_rows(w->a, w->h.sequence, &w->count, hash);
	if (w->rows == NULL || memcmp(hash, w->h.table_sha256, sizeof hash) != 0 ||
	        w->count != w->h.list_count) {
		audit_public_differ(w->a, "status/head.cwt", "its table is not there");
		w->count = 0;
		return ERR_OK;
	}
	w->there = true;
	e = table_compare(w);
	for (size_t i = 0; e == ERR_OK && i < w->h.delta_count; i++)
		e = delta_compare(w, &w->h.deltas[i]);
	return e;
}

/* ---- CRLs ---- */

struct crl_rows {
	struct crl_row *rows;
	bool *met; /* the entries so far give this row */
	size_t count, room;
};

static void
crl_see(void *ctx, const struct crl_row *row)
{
	struct crl_rows *c = ctx;

	if (c->count == c->room) {
		c->room = c->room * 2 + 64;
		c->rows = audit_grow(c->rows, c->room, sizeof *c->rows);
	}
	c->rows[c->count++] = *row;
}

static int
row_order(const void *a, const void *b)
{
	const struct crl_row *x = a, *y = b;

	return memcmp(x->serial, y->serial, sizeof x->serial);
}

static bool
marked(uint8_t status)
{
	return status == STATUS_INVALID || status == STATUS_SUSPENDED;
}

/* Is there a size from `low` on at which the entries give exactly these rows? */
static bool
crl_fits(const struct audit *a, const struct crl_rows *c, uint32_t list, uint64_t low)
{
	size_t odd = c->count; /* serials on which CRL and entries differ */

	for (size_t i = 0; i < a->log->change_count; i++) {
		const struct audit_change *v = &a->log->changes[i];
		struct crl_row key, *row;
		size_t at;

		if (v->index >= low && odd == 0)
			return true;
		if (v->list != list)
			continue;
		memcpy(key.serial, v->serial, sizeof key.serial);
		row = c->count == 0 ? NULL
		                    : bsearch(&key, c->rows, c->count, sizeof key, row_order);
		if (row == NULL) {
			odd += (size_t)marked(v->after);
			odd -= (size_t)marked(v->before);
			continue;
		}
		at = (size_t)(row - c->rows);
		odd += (size_t)c->met[at];
		c->met[at] = marked(v->after) && row->reason == v->reason &&
		             row->revoked_at == v->time && row->invalid_from == v->effective;
		odd -= (size_t)c->met[at];
	}
	return odd == 0;
}

static void
crl_compare(struct audit *a, uint32_t list, uint64_t low)
{
	const struct manifest *m = audit_manifest_newest(a);
	uint8_t room[300];
	struct buf url = BUF_OF(room);
	struct crl_rows c = {NULL, NULL, 0, 0};
	const struct audit_file *f;
	struct crl_times t;
	char path[60], want[300];

	snprintf(path, sizeof path, "crl/%u.crl", list);
	snprintf(want, sizeof want, "https://%.200s/%s", a->o->host, path);
	if ((f = audit_public_kept(a, path)) == NULL) {
		audit_public_missing(a, path);
		return;
	}
	if (m == NULL || crl_check(bytes_of(f->p, f->n), m->crl_ca, &t, &url) != ERR_OK ||
	        !bytes_equal_text(buf_bytes(&url), want) ||
	        t.next_update != t.this_update + LIST_LIFETIME_S ||
	        crl_each(bytes_of(f->p, f->n), m->crl_ca, crl_see, &c) != ERR_OK) {
		audit_public_differ(a, path, "is no CRL of this list");
		free(c.rows);
		return;
	}
	if (c.count > 0)
		qsort(c.rows, c.count, sizeof *c.rows, row_order);
	c.met = audit_grow(NULL, c.count, sizeof *c.met);
	memset(c.met, 0, c.count * sizeof *c.met);
	if (!crl_fits(a, &c, list, low))
		audit_public_differ(a, path, "is not what the entries make");
	free(c.rows);
	free(c.met);
}

/* ---- lists ---- */

static enum err
file_compare(struct heads *w, uint32_t list, const char *path, bool jwt, bool either)
{
	const struct audit_file *f = audit_public_kept(w->a, path);
	struct version v;
	enum err e;

	if (f == NULL) {
		audit_public_missing(w->a, path);
		return ERR_OK;
	}
	if ((e = version_of_file(w->a, list, f, &v)) != ERR_OK)
		return e;
	if (!v.there || v.index >= audit_public_size(w->a) || (!either && v.jwt != jwt))
		audit_public_differ(w->a, path, "is not a version that the log has");
	else if (w->there && list < w->count && v.sequence < w->rows[list].sequence)
		audit_public_differ(w->a, path, "is older than the head says");
	return ERR_OK;
}

static enum err
list_compare(struct heads *w, uint32_t list)
{
	struct version v = {0};
	char path[60];
	enum err e;

	snprintf(path, sizeof path, "status/%u.cwt", list);
	if ((e = file_compare(w, list, path, false, false)) != ERR_OK)
		return e;
	snprintf(path, sizeof path, "status/%u.jwt", list);
	if ((e = file_compare(w, list, path, true, false)) != ERR_OK)
		return e;
	snprintf(path, sizeof path, "status/%u", list);
	if (audit_public_is_folder(w->a) && (e = file_compare(w, list, path, true, true)) != ERR_OK)
		return e;
	if (w->there && list < w->count)
		e = version_of(w->a, list, w->rows[list].sequence, &v);
	crl_compare(w->a, list, v.covered);
	return e;
}

static void
manifest_check(struct audit *a)
{
	const struct audit_file *f = audit_public_kept(a, "manifest.cose");
	const struct manifest *m = audit_manifest_newest(a),
	                      *before = audit_manifest_below(a, audit_public_size(a));
	uint8_t hash[SHA256_BYTES];

	if (f == NULL) {
		if (before != NULL)
			audit_public_missing(a, "manifest.cose");
		return;
	}
	sha256_one(bytes_of(f->p, f->n), hash);
	if ((m == NULL || memcmp(hash, m->sha256, sizeof hash) != 0) &&
	        (before == NULL || memcmp(hash, before->sha256, sizeof hash) != 0))
		audit_public_differ(a, "manifest.cose", "is not the manifest in force");
}

enum err
audit_public_status(struct audit *a)
{
	struct heads w = {.a = a};
	enum err e = head_compare(&w);
	bool lists = false;

	manifest_check(a);
	for (uint32_t i = 0; e == ERR_OK && i < a->log->list_count; i++) {
		if (a->log->lists[i].sequence == 0 ||
		        a->log->lists[i].version_index >= audit_public_size(a))
			continue;
		lists = true;
		e = list_compare(&w, i);
	}
	if (lists && audit_public_kept(a, "status/head.cwt") == NULL)
		audit_public_missing(a, "status/head.cwt");
	free(w.rows);
	return e;
}
