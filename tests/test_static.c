/* test_static.c - only public files, each with its type, its time to live and an ETag that follows
 * its bytes. */
#include "static.h"

#include "file.h"
#include "reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

static char folder[] = "/tmp/zz-static-XXXXXX";

static char *
path_of(const char *name)
{
	static char path[256];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

static void
put(const char *name, const char *text)
{
	char dir[256];

	snprintf(dir, sizeof dir, "%s", path_of(name));
	*strrchr(dir, '/') = '\0';
	assert_int_equal(file_make_folders(dir, 0755), ERR_OK);
	assert_int_equal(file_write(path_of(name), bytes_of_text(text), 0644), ERR_OK);
}

static int
set_up(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(folder));
	put("log/checkpoint", "note");
	put("log/tile/0/000.p/7", "tile");
	put("log/tile/0/x001/234", "full");
	put("log/tile/entries/000", "entries");
	put("log/checkpoints/120", "kept");
	put("log/checkpoints/120.cose", "receipt");
	put("status/0", "jwt");
	put("status/0.jwt", "jwt");
	put("status/0.cwt", "cwt");
	put("status/version/0-1792224000.cwt", "version");
	put("status/head.cwt", "head");
	put("status/table/1792224000.cwt", "table");
	put("status/delta/1792137600-1792224000.cwt", "delta");
	put("crl/0.crl", "crl");
	put("manifest.cose", "manifest");
	put("verify/index.html", "<html>");
	put("verify/verify.js", "js");
	put("secret", "outside the grammar");
	return 0;
}

static int
tear_down(void **state)
{
	char command[300];

	(void)state;
	snprintf(command, sizeof command, "rm -r -- '%s'", folder);
	return system(command);
}

static const char *
header(const struct exchange *x, const char *name)
{
	for (size_t i = 0; i < x->reply.headers_n; i++)
		if (strcmp(x->reply.headers[i].name, name) == 0)
			return x->reply.headers[i].value;
	return "";
}

static void
get(struct exchange *x, const char *path, const char *accept, const char *if_none_match)
{
	exchange_init(x, HTTP_GET, bytes_of_text(path));
	if (accept != NULL)
		x->accept = bytes_of_text(accept);
	if (if_none_match != NULL)
		x->if_none_match = bytes_of_text(if_none_match);
	static_serve(x, folder);
}

static const struct {
	const char *path;
	enum static_kind want;
} path_rows[] = {
        {"/log/checkpoint", STATIC_CHECKPOINT},
        {"/log/checkpoint/", STATIC_NONE},
        {"/log/landmarks", STATIC_LANDMARKS},
        {"/log/landmarks/", STATIC_NONE},
        {"/log/policy.txt", STATIC_POLICY},
        {"/log/checkpoints/0", STATIC_KEPT},
        {"/log/checkpoints/70000", STATIC_KEPT},
        {"/log/checkpoints/70000.cose", STATIC_KEPT_COSE},
        {"/log/checkpoints/007", STATIC_NONE},
        {"/log/checkpoints/-1", STATIC_NONE},
        {"/log/checkpoints/.cose", STATIC_NONE},
        {"/log/checkpoints/99999999999999999999", STATIC_NONE},
        {"/log/tile/entries/x123/x456/789", STATIC_TILE},
        {"/log/tile/15/x455/667", STATIC_TILE},
        {"/log/tile/15/x123/x456/789.p/41", STATIC_TILE},
        {"/log/tile/0/000.p/255", STATIC_TILE},
        {"/log/tile/0/000", STATIC_TILE},
        {"/log/tile/63/x999/x999/x999/x999/x999/999", STATIC_TILE},
        {"/log/tile/0/x999/x999/x999/x999/x999/x999/999", STATIC_NONE},
        {"/log/tile/0/x000/001", STATIC_NONE},
        {"/log/tile/0/x001/x234/067.p/", STATIC_NONE},
        {"/log/tile/0/x001/x234/067.p", STATIC_NONE},
        {"/log/tile/0/x001/x234/", STATIC_NONE},
        {"/log/tile/0/x001/x234", STATIC_NONE},
        {"/log/tile/0/x001", STATIC_NONE},
        {"/log/tile/0/", STATIC_NONE},
        {"/log/tile/0", STATIC_NONE},
        {"/log/tile/64/000", STATIC_NONE},
        {"/log/tile/-1/000", STATIC_NONE},
        {"/log/tile/00/000", STATIC_NONE},
        {"/log/tile//000", STATIC_NONE},
        {"/log/tile/data/000", STATIC_NONE},
        {"/log/tile/0/001/002", STATIC_NONE},
        {"/log/tile/0/x001/0002", STATIC_NONE},
        {"/log/tile/0/000.p/0", STATIC_NONE},
        {"/log/tile/0/000.p/256", STATIC_NONE},
        {"/log/tile/0/000.p/07", STATIC_NONE},
        {"/log/tile/0/000.p/1/1", STATIC_NONE},
        {"/log/tile/0/00a", STATIC_NONE},
        {"/log/tile/0/../../checkpoint", STATIC_NONE},
        {"/status/0", STATIC_STATUS},
        {"/status/17.cwt", STATIC_STATUS_CWT},
        {"/status/17.jwt", STATIC_STATUS_JWT},
        {"/status/017", STATIC_NONE},
        {"/status/", STATIC_NONE},
        {"/status/.cwt", STATIC_NONE},
        {"/status/a", STATIC_NONE},
        {"/status/head.cwt", STATIC_HEAD},
        {"/status/head", STATIC_NONE},
        {"/status/table/5.cwt", STATIC_TABLE},
        {"/status/table/5", STATIC_NONE},
        {"/status/version/0-5.cwt", STATIC_VERSION},
        {"/status/version/0-5.tlog-proof", STATIC_PROOF},
        {"/status/version/0-5.tlog-proof.cwt", STATIC_NONE},
        {"/status/version/0.tlog-proof", STATIC_NONE},
        {"/status/version/0.cwt", STATIC_NONE},
        {"/status/version/0-5-6.cwt", STATIC_NONE},
        {"/status/delta/4-5.cwt", STATIC_DELTA},
        {"/status/delta/-5.cwt", STATIC_NONE},
        {"/status/delta/4-.cwt", STATIC_NONE},
        {"/crl/0.crl", STATIC_CRL},
        {"/crl/0", STATIC_NONE},
        {"/crl/.crl", STATIC_NONE},
        {"/manifest.cose", STATIC_MANIFEST},
        {"/manifest.cose/", STATIC_NONE},
        {"/verify/", STATIC_PAGE},
        {"/verify/verify.js", STATIC_PAGE},
        {"/verify/a.min.js", STATIC_PAGE},
        {"/verify/a..js", STATIC_NONE},
        {"/verify/.js", STATIC_NONE},
        {"/verify/a/b.js", STATIC_NONE},
        {"/verify/a.sh", STATIC_NONE},
        {"/verify", STATIC_NONE},
        {"/secret", STATIC_NONE},
        {"/", STATIC_NONE},
        {"", STATIC_NONE},
};

