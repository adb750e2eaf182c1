/* zz_cmd.c - the shared parts of all commands: an option is known or refused, and every failure
 * gets its words and its exit code here. */
#include "zz_cmd.h"
#include "file.h"
#include "hash.h"
#include "jws.h"
#include "request.h"
#include "zz_text.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { PROBLEM_BYTES_MAX = 64 * 1024 };

static const struct zz_option *
option_find(const struct zz_args *a, const char *word, size_t n)
{
	size_t i;

	for (i = 0; i < a->option_count; i++) {
		if (strlen(a->options[i].name) == n && !memcmp(a->options[i].name, word, n))
			return &a->options[i];
	}
	return NULL;
}

static enum zz_exit
word_take(const struct zz *z, struct zz_args *a, const char *word)
{
	if (a->word_count == a->words_max)
		return zz_usage(z, "too many words at: %s", word);
	a->words[a->word_count++] = word;
	return ZZ_DONE;
}

static enum zz_exit
option_take(const struct zz *z, struct zz_args *a, const struct zz_option *o, const char *value)
{
	if (!value || !*value)
		return zz_usage(z, "%s needs a value", o->name);
	if (!o->text)
		return word_take(z, a, value);
	if (*o->text)
		return zz_usage(z, "%s is given twice", o->name);
	*o->text = value;
	return ZZ_DONE;
}

/* Takes the option at argv[*at] and its value; *at then stands on the last word taken. */
static enum zz_exit
dashes_take(const struct zz *z, struct zz_args *a, int argc, char **argv, int *at)
{
	const char *word = argv[*at], *equals = strchr(word, '=');
	const struct zz_option *o =
	        option_find(a, word, equals ? (size_t)(equals - word) : strlen(word));

	if (!o)
		return zz_usage(z, "unknown option: %s", word);
	if (o->flag && equals)
		return zz_usage(z, "%s takes no value", o->name);
	if (o->flag) {
		*o->flag = true;
		return ZZ_DONE;
	}
	if (equals)
		return option_take(z, a, o, equals + 1);
	if (*at + 1 < argc)
		*at += 1;
	else
		return zz_usage(z, "%s needs a value", o->name);
	return option_take(z, a, o, argv[*at]);
}

static bool
option_is_missing(const struct zz_args *a, const struct zz_option *o)
{
	return o->required && (o->text ? !*o->text : !a->word_count);
}

enum zz_exit
zz_args(const struct zz *z, int argc, char **argv, struct zz_args *a)
{
	enum zz_exit exit;
	size_t i;
	int at;

	for (at = 1; at < argc; at++) {
		if (strncmp(argv[at], "--", 2))
			exit = word_take(z, a, argv[at]);
		else
			exit = dashes_take(z, a, argc, argv, &at);
		if (exit != ZZ_DONE)
			return exit;
	}
	for (i = 0; i < a->option_count; i++) {
		if (option_is_missing(a, &a->options[i]))
			return zz_usage(z, "%s is missing", a->options[i].name);
	}
	return ZZ_DONE;
}

enum zz_exit
zz_usage(const struct zz *z, const char *format, ...)
{
	va_list list;

	fputs("zz: ", z->err);
	va_start(list, format);
	vfprintf(z->err, format, list);
	va_end(list);
	fputs("\n", z->err);
	return ZZ_USAGE;
}

enum zz_exit
zz_fault(const struct zz *z, const char *what, enum err e)
{
	fprintf(z->err, "zz: %s: %s (%s)\n    %s\n", what, err_en(e), err_word(e), err_zh(e));
	return err_may_retry(e) ? ZZ_UNAVAILABLE : ZZ_REFUSED;
}

