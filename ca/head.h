#ifndef CA_HEAD_H
#define CA_HEAD_H
/* head.h - the signed head, the table of lists that it hashes, and the deltas that it names, all
 * under the status key. Sources: FORMATS.md section 6, DESIGN.md section 5. A reader polls the head
 * alone; everything else follows from its hashes. Codec only: nothing here allocates. */
#include "cose.h"
#include "entry.h"
#include "merkle.h"

#define HEAD_TYPE "application/zz-head+cwt"
#define TABLE_TYPE "application/zz-table+cwt"
#define DELTA_TYPE "application/zz-delta+cwt"

enum {
	HEAD_BYTES_MAX = 600,
	HEAD_LIFETIME_S = 24 * 3600,
	HEAD_DELTAS_MAX = 3, /* about an hour, a day and a week back */
	HEAD_LISTS_MAX = 4096,
	TABLE_BYTES_MAX = 384 * 1024,
	DELTA_CHANGES_MAX = 32768, /* more would not be smaller than the lists */
	DELTA_BYTES_MAX = 384 * 1024,
};

struct head_delta {
	uint64_t base; /* sequence of an earlier head: the delta serves every head from there on */
	uint8_t sha256[SHA256_BYTES]; /* of the delta's CWT */
};
struct head {
	struct bytes iss;
	int64_t exp, iat;
	uint64_t sequence;
	uint8_t previous[SHA256_BYTES];     /* of the head's CWT before; zero for the first */
	uint64_t list_count;                /* lists 0 to list_count - 1 */
	uint8_t table_sha256[SHA256_BYTES]; /* of the table's CWT */
	uint64_t tree_size;                 /* of a published checkpoint */
	struct merkle_hash root;
	struct head_delta deltas[HEAD_DELTAS_MAX]; /* bases rise */
	size_t delta_count;
	uint64_t manifest_version;
	uint8_t manifest_sha256[SHA256_BYTES];
};
/* ERR_VALUE where a reader would refuse it, ERR_LIMIT above HEAD_BYTES_MAX. */
MUST_USE enum err head_sign(const struct head *h, const struct key *k, struct buf *out);
/* Form only, strict; cose_verify with HEAD_TYPE is the caller's. Views point into `in`. */
MUST_USE enum err head_decode(struct bytes in, struct cose_sign1 *m, struct head *out);

struct table_row { /* of list number = position */
	uint64_t sequence;
	uint8_t raw_sha256[SHA256_BYTES]; /* of the LIST_BYTES raw bytes */
	uint8_t cwt_sha256[SHA256_BYTES];
};
struct table {
	struct bytes iss;
	int64_t iat; /* also the sequence of its publication */
	struct table_row *rows;
	size_t count;
};
MUST_USE enum err table_sign(const struct table *t, const struct key *k, struct buf *out);
/* rows: the caller's, `room` of them; ERR_LIMIT for more. */
MUST_USE enum err table_decode(struct bytes in, struct cose_sign1 *m, struct table_row *rows,
        size_t room, struct table *out);

struct delta_change {
	uint32_t list, idx;
	enum status status;
};
struct delta {
	struct bytes iss;
	int64_t iat;
	uint64_t base, sequence;
	struct delta_change *changes; /* by list, then idx, each place once */
	size_t count;
};
MUST_USE enum err delta_sign(const struct delta *d, const struct key *k, struct buf *out);
MUST_USE enum err delta_decode(struct bytes in, struct cose_sign1 *m, struct delta_change *changes,
        size_t room, struct delta *out);
#endif
