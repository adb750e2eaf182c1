/* bench_status.c - one publication of all lists, made with the functions that the signer makes it
 * with, and fetched by the real zz-verify; times are of the processor, on one core. */
#include "bench_status.h"

#include "bench_child.h"
#include "bench_lists.h"
#include "bench_serve.h"
#include "entry.h"
#include "head.h"
#include "merkle.h"
#include "note.h"
#include "proof.h"
#include "status.h"

#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HOUR_CHANGES = 38, NAME_BYTES = 120, HOUR_S = 3600 };

struct publication {
	struct bench_keys keys;
	struct bench_serve *serve; /* NULL: the files are only measured */
	struct fold fold;
	int64_t now;
	char dir[BENCH_PATH_MAX];
	struct table_row *rows;
	uint64_t list_bytes, crl_bytes, head_bytes, delta_bytes, rows_revoked;
	double list_s, crl_s;
};

static enum err
file_put(struct publication *p, struct bytes data, const char *format, uint64_t a, uint64_t b)
{
	char name[NAME_BYTES];

	if (p->serve == NULL)
		return ERR_OK;
	snprintf(name, sizeof name, format, a, b);
	return bench_serve_put(p->serve, name, data);
}

/* Lists */

static enum err
list_make(struct publication *p, uint32_t list, struct bench_token *t)
{
	struct table_row *row = &p->rows[list];
	const uint8_t *raw = p->fold.lists[list].raw;
	enum err e = bench_token_make(t, list, raw);

	if (e != ERR_OK)
		return e;
	row->sequence = (uint64_t)p->now;
	sha256_one(bytes_of(raw, LIST_BYTES), row->raw_sha256);
	sha256_one(buf_bytes(&t->cwt), row->cwt_sha256);
	return ERR_OK;
}

static enum err
lists_make(struct publication *p)
{
	struct bench_token t = {
	        .key = p->keys.status, .prefix = p->keys.manifest.status_prefix, .now = p->now};
	enum err e = bench_token_room(&t);

	for (uint32_t i = 0; e == ERR_OK && i < p->fold.list_count; i++) {
		double start = bench_cpu_s();

		e = list_make(p, i, &t);
		p->list_s += bench_cpu_s() - start;
		p->list_bytes += t.cwt.n;
		if (e == ERR_OK)
			e = file_put(p, buf_bytes(&t.cwt),
			        "/status/version/%" PRIu64 "-%" PRIu64 ".cwt", i,
			        p->rows[i].sequence);
	}
	bench_token_free(&t);
	return e;
}

/* CRLs */

static enum err
crls_make(struct publication *p)
{
	const struct crl_times times = {p->now, p->now + LIST_LIFETIME_S, (uint64_t)p->now};
	struct bytes ca = bytes_of(p->keys.crl_ca, p->keys.crl_ca_n), iss = p->keys.manifest.iss;
	enum err e = ERR_OK;

	for (uint32_t i = 0; e == ERR_OK && i < p->fold.list_count; i++) {
		const struct fold_list *l = &p->fold.lists[i];
		double start = bench_cpu_s();
		uint8_t *der = NULL;
		char url[NAME_BYTES];
		size_t n = 0;

		snprintf(url, sizeof url, "https://%.*s/crl/%" PRIu32 ".crl", (int)iss.n,
		        (const char *)iss.p, i);
		e = crl_make(p->keys.crl, ca, bytes_of_text(url), &times, l->rows, l->row_count,
		        &der, &n);
		p->crl_s += bench_cpu_s() - start;
		p->crl_bytes += n;
		p->rows_revoked += l->row_count;
		if (e == ERR_OK)
			e = file_put(p, bytes_of(der, n), "/crl/%" PRIu64 ".crl", i, 0);
		free(der);
	}
	return e;
}

/* Head, table, checkpoint and the delta of an hour */

