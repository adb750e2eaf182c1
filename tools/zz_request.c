/* zz_request.c - signing, saving and reading back requests: what is sent is always what lies on
 * disk. */
#include "zz_request.h"
#include "base64.h"
#include "file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
zz_jti(char out[ZZ_JTI_TEXT + 1])
{
	uint8_t random[16];
	struct buf b = buf_init(out, ZZ_JTI_TEXT);

	random_bytes(random, sizeof random);
	base64url_put(&b, bytes_of(random, sizeof random));
	out[ZZ_JTI_TEXT] = 0;
}

json_t *
zz_payload(const char *type, const char *jti, int64_t now, int64_t lifetime_s)
{
	return json_pack("{s:s,s:s,s:I,s:I}", "type", type, "jti", jti, "iat", (json_int_t)now,
	        "exp", (json_int_t)(now + lifetime_s));
}

enum err
zz_sign(const struct key *k, const char *typ, const json_t *payload, uint8_t **out, size_t *n)
{
	struct buf b = {0};
	size_t length = 0, room;
	uint8_t *text = NULL;
	enum err e = ERR_MEMORY;
	char *json = json_write(payload, &length);

	if (!json)
		return ERR_MEMORY;
	if (length > REQUEST_BYTES_MAX) {
		e = ERR_LIMIT;
		goto out;
	}
	room = BASE64URL_CHARS(length) + APPROVAL_BYTES_MAX;
	if (!(text = malloc(room)))
		goto out;
	b = buf_init(text, room);
	if ((e = jws_sign(k, typ, bytes_of(json, length), &b)) != ERR_OK ||
	        (e = buf_end(&b)) != ERR_OK)
		goto out;
	*out = text;
	*n = b.n;
	text = NULL;
out:
	free(text);
	free(json);
	return e;
}

enum err
zz_request_open(uint8_t *text, size_t n, struct zz_request *out)
{
	struct zz_request r = {.text = text, .n = n};
	enum err e;

	if ((e = jws_decode(bytes_of(text, n), JWS_BYTES_MAX, &r.jws)) != ERR_OK)
		goto fail;
	e = ERR_JWS_INVALID;
	if (strcmp(r.jws.typ, REQUEST_TYP))
		goto fail;
	if ((e = request_decode(&r.jws, &r.request)) != ERR_OK)
		goto fail;
	hex_encode(bytes_of(r.jws.hash, SHA256_BYTES), r.id);
	*out = r;
	return ERR_OK;
fail:
	free(text);
	return e;
}

void
zz_request_free(struct zz_request *r)
{
	request_free(&r->request);
	free(r->text);
	memset(r, 0, sizeof *r);
}

enum err
zz_create(const char *path, struct bytes data, unsigned mode)
{
	char temp[ZZ_PATH_MAX];
	int n = snprintf(temp, sizeof temp, "%s.new-%ld", path, (long)getpid());
	enum err e;

	if (n < 0 || (size_t)n >= sizeof temp)
		return ERR_LIMIT;
	if (file_exists(path))
		return ERR_EXISTS;
	if ((e = file_write(temp, data, mode)) != ERR_OK)
		return e;
	/* link, unlike rename, never replaces what another run has put there meanwhile */
	if (link(temp, path))
		e = errno == EEXIST ? ERR_EXISTS : ERR_IO;
	unlink(temp);
	if (e == ERR_OK)
		file_sync_folder(path);
	return e;
}

static enum zz_exit
saved_read(const struct zz *z, const char *path, struct zz_request *out)
{
	uint8_t *text = NULL;
	size_t n = 0;
	enum err e;

	if ((e = file_read(path, JWS_BYTES_MAX, &text, &n)) == ERR_OK)
		e = zz_request_open(text, n, out);
	if (e != ERR_OK)
		return zz_usage(z, "%s is there but is no signed request (%s): give another --out",
		        path, err_word(e));
	out->saved = true;
	return ZZ_DONE;
}

/* Decodes before it saves: what the service would refuse for its form never reaches the disk. */
static enum zz_exit
sign_and_save(const struct zz *z, const char *path, const struct key *k, const json_t *payload,
        struct zz_request *out)
{
	struct zz_request r = {0};
	uint8_t *text = NULL;
	size_t n = 0;
	enum err e;

	if ((e = zz_sign(k, REQUEST_TYP, payload, &text, &n)) != ERR_OK)
		return zz_fault(z, "signing the request", e);
	if ((e = zz_request_open(text, n, &r)) != ERR_OK)
		return zz_usage(z, "the request would be refused: %s (%s)", err_en(e), err_word(e));
	e = zz_create(path, bytes_of(r.text, r.n), 0600);
	if (e == ERR_OK) {
		*out = r;
		return ZZ_DONE;
	}
	zz_request_free(&r);
	if (e == ERR_EXISTS)
		return saved_read(z, path, out);
	return zz_usage(z, "cannot save %s (%s): nothing was sent", path, err_word(e));
}

enum zz_exit
zz_request_take(const struct zz *z, const char *dir, const struct key *k, const json_t *payload,
        struct zz_request *out)
{
	char path[ZZ_PATH_MAX];
	int n = snprintf(path, sizeof path, "%s/request.jws", dir);

	if (n < 0 || (size_t)n >= sizeof path)
		return zz_usage(z, "--out is too long");
	if (file_exists(path))
		return saved_read(z, path, out);
	if (file_make_folders(dir, 0700) != ERR_OK)
		return zz_usage(z, "cannot make the folder %s", dir);
	return sign_and_save(z, path, k, payload, out);
}

bool
zz_request_same(const struct zz_request *r, const json_t *payload)
{
	static const char *const skip[] = {"jti", "iat", "exp"};
	char *text;
	size_t n = 0, i;
	json_t *mine = NULL;
	bool same;

	/* through text and back: the same rounding of scores on both sides */
	if (!(text = json_write(payload, &n)))
		return false;
	mine = json_loadb(text, n, 0, NULL);
	free(text);
	for (i = 0; mine && i < sizeof skip / sizeof skip[0]; i++)
		json_object_set(mine, skip[i], json_object_get(r->request.json, skip[i]));
	same = mine && json_equal(mine, r->request.json);
	json_decref(mine);
	return same;
}
