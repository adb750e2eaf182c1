/* zz_enrol.c - zz enrol: an official sees who comes, goes or changes by a new roster, from its own
 * bytes, and signs those bytes; two such signatures go before the root. */
#include "enrolment.h"
#include "file.h"
#include "zz_commands.h"
#include "zz_request.h"

#include <stdlib.h>
#include <string.h>

const char zz_enrol_help[] =
        "usage: zz enrol --key KEY.pem --payload NEXT.json --roster ROSTER.jws --out FILE.jws "
        "[--yes]\n\n"
        "Shows what the next roster changes against the one in force, and signs it: one official "
        "proposes, another approves,\n"
        "both by this command and with their own keys. zz-admin sign-roster takes the two "
        "signatures; the signer refuses a\n"
        "roster without them, whatever the root signed. Valid for seven days.\n"
        "本命令显示新名册的人员增减与变更，由两名监管人员先后签署。\n\n"
        "  --payload FILE   the next roster as JSON text: version, iat, exp, operators, approvals\n"
        "  --roster FILE    the roster in force, as DIR/trust/roster.jws\n"
        "  --out FILE       where the signature goes\n"
        "  --yes            do not ask: for scripts\n\n" ZZ_EXIT_HELP;

enum { ENROL_LIFETIME_S = ORDER_LIFETIME_S_MAX };

struct enrol {
	const char *key, *payload, *roster, *out;
	bool yes;
	uint8_t *text;
	size_t n;
	json_t *next, *now; /* payloads */
};

static enum err
payloads_read(struct enrol *q)
{
	uint8_t *jws = NULL;
	size_t n = 0;
	struct jws j;
	struct buf b = {0};
	enum err e = file_read(q->payload, ROSTER_BYTES_MAX, &q->text, &q->n);

	if (e != ERR_OK ||
	        (e = json_read(bytes_of(q->text, q->n), ROSTER_BYTES_MAX, &q->next)) != ERR_OK ||
	        (e = file_read(q->roster, ROSTER_BYTES_MAX, &jws, &n)) != ERR_OK)
		return e;
	if ((e = jws_decode(bytes_of(jws, n), ROSTER_BYTES_MAX, &j)) == ERR_OK) {
		b = buf_init(malloc(j.payload_text.n + 1), j.payload_text.n);
		e = b.p == NULL ? ERR_MEMORY : jws_payload(&j, &b);
	}
	if (e == ERR_OK)
		e = json_read(buf_bytes(&b), ROSTER_BYTES_MAX, &q->now);
	free(b.p);
	free(jws);
	return e;
}

static const json_t *
operator_by_kid(const json_t *roster, const char *kid)
{
	const json_t *all = json_object_get(roster, "operators");

	for (size_t i = 0; i < json_array_size(all); i++) {
		const json_t *o = json_array_get(all, i);
		const char *its = json_string_value(json_object_get(o, "kid"));

		if (its != NULL && kid != NULL && strcmp(its, kid) == 0)
			return o;
	}
	return NULL;
}

static void
operator_say(const struct zz *z, const char *what, const json_t *o)
{
	struct bytes kid = zz_text_of(o, "kid"), person = zz_text_of(o, "person"),
	             role = zz_text_of(o, "role"),
	             code = zz_text_of(json_object_get(o, "center"), "code");

	fprintf(z->out, "%s %.*s %.*s %.*s %.*s\n", what, (int)role.n, (const char *)role.p,
	        (int)code.n, (const char *)code.p, (int)person.n, (const char *)person.p,
	        (int)kid.n, (const char *)kid.p);
}

/* Operators of `a` that `b` lacks, or has otherwise. */
static size_t
side_say(const struct zz *z, const json_t *a, const json_t *b, const char *only, const char *other)
{
	const json_t *all = json_object_get(a, "operators");
	size_t said = 0;

	for (size_t i = 0; i < json_array_size(all); i++) {
		const json_t *o = json_array_get(all, i),
		             *twin = operator_by_kid(
		                     b, json_string_value(json_object_get(o, "kid")));

		if (twin != NULL && (other == NULL || json_equal(o, twin)))
			continue;
		operator_say(z, twin == NULL ? only : other, o);
		said++;
	}
	return said;
}

