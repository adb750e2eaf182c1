/* test_authority_key.c - which key signs when: by the manifest in force and the time of the call,
 * never past its end, never after its cut-off. */
#include "authority_world.h"

#include "file.h"

static struct world *w;

static int
make(void **state)
{
	(void)state;
	w = world_new();
	world_start(w);
	return 0;
}

static int
unmake(void **state)
{
	(void)state;
	world_delete(w);
	return 0;
}

static struct bytes
kid_that_signs(enum key_purpose purpose)
{
	const struct authority_key *k = NULL;

	assert_int_equal(authority_key_at(w->a, purpose, w->now, &k), ERR_OK);
	return key_kid(k->key);
}

/* One more record key; its kid. */
static struct bytes
key_more(void)
{
	cbor_put_text(ask_start(w, 1), BYTES_LIT("record"));
	assert_int_equal(ask(w, authority_keys), ERR_OK);
	return key_kid(w->a->keys.rows[w->a->keys.count - 1].key);
}

/* Manifest `version`: the four first keys, and the newest record key from `from` on. */
static enum err
manifest_with_new(uint64_t version, int64_t from, int64_t ends, struct signed_entry *out)
{
	uint8_t room[MANIFEST_BYTES_MAX], again[MANIFEST_BYTES_MAX];
	struct buf b = BUF_OF(room), next = BUF_OF(again), cose;
	uint8_t cose_room[KEY_COSE_BYTES_MAX];
	struct manifest_plan plan = manifest_plan_of(w);
	const struct key *k = w->a->keys.rows[w->a->keys.count - 1].key;
	struct manifest m;

	plan.not_after = ends;
	manifest_put(w, &plan, version, &b);
	assert_int_equal(manifest_open(buf_bytes(&b), w->people.root, &m), ERR_OK);
	cose = BUF_OF(cose_room);
	key_put_cose(k, &cose);
	m.keys[m.key_count] = (struct manifest_key){.kid = key_kid(k),
	        .cose_key = buf_bytes(&cose),
	        .purpose = KEY_RECORD,
	        .not_before = from,
	        .not_after = from + 365 * (int64_t)DAY_S,
	        .last_size = UINT64_MAX,
	        .soft = true};
	m.key_count++;
	for (size_t i = 0; i < m.key_count; i++) {
		const struct fold_cutoff *c = fold_cutoff(&w->a->fold, m.keys[i].kid);

		if (c != NULL)
			m.keys[i].last_size = c->last_size;
	}
	assert_int_equal(manifest_sign(&m, w->people.root, &next), ERR_OK);
	m.key_count--;
	manifest_close(&m);
	cbor_put_bytes(ask_start(w, 1), buf_bytes(&next));
	return ask_admin(w, authority_manifest, out);
}

static enum err
issue_now(unsigned first)
{
	struct rows r = {0};

	return ask_issue(w, world_session(w, first, 1), NULL, 0, &r);
}

static void
issuing_stops_at_the_end_of_a_key(void **state)
{
	const int64_t end = NOW + 365 * DAY_S; /* of every key of manifest 1 */
	struct bytes note, receipt;

	(void)state;
	w->now = end - 1;
	assert_int_equal(issue_now(1), ERR_OK);
	w->now = end;
	assert_int_equal(issue_now(2), ERR_RECORD_KEY);
	assert_string_equal(err_word(ERR_RECORD_KEY), "record_key_not_in_force");
	assert_int_equal(ask_number(w, authority_list, 0), ERR_NOT_FOUND); /* no list yet */
	assert_int_equal(ask_checkpoint(w, w->size, &note, &receipt), ERR_RECORD_KEY);
	world_reopen(w); /* nor does a new start go on with it */
	w->from = FROM_PUBLISHER;
	assert_int_equal(ask_state(w, BYTES_LIT(""), NULL), ERR_OK);
	w->a->clock_doubt = false;
	assert_int_equal(issue_now(3), ERR_RECORD_KEY);
}

static void
the_key_that_began_last_signs(void **state)
{
	const int64_t from = NOW + 7 * DAY_S;
	struct bytes old = keep(w, kid_that_signs(KEY_RECORD)), new = key_more();
	struct signed_entry e = {0};

	(void)state;
	assert_true(bytes_equal(kid_that_signs(KEY_RECORD), old)); /* nobody named it */
	assert_int_equal(manifest_with_new(2, from, NOW + 365 * DAY_S, &e), ERR_OK);
	assert_true(bytes_equal(kid_that_signs(KEY_RECORD), old)); /* not in force */
	world_extend(w, &e, 1);
	w->now = from - 1;
	assert_true(bytes_equal(kid_that_signs(KEY_RECORD), old));
	w->now = from;
	assert_true(bytes_equal(kid_that_signs(KEY_RECORD), new));
	assert_int_equal(issue_now(1), ERR_OK);
	w->now = NOW + 365 * DAY_S; /* the other keys have ended: no list, no log, no certificate */
	assert_int_equal(issue_now(2), ERR_RECORD_KEY);
}

static void
a_manifest_keeps_what_was_signed(void **state)
{
	struct signed_entry e = {0};
	struct manifest_plan plan = manifest_plan_of(w);

	(void)state;
	key_more();
	assert_int_equal(manifest_with_new(2, NOW, NOW + 365 * DAY_S, &e), ERR_OK);
	world_extend(w, &e, 1);
	assert_int_equal(ask_manifest(w, &plan, 3, &e), ERR_CONFIG); /* drops the new key */
	assert_int_equal(manifest_with_new(3, NOW - DAY_S, NOW + 365 * DAY_S, &e), ERR_CONFIG);
	w->now += 1;
	assert_int_equal(manifest_with_new(3, NOW, NOW, &e), ERR_CONFIG); /* ends in the past */
	assert_int_equal(manifest_with_new(3, NOW, NOW + 2, &e), ERR_OK); /* ends soon */
}

