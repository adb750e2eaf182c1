/* signer_client.c - calls to ca-signer: one frame out, one frame in; after a fault the connection
 * is closed and nothing is sent again. */
#include "signer_client.h"

#include "signer_call.h"

#include "log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { CALL_TIMEOUT_S = 15 };

struct signer {
	char path[108];
	int fd;
	uint8_t *out; /* head and body of a request */
	size_t out_room;
	struct frame_in in;
	void *rows; /* of the answer read last */
	char detail[256];
};

enum err
signer_open(const char *socket_path, struct signer **out)
{
	struct signer *s = calloc(1, sizeof *s);

	if (s == NULL)
		return ERR_MEMORY;
	s->fd = -1;
	if (strlen(socket_path) >= sizeof s->path) {
		free(s);
		return ERR_CONFIG;
	}
	memcpy(s->path, socket_path, strlen(socket_path) + 1);
	*out = s;
	return ERR_OK;
}

void
signer_free(struct signer *s)
{
	if (s == NULL)
		return;
	if (s->fd >= 0)
		close(s->fd);
	free(s->out);
	frame_in_end(&s->in);
	free(s->rows);
	free(s);
}

const char *
signer_detail(const struct signer *s)
{
	return s->detail;
}

static enum err
connect_once(struct signer *s)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const struct timeval limit = {.tv_sec = CALL_TIMEOUT_S};

	if (s->fd >= 0)
		return ERR_OK;
	memcpy(address.sun_path, s->path, sizeof address.sun_path);
	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s->fd < 0)
		return ERR_SIGNER;
	if (setsockopt(s->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) != 0 ||
	        setsockopt(s->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) != 0 ||
	        connect(s->fd, (struct sockaddr *)&address, sizeof address) != 0) {
		snprintf(s->detail, sizeof s->detail, "cannot connect to %s: %s", s->path,
		        strerror(errno));
		close(s->fd);
		s->fd = -1;
		return ERR_SIGNER;
	}
	frame_in_end(&s->in); /* what an earlier connection left */
	s->in.fd = s->fd;
	return ERR_OK;
}

static enum err
connection_end(struct signer *s)
{
	close(s->fd);
	s->fd = -1;
	return ERR_SIGNER;
}

enum err
signer_room(struct signer *s, size_t n, struct buf *out)
{
	if (n > FRAME_BYTES_MAX)
		return ERR_LIMIT;
	if (n + FRAME_HEAD_BYTES > s->out_room) {
		uint8_t *grown = realloc(s->out, n + FRAME_HEAD_BYTES);

		if (grown == NULL)
			return ERR_MEMORY;
		s->out = grown;
		s->out_room = n + FRAME_HEAD_BYTES;
	}
	*out = buf_init(s->out + FRAME_HEAD_BYTES, n);
	return ERR_OK;
}

static enum err
error_read(struct signer *s, struct bytes body)
{
	struct cbor c = cbor_init(body);
	struct bytes word, detail;

	cbor_array_exact(&c, 2);
	word = cbor_text(&c);
	detail = cbor_text(&c);
	if (cbor_end(&c) != ERR_OK)
		return ERR_PROTOCOL;
	snprintf(s->detail, sizeof s->detail, "%.*s%s%.*s", (int)word.n, (const char *)word.p,
	        detail.n > 0 ? ": " : "", (int)detail.n, (const char *)detail.p);
	return err_from_word((const char *)word.p, word.n);
}

static enum err
answer_next(struct signer *s, struct cbor *answer)
{
	enum frame_type got = 0;
	struct bytes body;

	s->detail[0] = '\0';
	if (frame_read(&s->in, &got, &body) != ERR_OK ||
	        (got != FRAME_ANSWER && got != FRAME_ERROR))
		return connection_end(s);
	if (got == FRAME_ERROR)
		return error_read(s, body);
	*answer = cbor_init(body);
	return ERR_OK;
}

enum err
signer_call(struct signer *s, enum frame_type type, const struct buf *out, struct cbor *answer)
{
	enum err e;

	s->detail[0] = '\0';
	if ((e = buf_end(out)) != ERR_OK || (e = connect_once(s)) != ERR_OK)
		return e;
	frame_head_put(s->out, type, out->n);
	if (frame_send(s->fd, bytes_of(s->out, FRAME_HEAD_BYTES + out->n)) != ERR_OK)
		return connection_end(s);
	return answer_next(s, answer);
}

void *
signer_rows(struct signer *s, struct cbor *c, uint64_t count, size_t size)
{
	free(s->rows);
	s->rows = calloc(count > 0 ? (size_t)count : 1, size);
	if (s->rows == NULL)
		cbor_fail(c, ERR_MEMORY);
	return s->rows;
}

