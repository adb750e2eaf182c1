/* monitor_state.c - what the monitor has learned, in its folder: monitor.json names everything and
 * is written last, so a pass counts whole or not at all. */
#include "monitor.h"

#include "status.h"
#include "verify_state.h"

#include <stdlib.h>
#include <string.h>

enum { STATE_BYTES_MAX = 256 * 1024 * 1024 };

#define STATE_NAME "monitor.json"

/* --- writing --- */

static json_t *
hex_json(const uint8_t hash[SHA256_BYTES])
{
	char hex[2 * SHA256_BYTES + 1];

	hex_encode(bytes_of(hash, SHA256_BYTES), hex);
	return json_string(hex);
}

static json_t *
frontier_json(const struct merkle_frontier *f)
{
	json_t *out = json_array();

	for (unsigned i = 0; i < 64; i++)
		if ((f->size >> i & 1) != 0)
			json_array_append_new(out, hex_json(f->level[i].b));
	return out;
}

static json_t *
lists_json(const struct monitor_state *s)
{
	json_t *out = json_array();

	for (size_t n = 0; n < s->list_count; n++) {
		json_t *versions = json_array();

		for (size_t i = 0; i < s->lists[n].count; i++) {
			const struct monitor_version *v = &s->lists[n].versions[i];

			json_array_append_new(
			        versions, json_pack("[I,I,o,o]", (json_int_t)v->index,
			                          (json_int_t)v->sequence, hex_json(v->raw),
			                          hex_json(v->cwt)));
		}
		json_array_append_new(out, json_pack("{s:o,s:o}", "raw", hex_json(s->lists[n].kept),
		                                   "versions", versions));
	}
	return out;
}

static json_t *
changes_json(const struct monitor_state *s)
{
	json_t *out = json_array();

	for (size_t i = 0; i < s->change_count; i++) {
		const struct monitor_change *c = &s->changes[i];

		if (c->time + MONITOR_UNDO_S > s->newest)
			json_array_append_new(
			        out, json_pack("[I,I,I,I,I]", (json_int_t)c->index,
			                     (json_int_t)c->time, (json_int_t)c->list,
			                     (json_int_t)c->idx, (json_int_t)c->before));
	}
	return out;
}

static json_t *
counts_json(const struct monitor_state *s)
{
	json_t *out = json_array();

	for (size_t i = 0; i < s->count_count; i++) {
		const struct monitor_count *c = &s->counts[i];

		json_array_append_new(out,
		        json_pack("[s,s,I,I,I]", c->center, c->item, (json_int_t)c->certificates,
		                (json_int_t)c->requests, (json_int_t)c->night));
	}
	return out;
}

static json_t *
requests_json(const struct monitor_state *s)
{
	json_t *out = json_array();

	for (size_t i = 0; i < s->request_count; i++) {
		const struct monitor_request *q = &s->requests[i];

		if (q->time + MONITOR_REQUESTS_S > s->newest)
			json_array_append_new(
			        out, json_pack("[o,s,s,I,I,I,b]", hex_json(q->request), q->center,
			                     q->item, (json_int_t)q->time, (json_int_t)q->index,
			                     (json_int_t)q->certificates, q->said));
	}
	return out;
}

static json_t *
hours_json(const struct monitor_state *s)
{
	json_t *out = json_array();

	for (size_t i = 0; i < s->hour_count; i++) {
		const struct monitor_hour *h = &s->hours[i];

		json_array_append_new(
		        out, json_pack("[s,I,I,I,b]", h->center, (json_int_t)h->hour,
		                     (json_int_t)h->certificates, (json_int_t)h->night, h->said));
	}
	return out;
}

static json_t *
state_json(const struct monitor_state *s)
{
	json_t *manifests = json_array();

	for (size_t i = 0; i < s->manifest_count; i++)
		json_array_append_new(manifests, hex_json(s->manifests[i]));
	return json_pack("{s:I,s:I,s:I,s:I,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:[I,I,I,I]}", "size",
	        (json_int_t)s->frontier.size, "newest", (json_int_t)s->newest, "head",
	        (json_int_t)s->head_sequence, "manifest", (json_int_t)s->manifest_version,
	        "frontier", frontier_json(&s->frontier), "manifests", manifests, "lists",
	        lists_json(s), "changes", changes_json(s), "counts", counts_json(s), "requests",
	        requests_json(s), "hours", hours_json(s), "statuses", (json_int_t)s->statuses[0],
	        (json_int_t)s->statuses[1], (json_int_t)s->statuses[2], (json_int_t)s->statuses[3]);
}

