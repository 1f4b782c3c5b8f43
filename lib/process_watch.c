/* process_watch.c - one poll over all that can happen to a child; see process_watch.h.
 *
 * The leader's pidfd, its two pipes and the stop are waited for together, with the next moment at which something must
 * be done as the timeout: nothing is asked in turns.  The leader is waited for last: until then its process id, which
 * is its group's too, cannot become another's, so that a signal sent to the group reaches nobody else.
 *
 * The end of the leader is the end, and not that of its output: a grandchild that has left the group may hold the pipes
 * for as long as it likes.  What stands in them at that moment is still read.
 *
 * SPDX-License-Identifier: MIT */
#include "process_watch.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NS_PER_US = 1000, NS_PER_S = 1000000000, KIB = 1024 };
enum { RSS_ERROR_KIB = 4096 }; /* the kernel adds up what each processor counts only now and then */
enum { SINK_FIRST = 4096, DROP_LEN = 16384 };
enum source { LEADER, OUT, ERR, STOP, SOURCES };
enum phase { RUNS, ASKED, KILLED }; /* asked to end, by SIGTERM */

struct watch {
    struct bob_child *child;
    const struct bob_command *command;
    struct bob_end *end;
    enum phase phase;
    bob_time next; /* when the phase ends by itself */
    enum bob_err err;
};

/* ---- output ---- */

/* At least one free byte, while the sink may grow. */
static bool
make_room(struct bob_sink *s)
{
    size_t cap = s->cap ? s->cap * 2 : SINK_FIRST;
    char *at;

    if (s->len < s->cap)
        return true;
    if (s->len == s->max || s->failed)
        return false;
    if (cap > s->max || cap < s->cap)
        cap = s->max;
    at = cap < SIZE_MAX ? realloc(s->at, cap + 1) : NULL;
    s->failed = !at;
    if (!at)
        return false;
    s->at = at;
    s->cap = cap;
    return true;
}

/* One read; how many bytes came, 0 at the end, -1: none are there. */
static ssize_t
sink_read(struct bob_sink *s, int fd)
{
    char dropped[DROP_LEN];
    ssize_t n;

    if (make_room(s)) {
        n = read(fd, s->at + s->len, s->cap - s->len);
        if (n > 0)
            s->len += (size_t)n;
    } else {
        n = read(fd, dropped, sizeof dropped);
        if (n > 0)
            s->truncated = true;
    }
    return n;
}

/* What the pipe holds now, and no more: somebody may go on writing. */
static void
sink_read_rest(struct bob_sink *s, int fd)
{
    int left = 0;

    if (fd < 0 || ioctl(fd, FIONREAD, &left) != 0)
        return;
    while (left > 0) {
        ssize_t n = sink_read(s, fd);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        left -= (int)n;
    }
}

/* ---- ending it ---- */

static void
kill_now(struct watch *w)
{
    w->phase = KILLED;
    w->next = BOB_FOREVER;
    bob_child_signal_(w->child, SIGKILL);
}

static void
ask_to_end(struct watch *w)
{
    if (w->command->grace_ms == 0) {
        kill_now(w);
        return;
    }
    w->phase = ASKED;
    w->next = bob_in_ms(w->command->grace_ms);
    bob_child_signal_(w->child, SIGTERM);
    bob_child_signal_(w->child, SIGCONT); /* one that is stopped could not hear it */
}

static void
look_at_clock(struct watch *w)
{
    if (w->next == BOB_FOREVER || bob_now() < w->next)
        return;
    if (w->phase == ASKED) {
        kill_now(w);
    } else {
        w->end->timed_out = true;
        ask_to_end(w);
    }
}

static void
stop(struct watch *w)
{
    if (w->phase != RUNS)
        return;
    w->end->killed = true;
    ask_to_end(w);
}

/* ---- the loop ---- */

static int
ms_until_next(const struct watch *w)
{
    int64_t ms = bob_ms_until(w->next);

    return w->next == BOB_FOREVER ? -1 : ms > INT_MAX ? INT_MAX : (int)ms;
}

static void
take_output(struct watch *w, struct pollfd *from, struct bob_sink *sink)
{
    ssize_t n;

    if (!from->revents)
        return;
    n = sink_read(sink, from->fd);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        from->fd = -1; /* poll passes over it */
    if (sink->failed && w->phase != KILLED) {
        w->err = BOB_ERR_NO_MEMORY;
        kill_now(w);
    }
}

