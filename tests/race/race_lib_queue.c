/* race_lib_queue.c - each kind of queue under four putters and four getters, bounded by counts; TAP, for
 * ThreadSanitizer.
 *
 * Each part ends with sums that are right only if no item was lost, given twice or torn, and asks of every item
 * what may be asked of it: one getter sees the items of one putter in the order they were put.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/queue.h>
#include <bobbin/thread.h>
#include <sched.h>
#include <stdlib.h>

#include "race.h"

enum { PUTTERS = 4, GETTERS = 4, BITS = 20 };
enum kind { FIFO, LIFO, PRIORITY };

static int items, shut_downs; /* set by main: put by each putter; rounds of the last part */
static struct bob_queue *queue;
static enum kind kind;
static int64_t put_sum, got_sum, put_count, got_count, drop_sum, drop_count;

static void
add_to(int64_t *sum, int64_t n)
{
    __atomic_add_fetch(sum, n, __ATOMIC_SEQ_CST);
}

/* Some are too early to wait, some wait long, some so short that the deadline meets the wake. */
static bob_time
some_deadline(unsigned *seed)
{
    switch (rand_r(seed) % 4) {
    case 0:
        return BOB_AT_ONCE;
    case 1:
        return bob_now() + rand_r(seed) % 50000;
    default:
        return bob_in_seconds(60);
    }
}

static enum bob_err
put_somehow(intptr_t item, unsigned *seed)
{
    enum bob_err err = BOB_ERR_TIMEOUT;

    while (err == BOB_ERR_TIMEOUT || err == BOB_ERR_FULL) {
        bob_time deadline = some_deadline(seed);

        err = kind == PRIORITY ? bob_queue_put_at(queue, (void *)item, item % 7, deadline)
                               : bob_queue_put(queue, (void *)item, deadline);
        expect(deadline != BOB_AT_ONCE || err != BOB_ERR_TIMEOUT);
    }
    return err;
}

/* An item is the number of its putter and its own. */
static void *
put_all(void *arg)
{
    intptr_t me = *(int *)arg;
    unsigned seed = (unsigned)me;

    for (intptr_t i = 1; i <= items; i++) {
        intptr_t item = me << BITS | i;
        enum bob_err err = put_somehow(item, &seed);

        expect(err == BOB_OK || err == BOB_ERR_SHUT_DOWN);
        if (err)
            break;
        add_to(&put_sum, item);
        add_to(&put_count, 1);
    }
    return arg;
}

static void *
get_all(void *arg)
{
    intptr_t last[PUTTERS] = {0};
    unsigned seed = 100 + (unsigned)*(int *)arg;
    size_t maxsize = bob_queue_maxsize(queue);

    for (;;) {
        void *got = NULL;
        bob_time deadline = some_deadline(&seed);
        enum bob_err err = bob_queue_get(queue, &got, deadline);
        intptr_t item = (intptr_t)got, from = item >> BITS, number = item & ((1 << BITS) - 1);

        expect(maxsize == 0 || bob_queue_size(queue) <= maxsize);
        if (err == BOB_ERR_SHUT_DOWN)
            return arg;
        if (err) {
            expect(err == (deadline == BOB_AT_ONCE ? BOB_ERR_EMPTY : BOB_ERR_TIMEOUT));
            continue;
        }
        expect(from >= 0 && from < PUTTERS && number > 0);
        if (kind == FIFO)
            expect(number > last[from]);
        last[from] = number;
        add_to(&got_sum, item);
        add_to(&got_count, 1);
        expect(bob_queue_task_done(queue) == BOB_OK);
    }
}

static void
drop(void *item)
{
    add_to(&drop_sum, (intptr_t)item);
    add_to(&drop_count, 1);
}

static void *
join_in(void *arg)
{
    expect(bob_queue_join(queue, bob_in_seconds(120)) == BOB_OK);
    return arg;
}

static struct bob_queue *(*const make[])(size_t) = {bob_queue_new, bob_queue_new_lifo,
                                                    bob_queue_new_priority};

