#ifndef TESTS_TEST_ZZ_WORLD_H
#define TESTS_TEST_ZZ_WORLD_H
/* test_zz_world.h - a toy authority on loopback for tests of zz: it signs records and lets requests
 * wait, and lies in one way at a time. */
#include "test_zz_record.h"

static inline void
say_json(struct toy_reply *out, unsigned status, json_t *json)
{
	out->status = status;
	out->body = json_write(json, &out->n);
	assert_non_null(out->body);
	json_decref(json);
}

static inline void
issue_answer(struct world *w, const struct zz_request *q, struct toy_reply *out)
{
	json_t *seats = json_array();
	const char *id = w->lie == OTHER_REQUEST_ID ? DIGEST : q->id;

	w->serials = 0;
	for (unsigned i = 0; i < q->request.seat_count - (w->lie == SEAT_MISSING); i++) {
		if (w->lie == REFUSE_SECOND && i == 1)
			json_array_append_new(seats,
			        json_pack("{s:i,s:s}", "seat", 2, "outcome", "score_below_pass"));
		else
			seat_answer(w, q, i, seats);
	}
	say_json(out, 201,
	        json_pack("{s:s,s:s,s:o}", "request", id, "state", "executed", "seats", seats));
}

static inline void
waiting_answer(const struct world *w, const char *id, struct toy_reply *out)
{
	say_json(out, 202,
	        json_pack("{s:s,s:s,s:i,s:i}", "request", id, "state", "waiting",
	                "officials_needed", 2, "officials_signed", 1 + (int)w->approval_count));
}

/* What one official does at once. */
static inline void
order_answer(const struct world *w, const struct zz_request *q, struct toy_reply *out)
{
	json_t *rows = json_array();

	if (q->request.type == REQUEST_STOP)
		json_array_append_new(
		        rows, json_pack("{s:s,s:i}", "outcome", "stopped", "index", 9));
	if (q->request.type == REQUEST_SUSPEND)
		json_array_append_new(rows, json_pack("{s:s,s:s,s:i}", "serial", w->serial,
		                                    "outcome", "suspended", "index", 9));
	say_json(out, 201,
	        json_pack("{s:s,s:s,s:o}", "request", w->lie == OTHER_REQUEST_ID ? DIGEST : q->id,
	                "state", "executed", "certificates", rows));
}

static inline void
request_answer(struct world *w, struct bytes jws, struct toy_reply *out)
{
	struct zz_request q = {0};
	uint8_t *copy = malloc(jws.n + 1);

	assert_non_null(copy);
	memcpy(copy, jws.p, jws.n);
	copy[jws.n] = 0;
	assert_int_equal(zz_request_open(copy, jws.n, &q), ERR_OK);
	free(w->order);
	w->order = strdup((char *)copy);
	snprintf(w->state, sizeof w->state, "executed");
	if (q.request.type == REQUEST_REVOKE || q.request.type == REQUEST_REINSTATE ||
	        q.request.type == REQUEST_RESUME || w->lie == WAIT) {
		snprintf(w->state, sizeof w->state, "waiting");
		waiting_answer(w, q.id, out);
	} else if (q.request.type != REQUEST_ISSUE) {
		order_answer(w, &q, out);
	} else {
		issue_answer(w, &q, out);
	}
	zz_request_free(&q);
}

static inline void
get_answer(struct world *w, const struct toy_request *in, struct toy_reply *out)
{
	json_t *list = json_array();

	if (!strncmp(in->path, "/v1/certificates/", 17)) {
		json_decref(list);
		say_json(out, 200,
		        json_pack("{s:s,s:s,s:i,s:s,s:s,s:[{s:i,s:s,s:s,s:s,s:i}]}", "serial",
		                w->serial, "record", w->record, "index", 0, "receipt", "", "status",
		                "valid", "history", "index", 9, "status", "invalid", "reason",
		                "R05", "effective", "2026-10-17", "at", NOW));
		return;
	}
	if (!strcmp(in->path, "/v1/requests")) {
		json_decref(list);
		say_json(out, 200,
		        json_pack("{s:[{s:s,s:s,s:i,s:i,s:s},{s:s,s:s,s:i,s:i,s:s}]}", "waiting",
		                "request", DIGEST, "type", "reinstate", "received_at", NOW, "exp",
		                NOW + 7 * 86400, "state", "executed", "request", ZERO_ID, "type",
		                "re\033[2Jvoke", "received_at", NOW - 86400, "exp", NOW + 5,
		                "state", "waiting"));
		return;
	}
	for (size_t i = 0; i < w->approval_count; i++)
		json_array_append_new(list, json_string(w->approvals[i]));
	say_json(out, 200,
	        json_pack("{s:s,s:s,s:s,s:s,s:o,s:[{s:s,s:i}]}", "request", in->path + 13, "type",
	                "revoke", "state", w->state, "jws", w->order ? w->order : "", "approvals",
	                list, "events", "state", "received", "at", NOW));
}