enum zz_exit
zz_key(const struct zz *z, const char *path, struct key **out)
{
	struct key *k = NULL;
	uint8_t *pem = NULL;
	size_t n = 0;
	enum err e;

	if ((e = file_read(path, KEY_PEM_BYTES_MAX, &pem, &n)) != ERR_OK)
		return zz_usage(z, "cannot read the key %s (%s)", path, err_word(e));
	e = key_read_pem(bytes_of(pem, n), &k);
	secret_wipe(pem, n);
	free(pem);
	if (e != ERR_OK)
		return zz_usage(
		        z, "%s holds no key of a suite this tool knows (%s)", path, err_word(e));
	if (!key_is_private(k)) {
		key_free(k);
		return zz_usage(z, "%s holds a public key: signing needs the private one", path);
	}
	*out = k;
	return ZZ_DONE;
}

enum zz_exit
zz_client(const struct zz *z, const char *url, struct client **out)
{
	enum err e = client_open(url, out);

	if (e == ERR_VALUE)
		return zz_usage(z, "--url must be http://HOST[:PORT] or https://HOST[:PORT]");
	return e == ERR_OK ? ZZ_DONE : zz_fault(z, "the HTTP library", e);
}

static enum zz_exit
unreachable(const struct zz_service *s, enum err e)
{
	fprintf(s->z->err, "zz: no answer from the service: %s (%s)\n", client_why(s->client),
	        err_word(e));
	if (e == ERR_LIMIT || e == ERR_HTTP || e == ERR_VALUE)
		fputs("    This is not an answer of the service: check --url.\n", s->z->err);
	else
		fputs("    Nothing is lost: run the same command again.  "
		      "未收到答复，可原样重新运行。\n",
		        s->z->err);
	return ZZ_UNAVAILABLE;
}

static bool
may_run_again(unsigned status)
{
	return status == 429 || status >= 500;
}

static void
problem_print(const struct zz *z, const struct client_reply *r)
{
	static const char prefix[] = "urn:zz:error:";
	struct bytes type, part;
	json_t *json = NULL;

	if (json_read(r->body, PROBLEM_BYTES_MAX, &json) != ERR_OK || !json_is_object(json) ||
	        !bytes_start(type = zz_text_of(json, "type"), prefix)) {
		fprintf(z->err, "zz: the service answered HTTP %u without a reason\n", r->status);
		json_decref(json);
		return;
	}
	fputs(may_run_again(r->status) ? "zz: not available now: " : "zz: refused: ", z->err);
	text_put(z->err, zz_text_of(json, "title"));
	fputs(" (", z->err);
	text_put(z->err, type = bytes_skip(type, sizeof prefix - 1));
	fputs(")\n    ", z->err);
	text_put(z->err, zz_text_of(json, "title_zh"));
	fputs("\n", z->err);
	part = zz_text_of(json, "detail");
	if (part.n && !bytes_equal(part, zz_text_of(json, "title"))) {
		fputs("    ", z->err);
		text_put(z->err, part);
		fputs("\n", z->err);
	}
	if (bytes_equal_text(type, "request_expired"))
		fputs("    The saved request.jws is too old and was never executed: move it away, "
		      "and run again.\n",
		        z->err);
	if (may_run_again(r->status))
		fputs("    Nothing is lost: run the same command again.  可原样重新运行。\n",
		        z->err);
	part = zz_text_of(json, "request_id");
	if (part.n) {
		fputs("    request_id=", z->err);
		text_put(z->err, part);
		fputs("\n", z->err);
	}
	json_decref(json);
}

/* 2xx: the answer's object. 429 and 5xx: safe to run again. Others: refused. */
static enum zz_exit
reply_read(const struct zz *z, const struct client_reply *r, json_t **out)
{
	enum err e;

	if (r->status != 200 && r->status != 201 && r->status != 202) {
		problem_print(z, r);
		return may_run_again(r->status) ? ZZ_UNAVAILABLE : ZZ_REFUSED;
	}
	if ((e = json_read(r->body, ZZ_REPLY_BYTES_MAX, out)) != ERR_OK) {
		fprintf(z->err, "zz: the service's answer is not JSON as agreed (%s)\n",
		        err_word(e));
		return ZZ_UNAVAILABLE;
	}
	if (json_is_object(*out))
		return ZZ_DONE;
	json_decref(*out);
	fputs("zz: the service's answer is not an object\n", z->err);
	return ZZ_UNAVAILABLE;
}

