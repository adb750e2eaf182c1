/* monitor_print.c - what the monitor saw, for people and for programs. */
#include "monitor.h"

#include "date.h"

#include <inttypes.h>
#include <string.h>

static const struct {
	const char *word, *en, *zh;
} alarms[ALARM_COUNT] = {
#define X(id, word, en, zh) [id] = {word, en, zh},
        ALARM_LIST(X)
#undef X
};

const char *
alarm_word(enum alarm a)
{
	return alarms[a].word;
}

const char *
alarm_en(enum alarm a)
{
	return alarms[a].en;
}

const char *
alarm_zh(enum alarm a)
{
	return alarms[a].zh;
}

bool
monitor_shows(const struct monitor_options *o, const struct finding *f)
{
	return o->center == NULL || f->center[0] == '\0' || strcmp(f->center, o->center) == 0;
}

static bool
ours(const struct monitor_options *o, const char *center)
{
	return o->center == NULL || strcmp(center, o->center) == 0;
}

static void
time_text(int64_t t, char out[40])
{
	struct buf b = buf_init(out, 39);

	time_put_shanghai(&b, t);
	out[b.n] = '\0';
}

/* --- for programs --- */

static json_t *
findings_json(const struct monitor_options *o, const struct monitor_report *r)
{
	json_t *out = json_array();

	for (size_t i = 0; i < r->finding_count; i++) {
		const struct finding *f = &r->findings[i];
		json_t *row;

		if (!monitor_shows(o, f))
			continue;
		row = json_pack("{s:s,s:s,s:s,s:s}", "alarm", alarm_word(f->alarm), "en",
		        alarm_en(f->alarm), "zh", alarm_zh(f->alarm), "detail", f->detail);
		if (f->index != UINT64_MAX)
			json_object_set_new(row, "index", json_integer((json_int_t)f->index));
		if (f->list >= 0)
			json_object_set_new(row, "list", json_integer(f->list));
		if (f->center[0] != '\0')
			json_object_set_new(row, "center", json_string(f->center));
		json_array_append_new(out, row);
	}
	return out;
}

static json_t *
counts_json(const struct monitor_options *o, const struct monitor_state *s)
{
	json_t *out = json_array();

	for (size_t i = 0; i < s->count_count; i++) {
		const struct monitor_count *c = &s->counts[i];

		if (ours(o, c->center))
			json_array_append_new(
			        out, json_pack("{s:s,s:s,s:I,s:I,s:I}", "center", c->center, "item",
			                     c->item, "certificates", (json_int_t)c->certificates,
			                     "sessions", (json_int_t)c->requests, "night",
			                     (json_int_t)c->night));
	}
	return out;
}

static json_t *
requests_json(const struct monitor_state *s)
{
	json_t *out = json_array();

	for (size_t i = 0; i < s->request_count; i++) {
		const struct monitor_request *q = &s->requests[i];
		char hex[2 * SHA256_BYTES + 1];

		if (!q->fresh)
			continue;
		hex_encode(bytes_of(q->request, SHA256_BYTES), hex);
		json_array_append_new(
		        out, json_pack("{s:s,s:s,s:I,s:I,s:I}", "request", hex, "item", q->item,
		                     "time", (json_int_t)q->time, "index", (json_int_t)q->index,
		                     "certificates", (json_int_t)q->certificates));
	}
	return out;
}

json_t *
monitor_json(const struct monitor_options *o, const struct monitor_state *s,
        const struct monitor_report *r)
{
	json_t *out = json_pack("{s:s,s:I,s:I,s:I,s:o,s:I,s:o,s:{s:I,s:I,s:I,s:I}}", "end",
	        r->end == MONITOR_DONE ? "done" : err_word(r->e), "time", (json_int_t)o->now,
	        "size", (json_int_t)r->size, "new", (json_int_t)r->fresh, "alarms",
	        findings_json(o, r), "alarms_more", (json_int_t)r->finding_more, "counts",
	        counts_json(o, s), "decisions", "reinstated", (json_int_t)s->statuses[0], "invalid",
	        (json_int_t)s->statuses[1], "suspended", (json_int_t)s->statuses[2], "superseded",
	        (json_int_t)s->statuses[3]);

	if (out != NULL && o->center != NULL) {
		json_object_set_new(out, "center", json_string(o->center));
		json_object_set_new(out, "requests", requests_json(s));
	}
	return out;
}

/* --- for people --- */

static void
finding_print(FILE *to, const struct finding *f)
{
	fprintf(to, "ALARM 警报  %s\n  %s\n  %s\n ", alarm_word(f->alarm), alarm_zh(f->alarm),
	        alarm_en(f->alarm));
	if (f->center[0] != '\0')
		fprintf(to, " centre %s", f->center);
	if (f->index != UINT64_MAX)
		fprintf(to, " entry %" PRIu64, f->index);
	if (f->list >= 0)
		fprintf(to, " list %" PRId64, f->list);
	fprintf(to, "%s%s\n", f->detail[0] == '\0' ? "" : " ", f->detail);
}

static void
requests_print(FILE *to, const struct monitor_state *s)
{
	for (size_t i = 0; i < s->request_count; i++) {
		const struct monitor_request *q = &s->requests[i];
		char hex[2 * SHA256_BYTES + 1], when[40];

		if (!q->fresh)
			continue;
		hex_encode(bytes_of(q->request, SHA256_BYTES), hex);
		time_text(q->time, when);
		fprintf(to, "  %s item %s: %" PRIu64 " certificates 件, request %s\n", when,
		        q->item, q->certificates, hex);
	}
}

void
monitor_print(FILE *to, const struct monitor_options *o, const struct monitor_state *s,
        const struct monitor_report *r)
{
	char when[40];

	time_text(o->now, when);
	fprintf(to, "%s log 日志 %" PRIu64 " entries 条, new 新增 %" PRIu64 "\n", when, r->size,
	        r->fresh);
	for (size_t i = 0; i < r->finding_count; i++)
		if (monitor_shows(o, &r->findings[i]))
			finding_print(to, &r->findings[i]);
	if (r->finding_more > 0)
		fprintf(to, "ALARM 警报  and %" PRIu64 " more 另有若干\n", r->finding_more);
	for (size_t i = 0; r->fresh > 0 && i < s->count_count; i++) {
		const struct monitor_count *c = &s->counts[i];

		if (ours(o, c->center))
			fprintf(to,
			        "  centre 考试点 %s item 项目 %s: %" PRIu64 " certificates 证书, "
			        "%" PRIu64 " sessions 场次, %" PRIu64 " at night 夜间\n",
			        c->center, c->item, c->certificates, c->requests, c->night);
	}
	if (r->fresh > 0)
		fprintf(to,
		        "  decisions 决定: invalid 失效 %" PRIu64 ", suspended 暂停 %" PRIu64
		        ", reinstated 恢复 %" PRIu64 ", superseded 换发 %" PRIu64 "\n",
		        s->statuses[STATUS_INVALID], s->statuses[STATUS_SUSPENDED],
		        s->statuses[STATUS_VALID], s->statuses[STATUS_SUPERSEDED]);
	requests_print(to, s);
	fflush(to);
}
