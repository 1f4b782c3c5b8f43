/* timer.c - one thread that sleeps until the first of a heap of moments; see <bobbin/timer.h>.
 *
 * Calls run outside the lock; `running` says which timer's.  Room in the heap is made when a timer is made, one
 * place for each that is not yet freed, so putting a periodic one back cannot fail.  The lock and the heap live
 * until the last timer is freed: that may be after bob_timers_free.
 *
 * SPDX-License-Identifier: MIT */
#include <assert.h>
#include <bobbin/condition.h>
#include <bobbin/thread.h>
#include <bobbin/timer.h>
#include <stdlib.h>

#include "cond.h"
#include "cut.h"
#include "heap.h"
#include "list.h"
#include "lockorder.h"

enum { NS_PER_MS = 1000000 };

struct bob_timer {
    struct bob_timers *timers;
    int64_t period_ns; /* 0: fires once */
    void (*fn)(void *);
    void *arg;
    char name[BOB_TIMER_NAME_MAX + 1];

    struct bob_heap_item due BOB_GUARDED_BY(L_TIMERS); /* in the heap: waits to fire */
    bool cancelled BOB_GUARDED_BY(L_TIMERS);           /* never goes back to false */
};

struct bob_timers {
    struct bob_lock lock;             /* class L_TIMERS */
    struct bob_condition first_moved; /* signalled when the first moment is earlier, or to stop */
    struct bob_condition rested;      /* signalled when a call is over, or a timer was cancelled */
    struct bob_thread *thread;

    struct bob_heap heap BOB_GUARDED_BY(L_TIMERS);
    struct bob_timer *running BOB_GUARDED_BY(L_TIMERS); /* NULL: none, or it freed itself */
    size_t users BOB_GUARDED_BY(L_TIMERS);              /* timers not freed, and 1 for the owner */
    bool stop BOB_GUARDED_BY(L_TIMERS);
};

static __thread struct bob_timers *mine; /* whose thread the calling one is; NULL: nobody's */

static void
lock(struct bob_timers *ts) BOB_ACQUIRES(L_TIMERS)
{
    bob_lock_hold(&ts->lock);
}

static void
unlock(struct bob_timers *ts) BOB_RELEASES(L_TIMERS)
{
    (void)bob_lock_release(&ts->lock);
}

/* ---- the thread ---- */

/* The next moment of a period that lies ahead: those that were missed are left out, the beat stays. */
static bob_time
next_beat(bob_time was_due, int64_t period_ns)
{
    bob_time now = bob_now();
    int64_t missed = now > was_due ? (now - was_due) / period_ns : 0;
    bob_time last = was_due + missed * period_ns;

    return period_ns > BOB_FOREVER - last ? BOB_FOREVER : last + period_ns;
}

/* Waits for a timer to be due and takes it out of the heap; NULL: stop. */
static struct bob_timer *
next_due(struct bob_timers *ts)
{
    struct bob_heap_item *first;
    struct bob_timer *t = NULL;
    enum bob_err err;

    lock(ts);
    while (!ts->stop && !t) {
        first = bob_heap_first_(&ts->heap);
        if (first && bob_has_passed_(first->at)) {
            t = BOB_OWNER(first, struct bob_timer, due);
            bob_heap_remove_(&ts->heap, first);
            ts->running = t;
        } else {
            err = bob_condition_wait(&ts->first_moved, &ts->lock, first ? first->at : BOB_FOREVER);
            assert(!err || err == BOB_ERR_TIMEOUT); /* either way: look again */
        }
    }
    unlock(ts);
    return t;
}

static void
after_call(struct bob_timers *ts)
{
    struct bob_timer *t;

    lock(ts);
    t = ts->running;
    if (t && t->period_ns > 0 && !t->cancelled) {
        t->due.at = next_beat(t->due.at, t->period_ns);
        bob_heap_push_(&ts->heap, &t->due);
    }
    ts->running = NULL;
    bob_condition_notify_all(&ts->rested);
    unlock(ts);
}

static void *
timers_run(void *arg)
{
    struct bob_timers *ts = arg;
    struct bob_timer *t;

    mine = ts;
    while ((t = next_due(ts))) {
        if (*t->name)
            bob_thread_note("%s", t->name);
        t->fn(t->arg); /* which may free t */
        bob_thread_note(NULL);
        after_call(ts);
    }
    return NULL;
}

/* ---- all of them ---- */

/* Gives one use up; the last one destroys. */
static void
leave(struct bob_timers *ts) BOB_UNSHARED
{
    bool is_last;

    lock(ts);
    is_last = --ts->users == 0;
    unlock(ts);
    if (!is_last)
        return;
    bob_heap_fini_(&ts->heap);
    bob_condition_fini(&ts->rested);
    bob_condition_fini(&ts->first_moved);
    bob_lock_fini(&ts->lock);
    free(ts);
}

