/* queue.c - pointers handed from producers to consumers, each getting with a wait, beside GLib's GAsyncQueue.
 *
 *     one, four             items a second, one producer and one consumer, four and four; queues without a bound
 *     one-bounded, four-... the same through 64 slots, which GAsyncQueue has not: it is without a bound there too
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/queue.h>
#include <glib.h>

#include "measure.h"

enum { ITEMS = 1000000, SLOTS = 64 };

struct hand_over {
    struct bob_queue *ours; /* one of the two */
    GAsyncQueue *theirs;
    unsigned pairs;  /* producers, and as many consumers */
    uintptr_t items; /* of each of them */
    uintptr_t sum;   /* atomic: of all that were gotten */
};

static uintptr_t items;

static void
put_or_get_ours(unsigned who, void *arg)
{
    struct hand_over *h = arg;
    uintptr_t i, sum = 0;
    void *item = NULL;

    if (who < h->pairs) {
        for (i = 1; i <= h->items; i++)
            must(!bob_queue_put(h->ours, (void *)i, BOB_FOREVER), "put");
        return;
    }
    for (i = 1; i <= h->items; i++) {
        must(!bob_queue_get(h->ours, &item, BOB_FOREVER), "get");
        sum += (uintptr_t)item;
    }
    __atomic_add_fetch(&h->sum, sum, __ATOMIC_RELAXED);
}

static void
put_or_get_theirs(unsigned who, void *arg)
{
    struct hand_over *h = arg;
    uintptr_t i, sum = 0;

    if (who < h->pairs) {
        for (i = 1; i <= h->items; i++)
            g_async_queue_push(h->theirs, (void *)i);
        return;
    }
    for (i = 1; i <= h->items; i++)
        sum += (uintptr_t)g_async_queue_pop(h->theirs);
    __atomic_add_fetch(&h->sum, sum, __ATOMIC_RELAXED);
}

static double
hand_over(struct hand_over h, void (*fn)(unsigned, void *))
{
    double seconds;

    h.items = items / h.pairs;
    seconds = crew_seconds(2 * h.pairs, fn, &h);
    must(h.sum == h.pairs * (h.items * (h.items + 1) / 2), "every item once");
    return (double)(h.pairs * h.items) / seconds;
}

static double
ours(unsigned pairs, size_t slots)
{
    struct hand_over h = {.ours = bob_queue_new(slots), .pairs = pairs};
    double rate;

    must(h.ours != NULL, "bob_queue_new");
    rate = hand_over(h, put_or_get_ours);
    bob_queue_free(h.ours);
    return rate;
}

static double
theirs(unsigned pairs)
{
    struct hand_over h = {.theirs = g_async_queue_new(), .pairs = pairs};
    double rate = hand_over(h, put_or_get_theirs);

    g_async_queue_unref(h.theirs);
    return rate;
}

static double
ours_one(void)
{
    return ours(1, 0);
}

static double
ours_four(void)
{
    return ours(4, 0);
}

static double
ours_one_bounded(void)
{
    return ours(1, SLOTS);
}

static double
ours_four_bounded(void)
{
    return ours(4, SLOTS);
}

static double
theirs_one(void)
{
    return theirs(1);
}

static double
theirs_four(void)
{
    return theirs(4);
}

int
main(int argc, char **argv)
{
    items = (uintptr_t)(ITEMS * percent(argc, argv) / 100);
    versus("one", 3, ours_one, "GLib", theirs_one);
    versus("four", 3, ours_four, "GLib", theirs_four);
    versus("one-bounded", 3, ours_one_bounded, "GLib", theirs_one);
    versus("four-bounded", 3, ours_four_bounded, "GLib", theirs_four);
    return 0;
}
