/* sandbox.c - user, capabilities, Landlock and seccomp of the three services: what a process may
 * still do when somebody else's code runs in it. All that a profile allows stands in one table. */
#include "sandbox.h"

#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { SIGNER = 1, PUBLISHER = 2, FRONT = 4, ALL = 7 };

#if defined(__SANITIZE_ADDRESS__)
enum { HAVE_SANDBOX = 0 }; /* its runtime needs system calls and files of its own */
#else
enum { HAVE_SANDBOX = 1 };
#endif

/* Each row: a system call (its newer form where a machine lacks the old one) and who keeps it.
 * Signer at most 20, publisher 30, front 45: tests/sandbox counts. */
/* clang-format off */
static const struct {
	const char *name, *newer;
	unsigned profiles;
} calls[] = {
	{"read", NULL, ALL},
	{"write", NULL, ALL},
	{"sendto", NULL, ALL},
	{"close", NULL, ALL},
	{"futex", NULL, ALL},
	{"mmap", NULL, ALL}, /* never executable */
	{"munmap", NULL, ALL},
	{"brk", NULL, ALL},
	{"openat", NULL, ALL},
	{"lseek", NULL, SIGNER | FRONT},
	{"getrandom", NULL, ALL},
	/* OpenSSL looks for a fork by it; where it fails there was none, since nothing can fork */
	{"getpid", NULL, FRONT},
	{"clock_gettime", NULL, ALL}, /* where the vDSO cannot */
	{"exit_group", NULL, ALL},
	{"getsockopt", NULL, ALL},
	{"accept4", NULL, SIGNER | FRONT},
	{"fsync", NULL, SIGNER | PUBLISHER},
	{"fdatasync", NULL, SIGNER},
	{"rename", "renameat", SIGNER | PUBLISHER},
	{"unlinkat", NULL, SIGNER | PUBLISHER},
	{"rt_sigtimedwait", NULL, SIGNER}, /* its main thread waits for the end */
	{"recvfrom", NULL, PUBLISHER | FRONT},
	{"poll", "ppoll", PUBLISHER | FRONT},
	{"socket", NULL, PUBLISHER | FRONT},
	{"connect", NULL, PUBLISHER | FRONT},
	{"setsockopt", NULL, PUBLISHER | FRONT},
	{"getsockname", NULL, PUBLISHER | FRONT},
	{"fcntl", NULL, PUBLISHER | FRONT},
	{"newfstatat", NULL, PUBLISHER | FRONT},
	{"clock_nanosleep", NULL, PUBLISHER | FRONT},
	{"restart_syscall", NULL, PUBLISHER | FRONT},
	{"rt_sigreturn", NULL, PUBLISHER | FRONT},
	{"fchmod", NULL, PUBLISHER},
	{"mkdir", "mkdirat", PUBLISHER},
	{"getdents64", NULL, PUBLISHER},
	{"sendmsg", NULL, FRONT},
	{"recvmsg", NULL, FRONT},
	{"sendmmsg", NULL, FRONT},
	{"bind", NULL, FRONT},
	{"getpeername", NULL, FRONT},
	{"shutdown", NULL, FRONT},
	{"epoll_wait", "epoll_pwait", FRONT},
	{"epoll_ctl", NULL, FRONT},
	{"pread64", NULL, FRONT},
	{"sendfile", NULL, FRONT},
	{"mprotect", NULL, FRONT},
	{"madvise", NULL, FRONT},
	{"pause", "ppoll", FRONT},
	{"rt_sigprocmask", NULL, FRONT},
	{"exit", NULL, FRONT},
	{"rseq", NULL, FRONT}, /* of a thread that begins while the filter comes */
	{"set_robust_list", NULL, FRONT},
	{"geteuid", NULL, FRONT}, /* libpq: the default user */
};
/* clang-format on */

/* No library upgrade explains these: they end the process, and the kernel's audit log says so.
 * What is in neither table does not exist for the process (ENOSYS), as on an older kernel: a new
 * libc falls back, and the authority does not stand still after an upgrade. */
static const char *const intruder[] = {"execve", "execveat", "fork", "vfork", "ptrace",
        "process_vm_readv", "process_vm_writev", "pidfd_getfd", "mount", "umount2", "move_mount",
        "pivot_root", "chroot", "unshare", "setns", "bpf", "perf_event_open", "userfaultfd",
        "init_module", "finit_module", "kexec_load", "io_uring_setup", "io_uring_enter", "keyctl",
        "add_key", "setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid",
        "setgroups", "capset", "kill", "personality"};

