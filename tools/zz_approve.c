/* zz_approve.c - zz approve and zz reject: an official sees everything that they sign, computed
 * from the bytes of the request and of each record, and nothing is signed before they said yes. */
#include "zz_answer.h"
#include "zz_commands.h"
#include "zz_follow.h"
#include "zz_text.h"
#include "zz_view.h"

#include <stdlib.h>
#include <string.h>

const char zz_approve_help[] =
        "usage: zz approve --url U --key KEY.pem [--root ROOT.pub] [--yes] REQUEST\n\n"
        "Shows a waiting request as its own signed bytes say it, with the certificates that it "
        "touches (of more than 20\n"
        "a sample of 20, drawn here at random), asks, and signs the approval. For a selector the "
        "list of certificates that\n"
        "the service froze is hashed here, each record shown must fit the selector, and the "
        "approval is over that list.\n"
        "A hold (suspend) that one official has started is confirmed by it. Run again it never "
        "approves twice. More than\n"
        "1,000 certificates take one official more; when all have signed it shows how far the "
        "execution is, and may be\n"
        "broken off and run again.\n\n"
        "  REQUEST          64 hex digits: the SHA-256 of what the sender signed; computed here "
        "again\n"
        "  --root ROOT.pub  also verify that each record shown is signed by the authority of this "
        "root key\n"
        "  --yes            do not ask: for scripts\n\n"
        "The approval is good for 7 days.\n\n" ZZ_EXIT_HELP;

const char zz_reject_help[] =
        "usage: zz reject --url U --key KEY.pem [--reason TEXT] [--root ROOT.pub] [--yes] "
        "REQUEST\n\n"
        "Shows a waiting request as its own signed bytes say it, asks, and signs the rejection: "
        "it ends there, for good.\n"
        "Its sender uses zz withdraw instead.\n\n"
        "  REQUEST          64 hex digits: the SHA-256 of what the sender signed; computed here "
        "again\n"
        "  --reason TEXT    why, at most 200 bytes; kept with the rejection\n"
        "  --root ROOT.pub  also verify that each record shown is signed by the authority of this "
        "root key\n"
        "  --yes            do not ask: for scripts\n\n" ZZ_EXIT_HELP;

struct decide {
	const struct zz *z;
	struct zz_view view;
	bool reject, yes;
	const char *reason;
};

/* What this key has signed before. ZZ_DONE with *stop unset: nothing. */
static enum zz_exit
mine_check(const struct decide *d, struct bytes state, bool *stop)
{
	const struct zz_view *v = &d->view;

	*stop = true;
	if (zz_view_is_mine(v, false) && bytes_equal_text(state, "rejected") && d->reject) {
		fputs("Rejected already, by you. 您已驳回。\n", d->z->out);
		return ZZ_DONE;
	}
	if (zz_view_is_mine(v, true) && bytes_equal_text(state, "waiting")) {
		fputs("You have signed it already; it waits for others. 您已签署，尚待他人批准。\n",
		        d->z->err);
		return d->reject ? ZZ_REFUSED : ZZ_WAITS;
	}
	if (zz_view_is_mine(v, true) && zz_view_is_executed(v) && !d->reject) {
		fputs("Executed already, with your approval. 已执行，您的批准已计入。\n",
		        d->z->out);
		return ZZ_DONE;
	}
	*stop = false;
	return ZZ_DONE;
}

/* ZZ_DONE: it waits for a signature that this key may give. *stop is set when there is nothing to
 * do. */
