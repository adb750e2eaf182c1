/* authority_key.c - which key signs: several may be held for a purpose, and a key that the manifest
 * does not name, whose time is over or that was cut off signs nothing. */
#include "authority.h"

#include "crl.h"
#include "file.h"
#include "log.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_BYTES = 600, CA_BYTES_MAX = 8192, KID_HEX = 2 * KEY_KID_BYTES, ALARM_EVERY_S = 3600 };

static const enum key_purpose purposes[] = {KEY_RECORD, KEY_STATUS, KEY_LOG, KEY_CRL};
enum { PURPOSES = sizeof purposes / sizeof purposes[0] };

/* ---- the folder ---- */

static void
kid_name(const struct key *k, char out[KID_HEX + 1])
{
	hex_encode(key_kid(k), out);
}

static bool
dropped_before(const struct authority *a, const struct key *k)
{
	char path[PATH_BYTES], hex[KID_HEX + 1];

	kid_name(k, hex);
	snprintf(path, sizeof path, "%s/cut-off-%s", a->dir, hex);
	return file_exists(path);
}

static enum err
row_add(struct authority *a, enum key_purpose purpose, struct key *k, struct authority_key **out)
{
	struct authority_keys *keys = &a->keys;
	/* OpenSSL signs certificate and CRL itself: that key must be here */
	bool fits =
	        key_is_private(k) &&
	        (purpose != KEY_LOG || key_suite(k) == KEY_ED25519 || key_suite(k) == KEY_SM2) &&
	        (purpose != KEY_CRL || key_store_soft(k));

	if (!fits || keys->count == AUTHORITY_KEYS_MAX)
		return fits ? ERR_LIMIT : ERR_VALUE;
	*out = &keys->rows[keys->count++];
	**out = (struct authority_key){
	        .purpose = purpose, .key = k, .dropped = dropped_before(a, k)};
	return ERR_OK;
}

/* stem "record": record.pem; for a CRL key its certificate stands in `ca`. */
static enum err
row_load(struct authority *a, enum key_purpose purpose, const char *pem, const char *ca)
{
	struct authority_key *row = NULL;
	struct key *k = NULL;
	enum err e = authority_key_load(a, pem, &k);

	if (e != ERR_OK)
		return e;
	if ((e = row_add(a, purpose, k, &row)) != ERR_OK) {
		log_fault("key_refused", "file=%s error=%s", pem, err_word(e));
		key_free(k);
		return e;
	}
	return ca == NULL ? ERR_OK : authority_file_read(a, ca, CA_BYTES_MAX, &row->ca, &row->ca_n);
}

/* PURPOSE-KID.pem, and nothing else that lies there. */
static bool
is_later_key(const char *name, enum key_purpose purpose)
{
	const char *word = key_purpose_word(purpose);
	size_t n = strlen(word);

	return strlen(name) == n + 1 + KID_HEX + 4 && memcmp(name, word, n) == 0 &&
	       name[n] == '-' && strspn(name + n + 1, "0123456789abcdef") == KID_HEX &&
	       strcmp(name + n + 1 + KID_HEX, ".pem") == 0;
}

static enum err
later_load(struct authority *a, const char *name)
{
	char ca[80];

	for (size_t i = 0; i < PURPOSES; i++) {
		if (!is_later_key(name, purposes[i]))
			continue;
		snprintf(ca, sizeof ca, "%.*s.der", (int)strlen(name) - 4, name);
		return row_load(a, purposes[i], name, purposes[i] == KEY_CRL ? ca : NULL);
	}
	return ERR_OK;
}

enum err
authority_keys_open(struct authority *a)
{
	const struct dirent *d;
	enum err e = ERR_OK;
	DIR *folder;

	for (size_t i = 0; e == ERR_OK && i < PURPOSES; i++) {
		char name[40];

		snprintf(name, sizeof name, "%s.pem", key_purpose_word(purposes[i]));
		e = row_load(a, purposes[i], name, purposes[i] == KEY_CRL ? "crl-ca.der" : NULL);
	}
	if (e == ERR_OK && key_suite(a->root) == KEY_SM2 &&
	        (e = row_load(a, KEY_STATUS, "status-sm2.pem", NULL)) == ERR_OK)
		e = row_load(a, KEY_LOG, "log-sm2.pem", NULL);
	if (e != ERR_OK)
		return e;
	if ((folder = opendir(a->dir)) == NULL)
		return ERR_IO;
	while (e == ERR_OK && (d = readdir(folder)) != NULL)
		e = later_load(a, d->d_name);
	closedir(folder);
	return e;
}

