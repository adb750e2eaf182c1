/* verify_world.h - a small authority in memory, for test_verdict.c and test_sync.c: keys, manifest,
 * log, lists. */
#ifndef TESTS_VERIFY_WORLD_H
#define TESTS_VERIFY_WORLD_H
#include "crl.h"
#include "date.h"
#include "entry.h"
#include "manifest.h"
#include "note.h"
#include "receipt.h"
#include "status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WORLD_HOST "zz.example.gov.cn"
#define WORLD_ORIGIN WORLD_HOST "/log"
#define WORLD_PREFIX "https://" WORLD_HOST "/status/"
#define WORLD_NOW INT64_C(1792224000) /* a moment in October 2026 */
enum { WORLD_LEAVES_MAX = 1200, WORLD_CUT = 2 };

struct world {
	struct key *root, *record, *cut, *late, *status, *log, *crl, *stranger;
	uint8_t manifest_room[MANIFEST_BYTES_MAX], ca_room[2048], vkey_room[256],
	        key_room[8][KEY_COSE_BYTES_MAX];
	struct bytes manifest_bytes, ca;
	struct manifest m; /* opened */
	struct merkle_hash leaves[WORLD_LEAVES_MAX];
	uint64_t size;
	uint8_t raw[LIST_BYTES];
	uint64_t status_last_size; /* cut-off of the status key; 0: none */
	const char *witness;       /* vkey that the manifest demands; NULL: none */
};

static inline void
world_key(struct world *w, struct manifest *m, struct key *k, enum key_purpose purpose)
{
	struct buf cose = BUF_OF(w->key_room[m->key_count]);
	struct manifest_key *row = &m->keys[m->key_count];

	key_put_cose(k, &cose);
	*row = (struct manifest_key){key_kid(k), buf_bytes(&cose), purpose, WORLD_NOW - 365 * DAY_S,
	        WORLD_NOW + 3650LL * DAY_S, UINT64_MAX, false, NULL};
	m->key_count++;
}

static inline void
world_manifest(struct world *w, uint64_t version, int64_t iat)
{
	struct buf out = BUF_OF(w->manifest_room), vkey = BUF_OF(w->vkey_room);
	struct manifest m;

	memset(&m, 0, sizeof m);
	manifest_close(&w->m);
	note_vkey_put(&vkey, BYTES_LIT(WORLD_ORIGIN), w->log);
	m.iss = BYTES_LIT(WORLD_HOST);
	m.iat = iat;
	m.version = version;
	m.name_zh = BYTES_LIT("示范监管机关");
	m.name_en = BYTES_LIT("Example authority");
	m.origin = BYTES_LIT(WORLD_ORIGIN);
	m.log_vkey = buf_bytes(&vkey);
	m.status_prefix = BYTES_LIT(WORLD_PREFIX);
	m.crl_ca = w->ca;
	world_key(w, &m, w->record, KEY_RECORD);
	world_key(w, &m, w->cut, KEY_RECORD);
	m.keys[1].last_size = WORLD_CUT;
	world_key(w, &m, w->late, KEY_RECORD);
	m.keys[2].not_before = WORLD_NOW + DAY_S;
	world_key(w, &m, w->status, KEY_STATUS);
	if (w->status_last_size != 0)
		m.keys[3].last_size = w->status_last_size;
	world_key(w, &m, w->log, KEY_LOG);
	world_key(w, &m, w->crl, KEY_CRL);
	if (w->witness != NULL) {
		m.witnesses[0] = bytes_of_text(w->witness);
		m.witness_count = m.quorum = 1;
	}
	assert_int_equal(manifest_sign(&m, w->root, &out), ERR_OK);
	w->manifest_bytes = buf_bytes(&out);
	assert_int_equal(manifest_open(w->manifest_bytes, w->root, &w->m), ERR_OK);
}

static inline struct world *
world_make(void)
{
	struct world *w = calloc(1, sizeof *w);
	struct buf ca = BUF_OF(w->ca_room);
	struct {
		struct key **at;
		enum key_suite suite;
	} keys[] = {{&w->root, KEY_ES256}, {&w->record, KEY_ES256}, {&w->cut, KEY_ES256},
	        {&w->late, KEY_ES256}, {&w->status, KEY_ES256}, {&w->log, KEY_ED25519},
	        {&w->crl, KEY_ES256}, {&w->stranger, KEY_ES256}};

	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		assert_int_equal(key_generate(keys[i].suite, keys[i].at), ERR_OK);
	assert_int_equal(crl_ca_make(w->crl, BYTES_LIT("Example CRL"), WORLD_NOW - DAY_S,
	                         WORLD_NOW + 3650LL * DAY_S, &ca),
	        ERR_OK);
	w->ca = buf_bytes(&ca);
	world_manifest(w, 3, WORLD_NOW - DAY_S);
	return w;
}

static inline void
world_free(struct world *w)
{
	struct key *keys[] = {
	        w->root, w->record, w->cut, w->late, w->status, w->log, w->crl, w->stranger};

	manifest_close(&w->m);
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		key_free(keys[i]);
	free(w);
}

/* A record for 低压电工作业, of number `n`: cti and idx follow from it. `cti` has room for 16
 * bytes. */
