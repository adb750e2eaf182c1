/* verify_check.c - asks for the verdict with all that is held for the certificate's list: nothing
 * is fetched. */
#include "verify_check.h"

#include "date.h"

#include <string.h>

static bool
at_read(const char *text, int64_t *at)
{
	int64_t day = 0;

	if (time_decode(bytes_of_text(text), at) == ERR_OK)
		return true;
	if (date_decode(bytes_of_text(text), &day) != ERR_OK)
		return false;
	*at = date_shanghai_start(day);
	return true;
}

static bool
six_digits(const char *s)
{
	return strlen(s) == 6 && strspn(s, "0123456789") == 6;
}

const char *
check_words_read(const struct check_words *w, struct check_options *o)
{
	uint64_t age = STATUS_FRESH_S;

	o->at = -1;
	if (w->at != NULL && !at_read(w->at, &o->at))
		return "--at must be a date or a time with offset: 2026-10-17T09:00:00+08:00";
	if (w->age != NULL && decimal_decode(bytes_of_text(w->age), INT32_MAX, &age) != ERR_OK)
		return "--max-age must be seconds";
	if (w->item != NULL && !six_digits(w->item))
		return "--item must be six digits";
	if (w->document != NULL && *w->document == '\0')
		return "--document must not be empty";
	o->age_s_max = (int64_t)age;
	o->item = bytes_of_text(w->item == NULL ? "" : w->item);
	o->document = bytes_of_text(w->document == NULL ? "" : w->document);
	return NULL;
}

static struct bytes
data_trim(struct bytes data)
{
	if (bytes_start(data, "ZZ1:"))
		while (data.n > 0 && (data.p[data.n - 1] == '\n' || data.p[data.n - 1] == '\r'))
			data.n--;
	return data;
}

/* Data that names no list is judged without. */
static int64_t
list_of(struct bytes data)
{
	uint32_t list = 0;

	return verdict_list(data_trim(data), &list) == ERR_OK ? (int64_t)list : HELD_NONE;
}

enum err
check_find(
        const struct check_options *o, struct held *h, struct receipt_seen *seen, struct check *c)
{
	struct verdict_input in = {.data = data_trim(o->data),
	        .now = o->now,
	        .at = o->at,
	        .age_s_max = o->age_s_max,
	        .require_log = o->require_log,
	        .item = o->item,
	        .document = o->document,
	        .seen = seen};
	enum err e = held_fill(h, list_of(o->data), &in);

	if (e != ERR_OK)
		return e;
	c->item = o->item;
	c->m = &h->m;
	verdict_find(&in, &c->v);
	return ERR_OK;
}

enum err
check_run(const struct check_options *o, struct check *c)
{
	enum err e = held_open(o->dir, o->root, list_of(o->data), &c->own);

	return e != ERR_OK ? e : check_find(o, c->own, NULL, c);
}

void
check_close(struct check *c)
{
	held_free(c->own);
	memset(c, 0, sizeof *c);
}
