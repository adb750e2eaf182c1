/* audit_right.c - the rules of the field a second time, from the text of the law and of FORMATS.md
 * section 3: who may ask for what, and which seat earns a certificate. */
#include "audit_request.h"
#include "cbor.h"
#include "date.h"
#include "document.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	LATE_DAYS = 60,
	OLD_DAYS = 365,
	AHEAD_S = 300,
	A_DAY = 24 * 3600,
	HOLD_DAYS = 30,
	A_THOUSAND = 1000
};

/* A code of six digits that begins with one of the prefixes. */
static bool
entitled(struct bytes code, const struct bytes *prefixes, size_t count)
{
	if (code.n != 6)
		return false;
	for (size_t i = 0; i < code.n; i++)
		if (code.p[i] < '0' || code.p[i] > '9')
			return false;
	for (size_t i = 0; i < count; i++)
		if (prefixes[i].n > 0 && prefixes[i].n <= 6 &&
		        bytes_equal(bytes_of(code.p, prefixes[i].n), prefixes[i]))
			return true;
	return false;
}

/* A local item: its region without the pairs of zeros at the end is how the session's begins. */
static bool
local_to(const struct field_item *item, struct bytes region)
{
	char name[7] = {0};

	if (bytes_equal_text(item->scope, "CN"))
		return true;
	memcpy(name, item->scope.p, item->scope.n < 6 ? item->scope.n : 6);
	if (strcmp(name + 4, "00") == 0)
		name[4] = '\0';
	if (strlen(name) == 4 && strcmp(name + 2, "00") == 0)
		name[2] = '\0';
	return bytes_start(region, name);
}

