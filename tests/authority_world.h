#ifndef TESTS_AUTHORITY_WORLD_H
#define TESTS_AUTHORITY_WORLD_H
/* authority_world.h - the messages of a signer's front and publish sockets as functions, and the
 * roads that tests take again and again: start, issue, revoke, publish. */
#include "authority_folder.h"

/* ---- the log ---- */

static inline void
entry_ask(struct buf *b, const struct signed_entry *e, bool with_record)
{
	cbor_put_array(b, with_record ? 4 : 3);
	cbor_put_bytes(b, e->entry);
	cbor_put_bytes(b, e->note);
	cbor_put_bytes(b, e->tag);
	if (!with_record)
		return;
	if (e->record.n == 0)
		cbor_put_null(b);
	else
		cbor_put_bytes(b, e->record);
}

/* Faults by position; faults[i] ERR_OK where entry i passed. */
static inline enum err
ask_prepare(struct world *w, uint64_t size, const struct signed_entry *entries, size_t count,
        enum err *faults)
{
	struct buf *b = ask_start(w, 2);
	struct cbor c;
	enum err e;

	cbor_put_uint(b, size);
	cbor_put_array(b, count);
	for (size_t i = 0; i < count; i++)
		entry_ask(b, &entries[i], false);
	if ((e = ask(w, authority_prepare)) != ERR_OK)
		return e;
	for (size_t i = 0; i < count; i++)
		faults[i] = ERR_OK;
	c = cbor_init(buf_bytes(&w->out));
	cbor_array_exact(&c, 2);
	assert_true(cbor_uint(&c) == size);
	for (uint64_t left = cbor_array(&c); left > 0; left--) {
		uint64_t at;
		struct bytes word;

		cbor_array_exact(&c, 2);
		at = cbor_uint(&c);
		word = cbor_text(&c);
		assert_true(at < count);
		faults[at] = err_from_word((const char *)word.p, word.n);
	}
	assert_int_equal(cbor_end(&c), ERR_OK);
	return ERR_OK;
}

static inline enum err
ask_extend(struct world *w, uint64_t size, const struct signed_entry *entries, size_t count,
        struct head_answer *out)
{
	struct buf *b = ask_start(w, 2);
	struct head_answer h = {0};
	struct cbor c;
	enum err e;

	cbor_put_uint(b, size);
	cbor_put_array(b, count);
	for (size_t i = 0; i < count; i++)
		entry_ask(b, &entries[i], true);
	if ((e = ask(w, authority_extend)) != ERR_OK)
		return e;
	c = cbor_init(buf_bytes(&w->out));
	cbor_array_exact(&c, 5);
	h.size = cbor_uint(&c);
	memcpy(h.root.b, cbor_bytes_exact(&c, SHA256_BYTES).p, SHA256_BYTES);
	h.time = cbor_int(&c);
	if (!cbor_null_next(&c))
		h.protected = keep(w, cbor_bytes(&c));
	if (!cbor_null_next(&c))
		h.signature = keep(w, cbor_bytes(&c));
	assert_int_equal(cbor_end(&c), ERR_OK);
	assert_int_equal(h.protected.n == 0, h.signature.n == 0);
	if (out != NULL)
		*out = h;
	return ERR_OK;
}

/* PREPARE and EXTEND of what must pass both, and remembered for catch-up. */
static inline void
world_extend(struct world *w, const struct signed_entry *entries, size_t count)
{
	enum err *faults = calloc(count + 1, sizeof *faults);
	struct head_answer h = {0};

	assert_non_null(faults);
	assert_int_equal(ask_prepare(w, w->size, entries, count, faults), ERR_OK);
	for (size_t i = 0; i < count; i++)
		if (faults[i] != ERR_OK)
			fail_msg("entry %zu: %s", i, err_word(faults[i]));
	free(faults);
	assert_int_equal(ask_extend(w, w->size, entries, count, &h), ERR_OK);
	memcpy(w->log_entries + w->size, entries, count * sizeof *entries);
	w->size += count;
	assert_int_equal(h.size, w->size);
}

/* Nothing is published yet; genesis, manifest 1 and roster 1 are in the log. */
static inline void
world_start(struct world *w)
{
	struct manifest_plan plan = manifest_plan_of(w);
	struct signed_entry first[3] = {0};

	w->from = FROM_PUBLISHER;
	assert_int_equal(ask_state(w, BYTES_LIT(""), NULL), ERR_OK);
	assert_int_equal(ask_init(w, &first[0]), ERR_OK);
	assert_int_equal(ask_manifest(w, &plan, 1, &first[1]), ERR_OK);
	assert_int_equal(ask_roster(w, 1, CAP, &first[2]), ERR_OK);
	world_extend(w, first, 3);
	assert_int_equal(state_of(w).problem, ERR_OK);
}

