/* zz.c - the tool of exam centres and officials: finds the command, gives it the time and the
 * terminal. */
#include "field.h"
#include "log.h"
#include "zz_commands.h"

#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct command {
	const char *name, *line;
	const char *help;
	enum zz_exit (*run)(const struct zz *z, int argc, char **argv);
};

static const struct command commands[] = {
        {"keygen", "make an operator's key", zz_keygen_help, zz_keygen},
        {"submit", "hand in an exam session 提交考试场次", zz_submit_help, zz_submit},
        {"revoke", "ask for certificates to be revoked 撤销证书", zz_revoke_help, zz_revoke},
        {"suspend", "hold certificates for a time 暂停证书", zz_suspend_help, zz_suspend},
        {"reinstate", "ask for a hold to be ended 恢复证书", zz_reinstate_help, zz_reinstate},
        {"replace", "a new certificate after loss, change or damage 补发、换发证书",
                zz_replace_help, zz_replace},
        {"stop", "let a centre or key issue nothing more 停用考试点或密钥", zz_stop_help, zz_stop},
        {"resume", "ask for a centre or key to issue again 恢复考试点或密钥", zz_resume_help,
                zz_resume},
        {"withdraw", "end a request of your own that waits 撤回请求", zz_withdraw_help,
                zz_withdraw},
        {"pending", "list the requests that wait 待办请求", zz_pending_help, zz_pending},
        {"approve", "look at a waiting request and sign it 批准", zz_approve_help, zz_approve},
        {"reject", "look at a waiting request and end it 驳回", zz_reject_help, zz_reject},
        {"enrol", "sign for who comes to the roster and who goes 签署名册变更", zz_enrol_help,
                zz_enrol},
        {"show", "show a certificate or a request 查询", zz_show_help, zz_show},
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

static void
help(FILE *to)
{
	size_t i;

	fputs("zz - exam centres hand in sessions, officials decide on certificates\n\nusage: zz "
	      "COMMAND [OPTIONS]\n\n",
	        to);
	for (i = 0; i < COMMANDS; i++)
		fprintf(to, "  %-9s  %s\n", commands[i].name, commands[i].line);
	fputs("\nzz COMMAND --help says more. zz --version names the version and the field's "
	      "data.\n\n" ZZ_EXIT_HELP,
	        to);
}

static int
version(void)
{
	uint8_t digest[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1];
	struct field *field = NULL;

	if (field_open(&field) != ERR_OK)
		return 1;
	field_sha256(field, digest);
	field_free(field);
	hex_encode(bytes_of(digest, sizeof digest), hex);
	printf("zz %s\nfield data %s\n", ZZ_VERSION, hex);
	return 0;
}

static void
second_wait(int64_t *now)
{
	const struct timespec second = {1, 0};

	nanosleep(&second, NULL);
	*now = time(NULL);
}

static bool
wants_help(int argc, char **argv)
{
	int i;

	for (i = 0; i < argc; i++) {
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return true;
	}
	return false;
}

int
main(int argc, char **argv)
{
	struct zz z = {.now = time(NULL),
	        .in = stdin,
	        .out = stdout,
	        .err = stderr,
	        .terminal = isatty(2),
	        .wait = second_wait};
	enum zz_exit exit;
	size_t i;

	log_open("zz");
	signal(SIGPIPE, SIG_IGN);
	if (argc < 2) {
		help(stderr);
		return ZZ_USAGE;
	}
	if (!strcmp(argv[1], "--version"))
		return version();
	for (i = 0; i < COMMANDS && strcmp(argv[1], commands[i].name); i++)
		;
	if (i == COMMANDS && wants_help(argc, argv)) {
		help(stdout);
		return ZZ_DONE;
	}
	if (i == COMMANDS)
		return (int)zz_usage(&z, "unknown command: %s (zz --help lists them)", argv[1]);
	if (wants_help(argc - 2, argv + 2)) {
		fputs(commands[i].help, stdout);
		return ZZ_DONE;
	}
	exit = commands[i].run(&z, argc - 1, argv + 1);
	if (exit == ZZ_USAGE)
		fprintf(stderr, "    zz %s --help says more\n", commands[i].name);
	if (fflush(stdout) || ferror(stdout))
		return (int)zz_usage(&z, "standard output could not be written");
	return (int)exit;
}
