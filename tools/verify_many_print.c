/* verify_many_print.c - shows many verdicts: a line each, and a summary; a file's name is text of
 * others and moves no cursor. */
#include "verify_many.h"
#include "zz_text.h"

#include <stdlib.h>
#include <string.h>

static void
place_put(FILE *to, const char *name, uint64_t line)
{
	if (name != NULL)
		text_put(to, bytes_of_text(name));
	else
		fprintf(to, "%llu", (unsigned long long)line);
}

/* Name or number as JSON; NULL without memory. */
static json_t *
place_json(const char *name, uint64_t line)
{
	char *text = NULL;
	size_t n = 0;
	FILE *to = NULL;
	json_t *json = NULL;

	if (name == NULL)
		return json_integer((json_int_t)line);
	if ((to = open_memstream(&text, &n)) == NULL)
		return NULL;
	place_put(to, name, line);
	if (fclose(to) == 0)
		json = json_stringn(text, n);
	free(text);
	return json;
}

static enum err
line_dump(FILE *to, json_t *json)
{
	enum err e = ERR_MEMORY;

	if (json != NULL && json_dumpf(json, to, JSON_COMPACT) == 0 && fputc('\n', to) != EOF)
		e = ERR_OK;
	json_decref(json);
	return e;
}

static enum err
print_json(FILE *to, const struct many_options *o, const struct input_item *item,
        const struct check *c)
{
	json_t *line = json_pack("{s:o}", "input", place_json(item->name, item->line)),
	       *verdict = check_json(c, o->field);

	if (line == NULL || verdict == NULL || json_object_update(line, verdict) != 0) {
		json_decref(line);
		line = NULL;
	}
	json_decref(verdict);
	return line_dump(to, line);
}

enum err
many_print(FILE *to, const struct many_options *o, const struct input_item *item,
        const struct check *c)
{
	if (o->json)
		return print_json(to, o, item, c);
	place_put(to, item->name, item->line);
	check_print_line(to, &c->v);
	return ferror(to) ? ERR_MEMORY : ERR_OK;
}

void
many_print_unread(FILE *to, const struct input_item *item, enum err e)
{
	const char *why = "cannot be read 无法读取";

	if (e == ERR_NOT_FOUND)
		why = "is not there 没有该文件";
	else if (e == ERR_TYPE_UNKNOWN)
		why = "is no regular file, not checked 不是普通文件，未核验";
	fputs("zz-verify: ", to);
	place_put(to, item->name, item->line);
	fprintf(to, " %s\n", why);
}

static enum err
summary_json(const struct many_options *o, const struct many_report *r)
{
	json_t *verdicts = json_object(), *all = NULL;

	for (unsigned i = VERDICT_COUNT; verdicts != NULL && i-- > 0;) {
		const struct many_first *first = &r->first[i];

		if (r->by[i] == 0)
			continue;
		json_object_set_new(verdicts, verdict_word((enum verdict_code)i),
		        json_pack("{s:I,s:o}", "count", (json_int_t)r->by[i], "first",
		                place_json(first->name, first->line)));
	}
	all = json_pack("{s:{s:I,s:I,s:i,s:o}}", "summary", "total", (json_int_t)r->count,
	        "not_read", (json_int_t)r->unread, "exit", many_exit(r), "verdicts", verdicts);
	return line_dump(o->out, all);
}

enum err
many_print_summary(const struct many_options *o, const struct many_report *r)
{
	if (o->json)
		return summary_json(o, r);
	fprintf(o->out, "共 total %llu\n", (unsigned long long)r->count);
	for (unsigned i = VERDICT_COUNT; i-- > 0;) {
		if (r->by[i] == 0)
			continue;
		fprintf(o->out, "%10llu  %-16s %s  首 first: ", (unsigned long long)r->by[i],
		        verdict_word((enum verdict_code)i), verdict_zh((enum verdict_code)i));
		place_put(o->out, r->first[i].name, r->first[i].line);
		fputc('\n', o->out);
	}
	if (r->unread > 0)
		fprintf(o->out, "%10llu  未读 not read\n", (unsigned long long)r->unread);
	return fflush(o->out) != 0 || ferror(o->out) ? ERR_IO : ERR_OK;
}

void
many_print_bar(FILE *to, const struct input *in, uint64_t count, double seconds)
{
	static const char full[] = "##############################";
	enum { WIDTH = sizeof full - 1 };
	uint64_t done = 0, total = 0;
	double part = 0;

	fputs("\r\033[K", to);
	if (in != NULL) {
		input_progress(in, &done, &total);
		if (total > 0) {
			part = done < total ? (double)done / (double)total : 1;
			fprintf(to, "[%-*.*s] %3.0f %%  ", (int)WIDTH, (int)(part * WIDTH), full,
			        part * 100);
		}
		fprintf(to, "已核验 checked %llu, %.0f/s", (unsigned long long)count,
		        seconds > 0 ? (double)count / seconds : 0);
	}
	fflush(to);
}
