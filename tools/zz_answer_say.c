/* zz_answer_say.c - the service's answer in words: a row for each seat or certificate, or counts
 * where there are too many, and what comes next. */
#include "rules.h"
#include "zz_answer.h"
#include "zz_text.h"

enum { NAME_CELLS = 22 };

static const struct request_seat *
seat_find(const struct request *r, int64_t number)
{
	for (size_t i = 0; i < r->seat_count; i++)
		if (r->seats[i].seat == number)
			return &r->seats[i];
	return NULL;
}

/* Does the answer hold seats: new certificates? */
static bool
has_seats(const struct zz_answer *a)
{
	enum request_type t = a->request->request.type;

	return t == REQUEST_ISSUE || t == REQUEST_REPLACE;
}

void
zz_outcome_put(FILE *to, struct bytes code)
{
	enum outcome o;

	for (o = 0; o < OUTCOME_COUNT; o++) {
		if (!bytes_equal_text(code, outcome_word(o)))
			continue;
		fprintf(to, "%s %s", outcome_zh(o), outcome_en(o));
		return;
	}
	text_put(to, code);
}

static bool
outcome_is_good(struct bytes code)
{
	static const char *const good[] = {"issued", "revoked", "already", "suspended",
	        "hold_confirmed", "reinstated", "stopped", "resumed", "deregistered", "superseded"};

	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		if (bytes_equal_text(code, good[i]))
			return true;
	}
	return false;
}

/* Serial of the certificate; stop and resume have none, but a centre or key. */
static void
subject_put(const struct zz_answer *a, const json_t *row)
{
	const struct request *r = &a->request->request;
	bool target = r->type == REQUEST_STOP || r->type == REQUEST_RESUME;

	if (target)
		text_put(a->z->out, r->center);
	else
		text_column(a->z->out, zz_text_of(row, "serial"), 32);
}

static void
row_print(struct zz_answer *a, const json_t *row)
{
	const struct request_seat *seat =
	        seat_find(&a->request->request, zz_number_of(row, "seat"));
	struct bytes code = zz_text_of(row, "outcome");
	FILE *to = a->z->out;

	if (seat) {
		fprintf(to, "%5u  ", seat->seat);
		text_column(to, seat->name, NAME_CELLS);
		fputs("  ", to);
	}
	subject_put(a, row);
	fputs("  ", to);
	zz_outcome_put(to, code);
	if (zz_number_of(row, "decided") >= 0) {
		fputs(" ", to);
		text_put_time(to, zz_number_of(row, "decided"));
	}
	if (!outcome_is_good(code)) {
		fputs(" (", to);
		text_put(to, code);
		fputs(")", to);
	}
	fputs("\n", to);
}

static void
seats_head(FILE *to)
{
	text_column(to, BYTES_LIT(" Seat  Name"), 7 + NAME_CELLS + 2);
	fprintf(to, "%-32s  Outcome\n", "Serial");
	text_column(to, BYTES_LIT(" 座位  姓名"), 7 + NAME_CELLS + 2);
	text_column(to, BYTES_LIT("序列号"), 32);
	fputs("  结果\n", to);
}

static void
outcomes_print(const struct zz_answer *a, const json_t *outcomes)
{
	for (size_t i = 0; i < json_array_size(outcomes); i++) {
		const json_t *row = json_array_get(outcomes, i);

		fprintf(a->z->out, "%8lld  ", (long long)zz_number_of(row, "count"));
		zz_outcome_put(a->z->out, zz_text_of(row, "outcome"));
		fputs("\n", a->z->out);
	}
}

void
zz_answer_table(struct zz_answer *a, const json_t *answer)
{
	const json_t *outcomes = json_object_get(answer, "outcomes");
	const json_t *rows = json_object_get(answer, has_seats(a) ? "seats" : "certificates");

	outcomes_print(a, outcomes);
	if (a->request->request.type == REQUEST_ISSUE)
		seats_head(a->z->out);
	if (outcomes && json_array_size(rows))
		fputs("Those that were not changed (the first 1000) 未变更的（前 1000 件）:\n",
		        a->z->out);
	for (size_t i = 0; i < json_array_size(rows); i++)
		row_print(a, json_array_get(rows, i));
}

