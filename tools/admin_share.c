/* admin_share.c - splitting is the library's; ours is the text of a share, which a person can read,
 * and which says when one character of it is wrong. */
#include "admin_share.h"

#include "base64.h"
#include "file.h"
#include "hash.h"
#include "key_pem.h"

#include <libgfshare.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHECK_BYTES = 8, KID_HEX = 2 * KEY_KID_BYTES };

struct share {
	unsigned char number, threshold;
	uint8_t data[SHARE_SECRET_BYTES], root[KEY_KID_BYTES];
};

static void
random_fill(unsigned char *p, unsigned n)
{
	random_bytes(p, n);
}

void
share_passphrase(const uint8_t secret[SHARE_SECRET_BYTES], struct buf *out)
{
	base64url_put(out, bytes_of(secret, SHARE_SECRET_BYTES));
}

/* ---- the text ---- */

static void
check_of(struct bytes lines, char hex[2 * CHECK_BYTES + 1])
{
	uint8_t digest[SHA256_BYTES];

	sha256_one(lines, digest);
	hex_encode(bytes_of(digest, CHECK_BYTES), hex);
}

static void
share_put(const struct share_names *names, const struct share *s, struct buf *out)
{
	char hex[2 * SHARE_SECRET_BYTES + 1], head[600];
	size_t begin = out->n;

	hex_encode(names->root, hex);
	snprintf(head, sizeof head,
	        "zz root share 根密钥份额\nauthority: %.200s\ncustodian: %.200s\nroot: %s\n"
	        "share: %u of %zu, %u needed\n",
	        names->host, names->custodians[s->number - 1], hex, s->number, names->count,
	        names->threshold);
	buf_put_text(out, head);
	hex_encode(bytes_of(s->data, sizeof s->data), hex);
	buf_put_text(out, "data: ");
	buf_put_text(out, hex);
	buf_put_u8(out, '\n');
	secret_wipe(hex, sizeof hex);
	check_of(bytes_of(out->p + begin, out->failed ? 0 : out->n - begin), hex);
	buf_put_text(out, "check: ");
	buf_put_text(out, hex);
	buf_put_u8(out, '\n');
}

/* The value of the line that begins so; empty where there is none. */
static struct bytes
line_of(struct bytes text, const char *begin)
{
	size_t n = strlen(begin);

	while (text.n > 0) {
		const uint8_t *end = memchr(text.p, '\n', text.n);
		size_t length = end == NULL ? text.n : (size_t)(end - text.p);

		if (length >= n && memcmp(text.p, begin, n) == 0)
			return bytes_of(text.p + n, length - n);
		text = bytes_skip(text, length + (end != NULL));
	}
	return bytes_of(NULL, 0);
}

/* "N of M, K needed" */
static enum err
numbers_read(struct bytes in, uint64_t out[3])
{
	static const char *const ends[3] = {" of ", ", ", " needed"};

	for (size_t i = 0; i < 3; i++) {
		const uint8_t *end = memmem(in.p, in.n, ends[i], strlen(ends[i]));
		size_t n = end == NULL ? 0 : (size_t)(end - in.p);

		if (end == NULL || decimal_decode(bytes_of(in.p, n), SHARES_MAX, &out[i]) != ERR_OK)
			return ERR_ENCODING;
		in = bytes_skip(in, n + strlen(ends[i]));
	}
	return in.n == 0 ? ERR_OK : ERR_ENCODING;
}

static enum err
share_read(struct bytes text, struct share *out)
{
	static const char mark[] = "\ncheck: ";
	const uint8_t *at = memmem(text.p, text.n, mark, sizeof mark - 1);
	char check[2 * CHECK_BYTES + 1];
	uint64_t numbers[3];

	if (at == NULL)
		return ERR_ENCODING;
	check_of(bytes_of(text.p, (size_t)(at - text.p) + 1), check);
	if (!bytes_equal_text(line_of(text, "check: "), check) ||
	        numbers_read(line_of(text, "share: "), numbers) != ERR_OK || numbers[0] < 1 ||
	        numbers[0] > numbers[1] || numbers[2] < 2 || numbers[2] > numbers[1] ||
	        hex_decode(line_of(text, "data: "), out->data, sizeof out->data) != ERR_OK ||
	        hex_decode(line_of(text, "root: "), out->root, sizeof out->root) != ERR_OK)
		return ERR_ENCODING;
	out->number = (unsigned char)numbers[0];
	out->threshold = (unsigned char)numbers[2];
	return ERR_OK;
}

/* ---- joining ---- */

static enum err
join(struct share *shares, size_t count, uint8_t secret[SHARE_SECRET_BYTES])
{
	unsigned char numbers[SHARES_MAX];
	gfshare_ctx *g;

	gfshare_fill_rand = random_fill; /* it also wipes with it */
	for (size_t i = 0; i < count; i++)
		numbers[i] = shares[i].number;
	if ((g = gfshare_ctx_init_dec(numbers, (unsigned)count, SHARE_SECRET_BYTES)) == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < count; i++)
		gfshare_ctx_dec_giveshare(g, (unsigned char)i, shares[i].data);
	gfshare_ctx_dec_extract(g, secret);
	gfshare_ctx_free(g);
	return ERR_OK;
}

