#ifndef TESTS_AUTHORITY_FOLDER_H
#define TESTS_AUTHORITY_FOLDER_H
/* authority_folder.h - a signer in a folder of its own, as zz-admin init makes it, with what its
 * admin socket and STATE say. Answers are copied, so they live until the test ends. Included by
 * authority_world.h. */
#include "authority.h"
#include "crl.h"
#include "note.h"
#include "people.h"
#include "receipt.h"
#include "status.h"
#include "temp_folder.h"

#define HOST "zz.example.gov.cn"
#define ORIGIN HOST "/log"

enum {
	SEATS_MAX = 5100,
	OUT_BYTES = 16 * 1024 * 1024,
	ASK_BYTES = 16 * 1024 * 1024,
	ARENA_BYTES = 64 * 1024 * 1024,
	CAP = 6000
};

struct world {
	struct people people;
	struct key *record, *status, *log, *crl;
	char dir[FOLDER_BYTES];
	struct authority *a;
	int64_t now;
	enum err clock;
	enum call_from from;
	struct buf out, ask, arena;
	const char *detail;
	struct signed_entry *log_entries; /* what was appended by world_extend, in order */
	size_t size;
};

struct row { /* of ISSUE or ORDER */
	uint64_t seat, outcome;
	struct bytes cti;
	int64_t first;           /* ORDER: date of the first decision, or -1 */
	bool has_entry;          /* then e is there */
	struct signed_entry e;   /* with ISSUE the record too */
	bool ends;               /* ISSUE: it replaces a certificate */
	struct signed_entry end; /* then what ends that one */
};
struct rows {
	uint64_t answer;
	uint8_t request[SHA256_BYTES];
	struct row *rows;
	size_t count;
};
struct head_answer {
	uint64_t size;
	struct merkle_hash root;
	int64_t time;
	struct bytes protected, signature; /* empty: not signed */
};
struct state_answer {
	uint64_t size, manifest, roster, manifest_held, roster_held;
	struct merkle_hash root;
	int64_t time;
	enum err problem;
	struct bytes all; /* the whole answer */
	size_t list_count;
	bool dirty; /* list 0 */
	uint64_t sequence;
};
struct list_answer {
	uint64_t list, sequence;
	struct bytes cwt, jwt;
	struct signed_entry e;
};

static inline void *
keep_room(struct world *w, size_t n)
{
	uint8_t *p = buf_room(&w->arena, (n + 15) / 16 * 16);

	assert_non_null(p);
	memset(p, 0, n);
	return p;
}

static inline struct bytes
keep(struct world *w, struct bytes v)
{
	uint8_t *p = keep_room(w, v.n + 1);

	if (v.n > 0)
		memcpy(p, v.p, v.n);
	return bytes_of(p, v.n);
}

/* ---- the folder ---- */

static inline void
private_put(const char *dir, const char *name, const struct key *k)
{
	uint8_t room[KEY_PEM_BYTES_MAX];
	struct buf b = BUF_OF(room);

	assert_int_equal(key_write_private(k, &b), ERR_OK);
	folder_put(dir, name, buf_bytes(&b));
}

/* The state folder as zz-admin init makes it. */
static inline void
state_make(const struct world *w, const char *dir)
{
	uint8_t room[8192], secret[32];
	struct buf b = BUF_OF(room);

	private_put(dir, "record.pem", w->record);
	private_put(dir, "status.pem", w->status);
	private_put(dir, "log.pem", w->log);
	private_put(dir, "crl.pem", w->crl);
	assert_int_equal(key_write_public(w->people.root, &b), ERR_OK);
	folder_put(dir, "root.pub", buf_bytes(&b));
	folder_put(dir, "host", BYTES_LIT(HOST "\n"));
	memset(secret, 0x11, sizeof secret);
	folder_put(dir, "tag.key", bytes_of(secret, sizeof secret));
	memset(secret, 0x22, sizeof secret);
	folder_put(dir, "slot.key", bytes_of(secret, sizeof secret));
	b = BUF_OF(room);
	assert_int_equal(crl_ca_make(w->crl, BYTES_LIT("CRL CA"), NOW - DAY_S,
	                         NOW + 3650 * (int64_t)DAY_S, &b),
	        ERR_OK);
	folder_put(dir, "crl-ca.der", buf_bytes(&b));
}

static inline void
world_open(struct world *w)
{
	assert_int_equal(authority_open(w->dir, w->now, &w->a), ERR_OK);
}

static inline void
world_close(struct world *w)
{
	authority_free(w->a);
	w->a = NULL;
}

static inline void
world_reopen(struct world *w)
{
	world_close(w);
	world_open(w);
}

