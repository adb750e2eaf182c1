/* test_authority_head.c - table, delta, head: the signer names only what the log holds below a
 * signed checkpoint, and no publication falls behind the one before. */
#include "signer_world.h"

static const struct key *
status_key(const struct signer_world *w)
{
	for (size_t i = 0; i < w->a->keys.count; i++)
		if (w->a->keys.rows[i].purpose == KEY_STATUS)
			return w->a->keys.rows[i].key;
	return NULL;
}

static enum err
table_ask(struct signer_world *w, struct table_row *rows, struct table *t)
{
	struct cose_sign1 m;
	uint64_t sequence;
	enum err e = signer_number(w, authority_table, w->a->guard_size);

	if (e != ERR_OK)
		return e;
	assert_int_equal(table_decode(signer_token(w, 1, &sequence), &m, rows, 4, t), ERR_OK);
	assert_int_equal(cose_verify(&m, status_key(w), TABLE_TYPE), ERR_OK);
	assert_int_equal(sequence, t->iat);
	return ERR_OK;
}

static enum err
delta_ask(struct signer_world *w, uint64_t at, struct delta_change *changes, struct delta *d)
{
	struct cose_sign1 m;
	uint64_t base;
	enum err e = signer_number(w, authority_delta, at);

	if (e != ERR_OK)
		return e;
	assert_int_equal(delta_decode(signer_token(w, 2, &base), &m, changes, 8, d), ERR_OK);
	assert_int_equal(cose_verify(&m, status_key(w), DELTA_TYPE), ERR_OK);
	assert_int_equal(base, d->base);
	return ERR_OK;
}

/* count bases. *h has views into w->room. */
static enum err
head_ask(struct signer_world *w, const uint64_t *bases, size_t count, struct head *h)
{
	uint8_t room[64];
	struct buf body = BUF_OF(room);
	struct cose_sign1 m;
	struct cbor c;
	uint64_t sequence;
	enum err e;

	cbor_put_array(&body, 1);
	cbor_put_array(&body, count);
	for (size_t i = 0; i < count; i++)
		cbor_put_uint(&body, bases[i]);
	if ((e = signer_ask(w, authority_head, &body)) != ERR_OK)
		return e;
	c = cbor_init(w->answer);
	cbor_array_exact(&c, 3);
	sequence = cbor_uint(&c);
	assert_int_equal(head_decode(cbor_bytes(&c), &m, h), ERR_OK);
	assert_int_equal(cbor_bytes(&c).n, 0); /* the SM2 head: of an SM2 authority alone */
	assert_int_equal(cbor_end(&c), ERR_OK);
	assert_int_equal(cose_verify(&m, status_key(w), HEAD_TYPE), ERR_OK);
	assert_int_equal(sequence, h->sequence);
	return ERR_OK;
}

/* A whole publication a second later. */
static void
publish(struct signer_world *w, struct table_row *rows, struct head *h)
{
	struct table t;

	w->now++;
	signer_list_one(w);
	signer_checkpoint_now(w);
	assert_int_equal(table_ask(w, rows, &t), ERR_OK);
	assert_int_equal(head_ask(w, NULL, 0, h), ERR_OK);
}

static void
a_head_names_the_lists_whose_entry_a_checkpoint_holds(void **state)
{
	struct signer_world *w = *state;
	struct table_row rows[4];
	struct table t;
	struct head h;

	signer_checkpoint_now(w);
	w->now++;
	signer_list_one(w);
	assert_int_equal(table_ask(w, rows, &t), ERR_OK);
	assert_int_equal(t.count, 0); /* in the log, and not below the checkpoint */
	signer_checkpoint_now(w);
	assert_int_equal(table_ask(w, rows, &t), ERR_OK);
	assert_int_equal(t.count, 1);
	assert_int_equal(rows[0].sequence, w->now);
	assert_int_equal(head_ask(w, NULL, 0, &h), ERR_OK);
	assert_int_equal(h.list_count, 1);
	assert_int_equal(h.tree_size, w->a->fold.frontier.size);
	assert_int_equal(h.exp, w->now + HEAD_LIFETIME_S);
	assert_memory_equal(h.root.b, w->a->guard_root.b, SHA256_BYTES);
}

