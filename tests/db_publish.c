/* db_publish.c - what issuer-publish and zz-admin write: tokens count once their entry is appended,
 * versions are put once, and what the database lost is rebuilt. */
#include "db_support.h"

#define DATABASE "zz_db_publish"
enum { LOG_SIZE = 15 };

static int
setup(void **state)
{
	(void)state;
	db_fresh(DATABASE);
	struct store *s = db_store(DATABASE, STORE_ISSUER);
	assert_int_equal(db_issue(s, LOG_SIZE, 1), ERR_OK);
	store_free(s);
	return 0;
}

static void
same(struct bytes a, struct bytes b)
{
	assert_true(bytes_equal(a, b));
}

static void
the_log_is_read_for_tiles(void **state)
{
	(void)state;
	struct store *s = db_store(DATABASE, STORE_PUBLISH);
	struct store_entries got;
	assert_int_equal(store_log_from(s, 3, 4, &got), ERR_OK);
	assert_int_equal(got.count, 4);
	assert_int_equal(got.first, 3);
	assert_int_equal(be_get(got.rows[3].entry.p, 8), 6);
	assert_int_equal(got.rows[3].record.n, 0);
	store_result_free(got.owner);
	struct store_list_counts counts;
	assert_int_equal(store_list_counts(s, &counts), ERR_OK);
	assert_int_equal(counts.count, 1);
	assert_int_equal(counts.rows[0].certificates, LOG_SIZE);
	assert_int_equal(counts.rows[0].status[STATUS_VALID], LOG_SIZE);
	store_result_free(counts.owner);
	store_free(s);
}

static struct signer_token
token_of(uint64_t sequence, uint8_t tag[16])
{
	memset(tag, 0x70, 16);
	be_put(tag, sequence, 8);
	return (struct signer_token){.sequence = sequence,
	        .cwt = BYTES_LIT("cwt"),
	        .jwt = BYTES_LIT("jwt"),
	        .e = {.entry = BYTES_LIT("entry 3"),
	                .note = BYTES_LIT(""),
	                .tag = bytes_of(tag, 16)}};
}

static void
done_commit(struct store *s, uint64_t pending)
{
	uint64_t size;
	int64_t time;
	assert_int_equal(store_begin_head(s, &size, &time), ERR_OK);
	struct store_done done = {.pending = pending, .index = size};
	struct db_batch *d = db_batch(size, 1, 80);
	d->b.request_count = d->b.event_count = d->b.certificate_count = 0;
	d->b.done = &done;
	d->b.done_count = 1;
	assert_int_equal(store_commit_batch(s, &d->b), ERR_OK);
	free(d);
}

static void
a_publication_counts_when_its_entry_is_appended(void **state)
{
	(void)state;
	struct store *p = db_store(DATABASE, STORE_PUBLISH), *s = db_store(DATABASE, STORE_ISSUER);
	uint8_t tags[3][16];
	struct signer_token t1 = token_of(100, tags[0]), t2 = token_of(200, tags[1]),
	                    t3 = token_of(300, tags[2]);
	struct store_publication got;
	uint64_t id1 = 0, id2 = 0, id3 = 0, index = 0;
	assert_int_equal(store_publication_latest(p, 0, false, &got), ERR_NOT_FOUND);
	assert_int_equal(store_publication_put(p, 0, &t1, DB_NOW, &id1), ERR_OK);
	assert_int_equal(store_publication_put(p, 0, &t1, DB_NOW, &id1), ERR_EXISTS);
	assert_int_equal(store_publication_put(p, 0, &t2, DB_NOW, &id2), ERR_OK);
	assert_int_equal(store_publication_put(p, 0, &t3, DB_NOW, &id3), ERR_OK);
	assert_int_equal(store_publication_latest(p, 0, true, &got), ERR_NOT_FOUND);

	struct store_pendings pending;
	assert_int_equal(store_pending(s, 10, &pending), ERR_OK);
	assert_int_equal(pending.count, 3);
	assert_int_equal(pending.rows[0].id, id1);
	same(pending.rows[0].e.entry, t1.e.entry);
	same(pending.rows[0].e.tag, t1.e.tag);
	store_result_free(pending.owner);

	done_commit(s, id2);
	assert_int_equal(store_pending_void(s, id1, "entry_stale"), ERR_OK);
	assert_int_equal(store_pending_void(s, id1, "entry_stale"), ERR_EXISTS);
	assert_int_equal(store_pending_void(s, id2, "entry_stale"), ERR_EXISTS);
	enum store_pending_state now;
	assert_int_equal(store_pending_state(p, id1, &now, &index), ERR_OK);
	assert_int_equal(now, PENDING_VOID);
	assert_int_equal(store_pending_state(p, id2, &now, &index), ERR_OK);
	assert_int_equal(now, PENDING_DONE);
	assert_int_equal(index, LOG_SIZE);
	assert_int_equal(store_pending_state(p, id3, &now, &index), ERR_OK);
	assert_int_equal(now, PENDING_OPEN);
	assert_int_equal(store_pending_state(p, 99, &now, &index), ERR_NOT_FOUND);

	assert_int_equal(store_publication_latest(p, 0, false, &got), ERR_OK);
	assert_int_equal(got.sequence, 300);
	assert_int_equal(got.state, PENDING_OPEN);
	store_result_free(got.owner);
	assert_int_equal(store_publication_latest(p, 0, true, &got), ERR_OK);
	assert_int_equal(got.sequence, 200);
	assert_int_equal(got.index, LOG_SIZE);
	same(got.cwt, t2.cwt);
	same(got.jwt, t2.jwt);
	store_result_free(got.owner);
	assert_int_equal(store_pending(s, 10, &pending), ERR_OK);
	assert_int_equal(pending.count, 1);
	store_result_free(pending.owner);
	store_free(p);
	store_free(s);
}

