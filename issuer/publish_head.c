/* publish_head.c - table, deltas, head: what a head names is on disk and judged before the head is
 * asked for, and a head is public only above the one before. */
#include "log.h"
#include "publish.h"

#include "file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_BYTES = 700, MODE = 0644 };

static void
path_of(const struct publish *p, char out[PATH_BYTES], const char *format, uint64_t a, uint64_t b)
{
	char name[120];

	snprintf(name, sizeof name, format, a, b);
	snprintf(out, PATH_BYTES, "%s/%s", p->dir, name);
}

/* Decodes and verifies under the published manifest. */
static enum err
head_read(const struct publish *p, struct bytes in, struct head *h)
{
	struct cose_sign1 m;
	const struct manifest_key *key;
	enum err e = head_decode(in, &m, h);

	if (e != ERR_OK)
		return e;
	if ((key = manifest_find(&p->manifest, m.kid, KEY_STATUS)) == NULL)
		return ERR_KID_UNKNOWN;
	return cose_verify(&m, key->key, HEAD_TYPE);
}

static enum err
table_read(const struct publish *p, struct bytes in, struct table_row *rows, struct table *t)
{
	struct cose_sign1 m;
	const struct manifest_key *key;
	enum err e = table_decode(in, &m, rows, HEAD_LISTS_MAX, t);

	if (e != ERR_OK)
		return e;
	if ((key = manifest_find(&p->manifest, m.kid, KEY_STATUS)) == NULL)
		return ERR_KID_UNKNOWN;
	return cose_verify(&m, key->key, TABLE_TYPE);
}

static void
head_remember(struct publish_head *w, struct bytes head, const struct head *h)
{
	memcpy(w->head, head.p, head.n);
	w->head_n = head.n;
	w->sequence = h->sequence;
	w->tree_size = h->tree_size;
	w->manifest_version = h->manifest_version;
	w->iat = h->iat;
}

/* What is public, in form only: the keys come with the manifest of the first round. */
static enum err
public_load(struct publish *p)
{
	char path[PATH_BYTES];
	uint8_t *bytes = NULL;
	struct cose_sign1 m;
	struct table t;
	struct head h;
	size_t n = 0;
	enum err e;

	path_of(p, path, "status/head.cwt", 0, 0);
	e = file_read(path, HEAD_BYTES_MAX, &bytes, &n);
	if (e == ERR_NOT_FOUND)
		return ERR_OK;
	if (e == ERR_OK && (e = head_decode(bytes_of(bytes, n), &m, &h)) == ERR_OK)
		head_remember(&p->head, bytes_of(bytes, n), &h);
	free(bytes);
	if (e != ERR_OK)
		return e;
	bytes = NULL;
	path_of(p, path, "status/table/%" PRIu64 ".cwt", p->head.sequence, 0);
	e = file_read(path, TABLE_BYTES_MAX, &bytes, &n);
	if (e == ERR_OK &&
	        table_decode(bytes_of(bytes, n), &m, p->head.rows, HEAD_LISTS_MAX, &t) == ERR_OK)
		p->head.count = t.count;
	free(bytes);
	return ERR_OK; /* without its table every row counts as changed */
}

enum err
publish_head_open(struct publish *p)
{
	char folder[CONFIG_TEXT_MAX], path[CONFIG_TEXT_MAX + 20];
	uint8_t *pem = NULL;
	size_t n = 0;
	enum err e;

	config_path(p->config, p->config->trust_dir, folder, sizeof folder);
	snprintf(path, sizeof path, "%s/root.pub", folder);
	if ((e = file_read(path, KEY_PEM_BYTES_MAX, &pem, &n)) == ERR_OK)
		e = key_read_pem(bytes_of(pem, n), &p->root);
	free(pem);
	if (e != ERR_OK) {
		log_fault("root_key", "file=%s error=%s", path, err_word(e));
		return ERR_CONFIG;
	}
	p->head.rows = calloc(HEAD_LISTS_MAX, sizeof *p->head.rows);
	p->head.signed_table = malloc(TABLE_BYTES_MAX);
	if (p->head.rows == NULL || p->head.signed_table == NULL)
		return ERR_MEMORY;
	return public_load(p);
}

