/* test_key_store.c - a key signs wherever it lies, and where its place is gone, locked or slow it
 * says so; nothing is tried twice that could lock a token. A real SoftHSM. */
#include "key_store.h"

#include "file.h"
#include "hash.h"
#include "key_pem.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define SHIM "token_shim.so"
#define PASS "correct horse battery staple"

/* SoftHSM 2.6.1 leaks the parameters of each Ed25519 key; whole stacks show that it is the one. */
const char *__asan_default_options(void);
const char *__lsan_default_suppressions(void);

const char *
__asan_default_options(void)
{
	return "fast_unwind_on_malloc=0";
}

const char *
__lsan_default_suppressions(void)
{
	return "leak:libsofthsm2.so";
}

static char dir[] = "/tmp/zz-store-XXXXXX", shim[600];

static void
put(const char *name, const char *text)
{
	char path[200];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	assert_int_equal(file_write(path, bytes_of_text(text), 0600), ERR_OK);
}

static void
sleep_ms(long ms)
{
	const struct timespec pause = {ms / 1000, ms % 1000 * 1000000};

	nanosleep(&pause, NULL);
}

/* A token of its own, by the program that SoftHSM brings. */
static int
setup(void **state)
{
	char text[400], self[500];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

	(void)state;
	if (n < 0 || mkdtemp(dir) == NULL)
		return -1;
	self[n] = '\0';
	snprintf(shim, sizeof shim, "%.*s" SHIM, (int)(strrchr(self, '/') + 1 - self), self);
	snprintf(text, sizeof text, "%s/tokens", dir);
	if (file_make_folders(text, 0700) != ERR_OK)
		return -1;
	snprintf(text, sizeof text, "directories.tokendir = %s/tokens\nlog.level = ERROR\n", dir);
	put("softhsm.conf", text);
	put("pin", "271828\n");
	put("wrong.pin", "314159\n");
	put("pass", PASS "\n");
	put("wrong.pass", PASS " \n");
	put("control", "");
	snprintf(text, sizeof text, "%s/softhsm.conf", dir);
	setenv("SOFTHSM2_CONF", text, 1);
	snprintf(text, sizeof text, "%s/control", dir);
	setenv("ZZ_SHIM_CONTROL", text, 1);
	snprintf(text, sizeof text, "%s/logins", dir);
	setenv("ZZ_SHIM_LOGINS", text, 1);
	return system("softhsm2-util --init-token --free --label 'zz test' --pin 271828 --so-pin "
	              "161803 >/dev/null");
}

static int
teardown(void **state)
{
	char command[100];

	(void)state;
	snprintf(command, sizeof command, "rm -rf %s", dir);
	return system(command);
}

static struct bytes
uri(const char *object, const char *pin, const char *more)
{
	static char text[800];

	snprintf(text, sizeof text,
	        "pkcs11:token=zz%%20test;object=%s?module-path=%s&pin-source=file:%s%s\n", object,
	        shim, pin, more);
	return bytes_of_text(text);
}

static void
signs(const struct key *k)
{
	uint8_t signature[KEY_SIGNATURE_BYTES];
	struct bytes message = BYTES_LIT("what the token is asked to sign");

	assert_int_equal(key_sign(k, message, signature), ERR_OK);
	assert_int_equal(key_verify(k, message, bytes_of(signature, sizeof signature)), ERR_OK);
	message.n--;
	assert_int_equal(
	        key_verify(k, message, bytes_of(signature, sizeof signature)), ERR_SIGNATURE);
}

static struct key *
token_key(enum key_suite suite, const char *label, struct bytes *named)
{
	static uint8_t room[KEY_FILE_BYTES_MAX];
	struct buf file = BUF_OF(room);
	struct key *k = NULL;

	assert_int_equal(key_store_make(&(struct key_store){.dir = dir}, uri("x", "pin", ""), suite,
	                         label, &k, &file),
	        ERR_OK);
	*named = buf_bytes(&file);
	return k;
}

/* ---- files ---- */

