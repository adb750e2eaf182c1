#ifndef TOOLS_ZZ_COMMANDS_H
#define TOOLS_ZZ_COMMANDS_H
/* zz_commands.h - the commands of zz. argv[0] is the command's name; --help was handled before. */
#include "zz_cmd.h"

extern const char zz_keygen_help[], zz_submit_help[], zz_show_help[], zz_pending_help[];
extern const char zz_approve_help[], zz_reject_help[], zz_enrol_help[];
extern const char zz_revoke_help[], zz_suspend_help[], zz_reinstate_help[], zz_replace_help[],
        zz_stop_help[], zz_resume_help[], zz_withdraw_help[];

enum zz_exit zz_keygen(const struct zz *z, int argc, char **argv);
enum zz_exit zz_submit(const struct zz *z, int argc, char **argv);
enum zz_exit zz_show(const struct zz *z, int argc, char **argv);
enum zz_exit zz_pending(const struct zz *z, int argc, char **argv);
enum zz_exit zz_approve(const struct zz *z, int argc, char **argv);
enum zz_exit zz_reject(const struct zz *z, int argc, char **argv);
enum zz_exit zz_enrol(const struct zz *z, int argc, char **argv);
/* orders */
enum zz_exit zz_revoke(const struct zz *z, int argc, char **argv);
enum zz_exit zz_suspend(const struct zz *z, int argc, char **argv);
enum zz_exit zz_reinstate(const struct zz *z, int argc, char **argv);
enum zz_exit zz_replace(const struct zz *z, int argc, char **argv);
enum zz_exit zz_stop(const struct zz *z, int argc, char **argv);
enum zz_exit zz_resume(const struct zz *z, int argc, char **argv);
enum zz_exit zz_withdraw(const struct zz *z, int argc, char **argv);
#endif
