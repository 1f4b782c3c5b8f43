/* promise.h - the inside of a future: its word, its watchers, and what an executor may do that others may not.
 *
 * word holds the state, flags, code and count of references.  It changes by compare-and-exchange alone, so that the
 * step of a future nobody waits for takes no lock:
 *
 *     PENDING -> RUNNING -> DONE | FAILED        PENDING -> CANCELLED | DONE | FAILED
 *
 * Who finishes it by hand first sets FINISHING (so that value is written by one), then value, then the last state.
 * Work of an executor sets OWNED as it starts: nobody else may finish it, and the step in between is not needed.
 *
 * Watchers are those who want to be told: threads that wait, callbacks, sets of futures.  They are a list, guarded by
 * one of a fixed table of locks, chosen by the future's address.  A watcher sets WATCHED under that lock before it
 * joins the list; who finishes the future takes WATCHED off in the same step and, if it was set, comes to the lock.
 * So either the watcher sees the last state, or the finisher sees the watcher.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOB_PROMISE_H
#define BOB_PROMISE_H

#include <bobbin/executor.h>
#include <bobbin/future.h>
#include <stdint.h>
#include <stdlib.h>

#include "lockorder.h"
#include "slab.h"
#include "watch.h"

enum bob_promise_state {
    PROMISE_PENDING,
    PROMISE_RUNNING,
    PROMISE_CANCELLED, /* from here on it is done */
    PROMISE_DONE,
    PROMISE_FAILED
};

enum {
    PROMISE_STATE = 0x07,
    PROMISE_WATCHED = 0x08,
    PROMISE_FINISHING = 0x10, /* by hand: somebody writes the value */
    PROMISE_OWNED = 0x20,     /* RUNNING: only its work finishes it */
    PROMISE_UNASKED =
        0x40, /* no future was given out for this work: it is never started or finished */
    PROMISE_CODE_SHIFT = 8, /* 8 bits: enum bob_err of FAILED */
    PROMISE_CODE = 0xFF00,
    PROMISE_PLACE_SHIFT = 16, /* 8 bits: its place in its slab, from 1; 0: a block of malloc's */
    PROMISE_PLACE = 0xFF0000
};
#define PROMISE_REF ((uint64_t)1 << 32) /* one reference */

/* One that wants to be told, once, when a future is done. */
struct bob_watch {
    struct bob_watch *next;
    void (*told)(struct bob_watch *, struct bob_future *); /* under L_FUTURE; NULL: a callback */
};

/* The calling thread's callbacks that are due, and where in their list the next one goes, which
 * is behind those that the callback which runs has made due, and before all others.  NULL: none
 * runs. */
struct bob_due {
    struct bob_watch *first;
    struct bob_watch **put_at;
};
extern __thread struct bob_due bob_due_ __attribute__((tls_model("initial-exec")));

/* Whose a failure is, kept in one block with its strings. */
struct bob_failure_text;

struct bob_future {
    uint64_t word; /* atomic */
    union {
        void *arg;                     /* until its work begins */
        void *value;                   /* DONE */
        struct bob_failure_text *text; /* FAILED; NULL: code alone */
    } u;                               /* constant once done */
    bob_work_fn fn;                    /* NULL: no work of an executor */

    struct bob_watch *watches BOB_GUARDED_BY(L_FUTURE); /* the newest first */
};
_Static_assert(sizeof(struct bob_future) == BOB_SLAB_BLOCK, "a future is a block of a slab");

static inline uint64_t
bob_promise_word_(const struct bob_future *f)
{
    uint64_t word = __atomic_load_n(&f->word, __ATOMIC_ACQUIRE);

    bob_watch_sees_(f);
    return word;
}

static inline enum bob_promise_state
bob_promise_state_(uint64_t word)
{
    return (enum bob_promise_state)(word & PROMISE_STATE);
}

static inline bool
bob_promise_is_done_(uint64_t word)
{
    return (word & PROMISE_STATE) >= PROMISE_CANCELLED;
}

/* Makes @f, at @place of a slab or 0, a pending one with one reference, for the work fn(arg). */
static inline void
bob_promise_init_(struct bob_future *f, unsigned place, bob_work_fn fn, void *arg) BOB_UNSHARED
{
    f->word = PROMISE_PENDING + PROMISE_REF + ((uint64_t)place << PROMISE_PLACE_SHIFT);
    f->u.arg = arg;
    f->fn = fn;
    f->watches = NULL;
}

/* NULL when memory is out. */
static inline struct bob_future *
bob_promise_new_(bob_work_fn fn, void *arg)
{
    struct bob_future *f = (struct bob_future *)malloc(sizeof *f);

    if (f)
        bob_promise_init_(f, 0, fn, arg);
    return f;
}

/* The work's side: false if it was cancelled, or finished by hand.  Then only finish_ may follow. */
bool bob_promise_start_(struct bob_future *f);

/* Finish what start_ began, and give a reference back. */
void bob_promise_succeed_(struct bob_future *f, void *value);
void bob_promise_fail_(struct bob_future *f, const struct bob_failure *failure);

/* Puts @w on its list; false: it is done already, and @w is not used. */
bool bob_promise_watch_(struct bob_future *f, struct bob_watch *w);

/* Takes @w off, if it was not told yet; afterwards it never will be. */
void bob_promise_unwatch_(struct bob_future *f, struct bob_watch *w);

/* Waits until it is done.  BOB_ERR_TIMEOUT: not by @deadline. */
enum bob_err bob_promise_await_(struct bob_future *f, bob_time deadline);

#endif
