/* bobbin/barrier.h - threads that wait for each other, round after round, after Python's threading.Barrier.
 *
 *     struct bob_barrier *b = bob_barrier_new(4, swap_buffers, &game);    // swap_buffers(&game) once a round
 *     unsigned index;
 *     while (bob_barrier_wait(b, bob_in_seconds(1), &index) == BOB_OK)    // in each of four threads
 *         draw_quarter(&game, index);
 *     bob_barrier_abort(b);                                               // whoever still comes need not wait
 *     bob_barrier_free(b);
 *
 * The last of the parties to come runs the action, and then all go on.  A barrier that broke stays broken, and fails
 * every wait at once, until it is reset.
 *
 * Differs from Python: the one whose deadline passed gets BOB_ERR_TIMEOUT, and the one whose action failed its error,
 *          where all others get BOB_ERR_BROKEN (Python: BrokenBarrierError for all but the action's).  The action
 *          runs with no lock held: abort and reset do not wait for it, and fail the round that it is for.
 *
 * Order:   the index is the order of coming, from 0; who comes last has parties - 1 and runs the action.  In what
 *          order they go on is not promised.  Actions of one barrier never overlap.
 * Threads: every function may be called from any thread at once, but for free.  The action runs on the thread that
 *          came last.  It may call any of these but wait, which would wait for itself, and free.
 * Locks:   a barrier's own lock is a leaf: every call may be made under any lock of yours, if the action may too.
 * Memory:  allocated by new, given back by free; nothing else allocates.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIN_BARRIER_H
#define BOBBIN_BARRIER_H

#include <bobbin/annotate.h>
#include <bobbin/error.h>
#include <bobbin/time.h>
#include <stdbool.h>

BOB_BEGIN_DECLS

struct bob_barrier;

/* A barrier for @parties threads, whose @action, if it is not NULL, is run as action(arg) once a round.  NULL when
 * @parties is 0 or memory is out.  Give it to bob_barrier_free. */
struct bob_barrier *bob_barrier_new(unsigned parties, enum bob_err (*action)(void *arg), void *arg);

/* Frees @b; NULL is allowed.  No thread may be inside a call on @b. */
void bob_barrier_free(struct bob_barrier *b);

/* Waits until all parties have come and the action has succeeded; *@ret_index, if not NULL, is this one's number.
 * The deadline is for the others to come: from then on the action is waited for, however long it takes.  Who comes
 * while the action of the round before runs waits for that first, and is no party until then.
 *   BOB_ERR_TIMEOUT  the deadline passed first; the barrier is broken, unless this one was no party yet
 *   BOB_ERR_BROKEN   it was broken, or broke, or was reset, while this one waited
 *   BOB_ERR_STATE    called by the action
 *   others           what the action returned, to the one that ran it; the barrier is broken */
BOB_MUST_USE enum bob_err bob_barrier_wait(struct bob_barrier *b, bob_time deadline,
                                           unsigned *ret_index);

/* Fails those that wait with BOB_ERR_BROKEN, and makes @b new: not broken, nobody there. */
void bob_barrier_reset(struct bob_barrier *b);

/* Breaks @b: those that wait and those that come get BOB_ERR_BROKEN. */
void bob_barrier_abort(struct bob_barrier *b);

unsigned bob_barrier_parties(const struct bob_barrier *b);
unsigned bob_barrier_n_waiting(struct bob_barrier *b); /* parties there just now: for displays */
bool bob_barrier_broken(struct bob_barrier *b);

BOB_END_DECLS

#endif
