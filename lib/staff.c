/* staff.c - the workers of an executor: hired, idle, called, ended; see staff.h.
 *
 * A thread is started under the lock: it is rare, and so a submit that fails has queued nothing, and nobody counts on
 * a thread that does not come.  A worker that ends, because there are too many or at shut-down, moves itself to the
 * list `ended`; the next caller that passes joins and frees it.  Work runs, and futures are finished, outside the lock.
 *
 * SPDX-License-Identifier: MIT */
#include "staff.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cond.h"
#include "cut.h"
#include "noted.h"
#include "promise.h"
#include "roster.h"
#include "uncaught.h"

__thread const struct bob_executor *bob_working_for_;

static void
lock(struct bob_executor *x) BOB_ACQUIRES(L_EXECUTOR)
{
    bob_lock_hold(&x->lock);
}

static void
unlock(struct bob_executor *x) BOB_RELEASES(L_EXECUTOR)
{
    (void)bob_lock_release(&x->lock);
}

/* ---- one work ---- */

void
bob_staff_run_(struct bob_future *f)
{
    bool is_asked = !(bob_promise_word_(f) & PROMISE_UNASKED);
    struct bob_failure failure;
    void *value = NULL;
    enum bob_err err;

    if (is_asked && !bob_promise_start_(f)) {
        bob_future_unref(f);
        return;
    }
    bob_noting_begin_();
    err = f->fn(f->u.arg, &value);
    if (!err) {
        bob_noting_end_();
        if (is_asked)
            bob_promise_succeed_(f, value);
        else
            bob_future_unref(f);
        return;
    }
    failure = bob_noted_(err);
    bob_noting_end_();
    if (is_asked) {
        bob_promise_fail_(f, &failure);
    } else {
        bob_future_unref(f);
        bob_uncaught_(&failure);
    }
}

static bool
take_one_left(struct bob_executor *x, struct bob_future **ret_future)
{
    uint64_t tail_seen = 0;

    lock(x); /* so that nobody trims the ring meanwhile */
    *ret_future = bob_ring_take_(&x->ring, &tail_seen);
    x->finished_before += *ret_future != NULL;
    unlock(x);
    return *ret_future;
}

void
bob_staff_drain_(struct bob_executor *x, const struct bob_failure *failure)
{
    struct bob_future *f;

    while (take_one_left(x, &f)) {
        bool is_asked = !(bob_promise_word_(f) & PROMISE_UNASKED);

        if (is_asked && failure && bob_promise_start_(f)) {
            bob_promise_fail_(f, failure);
        } else {
            if (is_asked && !failure)
                (void)bob_future_cancel(f);
            bob_future_unref(f);
        }
    }
}

/* ---- who takes the next ---- */

uint64_t
bob_staff_unfinished_locked_(const struct bob_executor *x)
{
    uint64_t finished = x->finished_before;

    for (struct bob_list *i = x->workers.next; i != &x->workers; i = i->next)
        finished += __atomic_load_n(&BOB_OWNER(i, struct bob_worker, in_workers)->finished,
                                    __ATOMIC_SEQ_CST);
    return x->ring.tail - finished;
}

void
bob_staff_look_up_locked_(struct bob_executor *x)
{
    __atomic_store_n(&x->look_up, x->is_broken || x->threads > x->max_workers, __ATOMIC_RELAXED);
}

static struct bob_worker *
first_idle_locked(struct bob_executor *x) BOB_HOLDS(L_EXECUTOR)
{
    struct bob_list *first = bob_list_pop_(&x->idle);

    if (!first)
        return NULL;
    x->n_idle--;
    x->waking++;
    return BOB_OWNER(first, struct bob_worker, in_idle);
}

struct bob_worker *
bob_staff_call_locked_(struct bob_executor *x)
{
    if (x->n_idle == 0 || x->waking > 0 || bob_ring_len_(&x->ring) == 0)
        return NULL;
    return first_idle_locked(x);
}

void
bob_staff_call_all_locked_(struct bob_executor *x)
{
    struct bob_worker *w;

    while ((w = first_idle_locked(x)))
        bob_unpark_(&w->parker);
}

/* Sleeps until called. */
static void
be_idle_locked(struct bob_worker *me) BOB_HOLDS(L_EXECUTOR) BOB_UNSHARED
{
    struct bob_executor *x = me->executor;

    bob_list_append_(x->idle.next, &me->in_idle); /* before the first */
    if (++x->n_idle == x->threads)
        bob_ring_trim_(&x->ring);
    unlock(x);
    MUST((int)bob_park_(&me->parker, BOB_FOREVER));
    lock(x);
    x->waking--;
}

/* The next work when there is none to be seen, or something has changed; NULL: this worker shall end. */
static struct bob_future *
wait_for_work(struct bob_worker *me)
{
    struct bob_executor *x = me->executor;
    struct bob_future *f = NULL;
    struct bob_worker *called;

    lock(x);
    while (x->threads <= x->max_workers && !x->is_broken &&
           !(f = bob_ring_take_(&x->ring, &me->tail_seen)) && !x->shut_down)
        be_idle_locked(me);
    if (!f) {
        x->threads--;
        bob_staff_look_up_locked_(x);
    }
    called = bob_staff_call_locked_(x);
    unlock(x);
    if (called)
        bob_unpark_(&called->parker);
    return f;
}

static struct bob_future *
next_work(struct bob_worker *me)
{
    struct bob_executor *x = me->executor;
    struct bob_future *f = NULL;

    if (!__atomic_load_n(&x->look_up, __ATOMIC_RELAXED))
        f = bob_ring_take_(&x->ring, &me->tail_seen);
    if (!f && !__atomic_load_n(&x->look_up, __ATOMIC_RELAXED)) {
        (void)sched_yield(); /* once: who submits on this processor may be about to put more */
        f = bob_ring_take_(&x->ring, &me->tail_seen);
    }
    return f ? f : wait_for_work(me);
}

