#ifndef CA_HOLDS_H
#define CA_HOLDS_H
/* holds.h - suspended certificates and stopped centres, as the log tells them: who may be held, for
 * how long, and what has lapsed. Part of fold.h. Source: DESIGN.md section 4, "suspend" and "stop".
 */
#include "entry.h"

enum {
	HOLD_FIRST_S = 72 * 3600,      /* without a second signature */
	HOLD_MAX_S = 30 * 24 * 3600,   /* at most, with or without */
	HOLD_AGAIN_S = 90 * 24 * 3600, /* not again without a second signature */
	HOLD_DAY_MAX = 100,            /* started by one official a Shanghai day without a second */
	HOLD_STOP_BYTES = KEY_THUMB_TEXT, /* longest code of a centre or kid */
};

struct hold {
	uint32_t list, idx;
	uint8_t cti[16], request[SHA256_BYTES], sender[KEY_THUMB_BYTES];
	int64_t started, until; /* UTC seconds */
	int64_t ended;          /* 0 while it holds */
	bool confirmed;         /* a second official signed */
};
struct stopped {
	char name[HOLD_STOP_BYTES + 1]; /* code of a centre, or kid of its key */
};
struct holds {
	struct hold *rows; /* holding, or ended less than HOLD_AGAIN_S ago */
	size_t count, room;
	uint32_t *places; /* index: position + 1 of a place's newest row, 0 free; power of two */
	size_t place_room;
	struct stopped *stops;
	size_t stop_count, stop_room;
};

void holds_free(struct holds *h);
/* The newest hold of a place, also an ended one; NULL when there is none. */
const struct hold *holds_find(const struct holds *h, uint32_t list, uint32_t idx);
/* How many of a sender's holds of that day nobody else signed. */
size_t holds_of_day(const struct holds *h, struct bytes sender, int64_t day);
bool holds_stopped(const struct holds *h, struct bytes name);

/* May this status entry be appended as a hold, its second signature, its end or its lapse? `now` is
 * the status before it. ERR_MOVE, ERR_HOLD_LONG, ERR_HOLD_DAY, ERR_HOLD_AGAIN. */
MUST_USE enum err holds_check(
        const struct holds *h, const struct entry *e, const struct entry_note *n, enum status now);
MUST_USE enum err holds_stop_check(
        const struct holds *h, const struct entry *e); /* ERR_MOVE: it is so already */
void holds_apply(struct holds *h, const struct entry *e, const struct entry_note *n);
void holds_stop_apply(struct holds *h, const struct entry *e);
bool holds_is_lapse(
        const struct entry *e, const struct entry_note *n); /* built by the signer alone */

void holds_put(const struct holds *h, struct buf *out); /* for the snapshot: one array */
void holds_get(struct cbor *c, struct holds *h);
size_t holds_bytes(const struct holds *h); /* room that holds_put needs at most */
#endif
