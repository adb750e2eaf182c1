#ifndef CA_BASE64_H
#define CA_BASE64_H
/* base64.h - base64url without padding (RFC 4648 section 5; JWS, JSON) and base64 with padding
 * (section 4; signed notes). One spelling: unused bits zero, no blanks, no line ends. */
#include "bytes.h"

#define BASE64URL_CHARS(n) (((n)*4 + 2) / 3)
#define BASE64_CHARS(n) (((n) + 2) / 3 * 4)

void base64url_put(struct buf *out, struct bytes in);
MUST_USE enum err base64url_get(
        struct bytes text, struct buf *out); /* appends; ERR_ENCODING, ERR_LIMIT */
void base64_put(struct buf *out, struct bytes in);
MUST_USE enum err base64_get(struct bytes text, struct buf *out);
#endif
