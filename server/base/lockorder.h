/* lockorder.h - every lock in bobbind, outermost first.  This table IS the lock order.
 *
 * clang checks it on every build (-Wthread-safety-beta), ranks check it at run time
 * (<bobbin/lock.h>).  To take two locks, take the upper row first.  Two locks of one row are never
 * held together.  Under any of them: no call into libmicrohttpd, libcurl or SQLite, no I/O, and no
 * callback, but where a row says so.  The library's own locks are leaves below all of these.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_LOCKORDER_H
#define BOBBIND_LOCKORDER_H

#include <bobbin/lock.h>

/* clang-format off */
/*    class        after          guards */
#define LOCK_ORDER(X)                                                                              \
    X(L_STATE,     L_OUTERMOST) /* coord/state.c: every named object, line, hold, task, deadline */ \
    X(L_JOURNAL,   L_STATE)     /* store/journal.c: the open batch; SQLite runs outside it */      \
    X(L_SLOT,      L_JOURNAL)   /* http/slot.c: one connection: open, gone, its generation */      \
    X(L_HUB,       L_SLOT)      /* api/hub.c: the list of event streams */                         \
    X(L_RUNS,      L_HUB)       /* api/run.c: the requests that work on the request pool */       \
    X(L_HANDS,     L_RUNS)      /* work/hands.c: the table of running tasks */                     \
    X(L_LOG,       L_HANDS)     /* base/log.c: leaf */
/* clang-format on */

BOB_LOCK_CLASS(L_OUTERMOST);
#define X(cls, after) BOB_LOCK_CLASS(cls) BOB_AFTER(after);
LOCK_ORDER(X)
#undef X

enum lock_rank {
    RANK_NONE,
#define X(cls, after) RANK_##cls,
    LOCK_ORDER(X)
#undef X
};

/* The class of a row, for bob_lock_init: `bob_lock_init(&s->lock, LOCK_CLASS(L_STATE))`. */
#define LOCK_CLASS(cls) (&lock_classes[RANK_##cls])
extern const struct bob_lock_class lock_classes[];

#endif
