/* bench_profile.c - each sample belongs to the innermost function of its stack that the table
 * knows; what no row knows is named by its library or "other", so that the sum is the whole. */
#include "bench_profile.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE_BYTES = 1024, PIDS_BYTES = 1024, FRAMES_MAX = 128, NAME_BYTES = 64 };

/* Start of a symbol, or of a library's file name with a '/', and the part it belongs to. The
 * innermost frame that a symbol's row fits decides, else the innermost of a library's row; what the
 * kernel does is its caller's. */
struct rule {
	const char *start, *part;
};
static const struct rule ours[] = {{"key_verify", "ES256 verify"}, {"key_sign", "ES256 sign"},
        {"EVP_DigestVerify", "ES256 verify"}, {"EVP_DigestSign", "ES256 sign"}, {"jws_", "JWS"},
        {"roster_", "JWS"}, {"json", "JSON"}, {"/libjansson", "JSON"}, {"base64", "base64"},
        {"sha256", "SHA-256"}, {"merkle_", "SHA-256"}, {"hmac", "HMAC"}, {"holder_hmac", "HMAC"},
        {"journal_", "journal"}, {"fdatasync", "journal"}, {"fold_", "fold"}, {"rules_", "rules"},
        {"field_", "rules"}, {"document_", "rules"}, {"request_", "request read"},
        {"record_", "record"}, {"entry_", "entry"}, {"note_", "note and tag"},
        {"evidence_", "note and tag"}, {"frame_", "signer socket"}, {"signer_", "signer socket"},
        {"PQ", "libpq"}, {"/libpq", "libpq"}, {"pg_", "libpq"}, {"store_", "libpq"},
        {"answer_", "answer"}, {"receipt_", "answer"}, {"reply_", "answer"}, {"intake_", "intake"},
        {"batch_", "batch"}, {"MHD_", "HTTP"}, {"/libmicrohttpd", "HTTP"}, {"http_", "HTTP"},
        {"tiles_", "tiles"}, {"tile_", "tiles"}, {"publish_", "publish"}, {"writer_", "batch"},
        {"/libcrypto", "OpenSSL, other"}};
static const struct rule database[] = {{"XLog", "write-ahead log"}, {"pg_fsync", "fsync"},
        {"RI_", "foreign keys"}, {"ri_", "foreign keys"}, {"/plpgsql", "triggers"},
        {"ExecASInsertTriggers", "triggers"}, {"ExecBSInsertTriggers", "triggers"},
        {"AfterTriggerEndQuery", "triggers"}, {"btinsert", "index insert"},
        {"ExecInsertIndexTuples", "index insert"}, {"heap_", "row insert"},
        {"toast_", "row insert"}, {"ExecConstraints", "checks"}, {"array_recv", "parameters"},
        {"bytearecv", "parameters"}, {"CommitTransaction", "commit"}, {"BufFile", "tuplestore"},
        {"index_", "index look-up"}, {"bt", "index look-up"}, {"ExecutorRun", "executor"},
        {"ExecutorStart", "executor start"}, {"ExecutorFinish", "triggers"},
        {"ExecutorEnd", "executor start"}, {"pq_", "protocol"}, {"secure_", "protocol"},
        {"PostgresMain", "protocol and dispatch"}, {"BackgroundWriterMain", "background"},
        {"CheckpointerMain", "background"}, {"WalWriterMain", "background"},
        {"AutoVac", "background"}};
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct sample {
	int process; /* -1: none of ours */
	char names[FRAMES_MAX][NAME_BYTES], libraries[FRAMES_MAX][NAME_BYTES];
	size_t frames;
	bool kernel; /* the innermost was the kernel's */
};

static int
process_find(const char *line)
{
	for (int i = 0; i < BENCH_PROCESSES; i++)
		if (strncmp(line, bench_process_names[i], strlen(bench_process_names[i])) == 0)
			return i;
	return -1;
}

