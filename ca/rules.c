/* rules.c - the rules of the field. Each refusal is one rule; of several faults the first of the
 * table is the answer, so that every run and every process says the same. */
#include "rules.h"

#include "cbor.h"
#include "date.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum {
	SEAT_NUMBER_MAX = 99999,
	SCORE_TENTHS_MAX = 1000,
	OFFICIALS_NEVER = 1000,    /* more than any request can carry */
	OFFICIALS_MIN_INVALID = 2, /* DESIGN.md section 4: nobody revokes alone */
};

/* FORMATS.md section 3: how far a score may lie from a tenth. */
static const double score_slack = 1e-6;

struct outcome_row {
	const char *word, *en, *zh;
};

static const struct outcome_row outcomes[] = {
#define X(id, word, en, zh) [id] = {word, en, zh},
        OUTCOME_LIST(X)
#undef X
};

static const struct outcome_row *
outcome_of(enum outcome o)
{
	assert((unsigned)o < OUTCOME_COUNT);
	return &outcomes[o];
}

const char *
outcome_word(enum outcome o)
{
	return outcome_of(o)->word;
}

const char *
outcome_en(enum outcome o)
{
	return outcome_of(o)->en;
}

const char *
outcome_zh(enum outcome o)
{
	return outcome_of(o)->zh;
}

/* ---- the session ---- */

static bool
all_digits(struct bytes v, size_t n)
{
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] < '0' || v.p[i] > '9')
			return false;
	return v.n == n;
}

/* Scope: 6-digit codes that begin with one of the prefixes. An empty prefix entitles to nothing. */
static bool
in_scope(struct bytes code, const struct bytes *prefixes, size_t count)
{
	if (!all_digits(code, 6))
		return false;
	for (size_t i = 0; i < count; i++)
		if (prefixes[i].n != 0 && prefixes[i].n <= code.n &&
		        memcmp(prefixes[i].p, code.p, prefixes[i].n) == 0)
			return true;
	return false;
}

/* A local item is examined only in its region: 110000 and all that lies in it, 110101 for one. */
static bool
item_served_in(const struct field_item *item, struct bytes region)
{
	size_t n = item->scope.n;

	if (bytes_equal_text(item->scope, "CN"))
		return true;
	while (n > 2 && item->scope.p[n - 1] == '0' && item->scope.p[n - 2] == '0')
		n -= 2;
	return region.n >= n && memcmp(region.p, item->scope.p, n) == 0;
}

/* the formatter takes "operator" for the word of C++ */
/* clang-format off */
static enum err
scope_check(const struct request_session *s, const struct operator *sender, const struct field *f,
        const struct field_item **item)
/* clang-format on */
{
	const struct field_item *m = field_item(f, s->item);

	if (sender->role != ROLE_CENTER)
		return ERR_ROLE;
	if (!bytes_equal(s->center, sender->code))
		return ERR_CENTER;
	if (!in_scope(s->region, sender->regions, sender->region_count))
		return ERR_SCOPE_REGION;
	if (m == NULL)
		return ERR_ITEM_UNKNOWN;
	if (!in_scope(s->item, sender->items, sender->item_count) || !item_served_in(m, s->region))
		return ERR_SCOPE_ITEM;
	*item = m;
	return ERR_OK;
}

/* A year, lateness and the policy go by days in Shanghai; the order of the two parts by the moment.
 */
static enum err
times_check(const struct request_session *s, int64_t now, struct rules_session *out)
{
	int64_t theory_day = date_shanghai(s->theory_at);
	int64_t age;

	out->exam_day = date_shanghai(s->practical_at);
	age = date_shanghai(now) - out->exam_day;
	if (s->practical_at < s->theory_at || out->exam_day - theory_day > EXAM_OLD_DAYS)
		return ERR_EXAM_ORDER;
	if (s->practical_at > now)
		return ERR_EXAM_FUTURE;
	if (age > EXAM_OLD_DAYS)
		return ERR_EXAM_TOO_OLD;
	out->late = age > EXAM_LATE_DAYS;
	return ERR_OK;
}

