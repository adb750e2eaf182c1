/* audit_session.c - certificates of a session or a replacement: nothing in a record but what the
 * seat, the session, the certificate that it follows and the tables of the field say. */
#include "audit_request.h"
#include "date.h"
#include "document.h"

#include <string.h>

struct answer { /* of all certificates of a request */
	uint64_t number;
	int64_t iat, slot;
	bool begun;
};

/* What a certificate rests on. */
struct base {
	const struct right *right;
	const struct request_seat *seat; /* NULL: a replacement */
	const struct record *old;        /* NULL: it follows none */
};

static const struct request_seat *
seat_of(const struct request *r, int64_t number)
{
	for (size_t i = 0; i < r->seat_count; i++)
		if (r->seats[i].seat == (unsigned)number)
			return &r->seats[i];
	return NULL;
}

static bool
sex_is(struct bytes text, int sex)
{
	return sex == (bytes_equal_text(text, "M") ? 1 : bytes_equal_text(text, "F") ? 2 : 0);
}

static bool
chain_follows(const struct record *r, const struct record *old)
{
	if (old == NULL)
		return r->follows.n == 0 && r->sequence == -1;
	return bytes_equal(r->follows, old->cti) &&
	       r->sequence == (old->sequence < 0 ? 1 : old->sequence) + 1 &&
	       r->first_issued == old->first_issued;
}

/* A first certificate and a renewal have a full term from today; a review leaves the end where it
 * was.
 */
static bool
dates_follow(const struct unit *u, const struct record *r, const struct base *b)
{
	const struct field_policy *p = b->right->policy;
	int64_t first = date_shanghai(r->iat);
	int64_t exp = date_shanghai_start(date_last_valid(first, p->validity_years) + 1);
	int64_t review = p->review_years > 0 ? date_last_valid(first, p->review_years) : -1;

	if (b->old != NULL && bytes_equal_text(u->r.session.basis, "review")) {
		exp = b->old->exp;
		if (review > date_shanghai(exp) - 1)
			review = date_shanghai(exp) - 1;
	}
	return r->nbf == date_shanghai_start(first) && r->exp == exp && r->review_due == review &&
	       (b->old != NULL || r->first_issued == first);
}

static bool
holder_same(const struct record *r, const struct record *old)
{
	return bytes_equal(r->doc_type, old->doc_type) &&
	       bytes_equal(r->doc_number, old->doc_number) && bytes_equal(r->item, old->item);
}

static bool
seat_follows(const struct request_seat *s, const struct record *old)
{
	uint8_t cti[16];

	if (s->follows.n == 0)
		return old == NULL;
	return old != NULL && hex_decode(s->follows, cti, sizeof cti) == ERR_OK &&
	       bytes_equal(old->cti, bytes_of(cti, sizeof cti));
}

static bool
of_session(const struct unit *u, const struct record *r, const struct base *b)
{
	const struct request_seat *s = b->seat;
	uint8_t photo[SHA256_BYTES];
	struct document d;

	if (s == NULL || document_check(s->doc_type, s->doc_number, &d) != ERR_OK ||
	        hex_decode(s->photo_sha256, photo, sizeof photo) != ERR_OK)
		return false;
	return bytes_equal(r->name, s->name) && bytes_equal_text(r->doc_type, d.type) &&
	       bytes_equal_text(r->doc_number, d.number) && sex_is(s->sex, r->sex) &&
	       bytes_equal(r->item, b->right->item->code) &&
	       bytes_equal(r->policy, b->right->policy->id) &&
	       bytes_equal(r->region, u->r.session.region) && bytes_equal(r->center, u->by->code) &&
	       bytes_equal(r->photo, bytes_of(photo, 16)) &&
	       bytes_equal(r->item_name, b->right->item->name_zh) && dates_follow(u, r, b) &&
	       seat_follows(s, b->old) && (b->old == NULL || holder_same(r, b->old));
}

