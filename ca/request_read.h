#ifndef CA_REQUEST_READ_H
#define CA_REQUEST_READ_H
/* request_read.h - what the two files that read payloads share: request.c and request_order.c. */
#include "request.h"

/* Text that people read and logs may show: min to TEXT_BYTES_MAX bytes, no control characters. */
bool request_text_valid(struct bytes v, size_t min);
MUST_USE enum err request_day_read(struct bytes text, int64_t *out);
MUST_USE enum err request_common_check(struct request *r, uint64_t iat, uint64_t exp);
MUST_USE enum err request_order_read(
        struct request *r); /* every type but issue; r->json is there */
#endif
