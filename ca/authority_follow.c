/* authority_follow.c - a certificate that follows another: which one, whether it may be replaced,
 * and what the new one takes over from it. Nothing of the old one counts but a record that bears
 * this signer's own signature. */
#include "authority_issue.h"

#include "date.h"
#include "hash.h"

#include <string.h>

enum { SEQUENCE_FIRST = 1 }; /* of a chain; its record does not say so */

enum err
authority_record(const struct manifest *m, struct bytes in, struct record *out)
{
	const struct manifest_key *mk;
	struct cose_sign1 message;
	enum err e = record_open(in, false, &message, out);

	if (e != ERR_OK)
		return e;
	mk = manifest_find(m, message.kid, KEY_RECORD);
	if (mk == NULL)
		return ERR_SERIAL_UNKNOWN;
	return cose_verify(&message, mk->key, RECORD_TYPE);
}

/* Session: the same holder and item as the certificate that the seat names. */
static bool
same_holder(const struct issue *is, const struct issue_seat *s)
{
	const struct rules_seat *found = &s->found;

	return bytes_equal(s->old.item, is->ev->session.item->code) &&
	       bytes_equal_text(s->old.doc_type, found->document.type) &&
	       bytes_equal_text(s->old.doc_number, found->document.number);
}

/* Replacement: each member as it changes, or as it was. */
static enum outcome
holder_merge(const struct issue *is, struct issue_seat *s)
{
	static const char *const sexes[] = {"", "M", "F"};
	const struct request_seat *changes = &is->ev->request.changes;
	const struct field_policy *policy = field_policy_by_id(is->a->field, s->old.policy);
	struct request_seat seat = {
	        .name = s->old.name,
	        .sex = bytes_of_text(sexes[s->old.sex]),
	        .doc_type = s->old.doc_type,
	        .doc_number = s->old.doc_number,
	        .photo_sha256 = changes->photo_sha256,
	};

	if (changes->name.p != NULL)
		seat.name = changes->name;
	if (changes->sex.p != NULL)
		seat.sex = changes->sex;
	if (changes->doc_type.p != NULL) {
		seat.doc_type = changes->doc_type;
		seat.doc_number = changes->doc_number;
	}
	if (policy == NULL)
		return OUTCOME_NO_MOVE;
	s->name = seat.name;
	return rules_holder_check(&seat, s->old.first_issued, policy, &s->found);
}

static enum err
replaced_read(const struct issue *is, struct issue_seat *s)
{
	const struct operator* sender = is->ev->sender;

	if (!s->known || memcmp(s->old.cti.p, is->ev->request.serials[0], 16) != 0)
		return ERR_SERIAL_UNKNOWN;
	/* a centre replaces what it issued, an official anyone's */
	if (sender->role == ROLE_CENTER && !bytes_equal(s->old.center, sender->code))
		return ERR_NOT_YOURS;
	s->outcome = holder_merge(is, s);
	return ERR_OK;
}

static void
followed_check(const struct issue *is, struct bytes follows, struct issue_seat *s)
{
	uint8_t cti[16];

	if (s->outcome != OUTCOME_ISSUED)
		return;
	if (!s->known || hex_decode(follows, cti, sizeof cti) != ERR_OK ||
	        memcmp(cti, s->old.cti.p, sizeof cti) != 0 || !same_holder(is, s))
		s->outcome = OUTCOME_NOT_SAME_HOLDER;
}

enum err
follow_read(const struct issue *is, const struct manifest *m, struct cbor *in)
{
	bool replace = is->ev->request.type == REQUEST_REPLACE;
	uint64_t count = cbor_array(in), want = 0;

	for (size_t i = 0; i < is->count; i++) {
		struct issue_seat *s = &is->seats[i];
		enum err e;

		if (!s->follows)
			continue;
		if (++want > count)
			return ERR_SERIAL_UNKNOWN;
		/* null: the database knows no such certificate */
		s->known = !cbor_null_next(in);
		if (s->known && (e = authority_record(m, cbor_bytes(in), &s->old)) != ERR_OK)
			return e;
		if (!replace)
			followed_check(is, is->ev->request.seats[i].follows, s);
		else if ((e = replaced_read(is, s)) != ERR_OK)
			return e;
	}
	return want == count ? cbor_end(in) : ERR_PROTOCOL;
}

/* A certificate on hold is reinstated first, by two officials: a replacement would end the hold.
 * What has expired is examined anew. */
void
follow_admit(const struct issue *is, struct issue_seat *s)
{
	enum status now;

	if (!s->follows || s->outcome != OUTCOME_ISSUED)
		return;
	if (fold_status(&is->a->fold, s->old.list, s->old.idx, &now) != ERR_OK ||
	        now != STATUS_VALID || is->iat >= s->old.exp)
		s->outcome = OUTCOME_NO_MOVE;
}

static void
chain_fill(const struct issue_seat *s, struct record *r)
{
	r->first_issued = s->old.first_issued;
	r->sequence = (s->old.sequence < 0 ? SEQUENCE_FIRST : s->old.sequence) + 1;
	r->follows = s->old.cti;
}

/* Renewal: a full term from today. Review: the term goes on, and its next review or its end comes.
 */
void
follow_fill(const struct issue *is, const struct issue_seat *s, struct record *r)
{
	int64_t last = date_shanghai(s->old.exp) - 1;

	chain_fill(s, r);
	if (is->ev->session.basis != BASIS_REVIEW)
		return;
	r->exp = s->old.exp;
	if (r->review_due > last)
		r->review_due = last;
}

void
follow_replace(const struct issue *is, const struct issue_seat *s, struct record *r)
{
	const struct operator* sender = is->ev->sender;
	const struct field_item *item = field_item(is->a->field, s->old.item);

	r->exp = s->old.exp;
	r->name = s->name;
	r->doc_type = bytes_of_text(s->found.document.type);
	r->doc_number = bytes_of_text(s->found.document.number);
	r->sex = s->found.sex;
	r->item = s->old.item;
	r->policy = s->old.policy;
	r->review_due = s->old.review_due;
	r->region = s->old.region;
	r->center = sender->role == ROLE_CENTER ? sender->code : s->old.center;
	r->photo = s->old.photo;
	if (is->ev->request.changes.photo_sha256.p != NULL)
		r->photo = bytes_of(s->found.photo_sha256, 16);
	/* the catalogue's present name: what it is replaced for, where the catalogue changed */
	r->item_name = item != NULL ? item->name_zh : s->old.item_name;
	r->authority = s->old.authority;
	chain_fill(s, r);
}

void
follow_end_put(const struct issue *is, const struct issue_seat *s, struct buf *out)
{
	struct entry_note note = is->note;
	struct entry e = {
	        .type = ENTRY_STATUS,
	        .cti = s->old.cti,
	        .list = s->old.list,
	        .idx = s->old.idx,
	        .status = STATUS_SUPERSEDED,
	        .crl_reason = CRL_SUPERSEDED,
	        .effective = date_shanghai(is->iat),
	        .until = -1,
	        .time = is->iat,
	};

	memcpy(e.request, is->ev->jws.hash, SHA256_BYTES);
	note.slot = -1;
	note.follows = bytes_of(NULL, 0);
	cbor_put_array(out, 3);
	authority_put_entry(is->a, out, &e, &note);
}
