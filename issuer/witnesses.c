/* witnesses.c - each witness is asked by itself: from the size it told, with a proof from the
 * public tiles, again after a pause that grows; what it says counts only where it verifies. */
#include "witnesses.h"

#include "add_checkpoint.h"
#include "log.h"
#include "tiles.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the policy --- */

/* Lines of zz.conf, each behind its keyword. */
static void
lines_put(struct buf *b, const char *keyword, const char *lines)
{
	while (*lines != '\0') {
		size_t n = strcspn(lines, "\n");

		buf_put_text(b, keyword);
		buf_put(b, bytes_of(lines, n));
		buf_put_u8(b, '\n');
		lines += n + (lines[n] == '\n');
	}
}

static void
policy_put(const struct config *c, struct bytes log_vkey, struct buf *b)
{
	buf_put_text(b, "log ");
	buf_put(b, log_vkey);
	buf_put_text(b, " https://");
	buf_put_text(b, c->host);
	buf_put_text(b, "/log\n");
	lines_put(b, "witness ", c->witness);
	lines_put(b, "group ", c->witness_group);
	buf_put_text(b, "quorum ");
	buf_put_text(b, c->witness_quorum);
	buf_put_u8(b, '\n');
}

static enum err
policy_take(const struct config *c, struct bytes log_vkey, struct witnesses *w)
{
	struct buf b = buf_init(malloc(POLICY_BYTES_MAX), POLICY_BYTES_MAX);
	unsigned line = 0;
	enum err e;

	if (b.p == NULL)
		return ERR_MEMORY;
	w->policy_text = b.p;
	policy_put(c, log_vkey, &b);
	if ((e = buf_end(&b)) == ERR_OK)
		e = policy_read(buf_bytes(&b), &w->policy, &line);
	w->policy_n = b.n;
	if (e == ERR_OK)
		return e;
	log_fault("witness_policy",
	        "line=%u error=%s what=\"of log/policy.txt as it follows from witness, "
	        "witness_group and witness_quorum in zz.conf\"",
	        line, err_word(e));
	return ERR_CONFIG;
}

static enum err
policy_usable(const struct config *c, const struct policy *p)
{
	for (size_t i = 0; i < p->witness_count; i++) {
		const struct policy_witness *one = &p->witnesses[i];

		if (witness_http_url_valid(one->url))
			continue;
		log_fault("witness_policy", "witness=%.*s what=\"it needs a URL, http or https\"",
		        (int)one->name.n, (const char *)one->name.p);
		return ERR_CONFIG;
	}
	if (!c->witness_required || p->quorum != POLICY_NONE)
		return ERR_OK;
	log_fault("witness_policy", "what=\"witness_required needs a witness_quorum\"");
	return ERR_CONFIG;
}

enum err
witnesses_open(
        const struct config *c, struct bytes log_vkey, const char *public_dir, struct witnesses *w)
{
	struct bytes urls[POLICY_WITNESSES_MAX];
	enum err e;

	memset(w, 0, sizeof *w);
	snprintf(w->public_dir, sizeof w->public_dir, "%s", public_dir);
	if ((e = policy_take(c, log_vkey, w)) == ERR_OK &&
	        (e = policy_usable(c, &w->policy)) == ERR_OK) {
		for (size_t i = 0; i < w->policy.witness_count; i++)
			urls[i] = w->policy.witnesses[i].url;
		e = witness_http_open(urls, w->policy.witness_count, &w->http);
	}
	if (e != ERR_OK)
		witnesses_close(w);
	return e;
}

void
witnesses_close(struct witnesses *w)
{
	witness_http_free(w->http);
	policy_close(&w->policy);
	free(w->policy_text);
	w->http = NULL;
	w->policy_text = NULL;
}

/* --- the question --- */

enum err
witnesses_target(struct witnesses *w, struct bytes note)
{
	struct checkpoint c;
	uint64_t mask;
	enum err e = checkpoint_decode(note, &c);

	if (e != ERR_OK)
		return e;
	if (c.text.n > WITNESS_TEXT_BYTES_MAX)
		return ERR_LIMIT;
	memcpy(w->note, note.p, note.n);
	w->note_n = note.n;
	w->size = c.size;
	mask = policy_cosigned(&w->policy, &c);
	for (size_t i = 0; i < w->policy.witness_count; i++)
		w->peers[i].done = (mask >> i & 1) != 0 ? c.size : 0;
	return ERR_OK;
}

