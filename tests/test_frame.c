/* test_frame.c - a frame is whole or refused: lengths are believed up to the maximum of their type,
 * and a stream may end only between frames. */
#include "frame.h"

#include "limits.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct stream {
	int ends[2];
	struct frame_in in;
	enum frame_type type;
	struct bytes body;
};

static struct stream
stream_open(void)
{
	struct stream s = {.type = FRAME_ERROR};

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, s.ends), 0);
	s.in.fd = s.ends[0];
	return s;
}

static enum err
frame_write(int fd, enum frame_type type, struct bytes body)
{
	uint8_t *p = malloc(FRAME_HEAD_BYTES + body.n);
	enum err e;

	frame_head_put(p, type, body.n);
	if (body.n > 0)
		memcpy(p + FRAME_HEAD_BYTES, body.p, body.n);
	e = frame_send(fd, bytes_of(p, FRAME_HEAD_BYTES + body.n));
	free(p);
	return e;
}

/* The bytes lie in the stream, which ends after them. */
static struct stream
stream_of(struct bytes sent)
{
	struct stream s = stream_open();

	if (sent.n > 0)
		assert_int_equal(write(s.ends[1], sent.p, sent.n), sent.n);
	assert_int_equal(shutdown(s.ends[1], SHUT_WR), 0);
	return s;
}

static enum err
stream_read(struct stream *s)
{
	return frame_read(&s->in, &s->type, &s->body);
}

static void
stream_close(struct stream *s)
{
	close(s->ends[0]);
	close(s->ends[1]);
	frame_in_end(&s->in);
}

static enum err
read_once(struct bytes sent)
{
	struct stream s = stream_of(sent);
	enum err e = stream_read(&s);

	stream_close(&s);
	return e;
}

static void
frames_come_through_one_after_the_other(void **state)
{
	struct stream s = stream_open();

	(void)state;
	assert_int_equal(frame_write(s.ends[1], FRAME_STATE, BYTES_LIT("first")), ERR_OK);
	assert_int_equal(frame_write(s.ends[1], FRAME_LIST, BYTES_LIT("")), ERR_OK);
	assert_int_equal(frame_write(s.ends[1], FRAME_EXTEND, BYTES_LIT("a longer third")), ERR_OK);
	assert_int_equal(shutdown(s.ends[1], SHUT_WR), 0);
	assert_int_equal(stream_read(&s), ERR_OK);
	assert_true(s.type == FRAME_STATE && bytes_equal_text(s.body, "first"));
	assert_int_equal(stream_read(&s), ERR_OK);
	assert_true(s.type == FRAME_LIST && s.body.n == 0);
	assert_int_equal(stream_read(&s), ERR_OK);
	assert_true(s.type == FRAME_EXTEND && bytes_equal_text(s.body, "a longer third"));
	assert_int_equal(stream_read(&s), ERR_TRUNCATED); /* a clean end */
	stream_close(&s);
}

