#ifndef CA_AUTHORITY_HEAD_H
#define CA_AUTHORITY_HEAD_H
/* authority_head.h - what the signer keeps of its heads: the last table and head as signed, the
 * heads that a delta may start from, and the publication that is being signed. A part of struct
 * authority, in the file `publication` of the state folder. */
#include "authority_key.h"
#include "head.h"

enum { AUTHORITY_BASES = 512, AUTHORITY_DELTAS = 8 };

struct authority_base { /* an earlier head */
	uint64_t sequence;
	uint64_t floor; /* history_floor of its tree */
};

struct authority_work { /* TABLE starts it, DELTA adds to it, HEAD ends it */
	struct buf table;
	uint64_t sequence;               /* 0: none */
	const struct authority_key *key; /* all parts of one publication are signed by one key */
	uint64_t tree_size, floor;
	struct merkle_hash root;
	uint64_t list_count;
	struct head_delta deltas[AUTHORITY_DELTAS];
	size_t delta_count;
};

struct authority_publication {
	uint8_t *table; /* the last that a head names */
	size_t table_n;
	uint8_t head[HEAD_BYTES_MAX];
	size_t head_n;
	uint8_t head_sm2[HEAD_BYTES_MAX]; /* the same claims under the SM2 key, where there is one
	                                   */
	size_t head_sm2_n;
	uint64_t sequence, tree_size, list_count; /* of the last head; 0 none */
	struct authority_base bases[AUTHORITY_BASES];
	size_t base_count;
	struct authority_work work;
};

struct authority;
/* Reads the file; none is fine. ERR_ENCODING, ERR_SIGNATURE where it is not what was written. */
MUST_USE enum err authority_publication_open(struct authority *a);
void authority_publication_free(struct authority_publication *p);
/* Three members of the STATE answer: table, head, SM2 head; empty when none is signed. */
void authority_publication_put(const struct authority_publication *p, struct buf *out);
#endif