static bool
document_follows(const struct request_seat *c, const struct record *r, const struct record *old)
{
	struct document d;

	if (c->doc_type.p == NULL)
		return bytes_equal(r->doc_type, old->doc_type) &&
		       bytes_equal(r->doc_number, old->doc_number);
	return document_check(c->doc_type, c->doc_number, &d) == ERR_OK &&
	       bytes_equal_text(r->doc_type, d.type) && bytes_equal_text(r->doc_number, d.number);
}

static bool
photo_follows(const struct request_seat *c, const struct record *r, const struct record *old)
{
	uint8_t photo[SHA256_BYTES];

	if (c->photo_sha256.p == NULL)
		return bytes_equal(r->photo, old->photo);
	return hex_decode(c->photo_sha256, photo, sizeof photo) == ERR_OK &&
	       bytes_equal(r->photo, bytes_of(photo, 16));
}

/* A replacement: what changes, and everything else as it was. */
static bool
of_replacement(const struct unit *u, const struct record *r, const struct record *old)
{
	const struct request_seat *c = &u->r.changes;
	const struct field_item *item;

	if (old == NULL || u->names.n != 16 || !bytes_equal(u->names, old->cti))
		return false;
	item = field_item(u->a->field, old->item);
	return bytes_equal(r->name, c->name.p != NULL ? c->name : old->name) &&
	       (c->sex.p != NULL ? sex_is(c->sex, r->sex) : r->sex == old->sex) &&
	       document_follows(c, r, old) && photo_follows(c, r, old) && r->exp == old->exp &&
	       r->nbf == date_shanghai_start(date_shanghai(r->iat)) &&
	       bytes_equal(r->item, old->item) && bytes_equal(r->policy, old->policy) &&
	       r->review_due == old->review_due && bytes_equal(r->region, old->region) &&
	       bytes_equal(r->center, old->center) &&
	       bytes_equal(r->item_name, item != NULL ? item->name_zh : old->item_name) &&
	       bytes_equal(r->authority, old->authority);
}

static bool
record_follows(const struct unit *u, const struct record *r, const struct base *b)
{
	return memcmp(r->request.p, u->j.hash, SHA256_BYTES) == 0 && chain_follows(r, b->old) &&
	       (u->r.type == REQUEST_REPLACE ? of_replacement(u, r, b->old) : of_session(u, r, b));
}

static void
answer_check(struct unit *u, const struct entry_note *n, int64_t iat, struct answer *answer)
{
	if (answer->begun &&
	        (n->answer != answer->number || iat != answer->iat || n->slot <= answer->slot))
		unit_wrong(u, AUDIT_ENTRY_NOTE, "a request is executed by one answer");
	*answer = (struct answer){n->answer, iat, n->slot, true};
}

static void
certificate_check(struct unit *u, const struct right *right, size_t i, struct answer *answer)
{
	const struct unit_certificate *c = &u->certificates[i];
	struct base b = {.right = right, .seat = seat_of(&u->r, c->seat)};
	struct cose_sign1 m;
	struct entry_note n;
	struct record r, old;

	if (record_open(c->record, false, &m, &r) != ERR_OK)
		return; /* told with its entry */
	if (c->old.n > 0 && record_open(c->old, false, &m, &old) == ERR_OK)
		b.old = &old;
	if (!record_follows(u, &r, &b))
		unit_wrong(u, AUDIT_CERT_RECORD, "does not follow from its request");
	if (unit_note(u, c->note, r.iat, &n) < unit_officials(u, right, right->late))
		unit_wrong(u, AUDIT_APPROVAL_REQUEST, "too few officials have approved");
	if (n.seat != c->seat)
		unit_wrong(u, AUDIT_CERT_SEAT, "is not the seat of its note");
	answer_check(u, &n, r.iat, answer);
	unit_made(u, r.iat);
}

/* What ends the certificate that another follows; that it stands directly after it, the log tells.
 */
