/* executor.c - what a user calls; see <bobbin/executor.h>, and staff.h for how work reaches a worker.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/executor.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "cond.h"
#include "cut.h"
#include "noted.h"
#include "promise.h"
#include "staff.h"

/* So many wait: works come so much faster than they are taken that blocks are worth having in store. */
enum { BURST = 32 };

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

/* As in Python. */
static unsigned
default_workers(void)
{
    cpu_set_t cpus;
    long n;

    if (sched_getaffinity(0, sizeof cpus, &cpus) == 0)
        n = CPU_COUNT(&cpus);
    else
        n = sysconf(_SC_NPROCESSORS_ONLN); /* more of them than a cpu_set_t has bits */
    if (n < 1)
        n = 1;
    return n + 4 < 32 ? (unsigned)n + 4 : 32;
}

struct bob_executor *
bob_executor_new(const char *name, const struct bob_executor_options *options) BOB_UNSHARED
{
    struct bob_executor *x = calloc(1, sizeof *x);

    if (!x || !bob_ring_init_(&x->ring)) {
        free(x);
        return NULL;
    }
    bob_watch_trusts_(&x->look_up, sizeof x->look_up);
    bob_watch_trusts_(&x->is_burst, sizeof x->is_burst);
    bob_watch_trusts_(&x->room_wants, sizeof x->room_wants);
    if (options)
        x->options = *options;
    x->max_workers = x->options.max_workers ? x->options.max_workers : default_workers();
    bob_copy_cut_(x->name, BOB_THREAD_NAME_MAX, name);
    bob_lock_init(&x->lock, LOCK_CLASS(L_EXECUTOR));
    bob_condition_init(&x->worker_ended);
    bob_condition_init(&x->room);
    bob_list_init_(&x->idle);
    bob_list_init_(&x->workers);
    bob_list_init_(&x->ended);
    return x;
}

void
bob_executor_free(struct bob_executor *x) BOB_UNSHARED
{
    if (!x)
        return;
    if (bob_working_for_ == x)
        bob_die_("executor %s is freed by one of its own threads", x->name);
    MUST((int)bob_executor_shut_down(x, false, BOB_FOREVER));
    bob_condition_fini(&x->room);
    bob_condition_fini(&x->worker_ended);
    bob_lock_fini(&x->lock);
    if (x->slab)
        bob_slab_drop_(x->slab, BOB_SLAB_PLACES + 1 - x->slab->next);
    bob_ring_fini_(&x->ring);
    free(x);
}

/* ---- submit ---- */

/* Whether as many wait as may, and no worker is free, or yet to come, for one of them. */
static bool
is_full_locked(struct bob_executor *x) BOB_HOLDS(L_EXECUTOR)
{
    uint64_t unfinished, hands, waiting;

    if (x->options.max_queue == 0 || !bob_ring_holds_(&x->ring, x->options.max_queue))
        return false;
    waiting = bob_ring_len_(&x->ring);
    unfinished = bob_staff_unfinished_locked_(x);
    hands = unfinished < waiting + x->max_workers ? waiting + x->max_workers - unfinished : 0;
    return waiting >= hands + x->options.max_queue;
}

/* Whether it takes one more now, and somebody is there to run it: hires a worker if all have work. */
static enum bob_err
admit_locked(struct bob_executor *x) BOB_HOLDS(L_EXECUTOR)
{
    enum bob_err err = BOB_OK;

    if (x->is_broken)
        return BOB_ERR_BROKEN;
    if (x->shut_down)
        return BOB_ERR_SHUT_DOWN;
    if (is_full_locked(x))
        return BOB_ERR_FULL;
    if (!bob_ring_reserve_(&x->ring))
        return BOB_ERR_NO_MEMORY;
    if (x->threads < x->max_workers && bob_staff_unfinished_locked_(x) >= x->threads)
        err = bob_staff_hire_locked_(x);
    return x->threads > 0 ? BOB_OK : err;
}

static enum bob_err
admit_patiently_locked(struct bob_executor *x) BOB_HOLDS(L_EXECUTOR)
{
    enum bob_err err;

    /* First this, then the look at what is finished; a worker does it the other way round. */
    __atomic_add_fetch(&x->room_wants, 1, __ATOMIC_SEQ_CST);
    while ((err = admit_locked(x)) == BOB_ERR_FULL)
        MUST((int)bob_condition_wait(&x->room, &x->lock, BOB_FOREVER));
    __atomic_sub_fetch(&x->room_wants, 1, __ATOMIC_SEQ_CST);
    return err;
}

/* A block of the slab, opened now if that is worth it; NULL: take one of malloc's. */
static struct bob_future *
block_locked(struct bob_executor *x, unsigned *ret_place) BOB_HOLDS(L_EXECUTOR)
{
    struct bob_slab *slab = x->slab;

    if (!slab && bob_ring_holds_(&x->ring, BURST))
        slab = bob_slab_new_();
    if (x->is_burst != (slab != NULL)) /* workers read what lies beside it */
        __atomic_store_n(&x->is_burst, slab != NULL, __ATOMIC_RELAXED);
    if (!slab)
        return NULL;
    *ret_place = slab->next++;
    x->slab = slab->next <= BOB_SLAB_PLACES ? slab : NULL;
    return bob_slab_block_(slab, *ret_place);
}

/* What it takes to submit one work. */
struct order {
    struct bob_future *f; /* NULL: a block is still to be had, for this: */
    bob_work_fn fn;
    void *arg;
    uint64_t word; /* what its word has beside one reference */
    bool waits;
};

