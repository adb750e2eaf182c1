/* authority_admin.c - INIT, MANIFEST, ROSTER: what the root signed is kept, and takes force when
 * its entry is in the log. */
#include "authority.h"

#include "enrolment.h"
#include "file.h"
#include "log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_BYTES = 600 };

static enum err
entry_answer(const struct authority *a, struct call *c, const struct entry *e)
{
	const struct entry_note note = {.slot = -1, .seat = -1};

	cbor_put_array(c->out, 3);
	authority_put_entry(a, c->out, e, &note);
	return buf_end(c->out);
}

enum err
authority_init(struct authority *a, struct call *c)
{
	struct cbor in = cbor_init(c->body);
	struct entry entry = {.type = ENTRY_GENESIS, .time = c->now};
	enum err e;

	cbor_array_exact(&in, 1);
	if (!cbor_null_next(&in))
		entry.last_checkpoint = cbor_text(&in);
	if ((e = cbor_end(&in)) != ERR_OK)
		return e;
	entry.origin = bytes_of_text(a->origin);
	entry.iss = bytes_of_text(a->host);
	pthread_mutex_lock(&a->lock);
	e = c->clock;
	if (e == ERR_OK)
		e = a->fold.frontier.size == 0 && a->guard_size == 0 ? entry_answer(a, c, &entry)
		                                                     : ERR_EXISTS;
	pthread_mutex_unlock(&a->lock);
	return e;
}

static bool
names_key(
        const struct authority *a, const struct manifest *m, enum key_purpose purpose, bool beside)
{
	for (size_t i = 0; i < a->keys.count; i++)
		if (a->keys.rows[i].purpose == purpose &&
		        authority_key_beside(&a->keys.rows[i]) == beside &&
		        manifest_find(m, key_kid(a->keys.rows[i].key), purpose) != NULL)
			return true;
	return false;
}

static bool
names_certificates(const struct authority *a, const struct manifest *m)
{
	for (size_t i = 0; i < a->keys.count; i++) {
		const struct authority_key *k = &a->keys.rows[i];
		const struct manifest_key *mk =
		        k->purpose == KEY_CRL ? manifest_find(m, key_kid(k->key), KEY_CRL) : NULL;

		if (mk != NULL && mk->last_size == UINT64_MAX &&
		        memmem(m->crl_ca.p, m->crl_ca.n, k->ca, k->ca_n) == NULL)
			return false;
	}
	return true;
}

/* Each key that the log cut off says so, at that size; no other does. */
static bool
cutoffs_named(const struct authority *a, const struct manifest *m)
{
	for (size_t i = 0; i < m->key_count; i++) {
		const struct fold_cutoff *c = fold_cutoff(&a->fold, m->keys[i].kid);

		if (m->keys[i].last_size != (c == NULL ? UINT64_MAX : c->last_size))
			return false;
	}
	return true;
}

/* What was signed before stays what it is. */
static enum err
manifest_next(const struct authority *a, struct call *c, const struct manifest *m)
{
	if (!cutoffs_named(a, m)) {
		c->detail = "the manifest does not name the cut-offs that the log has";
		return ERR_CONFIG;
	}
	if (a->manifest != NULL && manifest_follows(&a->manifest->m, m, c->now) != ERR_OK) {
		c->detail = "the manifest drops or shortens a key of the one in force";
		return ERR_CONFIG;
	}
	return ERR_OK;
}

/* Whoever trusts a key may know that a copied file would be a copied key. */
static bool
soft_named(const struct authority *a, const struct manifest *m)
{
	for (size_t i = 0; i < a->keys.count; i++) {
		const struct authority_key *k = &a->keys.rows[i];
		const struct manifest_key *mk = manifest_find(m, key_kid(k->key), k->purpose);

		if (mk != NULL && key_store_soft(k->key) && !mk->soft)
			return false;
	}
	return true;
}

/* A manifest without this signer's keys would make everything that it signs worthless. */
static enum err
manifest_fits(const struct authority *a, struct call *c, const struct manifest *m)
{
	if (!bytes_equal_text(m->iss, a->host) || !bytes_equal_text(m->origin, a->origin)) {
		c->detail = "the manifest is for another host";
		return ERR_CONFIG;
	}
	if (!names_key(a, m, KEY_RECORD, false) || !names_key(a, m, KEY_STATUS, false) ||
	        !names_key(a, m, KEY_LOG, false) || !names_key(a, m, KEY_CRL, false) ||
	        (key_suite(a->root) == KEY_SM2 &&
	                (!names_key(a, m, KEY_STATUS, true) || !names_key(a, m, KEY_LOG, true)))) {
		c->detail = "the manifest does not name the keys of this signer";
		return ERR_CONFIG;
	}
	if (!soft_named(a, m)) {
		c->detail = "a key that lies in a file is not marked as kept in software";
		return ERR_CONFIG;
	}
	if (!names_certificates(a, m)) {
		c->detail = "the manifest lacks the certificate of a CRL key";
		return ERR_CONFIG;
	}
	return ERR_OK;
}

