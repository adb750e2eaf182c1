#ifndef CA_KEY_NAME_H
#define CA_KEY_NAME_H
/* key_name.h - what a public key is called; for key.c alone. */
#include "key.h"

/* RFC 9679 thumbprint (SHA-256; SM3 of an SM2 key) and RFC 7638 thumbprint. */
void key_names(const struct key *k, uint8_t cose[32], uint8_t jwk[KEY_THUMB_BYTES]);
#endif
