/* admin_manifest.c - zz-admin manifest, sign-manifest: the next manifest goes by a text that a
 * person reads, and the root signs exactly what that text says. */
#include "admin_manifest.h"
#include "base64.h"
#include "crl.h"
#include "date.h"
#include "file.h"
#include "manifest.h"
#include "note.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = MANIFEST_BYTES_MAX, YEAR_S = 365 * 86400, KID_HEX = 2 * KEY_KID_BYTES };

/* For how many years a new key signs. */
static const int64_t years[] = {[KEY_RECORD] = 1, [KEY_STATUS] = 2, [KEY_LOG] = 10, [KEY_CRL] = 10};

/* ---- the draft ---- */

static json_t *
json_time(int64_t t)
{
	char room[32];
	struct buf b = BUF_OF(room);

	time_put_utc(&b, t);
	return json_stringn(room, b.n);
}

static json_t *
json_bytes(struct bytes v)
{
	char *room = malloc(BASE64URL_CHARS(v.n) + 1);
	struct buf b = buf_init((uint8_t *)room, room == NULL ? 0 : BASE64URL_CHARS(v.n) + 1);
	json_t *text = NULL;

	base64url_put(&b, v);
	if (!b.failed)
		text = json_stringn(room, b.n);
	free(room);
	return text;
}

static json_t *
json_key(const struct manifest_key *k)
{
	char hex[KID_HEX + 1];
	json_t *row = NULL;

	hex_encode(k->kid, hex);
	row = json_pack("{s:s,s:s,s:o,s:o,s:o,s:s}", "kid", hex, "purpose",
	        key_purpose_word(k->purpose), "key", json_bytes(k->cose_key), "not_before",
	        json_time(k->not_before), "not_after", json_time(k->not_after), "kept",
	        k->soft ? "software" : "device");
	if (row != NULL && k->last_size != UINT64_MAX)
		json_object_set_new(
		        row, "last_valid_tree_size", json_integer((json_int_t)k->last_size));
	return row;
}

static enum key_purpose
purpose_of(struct bytes word)
{
	for (unsigned p = KEY_RECORD; p <= KEY_CRL; p++)
		if (bytes_equal_text(word, key_purpose_word((enum key_purpose)p)))
			return (enum key_purpose)p;
	return KEY_ROOT;
}

static uint64_t
cut_at(const struct signer_keys *held, struct bytes kid, uint64_t otherwise)
{
	for (size_t i = 0; i < held->cut_count; i++)
		if (bytes_equal(held->cuts[i].kid, kid))
			return held->cuts[i].last_size;
	return otherwise;
}

/* A key that the signer holds and the manifest in force does not name. */
static enum err
new_row(const struct manifest *m, const struct signer_key *k, int64_t from, json_t *rows)
{
	struct manifest_key row = {.cose_key = k->cose_key,
	        .purpose = purpose_of(k->purpose),
	        .not_before = from,
	        .last_size = UINT64_MAX,
	        .soft = k->soft};
	struct key *key = NULL;
	enum err e = key_from_cose(k->cose_key, &key);

	if (e != ERR_OK)
		return e;
	row.kid = key_kid(key);
	if (row.purpose != KEY_ROOT && !k->dropped &&
	        manifest_find(m, row.kid, row.purpose) == NULL) {
		row.not_after = from + years[row.purpose] * YEAR_S;
		json_array_append_new(rows, json_key(&row));
	}
	key_free(key);
	return ERR_OK;
}

/* Certificates of CRL keys, the newest first; not of one that was cut off. */
static enum err
certificates_put(const struct signer_keys *held, json_t *rows)
{
	for (size_t i = held->key_count; i-- > 0;) {
		const struct signer_key *k = &held->keys[i];
		struct key *key = NULL;
		enum err e = ERR_OK;

		if (k->ca.n == 0 || k->dropped)
			continue;
		if ((e = key_from_cose(k->cose_key, &key)) != ERR_OK)
			return e;
		if (cut_at(held, key_kid(key), UINT64_MAX) == UINT64_MAX)
			json_array_append_new(rows, json_bytes(k->ca));
		key_free(key);
	}
	return ERR_OK;
}