void
publish_head_close(struct publish *p)
{
	if (p->manifest_bytes != NULL)
		manifest_close(&p->manifest);
	free(p->manifest_bytes);
	free(p->head.rows);
	free(p->head.signed_table);
	key_free(p->root);
}

enum err
publish_head_take(struct publish *p, const struct signer_state *t)
{
	struct publish_head *w = &p->head;

	if (t->head.n > sizeof w->signed_head || t->head_sm2.n > sizeof w->signed_sm2 ||
	        t->table.n > TABLE_BYTES_MAX)
		return ERR_PROTOCOL;
	if (bytes_equal(t->head, bytes_of(w->signed_head, w->signed_head_n)))
		return ERR_OK;
	if (t->head.n > 0)
		memcpy(w->signed_head, t->head.p, t->head.n);
	if (t->head_sm2.n > 0)
		memcpy(w->signed_sm2, t->head_sm2.p, t->head_sm2.n);
	w->signed_sm2_n = t->head_sm2.n;
	if (t->table.n > 0)
		memcpy(w->signed_table, t->table.p, t->table.n);
	w->signed_head_n = t->head.n;
	w->passed = false;
	w->signed_table_n = t->table.n;
	return ERR_OK;
}

static bool
row_same(const struct table_row *a, const struct table_row *b)
{
	return a->sequence == b->sequence &&
	       memcmp(a->cwt_sha256, b->cwt_sha256, SHA256_BYTES) == 0;
}

/* Every version that a table names, where it was not judged for the head before. */
static enum err
rows_check(struct publish *p, const struct table *t)
{
	const struct publish_head *w = &p->head;
	enum err e = ERR_OK;

	if (t->count < w->count) {
		log_fault("list_vanished", "lists=%zu were=%zu", t->count, w->count);
		return ERR_SIZE;
	}
	if (t->count > p->list_room)
		return ERR_NOT_FOUND;
	for (size_t i = 0; e == ERR_OK && i < t->count; i++) {
		const struct table_row *old = i < w->count ? &w->rows[i] : NULL;

		if (old == NULL || !row_same(&t->rows[i], old) ||
		        p->lists[i].counted != t->rows[i].sequence)
			e = publish_row_check(p, (uint32_t)i, &t->rows[i], old);
	}
	return e;
}

/* Only above the public one, of a size that is public, with the manifest that is public. */
static enum err
head_check(const struct publish *p, const struct head *h, struct bytes table)
{
	uint8_t hash[SHA256_BYTES];

	if (h->sequence <= p->head.sequence || h->iat < p->head.iat ||
	        h->tree_size < p->head.tree_size)
		return ERR_VERSION;
	sha256_one(table, hash);
	if (memcmp(hash, h->table_sha256, SHA256_BYTES) != 0 ||
	        !bytes_equal(h->iss, p->manifest.iss))
		return ERR_FORK;
	if (p->head.head_n > 0) {
		sha256_one(bytes_of(p->head.head, p->head.head_n), hash);
		if (memcmp(hash, h->previous, SHA256_BYTES) != 0)
			log_note("head_chain", "sequence=%" PRIu64 " what=follows_another_head",
			        h->sequence);
	}
	return ERR_OK;
}

/* The claims of the head under an SM2 key: who pinned an SM2 root reads nothing else. It is written
 * first, so that it is never behind the other. */
static enum err
sm2_write(struct publish *p, struct bytes head)
{
	const struct publish_head *w = &p->head;
	char path[PATH_BYTES];
	struct cose_sign1 m, same;
	const struct manifest_key *key;
	struct head h;
	enum err e;

	if (!p->manifest.sm2)
		return ERR_OK;
	if ((e = head_decode(bytes_of(w->signed_sm2, w->signed_sm2_n), &m, &h)) != ERR_OK ||
	        (e = head_decode(head, &same, &h)) != ERR_OK)
		return e;
	if ((key = manifest_head_key(&p->manifest, m.kid)) == NULL)
		return ERR_KID_UNKNOWN;
	if (!bytes_equal(m.payload, same.payload))
		return ERR_FORK;
	if ((e = cose_verify(&m, key->key, HEAD_TYPE)) != ERR_OK)
		return e;
	path_of(p, path, "status/head-sm2.cwt", 0, 0);
	return file_write(path, bytes_of(w->signed_sm2, w->signed_sm2_n), MODE);
}