static enum err
delta_make(struct publication *p, struct head *h)
{
	struct delta_change changes[HOUR_CHANGES];
	uint8_t *room = malloc(DELTA_BYTES_MAX);
	struct buf out = buf_init(room, DELTA_BYTES_MAX);
	struct delta d = {.iss = p->keys.manifest.iss,
	        .iat = p->now,
	        .base = (uint64_t)p->now - HOUR_S,
	        .sequence = (uint64_t)p->now,
	        .changes = changes,
	        .count = HOUR_CHANGES};
	uint64_t seed = 38;
	enum err e;

	for (uint32_t i = 0; i < HOUR_CHANGES; i++)
		changes[i] = (struct delta_change){i * p->fold.list_count / HOUR_CHANGES,
		        i * (LIST_ENTRIES / HOUR_CHANGES) +
		                (uint32_t)(bench_draw(&seed) % (LIST_ENTRIES / HOUR_CHANGES)),
		        i % 10 == 0 ? STATUS_SUSPENDED : STATUS_INVALID};
	if ((e = room == NULL ? ERR_MEMORY : delta_sign(&d, p->keys.status, &out)) == ERR_OK) {
		p->delta_bytes = out.n;
		/* a head names three: of a week, a day and an hour */
		for (uint64_t i = 0; i < HEAD_DELTAS_MAX; i++) {
			h->deltas[i].base = d.base - (HEAD_DELTAS_MAX - 1 - i) * 86400;
			sha256_one(buf_bytes(&out), h->deltas[i].sha256);
		}
		h->delta_count = HEAD_DELTAS_MAX;
	}
	free(room);
	return e;
}

static enum err
table_make(struct publication *p, struct head *h)
{
	struct table t = {.iss = h->iss, .iat = p->now, .rows = p->rows, .count = h->list_count};
	uint8_t *room = malloc(TABLE_BYTES_MAX);
	struct buf out = buf_init(room, TABLE_BYTES_MAX);
	enum err e = room == NULL ? ERR_MEMORY : table_sign(&t, p->keys.status, &out);

	sha256_one(buf_bytes(&out), h->table_sha256);
	if (e == ERR_OK)
		e = file_put(p, buf_bytes(&out), "/status/table/%" PRIu64 ".cwt", h->sequence, 0);
	free(room);
	return e;
}

/* Entry 3 of a list, as its row says it, and the place where whoever fetches the list finds it. */
static enum err
entry_make(struct publication *p, uint32_t list, struct merkle_hash *leaf)
{
	const struct table_row *row = &p->rows[list];
	struct proof proof = {.index = list, .note = BYTES_LIT("-\n")};
	struct buf extra = BUF_OF(proof.extra);
	uint8_t room[PROOF_TEXT_BYTES_MAX];
	struct buf text = BUF_OF(room);
	struct entry e = {.type = ENTRY_LIST,
	        .list = list,
	        .sequence = row->sequence,
	        .tree_size = list,
	        .this_update = p->now,
	        .next_update = p->now + LIST_LIFETIME_S,
	        .time = p->now};

	memcpy(e.raw_sha256, row->raw_sha256, SHA256_BYTES);
	memcpy(e.cwt_sha256, row->cwt_sha256, SHA256_BYTES);
	entry_put(&e, &extra);
	proof.extra_n = extra.n;
	merkle_leaf(buf_bytes(&extra), leaf);
	proof_put(&text, &proof);
	return file_put(p, buf_bytes(&text), "/status/version/%" PRIu64 "-%" PRIu64 ".tlog-proof",
	        list, row->sequence);
}

