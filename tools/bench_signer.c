/* bench_signer.c - messages to the signer's handlers, one after the other; what they answer is
 * copied, since the next answer takes its place. */
#include "bench_signer.h"

#include "bench_child.h"
#include "bench_lists.h"
#include "bench_order.h"
#include "bench_session.h"
#include "date.h"
#include "file.h"
#include "fold_item.h"
#include "record.h"
#include "status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	PATH_BYTES = 500,
	FRAME_ROOM = 16 * 1024 * 1024,
	ARENA_ROOM = 8 * 1024 * 1024,
	FIRST_ENTRIES = 3
};

static struct bytes
keep(struct bench_signer *s, struct bytes v)
{
	const uint8_t *at = s->arena.p + s->arena.n;

	buf_put(&s->arena, v);
	return bytes_of(at, v.n);
}

static struct buf *
ask_start(struct bench_signer *s, uint64_t members)
{
	s->ask = buf_init(s->ask.p, FRAME_ROOM);
	cbor_put_array(&s->ask, members);
	return &s->ask;
}

static enum err
ask(struct bench_signer *s, enum call_from from, authority_handler handler)
{
	struct call c = {.from = from, .now = s->now, .body = buf_bytes(&s->ask), .out = &s->out};
	enum err e = buf_end(&s->ask);

	s->out = buf_init(s->out.p, FRAME_ROOM);
	return e == ERR_OK ? handler(s->a, &c) : e;
}

static void
entry_take(struct bench_signer *s, struct cbor *c, struct signed_entry *e)
{
	e->entry = keep(s, cbor_bytes(c));
	e->note = keep(s, cbor_bytes(c));
	e->tag = keep(s, cbor_bytes(c));
}

static void
entries_put(struct buf *b, const struct signed_entry *entries, size_t count, bool records)
{
	cbor_put_array(b, count);
	for (size_t i = 0; i < count; i++) {
		cbor_put_array(b, records ? 4 : 3);
		cbor_put_bytes(b, entries[i].entry);
		cbor_put_bytes(b, entries[i].note);
		cbor_put_bytes(b, entries[i].tag);
		if (records && entries[i].record.n == 0)
			cbor_put_null(b);
		else if (records)
			cbor_put_bytes(b, entries[i].record);
	}
}

/* PREPARE, which must find nothing, and EXTEND. */
static enum err
log_append(struct bench_signer *s, const struct signed_entry *entries, size_t count)
{
	uint64_t size = s->a->fold.frontier.size;
	struct buf *b = ask_start(s, 2);
	struct cbor c;
	enum err e;

	cbor_put_uint(b, size);
	entries_put(b, entries, count, false);
	if ((e = ask(s, FROM_FRONT, authority_prepare)) != ERR_OK)
		return e;
	c = cbor_init(buf_bytes(&s->out));
	cbor_array_exact(&c, 2);
	if (cbor_uint(&c) != size || cbor_array(&c) != 0)
		return ERR_STALE;
	b = ask_start(s, 2);
	cbor_put_uint(b, size);
	entries_put(b, entries, count, true);
	return ask(s, FROM_FRONT, authority_extend);
}

static enum err
admin_ask(struct bench_signer *s, authority_handler handler, struct signed_entry *out)
{
	enum err e = ask(s, FROM_ADMIN, handler);
	struct cbor c;

	if (e != ERR_OK)
		return e;
	c = cbor_init(buf_bytes(&s->out));
	cbor_array_exact(&c, 3);
	entry_take(s, &c, out);
	return cbor_end(&c);
}

static enum err
trust_ask(struct bench_signer *s, const char *path, authority_handler handler,
        struct signed_entry *out)
{
	uint8_t *bytes = NULL;
	size_t n = 0;
	enum err e = file_read(path, ROSTER_BYTES_MAX, &bytes, &n);

	if (e == ERR_OK) {
		cbor_put_bytes(ask_start(s, 1), bytes_of(bytes, n));
		e = admin_ask(s, handler, out);
	}
	free(bytes);
	return e;
}

