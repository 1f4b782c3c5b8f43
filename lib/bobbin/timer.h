/* bobbin/timer.h - call something later, or every so often, after Python's threading.Timer; one thread for all.
 *
 *     struct bob_timers *ts = bob_timers_new("clockwork");
 *     struct bob_timer *t = bob_timer_start(ts, bob_in_ms(500), 0, remind, note);    // once: void remind(void *note)
 *     struct bob_timer *beat = bob_timer_start(ts, bob_in_ms(1000), 1000, tick, NULL); // every second
 *     if (bob_timer_cancel(t))
 *         ... remind will not be called ...
 *     bob_timer_free(t);
 *     bob_timer_free(beat);
 *     bob_timers_free(ts);
 *
 * Differs from Python: a timer is no thread but an entry in the heap of one, so that a million cost one thread; the price
 *          is that a slow call makes the others late.  start makes and starts, and @when is a moment, not an interval.
 *          There are periods.  That thread is a daemon: a timer that waits does not keep bob_thread_join_all
 *          waiting.
 *
 * Order:   by moment; of one moment, in the order in which they were started.
 * Threads: every function may be called from any thread at once, but for the two frees.  fn is called on the one
 *          thread of its timers.
 * Locks:   every call may be made under any lock of yours, but join and the frees wait for a call that may want it.
 *          No lock of the library's is held in a call, which may start, cancel and free timers, itself too.
 * Memory:  the caller owns each timer, also after it fired; start allocates, a call does not.  Names are copied.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIN_TIMER_H
#define BOBBIN_TIMER_H

#include <bobbin/annotate.h>
#include <bobbin/error.h>
#include <bobbin/time.h>
#include <stdbool.h>
#include <stdint.h>

BOB_BEGIN_DECLS

struct bob_timers; /* the thread and its heap */
struct bob_timer;  /* one call to come */

enum { BOB_TIMER_NAME_MAX = 31 }; /* in bytes; longer ones are cut */

struct bob_timers *bob_timers_new(const char *thread_name); /* NULL: no memory, or no thread */

/* Cancels all, waits for a call that is running, and joins the thread; NULL is allowed.  Timers not yet freed may
 * still be asked, cancelled and freed afterwards.  Aborts when called by a call of its own. */
void bob_timers_free(struct bob_timers *ts);

/* Calls fn(arg) at @when on the timers' thread, at once if that has passed, and then every @period_ms if that is
 * above 0: those it is too late for are left out, and the beat is kept, from @when (BOB_AT_ONCE or less: from now).
 * Started by a call while its timers are freed, it is cancelled at once.  NULL: no memory, or @fn is NULL. */
struct bob_timer *bob_timer_start(struct bob_timers *ts, bob_time when, int64_t period_ms,
                                  void (*fn)(void *), void *arg);

/* The same, with a @name (NULL: "") that the thread's note shows as long as a call runs. */
struct bob_timer *bob_timer_start_named(struct bob_timers *ts, const char *name, bob_time when,
                                        int64_t period_ms, void (*fn)(void *), void *arg);

const char *bob_timer_name(const struct bob_timer *t); /* until it is freed */

/* True when it waited to fire and now never will.  False when it has fired, is firing (a periodic one: for the last
 * time), or was cancelled before. */
bool bob_timer_cancel(struct bob_timer *t);

bool bob_timer_is_alive(struct bob_timer *t); /* waits to fire, or is firing */

/* When it fires next; BOB_FOREVER: never, or not known before the call that is running is over. */
bob_time bob_timer_due(struct bob_timer *t);

/* Waits until it is no longer alive: it has fired and its call is over, or it was cancelled.  A periodic one lives
 * until it is cancelled.
 *   BOB_ERR_TIMEOUT  still alive at the deadline
 *   BOB_ERR_INVALID  on the timers' own thread, which would wait for itself */
BOB_MUST_USE enum bob_err bob_timer_join(struct bob_timer *t, bob_time deadline);

/* Cancels; waits for a call that is running (but on the timers' own thread); frees.  NULL is allowed. */
void bob_timer_free(struct bob_timer *t);

BOB_END_DECLS

#endif
