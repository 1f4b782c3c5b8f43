/* roster.h - the list of all threads, and which of them the calling one is.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOB_ROSTER_H
#define BOB_ROSTER_H

#include <bobbin/thread.h>

/* The calling thread's record; NULL: not known here yet. */
extern __thread struct bob_thread *bob_me_ __attribute__((tls_model("initial-exec")));

/* Begins the calling thread's own record: it is in the list afterwards, and ALIVE. */
void bob_roster_enter_(struct bob_thread *t);

/* Ends it.  First the hook, if it failed; then the announcement, then out of the list: whoever joined it finds it gone
 * from there too. */
void bob_roster_leave_(struct bob_thread *t, void *value);

/* Joins and frees @t without waiting; false: it is not quite gone, or is the calling thread. */
bool bob_thread_try_free_(struct bob_thread *t);

#endif