/* Until the leader has ended. */
static void
attend(struct watch *w, int stop_fd)
{
    struct pollfd fds[SOURCES] = {
        [LEADER] = {w->child->pidfd, POLLIN, 0},
        [OUT] = {w->child->out, POLLIN, 0},
        [ERR] = {w->child->err, POLLIN, 0},
        [STOP] = {stop_fd, POLLIN, 0},
    };

    for (;;) {
        if (poll(fds, SOURCES, ms_until_next(w)) < 0) {
            if (errno == EINTR)
                continue;
            w->err = BOB_ERR_NO_MEMORY; /* the kernel's; there is nothing left but to wait for it */
            kill_now(w);
            return;
        }
        take_output(w, &fds[OUT], &w->end->out);
        take_output(w, &fds[ERR], &w->end->err);
        if (fds[LEADER].revents)
            return;
        if (fds[STOP].revents) {
            fds[STOP].fd = -1;
            stop(w);
        }
        look_at_clock(w);
    }
}

static bob_time
ns_of(struct timeval t)
{
    return (bob_time)t.tv_sec * NS_PER_S + t.tv_usec * NS_PER_US;
}

/* Its peak, or 0.  exec counts the peak of the memory that it leaves as one of the program that
 * begins, and up to then the child had our memory.  So one that is above ours is its own, and of
 * another nobody can tell.  Asked at its end: our peak may grow until the exec is over, which is
 * after vfork has returned. */
static uint64_t
own_max_rss(const struct rusage *used)
{
    struct rusage ours;

    if (getrusage(RUSAGE_SELF, &ours) != 0 || used->ru_maxrss <= ours.ru_maxrss + RSS_ERROR_KIB)
        return 0;
    return (uint64_t)used->ru_maxrss * KIB;
}

static bool
gets_orphans(void)
{
    int is_subreaper = 0;

    return getpid() == 1 || (prctl(PR_GET_CHILD_SUBREAPER, &is_subreaper) == 0 && is_subreaper);
}

/* Takes the leader's end, and, if orphans come to this program, those of others of its group: all have been killed.  Their
 * number is the group's as long as one of them is there. */
static bool
take_ends(pid_t leader, int *ret_status, struct rusage *ret_used)
{
    struct rusage used;
    bool more = gets_orphans(), had = false;
    int status;
    pid_t pid;

    do {
        pid = wait4(more ? -leader : leader, &status, 0, &used);
        if (pid == leader) {
            *ret_status = status;
            *ret_used = used;
            had = true;
        }
    } while ((pid > 0 && (more || !had)) || (pid < 0 && errno == EINTR));
    return had;
}

/* Kills what is left of the group, reads what is left of the output, and takes the leader's end. */
static void
conclude(struct watch *w)
{
    struct bob_child *child = w->child;
    struct rusage used = {0};
    siginfo_t info;
    int told;

    while ((told = waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOWAIT)) < 0 && errno == EINTR)
        ;
    if (told == 0) /* else its id may be another's by now */
        bob_child_signal_(child, SIGKILL);
    sink_read_rest(&w->end->out, child->out);
    sink_read_rest(&w->end->err, child->err);
    if (w->end->out.failed || w->end->err.failed)
        w->err = BOB_ERR_NO_MEMORY;
    if (told == 0 && take_ends(child->pid, &w->end->status, &used)) {
        w->end->cpu_ns = ns_of(used.ru_utime) + ns_of(used.ru_stime);
        w->end->max_rss_bytes = own_max_rss(&used);
    } else if (!w->err) {
        w->err = BOB_ERR_SYSTEM;
    }
    bob_child_close_(&child->pidfd);
    bob_child_close_(&child->out);
    bob_child_close_(&child->err);
}

enum bob_err
bob_child_watch_(struct bob_child *child, const struct bob_command *command, int stop_fd,
                 bob_time deadline, struct bob_end *ret_end)
{
    struct watch w = {.child = child, .command = command, .end = ret_end, .next = deadline};

    memset(ret_end, 0, sizeof *ret_end);
    ret_end->out.max = ret_end->err.max = command->output_max;
    attend(&w, stop_fd);
    conclude(&w);
    return w.err;
}