/* Four and four on a queue of @maxsize; @ends_early: everything is shut down while they are at it. */
static bool
run(enum kind of, size_t maxsize, bool ends_early)
{
    struct bob_thread *putter[PUTTERS], *getter[GETTERS], *joiner[2];

    kind = of;
    queue = make[of](maxsize);
    put_sum = got_sum = put_count = got_count = drop_sum = drop_count = 0;
    crew_start(getter, GETTERS, get_all);
    crew_start(putter, PUTTERS, put_all);
    if (ends_early) {
        while (__atomic_load_n(&got_count, __ATOMIC_SEQ_CST) < items) {
            (void)bob_queue_full(queue);
            (void)sched_yield(); /* valgrind runs one thread at a time, and would run this one */
        }
        crew_start(joiner, 2, join_in);
        bob_queue_shut_down_now(queue, drop);
        crew_end(putter, PUTTERS);
    } else {
        crew_end(putter, PUTTERS);
        crew_start(joiner, 2, join_in);
        expect(bob_queue_join(queue, bob_in_seconds(120)) == BOB_OK);
        bob_queue_shut_down(queue);
        expect(put_count == PUTTERS * items);
    }
    crew_end(getter, GETTERS);
    crew_end(joiner, 2);
    expect(bob_queue_empty(queue) && bob_queue_task_done(queue) == BOB_ERR_INVALID);
    bob_queue_free(queue);
    return put_sum == got_sum + drop_sum && put_count == got_count + drop_count;
}

static bool
run_each(enum kind of)
{
    static const size_t maxsizes[] = {0, 1, 3, 100};
    bool holds = true;

    for (int i = 0; i < 4; i++)
        holds = run(of, maxsizes[i], false) && run(of, maxsizes[i], true) && holds;
    return holds;
}

/* ---- a shut-down that meets the last put and the first get ---- */

static void *
put_one(void *arg)
{
    enum bob_err err = bob_queue_put(queue, arg, bob_in_seconds(60));

    expect(err == BOB_OK || err == BOB_ERR_SHUT_DOWN);
    add_to(&put_count, !err);
    return arg;
}

static void *
get_one(void *arg)
{
    void *got = NULL;
    enum bob_err err = bob_queue_get(queue, &got, bob_in_seconds(60));

    expect(err == BOB_OK || err == BOB_ERR_SHUT_DOWN);
    add_to(&got_count, !err);
    return arg;
}

static bool
shut_downs_leave_nobody_asleep(void)
{
    for (int i = 0; i < shut_downs; i++) {
        struct bob_thread *putter[2], *getter[2], *joiner[1];

        put_count = got_count = drop_count = 0;
        queue = make[i % 3](i % 2);
        crew_start(putter, 2, put_one);
        crew_start(getter, 2, get_one);
        crew_start(joiner, 1, join_in);
        bob_queue_shut_down(queue);
        crew_end(putter, 2);
        crew_end(getter, 2);
        expect(put_count - got_count == (int64_t)bob_queue_size(queue));
        for (int64_t n = 0; n < got_count; n++)
            expect(bob_queue_task_done(queue) == BOB_OK);
        bob_queue_shut_down_now(queue, drop);
        crew_end(joiner, 1);
        expect(put_count == got_count + drop_count);
        bob_queue_free(queue);
    }
    return true;
}

static bool
fifo_holds(void)
{
    return run_each(FIFO);
}

static bool
lifo_holds(void)
{
    return run_each(LIFO);
}

static bool
priority_holds(void)
{
    return run_each(PRIORITY);
}

int
main(void)
{
    static const struct part parts[] = {
        {"a queue loses nothing and keeps each putter's order", fifo_holds},
        {"a stack loses nothing", lifo_holds},
        {"a priority queue loses nothing", priority_holds},
        {"shut-downs leave nobody asleep", shut_downs_leave_nobody_asleep},
    };

    items = rounds_of(2000, 100);
    shut_downs = rounds_of(300, 20);
    return run_parts(parts, sizeof parts / sizeof *parts);
}