void
authority_keys_close(struct authority_keys *keys)
{
	for (size_t i = 0; i < keys->count; i++) {
		key_free(keys->rows[i].key);
		free(keys->rows[i].ca);
	}
	keys->count = 0;
}

/* ---- which one signs ---- */

/* What the manifest in force says of it, where it may sign at all; else NULL. */
static const struct manifest_key *
row_usable(const struct authority *a, const struct authority_key *k)
{
	struct bytes kid = key_kid(k->key);
	const struct manifest_key *mk;

	if (a->manifest == NULL || k->dropped || fold_cutoff(&a->fold, kid) != NULL)
		return NULL;
	mk = manifest_find(&a->manifest->m, kid, k->purpose);
	return mk == NULL || mk->last_size != UINT64_MAX ? NULL : mk;
}

bool
authority_key_signs(const struct authority *a, const struct authority_key *k, int64_t now)
{
	const struct manifest_key *mk = row_usable(a, k);

	return mk != NULL && now >= mk->not_before && now < mk->not_after;
}

static enum err
key_choose(struct authority *a, enum key_purpose purpose, bool beside, int64_t now,
        const struct authority_key **out)
{
	const struct authority_key *found = NULL;
	int64_t newest = INT64_MIN;

	for (size_t i = 0; i < a->keys.count; i++) {
		const struct authority_key *k = &a->keys.rows[i];

		if (k->purpose != purpose || authority_key_beside(k) != beside ||
		        !authority_key_signs(a, k, now) || row_usable(a, k)->not_before < newest)
			continue;
		found = k;
		newest = row_usable(a, k)->not_before;
	}
	if (found == NULL)
		return ERR_RECORD_KEY;
	if (now > a->keys.signed_at)
		a->keys.signed_at = now;
	*out = found;
	return ERR_OK;
}

bool
authority_key_beside(const struct authority_key *k)
{
	return (k->purpose == KEY_STATUS || k->purpose == KEY_LOG) && key_suite(k->key) == KEY_SM2;
}

enum err
authority_key_at(struct authority *a, enum key_purpose purpose, int64_t now,
        const struct authority_key **out)
{
	return key_choose(a, purpose, false, now, out);
}

enum err
authority_key_sm2_at(struct authority *a, enum key_purpose purpose, int64_t now,
        const struct authority_key **out)
{
	return key_choose(a, purpose, true, now, out);
}

const struct authority_key *
authority_key_held(const struct authority *a, enum key_purpose purpose, struct bytes kid)
{
	for (size_t i = 0; i < a->keys.count; i++)
		if (a->keys.rows[i].purpose == purpose &&
		        bytes_equal(key_kid(a->keys.rows[i].key), kid))
			return &a->keys.rows[i];
	return NULL;
}

int64_t
authority_key_end(const struct authority *a, enum key_purpose purpose, int64_t now)
{
	struct manifest_key usable[AUTHORITY_KEYS_MAX];
	size_t count = 0;

	for (size_t i = 0; i < a->keys.count; i++) {
		const struct manifest_key *mk = row_usable(a, &a->keys.rows[i]);

		if (mk != NULL)
			usable[count++] = *mk;
	}
	return manifest_keys_end(usable, count, purpose, now);
}

/* ---- alarms ---- */

static void
alarm_look(struct authority *a, enum key_purpose purpose, int64_t now)
{
	int64_t end = authority_key_end(a, purpose, now);
	int level = manifest_alarm(end, now), *said = &a->keys.alarm_said[purpose];

	if (level == *said && (level < 0 || now < a->keys.alarm_said_at[purpose] + 86400))
		return;
	*said = level;
	a->keys.alarm_said_at[purpose] = now;
	if (level > 0)
		log_fault("key_ends",
		        "purpose=%s days=%d end=%" PRId64 " left_s=%" PRId64
		        " do=zz-admin_new-key_%s",
		        key_purpose_word(purpose), level, end, end - now,
		        key_purpose_word(purpose));
	else if (level == 0)
		log_fault("key_ended", "purpose=%s: nothing is signed by it any more",
		        key_purpose_word(purpose));
}

void
authority_key_alarms(struct authority *a, int64_t now)
{
	pthread_mutex_lock(&a->lock);
	if (a->manifest != NULL && now >= a->keys.alarm_next) {
		for (size_t i = 0; i < PURPOSES; i++)
			alarm_look(a, purposes[i], now);
		a->keys.alarm_next = now + ALARM_EVERY_S;
	}
	pthread_mutex_unlock(&a->lock);
}

/* ---- KEYS ---- */

