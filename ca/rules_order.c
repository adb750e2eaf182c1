/* rules_order.c - may this order be executed: who sends it, on which ground, from when, and how
 * many officials it takes. A number that is missing means: refuse. */
#include "rules.h"

#include "date.h"

#include <string.h>

enum { OFFICIALS_NEVER = 1000, HOLD_DAYS_MAX = 30 };

/* Grounds by their code in ca/data/revocation_grounds.csv that rules look at. */
#define GROUND_RENEWAL "X01"
#define GROUND_REVIEW "X04"
#define GROUND_CHANGE "X03"

/* What each type of DESIGN.md section 4 needs of its sender and its ground. */
struct order_rule {
	bool official; /* sent by an official */
	bool ground;   /* names a ground */
	bool serials;  /* names certificates */
	int officials; /* in all, the sender included; the roster's table and the ground may ask
	                  more */
};

static const struct order_rule *
rule_of(enum request_type t)
{
	static const struct order_rule rules[] = {
	        [REQUEST_REVOKE] = {true, true, true, 2},
	        [REQUEST_SUSPEND] = {true, true, true, 1},
	        [REQUEST_REINSTATE] = {true, false, true, 2},
	        [REQUEST_REPLACE] = {false, true, true, 1},
	        [REQUEST_STOP] = {true, false, false, 1},
	        [REQUEST_RESUME] = {true, false, false, 2},
	        [REQUEST_WITHDRAW] = {false, false, false, 0},
	};

	if ((size_t)t >= sizeof rules / sizeof rules[0] || t == REQUEST_ISSUE)
		return NULL;
	return &rules[t];
}

/* Grounds that make a certificate INVALID, hold it, or replace it. What lapses by its dates alone
 * takes no official, and no order. Renewal and review replace through a session. */
static bool
ground_fits(const struct field_ground *g, enum request_type t)
{
	if (t == REQUEST_SUSPEND)
		return g->kind == GROUND_SUSPEND;
	if (t == REQUEST_REPLACE)
		return g->kind == GROUND_SUPERSEDE && !bytes_equal_text(g->code, GROUND_RENEWAL) &&
		       !bytes_equal_text(g->code, GROUND_REVIEW);
	return g->kind == GROUND_REVOKE || g->kind == GROUND_WITHDRAW || g->kind == GROUND_CANCEL ||
	       g->kind == GROUND_VOID || (g->kind == GROUND_LAPSE && g->officials > 0);
}

/* Only a change of data changes data: what is lost or renamed comes again as it was. */
static bool
changes_valid(const struct request *r, const struct field_ground *g)
{
	const struct request_seat *c = &r->changes;

	return bytes_equal_text(g->code, GROUND_CHANGE) ||
	       (c->name.p == NULL && c->sex.p == NULL && c->doc_type.p == NULL &&
	               c->photo_sha256.p == NULL);
}

/* A decision lies in the past of who signs it, and nothing of ours before the year 2000. */
static bool
decision_valid(const struct request *r)
{
	int64_t first = date_from_civil(2000, 1, 1);

	return r->decided_at >= first && r->effective_at >= first &&
	       r->decided_at <= date_shanghai(r->iat);
}

/* From now on: not before the decision. From the beginning: not after it. */
static bool
effect_valid(const struct request *r, const struct field_ground *g)
{
	if (g->effect == EFFECT_EX_NUNC)
		return r->effective_at >= r->decided_at;
	if (g->effect == EFFECT_EX_TUNC)
		return r->effective_at <= r->decided_at;
	return true;
}

/* A hold is short: at most 30 days from the day on which it was asked for, and it has begun before
 * it ends. */
static bool
until_valid(const struct request *r)
{
	int64_t asked = date_shanghai(r->iat);

	return r->until >= asked && r->until >= r->effective_at &&
	       r->until <= asked + HOLD_DAYS_MAX;
}

/* clang-format off */
enum err
rules_order_check(const struct request *r, const struct operator *sender, const struct field *f,
        const struct field_ground **ground)
/* clang-format on */
{
	const struct order_rule *rule = rule_of(r->type);
	const struct field_ground *g = NULL;

	if (rule == NULL)
		return ERR_TYPE_UNKNOWN;
	if (rule->official && sender->role != ROLE_OFFICIAL)
		return ERR_ROLE;
	if (rule->ground) {
		g = field_ground(f, r->ground);
		if (g == NULL || !ground_fits(g, r->type))
			return ERR_GROUND;
		if (!effect_valid(r, g) || (r->type == REQUEST_SUSPEND && !until_valid(r)))
			return ERR_DATES;
		if (r->type == REQUEST_REPLACE && !changes_valid(r, g))
			return ERR_CHANGES;
	}
	if (r->type != REQUEST_WITHDRAW && !decision_valid(r))
		return ERR_DATES;
	if (rule->serials && !r->selects &&
	        (r->serial_count < 1 || r->serial_count > REQUEST_SERIALS_MAX))
		return ERR_VALUE;
	*ground = g;
	return ERR_OK;
}

int
rules_officials_needed(
        const struct request *r, const struct roster *roster, const struct field *f, bool late)
{
	const struct order_rule *rule = rule_of(r->type);
	const struct field_ground *g;
	int needed;

	if (r->type == REQUEST_ISSUE)
		return roster_officials(roster, r->type, late);
	if (rule == NULL)
		return OFFICIALS_NEVER;
	if (r->type == REQUEST_WITHDRAW)
		return 0;
	needed = roster_officials(roster, r->type, late);
	if (needed < rule->officials)
		needed = rule->officials;
	/* the ground of a hold says what confirms it, not what starts it */
	if (!rule->ground || r->type == REQUEST_SUSPEND)
		return needed;
	g = field_ground(f, r->ground);
	if (g == NULL)
		return OFFICIALS_NEVER;
	return needed > g->officials ? needed : g->officials;
}

/* clang-format off */
static bool
same_person_or_key(const struct operator *a, const struct operator *b)
/* clang-format on */
{
	return bytes_equal(a->person, b->person) ||
	       bytes_equal(key_thumb(a->key), key_thumb(b->key));
}

/* clang-format off */
enum err
rules_approval_check(const struct approval *a, const struct operator *by,
        const struct rules_approved *what, int64_t now)
/* clang-format on */
{
	enum err e;

	if (by->role != ROLE_OFFICIAL)
		return ERR_ROLE;
	if (now < by->not_before || now >= by->not_after)
		return ERR_KEY_EXPIRED;
	/* requests that name their serials have no frozen list, so nobody can have signed one */
	if (memcmp(a->request, what->request, SHA256_BYTES) != 0 ||
	        a->has_list != (what->list_sha256 != NULL))
		return ERR_APPROVAL_OTHER;
	if (a->has_list && memcmp(a->list_sha256, what->list_sha256, SHA256_BYTES) != 0)
		return ERR_APPROVAL_OTHER;
	if ((e = request_times_check(a->iat, a->exp, ORDER_LIFETIME_S_MAX, now)) != ERR_OK)
		return e;
	if (!a->approve)
		return ERR_APPROVAL_REJECT;
	if (same_person_or_key(by, what->sender))
		return ERR_APPROVAL_PERSON;
	for (size_t i = 0; i < what->other_count; i++)
		if (same_person_or_key(by, what->others[i]))
			return ERR_APPROVAL_PERSON;
	return ERR_OK;
}
