#ifndef TOOLS_VERIFY_PART_H
#define TOOLS_VERIFY_PART_H
/* verify_part.h - what the parts of one sync share; for verify_sync.c and verify_lists.c alone. */
#include "verify_sync.h"

struct sync {
	const struct sync_source *from;
	const struct sync_options *o;
	struct sync_report *r;
	int64_t now; /* the device's, or the newest signed time held where that is later */
	uint8_t *manifest_bytes;
	struct manifest m;
	bool m_open;
};

/* How it ends: these set the report and return false, so that a caller can say `return
 * sync_attack(…)`. */
bool sync_attack(struct sync *s, enum verdict_reason reason);
bool sync_away(struct sync *s, enum err e);
bool sync_fault(struct sync *s, enum err e);

void sync_seen(struct sync *s, int64_t signed_time);
bool sync_ahead(const struct sync *s, int64_t t); /* further than a trusted clock allows */
/* *missing set: the server has no such file. */
bool sync_fetch(struct sync *s, const char *path, size_t bytes_max, struct client_reply *reply,
        bool *missing);
bool sync_keep(struct sync *s, const char *name, struct bytes data);

bool sync_lists(struct sync *s); /* and their CRLs; the manifest is open */
#endif
