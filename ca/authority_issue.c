/* authority_issue.c - ISSUE: evidence in, for each seat a refusal or a signed record with its log
 * entry out. */
#include "authority_issue.h"

#include "date.h"
#include "log.h"
#include "status.h"

#include <stdlib.h>
#include <string.h>

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

/* What every record of this ISSUE has, whatever it rests on. */
static void
record_begin(const struct issue *is, struct record *r)
{
	r->iss = is->issuer;
	r->iat = is->iat;
	r->nbf = date_shanghai_start(date_shanghai(is->iat));
	r->request = bytes_of(is->ev->jws.hash, SHA256_BYTES);
	r->sequence = -1;
}

static void
record_fill(const struct issue *is, const struct issue_seat *s, struct record *r)
{
	const struct rules_session *session = &is->ev->session;
	int64_t first = date_shanghai(is->iat);

	r->exp = date_shanghai_start(date_last_valid(first, session->policy->validity_years) + 1);
	r->name = s->name;
	r->doc_type = bytes_of_text(s->found.document.type);
	r->doc_number = bytes_of_text(s->found.document.number);
	r->sex = s->found.sex;
	r->item = session->item->code;
	r->policy = session->policy->id;
	r->first_issued = first;
	r->review_due = -1;
	if (session->policy->review_years > 0)
		r->review_due = date_last_valid(first, session->policy->review_years);
	r->region = is->ev->request.session.region;
	r->center = is->ev->sender->code;
	r->photo = bytes_of(s->found.photo_sha256, 16);
	r->item_name = session->item->name_zh;
	if (s->follows)
		follow_fill(is, s, r);
}

static enum err
seat_sign(struct issue *is, const struct issue_seat *s, struct buf *out)
{
	uint8_t serial[16], room[RECORD_BYTES_MAX + 64];
	struct buf bare = BUF_OF(room);
	struct record r = {0};
	struct entry entry;
	enum err e;

	serial_draw(is->iat, serial);
	r.cti = bytes_of(serial, sizeof serial);
	status_place(bytes_of(is->a->slot_key, sizeof is->a->slot_key), is->slot, &r.list, &r.idx);
	record_begin(is, &r);
	if (is->ev->request.type == REQUEST_REPLACE)
		follow_replace(is, s, &r);
	else
		record_fill(is, s, &r);
	if ((e = record_sign(&r, is->key, &bare)) != ERR_OK)
		return e;
	entry_of_record(&r, buf_bytes(&bare), &entry);
	is->note.slot = (int64_t)is->slot++;
	is->note.seat = (int64_t)s->number;
	is->note.follows = s->follows ? s->old.cti : bytes_of(NULL, 0);
	cbor_put_bytes(out, buf_bytes(&bare));
	authority_put_entry(is->a, out, &entry, &is->note);
	if (s->follows)
		follow_end_put(is, s, out);
	else
		cbor_put_null(out);
	return buf_end(out);
}

static void
seat_refuse(struct buf *out)
{
	for (int i = 0; i < 5; i++)
		cbor_put_null(out);
}

/* Stops and the cap bind centres; an official's replacement is not bound by the centre that issued.
 */
static enum err
center_admit(
        const struct authority *a, const struct call *c, const struct issue *is, uint64_t count)
{
	const struct operator* sender = is->ev->sender;

	if (holds_stopped(&a->fold.holds, bytes_of_text(is->ev->jws.kid)))
		return ERR_STOPPED;
	if (sender->role != ROLE_CENTER)
		return ERR_OK;
	if (holds_stopped(&a->fold.holds, sender->code))
		return ERR_STOPPED;
	return fold_issued(&a->fold, sender->code, date_shanghai(c->now)) + count >
	                       sender->daily_cap
	               ? ERR_CAP
	               : ERR_OK;
}

/* Issuing stops at the end of any key that a certificate needs: without a list or the log nobody
 * could check it. */
static enum err
keys_admit(struct authority *a, int64_t now, struct issue *is)
{
	const struct authority_key *record = NULL, *other = NULL;
	enum err e = authority_key_at(a, KEY_RECORD, now, &record);

	if (e != ERR_OK || (e = authority_key_at(a, KEY_STATUS, now, &other)) != ERR_OK ||
	        (e = authority_key_at(a, KEY_LOG, now, &other)) != ERR_OK)
		return e;
	is->key = record->key;
	return ERR_OK;
}

