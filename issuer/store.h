#ifndef ISSUER_STORE_H
#define ISSUER_STORE_H
/* store.h - what the database keeps, as typed calls: no SQL outside. One store is one connection of
 * one role, for one thread. Source: DESIGN.md section 7; the tables are described in migrations/.
 *
 * Reads answer {rows, count, owner}: everything that rows point to belongs to `owner` and lives
 * until store_result_free(x.owner), also after the transaction or the store ended. Nothing is owed
 * after an error. Writes are one transaction each, unless store_writer.h has one open. A lost
 * connection is made anew by the next call outside a transaction.
 *
 * Errors of every call: ERR_DATABASE (try again), ERR_MEMORY, ERR_INTERNAL (our bug, logged). Of
 * every write also ERR_UNKNOWN_COMMIT: it may have happened, read it back. */
#include "request.h"
#include "signer_client.h"

enum store_role { STORE_ISSUER, STORE_PUBLISH, STORE_ADMIN };
struct store;
struct store_result;

/* Connects and prepares every statement of the role. `conninfo` is libpq's and names the user.
 * ERR_CONFIG: the server is not durable or older than 15, or the schema is another one: the log
 * says what to do. */
MUST_USE enum err store_open(const char *conninfo, enum store_role role, struct store **out);
void store_free(struct store *s);
void store_result_free(struct store_result *r); /* NULL is fine */
MUST_USE enum err store_head(
        struct store *s, uint64_t *size, int64_t *time); /* without a lock; also for /readyz */

/* ERR_OK: whatever was read before this call is on the synchronous standby too, where one is
 * configured. A row does not tell: when the wait of its COMMIT was cancelled, or the server fell
 * meanwhile, everyone sees it all the same. Ask before a row is answered. ERR_BUSY: a COMMIT is
 * waiting for the standby now. */
MUST_USE enum err store_settle(struct store *s);
MUST_USE enum err store_synchronous(struct store *s, bool *out); /* is a standby configured? */

/* -- requests -- */
enum store_state {
	STATE_WAITING = 1,
	STATE_EXECUTED,
	STATE_REFUSED,
	STATE_LAPSED,
	STATE_REJECTED,
	STATE_WITHDRAWN,
	STATE_APPROVED /* signed by all, and under way in chunks */
};
const char *store_state_word(enum store_state s);

struct store_outcome { /* a seat (issue) or position of a serial (order) without a new certificate
	                  or change */
	uint32_t seat;
	uint32_t outcome; /* enum outcome */
};
struct store_event {          /* what became of a request */
	struct bytes request; /* 32 */
	bool first;           /* its request is put in the same transaction */
	enum store_state state;
	struct bytes code; /* word of an error, or empty */
	int64_t at;
	const struct store_outcome *outcomes;
	size_t outcome_count;
};
struct store_request {
	struct bytes id;       /* 32 */
	struct bytes kid, jti; /* 43; 22 to 64 */
	struct bytes type;     /* request_type_word */
	struct bytes center;   /* code of the centre; empty for an official */
	struct bytes sender;   /* person */
	struct bytes session;  /* session id, or empty */
	struct bytes jws;      /* as received; left empty by store_waiting and store_lapsing */
	int64_t exp, received_at;
	struct bytes list;         /* write only: what its selector names, or empty */
	struct store_event newest; /* read only: the state it is in */
};
struct store_requests {
	const struct store_request *rows;
	size_t count;
	struct store_result *owner;
};
/* One row, or ERR_NOT_FOUND. */
MUST_USE enum err store_request_find(
        struct store *s, struct bytes kid, struct bytes jti, struct store_requests *out);
MUST_USE enum err store_request_get(struct store *s, struct bytes id, struct store_requests *out);
/* Waiting and exp > now, oldest first, at most STORE_LIST_MAX. center empty: all. */
enum { STORE_LIST_MAX = 200 };
MUST_USE enum err store_waiting(
        struct store *s, int64_t now, struct bytes center, struct store_requests *out);
/* Holds of one official that wait for a second signature, begun at most HOLD_FIRST_S before now. */
MUST_USE enum err store_holds_waiting(struct store *s, int64_t now, struct store_requests *out);
/* State approved, oldest first. */
MUST_USE enum err store_approved(struct store *s, int64_t now, struct store_requests *out);
/* Waiting and exp <= now: to be lapsed with store_event_put. */
MUST_USE enum err store_lapsing(struct store *s, int64_t now, struct store_requests *out);
/* Inserts a request and its first event (waiting or refused) together. ERR_EXISTS when the id or
 * (kid, jti) is there, also where an approval has that (kid, jti). */
MUST_USE enum err store_request_put(
        struct store *s, const struct store_request *r, enum store_state state, const char *code);
/* Ends a waiting request: approved, lapsed, rejected, refused, withdrawn; or an approved one:
 * executed with its outcomes, refused, lapsed. Takes the head lock, so that it
 * cannot cross its execution. ERR_NOT_WAITING when it waits no more, ERR_BUSY. */
MUST_USE enum err store_event_put(struct store *s, const struct store_event *event);
/* The same beside the request that withdraws it, in one transaction. */
MUST_USE enum err store_withdraw(
        struct store *s, const struct store_request *by, const struct store_event *event);

