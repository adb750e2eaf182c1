#ifndef CA_SANDBOX_H
#define CA_SANDBOX_H
/* sandbox.h - what a process keeps after start: its own user, no capability, no dump; the folders
 * of its profile (Landlock) and the system calls of its profile (seccomp). In this order: after the
 * configuration is read sandbox_user, with everything open and no thread yet sandbox_folders, with
 * all threads there sandbox_calls. A build with sanitizers has none of the last two and says so. */
#include "err.h"

#include <stdbool.h>

enum sandbox_profile { SANDBOX_SIGNER, SANDBOX_PUBLISHER, SANDBOX_FRONT };
enum { SANDBOX_READ_MAX = 8 };

struct sandbox {
	enum sandbox_profile profile;
	bool available; /* setting `sandbox_required = no`: go on without what is missing */
	bool token;     /* a token's module has files and calls that we cannot know: no filter */
	int landlock;   /* what was reached, for the log line: version of the kernel's interface */
	int calls;
};

/* Never dumped, never more rights than now. As root: becomes `user`, or where that is empty the
 * owner of `folder`; ERR_CONFIG where that is root too, unless s->available. */
MUST_USE enum err sandbox_user(const struct sandbox *s, const char *user, const char *folder);
/* Of all files only these: `write` whole (NULL: none), `read` a list that ends with NULL, absent
 * ones are left out. Nothing may be executed. ERR_IO where the kernel cannot, unless s->available.
 */
MUST_USE enum err sandbox_folders(struct sandbox *s, const char *write, const char *const *read);
/* The system calls of the profile for all threads, and says in the log what holds from now on. */
MUST_USE enum err sandbox_calls(struct sandbox *s);
/* One line on standard output: what this kernel offers. ERR_IO where something is missing. */
MUST_USE enum err sandbox_probe(void);
#endif
