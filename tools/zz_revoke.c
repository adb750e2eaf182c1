/* zz_revoke.c - zz revoke: one official's order, saved before it is sent; others must approve it.
 */
#include "date.h"
#include "field.h"
#include "zz_answer.h"
#include "zz_commands.h"
#include "zz_text.h"

#include <string.h>

const char zz_revoke_help[] =
        "usage: zz revoke --url U --key KEY.pem --ground CODE --decision-no N --decided DATE "
        "--effective DATE\n"
        "                 [--out DIR] [--json] --serial S [S…]\n\n"
        "Signs the order to revoke certificates (also to cancel, withdraw or void them: the ground "
        "says which) and sends\n"
        "it. It waits until the officials that the ground asks for have signed: exit code 5, and "
        "the line that the next\n"
        "official runs. The signed order is saved in DIR/request.jws before it is sent; the same "
        "command with the same\n"
        "--out sends it again, which is safe.\n\n"
        "  --ground CODE     for example R05 (以欺骗、贿赂等不正当手段取得)\n"
        "  --decision-no N   number of the written decision, at most 200 bytes\n"
        "  --decided DATE    day of the decision, YYYY-MM-DD, Shanghai\n"
        "  --effective DATE  day from which the certificate counts as invalid, YYYY-MM-DD, "
        "Shanghai\n"
        "  --serial S        32 hex digits; more may follow it, 1000 at most\n"
        "  --out DIR         default out/revoke-<first 8 characters of the new jti>\n"
        "  --json            print the service's answer\n\n"
        "The order is good for 7 days.\n\n" ZZ_EXIT_HELP;

struct revoke {
	const struct zz *z;
	const char *url, *key_path, *ground, *decision_no, *decided, *effective, *out;
	bool json;
	const char *words[ZZ_WORDS_MAX];
	struct key *key;
	struct client *client;
	json_t *payload;
	struct zz_request request;
	char dir[ZZ_PATH_MAX], jti[ZZ_JTI_TEXT + 1];
};

/* Says what the ground means before anything is signed. */
static enum zz_exit
ground_check(const struct revoke *r)
{
	const struct field_ground *ground;
	struct field *field = NULL;
	int64_t day;
	enum err e;

	if (date_decode(bytes_of_text(r->decided), &day) != ERR_OK ||
	        date_decode(bytes_of_text(r->effective), &day) != ERR_OK)
		return zz_usage(r->z, "--decided and --effective are days such as 2026-11-02");
	if ((e = field_open(&field)) != ERR_OK)
		return zz_fault(r->z, "the field's data", e);
	ground = field_ground(field, bytes_of_text(r->ground));
	if (ground) {
		fprintf(r->z->err, "Ground 依据 %s: ", r->ground);
		text_put(r->z->err, ground->name_zh);
		fputs(" ", r->z->err);
		text_put(r->z->err, ground->name_en);
		fputs("\n", r->z->err);
	}
	field_free(field);
	return ground ? ZZ_DONE : zz_usage(r->z, "the ground %s is unknown", r->ground);
}

static enum zz_exit
payload_build(struct revoke *r, const struct zz_args *args)
{
	json_t *serials = json_array();
	size_t i;
	int bad;

	zz_jti(r->jti);
	r->payload = zz_payload("revoke", r->jti, r->z->now, ORDER_LIFETIME_S_MAX);
	if (!r->payload || !serials) {
		json_decref(serials);
		return zz_fault(r->z, "memory", ERR_MEMORY);
	}
	for (i = 0; i < args->word_count; i++) {
		if (!zz_is_hex(bytes_of_text(args->words[i]), 32)) {
			json_decref(serials);
			return zz_usage(
			        r->z, "a serial is 32 hex digits (0-9 a-f): %s", args->words[i]);
		}
		json_array_append_new(serials, json_string(args->words[i]));
	}
	bad = json_object_set_new(r->payload, "ground", json_string(r->ground)) |
	      json_object_set_new(r->payload, "decision_no", json_string(r->decision_no)) |
	      json_object_set_new(r->payload, "decided_at", json_string(r->decided)) |
	      json_object_set_new(r->payload, "effective_at", json_string(r->effective)) |
	      json_object_set_new(r->payload, "serials", serials);
	return bad ? zz_usage(r->z, "the options must be UTF-8 text") : ZZ_DONE;
}