static inline void
approval_answer(struct world *w, const struct toy_request *in, struct toy_reply *out)
{
	struct approval a;
	struct jws j;
	char id[65];

	snprintf(id, sizeof id, "%.64s", in->path + 13);
	w->approvals[w->approval_count++] = strndup((const char *)in->body.p, in->body.n);
	assert_int_equal(jws_decode(in->body, APPROVAL_BYTES_MAX, &j), ERR_OK);
	assert_int_equal(approval_decode(&j, &a), ERR_OK);
	if (!a.approve) {
		snprintf(w->state, sizeof w->state, "rejected");
		say_json(out, 200, json_pack("{s:s,s:s}", "request", id, "state", "rejected"));
		return;
	}
	snprintf(w->state, sizeof w->state, "executed");
	say_json(out, 200,
	        json_pack("{s:s,s:s,s:[{s:s,s:s,s:i}]}", "request", id, "state", "executed",
	                "certificates", "serial", w->serial, "outcome",
	                w->outcome ? w->outcome : "revoked", "index", 9));
}

static inline void
manifest_answer(const struct world *w, struct toy_reply *out)
{
	uint8_t cose[KEY_COSE_BYTES_MAX];
	struct buf k = BUF_OF(cose),
	           b = {.p = malloc(MANIFEST_BYTES_MAX), .cap = MANIFEST_BYTES_MAX};
	struct manifest m = {.iss = BYTES_LIT("zz.example"),
	        .iat = NOW,
	        .version = 1,
	        .name_zh = BYTES_LIT("某局"),
	        .name_en = BYTES_LIT("Some office"),
	        .origin = BYTES_LIT("zz.example/log"),
	        .log_vkey = BYTES_LIT("zz.example/log+00000000+AA=="),
	        .status_prefix = BYTES_LIT("https://zz.example/status/"),
	        .crl_ca = BYTES_LIT("der"),
	        .key_count = 1};

	assert_non_null(b.p);
	key_put_cose(w->manifest_key, &k);
	m.keys[0] = (struct manifest_key){.kid = key_kid(w->manifest_key),
	        .cose_key = buf_bytes(&k),
	        .purpose = KEY_RECORD,
	        .not_before = NOW - 1,
	        .not_after = NOW + 1,
	        .last_size = UINT64_MAX,
	        .soft = true};
	assert_int_equal(manifest_sign(&m, w->root_key, &b), ERR_OK);
	out->status = 200;
	out->type = "application/cose";
	out->body = (char *)b.p;
	out->n = b.n;
}

static inline void
answer(void *ctx, const struct toy_request *in, struct toy_reply *out)
{
	struct world *w = ctx;

	if (w->more && w->more(w, in, out))
		return;
	if (!strcmp(in->path, "/manifest.cose")) {
		manifest_answer(w, out);
		return;
	}
	if (!strcmp(in->method, "GET")) {
		assert_non_null(strstr(in->head, "Authorization: Bearer ey"));
		get_answer(w, in, out);
		return;
	}
	w->sent = realloc(w->sent, w->sent_n + in->body.n + 1);
	assert_non_null(w->sent);
	memcpy(w->sent + w->sent_n, in->body.p, in->body.n);
	w->sent_n += in->body.n;
	w->sent[w->sent_n] = 0;
	if (w->lie == PROBLEM_422 || w->lie == PROBLEM_503) {
		toy_say(out, w->lie == PROBLEM_422 ? 422 : 503,
		        w->lie == PROBLEM_422 ? "{\"type\":\"urn:zz:error:item_unknown\",\"title\":"
		                                "\"No such item.\",\"title_zh\":\"无此项目\","
		                                "\"status\":422,\"detail\":\"\\u001b[31mred\","
		                                "\"request_id\":\"r-1\"}"
		                              : "{\"type\":\"urn:zz:error:signer_unavailable\","
		                                "\"title\":\"Later.\"}");
		out->type = "application/problem+json";
	} else if (w->lie == PLAIN_502 || w->lie == NO_JSON) {
		toy_say(out, w->lie == PLAIN_502 ? 502 : 201, "<html>gateway</html>");
	} else if (strstr(in->path, "/approvals")) {
		approval_answer(w, in, out);
	} else {
		request_answer(w, in->body, out);
	}
}

