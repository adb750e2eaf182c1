/* zz_order.c - every order of an official, from one table of what each type carries: signed, saved
 * before it is sent, and the answer said in words. */
#include "zz_order.h"
#include "zz_commands.h"
#include "zz_follow.h"

#include <string.h>

enum zz_exit
order_request_take(struct order *o)
{
	enum zz_exit exit;

	if (o->w.out && strlen(o->w.out) >= sizeof o->dir - 100)
		return zz_usage(o->z, "--out is too long");
	if (o->w.out)
		memcpy(o->dir, o->w.out, strlen(o->w.out) + 1);
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
	        o->w.url, o->request.id);
}

static enum zz_exit
answer_say(struct order *o, const json_t *answer, const struct bytes *raw)
{
	struct zz_answer a = {.z = o->z, .request = &o->request, .dir = o->dir};
	bool executed = bytes_equal_text(zz_text_of(answer, "state"), "executed");
	enum zz_exit exit;

	if (executed && !raw && (o->kind->parts & PART_REQUEST)) {
		fprintf(o->z->out, "request %s\nWithdrawn: %s waits no more. 该请求已撤回。\n",
		        o->request.id, o->w.rest[0]);
		return ZZ_DONE;
	}
	exit = zz_answer_say(&a, answer, raw, o->w.url);
	if (executed && (o->kind->parts & PART_UNTIL))
		hold_advise(o, answer);
	return exit;
}

enum zz_exit
order_post(struct order *o, json_t **answer, struct bytes *raw)
{
	struct zz_service service = {o->z, o->client, o->key};
	struct bytes jws = bytes_of(o->request.text, o->request.n);
	unsigned status = 0;
	enum zz_exit exit = zz_post(&service, "/v1/requests", jws, &status, answer, raw);

	if (exit != ZZ_DONE || bytes_equal_text(zz_text_of(*answer, "request"), o->request.id))
		return exit;
	json_decref(*answer);
	*answer = NULL;
	fputs("zz: the answer is to another request\n", o->z->err);
	return ZZ_REFUSED;
}

static enum zz_exit
order_send(struct order *o)
{
	struct zz_service service = {o->z, o->client, o->key};
	struct bytes raw = {0};
	json_t *answer = NULL;
	enum zz_exit exit = order_post(o, &answer, &raw);

	if (exit != ZZ_DONE)
		return exit;
	if (!o->w.json)
		exit = zz_follow(&service, o->request.id, &answer);
	if (exit == ZZ_DONE)
		exit = answer_say(o, answer, o->w.json ? &raw : NULL);
	json_decref(answer);
	return exit;
}

static enum zz_exit
order_do(struct order *o)
{
	enum zz_exit exit;

	if ((exit = order_words_check(o)) != ZZ_DONE ||
	        (exit = zz_client(o->z, o->w.url, &o->client)) != ZZ_DONE ||
	        (exit = zz_key(o->z, o->w.key, &o->key)) != ZZ_DONE ||
	        (exit = order_payload_build(o)) != ZZ_DONE)
		return exit;
	if (order_is_dry(o))
		return order_dry_run(o);
	if (o->kind->parts & PART_CHANGES)
		return zz_replace_run(o);
	exit = order_request_take(o);
	return exit == ZZ_DONE ? order_send(o) : exit;
}

static enum zz_exit
order_run(const struct zz *z, const struct order_kind *kind, int argc, char **argv)
{
	struct order o = {.z = z, .kind = kind};
	struct zz_option options[ORDER_OPTIONS_MAX];
	struct zz_args args = {.options = options,
	        .option_count = order_options(&o, options),
	        .words = o.w.rest,
	        .words_max = kind->parts & PART_TARGET ? 0 : ZZ_WORDS_MAX};
	enum zz_exit exit;

	if ((exit = zz_args(z, argc, argv, &args)) != ZZ_DONE)
		return exit;
	o.w.rest_count = args.word_count;
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
	        "revoke", PART_DECISION | PART_GROUND | PART_EFFECTIVE | PART_SERIALS};

	return order_run(z, &kind, argc, argv);
}

enum zz_exit
zz_suspend(const struct zz *z, int argc, char **argv)
{
	static const struct order_kind kind = {"suspend",
	        PART_DECISION | PART_GROUND | PART_EFFECTIVE | PART_UNTIL | PART_SERIALS};

	return order_run(z, &kind, argc, argv);
}

enum zz_exit
zz_reinstate(const struct zz *z, int argc, char **argv)
{
	static const struct order_kind kind = {"reinstate", PART_DECISION | PART_SERIALS};

	return order_run(z, &kind, argc, argv);
}

enum zz_exit
zz_replace(const struct zz *z, int argc, char **argv)
{
	static const struct order_kind kind = {
	        "replace", PART_DECISION | PART_GROUND | PART_CHANGES};

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
