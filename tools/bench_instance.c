/* bench_instance.c - reads /proc and asks psql; it changes nothing of the instance. */
#include "bench_instance.h"

#include "file.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STAT_BYTES = 1024, CONFIG_BYTES = 65536 };

const char *const bench_process_names[BENCH_PROCESSES] = {
        "issuerd", "ca-signer", "issuer-publish", "postgres"};

/* Processes */

/* What stands in /proc/PID/stat after the name: `parent` and ticks with those of waited-for
 * children. */
static bool
stat_read(pid_t process, pid_t *parent, double *own_s, double *children_s)
{
	double hertz = (double)sysconf(_SC_CLK_TCK);
	char path[40], text[STAT_BYTES], *at;
	unsigned long field[14];
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)process);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return false;
	n = read(fd, text, sizeof text - 1);
	close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	if ((at = strrchr(text, ')')) == NULL || strlen(at) < 5)
		return false;
	at += 3; /* ") S": the state */
	for (size_t i = 0; i < 14; i++)
		field[i] = strtoul(at + 1, &at, 10);
	*parent = (pid_t)field[0];
	*own_s = (double)(field[10] + field[11]) / hertz;
	*children_s = (double)(field[12] + field[13]) / hertz;
	return true;
}

static double
children_cpu(pid_t parent)
{
	DIR *dir = opendir("/proc");
	const struct dirent *d;
	double sum = 0, own, children;
	pid_t its;

	while (dir != NULL && (d = readdir(dir)) != NULL) {
		pid_t process = (pid_t)strtol(d->d_name, NULL, 10);

		if (isdigit((unsigned char)d->d_name[0]) &&
		        stat_read(process, &its, &own, &children) && its == parent)
			sum += own;
	}
	if (dir != NULL)
		closedir(dir);
	return sum;
}

void
bench_instance_cpu(const struct bench_instance *in, double out[BENCH_PROCESSES])
{
	double own, children;
	pid_t parent;

	for (int i = 0; i < BENCH_PROCESSES; i++) {
		out[i] = 0;
		if (stat_read(in->processes[i], &parent, &own, &children))
			out[i] = own + children;
	}
	out[BENCH_DATABASE] += children_cpu(in->processes[BENCH_DATABASE]);
}

void
bench_instance_pids(const struct bench_instance *in, char *out, size_t room)
{
	DIR *dir = opendir("/proc");
	const struct dirent *d;
	double own, children;
	pid_t its = 0;
	size_t n = 0;

	for (int i = 0; i < BENCH_PROCESSES; i++)
		n += (size_t)snprintf(
		        out + n, room - n, "%s%d", i > 0 ? "," : "", (int)in->processes[i]);
	while (dir != NULL && (d = readdir(dir)) != NULL && n + 12 < room)
		if (isdigit((unsigned char)d->d_name[0]) &&
		        stat_read((pid_t)strtol(d->d_name, NULL, 10), &its, &own, &children) &&
		        its == in->processes[BENCH_DATABASE])
			n += (size_t)snprintf(out + n, room - n, ",%s", d->d_name);
	if (dir != NULL)
		closedir(dir);
}

uint64_t
bench_process_rss(pid_t process)
{
	char path[40], line[128];
	uint64_t kib = 0;
	FILE *in;

	snprintf(path, sizeof path, "/proc/%d/status", (int)process);
	if ((in = fopen(path, "r")) == NULL)
		return 0;
	while (fgets(line, sizeof line, in) != NULL)
		if (strncmp(line, "VmRSS:", 6) == 0)
			kib = strtoull(line + 6, NULL, 10);
	fclose(in);
	return kib * 1024;
}

static enum err
process_open(struct bench_instance *in, enum bench_process which, const char *file)
{
	double own, children;
	uint8_t *text = NULL;
	char path[BENCH_TEXT_MAX];
	pid_t parent;
	size_t n = 0;

	snprintf(path, sizeof path, "%s/%s", in->dir, file);
	if (file_read(path, STAT_BYTES, &text, &n) == ERR_OK)
		in->processes[which] = (pid_t)strtol((const char *)text, NULL, 10);
	free(text);
	if (in->processes[which] > 0 && stat_read(in->processes[which], &parent, &own, &children))
		return ERR_OK;
	fprintf(stderr, "zz-bench: %s does not run; tools/up --no-demo --dir %s starts it\n",
	        bench_process_names[which], in->dir);
	return ERR_CONFIG;
}

/* Where it listens, from zz.conf. */
static enum err
url_read(struct bench_instance *in)
{
	static const char key[] = "\nlisten = 127.0.0.1:";
	char path[BENCH_TEXT_MAX];
	uint8_t *text = NULL;
	const char *at = NULL;
	size_t n = 0;

	snprintf(path, sizeof path, "%s/zz.conf", in->dir);
	if (file_read(path, CONFIG_BYTES, &text, &n) == ERR_OK)
		at = memmem(text, n, key, sizeof key - 1);
	if (at != NULL)
		in->port = (unsigned)strtoul(at + sizeof key - 1, NULL, 10);
	free(text);
	if (in->port == 0) {
		fprintf(stderr, "zz-bench: no instance of tools/up in %s\n", in->dir);
		return ERR_CONFIG;
	}
	snprintf(in->url, sizeof in->url, "http://127.0.0.1:%u", in->port);
	return ERR_OK;
}

