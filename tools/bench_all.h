#ifndef TOOLS_BENCH_ALL_H
#define TOOLS_BENCH_ALL_H
/* bench_all.h - the commands that measure an instance in a folder of this machine. */
#include "zz_cmd.h"

extern const char bench_all_help[];
/* Is it one of them? "issue" only with --dir. */
bool bench_all_knows(int argc, char **argv);
/* argv[0] is the command. 0 every goal reached and the audit clean, 1 not, 2 usage, 4 not done. */
int bench_all_command(const struct zz *z, int argc, char **argv);
#endif