/* The text and the log's own line: what others signed is no affair of this witness. */
static enum err
note_bare(const struct witnesses *w, struct checkpoint *c, struct bytes *note)
{
	const uint8_t *end;
	enum err e = checkpoint_decode(bytes_of(w->note, w->note_n), c);

	if (e != ERR_OK)
		return e;
	end = memchr(c->signatures.p, '\n', c->signatures.n);
	*note = bytes_of(w->note, (size_t)(end - w->note) + 1);
	return ERR_OK;
}

enum err
witnesses_question(struct witnesses *w, size_t i, struct buf *body)
{
	struct witness_peer *p = &w->peers[i];
	struct tiles_reader tiles = {.public_dir = w->public_dir, .size = w->size};
	struct add_checkpoint ask = {.old = p->size};
	struct checkpoint c;
	enum err e;

	if (p->size > w->size)
		return ERR_AHEAD;
	if ((e = note_bare(w, &c, &ask.note)) != ERR_OK)
		return e;
	if (p->size > 0 &&
	        (e = merkle_consistency(p->size, w->size, tiles_get, &tiles, &ask.proof)) != ERR_OK)
		return e;
	add_checkpoint_put(&ask, body);
	memcpy(p->text, c.text.p, c.text.n);
	p->text_n = c.text.n;
	p->asked = w->size;
	return buf_end(body);
}

/* --- the answer --- */

static uint64_t
jitter(uint64_t ms)
{
	uint32_t r;

	random_bytes(&r, sizeof r);
	return ms / 2 + r % (ms / 2 + 1);
}

/* Said once, until something else is said of this witness. */
static void
failed(struct witnesses *w, size_t i, const char *what, unsigned status, uint64_t now_ms)
{
	struct witness_peer *p = &w->peers[i];
	unsigned doublings = p->failures < 10 ? p->failures : 10;
	uint64_t pause = (uint64_t)WITNESS_PAUSE_MS_MIN << doublings;

	p->failures++;
	p->conflicts = 0;
	p->asked = 0;
	p->due_ms = now_ms + jitter(pause < WITNESS_PAUSE_MS_MAX ? pause : WITNESS_PAUSE_MS_MAX);
	if (p->trouble != NULL && strcmp(p->trouble, what) == 0)
		return;
	p->trouble = what;
	log_refuse("witness_failed", "witness=%.*s what=%s status=%u size=%" PRIu64,
	        (int)w->policy.witnesses[i].name.n, (const char *)w->policy.witnesses[i].name.p,
	        what, status, w->size);
}

static void
line_keep(struct witnesses *w, struct bytes line)
{
	if (w->note_n + line.n > sizeof w->note)
		return;
	memcpy(w->note + w->note_n, line.p, line.n);
	w->note_n += line.n;
}

static void
answer_good(struct witnesses *w, size_t i, const struct witness_reply *r, uint64_t now_ms)
{
	const struct policy_witness *who = &w->policy.witnesses[i];
	struct witness_peer *p = &w->peers[i];
	struct cosignature c;
	enum err e = cosignature_find(
	        bytes_of(p->text, p->text_n), r->body, who->key_name, who->key, &c);

	if (e == ERR_OK && c.line.n > COSIGNATURE_LINE_BYTES_MAX)
		e = ERR_LIMIT;
	if (e == ERR_OK && c.time > w->now + SEQUENCE_AHEAD_S_MAX)
		e = ERR_CLOCK;
	if (e != ERR_OK) {
		failed(w, i,
		        e == ERR_CLOCK         ? "cosignature_from_the_future"
		        : e == ERR_KID_UNKNOWN ? "no_cosignature_of_its_key"
		                               : "cosignature_bad",
		        200, now_ms);
		return;
	}
	if (p->trouble != NULL)
		log_note("witness_works", "witness=%.*s size=%" PRIu64, (int)who->name.n,
		        (const char *)who->name.p, p->asked);
	p->trouble = NULL;
	p->failures = p->conflicts = 0;
	p->due_ms = now_ms;
	p->size = p->told = p->asked;
	p->heard = true;
	if (p->asked == w->size) {
		p->done = p->asked;
		line_keep(w, c.line);
	}
	w->cosigned(w->ctx, p->asked, c.line);
	p->asked = 0;
}