static void
views_put(struct buf *out, const struct bytes *views, size_t count)
{
	cbor_put_array(out, count);
	for (size_t i = 0; i < count; i++)
		if (views[i].n > 0)
			cbor_put_bytes(out, views[i]);
		else
			cbor_put_null(out);
}

static size_t
views_size(const struct bytes *views, size_t count)
{
	size_t n = 16;

	for (size_t i = 0; i < count; i++)
		n += views[i].n + 9;
	return n;
}

void
signer_entry_read(struct cbor *c, struct signed_entry *e)
{
	e->entry = cbor_bytes(c);
	e->note = cbor_bytes(c);
	e->tag = cbor_bytes_exact(c, ENTRY_TAG_BYTES);
}

/* [record?, entry, note, tag], all null where the seat or serial got none. */
static void
row_rest(struct cbor *c, bool issue, struct signer_row *row)
{
	if (issue) {
		row->has_entry = !cbor_null_next(c);
		if (row->has_entry)
			row->e.record = cbor_bytes(c);
	} else {
		row->first_date = cbor_null_next(c) ? -1 : (int64_t)cbor_uint(c);
		row->has_entry = row->outcome != 0 && c->in.n > 0 && c->in.p[0] != 0xf6;
	}
	if (row->has_entry) {
		signer_entry_read(c, &row->e);
		return;
	}
	for (int i = 0; i < 3; i++)
		if (!cbor_null_next(c))
			cbor_fail(c, ERR_PROTOCOL);
}

static enum err
answer_read(struct signer *s, struct cbor *c, bool issue, struct signer_answer *out)
{
	struct signer_answer a = {0};
	enum err e;

	cbor_array_exact(c, 3);
	a.number = cbor_uint(c);
	a.request = cbor_bytes_exact(c, SHA256_BYTES);
	a.count = (size_t)cbor_array(c);
	a.rows = signer_rows(s, c, a.count, sizeof *a.rows);
	for (size_t i = 0; i < a.count && c->e == ERR_OK; i++) {
		cbor_array_exact(c, issue ? 7 : 6);
		if (issue)
			a.rows[i].seat = cbor_uint(c);
		else
			a.rows[i].cti = cbor_bytes_exact(c, 16);
		a.rows[i].outcome = cbor_uint(c);
		row_rest(c, issue, &a.rows[i]);
		a.rows[i].has_end = issue && !cbor_null_next(c);
		if (!a.rows[i].has_end)
			continue;
		cbor_array_exact(c, 3);
		signer_entry_read(c, &a.rows[i].end);
	}
	if ((e = cbor_end(c)) != ERR_OK)
		return ERR_PROTOCOL;
	*out = a;
	return ERR_OK;
}

static void
evidence_put(struct buf *b, enum frame_type type, const struct signer_evidence *ev)
{
	cbor_put_array(b, type == FRAME_ISSUE ? 3 : 4);
	cbor_put_bytes(b, ev->jws);
	if (type != FRAME_ISSUE)
		views_put(b, &ev->list, ev->list.n > 0);
	views_put(b, ev->approvals, ev->approval_count);
	views_put(b, ev->records, ev->record_count);
}

static enum err
evidence_call(struct signer *s, enum frame_type type, const struct signer_evidence *ev,
        struct signer_answer *out)
{
	size_t n = 64 + ev->jws.n + ev->list.n + views_size(ev->approvals, ev->approval_count) +
	           views_size(ev->records, ev->record_count);
	struct cbor c;
	struct buf b;
	enum err e;

	if ((e = signer_room(s, n, &b)) != ERR_OK)
		return e;
	evidence_put(&b, type, ev);
	if ((e = signer_call(s, type, &b, &c)) != ERR_OK)
		return e;
	return answer_read(s, &c, type == FRAME_ISSUE, out);
}

enum err
signer_issue(struct signer *s, const struct signer_evidence *ev, struct signer_answer *out)
{
	return evidence_call(s, FRAME_ISSUE, ev, out);
}

void
signer_issue_put(struct buf *frames, const struct signer_evidence *ev)
{
	uint8_t *head = buf_room(frames, FRAME_HEAD_BYTES);
	size_t before = frames->n;

	evidence_put(frames, FRAME_ISSUE, ev);
	if (!frames->failed)
		frame_head_put(head, FRAME_ISSUE, frames->n - before);
}

enum err
signer_issue_send(struct signer *s, const struct buf *frames)
{
	enum err e = buf_end(frames);

	if (e != ERR_OK || (e = connect_once(s)) != ERR_OK)
		return e;
	return frame_send(s->fd, buf_bytes(frames)) == ERR_OK ? ERR_OK : connection_end(s);
}

