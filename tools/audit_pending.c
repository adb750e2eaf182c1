/* audit_pending.c - what waited for the log and what became of it, and the tokens of the lists:
 * each is what its entry hashes, and is signed. */
#include "audit.h"
#include "audit_log.h"
#include "audit_trust.h"
#include "base64.h"
#include "json.h"
#include "jws.h"
#include "status.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PENDING_PAGE = 512, TOKEN_PAGE = 32, MADE_S = 120, PASSED_S = 10, WHY_MAX = 64 };

/* clang-format off */
static const char pending_sql[] =
	"SELECT p.id, p.entry, p.note, p.tag, p.created_at, coalesce(d.idx, -1::int8), coalesce(v.why, ''),"
	" coalesce(e.entry, ''::bytea), coalesce(e.note, ''::bytea), coalesce(e.tag, ''::bytea)"
	" FROM zz.log_pending p LEFT JOIN zz.log_pending_done d ON d.pending = p.id"
	" LEFT JOIN zz.log_pending_void v ON v.pending = p.id LEFT JOIN zz.log_entry e ON e.idx = d.idx"
	" WHERE p.id > $1::int8 ORDER BY p.id LIMIT $2::int8";
static const char tokens_sql[] =
	"SELECT b.pending, b.list, b.sequence, b.cwt, b.jwt, b.created_at, coalesce(p.entry, ''::bytea),"
	" coalesce(p.created_at, 0::int8), coalesce(d.idx, -1::int8) FROM zz.publication b"
	" LEFT JOIN zz.log_pending p ON p.id = b.pending LEFT JOIN zz.log_pending_done d ON d.pending = b.pending"
	" WHERE b.pending > $1::int8 ORDER BY b.pending LIMIT $2::int8";
/* rows that hang on nothing; entries that nobody brought; what the log has passed over */
static const char orphans_sql[] =
	"WITH open AS (SELECT p.id, p.tag, p.entry, p.created_at, e.idx FROM zz.log_pending p LEFT JOIN zz.log_entry e"
	" ON e.tag = p.tag WHERE NOT EXISTS (SELECT FROM zz.log_pending_done d WHERE d.pending = p.id)"
	" AND NOT EXISTS (SELECT FROM zz.log_pending_void v WHERE v.pending = p.id))"
	" SELECT 0::int8, o.id FROM open o WHERE $1::int8 = $2::int8 AND o.idx IS NOT NULL"
	" UNION ALL SELECT 1, d.pending FROM zz.log_pending_done d WHERE NOT EXISTS (SELECT FROM zz.log_pending p"
	" WHERE p.id = d.pending) AND (EXISTS (SELECT FROM open o WHERE o.idx = d.idx) OR NOT EXISTS (SELECT FROM zz.log_entry e"
	" WHERE e.idx = d.idx AND substring(e.entry, 2, 2) IN ('\\x0100', '\\x0103', '\\x0104', '\\x0105')))"
	" UNION ALL SELECT 2, d.pending FROM zz.log_pending_done d WHERE NOT EXISTS (SELECT FROM zz.log_pending p"
	" WHERE p.id = d.pending) AND NOT EXISTS (SELECT FROM open o WHERE o.idx = d.idx) AND EXISTS (SELECT FROM zz.log_entry e"
	" WHERE e.idx = d.idx AND substring(e.entry, 2, 2) IN ('\\x0100', '\\x0103', '\\x0104', '\\x0105'))"
	" UNION ALL SELECT 3, v.pending FROM zz.log_pending_void v WHERE NOT EXISTS (SELECT FROM zz.log_pending p"
	" WHERE p.id = v.pending)"
	" UNION ALL SELECT 4, d.pending FROM zz.log_pending_done d WHERE NOT EXISTS (SELECT FROM zz.log_entry e"
	" WHERE e.idx = d.idx)"
	" UNION ALL SELECT 5, e.idx FROM zz.log_entry e WHERE substring(e.entry, 2, 2) IN"
	" ('\\x0100', '\\x0103', '\\x0104', '\\x0105') AND NOT EXISTS (SELECT FROM zz.log_pending_done d WHERE d.idx = e.idx)"
	" UNION ALL SELECT 6, o.id FROM open o WHERE substring(o.entry, 2, 2) = '\\x0103'"
	" AND NOT EXISTS (SELECT FROM zz.publication b WHERE b.pending = o.id)"
	" UNION ALL SELECT 7, p.id FROM zz.log_pending p JOIN zz.log_pending_done d ON d.pending = p.id"
	" WHERE substring(p.entry, 2, 2) = '\\x0103' AND NOT EXISTS (SELECT FROM zz.publication b WHERE b.pending = p.id)"
	" UNION ALL SELECT 8, o.id FROM open o WHERE o.idx IS NULL AND EXISTS (SELECT FROM zz.log_pending q"
	" JOIN zz.log_pending_done d ON d.pending = q.id WHERE q.id > o.id AND q.created_at > o.created_at + 5)";