/* Writes the document under its version; another document of that version is refused. */
static enum err
document_keep(const struct authority *a, const char *kind, const char *end, uint64_t version,
        struct bytes text)
{
	char path[PATH_BYTES];

	snprintf(path, sizeof path, "%s/%s-%" PRIu64 ".%s", a->dir, kind, version, end);
	return file_write_once(path, text, 0600);
}

/* Kept again and in force at once; its entry is in the log already, so the answer holds none. */
static enum err
document_return(struct authority *a, struct call *c, const char *kind, const char *end,
        uint64_t version, struct bytes text)
{
	enum err e = document_keep(a, kind, end, version, text);

	if (e != ERR_OK)
		return e;
	authority_refresh(a);
	c->detail = "it is in the log already, and in force";
	return ERR_EXISTS;
}

static enum err
manifest_take(struct authority *a, struct call *c, struct bytes text, const struct manifest *m)
{
	struct entry entry = {.type = ENTRY_MANIFEST, .sequence = m->version, .time = c->now};
	enum err e = manifest_fits(a, c, m);

	if (e != ERR_OK)
		return e;
	if (m->version < a->fold.manifest_version)
		return ERR_VERSION;
	/* the one that the log names, brought back to a signer that lacks it */
	if (m->version == a->fold.manifest_version)
		return memcmp(m->sha256, a->fold.manifest_sha256, SHA256_BYTES) == 0
		               ? document_return(a, c, "manifest", "cose", m->version, text)
		               : ERR_VERSION;
	if (c->clock != ERR_OK)
		return c->clock;
	if ((e = manifest_next(a, c, m)) != ERR_OK ||
	        (e = document_keep(a, "manifest", "cose", m->version, text)) != ERR_OK)
		return e;
	if (m->version > a->manifest_held)
		a->manifest_held = m->version;
	memcpy(entry.sha256, m->sha256, SHA256_BYTES);
	return entry_answer(a, c, &entry);
}

enum err
authority_manifest(struct authority *a, struct call *c)
{
	struct cbor in = cbor_init(c->body);
	struct manifest m;
	struct bytes text;
	enum err e;

	cbor_array_exact(&in, 1);
	text = cbor_bytes(&in);
	if ((e = cbor_end(&in)) != ERR_OK || (e = manifest_open(text, a->root, &m)) != ERR_OK)
		return e;
	pthread_mutex_lock(&a->lock);
	e = manifest_take(a, c, text, &m);
	pthread_mutex_unlock(&a->lock);
	manifest_close(&m);
	return e;
}

/* The first roster is the root's alone; whoever comes or goes later, two officials say so. */
static enum err
enrolled(const struct authority *a, struct call *c, struct bytes text)
{
	enum err e;

	if (a->fold.roster_version == 0)
		return ERR_OK;
	if (a->roster == NULL)
		return ERR_NOT_READY;
	if ((e = enrolment_check(text, a->roster, c->now)) != ERR_OK)
		c->detail = "two officials of the roster in force must have signed for it";
	return e;
}

static enum err
roster_take(struct authority *a, struct call *c, struct bytes text, const struct roster *r)
{
	struct entry entry = {.type = ENTRY_ROSTER, .sequence = roster_version(r), .time = c->now};
	enum err e;

	roster_sha256(r, entry.sha256);
	if (entry.sequence < a->fold.roster_version)
		return ERR_VERSION;
	if (entry.sequence == a->fold.roster_version)
		return memcmp(entry.sha256, a->fold.roster_sha256, SHA256_BYTES) == 0
		               ? document_return(a, c, "roster", "jws", entry.sequence, text)
		               : ERR_VERSION;
	if (c->clock != ERR_OK)
		return c->clock;
	if (roster_exp(r) <= c->now)
		return ERR_REQUEST_EXPIRED;
	if ((e = enrolled(a, c, text)) != ERR_OK ||
	        (e = document_keep(a, "roster", "jws", entry.sequence, text)) != ERR_OK)
		return e;
	if (entry.sequence > a->roster_held)
		a->roster_held = entry.sequence;
	roster_sha256(r, entry.sha256);
	return entry_answer(a, c, &entry);
}

enum err
authority_roster(struct authority *a, struct call *c)
{
	struct cbor in = cbor_init(c->body);
	struct roster *r = NULL;
	struct bytes text;
	enum err e;

	cbor_array_exact(&in, 1);
	text = cbor_bytes(&in);
	if ((e = cbor_end(&in)) != ERR_OK || (e = roster_read(text, a->root, &r)) != ERR_OK)
		return e;
	pthread_mutex_lock(&a->lock);
	e = roster_take(a, c, text, r);
	pthread_mutex_unlock(&a->lock);
	roster_free(r);
	return e;
}
