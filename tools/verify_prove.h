#ifndef TOOLS_VERIFY_PROVE_H
#define TOOLS_VERIFY_PROVE_H
/* verify_prove.h - anyone makes the proof that a certificate is in the log, from static files
 * alone: checkpoint, tiles, entries, the receipt of that checkpoint. Nothing that is fetched is
 * believed before the proof made from it verifies. Sources: C2SP tlog-tiles and tlog-proof, RFC
 * 9942. */
#include "manifest.h"
#include "proof.h"
#include "receipt.h"
#include "verify_tiles.h"

struct log_view { /* one published tree */
	const struct sync_source *from;
	const struct manifest *manifest;
	uint8_t note[CHECKPOINT_BYTES_MAX];
	size_t note_n;
	struct checkpoint checkpoint; /* views into note */
	struct tiles tiles;
};
/* Fetches the newest checkpoint and verifies it under the manifest's log key. ERR_NOT_FOUND,
 * ERR_SIGNATURE and the like; errors of the source. Not to be copied. */
MUST_USE enum err log_view_open(
        const struct sync_source *from, const struct manifest *m, struct log_view *out);
/* Does it extend the tree that is held? ERR_VERSION for a smaller one, ERR_FORK. */
MUST_USE enum err log_view_extends(struct log_view *v, const struct checkpoint *held);

/* A record's place. Entries bear their times: halving finds the few bundles of the record's own
 * minute, and their hashes are compared. ERR_NOT_FOUND where it is in none of them. */
struct log_search {
	uint64_t first, end; /* entries looked through */
	void (*progress)(void *ctx, uint64_t index);
	void *ctx;
};
MUST_USE enum err log_find(struct log_view *v, int64_t time, const struct merkle_hash *leaf,
        struct log_search *s, uint64_t *index);
/* The path of that entry, verified. ERR_SIGNATURE where another entry stands there. */
MUST_USE enum err log_prove(struct log_view *v, uint64_t index, const struct merkle_hash *leaf,
        struct merkle_path *out);

/* All that a record needs to be proved. */
struct log_record {
	uint8_t bare[RECORD_BYTES_MAX], entry[ENTRY_BYTES_MAX];
	size_t bare_n, entry_n;
	uint8_t serial[16];
	int64_t time;
	struct merkle_hash leaf;
};
/* From a record, a bundle (what comes with it is left out) or a QR text. */
MUST_USE enum err log_record_read(struct bytes data, struct log_record *out);
/* tlog-proof text, with the entry as its extra line. */
MUST_USE enum err log_proof_put(const struct log_view *v, const struct log_record *r,
        uint64_t index, const struct merkle_path *path, struct buf *out);
/* Receipt, from the kept signature of the view's size; verified. */
MUST_USE enum err log_receipt_put(struct log_view *v, const struct log_record *r, uint64_t index,
        const struct merkle_path *path, struct buf *out);
#endif
