/* zz_order_payload.c - the words of an order's command line, held against what its type carries,
 * and the payload made of them: nothing is changed on the way. */
#include "date.h"
#include "field.h"
#include "zz_order.h"
#include "zz_text.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static size_t
options_add(struct zz_option *out, size_t n, const struct zz_option *more, size_t count)
{
	memcpy(out + n, more, count * sizeof *more);
	return n + count;
}

size_t
order_options(struct order *o, struct zz_option out[ORDER_OPTIONS_MAX])
{
	struct order_words *w = &o->w;
	const struct zz_option all[] = {{"--url", &w->url, NULL, true},
	        {"--key", &w->key, NULL, true}, {"--out", &w->out, NULL, false},
	        {"--json", NULL, &w->json, false}};
	/* --decided-at is the name of the member, which some know better */
	const struct zz_option decision[] = {{"--decision-no", &w->decision_no, NULL, true},
	        {"--decided", &w->decided, NULL, true}, {"--decided-at", &w->decided, NULL, false}};
	const struct zz_option ground[] = {{"--ground", &w->ground, NULL, true}};
	const struct zz_option effective[] = {{"--effective", &w->effective, NULL, true}};
	const struct zz_option until[] = {{"--until", &w->until, NULL, true}};
	const struct zz_option serials[] = {{"--serial", NULL, NULL, false},
	        {"--file", &w->file, NULL, false}, {"--select", NULL, &w->select, false},
	        {"--center", &w->center, NULL, false}, {"--from", &w->from, NULL, false},
	        {"--to", &w->to, NULL, false}, {"--item", &w->item, NULL, false},
	        {"--request", &w->request, NULL, false}, {"--send", NULL, &w->send, false}};
	const struct zz_option target[] = {
	        {"--center", &w->center, NULL, false}, {"--kid", &w->kid, NULL, false}};
	const struct zz_option changes[] = {{"--name", &w->name, NULL, false},
	        {"--sex", &w->sex, NULL, false}, {"--doc-type", &w->doc_type, NULL, false},
	        {"--doc-number", &w->doc_number, NULL, false}, {"--photo", &w->photo, NULL, false},
	        {"--photo-sha256", &w->photo_sha256, NULL, false}};
	const struct {
		enum order_part part;
		const struct zz_option *options;
		size_t count;
	} table[] = {{PART_DECISION, decision, COUNT(decision)},
	        {PART_GROUND, ground, COUNT(ground)}, {PART_EFFECTIVE, effective, COUNT(effective)},
	        {PART_UNTIL, until, COUNT(until)}, {PART_SERIALS, serials, COUNT(serials)},
	        {PART_TARGET, target, COUNT(target)}, {PART_CHANGES, changes, COUNT(changes)}};
	size_t n = options_add(out, 0, all, COUNT(all));

	for (size_t i = 0; i < COUNT(table); i++)
		if (o->kind->parts & table[i].part)
			n = options_add(out, n, table[i].options, table[i].count);
	return n;
}

static enum zz_exit
days_check(const struct order *o)
{
	const char *const days[][2] = {{"--decided", o->w.decided}, {"--effective", o->w.effective},
	        {"--until", o->w.until}};
	int64_t day;

	for (size_t i = 0; i < COUNT(days); i++) {
		if (days[i][1] && date_decode(bytes_of_text(days[i][1]), &day) != ERR_OK)
			return zz_usage(o->z, "%s is a day such as 2026-11-02", days[i][0]);
	}
	return ZZ_DONE;
}

/* Says what the ground means before anything is signed. */
static enum zz_exit
ground_check(const struct order *o)
{
	const struct field_ground *ground;
	struct field *field = NULL;
	enum err e;

	if (!o->w.ground)
		return ZZ_DONE;
	if ((e = field_open(&field)) != ERR_OK)
		return zz_fault(o->z, "the field's data", e);
	ground = field_ground(field, bytes_of_text(o->w.ground));
	if (ground) {
		fprintf(o->z->err, "Ground 依据 %s: ", o->w.ground);
		text_put(o->z->err, ground->name_zh);
		fputs(" ", o->z->err);
		text_put(o->z->err, ground->name_en);
		fputs("\n", o->z->err);
	}
	field_free(field);
	return ground ? ZZ_DONE : zz_usage(o->z, "the ground %s is unknown", o->w.ground);
}

static enum zz_exit
select_check(const struct order *o)
{
	const struct order_words *w = &o->w;
	int64_t from = INT64_MIN, to = INT64_MAX;

	if (!w->select && (w->center || w->from || w->to || w->item || w->request))
		return zz_usage(
		        o->z, "--center, --from, --to, --item and --request go with --select");
	if (!w->select)
		return ZZ_DONE;
	if (!w->center && !w->item && !w->request)
		return zz_usage(o->z, "--select needs --center, --item or --request");
	if ((w->from && time_decode(bytes_of_text(w->from), &from) != ERR_OK) ||
	        (w->to && time_decode(bytes_of_text(w->to), &to) != ERR_OK))
		return zz_usage(
		        o->z, "--from and --to are moments such as 2026-10-17T00:00:00+08:00");
	if (from >= to)
		return zz_usage(o->z, "--from is not before --to: nothing would be selected");
	if (w->request && !zz_is_hex(bytes_of_text(w->request), 2 * SHA256_BYTES))
		return zz_usage(o->z, "--request is 64 hex digits (0-9 a-f)");
	return ZZ_DONE;
}

