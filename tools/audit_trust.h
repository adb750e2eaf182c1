#ifndef TOOLS_AUDIT_TRUST_H
#define TOOLS_AUDIT_TRUST_H
/* audit_trust.h - which keys and operators were in force when: manifests and rosters by their
 * entries in the log, and the stops between them. */
#include "audit.h"
#include "entry.h"

struct audit_stop { /* an entry 7 */
	uint64_t index;
	uint8_t entry[ENTRY_BYTES_MAX], note[NOTE_BYTES_MAX];
	size_t entry_n, note_n;
	struct entry e;
	struct entry_note n;
};

/* The manifest whose entry is the newest below that index; NULL before the first. */
const struct manifest *audit_manifest_below(const struct audit *a, uint64_t index);
const struct manifest *audit_manifest_newest(const struct audit *a);
/* Key of that kid and purpose in any manifest in force by that index. */
const struct manifest_key *audit_key_below(
        const struct audit *a, uint64_t index, struct bytes kid, enum key_purpose purpose);
/* The roster in force at a time of the log, and the one before it, which may have been in force a
 * moment earlier; main thread only. They live until audit_rosters_trim. */
struct audit_rosters {
	const struct roster *r[2]; /* the newer first; NULL where there is none */
};
void audit_rosters_at(struct audit *a, int64_t time, struct audit_rosters *out);
const struct roster *audit_roster_below(struct audit *a, uint64_t index);
/* Forgets rosters that were not asked for lately; no item of the pool may be under way. */
void audit_rosters_trim(struct audit *a);
/* Was the key cut off by an entry below `index`? */
bool audit_cut_below(const struct audit *a, uint64_t index, struct bytes kid);
const struct audit_stop *audit_stops(const struct audit *a, size_t *count);
/* Was the centre of that code, or that key, stopped by entries below `index`? */
bool audit_stopped(const struct audit *a, struct bytes name, uint64_t index);
/* Is the row that an entry 4 or 5 names there? */
bool audit_trust_has(const struct audit *a, const struct entry *e);
void audit_trust_free(struct audit_trust *t);
#endif
