/* admin_init.c - zz-admin init: everything that an authority begins with, made once; where any of
 * it exists nothing is touched. */
#include "admin_ceremony.h"
#include "admin_witness.h"
#include "crl.h"
#include "file.h"
#include "key_store.h"
#include "note.h"
#include "roster.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	SECRET_BYTES = 32,
	CRL_CA_BYTES_MAX = 4096,
	CONFIG_BYTES_MAX = 16 * 1024,
	ROSTER_ROOM = 64 * 1024
};

static const struct {
	const char *name;
	unsigned mode;
} folders[] = {
        {"", 0755},
        {"keys", 0700},
        {"signer", 0700},
        {"trust", 0755},
        {"run", 0755},
        {"public", 0755},
        {"log", 0755},
        {"out", 0700},
};

static const char *const key_files[TRUST_KEYS] = {
        [TRUST_ROOT] = "keys/root.pem",
        [TRUST_RECORD] = "signer/record.pem",
        [TRUST_STATUS] = "signer/status.pem",
        [TRUST_LOG] = "signer/log.pem",
        [TRUST_CRL] = "signer/crl.pem",
        [TRUST_STATUS_SM2] = "signer/status-sm2.pem",
        [TRUST_LOG_SM2] = "signer/log-sm2.pem",
};
static const char *const secret_files[] = {"keys/pepper", "signer/tag.key", "signer/slot.key"};
/* Elsewhere than the keys: a copy of the signer's folder alone opens none of them. */
#define PASSPHRASE_FILE "keys/signer.pass"
static const char *const other_files[] = {
        "zz.conf",
        PASSPHRASE_FILE,
        "shares/share-1.txt",
        "trust/transcript.txt",
        "signer/host",
        "signer/root.pub",
        "signer/crl-ca.der",
        "trust/root.pub",
        "trust/log.vkey",
        "trust/crl-ca.pem",
        "trust/manifest.cose",
        "trust/roster.jws",
};
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static enum err
absent(const char *dir, const char *name)
{
	char path[FILE_PATH_MAX];
	enum err e = admin_path(path, dir, name);

	if (e != ERR_OK || !file_exists(path))
		return e;
	fprintf(stderr, "zz-admin: %s exists\n", path);
	return ERR_EXISTS;
}

static enum err
all_absent(const char *dir)
{
	char name[64];
	enum err e = ERR_OK;

	for (size_t i = 0; i < COUNT(key_files) && e == ERR_OK; i++)
		e = absent(dir, key_files[i]);
	for (size_t i = 0; i < COUNT(secret_files) && e == ERR_OK; i++)
		e = absent(dir, secret_files[i]);
	for (size_t i = 0; i < COUNT(other_files) && e == ERR_OK; i++)
		e = absent(dir, other_files[i]);
	for (size_t i = 0; i < DEMO_OPERATORS && e == ERR_OK; i++) {
		snprintf(name, sizeof name, "keys/%s", demo_operators[i].file);
		e = absent(dir, name);
	}
	return e;
}

static enum err
put(const char *dir, const char *name, struct bytes data, unsigned mode)
{
	char path[FILE_PATH_MAX];
	enum err e = admin_path(path, dir, name);

	return e != ERR_OK ? e : file_write(path, data, mode);
}

static void
config_line(struct buf *b, const char *name, const char *value)
{
	if (value == NULL)
		return;
	buf_put_text(b, name);
	buf_put_text(b, " = ");
	buf_put_text(b, value);
	buf_put_u8(b, '\n');
}

static void
database_line(struct buf *b, const char *name, const char *database, const char *role)
{
	buf_put_text(b, name);
	buf_put_text(b, " = ");
	buf_put_text(b, database);
	buf_put_text(b, " user=");
	buf_put_text(b, role);
	buf_put_u8(b, '\n');
}

