#ifndef ISSUER_INTAKE_H
#define ISSUER_INTAKE_H
/* intake.h - how a complete request gets to the signer and on to the writer; shared by intake.c and
 * approve.c. */
#include "service.h"

/* Everything about a request that its bytes and the roster tell. */
struct intake {
	struct jws jws;
	struct request request; /* request_free is due, also after a fault */
	const struct roster *roster;
	const struct operator* sender;
};
MUST_USE enum err intake_open(struct worker *w, struct job *j, struct intake *in);
MUST_USE enum err intake_row(struct job *j, const struct intake *in); /* for the database */
/* What the signer said of a new session, `asked` or its answer: on to the writer, or answered.
 * first: the database was not asked for it yet. */
MUST_USE enum err intake_decided(struct worker *w, struct job *j, const struct intake *in,
        bool first, enum err asked, const struct signer_answer *answer);

/* intake_together.c */
enum { INTAKE_TOGETHER_MAX = 16, INTAKE_TOGETHER_BYTES = 8 * 1024 };
bool intake_joins(const struct job *j); /* a small request that was not handled yet */
/* One result a job, as of its route's handler; at most INTAKE_TOGETHER_MAX. */
void intake_together(struct worker *w, struct job *const *jobs, size_t count, enum err *results);

/* The signer's answer becomes the job's rows. */
MUST_USE enum err intake_issue_send(struct worker *w, struct job *j, const struct request *r,
        const struct bytes *approvals, size_t count);
/* The same with the records that the order names, from the database; ERR_SERIAL_UNKNOWN. At most
 * ORDER_CHUNK_MAX of them. */
MUST_USE enum err intake_order_send(struct worker *w, struct job *j, const struct evidence *ev,
        const struct bytes *approvals, size_t count);
struct order_chunk { /* a part of an order, with the evidence of the whole */
	const struct request *request;
	struct bytes list;    /* of its selector, or empty */
	struct bytes serials; /* of this part, 16 bytes each */
	const struct bytes *approvals;
	size_t approval_count;
};
MUST_USE enum err intake_chunk_send(struct worker *w, struct job *j, const struct order_chunk *c);
/* Gives the evidence the list that the selector was frozen to, copied to the arena. */
MUST_USE enum err order_list(
        struct store *store, struct evidence *ev, struct bytes request, struct arena *a);
/* {"request","state":"waiting",…}: how many must sign, and what they sign. */
json_t *waiting_json(struct bytes request, const struct evidence *ev);
MUST_USE enum err intake_to_writer(struct worker *w, struct job *j); /* ROUTE_DEFERRED */
#endif
