/* bobbin/event.h - a flag that threads wait for, after Python's threading.Event.
 *
 *     struct bob_event stop = BOB_EVENT_INIT;    // or bob_event_init
 *     while (bob_event_wait(&stop, bob_in_seconds(1)) == BOB_ERR_TIMEOUT)
 *         ... once a second ...
 *     bob_event_fini(&stop);
 *
 * And who ends that:  bob_event_set(&stop).
 *
 * Differs from Python: set must not be called in a signal handler, which runs in the middle of whatever the thread does:
 *          see bobbin(7) for what to do instead.
 *
 * Order:   set lets all go that wait, in no promised order, even if it is cleared before they run.
 * Threads: every function may be called from any thread at once, but for init and fini.  None calls back.
 * Locks:   an event's own lock is a leaf: every call may be made under any lock of yours.
 * Memory:  embedded in its owner's struct; allocates nothing.  Do not copy or move it after init.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIN_EVENT_H
#define BOBBIN_EVENT_H

#include <bobbin/annotate.h>
#include <bobbin/condition.h>
#include <bobbin/error.h>
#include <bobbin/lock.h>
#include <bobbin/time.h>
#include <stdbool.h>

BOB_BEGIN_DECLS

struct bob_event {
    /* private */
    struct bob_lock lock_;
    struct bob_condition changed_;
    bool set_;
    unsigned sets_; /* how often it was set */
};

#define BOB_EVENT_INIT                                                                             \
    {                                                                                              \
        BOB_LOCK_INIT(0), BOB_CONDITION_INIT, false, 0                                             \
    }

void bob_event_init(struct bob_event *e); /* not set; cannot fail */

/* Ends @e, which nobody waits for.  A thread that saw it set may do so at once: the setter has left it. */
void bob_event_fini(struct bob_event *e);

void
bob_event_set(struct bob_event *e); /* and lets all go that wait; again: nothing more happens */
void bob_event_clear(struct bob_event *e);
bool bob_event_is_set(struct bob_event *e);

/* Waits until the flag is set.
 *   BOB_ERR_TIMEOUT  it was not by the deadline */
BOB_MUST_USE enum bob_err bob_event_wait(struct bob_event *e, bob_time deadline);

BOB_END_DECLS

#endif
