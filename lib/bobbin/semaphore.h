/* bobbin/semaphore.h - a number of permits, after Python's threading.Semaphore and BoundedSemaphore.
 *
 *     struct bob_semaphore *s = bob_semaphore_new_bounded(4);   // at most four at once
 *     if (bob_semaphore_acquire(s, bob_in_seconds(2)) == BOB_OK) {
 *         ... use one of the four ...
 *         bob_semaphore_release(s, 1);                          // by this thread or any other
 *     }
 *     bob_semaphore_free(s);
 *
 * Differs from Python: several permits can be taken in one call.
 *
 * Order:   first come, first served: who waits for many is not passed by those who came later and want few, not even
 *          if there are enough for them; they wait behind it, and a call that may not wait fails.
 * Threads: every function may be called from any thread at once, but for free.  None calls back.
 * Locks:   a semaphore's own lock is a leaf: every call may be made under any lock of yours.
 * Memory:  allocated by new, given back by free; nothing else allocates.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIN_SEMAPHORE_H
#define BOBBIN_SEMAPHORE_H

#include <bobbin/annotate.h>
#include <bobbin/error.h>
#include <bobbin/time.h>

BOB_BEGIN_DECLS

struct bob_semaphore;

/* @value permits, free; 0 is allowed.  A bounded one never holds more than @value.  NULL when memory is out.
 * Give it to bob_semaphore_free. */
struct bob_semaphore *bob_semaphore_new(unsigned value);
struct bob_semaphore *bob_semaphore_new_bounded(unsigned value);

/* Frees @s; NULL is allowed.  No thread may be inside a call on @s; permits may be out. */
void bob_semaphore_free(struct bob_semaphore *s);

/* Takes one permit, waiting for one until @deadline.
 *   BOB_ERR_TIMEOUT  none was free by the deadline, or others wait before this one
 *   BOB_ERR_INVALID  it is a bounded one of 0, which never has any */
BOB_MUST_USE enum bob_err bob_semaphore_acquire(struct bob_semaphore *s, bob_time deadline);

/* Takes @n permits, all at once or none, waiting for them until @deadline.
 *   BOB_ERR_TIMEOUT  they were not free by the deadline, or others wait before this one
 *   BOB_ERR_INVALID  @n is 0, or more than a bounded one's value: it would wait in vain */
BOB_MUST_USE enum bob_err bob_semaphore_acquire_n(struct bob_semaphore *s, unsigned n,
                                                  bob_time deadline);

/* Gives @n permits back.
 *   BOB_ERR_INVALID  @n is 0, or there would be more than a bounded one's value, or than UINT_MAX: nothing is
 *                    changed */
enum bob_err bob_semaphore_release(struct bob_semaphore *s, unsigned n);

unsigned bob_semaphore_value(struct bob_semaphore *s); /* free just now: for displays */

BOB_END_DECLS

#endif
