/* approve.c - approvals and rejections: each is verified with what was kept before it is stored,
 * and the one that completes a request sends it to the signer; the second signature of a hold comes
 * after its execution. */
#include "intake.h"
#include "reply.h"

#include <string.h>

struct decision { /* an approval or rejection, verified */
	struct jws text;
	struct approval approval;
	const struct operator* by;
};

/* An approval that came before: the same bytes again get the answer that they got. */
static bool
approval_known(const struct store_approvals *kept, struct bytes body)
{
	for (size_t i = 0; i < kept->count; i++)
		if (bytes_equal(kept->rows[i].jws, body))
			return true;
	return false;
}

/* Counts what was kept; one that has expired since counts no more. `texts` are those that count, in
 * the arena. */
static enum err
approvals_gather(struct worker *w, struct job *j, struct evidence *ev,
        const struct store_approvals *kept, struct bytes *texts)
{
	const struct roster *roster = atomic_load(&w->s->roster);
	size_t count = 0;

	for (size_t i = 0; i < kept->count && count < REQUEST_APPROVALS_MAX; i++) {
		texts[count] = arena_copy(&j->x->arena, kept->rows[i].jws);
		if (texts[count].p == NULL)
			return ERR_MEMORY;
		if (evidence_add(ev, texts[count], roster, service_now()) == ERR_OK)
			count++;
	}
	if (approval_known(kept, j->x->body))
		return ERR_OK;
	texts[count] = j->x->body;
	return evidence_add(ev, j->x->body, roster, service_now());
}

/* Why the database has no room for it: these very bytes are kept (ERR_OK), this official has signed
 * already, or the jti stands under something else of his. */
static enum err
kept_why(struct worker *w, const struct job *j, const struct decision *d)
{
	struct store_approvals kept;
	enum err e = store_approvals(w->store, j->request.id, &kept);

	if (e != ERR_OK)
		return e;
	e = approval_known(&kept, j->x->body) ? ERR_OK : ERR_JTI_CONFLICT;
	for (size_t i = 0; e != ERR_OK && i < kept.count; i++)
		if (bytes_equal(kept.rows[i].person, d->by->person))
			e = ERR_APPROVAL_PERSON;
	store_result_free(kept.owner);
	return e;
}

static struct store_approval
approval_row(const struct job *j, const struct decision *d)
{
	return (struct store_approval){.request = j->request.id,
	        .kid = bytes_of_text(d->text.kid),
	        .jti = bytes_of_text(d->approval.jti),
	        .person = d->by->person,
	        .jws = j->x->body,
	        .approve = d->approval.approve,
	        .exp = d->approval.exp,
	        .received_at = service_now()};
}

static enum err
approval_keep(struct worker *w, struct job *j, const struct decision *d)
{
	const struct store_approval row = approval_row(j, d);
	enum err e = store_approval_put(w->store, &row);

	if (e != ERR_EXISTS)
		return e;
	e = kept_why(w, j, d);
	return e == ERR_OK ? store_settle(w->store) : e;
}

static enum err
approval_waits(struct job *j, const struct evidence *ev)
{
	json_t *body = waiting_json(j->request.id, ev);

	reply_json(j->x, 202, body);
	json_decref(body);
	return ERR_OK;
}

/* More than one transaction holds: it is under way from now on, chunk by chunk. */
static enum err
approval_begins(struct worker *w, struct job *j, const struct evidence *ev)
{
	const struct store_event next = {
	        .request = j->request.id, .state = STATE_APPROVED, .at = service_now()};
	char hex[2 * SHA256_BYTES + 1];
	json_t *body;
	enum err e = store_event_put(w->store, &next);

	if (e != ERR_OK)
		return e;
	hex_encode(j->request.id, hex);
	body = json_pack("{s:s,s:s,s:I,s:i}", "request", hex, "state", "approved", "count",
	        (json_int_t)ev->count, "done", 0);
	reply_json(j->x, 202, body);
	json_decref(body);
	return ERR_OK;
}