struct store_approval {
	struct bytes request; /* 32 */
	struct bytes kid, jti, person, jws;
	bool approve;
	int64_t exp, received_at;
};
struct store_approvals {
	const struct store_approval *rows;
	size_t count;
	struct store_result *owner;
};
/* ERR_EXISTS (that key, person or (kid, jti) is there), ERR_APPROVAL_PERSON (key or person of the
 * request), ERR_NOT_FOUND (no such request). */
MUST_USE enum err store_approval_put(struct store *s, const struct store_approval *a);
/* A rejection and the event that it brings, together; as store_approval_put and store_event_put. */
MUST_USE enum err store_reject(
        struct store *s, const struct store_approval *a, const struct store_event *end);
MUST_USE enum err store_approvals(
        struct store *s, struct bytes request, struct store_approvals *out); /* oldest first */
/* One row, or ERR_NOT_FOUND. */
MUST_USE enum err store_approval_find(
        struct store *s, struct bytes kid, struct bytes jti, struct store_approvals *out);

/* -- certificates -- */
struct store_certificate {
	uint64_t index;       /* of its log entry */
	struct bytes serial;  /* 16 */
	struct bytes request; /* 32 */
	uint32_t seat;
	struct bytes holder_key; /* 32 */
	struct bytes item, center;
	uint32_t list, idx;
	enum status status; /* read only: it begins valid and follows the events */
	int64_t exp;
	struct bytes record;
	struct bytes
	        follows; /* write only, for the look-up of holders: what it replaces, or empty */
};
struct store_certificates {
	const struct store_certificate *rows;
	size_t count;
	struct store_result *owner;
};
MUST_USE enum err store_request_certificates(
        struct store *s, struct bytes request, struct store_certificates *out); /* by seat */
/* Those of the serials that exist, in the order asked. */
MUST_USE enum err store_records(
        struct store *s, const struct bytes *serials, size_t count, struct store_certificates *out);
MUST_USE enum err store_certificate_get(struct store *s, struct bytes serial,
        struct store_certificates *out); /* or ERR_NOT_FOUND */
/* The certificate of that log index, or ERR_NOT_FOUND. */
MUST_USE enum err store_certificate_at(
        struct store *s, uint64_t index, struct store_certificates *out);
MUST_USE enum err store_holder(
        struct store *s, struct bytes holder_key, struct store_certificates *out);

struct store_selected { /* a certificate that an order would touch */
	struct bytes serial, center, item;
	enum status status;
};
struct store_selection {
	const struct store_selected *rows; /* by serial, ascending */
	size_t count;
	struct store_result *owner;
};
/* At most ORDER_LIST_MAX + 1 rows. */
MUST_USE enum err store_select(
        struct store *s, const struct request_select *select, struct store_selection *out);
/* Those of the serials that exist. */
MUST_USE enum err store_select_serials(
        struct store *s, const uint8_t (*serials)[16], size_t count, struct store_selection *out);
struct store_list { /* what a selector was frozen to */
	struct bytes serials, sha256;
	struct store_result *owner;
};
MUST_USE enum err store_list_get(
        struct store *s, struct bytes request, struct store_list *out); /* ERR_NOT_FOUND */
/* How many certificates the request has changed so far. */
MUST_USE enum err store_changed_count(struct store *s, struct bytes request, uint64_t *out);
/* One front at a time runs what is approved: the lock is the connection's. */
MUST_USE enum err store_bulk_lock(struct store *s, bool *mine);

struct store_change {        /* a change of status: log entry of type 2 */
	uint64_t index;      /* of the log entry */
	struct bytes serial; /* 16 */
	enum status status;
	int32_t reason;    /* CRL reason, or -1 */
	int32_t effective; /* day */
	int64_t until;     /* UTC seconds, or -1 */
	int64_t at;
	struct bytes request; /* 32 */
	int32_t ban_until; /* first day on which the holder may apply again; 0 none; write only */
};
struct store_changes {
	const struct store_change *rows;
	size_t count;
	struct store_result *owner;
};
MUST_USE enum err store_certificate_changes(
        struct store *s, struct bytes serial, struct store_changes *out); /* oldest first */
MUST_USE enum err store_request_changes(
        struct store *s, struct bytes request, struct store_changes *out);

/* -- log and trust -- */
struct store_entries {
	const struct signed_entry *rows; /* of indexes first, first + 1, … */
	const uint64_t *batch;           /* of each: log size before its transaction */
	uint64_t first;
	size_t count;
	struct store_result *owner;
};
/* At most `limit` entries from `index` on, for tiles: records are left empty. */
MUST_USE enum err store_log_from(
        struct store *s, uint64_t index, size_t limit, struct store_entries *out);

struct store_message { /* a roster (JWS) or manifest (COSE) */
	uint64_t version;
	struct bytes message, sha256;
	struct store_result *owner;
};
/* version 0: the newest. ERR_NOT_FOUND. */
MUST_USE enum err store_roster_get(struct store *s, uint64_t version, struct store_message *out);
MUST_USE enum err store_manifest_get(struct store *s, uint64_t version, struct store_message *out);
#endif
