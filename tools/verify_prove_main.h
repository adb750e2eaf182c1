#ifndef TOOLS_VERIFY_PROVE_MAIN_H
#define TOOLS_VERIFY_PROVE_MAIN_H
/* verify_prove_main.h - the commands of zz-verify that read the log itself: `prove`, and `check`
 * with --log. Time comes from main. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Is this command line one of them? */
bool prove_owns(int argc, char **argv);
void prove_help(FILE *to);
int prove_main(int argc, char **argv, int64_t now); /* exit code */
#endif
