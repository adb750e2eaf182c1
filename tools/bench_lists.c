/* bench_lists.c - the bits and rows that a log of millions of certificates would fold to; drawn,
 * since making that log would take a day. */
#include "bench_lists.h"

#include "date.h"
#include "file.h"
#include "fold_item.h"
#include "key_store.h"
#include "status.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { PATH_BYTES = 500, TEN_THOUSAND = 10000, YEAR_DAYS = 365, URI_BYTES = 120 };

uint64_t
bench_draw(uint64_t *seed)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15U;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
	z = (z ^ z >> 27) * 0x94d049bb133111ebU;
	return z ^ z >> 31;
}

void
bench_serial(uint64_t *seed, int64_t now, uint8_t out[16])
{
	be_put(out, (uint64_t)now * 1000 - bench_draw(seed) % 100000000000U, 6);
	be_put(out + 6, 0x7000 | (bench_draw(seed) & 0xfff), 2);
	be_put(out + 8, UINT64_C(1) << 63 | bench_draw(seed) >> 2, 8);
}

static void
row_fill(struct fold_list *l, uint64_t *seed, int64_t now, enum status status)
{
	uint8_t serial[16];
	struct crl_row *row;

	bench_serial(seed, now, serial);
	row = fold_rows_add(l, serial);
	row->reason = status == STATUS_SUSPENDED ? 6 : 9;
	row->revoked_at = now - (int64_t)(bench_draw(seed) % (YEAR_DAYS * 86400));
	row->invalid_from = date_shanghai(row->revoked_at);
}

/* Of a list that is not full, the places that are taken lie anywhere. */
static void
list_fill(struct fold_list *l, uint64_t count, struct bench_shares s, int64_t now)
{
	uint64_t seed = (uint64_t)now / 1000000 + count + s.superseded;

	for (uint32_t idx = 0; idx < LIST_ENTRIES; idx++) {
		uint64_t drawn = bench_draw(&seed), share = (drawn >> 32) % TEN_THOUSAND;
		enum status status = share < s.invalid                 ? STATUS_INVALID
		                     : share < s.invalid + s.suspended ? STATUS_SUSPENDED
		                     : share < s.invalid + s.suspended + s.superseded
		                             ? STATUS_SUPERSEDED
		                             : STATUS_VALID;

		if ((uint32_t)drawn % LIST_ENTRIES >= count || status == STATUS_VALID)
			continue;
		status_set(l->raw, idx, status);
		if (status != STATUS_SUPERSEDED)
			row_fill(l, &seed, now, status);
	}
}

enum err
bench_lists_fill(struct fold *f, uint64_t certificates, struct bench_shares shares, int64_t now)
{
	uint32_t lists = (uint32_t)((certificates + LIST_ENTRIES - 1) / LIST_ENTRIES);

	if ((f->lists = calloc(lists, sizeof *f->lists)) == NULL)
		return ERR_MEMORY;
	for (; f->list_count < lists; f->list_count++) {
		struct fold_list *l = &f->lists[f->list_count];
		uint64_t before = (uint64_t)f->list_count * LIST_ENTRIES;
		uint64_t count = certificates - before;

		if ((l->raw = calloc(LIST_BYTES, 1)) == NULL)
			return ERR_MEMORY;
		list_fill(l, count < LIST_ENTRIES ? count : LIST_ENTRIES, shares,
		        now + f->list_count * INT64_C(1000000));
	}
	f->slots = certificates;
	return ERR_OK;
}

enum err
bench_token_room(struct bench_token *t)
{
	t->zlib = buf_init(malloc(TOKEN_BYTES_MAX), TOKEN_BYTES_MAX);
	t->cwt = buf_init(malloc(TOKEN_BYTES_MAX), TOKEN_BYTES_MAX);
	return t->zlib.p == NULL || t->cwt.p == NULL ? ERR_MEMORY : ERR_OK;
}

void
bench_token_free(struct bench_token *t)
{
	free(t->zlib.p);
	free(t->cwt.p);
	t->zlib.p = t->cwt.p = NULL;
}

static enum err
level_deflate(int level, struct bytes raw, struct buf *out)
{
	uLongf n = out->cap;

	if (level == 0)
		return status_deflate(raw, out);
	if (compress2(out->p, &n, raw.p, raw.n, level) != Z_OK)
		return ERR_LIMIT;
	out->n = n;
	return ERR_OK;
}

enum err
bench_token_make(struct bench_token *t, uint32_t list, const uint8_t *raw)
{
	char uri[URI_BYTES];
	struct status_token token = {.list = list,
	        .iat = t->now,
	        .exp = t->now + LIST_LIFETIME_S,
	        .ttl = LIST_TTL_S,
	        .sequence = (uint64_t)t->now};
	enum err e;

	snprintf(
	        uri, sizeof uri, "%.*s%" PRIu32, (int)t->prefix.n, (const char *)t->prefix.p, list);
	token.uri = bytes_of_text(uri);
	t->zlib.n = t->cwt.n = 0;
	if ((e = level_deflate(t->level, bytes_of(raw, LIST_BYTES), &t->zlib)) != ERR_OK)
		return e;
	token.lst = buf_bytes(&t->zlib);
	return status_cwt_sign(&token, t->key, &t->cwt);
}

static enum err
pem_read(const char *dir, const char *name, struct key **out)
{
	char path[PATH_BYTES], folder[PATH_BYTES];
	struct key_store store = {.dir = folder};
	uint8_t *pem = NULL;
	size_t n = 0;
	enum err e;

	snprintf(folder, sizeof folder, "%s/authority/signer", dir);
	snprintf(path, sizeof path, "%s/authority/%s", dir, name);
	if ((e = file_read(path, KEY_FILE_BYTES_MAX, &pem, &n)) == ERR_OK)
		e = key_store_open(&store, bytes_of(pem, n), out);
	key_store_end(&store);
	free(pem);
	return e;
}

enum err
bench_keys_open(const char *dir, struct bench_keys *k)
{
	char path[PATH_BYTES];
	enum err e;

	memset(k, 0, sizeof *k);
	if ((e = pem_read(dir, "trust/root.pub", &k->root)) != ERR_OK ||
	        (e = pem_read(dir, "signer/status.pem", &k->status)) != ERR_OK ||
	        (e = pem_read(dir, "signer/log.pem", &k->log)) != ERR_OK ||
	        (e = pem_read(dir, "signer/crl.pem", &k->crl)) != ERR_OK)
		return e;
	snprintf(path, sizeof path, "%s/authority/signer/crl-ca.der", dir);
	if ((e = file_read(path, MANIFEST_BYTES_MAX, &k->crl_ca, &k->crl_ca_n)) != ERR_OK)
		return e;
	snprintf(path, sizeof path, "%s/authority/trust/manifest.cose", dir);
	e = file_read(path, MANIFEST_BYTES_MAX, &k->manifest_bytes, &k->manifest_n);
	return e != ERR_OK ? e
	                   : manifest_open(bytes_of(k->manifest_bytes, k->manifest_n), k->root,
	                             &k->manifest);
}

void
bench_keys_close(struct bench_keys *k)
{
	manifest_close(&k->manifest);
	key_free(k->root);
	key_free(k->status);
	key_free(k->log);
	key_free(k->crl);
	free(k->crl_ca);
	free(k->manifest_bytes);
}
