/* audit_row.c - one row of the log with its certificate or change: bytes that are signed or hashed
 * decide, and every column is compared with them. */
#include "audit_log.h"
#include "audit_trust.h"
#include "date.h"
#include "holder.h"

#include <string.h>

/* What public/ and the signer's journal keep of the same entry. */
static void
copies_check(struct log_row *row)
{
	struct audit_found *f = &row->found;

	/* of three, the one that stands alone is wrong */
	if (row->published.p != NULL && !bytes_equal(row->published, row->entry)) {
		if (row->journaled && bytes_equal(row->j_entry, row->entry))
			row->published_wrong = true;
		else
			audit_found_add(f, AUDIT_ENTRY_ENTRY);
	}
	if (!row->journaled)
		return;
	audit_want(f, bytes_equal(row->j_entry, row->entry), AUDIT_ENTRY_ENTRY);
	audit_want(f, bytes_equal(row->j_note, row->note), AUDIT_ENTRY_NOTE);
	audit_want(f, bytes_equal(row->j_tag, row->tag), AUDIT_ENTRY_TAG);
	audit_want(f, row->j_batch == row->batch, AUDIT_ENTRY_BATCH);
	if (row->j_record.n > 0 && row->c.there)
		audit_want(f, bytes_equal(row->j_record, row->c.record), AUDIT_CERT_RECORD);
}

/* Is the entry itself beyond doubt? Then what contradicts it is wrong. */
static bool
entry_bound(const struct log_row *row)
{
	return (row->published.p != NULL && bytes_equal(row->published, row->entry)) ||
	       (row->journaled && bytes_equal(row->j_entry, row->entry));
}

static bool
thumbs_valid(const struct entry_note *n)
{
	if (n->sender.n != KEY_THUMB_BYTES)
		return false;
	for (size_t i = 0; i < n->official_count; i++) {
		if (n->officials[i].n != KEY_THUMB_BYTES || bytes_equal(n->officials[i], n->sender))
			return false;
		for (size_t k = 0; k < i; k++)
			if (bytes_equal(n->officials[i], n->officials[k]))
				return false;
	}
	return true;
}

/* The note says who caused the entry: a request's sender and officials, or nobody. */
static bool
note_fits(const struct log_row *row)
{
	const struct entry_note *n = &row->n;
	bool issue = row->e.type == ENTRY_ISSUE;

	if (n->follows.n != 0 && !issue)
		return false;
	if (n->sender.n == 0)
		return !issue && n->official_count == 0 && n->exp == 0 && n->slot == -1 &&
		       n->seat == -1 && row->e.type != ENTRY_STOP &&
		       (row->e.type != ENTRY_STATUS || row->e.status == STATUS_VALID);
	if (!thumbs_valid(n) || n->exp <= 0 ||
	        (!issue && row->e.type != ENTRY_STATUS && row->e.type != ENTRY_STOP))
		return false;
	if (issue)
		return n->slot >= 0 && n->seat >= 0 &&
		       (uint64_t)n->slot / LIST_ENTRIES <= UINT32_MAX;
	/* what ends a certificate bears the seat of what replaces it */
	return n->slot == -1 && (n->seat >= 0) == (row->e.type == ENTRY_STATUS &&
	                                                  row->e.status == STATUS_SUPERSEDED);
}

static bool
record_valid(const struct audit *a, const struct log_row *row, const struct cose_sign1 *m,
        const struct record *r)
{
	const struct manifest_key *k = audit_key_below(a, row->index, m->kid, KEY_RECORD);

	/* cut off by an entry before: it signs nothing that comes after */
	if (k == NULL || audit_cut_below(a, row->index, m->kid) || r->iat < k->not_before ||
	        r->iat >= k->not_after || !bytes_equal_text(r->iss, a->o->host))
		return false;
	return row->audited || cose_verify(m, k->key, RECORD_TYPE) == ERR_OK;
}

static void
columns_check(const struct audit *a, struct log_row *row, const struct record *r)
{
	const struct log_certificate *c = &row->c;
	struct audit_found *f = &row->found;
	uint8_t holder[SHA256_BYTES];

	audit_want(f, bytes_equal(c->serial, r->cti), AUDIT_CERT_SERIAL);
	audit_want(f, bytes_equal(c->request, r->request), AUDIT_CERT_REQUEST);
	audit_want(f, bytes_equal(c->item, r->item), AUDIT_CERT_ITEM);
	audit_want(f, bytes_equal(c->center, r->center), AUDIT_CERT_CENTER);
	audit_want(f, c->list == (int64_t)r->list, AUDIT_CERT_LIST);
	audit_want(f, c->place == (int64_t)r->idx, AUDIT_CERT_PLACE);
	audit_want(f, c->exp == r->exp, AUDIT_CERT_EXP);
	if (row->noted) {
		audit_want(f, c->seat == row->n.seat, AUDIT_CERT_SEAT);
		audit_want(f,
		        row->n.slot / LIST_ENTRIES == (int64_t)r->list &&
		                bytes_equal(row->n.follows, r->follows),
		        AUDIT_ENTRY_NOTE);
	}
	if (!a->has_pepper)
		return;
	holder_hmac(bytes_of(a->pepper, sizeof a->pepper), r->doc_type, r->doc_number, holder);
	audit_want(f, bytes_equal(c->holder, bytes_of(holder, sizeof holder)), AUDIT_CERT_HOLDER);
}

