/* zz_submit.c - zz submit: an exam session becomes one signed request on disk, is sent, and its
 * certificates are kept; a rerun sends the same bytes. */
#include "file.h"
#include "zz_answer.h"
#include "zz_commands.h"
#include "zz_session.h"
#include "zz_text.h"

#include <stdlib.h>
#include <string.h>

const char zz_submit_help[] =
        "usage: zz submit --url U --key KEY.pem --session S.json --results R.csv [--out DIR] "
        "[--json]\n\n"
        "Hands in an exam session and keeps its certificates: <serial>.cose (the record), "
        "<serial>.bundle (with its\n"
        "proof from the log) and <serial>.qr.txt (the text of the QR code). The signed request is "
        "saved in\n"
        "DIR/request.jws before it is sent, and sent again as it is when the command is run again: "
        "whatever happened to\n"
        "the answer, a second run is safe and issues nothing twice.\n\n"
        "  --url U           http://HOST[:PORT] or https://HOST[:PORT]\n"
        "  --key KEY.pem     the centre's private key (zz keygen)\n"
        "  --session S.json  id, center, region, item (6 digits), theory_at and practical_at "
        "(2026-10-17T09:00:00+08:00),\n"
        "                    paper_sha256, recording_sha256 (64 hex digits), examiners (two), "
        "basis: initial (default),\n"
        "                    renewal or review\n"
        "  --results R.csv   UTF-8 with the columns seat (1 to 5000), name, sex (M, F or empty), "
        "doc_type (01 to 08),\n"
        "                    doc_number, theory, practical (0 to 100, one decimal), photo_sha256, "
        "evidence_sha256,\n"
        "                    and for a renewal or review follows: the serial (32 hex digits) of "
        "the "
        "certificate before it,\n"
        "                    in force, of the same person and item; at most 5000 seats\n"
        "  --out DIR         default out/<session id>; corrected results need a new one and a new "
        "session id\n"
        "  --json            print the service's answer in place of the table\n\n"
        "The request is good for 24 hours.\n\n" ZZ_EXIT_HELP;

struct submit {
	const struct zz *z;
	const char *url, *key_path, *session_path, *results_path, *out;
	bool json;
	struct key *key;
	struct client *client;
	json_t *payload;
	struct zz_request request;
	char dir[ZZ_PATH_MAX];
};

static enum zz_exit
input_read(const struct submit *s, const char *path, size_t bytes_max, uint8_t **text, size_t *n)
{
	enum err e = file_read(path, bytes_max, text, n);

	return e == ERR_OK
	               ? ZZ_DONE
	               : zz_usage(s->z, "cannot read %s (%s): nothing was sent", path, err_word(e));
}

static enum zz_exit
fault_say(const struct submit *s, const char *path, const struct session_fault *fault)
{
	if (fault->line)
		return zz_usage(s->z, "%s, line %u: %s. Nothing was sent. 第 %u 行有误，未发送。",
		        path, fault->line, fault->reason, fault->line);
	return zz_usage(s->z, "%s: %s Nothing was sent. 文件有误，未发送。", path, fault->reason);
}

static enum zz_exit
session_take(struct submit *s)
{
	struct session_fault fault = {0};
	uint8_t *text = NULL;
	json_t *session = NULL;
	enum zz_exit exit;
	size_t n = 0;
	enum err e;

	if ((exit = input_read(s, s->session_path, SESSION_BYTES_MAX, &text, &n)) != ZZ_DONE)
		return exit;
	e = zz_session_read(bytes_of(text, n), &session, &fault);
	free(text);
	if (e != ERR_OK)
		return fault_say(s, s->session_path, &fault);
	return json_object_set_new(s->payload, "session", session)
	               ? zz_fault(s->z, "memory", ERR_MEMORY)
	               : ZZ_DONE;
}

static enum zz_exit
results_take(struct submit *s)
{
	struct session_fault fault = {0};
	uint8_t *text = NULL;
	json_t *results = NULL;
	enum zz_exit exit;
	bool follows;
	size_t n = 0;
	enum err e;

	if ((exit = input_read(s, s->results_path, RESULTS_BYTES_MAX, &text, &n)) != ZZ_DONE)
		return exit;
	follows = zz_session_follows(json_object_get(s->payload, "session"));
	e = zz_results_read(bytes_of(text, n), follows, &results, &fault);
	free(text);
	if (e != ERR_OK)
		return fault_say(s, s->results_path, &fault);
	return json_object_set_new(s->payload, "results", results)
	               ? zz_fault(s->z, "memory", ERR_MEMORY)
	               : ZZ_DONE;
}

static enum zz_exit
payload_build(struct submit *s)
{
	char jti[ZZ_JTI_TEXT + 1];
	enum zz_exit exit;

	zz_jti(jti);
	if (!(s->payload = zz_payload("issue", jti, s->z->now, ISSUE_LIFETIME_S_MAX)))
		return zz_fault(s->z, "memory", ERR_MEMORY);
	if ((exit = session_take(s)) != ZZ_DONE)
		return exit;
	return results_take(s);
}