static enum err
ca_make(const struct authority *a, const struct key *k, int64_t now, struct buf *der)
{
	enum { YEARS = 12 };
	char name[HOST_BYTES_MAX + 16];

	snprintf(name, sizeof name, "%s CRL CA", a->host);
	if (strlen(name) > 64) /* ub-common-name of RFC 5280 */
		snprintf(name, sizeof name, "CRL CA");
	return crl_ca_make(
	        k, bytes_of_text(name), now - 86400, now + YEARS * (int64_t)365 * 86400, der);
}

static enum err
key_write(const struct authority *a, enum key_purpose purpose, const struct key *k, struct bytes ca,
        struct bytes file)
{
	char path[PATH_BYTES], hex[KID_HEX + 1];
	enum err e = ERR_OK;

	kid_name(k, hex);
	snprintf(path, sizeof path, "%s/%s-%s.der", a->dir, key_purpose_word(purpose), hex);
	/* the certificate first: a key without it would stop the next start */
	if (ca.n > 0)
		e = file_write_once(path, ca, 0600);
	snprintf(path, sizeof path, "%s/%s-%s.pem", a->dir, key_purpose_word(purpose), hex);
	return e == ERR_OK ? file_write_once(path, file, 0600) : e;
}

/* In the same kind of place as the purpose's first key. */
static enum err
key_place(struct authority *a, enum key_purpose purpose, enum key_suite suite, struct key **k,
        struct buf *file)
{
	char name[40], label[40], random[9];
	uint8_t bytes[4], *like = NULL;
	size_t n = 0;
	enum err e;

	random_bytes(bytes, sizeof bytes);
	hex_encode(bytes_of(bytes, sizeof bytes), random);
	snprintf(label, sizeof label, "%s-%s", key_purpose_word(purpose), random);
	snprintf(name, sizeof name, "%s.pem", key_purpose_word(purpose));
	if ((e = authority_file_read(a, name, KEY_FILE_BYTES_MAX, &like, &n)) != ERR_OK)
		return e;
	e = key_store_make(&a->store, bytes_of(like, n), suite, label, k, file);
	secret_wipe(like, n);
	free(like);
	return e;
}

/* Of the suite of the purpose's first key. It signs nothing before a manifest names it. */
static enum err
key_make(struct authority *a, enum key_purpose purpose, bool beside, int64_t now)
{
	uint8_t room[CA_BYTES_MAX], file_room[KEY_FILE_BYTES_MAX];
	struct buf ca = BUF_OF(room), file = BUF_OF(file_room);
	struct authority_key *row = NULL;
	struct key *k = NULL;
	size_t first = 0;
	enum err e;

	while (first < a->keys.count &&
	        (a->keys.rows[first].purpose != purpose ||
	                authority_key_beside(&a->keys.rows[first]) != beside))
		first++;
	if (first == a->keys.count || a->keys.count == AUTHORITY_KEYS_MAX)
		return ERR_LIMIT;
	e = key_place(a, purpose, key_suite(a->keys.rows[first].key), &k, &file);
	if (e == ERR_OK && purpose == KEY_CRL)
		e = ca_make(a, k, now, &ca);
	if (e == ERR_OK)
		e = key_write(a, purpose, k, buf_bytes(&ca), buf_bytes(&file));
	secret_wipe(file_room, sizeof file_room);
	if (e != ERR_OK || (e = row_add(a, purpose, k, &row)) != ERR_OK) {
		key_free(k);
		return e;
	}
	if (ca.n > 0) {
		if ((row->ca = malloc(ca.n)) == NULL)
			return ERR_MEMORY;
		memcpy(row->ca, ca.p, ca.n);
		row->ca_n = ca.n;
	}
	log_note("key_made", "purpose=%s", key_purpose_word(purpose));
	return ERR_OK;
}

static void
keys_put(const struct authority *a, struct buf *out)
{
	cbor_put_array(out, 2);
	cbor_put_array(out, a->keys.count);
	for (size_t i = 0; i < a->keys.count; i++) {
		const struct authority_key *k = &a->keys.rows[i];
		uint8_t room[KEY_COSE_BYTES_MAX];
		struct buf cose = BUF_OF(room);

		key_put_cose(k->key, &cose);
		cbor_put_array(out, 5);
		cbor_put_text(out, bytes_of_text(key_purpose_word(k->purpose)));
		cbor_put_bytes(out, buf_bytes(&cose));
		cbor_put_bytes(out, bytes_of(k->ca, k->ca_n));
		cbor_put_bool(out, k->dropped);
		cbor_put_bool(out, key_store_soft(k->key));
	}
	cbor_put_array(out, a->fold.cutoff_count);
	for (size_t i = 0; i < a->fold.cutoff_count; i++) {
		cbor_put_array(out, 2);
		cbor_put_bytes(out, bytes_of(a->fold.cutoffs[i].kid, KEY_KID_BYTES));
		cbor_put_uint(out, a->fold.cutoffs[i].last_size);
	}
}

