/* query.c - what senders and officials may ask: each query carries a token signed with their own
 * key. */
#include "answer.h"

#include "base64.h"
#include "date.h"
#include "holder.h"
#include "receipt.h"

#include <string.h>

static void
set_hex(json_t *o, const char *name, struct bytes v)
{
	char text[2 * SHA256_BYTES + 1];

	hex_encode(bytes_of(v.p, v.n > SHA256_BYTES ? SHA256_BYTES : v.n), text);
	json_object_set_new(o, name, json_string(text));
}

static void
set_base64(json_t *o, const char *name, struct bytes v)
{
	char text[BASE64URL_CHARS(RECEIPT_BYTES_MAX) + 1];
	struct buf out = BUF_OF(text);

	base64url_put(&out, v);
	if (!out.failed)
		json_object_set_new(o, name, json_stringn((const char *)out.p, out.n));
}

static void
set_text(json_t *o, const char *name, struct bytes v)
{
	json_object_set_new(o, name, json_stringn((const char *)v.p, v.n));
}

/* A centre sees its own, officials see all. */
static enum err
may_see(const struct operator* by, struct bytes center)
{
	return by->role == ROLE_OFFICIAL || bytes_equal(by->code, center) ? ERR_OK : ERR_NOT_YOURS;
}

/* What a selector was frozen to: whoever approves it hashes and counts it himself. */
static enum err
list_json(struct worker *w, const struct store_request *r, json_t *o)
{
	struct store_list list;
	enum err e = store_list_get(w->store, r->id, &list);

	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	json_object_set_new(o, "count", json_integer((json_int_t)(list.serials.n / 16)));
	set_hex(o, "list_sha256", list.sha256);
	json_object_set_new(o, "list", json_base64(list.serials));
	store_result_free(list.owner);
	return ERR_OK;
}

static enum err
approvals_json(struct worker *w, const struct store_request *r, json_t *o)
{
	json_t *list = json_array();
	struct store_approvals a;
	enum err e = store_approvals(w->store, r->id, &a);

	json_object_set_new(o, "approvals", list);
	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < a.count; i++)
		json_array_append_new(
		        list, json_stringn((const char *)a.rows[i].jws.p, a.rows[i].jws.n));
	store_result_free(a.owner);
	return ERR_OK;
}

/* The result in the same shape as the sender got it, and the evidence beside it. */
static enum err
request_json(struct worker *w, struct job *j, const struct store_request *r)
{
	json_t *o, *event;
	json_error_t ignored;
	enum err e = answer_stored(w, j, r, 200);

	if (e != ERR_OK)
		return e;
	o = r->newest.state == STATE_REFUSED
	            ? json_object()
	            : json_loadb((const char *)j->x->reply.body.p, j->x->reply.body.n, 0, &ignored);
	if (o == NULL)
		return ERR_INTERNAL;
	set_hex(o, "request", r->id);
	json_object_set_new(o, "state", json_string(store_state_word(r->newest.state)));
	set_text(o, "type", r->type);
	set_text(o, "jws", r->jws);
	event = json_object();
	json_object_set_new(event, "state", json_string(store_state_word(r->newest.state)));
	set_text(event, "code", r->newest.code);
	json_object_set_new(event, "at", json_integer(r->newest.at));
	json_object_set_new(o, "events", json_pack("[o]", event));
	if ((e = approvals_json(w, r, o)) == ERR_OK && (e = list_json(w, r, o)) == ERR_OK)
		reply_json(j->x, 200, o);
	json_decref(o);
	return e;
}

enum err
query_request(struct worker *w, struct job *j)
{
	const struct operator* by;
	struct store_requests found;
	uint8_t id[SHA256_BYTES];
	struct query q;
	enum err e = query_authorize(w, j->x, &by, &q);

	if (e != ERR_OK)
		return e;
	if (hex_decode(route_segment(j->x, 2), id, sizeof id) != ERR_OK)
		return ERR_NOT_FOUND;
	if ((e = store_request_get(w->store, bytes_of(id, sizeof id), &found)) != ERR_OK)
		return e;
	if ((e = may_see(by, found.rows[0].center)) == ERR_OK)
		e = request_json(w, j, &found.rows[0]);
	store_result_free(found.owner);
	return e;
}

static void
waiting_rows(const struct store_requests *found, json_t *list)
{
	for (size_t i = 0; i < found->count; i++) {
		const struct store_request *r = &found->rows[i];
		json_t *row = json_object();

		set_hex(row, "request", r->id);
		set_text(row, "type", r->type);
		json_object_set_new(row, "state", json_string(store_state_word(r->newest.state)));
		json_object_set_new(row, "received_at", json_integer(r->received_at));
		json_object_set_new(row, "exp", json_integer(r->exp));
		json_array_append_new(list, row);
	}
	store_result_free(found->owner);
}

