/* intake.c - requests and approvals come in: what is known is answered from its row, what is new
 * goes to the signer and, if it decides so, on to the writer. */
#include "intake.h"
#include "reply.h"

#include "date.h"
#include "log.h"

#include <string.h>

enum err
intake_open(struct worker *w, struct job *j, struct intake *in)
{
	enum err e;

	memset(in, 0, sizeof *in);
	in->roster = atomic_load(&w->s->roster);
	if (in->roster == NULL)
		return ERR_NOT_READY;
	if ((e = jws_decode(j->x->body, JWS_BYTES_MAX, &in->jws)) != ERR_OK)
		return e;
	if (strcmp(in->jws.typ, REQUEST_TYP) != 0)
		return ERR_JWS_INVALID;
	if ((in->sender = roster_find(in->roster, in->jws.kid)) == NULL)
		return ERR_KID_UNKNOWN;
	return request_decode(&in->jws, &in->request);
}

/* The row of a new request, in the job's arena. */
enum err
intake_row(struct job *j, const struct intake *in)
{
	struct arena *a = &j->x->arena;

	j->order = in->request.type != REQUEST_ISSUE && in->request.type != REQUEST_REPLACE;
	j->unbanned = in->request.type == REQUEST_REPLACE;
	j->targets = in->request.type == REQUEST_STOP || in->request.type == REQUEST_RESUME;
	j->request = (struct store_request){
	        .id = arena_copy(a, bytes_of(in->jws.hash, SHA256_BYTES)),
	        .kid = arena_copy(a, bytes_of_text(in->jws.kid)),
	        .jti = arena_copy(a, in->request.jti),
	        .type = bytes_of_text(request_type_word(in->request.type)),
	        .center = in->sender->role == ROLE_CENTER ? in->sender->code : bytes_of(NULL, 0),
	        .sender = in->sender->person,
	        .session = arena_copy(a, in->request.session.id),
	        .jws = j->x->body,
	        .exp = in->request.exp,
	        .received_at = service_now(),
	};
	return j->request.id.p != NULL && j->request.kid.p != NULL && j->request.jti.p != NULL
	               ? ERR_OK
	               : ERR_MEMORY;
}

static void
conflict_answer(struct job *j, struct bytes first)
{
	char hex[2 * SHA256_BYTES + 1];
	json_t *more;

	hex_encode(first, hex);
	more = json_pack("{s:s}", "request", hex);
	reply_problem_more(j->x, ERR_JTI_CONFLICT, NULL, more);
	json_decref(more);
}

/* ERR_OK: it was known and is answered. ERR_NOT_FOUND: it is new. */
static enum err
known_answer(struct worker *w, struct job *j, const struct intake *in)
{
	struct store_requests found;
	enum err e =
	        store_request_find(w->store, bytes_of_text(in->jws.kid), in->request.jti, &found);

	if (e != ERR_OK)
		return e;
	/* the sender alone learns what became of it, also when his key has expired since */
	e = jws_verify(&in->jws, in->sender->key);
	if (e == ERR_OK && !bytes_equal(found.rows[0].id, bytes_of(in->jws.hash, SHA256_BYTES))) {
		conflict_answer(j, found.rows[0].id);
	} else if (e == ERR_OK) {
		metrics_add(&w->s->metrics, METRIC_REQUESTS_REPEATED, 1);
		e = answer_stored(w, j, &found.rows[0], 200);
	}
	store_result_free(found.owner);
	return e;
}

/* Refusals that are the sender's affair are kept as evidence; what may pass when sent again is not.
 */
static bool
refusal_kept(enum err e)
{
	unsigned status = err_http_status(e);

	return (status == 403 || status == 422) && !err_may_retry(e) && e != ERR_TYPE_UNKNOWN;
}

static enum err
request_refuse(struct worker *w, struct job *j, enum err why)
{
	enum err e;

	metrics_add(&w->s->metrics, METRIC_REQUESTS_REFUSED, 1);
	if (!refusal_kept(why))
		return why;
	e = store_request_put(w->store, &j->request, STATE_REFUSED, err_word(why));
	return e == ERR_OK || e == ERR_EXISTS ? why : e;
}

