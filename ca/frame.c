/* frame.c - frames on a Unix stream socket: a length is believed only up to the maximum of its
 * type. */
#include "frame.h"

#include "file.h"
#include "limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

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
	case FRAME_ERROR:
		return 4096;
	}
	return 0;
}

static enum err
get_all(int fd, uint8_t *p, size_t n, bool start)
{
	size_t got = 0;

	while (got < n) {
		ssize_t r = read(fd, p + got, n - got);

		if (r < 0 && errno == EINTR)
			continue;
		if (r == 0)
			return start && got == 0 ? ERR_TRUNCATED : ERR_SIGNER;
		if (r < 0)
			return ERR_SIGNER;
		got += (size_t)r;
	}
	return ERR_OK;
}

enum err
frame_read(int fd, uint8_t **room, size_t *room_n, enum frame_type *type, struct bytes *body)
{
	uint8_t head[FRAME_HEAD_BYTES];
	size_t n;
	enum err e = get_all(fd, head, sizeof head, true);

	if (e != ERR_OK)
		return e;
	n = (size_t)be_get(head, 4);
	if (n < 2 || head[4] != FRAME_VERSION)
		return ERR_PROTOCOL;
	n -= 2;
	if (frame_limit((enum frame_type)head[5]) == 0)
		return ERR_PROTOCOL;
	if (n > frame_limit((enum frame_type)head[5]))
		return ERR_LIMIT;
	if (n > *room_n) {
		uint8_t *grown = realloc(*room, n);

		if (grown == NULL)
			return ERR_MEMORY;
		*room = grown;
		*room_n = n;
	}
	if ((e = get_all(fd, *room, n, false)) != ERR_OK)
		return e;
	*type = (enum frame_type)head[5];
	*body = bytes_of(*room, n);
	return ERR_OK;
}

enum err
frame_write(int fd, enum frame_type type, struct bytes body)
{
	uint8_t head[FRAME_HEAD_BYTES];
	struct msghdr m = {0};
	struct iovec parts[2];
	ssize_t sent;
	size_t left = sizeof head + body.n;

	if (body.n > (type == FRAME_ANSWER ? ANSWER_BYTES_MAX : FRAME_BYTES_MAX))
		return ERR_LIMIT;
	be_put(head, body.n + 2, 4);
	head[4] = FRAME_VERSION;
	head[5] = (uint8_t)type;
	while (left > 0) {
		size_t done = sizeof head + body.n - left;
		size_t from_head = done < sizeof head ? sizeof head - done : 0;
		size_t from_body = done > sizeof head ? done - sizeof head : 0;

		parts[0] = (struct iovec){head + (sizeof head - from_head), from_head};
		memcpy(&parts[1].iov_base, &body.p, sizeof body.p); /* sendmsg only reads */
		if (from_body > 0)
			parts[1].iov_base = (char *)parts[1].iov_base + from_body;
		parts[1].iov_len = body.n - from_body;
		m.msg_iov = parts;
		m.msg_iovlen = 2;
		sent = sendmsg(fd, &m, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return ERR_SIGNER;
		left -= (size_t)sent;
	}
	return ERR_OK;
}
