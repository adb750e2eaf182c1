#ifndef TOOLS_ZZ_COMMANDS_H
#define TOOLS_ZZ_COMMANDS_H
/* zz_commands.h - the commands of zz. argv[0] is the command's name; --help was handled before. */
#include "zz_cmd.h"

extern const char zz_keygen_help[], zz_submit_help[], zz_revoke_help[], zz_approve_help[],
        zz_show_help[];

enum zz_exit zz_keygen(const struct zz *z, int argc, char **argv);
enum zz_exit zz_submit(const struct zz *z, int argc, char **argv);
enum zz_exit zz_revoke(const struct zz *z, int argc, char **argv);
enum zz_exit zz_approve(const struct zz *z, int argc, char **argv);
enum zz_exit zz_show(const struct zz *z, int argc, char **argv);
#endif
