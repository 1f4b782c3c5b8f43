/* process_child.c - from a struct bob_program to a running child; see process_child.h.
 *
 * vfork: the child borrows our memory until it becomes the program, so starting one costs the same in a large program
 * as in a small one, and no page of ours is copied for it.  It makes system calls only, writes to nothing that we read,
 * and has signals blocked until no handler of ours is left.  (Under ThreadSanitizer vfork is fork: nothing here counts
 * on shared memory.)  What fails in the child comes back through a pipe that closes when the program begins.
 *
 * The input is a file in memory, written before the start and sealed: a child that reads late, or never, or writes
 * first, cannot make us wait, and there is no pipe that could break under us.
 *
 * The death signal belongs to the thread that started the child.  That thread waits for it here, in bob_process_run,
 * so it ends first only together with the whole process.
 *
 * SPDX-License-Identifier: MIT */
#include "process_child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process_landlock.h"
#include "watch.h"

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

enum { FIRST_FREE = 3 }; /* after standard input, output and error */
enum { BUSY_MS = 1000 }; /* how long a program that is being written is tried again */
enum { NS_PER_MS = 1000000 };

/* What can fail, for messages. */
enum step {
    IN_PIPE,
    IN_INPUT,
    IN_VFORK,
    IN_PIDFD,
    IN_GROUP,
    IN_STDIO,
    IN_LIMITS,
    IN_FOLDER,
    IN_RULES,
    IN_EXEC
};
static const char *const doing[] = {
    [IN_PIPE] = "no pipe",
    [IN_INPUT] = "no file for its input",
    [IN_VFORK] = "no process",
    [IN_PIDFD] = "no handle of its process",
    [IN_GROUP] = "no group",
    [IN_STDIO] = "no standard input and output",
    [IN_LIMITS] = "no limits",
    [IN_FOLDER] = "cannot enter its folder",
    [IN_RULES] = "cannot be confined to what it may write to",
    [IN_EXEC] = "cannot be run",
};

struct report {
    enum step step;
    int error;
    const char *path; /* what it was about, a text of ours; NULL: nothing more to say */
};

/* All that the child needs. */
struct launch {
    const struct bob_program *program;
    int in, out[2], err[2]; /* [0]: our end */
    int report[2];
    int ruleset; /* of what it may write to; -1: anything */
    pid_t parent;
};

void
bob_child_close_(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

/* ---- the child: system calls only, until it is the program ---- */

static _Noreturn void
give_up(const struct launch *l, enum step step, const char *path)
{
    struct report report = {step, errno, path};
    ssize_t n = write(l->report[1], &report, sizeof report);

    (void)n; /* nobody else could be told */
    _exit(127);
}

/* By the bare system call: libc's sigaction refuses the two signals of its own, which a careless parent of ours may have
 * left ignored.  To the kernel all zeros are the default action. */
static void
reset_signals(void)
{
    const uint64_t plain[8] = {0};

    for (int i = 1; i < NSIG; i++)
        (void)syscall(SYS_rt_sigaction, i, plain, NULL, (size_t)(NSIG / CHAR_BIT));
}

/* The three first descriptors; all others close with exec.  Ours are all above them. */
static bool
set_descriptors(const struct launch *l)
{
    if (dup2(l->in, STDIN_FILENO) < 0 || dup2(l->out[1], STDOUT_FILENO) < 0 ||
        dup2(l->err[1], STDERR_FILENO) < 0)
        return false;
    if (syscall(SYS_close_range, FIRST_FREE, ~0U, CLOSE_RANGE_CLOEXEC) != 0) { /* before 5.11 */
        struct rlimit files;
        int most = getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < (1 << 20)
                       ? (int)files.rlim_cur
                       : 1 << 20;

        for (int fd = FIRST_FREE; fd < most; fd++)
            (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    }
    return true;
}

/* @more: what the hard limit is above the soft one. */
static bool
set_limit(__rlimit_resource_t what, uint64_t n, unsigned more)
{
    struct rlimit now, to;

    if (n == 0)
        return true;
    if (getrlimit(what, &now) != 0)
        return false;
    to.rlim_cur = n < now.rlim_max ? (rlim_t)n : now.rlim_max;
    to.rlim_max = now.rlim_max - to.rlim_cur > more ? to.rlim_cur + more : now.rlim_max;
    return setrlimit(what, &to) == 0;
}

/* The kernel lets a child of vfork have its own, although it shares our memory. */
static void
set_oom_score_adj(unsigned n)
{
    char text[4]; /* snprintf is no system call */
    size_t at = sizeof text;
    int fd;

    if (n == 0)
        return;
    n = n < 1000 ? n : 1000;
    for (; n > 0; n /= 10)
        text[--at] = (char)('0' + n % 10);
    fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
        ssize_t written = write(fd, text + at, sizeof text - at);

        (void)written; /* it ran before there was this, and would without */
        (void)close(fd);
    }
}

static bool
set_limits(const struct bob_process_limits *limits)
{
    const struct rlimit none = {0, 0};

    (void)setrlimit(RLIMIT_CORE, &none); /* nobody asked for that */
    set_oom_score_adj(limits->oom_score_adj);
    return set_limit(RLIMIT_CPU, limits->cpu_seconds, 1) &&
           set_limit(RLIMIT_AS, limits->memory_bytes, 0) &&
           set_limit(RLIMIT_FSIZE, limits->file_bytes, 0) &&
           set_limit(RLIMIT_NOFILE, limits->open_files, 0) &&
           set_limit(RLIMIT_NPROC, limits->processes, 0);
}

static _Noreturn void
become(const struct launch *l)
{
    const struct bob_command *command = &l->program->command;
    const struct sched_param plain = {0};
    bool forbidden = false;
    sigset_t none;

    reset_signals();
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != l->parent) /* it died before that */
        _exit(127);
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    (void)sched_setscheduler(0, SCHED_OTHER, &plain); /* refused only out of SCHED_IDLE */
    if (setpgid(0, 0) != 0)
        give_up(l, IN_GROUP, NULL);
    if (!set_descriptors(l))
        give_up(l, IN_STDIO, NULL);
    if (command->cwd && chdir(command->cwd) != 0)
        give_up(l, IN_FOLDER, command->cwd);
    if (!set_limits(&command->limits))
        give_up(l, IN_LIMITS, NULL);
    if (l->ruleset >= 0 && !bob_landlock_enter_(l->ruleset))
        give_up(l, IN_RULES, NULL);
    (void)sigemptyset(&none);
    (void)pthread_sigmask(SIG_SETMASK, &none, NULL);

    for (const char *const *path = l->program->programs; *path; path++) {
        (void)execve(*path, (char *const *)(uintptr_t)command->argv,
                     (char *const *)(uintptr_t)command->env); /* neither is written to */
        if (errno == EACCES)
            forbidden = true;
        else if (errno != ENOENT && errno != ENOTDIR)
            give_up(l, IN_EXEC, NULL);
    }
    errno = forbidden ? EACCES : ENOENT;
    give_up(l, IN_EXEC, NULL);
}