enum err
bench_instance_open(const char *dir, struct bench_instance *out)
{
	static const char *const files[BENCH_PROCESSES] = {"run/issuerd.pid", "run/ca-signer.pid",
	        "run/issuer-publish.pid", "pg/data/postmaster.pid"};
	struct bench_instance in = {.seconds = 3};
	char path[BENCH_TEXT_MAX], *real = realpath(dir, NULL);
	struct stat data;
	enum err e;

	snprintf(in.dir, sizeof in.dir, "%s", real != NULL ? real : dir);
	free(real);
	if ((e = url_read(&in)) != ERR_OK)
		return e;
	for (int i = 0; i < BENCH_PROCESSES; i++)
		if ((e = process_open(&in, (enum bench_process)i, files[i])) != ERR_OK)
			return e;
	snprintf(path, sizeof path, "%s/pg/data", in.dir);
	if (stat(path, &data) != 0)
		return ERR_CONFIG;
	in.database_user = data.st_uid;
	in.database_group = data.st_gid;
	*out = in;
	return ERR_OK;
}

/* PostgreSQL's programs */

static void
program_become(const struct bench_instance *in, const char *const arguments[], int out)
{
	char *copies[BENCH_ARGUMENTS_MAX + 1] = {NULL}, host[BENCH_TEXT_MAX];
	char program[BENCH_PATH_MAX], path[BENCH_TEXT_MAX], *slash;
	ssize_t n;

	snprintf(host, sizeof host, "%s/run/pg", in->dir);
	/* the server's own programs first: pg_waldump must be of its version */
	snprintf(path, sizeof path, "/proc/%d/exe", (int)in->processes[BENCH_DATABASE]);
	n = readlink(path, program, sizeof program - 1);
	program[n > 0 ? n : 0] = '\0';
	if ((slash = strrchr(program, '/')) != NULL)
		*slash = '\0';
	snprintf(path, sizeof path, "%s:/usr/bin:/bin", program);
	setenv("PATH", path, 1);
	setenv("PGHOST", host, 1);
	setenv("PGOPTIONS", "-c client_min_messages=warning", 1);
	setenv("LC_ALL", "C.UTF-8", 1);
	for (size_t i = 0; i < BENCH_ARGUMENTS_MAX && arguments[i] != NULL; i++)
		copies[i] = strdup(arguments[i]);
	if (geteuid() == 0 && (setgroups(0, NULL) != 0 || setgid(in->database_group) != 0 ||
	                              setuid(in->database_user) != 0))
		_exit(127);
	if (chdir("/") == 0 && dup2(out, STDOUT_FILENO) >= 0)
		execvp(copies[0], copies);
	_exit(127);
}

static void
pipe_read(int from, char *out, size_t room)
{
	char rest[4096];
	size_t n = 0;
	ssize_t got;

	while ((got = read(from, rest, sizeof rest)) > 0)
		for (ssize_t i = 0; i < got; i++)
			if (out != NULL && n + 1 < room)
				out[n++] = rest[i];
	if (out != NULL && room > 0)
		out[n] = '\0';
}

enum err
bench_database_open(
        const struct bench_instance *in, const char *const arguments[], pid_t *process, int *fd)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return ERR_IO;
	if ((pid = fork()) == 0)
		program_become(in, arguments, ends[1]);
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return ERR_IO;
	}
	*process = pid;
	*fd = ends[0];
	return ERR_OK;
}

enum err
bench_database_run(
        const struct bench_instance *in, const char *const arguments[], char *out, size_t room)
{
	int fd = -1, status = 0;
	pid_t pid = 0;
	enum err e = bench_database_open(in, arguments, &pid, &fd);

	if (e != ERR_OK)
		return e;
	pipe_read(fd, out, room);
	close(fd);
	if (waitpid(pid, &status, 0) != pid)
		return ERR_IO;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return ERR_OK;
	fprintf(stderr, "zz-bench: %s fails\n", arguments[0]);
	return ERR_DATABASE;
}

enum err
bench_sql(const struct bench_instance *in, const char *database, const char *statement)
{
	const char *const arguments[] = {
	        "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", statement, NULL};

	return bench_database_run(in, arguments, NULL, 0);
}

enum err
bench_sql_text(const struct bench_instance *in, const char *database, const char *statement,
        char *out, size_t room)
{
	const char *const arguments[] = {"psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1",
	        "-d", database, "-c", statement, NULL};

	return bench_database_run(in, arguments, out, room);
}

enum err
bench_sql_number(
        const struct bench_instance *in, const char *database, const char *statement, double *out)
{
	char text[80], *end = text;
	enum err e = bench_sql_text(in, database, statement, text, sizeof text);
	double value = strtod(text, &end);

	if (e != ERR_OK)
		return e;
	if (end == text)
		return ERR_DATABASE;
	*out = value;
	return ERR_OK;
}

enum err
bench_audit(const struct bench_instance *in, int *exit, double *seconds)
{
	char config[BENCH_TEXT_MAX], journal[BENCH_TEXT_MAX], pepper[BENCH_TEXT_MAX],
	        state[BENCH_TEXT_MAX];
	const char *const arguments[] = {"zz-audit", "--config", config, "--journal", journal,
	        "--pepper", pepper, "--state", state, NULL};
	double start = bench_clock_s();
	struct rusage use;
	enum err e;

	snprintf(config, sizeof config, "%s/zz.conf", in->dir);
	snprintf(journal, sizeof journal, "%s/signer", in->dir);
	snprintf(pepper, sizeof pepper, "%s/keys/pepper", in->dir);
	snprintf(state, sizeof state, "%s/bench-audit.state", in->dir);
	e = bench_child(arguments, exit, &use);
	*seconds = bench_clock_s() - start;
	return e;
}
