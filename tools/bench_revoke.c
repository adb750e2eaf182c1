/* bench_revoke.c - certificates are issued, then revoked one by one at a steady pace while others
 * are issued as fast as the service answers, and a reader of the public head says when each is out.
 */
#include "bench_revoke.h"

#include "base64.h"
#include "bench_child.h"
#include "bench_order.h"
#include "bench_watch.h"
#include "json.h"
#include "record.h"
#include "zz_cmd.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SEATS = 50, TRIES = 20 };

struct live {
	const struct bench_revocations *r;
	struct client *client;
	struct bench_watch watch;
	struct bench_result loaded;
	enum err load_fault;
};

static void
pause_until(double at)
{
	double left = at - bench_clock_s();
	const struct timespec t = {(time_t)left, (long)((left - (double)(time_t)left) * 1e9)};

	if (left > 0)
		nanosleep(&t, NULL);
}

/* Sent again while the service is busy. */
static enum err
post(struct live *v, const char *path, struct bytes jws, unsigned want, struct client_reply *reply)
{
	for (int i = 0; i < TRIES; i++) {
		enum err e = client_post(
		        v->client, path, "application/jose", jws, ZZ_REPLY_BYTES_MAX, reply);

		if (e == ERR_OK && reply->status == want)
			return ERR_OK;
		if (e == ERR_OK && reply->status < 500 && reply->status != 429) {
			fprintf(stderr, "zz-bench: %s answers %u: %.*s\n", path, reply->status,
			        (int)(reply->body.n > 300 ? 300 : reply->body.n),
			        (const char *)reply->body.p);
			return ERR_VALUE;
		}
		pause_until(bench_clock_s() + 0.2);
	}
	return ERR_IO;
}

/* The certificates to be revoked */

static enum err
target_take(struct bench_target *t, const json_t *seat)
{
	struct bytes text = zz_text_of(seat, "record");
	uint8_t room[RECORD_BYTES_MAX];
	struct buf bare = BUF_OF(room);
	struct cose_sign1 m;
	struct record r;
	enum err e;

	if ((e = base64url_get(text, &bare)) != ERR_OK ||
	        (e = record_open(buf_bytes(&bare), false, &m, &r)) != ERR_OK)
		return e;
	memcpy(t->serial, r.cti.p, sizeof t->serial);
	t->list = r.list;
	t->idx = r.idx;
	return ERR_OK;
}

static enum err
session_issue(struct live *v, struct bench_plan *plan, unsigned first)
{
	size_t room = BENCH_HEAD_BYTES + (size_t)plan->seats * BENCH_SEAT_BYTES;
	struct buf payload = buf_init(malloc(room), room),
	           jws = buf_init(malloc(2 * room), 2 * room);
	struct client_reply reply;
	json_t *answer = NULL;
	enum err e = payload.p == NULL || jws.p == NULL ? ERR_MEMORY : ERR_OK;

	if (e == ERR_OK)
		e = bench_session_sign(plan, v->r->load.key, first, &payload, &jws);
	if (e == ERR_OK)
		e = post(v, "/v1/requests", buf_bytes(&jws), 201, &reply);
	if (e == ERR_OK)
		e = json_read(reply.body, ZZ_REPLY_BYTES_MAX, &answer);
	for (unsigned i = 0; e == ERR_OK && i < plan->seats; i++)
		e = target_take(&v->watch.targets[first + i],
		        json_array_get(json_object_get(answer, "seats"), i));
	json_decref(answer);
	free(payload.p);
	free(jws.p);
	return e;
}

static enum err
targets_issue(struct live *v)
{
	struct bench_plan plan = v->r->load.plan;
	enum err e = ERR_OK;

	plan.start += bench_people() / 2; /* others than the load's */
	plan.run[0] = plan.run[0] == '0' ? '1' : '0';
	for (unsigned i = 0; e == ERR_OK && i < v->r->count; i += plan.seats) {
		plan.seats = v->r->count - i < SEATS ? v->r->count - i : SEATS;
		e = session_issue(v, &plan, i);
	}
	return e;
}

/* The revocations */

