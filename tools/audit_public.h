#ifndef TOOLS_AUDIT_PUBLIC_H
#define TOOLS_AUDIT_PUBLIC_H
/* audit_public.h - what is published, in a folder or at an address: every byte of it follows from
 * the database. What the service replaces is read before the snapshot, so that it is never newer.
 */
#include "audit_log.h"
#include "note.h"

struct audit_file { /* read before the snapshot */
	char path[120];
	uint8_t *p;
	size_t n;
};

/* Opens the source and reads checkpoint, manifest, head, table, deltas, lists and CRLs. */
MUST_USE enum err audit_public_open(struct audit *a);
void audit_public_free(struct audit_public *p);
bool audit_public_is_folder(const struct audit *a);
const char *audit_public_folder(const struct audit *a);
uint64_t audit_public_size(const struct audit *a); /* of the published checkpoint; 0 none */
/* malloc'ed. ERR_NOT_FOUND. */
MUST_USE enum err audit_public_get(
        struct audit *a, const char *path, size_t bytes_max, uint8_t **out, size_t *n);
const struct audit_file *audit_public_kept(const struct audit *a, const char *path);
const struct audit_file *audit_public_files(const struct audit *a, size_t *count);

/* Entry bundles of `count` rows from row 0's index on, which is a multiple of 256: sets `published`
 * of each; the views live in *room, which the caller frees. */
void audit_public_entries(struct audit *a, struct log_row *rows, size_t count, uint8_t **room);
/* Tiles of level 0 against the leaves of these rows. */
void audit_public_leaves(struct audit *a, const struct log_row *rows, size_t count);
/* Sizes of checkpoints under log/checkpoints, to be compared with the tree's roots; free() it. */
uint64_t *audit_public_sizes(struct audit *a, size_t *count);

void audit_public_differ(struct audit *a, const char *path, const char *why);
/* Was not there before the snapshot: tells it, unless it has come for the first time since. */
void audit_public_missing(struct audit *a, const char *path);
/* Root of the entries below that size; NULL where nobody asked for it before the log was read. */
const struct merkle_hash *audit_root_at(const struct audit *a, uint64_t size);
/* Is it the root of the entries below that size? Only for sizes that audit_public_sizes gave. */
bool audit_root_is(const struct audit *a, uint64_t size, const struct merkle_hash *root);
bool audit_checkpoint_good(const struct audit *a, const struct checkpoint *c);
/* Lists, CRLs, head, table, deltas: audit_public_status.c. */
MUST_USE enum err audit_public_status(struct audit *a);
/* Every name in the folder: audit_public_walk.c. */
MUST_USE enum err audit_public_walk(struct audit *a);
#endif
