#ifndef CA_SIGNER_CALL_H
#define CA_SIGNER_CALL_H
/* signer_call.h - one call of the signer, for the two files of signer_client.h only. */
#include "cbor.h"
#include "signer_client.h"

/* Room for a request of at most n bytes, owned by the connection. */
MUST_USE enum err signer_room(struct signer *s, size_t n, struct buf *out);
/* Sends it and reads the answer; an error answer becomes its code. */
MUST_USE enum err signer_call(
        struct signer *s, enum frame_type type, const struct buf *out, struct cbor *answer);
/* Zeroed room for the rows of an answer; freed at the next call. A lack of memory fails `c`. */
void *signer_rows(struct signer *s, struct cbor *c, uint64_t count, size_t size);
void signer_entry_read(struct cbor *c, struct signed_entry *e); /* entry, note, tag */
#endif
