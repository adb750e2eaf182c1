/* inject - makes a running process do a forbidden act: as a debugger it has the main thread run one
 * system call with the process's own user, filter and folders, and prints what came of it:
 *   denied ERRNO | killed | happened RESULT
 * An act that fails for its senseless arguments alone was not denied: it happened. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>

enum { TEXT = -1000, NEW_FILE = O_WRONLY | O_CREAT }; /* TEXT: the path of the command line */

static const struct act {
	const char *name;
	long number, args[6];
} acts[] = {
        {"read", SYS_openat, {AT_FDCWD, TEXT, O_RDONLY}},
        {"write", SYS_openat, {AT_FDCWD, TEXT, O_WRONLY}},
        {"create", SYS_openat, {AT_FDCWD, TEXT, NEW_FILE, 0600}},
        {"unlink", SYS_unlinkat, {AT_FDCWD, TEXT, 0}},
        {"chmod", SYS_chmod, {TEXT, 0777}},
        {"inet", SYS_socket, {AF_INET, SOCK_STREAM, 0}},
        {"packet", SYS_socket, {AF_PACKET, SOCK_RAW, 0}},
        {"code", SYS_mmap, {0, 4096, PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0}},
        {"memfd", SYS_memfd_create, {TEXT, 0}},
        {"dumpable", SYS_prctl, {4, 1}},
        {"core", SYS_prlimit64, {0, 4, 0, 0}},
        {"process", SYS_clone, {SIGCHLD}},
        {"signal", SYS_tkill, {1, 0}},
        {"execve", SYS_execve, {TEXT, 0, 0}},
        {"fork", SYS_fork, {0}},
        {"ptrace", SYS_ptrace, {PTRACE_ATTACH, 0x7ffffff}},
        {"mount", SYS_mount, {TEXT, TEXT, TEXT, 0, 0}},
        {"kill", SYS_kill, {1, 0}},
        {"setuid", SYS_setuid, {0}},
        {"peek", SYS_process_vm_readv, {1, 0, 0, 0, 0, 0}},
        {"bpf", SYS_bpf, {-1, 0, 0}},
        {"io_uring", SYS_io_uring_setup, {0, 0}},
        {"unshare", SYS_unshare, {0}},
};

static int
failed(const char *what)
{
	fprintf(stderr, "inject: %s: %s\n", what, strerror(errno));
	return 2;
}

static void
text_put(pid_t pid, uint64_t at, const char *text)
{
	char room[512] = "";

	snprintf(room, sizeof room, "%s", text);
	for (size_t i = 0; i < sizeof room; i += sizeof(long)) {
		long word;

		memcpy(&word, room + i, sizeof word);
		ptrace(PTRACE_POKEDATA, pid, at + i, word);
	}
}

static int
verdict(long long rc)
{
	bool denied = rc == -EPERM || rc == -EACCES || rc == -ENOSYS;

	if (denied)
		printf("denied %s\n", strerrorname_np((int)-rc));
	else
		printf("happened %lld\n", rc);
	return denied ? 0 : 1;
}

static int
run(pid_t pid, const struct act *a, const char *text)
{
	struct user_regs_struct before, r;
	uint64_t at;
	long args[6];
	int status;

	if (ptrace(PTRACE_GETREGS, pid, NULL, &before) != 0)
		return failed("registers");
	r = before;
	at = (before.rsp - 4096) & ~UINT64_C(15);
	text_put(pid, at, text);
	for (size_t i = 0; i < 6; i++)
		args[i] = a->args[i] == TEXT ? (long)at : a->args[i];
	r.rip -= 2; /* it waits in a system call: the instruction before makes one */
	r.orig_rax = (unsigned long long)-1;
	r.rax = (unsigned long long)a->number;
	r.rdi = (unsigned long long)args[0], r.rsi = (unsigned long long)args[1];
	r.rdx = (unsigned long long)args[2], r.r10 = (unsigned long long)args[3];
	r.r8 = (unsigned long long)args[4], r.r9 = (unsigned long long)args[5];
	if (ptrace(PTRACE_SETREGS, pid, NULL, &r) != 0 ||
	        ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) != 0 ||
	        waitpid(pid, &status, __WALL) != pid)
		return failed("step");
	if (WIFSIGNALED(status) || WIFEXITED(status))
		return puts(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS ? "killed"
		                                                              : "ended") < 0;
	ptrace(PTRACE_GETREGS, pid, NULL, &r);
	ptrace(PTRACE_SETREGS, pid, NULL, &before);
	return verdict((long long)r.rax);
}

int
main(int argc, char **argv)
{
	pid_t pid = argc < 3 ? 0 : (pid_t)strtol(argv[1], NULL, 10);
	int status, code = 2;

	if (pid <= 0)
		return fprintf(stderr, "usage: inject PID ACT [PATH]\n"), 2;
	if (ptrace(PTRACE_ATTACH, pid, NULL, NULL) != 0 || waitpid(pid, &status, __WALL) != pid)
		return failed("attach");
	for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++)
		if (strcmp(acts[i].name, argv[2]) == 0)
			code = run(pid, &acts[i], argc > 3 ? argv[3] : "/");
	ptrace(PTRACE_DETACH, pid, NULL, NULL);
	return code;
}
