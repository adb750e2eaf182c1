#ifndef TOOLS_VERIFY_LANDMARKS_H
#define TOOLS_VERIFY_LANDMARKS_H
/* verify_landmarks.h - the landmarks that a verifier keeps: two hashes a day, each shown to be part
 * of the signed tree before it is kept. */
#include "landmark.h"
#include "verify_prove.h"

/* What the log offers. ERR_NOT_FOUND where it has none yet, ERR_VALUE and the like for a malformed
 * one. */
MUST_USE enum err landmarks_fetch(const struct sync_source *from, struct landmarks *out);
/* From the state folder; ERR_NOT_FOUND, ERR_ENCODING. */
MUST_USE enum err landmarks_read(const char *dir, struct landmarks_held *out);
/* malloc'ed; *out NULL where there are none. */
MUST_USE enum err landmarks_take(const char *dir, struct landmarks_held **out);
MUST_USE enum err landmarks_write(const char *dir, const struct landmarks_held *h);
/* Brings `h` to what the view's log offers; *added: how many are new. ERR_VERSION where it offers
 * fewer than are held, ERR_FORK where sizes differ or a subtree is not part of the view's tree,
 * ERR_SIZE for one above the view; errors of the source. */
MUST_USE enum err landmarks_bring(struct log_view *v, struct landmarks_held *h, uint64_t *added);
/* The path of an entry to the subtree of its landmark, verified. ERR_NOT_READY where none holds it
 * yet. */
MUST_USE enum err landmarks_prove(struct log_view *v, const struct landmarks *l, uint64_t index,
        const struct merkle_hash *leaf, struct landmark_proof *out);
#endif