static enum err
cutoff_ask(struct bytes kid, uint64_t last_size, struct signed_entry *out)
{
	struct buf *b = ask_start(w, 3);

	cbor_put_bytes(b, kid);
	if (last_size == UINT64_MAX)
		cbor_put_null(b);
	else
		cbor_put_uint(b, last_size);
	cbor_put_uint(b, 1);
	return ask_admin(w, authority_cutoff, out);
}

static void
what_was_cut_off_signs_nothing(void **state)
{
	struct bytes old = keep(w, kid_that_signs(KEY_RECORD)), new;
	struct signed_entry before[1] = {0}, e = {0};
	enum err fault = ERR_OK;
	uint64_t at;
	struct rows r = {0};

	(void)state;
	assert_int_equal(ask_issue(w, world_session(w, 1, 1), NULL, 0, &r), ERR_OK);
	assert_int_equal(rows_entries(&r, before), 1);
	assert_int_equal(cutoff_ask(BYTES_LIT("notakey!"), UINT64_MAX, &e), ERR_KID_UNKNOWN);
	assert_int_equal(cutoff_ask(old, w->size + 1, &e), ERR_SIZE);
	assert_int_equal(cutoff_ask(old, UINT64_MAX, &e), ERR_OK);
	assert_int_equal(issue_now(2), ERR_RECORD_KEY); /* at once, not when it is appended */
	at = w->size;
	world_extend(w, &e, 1);
	assert_true(fold_cutoff(&w->a->fold, old)->last_size == at);
	/* what it had signed before, and nobody had appended, is made anew by another key */
	assert_int_equal(ask_prepare(w, w->size, before, 1, &fault), ERR_OK);
	assert_int_equal(fault, ERR_STALE);
	assert_int_equal(cutoff_ask(old, UINT64_MAX, &e), ERR_MOVE); /* once */
	world_reopen(w);
	w->from = FROM_PUBLISHER;
	assert_int_equal(ask_state(w, BYTES_LIT(""), NULL), ERR_OK);
	assert_int_equal(issue_now(3), ERR_RECORD_KEY);
	new = key_more();
	w->now += 1;
	assert_int_equal(manifest_with_new(2, NOW, NOW + 365 * DAY_S, &e), ERR_OK);
	world_extend(w, &e, 1);
	assert_true(bytes_equal(kid_that_signs(KEY_RECORD), new));
	world_issue(w, 10, 1);
}

static void
a_key_is_dropped_before_its_entry_is_in_the_log(void **state)
{
	struct bytes old = keep(w, kid_that_signs(KEY_RECORD));
	struct signed_entry e = {0};

	(void)state;
	assert_int_equal(cutoff_ask(old, UINT64_MAX, &e), ERR_OK);
	world_reopen(w); /* killed before anything was appended */
	w->from = FROM_PUBLISHER;
	assert_int_equal(ask_state(w, BYTES_LIT(""), NULL), ERR_OK);
	assert_int_equal(issue_now(1), ERR_RECORD_KEY);
	assert_int_equal(cutoff_ask(old, UINT64_MAX, &e), ERR_OK); /* asked again it goes on */
	world_extend(w, &e, 1);
}

static void
alarms_come_at_30_7_and_1_days(void **state)
{
	static const struct {
		int64_t left_s;
		int want;
	} rows[] = {{31 * DAY_S, -1}, {30 * DAY_S + 1, -1}, {30 * DAY_S, 30}, {7 * DAY_S + 1, 30},
	        {7 * DAY_S, 7}, {DAY_S + 1, 7}, {DAY_S, 1}, {1, 1}, {0, 0}, {-5, 0}};
	const int64_t end = NOW + 365 * DAY_S;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int64_t now = end - rows[i].left_s;

		assert_int_equal(manifest_alarm(authority_key_end(w->a, KEY_RECORD, now), now),
		        rows[i].want);
	}
	authority_key_alarms(w->a, end - 30 * DAY_S);
	assert_int_equal(w->a->keys.alarm_said[KEY_RECORD], 30);
	authority_key_alarms(w->a, end - 30 * DAY_S + 60); /* looks once an hour */
	assert_int_equal(w->a->keys.alarm_said_at[KEY_RECORD], end - 30 * DAY_S);
	authority_key_alarms(w->a, end - 7 * DAY_S);
	assert_int_equal(w->a->keys.alarm_said[KEY_RECORD], 7);
	authority_key_alarms(w->a, end - DAY_S);
	assert_int_equal(w->a->keys.alarm_said[KEY_RECORD], 1);
	authority_key_alarms(w->a, end);
	assert_int_equal(w->a->keys.alarm_said[KEY_RECORD], 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(issuing_stops_at_the_end_of_a_key, make, unmake),
	        cmocka_unit_test_setup_teardown(the_key_that_began_last_signs, make, unmake),
	        cmocka_unit_test_setup_teardown(a_manifest_keeps_what_was_signed, make, unmake),
	        cmocka_unit_test_setup_teardown(what_was_cut_off_signs_nothing, make, unmake),
	        cmocka_unit_test_setup_teardown(
	                a_key_is_dropped_before_its_entry_is_in_the_log, make, unmake),
	        cmocka_unit_test_setup_teardown(alarms_come_at_30_7_and_1_days, make, unmake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
