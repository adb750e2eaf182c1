#ifndef TOOLS_BENCH_INSTANCE_H
#define TOOLS_BENCH_INSTANCE_H
/* bench_instance.h - a running instance in a folder that tools/up made, as an operator on its
 * machine sees it: processor time and memory of its processes, and its database through psql. */
#include "bench_child.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum bench_process { BENCH_FRONT, BENCH_SIGNER, BENCH_PUBLISH, BENCH_DATABASE, BENCH_PROCESSES };
extern const char *const bench_process_names[BENCH_PROCESSES];

enum { BENCH_TEXT_MAX = 2 * BENCH_PATH_MAX, BENCH_ANSWER_MAX = 64 * 1024 };

struct bench_instance {
	char dir[BENCH_PATH_MAX]; /* without links */
	char url[64];
	unsigned port;
	uid_t database_user; /* whom psql runs as, where we are root */
	gid_t database_group;
	pid_t processes[BENCH_PROCESSES];
	unsigned seconds; /* of one measurement */
};

/* ERR_CONFIG, having said what is missing: no instance there, or a process does not run. */
MUST_USE enum err bench_instance_open(const char *dir, struct bench_instance *out);
/* Processor time so far; of the database with all its backends, those that ended too. */
void bench_instance_cpu(const struct bench_instance *in, double out[BENCH_PROCESSES]);
/* All of them, the backends of the database too: "1,2,3". */
void bench_instance_pids(const struct bench_instance *in, char *out, size_t room);
uint64_t bench_process_rss(pid_t process); /* bytes; 0 when it is gone */

/* A program of PostgreSQL, as the cluster's superuser. `out`, where given, gets its standard output
 * and a NUL. ERR_DATABASE where it fails, having passed on what it says. */
MUST_USE enum err bench_database_run(
        const struct bench_instance *in, const char *const arguments[], char *out, size_t room);
/* The same, its standard output at *fd: the caller closes it and waits for the process. */
MUST_USE enum err bench_database_open(
        const struct bench_instance *in, const char *const arguments[], pid_t *process, int *fd);
/* One statement in `database`: the first value of the answer. */
MUST_USE enum err bench_sql(
        const struct bench_instance *in, const char *database, const char *statement);
MUST_USE enum err bench_sql_number(
        const struct bench_instance *in, const char *database, const char *statement, double *out);
MUST_USE enum err bench_sql_text(const struct bench_instance *in, const char *database,
        const char *statement, char *out, size_t room);
/* zz-audit with the state kept in the instance's folder: 0 nothing differs. */
MUST_USE enum err bench_audit(const struct bench_instance *in, int *exit, double *seconds);
#endif
