#ifndef CA_BASE45_H
#define CA_BASE45_H
/* base45.h - RFC 9285, and the QR text ZZ1: of FORMATS.md section 2. */
#include "bytes.h"

void base45_put(struct buf *out, struct bytes in);
/* Refuses unknown characters, triples above FFFF, pairs above FF and a last single character. */
MUST_USE enum err base45_get(struct bytes text, struct buf *out);

/* "ZZ1:" and the base45 of a record. */
void qr_put(struct buf *out, struct bytes record);
MUST_USE enum err qr_get(
        struct bytes text, struct buf *record); /* the text alone, one line without its end */
#endif