static inline struct world *
world_new(void)
{
	struct world *w = calloc(1, sizeof *w);

	assert_non_null(w);
	people_make(&w->people);
	assert_int_equal(key_generate(KEY_ES256, &w->record), ERR_OK);
	assert_int_equal(key_generate(KEY_ES256, &w->status), ERR_OK);
	assert_int_equal(key_generate(KEY_ED25519, &w->log), ERR_OK);
	assert_int_equal(key_generate(KEY_ES256, &w->crl), ERR_OK);
	w->out = buf_init(malloc(OUT_BYTES), OUT_BYTES);
	w->ask = buf_init(malloc(ASK_BYTES), ASK_BYTES);
	w->arena = buf_init(malloc(ARENA_BYTES), ARENA_BYTES);
	w->log_entries = calloc(2 * SEATS_MAX, sizeof *w->log_entries);
	assert_true(w->out.p != NULL && w->ask.p != NULL && w->arena.p != NULL);
	assert_non_null(w->log_entries);
	w->now = NOW;
	folder_make(w->dir);
	state_make(w, w->dir);
	world_open(w);
	return w;
}

static inline void
world_delete(struct world *w)
{
	authority_free(w->a);
	folder_remove(w->dir);
	people_free(&w->people);
	key_free(w->record);
	key_free(w->status);
	key_free(w->log);
	key_free(w->crl);
	free(w->out.p);
	free(w->ask.p);
	free(w->arena.p);
	free(w->log_entries);
	free(w);
}

/* ---- asking ---- */

static inline struct buf *
ask_start(struct world *w, uint64_t members)
{
	w->ask.n = 0;
	w->ask.failed = false;
	cbor_put_array(&w->ask, members);
	return &w->ask;
}

static inline enum err
ask_bytes(struct world *w, authority_handler handler, struct bytes body)
{
	struct call c = {
	        .from = w->from, .now = w->now, .clock = w->clock, .body = body, .out = &w->out};
	enum err e;

	w->out.n = 0;
	w->out.failed = false;
	e = handler(w->a, &c);
	w->detail = c.detail;
	if (e == ERR_OK) {
		assert_false(w->out.failed);
		assert_int_equal(cbor_check(buf_bytes(&w->out)), ERR_OK);
	}
	return e;
}

static inline enum err
ask(struct world *w, authority_handler handler)
{
	assert_false(w->ask.failed);
	return ask_bytes(w, handler, buf_bytes(&w->ask));
}

/* [number]: LIST, CRL, CHECKPOINT, RECOVER, TABLE. */
static inline enum err
ask_number(struct world *w, authority_handler handler, uint64_t n)
{
	cbor_put_uint(ask_start(w, 1), n);
	return ask(w, handler);
}

/* STATE of a socket that does not publish: note.p NULL; else what is published. */
static inline enum err
ask_state(struct world *w, struct bytes note, struct state_answer *out)
{
	struct buf *b = ask_start(w, 1);
	struct state_answer t = {0};
	struct cbor c;
	enum err e;

	if (note.p == NULL)
		cbor_put_null(b);
	else
		cbor_put_bytes(b, note);
	if ((e = ask(w, authority_state)) != ERR_OK || out == NULL)
		return e;
	t.all = keep(w, buf_bytes(&w->out));
	c = cbor_init(t.all);
	assert_true(cbor_array(&c) >= 13);
	t.size = cbor_uint(&c);
	memcpy(t.root.b, cbor_bytes_exact(&c, SHA256_BYTES).p, SHA256_BYTES);
	t.time = cbor_int(&c);
	for (uint64_t i = cbor_array(&c); i > 0; i--)
		cbor_bytes_exact(&c, SHA256_BYTES);
	t.manifest = cbor_uint(&c);
	cbor_bytes_exact(&c, SHA256_BYTES);
	t.roster = cbor_uint(&c);
	cbor_bytes_exact(&c, SHA256_BYTES);
	cbor_bytes_exact(&c, SHA256_BYTES);
	{
		struct bytes word = cbor_text(&c);

		t.problem = err_from_word((const char *)word.p, word.n);
	}
	t.list_count = (size_t)cbor_array(&c);
	for (size_t i = 0; i < t.list_count; i++) {
		bool dirty;
		uint64_t sequence;

		cbor_array_exact(&c, 5);
		(void)cbor_uint(&c);
		sequence = cbor_uint(&c);
		dirty = cbor_bool(&c);
		(void)cbor_int(&c);
		cbor_bytes_exact(&c, SHA256_BYTES);
		if (i == 0) {
			t.dirty = dirty;
			t.sequence = sequence;
		}
	}
	t.manifest_held = cbor_uint(&c);
	t.roster_held = cbor_uint(&c);
	assert_int_equal(c.e, ERR_OK);
	*out = t;
	return ERR_OK;
}