static bool
rule_fits(const struct rule *rule, const struct sample *s, size_t frame)
{
	bool library = rule->start[0] == '/';
	const char *text = library ? s->libraries[frame] : s->names[frame];
	const char *start = rule->start + (library ? 1 : 0);

	return strncmp(text, start, strlen(start)) == 0;
}

static const char *
part_find(const struct sample *s)
{
	const struct rule *rules = s->process == BENCH_DATABASE ? database : ours;
	size_t count = s->process == BENCH_DATABASE ? COUNT(database) : COUNT(ours);

	for (int library = 0; library < 2; library++)
		for (size_t f = 0; f < s->frames; f++)
			for (size_t i = 0; i < count; i++)
				if ((rules[i].start[0] == '/') == (library == 1) &&
				        rule_fits(&rules[i], s, f))
					return rules[i].part;
	return s->kernel ? "kernel, other" : "other";
}

static enum err
sample_take(const struct sample *s, struct bench_profile *p)
{
	const char *name;
	size_t i;

	if (s->process < 0) {
		p->strangers++;
		return ERR_OK;
	}
	name = part_find(s);
	for (i = 0; i < p->count; i++)
		if (p->parts[i].process == s->process && strcmp(p->parts[i].name, name) == 0)
			break;
	if (i == BENCH_PROFILE_PARTS_MAX)
		return ERR_LIMIT;
	if (i == p->count)
		p->parts[p->count++] = (struct bench_profile_part){s->process, name, 0};
	p->parts[i].samples++;
	p->samples[s->process]++;
	return ERR_OK;
}

/* "  ADDRESS SYMBOL (FILE)" */
static void
frame_take(const char *line, struct sample *s)
{
	const char *symbol = line + strspn(line, " \t"), *file = strrchr(line, '('), *slash;

	if (s->frames == FRAMES_MAX || file == NULL)
		return;
	symbol += strcspn(symbol, " ");
	symbol += strspn(symbol, " ");
	if (strstr(file, "kernel") != NULL) {
		s->kernel = true;
		return;
	}
	if ((slash = strrchr(file, '/')) == NULL)
		slash = file;
	snprintf(s->names[s->frames], NAME_BYTES, "%.*s", (int)strcspn(symbol, " +\n"), symbol);
	snprintf(s->libraries[s->frames++], NAME_BYTES, "%.*s", (int)strcspn(slash + 1, ")\n"),
	        slash + 1);
}

enum err
bench_profile_read(FILE *in, struct bench_profile *out)
{
	struct sample *s = calloc(1, sizeof *s);
	struct bench_profile p = {.count = 0};
	char line[LINE_BYTES];
	bool open = false;
	enum err e = s == NULL ? ERR_MEMORY : ERR_OK;

	while (e == ERR_OK && fgets(line, sizeof line, in) != NULL) {
		if (line[0] == '\n') {
			e = open ? sample_take(s, &p) : ERR_OK;
			open = false;
		} else if (line[0] == ' ' || line[0] == '\t') {
			frame_take(line, s);
		} else {
			open = true;
			s->frames = 0;
			s->kernel = false;
			s->process = process_find(line);
		}
	}
	if (e == ERR_OK && open)
		e = sample_take(s, &p);
	if (e == ERR_OK)
		*out = p;
	free(s);
	return e;
}

/* The run */

struct recording {
	const struct bench_run *r;
	char dir[BENCH_PATH_MAX], data[BENCH_TEXT_MAX], text[BENCH_TEXT_MAX], pids[PIDS_BYTES];
	pid_t perf;
};

