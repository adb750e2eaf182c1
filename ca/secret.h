#ifndef CA_SECRET_H
#define CA_SECRET_H
/* secret.h - memory of private keys: OpenSSL keeps them in one locked block that no dump holds, and
 * wipes whatever else it frees (what it decoded a key from lay there). Before anything of OpenSSL
 * runs; ERR_MEMORY where the memory cannot be locked (raise LimitMEMLOCK). */
#include "err.h"

MUST_USE enum err secret_memory_open(void);
#endif
