/* publish_witness.c - cosignatures into the public checkpoints: at once or as a condition, and
 * never a line that was not verified. */
#include "publish.h"

#include "file.h"
#include "http.h"
#include "log.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	PATH_BYTES = 700,
	MODE = 0644,
	VKEY_BYTES_MAX = 1024,
	GUARD_MS = 3000, /* for the answers at start */
	LATE_MS = 5000,  /* then it is said that the quorum is missing */
};

/* Appends the line to the kept note of its size, and to the newest where that is it. */
static enum err
line_publish(struct publish *p, uint64_t size, struct bytes line)
{
	char path[PATH_BYTES];
	uint8_t *kept = NULL, *grown;
	size_t n = 0;
	enum err e;

	snprintf(path, sizeof path, "%s/log/checkpoints/%" PRIu64, p->dir, size);
	if ((e = file_read(path, CHECKPOINT_BYTES_MAX - line.n, &kept, &n)) != ERR_OK)
		return e;
	if ((grown = realloc(kept, n + line.n)) == NULL) {
		free(kept);
		return ERR_MEMORY;
	}
	memcpy(grown + n, line.p, line.n);
	e = file_write(path, bytes_of(grown, n + line.n), MODE);
	free(grown);
	if (e != ERR_OK || size != p->published || p->checkpoint_n + line.n > sizeof p->checkpoint)
		return e;
	memcpy(p->checkpoint + p->checkpoint_n, line.p, line.n);
	p->checkpoint_n += line.n;
	snprintf(path, sizeof path, "%s/log/checkpoint", p->dir);
	return file_write(path, bytes_of(p->checkpoint, p->checkpoint_n), MODE);
}

/* What waits for the quorum is written whole when it is there. */
static void
on_cosigned(void *ctx, uint64_t size, struct bytes line)
{
	struct publish *p = ctx;
	enum err e;

	if (size == p->candidate.size)
		return;
	if ((e = line_publish(p, size, line)) != ERR_OK)
		log_fault("cosignature_not_kept", "size=%" PRIu64 " error=%s", size, err_word(e));
}

static enum err
vkey_read(const struct publish *p, uint8_t **text, struct bytes *vkey)
{
	char folder[CONFIG_TEXT_MAX], path[CONFIG_TEXT_MAX + 20];
	size_t n = 0;
	enum err e;

	config_path(p->config, p->config->trust_dir, folder, sizeof folder);
	snprintf(path, sizeof path, "%s/log.vkey", folder);
	if ((e = file_read(path, VKEY_BYTES_MAX, text, &n)) != ERR_OK) {
		log_fault("log_vkey", "file=%s error=%s", path, err_word(e));
		return ERR_CONFIG;
	}
	while (n > 0 && (*text)[n - 1] == '\n')
		n--;
	*vkey = bytes_of(*text, n);
	return ERR_OK;
}

enum err
publish_witness_open(struct publish *p)
{
	char path[PATH_BYTES];
	uint8_t *text = NULL;
	struct bytes vkey;
	enum err e;

	if ((e = vkey_read(p, &text, &vkey)) == ERR_OK)
		e = witnesses_open(p->config, vkey, p->dir, &p->witnesses);
	free(text);
	if (e != ERR_OK)
		return e;
	p->witnesses.cosigned = on_cosigned;
	p->witnesses.ctx = p;
	snprintf(path, sizeof path, "%s/log/policy.txt", p->dir);
	e = file_write(path, bytes_of(p->witnesses.policy_text, p->witnesses.policy_n), MODE);
	if (e != ERR_OK || p->published == 0)
		return e;
	return witnesses_target(&p->witnesses, bytes_of(p->checkpoint, p->checkpoint_n));
}

enum err
publish_policy(struct publish *p)
{
	const uint8_t *after = memchr(p->witnesses.policy_text + 4, ' ', p->witnesses.policy_n - 4);
	size_t room = p->witnesses.policy_n + p->manifest.log_vkey.n + 8;
	struct buf b = buf_init(malloc(room), room);
	char path[PATH_BYTES];
	enum err e = ERR_MEMORY;

	assert(after != NULL);
	if (b.p == NULL)
		return e;
	buf_put_text(&b, "log ");
	buf_put(&b, p->manifest.log_vkey);
	buf_put(&b, bytes_skip(bytes_of(p->witnesses.policy_text, p->witnesses.policy_n),
	                    (size_t)(after - p->witnesses.policy_text)));
	snprintf(path, sizeof path, "%s/log/policy.txt", p->dir);
	if ((e = buf_end(&b)) == ERR_OK)
		e = file_write(path, buf_bytes(&b), MODE);
	free(b.p);
	return e;
}

void
publish_witness_close(struct publish *p)
{
	witnesses_close(&p->witnesses);
}

bool
publish_required(const struct publish *p)
{
	return p->config->witness_required || (p->manifest_bytes != NULL && p->manifest.quorum > 0);
}

/* --- at start --- */