static inline struct state_answer
state_of(struct world *w)
{
	struct state_answer t;

	assert_int_equal(ask_state(w, bytes_of(NULL, 0), &t), ERR_OK);
	return t;
}

static inline struct signed_entry
entry_read(struct world *w, struct cbor *c)
{
	struct signed_entry s = {0};

	s.entry = keep(w, cbor_bytes(c));
	s.note = keep(w, cbor_bytes(c));
	s.tag = keep(w, cbor_bytes_exact(c, ENTRY_TAG_BYTES));
	return s;
}

/* INIT, ROSTER, MANIFEST with a body that is put already. */
static inline enum err
ask_admin(struct world *w, authority_handler handler, struct signed_entry *out)
{
	enum err e = ask(w, handler);
	struct cbor c;

	if (e != ERR_OK)
		return e;
	c = cbor_init(buf_bytes(&w->out));
	cbor_array_exact(&c, 3);
	*out = entry_read(w, &c);
	assert_int_equal(cbor_end(&c), ERR_OK);
	return ERR_OK;
}

static inline enum err
ask_init(struct world *w, struct signed_entry *out)
{
	cbor_put_null(ask_start(w, 1));
	return ask_admin(w, authority_init, out);
}

static inline enum err
ask_roster(struct world *w, uint64_t version, uint64_t cap, struct signed_entry *out)
{
	uint8_t *room = malloc(65536);
	struct buf b = buf_init(room, 65536);

	if (version == 1)
		people_roster(&w->people, version, cap, &b);
	else
		people_enrol(&w->people, version, cap,
		        &(struct enrolling){{WANG, LI}, w->now, "approve", false}, &b);
	cbor_put_bytes(ask_start(w, 1), buf_bytes(&b));
	free(room);
	return ask_admin(w, authority_roster, out);
}

struct manifest_plan { /* what tests change of a manifest */
	const char *host;
	const struct key *record, *root;
	int64_t not_after;
};

static inline struct bytes
world_crl_ca(const struct world *w)
{
	const struct authority_key *k = authority_key_held(w->a, KEY_CRL, key_kid(w->crl));

	return bytes_of(k->ca, k->ca_n);
}

static inline struct manifest_plan
manifest_plan_of(const struct world *w)
{
	return (struct manifest_plan){HOST, w->record, w->people.root, NOW + 365 * DAY_S};
}

static inline void
manifest_key_put(struct manifest *m, const struct key *k, enum key_purpose purpose,
        int64_t not_after, struct buf *room)
{
	size_t start = room->n;

	key_put_cose(k, room);
	m->keys[m->key_count++] = (struct manifest_key){.kid = key_kid(k),
	        .cose_key = bytes_of(room->p + start, room->n - start),
	        .purpose = purpose,
	        .not_before = NOW - DAY_S,
	        .not_after = not_after,
	        .last_size = UINT64_MAX,
	        .soft = true};
}

static inline void
manifest_put(
        const struct world *w, const struct manifest_plan *plan, uint64_t version, struct buf *out)
{
	char origin[200], prefix[200];
	uint8_t key_room[1024], vkey_room[300];
	struct buf keys = BUF_OF(key_room), vkey = BUF_OF(vkey_room);
	struct manifest m;

	memset(&m, 0, sizeof m);
	snprintf(origin, sizeof origin, "%s/log", plan->host);
	snprintf(prefix, sizeof prefix, "https://%s/status/", plan->host);
	note_vkey_put(&vkey, bytes_of_text(origin), w->log);
	m.iss = bytes_of_text(plan->host);
	m.iat = NOW;
	m.version = version;
	m.name_zh = BYTES_LIT("示范监管机关");
	m.name_en = BYTES_LIT("Example authority");
	m.origin = bytes_of_text(origin);
	m.log_vkey = buf_bytes(&vkey);
	m.status_prefix = bytes_of_text(prefix);
	m.crl_ca = world_crl_ca(w);
	manifest_key_put(&m, plan->record, KEY_RECORD, plan->not_after, &keys);
	manifest_key_put(&m, w->status, KEY_STATUS, plan->not_after, &keys);
	manifest_key_put(&m, w->log, KEY_LOG, plan->not_after, &keys);
	manifest_key_put(&m, w->crl, KEY_CRL, plan->not_after, &keys);
	assert_int_equal(manifest_sign(&m, plan->root, out), ERR_OK);
}

static inline enum err
ask_manifest(struct world *w, const struct manifest_plan *plan, uint64_t version,
        struct signed_entry *out)
{
	uint8_t room[MANIFEST_BYTES_MAX];
	struct buf b = BUF_OF(room);

	manifest_put(w, plan, version, &b);
	cbor_put_bytes(ask_start(w, 1), buf_bytes(&b));
	return ask_admin(w, authority_manifest, out);
}
#endif
