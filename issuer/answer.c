/* answer.c - what a request is answered: the same JSON from a transaction just made and from the
 * rows of an old one. */
#include "reply.h"
#include "service.h"
#include "tiles.h"

#include "base64.h"
#include "file.h"
#include "note.h"
#include "receipt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH_BYTES = 600 };

static json_t *
json_base64(struct bytes v)
{
	size_t room = BASE64URL_CHARS(v.n);
	char *text = malloc(room + 1);
	struct buf out;
	json_t *j;

	if (text == NULL)
		return NULL;
	out = buf_init(text, room);
	base64url_put(&out, v);
	j = json_stringn((const char *)out.p, out.n);
	free(text);
	return j;
}

static json_t *
json_hex(struct bytes v)
{
	char text[2 * SHA256_BYTES + 1];

	hex_encode(bytes_of(v.p, v.n > SHA256_BYTES ? SHA256_BYTES : v.n), text);
	return json_string(text);
}

static json_t *
seat_json(uint32_t seat, enum outcome outcome)
{
	return json_pack("{s:i,s:s}", "seat", (int)seat, "outcome", outcome_word(outcome));
}

static void
certificate_json(json_t *o, const struct store_certificate *c)
{
	json_object_set_new(o, "serial", json_hex(c->serial));
	json_object_set_new(o, "record", json_base64(c->record));
	json_object_set_new(o, "index", json_integer((json_int_t)c->index));
}

static json_t *
result_json(struct bytes request, bool order, json_t *rows)
{
	json_t *o = json_object();

	json_object_set_new(o, "request", json_hex(request));
	json_object_set_new(o, "state", json_string("executed"));
	json_object_set_new(o, order ? "certificates" : "seats", rows);
	return o;
}

static enum err
receipt_of_batch(const struct batch *b, uint64_t index, struct buf *out)
{
	struct merkle_range range = b->range; /* the getter only reads */
	struct merkle_path path;
	enum err e = merkle_inclusion(index, b->size, merkle_range_get, &range, &path);

	if (e != ERR_OK)
		return e;
	receipt_put(out, bytes_of(b->protected, b->protected_n),
	        bytes_of(b->signature, sizeof b->signature), b->size, index, &path);
	return buf_end(out);
}

static void
receipt_json(json_t *o, const struct service *s, const struct batch *b, uint64_t index)
{
	uint8_t room[RECEIPT_BYTES_MAX];
	struct buf out = BUF_OF(room);
	enum err e = b != NULL && b->receipts ? receipt_of_batch(b, index, &out)
	                                      : receipt_from_public(s, index, &out);

	/* not published yet: the certificate stands, its receipt can be fetched in a moment */
	if (e == ERR_OK)
		json_object_set_new(o, "receipt", json_base64(buf_bytes(&out)));
}

static json_t *
row_json(const struct service *s, const struct job *j, const struct job_row *row)
{
	json_t *o;

	if (j->order) {
		o = json_object();
		if (!j->targets)
			json_object_set_new(o, "serial", json_hex(row->cti));
		if (row->first_date >= 0)
			json_object_set_new(o, "decided", json_integer(row->first_date));
		json_object_set_new(o, "outcome", json_string(outcome_word(row->outcome)));
		if (row->has_entry)
			json_object_set_new(o, "index", json_integer((json_int_t)row->index));
		return o;
	}
	o = seat_json(row->seat, row->outcome);
	if (row->has_entry) {
		certificate_json(o, &row->certificate);
		receipt_json(o, s, j->batch, row->index);
	}
	return o;
}

void
answer_job(struct worker *w, struct job *j)
{
	json_t *rows, *o;

	if (j->result != ERR_OK) {
		reply_problem(j->x, j->result, NULL);
		return;
	}
	rows = json_array();
	for (size_t i = 0; i < j->row_count; i++) {
		json_array_append_new(rows, row_json(w->s, j, &j->rows[i]));
		if (!j->rows[i].has_entry && !j->order)
			metrics_add(&w->s->metrics, METRIC_SEATS_REFUSED, 1);
	}
	metrics_add(&w->s->metrics, METRIC_REQUESTS_DONE, 1);
	o = result_json(j->request.id, j->order, rows);
	reply_json(j->x, j->fresh ? 201 : 200, o);
	json_decref(o);
}

static int
seat_compare(const void *a, const void *b)
{
	json_t *const *x = a, *const *y = b;
	json_int_t m = json_integer_value(json_object_get(*x, "seat")),
	           n = json_integer_value(json_object_get(*y, "seat"));

	return (m > n) - (m < n);
}