static enum err
request_wait(struct worker *w, struct job *j, const struct intake *in, const struct evidence *ev)
{
	enum err e = store_request_put(w->store, &j->request, STATE_WAITING, "");
	json_t *body;

	if (e == ERR_EXISTS)
		/* two at once, or an approval has this jti */
		return (e = known_answer(w, j, in)) == ERR_NOT_FOUND ? ERR_JTI_CONFLICT : e;
	if (e != ERR_OK)
		return e;
	metrics_add(&w->s->metrics, METRIC_REQUESTS_WAIT, 1);
	body = waiting_json(j->request.id, ev);
	reply_json(j->x, 202, body);
	json_decref(body);
	return ERR_OK;
}

enum err
intake_to_writer(struct worker *w, struct job *j)
{
	j->stage = JOB_WRITE;
	queue_put(&w->s->write, j);
	return (enum err)ROUTE_DEFERRED;
}

/* The certificates that new ones follow, in the order of the seats. */
static enum err
follows_gather(struct arena *a, const struct request *r, struct bytes **serials, size_t *count)
{
	size_t n = 0, count_max = r->seat_count + r->serial_count;
	uint8_t *room = arena_alloc(a, 16 * count_max);

	*serials = arena_alloc(a, count_max * sizeof **serials);
	if (room == NULL || *serials == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < r->serial_count; i++)
		(*serials)[n++] = bytes_of(r->serials[i], 16);
	for (size_t i = 0; i < r->seat_count; i++, room += 16) {
		if (r->seats[i].follows.n == 0)
			continue;
		if (hex_decode(r->seats[i].follows, room, 16) != ERR_OK)
			return ERR_FIELD_INVALID;
		(*serials)[n++] = bytes_of(room, 16);
	}
	*count = n;
	return ERR_OK;
}

/* The records of what is followed go with the request. */
static enum err
issue_ask(struct worker *w, struct job *j, const struct request *r, const struct bytes *approvals,
        size_t count, struct signer_answer *answer)
{
	struct signer_evidence ev = {
	        .jws = j->request.jws, .approvals = approvals, .approval_count = count};
	struct store_certificates found = {0};
	struct bytes *serials, *records;
	size_t n, k = 0;
	enum err e = follows_gather(&j->x->arena, r, &serials, &n);

	if (e == ERR_OK && n > 0)
		e = store_records(w->store, serials, n, &found);
	if (e != ERR_OK)
		return e;
	if ((records = arena_alloc(&j->x->arena, (n + 1) * sizeof *records)) == NULL)
		e = ERR_MEMORY;
	for (size_t i = 0; e == ERR_OK && i < n; i++) {
		bool known = k < found.count && bytes_equal(found.rows[k].serial, serials[i]);

		records[i] = known ? found.rows[k++].record : bytes_of(NULL, 0);
	}
	ev.records = records;
	ev.record_count = n;
	if (e == ERR_OK)
		e = signer_issue(w->signer, &ev, answer);
	store_result_free(found.owner);
	return e;
}

static enum err
issue_take(struct worker *w, struct job *j, enum err asked, const struct signer_answer *answer)
{
	if (asked == ERR_SIGNER)
		metrics_add(&w->s->metrics, METRIC_SIGNER_FAILED, 1);
	if (asked != ERR_OK)
		return asked;
	return bytes_equal(answer->request, j->request.id) ? rows_take(w->s, j, answer)
	                                                   : ERR_PROTOCOL;
}

enum err
intake_issue_send(struct worker *w, struct job *j, const struct request *r,
        const struct bytes *approvals, size_t count)
{
	struct signer_answer answer;
	enum err e = issue_ask(w, j, r, approvals, count, &answer);

	return issue_take(w, j, e, &answer);
}

/* From the day after the decision on. */
static int32_t
ban_until(const struct service *s, const struct request *r)
{
	const struct field_ground *g = field_ground(s->field, r->ground);

	if (r->type != REQUEST_REVOKE || g == NULL || g->ban_months == 0)
		return 0;
	return (int32_t)date_add_months(r->decided_at, g->ban_months) + 1;
}

struct bytes
order_serials(const struct request *r, struct bytes list)
{
	return r->selects ? list : bytes_of(r->serials, 16 * r->serial_count);
}

