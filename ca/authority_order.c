/* authority_order.c - ORDER: evidence and the records it touches in, one status entry for each
 * certificate out. Serial and place on the list come only from a record that bears the signer's own
 * signature, the status from its own list. */
#include "authority.h"

#include "log.h"

#include <string.h>

struct order {
	struct authority *a;
	struct call *c;
	const struct evidence *ev;
	struct entry_note note;
};

static bool
serial_named(const struct request *r, struct bytes cti)
{
	for (size_t i = 0; i < r->serial_count; i++)
		if (memcmp(r->serials[i], cti.p, 16) == 0)
			return true;
	return false;
}

/* Verifies that the record is ours: under the key that signs now, or an earlier one of the
 * manifest. */
static enum err
record_ours(const struct authority *a, struct bytes in, struct record *r)
{
	const struct manifest_key *mk;
	struct cose_sign1 m;
	enum err e = record_open(in, false, &m, r);

	if (e != ERR_OK)
		return e;
	mk = manifest_find(&a->manifest->m, m.kid, KEY_RECORD);
	if (mk == NULL)
		return ERR_SERIAL_UNKNOWN;
	return cose_verify(&m, mk->key, RECORD_TYPE);
}

static void
row_head(struct buf *out, struct bytes cti, enum outcome outcome)
{
	cbor_put_array(out, 6);
	cbor_put_bytes(out, cti);
	cbor_put_uint(out, outcome);
}

static void
row_already(const struct order *o, const struct record *r)
{
	const struct crl_row *row = fold_row(&o->a->fold, r->list, r->cti.p);
	struct buf *out = o->c->out;

	row_head(out, r->cti, OUTCOME_ALREADY);
	if (row == NULL)
		cbor_put_null(out);
	else
		cbor_put_uint(out, (uint64_t)row->revoked_at);
	for (int i = 0; i < 3; i++)
		cbor_put_null(out);
}

static enum err
row_put(struct order *o, struct bytes record)
{
	struct entry entry = {.type = ENTRY_STATUS, .status = STATUS_INVALID, .until = -1};
	enum status now;
	struct record r;
	enum err e;

	if ((e = record_ours(o->a, record, &r)) != ERR_OK)
		return e;
	if (!serial_named(&o->ev->request, r.cti))
		return ERR_SERIAL_UNKNOWN;
	if ((e = fold_status(&o->a->fold, r.list, r.idx, &now)) != ERR_OK)
		return e;
	if (now == STATUS_INVALID || now == STATUS_SUPERSEDED) {
		row_already(o, &r);
		return buf_end(o->c->out);
	}
	entry.cti = r.cti;
	entry.list = r.list;
	entry.idx = r.idx;
	entry.crl_reason = o->ev->ground->crl_reason;
	entry.effective = o->ev->request.effective_at;
	entry.time = o->c->now;
	memcpy(entry.request, o->ev->jws.hash, SHA256_BYTES);
	row_head(o->c->out, r.cti, OUTCOME_REVOKED);
	cbor_put_null(o->c->out);
	authority_put_entry(o->a, o->c->out, &entry, &o->note);
	return buf_end(o->c->out);
}

static enum err
order_run(struct order *o, struct cbor *in)
{
	uint64_t count = cbor_array(in);
	struct buf *out = o->c->out;
	enum err e = authority_problem(o->a, o->c);

	if (e != ERR_OK)
		return e;
	if (count == 0 || count > ORDER_CHUNK_MAX)
		return ERR_LIMIT;
	authority_note(o->ev, ++o->a->answer, &o->note);
	cbor_put_array(out, 3);
	cbor_put_uint(out, o->note.answer);
	cbor_put_bytes(out, bytes_of(o->ev->jws.hash, SHA256_BYTES));
	cbor_put_array(out, count);
	for (uint64_t i = 0; e == ERR_OK && i < count; i++)
		e = row_put(o, cbor_bytes(in));
	return e == ERR_OK ? cbor_end(in) : e;
}

enum err
authority_order(struct authority *a, struct call *c)
{
	struct cbor in = cbor_init(c->body);
	const struct roster *roster;
	struct evidence ev;
	struct order o = {.a = a, .c = c, .ev = &ev};
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
	e = ev.request.type == REQUEST_REVOKE ? authority_approvals(&in, &ev, roster, c->now)
	                                      : ERR_TYPE_UNKNOWN;
	if (e == ERR_OK) {
		pthread_mutex_lock(&a->lock);
		e = order_run(&o, &in);
		pthread_mutex_unlock(&a->lock);
	}
	evidence_free(&ev);
	return e;
}