struct bob_timers *
bob_timers_new(const char *thread_name) BOB_UNSHARED
{
    static const struct bob_thread_options options = {.role = "timers", .daemon = true};
    struct bob_timers *ts = calloc(1, sizeof *ts);

    if (!ts)
        return NULL;
    bob_lock_init(&ts->lock, LOCK_CLASS(L_TIMERS));
    bob_condition_init(&ts->first_moved);
    bob_condition_init(&ts->rested);
    ts->users = 1;
    if (bob_thread_start(&ts->thread, thread_name, timers_run, ts, &options)) {
        leave(ts);
        return NULL;
    }
    return ts;
}

void
bob_timers_free(struct bob_timers *ts)
{
    struct bob_heap_item *first;

    if (!ts)
        return;
    if (mine == ts)
        bob_die_("timers %s are freed by a call of theirs", bob_thread_name(ts->thread));
    lock(ts);
    ts->stop = true;
    while ((first = bob_heap_first_(&ts->heap)))
        bob_heap_remove_(&ts->heap, first);
    if (ts->running)
        ts->running->cancelled = true;
    bob_condition_notify_all(&ts->first_moved);
    bob_condition_notify_all(&ts->rested);
    unlock(ts);
    bob_thread_free(ts->thread);
    leave(ts);
}

/* ---- one of them ---- */

static bool
add(struct bob_timers *ts, struct bob_timer *t)
{
    bool has_room;

    lock(ts);
    has_room = bob_heap_reserve_(&ts->heap, ts->users); /* users counts the owner, not yet t */
    if (has_room) {
        ts->users++;
        t->cancelled = ts->stop; /* by a call that was running when they were freed */
        if (!ts->stop)
            bob_heap_push_(&ts->heap, &t->due);
        if (bob_heap_first_(&ts->heap) == &t->due)
            bob_condition_notify(&ts->first_moved);
    }
    unlock(ts);
    return has_room;
}

struct bob_timer *
bob_timer_start_named(struct bob_timers *ts, const char *name, bob_time when, int64_t period_ms,
                      void (*fn)(void *), void *arg) BOB_UNSHARED
{
    struct bob_timer *t = fn ? calloc(1, sizeof *t) : NULL;

    if (!t)
        return NULL;
    bob_copy_cut_(t->name, BOB_TIMER_NAME_MAX, name);
    t->timers = ts;
    t->due.at = when > BOB_AT_ONCE ? when : bob_now(); /* a beat counts from a real moment */
    if (period_ms > 0)
        t->period_ns = period_ms > BOB_FOREVER / NS_PER_MS ? BOB_FOREVER : period_ms * NS_PER_MS;
    t->fn = fn;
    t->arg = arg;
    if (!add(ts, t)) {
        free(t);
        return NULL;
    }
    return t;
}

struct bob_timer *
bob_timer_start(struct bob_timers *ts, bob_time when, int64_t period_ms, void (*fn)(void *),
                void *arg)
{
    return bob_timer_start_named(ts, NULL, when, period_ms, fn, arg);
}

const char *
bob_timer_name(const struct bob_timer *t)
{
    return t->name;
}

static bool
cancel_locked(struct bob_timer *t) BOB_HOLDS(L_TIMERS)
{
    bool waited = t->due.place > 0;

    t->cancelled = true;
    bob_heap_remove_(&t->timers->heap, &t->due);
    bob_condition_notify_all(&t->timers->rested);
    return waited;
}

static bool
is_alive_locked(const struct bob_timer *t) BOB_HOLDS(L_TIMERS)
{
    return t->due.place > 0 || t->timers->running == t;
}

bool
bob_timer_cancel(struct bob_timer *t)
{
    bool waited;

    lock(t->timers);
    waited = cancel_locked(t);
    unlock(t->timers);
    return waited;
}

bool
bob_timer_is_alive(struct bob_timer *t)
{
    bool is_alive;

    lock(t->timers);
    is_alive = is_alive_locked(t);
    unlock(t->timers);
    return is_alive;
}

bob_time
bob_timer_due(struct bob_timer *t)
{
    bob_time due;

    lock(t->timers);
    due = t->due.place > 0 ? t->due.at : BOB_FOREVER;
    unlock(t->timers);
    return due;
}

enum bob_err
bob_timer_join(struct bob_timer *t, bob_time deadline)
{
    struct bob_timers *ts = t->timers;
    enum bob_err err = BOB_OK;

    if (mine == ts)
        return BOB_ERR_INVALID;
    lock(ts);
    while (is_alive_locked(t) && !err)
        err = bob_condition_wait(&ts->rested, &ts->lock, deadline);
    if (!is_alive_locked(t))
        err = BOB_OK;
    unlock(ts);
    return err;
}

void
bob_timer_free(struct bob_timer *t)
{
    struct bob_timers *ts;

    if (!t)
        return;
    ts = t->timers;
    lock(ts);
    (void)cancel_locked(t);
    if (ts->running == t && mine == ts)
        ts->running = NULL; /* its own call frees it: after_call must not touch it */
    while (ts->running == t)
        MUST((int)bob_condition_wait(&ts->rested, &ts->lock, BOB_FOREVER));
    unlock(ts);
    free(t);
    leave(ts);
}
