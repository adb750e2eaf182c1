/* audit_trust.c - manifests and rosters verify under the root, agree with their entries, and are
 * looked up by the log's own order. */
#include "audit_trust.h"
#include "base64.h"
#include "json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROSTERS_KEPT = 4 };

struct version {                 /* of a manifest or roster, as the log names it */
	uint64_t version, index; /* UINT64_MAX: no entry */
	int64_t time;
	uint8_t sha256[SHA256_BYTES];
	bool there;                 /* has a row */
	uint8_t held[SHA256_BYTES]; /* of the row */
	/* manifest */
	uint8_t *bytes;
	struct manifest m;
	bool open;
	/* roster */
	struct roster *roster;
	uint64_t used;
};
struct versions {
	struct version *rows;
	size_t count;
};
struct audit_trust {
	struct versions manifests, rosters; /* by index, then those without an entry */
	struct audit_stop *stops;
	size_t stop_count;
	struct cut_off {
		uint8_t kid[KEY_KID_BYTES];
		uint64_t index;
	} * cuts;
	size_t cut_count;
	uint64_t clock;
};

static struct version *
version_add(struct versions *v, uint64_t version)
{
	v->rows = audit_grow(v->rows, v->count + 1, sizeof *v->rows);
	memset(&v->rows[v->count], 0, sizeof *v->rows);
	v->rows[v->count].version = version;
	v->rows[v->count].index = UINT64_MAX;
	return &v->rows[v->count++];
}

static struct version *
version_find(struct versions *v, uint64_t version)
{
	for (size_t i = 0; i < v->count; i++)
		if (v->rows[i].version == version)
			return &v->rows[i];
	return NULL;
}

static void
stop_add(struct audit_trust *t, uint64_t index, struct bytes entry, struct bytes note)
{
	struct audit_stop *s;

	if (entry.n > ENTRY_BYTES_MAX || note.n > NOTE_BYTES_MAX)
		return;
	t->stops = audit_grow(t->stops, t->stop_count + 1, sizeof *t->stops);
	s = &t->stops[t->stop_count++];
	memset(s, 0, sizeof *s);
	s->index = index;
	s->entry_n = entry.n;
	s->note_n = note.n;
	memcpy(s->entry, entry.p, entry.n);
	if (note.n > 0)
		memcpy(s->note, note.p, note.n);
}

static void
cut_add(struct audit_trust *t, uint64_t index, struct bytes kid)
{
	t->cuts = audit_grow(t->cuts, t->cut_count + 1, sizeof *t->cuts);
	memcpy(t->cuts[t->cut_count].kid, kid.p, KEY_KID_BYTES);
	t->cuts[t->cut_count++].index = index;
}

/* Views of the copies, once they no longer move. */
static void
stops_decode(struct audit_trust *t)
{
	for (size_t i = 0; i < t->stop_count; i++) {
		struct audit_stop *s = &t->stops[i];

		if (entry_decode(bytes_of(s->entry, s->entry_n), &s->e) != ERR_OK ||
		        entry_note_decode(bytes_of(s->note, s->note_n), &s->n) != ERR_OK)
			s->e.type = ENTRY_GENESIS; /* the log's pass tells */
	}
}

static enum err
entries_take(struct audit *a)
{
	static const char sql[] =
	        "SELECT e.idx, e.entry, e.note FROM zz.log_entry e WHERE substring(e.entry, 2, 2) "
	        "IN ('\\x0104', '\\x0105', '\\x0106', '\\x0107') ORDER BY e.idx";
	struct pg_result *r;
	enum err e = audit_read_text(a, sql, &r);

	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < pg_rows(r); i++) {
		struct pg_row row = pg_row(r, i);
		uint64_t index = pg_next_uint(&row);
		struct bytes bytes = pg_next_bytes(&row), note = pg_next_bytes(&row);
		struct version *v;
		struct entry entry;

		if (entry_decode(bytes, &entry) != ERR_OK)
			continue; /* the log's pass tells */
		if (entry.type == ENTRY_STOP) {
			stop_add(a->trust, index, bytes, note);
			continue;
		}
		if (entry.type == ENTRY_CUTOFF) {
			cut_add(a->trust, index, entry.kid);
			continue;
		}
		v = version_add(
		        entry.type == ENTRY_MANIFEST ? &a->trust->manifests : &a->trust->rosters,
		        entry.sequence);
		v->index = index;
		v->time = entry.time;
		memcpy(v->sha256, entry.sha256, SHA256_BYTES);
	}
	pg_result_free(r);
	stops_decode(a->trust);
	return ERR_OK;
}

static int64_t
roster_iat(struct bytes text)
{
	uint8_t *room = malloc(text.n + 1);
	struct buf b = buf_init(room, room == NULL ? 0 : text.n + 1);
	json_t *json = NULL;
	int64_t iat = 0;
	struct jws j;

	if (room != NULL && jws_decode(text, ROSTER_BYTES_MAX, &j) == ERR_OK &&
	        jws_payload(&j, &b) == ERR_OK &&
	        json_read(buf_bytes(&b), ROSTER_BYTES_MAX, &json) == ERR_OK)
		iat = json_integer_value(json_object_get(json, "iat"));
	json_decref(json);
	free(room);
	return iat;
}