/* Landlock's interface by number: Debian 12's header ends at version 2. */
enum {
	LANDLOCK_CREATE = 444,
	LANDLOCK_ADD = 445,
	LANDLOCK_RESTRICT = 446,
	LANDLOCK_ASK_VERSION = 1,
	LANDLOCK_PATH_BENEATH = 1,
	LANDLOCK_VERSION_MAX = 6
};
enum {
	FS_WRITE_FILE = 1 << 1,
	FS_READ_FILE = 1 << 2,
	FS_READ_DIR = 1 << 3,
	FS_REMOVE_DIR = 1 << 4,
	FS_REMOVE_FILE = 1 << 5,
	FS_MAKE_DIR = 1 << 7,
	FS_MAKE_REG = 1 << 8,
	FS_REFER = 1 << 13,
	FS_TRUNCATE = 1 << 14,
	FS_READ = FS_READ_FILE | FS_READ_DIR,
	FS_CHANGE = FS_READ | FS_WRITE_FILE | FS_REMOVE_DIR | FS_REMOVE_FILE | FS_MAKE_DIR |
	            FS_MAKE_REG | FS_REFER | FS_TRUNCATE,
	FS_OF_A_FILE = FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE
};
struct landlock_rules {
	uint64_t fs, net, scoped;
};
struct landlock_path {
	uint64_t allowed;
	int32_t folder;
} __attribute__((packed));

static enum err
missing(const struct sandbox *s, const char *what)
{
	if (s->available) {
		log_note("sandbox_missing", "what=\"%s\" setting=\"sandbox_required = no\"", what);
		return ERR_OK;
	}
	log_fault("sandbox_missing",
	        "what=\"%s\" do=\"another kernel or place, or the setting sandbox_required = no\"",
	        what);
	return ERR_CONFIG;
}

/* --- user and rights --- */

static bool
user_of(const char *name, const char *folder, uid_t *uid, gid_t *gid)
{
	const struct passwd *p = NULL;
	struct stat st;

	if (name[0] != '\0')
		p = getpwnam(name);
	else if (stat(folder, &st) == 0)
		p = getpwuid(st.st_uid);
	if (p == NULL)
		return false;
	*uid = p->pw_uid;
	*gid = p->pw_gid;
	return initgroups(p->pw_name, p->pw_gid) == 0;
}

/* As root only; the groups are set when the user is known. */
static enum err
root_leave(const struct sandbox *s, const char *name, const char *folder)
{
	uid_t uid = 0;
	gid_t gid = 0;

	if (geteuid() != 0)
		return ERR_OK;
	if (!user_of(name, folder, &uid, &gid) || uid == 0)
		return missing(s, "a user of its own: it was started as root");
	if (setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0)
		return ERR_CONFIG;
	return setuid(0) == 0 ? ERR_CONFIG : ERR_OK;
}

static bool
capabilities_drop(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0, 0, 0}};

	/* where we may not, there is nothing that no_new_privs does not already forbid */
	for (unsigned long i = 0; i < 64; i++)
		err_ignore(prctl(PR_CAPBSET_DROP, i, 0, 0, 0) == 0 ? ERR_OK : ERR_VALUE);
	return syscall(SYS_capset, &head, none) == 0;
}

enum err
sandbox_user(const struct sandbox *s, const char *user, const char *folder)
{
	const struct rlimit no_core = {0, 0};
	bool done;
	enum err e;

	tzset(); /* reads its file now */
	/* before the user changes: dropping them all needs one of them */
	for (unsigned long i = 0; geteuid() == 0 && i < 64; i++)
		err_ignore(prctl(PR_CAPBSET_DROP, i, 0, 0, 0) == 0 ? ERR_OK : ERR_VALUE);
	if ((e = root_leave(s, user, folder)) != ERR_OK)
		return e;
	done = capabilities_drop() && setrlimit(RLIMIT_CORE, &no_core) == 0 &&
	       prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 &&
	       prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
	return done ? ERR_OK : missing(s, "no capability, no dump, no new privilege");
}

/* --- files --- */

static int
landlock_version(void)
{
	long n = syscall(LANDLOCK_CREATE, NULL, 0, LANDLOCK_ASK_VERSION);

	return n < 0 ? 0 : (int)n;
}

/* All that the kernel's version can forbid: what is not allowed by a path is then forbidden. No
 * TCP port: the signer has no socket call at all, and the others' peers are set by the operator. */
static struct landlock_rules
rules_of(int version, enum sandbox_profile profile)
{
	static const unsigned fs_bits[LANDLOCK_VERSION_MAX + 1] = {0, 13, 14, 15, 15, 16, 16};
	int v = version > LANDLOCK_VERSION_MAX ? LANDLOCK_VERSION_MAX : version;
	struct landlock_rules r = {.fs = (UINT64_C(1) << fs_bits[v]) - 1};

	if (v >= 4) /* bind; and connect where it has no business */
		r.net = profile == SANDBOX_SIGNER ? 3 : profile == SANDBOX_PUBLISHER ? 1 : 0;
	if (v >= 6) /* signals; and abstract sockets, which nobody of ours uses */
		r.scoped = 3;
	return r;
}

static bool
allow(int rules, const char *path, uint64_t rights)
{
	struct landlock_path rule = {rights, open(path, O_PATH | O_CLOEXEC)};
	struct stat st;
	bool done;

	if (rule.folder < 0)
		return errno == ENOENT || errno == EACCES;
	if (fstat(rule.folder, &st) == 0 && !S_ISDIR(st.st_mode))
		rule.allowed &= FS_OF_A_FILE;
	done = syscall(LANDLOCK_ADD, rules, LANDLOCK_PATH_BENEATH, &rule, 0) == 0;
	close(rule.folder);
	return done;
}