enum err
authority_keys(struct authority *a, struct call *c)
{
	struct cbor in = cbor_init(c->body);
	struct bytes word = {0};
	size_t which = 0;
	bool beside;
	enum err e;

	cbor_array_exact(&in, 1);
	if (!cbor_null_next(&in))
		word = cbor_text(&in);
	if ((e = cbor_end(&in)) != ERR_OK)
		return e;
	beside = word.n > 4 && bytes_equal_text(bytes_skip(word, word.n - 4), "-sm2");
	if (beside)
		word.n -= 4;
	while (word.p != NULL && which < PURPOSES &&
	        !bytes_equal_text(word, key_purpose_word(purposes[which])))
		which++;
	if (which == PURPOSES)
		return ERR_VALUE;
	pthread_mutex_lock(&a->lock);
	if (word.p != NULL)
		e = key_make(a, purposes[which], beside, c->now);
	if (e == ERR_OK) {
		keys_put(a, c->out);
		e = buf_end(c->out);
	}
	pthread_mutex_unlock(&a->lock);
	return e;
}

/* ---- CUTOFF ---- */

/* Kept on disk before the entry leaves: a signer that is started again must not go on with it. */
static enum err
key_drop(struct authority *a, struct bytes kid)
{
	char path[PATH_BYTES], hex[KID_HEX + 1];
	enum err e;

	hex_encode(kid, hex);
	snprintf(path, sizeof path, "%s/cut-off-%s", a->dir, hex);
	if ((e = file_write(path, BYTES_LIT("asked for\n"), 0600)) != ERR_OK)
		return e;
	for (size_t i = 0; i < a->keys.count; i++)
		if (bytes_equal(key_kid(a->keys.rows[i].key), kid))
			a->keys.rows[i].dropped = true;
	a->keys.alarm_next = 0;
	log_fault("key_dropped", "kid=%s: it signs nothing here any more", hex);
	return ERR_OK;
}

static enum err
cutoff_run(struct authority *a, struct call *c, struct entry *entry)
{
	const struct entry_note note = {.slot = -1, .seat = -1};
	bool known = false;
	enum err e;

	if (a->stopped)
		return a->recount_differs ? ERR_RECOUNT : ERR_FORK;
	if (a->manifest == NULL)
		return ERR_NOT_READY;
	if (c->clock != ERR_OK)
		return c->clock;
	for (size_t i = 0; i < a->manifest->m.key_count; i++)
		known = known || (bytes_equal(a->manifest->m.keys[i].kid, entry->kid) &&
		                         a->manifest->m.keys[i].purpose != KEY_ROOT);
	if (!known) {
		c->detail = "the manifest in force does not name that key";
		return ERR_KID_UNKNOWN;
	}
	if (entry->tree_size != UINT64_MAX && entry->tree_size > a->fold.frontier.size) {
		c->detail = "the log is not so long";
		return ERR_SIZE;
	}
	if ((e = fold_cutoff_allowed(&a->fold, entry->kid, entry->tree_size)) != ERR_OK) {
		c->detail = "it is cut off already, at that size or below";
		return e;
	}
	if ((e = key_drop(a, entry->kid)) != ERR_OK)
		return e;
	/* above every time at which it was chosen: what it signed and is not appended is made anew
	 */
	entry->time = c->now > a->keys.signed_at ? c->now : a->keys.signed_at;
	cbor_put_array(c->out, 3);
	authority_put_entry(a, c->out, entry, &note);
	return buf_end(c->out);
}

enum err
authority_cutoff(struct authority *a, struct call *c)
{
	struct cbor in = cbor_init(c->body);
	struct entry entry = {.type = ENTRY_CUTOFF, .tree_size = UINT64_MAX};
	enum err e;

	cbor_array_exact(&in, 3);
	entry.kid = cbor_bytes_exact(&in, KEY_KID_BYTES);
	if (!cbor_null_next(&in))
		entry.tree_size = cbor_uint_max(&in, INT64_MAX);
	entry.reason = cbor_uint_max(&in, ENTRY_REASON_MAX);
	if ((e = cbor_end(&in)) != ERR_OK)
		return e;
	pthread_mutex_lock(&a->lock);
	e = cutoff_run(a, c, &entry);
	pthread_mutex_unlock(&a->lock);
	return e;
}
