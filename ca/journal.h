#ifndef CA_JOURNAL_H
#define CA_JOURNAL_H
/* journal.h - the signer's own copy of the log: one frame an EXTEND, in files journal-<size of the
 * log where it starts>. Frame: u32 length, SHA-256 of the body, body = CBOR [size before, root
 * after, [[entry, note, tag, record|null] …]]. A torn last frame is cut off at start; damage
 * anywhere else stops the start. Source: FORMATS.md section 8. */
#include "merkle.h"
#include "signer_client.h"

struct journal;

enum { JOURNAL_FILE_BYTES_MAX = 256 * 1024 * 1024 };

struct journal_frame {
	uint64_t size; /* of the log before it */
	struct merkle_hash root;
	struct signed_entry *entries; /* room of the journal, until the next read */
	size_t count;
};
typedef enum err (*journal_see)(void *ctx, const struct journal_frame *frame);

/* Opens the folder and reads every frame that ends above `from`, in order. ERR_FORK when frames do
 * not follow each other or end below `from`, ERR_IO, ERR_ENCODING where a frame other than the last
 * is damaged. */
MUST_USE enum err journal_open(
        const char *folder, uint64_t from, journal_see see, void *ctx, struct journal **out);
void journal_free(struct journal *j);
/* Appends one frame and syncs it. A failed write or sync ends the process. */
void journal_append(struct journal *j, uint64_t size, const struct merkle_hash *root,
        const struct signed_entry *entries, size_t count);
/* Reads frames that end above `from`, in order, until `see` says other than ERR_OK (ERR_LIMIT:
 * enough, not an error). */
MUST_USE enum err journal_read(struct journal *j, uint64_t from, journal_see see, void *ctx);
#endif
