#ifndef TOOLS_AUDIT_LOG_H
#define TOOLS_AUDIT_LOG_H
/* audit_log.h - what the audit derives from the log, entry by entry, by a fold of its own. */
#include "audit.h"
#include "audit_map.h"
#include "entry.h"

struct audit_change { /* an entry 2, applied */
	uint64_t index;
	uint32_t list, place;
	uint8_t before, after;
	int8_t reason;
	int32_t effective;
	int64_t time;
	uint8_t serial[16];
};
struct audit_hold {
	uint64_t place; /* list * LIST_ENTRIES + idx */
	int64_t started, until, ended;
	uint64_t day_key; /* of its sender and first day */
	uint8_t request[SHA256_BYTES];
	bool confirmed;
};
struct audit_list {
	uint8_t *raw;   /* LIST_BYTES, from the entries */
	uint8_t *rows;  /* LIST_BYTES, from certificate.status */
	uint8_t *taken; /* LIST_ENTRIES bits: a certificate stands there */
	uint64_t sequence, covered, version_index; /* of the newest version */
	uint64_t changed;                          /* index after the newest change */
	uint64_t hashed;                           /* raw_sha256 is that of this size; 0 none */
	uint8_t raw_sha256[SHA256_BYTES], cwt_sha256[SHA256_BYTES];
};
struct audit_group { /* entries of one request, next to each other */
	uint8_t request[SHA256_BYTES];
	uint64_t first;
	uint32_t count;
	uint8_t type; /* enum entry_type */
	bool met;     /* its request has a row */
};
struct audit_root { /* asked for by a checkpoint */
	uint64_t size;
	struct merkle_hash root;
};

struct audit_pair { /* the newest entry replaces a certificate: the next one ends that */
	bool open;
	uint8_t follows[16], request[SHA256_BYTES];
	uint64_t answer;
	int64_t seat;
};

enum { AUDIT_LEVELS = 4 };
struct audit_level { /* hashes of whole subtrees of 256 to the power of the level */
	struct merkle_hash *hashes;
	size_t count, room;
	struct merkle_frontier part; /* of the subtree under way */
};

struct audit_log {
	struct merkle_frontier frontier;
	int64_t time;
	uint64_t batch; /* first index of the batch under way */
	struct audit_list *lists;
	uint32_t list_count;
	struct audit_change *changes;
	size_t change_count, change_room;
	struct audit_hold *holds;
	size_t hold_count, hold_room;
	struct audit_map hold_of;   /* place: newest hold + 1 */
	struct audit_map day_holds; /* sender and day: holds that nobody else signed */
	struct audit_map caps;      /* centre and day: certificates */
	struct audit_map orders;    /* key and day: certificates that its orders touched */
	struct audit_map ends;      /* place: how it became INVALID, see audit_fold.c */
	struct audit_pair pair;
	struct audit_group *groups; /* in order of the log; sorted by request once it is read */
	size_t group_count, group_room;
	struct audit_root *roots; /* rising */
	size_t root_count, root_next;
	uint64_t *days; /* where the log goes into another day of Shanghai */
	size_t day_count, day_room;
	struct audit_level levels[AUDIT_LEVELS]; /* 1 to 3 are used */
	uint64_t manifest_version, roster_version;
	uint64_t manifest_index, roster_index;
	uint64_t certificates, changes_rows, lists_entries;
	const struct roster *roster; /* in force, for caps */
	bool roster_asked;
};

struct log_certificate { /* a row of zz.certificate */
	bool there;
	struct bytes serial, request, holder, item, center, record;
	int64_t seat, list, place, status, exp;
};
struct log_change { /* a row of zz.certificate_event, and its certificate */
	bool there, known;
	struct bytes serial, request;
	int64_t status, reason, effective, until, at;
	uint64_t index;
	int64_t list, place;
};
struct log_row {
	bool there;
	uint64_t index, batch;
	struct bytes entry, note, tag;
	struct log_certificate c;
	struct log_change v;
	struct bytes published; /* the same entry as public/ has it; p NULL: not looked at */
	bool journaled;         /* the same as the journal has it: */
	struct bytes j_entry, j_note, j_tag, j_record;
	uint64_t j_batch;
	bool audited; /* the record was verified under a root that held this entry */
	/* filled in by audit_row_check */
	bool decoded, noted, published_wrong;
	struct entry e;
	struct entry_note n;
	struct merkle_hash leaf;
	struct audit_found found;
};

/* Judges a row by itself and by copies of it elsewhere; for the pool. */
void audit_row_check(const struct audit *a, struct log_row *row);
/* Judges a row by the log before it, and applies it. */
void audit_fold(struct audit *a, struct log_row *row);
/* A list as the entries below `size` make it; free() it. */
uint8_t *audit_list_raw(const struct audit *a, uint32_t list, uint64_t size);
/* The lists as the rows of certificates have them, against the entries. */
MUST_USE enum err audit_status_compare(struct audit *a);
struct audit_group *audit_group_find(struct audit *a, const uint8_t request[SHA256_BYTES]);
void audit_log_free(struct audit_log *l);

uint64_t audit_key2(struct bytes text, int64_t day); /* a key for the maps */
#endif
