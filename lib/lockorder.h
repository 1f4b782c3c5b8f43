/* lockorder.h - the library's own locks, outermost first.  This table IS their order.
 *
 * All lie below every lock of a program that uses the library (ranks from 1000 on), so each call may be made
 * under any of those.  No callback, and nothing of the user's, runs under one of these.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOB_LOCKORDER_H
#define BOB_LOCKORDER_H

#include <bobbin/lock.h>

/* clang-format off */
/*    class         after          guards */
#define LOCK_ORDER(X)                                                                              \
    X(L_EXECUTOR,   L_USERS)     /* executor.c: its queue and its workers; starts threads under it */ \
    X(L_FUTURE,     L_EXECUTOR)  /* future.c: who watches the futures of one bucket */             \
    X(L_MAP,        L_FUTURE)    /* map.c: what is left of one map, and its failure */             \
    X(L_COMPLETED,  L_MAP)       /* future_wait.c: what one as_completed has to give */            \
    X(L_TIMERS,     L_COMPLETED)    /* timer.c: the heap, and which timer runs */                     \
    X(L_QUEUE,      L_TIMERS)    /* queue_side.c: one side of one queue */                         \
    X(L_QUEUE_PILE, L_QUEUE)     /* queue.c: the items of one stack or heap */                     \
    X(L_QUEUE_DONE, L_QUEUE_PILE) /* queue.c: how many items of one queue are done */              \
    X(L_SEMAPHORE,  L_QUEUE_DONE) /* semaphore.c: the permits of one semaphore */                  \
    X(L_EVENT,      L_SEMAPHORE) /* event.c: the flag of one event */                              \
    X(L_BARRIER,    L_EVENT)     /* barrier.c: the parties of one round */                         \
    X(L_LOCAL,      L_BARRIER)   /* local.c: which thread has which value */                       \
    X(L_PROCESSES,  L_LOCAL)     /* process_pool.c: what one pool has taken and not finished */      \
    X(L_PROCESS,    L_PROCESSES) /* process.c: how far one process is, and how to stop it */       \
    X(L_THREADS,    L_PROCESS)     /* roster.c: the list of all threads */                           \
    X(L_THREAD,     L_THREADS)   /* record.c: one thread's name, note and end */                   \
    X(L_UNCAUGHT,   L_THREAD)    /* uncaught.c: the hook; leaf */
/* clang-format on */

BOB_LOCK_CLASS(L_USERS); /* those of the program that uses the library */
#define X(cls, after) BOB_LOCK_CLASS(cls) BOB_AFTER(after);
LOCK_ORDER(X)
#undef X

enum lock_rank {
    RANK_FIRST = 1000,
    RANK_BEFORE_FIRST_ = RANK_FIRST - 1,
#define X(cls, after) RANK_##cls,
    LOCK_ORDER(X)
#undef X
};

/* The class of a row, for bob_lock_init. */
#define LOCK_CLASS(cls) (&bob_classes_[RANK_##cls - RANK_FIRST])
extern const struct bob_lock_class bob_classes_[];

#endif
