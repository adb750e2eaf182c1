#ifndef TOOLS_BENCH_ORDER_H
#define TOOLS_BENCH_ORDER_H
/* bench_order.h - a revocation for measuring: one certificate, one official's request and another's
 * approval. */
#include "key.h"

enum { BENCH_ORDER_BYTES = 2048 };

MUST_USE enum err bench_revoke_sign(
        const struct key *k, int64_t now, const uint8_t serial[16], struct buf *jws);
MUST_USE enum err bench_approve_sign(
        const struct key *k, int64_t now, struct bytes request_jws, struct buf *jws);
/* Hex of the request's id. */
MUST_USE enum err bench_request_id(struct bytes jws, char out[65]);
#endif