enum err
intake_chunk_send(struct worker *w, struct job *j, const struct order_chunk *c)
{
	size_t count = c->serials.n / 16;
	struct bytes *serials = arena_alloc(j->arena, (count + 1) * sizeof *serials);
	struct bytes *records = arena_alloc(j->arena, (count + 1) * sizeof *records);
	struct signer_evidence ev = {.jws = j->request.jws,
	        .approvals = c->approvals,
	        .approval_count = c->approval_count,
	        .records = records,
	        .list = c->list};
	struct store_certificates found = {0};
	struct signer_answer answer;
	enum err e = serials == NULL || records == NULL ? ERR_MEMORY : ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < count; i++)
		serials[i] = bytes_of(c->serials.p + 16 * i, 16);
	if (e == ERR_OK && count > 0)
		e = store_records(w->store, serials, count, &found);
	/* every certificate that the order names must be ours: the front brings the records, the
	 * signer judges them */
	if (e == ERR_OK && found.count != count)
		e = ERR_SERIAL_UNKNOWN;
	for (size_t i = 0; e == ERR_OK && i < found.count; i++)
		records[i] = found.rows[i].record;
	ev.record_count = found.count;
	if (e == ERR_OK)
		e = signer_order(w->signer, &ev, &answer);
	if (e == ERR_OK) {
		j->ban_until = ban_until(w->s, c->request);
		e = bytes_equal(answer.request, j->request.id) ? rows_take(w->s, j, &answer)
		                                               : ERR_PROTOCOL;
	}
	store_result_free(found.owner);
	return e;
}

enum err
intake_order_send(struct worker *w, struct job *j, const struct evidence *ev,
        const struct bytes *approvals, size_t count)
{
	const struct order_chunk all = {.request = &ev->request,
	        .list = ev->list,
	        .serials = order_serials(&ev->request, ev->list),
	        .approvals = approvals,
	        .approval_count = count};

	return intake_chunk_send(w, j, &all);
}

enum err
intake_decided(struct worker *w, struct job *j, const struct intake *in, bool first, enum err asked,
        const struct signer_answer *answer)
{
	const struct roster *roster = atomic_load(&w->s->roster);
	enum err e = issue_take(w, j, asked, answer), known;
	struct evidence ev;

	if (e == ERR_OK)
		return intake_to_writer(w, j);
	/* whatever would be said of it now: what was said before holds */
	if (first && e != ERR_EXECUTED && (known = known_answer(w, j, in)) != ERR_NOT_FOUND)
		return known;
	/* a copy of it came first: its row has the answer, or was lost with an old backup */
	if (e == ERR_EXECUTED)
		return (e = known_answer(w, j, in)) == ERR_NOT_FOUND ? answer_lost(w, j) : e;
	if (e != ERR_EXAM_LATE && e != ERR_APPROVALS)
		return request_refuse(w, j, e);
	if ((e = evidence_open(j->request.jws, roster, w->s->field, service_now(), &ev)) != ERR_OK)
		return e;
	e = request_wait(w, j, in, &ev);
	evidence_free(&ev);
	return e;
}

static enum err
issue_new(struct worker *w, struct job *j, const struct intake *in, bool first)
{
	struct signer_answer answer;
	enum err e = issue_ask(w, j, &in->request, NULL, 0, &answer);

	return intake_decided(w, j, in, first, e, &answer);
}

/* Ends a waiting request of the same sender. The signer has no part in it: nothing was decided. */
static enum err
withdraw_run(struct worker *w, struct job *j, const struct evidence *ev)
{
	const struct store_event end = {.request = bytes_of(ev->request.withdraws, SHA256_BYTES),
	        .state = STATE_WITHDRAWN,
	        .at = service_now()};
	struct store_requests found;
	char hex[2 * SHA256_BYTES + 1];
	json_t *body;
	bool mine;
	enum err e = store_request_get(w->store, end.request, &found);

	if (e != ERR_OK)
		return e;
	mine = bytes_equal(found.rows[0].sender, ev->sender->person);
	store_result_free(found.owner);
	if (!mine)
		return ERR_NOT_YOURS;
	if ((e = store_withdraw(w->store, &j->request, &end)) != ERR_OK)
		return e;
	hex_encode(j->request.id, hex);
	body = json_pack("{s:s,s:s,s:[]}", "request", hex, "state", "executed", "certificates");
	reply_json(j->x, 201, body);
	json_decref(body);
	return ERR_OK;
}