static void
config_text(const struct admin_options *o, const struct admin_witnesses *w, const char *database,
        struct buf *b)
{
	buf_put_text(b, "# One file for all processes. zz-admin --help describes every setting.\n"
	                "# Paths start at this folder.\n");
	config_line(b, "host", o->host);
	config_line(b, "name_zh", o->name_zh);
	config_line(b, "name_en", o->name_en);
	config_line(b, "listen", o->listen);
	config_line(b, "trust_dir", "trust");
	config_line(b, "signer_dir", "signer");
	config_line(b, "run_dir", "run");
	config_line(b, "public_dir", "public");
	config_line(b, "pepper_file", "keys/pepper");
	config_line(b, "front_user", o->front_user);
	config_line(b, "publish_user", o->publish_user);
	config_line(b, "admin_user", o->admin_user);
	config_line(b, "sandbox_required", o->sandbox);
	database_line(b, "issuer_database", database, "zz_issuer");
	database_line(b, "publish_database", database, "zz_publish");
	database_line(b, "admin_database", database, "zz_admin");
	database_line(b, "audit_database", database, "zz_audit");
	database_line(b, "owner_database", database, "zz_owner");
	buf_put(b, bytes_of(w->settings, w->settings_n));
}

static enum err
config_write(const struct admin_options *o, const struct admin_witnesses *w, const char *path)
{
	char room[CONFIG_BYTES_MAX], database[FILE_PATH_MAX + 64];
	struct buf b = BUF_OF(room);
	char *folder = realpath(o->dir, NULL);
	enum err e = folder == NULL ? ERR_IO : ERR_OK;

	snprintf(
	        database, sizeof database, "host='%s/run' dbname=zz", folder == NULL ? "" : folder);
	free(folder);
	config_text(o, w, o->database != NULL ? o->database : database, &b);
	if (e != ERR_OK || (e = buf_end(&b)) != ERR_OK)
		return e;
	return file_write(path, buf_bytes(&b), 0644);
}

/* Written first and read as the processes will read it: a bad option ends here, before any key is
 * made. Then once more, so that it also says what nobody asked for. */
static enum err
config_make(const struct admin_options *o, const struct admin_witnesses *w, struct config *c)
{
	struct admin_options full = *o;
	char path[FILE_PATH_MAX], why[200];
	enum err e = admin_path(path, o->dir, "zz.conf");

	if (e != ERR_OK || (e = config_write(o, w, path)) != ERR_OK)
		return e;
	if ((e = config_read(path, c, why, sizeof why)) != ERR_OK) {
		fprintf(stderr, "zz-admin: %s\n", why);
		unlink(path);
		return e;
	}
	full.host = c->host;
	full.name_zh = c->name_zh;
	full.name_en = c->name_en;
	full.listen = c->listen;
	return config_write(&full, w, path);
}

static enum err
put_private(const char *dir, const char *name, const struct key *k)
{
	uint8_t room[KEY_PEM_BYTES_MAX];
	struct buf pem = BUF_OF(room);
	enum err e = key_write_private(k, &pem);

	if (e == ERR_OK)
		e = put(dir, name, buf_bytes(&pem), 0600);
	secret_wipe(room, sizeof room);
	return e;
}

/* Random text that opens the signer's key files. */
static enum err
put_passphrase(const char *dir)
{
	uint8_t secret[SHARE_SECRET_BYTES];
	char room[SHARE_PASSPHRASE_BYTES];
	struct buf text = BUF_OF(room);
	enum err e;

	random_bytes(secret, sizeof secret);
	share_passphrase(secret, &text);
	buf_put_u8(&text, '\n');
	e = put(dir, PASSPHRASE_FILE, buf_bytes(&text), 0600);
	secret_wipe(secret, sizeof secret);
	secret_wipe(room, sizeof room);
	return e;
}

/* The signer's keys, each where the ceremony wants it, else in an encrypted file. */
static enum err
make_signer_keys(struct trust *t, const struct ceremony *c, const char *dir)
{
	char folder[FILE_PATH_MAX];
	struct key_store store = {.dir = folder};
	enum err e = admin_path(folder, dir, "signer");

	if (e == ERR_OK)
		e = put_passphrase(dir);
	for (size_t i = TRUST_RECORD; e == ERR_OK && i < trust_key_count(t); i++) {
		const char *like = c != NULL && c->keys[i] != NULL
		                           ? c->keys[i]
		                           : "passphrase-source: ../" PASSPHRASE_FILE "\n";
		const char *name = strrchr(key_files[i], '/') + 1;
		uint8_t room[KEY_FILE_BYTES_MAX];
		struct buf file = BUF_OF(room);
		char label[40];

		snprintf(label, sizeof label, "%.*s", (int)strlen(name) - 4, name);
		e = key_store_make(&store, bytes_of_text(like),
		        trust_key_suite(t, (enum trust_key)i), label, &t->keys[i], &file);
		if (e == ERR_OK)
			e = put(dir, key_files[i], buf_bytes(&file), 0600);
		secret_wipe(room, sizeof room);
	}
	key_store_end(&store);
	return e;
}

