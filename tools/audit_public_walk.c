/* audit_public_walk.c - every name in the public folder is one that the service writes, and what
 * stands under it is what the database makes. A name that nobody knows may hold anything. */
#include "audit_public.h"
#include "audit_trust.h"
#include "config.h"
#include "date.h"
#include "entry.h"
#include "file.h"
#include "head.h"
#include "landmark.h"
#include "proof.h"
#include "receipt.h"
#include "status.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { DEPTH_MAX = 12, NAME_MAX_BYTES = 200, UNFINISHED_S_MAX = 3600 };

struct walk {
	struct audit *a;
	const struct manifest *m;
	enum err e;
};

static MUST_USE bool
file_take(struct walk *w, const char *path, uint8_t **p, size_t *n)
{
	enum err e = audit_public_get(w->a, path, TOKEN_BYTES_MAX, p, n);

	if (e == ERR_OK)
		return true;
	/* what is replaced may go while we look */
	if (e != ERR_NOT_FOUND)
		audit_public_differ(w->a, path, err_word(e));
	return false;
}

/* Published after the audit had listed what there is: the log signed it, and its tree is the next
 * audit's. */
static bool
is_newer(const struct walk *w, const struct checkpoint *c)
{
	return c->size > audit_public_size(w->a) && audit_root_at(w->a, c->size) == NULL &&
	       w->m != NULL && manifest_checkpoint(w->m, c) == ERR_OK;
}

static bool
cose_head_good(struct walk *w, const char *path, struct bytes in, uint64_t size)
{
	const struct merkle_hash *root = audit_root_at(w->a, size);
	const struct manifest_key *log = NULL;
	char beside[NAME_MAX_BYTES];
	struct checkpoint c;
	struct receipt r;
	uint8_t *p = NULL;
	size_t n = 0;
	bool good;

	if (w->m == NULL || receipt_head_decode(in, &r) != ERR_OK || r.size != size ||
	        (log = manifest_find(w->m, r.kid, KEY_LOG)) == NULL)
		return false;
	if (root != NULL)
		return receipt_head_verify(&r, log->key, w->m->origin, root) == ERR_OK;
	/* newer than the listing: of one tree with the checkpoint beside it */
	snprintf(beside, sizeof beside, "%.*s", (int)(strlen(path) - strlen(".cose")), path);
	good = file_take(w, beside, &p, &n) && checkpoint_decode(bytes_of(p, n), &c) == ERR_OK &&
	       c.size == size && is_newer(w, &c) &&
	       receipt_head_verify(&r, log->key, w->m->origin, &c.root) == ERR_OK;
	free(p);
	return good;
}

static void
checkpoint_file(struct walk *w, const char *path, const char *name)
{
	const char *dot = strchr(name, '.');
	struct bytes digits = bytes_of(name, dot == NULL ? strlen(name) : (size_t)(dot - name));
	struct checkpoint c;
	uint8_t *p = NULL;
	uint64_t size;
	size_t n = 0;
	bool good;

	if (decimal_decode(digits, INT64_MAX, &size) != ERR_OK ||
	        (dot != NULL && strcmp(dot, ".cose") != 0 && strcmp(dot, ".head") != 0)) {
		audit_public_differ(w->a, path, "is not a name of the service");
		return;
	}
	if (!file_take(w, path, &p, &n))
		return;
	if (dot != NULL && strcmp(dot, ".head") == 0)
		good = n == 0; /* a mark: a head names it */
	else if (dot != NULL)
		good = cose_head_good(w, path, bytes_of(p, n), size);
	else
		good = checkpoint_decode(bytes_of(p, n), &c) == ERR_OK && c.size == size &&
		       (is_newer(w, &c) || audit_checkpoint_good(w->a, &c));
	if (!good)
		audit_public_differ(w->a, path, "is no checkpoint of this tree");
	free(p);
}

