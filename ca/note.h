#ifndef CA_NOTE_H
#define CA_NOTE_H
/* note.h - C2SP signed notes, verifier keys and tlog checkpoints (Ed25519, type 0x01;
 * SM2 beside it, type 0xff with "SM2-SM3" after it).
 * Source: C2SP signed-note v1.0.0, tlog-checkpoint v1.0.0. */
#include "key.h"
#include "limits.h"
#include "merkle.h"

/* "<name>+<8 hex>+<base64(01 ‖ key)>". `out` fails for another suite or a name with blanks or a
 * plus. */
void note_vkey_put(struct buf *out, struct bytes name, const struct key *log);
/* Takes a vkey apart; the name is a view. ERR_VALUE for another type than Ed25519 or a wrong key
 * id. */
MUST_USE enum err note_vkey_decode(struct bytes vkey, struct bytes *name, struct key **out);

struct checkpoint { /* views into the note */
	struct bytes origin;
	uint64_t size;
	struct merkle_hash root;
	struct bytes text;       /* what is signed */
	struct bytes signatures; /* the lines after the blank line */
};
/* Body of a checkpoint and its signature line by `log` under the name `origin`. ERR_VALUE for an
 * origin with blanks or a plus, or a size above INT64_MAX. */
MUST_USE enum err checkpoint_sign(struct bytes origin, uint64_t size,
        const struct merkle_hash *root, const struct key *log, struct buf *out);
/* One more line under a checkpoint just made, by another key of the same log: Ed25519, or SM2 with
 * type FF, which readers of Ed25519 alone pass over. ERR_ALG_MISMATCH for another suite. */
MUST_USE enum err checkpoint_sign_also(
        struct bytes origin, const struct key *log, struct buf *note);
/* Note and lines strictly; further body lines are allowed, as they are signed. Nothing is verified
 * yet. */
MUST_USE enum err checkpoint_decode(struct bytes note, struct checkpoint *out);
/* The text strictly, the signature lines as they are: for a witness, who must pass over lines that
 * it cannot read. */
MUST_USE enum err checkpoint_split(struct bytes note, struct checkpoint *out);
/* A line of `name` and its key id must be there and verify; lines of others are passed over; a line
 * of the right name and id that does not verify refuses the note. ERR_KID_UNKNOWN when there is
 * none. ERR_ALG_MISMATCH for a key that is not Ed25519 or SM2. */
MUST_USE enum err checkpoint_verify(
        const struct checkpoint *c, struct bytes name, const struct key *log);
#endif