static enum zz_exit
state_check(const struct decide *d, bool *stop)
{
	const struct zz_view *v = &d->view;
	struct bytes state = zz_text_of(v->state, "state");
	enum zz_exit exit = mine_check(d, state, stop);
	bool hold = v->request.request.type == REQUEST_SUSPEND && zz_view_is_executed(v);

	if (exit != ZZ_DONE || *stop)
		return exit;
	*stop = true;
	if (!bytes_equal_text(state, "waiting") && !(hold && !d->reject)) {
		fputs("zz: it waits for nothing; its state 状态: ", d->z->err);
		text_put(d->z->err, state);
		fputs("\n", d->z->err);
		return ZZ_REFUSED;
	}
	if (!strcmp(v->request.jws.kid, key_thumb_text(v->key))) {
		fputs(d->reject ? "zz: you sent this request with this key: zz withdraw ends it. "
		                  "请用 zz withdraw 撤回。\n"
		                : "zz: you sent this request with this key: another person must "
		                  "approve it. 须由他人批准。\n",
		        d->z->err);
		return ZZ_REFUSED;
	}
	if (v->request.request.exp < d->z->now)
		return zz_fault(d->z, "this request", ERR_REQUEST_EXPIRED);
	*stop = false;
	return ZZ_DONE;
}

static bool
asks_yes(const struct decide *d)
{
	char line[16] = {0};

	fputs(d->reject ? "\nReject this request? Type yes. 确认驳回请输入 yes: "
	                : "\nSign this approval? Type yes. 确认批准请输入 yes: ",
	        d->z->out);
	fflush(d->z->out);
	if (!fgets(line, sizeof line, d->z->in))
		return false;
	line[strcspn(line, "\r\n")] = 0;
	return !strcmp(line, "yes");
}

/* The signed words: malloc'ed. */
static enum zz_exit
decision_sign(const struct decide *d, uint8_t **out, size_t *n)
{
	char jti[ZZ_JTI_TEXT + 1], list[2 * SHA256_BYTES + 1];
	json_t *payload;
	enum err e = ERR_MEMORY;

	zz_jti(jti);
	payload = json_pack("{s:s,s:s,s:I,s:I,s:s}", "request", d->view.request.id, "jti", jti,
	        "iat", (json_int_t)d->z->now, "exp", (json_int_t)(d->z->now + ORDER_LIFETIME_S_MAX),
	        "decision", d->reject ? "reject" : "approve");
	if (payload && d->view.frozen) {
		hex_encode(bytes_of(d->view.list.sha256, SHA256_BYTES), list);
		json_object_set_new(payload, "list_sha256", json_string(list));
	}
	if (payload && d->reason &&
	        json_object_set_new(payload, "reason", json_string(d->reason))) {
		json_decref(payload);
		return zz_usage(d->z, "--reason must be UTF-8 text");
	}
	if (payload)
		e = zz_sign(d->view.key, APPROVAL_TYP, payload, out, n);
	json_decref(payload);
	return e == ERR_OK ? ZZ_DONE : zz_fault(d->z, "signing", e);
}

static enum zz_exit
executed_say(const struct decide *d, const json_t *answer)
{
	struct zz_answer a = {.z = d->z, .request = &d->view.request, .dir = ""};

	if (d->view.request.request.type != REQUEST_ISSUE) /* whose names a centre needs */
		zz_answer_table(&a, answer);
	zz_answer_count(&a, answer);
	fprintf(d->z->out,
	        "Signed, and executed: %zu done, %zu refused. 已签署并执行：已办理 %zu，未通过 "
	        "%zu。\n",
	        a.done, a.refused, a.done, a.refused);
	return a.refused ? ZZ_SOME : ZZ_DONE;
}

static enum zz_exit
answer_say(const struct decide *d, const json_t *answer)
{
	struct bytes state = zz_text_of(answer, "state");

	if (bytes_equal_text(state, "rejected") && d->reject) {
		fputs("Rejected. 已驳回。\n", d->z->out);
		return ZZ_DONE;
	}
	if (bytes_equal_text(state, "waiting") && !d->reject) {
		fprintf(d->z->out,
		        "Signed. It waits for more: %lld of %lld. 已签署，尚需更多批准。\n",
		        (long long)zz_number_of(answer, "officials_signed"),
		        (long long)zz_number_of(answer, "officials_needed"));
		return ZZ_WAITS;
	}
	if (bytes_equal_text(state, "executed") && !d->reject)
		return executed_say(d, answer);
	fprintf(d->z->err, "zz: signed, but the request was not %s; its state 状态: ",
	        d->reject ? "rejected" : "executed");
	text_put(d->z->err, state);
	fputs("\n", d->z->err);
	return ZZ_REFUSED;
}

