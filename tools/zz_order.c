/* zz_order.c - every order of an official, from one table of what each type carries: signed, saved
 * before it is sent, and the answer said in words. */
#include "date.h"
#include "field.h"
#include "zz_answer.h"
#include "zz_commands.h"
#include "zz_text.h"

#include <string.h>

enum part {
	PART_DECISION = 1, /* decision_no, decided_at */
	PART_GROUND = 2,   /* ground, effective_at */
	PART_UNTIL = 4,
	PART_SERIALS = 8,
	PART_TARGET = 16,  /* a centre or a key */
	PART_REQUEST = 32, /* another request */
};

struct order_kind { /* members of the payload beside type, jti, iat, exp: FORMATS.md section 3 */
	const char *word;
	unsigned parts;
};

enum { OPTIONS_MAX = 12 };

struct order {
	const struct zz *z;
	const struct order_kind *kind;
	const char *url, *key_path, *ground, *decision_no, *decided, *effective, *until, *center,
	        *kid, *out;
	bool json;
	const char *words[ZZ_WORDS_MAX];
	size_t word_count;
	struct key *key;
	struct client *client;
	json_t *payload;
	struct zz_request request;
	char dir[ZZ_PATH_MAX], jti[ZZ_JTI_TEXT + 1];
};

static size_t
options_of(struct order *o, struct zz_option out[OPTIONS_MAX])
{
	unsigned parts = o->kind->parts;
	size_t n = 0;

	out[n++] = (struct zz_option){"--url", &o->url, NULL, true};
	out[n++] = (struct zz_option){"--key", &o->key_path, NULL, true};
	out[n++] = (struct zz_option){"--out", &o->out, NULL, false};
	out[n++] = (struct zz_option){"--json", NULL, &o->json, false};
	if (parts & PART_DECISION) {
		out[n++] = (struct zz_option){"--decision-no", &o->decision_no, NULL, true};
		out[n++] = (struct zz_option){"--decided", &o->decided, NULL, true};
	}
	if (parts & PART_GROUND) {
		out[n++] = (struct zz_option){"--ground", &o->ground, NULL, true};
		out[n++] = (struct zz_option){"--effective", &o->effective, NULL, true};
	}
	if (parts & PART_UNTIL)
		out[n++] = (struct zz_option){"--until", &o->until, NULL, true};
	if (parts & PART_SERIALS)
		out[n++] = (struct zz_option){"--serial", NULL, NULL, true};
	if (parts & PART_TARGET) {
		out[n++] = (struct zz_option){"--center", &o->center, NULL, false};
		out[n++] = (struct zz_option){"--kid", &o->kid, NULL, false};
	}
	return n;
}

static enum zz_exit
days_check(const struct order *o)
{
	const char *const days[][2] = {
	        {"--decided", o->decided}, {"--effective", o->effective}, {"--until", o->until}};
	int64_t day;

	for (size_t i = 0; i < sizeof days / sizeof days[0]; i++) {
		if (days[i][1] && date_decode(bytes_of_text(days[i][1]), &day) != ERR_OK)
			return zz_usage(o->z, "%s is a day such as 2026-11-02", days[i][0]);
	}
	return ZZ_DONE;
}

/* Says what the ground means before anything is signed. */
static enum zz_exit
ground_check(const struct order *o)
{
	const struct field_ground *ground;
	struct field *field = NULL;
	enum err e;

	if (!o->ground)
		return ZZ_DONE;
	if ((e = field_open(&field)) != ERR_OK)
		return zz_fault(o->z, "the field's data", e);
	ground = field_ground(field, bytes_of_text(o->ground));
	if (ground) {
		fprintf(o->z->err, "Ground 依据 %s: ", o->ground);
		text_put(o->z->err, ground->name_zh);
		fputs(" ", o->z->err);
		text_put(o->z->err, ground->name_en);
		fputs("\n", o->z->err);
	}
	field_free(field);
	return ground ? ZZ_DONE : zz_usage(o->z, "the ground %s is unknown", o->ground);
}