/* A log of these entries alone: one tile holds them. */
static enum err
log_make(struct publication *p, struct head *h)
{
	struct merkle_hash leaves[TILE_WIDTH];
	struct merkle_frontier f = {0};
	enum err e = h->list_count <= TILE_WIDTH ? ERR_OK : ERR_LIMIT;

	for (uint32_t i = 0; e == ERR_OK && i < h->list_count; i++) {
		if ((e = entry_make(p, i, &leaves[i])) == ERR_OK)
			merkle_append(&f, &leaves[i]);
	}
	if (e != ERR_OK)
		return e;
	merkle_root(&f, &h->root);
	h->tree_size = f.size;
	return file_put(p, bytes_of(leaves[0].b, f.size * SHA256_BYTES),
	        "/log/tile/0/000.p/%" PRIu64, f.size, 0);
}

static enum err
head_make(struct publication *p)
{
	uint8_t room[HEAD_BYTES_MAX + 64], note_room[CHECKPOINT_BYTES_MAX];
	struct buf out = BUF_OF(room), note = BUF_OF(note_room);
	struct head h = {.iss = p->keys.manifest.iss,
	        .iat = p->now,
	        .exp = p->now + HEAD_LIFETIME_S,
	        .sequence = (uint64_t)p->now,
	        .list_count = p->fold.list_count,
	        .manifest_version = p->keys.manifest.version};
	enum err e;

	memset(h.previous, 0xa5, SHA256_BYTES);
	memcpy(h.manifest_sha256, p->keys.manifest.sha256, SHA256_BYTES);
	if ((e = log_make(p, &h)) != ERR_OK || (e = delta_make(p, &h)) != ERR_OK ||
	        (e = table_make(p, &h)) != ERR_OK ||
	        (e = checkpoint_sign(p->keys.manifest.origin, h.tree_size, &h.root, p->keys.log,
	                 &note)) != ERR_OK ||
	        (e = file_put(p, buf_bytes(&note), "/log/checkpoints/%" PRIu64, h.tree_size, 0)) !=
	                ERR_OK ||
	        (e = head_sign(&h, p->keys.status, &out)) != ERR_OK)
		return e;
	p->head_bytes = out.n;
	if ((e = file_put(p, buf_bytes(&out), "/status/head.cwt", 0, 0)) != ERR_OK)
		return e;
	return file_put(
	        p, bytes_of(p->keys.manifest_bytes, p->keys.manifest_n), "/manifest.cose", 0, 0);
}

/* One share of statuses */

static void
fold_drop(struct publication *p)
{
	fold_free(&p->fold);
	free(p->rows);
	p->rows = NULL;
	malloc_trim(0);
}

static enum err
fold_make(struct publication *p, uint64_t certificates, struct bench_shares shares)
{
	enum err e;

	fold_drop(p);
	p->list_bytes = p->crl_bytes = p->rows_revoked = 0;
	p->list_s = p->crl_s = 0;
	if ((e = bench_lists_fill(&p->fold, certificates, shares, p->now)) != ERR_OK)
		return e;
	p->rows = calloc(p->fold.list_count, sizeof *p->rows);
	return p->rows == NULL ? ERR_MEMORY : ERR_OK;
}