static enum err
approval_run(struct worker *w, struct job *j, struct evidence *ev,
        const struct store_approvals *kept, const struct decision *d)
{
	bool hold = ev->request.type == REQUEST_SUSPEND;
	bool waiting = j->request.newest.state == STATE_WAITING;
	struct bytes texts[REQUEST_APPROVALS_MAX + 1];
	enum err e = approvals_gather(w, j, ev, kept, texts);

	if (e == ERR_OK)
		e = approval_known(kept, j->x->body) ? store_settle(w->store)
		                                     : approval_keep(w, j, d);
	if (e != ERR_OK)
		return e;
	if (!evidence_complete(ev) || (hold && ev->signed_by < ev->confirms))
		return approval_waits(j, ev);
	if (waiting && ev->count > ORDER_CHUNK_MAX)
		return approval_begins(w, j, ev);
	if (!j->order)
		e = intake_issue_send(w, j, &ev->request, texts, ev->official_count);
	else
		e = intake_order_send(w, j, ev, texts, ev->official_count);
	/* with what the sender decided today it takes one official more */
	if (e == ERR_APPROVALS) {
		ev->needed = ev->signed_by + 1;
		return approval_waits(j, ev);
	}
	if (e == ERR_EXECUTED)
		return ERR_UNKNOWN_COMMIT; /* another approval was faster: asked again, its row has
		                              the answer */
	return e == ERR_OK ? intake_to_writer(w, j) : e;
}

enum err
order_list(struct store *store, struct evidence *ev, struct bytes request, struct arena *a)
{
	struct store_list list;
	struct bytes own;
	enum err e = store_list_get(store, request, &list);

	if (e != ERR_OK)
		return e;
	own = arena_copy(a, list.serials);
	store_result_free(list.owner);
	return own.p == NULL ? ERR_MEMORY : evidence_list(ev, own);
}

/* The stored request becomes the job's own: the writer must not depend on this result set. */
static enum err
request_adopt(struct job *j, const struct store_request *r)
{
	struct arena *a = &j->x->arena;

	j->request = *r;
	j->request.id = arena_copy(a, r->id);
	j->request.kid = arena_copy(a, r->kid);
	j->request.jti = arena_copy(a, r->jti);
	j->request.type = arena_copy(a, r->type);
	j->request.sender = arena_copy(a, r->sender);
	j->request.jws = arena_copy(a, r->jws);
	j->order = !request_issues(r->type);
	j->unbanned = bytes_equal_text(r->type, "replace");
	j->targets = bytes_equal_text(r->type, "stop") || bytes_equal_text(r->type, "resume");
	j->fresh = false;
	return j->request.id.p != NULL && j->request.jws.p != NULL ? ERR_OK : ERR_MEMORY;
}

static enum err
approval_waiting(struct worker *w, struct job *j, const struct decision *d)
{
	const struct roster *roster = atomic_load(&w->s->roster);
	struct store_approvals kept;
	struct evidence ev;
	enum err e = evidence_open(j->request.jws, roster, w->s->field, service_now(), &ev);

	if (e != ERR_OK)
		return e;
	if (ev.request.selects)
		e = order_list(w->store, &ev, j->request.id, j->arena);
	if (e == ERR_OK && (e = store_approvals(w->store, j->request.id, &kept)) == ERR_OK) {
		e = approval_run(w, j, &ev, &kept, d);
		store_result_free(kept.owner);
	}
	evidence_free(&ev);
	return e;
}

/* The approver must be someone before he learns anything of the request, and speak of this one. */
static enum err
approver_check(
        struct worker *w, const struct job *j, const uint8_t id[SHA256_BYTES], struct decision *out)
{
	const struct roster *roster = atomic_load(&w->s->roster);
	int64_t now = service_now();
	enum err e;

	if (roster == NULL)
		return ERR_NOT_READY;
	if ((e = jws_decode(j->x->body, APPROVAL_BYTES_MAX, &out->text)) != ERR_OK)
		return e;
	if (strcmp(out->text.typ, APPROVAL_TYP) != 0)
		return ERR_JWS_INVALID;
	if ((e = roster_verify(roster, &out->text, now, &out->by)) != ERR_OK ||
	        (e = approval_decode(&out->text, &out->approval)) != ERR_OK)
		return e;
	if (out->by->role != ROLE_OFFICIAL)
		return ERR_ROLE;
	if (memcmp(out->approval.request, id, SHA256_BYTES) != 0)
		return ERR_APPROVAL_OTHER;
	return request_times_check(out->approval.iat, out->approval.exp, ORDER_LIFETIME_S_MAX, now);
}

