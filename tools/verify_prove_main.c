/* verify_prove_main.c - `zz-verify prove` writes the proofs of one certificate, and `zz-verify
 * check
 * --log` judges a bare record with the proof that it makes itself. */
#include "verify_prove_main.h"

#include "file.h"
#include "verify_check.h"
#include "verify_landmarks.h"
#include "verify_prove.h"
#include "verify_source.h"
#include "verify_state.h"
#include "zz_text.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_USAGE = 2, EXIT_AWAY = 6, DATA_BYTES_MAX = 64 * 1024, MODE = 0644 };

struct prove_arguments {
	const char *root, *state, *log, *out, *index, *data;
	struct check_words words;
	bool check, landmarks, json, landmark;
};

struct prove { /* one run */
	const struct prove_arguments *a;
	struct key *root;
	uint8_t *manifest_bytes;
	struct manifest manifest;
	bool manifest_open;
	struct source *source;
	struct sync_source from;
	struct log_view view;
	struct log_record record;
	uint64_t index;
	struct merkle_path path;
	struct check_options asked;
};

void
prove_help(FILE *to)
{
	fputs("  zz-verify prove --root ROOT.pub --log URL|FOLDER [--index N] [--out DIR] FILE | "
	      "QR-TEXT\n"
	      "      makes the proof that the certificate is in the log, from the public files "
	      "alone, and writes\n"
	      "      SERIAL.tlog-proof (C2SP), SERIAL.receipt (RFC 9942) and SERIAL.bundle. Its "
	      "place is looked\n"
	      "      for around the time of the record, unless --index says it.\n"
	      "        --landmark  SERIAL.landmark: the record with a path of at most 20 hashes "
	      "and no "
	      "signature of the\n"
	      "                    log, for those who keep landmarks; from the day after it was "
	      "issued\n"
	      "  zz-verify landmarks --root ROOT.pub --state DIR --log URL|FOLDER\n"
	      "      keeps two hashes a day, each proved to be part of the signed log: at most 150 "
	      "kB for six years.\n"
	      "  zz-verify check --log URL|FOLDER --root ROOT.pub --state DIR [options of check] "
	      "FILE | QR-TEXT\n"
	      "      fetches the proof itself: NOT_LOGGED where the log does not hold the "
	      "certificate.\n",
	        to);
}

bool
prove_owns(int argc, char **argv)
{
	if (argc < 2)
		return false;
	if (strcmp(argv[1], "prove") == 0 || strcmp(argv[1], "landmarks") == 0)
		return true;
	for (int i = 2; i < argc; i++)
		if (strncmp(argv[i], "--log", 5) == 0 && (argv[i][5] == '\0' || argv[i][5] == '='))
			return strcmp(argv[1], "check") == 0;
	return false;
}

static int
usage(const char *what)
{
	fprintf(stderr, "zz-verify: %s (zz-verify --help)\n", what);
	return EXIT_USAGE;
}

static int
trouble(const char *what, const char *name, enum err e)
{
	fprintf(stderr, "zz-verify: %s %s: %s %s (%s)\n", what, name, err_en(e), err_zh(e),
	        err_word(e));
	return e == ERR_IO || e == ERR_DEADLINE || e == ERR_HTTP ? EXIT_AWAY : 1;
}

/* What is offered contradicts what was signed: not to be used. */
static int
refuse(const char *what, enum verdict_reason reason)
{
	printf("ATTACK  %s\n%s\n%s\n  %s\n", verdict_zh(VERDICT_ATTACK), reason_zh(reason),
	        reason_en(reason), what);
	return verdict_exit(VERDICT_ATTACK);
}

static enum err
root_take(struct prove *p)
{
	uint8_t *pem = NULL;
	size_t n = 0;
	enum err e = file_read(p->a->root, KEY_PEM_BYTES_MAX, &pem, &n);

	if (e == ERR_OK)
		e = key_read_pem(bytes_of(pem, n), &p->root);
	free(pem);
	return e;
}

/* The one that is held where there is a state folder, else what the log offers. */
static enum err
manifest_take(struct prove *p)
{
	struct client_reply reply;
	size_t n = 0;
	enum err e = ERR_OK;

	if (p->a->state != NULL) {
		e = state_read(
		        p->a->state, "manifest.cose", MANIFEST_BYTES_MAX, &p->manifest_bytes, &n);
	} else {
		e = p->from.get(p->from.ctx, "/manifest.cose", MANIFEST_BYTES_MAX, &reply);
		if (e == ERR_OK && reply.status != 200)
			e = ERR_NOT_FOUND;
		if (e == ERR_OK && (p->manifest_bytes = malloc(reply.body.n + 1)) == NULL)
			e = ERR_MEMORY;
		if (e != ERR_OK)
			return e;
		n = reply.body.n;
		memcpy(p->manifest_bytes, reply.body.p, n);
	}
	if (e == ERR_OK)
		e = manifest_open(bytes_of(p->manifest_bytes, n), p->root, &p->manifest);
	p->manifest_open = e == ERR_OK;
	return e;
}

