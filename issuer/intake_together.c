/* intake_together.c - sessions of a few seats, asked of the signer together: for one seat, waking
 * the signer and being woken by it took as long as its signature. Each session is decided and
 * answered as if it had come alone. */
#include "intake.h"

#include <stdlib.h>

static bool
follows_any(const struct request *r)
{
	for (size_t i = 0; i < r->seat_count; i++)
		if (r->seats[i].follows.n > 0)
			return true;
	return false;
}

bool
intake_joins(const struct job *j)
{
	return j->stage == JOB_SERVE && j->route->handler == intake_request && !j->looked &&
	       j->x->body.n <= INTAKE_TOGETHER_BYTES;
}

/* Its frame is put beside the others: ERR_OK. Else it goes its own way and *out is what came of it.
 */
static bool
frame_add(struct worker *w, struct job *j, struct intake *in, struct buf *frames, enum err *out)
{
	const struct signer_evidence ev = {.jws = j->x->body};

	if ((*out = intake_open(w, j, in)) != ERR_OK) {
		request_free(&in->request);
		return false;
	}
	if (in->request.type != REQUEST_ISSUE || follows_any(&in->request) ||
	        frames->cap - frames->n < FRAME_HEAD_BYTES + 64 + ev.jws.n) {
		request_free(&in->request);
		*out = intake_request(w, j);
		return false;
	}
	j->looked = j->fresh = true;
	if ((*out = intake_row(j, in)) != ERR_OK) {
		request_free(&in->request);
		return false;
	}
	signer_issue_put(frames, &ev);
	return true;
}

void
intake_together(struct worker *w, struct job *const *jobs, size_t count, enum err *results)
{
	struct intake *in = calloc(count, sizeof *in);
	uint8_t *room = malloc(SIGNER_TOGETHER_BYTES);
	struct buf frames = buf_init(room, room == NULL ? 0 : SIGNER_TOGETHER_BYTES);
	bool asked[INTAKE_TOGETHER_MAX] = {false};
	enum err sent = ERR_OK;

	for (size_t i = 0; i < count; i++) {
		if (in == NULL)
			results[i] = ERR_MEMORY;
		else
			asked[i] = frame_add(w, jobs[i], &in[i], &frames, &results[i]);
	}
	if (frames.n > 0)
		sent = signer_issue_send(w->signer, &frames);
	for (size_t i = 0; i < count; i++) {
		struct signer_answer answer;
		enum err e = sent;

		if (!asked[i])
			continue;
		if (e == ERR_OK)
			e = signer_issue_next(w->signer, &answer);
		results[i] = intake_decided(w, jobs[i], &in[i], true, e, &answer);
		request_free(&in[i].request);
	}
	free(room);
	free(in);
}
