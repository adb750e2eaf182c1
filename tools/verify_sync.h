#ifndef TOOLS_VERIFY_SYNC_H
#define TOOLS_VERIFY_SYNC_H
/* verify_sync.h - brings the state folder up to date: each file is verified against the root, the
 * manifest and what is held, before it replaces anything. Source: DESIGN.md sections 5 and 6,
 * FORMATS.md section 6. */
#include "client.h"
#include "policy.h"
#include "verdict.h"

enum {
	SYNC_LISTS_MAX = 4096,
	SYNC_CRL_BYTES_MAX = 96 * 1024 * 1024, /* a list whose every certificate is revoked */
};

/* Where files come from: HTTP, or a test's memory. As client_get: `path` starts with '/', body
 * until the next call. */
struct sync_source {
	void *ctx;
	enum err (*get)(void *ctx, const char *path, size_t bytes_max, struct client_reply *out);
};

struct sync_options {
	const char *dir;
	const struct key *root;
	int64_t now;
	bool clock_trusted; /* false: data may be ahead of `now` */
	const struct policy
	        *policy; /* of the verifier's own, besides the manifest's quorum; NULL: none */
	bool crls; /* fetch CRLs too: dates and reasons, at many times the size of the lists */
};

enum sync_end {
	SYNC_DONE,
	SYNC_AWAY,   /* the server does not answer, or lacks a file */
	SYNC_ATTACK, /* `reason` names it */
	SYNC_FAULT,  /* the state folder: `e` */
};
struct sync_report {
	enum sync_end end;
	enum verdict_reason reason;
	enum err e;
	char file[200];         /* at which it ended */
	uint64_t version, size; /* manifest and log, as held now */
	uint32_t lists, crls, changed;
	int64_t newest;
};

/* The folder exists and is locked by the caller. */
void sync_run(
        const struct sync_source *from, const struct sync_options *o, struct sync_report *out);
#endif
