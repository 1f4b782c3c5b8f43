/* queue.c - a side that puts and a side that gets, each with its own lock; see <bobbin/queue.h>.
 *
 * A putter takes the put side's lock and a getter the get side's, so both run at once; they meet in the two counts,
 * and a lock of the other side is taken only to wake a thread that sleeps there (queue_side.c: why none is missed).
 * A first-in-first-out queue has a chain, whose two ends share nothing.  A stack and a heap have both ends in one
 * place: the pile, which has a lock of its own, taken under a side's.
 *
 * maxsize is never exceeded: a putter counts under its lock, with gets as it is or lower.  Items are stored before
 * their put is counted, and taken before their get is; in a pile together with it under the pile's lock, so that no
 * get can take one that is not counted and leave another, that is, to be missed.
 *
 * shut_down is set under the put lock, so that no put comes after it: a getter that reads it and only then finds
 * puts = gets knows that this is the end.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/condition.h>
#include <bobbin/queue.h>
#include <stdlib.h>

#include "lockorder.h"
#include "queue_chain.h"
#include "queue_pile.h"
#include "queue_side.h"
#include "watch.h"

enum kind { FIFO, LIFO, PRIORITY };

struct bob_queue {
    struct bob_side put; /* put.end has no meaning after shut-down */
    struct bob_side get;

    alignas(BOB_CACHE_LINE) enum kind kind;
    size_t maxsize; /* 0: none */
    bool shut_down; /* atomic, written under put's lock; never goes back to false */
    struct bob_chain chain;

    alignas(BOB_CACHE_LINE) struct bob_lock done_lock; /* class L_QUEUE_DONE */
    struct bob_condition all_done;                     /* signalled when dones becomes put.count */

    size_t dones BOB_GUARDED_BY(L_QUEUE_DONE); /* of task_done; at most put.count */
    int joiners BOB_GUARDED_BY(L_QUEUE_DONE);

    alignas(BOB_CACHE_LINE) struct bob_lock pile_lock; /* class L_QUEUE_PILE */

    struct bob_pile pile BOB_GUARDED_BY(L_QUEUE_PILE);
};

static void
lock_pile(struct bob_queue *q) BOB_ACQUIRES(L_QUEUE_PILE)
{
    bob_lock_hold(&q->pile_lock);
}

static void
unlock_pile(struct bob_queue *q) BOB_RELEASES(L_QUEUE_PILE)
{
    (void)bob_lock_release(&q->pile_lock);
}

static void
lock_done(struct bob_queue *q) BOB_ACQUIRES(L_QUEUE_DONE)
{
    bob_lock_hold(&q->done_lock);
}

static void
unlock_done(struct bob_queue *q) BOB_RELEASES(L_QUEUE_DONE)
{
    (void)bob_lock_release(&q->done_lock);
}

static bool
is_shut_down(const struct bob_queue *q)
{
    if (!__atomic_load_n(&q->shut_down, __ATOMIC_SEQ_CST))
        return false;
    bob_watch_sees_(&q->shut_down);
    return true;
}

static struct bob_queue *
make(enum kind kind, size_t maxsize) BOB_UNSHARED
{
    struct bob_queue *q = aligned_alloc(alignof(struct bob_queue), sizeof *q);
    bool has_store;

    if (!q)
        return NULL;
    *q = (struct bob_queue){.kind = kind, .maxsize = maxsize};
    if (kind == FIFO)
        has_store = bob_chain_init_(&q->chain, maxsize, &q->put.end, &q->get.end);
    else
        has_store = bob_pile_init_(&q->pile, kind == PRIORITY, maxsize);
    if (!has_store) {
        free(q);
        return NULL;
    }
    bob_side_init_(&q->put, maxsize > 0 ? maxsize : SIZE_MAX);
    bob_side_init_(&q->get, 0);
    bob_lock_init(&q->done_lock, LOCK_CLASS(L_QUEUE_DONE));
    bob_condition_init(&q->all_done);
    bob_lock_init(&q->pile_lock, LOCK_CLASS(L_QUEUE_PILE));
    bob_watch_trusts_(&q->shut_down, sizeof q->shut_down);
    return q;
}