static void
each_path_is_of_one_kind_or_none(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof path_rows / sizeof path_rows[0]; i++)
		if (static_kind_of(bytes_of_text(path_rows[i].path)) != path_rows[i].want)
			fail_msg("%s is not of the kind wanted", path_rows[i].path);
}

/* No single byte put into, taken from or changed in a good path leads to another file than one of
 * the grammar. */
static void
changed_paths_stay_inside_the_grammar(void **state)
{
	static const char good[] = "/log/tile/0/x001/234.p/17";

	(void)state;
	for (size_t n = 0; n < sizeof good - 1; n++)
		if (static_kind_of(bytes_of(good, n)) != STATIC_NONE)
			assert_true(n == strlen("/log/tile/0/x001/234") || n == sizeof good - 2);
	for (size_t i = 0; i < sizeof good - 1; i++)
		for (int c = 0; c < 256; c++) {
			char path[sizeof good];

			memcpy(path, good, sizeof good);
			path[i] = (char)c;
			if (path[i] != good[i] &&
			        static_kind_of(bytes_of(path, sizeof good - 1)) != STATIC_NONE)
				assert_true(c >= '0' && c <= '9');
		}
}

static void
each_file_has_its_type_and_time_to_live(void **state)
{
	static const char forever[] = "public, max-age=31536000, immutable",
	                  minutes[] = "public, max-age=300";
	static const struct {
		const char *path, *body, *type, *cache, *vary;
	} rows[] = {
	        {"/log/checkpoint", "note", "text/plain; charset=utf-8", "no-cache", ""},
	        {"/log/tile/0/000.p/7", "tile", "application/octet-stream", forever, ""},
	        {"/log/tile/0/x001/234", "full", "application/octet-stream", forever, ""},
	        {"/log/tile/entries/000", "entries", "application/octet-stream", forever,
	                "Accept-Encoding"},
	        {"/log/checkpoints/120", "kept", "text/plain; charset=utf-8", "no-cache", ""},
	        {"/log/checkpoints/120.cose", "receipt", "application/cose", forever, ""},
	        {"/status/0", "jwt", "application/statuslist+jwt", minutes, "Accept"},
	        {"/status/0.jwt", "jwt", "application/statuslist+jwt", minutes, "Accept"},
	        {"/status/0.cwt", "cwt", "application/statuslist+cwt", minutes, "Accept"},
	        {"/status/version/0-1792224000.cwt", "version", "application/statuslist+cwt",
	                forever, ""},
	        {"/status/head.cwt", "head", "application/zz-head+cwt", "no-cache", ""},
	        {"/status/table/1792224000.cwt", "table", "application/zz-table+cwt", forever, ""},
	        {"/status/delta/1792137600-1792224000.cwt", "delta", "application/zz-delta+cwt",
	                forever, ""},
	        {"/crl/0.crl", "crl", "application/pkix-crl", minutes, ""},
	        {"/manifest.cose", "manifest", "application/cose", "no-cache", ""},
	        {"/verify/", "<html>", "text/html; charset=utf-8", "no-cache", ""},
	        {"/verify/verify.js", "js", "text/javascript; charset=utf-8", "no-cache", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct exchange x;

		get(&x, rows[i].path, NULL, NULL);
		assert_int_equal(x.reply.status, 200);
		assert_true(bytes_equal_text(x.reply.body, rows[i].body));
		assert_string_equal(x.reply.type, rows[i].type);
		assert_string_equal(header(&x, "Cache-Control"), rows[i].cache);
		assert_string_equal(header(&x, "Vary"), rows[i].vary);
		assert_string_equal(header(&x, "Access-Control-Allow-Origin"), "*");
		assert_string_equal(header(&x, "X-Content-Type-Options"), "nosniff");
		assert_int_equal(strlen(header(&x, "ETag")), 34);
		exchange_end(&x);
	}
}

static void
the_bare_name_follows_accept(void **state)
{
	static const struct {
		const char *accept, *want;
	} rows[] = {
	        {NULL, "jwt"},
	        {"*/*", "jwt"},
	        {"application/statuslist+jwt", "jwt"},
	        {"application/statuslist+cwt", "cwt"},
	        {"application/statuslist+jwt;q=0.5, application/statuslist+cwt", "cwt"},
	        {"application/statuslist+jwt, application/statuslist+cwt;q=0.999", "jwt"},
	        {"application/statuslist+jwt;q=0, */*", "cwt"},
	        {"application/statuslist+cwt;q=0, */*", "jwt"},
	        {" text/html , application/statuslist+cwt ; q=0.1", "cwt"},
	        {"text/html", "jwt"},
	        {"application/statuslist+cwt;q=x", "jwt"},
	        {",,;;=,", "jwt"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct exchange x;

		get(&x, "/status/0", rows[i].accept, NULL);
		assert_true(bytes_equal_text(x.reply.body, rows[i].want));
		assert_string_equal(x.reply.type, rows[i].want[0] == 'j'
		                                          ? "application/statuslist+jwt"
		                                          : "application/statuslist+cwt");
		exchange_end(&x);
	}
}

static void
the_etag_answers_304_until_the_bytes_change(void **state)
{
	struct exchange x;
	char etag[64], list[200];

	(void)state;
	put("crl/1.crl", "first");
	get(&x, "/crl/1.crl", NULL, NULL);
	snprintf(etag, sizeof etag, "%s", header(&x, "ETag"));
	exchange_end(&x);
	snprintf(list, sizeof list, "\"other\", W/%s", etag);
	get(&x, "/crl/1.crl", NULL, list);
	assert_int_equal(x.reply.status, 304);
	assert_int_equal(x.reply.body.n, 0);
	assert_string_equal(header(&x, "ETag"), etag);
	assert_string_equal(header(&x, "Cache-Control"), "public, max-age=300");
	exchange_end(&x);
	get(&x, "/crl/1.crl", NULL, "\"other\"");
	assert_int_equal(x.reply.status, 200);
	exchange_end(&x);
	put("crl/1.crl", "other");
	get(&x, "/crl/1.crl", NULL, etag);
	assert_int_equal(x.reply.status, 200);
	assert_true(bytes_equal_text(x.reply.body, "other"));
	exchange_end(&x);
}

static void
a_large_file_is_sent_from_its_descriptor(void **state)
{
	struct exchange x;
	char etag[64];
	char *big = malloc(STATIC_HASH_BYTES_MAX + 1);

	(void)state;
	memset(big, 'a', STATIC_HASH_BYTES_MAX);
	big[STATIC_HASH_BYTES_MAX] = '\0';
	put("crl/2.crl", big);
	get(&x, "/crl/2.crl", NULL, NULL);
	assert_int_equal(x.reply.status, 200);
	assert_true(x.reply.fd >= 0);
	assert_int_equal(x.reply.fd_bytes, STATIC_HASH_BYTES_MAX);
	snprintf(etag, sizeof etag, "%s", header(&x, "ETag"));
	exchange_end(&x);
	get(&x, "/crl/2.crl", NULL, etag);
	assert_int_equal(x.reply.status, 304);
	exchange_end(&x);
	big[0] = 'b';
	put("crl/2.crl", big);
	get(&x, "/crl/2.crl", NULL, etag);
	assert_int_equal(x.reply.status, 200);
	exchange_end(&x);
	free(big);
}

static void
links_folders_and_pipes_are_not_found(void **state)
{
	struct exchange x;
	char target[256];

	(void)state;
	snprintf(target, sizeof target, "%s", path_of("secret"));
	assert_int_equal(symlink(target, path_of("crl/7.crl")), 0);
	assert_int_equal(mkfifo(path_of("crl/8.crl"), 0600), 0);
	assert_int_equal(mkdir(path_of("crl/9.crl"), 0700), 0);
	snprintf(target, sizeof target, "%s", path_of("crl"));
	assert_int_equal(symlink(target, path_of("log/tile/5")), 0);
	put("crl/000", "behind a linked folder");
	static const char *const paths[] = {"/crl/7.crl", "/crl/8.crl", "/crl/9.crl",
	        "/log/tile/5/000", "/crl/6.crl", "/secret", "/log/tile/0/000.p/8"};

	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		get(&x, paths[i], NULL, NULL);
		assert_int_equal(x.reply.status, 404);
		assert_string_equal(header(&x, "Access-Control-Allow-Origin"), "*");
		exchange_end(&x);
	}
	/* control: the same bytes without the link are served */
	assert_int_equal(unlink(path_of("crl/7.crl")), 0);
	put("crl/7.crl", "plain");
	get(&x, "/crl/7.crl", NULL, NULL);
	assert_int_equal(x.reply.status, 200);
	exchange_end(&x);
}

static void
other_methods_are_refused_with_allow(void **state)
{
	struct exchange x;

	(void)state;
	exchange_init(&x, HTTP_POST, BYTES_LIT("/log/checkpoint"));
	static_serve(&x, folder);
	assert_int_equal(x.reply.status, 405);
	assert_string_equal(header(&x, "Allow"), "GET, HEAD");
	exchange_end(&x);
	exchange_init(&x, HTTP_HEAD, BYTES_LIT("/log/checkpoint"));
	static_serve(&x, folder);
	assert_int_equal(x.reply.status, 200);
	exchange_end(&x);
}

/* C2SP tlog-tiles: entry bundles should be compressed on their way. */
static void
entry_bundles_are_compressed_for_whoever_takes_it(void **state)
{
	static char text[4000];
	uint8_t out[sizeof text];
	struct exchange x;
	z_stream z = {.next_out = out, .avail_out = sizeof out};

	(void)state;
	memset(text, 'e', sizeof text - 1);
	put("log/tile/entries/001", text);
	exchange_init(&x, HTTP_GET, BYTES_LIT("/log/tile/entries/001"));
	x.accept_encoding = BYTES_LIT("br, gzip");
	static_serve(&x, folder);
	assert_int_equal(x.reply.status, 200);
	assert_string_equal(header(&x, "Content-Encoding"), "gzip");
	assert_string_equal(header(&x, "Vary"), "Accept-Encoding");
	assert_true(x.reply.body.n < 200);
	z.next_in = (Bytef *)(uintptr_t)x.reply.body.p;
	z.avail_in = (uInt)x.reply.body.n;
	assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	inflateEnd(&z);
	assert_int_equal(z.total_out, sizeof text - 1);
	assert_memory_equal(out, text, sizeof text - 1);
	exchange_end(&x);
	/* who does not ask, or says no, gets it as it is; hashes are never compressed */
	get(&x, "/log/tile/entries/001", NULL, NULL);
	assert_int_equal(x.reply.body.n, sizeof text - 1);
	assert_string_equal(header(&x, "Content-Encoding"), "");
	exchange_end(&x);
	exchange_init(&x, HTTP_GET, BYTES_LIT("/log/tile/entries/001"));
	x.accept_encoding = BYTES_LIT("gzip;q=0");
	static_serve(&x, folder);
	assert_int_equal(x.reply.body.n, sizeof text - 1);
	exchange_end(&x);
	exchange_init(&x, HTTP_GET, BYTES_LIT("/log/tile/0/x001/234"));
	x.accept_encoding = BYTES_LIT("gzip");
	static_serve(&x, folder);
	assert_int_equal(x.reply.body.n, 4);
	exchange_end(&x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(each_path_is_of_one_kind_or_none),
	        cmocka_unit_test(changed_paths_stay_inside_the_grammar),
	        cmocka_unit_test(each_file_has_its_type_and_time_to_live),
	        cmocka_unit_test(the_bare_name_follows_accept),
	        cmocka_unit_test(the_etag_answers_304_until_the_bytes_change),
	        cmocka_unit_test(a_large_file_is_sent_from_its_descriptor),
	        cmocka_unit_test(links_folders_and_pipes_are_not_found),
	        cmocka_unit_test(other_methods_are_refused_with_allow),
	        cmocka_unit_test(entry_bundles_are_compressed_for_whoever_takes_it),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
