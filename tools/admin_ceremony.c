/* admin_ceremony.c - zz-admin ceremony: what is done is what the reviewed file says and nothing
 * else, and all of it is written down; the transcript's hash stands in manifest 1, whose hash
 * stands in the log. */
#include "admin_ceremony.h"

#include "date.h"
#include "file.h"
#include "hash.h"
#include "key_pem.h"
#include "key_store.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { SHARES_ROOM = SHARES_MAX * SHARE_FILE_BYTES_MAX };

#define ROW(name, member)                                                                          \
	{                                                                                          \
		name, offsetof(struct ceremony, member)                                            \
	}
static const struct {
	const char *name;
	size_t offset;
} rows[] = {
        ROW("host", host),
        ROW("name_zh", name_zh),
        ROW("name_en", name_en),
        ROW("place", place),
        ROW("suite", suite),
        ROW("listen", listen),
        ROW("database", database),
        ROW("front_user", front_user),
        ROW("publish_user", publish_user),
        ROW("admin_user", admin_user),
        ROW("witnesses", witnesses),
        ROW("quorum", quorum),
        ROW("roster", roster),
        ROW("threshold", threshold),
        ROW("record_key", keys[TRUST_RECORD]),
        ROW("status_key", keys[TRUST_STATUS]),
        ROW("log_key", keys[TRUST_LOG]),
};
enum { ROWS = sizeof rows / sizeof rows[0] };

/* ---- the file ---- */

static char *
trim(char *s)
{
	char *end = s + strlen(s);

	while (*s == ' ' || *s == '\t')
		s++;
	while (end > s && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
		*--end = '\0';
	return s;
}

/* NULL, or what is wrong with the line. */
static const char *
line_take(struct ceremony *c, char *line)
{
	char *equals = strchr(line, '='), *name, *value;

	if (*trim(line) == '\0' || *trim(line) == '#')
		return NULL;
	if (equals == NULL)
		return "is not NAME = VALUE";
	*equals = '\0';
	name = trim(line);
	value = trim(equals + 1);
	if (*value == '\0')
		return "has no value";
	if (strcmp(name, "custodian") == 0) {
		if (c->shares.count == SHARES_MAX)
			return "is a custodian too many";
		c->shares.custodians[c->shares.count++] = value;
		return NULL;
	}
	for (size_t i = 0; i < ROWS; i++) {
		const char **member = (const char **)((char *)c + rows[i].offset);

		if (strcmp(name, rows[i].name) != 0)
			continue;
		if (*member != NULL)
			return "stands there twice";
		*member = value;
		return NULL;
	}
	return "names nothing that a ceremony knows";
}

static const char *
file_judge(struct ceremony *c)
{
	uint64_t threshold = 0;

	if (c->host == NULL || c->name_zh == NULL || c->name_en == NULL || c->place == NULL)
		return "host, name_zh, name_en and place are needed";
	if (c->shares.count < 2 || c->threshold == NULL ||
	        decimal_decode(bytes_of_text(c->threshold), c->shares.count, &threshold) !=
	                ERR_OK ||
	        threshold < 2)
		return "at least two custodians, and a threshold of 2 to their number, are needed";
	c->shares.threshold = (unsigned)threshold;
	c->shares.host = c->host;
	return NULL;
}

static enum admin_exit
file_parse(const char *path, struct ceremony *c)
{
	const char *wrong = NULL;
	unsigned number = 0;

	for (char *line = c->room; wrong == NULL && line != NULL; number++) {
		char *next = strchr(line, '\n');

		if (next != NULL)
			*next++ = '\0';
		wrong = line_take(c, line);
		line = next;
	}
	if (wrong != NULL) {
		fprintf(stderr, "zz-admin: %s: line %u %s\n", path, number, wrong);
		return ADMIN_USAGE;
	}
	if ((wrong = file_judge(c)) == NULL)
		return ADMIN_DONE;
	fprintf(stderr, "zz-admin: %s: %s\n", path, wrong);
	return ADMIN_USAGE;
}

static enum admin_exit
file_take(const struct admin_options *o, struct ceremony *c)
{
	char hex[2 * SHA256_BYTES + 1];
	enum err e = file_read(o->argument, CEREMONY_BYTES_MAX, &c->file, &c->file_n);

	if (e != ERR_OK)
		return admin_fault(o->argument, e);
	sha256_one(bytes_of(c->file, c->file_n), c->file_sha256);
	hex_encode(bytes_of(c->file_sha256, SHA256_BYTES), hex);
	printf("%s: SHA-256 %s\n", o->argument, hex);
	if (strcmp(o->sha256, hex) != 0) {
		fputs("zz-admin: that is not the file that was reviewed: --sha256 says another "
		      "one\n",
		        stderr);
		return ADMIN_REFUSED;
	}
	c->room = malloc(c->file_n + 1);
	if (c->room == NULL || memchr(c->file, '\0', c->file_n) != NULL)
		return admin_fault(o->argument, c->room == NULL ? ERR_MEMORY : ERR_VALUE);
	memcpy(c->room, c->file, c->file_n);
	c->room[c->file_n] = '\0';
	return file_parse(o->argument, c);
}

static bool
uses_token(const struct ceremony *c)
{
	for (size_t i = 0; i < TRUST_KEYS; i++)
		if (c->keys[i] != NULL && strncmp(c->keys[i], "pkcs11:", 7) == 0)
			return true;
	return false;
}

/* ---- the root ---- */

static void
hash_put(struct buf *b, const char *what, struct bytes of)
{
	uint8_t digest[SHA256_BYTES];

	sha256_one(of, digest);
	buf_put_text(b, what);
	buf_put_hex(b, bytes_of(digest, sizeof digest));
	buf_put_u8(b, '\n');
}

static enum err
put(const char *dir, const char *name, struct bytes data, unsigned mode)
{
	char path[FILE_PATH_MAX];
	enum err e = admin_path(path, dir, name);

	return e != ERR_OK ? e : file_write(path, data, mode);
}

static enum err
shares_write(const struct ceremony *c, const char *dir, const struct bytes *files,
        struct buf *transcript)
{
	char name[40], line[300];
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < c->shares.count; i++) {
		snprintf(name, sizeof name, "shares/share-%zu.txt", i + 1);
		e = put(dir, name, files[i], 0600);
		snprintf(line, sizeof line,
		        "share %zu of %zu, %u needed, custodian %.200s, SHA-256 ", i + 1,
		        c->shares.count, c->shares.threshold, c->shares.custodians[i]);
		hash_put(transcript, line, files[i]);
	}
	return e;
}