static inline struct record
world_record(uint8_t *cti, uint32_t n)
{
	static const uint8_t request[SHA256_BYTES] = {1};
	int64_t first = date_shanghai(WORLD_NOW) - 10;

	memset(cti, 0, 16);
	cti[0] = 0x01;
	be_put(cti + 8, n, 8);
	return (struct record){.iss = BYTES_LIT(WORLD_HOST),
	        .iat = date_shanghai_start(first) + 3600,
	        .nbf = date_shanghai_start(first),
	        .exp = date_shanghai_start(first + 6 * 365),
	        .cti = bytes_of(cti, 16),
	        .list = 0,
	        .idx = 1000 + n,
	        .name = BYTES_LIT("买买提·艾力"),
	        .doc_type = BYTES_LIT("01"),
	        .doc_number = BYTES_LIT("330000199608213897"),
	        .sex = 1,
	        .item = BYTES_LIT("030102"),
	        .policy = BYTES_LIT("SP-19"),
	        .first_issued = first,
	        .review_due = first + 3 * 365,
	        .region = BYTES_LIT("330000"),
	        .center = BYTES_LIT("330106-01"),
	        .request = bytes_of(request, sizeof request),
	        .sequence = -1};
}

/* Appends the entry of a signed record; gives its index. */
static inline uint64_t
world_append(struct world *w, struct bytes bare)
{
	uint8_t room[ENTRY_BYTES_MAX];
	struct buf out = BUF_OF(room);
	struct cose_sign1 m;
	struct record r;
	struct entry e = {0};

	assert_int_equal(record_open(bare, false, &m, &r), ERR_OK);
	entry_of_record(&r, bare, &e);
	entry_put(&e, &out);
	assert_int_equal(buf_end(&out), ERR_OK);
	merkle_leaf(buf_bytes(&out), &w->leaves[w->size]);
	return w->size++;
}

static inline void
world_append_any(struct world *w, uint64_t count)
{
	uint8_t number[8];

	for (uint64_t i = 0; i < count; i++) {
		be_put(number, w->size, 8);
		merkle_leaf(bytes_of(number, sizeof number), &w->leaves[w->size++]);
	}
}

/* A merkle_get over the leaves. */
static inline enum err
world_get(void *world, unsigned level, uint64_t index, struct merkle_hash *out)
{
	const struct world *w = world;
	struct merkle_frontier f = {0};
	uint64_t width = UINT64_C(1) << level;

	for (uint64_t i = 0; i < width; i++)
		merkle_append(&f, &w->leaves[index * width + i]);
	merkle_root(&f, out);
	return ERR_OK;
}

static inline struct merkle_hash
world_root(const struct world *w, uint64_t size)
{
	struct merkle_frontier f = {0};
	struct merkle_hash root;

	for (uint64_t i = 0; i < size; i++)
		merkle_append(&f, &w->leaves[i]);
	merkle_root(&f, &root);
	return root;
}

/* The bundle of entry `index` in the tree of `size`, signed by `log`. */
static inline void
world_bundle(struct world *w, const struct key *log, struct bytes bare, uint64_t index,
        uint64_t size, struct buf *out)
{
	uint8_t protected_room[256], signature[KEY_SIGNATURE_BYTES],
	        receipt_room[RECEIPT_BYTES_MAX];
	struct buf protected = BUF_OF(protected_room), receipt = BUF_OF(receipt_room);
	struct merkle_hash root = world_root(w, size);
	struct merkle_path path;

	assert_int_equal(merkle_inclusion(index, size, world_get, w, &path), ERR_OK);
	assert_int_equal(receipt_sign(log, BYTES_LIT(WORLD_ORIGIN), WORLD_NOW - 60, size, &root,
	                         &protected, signature),
	        ERR_OK);
	receipt_put(&receipt, buf_bytes(&protected), bytes_of(signature, sizeof signature), size,
	        index, &path);
	assert_int_equal(buf_end(&receipt), ERR_OK);
	assert_int_equal(bundle_put(out, bare, buf_bytes(&receipt)), ERR_OK);
}

static inline void
world_checkpoint(struct world *w, const struct key *log, uint64_t size, struct buf *out)
{
	struct merkle_hash root = world_root(w, size);

	assert_int_equal(checkpoint_sign(BYTES_LIT(WORLD_ORIGIN), size, &root, log, out), ERR_OK);
}

/* The token of w->raw as list `list`, version `sequence`, made at `sequence` too. */
static inline void
world_list(struct world *w, const struct key *k, uint32_t list, int64_t sequence, struct buf *out)
{
	uint8_t stream_room[8192], uri_room[128];
	struct buf stream = BUF_OF(stream_room), uri = BUF_OF(uri_room);
	struct status_token t = {.list = list,
	        .iat = sequence,
	        .exp = sequence + LIST_LIFETIME_S,
	        .ttl = LIST_TTL_S,
	        .sequence = (uint64_t)sequence};

	buf_put_text(&uri, WORLD_PREFIX);
	buf_put_decimal(&uri, list);
	t.uri = buf_bytes(&uri);
	assert_int_equal(status_deflate(bytes_of(w->raw, LIST_BYTES), &stream), ERR_OK);
	t.lst = buf_bytes(&stream);
	assert_int_equal(status_cwt_sign(&t, k, out), ERR_OK);
}

/* A CRL of list `list` with one row, or none. free() *der. */
static inline void
world_crl(struct world *w, uint32_t list, int64_t at, const struct crl_row *row, uint8_t **der,
        size_t *der_n)
{
	uint8_t room[128];
	struct buf url = BUF_OF(room);
	struct crl_times t = {at, at + LIST_LIFETIME_S, (uint64_t)at};

	buf_put_text(&url, "https://" WORLD_HOST "/crl/");
	buf_put_decimal(&url, list);
	buf_put_text(&url, ".crl");
	assert_int_equal(
	        crl_make(w->crl, w->ca, buf_bytes(&url), &t, row, row == NULL ? 0 : 1, der, der_n),
	        ERR_OK);
}
#endif