static enum err
share_load(const char *path, struct share *out)
{
	uint8_t *p = NULL;
	size_t n = 0;
	enum err e = file_read(path, SHARE_FILE_BYTES_MAX, &p, &n);

	if (e != ERR_OK) {
		fprintf(stderr, "zz-admin: %s: %s\n", path, err_en(e));
	} else if (share_read(bytes_of(p, n), out) != ERR_OK) {
		fprintf(stderr, "zz-admin: %s: the share is damaged: its check does not fit\n",
		        path);
		e = ERR_SIGNATURE;
	}
	if (p != NULL)
		secret_wipe(p, n);
	free(p);
	return e;
}

/* Each once, all of one key, and enough. */
static enum err
shares_judge(const struct share *all, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (memcmp(all[i].root, all[0].root, sizeof all[i].root) != 0) {
			fputs("zz-admin: the shares are of different root keys\n", stderr);
			return ERR_SIGNATURE;
		}
		for (size_t k = 0; k < i; k++)
			if (all[k].number == all[i].number) {
				fprintf(stderr, "zz-admin: share %u stands there twice\n",
				        all[i].number);
				return ERR_SIGNATURE;
			}
	}
	if (count >= all[0].threshold)
		return ERR_OK;
	fprintf(stderr, "zz-admin: %zu shares, and it takes %u\n", count, all[0].threshold);
	return ERR_SIGNATURE;
}

static enum err
shares_load(const char *paths, struct share all[SHARES_MAX], size_t *count)
{
	char *copy = strdup(paths), *rest = NULL;
	enum err e = copy == NULL ? ERR_MEMORY : ERR_OK;

	*count = 0;
	for (char *path = copy == NULL ? NULL : strtok_r(copy, ",", &rest);
	        e == ERR_OK && path != NULL; path = strtok_r(NULL, ",", &rest))
		e = *count == SHARES_MAX ? ERR_LIMIT : share_load(path, &all[(*count)++]);
	free(copy);
	return e == ERR_OK && *count == 0 ? ERR_VALUE : e;
}

enum err
shares_open(const char *paths, struct bytes pem, struct key **root)
{
	struct share all[SHARES_MAX];
	uint8_t secret[SHARE_SECRET_BYTES];
	char room[SHARE_PASSPHRASE_BYTES];
	struct buf passphrase = BUF_OF(room);
	struct key *k = NULL;
	size_t count;
	enum err e = shares_load(paths, all, &count);

	if (e == ERR_OK && (e = shares_judge(all, count)) == ERR_OK &&
	        (e = join(all, count, secret)) == ERR_OK) {
		share_passphrase(secret, &passphrase);
		e = key_read_encrypted(pem, buf_bytes(&passphrase), &k);
	}
	if (e == ERR_OK && !bytes_equal(key_kid(k), bytes_of(all[0].root, sizeof all[0].root)))
		e = ERR_SIGNATURE;
	secret_wipe(all, sizeof all);
	secret_wipe(secret, sizeof secret);
	secret_wipe(room, sizeof room);
	if (e == ERR_OK)
		*root = k;
	else
		key_free(k);
	return e;
}

/* ---- making ---- */

/* A window of M shares around the circle gives the secret back, wherever it begins. */
static enum err
windows_check(const struct share *all, const struct share_names *names,
        const uint8_t secret[SHARE_SECRET_BYTES])
{
	struct share some[SHARES_MAX];
	uint8_t again[SHARE_SECRET_BYTES];
	enum err e = ERR_OK;

	for (size_t first = 0; e == ERR_OK && first < names->count; first++) {
		for (size_t i = 0; i < names->threshold; i++)
			some[i] = all[(first + i) % names->count];
		e = join(some, names->threshold, again);
		if (e == ERR_OK && !secret_equal(again, secret, sizeof again))
			e = ERR_CRYPTO;
	}
	secret_wipe(some, sizeof some);
	secret_wipe(again, sizeof again);
	return e;
}

enum err
shares_make(const struct share_names *names, const uint8_t secret[SHARE_SECRET_BYTES],
        struct buf *out, struct bytes files[SHARES_MAX])
{
	struct share all[SHARES_MAX];
	unsigned char numbers[SHARES_MAX];
	uint8_t copy[SHARE_SECRET_BYTES];
	gfshare_ctx *g;
	enum err e;

	if (names->count > SHARES_MAX || names->threshold < 2 || names->threshold > names->count)
		return ERR_VALUE;
	for (size_t i = 0; i < names->count; i++)
		numbers[i] = (unsigned char)(i + 1);
	gfshare_fill_rand = random_fill; /* the library's own is random(), or none */
	g = gfshare_ctx_init_enc(numbers, (unsigned)names->count, (unsigned char)names->threshold,
	        SHARE_SECRET_BYTES);
	if (g == NULL)
		return ERR_MEMORY;
	memcpy(copy, secret, sizeof copy);
	gfshare_ctx_enc_setsecret(g, copy);
	for (size_t i = 0; i < names->count; i++) {
		all[i].number = numbers[i];
		gfshare_ctx_enc_getshare(g, (unsigned char)i, all[i].data);
	}
	gfshare_ctx_free(g);
	if ((e = windows_check(all, names, secret)) == ERR_OK) {
		for (size_t i = 0; i < names->count; i++) {
			size_t begin = out->n;

			share_put(names, &all[i], out);
			files[i] = bytes_of(out->p + begin, out->n - begin);
		}
		e = buf_end(out);
	}
	secret_wipe(all, sizeof all);
	secret_wipe(copy, sizeof copy);
	return e;
}
