#ifndef ISSUER_INTAKE_H
#define ISSUER_INTAKE_H
/* intake.h - how a complete request gets to the signer and on to the writer; shared by intake.c and
 * approve.c. */
#include "service.h"

/* The signer's answer becomes the job's rows. */
MUST_USE enum err intake_issue_send(
        struct worker *w, struct job *j, const struct bytes *approvals, size_t count);
/* The same with the records that the order names, from the database; ERR_SERIAL_UNKNOWN. */
MUST_USE enum err intake_order_send(struct worker *w, struct job *j, const struct request *r,
        const struct bytes *approvals, size_t count);
MUST_USE enum err intake_to_writer(struct worker *w, struct job *j); /* ROUTE_DEFERRED */
#endif
