/* bobbin/process.h - programs run as children: for work that may crash or run away, after Python's subprocess.run and
 * ProcessPoolExecutor.
 *
 *     const struct bob_command sort = {
 *         .argv = (const char *const[]){"sort", "-n", NULL}, .input = "3\n1\n2\n", .input_len = 6,
 *         .timeout_ms = 10000, .limits = {.memory_bytes = 1 << 28}};
 *     struct bob_process_pool *pool = bob_process_pool_new("sorter", NULL);
 *     struct bob_process *p;
 *     err = bob_process_pool_submit(pool, &sort, &p);
 *     err = bob_future_result(bob_process_future(p), BOB_FOREVER, NULL);     // or bob_process_message says why not
 *     const struct bob_process_result *r = bob_process_result(p);            // r->exit_status, r->out.bytes, ...
 *     bob_process_free(p);
 *     bob_process_pool_free(pool);
 *
 * An exit status, a signal, a timeout are results; an error is that the program could not be run at all.
 *
 * The program gets: its arguments, never through a shell; its input as a file that ends; two pipes; no other descriptor;
 * no blocked or ignored signal; the normal scheduling policy; a process group of its own.  When it ends, is killed or
 * runs out of time, what is left of that group is killed with SIGKILL: no grandchild stays, but one that has left the
 * group (setsid) is not found, nor waited for, even if it holds the pipes: a program that is process 1 takes the ends of
 * such itself.  If the thread that started it is gone, with
 * all its process by kill -9, the kernel kills the program (not its children).  Set-user-id programs gain nothing.
 *
 * Differs from Python: no interpreter of this program runs on there, so work is a program and not a function; and
 * Python's pool cannot stop what has begun.
 *
 * Order:   programs are begun in the order of their submits.
 * Threads: every function may be called from any thread at once, but for free.  Done callbacks run on the pool's
 *          threads, which are no daemons: bob_thread_join_all waits for them, and so until the pool is shut down.  A
 *          program that ignores SIGCHLD, or waits for children that are not its own, takes their ends away:
 *          BOB_ERR_SYSTEM.
 * Locks:   every call may be made under any lock of yours, but run, shut_down and bob_process_pool_free wait.  kill and
 *          bob_process_free may call done callbacks of a process that had not begun.
 * Memory:  a command is copied.  A process owns its result.  Waiting ones hold no descriptor, running ones four.
 * Needs:   Linux 5.3.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIN_PROCESS_H
#define BOBBIN_PROCESS_H

#include <bobbin/annotate.h>
#include <bobbin/error.h>
#include <bobbin/future.h>
#include <bobbin/time.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

BOB_BEGIN_DECLS

/* Of each process; 0: as it is here.  Never above this program's own hard limits.  See setrlimit(2). */
struct bob_process_limits {
    uint64_t cpu_seconds;  /* then SIGXCPU, and a second later SIGKILL */
    uint64_t memory_bytes; /* of addresses, not of pages in use */
    uint64_t file_bytes;   /* of each file it writes */
    uint64_t open_files;
    uint64_t processes; /* of its user, over all programs; not for root */
    /* Up to 1000: the higher, the sooner the kernel ends it when memory is out, instead of this
     * program; see proc(5).  Where there is no /proc, it stays as it is here. */
    unsigned oom_score_adj;
};

/* What a program gets that is given no environment. */
#define BOB_PROCESS_ENV "PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8"

struct bob_command {
    const char *const
        *argv; /* ends with NULL; [0] without a slash: looked for in the PATH it gets */
    const char *const *env; /* NAME=value, ends with NULL; NULL: BOB_PROCESS_ENV alone */
    const char *cwd;        /* its folder; NULL: this one */
    const void *input;      /* its standard input */
    size_t input_len;       /* 0: /dev/null */
    size_t output_max;      /* bytes kept of each output, the rest is dropped; 0: 1 MiB */
    int64_t timeout_ms;     /* from its start; 0: none */
    int64_t grace_ms;       /* between SIGTERM and SIGKILL; 0: SIGKILL at once */
    struct bob_process_limits limits;
    /* Folders, and files, that are there: it may write to these and to what is in them, and
     * nowhere else; ends with NULL. NULL: anywhere, as here.  See bob_process_landlock_abi. */
    const char *const *writable;
};

/* The version of the kernel's Landlock, by which a program is confined to what it may write to;
 * 0: there is none, or a sandbox keeps it from us, and a command with @writable cannot be
 * started.  Restricted are: opening files for writing, making, renaming, linking and removing
 * them, and from 3 (Linux 6.2) on truncating them; with 1 (5.13) none can be renamed into
 * another folder.  Not restricted are: reading and executing, what goes through descriptors that
 * it has, the devices that keep nothing (/dev/null, zero, full, random, urandom, tty), and the
 * mode, owner, times and locks of files. */
unsigned bob_process_landlock_abi(void);