/* Both kinds of seat in the order of their numbers. */
static json_t *
seats_sort(json_t **list, size_t n)
{
	json_t *rows = json_array();

	if (n > 1)
		qsort(list, n, sizeof(json_t *), seat_compare);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(rows, list[i]);
	return rows;
}

static enum err
stored_seats(struct worker *w, struct job *j, const struct store_request *r, json_t **out)
{
	struct store_certificates certs;
	json_t **list;
	size_t n = 0;
	enum err e = store_request_certificates(w->store, r->id, &certs);

	if (e != ERR_OK)
		return e;
	list = arena_alloc(
	        &j->x->arena, (certs.count + r->newest.outcome_count + 1) * sizeof(json_t *));
	if (list == NULL)
		e = ERR_MEMORY;
	for (size_t i = 0; e == ERR_OK && i < certs.count; i++) {
		/* committed and not yet appended: the writer does it within a second */
		if (certs.rows[i].index >= atomic_load(&w->s->log_size)) {
			e = ERR_UNKNOWN_COMMIT;
			break;
		}
		list[n] = seat_json(certs.rows[i].seat, OUTCOME_ISSUED);
		certificate_json(list[n], &certs.rows[i]);
		receipt_json(list[n++], w->s, NULL, certs.rows[i].index);
	}
	for (size_t i = 0; e == ERR_OK && i < r->newest.outcome_count; i++)
		list[n++] = seat_json(
		        r->newest.outcomes[i].seat, (enum outcome)r->newest.outcomes[i].outcome);
	store_result_free(certs.owner);
	if (e == ERR_OK)
		*out = seats_sort(list, n);
	return e;
}

/* What a change of status was called when it was made. */
static enum outcome
change_outcome(const struct store_change *c)
{
	if (c->status == STATUS_INVALID)
		return OUTCOME_REVOKED;
	return c->status == STATUS_SUSPENDED ? OUTCOME_SUSPENDED : OUTCOME_REINSTATED;
}

/* The change that this order made to a certificate, for its sender the first one, for whoever
 * confirmed a hold the second; what the signer did later of itself (a lapse) is no answer. NULL
 * when it made none. */
static const struct store_change *
change_of(
        const struct store_changes *changes, const uint8_t serial[16], bool second, bool *confirms)
{
	const struct store_change *first = NULL;

	*confirms = false;
	for (size_t i = 0; i < changes->count; i++) {
		const struct store_change *c = &changes->rows[i];

		if (memcmp(c->serial.p, serial, 16) != 0)
			continue;
		if (first != NULL && second && c->status == STATUS_SUSPENDED) {
			*confirms = true;
			return c;
		}
		if (first == NULL)
			first = c;
	}
	return first;
}

static json_t *
stored_row(const struct request *q, size_t i, const struct store_request *r,
        const struct store_changes *changes, bool second)
{
	bool confirms;
	const struct store_change *c = change_of(changes, q->serials[i], second, &confirms);
	json_t *o = json_object();
	enum outcome outcome = c == NULL  ? OUTCOME_ALREADY
	                       : confirms ? OUTCOME_CONFIRMED
	                                  : change_outcome(c);

	json_object_set_new(o, "serial", json_hex(bytes_of(q->serials[i], 16)));
	for (size_t k = 0; c == NULL && k < r->newest.outcome_count; k++)
		if (r->newest.outcomes[k].seat == i)
			outcome = (enum outcome)r->newest.outcomes[k].outcome;
	json_object_set_new(o, "outcome", json_string(outcome_word(outcome)));
	if (c != NULL)
		json_object_set_new(o, "index", json_integer((json_int_t)c->index));
	return o;
}

/* The outcome of each serial of an order, in the order in which it names them. */
static enum err
stored_changes(struct worker *w, const struct job *j, const struct store_request *r, json_t **out)
{
	struct store_changes changes;
	struct request q;
	struct jws jws;
	json_t *rows;
	enum err e;

	if ((e = jws_decode(r->jws, JWS_BYTES_MAX, &jws)) != ERR_OK ||
	        (e = request_decode(&jws, &q)) != ERR_OK)
		return e;
	if ((e = store_request_changes(w->store, r->id, &changes)) != ERR_OK) {
		request_free(&q);
		return e;
	}
	/* committed and not yet appended: the writer does it within a second; a stop leaves no
	 * change behind, so it waits for everything that is committed */
	if (changes.count == 0 && q.serial_count == 0) {
		uint64_t size = 0;
		int64_t time = 0;

		e = store_head(w->store, &size, &time);
		if (e == ERR_OK && size > atomic_load(&w->s->log_size))
			e = ERR_UNKNOWN_COMMIT;
	}
	if (changes.count > 0 &&
	        changes.rows[changes.count - 1].index >= atomic_load(&w->s->log_size))
		e = ERR_UNKNOWN_COMMIT;
	rows = json_array();
	for (size_t i = 0; i < q.serial_count; i++)
		json_array_append_new(rows, stored_row(&q, i, r, &changes, j->second));

	if (q.type == REQUEST_STOP || q.type == REQUEST_RESUME)
		json_array_append_new(
		        rows, json_pack("{s:s}", "outcome",
		                      outcome_word(r->newest.outcome_count > 0 ? OUTCOME_ALREADY
		                                   : q.type == REQUEST_STOP    ? OUTCOME_STOPPED
		                                                               : OUTCOME_RESUMED)));
	store_result_free(changes.owner);
	request_free(&q);
	if (e == ERR_OK)
		*out = rows;
	else
		json_decref(rows);
	return e;
}

