#ifndef CA_OUTBOX_H
#define CA_OUTBOX_H
/* outbox.h - the signer's answers that wait to be sent: to those who ask several things at once,
 * together. Room for `gather` bytes and one answer of the largest size. */
#include "bytes.h"

struct outbox {
	uint8_t *room; /* untouched pages cost nothing */
	size_t n, room_n;
};

bool outbox_open(struct outbox *o, size_t gather);
void outbox_close(struct outbox *o);
MUST_USE enum err outbox_send(struct outbox *o, int fd);
#endif