/* An unfinished tile stays when a larger one comes: it is how that one begins. */
static void
tile_file(struct walk *w, const char *path)
{
	const char *part = strstr(path, ".p/");
	uint64_t size = audit_public_size(w->a), width;
	char full[NAME_MAX_BYTES];
	uint8_t *p = NULL, *q = NULL;
	size_t n = 0, whole = 0;

	if (part == NULL)
		return; /* compared whole, while the log was read */
	if (decimal_decode(bytes_of_text(part + 3), TILE_WIDTH - 1, &width) != ERR_OK ||
	        width == 0) {
		audit_public_differ(w->a, path, "is not a name of the service");
		return;
	}
	snprintf(full, sizeof full, "%.*s", (int)(part - path), path);
	if (size == 0 || !file_take(w, path, &p, &n))
		return;
	if (audit_public_get(w->a, full, TOKEN_BYTES_MAX, &q, &whole) != ERR_OK) {
		/* the last one of its level: any other of this tile must begin it */
		bool level0 = strncmp(path, "log/tile/0/", 11) == 0;
		bool bundle = strncmp(path, "log/tile/entries/", 17) == 0;

		if ((level0 || bundle) && width > size % TILE_WIDTH)
			goto out;
		snprintf(full, sizeof full, "%.*s.p/%" PRIu64, (int)(part - path), path,
		        size % TILE_WIDTH);
		if ((!level0 && !bundle) ||
		        audit_public_get(w->a, full, TOKEN_BYTES_MAX, &q, &whole) != ERR_OK)
			goto out;
	}
	if (n > whole || memcmp(p, q, n) != 0)
		audit_public_differ(w->a, path, "is not how its tile begins");
out:
	free(p);
	free(q);
}

static enum err
entry_at(struct walk *w, uint64_t index, struct bytes want, bool *same)
{
	struct pg_result *r;
	enum err fault = audit_read(w->a,
	        "SELECT entry FROM zz.log_entry WHERE idx = $1::int8 AND $2::int8 = 0",
	        (int64_t)index, 0, &r);

	*same = false;
	if (fault != ERR_OK)
		return fault;
	if (pg_rows(r) == 1) {
		struct pg_row row = pg_row(r, 0);

		*same = bytes_equal(pg_next_bytes(&row), want);
	}
	pg_result_free(r);
	return ERR_OK;
}

static bool
proof_good(struct walk *w, const struct proof *proof, uint64_t list, uint64_t sequence)
{
	struct bytes extra = bytes_of(proof->extra, proof->extra_n);
	struct merkle_hash leaf;
	struct checkpoint c;
	struct entry e;

	if (entry_decode(extra, &e) != ERR_OK || e.type != ENTRY_LIST || e.list != list ||
	        e.sequence != sequence)
		return false;
	merkle_leaf(extra, &leaf);
	return checkpoint_decode(proof->note, &c) == ERR_OK &&
	       (is_newer(w, &c) || audit_checkpoint_good(w->a, &c)) &&
	       proof_verify(proof, &c, &leaf) == ERR_OK;
}

/* Where a version stands in the log. */
static void
proof_file(struct walk *w, const char *path, uint64_t list, uint64_t sequence)
{
	struct proof *proof = audit_grow(NULL, 1, sizeof *proof);
	uint8_t *p = NULL;
	size_t n = 0;
	bool same = false;

	if (file_take(w, path, &p, &n)) {
		same = proof_decode(bytes_of(p, n), proof) == ERR_OK &&
		       proof_good(w, proof, list, sequence);
		/* newer than the snapshot is what this log signed, and no more */
		if (same && proof->index < w->a->size)
			w->e = entry_at(
			        w, proof->index, bytes_of(proof->extra, proof->extra_n), &same);
		if (w->e == ERR_OK && !same)
			audit_public_differ(w->a, path, "is not where the log has it");
	}
	free(p);
	free(proof);
}

/* All that the published log has, the newest LANDMARKS_MAX, and maybe some that are newer. */
static bool
landmarks_good(const struct audit *a, const struct landmarks *l)
{
	const struct audit_log *log = a->log;
	size_t due = log->day_count;

	while (due > 0 && log->days[due - 1] >= audit_public_size(a))
		due--;
	if (l->last < due || l->count != (l->last < LANDMARKS_MAX ? l->last : LANDMARKS_MAX))
		return false;
	for (size_t i = 0; i <= l->count; i++) {
		uint64_t number = l->last - l->count + i; /* 0: size 0 */

		if (number > log->day_count
		                ? l->sizes[i] < a->size
		                : l->sizes[i] != (number == 0 ? 0 : log->days[number - 1]))
			return false;
	}
	return true;
}

static void
landmarks_check(struct walk *w)
{
	static const char path[] = "log/landmarks";
	struct landmarks *l = audit_grow(NULL, 1, sizeof *l);
	uint8_t *p = NULL;
	size_t n = 0;
	enum err e = audit_public_get(w->a, path, LANDMARKS_TEXT_BYTES_MAX, &p, &n);

	if (e != ERR_OK && audit_public_size(w->a) > 0)
		audit_public_differ(w->a, path, e == ERR_NOT_FOUND ? "is missing" : err_word(e));
	if (e == ERR_OK &&
	        (landmarks_decode(bytes_of(p, n), l) != ERR_OK || !landmarks_good(w->a, l)))
		audit_public_differ(w->a, path, "is not where the log's days begin");
	free(p);
	free(l);
}

