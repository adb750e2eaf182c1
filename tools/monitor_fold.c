/* monitor_fold.c - one entry after the other: lists as the decisions make them, and what looks
 * wrong to someone who sees no names. */
#include "monitor.h"

#include "date.h"
#include "status.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { HOUR_S = 3600, NIGHT_FROM = 22, NIGHT_UNTIL = 6, HOURS_KEPT = 3 };

void
monitor_find(
        struct monitor_report *r, enum alarm a, uint64_t index, int64_t list, const char *detail)
{
	struct finding *f;

	if (r->finding_count == MONITOR_FINDINGS_MAX) {
		r->finding_more++;
		return;
	}
	f = &r->findings[r->finding_count++];
	*f = (struct finding){.alarm = a, .index = index, .list = list};
	snprintf(f->detail, sizeof f->detail, "%s", detail);
}

static void
find_center(struct monitor_report *r, enum alarm a, uint64_t index, const char *center,
        const char *detail)
{
	size_t at = r->finding_count;

	monitor_find(r, a, index, -1, detail);
	if (r->finding_count > at)
		snprintf(r->findings[at].center, MONITOR_CODE_MAX, "%s", center);
}

/* Room for one more; *rows may move. */
static enum err
grow(void **rows, size_t count, size_t *room, size_t each)
{
	size_t more = *room == 0 ? 64 : *room * 2;
	void *p;

	if (count < *room)
		return ERR_OK;
	if ((p = reallocarray(*rows, more, each)) == NULL)
		return ERR_MEMORY;
	*rows = p;
	*room = more;
	return ERR_OK;
}

static void
code_copy(char out[MONITOR_CODE_MAX], struct bytes code)
{
	snprintf(out, MONITOR_CODE_MAX, "%.*s", (int)code.n, (const char *)code.p);
}

/* --- certificates --- */

static enum err
count_of(struct monitor_state *s, const char *center, const char *item, struct monitor_count **out)
{
	enum err e;

	for (size_t i = s->count_count; i-- > 0;)
		if (strcmp(s->counts[i].center, center) == 0 &&
		        strcmp(s->counts[i].item, item) == 0) {
			*out = &s->counts[i];
			return ERR_OK;
		}
	if ((e = grow((void **)&s->counts, s->count_count, &s->count_room, sizeof *s->counts)) !=
	        ERR_OK)
		return e;
	*out = &s->counts[s->count_count++];
	memset(*out, 0, sizeof **out);
	snprintf((*out)->center, MONITOR_CODE_MAX, "%s", center);
	snprintf((*out)->item, MONITOR_CODE_MAX, "%s", item);
	return ERR_OK;
}

static enum err
hour_of(struct monitor_state *s, const char *center, int64_t hour, struct monitor_hour **out)
{
	size_t kept = 0;
	enum err e;

	for (size_t i = s->hour_count; i-- > 0;)
		if (s->hours[i].hour == hour && strcmp(s->hours[i].center, center) == 0) {
			*out = &s->hours[i];
			return ERR_OK;
		}
	for (size_t i = 0; i < s->hour_count; i++)
		if (s->hours[i].hour + HOURS_KEPT > s->newest / HOUR_S)
			s->hours[kept++] = s->hours[i];
	s->hour_count = kept;
	if ((e = grow((void **)&s->hours, s->hour_count, &s->hour_room, sizeof *s->hours)) !=
	        ERR_OK)
		return e;
	*out = &s->hours[s->hour_count++];
	memset(*out, 0, sizeof **out);
	snprintf((*out)->center, MONITOR_CODE_MAX, "%s", center);
	(*out)->hour = hour;
	return ERR_OK;
}

static void
requests_forget(struct monitor_state *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->request_count; i++)
		if (s->requests[i].fresh || s->requests[i].time + MONITOR_REQUESTS_S > s->newest)
			s->requests[kept++] = s->requests[i];
	s->request_count = kept;
}

static enum err
request_of(struct monitor_state *s, const struct entry *e, uint64_t index,
        struct monitor_request **out, bool *first)
{
	struct monitor_request *q;
	enum err fault;

	*first = false;
	for (size_t i = s->request_count; i-- > 0;)
		if (memcmp(s->requests[i].request, e->request, SHA256_BYTES) == 0) {
			*out = &s->requests[i];
			return ERR_OK;
		}
	if (s->request_count == s->request_room)
		requests_forget(s);
	if ((fault = grow((void **)&s->requests, s->request_count, &s->request_room,
	             sizeof *s->requests)) != ERR_OK)
		return fault;
	q = &s->requests[s->request_count++];
	*q = (struct monitor_request){.time = e->time, .index = index};
	memcpy(q->request, e->request, SHA256_BYTES);
	code_copy(q->center, e->center);
	code_copy(q->item, e->item);
	*out = q;
	*first = true;
	return ERR_OK;
}

static bool
known(const struct monitor_options *o, const uint8_t request[SHA256_BYTES])
{
	for (size_t i = 0; i < o->known_count; i++)
		if (memcmp(o->known[i], request, SHA256_BYTES) == 0)
			return true;
	return false;
}