static void
what_falls_back_or_does_not_fit_is_refused(void **state)
{
	struct signer_world *w = *state;
	struct table_row rows[4];
	struct delta_change changes[8];
	struct delta d;
	struct table t;
	struct head h;
	const uint64_t base = 7;

	assert_int_equal(head_ask(w, NULL, 0, &h), ERR_NOT_READY);        /* no table yet */
	assert_int_equal(signer_number(w, authority_table, 4), ERR_SIZE); /* no checkpoint yet */
	publish(w, rows, &h);
	assert_int_equal(head_ask(w, NULL, 0, &h), ERR_NOT_READY); /* a table makes one head */
	assert_int_equal(table_ask(w, rows, &t), ERR_VERSION);     /* one of this second is there */
	w->now--;
	assert_int_equal(table_ask(w, rows, &t), ERR_CLOCK);
	w->now += 2;
	assert_int_equal(signer_number(w, authority_table, 3), ERR_SIZE); /* an older checkpoint */
	assert_int_equal(
	        signer_number(w, authority_table, w->a->guard_size + 1), ERR_SIZE); /* none */
	assert_int_equal(delta_ask(w, 0, changes, &d), ERR_NOT_READY);
	assert_int_equal(table_ask(w, rows, &t), ERR_OK);
	assert_int_equal(head_ask(w, &base, 1, &h), ERR_NOT_FOUND); /* no such delta */
	assert_int_equal(delta_ask(w, 0, changes, &d), ERR_OK);
	assert_int_equal(delta_ask(w, 0, changes, &d), ERR_EXISTS);
	w->now += ENTRY_AGE_S_MAX + 1;
	assert_int_equal(head_ask(w, NULL, 0, &h), ERR_STALE); /* the table lay about */
	assert_int_equal(table_ask(w, rows, &t), ERR_OK);
	assert_int_equal(head_ask(w, NULL, 0, &h), ERR_OK); /* control */
}

static void
heads_are_chained_and_rise(void **state)
{
	struct signer_world *w = *state;
	struct table_row rows[4];
	struct bytes table, head;
	struct head h;
	uint8_t hash[SHA256_BYTES], zero[SHA256_BYTES] = {0};
	uint64_t sequence;

	publish(w, rows, &h);
	assert_memory_equal(h.previous, zero, sizeof zero);
	sequence = h.sequence;
	assert_int_equal(signer_state_ask(w, &table, &head), ERR_OK);
	sha256_one(head, hash);
	publish(w, rows, &h);
	assert_memory_equal(h.previous, hash, sizeof hash);
	assert_true(h.sequence > sequence);
}

/* Applied to the lists of its base, a delta gives exactly the lists of its head. */
static void
a_delta_leads_from_its_base_to_the_table(void **state)
{
	struct signer_world *w = *state;
	uint8_t raw[LIST_BYTES], hash[SHA256_BYTES];
	struct table_row rows[4];
	struct delta_change changes[8];
	struct delta d;
	struct table t;
	struct head h;
	uint64_t base;

	publish(w, rows, &h);
	base = h.sequence;
	memcpy(raw, w->a->fold.lists[0].raw, sizeof raw);
	signer_revoke(w, 1, 70);
	signer_revoke(w, 2, 50);
	w->now++;
	signer_list_one(w);
	signer_revoke(w, 3, 60); /* after the version: not in this table, nor in its delta */
	signer_checkpoint_now(w);
	assert_int_equal(table_ask(w, rows, &t), ERR_OK);
	assert_int_equal(delta_ask(w, 0, changes, &d), ERR_OK);
	assert_int_equal(d.base, base);
	assert_int_equal(d.count, 2);
	assert_int_equal(changes[0].idx, 50);
	for (size_t i = 0; i < d.count; i++)
		status_set(raw, changes[i].idx, changes[i].status);
	sha256_one(bytes_of(raw, sizeof raw), hash);
	assert_memory_equal(hash, rows[0].raw_sha256, sizeof hash);
	assert_int_equal(head_ask(w, &base, 1, &h), ERR_OK);
	assert_int_equal(h.delta_count, 1);
	/* the next one, from the head that lacked it, tells of the late change */
	base = h.sequence;
	w->now++;
	signer_list_one(w);
	signer_checkpoint_now(w);
	assert_int_equal(table_ask(w, rows, &t), ERR_OK);
	assert_int_equal(delta_ask(w, base, changes, &d), ERR_OK);
	assert_int_equal(d.base, base);
	assert_int_equal(d.count, 1);
	assert_int_equal(changes[0].idx, 60);
	assert_int_equal(delta_ask(w, base - 1, changes, &d), ERR_OK); /* from the first head */
	assert_int_equal(d.count, 3);
}