/* ---- its starter ---- */

/* In a function of its own: nothing it has in registers outlives the vfork.  No setpgid here: when vfork returns, or
 * the pipe has closed, the child has done it. */
static __attribute__((noinline)) pid_t
split(const struct launch *l)
{
    pid_t pid = vfork(); /* NOLINT(clang-analyzer-security.insecureAPI.vfork): see the top */

    if (pid == 0)
        become(l); /* NOLINT(clang-analyzer-unix.Vfork): it never comes back here */
    return pid;
}

static pid_t
split_without_signals(const struct launch *l)
{
    sigset_t all, before;
    pid_t pid;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    pid = split(l);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return pid;
}

/* Away from 0, 1 and 2, which this program may have closed. */
static bool
lift(int *fd)
{
    int higher;

    if (*fd < 0 || *fd >= FIRST_FREE)
        return *fd >= 0;
    higher = fcntl(*fd, F_DUPFD_CLOEXEC, FIRST_FREE);
    bob_child_close_(fd);
    *fd = higher;
    return higher >= 0;
}

static bool
make_pipe(int ret_ends[2])
{
    return pipe2(ret_ends, O_CLOEXEC) == 0 && lift(&ret_ends[0]) && lift(&ret_ends[1]);
}

static bool
write_all(int fd, const char *at, size_t left)
{
    while (left > 0) {
        ssize_t n = write(fd, at, left);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        at += n;
        left -= (size_t)n;
    }
    return true;
}

