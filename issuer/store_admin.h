#ifndef ISSUER_STORE_ADMIN_H
#define ISSUER_STORE_ADMIN_H
/* store_admin.h - what zz-admin does to the database: migrations (as zz_owner), manifests, rosters,
 * pending entries, counts, and recovery from the signer's journal (as zz_admin). Sources: DESIGN.md
 * sections 2, 4 and 10, STYLE.md 13. */
#include "store.h"

/* Applies the files NNNN_name.sql of the folder that are not applied yet, each in a transaction of
 * its own with its SHA-256. ERR_CONFIG, with a line in the log: a gap in the numbers, a file edited
 * after it was applied, or a database newer than the folder. Running it twice changes nothing. Not
 * under any transaction of the caller. */
MUST_USE enum err store_migrate(const char *conninfo, const char *folder, unsigned *applied);

/* The same version and bytes again are ERR_OK; other bytes under a version that is there
 * ERR_EXISTS. */
MUST_USE enum err store_manifest_put(
        struct store *s, uint64_t version, struct bytes message, int64_t now);
MUST_USE enum err store_roster_put(
        struct store *s, uint64_t version, struct bytes jws, int64_t now);
/* The same tag again gives the same id. */
MUST_USE enum err store_pending_put(
        struct store *s, const struct signed_entry *e, int64_t now, uint64_t *id);

struct store_count {
	struct bytes table;
	uint64_t rows;
};
struct store_counts {
	const struct store_count *rows;
	size_t count;
	struct store_result *owner;
};
MUST_USE enum err store_counts(
        struct store *s, struct store_counts *out); /* every table of the schema; reads them all */

/* What follows from some whole frames of the journal; the caller derives it from entries and
 * records (holder_key needs the pepper). */
struct store_recovery {
	uint64_t size;                      /* of the log in the database before */
	int64_t time;                       /* newest time of the log after */
	const struct signed_entry *entries; /* of indexes size, size + 1, … */
	size_t entry_count;
	const struct store_certificate *certificates;
	size_t certificate_count;
	const struct store_change *changes;
	size_t change_count;
};
/* One transaction: entries, certificates, changes, statuses, head; pending rows with the same tags
 * are done. ERR_SIZE when the database has another size. */
MUST_USE enum err store_recover(struct store *s, const struct store_recovery *r);
#endif