static void
request_judge(const struct monitor_options *o, struct monitor_request *q, const struct entry *e,
        uint64_t index, bool first, struct monitor_report *r)
{
	static const uint8_t none[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1], center[MONITOR_CODE_MAX];

	hex_encode(bytes_of(q->request, SHA256_BYTES), hex);
	code_copy(center, e->center);
	if (memcmp(q->request, none, SHA256_BYTES) == 0)
		find_center(r, ALARM_NO_SESSION, index, center, "");
	if (!q->said &&
	        (e->time - q->time > MONITOR_SPREAD_S || q->time - e->time > MONITOR_SPREAD_S ||
	                strcmp(q->center, center) != 0)) {
		q->said = true;
		find_center(r, ALARM_SPREAD, index, center, hex);
	}
	if (first && o->center != NULL && o->known != NULL && strcmp(o->center, center) == 0 &&
	        !known(o, q->request))
		find_center(r, ALARM_UNKNOWN_REQUEST, index, center, hex);
}

static void
hour_judge(struct monitor_hour *h, bool night, uint64_t burst, uint64_t index,
        struct monitor_report *r)
{
	char when[40];
	struct buf b = buf_init(when, sizeof when - 1);

	time_put_shanghai(&b, h->hour * HOUR_S);
	when[b.n] = '\0';
	if (night && h->night++ == 0)
		find_center(r, ALARM_NIGHT, index, h->center, when);
	if (++h->certificates > burst && !h->said) {
		h->said = true;
		find_center(r, ALARM_BURST, index, h->center, when);
	}
}

static bool
is_night(int64_t time)
{
	int64_t hour = (time - date_shanghai_start(date_shanghai(time))) / HOUR_S;

	return hour >= NIGHT_FROM || hour < NIGHT_UNTIL;
}

static enum err
issue_fold(struct monitor_state *s, const struct monitor_options *o, const struct entry *e,
        uint64_t index, struct monitor_report *r)
{
	char center[MONITOR_CODE_MAX], item[MONITOR_CODE_MAX];
	struct monitor_request *q;
	struct monitor_count *c;
	struct monitor_hour *h;
	bool first, night = is_night(e->time);
	enum err fault;

	code_copy(center, e->center);
	code_copy(item, e->item);
	if ((fault = request_of(s, e, index, &q, &first)) != ERR_OK ||
	        (fault = count_of(s, center, item, &c)) != ERR_OK ||
	        (fault = hour_of(s, center, e->time / HOUR_S, &h)) != ERR_OK)
		return fault;
	q->fresh = q->fresh || (o->center != NULL && strcmp(o->center, center) == 0);
	q->certificates++;
	c->certificates++;
	c->requests += first;
	c->night += night;
	request_judge(o, q, e, index, first, r);
	hour_judge(h, night, o->burst, index, r);
	return ERR_OK;
}

/* --- decisions and lists --- */

static enum err
list_of(struct monitor_state *s, uint32_t n, struct monitor_list **out)
{
	struct monitor_list *grown;

	if (n >= SYNC_LISTS_MAX)
		return ERR_LIMIT;
	if (n >= s->list_count) {
		if ((grown = reallocarray(s->lists, n + 1U, sizeof *grown)) == NULL)
			return ERR_MEMORY;
		memset(grown + s->list_count, 0, (n + 1U - s->list_count) * sizeof *grown);
		s->lists = grown;
		s->list_count = n + 1U;
	}
	if (s->lists[n].raw == NULL && (s->lists[n].raw = calloc(1, LIST_BYTES)) == NULL)
		return ERR_MEMORY;
	*out = &s->lists[n];
	return ERR_OK;
}

static void
changes_forget(struct monitor_state *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->change_count; i++)
		if (s->changes[i].time + MONITOR_UNDO_S > s->newest)
			s->changes[kept++] = s->changes[i];
	s->change_count = kept;
}

static enum err
status_fold(
        struct monitor_state *s, const struct entry *e, uint64_t index, struct monitor_report *r)
{
	struct monitor_list *l;
	enum status before;
	enum err fault = list_of(s, e->list, &l);

	if (fault != ERR_OK)
		return fault;
	before = status_get(l->raw, e->idx);
	/* INVALID and SUPERSEDED are final */
	if ((before == STATUS_INVALID || before == STATUS_SUPERSEDED) && e->status != before)
		monitor_find(r, ALARM_UNDONE, index, (int64_t)e->list, "");
	if (s->change_count == s->change_room)
		changes_forget(s);
	if ((fault = grow((void **)&s->changes, s->change_count, &s->change_room,
	             sizeof *s->changes)) != ERR_OK)
		return fault;
	s->changes[s->change_count++] = (struct monitor_change){.index = index,
	        .time = s->newest,
	        .list = e->list,
	        .idx = e->idx,
	        .before = before};
	status_set(l->raw, e->idx, e->status);
	l->changed = true;
	s->statuses[e->status]++;
	return ERR_OK;
}