/* ---- issue and order ---- */

static inline void
approvals_ask(struct buf *b, const struct bytes *approvals, size_t count)
{
	cbor_put_array(b, count);
	for (size_t i = 0; i < count; i++)
		cbor_put_bytes(b, approvals[i]);
}

static inline void
evidence_ask(struct buf *b, struct bytes jws, const struct bytes *approvals, size_t count)
{
	cbor_put_bytes(b, jws);
	approvals_ask(b, approvals, count);
}

static inline void
rows_read(struct world *w, bool issue, struct rows *out)
{
	struct cbor c = cbor_init(keep(w, buf_bytes(&w->out)));

	cbor_array_exact(&c, 3);
	out->answer = cbor_uint(&c);
	memcpy(out->request, cbor_bytes_exact(&c, SHA256_BYTES).p, SHA256_BYTES);
	out->count = (size_t)cbor_array(&c);
	out->rows = keep_room(w, (out->count + 1) * sizeof *out->rows);
	for (size_t i = 0; i < out->count; i++) {
		struct row *r = &out->rows[i];
		struct bytes record = bytes_of(NULL, 0);

		cbor_array_exact(&c, issue ? 7 : 6);
		r->first = -1;
		if (issue)
			r->seat = cbor_uint(&c);
		else
			r->cti = cbor_bytes_exact(&c, 16);
		r->outcome = cbor_uint(&c);
		if (!cbor_null_next(&c)) {
			if (issue)
				record = cbor_bytes(&c);
			else
				r->first = cbor_int(&c);
		}
		if (cbor_null_next(&c)) {
			assert_true(cbor_null_next(&c) && cbor_null_next(&c));
			assert_true(!issue || cbor_null_next(&c));
			continue;
		}
		r->has_entry = true;
		r->e = entry_read(w, &c);
		r->e.record = record;
		r->ends = issue && !cbor_null_next(&c);
		if (!r->ends)
			continue;
		cbor_array_exact(&c, 3);
		r->end = entry_read(w, &c);
	}
	assert_int_equal(cbor_end(&c), ERR_OK);
}

struct proof { /* what an ISSUE or ORDER brings beside the request */
	const struct bytes *approvals;
	size_t approval_count;
	const struct bytes *records; /* p NULL: null, the database knows none */
	size_t record_count;
	struct bytes list; /* of a selector */
};

static inline enum err
ask_issue_with(struct world *w, struct bytes jws, const struct proof *p, struct rows *out)
{
	struct buf *b = ask_start(w, 3);
	enum err e;

	evidence_ask(b, jws, p->approvals, p->approval_count);
	cbor_put_array(b, p->record_count);
	for (size_t i = 0; i < p->record_count; i++)
		if (p->records[i].p == NULL)
			cbor_put_null(b);
		else
			cbor_put_bytes(b, p->records[i]);
	if ((e = ask(w, authority_issue)) == ERR_OK && out != NULL)
		rows_read(w, true, out);
	return e;
}

static inline enum err
ask_issue(struct world *w, struct bytes jws, const struct bytes *approvals, size_t count,
        struct rows *out)
{
	return ask_issue_with(
	        w, jws, &(struct proof){.approvals = approvals, .approval_count = count}, out);
}

static inline enum err
ask_order_with(struct world *w, struct bytes jws, const struct proof *p, struct rows *out)
{
	struct buf *b = ask_start(w, 4);
	enum err e;

	cbor_put_bytes(b, jws);
	cbor_put_array(b, p->list.p != NULL);
	if (p->list.p != NULL)
		cbor_put_bytes(b, p->list);
	approvals_ask(b, p->approvals, p->approval_count);
	cbor_put_array(b, p->record_count);
	for (size_t i = 0; i < p->record_count; i++)
		cbor_put_bytes(b, p->records[i]);
	if ((e = ask(w, authority_order)) == ERR_OK && out != NULL)
		rows_read(w, false, out);
	return e;
}

static inline enum err
ask_order(struct world *w, struct bytes jws, const struct bytes *approvals, size_t count,
        const struct bytes *records, size_t record_count, struct rows *out)
{
	return ask_order_with(w, jws,
	        &(struct proof){approvals, count, records, record_count, bytes_of(NULL, 0)}, out);
}