static enum err
sizes_ours(struct publish *p, uint64_t *ours)
{
	struct signer_state t;
	int64_t time_s = 0;
	uint64_t size = 0;
	enum err e;

	/* null: asked, and told nothing */
	if ((e = signer_state(p->signer, bytes_of(NULL, 0), &t)) != ERR_OK ||
	        (e = store_head(p->store, &size, &time_s)) != ERR_OK)
		return e;
	*ours = t.size > size ? t.size : size;
	return ERR_OK;
}

static bool
guard_says(struct publish *p, const char *what)
{
	bool again = p->guard_said != NULL && strcmp(p->guard_said, what) == 0;

	p->guard_said = what;
	return !again;
}

enum err
publish_guard(struct publish *p, int64_t now)
{
	struct witnesses *w = &p->witnesses;
	const struct policy_witness *who;
	uint64_t end = http_now_ms() + GUARD_MS, ours = 0, theirs;
	enum err e;

	if (p->guarded || p->published == 0 || w->policy.witness_count == 0)
		return ERR_OK;
	while (!witnesses_heard(w, publish_required(p)) && http_now_ms() < end)
		witnesses_turn(w, 100, http_now_ms(), now);
	if ((e = sizes_ours(p, &ours)) != ERR_OK)
		return e;
	theirs = witnesses_ahead(w, &who);
	if (theirs > ours) {
		if (guard_says(p, "ahead"))
			log_fault("witness_ahead",
			        "witness=%.*s theirs=%" PRIu64 " ours=%" PRIu64
			        " what=\"this is a restored copy: nothing is signed\" "
			        "do=restore_a_newer_copy_then_zz-admin_recover",
			        (int)who->name.n, (const char *)who->name.p, theirs, ours);
		return ERR_AHEAD;
	}
	if (!witnesses_heard(w, publish_required(p))) {
		if (guard_says(p, "silent"))
			log_fault("witness_silent",
			        "required=%s what=\"not all that are needed "
			        "have told the size they saw\"",
			        publish_required(p) ? "yes" : "no");
		if (publish_required(p))
			return ERR_QUORUM;
	}
	p->guarded = true;
	return ERR_OK;
}

/* --- the quorum as a condition --- */

static enum err
quorum_check(const struct publish *p)
{
	const struct witnesses *w = &p->witnesses;
	struct checkpoint c;
	enum err e = checkpoint_decode(bytes_of(w->note, w->note_n), &c);

	if (e == ERR_OK && p->config->witness_required)
		e = witnesses_quorum(w, &c);
	if (e == ERR_OK && p->manifest_bytes != NULL)
		e = cosignature_quorum(&p->manifest, &c);
	return e;
}

enum err
publish_candidate_put(struct publish *p, uint64_t size, struct bytes note, struct bytes receipt)
{
	struct publish_candidate *c = &p->candidate;
	enum err e;

	if (receipt.n > sizeof c->receipt)
		return ERR_LIMIT;
	if ((e = witnesses_target(&p->witnesses, note)) != ERR_OK)
		return e;
	memcpy(c->receipt, receipt.p, receipt.n);
	c->receipt_n = receipt.n;
	c->since_ms = http_now_ms();
	c->late = false;
	c->size = size;
	return ERR_OK;
}

static void
late_say(struct publish *p)
{
	if (p->candidate.late || http_now_ms() - p->candidate.since_ms < LATE_MS)
		return;
	p->candidate.late = true;
	log_fault("quorum_missing",
	        "size=%" PRIu64 " published=%" PRIu64 " what=\"too few witnesses have cosigned: "
	        "nothing more is published until they do\"",
	        p->candidate.size, p->published);
}

enum err
publish_candidate_finish(struct publish *p)
{
	struct publish_candidate *c = &p->candidate;
	enum err e;

	if (c->size == 0)
		return ERR_OK;
	if (publish_required(p) && (e = quorum_check(p)) != ERR_OK) {
		late_say(p);
		return e == ERR_QUORUM ? ERR_OK : e;
	}
	e = publish_checkpoint_write(p, c->size, bytes_of(p->witnesses.note, p->witnesses.note_n),
	        bytes_of(c->receipt, c->receipt_n));
	if (e != ERR_OK)
		return e;
	if (c->late)
		log_note("quorum_reached", "size=%" PRIu64, c->size);
	c->size = 0;
	return ERR_OK;
}

bool
publish_settled(const struct publish *p, uint64_t size)
{
	if (!publish_required(p))
		return true;
	return p->candidate.size == 0 && (p->signed_size == p->published || size == p->published);
}

/* --- between rounds --- */

bool
publish_wait(struct publish *p, unsigned ms, int64_t now)
{
	uint64_t end = http_now_ms() + ms, t;

	if (p->witnesses.policy.witness_count == 0) {
		const struct timespec pause = {
		        .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

		nanosleep(&pause, NULL);
		return false;
	}
	while ((t = http_now_ms()) < end) {
		witnesses_turn(&p->witnesses, (unsigned)(end - t), t, now);
		if (p->candidate.size != 0 && quorum_check(p) == ERR_OK)
			return true;
	}
	return false;
}
