/* bobbin/future.h - a result that comes later, after Python's concurrent.futures.Future.
 *
 *     struct bob_future *f = bob_future_new();
 *     // the worker, with a reference of its own:
 *     if (bob_future_start(f))                          // false: cancelled meanwhile
 *         bob_future_set_result(f, answer);
 *     // the caller:
 *     err = bob_future_result(f, bob_in_seconds(5), &value);
 *     if (bob_future_failure(f, &failure))
 *         fprintf(stderr, "%s (%s)\n", failure.message, failure.origin);
 *     bob_future_unref(f);
 *
 * A future is pending, then running, then done: by a result, by an error, or, only while pending, by being
 * cancelled.  Once done it never changes.
 *
 * Differs from Python: a future that is cancelled is done at once, also for wait and as_completed
 * (there, once a worker has met it); one that an executor's work runs is finished by that work
 * alone; no callback is called inside another, but by work that it runs (BOB_FULL_CALLER_RUNS).
 *
 * Order:   callbacks run in the order in which they were added.  Waiting threads go on in no promised order.
 * Threads: every function may be called from any thread at once, by anybody with a reference.  A
 *          callback runs on the thread that finishes or cancels the future, or on the adder's if it
 *          is done already, and has returned when that call returns.  Of a call that is made inside
 *          a callback (of whichever future, how deep inside is all the same) the future is done
 *          when it returns, and who waits for it is woken, but its callbacks run on that thread as
 *          soon as the callback that runs has returned, before any other that is due there.  So a
 *          chain of futures, each finished by a callback of the one before, takes no more stack
 *          than one.  Work that an executor runs inside a callback, as it is full, is not part of
 *          it: callbacks of what that finishes are called as they would be on a worker, up to
 *          half of BOB_CALLER_RUNS_MAX works deep.
 * Locks:   every call may be made under any lock of yours, but those that finish it, and adding a
 *          callback, call back: then under that lock, or, inside a callback, under those of the
 *          outermost call.  No lock of the library's is held in a callback.
 * Memory:  one allocation, below 64 bytes, and one more if it fails; counted references; the last unref frees it.  It
 *          never owns the value.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIN_FUTURE_H
#define BOBBIN_FUTURE_H

#include <bobbin/annotate.h>
#include <bobbin/error.h>
#include <bobbin/time.h>
#include <stdbool.h>
#include <stddef.h>

BOB_BEGIN_DECLS

struct bob_future;

/* Pending, with one reference.  NULL when memory is out. */
struct bob_future *bob_future_new(void);

struct bob_future *bob_future_ref(struct bob_future *f); /* one more reference; returns @f */

/* Gives a reference back; NULL is allowed.  With the last one, callbacks of a future that never was done are
 * forgotten uncalled. */
void bob_future_unref(struct bob_future *f);

/* The worker's side.  start is Python's set_running_or_notify_cancel: false when it was cancelled, or has been
 * started or done already: then leave it alone. */
bool bob_future_start(struct bob_future *f);

/* Finishes it, also without a start, and calls the callbacks.
 *   BOB_ERR_STATE  already done, cancelled, or run by an executor: nothing is changed, and value or message are dropped
 * set_error takes any @code but BOB_OK (BOB_ERR_INVALID) and copies @message, which may be NULL; when memory is
 * out the error is set without it. */
enum bob_err bob_future_set_result(struct bob_future *f, void *value);
enum bob_err bob_future_set_error(struct bob_future *f, enum bob_err code, const char *message);

/* The caller's side.  cancel calls the callbacks if it is the one that cancels.  True: it is cancelled, now or
 * since before; false: already running or done. */
bool bob_future_cancel(struct bob_future *f);
bool bob_future_cancelled(struct bob_future *f);
bool bob_future_running(struct bob_future *f);
bool bob_future_done(struct bob_future *f); /* by result, error or cancel */

/* Waits for the result.  @ret_value may be NULL.
 *   BOB_ERR_TIMEOUT    not done by the deadline
 *   BOB_ERR_CANCELLED  it was cancelled
 *   any other          the error the worker set; see bob_future_message */
BOB_MUST_USE enum bob_err bob_future_result(struct bob_future *f, bob_time deadline,
                                            void **ret_value);
const char *bob_future_message(struct bob_future *f); /* "" unless failed; lives as long as @f */

/* True when it failed or was cancelled: *ret_failure (may be NULL) says how.  Its strings live as
 * long as @f.  Message and origin are those of bob_fail, if the worker used it; when memory was out
 * they are "". */
bool bob_future_failure(struct bob_future *f, struct bob_failure *ret_failure);

/* Calls fn(f, arg) once, when done: in the thread that finishes it, or at once if it is; inside a
 * callback, after that.  The callback borrows a reference for its time, and may not wait for one
 * that is called after it.
 *   BOB_ERR_INVALID    @fn is NULL
 *   BOB_ERR_NO_MEMORY  it is not added, and will not be called */
BOB_MUST_USE enum bob_err bob_future_add_done_callback(struct bob_future *f,
                                                       void (*fn)(struct bob_future *, void *),
                                                       void *arg);

/* ---- several at once ---- */

enum bob_return_when {
    BOB_FIRST_COMPLETED, /* one is done, however it ended */
    BOB_FIRST_EXCEPTION, /* one failed (a cancel is no failure); when none does: all are done */
    BOB_ALL_COMPLETED
};

/* Waits for the @n of @fs, among which one may be twice.  *ret_n_done (may be NULL) is how many are done, also after a
 * timeout; ask each.  With @n 0 it returns at once.
 *   BOB_ERR_INVALID    @fs is NULL, and @n is not 0
 *   BOB_ERR_TIMEOUT    not by the deadline
 *   BOB_ERR_NO_MEMORY  above 16, and not for BOB_ALL_COMPLETED, which needs none: *ret_n_done is unchanged */
BOB_MUST_USE enum bob_err bob_future_wait(struct bob_future *const *fs, size_t n,
                                          enum bob_return_when when, bob_time deadline,
                                          size_t *ret_n_done);

/* Gives futures out as they finish:
 *
 *     struct bob_as_completed *it = bob_as_completed_new(fs, n);
 *     while ((err = bob_as_completed_next(it, until, &f)) == BOB_OK)
 *         ... f is done ...                                         // BOB_ERR_EMPTY: all were given
 *     bob_as_completed_free(it);
 */
struct bob_as_completed;

/* Takes a reference of each of the @n of @fs, and does not keep the array.  Those done already come
 * first, in the order of the array; one that is there twice comes twice (in Python once).  NULL
 * when memory is out, or @fs is NULL and @n is not 0. */
struct bob_as_completed *bob_as_completed_new(struct bob_future *const *fs, size_t n);

/* The next that is done, waiting for it until @deadline.  *ret_future is the iterator's: good until that is freed.
 *   BOB_ERR_INVALID  @ret_future is NULL
 *   BOB_ERR_TIMEOUT  no other was done by the deadline
 *   BOB_ERR_EMPTY    all were given */
BOB_MUST_USE enum bob_err bob_as_completed_next(struct bob_as_completed *it, bob_time deadline,
                                                struct bob_future **ret_future);

/* At any time, but while a thread is inside next; NULL is allowed. */
void bob_as_completed_free(struct bob_as_completed *it);

BOB_END_DECLS

#endif