static int
number_order(const void *a, const void *b)
{
	const unsigned *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static bool
seats_good(const struct request *r)
{
	unsigned *all = audit_grow(NULL, r->seat_count, sizeof *all);
	bool good = r->seat_count >= 1 && r->seat_count <= REQUEST_SEATS_MAX;

	for (size_t i = 0; i < r->seat_count; i++)
		all[i] = r->seats[i].seat;
	qsort(all, r->seat_count, sizeof *all, number_order);
	for (size_t i = 0; i < r->seat_count; i++)
		good = good && all[i] >= 1 && all[i] <= 99999 && (i == 0 || all[i] != all[i - 1]);
	free(all);
	return good;
}

/* A first certificate follows none, a renewal or review one at each seat. */
static bool
basis_good(const struct request *r)
{
	bool first = bytes_equal_text(r->session.basis, "initial");
	bool good = first || bytes_equal_text(r->session.basis, "renewal") ||
	            bytes_equal_text(r->session.basis, "review");

	for (size_t i = 0; i < r->seat_count; i++)
		good = good && (r->seats[i].follows.n == 0) == first;
	return good;
}

static enum err
session_times(const struct request_session *s, int64_t now, struct right *out)
{
	int64_t age;

	out->exam_day = date_shanghai(s->practical_at);
	age = date_shanghai(now) - out->exam_day;
	if (s->practical_at < s->theory_at ||
	        out->exam_day - date_shanghai(s->theory_at) > OLD_DAYS)
		return ERR_EXAM_ORDER;
	if (s->practical_at > now)
		return ERR_EXAM_FUTURE;
	if (age > OLD_DAYS)
		return ERR_EXAM_TOO_OLD;
	out->late = age > LATE_DAYS;
	out->officials = out->late ? 1 : 0;
	return ERR_OK;
}

static enum err
session_right(const struct unit *u, int64_t now, struct right *out)
{
	const struct request_session *s = &u->r.session;
	const struct operator* by = u->by;
	enum err e;

	if (by->role != ROLE_CENTER)
		return ERR_ROLE;
	if (!bytes_equal(s->center, by->code))
		return ERR_CENTER;
	if (!entitled(s->region, by->regions, by->region_count))
		return ERR_SCOPE_REGION;
	if ((out->item = field_item(u->a->field, s->item)) == NULL)
		return ERR_ITEM_UNKNOWN;
	if (!entitled(s->item, by->items, by->item_count) || !local_to(out->item, s->region))
		return ERR_SCOPE_ITEM;
	if (!seats_good(&u->r))
		return ERR_SEATS;
	if (!basis_good(&u->r))
		return ERR_BASIS;
	if (s->examiners[0].n == 0 || s->examiners[1].n == 0 ||
	        bytes_equal(s->examiners[0], s->examiners[1]))
		return ERR_EXAMINERS;
	if ((e = session_times(s, now, out)) != ERR_OK)
		return e;
	out->policy = field_policy(u->a->field, out->item, out->exam_day);
	if (out->policy == NULL)
		return ERR_POLICY_NONE;
	/* where the law knows no review, none can be passed */
	return bytes_equal_text(s->basis, "review") && out->policy->review_years == 0 ? ERR_BASIS
	                                                                              : ERR_OK;
}

static bool
ground_of_type(const struct field_ground *g, enum request_type t)
{
	if (t == REQUEST_SUSPEND)
		return g->kind == GROUND_SUSPEND;
	/* renewal and review replace through a session */
	if (t == REQUEST_REPLACE)
		return g->kind == GROUND_SUPERSEDE && !bytes_equal_text(g->code, "X01") &&
		       !bytes_equal_text(g->code, "X04");
	return g->kind == GROUND_REVOKE || g->kind == GROUND_WITHDRAW || g->kind == GROUND_CANCEL ||
	       g->kind == GROUND_VOID || (g->kind == GROUND_LAPSE && g->officials > 0);
}

/* Only a change of data (X03) changes data. */
static bool
changes_good(const struct request *r)
{
	const struct request_seat *c = &r->changes;

	return bytes_equal_text(r->ground, "X03") ||
	       (c->name.p == NULL && c->sex.p == NULL && c->doc_type.p == NULL &&
	               c->photo_sha256.p == NULL);
}

/* With a ground: it is one of the type, and the dates agree with its effect. */
static enum err
ground_right(const struct unit *u, struct right *out)
{
	const struct request *r = &u->r;
	int64_t asked = date_shanghai(r->iat);
	const struct field_ground *g = field_ground(u->a->field, r->ground);

	if (g == NULL || !ground_of_type(g, r->type))
		return ERR_GROUND;
	out->ground = g;
	if (g->effect == EFFECT_EX_NUNC && r->effective_at < r->decided_at)
		return ERR_DATES;
	if (g->effect == EFFECT_EX_TUNC && r->effective_at > r->decided_at)
		return ERR_DATES;
	if (r->type == REQUEST_SUSPEND &&
	        (r->until < asked || r->until < r->effective_at || r->until > asked + HOLD_DAYS))
		return ERR_DATES;
	if (r->type == REQUEST_REPLACE && !changes_good(r))
		return ERR_CHANGES;
	if (r->type != REQUEST_SUSPEND && g->officials > out->officials)
		out->officials = g->officials;
	out->confirms = g->officials;
	return ERR_OK;
}

static enum err
order_right(const struct unit *u, struct right *out)
{
	static const int officials[] = {[REQUEST_REVOKE] = 2,
	        [REQUEST_SUSPEND] = 1,
	        [REQUEST_REINSTATE] = 2,
	        [REQUEST_REPLACE] = 1,
	        [REQUEST_STOP] = 1,
	        [REQUEST_RESUME] = 2,
	        [REQUEST_WITHDRAW] = 0};
	const struct request *r = &u->r;
	bool grounded = r->type == REQUEST_REVOKE || r->type == REQUEST_SUSPEND ||
	                r->type == REQUEST_REPLACE;
	int64_t first = date_from_civil(2000, 1, 1);
	enum err e;

	out->officials = officials[r->type];
	if (r->type == REQUEST_WITHDRAW)
		return ERR_OK;
	if (u->by->role != ROLE_OFFICIAL && r->type != REQUEST_REPLACE)
		return ERR_ROLE;
	if (grounded && (e = ground_right(u, out)) != ERR_OK)
		return e;
	if (r->decided_at < first || r->effective_at < first ||
	        r->decided_at > date_shanghai(r->iat))
		return ERR_DATES;
	out->many = u->names.n / 16 > A_THOUSAND;
	if (out->many) {
		out->confirms++;
		/* one official alone starts a hundred holds: so many begin confirmed */
		out->officials = r->type == REQUEST_SUSPEND ? out->confirms : out->officials + 1;
	}
	return ERR_OK;
}

static enum err
times_right(const struct request *r, int64_t now)
{
	int64_t life = r->type == REQUEST_ISSUE ? A_DAY : 7 * A_DAY;

	if (r->iat > now + AHEAD_S)
		return ERR_TIME_AHEAD;
	if (r->exp <= now)
		return ERR_REQUEST_EXPIRED;
	return r->exp <= r->iat || r->exp > r->iat + life ? ERR_LIFETIME : ERR_OK;
}

void
right_of(const struct unit *u, int64_t now, struct right *out)
{
	memset(out, 0, sizeof *out);
	if ((out->fault = times_right(&u->r, now)) != ERR_OK)
		return;
	out->fault = u->r.type == REQUEST_ISSUE ? session_right(u, now, out) : order_right(u, out);
}

/* ---- seats ---- */

static bool
blank(struct bytes v)
{
	return bytes_equal_text(v, " ") || bytes_equal_text(v, "\xc2\xa0") ||
	       bytes_equal_text(v, "\xe3\x80\x80");
}

static struct bytes
head_of(struct bytes v, size_t n)
{
	return bytes_of(v.p, n < v.n ? n : v.n);
}

static struct bytes
tail_of(struct bytes v, size_t n)
{
	return bytes_skip(v, n < v.n ? v.n - n : 0);
}

static bool
name_good(struct bytes v)
{
	size_t points = 0;

	if (!utf8_valid(v, &points) || points == 0 || points > NAME_POINTS_MAX)
		return false;
	for (size_t n = 1; n <= 3; n++)
		if (blank(head_of(v, n)) || blank(tail_of(v, n)))
			return false;
	for (size_t i = 0; i < v.n; i++) {
		uint8_t c = v.p[i];

		if (c < 0x20 || c == 0x7f || (c == 0xc2 && v.p[i + 1] < 0xa0))
			return false;
	}
	return true;
}

/* Tenths of a score, or -1. */
static long
tenths(double score)
{
	long n;

	if (!isfinite(score) || score < -1 || score > 101)
		return -1;
	n = lround(score * 10);
	return n < 0 || n > 1000 || fabs(score * 10 - (double)n) > 1e-6 ? -1 : n;
}

static bool
hex64(struct bytes v)
{
	uint8_t out[SHA256_BYTES];

	return hex_decode(v, out, sizeof out) == ERR_OK;
}

/* Whatever becomes of a seat, its number has been met. */
static bool
stood_before(struct audit_map *met, const struct document *d)
{
	uint64_t *at = audit_map_at(met,
	        audit_key2(bytes_of_text(d->number), (int64_t)be_get((const uint8_t *)d->type, 2)));

	return (*at)++ != 0;
}

enum outcome
right_seat(const struct request_seat *s, const struct right *right, struct audit_map *met)
{
	long theory = tenths(s->theory), practical = tenths(s->practical);
	struct document d;
	enum err e = document_check(s->doc_type, s->doc_number, &d);
	bool before = e == ERR_OK && stood_before(met, &d);

	if (!name_good(s->name))
		return OUTCOME_NAME;
	if (s->sex.n != 0 && !bytes_equal_text(s->sex, "M") && !bytes_equal_text(s->sex, "F"))
		return OUTCOME_SEX;
	if (e != ERR_OK)
		return e == ERR_TYPE_UNKNOWN ? OUTCOME_DOC_TYPE : OUTCOME_DOC_NUMBER;
	if (d.has_birth && date_age(d.birth, right->exam_day) < right->policy->age_min)
		return OUTCOME_AGE;
	if (before)
		return OUTCOME_DUPLICATE;
	if (!hex64(s->photo_sha256) || !hex64(s->evidence_sha256))
		return OUTCOME_DIGEST;
	if (theory < 0 || practical < 0)
		return OUTCOME_SCORE_RANGE;
	if (theory < right->policy->pass_tenths || practical < right->policy->pass_tenths)
		return OUTCOME_SCORE_PASS;
	return OUTCOME_ISSUED;
}