enum err
signer_issue_next(struct signer *s, struct signer_answer *out)
{
	struct cbor c;
	enum err e = s->fd < 0 ? ERR_SIGNER : answer_next(s, &c);

	return e == ERR_OK ? answer_read(s, &c, true, out) : e;
}

enum err
signer_order(struct signer *s, const struct signer_evidence *ev, struct signer_answer *out)
{
	return evidence_call(s, FRAME_ORDER, ev, out);
}

static enum err
entries_call(struct signer *s, enum frame_type type, uint64_t size,
        const struct signed_entry *entries, size_t count, struct cbor *c)
{
	bool records = type == FRAME_EXTEND;
	size_t n = 64;
	struct buf b;
	enum err e;

	for (size_t i = 0; i < count; i++)
		n += entries[i].entry.n + entries[i].note.n + ENTRY_TAG_BYTES +
		     entries[i].record.n + 32;
	if ((e = signer_room(s, n, &b)) != ERR_OK)
		return e;
	cbor_put_array(&b, 2);
	cbor_put_uint(&b, size);
	cbor_put_array(&b, count);
	for (size_t i = 0; i < count; i++) {
		cbor_put_array(&b, records ? 4 : 3);
		cbor_put_bytes(&b, entries[i].entry);
		cbor_put_bytes(&b, entries[i].note);
		cbor_put_bytes(&b, entries[i].tag);
		if (records && entries[i].record.n > 0)
			cbor_put_bytes(&b, entries[i].record);
		else if (records)
			cbor_put_null(&b);
	}
	return signer_call(s, type, &b, c);
}

enum err
signer_prepare(struct signer *s, uint64_t size, const struct signed_entry *entries, size_t count,
        const struct signer_stale **stale, size_t *stale_count)
{
	struct signer_stale *rows;
	struct cbor c;
	uint64_t got, n;
	enum err e = entries_call(s, FRAME_PREPARE, size, entries, count, &c);

	if (e != ERR_OK)
		return e;
	cbor_array_exact(&c, 2);
	got = cbor_uint(&c);
	n = cbor_array(&c);
	rows = signer_rows(s, &c, n, sizeof *rows);
	for (uint64_t i = 0; i < n && c.e == ERR_OK; i++) {
		struct bytes word;

		cbor_array_exact(&c, 2);
		rows[i].position = cbor_uint_max(&c, count > 0 ? count - 1 : 0);
		word = cbor_text(&c);
		rows[i].why = err_from_word((const char *)word.p, word.n);
	}
	if (cbor_end(&c) != ERR_OK || got != size)
		return ERR_PROTOCOL;
	*stale = rows;
	*stale_count = (size_t)n;
	return ERR_OK;
}

enum err
signer_extend(struct signer *s, uint64_t size, const struct signed_entry *entries, size_t count,
        struct signer_head *out)
{
	struct signer_head h = {0};
	struct cbor c;
	enum err e = entries_call(s, FRAME_EXTEND, size, entries, count, &c);

	if (e != ERR_OK)
		return e;
	cbor_array_exact(&c, 5);
	h.size = cbor_uint(&c);
	memcpy(h.root.b, cbor_bytes_exact(&c, SHA256_BYTES).p, SHA256_BYTES);
	h.time = (int64_t)cbor_uint_max(&c, INT64_MAX);
	if (!cbor_null_next(&c))
		h.protected = cbor_bytes(&c);
	if (!cbor_null_next(&c))
		h.signature = cbor_bytes_exact(&c, KEY_SIGNATURE_BYTES);
	if (cbor_end(&c) != ERR_OK)
		return ERR_PROTOCOL;
	*out = h;
	return ERR_OK;
}

enum err
signer_lapse(struct signer *s, struct signed_entry **entries, size_t *count)
{
	struct signed_entry *rows;
	struct cbor c;
	struct buf b;
	uint64_t n;
	enum err e = signer_room(s, 16, &b);

	if (e != ERR_OK)
		return e;
	cbor_put_array(&b, 0);
	if ((e = signer_call(s, FRAME_LAPSE, &b, &c)) != ERR_OK)
		return e;
	n = cbor_array(&c);
	rows = signer_rows(s, &c, n, sizeof *rows);
	for (uint64_t i = 0; i < n && c.e == ERR_OK; i++) {
		cbor_array_exact(&c, 3);
		signer_entry_read(&c, &rows[i]);
	}
	if (cbor_end(&c) != ERR_OK)
		return ERR_PROTOCOL;
	*entries = rows;
	*count = (size_t)n;
	return ERR_OK;
}