/* clang-format on */

struct pending {
	uint64_t id;
	struct bytes entry, note, tag, why, log_entry, log_note, log_tag;
	int64_t created, index;
};

static bool
why_good(struct bytes why)
{
	enum err e = err_from_word((const char *)why.p, why.n);

	return why.n > 0 && why.n <= WHY_MAX && e != ERR_OK && bytes_equal_text(why, err_word(e));
}

/* No log takes it any more. */
static bool
is_passed(const struct audit *a, const struct entry *e)
{
	return (e->type == ENTRY_GENESIS && a->size > 0) ||
	       (e->type == ENTRY_MANIFEST && e->sequence <= a->log->manifest_version) ||
	       (e->type == ENTRY_ROSTER && e->sequence <= a->log->roster_version);
}

static void
pending_check(struct audit *a, const struct pending *p, int64_t *newest)
{
	struct audit_found f = {0};
	struct entry_note n;
	struct entry e;
	char key[40];
	bool decoded = entry_decode(p->entry, &e) == ERR_OK;

	snprintf(key, sizeof key, "id=%" PRIu64, p->id);
	audit_want(&f,
	        decoded && e.type != ENTRY_ISSUE && e.type != ENTRY_STATUS && e.type != ENTRY_STOP,
	        AUDIT_PENDING_ENTRY);
	audit_want(&f,
	        entry_note_decode(p->note, &n) == ERR_OK && n.sender.n == 0 &&
	                n.official_count == 0 && n.exp == 0 && n.slot == -1 && n.seat == -1,
	        AUDIT_PENDING_NOTE);
	if (p->index >= 0) {
		audit_want(&f, p->why.n == 0, AUDIT_VOID_PENDING);
		audit_want(&f,
		        bytes_equal(p->tag, p->log_tag) || !bytes_equal(p->entry, p->log_entry),
		        AUDIT_PENDING_TAG);
		audit_want(&f,
		        bytes_equal(p->note, p->log_note) || !bytes_equal(p->entry, p->log_entry),
		        AUDIT_PENDING_NOTE);
		/* both, tag and entry: it is another entry altogether */
		if (!bytes_equal(p->entry, p->log_entry)) {
			bool one = bytes_equal(p->tag, p->log_tag);

			audit_found_add(&f, one ? AUDIT_PENDING_ENTRY : AUDIT_DONE_IDX);
			if (!one)
				audit_found_add(&f, AUDIT_PENDING_ID);
		}
	} else if (p->why.n > 0) {
		audit_want(&f, why_good(p->why), AUDIT_VOID_WHY);
	}
	/* what the log does not hold is bound by the row that it was made for */
	if (decoded && (e.type == ENTRY_MANIFEST || e.type == ENTRY_ROSTER))
		audit_want(&f, audit_trust_has(a, &e), AUDIT_PENDING_ENTRY);
	if (decoded && e.type == ENTRY_GENESIS)
		audit_want(&f, bytes_equal_text(e.iss, a->o->host), AUDIT_PENDING_ENTRY);
	if (decoded)
		audit_want(&f, p->created + 2 >= e.time && p->created <= e.time + MADE_S,
		        AUDIT_PENDING_CREATED);
	if (decoded && p->index < 0 && p->why.n == 0 && is_passed(a, &e) &&
	        p->created + PASSED_S < a->o->now) {
		audit_found_add(&f, AUDIT_PENDING_ID);
		audit_differ(a, "log_pending_void", "(row)", key, "waits, and the log is past it");
	}
	/* ids rise with time, but two that are written at once may cross */
	audit_want(&f, p->created + MADE_S >= *newest, AUDIT_PENDING_ID);
	if (p->created > *newest)
		*newest = p->created;
	audit_found_tell(a, &f, key, NULL);
}

