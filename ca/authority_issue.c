/* authority_issue.c - ISSUE: evidence in, for each seat a refusal or a signed record with its log
 * entry out. */
#include "authority.h"

#include "date.h"
#include "log.h"
#include "status.h"

#include <stdlib.h>
#include <string.h>

struct issue { /* one ISSUE while it runs */
	const struct authority *a;
	const struct evidence *ev;
	struct bytes issuer;
	int64_t iat;
	uint64_t answer, slot;
	struct entry_note note;
};

/* UUIDv7 (RFC 9562 section 5.7): the time orders keys in the database, the random rest tells
 * nothing of the seat. */
static void
serial_draw(int64_t now, uint8_t out[16])
{
	random_bytes(out, 16);
	be_put(out, (uint64_t)now * 1000, 6);
	out[6] = (uint8_t)(0x70 | (out[6] & 0x0f));
	out[8] = (uint8_t)(0x80 | (out[8] & 0x3f));
}

static void
record_fill(const struct issue *is, const struct request_seat *seat, const struct rules_seat *s,
        struct record *r)
{
	const struct rules_session *session = &is->ev->session;
	int64_t first = date_shanghai(is->iat);

	r->iss = is->issuer;
	r->iat = is->iat;
	r->nbf = date_shanghai_start(first);
	r->exp = date_shanghai_start(date_last_valid(first, session->policy->validity_years) + 1);
	r->name = seat->name;
	r->doc_type = bytes_of_text(s->document.type);
	r->doc_number = bytes_of_text(s->document.number);
	r->sex = s->sex;
	r->item = session->item->code;
	r->policy = session->policy->id;
	r->first_issued = first;
	r->review_due = -1;
	if (session->policy->review_years > 0)
		r->review_due = date_last_valid(first, session->policy->review_years);
	r->region = is->ev->request.session.region;
	r->center = is->ev->sender->code;
	r->photo = bytes_of(s->photo_sha256, 16);
	r->request = bytes_of(is->ev->jws.hash, SHA256_BYTES);
	r->sequence = -1;
	r->item_name = session->item->name_zh;
}

static enum err
seat_sign(struct issue *is, const struct request_seat *seat, const struct rules_seat *s,
        struct buf *out)
{
	uint8_t serial[16], room[RECORD_BYTES_MAX + 64];
	struct buf bare = BUF_OF(room);
	struct record r = {0};
	struct entry entry;
	enum err e;

	serial_draw(is->iat, serial);
	r.cti = bytes_of(serial, sizeof serial);
	status_place(bytes_of(is->a->slot_key, sizeof is->a->slot_key), is->slot, &r.list, &r.idx);
	record_fill(is, seat, s, &r);
	if ((e = record_sign(&r, is->a->record, &bare)) != ERR_OK)
		return e;
	entry_of_record(&r, buf_bytes(&bare), &entry);
	is->note.slot = (int64_t)is->slot++;
	is->note.seat = (int64_t)seat->seat;
	cbor_put_bytes(out, buf_bytes(&bare));
	authority_put_entry(is->a, out, &entry, &is->note);
	return buf_end(out);
}

static void
seat_refuse(struct buf *out)
{
	for (int i = 0; i < 4; i++)
		cbor_put_null(out);
}

