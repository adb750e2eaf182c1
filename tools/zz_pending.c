/* zz_pending.c - zz pending: what waits, oldest first. The list is the service's word and is marked
 * so; what a request says itself is for zz approve to read. */
#include "zz_commands.h"
#include "zz_text.h"

#include <stdlib.h>

const char zz_pending_help[] =
        "usage: zz pending --url U --key KEY.pem [--json]\n\n"
        "Lists the requests that wait for approval, the oldest first: an official sees all, a "
        "centre "
        "its own. A hold that one\n"
        "official has begun stands here until a second one signs it or it lapses. The list is\n"
        "the service's word; zz approve and zz reject show what the signed bytes of a request "
        "say.\n\n"
        "  --json  print the service's answer\n\n" ZZ_EXIT_HELP;

enum { TYPE_CELLS = 10, TIME_CELLS = 16, ID_CELLS = 64, HOLD_ALONE_S = 72 * 3600 };

static int
age_order(const void *a, const void *b)
{
	const json_t *const *x = a, *const *y = b;
	int64_t m = zz_number_of(*x, "received_at"), n = zz_number_of(*y, "received_at");

	return (m > n) - (m < n);
}

static void
time_column(FILE *to, const json_t *row, const char *name)
{
	int64_t at = zz_number_of(row, name);

	if (at >= 0)
		text_put_time(to, at);
	else
		text_column(to, BYTES_LIT("-"), TIME_CELLS);
}

/* A hold that one official has begun: it lapses without the second signature, 72 hours later and
 * where its request ends. */
static void
hold_print(FILE *to, const json_t *row)
{
	int64_t until = zz_number_of(row, "until"), exp = zz_number_of(row, "exp");

	if (until < 0)
		until = zz_number_of(row, "received_at") + HOLD_ALONE_S;
	if (exp >= 0 && exp < until)
		until = exp;
	fputs("    second signature of a hold, until 暂停待第二人签署，截至 ", to);
	text_put_time(to, until);
	fputs("\n", to);
}

static void
row_print(FILE *to, const json_t *row)
{
	text_column(to, zz_text_of(row, "request"), ID_CELLS);
	fputs("  ", to);
	text_column(to, zz_text_of(row, "type"), TYPE_CELLS);
	fputs("  ", to);
	time_column(to, row, "received_at");
	fputs("  ", to);
	time_column(to, row, "exp");
	fputs("\n", to);
	if (bytes_equal_text(zz_text_of(row, "state"), "executed"))
		hold_print(to, row);
}

static void
head_print(FILE *to)
{
	static const char *const heads[][2] = {
	        {"Request", "请求"}, {"Type", "类型"}, {"Received", "收到"}, {"Expires", "失效"}};
	static const unsigned cells[] = {ID_CELLS, TYPE_CELLS, TIME_CELLS, TIME_CELLS};

	fputs("As the service says; zz approve REQUEST shows what was signed. 以下为服务所述。\n\n",
	        to);
	for (size_t line = 0; line < 2; line++) {
		for (size_t i = 0; i < 4; i++) {
			text_column(to, bytes_of_text(heads[i][line]), cells[i]);
			fputs(i < 3 ? "  " : "\n", to);
		}
	}
}

static enum zz_exit
table_print(const struct zz *z, const json_t *list)
{
	size_t n = json_array_size(list);
	const json_t **rows = calloc(n + 1, sizeof *rows);

	if (!rows)
		return zz_fault(z, "memory", ERR_MEMORY);
	for (size_t i = 0; i < n; i++)
		rows[i] = json_array_get(list, i);
	qsort(rows, n, sizeof *rows, age_order);
	if (n)
		head_print(z->out);
	for (size_t i = 0; i < n; i++)
		row_print(z->out, rows[i]);
	free(rows);
	fprintf(z->out, "%s%zu waiting. 待办 %zu 件。\n", n ? "\n" : "", n, n);
	return ZZ_DONE;
}

static enum zz_exit
pending_run(const struct zz_service *s, bool json)
{
	json_t *answer = NULL;
	enum zz_exit exit = zz_get(s, "/v1/requests", &answer);
	size_t n = 0;
	char *text;

	if (exit != ZZ_DONE)
		return exit;
	if (!json) {
		exit = table_print(s->z, json_object_get(answer, "waiting"));
	} else if ((text = json_write(answer, &n)) != NULL) {
		fprintf(s->z->out, "%s\n", text);
		free(text);
	} else {
		exit = zz_fault(s->z, "memory", ERR_MEMORY);
	}
	json_decref(answer);
	return exit;
}

enum zz_exit
zz_pending(const struct zz *z, int argc, char **argv)
{
	const char *url = NULL, *key_path = NULL;
	bool json = false;
	const struct zz_option options[] = {{"--url", &url, NULL, true},
	        {"--key", &key_path, NULL, true}, {"--json", NULL, &json, false}};
	struct zz_args args = {.options = options, .option_count = 3};
	struct client *client = NULL;
	struct key *key = NULL;
	enum zz_exit exit;

	if ((exit = zz_args(z, argc, argv, &args)) != ZZ_DONE)
		return exit;
	if ((exit = zz_client(z, url, &client)) == ZZ_DONE &&
	        (exit = zz_key(z, key_path, &key)) == ZZ_DONE)
		exit = pending_run(&(struct zz_service){z, client, key}, json);
	key_free(key);
	client_free(client);
	return exit;
}