static void
a_file_under_a_passphrase(void **state)
{
	static const enum key_suite suites[] = {KEY_ES256, KEY_ED25519};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		uint8_t room[KEY_FILE_BYTES_MAX];
		struct buf file = BUF_OF(room);
		struct key *k = NULL, *again = NULL;
		struct bytes text;

		assert_int_equal(
		        key_store_make(&(struct key_store){.dir = dir},
		                BYTES_LIT("passphrase-source: pass\n"), suites[i], "", &k, &file),
		        ERR_OK);
		text = buf_bytes(&file);
		assert_non_null(memmem(text.p, text.n, "BEGIN ENCRYPTED PRIVATE KEY", 27));
		assert_null(memmem(text.p, text.n, "BEGIN PRIVATE KEY", 17));
		assert_int_equal(
		        key_store_open(&(struct key_store){.dir = dir}, text, &again), ERR_OK);
		assert_true(key_suite(again) == suites[i] && key_store_soft(again));
		assert_true(bytes_equal(key_kid(k), key_kid(again)));
		signs(again);
		key_free(k);
		key_free(again);
		/* another passphrase, none, and a file cut short */
		put("pass", PASS " \n");
		assert_int_equal(
		        key_store_open(&(struct key_store){.dir = dir}, text, &k), ERR_SIGNATURE);
		put("pass", PASS "\n");
		text.n -= 60;
		assert_int_equal(
		        key_store_open(&(struct key_store){.dir = dir}, text, &k), ERR_VALUE);
		assert_int_equal(key_store_open(&(struct key_store){.dir = dir},
		                         BYTES_LIT("passphrase-source: none\n"), &k),
		        ERR_NOT_FOUND);
	}
}

static void
a_short_passphrase_is_refused(void **state)
{
	uint8_t room[KEY_FILE_BYTES_MAX];
	struct buf file = BUF_OF(room);
	struct key *k = NULL;

	(void)state;
	assert_int_equal(key_generate(KEY_ES256, &k), ERR_OK);
	assert_int_equal(key_write_encrypted(k, BYTES_LIT("fifteen letters"), &file), ERR_LIMIT);
	assert_int_equal(key_write_encrypted(k, BYTES_LIT("sixteen letters!"), &file), ERR_OK);
	key_free(k);
}

static void
other_places_are_refused(void **state)
{
	struct key *k = NULL;

	(void)state;
	assert_int_equal(key_store_open(&(struct key_store){.dir = dir}, BYTES_LIT("sdf:1"), &k),
	        ERR_CONFIG);
	assert_int_equal(
	        key_store_open(&(struct key_store){.dir = dir}, BYTES_LIT(""), &k), ERR_VALUE);
	assert_int_equal(
	        key_store_open(&(struct key_store){.dir = dir}, BYTES_LIT("file:record"), &k),
	        ERR_VALUE);
}

/* ---- tokens ---- */

static void
a_token_makes_and_signs_both_suites(void **state)
{
	static const enum key_suite suites[] = {KEY_ES256, KEY_ED25519};
	static const char *const labels[] = {"record", "log"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct key *k, *again = NULL;
		struct bytes named;

		k = token_key(suites[i], labels[i], &named);
		assert_true(key_suite(k) == suites[i] && !key_store_soft(k) && key_is_private(k));
		signs(k);
		assert_int_equal(
		        key_store_open(&(struct key_store){.dir = dir}, named, &again), ERR_OK);
		assert_true(bytes_equal(key_kid(k), key_kid(again)));
		signs(again);
		key_free(k);
		key_free(again);
	}
}

static void
a_uri_names_one_object_of_one_token(void **state)
{
	uint8_t room[KEY_FILE_BYTES_MAX];
	struct buf file = BUF_OF(room);
	struct key *other = NULL;

	(void)state;
	assert_int_equal(key_store_make(&(struct key_store){.dir = dir}, uri("x", "pin", ""),
	                         KEY_ES256, "record", &other, &file),
	        ERR_EXISTS);
	assert_int_equal(
	        key_store_open(&(struct key_store){.dir = dir}, uri("nowhere", "pin", ""), &other),
	        ERR_TOKEN);
	assert_int_equal(
	        key_store_open(&(struct key_store){.dir = dir}, uri("record", "nopin", ""), &other),
	        ERR_NOT_FOUND);
	assert_int_equal(key_store_open(&(struct key_store){.dir = dir},
	                         uri("record", "pin", "&pin-value=271828"), &other),
	        ERR_CONFIG);
	assert_int_equal(key_store_open(&(struct key_store){.dir = dir},
	                         BYTES_LIT("pkcs11:token=zz%20test;object=record"), &other),
	        ERR_CONFIG);
	assert_int_equal(
	        key_store_open(&(struct key_store){.dir = dir}, uri("record", "pin", ""), &other),
	        ERR_OK); /* control */
	key_free(other);
}

