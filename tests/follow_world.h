#ifndef TESTS_FOLLOW_WORLD_H
#define TESTS_FOLLOW_WORLD_H
/* follow_world.h - a few certificates in the log, and what may follow them or change them. Included
 * by one test file each. */
#include "authority_world.h"

enum { CERTS = 4 };
static struct world *w;
static struct bytes records[CERTS]; /* of candidates 1, 2, … */

static inline int
make(void **state)
{
	struct rows certs;

	(void)state;
	w = world_new();
	world_start(w);
	certs = world_issue(w, 1, CERTS);
	for (size_t i = 0; i < CERTS; i++)
		records[i] = certs.rows[i].e.record;
	return 0;
}

static inline int
unmake(void **state)
{
	(void)state;
	world_delete(w);
	return 0;
}

static inline struct record
claims_of(struct bytes record)
{
	struct cose_sign1 m;
	struct record r;

	assert_int_equal(record_open(record, false, &m, &r), ERR_OK);
	return r;
}

static inline struct bytes
record_by(const struct key *k, const struct record *r)
{
	uint8_t room[RECORD_BYTES_MAX];
	struct buf b = BUF_OF(room);

	assert_int_equal(record_sign(r, k, &b), ERR_OK);
	return keep(w, buf_bytes(&b));
}

static inline enum status
status_of(struct bytes record)
{
	struct record r = claims_of(record);
	enum status s = STATUS_INVALID;

	assert_int_equal(fold_status(&w->a->fold, r.list, r.idx, &s), ERR_OK);
	return s;
}

/* A session of candidates from `first` on that follow these records, seat by seat. */
static inline struct bytes
session_after(const char *basis, unsigned first, unsigned count, const struct bytes *named)
{
	struct session s = session_of(first, count);
	uint8_t follows[CERTS][16], room[8192];
	struct buf b = BUF_OF(room);

	for (unsigned i = 0; i < count; i++)
		serial_of(named[i], follows[i]);
	s.iat = w->now;
	s.basis = basis;
	s.follows = (const uint8_t(*)[16])follows;
	return keep(w, session_sign(&s, w->people.keys[CENTER], &b));
}

/* The outcome of candidate 1 whose seat names `named` while the front brings `brought`. */
static inline enum outcome
follow_one(const char *basis, struct bytes named, struct bytes brought, struct rows *out)
{
	struct bytes jws = session_after(basis, 1, 1, &named);
	const struct proof p = {.records = &brought, .record_count = 1};
	struct rows r;

	if (out == NULL)
		out = &r;
	assert_int_equal(ask_issue_with(w, jws, &p, out), ERR_OK);
	assert_int_equal(out->rows[0].ends, out->rows[0].outcome == OUTCOME_ISSUED);
	assert_int_equal(out->rows[0].has_entry, out->rows[0].ends);
	return (enum outcome)out->rows[0].outcome;
}

static inline void
append(const struct rows *r)
{
	struct signed_entry entries[2 * CERTS];

	world_extend(w, entries, rows_entries(r, entries));
}

static inline struct rows
renew(unsigned count)
{
	const struct proof p = {.records = records, .record_count = count};
	struct rows r;

	assert_int_equal(
	        ask_issue_with(w, session_after("renewal", 1, count, records), &p, &r), ERR_OK);
	for (size_t i = 0; i < count; i++)
		assert_true(r.rows[i].outcome == OUTCOME_ISSUED && r.rows[i].ends);
	return r;
}

static inline struct bytes
order_on(enum who by, const char *type, struct bytes record, const char *more)
{
	char members[400], hex[33];
	uint8_t serial[16];

	serial_of(record, serial);
	hex_encode(bytes_of(serial, 16), hex);
	snprintf(members, sizeof members,
	        strcmp(type, "replace") == 0 ? "\"serial\":\"%s\"%s" : "\"serials\":[\"%s\"]%s",
	        hex, more);
	return order_sign(w, by, type, members);
}

static inline void
revoke_it(struct bytes record)
{
	struct bytes jws = world_revoke(w, WANG, &record, 1), approval = world_approve(w, LI, jws);
	struct rows r;

	assert_int_equal(ask_order(w, jws, &approval, 1, &record, 1, &r), ERR_OK);
	assert_int_equal(r.rows[0].outcome, OUTCOME_REVOKED);
	append(&r);
}

static inline void
hold(struct bytes record)
{
	struct bytes jws = order_on(WANG, "suspend", record,
	        ",\"ground\":\"S01\",\"effective_at\":\"2026-10-18\",\"until\":\"2026-11-10\"");
	struct rows r;

	assert_int_equal(ask_order(w, jws, NULL, 0, &record, 1, &r), ERR_OK);
	assert_int_equal(r.rows[0].outcome, OUTCOME_SUSPENDED);
	append(&r);
}

static inline enum err
replace(enum who by, const char *more, struct bytes old, struct rows *out)
{
	const struct proof p = {.records = &old, .record_count = 1};

	return ask_issue_with(w, order_on(by, "replace", records[0], more), &p, out);
}

#define LOST ",\"ground\":\"X02\",\"changes\":{}"
#define CHANGED(changes) ",\"ground\":\"X03\",\"changes\":{" changes "}"
#endif