/* A moment later it samples: the first certificates go unseen. */
static enum err
record_start(void *to)
{
	struct recording *rec = to;
	char seconds[16];
	const char *const arguments[] = {"perf", "record", "-q", "-F", "499", "-e", "cpu-clock",
	        "--call-graph", "dwarf,16384", "-p", rec->pids, "-o", rec->data, "--", "sleep",
	        seconds, NULL};

	snprintf(seconds, sizeof seconds, "%u", rec->r->in.seconds);
	snprintf(rec->data, sizeof rec->data, "%s/perf.data", rec->dir);
	snprintf(rec->text, sizeof rec->text, "%s/perf.txt", rec->dir);
	bench_instance_pids(&rec->r->in, rec->pids, sizeof rec->pids);
	return bench_program_start(arguments, NULL, &rec->perf);
}

static enum err
record_read(struct recording *rec, struct bench_profile *out)
{
	const char *const arguments[] = {
	        "perf", "script", "-i", rec->data, "--no-inline", "-F", "comm,ip,sym,dso", NULL};
	pid_t script = 0;
	FILE *in;
	enum err e;

	if (bench_program_end(rec->perf) != 0) {
		fputs("zz-bench: profile needs perf (Debian: linux-perf) and a kernel that lets "
		      "this user have it\n",
		        stderr);
		return ERR_CONFIG;
	}
	if ((e = bench_program_start(arguments, rec->text, &script)) != ERR_OK)
		return e;
	if (bench_program_end(script) != 0 || (in = fopen(rec->text, "r")) == NULL)
		return ERR_CONFIG;
	e = bench_profile_read(in, out);
	fclose(in);
	return e;
}

static int
part_order(const void *a, const void *b)
{
	const struct bench_profile_part *x = a, *y = b;

	if (x->process != y->process)
		return x->process - y->process;
	return (x->samples < y->samples) - (x->samples > y->samples);
}

static void
profile_print(FILE *to, struct bench_profile *p, const struct bench_sample *s, unsigned seats)
{
	uint64_t samples = p->strangers;

	for (int i = 0; i < BENCH_PROCESSES; i++)
		samples += p->samples[i];
	fprintf(to, "sessions of %u: %.0f certificates/s, %.1f us of CPU each, %llu samples\n\n",
	        seats, s->rate, s->cpu_sum_us, (unsigned long long)samples);
	qsort(p->parts, p->count, sizeof p->parts[0], part_order);
	fputs("| process | part | us a certificate | share |\n|---|---|---|---|\n", to);
	for (size_t i = 0; i < p->count; i++) {
		const struct bench_profile_part *part = &p->parts[i];
		double share = (double)part->samples / (double)p->samples[part->process];
		double us = share * s->cpu_us[part->process];

		if (i == 0 || p->parts[i - 1].process != part->process)
			fprintf(to, "| %s | all | %.1f | %.0f %% |\n",
			        bench_process_names[part->process], s->cpu_us[part->process],
			        100 * s->cpu_us[part->process] / s->cpu_sum_us);
		if (us >= 0.05)
			fprintf(to, "| | %s | %.1f | %.0f %% |\n", part->name, us,
			        100 * us / s->cpu_sum_us);
	}
}

enum err
bench_profile(struct bench_run *r, unsigned seats, FILE *to)
{
	struct recording rec = {.r = r, .perf = 0};
	const struct bench_issue what = {.seats = seats,
	        .connections = seats == 1 ? 64 : 8,
	        .seconds = r->in.seconds + 1,
	        .sessions = (size_t)(r->in.seconds + 1) * (seats == 1 ? 9000 : 25000 / seats + 1),
	        .ready = record_start,
	        .to = &rec};
	struct bench_profile p = {0};
	struct bench_sample s;
	enum err e = bench_folder_make(rec.dir), read;

	if (e != ERR_OK)
		return e;
	e = bench_sample_issue(r, &what, &s);
	if (rec.perf > 0) {
		read = record_read(&rec, &p);
		e = e != ERR_OK ? e : read;
	}
	if (e == ERR_OK)
		profile_print(to, &p, &s, seats);
	bench_folder_remove(rec.dir);
	return e;
}
