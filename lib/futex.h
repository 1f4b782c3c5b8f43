/* futex.h - sleeping on a word until another thread changes it and says so.
 *
 * Every wait of bob_lock, bob_condition and bob_once ends here.  The kernel compares the word and puts the thread to
 * sleep in one step, so a change made before is never slept through.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOB_FUTEX_H
#define BOB_FUTEX_H

#include <bobbin/error.h>
#include <bobbin/time.h>
#include <limits.h>

enum { BOB_FUTEX_ALL = INT_MAX };

/* Sleeps while *@word is @seen, until woken or @deadline.  May return BOB_OK for no reason: look again.
 *   BOB_ERR_TIMEOUT  the deadline passed first */
BOB_MUST_USE enum bob_err bob_futex_wait_(unsigned *word, unsigned seen, bob_time deadline);

/* Wakes up to @n that sleep on @word, which itself is not looked at: its memory may be gone already.  Whoever sleeps
 * on that address by then is woken for nothing, and every wait here allows that. */
void bob_futex_wake_(unsigned *word, int n);

#endif
