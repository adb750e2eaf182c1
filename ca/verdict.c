/* verdict.c - the verdict on one certificate: each check may only make it worse (DESIGN.md section
 * 6's order), so no later good news hides an earlier bad one. */
#include "verdict.h"

#include "base45.h"
#include "date.h"
#include "document.h"
#include "entry.h"
#include "receipt.h"
#include "status.h"

#include <ctype.h>
#include <string.h>

struct work {
	const struct verdict_input *in;
	struct verdict *v;
	struct bytes record; /* bytes of the record or bundle */
	struct cose_sign1 m;
	const struct manifest_key *key;
	bool has_list;
	int64_t list_iat, list_exp; /* with has_list: of the head, or of the list's own token */
	uint64_t list_sequence;
	enum status listed;
};

static void
worsen(struct verdict *v, enum verdict_code code, enum verdict_reason reason)
{
	if (code < v->code) { /* the table's order is the order of precedence */
		v->code = code;
		v->reason = reason;
	}
}

/* Form */

/* In whatever case the text is written. */
static bool
starts_with(struct bytes data, const char *lower)
{
	size_t n = strlen(lower);

	if (data.n < n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (tolower(data.p[i]) != lower[i])
			return false;
	return true;
}

static bool
is_address(struct bytes data)
{
	static const char *const starts[] = {"http://", "https://", "www."};

	for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++)
		if (starts_with(data, starts[i]))
			return true;
	return false;
}

/* A QR text holds a bare record; bytes may be a bundle. */
static enum err
open_data(struct bytes data, struct buf *room, struct bytes *record, struct cose_sign1 *m,
        struct record *r)
{
	bool qr = bytes_start(data, "ZZ1:");
	enum err e = ERR_OK;

	if (qr && (e = qr_get(data, room)) != ERR_OK)
		return e;
	*record = qr ? buf_bytes(room) : data;
	return record_open(*record, !qr, m, r);
}

enum err
verdict_list(struct bytes data, uint32_t *list)
{
	uint8_t bytes[RECORD_BYTES_MAX];
	struct buf room = BUF_OF(bytes);
	struct bytes record = {0};
	struct cose_sign1 m;
	struct record r;
	enum err e = open_data(data, &room, &record, &m, &r);

	if (e == ERR_OK)
		*list = r.list;
	return e;
}

/* Signature: key of the manifest, of purpose record, in force when the record says it was made. */

static enum verdict_reason
signature_fault(struct work *w)
{
	const struct manifest *manifest = w->in->manifest;
	const struct record *r = &w->v->record;

	if (!bytes_equal(r->iss,
	            manifest->iss)) /* and with it the URI: record.c and manifest.c derive it */
		return REASON_ISSUER;
	w->key = manifest_find(manifest, w->m.kid, KEY_RECORD);
	if (w->key == NULL)
		return REASON_KEY;
	if (cose_verify(&w->m, w->key->key, RECORD_TYPE) != ERR_OK)
		return REASON_SIGNATURE;
	if (r->iat < w->key->not_before || r->iat >= w->key->not_after)
		return REASON_KEY_TIME;
	return REASON_NONE;
}

/* The log */

/* The entry follows from the record alone, so a proof cannot be borrowed from another certificate.
 */
static enum err
entry_bytes(const struct work *w, struct buf *out)
{
	uint8_t bare_room[RECORD_BYTES_MAX];
	struct buf bare = BUF_OF(bare_room);
	struct entry entry = {0};
	enum err e = record_bare(&w->m, &bare);

	if (e != ERR_OK)
		return e;
	entry_of_record(&w->v->record, buf_bytes(&bare), &entry);
	entry_put(&entry, out);
	return buf_end(out);
}

static bool
receipt_proves(const struct work *w, struct receipt *r, struct bytes entry)
{
	const struct manifest *manifest = w->in->manifest;
	const struct manifest_key *log = NULL;
	struct bytes text = {0};

	if (bundle_receipt(&w->m, &text) != ERR_OK || receipt_decode(text, r) != ERR_OK)
		return false;
	log = manifest_find(manifest, r->kid, KEY_LOG);
	if (log == NULL || r->time < log->not_before || r->time >= log->not_after)
		return false;
	if (log->last_size != UINT64_MAX && r->size > log->last_size)
		return false;
	return receipt_verify_seen(r, log->key, manifest->origin, entry, w->in->seen) == ERR_OK;
}