/* Each seat number once, in any order. */
static enum err
seats_check(const struct request *r)
{
	uint8_t seen[SEAT_NUMBER_MAX / 8 + 1] = {0};

	if (r->seat_count < 1 || r->seat_count > REQUEST_SEATS_MAX)
		return ERR_SEATS;
	for (size_t i = 0; i < r->seat_count; i++) {
		unsigned seat = r->seats[i].seat;
		uint8_t bit = (uint8_t)(1u << (seat % 8));

		if (seat < 1 || seat > SEAT_NUMBER_MAX || (seen[seat / 8] & bit) != 0)
			return ERR_SEATS;
		seen[seat / 8] |= bit;
	}
	return ERR_OK;
}

/* A first certificate follows none; renewal and review follow one at each seat. */
static enum err
basis_check(const struct request *r, enum basis *out)
{
	static const char *const words[] = {"initial", "renewal", "review"};
	enum basis basis = BASIS_INITIAL;

	while (basis <= BASIS_REVIEW && !bytes_equal_text(r->session.basis, words[basis]))
		basis++;
	if (basis > BASIS_REVIEW)
		return ERR_BASIS;
	for (size_t i = 0; i < r->seat_count; i++)
		if ((r->seats[i].follows.n != 0) != (basis != BASIS_INITIAL))
			return ERR_BASIS;
	*out = basis;
	return ERR_OK;
}

/* clang-format off */
enum err
rules_session_check(const struct request *r, const struct operator *sender, const struct field *f,
        int64_t now, struct rules_session *out)
/* clang-format on */
{
	const struct request_session *s = &r->session;
	struct rules_session session;
	enum err e;

	if (r->type != REQUEST_ISSUE)
		return ERR_TYPE_UNKNOWN;
	if ((e = scope_check(s, sender, f, &session.item)) != ERR_OK ||
	        (e = seats_check(r)) != ERR_OK || (e = basis_check(r, &session.basis)) != ERR_OK)
		return e;
	if (s->examiners[0].n == 0 || s->examiners[1].n == 0 ||
	        bytes_equal(s->examiners[0], s->examiners[1]))
		return ERR_EXAMINERS;
	if ((e = times_check(s, now, &session)) != ERR_OK)
		return e;
	session.policy = field_policy(f, session.item, session.exam_day);
	if (session.policy == NULL)
		return ERR_POLICY_NONE;
	/* where the law knows no review, none can be passed */
	if (session.basis == BASIS_REVIEW && session.policy->review_years == 0)
		return ERR_BASIS;
	*out = session;
	return ERR_OK;
}

/* ---- one seat ---- */

/* Bytes of the blank at the beginning of v: space, U+00A0, U+3000; 0 where there is none. */
static size_t
blank_at(struct bytes v)
{
	if (bytes_start(v, " "))
		return 1;
	if (bytes_start(v, "\xc2\xa0"))
		return 2;
	return bytes_start(v, "\xe3\x80\x80") ? 3 : 0;
}

static bool
ends_blank(struct bytes v)
{
	for (size_t n = 1; n <= 3 && n <= v.n; n++)
		if (blank_at(bytes_skip(v, v.n - n)) == n)
			return true;
	return false;
}

/* FORMATS.md section 2: 1 to 64 code points, no control characters; blanks around it are no part of
 * a name. */
static bool
name_valid(struct bytes v)
{
	size_t points = 0;

	if (!utf8_valid(v, &points) || points < 1 || points > NAME_POINTS_MAX)
		return false;
	if (blank_at(v) != 0 || ends_blank(v))
		return false;
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] < 0x20 || v.p[i] == 0x7f)
			return false;
		if (v.p[i] == 0xc2 && v.p[i + 1] < 0xa0) /* C1; valid UTF-8 has a next byte */
			return false;
	}
	return true;
}

static bool
sex_read(struct bytes v, int *sex)
{
	*sex = bytes_equal_text(v, "M") ? 1 : bytes_equal_text(v, "F") ? 2 : 0;
	return *sex != 0 || v.n == 0;
}

/* FNV-1a, 64 bits; never 0, which marks a seat without a valid number. */
static uint64_t
document_hash(const struct document *d)
{
	uint64_t h = 14695981039346656037u;

	for (const char *p = d->type; *p != '\0'; p++)
		h = (h ^ (uint8_t)*p) * 1099511628211u;
	for (const char *p = d->number; *p != '\0'; p++)
		h = (h ^ (uint8_t)*p) * 1099511628211u;
	return h == 0 ? 1 : h;
}