enum err
sandbox_folders(struct sandbox *s, const char *write, const char *const *read)
{
	int version = HAVE_SANDBOX ? landlock_version() : 0, fd;
	struct landlock_rules rules = rules_of(version, s->profile);
	size_t n = version >= 6   ? sizeof rules
	           : version >= 4 ? offsetof(struct landlock_rules, scoped)
	                          : offsetof(struct landlock_rules, net);
	bool done;

	if (!HAVE_SANDBOX)
		return ERR_OK;
	if (s->token)
		return missing(s, "a token's module has files and calls that nobody here knows");
	if (version == 0)
		return missing(s, "Landlock: this kernel cannot confine files");
	if ((fd = (int)syscall(LANDLOCK_CREATE, &rules, n, 0)) < 0)
		return ERR_IO;
	done = write == NULL || allow(fd, write, FS_CHANGE & rules.fs);
	for (size_t i = 0; done && read[i] != NULL; i++)
		done = allow(fd, read[i], FS_READ);
	done = done && syscall(LANDLOCK_RESTRICT, fd, 0) == 0;
	close(fd);
	if (!done) {
		log_fault("sandbox_failed", "what=folders errno=%d", errno);
		return ERR_IO;
	}
	s->landlock = version;
	return ERR_OK;
}

/* --- system calls --- */

static int
number_of(const char *name)
{
	int n = name == NULL ? -1 : seccomp_syscall_resolve_name(name);

	return n < 0 ? -1 : n; /* below zero: libseccomp's own number of a call that is not here */
}

static bool
allow_call(scmp_filter_ctx f, const char *name, const char *newer)
{
	int n = number_of(name);

	if (n < 0 && (n = number_of(newer)) < 0)
		return true;
	if (n == SCMP_SYS(mmap) || n == SCMP_SYS(mprotect))
		return seccomp_rule_add(f, SCMP_ACT_ALLOW, n, 1,
		               SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) == 0;
	if (n == SCMP_SYS(clone)) /* a thread, never a process */
		return seccomp_rule_add(f, SCMP_ACT_ALLOW, n, 1,
		               SCMP_A0(SCMP_CMP_MASKED_EQ, 0x10000, 0x10000)) == 0;
	return seccomp_rule_add(f, SCMP_ACT_ALLOW, n, 0) == 0;
}

static bool
filter_fill(struct sandbox *s, scmp_filter_ctx f)
{
	unsigned bit = 1U << s->profile;
	bool done = seccomp_attr_set(f, SCMP_FLTATR_CTL_TSYNC, 1) == 0 &&
	            seccomp_attr_set(f, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) == 0;

	for (size_t i = 0; done && i < sizeof calls / sizeof calls[0]; i++) {
		if ((calls[i].profiles & bit) == 0)
			continue;
		done = allow_call(f, calls[i].name, calls[i].newer);
		s->calls++;
	}
	for (size_t i = 0; done && i < sizeof intruder / sizeof intruder[0]; i++) {
		int n = number_of(intruder[i]);

		done = n < 0 || seccomp_rule_add(f, SCMP_ACT_KILL_PROCESS, n, 0) == 0;
	}
	return done;
}

enum err
sandbox_calls(struct sandbox *s)
{
	scmp_filter_ctx f = HAVE_SANDBOX ? seccomp_init(SCMP_ACT_ERRNO(ENOSYS)) : NULL;
	unsigned uid = (unsigned)geteuid(); /* the last time that we may ask */
	int rc;

	if (!HAVE_SANDBOX) {
		log_note("sandbox", "landlock=0 calls=0 what=\"a build with sanitizers has none\"");
		return ERR_OK;
	}
	if (s->token) {
		seccomp_release(f);
		log_note("sandbox",
		        "landlock=0 calls=0 what=\"keys in a token: see the systemd unit\"");
		return ERR_OK;
	}
	if (f == NULL || !filter_fill(s, f)) {
		seccomp_release(f);
		return ERR_MEMORY;
	}
	rc = seccomp_load(f);
	seccomp_release(f);
	if (rc != 0) {
		s->calls = 0;
		return missing(s, "seccomp: this kernel cannot confine system calls");
	}
	log_note("sandbox", "landlock=%d calls=%d uid=%u", s->landlock, s->calls, uid);
	return ERR_OK;
}

enum err
sandbox_probe(void)
{
	int landlock = landlock_version();
	bool calls_ok = seccomp_api_get() >= 2; /* filters for all threads at once */

	printf("Landlock %d%s, seccomp %s%s\n", landlock, landlock == 0 ? " (missing)" : "",
	        calls_ok ? "yes" : "missing",
	        HAVE_SANDBOX ? "" : ", but a build with sanitizers uses neither");
	return landlock > 0 && calls_ok ? ERR_OK : ERR_IO;
}