/* ---- the memory of voided entries, in order of their ids ---- */

struct voids { /* what the next audit is to know */
	uint64_t to;
	uint8_t chain[SHA256_BYTES];
	bool open, compared;
};

static void
voids_compare(struct audit *a, struct voids *v, const uint8_t chain[SHA256_BYTES])
{
	if (!v->compared && a->last.size != 0 && memcmp(chain, a->last.voids, SHA256_BYTES) != 0)
		audit_differ(a, audit_table(AUDIT_PENDING_TAG), audit_column(AUDIT_PENDING_TAG),
		        "of voided entries", "is not what the last audit saw");
	v->compared = true;
}

/* What may still change, or may still come below it, ends what is remembered. */
static void
voids_see(struct audit *a, struct voids *v, const struct pending *p, uint8_t chain[SHA256_BYTES])
{
	uint8_t link[SHA256_BYTES + 8 + ENTRY_TAG_BYTES];

	if (p->id > a->last.voids_to)
		voids_compare(a, v, chain);
	v->open = v->open || (p->index < 0 && p->why.n == 0) || p->created + PASSED_S >= a->o->now;
	if (p->why.n != 0 && p->tag.n == ENTRY_TAG_BYTES) {
		memcpy(link, chain, SHA256_BYTES);
		be_put(link + SHA256_BYTES, p->id, 8);
		memcpy(link + SHA256_BYTES + 8, p->tag.p, ENTRY_TAG_BYTES);
		sha256_one(bytes_of(link, sizeof link), chain);
	}
	if (v->open)
		return;
	v->to = p->id;
	memcpy(v->chain, chain, SHA256_BYTES);
}

static enum err
pending_run(struct audit *a)
{
	struct voids v = {.open = false};
	uint8_t chain[SHA256_BYTES] = {0};
	int64_t after = 0, newest = 0;
	size_t count = PENDING_PAGE;
	enum err e = ERR_OK;

	while (e == ERR_OK && count == PENDING_PAGE) {
		struct pg_result *r;

		if ((e = audit_read(a, pending_sql, after, PENDING_PAGE, &r)) != ERR_OK)
			return e;
		count = pg_rows(r);
		for (size_t i = 0; i < count; i++) {
			struct pg_row row = pg_row(r, i);
			struct pending p;

			p.id = pg_next_uint(&row);
			p.entry = pg_next_bytes(&row);
			p.note = pg_next_bytes(&row);
			p.tag = pg_next_bytes(&row);
			p.created = pg_next_int(&row);
			p.index = pg_next_int(&row);
			p.why = pg_next_bytes(&row);
			p.log_entry = pg_next_bytes(&row);
			p.log_note = pg_next_bytes(&row);
			p.log_tag = pg_next_bytes(&row);
			after = (int64_t)p.id;
			pending_check(a, &p, &newest);
			voids_see(a, &v, &p, chain);
		}
		pg_result_free(r);
	}
	voids_compare(a, &v, chain);
	a->last.voids_to = v.to;
	memcpy(a->last.voids, v.chain, SHA256_BYTES);
	return e;
}

/* ---- tokens ---- */

struct token { /* a row of zz.publication */
	struct bytes cwt, jwt;
	uint64_t pending, list, sequence;
	int64_t created, pending_created;
	struct entry e; /* its entry 3, as it waited */
	bool decoded;
};

static bool
cwt_good(const struct audit *a, const struct token *t, struct status_token *out)
{
	const struct manifest_key *k;
	struct cose_sign1 m;

	return status_cwt_decode(t->cwt, &m, out) == ERR_OK &&
	       (k = audit_key_below(a, UINT64_MAX, m.kid, KEY_STATUS)) != NULL &&
	       cose_verify(&m, k->key, STATUS_CWT_TYPE) == ERR_OK;
}

