/* admin_key.c - zz-admin new-key, cut-off: one more key for a purpose, and the end of one. A
 * private key never leaves the signer's folder; a cut-off is in the log before any manifest names
 * it. */
#include "admin_manifest.h"
#include "file.h"
#include "manifest.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { POLL_MS = 100, WAIT_S = 60, KID_HEX = 2 * KEY_KID_BYTES };

/* Codes of RFC 5280 section 5.3.1. */
static const struct {
	const char *word;
	uint64_t code;
} reasons[] = {{"compromise", 1}, {"superseded", 4}, {"ceased", 5}};
enum { REASONS = sizeof reasons / sizeof reasons[0] };

enum admin_exit
admin_new_key(const struct admin_options *o)
{
	struct config c;
	struct admin_peers p = {NULL, NULL};
	struct signer_keys held;
	struct key *k = NULL;
	char hex[KID_HEX + 1];
	enum admin_exit x = admin_config(o, &c);
	enum err e = ERR_OK;

	if (x != ADMIN_DONE || (x = admin_peers_open(&c, &p)) != ADMIN_DONE)
		goto out;
	if ((e = signer_keys(p.signer, bytes_of_text(o->argument), &held)) != ERR_OK ||
	        (e = held.key_count == 0 ? ERR_PROTOCOL
	                                 : key_from_cose(held.keys[held.key_count - 1].cose_key,
	                                           &k)) != ERR_OK) {
		x = admin_fault(o->argument, e);
		goto out;
	}
	hex_encode(key_kid(k), hex);
	printf("%s key %s made; it signs when a manifest names it: zz-admin manifest\n",
	        o->argument, hex);
	key_free(k);
out:
	admin_peers_close(&p);
	return x;
}

/* ---- cut-off ---- */

struct cutting {
	struct config c;
	struct admin_peers p;
	uint8_t kid[KEY_KID_BYTES];
	uint64_t reason, size; /* size UINT64_MAX: what the log has now */
	struct key *root;      /* NULL: the manifest is signed elsewhere */
};

static bool
cutting_read(const struct admin_options *o, struct cutting *q)
{
	size_t i = 0;

	while (i < REASONS && strcmp(o->reason, reasons[i].word) != 0)
		i++;
	if (i == REASONS) {
		fputs("zz-admin: --reason is compromise, superseded or ceased\n", stderr);
		return false;
	}
	q->reason = reasons[i].code;
	q->size = UINT64_MAX;
	if (o->size != NULL &&
	        decimal_decode(bytes_of_text(o->size), INT64_MAX, &q->size) != ERR_OK) {
		fputs("zz-admin: --size is a tree size\n", stderr);
		return false;
	}
	if (hex_decode(bytes_of_text(o->argument), q->kid, KEY_KID_BYTES) != ERR_OK) {
		fputs("zz-admin: KID is 16 hexadecimal digits; zz-admin status lists the keys\n",
		        stderr);
		return false;
	}
	return true;
}

/* From where it has force: the log. */
static bool
cut_find(struct cutting *q, uint64_t *last_size, enum err *e)
{
	struct signer_keys held;

	if ((*e = signer_keys(q->p.signer, bytes_of(NULL, 0), &held)) != ERR_OK)
		return false;
	for (size_t i = 0; i < held.cut_count; i++)
		if (bytes_equal(held.cuts[i].kid, bytes_of(q->kid, KEY_KID_BYTES))) {
			*last_size = held.cuts[i].last_size;
			return q->size == UINT64_MAX || *last_size <= q->size;
		}
	return false;
}

static enum admin_exit
cut_ask(struct cutting *q, int64_t now)
{
	struct signed_entry entry;
	uint64_t id = 0;
	enum err e = signer_cutoff(
	        q->p.signer, bytes_of(q->kid, KEY_KID_BYTES), q->size, q->reason, &entry);

	if (e != ERR_OK) {
		fprintf(stderr, "zz-admin: the signer refuses: %s\n", signer_detail(q->p.signer));
		return admin_fault("cut-off", e);
	}
	if ((e = store_pending_put(q->p.store, &entry, now, &id)) != ERR_OK)
		return admin_fault("cut-off", e);
	puts("the signer signs nothing by this key any more");
	return ADMIN_DONE;
}

static enum admin_exit
cut_wait(struct cutting *q, uint64_t wait_s, uint64_t *last_size)
{
	const struct timespec pause = {0, POLL_MS * 1000000L};
	enum err e = ERR_OK;

	for (uint64_t i = 0; i <= wait_s * 1000 / POLL_MS; i++) {
		if (cut_find(q, last_size, &e))
			return ADMIN_DONE;
		if (e != ERR_OK)
			return admin_fault("signer", e);
		nanosleep(&pause, NULL);
	}
	fprintf(stderr,
	        "zz-admin: not in the log after %" PRIu64
	        " s: entries are appended by issuerd; does it run? Then run this again.\n",
	        wait_s);
	return ADMIN_UNAVAILABLE;
}

/* The manifest that says it: the one in force, the cut-off, and the new keys from now on. */
static enum admin_exit
cut_manifest(struct cutting *q, const struct admin_options *o, uint64_t wait_s)
{
	char folder[CONFIG_TEXT_MAX], path[FILE_PATH_MAX];
	json_t *draft = NULL;
	uint64_t version = 0;
	enum err e = ERR_OK;
	enum admin_exit x = admin_manifest_draft(&q->c, &q->p, o->now, o->now, &draft);

	if (x != ADMIN_DONE)
		return x;
	config_path(&q->c, q->c.trust_dir, folder, sizeof folder);
	if ((e = admin_path(path, folder, "manifest.cose")) != ERR_OK ||
	        (e = admin_manifest_write(draft, q->root, path, &version)) != ERR_OK)
		x = admin_fault("trust/manifest.cose", e);
	json_decref(draft);
	return x == ADMIN_DONE ? admin_bring(&q->c, &q->p, o->now, wait_s) : x;
}

static enum admin_exit
cut_run(struct cutting *q, const struct admin_options *o)
{
	uint64_t last_size = 0, wait_s = o->wait_s > 0 ? o->wait_s : WAIT_S;
	enum err e = ERR_OK;
	enum admin_exit x = ADMIN_DONE;

	/* run again it does only what is not done */
	if (!cut_find(q, &last_size, &e)) {
		if (e != ERR_OK)
			return admin_fault("signer", e);
		if ((x = cut_ask(q, o->now)) != ADMIN_DONE ||
		        (x = cut_wait(q, wait_s, &last_size)) != ADMIN_DONE)
			return x;
	}
	printf("cut off: %s, last valid tree size %" PRIu64 "\n", o->argument, last_size);
	if (q->root != NULL)
		return cut_manifest(q, o, wait_s);
	puts("it is in the log; verifiers learn it by the next manifest: zz-admin manifest, "
	     "sign-manifest, roster");
	return ADMIN_DONE;
}

enum admin_exit
admin_cut_off(const struct admin_options *o)
{
	struct cutting q;
	enum admin_exit x;
	enum err e = ERR_OK;

	memset(&q, 0, sizeof q);
	if (!cutting_read(o, &q))
		return ADMIN_USAGE;
	if ((x = admin_config(o, &q.c)) != ADMIN_DONE)
		return x;
	if (o->root != NULL && (e = admin_private_root(o, &q.root)) != ERR_OK)
		return admin_fault(o->root, e);
	if ((x = admin_peers_open(&q.c, &q.p)) == ADMIN_DONE)
		x = cut_run(&q, o);
	admin_peers_close(&q.p);
	key_free(q.root);
	return x;
}