/* The record does not stand up: what the entry knows is compared with the columns. */
static void
columns_of_entry(struct log_row *row)
{
	const struct log_certificate *c = &row->c;
	struct audit_found *f = &row->found;

	if (!row->decoded)
		return;
	audit_want(f, bytes_equal(c->serial, row->e.cti), AUDIT_CERT_SERIAL);
	audit_want(f, bytes_equal(c->request, bytes_of(row->e.request, SHA256_BYTES)),
	        AUDIT_CERT_REQUEST);
	audit_want(f, bytes_equal(c->item, row->e.item), AUDIT_CERT_ITEM);
	audit_want(f, bytes_equal(c->center, row->e.center), AUDIT_CERT_CENTER);
}

static void
issue_check(const struct audit *a, struct log_row *row)
{
	uint8_t room[ENTRY_BYTES_MAX], hash[SHA256_BYTES];
	struct buf want = BUF_OF(room);
	struct cose_sign1 m;
	struct record r;
	struct entry e;
	bool same;

	if (record_open(row->c.record, false, &m, &r) != ERR_OK || !record_valid(a, row, &m, &r)) {
		audit_found_add(&row->found, AUDIT_CERT_RECORD);
		columns_of_entry(row);
		return;
	}
	sha256_one(row->c.record, hash);
	entry_of_record(&r, row->c.record, &e);
	entry_put(&e, &want);
	same = bytes_equal(buf_bytes(&want), row->entry);
	if (!same && !entry_bound(row))
		audit_found_add(&row->found, AUDIT_ENTRY_ENTRY);
	else if (!same && row->decoded && bytes_equal(row->e.cti, r.cti))
		audit_found_add(&row->found, AUDIT_CERT_RECORD);
	else if (!same)
		audit_found_add(&row->found, AUDIT_CERT_IDX);
	columns_check(a, row, &r);
}

static void
status_check(struct log_row *row)
{
	const struct log_change *v = &row->v;
	const struct entry *e = &row->e;
	struct audit_found *f = &row->found;

	audit_want(f, bytes_equal(v->serial, e->cti), AUDIT_CHANGE_SERIAL);
	audit_want(f, v->status == (int64_t)e->status, AUDIT_CHANGE_STATUS);
	audit_want(f, v->reason == e->crl_reason, AUDIT_CHANGE_REASON);
	audit_want(f, v->effective == e->effective, AUDIT_CHANGE_EFFECTIVE);
	audit_want(f, v->until == e->until, AUDIT_CHANGE_UNTIL);
	audit_want(f, v->at == e->time, AUDIT_CHANGE_AT);
	audit_want(f, bytes_equal(v->request, bytes_of(e->request, SHA256_BYTES)),
	        AUDIT_CHANGE_REQUEST);
	if (f->count == 0 && v->known &&
	        (v->index >= row->index || v->list != (int64_t)e->list ||
	                v->place != (int64_t)e->idx))
		audit_found_add(f, AUDIT_ENTRY_ENTRY);
}

void
audit_row_check(const struct audit *a, struct log_row *row)
{
	struct audit_found *f = &row->found;

	if (!row->there)
		return;
	merkle_leaf(row->entry, &row->leaf);
	copies_check(row);
	row->decoded = entry_decode(row->entry, &row->e) == ERR_OK;
	row->noted = entry_note_decode(row->note, &row->n) == ERR_OK;
	audit_want(f, row->decoded, AUDIT_ENTRY_ENTRY);
	audit_want(f, row->noted, AUDIT_ENTRY_NOTE);
	audit_want(f, row->tag.n == ENTRY_TAG_BYTES, AUDIT_ENTRY_TAG);
	if (row->decoded && row->noted)
		audit_want(f, note_fits(row), AUDIT_ENTRY_NOTE);
	if (row->c.there)
		issue_check(a, row);
	if (row->v.there && row->decoded && row->e.type == ENTRY_STATUS)
		status_check(row);
}
