#ifndef CA_AUTHORITY_ISSUE_H
#define CA_AUTHORITY_ISSUE_H
/* authority_issue.h - one ISSUE while it runs, shared by authority_issue.c and authority_follow.c.
 */
#include "authority.h"

struct issue_seat {
	uint64_t number;
	enum outcome outcome;
	struct rules_seat found;
	struct bytes name;
	bool follows; /* it replaces a certificate … */
	bool known;   /* … that was handed in, as `old` */
	struct record old;
};

struct issue {
	const struct authority *a;
	const struct evidence *ev;
	struct bytes issuer;
	const struct key *key; /* the record key that signs now */
	int64_t iat;
	uint64_t answer, slot;
	struct entry_note note;
	struct issue_seat *seats;
	size_t count;
};

struct authority_places *authority_places_new(void); /* free() it */
/* Slots for the `count` seats that pass: those that the same request got before, while it is in no
 * log, else new ones. Lock held. */
MUST_USE enum err issue_places(
        struct authority *a, const struct issue *is, uint64_t count, uint64_t *first);
/* Opens a record of ours: under the key that signs now, or an earlier one of the manifest.
 * ERR_SERIAL_UNKNOWN, ERR_SIGNATURE. */
MUST_USE enum err authority_record(const struct manifest *m, struct bytes in, struct record *out);
/* Reads one record or null for each seat that follows, and decides what can be decided without the
 * log. ERR_SERIAL_UNKNOWN, ERR_NOT_YOURS, ERR_PROTOCOL. */
MUST_USE enum err follow_read(const struct issue *is, const struct manifest *m, struct cbor *in);
void follow_admit(const struct issue *is, struct issue_seat *s); /* by its status; lock held */
/* What a renewed or reviewed record takes over, beside what the session gives it. */
void follow_fill(const struct issue *is, const struct issue_seat *s, struct record *r);
void follow_replace(const struct issue *is, const struct issue_seat *s, struct record *r);
/* [entry, note, tag] that ends the old one: its place is directly after the new one's. */
void follow_end_put(const struct issue *is, const struct issue_seat *s, struct buf *out);
#endif
