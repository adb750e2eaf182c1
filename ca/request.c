/* request.c - payloads of requests, approvals and query tokens: every member is known, typed and
 * bounded before any rule looks at it. Views of the result live in its JSON. */
#include "request.h"

#include "date.h"
#include "request_read.h"

#include <stdlib.h>
#include <string.h>

/* The last second of the year 9999: later times have no date. */
static const uint64_t time_s_max = 253402300799;

struct type_row {
	const char *word;
	bool served;
};

static const struct type_row types[] = {
        [REQUEST_ISSUE] = {"issue", true},
        [REQUEST_REVOKE] = {"revoke", true},
        [REQUEST_SUSPEND] = {"suspend", true},
        [REQUEST_REINSTATE] = {"reinstate", true},
        [REQUEST_REPLACE] = {"replace", true},
        [REQUEST_STOP] = {"stop", true},
        [REQUEST_RESUME] = {"resume", true},
        [REQUEST_WITHDRAW] = {"withdraw", true},
};

const char *
request_type_word(enum request_type t)
{
	return types[t].word;
}

/* Text that people read and logs may show: within length, without control characters (C0, DEL, C1).
 */
bool
request_text_valid(struct bytes v, size_t min)
{
	if (v.n < min || v.n > TEXT_BYTES_MAX)
		return false;
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] < 0x20 || v.p[i] == 0x7f)
			return false;
		if (v.p[i] == 0xc2 && i + 1 < v.n && v.p[i + 1] < 0xa0)
			return false;
	}
	return true;
}

static bool
digits_valid(struct bytes v, size_t n)
{
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] < '0' || v.p[i] > '9')
			return false;
	return v.n == n;
}

static bool
jti_valid(struct bytes v)
{
	if (v.n < JTI_BYTES_MIN || v.n > JTI_BYTES_MAX)
		return false;
	for (size_t i = 0; i < v.n; i++) {
		uint8_t c = v.p[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z') &&
		        c != '_' && c != '-')
			return false;
	}
	return true;
}

static enum err
times_store(uint64_t iat, uint64_t exp, int64_t *iat_out, int64_t *exp_out)
{
	if (iat > time_s_max || exp > time_s_max)
		return ERR_FIELD_INVALID;
	*iat_out = (int64_t)iat;
	*exp_out = (int64_t)exp;
	return ERR_OK;
}

static enum err
digest_read(struct bytes text, uint8_t out[SHA256_BYTES])
{
	return hex_decode(text, out, SHA256_BYTES) == ERR_OK ? ERR_OK : ERR_FIELD_INVALID;
}

enum err
request_day_read(struct bytes text, int64_t *out)
{
	return date_decode(text, out) == ERR_OK ? ERR_OK : ERR_FIELD_INVALID;
}

static enum err
moment_read(struct bytes text, int64_t *out)
{
	return time_decode(text, out) == ERR_OK ? ERR_OK : ERR_FIELD_INVALID;
}

static enum err
examiners_read(const json_t *array, struct bytes out[2])
{
	if (json_array_size(array) != 2)
		return ERR_EXAMINERS;
	for (size_t i = 0; i < 2; i++) {
		const json_t *v = json_array_get(array, i);

		if (!json_is_string(v))
			return ERR_FIELD_INVALID;
		out[i] = bytes_of(json_string_value(v), json_string_length(v));
		if (!request_text_valid(out[i], 1))
			return ERR_FIELD_INVALID;
	}
	return ERR_OK;
}

static enum err
session_read(const json_t *json, struct request_session *s)
{
	struct bytes theory, practical, paper, recording;
	json_t *examiners = NULL;
	const struct json_member members[] = {
	        {"id", 's', &s->id},
	        {"center", 's', &s->center},
	        {"region", 's', &s->region},
	        {"item", 's', &s->item},
	        {"basis", 'S', &s->basis},
	        {"theory_at", 's', &theory},
	        {"practical_at", 's', &practical},
	        {"paper_sha256", 's', &paper},
	        {"recording_sha256", 's', &recording},
	        {"examiners", 'a', &examiners},
	};
	enum err e = ERR_OK;

	s->basis = BYTES_LIT("initial");
	if ((e = JSON_MEMBERS(json, members)) != ERR_OK)
		return e;
	if (!request_text_valid(s->id, 1) || !request_text_valid(s->center, 1) ||
	        !digits_valid(s->region, 6) || !request_text_valid(s->item, 1) ||
	        !request_text_valid(s->basis, 1))
		return ERR_FIELD_INVALID;
	if ((e = moment_read(theory, &s->theory_at)) != ERR_OK ||
	        (e = moment_read(practical, &s->practical_at)) != ERR_OK ||
	        (e = digest_read(paper, s->paper_sha256)) != ERR_OK ||
	        (e = digest_read(recording, s->recording_sha256)) != ERR_OK)
		return e;
	return examiners_read(examiners, s->examiners);
}