static enum err
put_secrets(const char *dir)
{
	enum err e = ERR_OK;

	for (size_t i = 0; i < COUNT(secret_files) && e == ERR_OK; i++) {
		uint8_t secret[SECRET_BYTES];

		random_bytes(secret, sizeof secret);
		e = put(dir, secret_files[i], bytes_of(secret, sizeof secret), 0600);
		secret_wipe(secret, sizeof secret);
	}
	return e;
}

/* Of the demonstration: nobody real. */
static enum err
put_operators(const struct trust *t, const char *dir)
{
	char name[64];
	enum err e = ERR_OK;

	for (size_t i = 0; i < DEMO_OPERATORS && e == ERR_OK; i++) {
		snprintf(name, sizeof name, "keys/%s", demo_operators[i].file);
		e = put_private(dir, name, t->operators[i]);
	}
	return e;
}

static enum err
put_root(const struct trust *t, const char *dir)
{
	uint8_t room[KEY_PEM_BYTES_MAX];
	struct buf pem = BUF_OF(room);
	enum err e = key_write_public(t->keys[TRUST_ROOT], &pem);

	if (e != ERR_OK || (e = put(dir, "signer/root.pub", buf_bytes(&pem), 0600)) != ERR_OK)
		return e;
	return put(dir, "trust/root.pub", buf_bytes(&pem), 0644);
}

static enum err
put_names(const struct trust *t, const char *dir)
{
	uint8_t room[CRL_CA_BYTES_MAX * 2];
	char origin[HOST_BYTES_MAX + 8];
	struct buf b = BUF_OF(room);
	enum err e = put(dir, "signer/host", bytes_of_text(t->host), 0600);

	if (e != ERR_OK || (e = put(dir, "signer/crl-ca.der", t->crl_ca, 0600)) != ERR_OK ||
	        (e = crl_ca_pem(t->crl_ca, &b)) != ERR_OK ||
	        (e = put(dir, "trust/crl-ca.pem", buf_bytes(&b), 0644)) != ERR_OK)
		return e;
	snprintf(origin, sizeof origin, "%s/log", t->host);
	b = BUF_OF(room);
	note_vkey_put(&b, bytes_of_text(origin), t->keys[TRUST_LOG]);
	buf_put_u8(&b, '\n');
	return (e = buf_end(&b)) != ERR_OK ? e : put(dir, "trust/log.vkey", buf_bytes(&b), 0644);
}

static enum err
put_roster(const struct trust *t, const struct ceremony *c, const char *dir)
{
	char path[FILE_PATH_MAX];
	uint8_t *payload = NULL;
	size_t n = 0;
	enum err e = file_read(c->roster, ROSTER_BYTES_MAX, &payload, &n);

	if (e == ERR_OK && (e = admin_path(path, dir, "trust/roster.jws")) == ERR_OK)
		e = admin_roster_sign(&(struct admin_options){.out = path}, t->keys[TRUST_ROOT],
		        bytes_of(payload, n));
	free(payload);
	return e;
}

static enum err
put_documents(const struct trust *t, const struct ceremony *c, const char *dir)
{
	struct buf b = buf_init(malloc(ROSTER_ROOM), ROSTER_ROOM);
	enum err e = ERR_MEMORY;

	if (b.p == NULL)
		return e;
	if ((e = trust_manifest(t, &b)) == ERR_OK)
		e = put(dir, "trust/manifest.cose", buf_bytes(&b), 0644);
	b.n = 0;
	if (e == ERR_OK && c != NULL && c->roster != NULL)
		e = put_roster(t, c, dir);
	else if (e == ERR_OK && (e = put_operators(t, dir)) == ERR_OK &&
	         (e = trust_roster(t, &b)) == ERR_OK)
		e = put(dir, "trust/roster.jws", buf_bytes(&b), 0644);
	free(b.p);
	return e;
}

