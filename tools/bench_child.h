#ifndef TOOLS_BENCH_CHILD_H
#define TOOLS_BENCH_CHILD_H
/* bench_child.h - the programs beside this one, run as children, and a folder that is gone
 * afterwards. */
#include "err.h"

#include <sys/resource.h>
#include <sys/types.h>

enum { BENCH_PATH_MAX = 400, BENCH_ARGUMENTS_MAX = 24 };

double bench_cpu_s(void);   /* of this process, all threads */
double bench_clock_s(void); /* monotonic */
/* A folder under $TMPDIR or /tmp; ERR_IO. */
MUST_USE enum err bench_folder_make(char out[BENCH_PATH_MAX]);
void bench_folder_remove(const char *dir);
/* Runs `arguments` (NULL at the end; the first is the program's name beside this one), its standard
 * output to standard error. ERR_IO where it cannot be started; *exit is its exit code. */
MUST_USE enum err bench_child(const char *const arguments[], int *exit, struct rusage *use);
/* The same, its standard output thrown away. */
MUST_USE enum err bench_child_quiet(const char *const arguments[], int *exit, struct rusage *use);
/* A program of the system, found by PATH; `output`: a file for its standard output, or NULL. */
MUST_USE enum err bench_program_start(
        const char *const arguments[], const char *output, pid_t *process);
int bench_program_end(pid_t process); /* waits; its exit code, or -1 */
/* An authority's keys, manifest and roster in dir/authority, made by zz-admin init. */
MUST_USE enum err bench_authority(const char *dir);
#endif