/* "Bearer " and a token for this path, good for QUERY_LIFETIME_S_MAX. */
static enum err
query_sign(const struct key *k, const char *path, int64_t now, struct buf *out)
{
	json_t *json = json_pack("{s:s,s:I,s:I}", "aud", path, "iat", (json_int_t)now, "exp",
	        (json_int_t)(now + QUERY_LIFETIME_S_MAX));
	size_t n = 0;
	char *text;
	enum err e;

	if (!json || !(text = json_write(json, &n))) {
		json_decref(json);
		return ERR_MEMORY;
	}
	buf_put_text(out, "Bearer ");
	e = jws_sign(k, QUERY_TYP, bytes_of(text, n), out);
	buf_put_u8(out, 0);
	free(text);
	json_decref(json);
	return e != ERR_OK ? e : buf_end(out);
}

enum zz_exit
zz_get(const struct zz_service *s, const char *path, json_t **out)
{
	char token[2048];
	struct buf room = buf_init(token, sizeof token);
	struct client_reply reply;
	enum err e;

	if ((e = query_sign(s->key, path, s->z->now, &room)) != ERR_OK)
		return zz_fault(s->z, "signing the query", e);
	if ((e = client_get(s->client, path, token, ZZ_REPLY_BYTES_MAX, &reply)) != ERR_OK)
		return unreachable(s, e);
	return reply_read(s->z, &reply, out);
}

enum zz_exit
zz_post(const struct zz_service *s, const char *path, struct bytes jws, unsigned *status,
        json_t **out, struct bytes *raw)
{
	struct client_reply reply;
	enum zz_exit exit;
	enum err e;

	e = client_post(s->client, path, "application/jose", jws, ZZ_REPLY_BYTES_MAX, &reply);
	if (e != ERR_OK)
		return unreachable(s, e);
	if ((exit = reply_read(s->z, &reply, out)) != ZZ_DONE)
		return exit;
	*status = reply.status;
	if (raw)
		*raw = reply.body;
	return ZZ_DONE;
}

enum zz_exit
zz_ask(const struct zz_service *s, const char *path, const json_t *question, json_t **out,
        struct bytes *raw)
{
	char token[2048];
	struct buf room = buf_init(token, sizeof token);
	struct client_send send = {.path = path, .type = "application/json"};
	struct client_reply reply;
	enum zz_exit exit;
	size_t n = 0;
	char *text;
	enum err e;

	if ((e = query_sign(s->key, path, s->z->now, &room)) != ERR_OK)
		return zz_fault(s->z, "signing the query", e);
	if (!(text = json_write(question, &n)))
		return zz_fault(s->z, "memory", ERR_MEMORY);
	send.authorization = token;
	send.body = bytes_of(text, n);
	e = client_send(s->client, &send, ZZ_REPLY_BYTES_MAX, &reply);
	free(text);
	if (e != ERR_OK)
		return unreachable(s, e);
	exit = reply_read(s->z, &reply, out);
	if (exit == ZZ_DONE && raw)
		*raw = reply.body;
	return exit;
}

struct bytes
zz_text_of(const json_t *object, const char *name)
{
	const json_t *v = json_object_get(object, name);

	return json_is_string(v) ? bytes_of(json_string_value(v), json_string_length(v))
	                         : bytes_of("", 0);
}

int64_t
zz_number_of(const json_t *object, const char *name)
{
	const json_t *v = json_object_get(object, name);

	return json_is_integer(v) && json_integer_value(v) >= 0 ? json_integer_value(v) : -1;
}

bool
zz_is_hex(struct bytes text, size_t digits)
{
	size_t i;

	for (i = 0; i < text.n; i++) {
		if (!((text.p[i] >= '0' && text.p[i] <= '9') ||
		            (text.p[i] >= 'a' && text.p[i] <= 'f')))
			return false;
	}
	return text.n == digits;
}