/* The log signed another tree of this very size than the one held here. */
static bool
receipt_forks(const struct work *w, const struct receipt *r, struct bytes entry)
{
	const struct checkpoint *held = w->in->checkpoint;
	struct merkle_hash leaf, root;

	if (held == NULL || held->size != r->size)
		return false;
	merkle_leaf(entry, &leaf);
	return merkle_inclusion_root(r->index, r->size, &leaf, &r->path, &root) == ERR_OK &&
	       memcmp(root.b, held->root.b, sizeof root.b) != 0;
}

static void
check_receipt(struct work *w)
{
	uint8_t room[ENTRY_BYTES_MAX];
	struct buf entry = BUF_OF(room);
	struct receipt r = {0};
	struct verdict *v = w->v;

	if (entry_bytes(w, &entry) != ERR_OK || !receipt_proves(w, &r, buf_bytes(&entry))) {
		worsen(v, VERDICT_NOT_LOGGED, REASON_PROOF);
		return;
	}
	if (receipt_forks(w, &r, buf_bytes(&entry)))
		worsen(v, VERDICT_ATTACK, REASON_FORK);
	v->log_checked = true;
	v->log_index = r.index;
	v->log_size = r.size;
	if (r.time > v->now)
		v->now = r.time;
}

static void
check_log(struct work *w)
{
	struct verdict *v = w->v;
	bool bare = bytes_equal(w->m.unprotected, BYTES_LIT("\xa0"));

	if (!bare)
		check_receipt(w);
	/* a stolen key signs what it likes, but not into the past of the log */
	if (w->key->last_size != UINT64_MAX &&
	        !(v->log_checked && v->log_index < w->key->last_size))
		worsen(v, VERDICT_NOT_LOGGED, REASON_CUT_OFF);
	if (bare && w->in->require_log)
		worsen(v, VERDICT_NOT_LOGGED, REASON_NO_PROOF);
}

/* Status */

/* Reads and verifies the token. A list under a key that the manifest no longer names is as good as
 * none. */
static enum verdict_reason
list_fault(const struct work *w, struct status_token *list, bool *known)
{
	struct cose_sign1 m;
	const struct manifest_key *key = NULL;

	if (status_cwt_decode(w->in->list_token, &m, list) != ERR_OK)
		return REASON_LIST;
	if ((key = manifest_find(w->in->manifest, m.kid, KEY_STATUS)) == NULL)
		return REASON_NONE;
	if (cose_verify(&m, key->key, STATUS_CWT_TYPE) != ERR_OK)
		return REASON_LIST;
	if (!status_uri_is(list->uri, w->in->manifest->status_prefix, w->v->record.list))
		return REASON_MIXED;
	if (list->iat < key->not_before || list->iat >= key->not_after)
		return REASON_LIST;
	*known = true;
	return REASON_NONE;
}

static void
status_apply(struct verdict *v, enum status s)
{
	static const enum verdict_code codes[] = {
	        [STATUS_VALID] = VERDICT_VALID,
	        [STATUS_INVALID] = VERDICT_REVOKED,
	        [STATUS_SUSPENDED] = VERDICT_SUSPENDED,
	        [STATUS_SUPERSEDED] = VERDICT_SUPERSEDED,
	};

	worsen(v, codes[s], REASON_NONE);
}

/* The bit counts however old the list is: only its silence grows stale. */
static void
list_say(struct work *w, const uint8_t *raw, int64_t iat, int64_t exp, uint64_t sequence)
{
	w->has_list = true;
	w->list_iat = iat;
	w->list_exp = exp;
	w->list_sequence = sequence;
	w->v->status_time = iat;
	if (iat > w->v->now)
		w->v->now = iat;
	w->listed = status_get(raw, w->v->record.idx);
	status_apply(w->v, w->listed);
}

/* A list that the head does not count, or that is not held, is never VALID. */
static void
check_head(struct work *w)
{
	const struct verdict_head *held = w->in->head;
	const struct table_row *row;
	uint8_t hash[SHA256_BYTES];

	if (w->in->head_fault != REASON_NONE) {
		worsen(w->v, VERDICT_ATTACK, w->in->head_fault);
		return;
	}
	if (held == NULL || w->v->record.list >= held->table.count || w->in->raw.n == 0)
		return;
	row = &held->table.rows[w->v->record.list];
	if (w->in->raw_sha256 == NULL)
		sha256_one(w->in->raw, hash);
	else
		memcpy(hash, w->in->raw_sha256, sizeof hash);
	if (w->in->raw.n != LIST_BYTES || memcmp(hash, row->raw_sha256, sizeof hash) != 0) {
		worsen(w->v, VERDICT_ATTACK, REASON_MIXED);
		return;
	}
	list_say(w, w->in->raw.p, held->head.iat, held->head.exp, row->sequence);
}