enum err
ceremony_root(
        const struct ceremony *c, const struct trust *t, const char *dir, struct buf *transcript)
{
	uint8_t secret[SHARE_SECRET_BYTES], pem_room[KEY_FILE_BYTES_MAX];
	char phrase_room[SHARE_PASSPHRASE_BYTES];
	struct buf pem = BUF_OF(pem_room), phrase = BUF_OF(phrase_room),
	           out = buf_init(malloc(SHARES_ROOM), SHARES_ROOM);
	struct share_names names = c->shares;
	struct bytes files[SHARES_MAX];
	struct key *again = NULL;
	enum err e = out.p == NULL ? ERR_MEMORY : ERR_OK;

	random_bytes(secret, sizeof secret);
	share_passphrase(secret, &phrase);
	names.root = key_kid(t->keys[TRUST_ROOT]);
	if (e == ERR_OK)
		e = key_write_encrypted(t->keys[TRUST_ROOT], buf_bytes(&phrase), &pem);
	/* what cannot be opened again is not a key */
	if (e == ERR_OK)
		e = key_read_encrypted(buf_bytes(&pem), buf_bytes(&phrase), &again);
	key_free(again);
	if (e == ERR_OK && (e = shares_make(&names, secret, &out, files)) == ERR_OK)
		e = put(dir, "keys/root.pem", buf_bytes(&pem), 0600);
	hash_put(transcript, "root key, encrypted, SHA-256 ", buf_bytes(&pem));
	if (e == ERR_OK)
		e = shares_write(c, dir, files, transcript);
	if (out.p != NULL)
		secret_wipe(out.p, SHARES_ROOM);
	free(out.p);
	secret_wipe(secret, sizeof secret);
	secret_wipe(phrase_room, sizeof phrase_room);
	return e;
}

/* ---- the transcript ---- */

static void
key_line(const struct trust *t, enum trust_key which, const char *name, struct buf *b)
{
	const struct key *k = t->keys[which];
	uint8_t room[KEY_COSE_BYTES_MAX];
	struct buf cose = BUF_OF(room);
	char line[200], hex[2 * KEY_KID_BYTES + 1];

	hex_encode(key_kid(k), hex);
	key_put_cose(k, &cose);
	snprintf(line, sizeof line, "key %s: kid %s, %s, %s, public SHA-256 ", name, hex,
	        key_suite_info(key_suite(k))->name, key_store_soft(k) ? "software" : "device");
	hash_put(b, line, buf_bytes(&cose));
}

enum err
ceremony_transcript(const struct ceremony *c, const struct trust *t, const char *dir,
        struct buf *transcript, uint8_t sha256[SHA256_BYTES])
{
	static const char *const names[TRUST_KEYS] = {
	        [TRUST_ROOT] = "root",
	        [TRUST_RECORD] = "record",
	        [TRUST_STATUS] = "status",
	        [TRUST_LOG] = "log",
	        [TRUST_CRL] = "crl",
	        [TRUST_STATUS_SM2] = "status-sm2",
	        [TRUST_LOG_SM2] = "log-sm2",
	};
	enum err e;

	for (unsigned i = 0; i < trust_key_count(t); i++)
		key_line(t, (enum trust_key)i, names[i], transcript);
	hash_put(transcript, "CRL certificate, SHA-256 ", t->crl_ca);
	buf_put_text(transcript, "zz-admin " ZZ_VERSION ", ");
	time_put_utc(transcript, t->now);
	buf_put_text(transcript, "\n---- the reviewed file, SHA-256 ");
	buf_put_hex(transcript, bytes_of(c->file_sha256, SHA256_BYTES));
	buf_put_text(transcript, " ----\n");
	buf_put(transcript, bytes_of(c->file, c->file_n));
	if ((e = buf_end(transcript)) != ERR_OK)
		return e;
	sha256_one(buf_bytes(transcript), sha256);
	return put(dir, "trust/transcript.txt", buf_bytes(transcript), 0644);
}

enum admin_exit
admin_ceremony(const struct admin_options *o)
{
	struct ceremony *c = calloc(1, sizeof *c);
	struct admin_options by = *o;
	enum admin_exit x = c == NULL ? admin_fault("ceremony", ERR_MEMORY) : file_take(o, c);

	if (c != NULL && x == ADMIN_DONE) {
		by.host = c->host;
		by.name_zh = c->name_zh;
		by.name_en = c->name_en;
		by.suite = c->suite;
		by.sandbox = uses_token(c) ? "no" : NULL;
		by.listen = c->listen;
		by.database = c->database;
		by.front_user = c->front_user;
		by.publish_user = c->publish_user;
		by.admin_user = c->admin_user;
		by.witnesses = c->witnesses;
		by.quorum = c->quorum;
		x = admin_init_by(&by, c);
	}
	if (c != NULL) {
		free(c->file);
		free(c->room);
	}
	free(c);
	return x;
}
