#ifndef TOOLS_VERIFY_PART_H
#define TOOLS_VERIFY_PART_H
/* verify_part.h - what the parts of one sync share; for verify_sync.c, verify_head.c,
 * verify_lists.c and verify_crl.c alone. */
#include "head.h"
#include "verify_sync.h"

struct sync_head { /* a head and the rows of its table */
	bool there;
	uint8_t bytes[HEAD_BYTES_MAX];
	size_t n;
	struct head h;
	struct table_row *rows; /* room for HEAD_LISTS_MAX */
	size_t count;
};

struct sync {
	const struct sync_source *from;
	const struct sync_options *o;
	struct sync_report *r;
	int64_t now; /* the device's, or the newest signed time held where that is later */
	uint8_t *manifest_bytes;
	struct manifest m;
	bool m_open;
	struct sync_head held, next;
	bool mismatch;                /* parts do not fit together: the head is fetched once more */
	struct delta_change *changes; /* of the delta, once it was asked for */
	size_t change_count;
	bool delta_asked, delta_there;
	uint8_t *raw; /* two lists: as held, and as it will be */
};

/* How it ends: these set the report and return false, so that a caller can say `return
 * sync_attack(…)`. */
bool sync_attack(struct sync *s, enum verdict_reason reason);
bool sync_away(struct sync *s, enum err e);
bool sync_fault(struct sync *s, enum err e);
/* The same, where another head may explain it: a publication was made meanwhile. */
bool sync_mismatch(struct sync *s, enum verdict_reason reason);

void sync_seen(struct sync *s, int64_t signed_time);
bool sync_ahead(const struct sync *s, int64_t t); /* further than a trusted clock allows */
/* *missing set: the server has no such file. */
bool sync_fetch(struct sync *s, const char *path, size_t bytes_max, struct client_reply *reply,
        bool *missing);
/* A file that the head names: when it is missing, another head may tell why. */
bool sync_fetch_named(
        struct sync *s, const char *path, size_t bytes_max, struct client_reply *reply);
bool sync_keep(struct sync *s, const char *name, struct bytes data);

bool sync_manifest(struct sync *s);   /* fetches the manifest and makes it the one in use */
bool sync_checkpoint(struct sync *s); /* the one that the next head names */
bool sync_held(struct sync *s);       /* reads head and table of the state folder */
bool sync_head_fetch(struct sync *s); /* into s->next */
/* Everything that s->next names, verified; kept last of all. */
bool sync_head(struct sync *s);
bool sync_table(struct sync *s);
bool sync_lists(struct sync *s); /* as the table of s->next says, and the CRLs of what changed */
bool sync_lists_there(const struct sync *s); /* are the raw lists of s->held all there? */
bool sync_crl(struct sync *s, uint32_t list);
/* Of the lists held, where nothing else is new. */
bool sync_crls_missing(struct sync *s);
#endif