enum err
answer_stored(struct worker *w, struct job *j, const struct store_request *r, unsigned status)
{
	bool order = !bytes_equal_text(r->type, "issue");
	json_t *rows = NULL, *o;
	enum err e;

	if (r->newest.state == STATE_REFUSED) {
		reply_problem(j->x, err_from_word((const char *)r->newest.code.p, r->newest.code.n),
		        NULL);
		return ERR_OK;
	}
	if (r->newest.state != STATE_EXECUTED) {
		o = json_object();
		json_object_set_new(o, "request", json_hex(r->id));
		json_object_set_new(o, "state", json_string(store_state_word(r->newest.state)));
		reply_json(j->x, r->newest.state == STATE_WAITING ? 202 : status, o);
		json_decref(o);
		return ERR_OK;
	}
	if ((e = order ? stored_changes(w, j, r, &rows) : stored_seats(w, j, r, &rows)) != ERR_OK)
		return e;
	o = result_json(r->id, order, rows);
	reply_json(j->x, status, o);
	json_decref(o);
	return ERR_OK;
}

enum err
answer_lost(struct worker *w, struct job *j)
{
	const struct store_request lost = {.id = j->request.id};
	json_t *rows = NULL, *o;
	enum err e = stored_seats(w, j, &lost, &rows);

	if (e != ERR_OK)
		return e;
	if (json_array_size(rows) == 0) {
		json_decref(rows);
		return ERR_UNKNOWN_COMMIT;
	}
	o = result_json(j->request.id, false, rows);
	json_object_set_new(o, "evidence_lost", json_true());
	reply_json(j->x, 200, o);
	json_decref(o);
	return ERR_OK;
}

enum err
published_read(const struct service *s, uint64_t *size, int64_t *at)
{
	char path[PATH_BYTES];
	struct checkpoint c;
	struct stat st;
	uint8_t *note = NULL;
	size_t n = 0;
	enum err e;

	snprintf(path, sizeof path, "%s/log/checkpoint", s->public_dir);
	if ((e = file_read(path, CHECKPOINT_BYTES_MAX, &note, &n)) != ERR_OK)
		return e;
	if ((e = checkpoint_decode(bytes_of(note, n), &c)) == ERR_OK && stat(path, &st) == 0) {
		*size = c.size;
		*at = st.st_mtime;
	}
	free(note);
	return e;
}

/* Newest published checkpoint of more than `index` entries, and its receipt without path. */
static enum err
kept_read(const struct service *s, uint64_t index, uint64_t *size, uint8_t **cose, size_t *cose_n)
{
	char path[PATH_BYTES];
	int64_t at = 0;
	enum err e;

	*size = 0;
	if ((e = published_read(s, size, &at)) != ERR_OK)
		return e;
	if (*size <= index)
		return ERR_NOT_FOUND;
	snprintf(path, sizeof path, "%s/log/checkpoints/%llu.cose", s->public_dir,
	        (unsigned long long)*size);
	return file_read(path, RECEIPT_BYTES_MAX, cose, cose_n);
}

enum err
receipt_from_public(const struct service *s, uint64_t index, struct buf *out)
{
	struct tiles_reader reader = {s->public_dir, 0};
	struct merkle_path path;
	struct receipt head;
	uint8_t *cose = NULL;
	size_t n = 0;
	enum err e = kept_read(s, index, &reader.size, &cose, &n);

	if (e != ERR_OK)
		return e;
	if ((e = receipt_head_decode(bytes_of(cose, n), &head)) == ERR_OK &&
	        (e = merkle_inclusion(index, reader.size, tiles_get, &reader, &path)) == ERR_OK) {
		receipt_put(out, head.protected, head.signature, reader.size, index, &path);
		e = buf_end(out);
	}
	free(cose);
	return e;
}
