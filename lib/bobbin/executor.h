/* bobbin/executor.h - a bounded number of threads that run what is submitted, after Python's ThreadPoolExecutor.
 *
 *     struct bob_executor_options options = {.role = "resize", .max_workers = 4};
 *     struct bob_executor *x = bob_executor_new("resizer", &options);
 *     err = bob_executor_submit(x, resize, photo, &f);           // enum bob_err resize(void *photo, void **ret)
 *     err = bob_future_result(f, BOB_FOREVER, &value);
 *     bob_future_unref(f);
 *     err = bob_executor_map(x, resize, photos, n, small, NULL);   // all of an array, results in its order
 *     err = bob_executor_shut_down(x, false, bob_in_seconds(30));
 *     bob_executor_free(x);
 *
 * Work that waits for the result of other work of its own executor may wait for ever, as in Python: when all workers wait
 * so, none is left to run it.  A map called by work does not, as there the worker helps.
 *
 * Differs from Python: nothing waits for an executor that was not freed when the process ends; work that fails, and
 * whose future nobody took, is told to the hook of bob_set_excepthook; a map gives all results at once, and without a
 * deadline waits for what runs before it tells of a failure; its items are taken in chunks also if none was asked for.
 *
 * Order:   work is begun in the order of its submits.
 * Threads: every function may be called from any thread at once, but for free; submit and map also from work that
 *          runs in the executor.  Work, initializer and cleanup run on its threads; done callbacks of futures there too.
 *          Its threads are no daemons: bob_thread_join_all waits for them, and so until it is shut down.
 * Locks:   every call may be made under any lock of yours, but those that wait (shut_down, free, map, a submit that
 *          waits for room) wait for work that may want it.  Nothing of yours runs under a lock of the library's.
 * Memory:  one allocation for each submit, the future included; it ends with the work and its last reference.  When
 *          many wait, 31 submits share one of 1 KiB, which ends with the last of them.  @arg is never freed here.
 *          Work that is cancelled before it began is not run: a done callback can free its @arg; without a future
 *          nobody is told.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIN_EXECUTOR_H
#define BOBBIN_EXECUTOR_H

#include <bobbin/annotate.h>
#include <bobbin/error.h>
#include <bobbin/future.h>
#include <bobbin/time.h>
#include <stdbool.h>
#include <stddef.h>

BOB_BEGIN_DECLS

struct bob_executor;

/* What a worker runs.  It returns: after pthread_exit its future would wait for ever.  Returning BOB_OK sets *ret_value
 * (NULL if it is left alone) as the future's result; anything else is its error, with message and origin if it was noted
 * by bob_fail.  A bob_thread_note that it leaves behind is cleared. */
typedef enum bob_err (*bob_work_fn)(void *arg, void **ret_value);

/* What a submit does when max_queue wait already. */
enum bob_on_full {
    BOB_FULL_FAIL, /* gives BOB_ERR_FULL */
    BOB_FULL_WAIT, /* waits for room; from work of the executor's own, which would wait for itself: as above */
    BOB_FULL_CALLER_RUNS /* runs the work at once, on the calling thread */
};

/* So many works, each submitted by the one before, may run inside one another on one thread: the
 * next gives BOB_ERR_FULL, as the stack has an end. */
enum { BOB_CALLER_RUNS_MAX = 64 };

struct bob_executor_options {
    const char *role;     /* of its threads, for lists; static storage */
    unsigned max_workers; /* 1 or more; 0: min(32, processors + 4), as in Python */
    unsigned max_queue;   /* how many may wait for a worker; 0: as many as memory holds */
    enum bob_on_full on_full;
    size_t stack_bytes; /* of its threads; 0: the system's default */
    enum bob_err (*initializer)(
        void *arg);             /* called by each thread first; NULL: none.  An error breaks it */
    void (*cleanup)(void *arg); /* called last by each thread that was initialized; NULL: none */
    void *arg;                  /* of both */
};