/* What was synced must be the beginning of the tree that is offered. */
static enum err
view_compare(struct prove *p)
{
	struct checkpoint held;
	uint8_t *bytes = NULL;
	size_t n = 0;
	enum err e;

	if (p->a->state == NULL)
		return ERR_OK;
	e = state_read(p->a->state, "checkpoint", CHECKPOINT_BYTES_MAX, &bytes, &n);
	if (e == ERR_OK && (e = checkpoint_decode(bytes_of(bytes, n), &held)) == ERR_OK)
		e = log_view_extends(&p->view, &held);
	free(bytes);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* 0, or the exit code. */
static int
view_take(struct prove *p)
{
	enum err e = source_open(p->a->log, &p->source);

	if (e != ERR_OK)
		return trouble("log", p->a->log, e);
	p->from = source_of(p->source);
	if ((e = manifest_take(p)) != ERR_OK)
		return e == ERR_SIGNATURE || e == ERR_KID_UNKNOWN
		               ? refuse("manifest.cose", REASON_MANIFEST)
		               : trouble("manifest", p->a->log, e);
	if ((e = log_view_open(&p->from, &p->manifest, &p->view)) != ERR_OK)
		return e == ERR_SIGNATURE || e == ERR_KID_UNKNOWN || e == ERR_VALUE
		               ? refuse("log/checkpoint", REASON_CHECKPOINT)
		               : trouble("log/checkpoint of", p->a->log, e);
	if ((e = view_compare(p)) == ERR_FORK)
		return refuse("log/checkpoint", REASON_FORK);
	if (e == ERR_VERSION)
		return refuse("log/checkpoint", REASON_ROLLBACK);
	return e == ERR_OK ? 0 : trouble("log/tile of", p->a->log, e);
}

static void
show_progress(void *ctx, uint64_t index)
{
	(void)ctx;
	if (isatty(STDERR_FILENO) == 1)
		fprintf(stderr, "\rzz-verify: entry %llu …", (unsigned long long)index);
}

/* ERR_NOT_FOUND where the log does not hold it. */
static enum err
place_find(struct prove *p)
{
	struct log_search s = {.progress = show_progress};
	enum err e = ERR_OK;

	if (p->a->index == NULL) {
		e = log_find(&p->view, p->record.time, &p->record.leaf, &s, &p->index);
		if (isatty(STDERR_FILENO) == 1)
			fputs("\r                              \r", stderr);
	}
	if (e == ERR_NOT_FOUND)
		fprintf(stderr,
		        "zz-verify: entries %llu to %llu of %llu, those of the record's time, were "
		        "looked through.\n",
		        (unsigned long long)s.first, (unsigned long long)s.end,
		        (unsigned long long)p->view.checkpoint.size);
	if (e == ERR_OK)
		e = log_prove(&p->view, p->index, &p->record.leaf, &p->path);
	return e == ERR_SIGNATURE || e == ERR_VALUE ? ERR_NOT_FOUND : e;
}

static enum err
file_put(const struct prove *p, const char *suffix, struct bytes data)
{
	char serial[33], path[1000];
	enum err e;

	hex_encode(bytes_of(p->record.serial, sizeof p->record.serial), serial);
	snprintf(
	        path, sizeof path, "%s/%s.%s", p->a->out == NULL ? "." : p->a->out, serial, suffix);
	if ((e = file_write(path, data, MODE)) == ERR_OK)
		printf("%s\n", path);
	return e;
}

static enum err
bundle_make(struct prove *p, struct buf *receipt, struct buf *bundle)
{
	enum err e = log_receipt_put(&p->view, &p->record, p->index, &p->path, receipt);

	return e == ERR_OK ? bundle_put(bundle, bytes_of(p->record.bare, p->record.bare_n),
	                             buf_bytes(receipt))
	                   : e;
}

static int
prove_write(struct prove *p)
{
	uint8_t text_room[PROOF_TEXT_BYTES_MAX], receipt_room[RECEIPT_BYTES_MAX],
	        bundle_room[BUNDLE_BYTES_MAX];
	struct buf text = BUF_OF(text_room), receipt = BUF_OF(receipt_room),
	           bundle = BUF_OF(bundle_room);
	enum err e;

	if ((e = log_proof_put(&p->view, &p->record, p->index, &p->path, &text)) != ERR_OK ||
	        (e = bundle_make(p, &receipt, &bundle)) != ERR_OK)
		return trouble("proof from", p->a->log, e);
	printf("index %llu, tree %llu, %zu hashes\n", (unsigned long long)p->index,
	        (unsigned long long)p->view.checkpoint.size, p->path.n);
	if ((e = file_put(p, "tlog-proof", buf_bytes(&text))) != ERR_OK ||
	        (e = file_put(p, "receipt", buf_bytes(&receipt))) != ERR_OK ||
	        (e = file_put(p, "bundle", buf_bytes(&bundle))) != ERR_OK)
		return trouble("cannot write to", p->a->out == NULL ? "." : p->a->out, e);
	return 0;
}

static int
landmark_write(struct prove *p)
{
	uint8_t room[LANDMARK_BUNDLE_BYTES_MAX];
	struct buf out = BUF_OF(room);
	struct landmarks *l = calloc(1, sizeof *l);
	struct landmark_proof proof;
	enum err e = l == NULL ? ERR_MEMORY : landmarks_fetch(&p->from, l);

	if (e == ERR_OK)
		e = landmarks_prove(&p->view, l, p->index, &p->record.leaf, &proof);
	free(l);
	if (e == ERR_NOT_READY || e == ERR_NOT_FOUND) {
		fputs("zz-verify: its landmark does not exist yet: the day of its entry has not "
		      "ended in the log. 该日地标尚未生成，请次日再试。\n",
		        stderr);
		return EXIT_AWAY;
	}
	if (e == ERR_OK)
		e = landmark_bundle_put(&out, bytes_of(p->record.bare, p->record.bare_n), &proof);
	if (e == ERR_OK)
		e = file_put(p, "landmark", buf_bytes(&out));
	if (e != ERR_OK)
		return trouble("landmark from", p->a->log, e);
	printf("index %llu, landmark %llu, %zu hashes\n", (unsigned long long)p->index,
	        (unsigned long long)proof.number, proof.path.n);
	return 0;
}

/* The command `landmarks`. */
static int
landmarks_keep(struct prove *p)
{
	struct landmarks_held *h = calloc(1, sizeof *h);
	uint64_t added = 0;
	enum err e = ERR_MEMORY;

	if (h == NULL)
		return trouble("memory", "", e);
	landmarks_init(&h->l);
	e = landmarks_read(p->a->state, h);
	if (e == ERR_OK || e == ERR_NOT_FOUND)
		e = landmarks_bring(&p->view, h, &added);
	if (e == ERR_OK && added > 0)
		e = landmarks_write(p->a->state, h);
	if (e == ERR_OK)
		printf("landmarks %zu, new %llu, newest at %llu of %llu\n", h->l.count,
		        (unsigned long long)added, (unsigned long long)h->l.sizes[h->l.count],
		        (unsigned long long)p->view.checkpoint.size);
	free(h);
	if (e == ERR_VERSION || e == ERR_FORK)
		return refuse("log/landmarks", e == ERR_FORK ? REASON_FORK : REASON_ROLLBACK);
	return e == ERR_OK ? 0 : trouble("log/landmarks of", p->a->log, e);
}

/* The verdict of what is held, with the proof that was made; without one a proof is missing. */
static int
check_with(struct prove *p, bool found, int64_t now)
{
	uint8_t receipt_room[RECEIPT_BYTES_MAX], bundle_room[BUNDLE_BYTES_MAX];
	struct buf receipt = BUF_OF(receipt_room), bundle = BUF_OF(bundle_room);
	struct check_options o = p->asked;
	struct check *c = calloc(1, sizeof *c);
	struct field *f = NULL;
	json_t *json = NULL;
	int code = 1;
	enum err e = c == NULL ? ERR_MEMORY : field_open(&f);

	o.dir = p->a->state;
	o.root = p->root;
	o.now = now;
	o.require_log = true;
	o.data = bytes_of(p->record.bare, p->record.bare_n);
	if (e == ERR_OK && found && (e = bundle_make(p, &receipt, &bundle)) == ERR_OK)
		o.data = buf_bytes(&bundle);
	if (e == ERR_OK && (e = check_run(&o, c)) == ERR_OK) {
		code = verdict_exit(c->v.code);
		if (!p->a->json)
			check_print(stdout, c, f);
		else if ((json = check_json(c, f)) != NULL && json_dumpf(json, stdout, 0) == 0)
			putchar('\n');
		json_decref(json);
	}
	if (e != ERR_OK)
		code = trouble("check with", p->a->log, e);
	if (c != NULL)
		check_close(c);
	free(c);
	field_free(f);
	return code;
}

static int
prove_run(struct prove *p, int64_t now)
{
	int code = view_take(p);
	enum err e;

	if (code != 0)
		return code;
	if (p->a->landmarks)
		return landmarks_keep(p);
	e = place_find(p);
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return trouble("log/tile of", p->a->log, e);
	if (p->a->check)
		return check_with(p, e == ERR_OK, now);
	if (e == ERR_OK)
		return p->a->landmark ? landmark_write(p) : prove_write(p);
	printf("NOT_LOGGED  %s\n%s\n", verdict_zh(VERDICT_NOT_LOGGED),
	        verdict_en(VERDICT_NOT_LOGGED));
	return verdict_exit(VERDICT_NOT_LOGGED);
}

static enum err
data_read(struct prove *p)
{
	struct bytes data = bytes_of_text(p->a->data);
	uint8_t *owned = NULL;
	size_t n = 0;
	enum err e = ERR_OK;

	if (!bytes_start(data, "ZZ1:")) {
		e = file_read(p->a->data, DATA_BYTES_MAX, &owned, &n);
		data = bytes_of(owned, n);
	}
	if (e == ERR_OK)
		e = log_record_read(data, &p->record);
	free(owned);
	return e;
}

static int
arguments_judge(struct prove *p)
{
	const struct prove_arguments *a = p->a;
	const char *wrong = check_words_read(&a->words, &p->asked);
	enum err e;

	if (wrong != NULL)
		return usage(wrong);
	if (a->root == NULL || a->log == NULL || (a->data == NULL) != a->landmarks)
		return usage("--root and --log are needed, and one certificate but for landmarks");
	if ((a->check || a->landmarks) && a->state == NULL)
		return usage("--state is needed");
	if (a->index != NULL &&
	        decimal_decode(bytes_of_text(a->index), INT64_MAX, &p->index) != ERR_OK)
		return usage("--index must be a number");
	if ((e = root_take(p)) != ERR_OK) {
		(void)trouble("root key", a->root, e);
		return EXIT_USAGE;
	}
	if (a->landmarks)
		return 0;
	if ((e = data_read(p)) == ERR_NOT_FOUND)
		return usage("there is no such file");
	if (e == ERR_OK)
		return 0;
	printf("MALFORMED  %s\n%s\n", verdict_zh(VERDICT_MALFORMED), verdict_en(VERDICT_MALFORMED));
	return verdict_exit(VERDICT_MALFORMED);
}

static const struct option options[] = {
        {"root", required_argument, NULL, 'r'},
        {"state", required_argument, NULL, 's'},
        {"log", required_argument, NULL, 'g'},
        {"out", required_argument, NULL, 'o'},
        {"index", required_argument, NULL, 'n'},
        {"item", required_argument, NULL, 'i'},
        {"document", required_argument, NULL, 'd'},
        {"at", required_argument, NULL, 'a'},
        {"max-age", required_argument, NULL, 'm'},
        {"require-log", no_argument, NULL, 'l'}, /* as it is */
        {"json", no_argument, NULL, 'j'},
        {"landmark", no_argument, NULL, 'k'},
        {NULL, 0, NULL, 0},
};

static bool
option_take(struct prove_arguments *a, int option)
{
	static const char letters[] = "rsgonidam";
	const char **texts[] = {&a->root, &a->state, &a->log, &a->out, &a->index, &a->words.item,
	        &a->words.document, &a->words.at, &a->words.age};
	const char *at = strchr(letters, option);

	if (at != NULL)
		*texts[at - letters] = optarg;
	a->json |= option == 'j';
	a->landmark |= option == 'k';
	return option != '?'; /* getopt has said why */
}

int
prove_main(int argc, char **argv, int64_t now)
{
	struct prove_arguments a = {.check = strcmp(argv[1], "check") == 0,
	        .landmarks = strcmp(argv[1], "landmarks") == 0};
	struct prove *p = calloc(1, sizeof *p);
	int option, code;

	if (p == NULL)
		return trouble("memory", "", ERR_MEMORY);
	p->a = &a;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (!option_take(&a, option)) {
			free(p);
			return EXIT_USAGE;
		}
	a.data = argc - optind == 2 ? argv[optind + 1] : NULL;
	code = arguments_judge(p);
	if (code == 0)
		code = prove_run(p, now);
	if (p->manifest_open)
		manifest_close(&p->manifest);
	free(p->manifest_bytes);
	source_free(p->source);
	key_free(p->root);
	free(p);
	return code;
}
