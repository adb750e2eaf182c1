#ifndef TOOLS_AUDIT_PAGE_H
#define TOOLS_AUDIT_PAGE_H
/* audit_page.h - pages of whole requests with all that belongs to them, in the order in which they
 * came. */
#include "audit_request.h"

enum {
	UNITS_MAX = 512,
	IDS_MAX = 2048,
	BYTES_MAX = 3 * 1024 * 1024,
	FINAL_S = 9 * 24 * 3600, /* a request lives 7 days: older ones change no more */
};

enum part { REQUESTS, EVENTS, APPROVALS, CERTIFICATES, CHANGES, LISTS, PARTS };

struct page {
	struct audit *a;
	struct unit units[UNITS_MAX];
	size_t count;
	struct pg_result *r[PARTS];
	struct unit_event *events;
	struct unit_approval *approvals;
	struct unit_certificate *certificates;
	struct unit_change *changes;
};

struct ids { /* what the cursor gave */
	uint8_t id[IDS_MAX][SHA256_BYTES];
	uint32_t bytes[IDS_MAX];
	size_t count, next;
	bool end;
	uint64_t seen, skipped;
};

/* The next page; count 0 at the end. */
MUST_USE enum err audit_page_read(struct audit *a, struct page *p, struct ids *ids);
void audit_page_end(struct page *p); /* also of a zeroed one */
#endif