static void
changes_say(const struct zz *z, const struct enrol *q)
{
	size_t changes = 0;

	fprintf(z->out, "roster %lld -> %lld 名册版本\n",
	        (long long)zz_number_of(q->now, "version"),
	        (long long)zz_number_of(q->next, "version"));
	changes += side_say(z, q->next, q->now, "+ comes 增加", "~ changes to 变更为");
	changes += side_say(z, q->now, q->next, "- goes 移除", NULL);
	if (!json_equal(
	            json_object_get(q->now, "approvals"), json_object_get(q->next, "approvals")))
		fputs("~ the table of approvals changes 审批人数表有变更\n", z->out);
	fprintf(z->out, "%zu operators change; ends %lld\n", changes,
	        (long long)zz_number_of(q->next, "exp"));
}

static bool
says_yes(const struct zz *z)
{
	char line[16] = "";

	fputs("\nSign this roster? Type yes. 确认签署请输入 yes: ", z->out);
	fflush(z->out);
	return fgets(line, sizeof line, z->in) != NULL && strcmp(line, "yes\n") == 0;
}

static enum zz_exit
sign(const struct zz *z, const struct enrol *q, const struct key *k)
{
	uint8_t digest[SHA256_BYTES], *text = NULL;
	char hex[2 * SHA256_BYTES + 1], jti[ZZ_JTI_TEXT + 1];
	size_t n = 0;
	json_t *payload = NULL;
	enum err e = enrolment_digest(bytes_of(q->text, q->n), digest);

	if (e != ERR_OK)
		return zz_usage(
		        z, "%s must begin with { and hold the roster's payload", q->payload);
	hex_encode(bytes_of(digest, sizeof digest), hex);
	zz_jti(jti);
	payload = json_pack("{s:s,s:s,s:I,s:I,s:s}", "request", hex, "jti", jti, "iat",
	        (json_int_t)z->now, "exp", (json_int_t)(z->now + ENROL_LIFETIME_S), "decision",
	        "approve");
	e = payload == NULL ? ERR_MEMORY : zz_sign(k, APPROVAL_TYP, payload, &text, &n);
	json_decref(payload);
	if (e == ERR_OK)
		e = file_write(q->out, bytes_of(text, n), 0644);
	free(text);
	if (e != ERR_OK)
		return zz_fault(z, q->out, e);
	fprintf(z->out, "%s: signed for %s\n", q->out, hex);
	return ZZ_DONE;
}

enum zz_exit
zz_enrol(const struct zz *z, int argc, char **argv)
{
	struct enrol q = {0};
	const struct zz_option options[] = {
	        {"--key", &q.key, NULL, true},
	        {"--payload", &q.payload, NULL, true},
	        {"--roster", &q.roster, NULL, true},
	        {"--out", &q.out, NULL, true},
	        {"--yes", NULL, &q.yes, false},
	};
	struct zz_args args = {.options = options, .option_count = 5};
	struct key *k = NULL;
	enum zz_exit x = zz_args(z, argc, argv, &args);
	enum err e = ERR_OK;

	if (x != ZZ_DONE || (x = zz_key(z, q.key, &k)) != ZZ_DONE)
		return x;
	if ((e = payloads_read(&q)) != ERR_OK) {
		x = zz_usage(z, "roster: %s (%s)", err_en(e), err_word(e));
	} else {
		changes_say(z, &q);
		x = q.yes || says_yes(z) ? sign(z, &q, k)
		                         : zz_usage(z, "nothing was signed 未签署");
	}
	json_decref(q.next);
	json_decref(q.now);
	free(q.text);
	key_free(k);
	return x;
}
