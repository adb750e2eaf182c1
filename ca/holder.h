#ifndef CA_HOLDER_H
#define CA_HOLDER_H
/* holder.h - the number under which the database knows a person: HMAC-SHA-256(pepper, document type
 * | number), so that nothing stored tells a number to who does not hold the pepper. Source:
 * DESIGN.md section 7. */
#include "hash.h"

/* `number` normalised, as it stands in the record (document.h). */
void holder_hmac(
        struct bytes pepper, struct bytes type, struct bytes number, uint8_t out[SHA256_BYTES]);
#endif