static enum err
draft_make(const struct manifest *m, const struct signer_keys *held, const int64_t times[2],
        json_t **out)
{
	json_t *keys = json_array(), *cas = json_array(), *witnesses = json_array();
	char hex[2 * SHA256_BYTES + 1];
	enum err e = ERR_OK;

	for (size_t i = 0; i < m->key_count; i++) {
		struct manifest_key k = m->keys[i];

		k.last_size = cut_at(held, k.kid, k.last_size);
		json_array_append_new(keys, json_key(&k));
	}
	for (size_t i = 0; e == ERR_OK && i < held->key_count; i++)
		e = new_row(m, &held->keys[i], times[1], keys);
	if (e == ERR_OK)
		e = certificates_put(held, cas);
	for (size_t i = 0; i < m->witness_count; i++)
		json_array_append_new(witnesses,
		        json_stringn((const char *)m->witnesses[i].p, m->witnesses[i].n));
	if (e == ERR_OK)
		*out = json_pack("{s:s%,s:I,s:o,s:s%,s:s%,s:O,s:O,s:O,s:I}", "host", m->iss.p,
		        m->iss.n, "version", (json_int_t)m->version + 1, "iat", json_time(times[0]),
		        "name_zh", m->name_zh.p, m->name_zh.n, "name_en", m->name_en.p,
		        m->name_en.n, "keys", keys, "crl_ca", cas, "witnesses", witnesses, "quorum",
		        (json_int_t)m->quorum);
	if (e == ERR_OK && *out != NULL && m->transcript.n > 0) {
		hex_encode(m->transcript, hex);
		json_object_set_new(*out, "transcript_sha256", json_string(hex));
	}
	json_decref(keys);
	json_decref(cas);
	json_decref(witnesses);
	return e == ERR_OK && *out == NULL ? ERR_MEMORY : e;
}

enum admin_exit
admin_manifest_draft(
        const struct config *c, struct admin_peers *p, int64_t now, int64_t from, json_t **out)
{
	const int64_t times[2] = {now, from};
	struct signer_keys held;
	struct key *root = NULL;
	struct manifest m;
	uint8_t *bytes = NULL;
	size_t n = 0;
	enum admin_exit x = ADMIN_DONE;
	enum err e = admin_root(c, &root);

	if (e == ERR_OK)
		e = admin_trust_read(c, "manifest.cose", &bytes, &n);
	if (e != ERR_OK || (e = manifest_open(bytes_of(bytes, n), root, &m)) != ERR_OK) {
		x = admin_fault("trust/manifest.cose", e);
	} else {
		if ((e = signer_keys(p->signer, bytes_of(NULL, 0), &held)) != ERR_OK ||
		        (e = draft_make(&m, &held, times, out)) != ERR_OK)
			x = admin_fault("manifest", e);
		manifest_close(&m);
	}
	free(bytes);
	key_free(root);
	return x;
}

/* ---- from the text to the message ---- */

struct reading {
	struct manifest m;
	struct buf room; /* what views point to */
	enum err e;
};

static struct bytes
text_of(struct reading *r, const json_t *object, const char *name)
{
	const json_t *v = name == NULL ? object : json_object_get(object, name);

	if (!json_is_string(v)) {
		r->e = ERR_FIELD_INVALID;
		return bytes_of(NULL, 0);
	}
	return bytes_of(json_string_value(v), json_string_length(v));
}

static int64_t
time_of(struct reading *r, const json_t *object, const char *name)
{
	int64_t t = 0;

	if (time_decode(text_of(r, object, name), &t) != ERR_OK)
		r->e = ERR_FIELD_INVALID;
	return t;
}

static uint64_t
number_of(struct reading *r, const json_t *object, const char *name)
{
	const json_t *v = json_object_get(object, name);

	if (!json_is_integer(v) || json_integer_value(v) < 0)
		r->e = ERR_FIELD_INVALID;
	return (uint64_t)json_integer_value(v);
}

static struct bytes
bytes_read(struct reading *r, struct bytes text)
{
	size_t start = r->room.n;

	if (r->e == ERR_OK && base64url_get(text, &r->room) != ERR_OK)
		r->e = ERR_FIELD_INVALID;
	return bytes_of(r->room.p + start, r->room.n - start);
}

static void
key_read(struct reading *r, const json_t *row, struct manifest_key *k)
{
	uint8_t *kid = buf_room(&r->room, KEY_KID_BYTES);
	struct bytes kept;

	if (kid == NULL || hex_decode(text_of(r, row, "kid"), kid, KEY_KID_BYTES) != ERR_OK)
		r->e = ERR_FIELD_INVALID;
	k->kid = bytes_of(kid, KEY_KID_BYTES);
	k->purpose = purpose_of(text_of(r, row, "purpose"));
	k->cose_key = bytes_read(r, text_of(r, row, "key"));
	k->not_before = time_of(r, row, "not_before");
	k->not_after = time_of(r, row, "not_after");
	k->last_size = UINT64_MAX;
	if (json_object_get(row, "last_valid_tree_size") != NULL)
		k->last_size = number_of(r, row, "last_valid_tree_size");
	/* a misspelt member must not pass as an absent one */
	kept = text_of(r, row, "kept");
	k->soft = bytes_equal_text(kept, "software");
	if (!k->soft && !bytes_equal_text(kept, "device"))
		r->e = ERR_FIELD_INVALID;
	if (json_object_size(row) != (k->last_size == UINT64_MAX ? 6U : 7U) ||
	        k->purpose == KEY_ROOT)
		r->e = ERR_FIELD_UNKNOWN;
}