static enum zz_exit
serials_check(const struct order *o)
{
	const struct order_words *w = &o->w;

	if ((w->rest_count > 0) + (w->file != NULL) + w->select != 1)
		return zz_usage(o->z, "name the certificates in one way: --serial S, --file F or "
		                      "--select");
	if (w->send && w->rest_count)
		return zz_usage(o->z, "--send goes with --select and --file: what --serial names "
		                      "is sent without it");
	for (size_t i = 0; i < w->rest_count; i++) {
		if (!zz_is_hex(bytes_of_text(w->rest[i]), 32))
			return zz_usage(
			        o->z, "a serial is 32 hex digits (0-9 a-f): %s", w->rest[i]);
	}
	return ZZ_DONE;
}

static enum zz_exit
target_check(const struct order *o)
{
	if (!o->w.center == !o->w.kid)
		return zz_usage(o->z, "name one of --center CODE and --kid KID");
	if (o->w.kid && strlen(o->w.kid) != KEY_THUMB_TEXT)
		return zz_usage(o->z, "a kid is %d characters: %s", KEY_THUMB_TEXT, o->w.kid);
	return ZZ_DONE;
}

enum zz_exit
order_words_check(const struct order *o)
{
	unsigned parts = o->kind->parts;
	bool one = o->w.rest_count == 1;
	enum zz_exit exit;

	if ((parts & PART_TARGET) && (exit = target_check(o)) != ZZ_DONE)
		return exit;
	if ((parts & PART_REQUEST) &&
	        (!one || !zz_is_hex(bytes_of_text(o->w.rest[0]), 2 * SHA256_BYTES)))
		return zz_usage(o->z, "name one REQUEST: 64 hex digits (0-9 a-f)");
	if ((parts & PART_CHANGES) && (!one || !zz_is_hex(bytes_of_text(o->w.rest[0]), 32)))
		return zz_usage(o->z, "name one SERIAL: 32 hex digits (0-9 a-f)");
	if ((parts & PART_SERIALS) &&
	        ((exit = select_check(o)) != ZZ_DONE || (exit = serials_check(o)) != ZZ_DONE))
		return exit;
	if ((exit = days_check(o)) != ZZ_DONE)
		return exit;
	return ground_check(o);
}

/* false: the text is no UTF-8. */
static bool
member_put(json_t *to, const char *name, const char *text)
{
	return !text || json_object_set_new(to, name, json_string(text)) == 0;
}

static bool
select_put(struct order *o)
{
	const struct order_words *w = &o->w;
	json_t *select = json_object();

	return json_object_set_new(o->payload, "select", select) == 0 &&
	       member_put(select, "center", w->center) && member_put(select, "from", w->from) &&
	       member_put(select, "to", w->to) && member_put(select, "item", w->item) &&
	       member_put(select, "request", w->request);
}

static bool
serials_put(struct order *o)
{
	json_t *serials = json_array();

	for (size_t i = 0; i < o->w.rest_count; i++)
		json_array_append_new(serials, json_string(o->w.rest[i]));
	return json_object_set_new(o->payload, "serials", serials) == 0;
}

/* The certificates: serials, a file of them, a selector, or the one that is replaced. */
static enum zz_exit
certificates_put(struct order *o)
{
	json_t *part = NULL;
	enum zz_exit exit;
	bool good;

	if (o->kind->parts & PART_CHANGES) {
		if ((exit = zz_changes_build(o, &part)) != ZZ_DONE)
			return exit;
		good = json_object_set_new(o->payload, "changes", part) == 0 &&
		       member_put(o->payload, "serial", o->w.rest[0]);
	} else if (o->w.file) {
		if ((exit = zz_serials_read(o->z, o->w.file, &part)) != ZZ_DONE)
			return exit;
		good = json_object_set_new(o->payload, "serials", part) == 0;
	} else {
		good = o->w.select ? select_put(o) : serials_put(o);
	}
	return good ? ZZ_DONE : zz_usage(o->z, "the options must be UTF-8 text");
}

enum zz_exit
order_payload_build(struct order *o)
{
	const struct order_words *w = &o->w;
	unsigned parts = o->kind->parts;
	bool good;

	zz_jti(o->jti);
	o->payload = zz_payload(o->kind->word, o->jti, o->z->now, ORDER_LIFETIME_S_MAX);
	if (!o->payload)
		return zz_fault(o->z, "memory", ERR_MEMORY);
	good = member_put(o->payload, "ground", w->ground) &&
	       member_put(o->payload, "decision_no", w->decision_no) &&
	       member_put(o->payload, "decided_at", w->decided) &&
	       member_put(o->payload, "effective_at", w->effective) &&
	       member_put(o->payload, "until", w->until) &&
	       (!(parts & PART_TARGET) || (member_put(o->payload, "center", w->center) &&
	                                          member_put(o->payload, "kid", w->kid))) &&
	       (!(parts & PART_REQUEST) || member_put(o->payload, "request", w->rest[0]));
	if (!good)
		return zz_usage(o->z, "the options must be UTF-8 text");
	return parts & (PART_SERIALS | PART_CHANGES) ? certificates_put(o) : ZZ_DONE;
}

bool
order_is_dry(const struct order *o)
{
	return (o->w.select || o->w.file) && !o->w.send;
}
