/* intake.c - requests and approvals come in: what is known is answered from its row, what is new
 * goes to the signer and, if it decides so, on to the writer. */
#include "intake.h"
#include "reply.h"

#include "log.h"

#include <string.h>

/* Everything about a request that its bytes and the roster tell. */
struct intake {
	struct jws jws;
	struct request request;
	const struct roster *roster;
	const struct operator* sender;
};

static enum err
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
static enum err
request_row(struct job *j, const struct intake *in)
{
	struct arena *a = &j->x->arena;

	j->order = in->request.type != REQUEST_ISSUE;
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
	char hex[2 * SHA256_BYTES + 1];
	json_t *body;

	if (e == ERR_EXISTS)
		/* two at once, or an approval has this jti */
		return (e = known_answer(w, j, in)) == ERR_NOT_FOUND ? ERR_JTI_CONFLICT : e;
	if (e != ERR_OK)
		return e;
	metrics_add(&w->s->metrics, METRIC_REQUESTS_WAIT, 1);
	hex_encode(j->request.id, hex);
	body = json_pack("{s:s,s:s,s:i,s:i}", "request", hex, "state", "waiting",
	        "officials_needed", ev->needed, "officials_signed", ev->signed_by);
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

enum err
intake_issue_send(struct worker *w, struct job *j, const struct bytes *approvals, size_t count)
{
	struct signer_answer answer;
	enum err e = signer_issue(w->signer, j->request.jws, approvals, count, &answer);

	if (e == ERR_SIGNER)
		metrics_add(&w->s->metrics, METRIC_SIGNER_FAILED, 1);
	if (e != ERR_OK)
		return e;
	if (!bytes_equal(answer.request, j->request.id))
		return ERR_PROTOCOL;
	return rows_take(w, j, &answer);
}

/* Every certificate that the order names must be ours: the front brings the records, the signer
 * judges them. */
enum err
intake_order_send(struct worker *w, struct job *j, const struct request *r,
        const struct bytes *approvals, size_t count)
{
	struct arena *a = &j->x->arena;
	size_t count_max = r->serial_count + 1;
	struct bytes *serials = arena_alloc(a, count_max * sizeof *serials);
	struct bytes *records = arena_alloc(a, count_max * sizeof *records);
	struct store_certificates found;
	struct signer_answer answer;
	enum err e;

	if (serials == NULL || records == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < r->serial_count; i++)
		serials[i] = bytes_of(r->serials[i], 16);
	if (j->targets) {
		e = signer_order(w->signer, j->request.jws, approvals, count, NULL, 0, &answer);
		if (e == ERR_OK)
			e = bytes_equal(answer.request, j->request.id) ? rows_take(w, j, &answer)
			                                               : ERR_PROTOCOL;
		return e;
	}
	if ((e = store_records(w->store, serials, r->serial_count, &found)) != ERR_OK)
		return e;
	if (found.count != r->serial_count) {
		store_result_free(found.owner);
		return ERR_SERIAL_UNKNOWN;
	}
	for (size_t i = 0; i < found.count; i++)
		records[i] = found.rows[i].record;
	e = signer_order(
	        w->signer, j->request.jws, approvals, count, records, found.count, &answer);
	if (e == ERR_OK)
		e = bytes_equal(answer.request, j->request.id) ? rows_take(w, j, &answer)
		                                               : ERR_PROTOCOL;
	store_result_free(found.owner);
	return e;
}

static enum err
issue_new(struct worker *w, struct job *j, const struct intake *in)
{
	const struct roster *roster = atomic_load(&w->s->roster);
	enum err e = intake_issue_send(w, j, NULL, 0);
	struct evidence ev;

	if (e == ERR_OK)
		return intake_to_writer(w, j);
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

/* Ends a waiting request of the same sender. The signer has no part in it: nothing was decided. */
static enum err
withdraw_run(struct worker *w, struct job *j, const struct evidence *ev)
{
	struct bytes target = bytes_of(ev->request.withdraws, SHA256_BYTES);
	struct store_requests found;
	json_t *body;
	char hex[2 * SHA256_BYTES + 1];
	bool mine;
	enum err e = store_request_get(w->store, target, &found);

	if (e != ERR_OK)
		return e;
	mine = bytes_equal(found.rows[0].sender, ev->sender->person);
	store_result_free(found.owner);
	if (!mine)
		return ERR_NOT_YOURS;
	if ((e = store_event_put(w->store, target, STATE_WITHDRAWN, "", service_now())) != ERR_OK ||
	        (e = store_request_put(w->store, &j->request, STATE_EXECUTED, "")) != ERR_OK)
		return e;
	hex_encode(j->request.id, hex);
	body = json_pack("{s:s,s:s,s:[]}", "request", hex, "state", "executed", "certificates");
	reply_json(j->x, 201, body);
	json_decref(body);
	return ERR_OK;
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
	if (ev.request.type == REQUEST_WITHDRAW)
		e = withdraw_run(w, j, &ev);
	else if (!evidence_complete(&ev))
		e = request_wait(w, j, in, &ev);
	else if ((e = intake_order_send(w, j, &ev.request, NULL, 0)) == ERR_OK)
		e = intake_to_writer(w, j);
	evidence_free(&ev);
	return e;
}

enum err
intake_request(struct worker *w, struct job *j)
{
	struct intake in;
	enum err e = intake_open(w, j, &in);

	if (e == ERR_OK && (e = known_answer(w, j, &in)) == ERR_NOT_FOUND) {
		j->fresh = true;
		if ((e = request_row(j, &in)) == ERR_OK)
			e = j->order ? order_new(w, j, &in) : issue_new(w, j, &in);
	}
	request_free(&in.request);
	return e;
}
