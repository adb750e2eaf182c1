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
	uint8_t back[FRAME_HEAD_BYTES];

	if (body.n > frame_limit(type) && type != FRAME_ANSWER && type != FRAME_ERROR)
		abort();
	if (sent.n < FRAME_HEAD_BYTES + body.n)
		abort();
	frame_head_put(back, type, body.n);
	if (memcmp(back, sent.p, FRAME_HEAD_BYTES) != 0 ||
	        memcmp(body.p, sent.p + FRAME_HEAD_BYTES, body.n) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes sent = bytes_of(data, size), body;
	enum frame_type type;
	struct frame_in in = {.fd = -1};
	int pair[2];

	if (size > STREAM_BYTES_MAX)
		return 0;
	stream_open(data, size, pair);
	in.fd = pair[0];
	while (frame_read(&in, &type, &body) == ERR_OK) {
		same_again(type, body, sent);
		sent = bytes_skip(sent, FRAME_HEAD_BYTES + body.n);
	}
	frame_in_end(&in);
	close(pair[0]);
	close(pair[1]);
	return 0;
}