static void
one_finished(struct bob_worker *me)
{
    struct bob_executor *x = me->executor;

    if (x->options.max_queue == 0 || x->options.on_full != BOB_FULL_WAIT) {
        __atomic_store_n(&me->finished, me->finished + 1, __ATOMIC_RELEASE);
        return;
    }
    /* Either this sees who waits for room, or he, who says so first, sees that there is some. */
    __atomic_store_n(&me->finished, me->finished + 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&x->room_wants, __ATOMIC_SEQ_CST) > 0) {
        lock(x);
        bob_condition_notify(&x->room);
        unlock(x);
    }
}

/* ---- a worker's life ---- */

/* @failure is the initializer's: nothing that waits will ever run, and nothing new is taken. */
static void
break_down(struct bob_executor *x, const struct bob_failure *failure)
{
    const struct bob_failure broken = {BOB_ERR_BROKEN, x->why_broken, x->where_broken};
    char why[BOB_FAILURE_MESSAGE_MAX - 32];
    bool is_first;

    bob_copy_cut_(why, sizeof why - 1,
                  *failure->message ? failure->message : bob_strerror(failure->code));

    lock(x);
    is_first = !x->is_broken;
    if (is_first) {
        (void)snprintf(x->why_broken, sizeof x->why_broken, "an initializer failed: %s", why);
        (void)snprintf(x->where_broken, sizeof x->where_broken, "%s", failure->origin);
    }
    x->is_broken = true;
    bob_staff_look_up_locked_(x);
    bob_condition_notify_all(&x->room);
    unlock(x);
    bob_staff_drain_(x, &broken);
    if (is_first)
        bob_uncaught_(failure);
}

static bool
get_ready(struct bob_executor *x)
{
    struct bob_failure failure;
    enum bob_err err;

    if (!x->options.initializer)
        return true;
    bob_noting_begin_();
    err = x->options.initializer(x->options.arg);
    if (err) {
        failure = bob_noted_(err);
        break_down(x, &failure);
    }
    bob_noting_end_();
    return !err;
}

static void *
worker_run(void *arg)
{
    struct bob_worker *me = arg;
    struct bob_executor *x = me->executor;
    bool is_ready;
    struct bob_future *f;

    bob_working_for_ = x;
    is_ready = get_ready(x);
    while ((f = next_work(me))) { /* NULL at once if it is broken */
        bob_staff_run_(f);
        bob_thread_note(NULL);
        one_finished(me);
    }
    if (is_ready && x->options.cleanup)
        x->options.cleanup(x->options.arg);

    lock(x);
    x->finished_before += me->finished;
    bob_list_remove_(&me->in_workers);
    bob_list_append_(&x->ended, &me->in_workers);
    bob_condition_notify_all(&x->worker_ended);
    unlock(x);
    return NULL;
}

/* Puts @me where the first number is free, so that the list stays sorted. */
static void
enlist_locked(struct bob_executor *x, struct bob_worker *me) BOB_HOLDS(L_EXECUTOR)
{
    struct bob_list *i = x->workers.next;

    me->number = 0;
    while (i != &x->workers && BOB_OWNER(i, struct bob_worker, in_workers)->number == me->number) {
        me->number++;
        i = i->next;
    }
    bob_list_append_(i, &me->in_workers); /* just before i */
}

enum bob_err
bob_staff_hire_locked_(struct bob_executor *x)
{
    const struct bob_thread_options options = {.role = x->options.role,
                                               .stack_bytes = x->options.stack_bytes};
    struct bob_worker *me = calloc(1, sizeof *me);
    char name[BOB_THREAD_NAME_MAX + 1], number[16];
    enum bob_err err;

    if (!me)
        return BOB_ERR_NO_MEMORY;
    me->executor = x;
    bob_watch_trusts_(&me->finished, sizeof me->finished);
    enlist_locked(x, me);
    (void)snprintf(number, sizeof number, "-%u", me->number);
    bob_copy_cut_(name, BOB_THREAD_NAME_MAX - strlen(number), x->name);
    strcat(name, number);
    x->threads++; /* first: it may count them before this returns */
    err = bob_thread_start(&me->thread, name, worker_run, me, &options);
    if (err) {
        x->threads--;
        bob_list_remove_(&me->in_workers);
        free(me);
    }
    return err;
}

void
bob_staff_reap_(struct bob_executor *x)
{
    struct bob_list ended = BOB_LIST_EMPTY(ended);
    struct bob_list *i;

    lock(x);
    bob_list_splice_(&ended, &x->ended);
    unlock(x);
    while ((i = bob_list_pop_(&ended))) {
        struct bob_worker *w = BOB_OWNER(i, struct bob_worker, in_workers);

        bob_thread_free(w->thread);
        free(w);
    }
}

void
bob_staff_reap_gone_(struct bob_executor *x)
{
    struct bob_list ended = BOB_LIST_EMPTY(ended), stay = BOB_LIST_EMPTY(stay);
    struct bob_list *i;

    lock(x);
    bob_list_splice_(&ended, &x->ended);
    unlock(x);
    while ((i = bob_list_pop_(&ended))) {
        struct bob_worker *w = BOB_OWNER(i, struct bob_worker, in_workers);

        if (bob_thread_try_free_(w->thread))
            free(w);
        else
            bob_list_append_(&stay, i);
    }
    lock(x);
    bob_list_splice_(&x->ended, &stay);
    unlock(x);
}