/* The real zz-verify, from nothing. */
static enum err
sync_run_once(struct publication *p, struct bench_goals *g, bool crls)
{
	char state[BENCH_PATH_MAX + 32], root[BENCH_PATH_MAX + 32];
	const char *const arguments[] = {"zz-verify", "sync", "--url", bench_serve_url(p->serve),
	        "--root", root, "--state", state, crls ? "--crl" : NULL, NULL};
	struct rusage use;
	double cpu;
	int code = 0;
	enum err e;

	snprintf(state, sizeof state, "%s/state-%d", p->dir, crls);
	snprintf(root, sizeof root, "%s/authority/trust/root.pub", p->dir);
	if ((e = bench_child(arguments, &code, &use)) != ERR_OK)
		return e;
	if (code != 0)
		return ERR_VALUE;
	cpu = (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
	      (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
	bench_goal_add(g, crls ? (struct bench_row){"sync_crl_cpu_s",
	                                 "zz-verify sync --crl from nothing: CPU", "s", 1, cpu}
	                       : (struct bench_row){"sync_cpu_s",
	                                 "zz-verify sync from nothing: CPU", "s", 1, cpu});
	bench_goal_add(g, crls ? (struct bench_row){"sync_crl_mb", "  its peak memory", "MiB", 32,
	                                 (double)use.ru_maxrss / 1024}
	                       : (struct bench_row){"sync_mb", "  its peak memory", "MiB", 32,
	                                 (double)use.ru_maxrss / 1024});
	bench_goal_add(
	        g, (struct bench_row){crls ? "sync_crl_bytes" : "sync_bytes", "  what it fetched",
	                   "MB", 0, (double)bench_serve_sent(p->serve) / 1e6});
	return ERR_OK;
}

static void
plain_rows(const struct publication *p, struct bench_goals *g)
{
	bench_goal_add(g, (struct bench_row){"lists", "status lists", "", 0, p->fold.list_count});
	bench_goal_add(g, (struct bench_row){"list_bytes",
	                          "1 % revoked: all lists, compressed and signed (CWT)", "MB", 0.80,
	                          (double)p->list_bytes / 1e6});
	bench_goal_add(g,
	        (struct bench_row){"list_s", "  time to make them, one core", "s", 10, p->list_s});
	bench_goal_add(g,
	        (struct bench_row){"head_delta_bytes", "head and the delta of an hour (38 changes)",
	                "byte", 1500, (double)(p->head_bytes + p->delta_bytes)});
	bench_goal_add(g,
	        (struct bench_row){"crl_bytes", "all CRLs", "MB", 0, (double)p->crl_bytes / 1e6});
	bench_goal_add(
	        g, (struct bench_row){"crl_s", "  time to make them, one core", "s", 0, p->crl_s});
}

static enum err
measure(struct publication *p, uint64_t certificates, struct bench_goals *g)
{
	static const struct bench_shares plain = {90, 10, 0}, superseded = {90, 10, 2500};
	enum err e;

	if ((e = bench_authority(p->dir)) != ERR_OK ||
	        (e = bench_keys_open(p->dir, &p->keys)) != ERR_OK ||
	        (e = bench_serve_open(p->dir, &p->serve)) != ERR_OK ||
	        (e = fold_make(p, certificates, plain)) != ERR_OK ||
	        (e = lists_make(p)) != ERR_OK || (e = crls_make(p)) != ERR_OK ||
	        (e = head_make(p)) != ERR_OK)
		return e;
	plain_rows(p, g);
	fold_drop(p); /* what is resident here would count as the child's peak */
	if ((e = bench_serve_start(p->serve)) != ERR_OK ||
	        (e = sync_run_once(p, g, false)) != ERR_OK ||
	        (e = sync_run_once(p, g, true)) != ERR_OK)
		return e;
	bench_serve_close(p->serve);
	p->serve = NULL;
	if ((e = fold_make(p, certificates, superseded)) != ERR_OK || (e = lists_make(p)) != ERR_OK)
		return e;
	bench_goal_add(
	        g, (struct bench_row){"superseded_bytes", "and 25 % superseded: all lists (CWT)",
	                   "MB", 0, (double)p->list_bytes / 1e6});
	bench_goal_add(g, (struct bench_row){"superseded_s", "  time to make them, one core", "s",
	                          0, p->list_s});
	return ERR_OK;
}

enum err
bench_status(uint64_t certificates, int64_t now, struct bench_goals *out)
{
	struct publication *p = calloc(1, sizeof *p);
	enum err e = p == NULL ? ERR_MEMORY : bench_folder_make(p->dir);

	if (e == ERR_OK) {
		p->now = now;
		fold_init(&p->fold);
		out->command = "status";
		out->certificates = certificates;
		e = measure(p, certificates, out);
		bench_folder_remove(p->dir);
		bench_serve_close(p->serve);
		bench_keys_close(&p->keys);
		fold_drop(p);
	}
	free(p);
	return e;
}