static enum err
lists_write(const char *dir, struct monitor_state *s)
{
	char name[STATE_NAME_MAX];
	enum err e = ERR_OK;

	for (size_t n = 0; e == ERR_OK && n < s->list_count; n++) {
		struct monitor_list *l = &s->lists[n];

		if (l->raw == NULL || !l->changed)
			continue;
		sha256_one(bytes_of(l->raw, LIST_BYTES), l->kept);
		state_raw_name((uint32_t)n, l->kept, name);
		if ((e = state_write(dir, name, bytes_of(l->raw, LIST_BYTES))) == ERR_OK)
			l->changed = false;
	}
	return e;
}

/* Raw lists that monitor.json names now stay; the sweep asks for no others. */
static bool
raw_named(void *ctx, const char *name)
{
	const struct monitor_state *s = ctx;
	char want[STATE_NAME_MAX];

	for (size_t n = 0; n < s->list_count; n++) {
		state_raw_name((uint32_t)n, s->lists[n].kept, want);
		if (strcmp(name, want) == 0)
			return true;
	}
	return strncmp(name, "lists/", 6) != 0;
}

enum err
monitor_save(const char *dir, struct monitor_state *s)
{
	enum err e = lists_write(dir, s);
	json_t *object = e == ERR_OK ? state_json(s) : NULL;
	char *text = object == NULL ? NULL : json_dumps(object, JSON_COMPACT);

	if (e == ERR_OK)
		e = text == NULL ? ERR_MEMORY
		                 : state_write(dir, STATE_NAME, bytes_of(text, strlen(text)));
	free(text);
	json_decref(object);
	if (e == ERR_OK)
		state_sweep(dir, raw_named, s);
	return e;
}

/* --- reading: our own file, so a wrong form is damage --- */

static bool
hex_read(const json_t *v, uint8_t out[SHA256_BYTES])
{
	const char *text = json_string_value(v);

	return text != NULL && hex_decode(bytes_of_text(text), out, SHA256_BYTES) == ERR_OK;
}

static uint64_t
number(const json_t *array, size_t i)
{
	return (uint64_t)json_integer_value(json_array_get(array, i));
}

static bool
code_read(const json_t *array, size_t i, char out[MONITOR_CODE_MAX])
{
	const char *text = json_string_value(json_array_get(array, i));

	return text != NULL &&
	       (size_t)snprintf(out, MONITOR_CODE_MAX, "%s", text) < (size_t)MONITOR_CODE_MAX;
}

static bool
frontier_read(const json_t *array, struct merkle_frontier *f)
{
	size_t at = 0;
	bool good = true;

	for (unsigned i = 0; good && i < 64; i++)
		if ((f->size >> i & 1) != 0)
			good = hex_read(json_array_get(array, at++), f->level[i].b);
	return good && at == json_array_size(array);
}

static bool
list_read(const char *dir, const json_t *row, uint32_t n, struct monitor_list *l)
{
	static const uint8_t none[SHA256_BYTES];
	const json_t *versions = json_object_get(row, "versions");
	char name[STATE_NAME_MAX];
	uint8_t hash[SHA256_BYTES];
	size_t got = 0;
	bool good = hex_read(json_object_get(row, "raw"), l->kept) &&
	            json_array_size(versions) <= MONITOR_VERSIONS;

	for (size_t i = 0; good && i < json_array_size(versions); i++) {
		const json_t *v = json_array_get(versions, i);
		struct monitor_version *to = &l->versions[l->count++];

		to->index = number(v, 0);
		to->sequence = number(v, 1);
		good = hex_read(json_array_get(v, 2), to->raw) &&
		       hex_read(json_array_get(v, 3), to->cwt);
	}
	if (!good || memcmp(l->kept, none, SHA256_BYTES) == 0)
		return good;
	state_raw_name(n, l->kept, name);
	if (state_read(dir, name, LIST_BYTES, &l->raw, &got) != ERR_OK || got != LIST_BYTES)
		return false;
	sha256_one(bytes_of(l->raw, LIST_BYTES), hash);
	return memcmp(hash, l->kept, SHA256_BYTES) == 0;
}

static bool
lists_read(const char *dir, const json_t *array, struct monitor_state *s)
{
	size_t n = json_array_size(array);
	bool good = n <= SYNC_LISTS_MAX;

	if (!good || (s->lists = calloc(n + 1, sizeof *s->lists)) == NULL)
		return false;
	s->list_count = n;
	for (size_t i = 0; good && i < n; i++)
		good = list_read(dir, json_array_get(array, i), (uint32_t)i, &s->lists[i]);
	return good;
}

static bool
changes_read(const json_t *array, struct monitor_state *s)
{
	size_t n = json_array_size(array);

	if ((s->changes = calloc(n + 1, sizeof *s->changes)) == NULL)
		return false;
	s->change_count = s->change_room = n;
	for (size_t i = 0; i < n; i++) {
		const json_t *row = json_array_get(array, i);

		s->changes[i] = (struct monitor_change){.index = number(row, 0),
		        .time = (int64_t)number(row, 1),
		        .list = (uint32_t)number(row, 2),
		        .idx = (uint32_t)number(row, 3),
		        .before = (enum status)number(row, 4)};
		if (s->changes[i].list >= s->list_count || s->changes[i].idx >= LIST_ENTRIES ||
		        s->changes[i].before > STATUS_SUPERSEDED)
			return false;
	}
	return true;
}

