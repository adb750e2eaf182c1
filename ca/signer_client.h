#ifndef CA_SIGNER_CLIENT_H
#define CA_SIGNER_CLIENT_H
/* signer_client.h - how issuerd, issuer-publish and zz-admin speak to ca-signer (frame.h has the
 * bodies). One connection is for one thread. A call on a broken connection answers ERR_SIGNER and
 * the next one connects anew; nothing is ever sent twice. Views in answers live until the next call
 * on the same connection. */
#include "entry.h"
#include "frame.h"
#include "merkle.h"

struct signer;

MUST_USE enum err signer_open(
        const char *socket_path, struct signer **out); /* connects at the first call */
void signer_free(struct signer *s);
const char *signer_detail(
        const struct signer *s); /* what the last error answer said, for the log */

struct signed_entry { /* one entry with what belongs to it */
	struct bytes entry, note, tag;
	struct bytes record; /* with entry 1; else empty */
};

struct signer_row {         /* a seat of ISSUE or a certificate of ORDER */
	uint64_t seat;      /* ISSUE */
	struct bytes cti;   /* ORDER: 16 */
	uint64_t outcome;   /* enum outcome */
	int64_t first_date; /* ORDER, "already": UTC seconds of the first decision, or -1 */
	bool has_entry;
	struct signed_entry e;
	bool has_end; /* ISSUE: it replaces a certificate, and `end` ends that one */
	struct signed_entry end;
};
struct signer_answer {
	uint64_t number;
	struct bytes request;    /* 32 */
	struct signer_row *rows; /* owned by the connection */
	size_t count;
};
struct signer_evidence { /* what a decision rests on */
	struct bytes jws;
	const struct bytes *approvals;
	size_t approval_count;
	const struct bytes *records; /* ISSUE: of the certificates followed, empty where unknown */
	size_t record_count;
	struct bytes list; /* ORDER: the frozen list of a selector, or empty */
};
MUST_USE enum err signer_issue(
        struct signer *s, const struct signer_evidence *ev, struct signer_answer *out);
/* Several small ISSUEs with one wake-up of either side: each is put into `frames`, which the socket
 * must hold whole (SIGNER_TOGETHER_BYTES), then all are sent, then each answer is read, in order,
 * before anything else is asked on the connection. */
enum { SIGNER_TOGETHER_BYTES = 64 * 1024 };
void signer_issue_put(struct buf *frames, const struct signer_evidence *ev);
MUST_USE enum err signer_issue_send(struct signer *s, const struct buf *frames);
MUST_USE enum err signer_issue_next(struct signer *s, struct signer_answer *out);
MUST_USE enum err signer_order(
        struct signer *s, const struct signer_evidence *ev, struct signer_answer *out);

/* Entries that end holds whose time has passed; owned by the connection. */
MUST_USE enum err signer_lapse(struct signer *s, struct signed_entry **entries, size_t *count);

struct signer_stale {
	uint64_t position;
	enum err why;
};
/* *stale is owned by the connection: positions of entries that must be built anew or dropped. */
MUST_USE enum err signer_prepare(struct signer *s, uint64_t size,
        const struct signed_entry *entries, size_t count, const struct signer_stale **stale,
        size_t *stale_count);
struct signer_head {
	uint64_t size;
	struct merkle_hash root;
	int64_t time;
	struct bytes protected, signature; /* of the receipt; empty while the signer may not sign */
};
MUST_USE enum err signer_extend(struct signer *s, uint64_t size, const struct signed_entry *entries,
        size_t count, struct signer_head *out);

struct signer_list {
	uint32_t list;
	uint64_t sequence;
	bool dirty;
	int64_t this_update;
	struct bytes previous;
};
struct signer_state {
	uint64_t size;
	struct merkle_hash root;
	int64_t time;
	struct merkle_frontier frontier;
	uint64_t manifest_version, roster_version; /* in force; 0 none */
	struct bytes manifest_sha256, roster_sha256, field_sha256;
	uint64_t manifest_held, roster_held;
	enum err problem;          /* ERR_OK when it may sign */
	struct signer_list *lists; /* owned by the connection */
	size_t list_count;
	struct bytes table, head, head_sm2; /* signed last, as CWT; empty when none */
};
/* checkpoint: the newest published note where the publisher asks, else empty. */
MUST_USE enum err signer_state(struct signer *s, struct bytes checkpoint, struct signer_state *out);

struct signer_token {
	uint64_t sequence;
	struct bytes cwt, jwt;
	struct signed_entry e;
};
MUST_USE enum err signer_list(struct signer *s, uint32_t list, struct signer_token *out);
MUST_USE enum err signer_crl(struct signer *s, uint32_t list, uint64_t *number, struct bytes *der);
MUST_USE enum err signer_checkpoint(
        struct signer *s, uint64_t size, struct bytes *note, struct bytes *receipt);
/* One publication: the table at the size of the newest checkpoint; deltas from the newest head at
 * or before `at`, else from the oldest kept (ERR_EXISTS where one from there was given,
 * ERR_NOT_FOUND, ERR_LIMIT where there is none); then its head, naming deltas by their bases, which
 * rise, and the same claims under the SM2 key (empty in other authorities). ERR_VERSION: one of
 * this second is there already. */
MUST_USE enum err signer_table(
        struct signer *s, uint64_t size, uint64_t *sequence, struct bytes *cwt);
MUST_USE enum err signer_delta(
        struct signer *s, uint64_t at, uint64_t *base, uint64_t *sequence, struct bytes *cwt);
MUST_USE enum err signer_publication(struct signer *s, const uint64_t *bases, size_t count,
        uint64_t *sequence, struct bytes cwt[2]);

/* INIT, ROSTER, MANIFEST: body is the last checkpoint (may be empty), the JWS, the COSE message. */
MUST_USE enum err signer_admin(
        struct signer *s, enum frame_type type, struct bytes body, struct signed_entry *out);
/* CUTOFF: last_size UINT64_MAX is the entry's own index. */
MUST_USE enum err signer_cutoff(struct signer *s, struct bytes kid, uint64_t last_size,
        uint64_t reason, struct signed_entry *out);
struct signer_key { /* one that the signer holds */
	struct bytes purpose, cose_key;
	struct bytes ca; /* crl: its certificate */
	bool dropped;    /* its cut-off was asked for */
	bool soft;       /* it lies in a file, not in a token */
};
struct signer_cut { /* a key that the log cut off */
	struct bytes kid;
	uint64_t last_size;
};
struct signer_keys { /* owned by the connection */
	struct signer_key *keys;
	size_t key_count;
	struct signer_cut *cuts;
	size_t cut_count;
};
/* All keys held, after one more was made where a purpose is named (empty: none). */
MUST_USE enum err signer_keys(struct signer *s, struct bytes purpose, struct signer_keys *out);
/* Frames of the journal from `size` on; *count 0 at the end. Entries are owned by the connection.
 */
MUST_USE enum err signer_recover(
        struct signer *s, uint64_t size, struct signed_entry **entries, size_t *count);
#endif