static void
end_check(struct unit *u, const struct unit_change *c)
{
	if (c->status != STATUS_SUPERSEDED || c->reason != CRL_SUPERSEDED || c->until != -1 ||
	        c->ban != -1 || c->effective != date_shanghai(c->at))
		unit_wrong(u, c->ban != -1 ? AUDIT_CHANGE_BAN : AUDIT_CHANGE_REQUEST,
		        "is not how a certificate is replaced");
}

/* Reasons that lie in the database and the log, not in the request. */
static bool
reason_of_history(const struct request_seat *s, int32_t reason)
{
	return reason == OUTCOME_ALREADY_HOLDS || reason == OUTCOME_BANNED ||
	       (s->follows.n > 0 &&
	               (reason == OUTCOME_NOT_SAME_HOLDER || reason == OUTCOME_NO_MOVE));
}

/* Its certificate, or its place among the outcomes. */
static void
seat_check(struct unit *u, const struct unit_event *e, size_t i, enum outcome want, size_t *listed)
{
	const struct request_seat *s = &u->r.seats[i];
	size_t found = 0;
	int32_t reason;

	for (size_t k = 0; k < u->certificate_count; k++)
		found += u->certificates[k].seat == (int64_t)s->seat;
	if (found == 1 && want == OUTCOME_ISSUED)
		return;
	if (found > 0) {
		unit_wrong(u, AUDIT_CERT_SEAT, "a seat that failed, or twice");
		return;
	}
	if (*listed >= e->seat.count || pg_ints_get(&e->seat, *listed) != (int32_t)s->seat) {
		unit_wrong(u, AUDIT_EVENT_SEAT, "a seat has neither certificate nor reason");
		return;
	}
	reason = pg_ints_get(&e->outcome, (*listed)++);
	if (want == OUTCOME_ISSUED ? !reason_of_history(s, reason) : reason != (int32_t)want)
		unit_wrong(u, AUDIT_EVENT_OUTCOME, "another reason follows from the request");
}

static void
seats_check(struct unit *u, const struct right *right, const struct unit_event *e)
{
	struct audit_map met = {NULL, 0, 0};
	size_t listed = 0;

	for (size_t i = 0; i < u->r.seat_count; i++)
		seat_check(u, e, i, right_seat(&u->r.seats[i], right, &met), &listed);
	if (listed != e->seat.count)
		unit_wrong(u, AUDIT_EVENT_SEAT, "reasons for seats that are not there");
	audit_map_free(&met);
}

/* One certificate, or one reason. */
static void
replacement_check(struct unit *u, const struct unit_event *e)
{
	int64_t seat = u->by->role == ROLE_CENTER ? SEAT_OF_CENTER : SEAT_OF_OFFICIAL;

	if (u->certificate_count + e->seat.count != 1)
		unit_wrong(u, AUDIT_EVENT_SEAT, "a replacement has one answer");
	if (e->seat.count == 1 && pg_ints_get(&e->seat, 0) != seat)
		unit_wrong(u, AUDIT_EVENT_SEAT, "is not the seat of a replacement");
	if (e->seat.count == 1 && (pg_ints_get(&e->outcome, 0) <= OUTCOME_ISSUED ||
	                                  (pg_ints_get(&e->outcome, 0) > OUTCOME_ALREADY_HOLDS &&
	                                          pg_ints_get(&e->outcome, 0) != OUTCOME_NO_MOVE)))
		unit_wrong(u, AUDIT_EVENT_OUTCOME, "no reason of a replacement");
	if (u->certificate_count == 1 && u->certificates[0].seat != seat)
		unit_wrong(u, AUDIT_CERT_SEAT, "is not the seat of a replacement");
}

void
unit_session(struct unit *u, const struct right *right, const struct unit_event *e)
{
	struct answer answer = {0, 0, -1, false};

	for (size_t i = 0; i < u->certificate_count; i++)
		certificate_check(u, right, i, &answer);
	for (size_t i = 0; i < u->change_count; i++)
		end_check(u, &u->changes[i]);
	if (u->r.type == REQUEST_REPLACE)
		replacement_check(u, e);
	else
		seats_check(u, right, e);
}