/* What waits for a signature: requests, and for officials also holds that one of them began. */
enum err
query_waiting(struct worker *w, struct job *j)
{
	const struct operator* by;
	struct store_requests found;
	json_t *list, *o;
	struct query q;
	enum err e = query_authorize(w, j->x, &by, &q);

	if (e != ERR_OK)
		return e;
	e = store_waiting(w->store, service_now(),
	        by->role == ROLE_CENTER ? by->code : bytes_of(NULL, 0), &found);
	if (e != ERR_OK)
		return e;
	list = json_array();
	waiting_rows(&found, list);
	if (by->role == ROLE_OFFICIAL &&
	        (e = store_holds_waiting(w->store, service_now(), &found)) == ERR_OK)
		waiting_rows(&found, list);
	o = json_pack("{s:o}", "waiting", list);
	if (e == ERR_OK)
		reply_json(j->x, 200, o);
	json_decref(o);
	return e;
}

static const char *
status_word(enum status s)
{
	static const char *const words[] = {"valid", "invalid", "suspended", "superseded"};

	return words[s];
}

static enum err
history_json(struct worker *w, struct bytes serial, json_t *o)
{
	json_t *list = json_array();
	struct store_changes changes;
	enum err e = store_certificate_changes(w->store, serial, &changes);

	json_object_set_new(o, "history", list);
	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < changes.count; i++) {
		const struct store_change *c = &changes.rows[i];
		uint8_t room[16];
		struct buf day = BUF_OF(room);
		json_t *row = json_object();

		date_put(&day, c->effective);
		json_object_set_new(row, "index", json_integer((json_int_t)c->index));
		json_object_set_new(row, "status", json_string(status_word(c->status)));
		if (c->reason >= 0)
			json_object_set_new(row, "reason", json_integer(c->reason));
		set_text(row, "effective", buf_bytes(&day));
		json_object_set_new(row, "at", json_integer(c->at));
		set_hex(row, "request", c->request);
		json_array_append_new(list, row);
	}
	store_result_free(changes.owner);
	return ERR_OK;
}

static json_t *
certificate_json(const struct store_certificate *c)
{
	json_t *o = json_object();

	set_hex(o, "serial", c->serial);
	set_base64(o, "record", c->record);
	json_object_set_new(o, "index", json_integer((json_int_t)c->index));
	json_object_set_new(o, "status", json_string(status_word(c->status)));
	set_hex(o, "request", c->request);
	return o;
}

enum err
query_certificate(struct worker *w, struct job *j)
{
	const struct operator* by;
	struct store_certificates found;
	uint8_t serial[16], room[RECEIPT_BYTES_MAX];
	struct buf receipt = BUF_OF(room);
	struct query q;
	json_t *o;
	enum err e = query_authorize(w, j->x, &by, &q);

	if (e != ERR_OK)
		return e;
	if (hex_decode(route_segment(j->x, 2), serial, sizeof serial) != ERR_OK)
		return ERR_NOT_FOUND;
	if ((e = store_certificate_get(w->store, bytes_of(serial, sizeof serial), &found)) !=
	        ERR_OK)
		return e;
	if ((e = may_see(by, found.rows[0].center)) == ERR_OK) {
		o = certificate_json(&found.rows[0]);
		if (receipt_from_public(w->s, found.rows[0].index, &receipt) == ERR_OK)
			set_base64(o, "receipt", buf_bytes(&receipt));
		if ((e = history_json(w, found.rows[0].serial, o)) == ERR_OK)
			reply_json(j->x, 200, o);
		json_decref(o);
	}
	store_result_free(found.owner);
	return e;
}

enum err
query_holder(struct worker *w, struct job *j)
{
	const struct operator* by;
	struct store_certificates found;
	struct document document;
	uint8_t key[SHA256_BYTES];
	json_t *list, *o;
	struct query q;
	enum err e = query_authorize(w, j->x, &by, &q);

	if (e != ERR_OK)
		return e;
	if (by->role != ROLE_OFFICIAL)
		return ERR_ROLE;
	if (q.document[0] == '\0')
		return ERR_FIELD_MISSING;
	e = document_check(q.type[0] == '\0' ? BYTES_LIT("01") : bytes_of_text(q.type),
	        bytes_of_text(q.document), &document);
	if (e != ERR_OK)
		return ERR_FIELD_INVALID;
	holder_hmac(bytes_of(w->s->pepper, sizeof w->s->pepper), bytes_of_text(document.type),
	        bytes_of_text(document.number), key);
	if ((e = store_holder(w->store, bytes_of(key, sizeof key), &found)) != ERR_OK)
		return e;
	list = json_array();
	for (size_t i = 0; i < found.count; i++)
		json_array_append_new(list, certificate_json(&found.rows[i]));
	store_result_free(found.owner);
	o = json_pack("{s:o}", "certificates", list);
	reply_json(j->x, 200, o);
	json_decref(o);
	return ERR_OK;
}
