/* db_admin.c - zz-admin as people run it, beside a real signer and a real database: an authority is
 * made once, brought into force, and a database that lost everything gets it back from the signer's
 * journal. */
#include "db_support.h"

#include "config.h"
#include "date.h"
#include "file.h"
#include "holder.h"
#include "jws.h"
#include "rules.h"
#include "signer_client.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DATABASE "zz_db_admin"
#define DIGEST "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define DOCUMENT "330000199001010006" /* of a person who does not exist */

static char folder[] = "/tmp/zz-admin-XXXXXX";
static char conf[100];
static pid_t signer_process;

static void
program_path(const char *name, char out[300])
{
	char self[200];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

	assert_true(n > 0);
	self[n] = '\0';
	*strrchr(self, '/') = '\0';
	snprintf(out, 300, "%s/../bin/%s", self, name);
	if (!file_exists(out))
		fail_msg("%s is not built", out);
}

/* argv[0] is the program's name; its output goes to the file `out` of the folder. */
static pid_t
start(char *const argv[], const char *out)
{
	char path[300], log[200];
	pid_t pid = -1;

	program_path(argv[0], path);
	snprintf(log, sizeof log, "%s/%s", folder, out);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);

		dup2(fd, STDOUT_FILENO);
		dup2(fd, STDERR_FILENO);
		execv(path, argv);
		_exit(127);
	}
	return pid;
}

