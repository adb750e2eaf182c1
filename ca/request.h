#ifndef CA_REQUEST_H
#define CA_REQUEST_H
/* request.h - payloads of requests, approvals and query tokens: form only. Whether they may be done
 * is rules.h. Source: FORMATS.md section 3. */
#include "hash.h"
#include "json.h"
#include "jws.h"
#include "limits.h"

enum request_type {
	REQUEST_ISSUE = 1,
	REQUEST_REVOKE,
	REQUEST_SUSPEND,
	REQUEST_REINSTATE,
	REQUEST_REPLACE,
	REQUEST_STOP,
	REQUEST_RESUME,
	REQUEST_WITHDRAW
};

#define REQUEST_TYP "zz-request+jwt"
#define APPROVAL_TYP "zz-approval+jwt"
#define QUERY_TYP "zz-query+jwt"

struct request_seat { /* as handed in: faults of one seat are outcomes, decided by rules.h */
	unsigned seat;
	struct bytes name, sex, doc_type, doc_number, photo_sha256, evidence_sha256;
	double theory, practical;
	struct bytes follows; /* 32 hex digits, or empty */
};

struct request_session {
	struct bytes id, center, region, item,
	        basis;                   /* basis: initial when the member is missing */
	int64_t theory_at, practical_at; /* UTC seconds */
	uint8_t paper_sha256[SHA256_BYTES], recording_sha256[SHA256_BYTES];
	struct bytes examiners[2];
};

/* Which certificates an order names, where it does not list them: all that fit every member. */
struct request_select {
	struct bytes center, item;     /* p NULL: any */
	int64_t from, to;              /* from <= iat of the record < to */
	uint8_t request[SHA256_BYTES]; /* that they were issued by */
	bool by_request;
};

struct request {
	enum request_type type;
	struct bytes jti;
	int64_t iat, exp;
	/* issue */
	struct request_session session;
	struct request_seat *seats;
	size_t seat_count;
	/* orders */
	struct bytes ground, decision_no;
	int64_t decided_at, effective_at; /* days; the same where the type has no effective_at */
	int64_t until;                    /* suspend: last day of the hold */
	struct bytes center;              /* stop, resume: code of a centre, or kid of its key */
	bool target_is_key;
	uint8_t withdraws[SHA256_BYTES]; /* withdraw: the request that ends */
	struct request_seat changes;     /* replace: what changes; p NULL: as it was */
	uint8_t (*serials)[16];          /* in the order of the request */
	uint8_t (*sorted)[16];           /* the same, ascending */
	size_t serial_count;
	bool selects; /* in place of serials */
	struct request_select select;
	/* owned; views point into it */
	json_t *json;
};

struct approval {
	uint8_t request[SHA256_BYTES];
	bool has_list;
	uint8_t list_sha256[SHA256_BYTES];
	char jti[JTI_BYTES_MAX + 1];
	int64_t iat, exp;
	bool approve;
};

struct query {
	char aud[200]; /* the path */
	int64_t iat, exp;
	char document[DOCUMENT_BYTES_MAX * 4 + 1], type[3]; /* empty when missing */
};

const char *request_type_word(enum request_type t);
/* The member `select` of an order, also by itself. ERR_FIELD_INVALID where it names nothing but a
 * time. */
MUST_USE enum err request_select_read(const json_t *json, struct request_select *out);
/* Decodes the payload of a verified or not yet verified JWS of typ REQUEST_TYP. Types of the table
 * of DESIGN.md section 4 that are not served yet give ERR_TYPE_UNKNOWN. On success request_free is
 * due. */
MUST_USE enum err request_decode(const struct jws *j, struct request *out);
void request_free(struct request *r); /* also of a zeroed one */
MUST_USE enum err approval_decode(const struct jws *j, struct approval *out);
MUST_USE enum err query_decode(const struct jws *j, struct query *out);
/* iat at most IAT_AHEAD_S_MAX ahead, not past exp, and exp within the type's lifetime:
 * ERR_TIME_AHEAD, ERR_REQUEST_EXPIRED, ERR_LIFETIME. */
MUST_USE enum err request_times_check(
        int64_t iat, int64_t exp, int64_t lifetime_s_max, int64_t now);
#endif
