#ifndef TESTS_TEST_ZZ_MANY_H
#define TESTS_TEST_ZZ_MANY_H
/* test_zz_many.h - a toy service with as many certificates as a test asks for: it freezes lists,
 * lets orders wait and executes them bit by bit. */
#include "test_zz_world.h"
#include "zz_order.h"

#define CENTER "330106-01"
#define ITEM "030102"
#define DECISION                                                                                   \
	"--ground", "R05", "--decision-no", "浙应急撤〔2026〕7号", "--decided", "2026-10-16",      \
	        "--effective", "2026-10-15"
#define ORDER "--url", w->toy.url, "--key", w->key, DECISION, "--out", out

enum many_lie {
	MANY_TRUTH,
	LIST_HASH,
	LIST_COUNT,
	LIST_ORDER,
	LIST_SHORT,
	RECORD_CENTER,
	RECORD_ITEM,
	RECORD_EARLY,
	RECORD_LATE,
	RECORD_REQUEST,
};

struct many { /* the toy's certificates: number 0, 1, 2 … */
	struct world *w;
	unsigned count, done;
	enum many_lie lie;
	char id[65];
};

static inline void
serial_of(unsigned number, uint8_t serial[16])
{
	memset(serial, 0, 16);
	serial[6] = 0x70;
	serial[8] = 0x80;
	be_put(serial + 12, number, 4);
}

static inline void
many_record(const struct many *m, const uint8_t serial[16], struct buf *out)
{
	uint8_t hash[32];
	struct record r = {.iss = BYTES_LIT("zz.example.gov.cn"),
	        .iat = NOW,
	        .idx = 7,
	        .name = BYTES_LIT("王伟"),
	        .doc_type = BYTES_LIT("01"),
	        .doc_number = BYTES_LIT("33000019850101002X"),
	        .item = BYTES_LIT(ITEM),
	        .policy = BYTES_LIT("SP-30"),
	        .region = BYTES_LIT("330000"),
	        .center = BYTES_LIT(CENTER),
	        .sequence = -1,
	        .review_due = -1,
	        .cti = bytes_of(serial, 16),
	        .request = bytes_of(hash, 32)};

	memset(hash, m->lie == RECORD_REQUEST ? 2 : 1, sizeof hash);
	if (m->lie == RECORD_CENTER)
		r.center = BYTES_LIT("440305-02");
	if (m->lie == RECORD_ITEM)
		r.item = BYTES_LIT("030201");
	r.iat += m->lie == RECORD_EARLY ? -2 : m->lie == RECORD_LATE ? 2 : 0;
	r.first_issued = date_shanghai(r.iat);
	r.nbf = date_shanghai_start(r.first_issued);
	r.exp = date_shanghai_start(date_last_valid(r.first_issued, 6) + 1);
	assert_int_equal(record_sign(&r, m->w->record_key, out), ERR_OK);
}

static inline void
certificate_answer(const struct many *m, const char *hex, struct toy_reply *out)
{
	uint8_t serial[16], room[RECORD_BYTES_MAX];
	char text[2 * RECORD_BYTES_MAX] = {0};
	struct buf record = BUF_OF(room), b = BUF_OF(text);

	assert_int_equal(hex_decode(bytes_of_text(hex), serial, sizeof serial), ERR_OK);
	many_record(m, serial, &record);
	base64url_put(&b, buf_bytes(&record));
	say_json(out, 200,
	        json_pack("{s:s,s:s,s:s}", "serial", hex, "record", text, "status", "valid"));
}

/* count, list_sha256 and list, as the service would freeze them, or not quite. */
static inline void
list_put(const struct many *m, json_t *to)
{
	size_t n = m->count * 16;
	uint8_t *list = malloc(n + 1), hash[SHA256_BYTES];
	char *text = calloc(1, 2 * n + 8), hex[65];
	struct buf b = buf_init(text, 2 * n + 8);

	assert_true(list && text);
	for (unsigned i = 0; i < m->count; i++)
		serial_of(m->lie == LIST_ORDER ? m->count - i : i, list + (size_t)16 * i);
	if (m->lie == LIST_SHORT)
		n--;
	sha256_one(bytes_of(list, n), hash);
	hash[0] ^= m->lie == LIST_HASH;
	hex_encode(bytes_of(hash, sizeof hash), hex);
	base64url_put(&b, bytes_of(list, n));
	json_object_set_new(
	        to, "count", json_integer((json_int_t)m->count + (m->lie == LIST_COUNT)));
	json_object_set_new(to, "list_sha256", json_string(hex));
	json_object_set_new(to, "list", json_string(text));
	free(list);
	free(text);
}