enum err
publish_head_write(struct publish *p, struct bytes table, struct bytes head)
{
	struct table_row *rows = calloc(HEAD_LISTS_MAX, sizeof *rows);
	char path[PATH_BYTES];
	struct table t;
	struct head h;
	enum err e = rows == NULL ? ERR_MEMORY : head_read(p, head, &h);

	if (e != ERR_OK || (e = head_check(p, &h, table)) != ERR_OK ||
	        (e = table_read(p, table, rows, &t)) != ERR_OK || (e = rows_check(p, &t)) != ERR_OK)
		goto out;
	path_of(p, path, "log/checkpoints/%" PRIu64, h.tree_size, 0);
	if (h.manifest_version != p->manifest_version || !file_exists(path)) {
		e = ERR_NOT_FOUND;
		goto out;
	}
	path_of(p, path, "status/table/%" PRIu64 ".cwt", h.sequence, 0);
	if ((e = file_write_once(path, table, MODE)) != ERR_OK)
		goto out;
	path_of(p, path, "status/head.cwt", 0, 0);
	if ((e = prune_keep(p->dir, h.tree_size)) != ERR_OK || (e = sm2_write(p, head)) != ERR_OK ||
	        (e = file_write(path, head, MODE)) != ERR_OK)
		goto out;
	head_remember(&p->head, head, &h);
	memcpy(p->head.rows, rows, t.count * sizeof *rows);
	p->head.count = t.count;
out:
	free(rows);
	return e;
}

/* After a stop between the signature and the file. What can no longer be published (its parts are
 * gone with a folder that was made again) is passed over: the next head is above it. */
static void
head_resume(struct publish *p)
{
	struct publish_head *w = &p->head;
	struct bytes head = bytes_of(w->signed_head, w->signed_head_n);
	enum err e;

	if (head.n == 0 || w->passed || bytes_equal(head, bytes_of(w->head, w->head_n)))
		return;
	e = publish_head_write(p, bytes_of(w->signed_table, w->signed_table_n), head);
	log_note("head_resumed", "sequence=%" PRIu64 " error=%s", w->sequence, err_word(e));
	w->passed = e != ERR_OK;
}

static bool
head_due(const struct publish *p, int64_t now)
{
	const struct publish_head *w = &p->head;

	if (w->head_n == 0 || w->manifest_version != p->manifest_version ||
	        w->iat + (int64_t)p->config->list_refresh_s <= now)
		return true;
	for (size_t i = 0; i < p->list_room; i++)
		if (p->lists[i].written != 0 &&
		        (i >= w->count || w->rows[i].sequence != p->lists[i].written))
			return true;
	return false;
}

/* Reads back what was written. */
static enum err
file_same(const char *path, struct bytes want)
{
	uint8_t *bytes = NULL;
	size_t n = 0;
	enum err e = file_read(path, want.n, &bytes, &n);

	if (e == ERR_OK && !bytes_equal(bytes_of(bytes, n), want))
		e = ERR_IO;
	free(bytes);
	return e;
}

static enum err
table_make(struct publish *p, int64_t now, uint64_t *sequence)
{
	struct publish_head *w = &p->head;
	struct table_row *rows = calloc(HEAD_LISTS_MAX, sizeof *rows);
	char path[PATH_BYTES];
	struct bytes cwt;
	struct table t;
	enum err e =
	        rows == NULL ? ERR_MEMORY : signer_table(p->signer, p->published, sequence, &cwt);

	if (e != ERR_OK || (e = table_read(p, cwt, rows, &t)) != ERR_OK)
		goto out;
	e = ERR_VERSION;
	if (*sequence <= w->sequence || cwt.n > TABLE_BYTES_MAX)
		goto out;
	/* the count asks the signer again, and its answer takes this one's place */
	memcpy(w->signed_table, cwt.p, cwt.n);
	w->signed_table_n = cwt.n;
	cwt.p = w->signed_table;
	path_of(p, path, "status/table/%" PRIu64 ".cwt", *sequence, 0);
	if ((e = rows_check(p, &t)) != ERR_OK || (e = publish_counts_check(p, now)) != ERR_OK ||
	        (e = file_write_once(path, cwt, MODE)) != ERR_OK)
		goto out;
	e = file_same(path, cwt);
out:
	free(rows);
	return e;
}