static enum zz_exit
words_check(const struct order *o)
{
	unsigned parts = o->kind->parts;

	if ((parts & PART_TARGET) && !o->center == !o->kid)
		return zz_usage(o->z, "name one of --center CODE and --kid KID");
	if (o->kid && strlen(o->kid) != KEY_THUMB_TEXT)
		return zz_usage(o->z, "a kid is %d characters: %s", KEY_THUMB_TEXT, o->kid);
	if ((parts & PART_REQUEST) &&
	        (o->word_count != 1 || !zz_is_hex(bytes_of_text(o->words[0]), 2 * SHA256_BYTES)))
		return zz_usage(o->z, "name one REQUEST: 64 hex digits (0-9 a-f)");
	for (size_t i = 0; (parts & PART_SERIALS) && i < o->word_count; i++) {
		if (!zz_is_hex(bytes_of_text(o->words[i]), 32))
			return zz_usage(
			        o->z, "a serial is 32 hex digits (0-9 a-f): %s", o->words[i]);
	}
	return ZZ_DONE;
}

/* false: the text is no UTF-8. */
static bool
member_put(struct order *o, const char *name, const char *text)
{
	return !text || json_object_set_new(o->payload, name, json_string(text)) == 0;
}

static bool
serials_put(struct order *o)
{
	json_t *serials = json_array();

	for (size_t i = 0; i < o->word_count; i++)
		json_array_append_new(serials, json_string(o->words[i]));
	return json_object_set_new(o->payload, "serials", serials) == 0;
}

static enum zz_exit
payload_build(struct order *o)
{
	unsigned parts = o->kind->parts;
	bool good;

	zz_jti(o->jti);
	o->payload = zz_payload(o->kind->word, o->jti, o->z->now, ORDER_LIFETIME_S_MAX);
	if (!o->payload)
		return zz_fault(o->z, "memory", ERR_MEMORY);
	good = member_put(o, "ground", o->ground) && member_put(o, "decision_no", o->decision_no) &&
	       member_put(o, "decided_at", o->decided) &&
	       member_put(o, "effective_at", o->effective) && member_put(o, "until", o->until) &&
	       member_put(o, "center", o->center) && member_put(o, "kid", o->kid) &&
	       (!(parts & PART_REQUEST) || member_put(o, "request", o->words[0])) &&
	       (!(parts & PART_SERIALS) || serials_put(o));
	return good ? ZZ_DONE : zz_usage(o->z, "the options must be UTF-8 text");
}

static enum zz_exit
request_take(struct order *o)
{
	enum zz_exit exit;

	if (o->out && strlen(o->out) >= sizeof o->dir - 100)
		return zz_usage(o->z, "--out is too long");
	if (o->out)
		memcpy(o->dir, o->out, strlen(o->out) + 1);
	else
		snprintf(o->dir, sizeof o->dir, "out/%s-%.8s", o->kind->word, o->jti);
	if ((exit = zz_request_take(o->z, o->dir, o->key, o->payload, &o->request)) != ZZ_DONE)
		return exit;
	if (o->request.saved && !zz_request_same(&o->request, o->payload))
		return zz_usage(
		        o->z, "%s/request.jws is another order: give another --out", o->dir);
	fprintf(o->z->err, "%s %s/request.jws (to send it again: --out %s)\n",
	        o->request.saved ? "Sending again as it is" : "Saved", o->dir, o->dir);
	return ZZ_DONE;
}

/* One official's hold is short: whoever started it learns what it needs. */
static void
hold_advise(const struct order *o, const json_t *answer)
{
	const json_t *rows = json_object_get(answer, "certificates");
	size_t begun = 0;

	for (size_t i = 0; i < json_array_size(rows); i++)
		begun += bytes_equal_text(
		        zz_text_of(json_array_get(rows, i), "outcome"), "suspended");
	if (begun == 0)
		return;
	fprintf(o->z->err,
	        "The hold lapses after 72 hours unless a second official approves it. 须经第二名"
	        "监管人员批准，否则 72 小时后自动解除。\n"
	        "Next, another official runs 请另一名监管人员运行:\n"
	        "    zz approve --url %s --key KEY.pem %s\n",
	        o->url, o->request.id);
}