static enum zz_exit
decision_send(const struct decide *d)
{
	json_t *answer = NULL;
	enum zz_exit exit;
	uint8_t *text = NULL;
	unsigned status = 0;
	char path[110];
	size_t n = 0;

	if ((exit = decision_sign(d, &text, &n)) != ZZ_DONE)
		return exit;
	snprintf(path, sizeof path, "/v1/requests/%s/approvals", d->view.id);
	exit = zz_post(&d->view.service, path, bytes_of(text, n), &status, &answer, NULL);
	free(text);
	if (exit != ZZ_DONE)
		return exit;
	if (d->reject || (exit = zz_follow(&d->view.service, d->view.id, &answer)) == ZZ_DONE)
		exit = answer_say(d, answer);
	json_decref(answer);
	return exit;
}

/* Signed by this key before, and not done yet: what is left is to look on. */
static bool
is_under_way(const struct decide *d)
{
	return !d->reject && zz_view_is_mine(&d->view, true) &&
	       bytes_equal_text(zz_text_of(d->view.state, "state"), "approved");
}

static enum zz_exit
look_on(struct decide *d)
{
	enum zz_exit exit = zz_follow(&d->view.service, d->view.id, &d->view.state);

	return exit == ZZ_DONE ? answer_say(d, d->view.state) : exit;
}

static enum zz_exit
decide_run(struct decide *d, const struct zz_view_options *o)
{
	enum zz_exit exit;
	bool stop = true;

	if ((exit = zz_view_open(d->z, o, &d->view)) != ZZ_DONE)
		return exit;
	if (is_under_way(d))
		return look_on(d);
	if ((exit = state_check(d, &stop)) != ZZ_DONE || stop ||
	        (exit = zz_view_print(&d->view)) != ZZ_DONE)
		return exit;
	if (d->reject && d->reason) {
		fputs("reason    理由   ", d->z->out);
		text_put(d->z->out, bytes_of_text(d->reason));
		fputs("\n", d->z->out);
	}
	if (d->yes || asks_yes(d))
		return decision_send(d);
	fputs("\nNothing was signed. 未签名。\n", d->z->err);
	return ZZ_REFUSED;
}

static enum zz_exit
decide(const struct zz *z, bool reject, int argc, char **argv)
{
	const char *words[1];
	struct zz_view_options view = {.url = NULL};
	struct decide d = {.z = z, .reject = reject};
	const struct zz_option options[] = {{"--url", &view.url, NULL, true},
	        {"--key", &view.key_path, NULL, true}, {"--root", &view.root, NULL, false},
	        {"--yes", NULL, &d.yes, false}, {"--reason", &d.reason, NULL, false}};
	struct zz_args args = {
	        .options = options, .option_count = reject ? 5 : 4, .words = words, .words_max = 1};
	enum zz_exit exit;

	if ((exit = zz_args(z, argc, argv, &args)) != ZZ_DONE)
		return exit;
	if (args.word_count != 1)
		return zz_usage(z, "name one REQUEST: 64 hex digits (0-9 a-f)");
	if (d.reason && strlen(d.reason) > TEXT_BYTES_MAX)
		return zz_usage(z, "--reason has at most %d bytes", TEXT_BYTES_MAX);
	view.id = words[0];
	exit = decide_run(&d, &view);
	zz_view_close(&d.view);
	return exit;
}

enum zz_exit
zz_approve(const struct zz *z, int argc, char **argv)
{
	return decide(z, false, argc, argv);
}

enum zz_exit
zz_reject(const struct zz *z, int argc, char **argv)
{
	return decide(z, true, argc, argv);
}