static enum err
log_begin(struct bench_signer *s, const char *dir)
{
	struct signed_entry first[FIRST_ENTRIES] = {0};
	char path[PATH_BYTES];
	enum err e;

	cbor_put_bytes(ask_start(s, 1), bytes_of("", 0)); /* nothing is public yet */
	if ((e = ask(s, FROM_PUBLISHER, authority_state)) != ERR_OK)
		return e;
	cbor_put_null(ask_start(s, 1));
	if ((e = admin_ask(s, authority_init, &first[0])) != ERR_OK)
		return e;
	snprintf(path, sizeof path, "%s/authority/trust/manifest.cose", dir);
	if ((e = trust_ask(s, path, authority_manifest, &first[1])) != ERR_OK)
		return e;
	snprintf(path, sizeof path, "%s/authority/trust/roster.jws", dir);
	if ((e = trust_ask(s, path, authority_roster, &first[2])) != ERR_OK)
		return e;
	return log_append(s, first, FIRST_ENTRIES);
}

static enum err
operator_read(const char *dir, const char *name, struct key **out)
{
	char path[PATH_BYTES];
	uint8_t *pem = NULL;
	size_t n = 0;
	enum err e;

	snprintf(path, sizeof path, "%s/authority/keys/%s.pem", dir, name);
	if ((e = file_read(path, KEY_PEM_BYTES_MAX, &pem, &n)) == ERR_OK)
		e = key_read_pem(bytes_of(pem, n), out);
	free(pem);
	return e;
}

enum err
bench_signer_open(const char *dir, int64_t now, struct bench_signer *s)
{
	char path[PATH_BYTES];
	enum err e;

	memset(s, 0, sizeof *s);
	s->now = now;
	s->ask.p = malloc(FRAME_ROOM);
	s->out.p = malloc(FRAME_ROOM);
	s->arena = buf_init(malloc(ARENA_ROOM), ARENA_ROOM);
	if (s->ask.p == NULL || s->out.p == NULL || s->arena.p == NULL)
		return ERR_MEMORY;
	snprintf(path, sizeof path, "%s/authority/signer", dir);
	if ((e = operator_read(dir, "330106-01", &s->center)) != ERR_OK ||
	        (e = operator_read(dir, "official-li", &s->official)) != ERR_OK ||
	        (e = operator_read(dir, "official-zhang", &s->approver)) != ERR_OK ||
	        (e = authority_open(path, now, &s->a)) != ERR_OK)
		return e;
	return log_begin(s, dir);
}

void
bench_signer_close(struct bench_signer *s)
{
	if (s->a != NULL)
		authority_free(s->a);
	key_free(s->center);
	key_free(s->official);
	key_free(s->approver);
	free(s->ask.p);
	free(s->out.p);
	free(s->arena.p);
	free(s->records);
}

static enum err
seats_take(struct bench_signer *s, struct signed_entry *entries, unsigned count)
{
	struct cbor c = cbor_init(buf_bytes(&s->out));

	cbor_array_exact(&c, 3);
	cbor_uint(&c);
	cbor_bytes(&c);
	if (cbor_array(&c) != count)
		return ERR_VALUE;
	for (unsigned i = 0; i < count; i++) {
		cbor_array_exact(&c, 7);
		cbor_uint(&c);
		cbor_uint(&c);
		if (cbor_null_next(&c))
			return ERR_VALUE;
		s->records[i] = entries[i].record = keep(s, cbor_bytes(&c));
		entry_take(s, &c, &entries[i]);
		if (!cbor_null_next(&c))
			return ERR_VALUE;
	}
	s->count = count;
	return cbor_end(&c);
}

enum err
bench_signer_issue(struct bench_signer *s, unsigned count)
{
	size_t room = BENCH_HEAD_BYTES + (size_t)count * BENCH_SEAT_BYTES;
	struct bench_plan plan = {"330106-01", "330000", "030102", s->now, count, 0, "00000000"};
	struct buf payload = buf_init(malloc(room), room),
	           jws = buf_init(malloc(2 * room), 2 * room), *b;
	struct signed_entry *entries = calloc(count, sizeof *entries);
	enum err e = ERR_MEMORY;

	s->records = calloc(count, sizeof *s->records);
	if (payload.p == NULL || jws.p == NULL || entries == NULL || s->records == NULL ||
	        (e = bench_session_sign(&plan, s->center, 0, &payload, &jws)) != ERR_OK)
		goto out;
	b = ask_start(s, 3);
	cbor_put_bytes(b, buf_bytes(&jws));
	cbor_put_array(b, 0);
	cbor_put_array(b, 0);
	if ((e = ask(s, FROM_FRONT, authority_issue)) == ERR_OK &&
	        (e = seats_take(s, entries, count)) == ERR_OK)
		e = log_append(s, entries, count);
out:
	free(payload.p);
	free(jws.p);
	free(entries);
	return e;
}