static void
rosters_and_manifests_are_put_once(void **state)
{
	(void)state;
	struct store *a = db_store(DATABASE, STORE_ADMIN), *s = db_store(DATABASE, STORE_ISSUER);
	struct store_message got;
	assert_int_equal(store_roster_get(s, 0, &got), ERR_NOT_FOUND);
	assert_int_equal(store_roster_put(a, 1, BYTES_LIT("one"), DB_NOW), ERR_OK);
	assert_int_equal(store_roster_put(a, 1, BYTES_LIT("one"), DB_NOW + 1), ERR_OK);
	assert_int_equal(store_roster_put(a, 1, BYTES_LIT("other"), DB_NOW), ERR_EXISTS);
	assert_int_equal(store_roster_put(a, 2, BYTES_LIT("two"), DB_NOW), ERR_OK);
	assert_int_equal(store_manifest_put(a, 1, BYTES_LIT("manifest"), DB_NOW), ERR_OK);
	assert_int_equal(store_manifest_put(a, 1, BYTES_LIT("Manifest"), DB_NOW), ERR_EXISTS);
	assert_int_equal(store_roster_get(s, 0, &got), ERR_OK);
	assert_int_equal(got.version, 2);
	same(got.message, BYTES_LIT("two"));
	store_result_free(got.owner);
	assert_int_equal(store_roster_get(s, 1, &got), ERR_OK);
	same(got.message, BYTES_LIT("one"));
	store_result_free(got.owner);
	assert_int_equal(store_manifest_get(s, 0, &got), ERR_OK);
	same(got.message, BYTES_LIT("manifest"));
	store_result_free(got.owner);

	struct signed_entry e = {.entry = BYTES_LIT("entry 5"),
	        .note = BYTES_LIT("note"),
	        .tag = BYTES_LIT("tag of entry 005")};
	uint64_t first = 0, again = 0;
	assert_int_equal(store_pending_put(a, &e, DB_NOW, &first), ERR_OK);
	assert_int_equal(store_pending_put(a, &e, DB_NOW + 1, &again), ERR_OK);
	assert_true(first > 0);
	assert_int_equal(first, again);
	store_free(a);
	store_free(s);
}

static void
recovery_rebuilds_what_was_lost(void **state)
{
	(void)state;
	db_fresh(DATABASE);
	struct store *a = db_store(DATABASE, STORE_ADMIN), *s = db_store(DATABASE, STORE_ISSUER);
	struct db_batch *d = db_batch(0, 4, 90);
	uint64_t id;
	assert_int_equal(store_pending_put(a, &d->entries[2], DB_NOW, &id), ERR_OK);
	struct store_change change = {.index = 3,
	        .serial = d->certificates[0].serial,
	        .status = STATUS_INVALID,
	        .reason = 9,
	        .effective = 20742,
	        .until = -1,
	        .at = DB_NOW,
	        .request = d->requests[0].id};
	struct store_recovery r = {.size = 0,
	        .time = DB_NOW,
	        .entries = d->entries,
	        .entry_count = 4,
	        .certificates = d->certificates,
	        .certificate_count = 2,
	        .changes = &change,
	        .change_count = 1};
	assert_int_equal(store_recover(a, &r), ERR_OK);
	assert_int_equal(store_recover(a, &r), ERR_SIZE);
	uint64_t size;
	int64_t time;
	assert_int_equal(store_head(s, &size, &time), ERR_OK);
	assert_int_equal(size, 4);
	struct store_certificates c;
	assert_int_equal(store_request_certificates(s, d->requests[0].id, &c), ERR_OK);
	assert_int_equal(c.count, 2);
	assert_int_equal(c.rows[0].status, STATUS_INVALID);
	store_result_free(c.owner);
	struct store_pendings pending;
	assert_int_equal(store_pending(s, 10, &pending), ERR_OK);
	assert_int_equal(pending.count, 0); /* its entry is in the log again */
	store_result_free(pending.owner);
	struct store_counts counts;
	assert_int_equal(store_counts(a, &counts), ERR_OK);
	for (size_t i = 0; i < counts.count; i++)
		if (bytes_equal_text(counts.rows[i].table, "log_entry"))
			assert_int_equal(counts.rows[i].rows, 4);
	assert_true(counts.count >= 12);
	store_result_free(counts.owner);
	free(d);
	store_free(a);
	store_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_log_is_read_for_tiles),
	        cmocka_unit_test(a_publication_counts_when_its_entry_is_appended),
	        cmocka_unit_test(rosters_and_manifests_are_put_once),
	        cmocka_unit_test(recovery_rebuilds_what_was_lost),
	};
	return cmocka_run_group_tests(tests, setup, NULL);
}
