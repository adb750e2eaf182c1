/* frame.c - frames on a Unix stream socket: a length is believed only up to the maximum of its
 * type. */
#include "frame.h"

#include "limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROOM_BYTES_MIN = 64 * 1024 };

size_t
frame_limit(enum frame_type type)
{
	switch (type) {
	case FRAME_ISSUE:
		return JWS_BYTES_MAX + REQUEST_APPROVALS_MAX * APPROVAL_BYTES_MAX + 4096;
	case FRAME_ORDER:
		return JWS_BYTES_MAX + ORDER_CHUNK_MAX * (RECORD_BYTES_MAX + 8) +
		       REQUEST_APPROVALS_MAX * APPROVAL_BYTES_MAX;
	case FRAME_PREPARE:
	case FRAME_EXTEND:
		return FRAME_BYTES_MAX;
	case FRAME_ANSWER:
		return ANSWER_BYTES_MAX;
	case FRAME_STATE:
	case FRAME_INIT:
		return CHECKPOINT_BYTES_MAX + 16;
	case FRAME_ROSTER:
		return ROSTER_BYTES_MAX + 16;
	case FRAME_MANIFEST:
		return MANIFEST_BYTES_MAX + 16;
	case FRAME_LAPSE:
	case FRAME_LIST:
	case FRAME_TABLE:
	case FRAME_HEAD:
	case FRAME_DELTA:
	case FRAME_CRL:
	case FRAME_CHECKPOINT:
	case FRAME_CUTOFF:
	case FRAME_RECOVER:
	case FRAME_KEYS:
	case FRAME_ERROR:
		return 4096;
	}
	return 0;
}

/* ERR_TRUNCATED where more must come; *n is then how much the whole frame takes, as far as known.
 */
static enum err
head_judge(const struct frame_in *in, size_t *n)
{
	size_t have = in->end - in->first, body;
	const uint8_t *head;

	*n = FRAME_HEAD_BYTES;
	if (have < FRAME_HEAD_BYTES)
		return ERR_TRUNCATED;
	head = in->room + in->first;
	body = (size_t)be_get(head, 4);
	if (body < 2 || head[4] != FRAME_VERSION)
		return ERR_PROTOCOL;
	body -= 2;
	if (frame_limit((enum frame_type)head[5]) == 0)
		return ERR_PROTOCOL;
	if (body > frame_limit((enum frame_type)head[5]))
		return ERR_LIMIT;
	*n = FRAME_HEAD_BYTES + body;
	return have < *n ? ERR_TRUNCATED : ERR_OK;
}

/* Reads what is there, at most the room; a frame of n bytes has its place. */
static enum err
more(struct frame_in *in, size_t n)
{
	size_t room_n = n > ROOM_BYTES_MIN ? n : ROOM_BYTES_MIN;
	ssize_t r;

	if (in->first > 0) {
		memmove(in->room, in->room + in->first, in->end - in->first);
		in->end -= in->first;
		in->first = 0;
	}
	if (room_n > in->room_n) {
		uint8_t *grown = realloc(in->room, room_n);

		if (grown == NULL)
			return ERR_MEMORY;
		in->room = grown;
		in->room_n = room_n;
	}
	do
		r = read(in->fd, in->room + in->end, in->room_n - in->end);
	while (r < 0 && errno == EINTR);
	if (r <= 0)
		return r == 0 && in->end == 0 ? ERR_TRUNCATED : ERR_SIGNER;
	in->end += (size_t)r;
	return ERR_OK;
}

enum err
frame_read(struct frame_in *in, enum frame_type *type, struct bytes *body)
{
	size_t n;
	enum err e;

	while ((e = head_judge(in, &n)) == ERR_TRUNCATED)
		if ((e = more(in, n)) != ERR_OK)
			return e;
	if (e != ERR_OK)
		return e;
	*type = (enum frame_type)in->room[in->first + 5];
	*body = bytes_of(in->room + in->first + FRAME_HEAD_BYTES, n - FRAME_HEAD_BYTES);
	in->first += n;
	return ERR_OK;
}

bool
frame_waiting(const struct frame_in *in)
{
	size_t n;

	return head_judge(in, &n) != ERR_TRUNCATED;
}

void
frame_in_end(struct frame_in *in)
{
	free(in->room);
	*in = (struct frame_in){.fd = in->fd};
}

void
frame_head_put(uint8_t head[FRAME_HEAD_BYTES], enum frame_type type, size_t n)
{
	be_put(head, n + 2, 4);
	head[4] = FRAME_VERSION;
	head[5] = (uint8_t)type;
}

enum err
frame_send(int fd, struct bytes frames)
{
	while (frames.n > 0) {
		ssize_t sent = send(fd, frames.p, frames.n, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return ERR_SIGNER;
		frames = bytes_skip(frames, (size_t)sent);
	}
	return ERR_OK;
}