/* Threads are named @name-0, @name-1, ... (@name is copied; the smallest number that is free); each starts when
 * work comes and no other is free for it.  @options may be NULL.  NULL when memory is out.
 *
 * When the initializer of one fails, the executor is broken: what waits fails with BOB_ERR_BROKEN and the initializer's
 * message, nothing new is taken, and what runs goes on. */
struct bob_executor *bob_executor_new(const char *name, const struct bob_executor_options *options);

/* Shuts down and waits first, however long that takes; NULL is allowed.  No thread may be inside a call on @x.
 * Aborts when called by work of its own. */
void bob_executor_free(struct bob_executor *x);

/* Runs fn(arg) on one of its threads.  *ret_future (may be NULL: nobody asks for the result) is the caller's
 * reference.  On error nothing was queued.
 *   BOB_ERR_INVALID     @fn is NULL
 *   BOB_ERR_SHUT_DOWN   takes nothing new, also after it waited for room
 *   BOB_ERR_BROKEN      an initializer failed
 *   BOB_ERR_FULL        all workers are busy and max_queue wait already; see on_full.  One that was cancelled counts
 *                       until a worker meets it
 *   BOB_ERR_SYSTEM      no thread could be started and none runs
 *   BOB_ERR_NO_MEMORY */
BOB_MUST_USE enum bob_err bob_executor_submit(struct bob_executor *x, bob_work_fn fn, void *arg,
                                              struct bob_future **ret_future);

/* Which item of a map failed, and how. */
struct bob_map_failure {
    size_t index;
    enum bob_err code;
    char message[BOB_FAILURE_MESSAGE_MAX + 1]; /* as in struct bob_failure */
    char origin[BOB_FAILURE_ORIGIN_MAX + 1];
};

struct bob_map_options {
    size_t chunk;      /* how many items a thread takes at a time; 0: chosen by their number */
    bob_time deadline; /* 0, which is BOB_AT_ONCE too: none */
    struct bob_map_failure *ret_failure; /* set when an item failed; may be NULL */
};

/* Runs fn(args[i]) for all @n on its threads and waits for them: ret_values[i] (@ret_values may be NULL) is what it
 * gave.  Work of the executor's own that calls this helps, so that it does not wait for itself.  @options may be NULL.
 * When an item fails, those above it that have not begun are not run, and those below it are; the error is that of the
 * lowest that failed, whose values below are set.  An error of its own leaves some values unset.
 *   BOB_ERR_INVALID    @fn is NULL, or @args is and @n is not 0
 *   BOB_ERR_TIMEOUT    not all were done by the deadline: nothing more begins, but what runs goes on and may use its
 *                      args[i] until it returns; @args and @ret_values themselves are left alone
 *   BOB_ERR_CANCELLED  the executor was shut down meanwhile, and its futures cancelled
 *   BOB_ERR_BROKEN, BOB_ERR_SHUT_DOWN, BOB_ERR_FULL, BOB_ERR_SYSTEM, BOB_ERR_NO_MEMORY  as of submit
 *   any other          that of an item */
BOB_MUST_USE enum bob_err bob_executor_map(struct bob_executor *x, bob_work_fn fn,
                                           void *const *args, size_t n, void **ret_values,
                                           const struct bob_map_options *options);

/* Changes how many threads it may have, now: more are started if work waits; surplus ones end when they have
 * finished what they run.
 *   BOB_ERR_INVALID  @max_workers is 0 */
enum bob_err bob_executor_resize(struct bob_executor *x, unsigned max_workers);

/* How many run work, or tell of its result, just now: for displays. */
unsigned bob_executor_busy(struct bob_executor *x);

/* Takes nothing new; what is queued still runs, or is cancelled if @cancel_futures.  Waits for the threads to end.
 * May be called again, also to cancel after all.
 *   BOB_ERR_TIMEOUT  some still run at the deadline
 *   BOB_ERR_INVALID  called by work of its own, which cannot wait for itself: shut down, but not waited for */
BOB_MUST_USE enum bob_err bob_executor_shut_down(struct bob_executor *x, bool cancel_futures,
                                                 bob_time deadline);

BOB_END_DECLS

#endif
