#ifndef TOOLS_VERIFY_HELD_H
#define TOOLS_VERIFY_HELD_H
/* verify_held.h - the state folder, opened once for any number of certificates: keys decoded,
 * head, checkpoint and CRLs verified, lists hashed. No network. */
#include "verdict.h"

#include <pthread.h>

struct held_list {
	uint8_t *bytes;
	struct bytes raw; /* empty: not held */
	uint8_t sha256[SHA256_BYTES];
	struct crl *crl; /* NULL: none held, or none that verifies */
	bool crl_tried;
};
struct held {
	uint8_t *manifest_bytes, *head_bytes, *table_bytes, *checkpoint_bytes;
	struct manifest m;
	bool m_open;
	struct table_row *rows;
	struct verdict_head head;
	bool head_known;
	enum verdict_reason head_fault;
	struct checkpoint checkpoint;
	bool checkpoint_known;
	int64_t newest;
	struct held_list *lists; /* room for HEAD_LISTS_MAX */
	pthread_mutex_t lock;    /* of the CRLs, read when first asked for */
	const char *dir;
};

enum { HELD_ALL = -1, HELD_NONE = -2 };
/* `list`: the one that will be asked about, or HELD_ALL, so that a sync meanwhile takes nothing
 * away. `dir` must stay. ERR_NOT_FOUND where no manifest is held; ERR_SIGNATURE, ERR_KID_UNKNOWN
 * where it is not of this root. held_free the result. */
MUST_USE enum err held_open(
        const char *dir, const struct key *root, int64_t list, struct held **out);
void held_free(struct held *h); /* NULL is fine */
/* Puts into `in` what is held for certificates of `list`. By several threads at once. */
MUST_USE enum err held_fill(struct held *h, int64_t list, struct verdict_input *in);
#endif