/* The session's id names the folder only where it cannot lead out of out/. */
static enum zz_exit
dir_choose(struct submit *s)
{
	struct bytes id = zz_text_of(json_object_get(s->payload, "session"), "id");
	size_t i;

	if (s->out) {
		if (strlen(s->out) >= sizeof s->dir - 100)
			return zz_usage(s->z, "--out is too long");
		memcpy(s->dir, s->out, strlen(s->out) + 1);
		return ZZ_DONE;
	}
	for (i = 0; i < id.n; i++) {
		if (!memchr("-_.", id.p[i], 3) && !(id.p[i] >= '0' && id.p[i] <= '9') &&
		        !((id.p[i] | 0x20) >= 'a' && (id.p[i] | 0x20) <= 'z'))
			break;
	}
	if (!id.n || i < id.n || id.p[0] == '.' || id.n > TEXT_BYTES_MAX)
		return zz_usage(s->z,
		        "the session's id does not suit as the name of a folder: give --out DIR");
	snprintf(s->dir, sizeof s->dir, "out/%.*s", (int)id.n, (const char *)id.p);
	return ZZ_DONE;
}

static enum zz_exit
request_take(struct submit *s)
{
	const struct request *r = &s->request.request;
	struct bytes id = zz_text_of(json_object_get(s->payload, "session"), "id");
	enum zz_exit exit = zz_request_take(s->z, s->dir, s->key, s->payload, &s->request);

	if (exit != ZZ_DONE || !s->request.saved)
		return exit;
	if (r->type != REQUEST_ISSUE || !bytes_equal(r->session.id, id))
		return zz_usage(
		        s->z, "%s/request.jws is of another session: give another --out", s->dir);
	fprintf(s->z->err, "Sending %s/request.jws again as it is. 原样重发已保存的请求。\n",
	        s->dir);
	if (!zz_request_same(&s->request, s->payload))
		fputs("    Note: the session or results file has changed since it was signed; the "
		      "change is NOT sent.\n"
		      "    注意：文件在签名之后已改动，改动未被发送。To hand in other results use "
		      "a new --out.\n",
		        s->z->err);
	return ZZ_DONE;
}

static enum zz_exit
answer_take(struct submit *s, const json_t *answer, const struct bytes *raw)
{
	struct zz_answer a = {.z = s->z, .request = &s->request, .dir = s->dir};

	if (!bytes_equal_text(zz_text_of(answer, "request"), s->request.id)) {
		fputs("zz: the answer is to another request: nothing of it was kept\n", s->z->err);
		return ZZ_REFUSED;
	}
	if (bytes_equal_text(zz_text_of(answer, "state"), "executed") &&
	        zz_answer_keep(&a, answer) != ERR_OK) {
		fprintf(s->z->err,
		        "zz: the answer does not fit what was handed in: %s. Keep %s and report "
		        "this.\n"
		        "    答复与提交内容不符，请保留文件夹并报告。\n",
		        a.wrong[0] ? a.wrong : "out of memory", s->dir);
		return ZZ_REFUSED;
	}
	return zz_answer_say(&a, answer, s->json ? raw : NULL, s->url);
}

static enum zz_exit
request_send(struct submit *s)
{
	struct zz_service service = {s->z, s->client, s->key};
	struct bytes raw = {0}, jws = bytes_of(s->request.text, s->request.n);
	json_t *answer = NULL;
	enum zz_exit exit;
	unsigned status = 0;

	text_progress(s->z->err, s->z->terminal, "Sending 发送", 0, 0);
	exit = zz_post(&service, "/v1/requests", jws, &status, &answer, &raw);
	text_progress(s->z->err, s->z->terminal, NULL, 0, 0);
	if (exit != ZZ_DONE)
		return exit;
	exit = answer_take(s, answer, &raw);
	json_decref(answer);
	return exit;
}

enum zz_exit
zz_submit(const struct zz *z, int argc, char **argv)
{
	struct submit s = {.z = z};
	const struct zz_option options[] = {{"--url", &s.url, NULL, true},
	        {"--key", &s.key_path, NULL, true}, {"--session", &s.session_path, NULL, true},
	        {"--results", &s.results_path, NULL, true}, {"--out", &s.out, NULL, false},
	        {"--json", NULL, &s.json, false}};
	struct zz_args args = {
	        .options = options, .option_count = sizeof options / sizeof options[0]};
	enum zz_exit exit;

	if ((exit = zz_args(z, argc, argv, &args)) != ZZ_DONE)
		return exit;
	if ((exit = zz_client(z, s.url, &s.client)) != ZZ_DONE ||
	        (exit = zz_key(z, s.key_path, &s.key)) != ZZ_DONE ||
	        (exit = payload_build(&s)) != ZZ_DONE || (exit = dir_choose(&s)) != ZZ_DONE ||
	        (exit = request_take(&s)) != ZZ_DONE)
		goto out;
	exit = request_send(&s);
out:
	zz_request_free(&s.request);
	json_decref(s.payload);
	key_free(s.key);
	client_free(s.client);
	return exit;
}
