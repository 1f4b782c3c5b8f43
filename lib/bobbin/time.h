/* bobbin/time.h - moments and deadlines.
 *
 *     bob_time until = bob_in_ms(250);
 *     while (!ready && !err)
 *         err = bob_condition_wait(&c, &l, until);      // the same deadline, however often it loops
 *
 * A bob_time is an absolute moment in nanoseconds on CLOCK_MONOTONIC: setting the wall clock changes nothing, and a
 * loop need not compute what is left of a timeout.  The clock stands still while the machine is suspended.
 *
 * Differs from Python: a wait takes a moment, not how long to wait; one that has passed, as a negative timeout makes,
 *          asks without waiting and is no error; and no timeout is too long (threading.TIMEOUT_MAX): it is BOB_FOREVER.
 *
 * Order:   does not apply.
 * Threads: every function may be called from any thread at once.
 * Locks:   none is taken.
 * Memory:  none is used.
 * Errors:  none can fail; sums saturate at BOB_FOREVER.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIN_TIME_H
#define BOBBIN_TIME_H

#include <bobbin/annotate.h>
#include <stdint.h>

BOB_BEGIN_DECLS

typedef int64_t bob_time;

#define BOB_AT_ONCE ((bob_time)0) /* has passed: ask, do not wait (Python's blocking=False) */
#define BOB_FOREVER ((bob_time)INT64_MAX) /* never passes (Python's timeout=None) */

bob_time bob_now(void);            /* 1 or more */
bob_time bob_in_ms(int64_t ms);    /* @ms from now; negative counts as 0 */
bob_time bob_in_seconds(double s); /* @s from now; negative or NaN counts as 0 */
int64_t
bob_ms_until(bob_time moment); /* milliseconds left, rounded up; 0 when it has passed, INT64_MAX for
                                        * BOB_FOREVER */

BOB_END_DECLS

#endif