static enum err
seat_read(const json_t *json, struct request_seat *s)
{
	uint64_t number = 0;
	uint8_t follows[16];
	const struct json_member members[] = {
	        {"seat", 'i', &number},
	        {"name", 's', &s->name},
	        {"sex", 's', &s->sex},
	        {"doc_type", 's', &s->doc_type},
	        {"doc_number", 's', &s->doc_number},
	        {"theory", 'n', &s->theory},
	        {"practical", 'n', &s->practical},
	        {"photo_sha256", 's', &s->photo_sha256},
	        {"evidence_sha256", 's', &s->evidence_sha256},
	        {"follows", 'S', &s->follows},
	};
	enum err e = JSON_MEMBERS(json, members);

	if (e != ERR_OK)
		return e;
	if (number < 1 || number > REQUEST_SEATS_MAX)
		return ERR_SEATS;
	s->seat = (unsigned)number;
	if (s->follows.p != NULL && hex_decode(s->follows, follows, sizeof follows) != ERR_OK)
		return ERR_FIELD_INVALID;
	return ERR_OK;
}

static enum err
seats_read(const json_t *array, struct request *r)
{
	size_t count = json_array_size(array);
	enum err e = ERR_OK;

	if (count < 1 || count > REQUEST_SEATS_MAX)
		return ERR_SEATS;
	r->seats = calloc(count, sizeof *r->seats);
	if (r->seats == NULL)
		return ERR_MEMORY;
	r->seat_count = count;
	for (size_t i = 0; i < count; i++)
		if ((e = seat_read(json_array_get(array, i), &r->seats[i])) != ERR_OK)
			return e;
	return ERR_OK;
}

enum err
request_common_check(struct request *r, uint64_t iat, uint64_t exp)
{
	if (!jti_valid(r->jti))
		return ERR_JTI_INVALID;
	return times_store(iat, exp, &r->iat, &r->exp);
}

static enum err
issue_read(struct request *r)
{
	struct bytes type;
	uint64_t iat = 0, exp = 0;
	json_t *session = NULL, *results = NULL;
	const struct json_member members[] = {
	        {"type", 's', &type},
	        {"jti", 's', &r->jti},
	        {"iat", 'i', &iat},
	        {"exp", 'i', &exp},
	        {"session", 'o', &session},
	        {"results", 'a', &results},
	};
	enum err e = ERR_OK;

	if ((e = JSON_MEMBERS(r->json, members)) != ERR_OK ||
	        (e = request_common_check(r, iat, exp)) != ERR_OK ||
	        (e = session_read(session, &r->session)) != ERR_OK)
		return e;
	return seats_read(results, r);
}

static enum err
type_read(const json_t *json, enum request_type *out)
{
	const json_t *v = json_object_get(json, "type");

	if (!json_is_object(json))
		return ERR_FIELD_INVALID;
	if (v == NULL)
		return ERR_FIELD_MISSING;
	if (!json_is_string(v))
		return ERR_FIELD_INVALID;
	for (unsigned t = REQUEST_ISSUE; t <= REQUEST_WITHDRAW; t++)
		if (types[t].served && strcmp(types[t].word, json_string_value(v)) == 0) {
			*out = (enum request_type)t;
			return ERR_OK;
		}
	return ERR_TYPE_UNKNOWN;
}

/* Payload text to JSON. The decoded bytes are not kept: views point into the JSON. */
static enum err
payload_read(const struct jws *j, const char *typ, size_t bytes_max, json_t **out)
{
	size_t room = j->payload_text.n / 4 * 3 + 3;
	struct buf b;
	enum err e = ERR_OK;

	if (strcmp(j->typ, typ) != 0)
		return ERR_JWS_INVALID;
	if (room > bytes_max + 5)
		return ERR_LIMIT;
	b = buf_init(malloc(room), room);
	if (b.p == NULL)
		return ERR_MEMORY;
	if ((e = jws_payload(j, &b)) == ERR_OK)
		e = json_read(buf_bytes(&b), bytes_max, out);
	free(b.p);
	return e;
}