/* One official's rejection ends a waiting request for good; it is kept with the signature that
 * caused it. */
static enum err
reject_run(struct worker *w, struct job *j, const struct decision *d)
{
	const struct store_approval row = approval_row(j, d);
	const struct store_event end = {
	        .request = j->request.id, .state = STATE_REJECTED, .at = row.received_at};
	char hex[2 * SHA256_BYTES + 1];
	json_t *body;
	enum err e;

	if (bytes_equal(d->by->person, j->request.sender))
		return ERR_APPROVAL_PERSON;
	/* nothing ends without the signature that ended it: who approved before has spoken already
	 */
	e = store_reject(w->store, &row, &end);
	if (e == ERR_EXISTS && (e = kept_why(w, j, d)) == ERR_OK)
		e = ERR_UNKNOWN_COMMIT; /* the same bytes at the same moment: asked again */
	if (e != ERR_OK)
		return e;
	hex_encode(j->request.id, hex);
	body = json_pack("{s:s,s:s}", "request", hex, "state", "rejected");
	reply_json(j->x, 200, body);
	json_decref(body);
	return ERR_OK;
}

/* Has every certificate of a hold its second SUSPENDED change? */
static enum err
hold_is_confirmed(struct worker *w, struct bytes request, bool *out)
{
	struct store_changes changes;
	size_t starts = 0, seconds = 0;
	enum err e = store_request_changes(w->store, request, &changes);

	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < changes.count; i++) {
		bool second = false;

		if (changes.rows[i].status != STATUS_SUSPENDED)
			continue;
		for (size_t k = 0; k < i && !second; k++)
			second = bytes_equal(changes.rows[k].serial, changes.rows[i].serial);
		starts += !second;
		seconds += second;
	}
	store_result_free(changes.owner);
	/* so many begin confirmed */
	*out = seconds >= starts || starts > ORDER_ALONE_MAX;
	return ERR_OK;
}

/* The second signature of a hold comes after the hold began, and is sent until it is in the log;
 * otherwise the answer is what was done. */
static enum err
executed_answer(struct worker *w, struct job *j, const struct store_request *r, bool *confirms)
{
	bool confirmed = true;
	enum err e = ERR_OK;

	j->second = true;
	if (bytes_equal_text(r->type, "suspend"))
		e = hold_is_confirmed(w, r->id, &confirmed);
	*confirms = e == ERR_OK && !confirmed;
	if (e != ERR_OK)
		return e;
	return *confirms ? request_adopt(j, r) : answer_stored(w, j, r, 200);
}

enum err
intake_approval(struct worker *w, struct job *j)
{
	struct store_requests found;
	struct decision d;
	uint8_t id[SHA256_BYTES];
	bool goes_on = true;
	enum err e;

	if (hex_decode(route_segment(j->x, 2), id, sizeof id) != ERR_OK)
		return ERR_NOT_FOUND;
	if ((e = approver_check(w, j, id, &d)) != ERR_OK ||
	        (e = store_request_get(w->store, bytes_of(id, sizeof id), &found)) != ERR_OK)
		return e;
	if (found.rows[0].newest.state == STATE_APPROVED && d.approval.approve) {
		goes_on = false;
		e = answer_stored(w, j, &found.rows[0], 202);
	} else if (found.rows[0].newest.state == STATE_EXECUTED && d.approval.approve) {
		e = executed_answer(w, j, &found.rows[0], &goes_on);
	} else if (found.rows[0].newest.state != STATE_WAITING) {
		e = ERR_NOT_WAITING;
	} else {
		e = request_adopt(j, &found.rows[0]);
	}
	store_result_free(found.owner);
	if (e != ERR_OK || !goes_on)
		return e;
	return d.approval.approve ? approval_waiting(w, j, &d) : reject_run(w, j, &d);
}