static void
lists_read(struct reading *r, const json_t *draft)
{
	const json_t *keys = json_object_get(draft, "keys"),
	             *cas = json_object_get(draft, "crl_ca"),
	             *witnesses = json_object_get(draft, "witnesses");
	size_t start;

	if (json_array_size(keys) > MANIFEST_KEYS_MAX || json_array_size(witnesses) > 16) {
		r->e = ERR_LIMIT;
		return;
	}
	for (size_t i = 0; i < json_array_size(keys); i++)
		key_read(r, json_array_get(keys, i), &r->m.keys[r->m.key_count++]);
	start = r->room.n;
	for (size_t i = 0; i < json_array_size(cas); i++)
		(void)bytes_read(r, text_of(r, json_array_get(cas, i), NULL));
	r->m.crl_ca = bytes_of(r->room.p + start, r->room.n - start);
	for (size_t i = 0; i < json_array_size(witnesses); i++)
		r->m.witnesses[r->m.witness_count++] =
		        text_of(r, json_array_get(witnesses, i), NULL);
}

/* The verifier key to pin: of the Ed25519 log key that signs now and began last. */
static enum err
log_key_find(const struct manifest *m, struct key **out)
{
	int64_t newest = INT64_MIN;
	struct key *found = NULL;
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < m->key_count; i++) {
		const struct manifest_key *k = &m->keys[i];
		struct key *log = NULL;

		if (k->purpose != KEY_LOG || k->last_size != UINT64_MAX || m->iat < k->not_before ||
		        m->iat >= k->not_after || k->not_before < newest ||
		        (e = key_from_cose(k->cose_key, &log)) != ERR_OK)
			continue;
		if (key_suite(log) == KEY_ED25519) {
			key_free(found);
			found = log;
			newest = k->not_before;
		} else {
			key_free(log);
		}
	}
	if (e == ERR_OK && found != NULL) {
		*out = found;
		return ERR_OK;
	}
	key_free(found);
	return e == ERR_OK ? ERR_FIELD_MISSING : e;
}

static struct bytes
spelled(struct reading *r, const char *before, const char *after)
{
	size_t start = r->room.n;

	buf_put_text(&r->room, before);
	buf_put(&r->room, r->m.iss);
	buf_put_text(&r->room, after);
	return bytes_of(r->room.p + start, r->room.n - start);
}

static void
draft_read(const json_t *draft, struct reading *r)
{
	struct key *log = NULL;
	size_t start;

	if (json_object_get(draft, "transcript_sha256") != NULL) {
		r->m.transcript = bytes_of(buf_room(&r->room, SHA256_BYTES), SHA256_BYTES);
		if (hex_decode(text_of(r, draft, "transcript_sha256"),
		            r->room.p + r->room.n - SHA256_BYTES, SHA256_BYTES) != ERR_OK)
			r->e = ERR_FIELD_INVALID;
	}
	if (json_object_size(draft) != (r->m.transcript.n == 0 ? 9U : 10U))
		r->e = ERR_FIELD_UNKNOWN;
	r->m.iss = text_of(r, draft, "host");
	r->m.version = number_of(r, draft, "version");
	r->m.iat = time_of(r, draft, "iat");
	r->m.name_zh = text_of(r, draft, "name_zh");
	r->m.name_en = text_of(r, draft, "name_en");
	r->m.quorum = number_of(r, draft, "quorum");
	lists_read(r, draft);
	r->m.origin = spelled(r, "", "/log");
	r->m.status_prefix = spelled(r, "https://", "/status/");
	if (r->e == ERR_OK && (r->e = log_key_find(&r->m, &log)) == ERR_OK) {
		start = r->room.n;
		note_vkey_put(&r->room, r->m.origin, log);
		r->m.log_vkey = bytes_of(r->room.p + start, r->room.n - start);
	}
	key_free(log);
	if (r->e == ERR_OK)
		r->e = buf_end(&r->room);
}

enum err
admin_manifest_write(
        const json_t *draft, const struct key *root, const char *path, uint64_t *version)
{
	uint8_t out_room[MANIFEST_BYTES_MAX];
	struct buf out = BUF_OF(out_room);
	struct manifest again;
	struct reading *r = calloc(1, sizeof *r);
	enum err e = ERR_MEMORY;

	if (r == NULL)
		return e;
	r->room = buf_init(malloc(ROOM), ROOM);
	if (r->room.p == NULL)
		goto out;
	draft_read(draft, r);
	if ((e = r->e) != ERR_OK || (e = manifest_sign(&r->m, root, &out)) != ERR_OK ||
	        (e = manifest_open(buf_bytes(&out), root, &again)) != ERR_OK)
		goto out;
	*version = again.version;
	manifest_close(&again);
	e = file_write(path, buf_bytes(&out), 0644);
out:
	free(r->room.p);
	free(r);
	return e;
}