static bool
make_input(const struct bob_command *command, int *ret_fd)
{
    struct rlimit most;

    if (command->input_len == 0) {
        *ret_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        return lift(ret_fd);
    }
    if (getrlimit(RLIMIT_FSIZE, &most) == 0 && command->input_len > most.rlim_cur) {
        errno = EFBIG; /* and no SIGXFSZ */
        return false;
    }
    *ret_fd = memfd_create("input", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (!lift(ret_fd) || !write_all(*ret_fd, command->input, command->input_len) ||
        lseek(*ret_fd, 0, SEEK_SET) != 0)
        return false;
    (void)fcntl(*ret_fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_WRITE | F_SEAL_SEAL);
    return true;
}

static bool
make_ruleset(struct launch *l, const char **ret_path)
{
    const char *const *writable = l->program->command.writable;

    if (!writable)
        return true;
    l->ruleset = bob_landlock_new_(writable, ret_path);
    return lift(&l->ruleset);
}

static bool
prepare(struct launch *l, struct report *ret_failed)
{
    *ret_failed = (struct report){.step = IN_PIPE};
    if (make_pipe(l->out) && make_pipe(l->err) && make_pipe(l->report) &&
        fcntl(l->out[0], F_SETFL, O_NONBLOCK) == 0 && fcntl(l->err[0], F_SETFL, O_NONBLOCK) == 0 &&
        (bob_is_watched_() || fcntl(l->report[0], F_SETFL, O_NONBLOCK) == 0)) {
        ret_failed->step = IN_INPUT;
        if (make_input(&l->program->command, &l->in)) {
            ret_failed->step = IN_RULES;
            if (make_ruleset(l, &ret_failed->path))
                return true;
        }
    }
    ret_failed->error = errno;
    return false;
}

static void
reap(pid_t pid)
{
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

/* Whether the program has begun; if not, the child is gone. */
static bool
has_begun(struct launch *l, pid_t pid, struct report *ret_failed)
{
    ssize_t n;

    bob_child_close_(&l->report[1]);
    /* By now it has written, or nobody will.  Not so where vfork is fork: only there read waits for the end, which a
     * fork of another thread's at the wrong moment could put off. */
    do
        n = read(l->report[0], ret_failed, sizeof *ret_failed);
    while (n < 0 && errno == EINTR);
    if (n != (ssize_t)sizeof *ret_failed)
        return true;
    reap(pid);
    return false;
}

static bool
start(struct launch *l, struct bob_child *ret_child, struct report *ret_failed)
{
    pid_t pid;

    if (!prepare(l, ret_failed))
        return false;
    pid = split_without_signals(l);
    *ret_failed = (struct report){IN_VFORK, errno, NULL};
    if (pid < 0 || !has_begun(l, pid, ret_failed))
        return false;
    ret_child->pid = pid;
    ret_child->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (ret_child->pidfd < 0) {
        *ret_failed = (struct report){IN_PIDFD, errno, NULL};
        if (errno != ESRCH) /* else it was taken by another wait, and its id may be another's */
            bob_child_signal_(ret_child, SIGKILL);
        reap(pid);
        return false;
    }
    return true;
}

/* One try; it leaves nothing but the child. */
static bool
try_to_start(const struct bob_program *program, struct bob_child *ret_child,
             struct report *ret_failed)
{
    struct launch l = {program, -1, {-1, -1}, {-1, -1}, {-1, -1}, -1, getpid()};
    struct bob_child child;
    bool good = start(&l, &child, ret_failed);

    if (good) {
        child.out = l.out[0];
        child.err = l.err[0];
        l.out[0] = l.err[0] = -1; /* the child's now */
        *ret_child = child;
    }
    bob_child_close_(&l.in);
    bob_child_close_(&l.ruleset);
    for (int i = 0; i < 2; i++) {
        bob_child_close_(&l.out[i]);
        bob_child_close_(&l.err[i]);
        bob_child_close_(&l.report[i]);
    }
    return good;
}

/* A program that a thread has written and closed is still open for writing in the child of
 * another, if that is between its vfork and its exec: ETXTBSY.  It is a matter of moments, so we
 * try again, a little later each time.  Here and not in the child, which would hold all that is
 * open here meanwhile, and so keep others from starting what they have written. */
static enum bob_err
start_when_written(const struct bob_program *program, int stop_fd, bob_time deadline,
                   struct bob_child *ret_child, struct report *ret_failed)
{
    struct pollfd stop = {.fd = stop_fd, .events = POLLIN};
    int waited = 0;

    for (int ms = 1; !try_to_start(program, ret_child, ret_failed); ms *= 2) {
        bob_time left = deadline - bob_now();

        if (ret_failed->step != IN_EXEC || ret_failed->error != ETXTBSY || waited >= BUSY_MS)
            return BOB_ERR_SYSTEM;
        if (left <= 0)
            return BOB_ERR_TIMEOUT;
        if (poll(&stop, 1, left / NS_PER_MS < ms ? (int)(left / NS_PER_MS) + 1 : ms) > 0)
            return BOB_ERR_CANCELLED;
        waited += ms;
    }
    return BOB_OK;
}

enum bob_err
bob_child_start_(const struct bob_program *program, int stop_fd, bob_time deadline,
                 struct bob_child *ret_child, char ret_message[BOB_CHILD_MESSAGE_MAX + 1])
{
    struct report failed;
    char why[96];
    enum bob_err err = start_when_written(program, stop_fd, deadline, ret_child, &failed);

    if (err)
        (void)snprintf(ret_message, BOB_CHILD_MESSAGE_MAX + 1, "%.200s: %s%s%.200s: %s",
                       program->command.argv[0], doing[failed.step], failed.path ? " " : "",
                       failed.path ? failed.path : "", strerror_r(failed.error, why, sizeof why));
    return err;
}

void
bob_child_signal_(const struct bob_child *child, int signal)
{
    (void)kill(-child->pid, signal);
    (void)kill(child->pid, signal);
}