static enum zz_exit
answer_say(struct order *o, const json_t *answer, const struct bytes *raw)
{
	struct zz_answer a = {.z = o->z, .request = &o->request, .dir = o->dir};
	bool executed = bytes_equal_text(zz_text_of(answer, "state"), "executed");
	enum zz_exit exit;

	if (!bytes_equal_text(zz_text_of(answer, "request"), o->request.id)) {
		fputs("zz: the answer is to another request\n", o->z->err);
		return ZZ_REFUSED;
	}
	if (executed && !raw && (o->kind->parts & PART_REQUEST)) {
		fprintf(o->z->out, "request %s\nWithdrawn: %s waits no more. 该请求已撤回。\n",
		        o->request.id, o->words[0]);
		return ZZ_DONE;
	}
	exit = zz_answer_say(&a, answer, raw, o->url);
	if (executed && (o->kind->parts & PART_UNTIL))
		hold_advise(o, answer);
	return exit;
}

static enum zz_exit
order_send(struct order *o)
{
	struct zz_service service = {o->z, o->client, o->key};
	struct bytes raw = {0}, jws = bytes_of(o->request.text, o->request.n);
	json_t *answer = NULL;
	unsigned status = 0;
	enum zz_exit exit = zz_post(&service, "/v1/requests", jws, &status, &answer, &raw);

	if (exit != ZZ_DONE)
		return exit;
	exit = answer_say(o, answer, o->json ? &raw : NULL);
	json_decref(answer);
	return exit;
}

static enum zz_exit
order_do(struct order *o)
{
	enum zz_exit exit;

	if ((exit = words_check(o)) != ZZ_DONE || (exit = days_check(o)) != ZZ_DONE ||
	        (exit = ground_check(o)) != ZZ_DONE ||
	        (exit = zz_client(o->z, o->url, &o->client)) != ZZ_DONE ||
	        (exit = zz_key(o->z, o->key_path, &o->key)) != ZZ_DONE ||
	        (exit = payload_build(o)) != ZZ_DONE || (exit = request_take(o)) != ZZ_DONE)
		return exit;
	return order_send(o);
}

static enum zz_exit
order_run(const struct zz *z, const struct order_kind *kind, int argc, char **argv)
{
	struct order o = {.z = z, .kind = kind};
	struct zz_option options[OPTIONS_MAX];
	struct zz_args args = {.options = options,
	        .option_count = options_of(&o, options),
	        .words = o.words,
	        .words_max = kind->parts & PART_TARGET ? 0 : ZZ_WORDS_MAX};
	enum zz_exit exit;

	if ((exit = zz_args(z, argc, argv, &args)) != ZZ_DONE)
		return exit;
	o.word_count = args.word_count;
	exit = order_do(&o);
	zz_request_free(&o.request);
	json_decref(o.payload);
	key_free(o.key);
	client_free(o.client);
	return exit;
}

enum zz_exit
zz_revoke(const struct zz *z, int argc, char **argv)
{
	static const struct order_kind kind = {
	        "revoke", PART_DECISION | PART_GROUND | PART_SERIALS};

	return order_run(z, &kind, argc, argv);
}

enum zz_exit
zz_suspend(const struct zz *z, int argc, char **argv)
{
	static const struct order_kind kind = {
	        "suspend", PART_DECISION | PART_GROUND | PART_UNTIL | PART_SERIALS};

	return order_run(z, &kind, argc, argv);
}

enum zz_exit
zz_reinstate(const struct zz *z, int argc, char **argv)
{
	static const struct order_kind kind = {"reinstate", PART_DECISION | PART_SERIALS};

	return order_run(z, &kind, argc, argv);
}

enum zz_exit
zz_stop(const struct zz *z, int argc, char **argv)
{
	static const struct order_kind kind = {"stop", PART_DECISION | PART_TARGET};

	return order_run(z, &kind, argc, argv);
}

enum zz_exit
zz_resume(const struct zz *z, int argc, char **argv)
{
	static const struct order_kind kind = {"resume", PART_DECISION | PART_TARGET};

	return order_run(z, &kind, argc, argv);
}

enum zz_exit
zz_withdraw(const struct zz *z, int argc, char **argv)
{
	static const struct order_kind kind = {"withdraw", PART_REQUEST};

	return order_run(z, &kind, argc, argv);
}