/* Under the lock: may it be issued now, and which slots does it get? */
static enum err
issue_admit(struct authority *a, struct call *c, struct issue *is)
{
	uint64_t count = 0;
	enum err e;

	pthread_mutex_lock(&a->lock);
	e = authority_problem(a, c);
	/* the clock was right when this call began; the log may have grown since by newer entries
	 */
	if (e == ERR_CLOCK && c->clock == ERR_OK)
		e = ERR_OK;
	if (e == ERR_OK)
		e = keys_admit(a, c->now, is);
	if (e == ERR_OK && fold_executed(&a->fold, is->ev->jws.hash, bytes_of(NULL, 0)))
		e = ERR_EXECUTED;
	for (size_t i = 0; e == ERR_OK && i < is->count; i++) {
		follow_admit(is, &is->seats[i]);
		count += is->seats[i].outcome == OUTCOME_ISSUED;
	}
	if (e == ERR_OK)
		e = center_admit(a, c, is, count);
	if (e == ERR_OK)
		e = issue_places(a, is, count, &is->slot);
	is->answer = ++a->answer;
	pthread_mutex_unlock(&a->lock);
	return e;
}

static enum err
seats_put(struct issue *is, struct buf *out)
{
	enum err e = ERR_OK;

	authority_note(is->ev, is->answer, &is->note);
	cbor_put_array(out, 3);
	cbor_put_uint(out, is->answer);
	cbor_put_bytes(out, bytes_of(is->ev->jws.hash, SHA256_BYTES));
	cbor_put_array(out, is->count);
	for (size_t i = 0; e == ERR_OK && i < is->count; i++) {
		const struct issue_seat *s = &is->seats[i];

		cbor_put_array(out, 7);
		cbor_put_uint(out, s->number);
		cbor_put_uint(out, s->outcome);
		if (s->outcome == OUTCOME_ISSUED)
			e = seat_sign(is, s, out);
		else
			seat_refuse(out);
	}
	return e == ERR_OK ? buf_end(out) : e;
}

static enum err
session_check(struct issue *is)
{
	const struct request *r = &is->ev->request;
	uint64_t *hashes = calloc(r->seat_count, sizeof *hashes);

	if (hashes == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < r->seat_count; i++) {
		struct issue_seat *s = &is->seats[i];

		s->number = r->seats[i].seat;
		s->name = r->seats[i].name;
		s->follows = r->seats[i].follows.n != 0;
		s->outcome =
		        rules_seat_check(r, i, &is->ev->session, is->a->field, hashes, &s->found);
	}
	free(hashes);
	return ERR_OK;
}

static enum err
issue_run(struct authority *a, struct call *c, const struct evidence *ev, struct cbor *in)
{
	bool replace = ev->request.type == REQUEST_REPLACE;
	struct issue is = {.a = a, .ev = ev, .issuer = bytes_of_text(a->host), .iat = c->now};
	const struct manifest *m;
	enum err e = ERR_OK;

	is.count = replace ? 1 : ev->request.seat_count;
	is.seats = calloc(is.count, sizeof *is.seats);
	if (is.seats == NULL)
		return ERR_MEMORY;
	if (replace) {
		is.seats[0].number =
		        ev->sender->role == ROLE_CENTER ? SEAT_OF_CENTER : SEAT_OF_OFFICIAL;
		is.seats[0].follows = true;
	} else {
		e = session_check(&is);
	}
	pthread_mutex_lock(&a->lock);
	m = &a->manifest->m; /* stays until the end */
	pthread_mutex_unlock(&a->lock);
	if (e == ERR_OK && (e = follow_read(&is, m, in)) == ERR_OK &&
	        (e = issue_admit(a, c, &is)) == ERR_OK)
		e = seats_put(&is, c->out);
	free(is.seats);
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
	e = ev.request.type == REQUEST_ISSUE || ev.request.type == REQUEST_REPLACE
	            ? authority_approvals(&in, &ev, roster, c->now)
	            : ERR_TYPE_UNKNOWN;
	if (e == ERR_OK)
		e = issue_run(a, c, &ev, &in);
	evidence_free(&ev);
	return e;
}