/* It told its size: the next question starts there, at once, unless that leads nowhere. */
static void
answer_conflict(struct witnesses *w, size_t i, const struct witness_reply *r, uint64_t now_ms)
{
	struct witness_peer *p = &w->peers[i];
	struct bytes text = r->body;
	uint64_t size = 0, was = p->size;

	if (strcmp(r->type, ADD_CHECKPOINT_SIZE_TYPE) != 0 || text.n < 2 ||
	        text.p[text.n - 1] != '\n' ||
	        decimal_decode(bytes_of(text.p, text.n - 1), INT64_MAX, &size) != ERR_OK) {
		failed(w, i, "conflict_without_size", 409, now_ms);
		return;
	}
	p->size = p->told = size;
	p->heard = true;
	if (size > w->size) {
		failed(w, i, "ahead_of_us", 409, now_ms);
		return;
	}
	if (size == was || ++p->conflicts > WITNESS_CONFLICTS_MAX) {
		failed(w, i, "conflict_again", 409, now_ms);
		return;
	}
	p->asked = 0;
	p->due_ms = now_ms;
}

void
witnesses_answer(struct witnesses *w, size_t i, const struct witness_reply *r, uint64_t now_ms)
{
	if (r->e != ERR_OK)
		failed(w, i, r->e == ERR_DEADLINE ? "deadline" : "unreachable", 0, now_ms);
	else if (r->status == 200)
		answer_good(w, i, r, now_ms);
	else if (r->status == 409)
		answer_conflict(w, i, r, now_ms);
	else
		failed(w, i,
		        r->status == 422   ? "it_says_inconsistent"
		        : r->status == 404 ? "it_does_not_know_this_log"
		        : r->status == 403 ? "it_refuses_our_signature"
		                           : "refused",
		        r->status, now_ms);
}

/* --- turns --- */

struct turn {
	struct witnesses *w;
	uint64_t now_ms;
};

static void
on_reply(void *ctx, size_t slot, const struct witness_reply *r)
{
	struct turn *t = ctx;

	witnesses_answer(t->w, slot, r, t->now_ms);
}

static void
ask(struct witnesses *w, size_t i, uint64_t now_ms)
{
	uint8_t room[ADD_CHECKPOINT_BYTES_MAX];
	struct buf body = BUF_OF(room);
	enum err e = witnesses_question(w, i, &body);

	if (e == ERR_OK)
		e = witness_http_post(w->http, i, w->policy.witnesses[i].url, ADD_CHECKPOINT_PATH,
		        buf_bytes(&body));
	if (e == ERR_AHEAD) {
		/* it may have been mended, or we: it is asked as one that we do not know */
		w->peers[i].size = 0;
		e = witnesses_question(w, i, &body);
		if (e == ERR_OK)
			e = witness_http_post(w->http, i, w->policy.witnesses[i].url,
			        ADD_CHECKPOINT_PATH, buf_bytes(&body));
	}
	if (e != ERR_OK)
		failed(w, i, err_word(e), 0, now_ms);
}

void
witnesses_turn(struct witnesses *w, unsigned wait_ms, uint64_t now_ms, int64_t now)
{
	struct turn t = {.w = w, .now_ms = now_ms};

	w->now = now;
	for (size_t i = 0; w->size > 0 && i < w->policy.witness_count; i++) {
		const struct witness_peer *p = &w->peers[i];

		if (p->asked == 0 && p->due_ms <= now_ms && (p->done != w->size || !p->heard))
			ask(w, i, now_ms);
	}
	witness_http_turn(w->http, wait_ms, on_reply, &t);
}

uint64_t
witnesses_ahead(const struct witnesses *w, const struct policy_witness **who)
{
	uint64_t most = 0;

	*who = NULL;
	for (size_t i = 0; i < w->policy.witness_count; i++)
		if (w->peers[i].heard && w->peers[i].told > most) {
			most = w->peers[i].told;
			*who = &w->policy.witnesses[i];
		}
	return most;
}

bool
witnesses_heard(const struct witnesses *w, bool quorum)
{
	uint64_t mask = 0, all = 0;

	for (size_t i = 0; i < w->policy.witness_count; i++) {
		all |= UINT64_C(1) << i;
		if (w->peers[i].heard)
			mask |= UINT64_C(1) << i;
	}
	return mask == all || (quorum && policy_met(&w->policy, mask));
}

enum err
witnesses_quorum(const struct witnesses *w, const struct checkpoint *c)
{
	return policy_met(&w->policy, policy_cosigned(&w->policy, c)) ? ERR_OK : ERR_QUORUM;
}