struct bob_process_output {
    const char *bytes; /* NUL follows; never NULL */
    size_t len;
    bool truncated; /* there was more */
};

struct bob_process_result {
    int exit_status; /* -1: ended by a signal */
    int signal;      /* 0: it exited */
    bool timed_out;  /* it was ended because its time was over */
    bool killed;     /* it was ended by bob_process_kill or bob_process_pool_shut_down */
    struct bob_process_output out, err;
    bob_time wall_ns;
    bob_time cpu_ns; /* of it and of those of its children that it waited for */
    /* Its peak, or that of a child that it waited for.  0: not known: it was not above this
     * program's own (and what counts as that: exec hands a peak on to the program that it
     * begins). */
    uint64_t max_rss_bytes;
};

/* ---- one process ---- */

struct bob_process;

/* A process that has not begun, from a copy of @command.
 *   BOB_ERR_INVALID    NULL, no argv[0], no input where it has a length, or a negative time
 *   BOB_ERR_NO_MEMORY */
BOB_MUST_USE enum bob_err bob_process_new(const struct bob_command *command,
                                          struct bob_process **ret_process);

/* Runs it, in the calling thread, until it is over; at @deadline or after its timeout it is
 * ended.  This takes as long as its grace, and a process the kernel cannot kill (it waits for a
 * device) is waited for.  A program that is open for writing (ETXTBSY) is tried again for a
 * second, but not after @deadline or a kill: one that you have just written and closed is so as
 * long as a child that another thread starts at that moment still holds your descriptor.
 *   BOB_ERR_STATE      it was run before, or submitted
 *   BOB_ERR_TIMEOUT    @deadline had passed: not begun
 *   BOB_ERR_CANCELLED  it was killed, or its future cancelled: not begun
 *   BOB_ERR_SYSTEM     it could not be started, or not be confined to what it may write to, or not be watched:
 *                      bob_process_message
 *   BOB_ERR_NO_MEMORY  ... or there was no room for its output: it was killed
 * The future has the same error; then there is no result, and no process. */
BOB_MUST_USE enum bob_err bob_process_run(struct bob_process *p, bob_time deadline);

/* Ends it, with SIGTERM and after its grace SIGKILL, or sees to it that it does not begin.  Does not wait.  Again, or
 * after its end: nothing. */
void bob_process_kill(struct bob_process *p);

/* Done when the process is over; its value is the result.  Cancelling it works like a kill before the start.  Borrowed:
 * lives as long as @p, or as a reference of yours, but the value no longer than @p. */
struct bob_future *bob_process_future(struct bob_process *p);

/* NULL until it is over, and if it could not be run.  Lives as long as @p. */
const struct bob_process_result *bob_process_result(struct bob_process *p);

/* Why it could not be run, naming the program and the reason; "" otherwise.  Lives as long as @p. */
const char *bob_process_message(struct bob_process *p);

/* Kills it, if it is not over, and gives the handle up; does not wait for a pool's.  No thread
 * may be inside a bob_process_run of @p.  Called within a done callback, it may free the handle
 * before those of @p are called: they have what they need from their own argument.  NULL is
 * allowed. */
void bob_process_free(struct bob_process *p);

/* ---- many, a bounded number at once ---- */

struct bob_process_pool;

struct bob_process_pool_options {
    const char *role;      /* of its threads, for lists; static storage; NULL: "process" */
    unsigned max_children; /* at once, a thread for each; 0: as bob_executor's max_workers */
    unsigned max_queue;    /* how many may wait for their turn; 0: as many as memory holds */
};

/* @options may be NULL.  NULL when memory is out. */
struct bob_process_pool *bob_process_pool_new(const char *name,
                                              const struct bob_process_pool_options *options);

/* Runs a copy of @command when its turn comes.  *ret_process (may be NULL: nobody asks for the result) is the caller's.
 * On error nothing was queued: those of bob_process_new and of bob_executor_submit. */
BOB_MUST_USE enum bob_err bob_process_pool_submit(struct bob_process_pool *pool,
                                                  const struct bob_command *command,
                                                  struct bob_process **ret_process);

/* Takes nothing new; what waits and runs is finished, or, if @cancel, killed.  Waits for the pool's threads to end.  May
 * be called again, also to cancel after all.
 *   BOB_ERR_TIMEOUT  some still run at the deadline
 *   BOB_ERR_INVALID  called by a done callback on a thread of the pool's: shut down, but not waited for */
BOB_MUST_USE enum bob_err bob_process_pool_shut_down(struct bob_process_pool *pool, bool cancel,
                                                     bob_time deadline);

/* Shuts down without cancelling and waits first; handles stay their owners'.  NULL is allowed.  Not from a done callback
 * on a thread of the pool's, which aborts. */
void bob_process_pool_free(struct bob_process_pool *pool);

BOB_END_DECLS

#endif
