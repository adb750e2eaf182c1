#ifndef TOOLS_AUDIT_REQUEST_H
#define TOOLS_AUDIT_REQUEST_H
/* audit_request.h - a request with everything that hangs on it, as the database has it, and what
 * the audit's own rules say of it. Right: audit_right.c. One request by itself: audit_unit.c. What
 * it caused: audit_effect.c. */
#include "audit_log.h"
#include "audit_trust.h"
#include "request.h"
#include "rules.h"

enum audit_state {
	UNIT_WAITING = 1,
	UNIT_EXECUTED,
	UNIT_REFUSED,
	UNIT_LAPSED,
	UNIT_REJECTED,
	UNIT_WITHDRAWN,
	UNIT_APPROVED,
};
struct unit_event {
	int64_t seq, at;
	enum audit_state state; /* 0: another word */
	struct bytes code;
	struct pg_ints seat, outcome;
};
struct unit_approval {
	struct bytes kid, jti, person, jws;
	bool approve;
	int64_t exp, received;
	struct audit_rosters rosters;
	/* derived */
	bool good, has_list;
	uint8_t thumb[KEY_THUMB_BYTES], list[SHA256_BYTES];
};
struct unit_certificate {
	uint64_t index;
	int64_t seat;
	struct bytes record, note;
	struct bytes old; /* record of the certificate that its next entry ends; or empty */
};
struct unit_change {
	uint64_t index;
	struct bytes serial, note;
	int64_t status, reason, effective, until, at, ban;
};

struct unit { /* views into the page's results */
	const struct audit *a;
	struct bytes id, kid, jti, type, center, sender, session, jws;
	int64_t exp, received;
	struct audit_rosters rosters; /* when it was received */
	const struct roster *executed_under[2];
	const struct unit_event *events;
	size_t event_count;
	struct unit_approval *approvals;
	size_t approval_count;
	const struct unit_certificate *certificates;
	size_t certificate_count;
	const struct unit_change *changes;
	size_t change_count;
	const struct audit_stop *stop;  /* its entry 7, or NULL */
	struct bytes list, list_sha256; /* of request_list; p NULL: no row */
	/* derived */
	struct jws j;
	struct request r; /* request_free is due where `open` */
	bool open;
	const struct operator* by;
	struct bytes names;       /* serials that it names, 16 bytes each, in its order */
	struct audit_map name_at; /* of a serial: its position + 1 */
	struct audit_found found;
	const char *why;
};

/* What follows from an examination's session, or NULL fields where it was refused. */
struct right {
	enum err fault; /* what a request of these bytes is refused for at that time */
	const struct field_item *item;
	const struct field_policy *policy;
	int64_t exam_day;
	bool late;
	const struct field_ground *ground;
	int officials; /* in all, by law and ground; the roster may ask more */
	int confirms;  /* suspend: as many make it more than one person's act */
	bool many;     /* more than a thousand: one official more */
};
void right_of(const struct unit *u, int64_t now, struct right *out);
/* What becomes of a seat; to be asked in the order of the seats, with the numbers met so far. The
 * table of outcomes is that of rules.h, the rules are not. */
enum outcome right_seat(
        const struct request_seat *s, const struct right *right, struct audit_map *met);

void unit_wrong(struct unit *u, enum audit_column c, const char *why);
/* A state that contradicts its request is wrong, or the row is another request's. */
void unit_state_wrong(struct unit *u, const char *why);
/* Position of a serial among those that the request names; -1 none. */
int64_t unit_position(struct unit *u, struct bytes serial);
/* Judges the unit and its approvals; for the pool. */
void unit_check(struct unit *u);
/* Certificates, changes and outcomes, once the request itself is good. */
void unit_effects(struct unit *u, const struct right *right);
/* Certificates of a session or a replacement: audit_session.c. */
void unit_session(struct unit *u, const struct right *right, const struct unit_event *e);
/* Officials in all that an execution took, by law, ground, number and the roster of then. */
int unit_officials(const struct unit *u, const struct right *right, bool late);
/* An entry of that time agrees with when the request came and was executed. */
void unit_made(struct unit *u, int64_t time);
/* Is the note that of this request, signed by at least so many officials in all? How many signed.
 */
int unit_note(struct unit *u, struct bytes note, int64_t time, struct entry_note *out);
#endif
