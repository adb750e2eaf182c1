/* answer.c - what a request is answered: the same JSON from a transaction just made and from the
 * rows of an old one. */
#include "answer.h"
#include "intake.h"
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

json_t *
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

json_t *
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

json_t *
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

json_t *
waiting_json(struct bytes request, const struct evidence *ev)
{
	json_t *o = json_object();

	json_object_set_new(o, "request", json_hex(request));
	json_object_set_new(o, "state", json_string("waiting"));
	json_object_set_new(o, "officials_needed", json_integer(ev->needed));
	json_object_set_new(o, "officials_signed", json_integer(ev->signed_by));
	if (ev->list.n == 0)
		return o;
	json_object_set_new(o, "count", json_integer((json_int_t)ev->count));
	json_object_set_new(o, "list_sha256", json_hex(bytes_of(ev->list_sha256, SHA256_BYTES)));
	return o;
}

/* ---- an issue, the common answer: nothing in it needs an escape, so it is written as it is ----
 */

enum { SEAT_TEXT_MAX = 200, PATH_HASH_BYTES = SHA256_BYTES + 2 };

static size_t
receipt_room(const struct batch *b)
{
	size_t levels = 2;

	while (levels < 64 && (b->size >> (levels - 2)) != 0)
		levels++;
	return 64 + b->protected_n + KEY_SIGNATURE_BYTES + levels * PATH_HASH_BYTES;
}

static void
member_base64(struct buf *out, const char *name, struct bytes v)
{
	buf_put_text(out, name);
	base64url_put(out, v);
	buf_put_u8(out, '"');
}

static void
seat_put(struct buf *out, const struct batch *b, const struct job_row *row)
{
	uint8_t room[RECEIPT_BYTES_MAX];
	struct buf receipt = BUF_OF(room);

	buf_put_text(out, "{\"seat\":");
	buf_put_decimal(out, row->seat);
	buf_put_text(out, ",\"outcome\":\"");
	buf_put_text(out, outcome_word(row->outcome));
	buf_put_u8(out, '"');
	if (row->has_entry) {
		buf_put_text(out, ",\"serial\":\"");
		buf_put_hex(out, row->certificate.serial);
		member_base64(out, "\",\"record\":\"", row->certificate.record);
		buf_put_text(out, ",\"index\":");
		buf_put_decimal(out, row->index);
		if (receipt_of_batch(b, row->index, &receipt) == ERR_OK)
			member_base64(out, ",\"receipt\":\"", buf_bytes(&receipt));
	}
	buf_put_u8(out, '}');
}

/* As result_json with row_json of each seat; ERR_MEMORY where the arena has no room for it. */
static enum err
seats_answer(struct job *j)
{
	size_t receipt = BASE64URL_CHARS(receipt_room(j->batch)), n = SEAT_TEXT_MAX;
	struct buf out;

	for (size_t i = 0; i < j->row_count; i++)
		n += SEAT_TEXT_MAX + receipt + BASE64URL_CHARS(j->rows[i].certificate.record.n);
	out = buf_init(arena_alloc(j->arena, n), n);
	if (out.p == NULL)
		return ERR_MEMORY;
	buf_put_text(&out, "{\"request\":\"");
	buf_put_hex(&out, j->request.id);
	buf_put_text(&out, "\",\"state\":\"executed\",\"seats\":[");
	for (size_t i = 0; i < j->row_count; i++) {
		if (i > 0)
			buf_put_u8(&out, ',');
		seat_put(&out, j->batch, &j->rows[i]);
	}
	buf_put_text(&out, "]}");
	if (buf_end(&out) != ERR_OK)
		return ERR_MEMORY;
	reply_bytes(j->x, j->fresh ? 201 : 200, "application/json", buf_bytes(&out));
	return ERR_OK;
}

void
answer_job(struct worker *w, struct job *j)
{
	json_t *rows, *o;

	if (j->result != ERR_OK) {
		reply_problem(j->x, j->result, NULL);
		return;
	}
	metrics_add(&w->s->metrics, METRIC_REQUESTS_DONE, 1);
	for (size_t i = 0; !j->order && i < j->row_count; i++)
		if (!j->rows[i].has_entry)
			metrics_add(&w->s->metrics, METRIC_SEATS_REFUSED, 1);
	if (!j->order && j->batch != NULL && j->batch->receipts && seats_answer(j) == ERR_OK)
		return;
	rows = json_array();
	for (size_t i = 0; i < j->row_count; i++)
		json_array_append_new(rows, row_json(w->s, j, &j->rows[i]));
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

enum err
answer_seats(struct worker *w, struct job *j, const struct store_request *r, json_t **out)
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

enum err
answer_lost(struct worker *w, struct job *j)
{
	const struct store_request lost = {.id = j->request.id};
	json_t *rows = NULL, *o;
	enum err e = answer_seats(w, j, &lost, &rows);

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
	struct tiles_reader reader;
	struct merkle_path path;
	struct receipt head;
	uint8_t *cose = NULL;
	size_t n = 0;
	enum err e = kept_read(s, index, &reader.size, &cose, &n);

	reader.public_dir = s->public_dir;
	reader.count = 0;
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