static enum zz_exit
request_take(struct revoke *r)
{
	enum zz_exit exit;

	if (r->out && strlen(r->out) >= sizeof r->dir - 100)
		return zz_usage(r->z, "--out is too long");
	if (r->out)
		memcpy(r->dir, r->out, strlen(r->out) + 1);
	else
		snprintf(r->dir, sizeof r->dir, "out/revoke-%.8s", r->jti);
	if ((exit = zz_request_take(r->z, r->dir, r->key, r->payload, &r->request)) != ZZ_DONE)
		return exit;
	if (r->request.saved && !zz_request_same(&r->request, r->payload))
		return zz_usage(
		        r->z, "%s/request.jws is another order: give another --out", r->dir);
	fprintf(r->z->err, "%s %s/request.jws (to send it again: --out %s)\n",
	        r->request.saved ? "Sending again as it is" : "Saved", r->dir, r->dir);
	return ZZ_DONE;
}

static enum zz_exit
order_send(struct revoke *r)
{
	struct zz_service service = {r->z, r->client, r->key};
	struct zz_answer a = {.z = r->z, .request = &r->request, .dir = r->dir};
	struct bytes raw = {0}, jws = bytes_of(r->request.text, r->request.n);
	json_t *answer = NULL;
	unsigned status = 0;
	enum zz_exit exit = zz_post(&service, "/v1/requests", jws, &status, &answer, &raw);

	if (exit != ZZ_DONE)
		return exit;
	if (bytes_equal_text(zz_text_of(answer, "request"), r->request.id))
		exit = zz_answer_say(&a, answer, r->json ? &raw : NULL, r->url);
	else {
		fputs("zz: the answer is to another request\n", r->z->err);
		exit = ZZ_REFUSED;
	}
	json_decref(answer);
	return exit;
}

static enum zz_exit
revoke_run(struct revoke *r, struct zz_args *args)
{
	enum zz_exit exit;

	if ((exit = ground_check(r)) != ZZ_DONE ||
	        (exit = zz_client(r->z, r->url, &r->client)) != ZZ_DONE ||
	        (exit = zz_key(r->z, r->key_path, &r->key)) != ZZ_DONE ||
	        (exit = payload_build(r, args)) != ZZ_DONE || (exit = request_take(r)) != ZZ_DONE)
		return exit;
	return order_send(r);
}

enum zz_exit
zz_revoke(const struct zz *z, int argc, char **argv)
{
	struct revoke r = {.z = z};
	const struct zz_option options[] = {{"--url", &r.url, NULL, true},
	        {"--key", &r.key_path, NULL, true}, {"--ground", &r.ground, NULL, true},
	        {"--decision-no", &r.decision_no, NULL, true},
	        {"--decided", &r.decided, NULL, true}, {"--effective", &r.effective, NULL, true},
	        {"--serial", NULL, NULL, true}, {"--out", &r.out, NULL, false},
	        {"--json", NULL, &r.json, false}};
	struct zz_args args = {.options = options,
	        .option_count = sizeof options / sizeof options[0],
	        .words = r.words,
	        .words_max = ZZ_WORDS_MAX};
	enum zz_exit exit;

	if ((exit = zz_args(z, argc, argv, &args)) != ZZ_DONE)
		return exit;
	exit = revoke_run(&r, &args);
	zz_request_free(&r.request);
	json_decref(r.payload);
	key_free(r.key);
	client_free(r.client);
	return exit;
}