static void
the_bytes_are_those_of_the_format(void **state)
{
	uint8_t room[16];
	int ends[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_int_equal(frame_write(ends[1], FRAME_CHECKPOINT, BYTES_LIT("\x81\x05")), ERR_OK);
	assert_int_equal(read(ends[0], room, sizeof room), 8);
	assert_memory_equal(room, "\0\0\0\4\1\14\x81\x05", 8);
	close(ends[0]);
	close(ends[1]);
}

static void
every_prefix_is_refused(void **state)
{
	static const uint8_t whole[] = "\0\0\0\7\1\6hello";

	(void)state;
	assert_int_equal(read_once(bytes_of(whole, 11)), ERR_OK);
	assert_int_equal(read_once(bytes_of(whole, 0)), ERR_TRUNCATED);
	for (size_t n = 1; n < 11; n++)
		assert_int_equal(read_once(bytes_of(whole, n)), ERR_SIGNER);
}

static void
heads_of_another_form_are_refused_by_name(void **state)
{
	const struct {
		const char *what;
		struct bytes head;
		enum err want;
	} rows[] = {
	        {"length 0", BYTES_LIT("\0\0\0\0\1\6"), ERR_PROTOCOL},
	        {"length 1", BYTES_LIT("\0\0\0\1\1\6"), ERR_PROTOCOL},
	        {"length 2, no body", BYTES_LIT("\0\0\0\2\1\6"), ERR_OK},
	        {"an unknown type, no body", BYTES_LIT("\0\0\0\2\1\x30"), ERR_PROTOCOL},
	        {"version 0", BYTES_LIT("\0\0\0\2\0\6"), ERR_PROTOCOL},
	        {"version 2", BYTES_LIT("\0\0\0\2\2\6"), ERR_PROTOCOL},
	        {"four gigabytes", BYTES_LIT("\xff\xff\xff\xff\1\6"), ERR_LIMIT},
	        {"an unknown type with a body", BYTES_LIT("\0\0\0\3\1\x30x"), ERR_PROTOCOL},
	        {"type 0 with a body", BYTES_LIT("\0\0\0\3\1\0x"), ERR_PROTOCOL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (read_once(rows[i].head) != rows[i].want)
			fail_msg("%s", rows[i].what);
}

/* The length alone decides: at the limit the body is waited for, above it nothing is reserved. */
static void
each_type_has_its_limit(void **state)
{
	static const enum frame_type types[] = {FRAME_ISSUE, FRAME_ORDER, FRAME_LAPSE,
	        FRAME_PREPARE, FRAME_EXTEND, FRAME_STATE, FRAME_LIST, FRAME_TABLE, FRAME_HEAD,
	        FRAME_DELTA, FRAME_CRL, FRAME_CHECKPOINT, FRAME_INIT, FRAME_ROSTER, FRAME_MANIFEST,
	        FRAME_CUTOFF, FRAME_RECOVER, FRAME_ANSWER, FRAME_ERROR};

	(void)state;
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		uint8_t head[FRAME_HEAD_BYTES] = {0, 0, 0, 0, 1, (uint8_t)types[i]};
		size_t limit = frame_limit(types[i]);

		assert_true(limit > 0 && limit <= ANSWER_BYTES_MAX);
		be_put(head, limit + 2, 4);
		assert_int_equal(read_once(bytes_of(head, sizeof head)), ERR_SIGNER);
		be_put(head, limit + 3, 4);
		assert_int_equal(read_once(bytes_of(head, sizeof head)), ERR_LIMIT);
	}
	assert_int_equal(frame_limit((enum frame_type)0), 0);
	assert_int_equal(frame_limit((enum frame_type)0x30), 0);
	assert_int_equal(frame_limit((enum frame_type)0xff), 0);
}

struct large {
	int fd;
	struct bytes body;
	enum err e;
};

static void *
large_write(void *arg)
{
	struct large *l = arg;

	l->e = frame_write(l->fd, FRAME_ANSWER, l->body);
	return NULL;
}

/* More than a socket holds: written and read in many parts. */
static void
the_largest_frame_comes_through(void **state)
{
	uint8_t *p = malloc(ANSWER_BYTES_MAX);
	struct stream s = stream_open();
	struct large l;
	pthread_t thread;

	(void)state;
	for (size_t i = 0; i < ANSWER_BYTES_MAX; i++)
		p[i] = (uint8_t)(i * 7 + (i >> 10));
	l = (struct large){s.ends[1], bytes_of(p, ANSWER_BYTES_MAX), ERR_INTERNAL};
	assert_int_equal(pthread_create(&thread, NULL, large_write, &l), 0);
	assert_int_equal(stream_read(&s), ERR_OK);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(l.e, ERR_OK);
	assert_true(bytes_equal(s.body, l.body));
	stream_close(&s);
	free(p);
}

/* Who asks several things at once is told with one reading what is there. */
static void
what_is_here_already_is_known(void **state)
{
	static const uint8_t half[] = "\0\0\0\7\1\6he";
	struct stream s = stream_open();

	(void)state;
	assert_false(frame_waiting(&s.in));
	assert_int_equal(frame_write(s.ends[1], FRAME_STATE, BYTES_LIT("one")), ERR_OK);
	assert_int_equal(frame_write(s.ends[1], FRAME_LIST, BYTES_LIT("two")), ERR_OK);
	assert_int_equal(write(s.ends[1], half, 8), 8);
	assert_int_equal(stream_read(&s), ERR_OK);
	assert_true(frame_waiting(&s.in));
	assert_int_equal(stream_read(&s), ERR_OK);
	assert_true(bytes_equal_text(s.body, "two"));
	assert_false(frame_waiting(&s.in)); /* the rest of the third must come first */
	assert_int_equal(write(s.ends[1], "llo\0\0\0\0\1\6", 9), 9);
	assert_int_equal(stream_read(&s), ERR_OK);
	assert_true(bytes_equal_text(s.body, "hello"));
	assert_true(frame_waiting(&s.in)); /* and is refused without waiting */
	assert_int_equal(stream_read(&s), ERR_PROTOCOL);
	stream_close(&s);
}

/* No signal ends the process when the other side is gone. */
static void
a_closed_stream_is_an_error_and_no_signal(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	close(ends[0]);
	assert_int_equal(frame_write(ends[1], FRAME_STATE, BYTES_LIT("x")), ERR_SIGNER);
	close(ends[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(frames_come_through_one_after_the_other),
	        cmocka_unit_test(the_bytes_are_those_of_the_format),
	        cmocka_unit_test(every_prefix_is_refused),
	        cmocka_unit_test(heads_of_another_form_are_refused_by_name),
	        cmocka_unit_test(each_type_has_its_limit),
	        cmocka_unit_test(the_largest_frame_comes_through),
	        cmocka_unit_test(what_is_here_already_is_known),
	        cmocka_unit_test(a_closed_stream_is_an_error_and_no_signal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