/* The stream holds the list whose hash the entry names. */
static bool
raw_good(const struct token *t, const struct status_token *s)
{
	uint8_t *raw = audit_grow(NULL, LIST_BYTES, 1), hash[SHA256_BYTES];
	bool good = status_inflate(s->lst, raw, LIST_BYTES) == ERR_OK;

	if (good) {
		sha256_one(bytes_of(raw, LIST_BYTES), hash);
		good = memcmp(hash, t->e.raw_sha256, sizeof hash) == 0;
	}
	free(raw);
	return good;
}

static bool
json_is(const json_t *json, const char *name, int64_t want)
{
	const json_t *v = json_object_get(json, name);

	return json_is_integer(v) && json_integer_value(v) == want;
}

/* The JWT says what the CWT says. */
static bool
claims_same(const json_t *json, const struct status_token *s)
{
	const json_t *list = json_object_get(json, "status_list"),
	             *version = json_object_get(json, "zz_version");
	const char *sub = json_string_value(json_object_get(json, "sub")),
	           *lst = json_string_value(json_object_get(list, "lst")),
	           *previous = json_string_value(json_array_get(version, 1));
	uint8_t *room = audit_grow(NULL, TOKEN_BYTES_MAX, 1), hash[SHA256_BYTES];
	struct buf b = buf_init(room, TOKEN_BYTES_MAX);
	bool good = sub != NULL && lst != NULL && previous != NULL &&
	            bytes_equal_text(s->uri, sub) && json_is(json, "iat", s->iat) &&
	            json_is(json, "exp", s->exp) && json_is(json, "ttl", s->ttl) &&
	            json_is(list, "bits", 2) && json_array_size(version) == 2 &&
	            json_integer_value(json_array_get(version, 0)) == (json_int_t)s->sequence &&
	            hex_decode(bytes_of_text(previous), hash, sizeof hash) == ERR_OK &&
	            memcmp(hash, s->previous, sizeof hash) == 0 &&
	            base64url_get(bytes_of_text(lst), &b) == ERR_OK &&
	            bytes_equal(buf_bytes(&b), s->lst);

	free(room);
	return good && json_object_size(json) == 6 && json_object_size(list) == 2;
}

static bool
jwt_good(const struct audit *a, const struct token *t, const struct status_token *s)
{
	uint8_t *room = audit_grow(NULL, TOKEN_BYTES_MAX, 1);
	const struct manifest *m = audit_manifest_newest(a);
	struct buf b = buf_init(room, TOKEN_BYTES_MAX);
	bool known = false, good = false;
	json_t *json = NULL;
	struct jws j;

	if (jws_decode(t->jwt, TOKEN_BYTES_MAX, &j) != ERR_OK || strcmp(j.typ, STATUS_JWT_TYP) != 0)
		goto out;
	for (size_t i = 0; m != NULL && i < m->key_count; i++)
		known = known || (m->keys[i].purpose == KEY_STATUS &&
		                         jws_verify(&j, m->keys[i].key) == ERR_OK);
	good = known && jws_payload(&j, &b) == ERR_OK &&
	       json_read(buf_bytes(&b), TOKEN_BYTES_MAX, &json) == ERR_OK && claims_same(json, s);
out:
	json_decref(json);
	free(room);
	return good;
}

static bool
hash_is(struct bytes in, const uint8_t want[SHA256_BYTES])
{
	uint8_t hash[SHA256_BYTES];

	sha256_one(in, hash);
	return memcmp(hash, want, sizeof hash) == 0;
}

