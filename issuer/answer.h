#ifndef ISSUER_ANSWER_H
#define ISSUER_ANSWER_H
/* answer.h - parts of answers that answer.c, answer_stored.c and query.c share. */
#include "reply.h"
#include "service.h"

json_t *json_base64(struct bytes v); /* base64url; NULL without memory */
json_t *json_hex(struct bytes v);    /* at most SHA256_BYTES of it */
/* {"request","state":"executed","seats"|"certificates":rows} */
json_t *result_json(struct bytes request, bool order, json_t *rows);
/* The seats of an executed issue, from its certificates and the outcomes of the others. */
MUST_USE enum err answer_seats(
        struct worker *w, struct job *j, const struct store_request *r, json_t **out);
#endif
