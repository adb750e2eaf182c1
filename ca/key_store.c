/* key_store.c - one row for each place that a key can have. No place is tried after another: a key
 * that lies in a token is never looked for in a file. */
#include "key_store.h"

#include "hash.h"
#include "key_pkcs11.h"
#include "log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PASSPHRASE_LINE "passphrase-source: "

struct place {
	struct key_store *store;
	struct bytes file;
};

static enum err
plain_open(const struct place *p, struct key **out)
{
	return key_read_pem(p->file, out);
}

static enum err
plain_make(const struct place *p, enum key_suite suite, const char *label, struct key **out,
        struct buf *file)
{
	enum err e = key_generate(suite, out);

	(void)p;
	(void)label;
	return e == ERR_OK ? key_write_private(*out, file) : e;
}

/* The first line and what follows it. */
static struct bytes
line_take(struct bytes *rest)
{
	const uint8_t *end = memchr(rest->p, '\n', rest->n);
	struct bytes line = bytes_of(rest->p, end == NULL ? rest->n : (size_t)(end - rest->p));

	*rest = bytes_skip(*rest, line.n + (end != NULL));
	return line;
}

void
key_store_end(struct key_store *s)
{
	secret_wipe(s->secret, sizeof s->secret);
	s->secret_n = 0;
	s->path[0] = '\0';
}

/* A view of what the store remembers. */
static enum err
passphrase_read(const struct place *p, struct bytes *rest, struct bytes *out)
{
	struct bytes line = line_take(rest), name = bytes_skip(line, sizeof PASSPHRASE_LINE - 1);
	bool whole = name.n > 0 && name.p[0] == '/';
	struct key_store *s = p->store;
	char path[FILE_PATH_MAX];
	uint8_t *secret = NULL;
	size_t n = 0;
	enum err e = ERR_OK;

	snprintf(path, sizeof path, "%s%s%.*s", whole ? "" : s->dir, whole ? "" : "/", (int)name.n,
	        (const char *)name.p);
	if (strcmp(path, s->path) != 0) {
		e = file_read(path, sizeof s->secret, &secret, &n);
		if (e != ERR_OK) {
			log_fault("passphrase_unreadable", "path=%s error=%s", path, err_word(e));
			return e;
		}
		while (n > 0 && (secret[n - 1] == '\n' || secret[n - 1] == '\r'))
			n--;
		memcpy(s->secret, secret, n);
		s->secret_n = n;
		memcpy(s->path, path, sizeof path);
		secret_wipe(secret, n);
		free(secret);
	}
	*out = bytes_of(s->secret, s->secret_n);
	return ERR_OK;
}

static enum err
encrypted_open(const struct place *p, struct key **out)
{
	struct bytes rest = p->file, secret;
	enum err e = passphrase_read(p, &rest, &secret);

	return e == ERR_OK ? key_read_encrypted(rest, secret, out) : e;
}

static enum err
encrypted_make(const struct place *p, enum key_suite suite, const char *label, struct key **out,
        struct buf *file)
{
	struct bytes rest = p->file, line = line_take(&(struct bytes){p->file.p, p->file.n}),
	             secret;
	enum err e = passphrase_read(p, &rest, &secret);

	(void)label;
	buf_put(file, line);
	buf_put_u8(file, '\n');
	if (e == ERR_OK && (e = key_generate(suite, out)) == ERR_OK)
		e = key_write_encrypted(*out, secret, file);
	return e;
}

static enum err
token_open(const struct place *p, struct key **out)
{
	struct bytes rest = p->file;

	return key_pkcs11_open(p->store->dir, line_take(&rest), out);
}

static enum err
token_make(const struct place *p, enum key_suite suite, const char *label, struct key **out,
        struct buf *file)
{
	struct bytes rest = p->file;

	return key_pkcs11_make(p->store->dir, line_take(&rest), suite, label, out, file);
}

/* GM/T 0018-2023: SDF_OpenDevice, SDF_OpenSession, SDF_GetPrivateKeyAccessRight(index, password),
 * SDF_ExportSignPublicKey_ECC(index), SDF_InternalSign_ECC(index, e[32]) -> r, s; the caller makes
 * e = SM3(Z ‖ message). A back end has the two functions of this row: open, which gives a public
 * key with key_attach, and make, which such devices do at a ceremony only. */
static enum err
device_open(const struct place *p, struct key **out)
{
	(void)p;
	(void)out;
	log_fault(
	        "device_not_served", "what=\"sdf: keys in GM/T 0018 devices are not served yet\"");
	return ERR_CONFIG;
}

static enum err
device_make(const struct place *p, enum key_suite suite, const char *label, struct key **out,
        struct buf *file)
{
	(void)suite;
	(void)label;
	(void)file;
	return device_open(p, out);
}

static const struct {
	const char *begin;
	enum err (*open)(const struct place *p, struct key **out);
	enum err (*make)(const struct place *p, enum key_suite suite, const char *label,
	        struct key **out, struct buf *file);
} places[] = {
        {"-----BEGIN ", plain_open, plain_make},
        {PASSPHRASE_LINE, encrypted_open, encrypted_make},
        {"pkcs11:", token_open, token_make},
        {"sdf:", device_open, device_make},
};
enum { PLACES = sizeof places / sizeof places[0] };

static size_t
place_of(struct bytes file)
{
	size_t i = 0;

	while (i < PLACES && !bytes_start(file, places[i].begin))
		i++;
	return i;
}

enum err
key_store_open(struct key_store *s, struct bytes file, struct key **out)
{
	size_t i = place_of(file);

	return i == PLACES ? ERR_VALUE : places[i].open(&(struct place){s, file}, out);
}

enum err
key_store_make(struct key_store *s, struct bytes like, enum key_suite suite, const char *label,
        struct key **out, struct buf *file)
{
	size_t i = place_of(like);
	struct key *k = NULL;
	enum err e = ERR_VALUE;

	if (i < PLACES)
		e = places[i].make(&(struct place){s, like}, suite, label, &k, file);
	if (e == ERR_OK && (e = buf_end(file)) == ERR_OK)
		*out = k;
	else
		key_free(k);
	return e;
}

bool
key_store_soft(const struct key *k)
{
	return key_is_private(k) && !key_is_elsewhere(k);
}
