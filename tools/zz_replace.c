/* zz_replace.c - zz replace: what a new certificate says instead of the old one, and that the new
 * one says nothing else. */
#include "file.h"
#include "zz_order.h"
#include "zz_text.h"

#include <stdlib.h>
#include <string.h>

enum { PHOTO_BYTES_MAX = 32 * 1024 * 1024 };

static enum zz_exit
photo_put(const struct order *o, json_t *changes)
{
	char hex[2 * SHA256_BYTES + 1];
	uint8_t digest[SHA256_BYTES], *photo = NULL;
	size_t n = 0;
	enum err e;

	if (o->w.photo && o->w.photo_sha256)
		return zz_usage(o->z, "give one of --photo FILE and --photo-sha256 HEX");
	if (o->w.photo_sha256 && !zz_is_hex(bytes_of_text(o->w.photo_sha256), 2 * SHA256_BYTES))
		return zz_usage(o->z, "--photo-sha256 is 64 hex digits (0-9 a-f)");
	if (o->w.photo_sha256)
		json_object_set_new(changes, "photo_sha256", json_string(o->w.photo_sha256));
	if (!o->w.photo)
		return ZZ_DONE;
	if ((e = file_read(o->w.photo, PHOTO_BYTES_MAX, &photo, &n)) != ERR_OK)
		return zz_usage(o->z, "cannot read %s (%s)", o->w.photo, err_word(e));
	sha256_one(bytes_of(photo, n), digest);
	free(photo);
	hex_encode(bytes_of(digest, sizeof digest), hex);
	json_object_set_new(changes, "photo_sha256", json_string(hex));
	return ZZ_DONE;
}

static enum zz_exit
changes_put(const struct order *o, json_t *changes)
{
	const char *const texts[][2] = {{"name", o->w.name}, {"sex", o->w.sex},
	        {"doc_type", o->w.doc_type}, {"doc_number", o->w.doc_number}};

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		if (texts[i][1] &&
		        json_object_set_new(changes, texts[i][0], json_string(texts[i][1])))
			return zz_usage(o->z, "the options must be UTF-8 text");
	if (o->w.sex && strcmp(o->w.sex, "M") != 0 && strcmp(o->w.sex, "F") != 0)
		return zz_usage(o->z, "--sex is M or F");
	if (!o->w.doc_type != !o->w.doc_number)
		return zz_usage(o->z, "--doc-type and --doc-number go together");
	return photo_put(o, changes);
}

/* The grounds of a replace: loss and a new catalogue change nothing of the person. */
enum zz_exit
zz_changes_build(const struct order *o, json_t **out)
{
	json_t *changes = json_object();
	enum zz_exit exit;
	bool x03 = !strcmp(o->w.ground, "X03");

	if (!x03 && strcmp(o->w.ground, "X02") != 0 && strcmp(o->w.ground, "X05") != 0) {
		json_decref(changes);
		return zz_usage(o->z, "a certificate is replaced on the ground X02, X03 or X05");
	}
	exit = changes_put(o, changes);
	if (exit == ZZ_DONE && !x03 && json_object_size(changes))
		exit = zz_usage(o->z, "%s changes nothing of the person: X03 does", o->w.ground);
	if (exit == ZZ_DONE)
		*out = changes;
	else
		json_decref(changes);
	return exit;
}

static enum zz_exit
answer_keep(struct order *o, struct zz_answer *a, const json_t *answer)
{
	if (!bytes_equal_text(zz_text_of(answer, "state"), "executed") ||
	        zz_answer_keep(a, answer) == ERR_OK)
		return ZZ_DONE;
	fprintf(o->z->err,
	        "zz: the answer does not fit what was asked for: %s. Keep %s and report this.\n"
	        "    答复与请求不符，请保留文件夹并报告。\n",
	        a->wrong[0] ? a->wrong : "out of memory", o->dir);
	return ZZ_REFUSED;
}

static enum zz_exit
replace_send(struct order *o, const struct record *old)
{
	struct zz_answer a = {.z = o->z, .request = &o->request, .dir = o->dir, .old = old};
	struct bytes raw = {0};
	json_t *answer = NULL;
	enum zz_exit exit = order_post(o, &answer, &raw);

	if (exit != ZZ_DONE)
		return exit;
	if ((exit = answer_keep(o, &a, answer)) == ZZ_DONE)
		exit = zz_answer_say(&a, answer, o->w.json ? &raw : NULL, o->w.url);
	json_decref(answer);
	return exit;
}

enum zz_exit
zz_replace_run(struct order *o)
{
	struct zz_service service = {o->z, o->client, o->key};
	struct zz_certificate old = {.json = NULL};
	enum zz_exit exit = zz_certificate_get(&service, o->w.rest[0], NULL, &old);

	if (exit != ZZ_DONE)
		return exit;
	if ((exit = order_request_take(o)) == ZZ_DONE)
		exit = replace_send(o, &old.record);
	zz_certificate_free(&old);
	return exit;
}