/* SHA-256 of the file is that of the CWT of (list, sequence) in the database. */
static void
version_file(struct walk *w, const char *path, const char *name)
{
	const char *dash = strchr(name, '-'), *dot = strchr(name, '.');
	uint64_t list, sequence;
	struct pg_result *r;
	uint8_t *p = NULL;
	size_t n = 0;
	bool same = false;

	if (dash == NULL || dot == NULL || dot < dash ||
	        (strcmp(dot, ".cwt") != 0 && strcmp(dot, ".tlog-proof") != 0) ||
	        decimal_decode(bytes_of(name, (size_t)(dash - name)), INT32_MAX, &list) != ERR_OK ||
	        decimal_decode(bytes_of(dash + 1, (size_t)(dot - dash - 1)), INT64_MAX,
	                &sequence) != ERR_OK) {
		audit_public_differ(w->a, path, "is not a name of the service");
		return;
	}
	if (strcmp(dot, ".tlog-proof") == 0) {
		proof_file(w, path, list, sequence);
		return;
	}
	if (!file_take(w, path, &p, &n))
		return;
	w->e = audit_read(w->a,
	        "SELECT cwt FROM zz.publication WHERE list = $1::int8 AND sequence = $2::int8",
	        (int64_t)list, (int64_t)sequence, &r);
	if (w->e == ERR_OK) {
		if (pg_rows(r) == 1) {
			struct pg_row row = pg_row(r, 0);

			same = bytes_equal(pg_next_bytes(&row), bytes_of(p, n));
		}
		pg_result_free(r);
		if (!same)
			audit_public_differ(w->a, path, "is not the database's version");
	}
	free(p);
}

static bool
token_good(struct walk *w, const char *type, struct bytes in)
{
	const struct manifest_key *k;
	struct cose_sign1 m;

	return cose_decode(in, false, &m) == ERR_OK &&
	       (k = audit_key_below(w->a, UINT64_MAX, m.kid, KEY_STATUS)) != NULL &&
	       cose_verify(&m, k->key, type) == ERR_OK;
}

static void
signed_file(struct walk *w, const char *path, const char *type)
{
	uint8_t *p = NULL;
	size_t n = 0;

	if (!file_take(w, path, &p, &n))
		return;
	if (!token_good(w, type, bytes_of(p, n)))
		audit_public_differ(w->a, path, "is not signed by this authority");
	free(p);
}

/* The next line is this keyword and these words. */
static bool
line_is(struct bytes *rest, const char *keyword, struct bytes words)
{
	const uint8_t *end = rest->n == 0 ? NULL : memchr(rest->p, '\n', rest->n);
	size_t n = end == NULL ? 0 : (size_t)(end - rest->p), k = strlen(keyword);
	bool same = end != NULL && bytes_start(*rest, keyword) &&
	            bytes_equal(bytes_of(rest->p + k, n - k), words);

	*rest = bytes_skip(*rest, end == NULL ? rest->n : n + 1);
	return same;
}

static bool
lines_are(struct bytes *rest, const char *keyword, const char *lines)
{
	bool same = true;

	while (same && *lines != '\0') {
		size_t n = strcspn(lines, "\n");

		same = line_is(rest, keyword, bytes_of(lines, n));
		lines += n + (lines[n] == '\n');
	}
	return same;
}

/* Who witnesses the log: the log's key, and what zz.conf says of witnesses. */
static void
policy_file(struct walk *w, const char *path)
{
	const struct config *c = w->a->o->config;
	char log[CONFIG_TEXT_MAX + NAME_MAX_BYTES];
	struct bytes rest;
	uint8_t *p = NULL;
	size_t n = 0;

	if (w->m == NULL || !file_take(w, path, &p, &n))
		return;
	rest = bytes_of(p, n);
	snprintf(log, sizeof log, "%.*s https://%s/log", (int)w->m->log_vkey.n,
	        (const char *)w->m->log_vkey.p, c->host);
	if (!line_is(&rest, "log ", bytes_of_text(log)) ||
	        !lines_are(&rest, "witness ", c->witness) ||
	        !lines_are(&rest, "group ", c->witness_group) ||
	        !line_is(&rest, "quorum ", bytes_of_text(c->witness_quorum)) || rest.n != 0)
		audit_public_differ(w->a, path, "is not what zz.conf and the manifest say");
	free(p);
}