enum err
request_decode(const struct jws *j, struct request *out)
{
	struct request r;
	enum err e = ERR_OK;

	memset(&r, 0, sizeof r);
	if ((e = payload_read(j, REQUEST_TYP, REQUEST_BYTES_MAX, &r.json)) != ERR_OK)
		return e;
	if ((e = type_read(r.json, &r.type)) == ERR_OK)
		e = r.type == REQUEST_ISSUE ? issue_read(&r) : request_order_read(&r);
	if (e != ERR_OK) {
		request_free(&r);
		return e;
	}
	*out = r;
	return ERR_OK;
}

void
request_free(struct request *r)
{
	free(r->seats);
	free(r->serials);
	free(r->sorted);
	json_decref(r->json);
	memset(r, 0, sizeof *r);
}

static enum err
approval_read(const json_t *json, struct approval *a)
{
	struct bytes request, jti, decision, list = {NULL, 0}, reason = {NULL, 0};
	uint64_t iat = 0, exp = 0;
	const struct json_member members[] = {
	        {"request", 's', &request},
	        {"list_sha256", 'S', &list},
	        {"jti", 's', &jti},
	        {"iat", 'i', &iat},
	        {"exp", 'i', &exp},
	        {"decision", 's', &decision},
	        {"reason", 'S', &reason},
	};
	enum err e = JSON_MEMBERS(json, members);

	if (e != ERR_OK)
		return e;
	if (!jti_valid(jti))
		return ERR_JTI_INVALID;
	memcpy(a->jti, jti.p, jti.n);
	a->approve = bytes_equal_text(decision, "approve");
	a->has_list = list.p != NULL;
	if ((!a->approve && !bytes_equal_text(decision, "reject")) ||
	        !request_text_valid(reason, 0))
		return ERR_FIELD_INVALID;
	if ((e = times_store(iat, exp, &a->iat, &a->exp)) != ERR_OK ||
	        (e = digest_read(request, a->request)) != ERR_OK)
		return e;
	return a->has_list ? digest_read(list, a->list_sha256) : ERR_OK;
}

enum err
approval_decode(const struct jws *j, struct approval *out)
{
	struct approval a;
	json_t *json = NULL;
	enum err e = payload_read(j, APPROVAL_TYP, APPROVAL_BYTES_MAX, &json);

	if (e != ERR_OK)
		return e;
	memset(&a, 0, sizeof a);
	e = approval_read(json, &a);
	json_decref(json);
	if (e == ERR_OK)
		*out = a;
	return e;
}

static enum err
query_read(const json_t *json, struct query *q)
{
	struct bytes aud, document = {NULL, 0}, type = {NULL, 0};
	uint64_t iat = 0, exp = 0;
	const struct json_member members[] = {
	        {"aud", 's', &aud},
	        {"iat", 'i', &iat},
	        {"exp", 'i', &exp},
	        {"document", 'S', &document},
	        {"type", 'S', &type},
	};
	enum err e = JSON_MEMBERS(json, members);

	if (e != ERR_OK)
		return e;
	if (!bytes_start(aud, "/") || aud.n >= sizeof q->aud || !request_text_valid(aud, 1) ||
	        (document.p == NULL) != (type.p == NULL))
		return ERR_FIELD_INVALID;
	memcpy(q->aud, aud.p, aud.n);
	if (document.p != NULL) {
		if (document.n >= sizeof q->document || !request_text_valid(document, 1) ||
		        !digits_valid(type, 2))
			return ERR_FIELD_INVALID;
		memcpy(q->document, document.p, document.n);
		memcpy(q->type, type.p, type.n);
	}
	return times_store(iat, exp, &q->iat, &q->exp);
}

enum err
query_decode(const struct jws *j, struct query *out)
{
	struct query q;
	json_t *json = NULL;
	enum err e = payload_read(j, QUERY_TYP, APPROVAL_BYTES_MAX, &json);

	if (e != ERR_OK)
		return e;
	memset(&q, 0, sizeof q);
	e = query_read(json, &q);
	json_decref(json);
	if (e == ERR_OK)
		*out = q;
	return e;
}

enum err
request_times_check(int64_t iat, int64_t exp, int64_t lifetime_s_max, int64_t now)
{
	if (iat - now > IAT_AHEAD_S_MAX)
		return ERR_TIME_AHEAD;
	if (exp <= now)
		return ERR_REQUEST_EXPIRED;
	if (exp <= iat || exp - iat > lifetime_s_max)
		return ERR_LIFETIME;
	return ERR_OK;
}