static enum err
target_revoke(struct live *v, struct bench_target *t)
{
	uint8_t request_room[BENCH_ORDER_BYTES], approval_room[BENCH_ORDER_BYTES];
	struct buf request = BUF_OF(request_room), approval = BUF_OF(approval_room);
	int64_t now = v->r->load.plan.now;
	struct client_reply reply;
	char id[65], path[110];
	enum err e;

	if ((e = bench_revoke_sign(v->r->official, now, t->serial, &request)) != ERR_OK ||
	        (e = bench_request_id(buf_bytes(&request), id)) != ERR_OK ||
	        (e = bench_approve_sign(v->r->approver, now, buf_bytes(&request), &approval)) !=
	                ERR_OK ||
	        (e = post(v, "/v1/requests", buf_bytes(&request), 202, &reply)) != ERR_OK)
		return e;
	snprintf(path, sizeof path, "/v1/requests/%s/approvals", id);
	pthread_mutex_lock(&v->watch.lock);
	t->asked_s = bench_clock_s();
	pthread_mutex_unlock(&v->watch.lock);
	return post(v, path, buf_bytes(&approval), 200, &reply);
}

static enum err
targets_revoke(struct live *v)
{
	double start = bench_clock_s(), end;
	enum err e = ERR_OK;

	for (unsigned i = 0; e == ERR_OK && i < v->r->count; i++) {
		pause_until(start + (double)i / BENCH_PER_SECOND);
		e = target_revoke(v, &v->watch.targets[i]);
	}
	for (end = bench_clock_s() + BENCH_WAIT_S;
	        e == ERR_OK && bench_watch_open_count(&v->watch) > 0;) {
		if (bench_clock_s() > end)
			return ERR_DEADLINE;
		pause_until(bench_clock_s() + 0.1);
	}
	return e;
}

static void *
load_run(void *arg)
{
	struct live *v = arg;

	v->load_fault = bench_run(&v->r->load, &v->loaded);
	return NULL;
}

static enum err
loaded_revoke(struct live *v)
{
	pthread_t load;
	enum err e;

	if (pthread_create(&load, NULL, load_run, v) != 0)
		return ERR_MEMORY;
	e = targets_revoke(v);
	pthread_join(load, NULL);
	return e == ERR_OK ? v->load_fault : e;
}

/* A load that met the centre's cap was none. */
static uint64_t
refused_count(const struct bench_result *r)
{
	uint64_t n = 0;

	for (size_t i = 0; i < BENCH_CODES_MAX; i++)
		n += r->codes[i].count;
	return n;
}

static enum err
rows_add(const struct live *v, struct bench_goals *g)
{
	unsigned n = v->r->count;
	double *s = calloc(n, sizeof *s);

	if (s == NULL)
		return ERR_MEMORY;
	for (unsigned i = 0; i < n; i++)
		s[i] = v->watch.targets[i].public_s - v->watch.targets[i].asked_s;
	qsort(s, n, sizeof *s, bench_double_order);
	bench_goal_add(g, (struct bench_row){"revocations",
	                          "revocations, each by two officials, five a second", "", 0, n});
	bench_goal_add(g, (struct bench_row){"load_certificates_per_second",
	                          "  certificates issued meanwhile", "1/s", 0,
	                          (double)v->loaded.certificates / v->loaded.seconds});
	bench_goal_add(g, (struct bench_row){"load_refused", "  refused or not answered of that",
	                          "", 0, (double)refused_count(&v->loaded)});
	bench_goal_add(g,
	        (struct bench_row){"p50_s", "approval sent to INVALID under the public head: p50",
	                "s", 0, s[(n - 1) / 2]});
	bench_goal_add(g, (struct bench_row){"p99_s", "  p99", "s", 60, s[(n - 1) * 99 / 100]});
	bench_goal_add(g, (struct bench_row){"max_s", "  the longest", "s", 0, s[n - 1]});
	bench_goal_add(g, (struct bench_row){"heads", "  heads published in that time", "", 0,
	                          v->watch.heads});
	free(s);
	return ERR_OK;
}

enum err
bench_revoke_live(const struct bench_revocations *r, struct bench_goals *out)
{
	struct live *v = calloc(1, sizeof *v);
	enum err e = v == NULL ? ERR_MEMORY : client_open(r->load.url, &v->client);

	if (e != ERR_OK)
		goto out;
	v->r = r;
	v->watch.url = r->load.url;
	v->watch.count = r->count;
	if ((v->watch.targets = calloc(r->count, sizeof *v->watch.targets)) == NULL) {
		e = ERR_MEMORY;
		goto out;
	}
	if ((e = targets_issue(v)) != ERR_OK || (e = bench_watch_start(&v->watch)) != ERR_OK)
		goto out;
	e = loaded_revoke(v);
	bench_watch_end(&v->watch);
	if (e == ERR_OK && (e = v->watch.fault) == ERR_OK)
		e = rows_add(v, out);
out:
	if (v != NULL) {
		client_free(v->client);
		free(v->watch.targets);
	}
	free(v);
	return e;
}