/* Of many, the counts are the answer and only those not changed have a row. */
static void
outcomes_count(struct zz_answer *a, const json_t *outcomes)
{
	for (size_t i = 0; i < json_array_size(outcomes); i++) {
		const json_t *row = json_array_get(outcomes, i);
		int64_t n = zz_number_of(row, "count");

		if (n > 0 && outcome_is_good(zz_text_of(row, "outcome")))
			a->done += (size_t)n;
		else if (n > 0)
			a->refused += (size_t)n;
	}
}

void
zz_answer_count(struct zz_answer *a, const json_t *answer)
{
	const json_t *outcomes = json_object_get(answer, "outcomes");
	const json_t *rows = json_object_get(answer, has_seats(a) ? "seats" : "certificates");

	a->done = a->refused = 0;
	if (outcomes) {
		outcomes_count(a, outcomes);
		return;
	}
	for (size_t i = 0; i < json_array_size(rows); i++) {
		if (outcome_is_good(zz_text_of(json_array_get(rows, i), "outcome")))
			a->done++;
		else
			a->refused++;
	}
}

static enum zz_exit
waits_say(const struct zz_answer *a, const json_t *answer, const char *url)
{
	int64_t needed = zz_number_of(answer, "officials_needed"),
	        have = zz_number_of(answer, "officials_signed");

	if (zz_number_of(answer, "count") >= 0) {
		fprintf(a->z->err, "List of %lld certificates, SHA-256 已固定证书清单 ",
		        (long long)zz_number_of(answer, "count"));
		text_put(a->z->err, zz_text_of(answer, "list_sha256"));
		fputs("\n", a->z->err);
	}
	fprintf(a->z->err,
	        "Waits for approval: %lld of %lld officials have signed. 等待批准：需 %lld "
	        "人，已签 %lld 人。\n"
	        "Next, another official runs 请另一名监管人员运行:\n"
	        "    zz approve --url %s --key KEY.pem %s\n",
	        (long long)have, (long long)needed, (long long)needed, (long long)have, url,
	        a->request->id);
	return ZZ_WAITS;
}

/* The counts stand in the last line: scripts and people look there. */
static void
summary_print(const struct zz_answer *a)
{
	bool seats = has_seats(a);

	fprintf(a->z->out, "\nrequest %s\nfolder  %s\n", a->request->id, a->dir);
	fprintf(a->z->out, "%zu %s, %zu refused, of %zu. %s %zu，未通过 %zu，共 %zu。\n", a->done,
	        seats ? "issued" : "done", a->refused, a->done + a->refused,
	        seats ? "已签发" : "已办理", a->done, a->refused, a->done + a->refused);
}

enum zz_exit
zz_answer_say(struct zz_answer *a, const json_t *answer, const struct bytes *raw, const char *url)
{
	struct bytes state = zz_text_of(answer, "state");
	bool executed = bytes_equal_text(state, "executed");

	if (raw) {
		fwrite(raw->p, 1, raw->n, a->z->out);
		fputs("\n", a->z->out);
	} else if (executed) {
		zz_answer_table(a, answer);
	}
	if (bytes_equal_text(state, "waiting")) {
		if (!raw)
			fprintf(a->z->out, "request %s\n", a->request->id);
		return waits_say(a, answer, url);
	}
	if (bytes_equal_text(state, "approved")) {
		fprintf(a->z->err,
		        "All signatures are there, and it is being executed: zz show --url %s "
		        "--key "
		        "KEY.pem %s\n",
		        url, a->request->id);
		return ZZ_WAITS;
	}
	if (!executed) {
		fputs("zz: the request was not executed; its state 状态: ", a->z->err);
		text_put(a->z->err, state);
		fputs("\n", a->z->err);
		return ZZ_REFUSED;
	}
	zz_answer_count(a, answer);
	if (a->unproved)
		fprintf(a->z->err,
		        "%zu certificates came without their proof from the log; they are valid. "
		        "Run again "
		        "in a minute for the .bundle files. 日志证明稍后可重新运行获取。\n",
		        a->unproved);
	if (!raw)
		summary_print(a);
	return a->refused ? ZZ_SOME : ZZ_DONE;
}