struct document { /* a row of either table */
	uint64_t version;
	struct bytes message, sha256;
	int64_t created;
};

static void
document_check(struct audit_found *f, const struct document *d, struct version *v,
        const enum audit_column c[4])
{
	bool signed_well = f->count == 0;
	uint8_t hash[SHA256_BYTES];

	sha256_one(d->message, hash);
	memcpy(v->held, hash, sizeof hash);
	audit_want(f, bytes_equal(d->sha256, bytes_of(hash, sizeof hash)), c[2]);
	if (v->index == UINT64_MAX)
		return;
	/* what the root signed is right, and the entry is not */
	audit_want(f, memcmp(v->sha256, hash, sizeof hash) == 0,
	        signed_well ? AUDIT_ENTRY_ENTRY : c[1]);
	audit_want(f, d->created <= v->time + AUDIT_SLACK_S, c[3]);
}

static void
manifest_take(struct audit *a, const struct document *d)
{
	static const enum audit_column c[4] = {AUDIT_MANIFEST_VERSION, AUDIT_MANIFEST_MESSAGE,
	        AUDIT_MANIFEST_SHA256, AUDIT_MANIFEST_CREATED};
	struct version *v = version_find(&a->trust->manifests, d->version);
	struct audit_found f = {0};
	char key[40];

	snprintf(key, sizeof key, "version=%" PRIu64, d->version);
	if (v == NULL)
		v = version_add(&a->trust->manifests, d->version);
	v->there = true;
	v->bytes = audit_grow(NULL, d->message.n, 1);
	memcpy(v->bytes, d->message.p, d->message.n);
	v->open = manifest_open(bytes_of(v->bytes, d->message.n), a->root, &v->m) == ERR_OK;
	if (v->open && v->m.version != d->version)
		audit_found_add(&f, c[0]);
	audit_want(&f, v->open, c[1]);
	if (v->open) {
		audit_want(&f, bytes_equal_text(v->m.iss, a->o->host), c[1]);
		audit_want(&f, d->created + IAT_AHEAD_S_MAX >= v->m.iat, c[3]);
	}
	document_check(&f, d, v, c);
	audit_found_tell(a, &f, key, "is not what the root signed and the log names");
}

static void
roster_take(struct audit *a, const struct document *d)
{
	static const enum audit_column c[4] = {
	        AUDIT_ROSTER_VERSION, AUDIT_ROSTER_JWS, AUDIT_ROSTER_SHA256, AUDIT_ROSTER_CREATED};
	struct version *v = version_find(&a->trust->rosters, d->version);
	struct roster *roster = NULL;
	struct audit_found f = {0};
	char key[40];

	snprintf(key, sizeof key, "version=%" PRIu64, d->version);
	if (v == NULL)
		v = version_add(&a->trust->rosters, d->version);
	v->there = true;
	if (roster_read(d->message, a->root, &roster) == ERR_OK) {
		audit_want(&f, roster_version(roster) == d->version, c[0]);
		roster_free(roster);
	} else {
		audit_found_add(&f, c[1]);
	}
	audit_want(&f, d->created + IAT_AHEAD_S_MAX >= roster_iat(d->message), c[3]);
	document_check(&f, d, v, c);
	audit_found_tell(a, &f, key, "is not what the root signed and the log names");
}

static enum err
documents_take(
        struct audit *a, const char *sql, void (*take)(struct audit *, const struct document *))
{
	struct pg_result *r;
	enum err e = audit_read_text(a, sql, &r);

	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < pg_rows(r); i++) {
		struct pg_row row = pg_row(r, i);
		struct document d;

		d.version = pg_next_uint(&row);
		d.message = pg_next_bytes(&row);
		d.sha256 = pg_next_bytes(&row);
		d.created = pg_next_int(&row);
		take(a, &d);
	}
	pg_result_free(r);
	return ERR_OK;
}

static void
rows_missing(struct audit *a, const struct versions *v, const char *table)
{
	for (size_t i = 0; i < v->count; i++) {
		char key[40];

		snprintf(key, sizeof key, "version=%" PRIu64, v->rows[i].version);
		if (!v->rows[i].there)
			audit_differ(a, table, "(row)", key, "is missing, the log names it");
	}
}

enum err
audit_trust_run(struct audit *a)
{
	enum err e;

	audit_phase(a, "trust", 0);
	a->trust = calloc(1, sizeof *a->trust);
	if (a->trust == NULL)
		return ERR_MEMORY;
	if ((e = entries_take(a)) != ERR_OK ||
	        (e = documents_take(a,
	                 "SELECT version, message, sha256, created_at FROM zz.manifest "
	                 "ORDER BY version",
	                 manifest_take)) != ERR_OK ||
	        (e = documents_take(a,
	                 "SELECT version, jws, sha256, created_at FROM zz.roster ORDER BY version",
	                 roster_take)) != ERR_OK)
		return e;
	rows_missing(a, &a->trust->manifests, "manifest");
	rows_missing(a, &a->trust->rosters, "roster");
	return ERR_OK;
}

