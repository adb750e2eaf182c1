#ifndef CA_MANIFEST_H
#define CA_MANIFEST_H
/* manifest.h - the authority's keys and what each may sign, signed by the root. Source: FORMATS.md
 * section 7. */
#include "cose.h"
#include "hash.h"
#include "limits.h"
#include "note.h"

#define MANIFEST_TYPE "application/zz-manifest+cwt"

struct manifest_key {
	struct bytes kid; /* 8 */
	struct bytes cose_key;
	enum key_purpose purpose;
	int64_t not_before, not_after; /* signs while not_before <= t < not_after */
	uint64_t last_size;            /* last valid tree size; UINT64_MAX: not cut off */
	bool soft;                     /* software holds it: a copied file would be a copied key */
	struct key *key;               /* made by manifest_open; NULL when encoding */
};

struct manifest {
	struct bytes iss;
	int64_t iat;
	uint64_t version;
	struct bytes name_zh, name_en, origin, log_vkey, status_prefix;
	struct bytes crl_ca; /* certificates, DER, one after the other, the newest first */
	struct manifest_key keys[MANIFEST_KEYS_MAX];
	size_t key_count;
	struct bytes witnesses[16];
	size_t witness_count;
	uint64_t quorum;
	struct bytes transcript;      /* SHA-256 of the ceremony's transcript, or empty */
	uint8_t sha256[SHA256_BYTES]; /* of the whole message */
	bool sm2;                     /* the root is an SM2 key: set by manifest_open */
};

MUST_USE enum err manifest_sign(const struct manifest *m, const struct key *root, struct buf *out);
/* Verifies under the root, decodes, and opens the keys. Views point into `in`: keep it alive.
 * ERR_KID_UNKNOWN, ERR_SIGNATURE, ERR_VALUE where two entries share a kid. manifest_close is due on
 * success. */
MUST_USE enum err manifest_open(struct bytes in, const struct key *root, struct manifest *out);
void manifest_close(struct manifest *m);
const char *key_purpose_word(enum key_purpose p); /* record, status, log, crl, root */
/* The entry of that kid and purpose, or NULL. */
const struct manifest_key *manifest_find(
        const struct manifest *m, struct bytes kid, enum key_purpose purpose);

/* Until when keys of that purpose that are not cut off sign without a gap; `now` when none does. Of
 * a purpose with keys of SM2 and of another suite: the earlier of both. */
int64_t manifest_keys_end(
        const struct manifest_key *keys, size_t count, enum key_purpose purpose, int64_t now);
/* 30, 7 or 1 where no more than so many days are left, 0 where none is, else -1. */
int manifest_alarm(int64_t end, int64_t now);
/* May `next` come after `before`? What was signed must stay what it is: no key is dropped or begins
 * another day, none ends before `now` that had not ended, and what was cut off stays cut off.
 * ERR_VALUE. */
MUST_USE enum err manifest_follows(
        const struct manifest *before, const struct manifest *next, int64_t now);

/* Under an SM2 root a reader relies on no other suite for what is true now. */

/* The status key whose head a reader takes: an SM2 key of an SM2 authority, or NULL. */
const struct manifest_key *manifest_head_key(const struct manifest *m, struct bytes kid);
/* Where that head is published: /status/head.cwt, or /status/head-sm2.cwt. */
const char *manifest_head_path(enum key_suite root);
/* A line of one of its log keys, an SM2 key of an SM2 authority, stands under the checkpoint, of a
 * size at which that key was not cut off. ERR_KID_UNKNOWN where there is none, ERR_SIGNATURE,
 * ERR_VALUE for another origin. */
MUST_USE enum err manifest_checkpoint(const struct manifest *m, const struct checkpoint *c);
#endif
