#ifndef ISSUER_WITNESSES_H
#define ISSUER_WITNESSES_H
/* witnesses.h - asks the witnesses of the policy to cosign the newest checkpoint. Source: C2SP
 * tlog-witness v1.0.0 (add-checkpoint), DESIGN.md section 5. Nothing of a witness is believed: a
 * cosignature counts when it verifies under the policy's key over the very text that was sent. */
#include "config.h"
#include "policy.h"
#include "witness_http.h"

enum {
	WITNESS_TEXT_BYTES_MAX = 512, /* a checkpoint of ours without signatures */
	WITNESS_PAUSE_MS_MIN = 500,   /* after a failure; doubles */
	WITNESS_PAUSE_MS_MAX = 60000,
	WITNESS_CONFLICTS_MAX = 3, /* answers 409 in a row that are followed at once */
};

struct witness_peer {
	uint64_t size;       /* the next question starts there; 0 unknown */
	uint64_t told;       /* the size it said last that it has */
	bool heard;          /* it has told its size since the start */
	uint64_t done;       /* the checkpoint it cosigned last, of this run */
	unsigned failures;   /* in a row */
	unsigned conflicts;  /* in a row */
	uint64_t due_ms;     /* not asked before */
	const char *trouble; /* as logged last; NULL: it works */
	uint64_t asked;      /* size of the question under way; 0 none */
	uint8_t text[WITNESS_TEXT_BYTES_MAX];
	size_t text_n;
};

struct witnesses {
	char public_dir[CONFIG_TEXT_MAX]; /* for the tiles */
	uint8_t *policy_text;             /* as published */
	size_t policy_n;
	struct policy policy;
	struct witness_http *http;
	struct witness_peer peers[POLICY_WITNESSES_MAX];
	/* the newest checkpoint, with the cosignatures it has */
	uint8_t note[CHECKPOINT_BYTES_MAX];
	size_t note_n;
	uint64_t size; /* 0: none yet */
	int64_t now;   /* of the turn */
	/* A cosignature verified; the line is not kept. Already in `note` where sizes are equal. */
	void (*cosigned)(void *ctx, uint64_t size, struct bytes line);
	void *ctx;
};

/* Policy from zz.conf and the log's vkey. ERR_CONFIG, with what is wrong in the log: a line that is
 * no policy, a witness without URL, `witness_required` without a quorum. */
MUST_USE enum err witnesses_open(const struct config *c, struct bytes log_vkey,
        const char *public_dir, struct witnesses *out);
void witnesses_close(struct witnesses *w);
/* The checkpoint to be cosigned from now on; its tiles are in place. The note is copied. */
MUST_USE enum err witnesses_target(struct witnesses *w, struct bytes note);
/* Asks who is due and works for at most wait_ms; less when a cosignature came. */
void witnesses_turn(struct witnesses *w, unsigned wait_ms, uint64_t now_ms, int64_t now);
/* The largest size that a witness told, and who. */
uint64_t witnesses_ahead(const struct witnesses *w, const struct policy_witness **who);
/* Have all told their size, or as many as make the quorum? */
bool witnesses_heard(const struct witnesses *w, bool quorum);
/* ERR_QUORUM unless the policy's quorum stands under this note. */
MUST_USE enum err witnesses_quorum(const struct witnesses *w, const struct checkpoint *c);

/* For tests: the body for one witness; what its answer means at now_ms. */
MUST_USE enum err witnesses_question(struct witnesses *w, size_t i, struct buf *body);
void witnesses_answer(
        struct witnesses *w, size_t i, const struct witness_reply *r, uint64_t now_ms);
#endif