static void
token_check(struct audit *a, const struct token *t)
{
	struct audit_found f = {0};
	struct status_token s;
	char key[80];

	snprintf(key, sizeof key, "list=%" PRIu64 " sequence=%" PRIu64, t->list, t->sequence);
	if (!t->decoded || t->e.type != ENTRY_LIST) {
		audit_differ_at(a, AUDIT_PUBLICATION_PENDING, key, "no entry 3 waits under it");
		return;
	}
	if (!hash_is(t->cwt, t->e.cwt_sha256) && !hash_is(t->jwt, t->e.jwt_sha256)) {
		/* the tokens are of another entry */
		audit_found_add(&f, AUDIT_PUBLICATION_PENDING);
	} else {
		audit_want(&f, hash_is(t->cwt, t->e.cwt_sha256), AUDIT_PUBLICATION_CWT);
		audit_want(&f, hash_is(t->jwt, t->e.jwt_sha256), AUDIT_PUBLICATION_JWT);
	}
	audit_want(&f, t->list == t->e.list, AUDIT_PUBLICATION_LIST);
	audit_want(&f, t->sequence == t->e.sequence, AUDIT_PUBLICATION_SEQUENCE);
	audit_want(&f, t->created == t->pending_created, AUDIT_PUBLICATION_CREATED);
	if (f.count == 0) {
		audit_want(&f,
		        cwt_good(a, t, &s) && raw_good(t, &s) && s.list == t->e.list &&
		                s.sequence == t->e.sequence && s.iat == t->e.this_update &&
		                s.exp == t->e.next_update &&
		                memcmp(s.previous, t->e.previous_sha256, SHA256_BYTES) == 0,
		        AUDIT_PUBLICATION_CWT);
		if (f.count == 0)
			audit_want(&f, jwt_good(a, t, &s), AUDIT_PUBLICATION_JWT);
	}
	audit_found_tell(a, &f, key, NULL);
}

static enum err
tokens_run(struct audit *a)
{
	size_t count = TOKEN_PAGE;
	int64_t after = 0;
	enum err e = ERR_OK;

	while (e == ERR_OK && count == TOKEN_PAGE) {
		struct pg_result *r;

		if ((e = audit_read(a, tokens_sql, after, TOKEN_PAGE, &r)) != ERR_OK)
			return e;
		count = pg_rows(r);
		for (size_t i = 0; i < count; i++) {
			struct pg_row row = pg_row(r, i);
			struct token t;

			t.pending = pg_next_uint(&row);
			t.list = pg_next_uint(&row);
			t.sequence = pg_next_uint(&row);
			t.cwt = pg_next_bytes(&row);
			t.jwt = pg_next_bytes(&row);
			t.created = pg_next_int(&row);
			t.decoded = entry_decode(pg_next_bytes(&row), &t.e) == ERR_OK;
			t.pending_created = pg_next_int(&row);
			after = (int64_t)t.pending;
			token_check(a, &t);
		}
		pg_result_free(r);
	}
	return e;
}

static enum err
orphans_tell(struct audit *a)
{
	static const struct {
		const char *table, *column, *key, *why;
	} kinds[] = {{"log_pending", "id", "id", "the log has it, under another id"},
	        {"log_pending_done", "pending", "pending", "nothing waited under it"},
	        {"log_pending", "(row)", "id", "is missing, the log has its entry"},
	        {"log_pending_void", "pending", "pending", "nothing waited under it"},
	        {"log_pending_done", "idx", "pending", "no such entry"},
	        {"log_pending_done", "idx", "idx", "nobody brought this entry"},
	        {"log_pending", "id", "id", "its token is missing"},
	        {"publication", "(row)", "pending", "is missing, the log has its entry"},
	        {"log_pending_void", "(row)", "pending", "the log has passed it over"}};
	struct pg_result *r;
	enum err e = audit_read(a, orphans_sql, 0, 0, &r);

	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < pg_rows(r); i++) {
		struct pg_row row = pg_row(r, i);
		size_t k = (size_t)pg_next_int(&row);
		char key[60];

		snprintf(key, sizeof key, "%s=%" PRIu64, kinds[k].key, pg_next_uint(&row));
		audit_differ(a, kinds[k].table, kinds[k].column, key, kinds[k].why);
		/* what it hung on may be what is missing */
		if (k == 2)
			audit_differ_at(a, AUDIT_DONE_PENDING, key, "nothing waited under it");
		if (k == 3)
			audit_differ_at(a, AUDIT_PENDING_ID, key, "is missing");
	}
	pg_result_free(r);
	return ERR_OK;
}

enum err
audit_pending_run(struct audit *a)
{
	enum err e;

	audit_phase(a, "publications", 0);
	if ((e = pending_run(a)) != ERR_OK || (e = orphans_tell(a)) != ERR_OK)
		return e;
	return tokens_run(a);
}