typedef enum zz_exit (*command)(const struct zz *z, int argc, char **argv);

static inline void
no_wait(int64_t *now)
{
	*now += 1;
}

/* Runs a command of the words after it, up to NULL; `in` is its standard input. */
static inline enum zz_exit
run_in(struct world *w, command c, const char *in, ...)
{
	char *argv[40] = {0}, *word;
	size_t out_n, err_n;
	struct zz z = {.now = NOW, .in = tmpfile(), .wait = no_wait};
	enum zz_exit e;
	va_list list;
	int argc = 0;

	free(w->out);
	free(w->err);
	z.out = open_memstream(&w->out, &out_n);
	z.err = open_memstream(&w->err, &err_n);
	fputs(in, z.in);
	rewind(z.in);
	va_start(list, in);
	while ((word = va_arg(list, char *)) != NULL)
		argv[argc++] = word;
	va_end(list);
	e = c(&z, argc, argv);
	fclose(z.in);
	fclose(z.out);
	fclose(z.err);
	return e;
}

static inline void
put(const char *path, const char *text)
{
	assert_int_equal(file_write(path, bytes_of_text(text), 0600), ERR_OK);
}

static inline struct world *
world_open(void)
{
	struct world *w = calloc(1, sizeof *w);
	char room[KEY_PEM_BYTES_MAX];
	struct buf pem = BUF_OF(room);

	assert_non_null(w);
	snprintf(w->dir, sizeof w->dir, "/tmp/zz-test-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->key, sizeof w->key, "%s/key.pem", w->dir);
	snprintf(w->other_key, sizeof w->other_key, "%s/other.pem", w->dir);
	snprintf(w->session, sizeof w->session, "%s/session.json", w->dir);
	snprintf(w->results, sizeof w->results, "%s/results.csv", w->dir);
	snprintf(w->out_dir, sizeof w->out_dir, "%s/out", w->dir);
	put(w->session, SESSION);
	put(w->results, RESULTS);
	assert_int_equal(key_generate(KEY_ED25519, &w->record_key), ERR_OK);
	assert_int_equal(key_generate(KEY_ED25519, &w->log_key), ERR_OK);
	assert_int_equal(key_generate(KEY_ES256, &w->root_key), ERR_OK);
	assert_int_equal(
	        key_from_public(KEY_ED25519, key_public(w->record_key), &w->manifest_key), ERR_OK);
	assert_int_equal(key_write_public(w->root_key, &pem), ERR_OK);
	snprintf(w->root, sizeof w->root, "%s/root.pub", w->dir);
	assert_int_equal(file_write(w->root, buf_bytes(&pem), 0600), ERR_OK);
	assert_int_equal(run_in(w, zz_keygen, "", "keygen", "--out", w->key, NULL), ZZ_DONE);
	assert_int_equal(run_in(w, zz_keygen, "", "keygen", "--suite", "ed25519", "--out",
	                         w->other_key, NULL),
	        ZZ_DONE);
	toy_start(&w->toy, answer, w);
	return w;
}

static inline int
path_remove(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static inline void
world_close(struct world *w)
{
	toy_stop(&w->toy);
	nftw(w->dir, path_remove, 16, FTW_DEPTH | FTW_PHYS);
	key_free(w->record_key);
	key_free(w->log_key);
	key_free(w->root_key);
	key_free(w->manifest_key);
	free(w->out);
	free(w->err);
	free(w->sent);
	free(w->order);
	for (size_t i = 0; i < w->approval_count; i++)
		free(w->approvals[i]);
	free(w);
}

static inline enum zz_exit
submit(struct world *w)
{
	return run_in(w, zz_submit, "", "submit", "--url", w->toy.url, "--key", w->key, "--session",
	        w->session, "--results", w->results, "--out", w->out_dir, NULL);
}

static inline unsigned
files_with(const char *dir, const char *suffix)
{
	size_t n = strlen(suffix), length;
	struct dirent *entry;
	unsigned count = 0;
	DIR *d = opendir(dir);

	while (d && (entry = readdir(d)) != NULL) {
		length = strlen(entry->d_name);
		count += length > n && !strcmp(entry->d_name + length - n, suffix);
	}
	if (d)
		closedir(d);
	return count;
}
#endif