/* The hash finds candidates, the documents themselves decide. */
static bool
seen_before(const struct request *r, size_t index, const uint64_t *hashes, const struct document *d)
{
	for (size_t i = 0; i < index; i++) {
		const struct request_seat *s = &r->seats[i];
		struct document other;

		if (hashes[i] == hashes[index] &&
		        document_check(s->doc_type, s->doc_number, &other) == ERR_OK &&
		        strcmp(d->type, other.type) == 0 && strcmp(d->number, other.number) == 0)
			return true;
	}
	return false;
}

/* Where a document holds a birth date, the holder is old enough on the day of the practical
 * examination. */
static bool
age_valid(const struct document *d, const struct rules_session *s)
{
	return !d->has_birth || date_age(d->birth, s->exam_day) >= s->policy->age_min;
}

static bool
score_read(double score, int *tenths)
{
	double rounded;

	/* false for NaN too */
	if (!(score >= -1 && score <= 101))
		return false;
	rounded = round(10 * score);
	if (fabs(10 * score - rounded) > score_slack || rounded < 0 || rounded > SCORE_TENTHS_MAX)
		return false;
	*tenths = (int)rounded;
	return true;
}

static enum outcome
scores_check(const struct request_seat *seat, int pass_tenths)
{
	int theory = 0, practical = 0;

	if (!score_read(seat->theory, &theory) || !score_read(seat->practical, &practical))
		return OUTCOME_SCORE_RANGE;
	if (theory < pass_tenths || practical < pass_tenths)
		return OUTCOME_SCORE_PASS;
	return OUTCOME_ISSUED;
}

enum outcome
rules_seat_check(const struct request *r, size_t index, const struct rules_session *s,
        const struct field *f, uint64_t *hashes, struct rules_seat *out)
{
	const struct request_seat *seat = &r->seats[index];
	uint8_t evidence[SHA256_BYTES];
	struct rules_seat found;
	enum outcome scores;
	enum err document;

	assert(index < r->seat_count);
	memset(&found, 0, sizeof found);
	/* before any refusal: a number counts as seen whatever becomes of its seat */
	document = document_check(seat->doc_type, seat->doc_number, &found.document);
	hashes[index] = document == ERR_OK ? document_hash(&found.document) : 0;
	if (!name_valid(seat->name))
		return OUTCOME_NAME;
	if (!sex_read(seat->sex, &found.sex))
		return OUTCOME_SEX;
	if (document != ERR_OK)
		return document == ERR_TYPE_UNKNOWN ? OUTCOME_DOC_TYPE : OUTCOME_DOC_NUMBER;
	if (!age_valid(&found.document, s))
		return OUTCOME_AGE;
	if (seen_before(r, index, hashes, &found.document))
		return OUTCOME_DUPLICATE;
	if (hex_decode(seat->photo_sha256, found.photo_sha256, SHA256_BYTES) != ERR_OK ||
	        hex_decode(seat->evidence_sha256, evidence, SHA256_BYTES) != ERR_OK)
		return OUTCOME_DIGEST;
	if ((scores = scores_check(seat, s->policy->pass_tenths)) != OUTCOME_ISSUED)
		return scores;
	found.warn_sex =
	        found.document.has_sex && found.sex != 0 && found.sex != found.document.sex;
	found.warn_region = found.document.has_region &&
	                    !field_region_known(f, bytes_of_text(found.document.region));
	*out = found;
	return OUTCOME_ISSUED;
}

enum outcome
rules_holder_check(const struct request_seat *seat, int64_t day, const struct field_policy *policy,
        struct rules_seat *out)
{
	const struct rules_session s = {.policy = policy, .exam_day = day};
	struct rules_seat found;
	enum err document;

	memset(&found, 0, sizeof found);
	if (!name_valid(seat->name))
		return OUTCOME_NAME;
	if (!sex_read(seat->sex, &found.sex))
		return OUTCOME_SEX;
	document = document_check(seat->doc_type, seat->doc_number, &found.document);
	if (document != ERR_OK)
		return document == ERR_TYPE_UNKNOWN ? OUTCOME_DOC_TYPE : OUTCOME_DOC_NUMBER;
	if (!age_valid(&found.document, &s))
		return OUTCOME_AGE;
	if (seat->photo_sha256.n != 0 &&
	        hex_decode(seat->photo_sha256, found.photo_sha256, SHA256_BYTES) != ERR_OK)
		return OUTCOME_DIGEST;
	*out = found;
	return OUTCOME_ISSUED;
}