static size_t
lists_bytes(const struct publish *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->list_room; i++)
		n += p->lists[i].cwt_n;
	return n;
}

/* One delta, where there is one that is worth it: *kept says so. */
static enum err
delta_make(struct publish *p, uint64_t at, uint64_t *base, bool *kept)
{
	char path[PATH_BYTES];
	struct bytes cwt;
	uint64_t sequence;
	enum err e = signer_delta(p->signer, at, base, &sequence, &cwt);

	*kept = false;
	if (e == ERR_EXISTS || e == ERR_NOT_FOUND || e == ERR_LIMIT)
		return ERR_OK;
	if (e != ERR_OK || cwt.n > lists_bytes(p) / 2)
		return e;
	path_of(p, path, "status/delta/%" PRIu64 "-%" PRIu64 ".cwt", *base, sequence);
	if ((e = file_write_once(path, cwt, MODE)) != ERR_OK ||
	        (e = file_same(path, cwt)) != ERR_OK)
		return e;
	*kept = true;
	return ERR_OK;
}

/* A little more than an hour, a day and a week: who comes once in that time is served. */
static enum err
deltas_make(struct publish *p, uint64_t sequence, uint64_t bases[HEAD_DELTAS_MAX], size_t *count)
{
	static const uint64_t ages[HEAD_DELTAS_MAX] = {7 * 86400 + 3600, 86400 + 3600, 3600 + 300};
	enum err e = ERR_OK;

	*count = 0;
	for (size_t i = 0; e == ERR_OK && i < HEAD_DELTAS_MAX; i++) {
		bool kept = false;

		e = delta_make(p, sequence - ages[i], &bases[*count], &kept);
		if (e == ERR_OK && kept)
			(*count)++;
	}
	return e;
}

/* A list that was not renewed for long: readers take no head that names it. The new version comes
 * with the next rounds. */
static bool
list_stale(const struct publish *p, int64_t now)
{
	for (size_t i = 0; i < p->list_room; i++)
		if (p->lists[i].signed_sequence != 0 &&
		        (int64_t)p->lists[i].signed_sequence + LIST_RENEWED_S_MAX - 300 <= now)
			return true;
	return false;
}

static enum err
head_make(struct publish *p, int64_t now)
{
	struct publish_head *w = &p->head;
	uint64_t bases[HEAD_DELTAS_MAX], sequence;
	struct bytes heads[2];
	size_t count;
	enum err e;

	if (now < w->iat) {
		log_fault("clock_went_back", "now=%" PRId64 " head=%" PRId64, now, w->iat);
		return ERR_CLOCK;
	}
	if ((e = table_make(p, now, &sequence)) != ERR_OK ||
	        (e = deltas_make(p, sequence, bases, &count)) != ERR_OK ||
	        (e = signer_publication(p->signer, bases, count, &sequence, heads)) != ERR_OK)
		return e;
	if (heads[0].n > sizeof w->signed_head || heads[1].n > sizeof w->signed_sm2)
		return ERR_PROTOCOL;
	memcpy(w->signed_head, heads[0].p, heads[0].n);
	w->signed_head_n = heads[0].n;
	if (heads[1].n > 0)
		memcpy(w->signed_sm2, heads[1].p, heads[1].n);
	w->signed_sm2_n = heads[1].n;
	w->passed = false;
	return publish_head_write(p, bytes_of(w->signed_table, w->signed_table_n),
	        bytes_of(w->signed_head, w->signed_head_n));
}

enum err
publish_head_round(struct publish *p, int64_t now)
{
	enum err e;

	if (p->published == 0 || p->manifest_version == 0)
		return ERR_OK;
	head_resume(p);
	if (!head_due(p, now) || list_stale(p, now))
		return publish_counts_check(p, now);
	e = head_make(p, now);
	/* one of this second is there, or a version is signed whose files come in the next round */
	return e == ERR_VERSION || e == ERR_NOT_FOUND ? ERR_OK : e;
}