struct bob_queue *
bob_queue_new(size_t maxsize)
{
    return make(FIFO, maxsize);
}

struct bob_queue *
bob_queue_new_lifo(size_t maxsize)
{
    return make(LIFO, maxsize);
}

struct bob_queue *
bob_queue_new_priority(size_t maxsize)
{
    return make(PRIORITY, maxsize);
}

void
bob_queue_free(struct bob_queue *q) BOB_UNSHARED
{
    if (!q)
        return;
    bob_chain_fini_(&q->chain, &q->get.end);
    bob_pile_fini_(&q->pile);
    bob_lock_fini(&q->pile_lock);
    bob_condition_fini(&q->all_done);
    bob_lock_fini(&q->done_lock);
    bob_side_fini_(&q->get);
    bob_side_fini_(&q->put);
    free(q);
}

/* BOB_OK: there is a slot. */
static enum bob_err
wait_for_slot(struct bob_queue *q, bob_time deadline) BOB_HOLDS(L_QUEUE)
{
    enum bob_err err = BOB_OK;

    while (!is_shut_down(q) && !bob_side_may_step_(&q->put, &q->get)) {
        if (deadline <= BOB_AT_ONCE)
            return BOB_ERR_FULL;
        if (err)
            return err;
        err = bob_side_sleep_(&q->put, &q->get, deadline);
    }
    return is_shut_down(q) ? BOB_ERR_SHUT_DOWN : BOB_OK;
}

/* BOB_OK: there is an item. */
static enum bob_err
wait_for_item(struct bob_queue *q, bob_time deadline) BOB_HOLDS(L_QUEUE)
{
    enum bob_err err = BOB_OK;

    while (!bob_side_may_step_(&q->get, &q->put)) {
        if (is_shut_down(q)) /* one may have been put before that */
            return bob_side_may_step_(&q->get, &q->put) ? BOB_OK : BOB_ERR_SHUT_DOWN;
        if (deadline <= BOB_AT_ONCE)
            return BOB_ERR_EMPTY;
        if (err)
            return err;
        err = bob_side_sleep_(&q->get, &q->put, deadline);
    }
    return BOB_OK;
}

static enum bob_err
store(struct bob_queue *q, void *item, int64_t priority) BOB_HOLDS(L_QUEUE)
{
    bool is_stored;

    if (q->kind == FIFO) {
        is_stored = bob_chain_put_(&q->chain, &q->put.end, item);
        bob_side_step_(&q->put, is_stored);
    } else {
        lock_pile(q);
        is_stored = bob_pile_put_(&q->pile, item, priority);
        bob_side_step_(&q->put, is_stored);
        unlock_pile(q);
    }
    return is_stored ? BOB_OK : BOB_ERR_NO_MEMORY;
}

static void *
take(struct bob_queue *q) BOB_HOLDS(L_QUEUE)
{
    void *item;

    if (q->kind == FIFO) {
        item = bob_chain_get_(&q->chain, &q->get.end);
        bob_side_step_(&q->get, 1);
    } else {
        lock_pile(q);
        item = bob_pile_get_(&q->pile);
        bob_side_step_(&q->get, 1);
        unlock_pile(q);
    }
    return item;
}

static enum bob_err
put(struct bob_queue *q, void *item, int64_t priority, bob_time deadline)
{
    enum bob_err err;

    bob_side_lock_(&q->put);
    err = wait_for_slot(q, deadline);
    if (!err)
        err = store(q, item, priority);
    bob_side_leave_(&q->put, &q->get, !err);
    return err;
}

enum bob_err
bob_queue_put(struct bob_queue *q, void *item, bob_time deadline)
{
    return put(q, item, 0, deadline);
}

enum bob_err
bob_queue_put_at(struct bob_queue *q, void *item, int64_t priority, bob_time deadline)
{
    return q->kind == PRIORITY ? put(q, item, priority, deadline) : BOB_ERR_INVALID;
}

