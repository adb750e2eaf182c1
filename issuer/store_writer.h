#ifndef ISSUER_STORE_WRITER_H
#define ISSUER_STORE_WRITER_H
/* store_writer.h - the transaction that makes certificates: lock the head, look, write all in one
 * COMMIT. Source: DESIGN.md section 4, steps 3 and 4. Between store_begin_head and the call that
 * ends it, reads and store_pending_void belong to the transaction. After an error of one of them
 * call store_rollback: the transaction can do nothing more. The server ends one that does nothing
 * for 5 s. */
#include "store.h"

/* Begins and locks the head. ERR_BUSY: another front holds it for more than 5 s; one that held it
 * for 10 s is ended, so call again. After an error no transaction is open. */
MUST_USE enum err store_begin_head(struct store *s, uint64_t *size, int64_t *time);
void store_rollback(struct store *s); /* also when none is open */

/* Committed entries from `size` on, with their records, in whole batches: as many as fit into
 * bytes_max, at least one batch. count 0 at the end. size must be the start of a batch, as every
 * size of the signer is. */
MUST_USE enum err store_entries_from(
        struct store *s, uint64_t size, size_t bytes_max, struct store_entries *out);

struct store_key {
	struct bytes kid, jti; /* stand in the bytes that id is the hash of */
};
struct store_known {     /* one of the keys that is there already */
	size_t position; /* among the keys asked */
	struct bytes id; /* of the request there: another one when only (kid, jti) is the same */
	enum store_state state;
};
struct store_knowns {
	const struct store_known *rows;
	size_t count;
	struct store_result *owner;
};
MUST_USE enum err store_known(
        struct store *s, const struct store_key *keys, size_t count, struct store_knowns *out);

struct store_holder_item {
	struct bytes holder_key, item;
	struct bytes follows; /* the certificate that goes, or empty */
};
struct store_holder {
	size_t position; /* among the pairs asked: each once, rising */
	bool held;   /* he has another certificate of that item, not expired, valid or on hold */
	bool banned; /* he may not apply */
};
struct store_holders {
	const struct store_holder *rows;
	size_t count;
	struct store_result *owner;
};
MUST_USE enum err store_holders(struct store *s, const struct store_holder_item *pairs,
        size_t count, int64_t now, struct store_holders *out);

struct store_pending {
	uint64_t id;
	struct signed_entry e;
};
struct store_pendings {
	const struct store_pending *rows;
	size_t count;
	struct store_result *owner;
};
/* Entries of zz-admin and issuer-publish neither appended nor void, oldest first. */
MUST_USE enum err store_pending(struct store *s, size_t limit, struct store_pendings *out);
/* `why`: the word of an error. ERR_EXISTS when it ended already. */
MUST_USE enum err store_pending_void(struct store *s, uint64_t id, const char *why);

struct store_done {
	uint64_t pending, index;
};
struct store_batch {
	uint64_t size;                        /* of the log before, as store_begin_head gave it */
	int64_t time;                         /* newest time of the log after */
	const struct store_request *requests; /* new ones */
	size_t request_count;
	const struct store_event
	        *events; /* executed: of the new requests and of those that waited; one a request */
	size_t event_count;
	const struct store_certificate *certificates;
	size_t certificate_count;
	const struct signed_entry *entries; /* of indexes size, size + 1, … */
	size_t entry_count;
	const struct store_change *changes; /* the statuses follow from them */
	size_t change_count;
	const struct store_done *done; /* pending entries among `entries` */
	size_t done_count;
};
/* Writes all and commits; ends the transaction whatever it answers. ERR_EXISTS, ERR_NOT_WAITING:
 * something is there already (look again), ERR_MOVE, ERR_SIZE; ERR_UNKNOWN_COMMIT: read back before
 * answering anyone. Without entries the head stays. */
MUST_USE enum err store_commit_batch(struct store *s, const struct store_batch *b);
#endif
