/* selection.c - what an order would touch, before anyone signs it: the list, its hash and its
 * counts. Nothing is kept. */
#include "answer.h"

#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct asked { /* {"select":{…}} or {"serials":[…]} */
	json_t *json;
	struct request_select select;
	bool selects;
	uint8_t (*serials)[16];
	size_t count;
};

static enum err
serials_read(const json_t *array, struct asked *a)
{
	size_t count = json_array_size(array);

	if (count == 0 || count > REQUEST_SERIALS_MAX)
		return ERR_LIMIT;
	if ((a->serials = calloc(count, sizeof *a->serials)) == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < count; i++) {
		const json_t *v = json_array_get(array, i);

		if (!json_is_string(v) ||
		        hex_decode(bytes_of(json_string_value(v), json_string_length(v)),
		                a->serials[i], sizeof a->serials[i]) != ERR_OK)
			return ERR_FIELD_INVALID;
	}
	a->count = count;
	return ERR_OK;
}

static enum err
asked_read(struct bytes body, struct asked *a)
{
	json_t *select = NULL, *serials = NULL;
	const struct json_member members[] = {
	        {"select", 'O', &select},
	        {"serials", 'A', &serials},
	};
	enum err e = json_read(body, REQUEST_BYTES_MAX, &a->json);

	if (e != ERR_OK || (e = JSON_MEMBERS(a->json, members)) != ERR_OK)
		return e;
	if ((select == NULL) == (serials == NULL))
		return ERR_FIELD_INVALID;
	a->selects = select != NULL;
	return a->selects ? request_select_read(select, &a->select) : serials_read(serials, a);
}

static const char *
status_word(enum status s)
{
	static const char *const words[] = {"valid", "invalid", "suspended", "superseded"};

	return words[s];
}

/* Counts by centre, item and status, each once, in the order in which they come first. */
static json_t *
groups_json(const struct store_selection *found)
{
	json_t *by_key = json_object(), *list = json_array(), *group;
	char key[160];

	for (size_t i = 0; i < found->count; i++) {
		const struct store_selected *c = &found->rows[i];

		snprintf(key, sizeof key, "%.*s %.*s %d", (int)c->center.n,
		        (const char *)c->center.p, (int)c->item.n, (const char *)c->item.p,
		        (int)c->status);
		group = json_object_get(by_key, key);
		if (group == NULL) {
			group = json_pack("{s:s%,s:s%,s:s,s:i}", "center", c->center.p, c->center.n,
			        "item", c->item.p, c->item.n, "status", status_word(c->status),
			        "count", 0);
			json_object_set(by_key, key, group);
			json_array_append_new(list, group);
		}
		json_integer_set(json_object_get(group, "count"),
		        json_integer_value(json_object_get(group, "count")) + 1);
	}
	json_decref(by_key);
	return list;
}

static enum err
selection_answer(struct job *j, const struct asked *a, const struct store_selection *found)
{
	uint8_t *list = arena_alloc(&j->x->arena, 16 * found->count), hash[SHA256_BYTES];
	json_t *o;

	if (found->count == 0)
		return ERR_SELECT;
	if (found->count > ORDER_LIST_MAX)
		return ERR_LIMIT;
	if (list == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < found->count; i++)
		memcpy(list + 16 * i, found->rows[i].serial.p, 16);
	sha256_one(bytes_of(list, 16 * found->count), hash);
	o = json_object();
	json_object_set_new(o, "count", json_integer((json_int_t)found->count));
	json_object_set_new(
	        o, "unknown", json_integer(a->selects ? 0 : (json_int_t)(a->count - found->count)));
	json_object_set_new(o, "list_sha256", json_hex(bytes_of(hash, sizeof hash)));
	json_object_set_new(o, "list", json_base64(bytes_of(list, 16 * found->count)));
	json_object_set_new(o, "groups", groups_json(found));
	reply_json(j->x, 200, o);
	json_decref(o);
	return ERR_OK;
}

enum err
query_selection(struct worker *w, struct job *j)
{
	const struct operator* by;
	struct store_selection found = {0};
	struct asked a = {0};
	struct query q;
	enum err e = query_authorize(w, j->x, &by, &q);

	if (e != ERR_OK)
		return e;
	if (by->role != ROLE_OFFICIAL)
		return ERR_ROLE;
	if ((e = asked_read(j->x->body, &a)) == ERR_OK)
		e = a.selects ? store_select(w->store, &a.select, &found)
		              : store_select_serials(
		                        w->store, (const uint8_t(*)[16])a.serials, a.count, &found);
	if (e == ERR_OK)
		e = selection_answer(j, &a, &found);
	store_result_free(found.owner);
	free(a.serials);
	json_decref(a.json);
	return e;
}