/* A list by its own token, for who has no head. */
static void
check_list(struct work *w)
{
	uint8_t raw[LIST_BYTES];
	struct status_token list;
	bool known = false;
	enum verdict_reason fault = REASON_NONE;

	if (w->in->head != NULL || w->in->list_token.n == 0)
		return;
	if ((fault = list_fault(w, &list, &known)) != REASON_NONE) {
		worsen(w->v, VERDICT_ATTACK, fault);
		return;
	}
	if (!known)
		return;
	if (status_inflate(list.lst, raw, sizeof raw) != ERR_OK)
		worsen(w->v, VERDICT_ATTACK, REASON_LIST);
	else
		list_say(w, raw, list.iat, list.exp, list.sequence);
}

/* A CRL gives the date. What it says of its own counts where it is final, or newer than the list.
 */
static void
check_crl(struct work *w)
{
	enum { REASON_HOLD = 6 };
	const struct crl *crl = w->in->crl;
	struct crl_row row;
	bool found = false;

	if (crl == NULL || crl_lookup(crl, w->v->record.cti.p, &found, &row) != ERR_OK || !found)
		return;
	if (row.reason == REASON_HOLD && w->has_list && w->listed != STATUS_SUSPENDED &&
	        crl_times_of(crl)->number <= w->list_sequence)
		return; /* a hold that has ended since */
	worsen(w->v, row.reason == REASON_HOLD ? VERDICT_SUSPENDED : VERDICT_REVOKED, REASON_NONE);
	w->v->has_row = true;
	w->v->row = row;
}

static void
check_fresh(struct work *w)
{
	struct verdict *v = w->v;

	v->status_expired = w->has_list && v->now >= w->list_exp;
	if (!w->has_list || v->status_expired)
		worsen(v, VERDICT_STATUS_UNKNOWN, REASON_NONE);
	else if (v->now - w->list_iat > w->in->age_s_max)
		worsen(v, VERDICT_VALID_AS_OF, REASON_NONE);
}

/* Dates and the two questions */

static void
check_dates(struct verdict *v, int64_t asked)
{
	const struct record *r = &v->record;

	v->at = asked >= 0 ? asked : v->now;
	if (v->at >= r->exp)
		worsen(v, VERDICT_EXPIRED, REASON_NONE);
	if (v->at < r->nbf)
		worsen(v, VERDICT_NOT_YET_VALID, REASON_NONE);
	if (r->review_due >= 0 && date_shanghai(v->at) > r->review_due)
		worsen(v, VERDICT_REVIEW_OVERDUE, REASON_NONE);
}

static void
check_match(const struct verdict_input *in, struct verdict *v)
{
	char asked[DOCUMENT_BYTES_MAX + 1];

	if (in->item.n != 0 && !bytes_equal(in->item, v->record.item))
		worsen(v, VERDICT_ITEM_MISMATCH, REASON_NONE);
	if (in->document.n == 0)
		return;
	v->document_matched = document_normalise(in->document, asked) == ERR_OK &&
	                      bytes_equal_text(v->record.doc_number, asked);
	if (!v->document_matched)
		worsen(v, VERDICT_PERSON_MISMATCH, REASON_NONE);
}

void
verdict_find(const struct verdict_input *in, struct verdict *out)
{
	struct work w = {.in = in, .v = out};
	struct buf room = BUF_OF(out->room);
	enum verdict_reason fault = REASON_NONE;

	*out = (struct verdict){.code = VERDICT_VALID, .status_time = -1};
	out->now = out->at = in->now > in->newest ? in->now : in->newest;
	if (open_data(in->data, &room, &w.record, &w.m, &out->record) != ERR_OK) {
		worsen(out, VERDICT_MALFORMED, is_address(in->data) ? REASON_ADDRESS : REASON_FORM);
		return;
	}
	if ((fault = signature_fault(&w)) != REASON_NONE) {
		worsen(out, VERDICT_NOT_ISSUED, fault);
		return;
	}
	out->has_record = true;
	check_log(&w);
	check_head(&w);
	check_list(&w);
	check_crl(&w);
	check_fresh(&w);
	check_dates(out, in->at);
	check_match(in, out);
}
