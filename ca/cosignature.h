#ifndef CA_COSIGNATURE_H
#define CA_COSIGNATURE_H
/* cosignature.h - what a witness adds to a checkpoint: "at this time this was the largest tree I
 * saw, and it extends all I saw before". Ed25519, type 0x04. Source: C2SP tlog-cosignature v1.0.1.
 */
#include "manifest.h"
#include "note.h"

enum { COSIGNATURE_LINE_BYTES_MAX = 512, COSIGNER_NAME_BYTES_MAX = 200 };

/* As note_vkey_put and note_vkey_decode, for the key of a witness. */
void cosigner_vkey_put(struct buf *out, struct bytes name, const struct key *k);
MUST_USE enum err cosigner_vkey_decode(struct bytes vkey, struct bytes *name, struct key **out);

/* Appends the signature line over a checkpoint's text. ERR_VALUE for a bad name or time. */
MUST_USE enum err cosignature_sign(
        struct bytes text, struct bytes name, const struct key *k, int64_t time, struct buf *out);

struct cosignature {
	struct bytes line; /* with its end; a view into the lines */
	int64_t time;
};
/* The line of that name and key id among `lines`, verified over `text`. Lines of others, readable
 * or not, are passed over. ERR_KID_UNKNOWN when there is none, ERR_SIGNATURE where one of the right
 * name and id does not verify. */
MUST_USE enum err cosignature_find(struct bytes text, struct bytes lines, struct bytes name,
        const struct key *k, struct cosignature *out);

/* Do as many of the manifest's witnesses as it demands stand under the checkpoint? A key counts
 * once, whatever its names. ERR_QUORUM. The log's own signature is the caller's to check. */
MUST_USE enum err cosignature_quorum(const struct manifest *m, const struct checkpoint *c);
#endif
