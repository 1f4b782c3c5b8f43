/* bobbin/local.h - a value for each thread, after Python's threading.local.
 *
 *     struct bob_local *connection = bob_local_new(close_connection);
 *     void *mine = bob_local_get(connection);          // NULL: this thread has none yet
 *     if (!mine)
 *         err = bob_local_set(connection, mine = connect_to_it());
 *     ...
 *     bob_local_free(connection);                      // closes those of all threads
 *
 * Differs from Python: one value, not a dictionary of attributes; the value of a thread that was replaced by another
 *          is the caller's again, and is not destroyed.
 *
 * Order:   when a thread ends, the destructors of its values are called on it, that of the value first set last
 *          going first; when a local is freed, those of all threads, in the order in which they were first set.
 * Threads: every function may be called from any thread at once, but free must come after the other calls on that
 *          local.  A thread may end while its value is freed: the destructor is called once, by one of the two.
 * Locks:   its own lock is a leaf, and is not held when a destructor is called: that may use other locals, and set
 *          values anew, which are ended too, up to three times over; what is set after that is dropped.  It does not free
 *          a local whose destructor is running.
 * Memory:  new allocates, and the first set of each thread; free gives that back, and so does the thread's end.  The
 *          values of the main thread end with free, not with exit.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIN_LOCAL_H
#define BOBBIN_LOCAL_H

#include <bobbin/annotate.h>
#include <bobbin/error.h>

BOB_BEGIN_DECLS

struct bob_local;

/* A local that no thread has a value of; NULL when memory is out.  @destructor may be NULL; it is never called for a
 * value that is NULL.  Any number of locals may be made: they take none of the system's keys but one in all.  Give it
 * to bob_local_free. */
struct bob_local *bob_local_new(void (*destructor)(void *value));

/* Ends the values of all threads, waits for destructors that run on threads just ending, and frees @local; NULL is
 * allowed.  Aborts when called by its own destructor. */
void bob_local_free(struct bob_local *local);

/* This thread's value: the last one set, or NULL.  Takes no lock. */
void *bob_local_get(struct bob_local *local);

/* Makes @value this thread's.
 *   BOB_ERR_NO_MEMORY  for a thread's first value; nothing is changed
 *   BOB_ERR_SYSTEM     for the process's first value: the system has no key left; nothing is changed */
enum bob_err bob_local_set(struct bob_local *local, void *value);

BOB_END_DECLS

#endif