/* What the order names is there when it arrives; a selector is frozen to what it names now. */
static enum err
order_name(struct worker *w, struct job *j, struct evidence *ev)
{
	const struct request *r = &ev->request;
	struct store_selection found;
	uint8_t *list;
	enum err e;

	if (!r->selects && r->serial_count == 0)
		return ERR_OK;
	e = r->selects ? store_select(w->store, &r->select, &found)
	               : store_select_serials(w->store, (const uint8_t(*)[16])r->serials,
	                         r->serial_count, &found);
	if (e != ERR_OK)
		return e;
	if (!r->selects && found.count != r->serial_count)
		e = ERR_SERIAL_UNKNOWN;
	else if (r->type == REQUEST_REPLACE && ev->sender->role == ROLE_CENTER &&
	         !bytes_equal(found.rows[0].center, ev->sender->code))
		e = ERR_NOT_YOURS;
	else if (r->selects && found.count == 0)
		e = ERR_SELECT;
	list = e == ERR_OK && r->selects ? arena_alloc(j->arena, 16 * found.count) : NULL;
	for (size_t i = 0; list != NULL && i < found.count; i++)
		memcpy(list + 16 * i, found.rows[i].serial.p, 16);
	if (e == ERR_OK && r->selects)
		e = list == NULL ? ERR_MEMORY : evidence_list(ev, bytes_of(list, 16 * found.count));
	j->request.list = ev->list;
	store_result_free(found.owner);
	return e;
}

/* One official's order that needs no second one; with what he ordered today it may need one after
 * all, which the signer knows. */
static enum err
order_send(struct worker *w, struct job *j, const struct intake *in, struct evidence *ev)
{
	enum err e = j->order ? intake_order_send(w, j, ev, NULL, 0)
	                      : intake_issue_send(w, j, &ev->request, NULL, 0);

	if (e == ERR_OK)
		return intake_to_writer(w, j);
	if (e != ERR_APPROVALS)
		return request_refuse(w, j, e);
	ev->needed = ev->signed_by + 1;
	return request_wait(w, j, in, ev);
}

/* An official's approval may have the jti already. Asked before anything is done: the row of the
 * order could not be kept, nor could those of others in its transaction. */
static enum err
jti_check(struct worker *w, const struct job *j)
{
	struct store_approvals found;
	enum err e = store_approval_find(w->store, j->request.kid, j->request.jti, &found);

	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	store_result_free(found.owner);
	return ERR_JTI_CONFLICT;
}

static enum err
order_new(struct worker *w, struct job *j, const struct intake *in)
{
	const struct roster *roster = atomic_load(&w->s->roster);
	struct evidence ev;
	enum err e = evidence_open(j->request.jws, roster, w->s->field, service_now(), &ev);

	if (e != ERR_OK)
		return request_refuse(w, j, e);
	if ((e = jti_check(w, j)) != ERR_OK) {
		evidence_free(&ev);
		return e;
	}
	if ((e = order_name(w, j, &ev)) != ERR_OK)
		e = request_refuse(w, j, e);
	else if (ev.request.type == REQUEST_WITHDRAW)
		e = withdraw_run(w, j, &ev);
	else if (!evidence_complete(&ev))
		e = request_wait(w, j, in, &ev);
	else
		e = order_send(w, j, in, &ev);
	evidence_free(&ev);
	return e;
}

enum err
intake_request(struct worker *w, struct job *j)
{
	struct intake in;
	bool first = !j->looked;
	enum err e = intake_open(w, j, &in);

	if (e == ERR_OK && in.request.type == REQUEST_ISSUE && first)
		/* nearly every session is new. The writer looks all of a batch up at once, under
		 * the head lock, and sends what is known back here */
		e = ERR_NOT_FOUND;
	else if (e == ERR_OK)
		e = known_answer(w, j, &in);
	j->looked = true; /* before anyone else has the job */
	if (e == ERR_NOT_FOUND) {
		j->fresh = true;
		if ((e = intake_row(j, &in)) == ERR_OK)
			e = in.request.type == REQUEST_ISSUE ? issue_new(w, j, &in, first)
			                                     : order_new(w, j, &in);
	}
	request_free(&in.request);
	return e;
}