static enum err
places_mark(const struct bench_signer *s, uint8_t *taken)
{
	for (size_t i = 0; i < s->count; i++) {
		struct cose_sign1 m;
		struct record r;
		enum err e = record_open(s->records[i], false, &m, &r);

		if (e != ERR_OK || r.list != 0)
			return ERR_VALUE;
		taken[r.idx] = 1;
	}
	return ERR_OK;
}

/* Every tenth is held, as two officials may for a month; the others are INVALID. */
static void
place_fill(struct fold *f, uint32_t idx, int64_t now, uint64_t *seed)
{
	bool held = idx % 10 == 0;
	uint8_t serial[16] = {0};
	struct entry entry = {.type = ENTRY_STATUS,
	        .idx = idx,
	        .status = held ? STATUS_SUSPENDED : STATUS_INVALID,
	        .cti = bytes_of(serial, sizeof serial),
	        .time = now,
	        .until = now + HOLD_MAX_S};
	const struct entry_note note = {.official_count = 2};
	struct crl_row *row;

	bench_serial(seed, now, serial);
	status_set(f->lists[0].raw, idx, entry.status);
	row = fold_rows_add(&f->lists[0], serial);
	row->reason = held ? 6 : 9;
	row->revoked_at = now;
	row->invalid_from = date_shanghai(now);
	history_change_add(&f->history, &entry, f->frontier.size);
	if (held)
		holds_apply(&f->holds, &entry, &note);
}

enum err
bench_signer_fill(struct bench_signer *s, uint32_t count)
{
	struct fold *f = &s->a->fold;
	uint8_t *taken = calloc(LIST_ENTRIES, 1);
	enum err e = taken == NULL ? ERR_MEMORY : places_mark(s, taken);
	uint64_t seed = count;
	uint32_t idx = 0;

	for (; e == ERR_OK && count > 0 && idx < LIST_ENTRIES; idx++) {
		if (taken[idx] != 0)
			continue;
		place_fill(f, idx, s->now, &seed);
		count--;
	}
	free(taken);
	return e == ERR_OK && count > 0 ? ERR_LIMIT : e;
}

static enum err
order_run(struct bench_signer *s, struct bytes request, struct bytes approval, struct bytes record)
{
	struct signed_entry entry = {0};
	struct buf *b = ask_start(s, 4);
	struct cbor c;
	enum err e;

	cbor_put_bytes(b, request);
	cbor_put_array(b, 0); /* no list of a selector */
	cbor_put_array(b, 1);
	cbor_put_bytes(b, approval);
	cbor_put_array(b, 1);
	cbor_put_bytes(b, record);
	if ((e = ask(s, FROM_FRONT, authority_order)) != ERR_OK)
		return e;
	c = cbor_init(buf_bytes(&s->out));
	cbor_array_exact(&c, 3);
	cbor_uint(&c);
	cbor_bytes(&c);
	if (cbor_array(&c) != 1)
		return ERR_VALUE;
	cbor_array_exact(&c, 6);
	cbor_bytes(&c);
	cbor_uint(&c);
	if (!cbor_null_next(&c) || cbor_null_next(&c))
		return ERR_MOVE;
	entry_take(s, &c, &entry);
	return (e = cbor_end(&c)) == ERR_OK ? log_append(s, &entry, 1) : e;
}

enum err
bench_signer_revoke(struct bench_signer *s, size_t which, double *clock_s, double *cpu_s)
{
	uint8_t request_room[BENCH_ORDER_BYTES], approval_room[BENCH_ORDER_BYTES];
	struct buf request = BUF_OF(request_room), approval = BUF_OF(approval_room);
	double clock, cpu;
	struct cose_sign1 m;
	struct record r;
	enum err e;

	if ((e = record_open(s->records[which], false, &m, &r)) != ERR_OK ||
	        (e = bench_revoke_sign(s->official, s->now, r.cti.p, &request)) != ERR_OK ||
	        (e = bench_approve_sign(s->approver, s->now, buf_bytes(&request), &approval)) !=
	                ERR_OK)
		return e;
	clock = bench_clock_s();
	cpu = bench_cpu_s();
	e = order_run(s, buf_bytes(&request), buf_bytes(&approval), s->records[which]);
	*clock_s = bench_clock_s() - clock;
	*cpu_s = bench_cpu_s() - cpu;
	return e;
}