static inline json_t *
executed_json(const struct many *m)
{
	return json_pack("{s:s,s:s,s:i,s:[{s:s,s:i},{s:s,s:i}],s:[{s:s,s:s}]}", "request", m->id,
	        "state", "executed", "count", (int)m->count, "outcomes", "outcome", "revoked",
	        "count", (int)m->count - 1, "outcome", "move_not_allowed", "count", 1,
	        "certificates", "serial", "00000000000070008000000000000003", "outcome",
	        "move_not_allowed");
}

static inline void
state_answer(struct many *m, struct toy_reply *out)
{
	bool executed = !strcmp(m->w->state, "executed"),
	     approved = !strcmp(m->w->state, "approved");
	json_t *o = executed ? executed_json(m) : json_object(), *list = json_array();

	for (size_t i = 0; i < m->w->approval_count; i++)
		json_array_append_new(list, json_string(m->w->approvals[i]));
	json_object_set_new(o, "approvals", list);
	json_object_set_new(o, "state", json_string(m->w->state));
	json_object_set_new(o, "jws", json_string(m->w->order));
	if (strstr(m->w->order, ".") && m->lie != LIST_COUNT)
		json_object_set_new(o, "count", json_integer(m->count));
	list_put(m, o);
	if (approved) {
		m->done += m->count / 3 + 1;
		json_object_set_new(o, "done", json_integer(m->done));
		if (m->done >= m->count)
			snprintf(m->w->state, sizeof m->w->state, "executed");
	}
	say_json(out, 200, o);
}

static inline void
approve_answer(struct many *m, const struct toy_request *in, struct toy_reply *out)
{
	struct world *w = m->w;

	w->approvals[w->approval_count++] = strndup((const char *)in->body.p, in->body.n);
	if (m->count <= ZZ_BULK) {
		snprintf(w->state, sizeof w->state, "executed");
		say_json(out, 200, executed_json(m));
		return;
	}
	snprintf(w->state, sizeof w->state, "approved");
	say_json(out, 202,
	        json_pack("{s:s,s:s,s:i,s:i}", "request", m->id, "state", "approved", "count",
	                (int)m->count, "done", 0));
}

static inline void
waits_answer(struct many *m, const struct toy_request *in, struct toy_reply *out)
{
	struct world *w = m->w;
	json_t *o;
	struct jws j;

	free(w->order);
	w->order = strndup((const char *)in->body.p, in->body.n);
	assert_int_equal(jws_decode(in->body, JWS_BYTES_MAX, &j), ERR_OK);
	hex_encode(bytes_of(j.hash, SHA256_BYTES), m->id);
	snprintf(w->state, sizeof w->state, "waiting");
	o = json_pack("{s:s,s:s,s:i,s:i}", "request", m->id, "state", "waiting", "officials_needed",
	        3, "officials_signed", 1);
	list_put(m, o);
	json_object_del(o, "list");
	say_json(out, 202, o);
}

static inline void
selection_answer(const struct many *m, const struct toy_request *in, struct toy_reply *out)
{
	json_t *o = json_pack("{s:i,s:[{s:s,s:s,s:s,s:i}]}", "unknown", 2, "groups", "center",
	        CENTER, "item", ITEM, "status", "valid", "count", (int)m->count);

	assert_non_null(strstr(in->head, "Authorization: Bearer ey"));
	assert_non_null(strstr(in->head, "Content-Type: application/json"));
	if (!m->count) {
		json_decref(o);
		toy_say(out, 422,
		        "{\"type\":\"urn:zz:error:selection_empty\",\"title\":\"Nothing.\"}");
		return;
	}
	list_put(m, o);
	say_json(out, 200, o);
}

static inline bool
many_answer(struct world *w, const struct toy_request *in, struct toy_reply *out)
{
	struct many *m = w->more_ctx;
	bool get = !strcmp(in->method, "GET");

	if (!strcmp(in->path, "/v1/selections"))
		selection_answer(m, in, out);
	else if (!strncmp(in->path, "/v1/certificates/", 17))
		certificate_answer(m, in->path + 17, out);
	else if (get && strlen(in->path) > 20)
		state_answer(m, out);
	else if (strstr(in->path, "/approvals"))
		approve_answer(m, in, out);
	else if (!get)
		waits_answer(m, in, out);
	else
		return false;
	return true;
}

static inline struct world *
many_open(struct many *m, unsigned count)
{
	struct world *w = world_open();

	*m = (struct many){.w = w, .count = count};
	w->more = many_answer;
	w->more_ctx = m;
	return w;
}
#endif