/* An order of that type by hand, with these further members. */
static inline struct bytes
order_sign(struct world *w, enum who by, const char *type, const char *members)
{
	char *text = malloc(64 * 1024), jti[JTI_BYTES_MIN + 1];
	struct buf b = buf_init(malloc(128 * 1024), 128 * 1024);
	struct bytes jws;

	jti_next(jti);
	snprintf(text, 64 * 1024,
	        "{\"type\":\"%s\",\"jti\":\"%s\",\"iat\":%lld,\"exp\":%lld,\"decision_no\":\"1\","
	        "\"decided_at\":\"2026-10-18\",%s}",
	        type, jti, (long long)w->now, (long long)w->now + DAY_S, members);
	jws = keep(w, signed_text(w->people.keys[by], REQUEST_TYP, text, &b));
	free(text);
	free(b.p);
	return jws;
}

static inline struct bytes
world_session(struct world *w, unsigned first, unsigned count)
{
	struct session s = session_of(first, count);
	struct bytes jws;
	struct buf b = buf_init(malloc(4 * 1024 * 1024), 4 * 1024 * 1024);

	s.iat = w->now;
	jws = keep(w, session_sign(&s, w->people.keys[CENTER], &b));
	free(b.p);
	return jws;
}

/* Entries of the rows that have one, in order; the end of a certificate directly after what
 * replaces it. */
static inline size_t
rows_entries(const struct rows *r, struct signed_entry *out)
{
	size_t n = 0;

	for (size_t i = 0; i < r->count; i++) {
		if (r->rows[i].has_entry)
			out[n++] = r->rows[i].e;
		if (r->rows[i].ends)
			out[n++] = r->rows[i].end;
	}
	return n;
}

/* A session from request to log; the certificates are the rows. */
static inline struct rows
world_issue(struct world *w, unsigned first, unsigned count)
{
	struct signed_entry *entries = calloc(count, sizeof *entries);
	struct rows r;

	assert_non_null(entries);
	assert_int_equal(ask_issue(w, world_session(w, first, count), NULL, 0, &r), ERR_OK);
	world_extend(w, entries, rows_entries(&r, entries));
	free(entries);
	return r;
}

static inline void
serial_of(struct bytes record, uint8_t out[16])
{
	struct cose_sign1 m;
	struct record r;

	assert_int_equal(record_open(record, false, &m, &r), ERR_OK);
	memcpy(out, r.cti.p, 16);
}

/* A revocation of those records, signed by one official. */
static inline struct bytes
world_revoke(struct world *w, enum who by, const struct bytes *records, size_t count)
{
	uint8_t(*serials)[16] = calloc(count, 16), *room = malloc(256 * 1024);
	struct buf b = buf_init(room, 256 * 1024);
	struct bytes jws;

	for (size_t i = 0; i < count; i++)
		serial_of(records[i], serials[i]);
	jws = keep(w,
	        revoke_sign(w->people.keys[by], w->now, (const uint8_t(*)[16])serials, count, &b));
	free(serials);
	free(room);
	return jws;
}

static inline struct bytes
world_approve(struct world *w, enum who by, struct bytes request)
{
	const struct consent c = {w->now, w->now + DAY_S, "approve", ""};
	uint8_t room[4096];
	struct buf b = BUF_OF(room);

	return keep(w, approval_sign(w->people.keys[by], request, &c, &b));
}

/* ---- publication ---- */

static inline enum err
ask_list(struct world *w, uint64_t list, struct list_answer *out)
{
	enum err e = ask_number(w, authority_list, list);
	struct cbor c;

	if (e != ERR_OK)
		return e;
	c = cbor_init(buf_bytes(&w->out));
	cbor_array_exact(&c, 7);
	out->list = cbor_uint(&c);
	out->sequence = cbor_uint(&c);
	out->cwt = keep(w, cbor_bytes(&c));
	out->jwt = keep(w, cbor_bytes(&c));
	out->e = entry_read(w, &c);
	assert_int_equal(cbor_end(&c), ERR_OK);
	return ERR_OK;
}

static inline enum err
ask_checkpoint(struct world *w, uint64_t size, struct bytes *note, struct bytes *receipt)
{
	enum err e = ask_number(w, authority_checkpoint, size);
	struct cbor c;

	if (e != ERR_OK)
		return e;
	c = cbor_init(buf_bytes(&w->out));
	cbor_array_exact(&c, 2);
	*note = keep(w, cbor_bytes(&c));
	*receipt = keep(w, cbor_bytes(&c));
	assert_int_equal(cbor_end(&c), ERR_OK);
	return ERR_OK;
}

static inline struct bytes
world_checkpoint(struct world *w)
{
	struct bytes note = {0}, receipt;

	assert_int_equal(ask_checkpoint(w, w->size, &note, &receipt), ERR_OK);
	return note;
}
#endif