static enum err
trust_make(const struct config *c, const struct admin_witnesses *w, const struct admin_options *o,
        const struct ceremony *by, enum key_suite suite)
{
	uint8_t room[CRL_CA_BYTES_MAX], transcript_room[CEREMONY_BYTES_MAX * 2],
	        digest[SHA256_BYTES];
	struct buf der = BUF_OF(room), transcript = BUF_OF(transcript_room);
	const char *dir = o->dir;
	struct trust t;
	enum err e = ERR_OK;

	memset(&t, 0, sizeof t);
	t.host = c->host;
	t.name_zh = c->name_zh;
	t.name_en = c->name_en;
	t.now = o->now;
	t.suite = suite;
	t.witnesses = &w->policy;
	t.quorum = w->quorum;
	if ((e = trust_make_keys(&t)) != ERR_OK || (e = make_signer_keys(&t, by, dir)) != ERR_OK ||
	        (e = trust_crl_ca(&t, &der)) != ERR_OK)
		goto out;
	t.crl_ca = buf_bytes(&der);
	e = by == NULL ? put_private(dir, key_files[TRUST_ROOT], t.keys[TRUST_ROOT])
	               : ceremony_root(by, &t, dir, &transcript);
	if (e != ERR_OK || (e = put_secrets(dir)) != ERR_OK || (e = put_root(&t, dir)) != ERR_OK ||
	        (e = put_names(&t, dir)) != ERR_OK)
		goto out;
	if (by != NULL && (e = ceremony_transcript(by, &t, dir, &transcript, digest)) == ERR_OK)
		t.transcript = bytes_of(digest, sizeof digest);
	if (e == ERR_OK)
		e = put_documents(&t, by, dir);
out:
	trust_free_keys(&t);
	return e;
}

static enum err
make_folders(const char *dir)
{
	char path[FILE_PATH_MAX];
	enum err e = ERR_OK;

	for (size_t i = 0; i < COUNT(folders); i++)
		if ((e = admin_path(path, dir, folders[i].name)) != ERR_OK ||
		        (e = file_make_folders(path, folders[i].mode)) != ERR_OK)
			return e;
	return ERR_OK;
}

static enum admin_exit
init_with(const struct admin_options *o, const struct admin_witnesses *w, const struct ceremony *by)
{
	const struct key_suite_info *suite =
	        key_suite_by_name(o->suite == NULL ? "es256" : o->suite);
	char path[FILE_PATH_MAX];
	struct config c;
	enum err e;

	if (suite == NULL) {
		fprintf(stderr, "zz-admin: --suite must be es256, ed25519 or sm2\n");
		return ADMIN_USAGE;
	}
	e = config_make(o, w, &c);

	if (e == ERR_CONFIG)
		return ADMIN_USAGE;
	if (e == ERR_OK && by != NULL && (e = admin_path(path, o->dir, "shares")) == ERR_OK)
		e = file_make_folders(path, 0700);
	if (e != ERR_OK || (e = make_folders(o->dir)) != ERR_OK ||
	        (e = trust_make(&c, w, o, by, suite->suite)) != ERR_OK)
		return admin_fault("init", e);
	printf("made %s: keys (%s), manifest 1, roster 1, zz.conf; host %s\n", o->dir, suite->name,
	        c.host);
	printf("the root key is %s/keys/root.pem: take it off this machine after the ceremony\n",
	        o->dir);
	if (by != NULL)
		printf("%u of the %zu shares in %s/shares open it: give each to its custodian, and "
		       "destroy the folder\n",
		        by->shares.threshold, by->shares.count, o->dir);
	return ADMIN_DONE;
}

enum admin_exit
admin_init(const struct admin_options *o)
{
	return admin_init_by(o, NULL);
}

enum admin_exit
admin_init_by(const struct admin_options *o, const struct ceremony *by)
{
	struct admin_witnesses *w = calloc(1, sizeof *w);
	enum admin_exit x = ADMIN_DONE;
	enum err e = w == NULL ? ERR_MEMORY : all_absent(o->dir);

	if (e != ERR_OK)
		x = admin_fault("init", e);
	else if ((e = admin_witnesses_read(o, w)) != ERR_OK)
		x = ADMIN_USAGE;
	else if ((e = file_make_folders(o->dir, 0755)) != ERR_OK)
		x = admin_fault(o->dir, e);
	else
		x = init_with(o, w, by);
	if (w != NULL)
		admin_witnesses_close(w);
	free(w);
	return x;
}
