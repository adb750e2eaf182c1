#ifndef TOOLS_BENCH_SIGNER_H
#define TOOLS_BENCH_SIGNER_H
/* bench_signer.h - the inside of ca-signer in this process, on a folder that zz-admin init made:
 * the same handlers and files as behind the sockets, without the sockets. */
#include "authority.h"
#include "signer_client.h"

struct bench_signer {
	struct authority *a;
	struct key *center, *official, *approver;
	int64_t now;
	struct buf ask, out, arena; /* arena: what answers gave, until the end */
	struct bytes *records;      /* certificates issued here */
	size_t count;
};

/* Genesis, manifest and roster are in its log. */
MUST_USE enum err bench_signer_open(const char *dir, int64_t now, struct bench_signer *out);
void bench_signer_close(struct bench_signer *s); /* of zeroes too */
/* Issues `count` certificates by one request; ERR_VALUE where one is refused. At most once. */
MUST_USE enum err bench_signer_issue(struct bench_signer *s, unsigned count);
/* As many certificates more in list 0 that are INVALID or, every tenth, held, as if their entries
 * had been applied: bits, rows, recent changes, holds. The places of what was issued stay free. */
MUST_USE enum err bench_signer_fill(struct bench_signer *s, uint32_t count);
/* Revokes records[which]: two officials sign (not timed), then ORDER, PREPARE and EXTEND. */
MUST_USE enum err bench_signer_revoke(
        struct bench_signer *s, size_t which, double *clock_s, double *cpu_s);
#endif
