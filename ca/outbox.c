/* outbox.c - room for answers: as large as the largest, and given back after it. Only mmap and
 * munmap, which the signer's sandbox has anyway. */
#include "outbox.h"

#include "frame.h"
#include "limits.h"

#include <sys/mman.h>

enum { KEPT_BYTES_MAX = 1024 * 1024 };

static bool
map(struct outbox *o)
{
	void *p = mmap(NULL, o->room_n, PROT_READ | PROT_WRITE,
	        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	o->room = p == MAP_FAILED ? NULL : p;
	return o->room != NULL;
}

bool
outbox_open(struct outbox *o, size_t gather)
{
	*o = (struct outbox){.room_n = gather + FRAME_HEAD_BYTES + ANSWER_BYTES_MAX};
	return map(o);
}

void
outbox_close(struct outbox *o)
{
	if (o->room != NULL)
		munmap(o->room, o->room_n);
	o->room = NULL;
}

enum err
outbox_send(struct outbox *o, int fd)
{
	enum err e = frame_send(fd, bytes_of(o->room, o->n));
	bool large = o->n > KEPT_BYTES_MAX;

	o->n = 0;
	if (!large)
		return e;
	outbox_close(o);
	return map(o) ? e : ERR_MEMORY;
}