bool
audit_trust_has(const struct audit *a, const struct entry *e)
{
	const struct version *v = version_find(
	        e->type == ENTRY_MANIFEST ? &a->trust->manifests : &a->trust->rosters, e->sequence);

	return v != NULL && v->there && memcmp(v->held, e->sha256, SHA256_BYTES) == 0;
}

void
audit_trust_free(struct audit_trust *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->manifests.count; i++) {
		if (t->manifests.rows[i].open)
			manifest_close(&t->manifests.rows[i].m);
		free(t->manifests.rows[i].bytes);
	}
	for (size_t i = 0; i < t->rosters.count; i++)
		roster_free(t->rosters.rows[i].roster);
	free(t->manifests.rows);
	free(t->rosters.rows);
	free(t->stops);
	free(t->cuts);
	free(t);
}

const struct manifest *
audit_manifest_below(const struct audit *a, uint64_t index)
{
	const struct versions *v = &a->trust->manifests;
	const struct manifest *found = NULL;

	for (size_t i = 0; i < v->count; i++)
		if (v->rows[i].index < index && v->rows[i].open)
			found = &v->rows[i].m;
	return found;
}

const struct manifest *
audit_manifest_newest(const struct audit *a)
{
	return audit_manifest_below(a, UINT64_MAX);
}

const struct manifest_key *
audit_key_below(const struct audit *a, uint64_t index, struct bytes kid, enum key_purpose purpose)
{
	const struct versions *v = &a->trust->manifests;

	for (size_t i = v->count; i-- > 0;) {
		const struct manifest_key *k;

		if (v->rows[i].index >= index || !v->rows[i].open)
			continue;
		if ((k = manifest_find(&v->rows[i].m, kid, purpose)) != NULL)
			return k;
	}
	return NULL;
}

bool
audit_cut_below(const struct audit *a, uint64_t index, struct bytes kid)
{
	const struct audit_trust *t = a->trust;

	for (size_t i = 0; i < t->cut_count; i++)
		if (t->cuts[i].index < index && memcmp(t->cuts[i].kid, kid.p, KEY_KID_BYTES) == 0)
			return true;
	return false;
}

/* Read again where it was forgotten; the row was judged before. */
static const struct roster *
roster_get(struct audit *a, struct version *v)
{
	struct pg_result *r;

	v->used = ++a->trust->clock;
	if (v->roster != NULL || !v->there)
		return v->roster;
	if (audit_read(a, "SELECT jws FROM zz.roster WHERE version = $1::int8 AND $2::int8 = 0",
	            (int64_t)v->version, 0, &r) != ERR_OK)
		return NULL;
	if (pg_rows(r) == 1) {
		struct pg_row row = pg_row(r, 0);

		err_ignore(roster_read(pg_next_bytes(&row), a->root, &v->roster));
	}
	pg_result_free(r);
	return v->roster;
}

const struct roster *
audit_roster_below(struct audit *a, uint64_t index)
{
	struct versions *v = &a->trust->rosters;
	struct version *found = NULL;

	for (size_t i = 0; i < v->count; i++)
		if (v->rows[i].index < index)
			found = &v->rows[i];
	return found == NULL ? NULL : roster_get(a, found);
}

void
audit_rosters_at(struct audit *a, int64_t time, struct audit_rosters *out)
{
	struct versions *v = &a->trust->rosters;
	struct version *now = NULL, *before = NULL;

	for (size_t i = 0; i < v->count; i++)
		if (v->rows[i].index != UINT64_MAX && v->rows[i].time <= time + AUDIT_SLACK_S) {
			before = now;
			now = &v->rows[i];
		}
	/* one that came long ago leaves no doubt */
	if (now != NULL && now->time + AUDIT_SLACK_S < time)
		before = NULL;
	out->r[0] = now == NULL ? NULL : roster_get(a, now);
	out->r[1] = before == NULL ? NULL : roster_get(a, before);
}

void
audit_rosters_trim(struct audit *a)
{
	struct versions *v = &a->trust->rosters;

	for (size_t i = 0; i < v->count; i++) {
		if (v->rows[i].roster == NULL || v->rows[i].used + ROSTERS_KEPT > a->trust->clock)
			continue;
		roster_free(v->rows[i].roster);
		v->rows[i].roster = NULL;
	}
}

const struct audit_stop *
audit_stops(const struct audit *a, size_t *count)
{
	*count = a->trust->stop_count;
	return a->trust->stops;
}

bool
audit_stopped(const struct audit *a, struct bytes name, uint64_t index)
{
	bool stopped = false;

	for (size_t i = 0; i < a->trust->stop_count; i++) {
		const struct audit_stop *s = &a->trust->stops[i];

		if (s->index < index && s->e.type == ENTRY_STOP && bytes_equal(s->e.center, name))
			stopped = !s->e.resumed;
	}
	return stopped;
}