/* A name that the service writes, whose file came for the first time after the audit had looked. */
static bool
is_to_come(const struct walk *w, const char *path)
{
	static const char *const names[] = {"log/checkpoint", "manifest.cose", "status/head.cwt"};
	static const char *const ends[] = {"", ".cwt", ".jwt", ".crl"};
	bool crl = strncmp(path, "crl/", 4) == 0, known = false;
	const char *name = path + (crl ? 4 : 7);
	uint64_t list;

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(path, names[i]) == 0)
			return true;
	if (!crl && strncmp(path, "status/", 7) != 0)
		return false;
	for (size_t i = crl ? 3 : 0; i < (crl ? 4u : 3u); i++)
		known = known || strcmp(name + strspn(name, "0123456789"), ends[i]) == 0;
	return known &&
	       decimal_decode(bytes_of(name, strspn(name, "0123456789")), UINT32_MAX, &list) ==
	               ERR_OK &&
	       list < w->a->log->list_count;
}

static void
file_judge(struct walk *w, const char *path)
{
	const char *name = strrchr(path, '/');

	name = name == NULL ? path : name + 1;
	if (strncmp(path, "log/checkpoints/", 16) == 0)
		checkpoint_file(w, path, name);
	else if (strcmp(path, "log/landmarks") == 0)
		return; /* landmarks_check */
	else if (strcmp(path, "log/policy.txt") == 0)
		policy_file(w, path);
	else if (strncmp(path, "log/tile/", 9) == 0)
		tile_file(w, path);
	else if (strncmp(path, "status/version/", 15) == 0)
		version_file(w, path, name);
	else if (strncmp(path, "status/table/", 13) == 0)
		signed_file(w, path, TABLE_TYPE);
	else if (strncmp(path, "status/delta/", 13) == 0)
		signed_file(w, path, DELTA_TYPE);
	else if (audit_public_kept(w->a, path) == NULL && !is_to_come(w, path))
		audit_public_differ(w->a, path, "is not a name of the service");
}

/* No recursion: folders wait in a list. */
struct folders {
	char (*names)[NAME_MAX_BYTES];
	size_t count, room;
};

static void
folder_add(struct folders *f, const char *name)
{
	if (f->count == f->room) {
		f->room = f->room * 2 + 64;
		f->names = audit_grow(f->names, f->room, sizeof *f->names);
	}
	snprintf(f->names[f->count++], NAME_MAX_BYTES, "%s", name);
}

static void
folder_read(struct walk *w, struct folders *f, const char *folder)
{
	char full[700], path[2 * NAME_MAX_BYTES];
	const struct dirent *entry;
	struct stat st;
	DIR *d;

	snprintf(full, sizeof full, "%.400s/%s", audit_public_folder(w->a), folder);
	if ((d = opendir(full)) == NULL)
		return;
	while (w->e == ERR_OK && (entry = readdir(d)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		snprintf(path, sizeof path, "%s%s%.190s", folder, *folder == '\0' ? "" : "/",
		        entry->d_name);
		snprintf(full, sizeof full, "%.400s/%.290s", audit_public_folder(w->a), path);
		if (strlen(path) >= NAME_MAX_BYTES || lstat(full, &st) != 0)
			continue;
		if (S_ISDIR(st.st_mode))
			folder_add(f, path);
		else if (S_ISREG(st.st_mode) && file_is_temp(path) &&
		         st.st_mtime > w->a->o->now - UNFINISHED_S_MAX)
			continue; /* just being written, or cut off: the next publisher removes it
			           */
		else if (S_ISREG(st.st_mode))
			file_judge(w, path);
		else
			audit_public_differ(w->a, path, "is neither file nor folder");
	}
	closedir(d);
}

enum err
audit_public_walk(struct audit *a)
{
	struct walk w = {.a = a, .m = audit_manifest_newest(a), .e = ERR_OK};
	struct folders f = {NULL, 0, 0};

	landmarks_check(&w);
	folder_add(&f, "");
	while (w.e == ERR_OK && f.count > 0) {
		char folder[NAME_MAX_BYTES];

		memcpy(folder, f.names[--f.count], sizeof folder);
		folder_read(&w, &f, folder);
	}
	free(f.names);
	return w.e;
}
