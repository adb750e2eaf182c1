/* zz_keygen.c - zz keygen: a new private key that never replaces another, and what the roster needs
 * of it. */
#include "file.h"
#include "hash.h"
#include "zz_commands.h"
#include "zz_request.h"

const char zz_keygen_help[] = "usage: zz keygen --out KEY.pem [--suite es256|ed25519|sm2]\n\n"
                              "Makes a private key (PKCS #8, not encrypted, mode 0600) and prints "
                              "its kid and the public JWK: give these two\n"
                              "to the authority for its roster. The private key stays with you. A "
                              "file that exists is never overwritten.\n\n"
                              "  --out KEY.pem   where the key goes\n"
                              "  --suite NAME    es256 (default), ed25519 or sm2\n\n" ZZ_EXIT_HELP;

static void
jwk_print(FILE *to, const struct key *k)
{
	char room[300];
	struct buf b = BUF_OF(room);

	key_put_jwk(k, &b);
	fprintf(to, "kid: %s\njwk: %.*s\n", key_thumb_text(k), (int)b.n, room);
}

static enum zz_exit
key_make(const struct zz *z, const char *path, enum key_suite suite)
{
	char pem[KEY_PEM_BYTES_MAX];
	struct buf b = BUF_OF(pem);
	struct key *k = NULL;
	enum err e;

	if ((e = key_generate(suite, &k)) != ERR_OK)
		return zz_fault(z, "making the key", e);
	if ((e = key_write_private(k, &b)) == ERR_OK && (e = buf_end(&b)) == ERR_OK)
		e = zz_create(path, buf_bytes(&b), 0600);
	secret_wipe(pem, sizeof pem);
	if (e == ERR_OK)
		jwk_print(z->out, k);
	key_free(k);
	return e == ERR_OK ? ZZ_DONE : zz_usage(z, "%s: %s (%s)", path, err_en(e), err_word(e));
}

enum zz_exit
zz_keygen(const struct zz *z, int argc, char **argv)
{
	const char *path = NULL, *name = NULL;
	const struct zz_option options[] = {
	        {"--out", &path, NULL, true}, {"--suite", &name, NULL, false}};
	struct zz_args args = {.options = options, .option_count = 2};
	const struct key_suite_info *suite;
	enum zz_exit exit;

	if ((exit = zz_args(z, argc, argv, &args)) != ZZ_DONE)
		return exit;
	suite = key_suite_by_name(name ? name : "es256");
	if (!suite)
		return zz_usage(z, "--suite must be es256, ed25519 or sm2");
	return key_make(z, path, suite->suite);
}
