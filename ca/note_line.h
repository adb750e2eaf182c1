#ifndef CA_NOTE_LINE_H
#define CA_NOTE_LINE_H
/* note_line.h - what notes and cosignatures share: key names, key ids, verifier keys, signature
 * lines. For note.c, cosignature.c and policy.c alone. Source: C2SP signed-note v1.0.0. */
#include "key.h"
#include "limits.h"

enum note_type { NOTE_ED25519 = 1, NOTE_COSIGNATURE = 4, NOTE_PRIVATE = 0xff };
enum { NOTE_KEY_ID_BYTES = 4 };

/* Takes what stands before `end` off `in`; all of it when there is none. False when nothing is
 * left. */
bool note_until(struct bytes *in, char end, struct bytes *out);
bool note_name_valid(struct bytes name); /* not empty, UTF-8, no blanks, no plus */
/* First four bytes of SHA-256(name ‖ 0A ‖ type ‖ key). */
void note_key_id(struct bytes name, enum note_type type, struct bytes public,
        uint8_t out[NOTE_KEY_ID_BYTES]);
void note_vkey_type_put(
        struct buf *out, struct bytes name, enum note_type type, const struct key *k);
MUST_USE enum err note_vkey_type_decode(
        struct bytes vkey, enum note_type type, struct bytes *name, struct key **out);
/* "— NAME base64(blob)\n" */
void note_line_put(struct buf *out, struct bytes name, struct bytes blob);
/* One signature line without its end: name, and key id with signature in `blob`. */
MUST_USE enum err note_line_decode(struct bytes line, struct bytes *name, struct buf *blob);
#endif
