/* bench_child.c - children are the real programs, found beside this one, and are waited for. */
#include "bench_child.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double
seconds_of(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

double
bench_cpu_s(void)
{
	return seconds_of(CLOCK_PROCESS_CPUTIME_ID);
}

double
bench_clock_s(void)
{
	return seconds_of(CLOCK_MONOTONIC);
}

enum err
bench_folder_make(char out[BENCH_PATH_MAX])
{
	const char *parent = getenv("TMPDIR");

	if (parent == NULL || strlen(parent) > BENCH_PATH_MAX / 2)
		parent = "/tmp";
	snprintf(out, BENCH_PATH_MAX, "%s/zz-bench-XXXXXX", parent);
	return mkdtemp(out) != NULL ? ERR_OK : ERR_IO;
}

static int
one_remove(const char *path, const struct stat *s, int kind, struct FTW *place)
{
	(void)s;
	(void)kind;
	(void)place;
	return remove(path);
}

void
bench_folder_remove(const char *dir)
{
	if (nftw(dir, one_remove, 16, FTW_DEPTH | FTW_PHYS) != 0)
		fprintf(stderr, "zz-bench: %s is left behind\n", dir);
}

static enum err
program_find(const char *name, char out[BENCH_PATH_MAX])
{
	char self[BENCH_PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	char *slash;

	if (n <= 0)
		return ERR_IO;
	self[n] = '\0';
	if ((slash = strrchr(self, '/')) == NULL)
		return ERR_IO;
	*slash = '\0';
	if (snprintf(out, BENCH_PATH_MAX, "%s/%s", self, name) >= BENCH_PATH_MAX)
		return ERR_LIMIT;
	if (access(out, X_OK) == 0)
		return ERR_OK;
	fprintf(stderr, "zz-bench: %s is not there: build it\n", out);
	return ERR_IO;
}

static void
child_exec(const char *path, const char *const arguments[], int out)
{
	char *copies[BENCH_ARGUMENTS_MAX + 1] = {NULL};

	for (size_t i = 0; i < BENCH_ARGUMENTS_MAX && arguments[i] != NULL; i++)
		copies[i] = strdup(arguments[i]);
	if (dup2(out, STDOUT_FILENO) >= 0)
		execvp(path, copies);
	_exit(127);
}

static enum err
child_run(const char *const arguments[], int out, int *code, struct rusage *use)
{
	char path[BENCH_PATH_MAX];
	int status = 0;
	pid_t pid;
	enum err e = program_find(arguments[0], path);

	if (e != ERR_OK)
		return e;
	if ((pid = fork()) < 0)
		return ERR_IO;
	if (pid == 0)
		child_exec(path, arguments, out);
	if (wait4(pid, &status, 0, use) != pid || !WIFEXITED(status))
		return ERR_IO;
	*code = WEXITSTATUS(status);
	return ERR_OK;
}

enum err
bench_child(const char *const arguments[], int *code, struct rusage *use)
{
	return child_run(arguments, STDERR_FILENO, code, use);
}

enum err
bench_child_quiet(const char *const arguments[], int *code, struct rusage *use)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	enum err e = null < 0 ? ERR_IO : child_run(arguments, null, code, use);

	if (null >= 0)
		close(null);
	return e;
}

enum err
bench_program_start(const char *const arguments[], const char *output, pid_t *process)
{
	int out = output == NULL ? STDERR_FILENO
	                         : open(output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	pid_t pid;

	if (out < 0)
		return ERR_IO;
	if ((pid = fork()) == 0)
		child_exec(arguments[0], arguments, out);
	if (output != NULL)
		close(out);
	if (pid < 0)
		return ERR_IO;
	*process = pid;
	return ERR_OK;
}

int
bench_program_end(pid_t process)
{
	int status = 0;

	return waitpid(process, &status, 0) == process && WIFEXITED(status) ? WEXITSTATUS(status)
	                                                                    : -1;
}

enum err
bench_authority(const char *dir)
{
	char path[BENCH_PATH_MAX + 16];
	const char *const arguments[] = {"zz-admin", "init", "--dir", path, "--host",
	        "zz.example.gov.cn", "--listen", "127.0.0.1:1", "--database", "dbname=none", NULL};
	struct rusage use;
	int code = 0;
	enum err e;

	snprintf(path, sizeof path, "%s/authority", dir);
	if ((e = bench_child(arguments, &code, &use)) != ERR_OK)
		return e;
	return code == 0 ? ERR_OK : ERR_CONFIG;
}