/* ---- files that others pin ---- */

static enum err
file_follow(const struct config *c, const char *name, struct bytes text)
{
	char folder[CONFIG_TEXT_MAX], path[FILE_PATH_MAX];
	uint8_t *held = NULL;
	size_t n = 0;
	enum err e = admin_trust_read(c, name, &held, &n);
	bool same = e == ERR_OK && bytes_equal(bytes_of(held, n), text);

	free(held);
	if (same)
		return ERR_OK;
	config_path(c, c->trust_dir, folder, sizeof folder);
	if ((e = admin_path(path, folder, name)) != ERR_OK ||
	        (e = file_write(path, text, 0644)) != ERR_OK)
		return e;
	printf("%s is new: give it to those who pin it\n", path);
	return ERR_OK;
}

static enum err
pinned_write(const struct config *c, const struct manifest *m)
{
	struct buf b = buf_init(malloc(ROOM * 2), ROOM * 2);
	enum err e = b.p == NULL ? ERR_MEMORY : crl_ca_pem(m->crl_ca, &b);

	if (e == ERR_OK)
		e = file_follow(c, "crl-ca.pem", buf_bytes(&b));
	b.n = 0;
	buf_put(&b, m->log_vkey);
	buf_put_u8(&b, '\n');
	if (e == ERR_OK && (e = buf_end(&b)) == ERR_OK)
		e = file_follow(c, "log.vkey", buf_bytes(&b));
	free(b.p);
	return e;
}

enum admin_exit
admin_trust_follow(const struct config *c, struct bytes manifest)
{
	struct key *root = NULL;
	struct manifest m;
	enum err e = admin_root(c, &root);

	if (e == ERR_OK && (e = manifest_open(manifest, root, &m)) == ERR_OK) {
		e = pinned_write(c, &m);
		manifest_close(&m);
	}
	key_free(root);
	return e == ERR_OK ? ADMIN_DONE : admin_fault("trust/", e);
}

/* ---- the commands ---- */

static enum admin_exit
draft_save(const json_t *draft, const char *path)
{
	char *text = json_dumps(draft, JSON_INDENT(2));
	enum err e =
	        text == NULL ? ERR_MEMORY : file_write(path, bytes_of(text, strlen(text)), 0644);

	free(text);
	if (e != ERR_OK)
		return admin_fault(path, e);
	printf("%s: manifest %" JSON_INTEGER_FORMAT
	       " for review; then zz-admin sign-manifest --root KEY.pem --payload %s --out "
	       "DIR/trust/manifest.cose\n",
	        path, json_integer_value(json_object_get(draft, "version")), path);
	return ADMIN_DONE;
}

enum admin_exit
admin_manifest(const struct admin_options *o)
{
	struct config c;
	struct admin_peers p = {NULL, NULL};
	json_t *draft = NULL;
	int64_t from = o->now;
	enum admin_exit x = admin_config(o, &c);

	if (x != ADMIN_DONE)
		return x;
	if (o->from != NULL && time_decode(bytes_of_text(o->from), &from) != ERR_OK) {
		fputs("zz-admin: --from takes a time as 2026-12-01T00:00:00Z\n", stderr);
		return ADMIN_USAGE;
	}
	if ((x = admin_peers_open(&c, &p)) == ADMIN_DONE &&
	        (x = admin_manifest_draft(&c, &p, o->now, from, &draft)) == ADMIN_DONE)
		x = draft_save(draft, o->out);
	json_decref(draft);
	admin_peers_close(&p);
	return x;
}

enum admin_exit
admin_sign_manifest(const struct admin_options *o)
{
	struct key *root = NULL;
	json_t *draft = NULL;
	uint8_t *text = NULL;
	uint64_t version = 0;
	size_t n = 0;
	enum admin_exit x = ADMIN_DONE;
	enum err e = admin_private_root(o, &root);

	if (e != ERR_OK)
		x = admin_fault(o->root, e);
	else if ((e = file_read(o->payload, ROSTER_BYTES_MAX, &text, &n)) != ERR_OK ||
	         (e = json_read(bytes_of(text, n), ROSTER_BYTES_MAX, &draft)) != ERR_OK ||
	         (e = admin_manifest_write(draft, root, o->out, &version)) != ERR_OK)
		x = admin_fault(o->payload, e);
	else
		printf("%s: manifest %" PRIu64 " signed\n", o->out, version);
	json_decref(draft);
	free(text);
	key_free(root);
	return x;
}