/* SHA-256 of the list as it was at `size`: newer changes are taken back, the newest first. */
static enum err
raw_hash_at(const struct monitor_state *s, uint32_t list, uint64_t size, uint8_t out[SHA256_BYTES])
{
	uint8_t *raw = malloc(LIST_BYTES);

	if (raw == NULL)
		return ERR_MEMORY;
	memcpy(raw, s->lists[list].raw, LIST_BYTES);
	for (size_t i = s->change_count; i-- > 0;)
		if (s->changes[i].list == list && s->changes[i].index >= size)
			status_set(raw, s->changes[i].idx, s->changes[i].before);
	sha256_one(bytes_of(raw, LIST_BYTES), out);
	free(raw);
	return ERR_OK;
}

static enum err
list_fold(struct monitor_state *s, const struct entry *e, uint64_t index, struct monitor_report *r)
{
	static const uint8_t none[SHA256_BYTES];
	struct monitor_list *l;
	const uint8_t *previous;
	uint8_t hash[SHA256_BYTES];
	enum err fault;

	if ((fault = list_of(s, e->list, &l)) != ERR_OK ||
	        (fault = raw_hash_at(s, e->list, e->tree_size, hash)) != ERR_OK)
		return fault;
	if (e->tree_size > index || memcmp(hash, e->raw_sha256, SHA256_BYTES) != 0)
		monitor_find(r, ALARM_LIST_FOLD, index, (int64_t)e->list, "");
	previous = l->count == 0 ? none : l->versions[l->count - 1].cwt;
	if (memcmp(previous, e->previous_sha256, SHA256_BYTES) != 0 ||
	        (l->count > 0 && e->sequence <= l->versions[l->count - 1].sequence))
		monitor_find(r, ALARM_LIST_FOLD, index, (int64_t)e->list,
		        "it does not follow the version before it");
	if (l->count == MONITOR_VERSIONS) {
		memmove(l->versions, l->versions + 1,
		        (MONITOR_VERSIONS - 1) * sizeof l->versions[0]);
		l->count--;
	}
	l->versions[l->count] = (struct monitor_version){.index = index, .sequence = e->sequence};
	memcpy(l->versions[l->count].raw, e->raw_sha256, SHA256_BYTES);
	memcpy(l->versions[l->count].cwt, e->cwt_sha256, SHA256_BYTES);
	l->count++;
	return ERR_OK;
}

static void
manifest_fold(struct monitor_state *s, const struct entry *e)
{
	if (s->manifest_count == MONITOR_MANIFESTS) {
		memmove(s->manifests, s->manifests + 1,
		        (MONITOR_MANIFESTS - 1) * sizeof s->manifests[0]);
		s->manifest_count--;
	}
	memcpy(s->manifests[s->manifest_count++], e->sha256, SHA256_BYTES);
}

static void
time_judge(struct monitor_state *s, const struct monitor_options *o, const struct entry *e,
        uint64_t index, struct monitor_report *r)
{
	int64_t t = entry_time(e);
	char center[MONITOR_CODE_MAX] = "", detail[60];

	if (e->type == ENTRY_ISSUE)
		code_copy(center, e->center);
	if (t + ENTRY_AGE_S_MAX < s->newest) {
		snprintf(detail, sizeof detail, "%" PRId64 " s", s->newest - t);
		find_center(r, ALARM_TIME_BACK, index, center, detail);
	}
	if (t > o->now + SEQUENCE_AHEAD_S_MAX) {
		snprintf(detail, sizeof detail, "%" PRId64 " s", t - o->now);
		find_center(r, ALARM_FUTURE, index, center, detail);
	}
	if (t > s->newest)
		s->newest = t;
}

enum err
monitor_fold(struct monitor_state *s, const struct monitor_options *o, struct bytes bytes,
        struct monitor_report *r)
{
	uint64_t index = s->frontier.size;
	struct merkle_hash leaf;
	struct entry e;
	enum err fault;

	merkle_leaf(bytes, &leaf);
	merkle_append(&s->frontier, &leaf);
	/* a type of later years changes no status; anything else that cannot be read is no entry */
	if ((fault = entry_decode(bytes, &e)) != ERR_OK) {
		if (fault != ERR_TYPE_UNKNOWN)
			monitor_find(r, ALARM_ENTRIES, index, -1, "an entry cannot be read");
		return ERR_OK;
	}
	time_judge(s, o, &e, index, r);
	switch (e.type) {
	case ENTRY_ISSUE:
		return issue_fold(s, o, &e, index, r);
	case ENTRY_STATUS:
		return status_fold(s, &e, index, r);
	case ENTRY_LIST:
		return list_fold(s, &e, index, r);
	case ENTRY_MANIFEST:
		manifest_fold(s, &e);
		return ERR_OK;
	case ENTRY_GENESIS:
	case ENTRY_ROSTER:
	case ENTRY_CUTOFF:
	case ENTRY_STOP:
	default:
		return ERR_OK;
	}
}
