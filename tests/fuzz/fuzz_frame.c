/* fuzz_frame.c - frames that were read from a stream, written again, are the bytes that were sent.
 */
#include "frame.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STREAM_BYTES_MAX = 64 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The two ends of a stream that has `data` in it and then ends. */
static void
stream_open(const uint8_t *data, size_t size, int pair[2])
{
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
		abort();
	if (size > 0 && write(pair[1], data, size) != (ssize_t)size)
		abort();
	if (shutdown(pair[1], SHUT_WR) != 0)
		abort();
}

static void
same_again(enum frame_type type, struct bytes body, struct bytes sent)
{
	static uint8_t back[STREAM_BYTES_MAX];
	size_t n = FRAME_HEAD_BYTES + body.n;
	int pair[2];

	if (body.n > frame_limit(type) && type != FRAME_ANSWER && type != FRAME_ERROR)
		abort();
	if (sent.n < n || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
		abort();
	if (frame_write(pair[1], type, body) != ERR_OK || read(pair[0], back, n) != (ssize_t)n)
		abort();
	if (memcmp(back, sent.p, n) != 0)
		abort();
	close(pair[0]);
	close(pair[1]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes sent = bytes_of(data, size), body;
	enum frame_type type;
	uint8_t *room = NULL;
	size_t room_n = 0;
	int pair[2];

	if (size > STREAM_BYTES_MAX)
		return 0;
	stream_open(data, size, pair);
	while (frame_read(pair[0], &room, &room_n, &type, &body) == ERR_OK) {
		same_again(type, body, sent);
		sent = bytes_skip(sent, FRAME_HEAD_BYTES + body.n);
	}
	free(room);
	close(pair[0]);
	close(pair[1]);
	return 0;
}