enum bob_err
bob_queue_get(struct bob_queue *q, void **ret_item, bob_time deadline)
{
    enum bob_err err;

    if (!ret_item)
        return BOB_ERR_INVALID;
    bob_side_lock_(&q->get);
    err = wait_for_item(q, deadline);
    if (!err)
        *ret_item = take(q);
    bob_side_leave_(&q->get, &q->put, !err);
    return err;
}

/* Counts up to @n unfinished items as done; returns how many it counted. */
static size_t
finish(struct bob_queue *q, size_t n)
{
    size_t unfinished;

    lock_done(q);
    unfinished = bob_side_count_(&q->put) - q->dones;
    if (n > unfinished)
        n = unfinished;
    q->dones += n;
    if (n > 0 && n == unfinished && q->joiners > 0)
        bob_condition_notify_all(&q->all_done); /* under the lock: who joined may free @q */
    unlock_done(q);
    return n;
}

enum bob_err
bob_queue_task_done(struct bob_queue *q)
{
    return finish(q, 1) == 1 ? BOB_OK : BOB_ERR_INVALID;
}

enum bob_err
bob_queue_join(struct bob_queue *q, bob_time deadline)
{
    enum bob_err err = BOB_OK;
    bool is_done;

    lock_done(q);
    q->joiners++;
    while (!(is_done = q->dones == bob_side_count_(&q->put)) && !err)
        err = bob_condition_wait(&q->all_done, &q->done_lock, deadline);
    q->joiners--;
    unlock_done(q);
    return is_done ? BOB_OK : err;
}

void
bob_queue_shut_down(struct bob_queue *q)
{
    bob_side_lock_(&q->put);
    bob_watch_publishes_(&q->shut_down);
    __atomic_store_n(&q->shut_down, true, __ATOMIC_SEQ_CST);
    bob_side_unlock_(&q->put);
    bob_side_wake_all_(&q->put);
    bob_side_wake_all_(&q->get);
}

/* What was taken out of a queue, with the places it was in. */
struct rest {
    size_t n;
    struct bob_chain_end head;
    struct bob_pile pile;
};

/* Takes all items out of @q, which is shut down: nobody puts there any more. */
static struct rest
take_rest(struct bob_queue *q)
{
    struct rest rest;

    bob_side_lock_(&q->get);
    lock_pile(q);
    rest.n = bob_side_steps_free_(&q->get, &q->put);
    rest.head = q->get.end;
    rest.pile = q->pile;
    q->get.end.block = NULL;
    q->pile = (struct bob_pile){0};
    bob_side_step_(&q->get, rest.n);
    unlock_pile(q);
    bob_side_unlock_(&q->get);
    return rest;
}

size_t
bob_queue_shut_down_now(struct bob_queue *q, void (*drop)(void *item))
{
    struct rest rest;

    bob_queue_shut_down(q);
    rest = take_rest(q);
    for (size_t i = 0; drop && i < rest.n; i++)
        drop(q->kind == FIFO ? bob_chain_get_(&q->chain, &rest.head) : bob_pile_get_(&rest.pile));
    bob_chain_fini_(&q->chain, &rest.head);
    bob_pile_fini_(&rest.pile);
    finish(q, rest.n);
    return rest.n;
}

size_t
bob_queue_size(struct bob_queue *q)
{
    size_t gets = bob_side_count_(&q->get); /* first: so that no more seem to have left than came */
    size_t size = bob_side_count_(&q->put) - gets;

    return q->maxsize > 0 && size > q->maxsize ? q->maxsize : size;
}

size_t
bob_queue_maxsize(struct bob_queue *q)
{
    return q->maxsize;
}

bool
bob_queue_empty(struct bob_queue *q)
{
    return bob_queue_size(q) == 0;
}

bool
bob_queue_full(struct bob_queue *q)
{
    return q->maxsize > 0 && bob_queue_size(q) == q->maxsize;
}