static bool
counts_read(const json_t *array, struct monitor_state *s)
{
	size_t n = json_array_size(array);
	bool good = (s->counts = calloc(n + 1, sizeof *s->counts)) != NULL;

	s->count_count = s->count_room = good ? n : 0;
	for (size_t i = 0; good && i < n; i++) {
		const json_t *row = json_array_get(array, i);

		s->counts[i].certificates = number(row, 2);
		s->counts[i].requests = number(row, 3);
		s->counts[i].night = number(row, 4);
		good = code_read(row, 0, s->counts[i].center) &&
		       code_read(row, 1, s->counts[i].item);
	}
	return good;
}

static bool
requests_read(const json_t *array, struct monitor_state *s)
{
	size_t n = json_array_size(array);
	bool good = (s->requests = calloc(n + 1, sizeof *s->requests)) != NULL;

	s->request_count = s->request_room = good ? n : 0;
	for (size_t i = 0; good && i < n; i++) {
		const json_t *row = json_array_get(array, i);
		struct monitor_request *q = &s->requests[i];

		q->time = (int64_t)number(row, 3);
		q->index = number(row, 4);
		q->certificates = number(row, 5);
		q->said = json_is_true(json_array_get(row, 6));
		good = hex_read(json_array_get(row, 0), q->request) &&
		       code_read(row, 1, q->center) && code_read(row, 2, q->item);
	}
	return good;
}

static bool
hours_read(const json_t *array, struct monitor_state *s)
{
	size_t n = json_array_size(array);
	bool good = (s->hours = calloc(n + 1, sizeof *s->hours)) != NULL;

	s->hour_count = s->hour_room = good ? n : 0;
	for (size_t i = 0; good && i < n; i++) {
		const json_t *row = json_array_get(array, i);
		struct monitor_hour *h = &s->hours[i];

		h->hour = (int64_t)number(row, 1);
		h->certificates = number(row, 2);
		h->night = number(row, 3);
		h->said = json_is_true(json_array_get(row, 4));
		good = code_read(row, 0, h->center);
	}
	return good;
}

static bool
state_read_json(const char *dir, const json_t *o, struct monitor_state *s)
{
	const json_t *manifests = json_object_get(o, "manifests");
	bool good = json_array_size(manifests) <= MONITOR_MANIFESTS;

	s->frontier.size = (uint64_t)json_integer_value(json_object_get(o, "size"));
	s->newest = json_integer_value(json_object_get(o, "newest"));
	s->head_sequence = (uint64_t)json_integer_value(json_object_get(o, "head"));
	s->manifest_version = (uint64_t)json_integer_value(json_object_get(o, "manifest"));
	for (size_t i = 0; good && i < json_array_size(manifests); i++)
		good = hex_read(json_array_get(manifests, i), s->manifests[s->manifest_count++]);
	for (size_t i = 0; i < 4; i++)
		s->statuses[i] = number(json_object_get(o, "statuses"), i);
	return good && frontier_read(json_object_get(o, "frontier"), &s->frontier) &&
	       lists_read(dir, json_object_get(o, "lists"), s) &&
	       changes_read(json_object_get(o, "changes"), s) &&
	       counts_read(json_object_get(o, "counts"), s) &&
	       requests_read(json_object_get(o, "requests"), s) &&
	       hours_read(json_object_get(o, "hours"), s);
}

enum err
monitor_load(const char *dir, struct monitor_state *out)
{
	struct monitor_state s = {.newest = 0};
	uint8_t *text = NULL;
	json_t *object;
	size_t n = 0;
	enum err e = state_read(dir, STATE_NAME, STATE_BYTES_MAX, &text, &n);

	if (e == ERR_NOT_FOUND) {
		*out = s;
		return ERR_OK;
	}
	if (e != ERR_OK)
		return e;
	object = json_loadb((const char *)text, n, JSON_REJECT_DUPLICATES, NULL);
	free(text);
	e = object != NULL && state_read_json(dir, object, &s) ? ERR_OK : ERR_VALUE;
	json_decref(object);
	if (e == ERR_OK)
		*out = s;
	else
		monitor_state_free(&s);
	return e;
}

void
monitor_state_free(struct monitor_state *s)
{
	for (size_t i = 0; i < s->list_count; i++)
		free(s->lists[i].raw);
	free(s->lists);
	free(s->changes);
	free(s->counts);
	free(s->requests);
	free(s->hours);
	*s = (struct monitor_state){.newest = 0};
}
