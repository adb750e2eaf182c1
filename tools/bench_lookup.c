/* bench_lookup.c - an official looks certificates up, by serial number and by document; each
 * question has its own token. */
#include "bench_part.h"

#include "date.h"
#include "document.h"
#include "jws.h"
#include "limits.h"
#include "request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { QUESTIONS = 2000, TOKEN_BYTES = 1024, CONNECTIONS = 8 };

struct question {
	char path[64], document[BENCH_NUMBER + 1]; /* document: empty, or asked for */
};

/* What the two ways differ in. */
struct way {
	const char *rate_name, *rate_what, *p99_name, *p99_what, *needle;
	enum err (*ask)(struct bench_run *r, struct question *out);
};

static enum err
serial_ask(struct bench_run *r, struct question *out)
{
	static const char sql[] =
	        "SELECT string_agg(encode(c.serial, 'hex'), '') FROM (SELECT (n * 7919 % h.size) "
	        "AS "
	        "idx FROM generate_series(1, 4000) n, zz.log_head h) d JOIN zz.certificate c USING "
	        "(idx)";
	size_t room = 4000 * 32 + 2, n;
	char *text = malloc(room);
	enum err e = text == NULL ? ERR_MEMORY : bench_sql_text(&r->in, "zz", sql, text, room);

	n = e == ERR_OK ? strlen(text) / 32 : 0;
	for (size_t i = 0; n > 0 && i < QUESTIONS; i++)
		snprintf(out[i].path, sizeof out[i].path, "/v1/certificates/%.32s",
		        text + i % n * 32);
	free(text);
	return e != ERR_OK ? e : n > 0 ? ERR_OK : ERR_NOT_FOUND;
}

/* Those whom zz-bench fill issued to, and others: a person who has none is asked for too. */
static enum err
holder_ask(struct bench_run *r, struct question *out)
{
	char sex;
	double held = 0;
	enum err e = bench_sql_number(&r->in, "zz", "SELECT count(*) FROM zz.certificate", &held);

	for (size_t i = 0; e == ERR_OK && i < QUESTIONS; i++) {
		bench_number((uint64_t)i * 7919 % ((uint64_t)held + 1), out[i].document, &sex);
		snprintf(out[i].path, sizeof out[i].path, "/v1/holder");
	}
	return e;
}

static const struct way ways[] = {
        {"serial_per_second", "look-up by serial, receipt included", "serial_p99_ms",
                "  p99 at 2,000/s offered", "\"receipt\"", serial_ask},
        {"holder_per_second", "look-up by document", "holder_p99_ms", "  p99 at 2,000/s offered",
                "\"certificates\"", holder_ask}};

static enum err
question_sign(struct bench_run *r, const struct question *q, struct bench_shots *shots)
{
	char payload[300], token[TOKEN_BYTES];
	struct buf room = BUF_OF(token);
	int64_t now = r->now + (int64_t)(bench_clock_s() - r->began);
	enum err e;

	snprintf(payload, sizeof payload, "{\"aud\":\"%s\",%s%s%s\"exp\":%lld,\"iat\":%lld}",
	        q->path, q->document[0] != '\0' ? "\"document\":\"" : "", q->document,
	        q->document[0] != '\0' ? "\",\"type\":\"01\"," : "",
	        (long long)(now + QUERY_LIFETIME_S_MAX), (long long)now);
	buf_put_text(&room, "Bearer ");
	if ((e = jws_sign(r->official, QUERY_TYP, bytes_of_text(payload), &room)) != ERR_OK)
		return e;
	buf_put_u8(&room, 0);
	return buf_end(&room) == ERR_OK ? bench_shot_get(shots, q->path, token) : ERR_LIMIT;
}

/* As fast as it answers, and at half the goal's rate for the times. */
static enum err
way_drive(struct bench_run *r, const struct way *w, const struct bench_shots *shots)
{
	double rate[BENCH_ROUNDS], p99[BENCH_ROUNDS];
	struct bench_driven got;
	enum err e = ERR_OK;

	for (unsigned i = 0; e == ERR_OK && i < 2 * BENCH_ROUNDS; i++) {
		const struct bench_drive d = {.port = r->in.port,
		        .connections = CONNECTIONS,
		        .rate = i % 2 != 0 ? 2000 : 0,
		        .seconds = r->in.seconds,
		        .again = true,
		        .needle = w->needle,
		        .shots = shots};

		if ((e = bench_drive(&d, &got)) != ERR_OK)
			break;
		/* each answer must be what was asked for; a document may find several */
		if (got.refused > 0 || got.needles < got.answered) {
			fprintf(stderr, "zz-bench: %llu refused (HTTP %u), %llu of %llu found\n",
			        (unsigned long long)got.refused, got.refusal,
			        (unsigned long long)got.needles, (unsigned long long)got.answered);
			return ERR_VALUE;
		}
		if (i % 2 == 0)
			rate[i / 2] = (double)got.answered / got.seconds;
		else
			p99[i / 2] = got.p99_ms;
	}
	if (e != ERR_OK)
		return e;
	bench_goal_add(r->goals, (struct bench_row){w->rate_name, w->rate_what, "1/s",
	                                 BENCH_AT_LEAST(4000), bench_median(rate, BENCH_ROUNDS)});
	bench_goal_add(r->goals, (struct bench_row){w->p99_name, w->p99_what, "ms", 5,
	                                 bench_median(p99, BENCH_ROUNDS)});
	return ERR_OK;
}

enum err
bench_part_lookup(struct bench_run *r)
{
	struct question *questions = calloc(QUESTIONS, sizeof *questions);
	enum err e = questions == NULL ? ERR_MEMORY : ERR_OK;
	double held = 0;

	if (e == ERR_OK)
		e = bench_sql_number(&r->in, "zz", "SELECT count(*) FROM zz.certificate", &held);
	if (e == ERR_OK)
		bench_row(r, "lookup_rows", "certificates in the table", "", held);
	for (size_t w = 0; e == ERR_OK && w < sizeof ways / sizeof ways[0]; w++) {
		struct bench_shots shots = {0};

		memset(questions, 0, QUESTIONS * sizeof *questions);
		if ((e = ways[w].ask(r, questions)) == ERR_OK)
			e = bench_shots_init(&shots, QUESTIONS, TOKEN_BYTES + 100);
		for (size_t i = 0; e == ERR_OK && i < QUESTIONS; i++)
			e = question_sign(r, &questions[i], &shots);
		if (e == ERR_OK)
			e = way_drive(r, &ways[w], &shots);
		bench_shots_free(&shots);
	}
	free(questions);
	return e;
}
