#ifndef CA_ENTRY_H
#define CA_ENTRY_H
/* entry.h - log entries and the private note and tag beside them. Source: FORMATS.md section 5. */
#include "hash.h"
#include "limits.h"
#include "record.h"

enum entry_type {
	ENTRY_GENESIS,
	ENTRY_ISSUE,
	ENTRY_STATUS,
	ENTRY_LIST,
	ENTRY_MANIFEST,
	ENTRY_ROSTER,
	ENTRY_CUTOFF,
	ENTRY_STOP
};
enum status { STATUS_VALID, STATUS_INVALID, STATUS_SUSPENDED, STATUS_SUPERSEDED };
/* CRL reasons (RFC 5280 section 5.3.1) that rules of the log look at. */
enum { CRL_SUPERSEDED = 4, CRL_CANCELLED = 5, CRL_REVOKED = 9 };
/* Seat of a replacement: no seat of a session, by an official or by a centre. */
enum { SEAT_OF_OFFICIAL = 0, SEAT_OF_CENTER = 1 };
enum { ENTRY_REASON_MAX = 10 }; /* of a cut-off, RFC 5280 section 5.3.1 */
enum { ENTRY_TAG_BYTES = 16, ENTRY_OFFICIALS_MAX = REQUEST_APPROVALS_MAX };

struct entry { /* views; which members count depends on type */
	enum entry_type type;
	struct bytes origin, iss, last_checkpoint; /* genesis; last_checkpoint empty: null */
	int64_t time;                              /* all but issue (there: iat) */
	struct bytes cti;                          /* issue, status: 16 */
	uint8_t record_sha256[SHA256_BYTES];       /* issue */
	struct bytes center, item, policy;         /* issue; stop: center holds code or kid text */
	uint8_t request[SHA256_BYTES];             /* issue, status, stop */
	uint32_t list, idx;                        /* status; list: list */
	enum status status;
	int crl_reason;    /* -1: null */
	int64_t effective; /* day */
	int64_t until;     /* UTC seconds; -1: null */
	uint64_t sequence; /* list; manifest, roster: version */
	uint8_t raw_sha256[SHA256_BYTES], cwt_sha256[SHA256_BYTES], jwt_sha256[SHA256_BYTES];
	uint8_t previous_sha256[SHA256_BYTES]; /* list: zero for the first version */
	uint64_t tree_size;               /* list: covered; cut-off: last valid, UINT64_MAX: null */
	int64_t this_update, next_update; /* list */
	uint8_t sha256[SHA256_BYTES];     /* manifest, roster */
	struct bytes kid;                 /* cut-off: 8 */
	uint64_t reason;                  /* cut-off */
	bool resumed;                     /* stop */
};

void entry_put(const struct entry *e, struct buf *out);
MUST_USE enum err entry_decode(
        struct bytes in, struct entry *out); /* strict; ERR_TYPE_UNKNOWN for another type */
int64_t entry_time(const struct entry *e);   /* iat of an issue entry, else time */
/* Entry 1 of a record: every field follows from it. `bare` = tagged record with empty unprotected
 * map. */
void entry_of_record(const struct record *r, struct bytes bare, struct entry *out);

/* The private note: why the entry was made. Kept in database and journal, never public. */
struct entry_note {
	struct bytes sender; /* 32: thumbprint of the sender's key, or empty */
	struct bytes
	        officials[ENTRY_OFFICIALS_MAX]; /* 32 each: thumbprints of the keys that approved */
	size_t official_count;
	int64_t exp;          /* of the request; 0 none */
	int64_t slot;         /* issue: -1 none */
	int64_t seat;         /* issue: -1 none */
	uint64_t answer;      /* number of the ISSUE or ORDER answer */
	struct bytes follows; /* issue: 16, the certificate that it replaces; or empty */
};
void entry_note_put(const struct entry_note *n, struct buf *out);
MUST_USE enum err entry_note_decode(struct bytes in, struct entry_note *out);
/* First 16 bytes of HMAC-SHA-256 over entry and note, each with its length before it. */
void entry_tag(
        struct bytes key, struct bytes entry, struct bytes note, uint8_t out[ENTRY_TAG_BYTES]);
#endif
