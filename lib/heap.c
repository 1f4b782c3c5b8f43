/* heap.c - the indexed binary heap; see heap.h.
 *
 * SPDX-License-Identifier: MIT */
#include "heap.h"

#include <assert.h>
#include <stdlib.h>

enum { ROOM_MIN = 16 };

void
bob_heap_fini_(struct bob_heap *h)
{
    free(h->slot);
    *h = (struct bob_heap){0};
}

bool
bob_heap_reserve_(struct bob_heap *h, size_t n)
{
    size_t room = h->room < ROOM_MIN ? ROOM_MIN : h->room;
    struct bob_heap_item **slot;

    if (n <= h->room)
        return true;
    if (n > SIZE_MAX / 2 / sizeof(struct bob_heap_item *))
        return false;
    while (room < n)
        room *= 2;
    slot = reallocarray(h->slot, room, sizeof(struct bob_heap_item *));
    if (!slot)
        return false;
    h->slot = slot;
    h->room = room;
    return true;
}

static bool
is_before(const struct bob_heap_item *a, const struct bob_heap_item *b)
{
    return a->at != b->at ? a->at < b->at : a->serial < b->serial;
}

static void
put(struct bob_heap *h, struct bob_heap_item *item, size_t i)
{
    h->slot[i] = item;
    item->place = i + 1;
}

static void
sift_up(struct bob_heap *h, struct bob_heap_item *item, size_t i)
{
    while (i > 0 && is_before(item, h->slot[(i - 1) / 2])) {
        put(h, h->slot[(i - 1) / 2], i);
        i = (i - 1) / 2;
    }
    put(h, item, i);
}

static void
sift_down(struct bob_heap *h, struct bob_heap_item *item, size_t i)
{
    size_t child;

    while ((child = 2 * i + 1) < h->len) {
        if (child + 1 < h->len && is_before(h->slot[child + 1], h->slot[child]))
            child++;
        if (!is_before(h->slot[child], item))
            break;
        put(h, h->slot[child], i);
        i = child;
    }
    put(h, item, i);
}

void
bob_heap_push_(struct bob_heap *h, struct bob_heap_item *item)
{
    assert(h->len < h->room);
    assert(item->place == 0);
    item->serial = h->pushes++;
    sift_up(h, item, h->len++);
}

void
bob_heap_remove_(struct bob_heap *h, struct bob_heap_item *item)
{
    struct bob_heap_item *last;
    size_t hole;

    if (item->place == 0)
        return;
    hole = item->place - 1;
    assert(hole < h->len && h->slot[hole] == item);
    item->place = 0;
    last = h->slot[--h->len];
    if (last == item)
        return;
    if (hole > 0 && is_before(last, h->slot[(hole - 1) / 2]))
        sift_up(h, last, hole);
    else
        sift_down(h, last, hole);
}