/* Under the lock: may it be issued now, and which slots does it get? */
static enum err
issue_admit(struct authority *a, struct call *c, uint64_t count, struct issue *is)
{
	const struct operator* center = is->ev->sender;
	const struct manifest_key *mk = NULL;
	enum err e;

	pthread_mutex_lock(&a->lock);
	e = authority_problem(a, c);
	/* the clock was right when this call began; the log may have grown since by newer entries
	 */
	if (e == ERR_CLOCK && c->clock == ERR_OK)
		e = ERR_OK;
	if (e == ERR_OK) {
		mk = manifest_find(&a->manifest->m, key_kid(a->record), KEY_RECORD);
		if (mk == NULL || c->now < mk->not_before || c->now >= mk->not_after)
			e = ERR_RECORD_KEY; /* the authority's own key, not the centre's */
	}
	if (e == ERR_OK && (holds_stopped(&a->fold.holds, center->code) ||
	                           holds_stopped(&a->fold.holds, bytes_of_text(is->ev->jws.kid))))
		e = ERR_STOPPED;
	if (e == ERR_OK && fold_executed(&a->fold, is->ev->jws.hash, bytes_of(NULL, 0)))
		e = ERR_EXECUTED;
	if (e == ERR_OK && fold_issued(&a->fold, center->code, date_shanghai(c->now)) + count >
	                           center->daily_cap)
		e = ERR_CAP;
	if (e == ERR_OK)
		e = authority_slots(a, count, &is->slot);
	is->answer = ++a->answer;
	pthread_mutex_unlock(&a->lock);
	return e;
}

static enum err
seats_put(struct issue *is, const enum outcome *outcomes, const struct rules_seat *seats,
        struct buf *out)
{
	const struct request *r = &is->ev->request;
	enum err e = ERR_OK;

	authority_note(is->ev, is->answer, &is->note);
	cbor_put_array(out, 3);
	cbor_put_uint(out, is->answer);
	cbor_put_bytes(out, bytes_of(is->ev->jws.hash, SHA256_BYTES));
	cbor_put_array(out, r->seat_count);
	for (size_t i = 0; e == ERR_OK && i < r->seat_count; i++) {
		cbor_put_array(out, 6);
		cbor_put_uint(out, r->seats[i].seat);
		cbor_put_uint(out, outcomes[i]);
		if (outcomes[i] == OUTCOME_ISSUED)
			e = seat_sign(is, &r->seats[i], &seats[i], out);
		else
			seat_refuse(out);
	}
	return e == ERR_OK ? buf_end(out) : e;
}

static enum err
issue_run(struct authority *a, struct call *c, const struct evidence *ev)
{
	const struct request *r = &ev->request;
	struct issue is = {.a = a, .ev = ev, .issuer = bytes_of_text(a->host), .iat = c->now};
	enum outcome *outcomes = calloc(r->seat_count, sizeof *outcomes);
	struct rules_seat *seats = calloc(r->seat_count, sizeof *seats);
	uint64_t *hashes = calloc(r->seat_count, sizeof *hashes), count = 0;
	enum err e = ERR_MEMORY;

	if (outcomes == NULL || seats == NULL || hashes == NULL)
		goto out;
	for (size_t i = 0; i < r->seat_count; i++) {
		outcomes[i] = rules_seat_check(r, i, &ev->session, a->field, hashes, &seats[i]);
		count += outcomes[i] == OUTCOME_ISSUED;
	}
	if ((e = issue_admit(a, c, count, &is)) != ERR_OK)
		goto out;
	e = seats_put(&is, outcomes, seats, c->out);
out:
	free(outcomes);
	free(seats);
	free(hashes);
	return e;
}

enum err
authority_issue(struct authority *a, struct call *c)
{
	struct cbor in = cbor_init(c->body);
	const struct roster *roster;
	struct evidence ev;
	struct bytes jws;
	enum err e;

	pthread_mutex_lock(&a->lock);
	e = authority_problem(a, c);
	roster = a->roster;
	pthread_mutex_unlock(&a->lock);
	if (e != ERR_OK)
		return e;
	cbor_array_exact(&in, 3);
	jws = cbor_bytes(&in);
	if ((e = evidence_open(jws, roster, a->field, c->now, &ev)) != ERR_OK)
		return e;
	e = ev.request.type == REQUEST_ISSUE ? authority_approvals(&in, &ev, roster, c->now)
	                                     : ERR_TYPE_UNKNOWN;
	if (e == ERR_OK && cbor_array(&in) != 0)
		e = ERR_BASIS; /* records come with a basis that is not served yet */
	if (e == ERR_OK)
		e = cbor_end(&in);
	if (e == ERR_OK)
		e = issue_run(a, c, &ev);
	evidence_free(&ev);
	return e;
}