static enum bob_err
have_block_locked(struct bob_executor *x, struct order *o) BOB_HOLDS(L_EXECUTOR)
{
    unsigned place = 0;

    if (o->f) {
        if (!x->is_burst && bob_ring_holds_(&x->ring, BURST))
            __atomic_store_n(&x->is_burst, true, __ATOMIC_RELAXED);
        return BOB_OK;
    }
    o->f = block_locked(x, &place);
    if (!o->f)
        o->f = malloc(sizeof *o->f); /* the burst has just ended */
    if (!o->f)
        return BOB_ERR_NO_MEMORY;
    bob_promise_init_(o->f, place, o->fn, o->arg);
    o->f->word += o->word; /* nobody else knows it yet */
    return BOB_OK;
}

static enum bob_err
enqueue(struct bob_executor *x, struct order *o)
{
    struct bob_worker *called = NULL;
    bool some_ended;
    enum bob_err err;

    lock(x);
    err = admit_locked(x);
    if (err == BOB_ERR_FULL && o->waits)
        err = admit_patiently_locked(x);
    if (!err)
        err = have_block_locked(x, o);
    if (!err) {
        bob_ring_put_(&x->ring, o->f);
        called = bob_staff_call_locked_(x);
    } else if (o->waits) {
        bob_condition_notify(&x->room); /* the room it may have been woken for is another's now */
    }
    some_ended = !bob_list_is_empty_(&x->ended);
    unlock(x);
    if (called)
        bob_unpark_(&called->parker);
    if (some_ended)
        bob_staff_reap_gone_(x);
    return err;
}

enum bob_err
bob_executor_put_(struct bob_executor *x, struct bob_future *f, bool waits)
{
    struct order o = {.f = f, .waits = waits};

    return enqueue(x, &o);
}

static enum bob_err
have_block(struct order *o)
{
    o->f = bob_promise_new_(o->fn, o->arg);
    if (!o->f)
        return BOB_ERR_NO_MEMORY;
    o->f->word += o->word;
    return BOB_OK;
}

/* What is left to do when it is full.  Work that submits work that submits work takes the stack
 * of all.  The work does not know whether a callback runs it, and may wait for callbacks of its
 * own: so those of the thread that are due are set aside.  Not so deep down, where callbacks and
 * works that go on without an end must come back first. */
static enum bob_err
run_here(struct order *o)
{
    const struct bob_due outer = bob_due_;
    bool sets_aside = bob_noting_.depth < BOB_CALLER_RUNS_MAX / 2;
    enum bob_err err = BOB_OK;

    if (bob_noting_.depth >= BOB_CALLER_RUNS_MAX)
        err = BOB_ERR_FULL;
    else if (!o->f)
        err = have_block(o);
    if (err)
        return err;
    if (sets_aside)
        bob_due_ = (struct bob_due){NULL, NULL};
    bob_staff_run_(o->f);
    if (sets_aside)
        bob_due_ = outer;
    return BOB_OK;
}

enum bob_err
bob_executor_submit(struct bob_executor *x, bob_work_fn fn, void *arg,
                    struct bob_future **ret_future)
{
    struct order o = {.fn = fn, .arg = arg, .word = ret_future ? PROMISE_REF : PROMISE_UNASKED};
    enum bob_err err = BOB_OK;

    if (!fn)
        return BOB_ERR_INVALID;
    o.waits = x->options.on_full == BOB_FULL_WAIT && bob_working_for_ != x;
    if (!__atomic_load_n(&x->is_burst, __ATOMIC_RELAXED))
        err = have_block(&o);
    if (!err)
        err = enqueue(x, &o);
    if (err == BOB_ERR_FULL && x->options.on_full == BOB_FULL_CALLER_RUNS)
        err = run_here(&o);
    if (err)
        free(o.f); /* malloc's: one of a slab is had last of all */
    else if (ret_future)
        *ret_future = o.f;
    return err;
}

/* ---- the rest ---- */

enum bob_err
bob_executor_resize(struct bob_executor *x, unsigned max_workers)
{
    uint64_t unfinished;

    if (max_workers == 0)
        return BOB_ERR_INVALID;
    lock(x);
    x->max_workers = max_workers;
    bob_staff_look_up_locked_(x);
    unfinished = bob_staff_unfinished_locked_(x);
    while (bob_ring_len_(&x->ring) > 0 && unfinished > x->threads && x->threads < max_workers)
        if (bob_staff_hire_locked_(x))
            break; /* those there are go on; the next submit tries again */
    bob_staff_call_all_locked_(x);
    bob_condition_notify_all(&x->room);
    unlock(x);
    bob_staff_reap_gone_(x);
    return BOB_OK;
}

unsigned
bob_executor_busy(struct bob_executor *x)
{
    uint64_t running;

    lock(x);
    running = bob_staff_unfinished_locked_(x) - bob_ring_len_(&x->ring);
    unlock(x);
    return (unsigned)running;
}

enum bob_err
bob_executor_shut_down(struct bob_executor *x, bool cancel_futures, bob_time deadline)
{
    enum bob_err err = BOB_OK;

    lock(x);
    x->shut_down = true;
    bob_staff_call_all_locked_(x);
    bob_condition_notify_all(&x->room);
    unlock(x);
    if (cancel_futures)
        bob_staff_drain_(x, NULL);
    if (bob_working_for_ == x)
        return BOB_ERR_INVALID; /* it cannot wait for itself */

    lock(x);
    while (!bob_list_is_empty_(&x->workers) && !err)
        err = bob_condition_wait(&x->worker_ended, &x->lock, deadline);
    if (bob_list_is_empty_(&x->workers))
        err = BOB_OK;
    unlock(x);
    bob_staff_reap_(x);
    return err;
}