static int
finish(pid_t pid)
{
	int status = 0;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int
admin(const char *command, const char *option, const char *value)
{
	char name[] = "zz-admin", word[32], option_word[32], value_word[300];
	char *argv[] = {name, word, option_word, value_word, NULL};

	snprintf(word, sizeof word, "%s", command);
	snprintf(option_word, sizeof option_word, "%s", option);
	snprintf(value_word, sizeof value_word, "%s", value);
	return finish(start(argv, "admin.out"));
}

static bool said(const char *words);

static void
admin_gives(int want, const char *command, const char *value)
{
	int code = admin(command, "--config", value);

	if (code != want) {
		print_message("zz-admin %s: %d\n", command, code);
		assert_true(said("(its output stands above)"));
	}
	assert_int_equal(code, want);
}

static bool
said(const char *words)
{
	char path[200];
	uint8_t *p = NULL;
	size_t n = 0;
	bool found = false;

	snprintf(path, sizeof path, "%s/admin.out", folder);
	assert_int_equal(file_read(path, 100000, &p, &n), ERR_OK);
	found = strstr((char *)p, words) != NULL;
	if (!found)
		print_message("%s", (char *)p);
	free(p);
	return found;
}

static int
make_world(void **state)
{
	char base[300], name[] = "zz-admin", init[] = "init", dir[] = "--dir",
	                database[] = "--database";
	char *argv[] = {name, init, dir, folder, database, base, NULL};

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(conf, sizeof conf, "%s/zz.conf", folder);
	db_fresh(DATABASE);
	snprintf(base, sizeof base, "%s dbname=" DATABASE, getenv("ZZ_TEST_PG"));
	return finish(start(argv, "admin.out"));
}

static int
end_world(void **state)
{
	char command[100];

	(void)state;
	if (signer_process > 0) {
		kill(signer_process, SIGTERM);
		finish(signer_process);
	}
	snprintf(command, sizeof command, "rm -rf %s", folder);
	return system(command);
}

static void
init_refuses_a_second_time(void **state)
{
	(void)state;
	assert_int_equal(admin("init", "--dir", folder), 4);
	assert_true(said("already_exists"));
}

static void
migrate_changes_nothing_twice(void **state)
{
	(void)state;
	admin_gives(0, "migrate", conf);
	assert_true(said("up to date"));
}

static void
without_a_signer_nothing_is_healthy(void **state)
{
	(void)state;
	admin_gives(3, "status", conf);
	admin_gives(6, "roster", conf);
	assert_true(said("signer_unavailable"));
}

static struct signer *
peer(const char *name)
{
	char path[200];
	struct signer *s = NULL;

	snprintf(path, sizeof path, "%s/run/%s.sock", folder, name);
	assert_int_equal(signer_open(path, &s), ERR_OK);
	return s;
}

/* The signer is confined in tests/sandbox; here it may be whoever runs this. */
static void
free_to_run_as_root(void)
{
	FILE *f = fopen(conf, "a");

	assert_non_null(f);
	assert_true(fputs("sandbox_required = no\n", f) > 0);
	assert_int_equal(fclose(f), 0);
}

static void
roster_brings_three_entries_once(void **state)
{
	const struct timespec pause = {0, 100000000};
	char name[] = "ca-signer", config[] = "--config";
	char *argv[] = {name, config, conf, NULL};
	char path[200];

	(void)state;
	snprintf(path, sizeof path, "%s/run/admin.sock", folder);
	free_to_run_as_root();
	signer_process = start(argv, "signer.out");
	for (int i = 0; i < 100 && !file_exists(path); i++)
		nanosleep(&pause, NULL);
	admin_gives(0, "roster", conf);
	assert_true(said("genesis") && said("manifest") && said("roster"));
	admin_gives(0, "roster", conf);
	assert_true(said("nothing new"));
}

/* The signer appends what waits; the database never hears of it. */
static void
the_signer_goes_ahead(void **state)
{
	struct store *s = db_store(DATABASE, STORE_ADMIN);
	struct signer *front = peer("front"), *publish = peer("publish");
	struct store_pendings p;
	struct signed_entry entries[10];
	struct signer_head head;
	struct signer_state st;

	(void)state;
	assert_int_equal(signer_state(publish, BYTES_LIT(""), &st), ERR_OK);
	assert_int_equal(store_pending(s, 10, &p), ERR_OK);
	assert_int_equal(p.count, 3);
	for (size_t i = 0; i < p.count; i++)
		entries[i] = p.rows[i].e;
	assert_int_equal(signer_extend(front, 0, entries, p.count, &head), ERR_OK);
	assert_int_equal(head.size, 3);
	store_result_free(p.owner);
	signer_free(front);
	signer_free(publish);
	store_free(s);
}

static struct key *
operator_key(const char *file)
{
	char path[200];
	uint8_t *p = NULL;
	size_t n = 0;
	struct key *k = NULL;

	snprintf(path, sizeof path, "%s/keys/%s", folder, file);
	assert_int_equal(file_read(path, KEY_PEM_BYTES_MAX, &p, &n), ERR_OK);
	assert_int_equal(key_read_pem(bytes_of(p, n), &k), ERR_OK);
	free(p);
	return k;
}

static struct bytes
signed_by(const char *file, const char *typ, const char *payload, struct buf *b)
{
	struct key *k = operator_key(file);

	assert_int_equal(jws_sign(k, typ, bytes_of_text(payload), b), ERR_OK);
	key_free(k);
	return buf_bytes(b);
}

static uint8_t record_room[RECORD_BYTES_MAX];
static struct bytes record; /* of the certificate issued */
static char serial[33];

static void
a_certificate_is_issued_by_the_signer_alone(void **state)
{
	char payload[3000], at[40];
	uint8_t room[6000];
	struct buf b = BUF_OF(room), when = BUF_OF(at);
	struct signer *front = peer("front");
	struct signer_answer answer;
	struct signer_head head;
	int64_t now = time(NULL);

	(void)state;
	time_put_shanghai(&when, now - 86400);
	snprintf(payload, sizeof payload,
	        "{\"type\":\"issue\",\"jti\":\"0123456789abcdefghijkl\",\"iat\":%lld,\"exp\":%lld,"
	        "\"session\":{"
	        "\"id\":\"s\",\"center\":\"330106-01\",\"region\":\"330000\",\"item\":\"030102\","
	        "\"theory_at\":\"%.*s\","
	        "\"practical_at\":\"%.*s\",\"paper_sha256\":\"" DIGEST
	        "\",\"recording_sha256\":\"" DIGEST "\",\"examiners\":[\"a\",\"b\"]},\"results\":[{"
	        "\"seat\":7,\"name\":\"某人\",\"sex\":\"\","
	        "\"doc_type\":\"01\",\"doc_number\":\"" DOCUMENT
	        "\",\"theory\":90,\"practical\":90,"
	        "\"photo_sha256\":\"" DIGEST "\",\"evidence_sha256\":\"" DIGEST "\"}]}",
	        (long long)now, (long long)now + 3600, (int)when.n, at, (int)when.n, at);
	const struct signer_evidence evidence = {
	        .jws = signed_by("330106-01.pem", REQUEST_TYP, payload, &b)};
	assert_int_equal(signer_issue(front, &evidence, &answer), ERR_OK);
	assert_int_equal(answer.count, 1);
	assert_int_equal(answer.rows[0].outcome, OUTCOME_ISSUED);
	memcpy(record_room, answer.rows[0].e.record.p, answer.rows[0].e.record.n);
	record = bytes_of(record_room, answer.rows[0].e.record.n);
	struct signed_entry entry = answer.rows[0].e;
	struct entry issued;
	assert_int_equal(entry_decode(entry.entry, &issued), ERR_OK);
	hex_encode(issued.cti, serial);
	assert_int_equal(signer_extend(front, 3, &entry, 1, &head), ERR_OK);
	assert_int_equal(head.size, 4);
	signer_free(front);
}

static void
it_is_revoked_by_two_officials(void **state)
{
	char payload[1000], hash[65], day[16];
	uint8_t room[3000], approval_room[3000];
	struct buf b = BUF_OF(room), approval = BUF_OF(approval_room), when = BUF_OF(day);
	struct signer *front = peer("front");
	struct signer_answer answer;
	struct signer_head head;
	struct jws j;
	long long now = time(NULL);

	(void)state;
	date_put(&when, date_shanghai(now));
	snprintf(payload, sizeof payload,
	        "{\"type\":\"revoke\",\"jti\":\"0123456789abcdefghijkm\",\"iat\":%lld,\"exp\":%lld,"
	        "\"ground\":\"R04\","
	        "\"decision_no\":\"1\",\"decided_at\":\"%.*s\",\"effective_at\":\"%.*s\","
	        "\"serials\":[\"%s\"]}",
	        now, now + 3600, (int)when.n, day, (int)when.n, day, serial);
	assert_int_equal(jws_decode(signed_by("official-wang.pem", REQUEST_TYP, payload, &b),
	                         sizeof room, &j),
	        ERR_OK);
	hex_encode(bytes_of(j.hash, sizeof j.hash), hash);
	snprintf(payload, sizeof payload,
	        "{\"request\":\"%s\",\"jti\":\"0123456789abcdefghijkl\",\"iat\":%lld,\"exp\":%lld,"
	        "\"decision\":\"approve\"}",
	        hash, now, now + 3600);
	struct bytes second = signed_by("official-li.pem", APPROVAL_TYP, payload, &approval);
	const struct signer_evidence evidence = {.jws = buf_bytes(&b),
	        .approvals = &second,
	        .approval_count = 1,
	        .records = &record,
	        .record_count = 1};
	enum err e = signer_order(front, &evidence, &answer);
	if (e != ERR_OK)
		fail_msg("%s %s", err_word(e), signer_detail(front));
	assert_int_equal(answer.rows[0].outcome, OUTCOME_REVOKED);
	struct signed_entry entry = answer.rows[0].e;
	assert_int_equal(signer_extend(front, 4, &entry, 1, &head), ERR_OK);
	signer_free(front);
}

static void
a_database_that_is_behind_is_not_healthy(void **state)
{
	(void)state;
	admin_gives(3, "status", conf);
	assert_true(said("zz-admin recover"));
}

static void
recover_gives_back_entries_certificates_and_statuses(void **state)
{
	struct pg *pg = NULL;

	(void)state;
	admin_gives(0, "recover", conf);
	assert_true(said("recovered: the database has 5 entries"));
	pg = db_pg(DATABASE, "postgres");
	assert_int_equal(db_number(pg, "SELECT size FROM zz.log_head"), 5);
	assert_int_equal(db_number(pg, "SELECT count(*) FROM zz.log_entry"), 5);
	assert_int_equal(db_number(pg, "SELECT count(*) FROM zz.log_pending_done"), 3);
	assert_int_equal(
	        db_number(pg,
	                "SELECT count(*) FROM zz.certificate_event WHERE idx = 4 AND status = 1"),
	        1);
	assert_int_equal(
	        db_number(pg, "SELECT status::int FROM zz.certificate WHERE seat = 7 AND idx = 3"),
	        1);
	assert_int_equal(db_number(pg, "SELECT count(DISTINCT batch) FROM zz.log_entry"), 3);
	pg_free(pg);
	admin_gives(0, "recover", conf);
	assert_true(said("nothing to recover"));
}

static void
the_holder_is_found_by_the_same_key_as_before(void **state)
{
	char path[200];
	uint8_t *pepper = NULL, key[32], stored[32];
	size_t n = 0;
	struct store *s = db_store(DATABASE, STORE_ISSUER);
	struct store_certificates found;

	(void)state;
	snprintf(path, sizeof path, "%s/keys/pepper", folder);
	assert_int_equal(file_read(path, 32, &pepper, &n), ERR_OK);
	holder_hmac(bytes_of(pepper, n), BYTES_LIT("01"), BYTES_LIT(DOCUMENT), key);
	assert_int_equal(store_holder(s, bytes_of(key, 32), &found), ERR_OK);
	assert_int_equal(found.count, 1);
	assert_true(bytes_equal(found.rows[0].record, record));
	memcpy(stored, found.rows[0].holder_key.p, 32);
	assert_memory_equal(stored, key, 32);
	store_result_free(found.owner);
	store_free(s);
	free(pepper);
}

static void
after_recovery_all_is_healthy(void **state)
{
	(void)state;
	admin_gives(0, "status", conf);
	assert_true(said("database_size      5"));
	admin_gives(0, "roster", conf);
	assert_true(said("nothing new"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(init_refuses_a_second_time),
	        cmocka_unit_test(migrate_changes_nothing_twice),
	        cmocka_unit_test(without_a_signer_nothing_is_healthy),
	        cmocka_unit_test(roster_brings_three_entries_once),
	        cmocka_unit_test(the_signer_goes_ahead),
	        cmocka_unit_test(a_certificate_is_issued_by_the_signer_alone),
	        cmocka_unit_test(it_is_revoked_by_two_officials),
	        cmocka_unit_test(a_database_that_is_behind_is_not_healthy),
	        cmocka_unit_test(recover_gives_back_entries_certificates_and_statuses),
	        cmocka_unit_test(the_holder_is_found_by_the_same_key_as_before),
	        cmocka_unit_test(after_recovery_all_is_healthy),
	};

	return cmocka_run_group_tests(tests, make_world, end_world);
}
