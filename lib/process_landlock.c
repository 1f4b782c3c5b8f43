/* process_landlock.c - see process_landlock.h.
 *
 * By bare system calls, and with numbers of our own: libc has no names for them, and the
 * kernel's header may be older than the kernel.  A right that a ruleset does not name is not
 * restricted, so only those that write are named, as far as this kernel knows them.
 *
 * SPDX-License-Identifier: MIT */
#include "process_landlock.h"

#include <bobbin/process.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The same on every machine but alpha. */
enum { CREATE_RULESET = 444, ADD_RULE = 445, RESTRICT_SELF = 446 };
enum { CREATE_VERSION = 1, RULE_PATH_BENEATH = 1 };

enum {
    WRITE_FILE = 1 << 1,
    REMOVE_DIR = 1 << 4, /* and so on to MAKE_SYM: all that changes a folder */
    MAKE_SYM = 1 << 12,
    REFER = 1 << 13, /* from folder to folder: refused where not allowed, named or not */
    TRUNCATE = 1 << 14,
};
enum { OF_FILES = WRITE_FILE | TRUNCATE, IN_FOLDERS = (MAKE_SYM << 1) - REMOVE_DIR };

/* By version, and the last for all that follow. */
static const uint64_t rights[] = {
    0,
    WRITE_FILE | IN_FOLDERS,
    WRITE_FILE | IN_FOLDERS | REFER,
    WRITE_FILE | IN_FOLDERS | REFER | TRUNCATE,
};
enum { RIGHTS = sizeof rights / sizeof rights[0] };

/* Of these it does no harm to write to one, and many programs do. */
static const char *const devices[] = {"/dev/null",   "/dev/zero",    "/dev/full",
                                      "/dev/random", "/dev/urandom", "/dev/tty"};

struct ruleset {
    uint64_t handled_fs;
};

struct path_beneath {
    uint64_t allowed;
    int32_t fd;
} __attribute__((packed));

unsigned
bob_process_landlock_abi(void)
{
    int saved = errno;
    long version = syscall(CREATE_RULESET, NULL, (size_t)0, CREATE_VERSION);

    errno = saved;
    return version > 0 ? (unsigned)version : 0;
}

static bool
allow(int ruleset, const char *path, uint64_t what)
{
    struct path_beneath rule = {what, open(path, O_PATH | O_CLOEXEC)};
    struct stat st;
    bool good;
    int why;

    if (rule.fd < 0)
        return false;
    good = fstat(rule.fd, &st) == 0;
    if (good && !S_ISDIR(st.st_mode))
        rule.allowed &= OF_FILES;
    good = good && syscall(ADD_RULE, ruleset, RULE_PATH_BENEATH, &rule, 0) == 0;
    why = errno;
    (void)close(rule.fd);
    errno = why;
    return good;
}

int
bob_landlock_new_(const char *const *writable, const char **ret_path)
{
    unsigned version = bob_process_landlock_abi();
    uint64_t all = rights[version < RIGHTS ? version : RIGHTS - 1];
    const struct ruleset attributes = {all};
    int ruleset = (int)syscall(CREATE_RULESET, &attributes, sizeof attributes, 0);

    if (ruleset < 0)
        return -1;
    for (size_t i = 0; i < sizeof devices / sizeof devices[0]; i++)
        (void)allow(ruleset, devices[i], WRITE_FILE); /* one that is not there is not missed */
    for (; *writable; writable++) {
        if (!allow(ruleset, *writable, all)) {
            int why = errno;

            *ret_path = *writable;
            (void)close(ruleset);
            errno = why;
            return -1;
        }
    }
    return ruleset;
}

bool
bob_landlock_enter_(int ruleset)
{
    return syscall(RESTRICT_SELF, ruleset, 0) == 0;
}