static void
after_a_restart(struct signer_world *w, bool snapshot)
{
	uint8_t head_room[HEAD_BYTES_MAX], hash[SHA256_BYTES];
	char path[80];
	struct table_row rows[4];
	struct delta_change changes[8];
	struct bytes table, head, before;
	struct delta d;
	struct table t;
	struct head h;
	uint64_t base;

	publish(w, rows, &h);
	base = h.sequence;
	signer_revoke(w, 1, 70);
	publish(w, rows, &h);
	assert_int_equal(signer_state_ask(w, &table, &head), ERR_OK);
	memcpy(head_room, head.p, head.n);
	before = bytes_of(head_room, head.n);
	signer_end(w);
	snprintf(path, sizeof path, "%s/snapshot", w->dir);
	assert_int_equal(snapshot ? 0 : remove(path), 0);
	signer_start(w);
	assert_int_equal(signer_number(w, authority_table, h.tree_size), ERR_NOT_READY);
	assert_int_equal(signer_state_ask(w, &table, &head), ERR_OK);
	assert_true(bytes_equal(head, before));
	sha256_one(table, hash);
	assert_memory_equal(hash, h.table_sha256, sizeof hash);
	assert_int_equal(table_ask(w, rows, &t), ERR_VERSION); /* same second as before */
	w->now++;
	assert_int_equal(table_ask(w, rows, &t), ERR_OK);
	assert_int_equal(t.count, 1);
	assert_int_equal(delta_ask(w, base, changes, &d), ERR_OK);
	assert_int_equal(d.count, 1);
	assert_int_equal(head_ask(w, &base, 1, &h), ERR_OK);
	sha256_one(before, hash);
	assert_memory_equal(h.previous, hash, sizeof hash);
}

static void
a_restart_forgets_nothing(void **state)
{
	after_a_restart(*state, true);
}

static void
without_a_snapshot_the_journal_brings_it_back(void **state)
{
	after_a_restart(*state, false);
}

/* A damaged file stops the start: nothing may be signed below what was signed. */
static void
a_damaged_publication_stops_the_start(void **state)
{
	struct signer_world *w = *state;
	struct table_row rows[4];
	struct authority *a = NULL;
	uint8_t *p = NULL;
	char path[80];
	struct head h;
	size_t n = 0;

	publish(w, rows, &h);
	signer_end(w);
	snprintf(path, sizeof path, "%s/publication", w->dir);
	assert_int_equal(file_read(path, 4096, &p, &n), ERR_OK);
	p[n / 2] ^= 1;
	signer_file(w, "publication", bytes_of(p, n));
	assert_int_not_equal(authority_open(w->dir, w->now, &a), ERR_OK);
	p[n / 2] ^= 1;
	signer_file(w, "publication", bytes_of(p, n));
	signer_start(w);
	free(p);
}

/* A week of heads, one a minute: few are kept, and one of about each age asked for is there. */
static void
a_week_of_heads_is_kept_thin(void **state)
{
	static const uint64_t ages[] = {3900, 90000, 608400};
	struct signer_world *w = *state;
	struct authority_publication *p = &w->a->publication;
	struct table_row rows[4];
	struct delta_change changes[8];
	struct delta d;
	struct table t;
	struct head h;

	publish(w, rows, &h);
	for (int i = 0; i < 8 * 24 * 12; i++) {
		w->now += 300;
		assert_int_equal(table_ask(w, rows, &t), ERR_OK);
		assert_int_equal(head_ask(w, NULL, 0, &h), ERR_OK);
	}
	assert_true(p->base_count < 250);
	print_message("bases kept: %zu\n", p->base_count);
	w->now++;
	assert_int_equal(table_ask(w, rows, &t), ERR_OK);
	for (size_t i = 0; i < sizeof ages / sizeof ages[0]; i++) {
		uint64_t at = (uint64_t)w->now - ages[i];

		assert_int_equal(delta_ask(w, at, changes, &d), ERR_OK);
		assert_true(d.base <= at && d.base + 3 * 3600 + 600 > at);
	}
}

#define S(name) cmocka_unit_test_setup_teardown(name, signer_make, signer_remove)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        S(a_head_names_the_lists_whose_entry_a_checkpoint_holds),
	        S(what_falls_back_or_does_not_fit_is_refused),
	        S(heads_are_chained_and_rise),
	        S(a_delta_leads_from_its_base_to_the_table),
	        S(a_restart_forgets_nothing),
	        S(without_a_snapshot_the_journal_brings_it_back),
	        S(a_damaged_publication_stops_the_start),
	        S(a_week_of_heads_is_kept_thin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