static void
a_key_that_could_leave_the_token_is_refused(void **state)
{
	uint8_t room[KEY_PEM_BYTES_MAX];
	struct buf pem = BUF_OF(room);
	struct key *k = NULL, *other = NULL;
	char command[400];

	(void)state;
	assert_int_equal(key_generate(KEY_ES256, &k), ERR_OK);
	assert_int_equal(key_write_private(k, &pem), ERR_OK);
	room[pem.n] = '\0';
	put("imported.pem", (const char *)room);
	snprintf(command, sizeof command,
	        "softhsm2-util --import %s/imported.pem --token 'zz test' --label imported --id 07 "
	        "--pin 271828 >/dev/null",
	        dir);
	assert_int_equal(system(command), 0);
	/* what was outside once may have been copied there */
	assert_int_equal(
	        key_store_open(&(struct key_store){.dir = dir}, uri("imported", "pin", ""), &other),
	        ERR_VALUE);
	key_free(k);
}

static void
a_token_that_goes_and_comes_back(void **state)
{
	uint8_t signature[KEY_SIGNATURE_BYTES];
	struct key *k = NULL;

	(void)state;
	assert_int_equal(
	        key_store_open(&(struct key_store){.dir = dir}, uri("record", "pin", ""), &k),
	        ERR_OK);
	signs(k);
	put("control", "gone");
	for (int i = 0; i < 3; i++)
		assert_int_equal(key_sign(k, BYTES_LIT("x"), signature), ERR_TOKEN);
	sleep_ms(1100);
	assert_int_equal(key_sign(k, BYTES_LIT("x"), signature), ERR_TOKEN);
	put("control", "");
	sleep_ms(1100);
	signs(k);
	key_free(k);
}

static unsigned
logins(void)
{
	char path[200];
	uint8_t *p = NULL;
	size_t n = 0;

	snprintf(path, sizeof path, "%s/logins", dir);
	if (file_read(path, 1 << 20, &p, &n) != ERR_OK)
		return 0;
	free(p);
	return (unsigned)(n / 6);
}

static void
a_pin_that_was_refused_is_not_sent_again(void **state)
{
	uint8_t signature[KEY_SIGNATURE_BYTES];
	struct key *k = NULL, *other = NULL;
	unsigned before;

	(void)state;
	assert_int_equal(key_store_open(&(struct key_store){.dir = dir},
	                         uri("record", "wrong.pin", ""), &other),
	        ERR_TOKEN_PIN);
	assert_int_equal(
	        key_store_open(&(struct key_store){.dir = dir}, uri("record", "pin", ""), &k),
	        ERR_OK);
	put("control", "gone");
	assert_int_equal(key_sign(k, BYTES_LIT("x"), signature), ERR_TOKEN);
	put("control", "locked");
	sleep_ms(1100);
	before = logins();
	for (int i = 0; i < 3; i++) {
		assert_int_equal(key_sign(k, BYTES_LIT("x"), signature), ERR_TOKEN_PIN);
		sleep_ms(i == 0 ? 1100 : 0);
	}
	assert_int_equal(logins() - before, 1);
	put("control", "");
	key_free(k);
}

static void *
sign_once(void *key)
{
	signs(key);
	return NULL;
}

/* Sessions are several: who signs at once waits for the token, not for each other. */
static void
a_slow_token_serves_several_at_once(void **state)
{
	struct timespec begin, end;
	struct key *k = NULL;
	pthread_t threads[8];
	double seconds;

	(void)state;
	assert_int_equal(
	        key_store_open(&(struct key_store){.dir = dir}, uri("record", "pin", ""), &k),
	        ERR_OK);
	put("control", "slow 200");
	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, sign_once, k), 0);
	for (size_t i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
	clock_gettime(CLOCK_MONOTONIC, &end);
	seconds =
	        (double)(end.tv_sec - begin.tv_sec) + 1e-9 * (double)(end.tv_nsec - begin.tv_nsec);
	assert_true(seconds > 0.39 && seconds < 1.5); /* one after the other: 1.6 */
	put("control", "");
	key_free(k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_file_under_a_passphrase),
	        cmocka_unit_test(a_short_passphrase_is_refused),
	        cmocka_unit_test(other_places_are_refused),
	        cmocka_unit_test(a_token_makes_and_signs_both_suites),
	        cmocka_unit_test(a_uri_names_one_object_of_one_token),
	        cmocka_unit_test(a_key_that_could_leave_the_token_is_refused),
	        cmocka_unit_test(a_token_that_goes_and_comes_back),
	        cmocka_unit_test(a_pin_that_was_refused_is_not_sent_again),
	        cmocka_unit_test(a_slow_token_serves_several_at_once),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
