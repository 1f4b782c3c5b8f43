/* queue_pile.c - a stack, or a binary heap, in an array; see queue_pile.h.
 *
 * The heap is not heap.c's: that one orders structs of its users by pointers into them, which here would be one
 * malloc for each put.  A growing array doubles when it is full, and halves when three quarters are empty, so that
 * neither happens again before as many puts or gets.
 *
 * SPDX-License-Identifier: MIT */
#include "queue_pile.h"

#include <stdlib.h>

enum { ROOM_MIN = 64 };

/* False: memory is out, and the room is as it was. */
static bool
set_room(struct bob_pile *p, size_t room)
{
    size_t size = p->is_heap ? sizeof *p->ranked : sizeof *p->stack;
    void *place;

    if (room > PTRDIFF_MAX / size)
        return false;
    place = reallocarray(p->is_heap ? (void *)p->ranked : (void *)p->stack, room, size);
    if (!place)
        return false;
    if (p->is_heap)
        p->ranked = place;
    else
        p->stack = place;
    p->room = room;
    return true;
}

bool
bob_pile_init_(struct bob_pile *p, bool is_heap, size_t maxsize)
{
    *p = (struct bob_pile){.is_heap = is_heap, .is_fixed = maxsize > 0};
    return set_room(p, maxsize > 0 ? maxsize : ROOM_MIN);
}

void
bob_pile_fini_(struct bob_pile *p)
{
    free(p->is_heap ? (void *)p->ranked : (void *)p->stack);
}

static bool
is_before(const struct bob_ranked *a, const struct bob_ranked *b)
{
    return a->priority != b->priority ? a->priority < b->priority : a->serial < b->serial;
}

/* Puts @r where place @i, which is free, or one of those above it is. */
static void
sift_up(struct bob_ranked *heap, struct bob_ranked r, size_t i)
{
    while (i > 0 && is_before(&r, &heap[(i - 1) / 2])) {
        heap[i] = heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    heap[i] = r;
}

/* Puts @r where the first place, which is free, or one of those below it is. */
static void
sift_down(struct bob_ranked *heap, struct bob_ranked r, size_t len)
{
    size_t i = 0, child;

    while ((child = 2 * i + 1) < len) {
        if (child + 1 < len && is_before(&heap[child + 1], &heap[child]))
            child++;
        if (!is_before(&heap[child], &r))
            break;
        heap[i] = heap[child];
        i = child;
    }
    heap[i] = r;
}

bool
bob_pile_put_(struct bob_pile *p, void *item, int64_t priority)
{
    if (p->len == p->room && !set_room(p, p->room * 2))
        return false;
    if (p->is_heap)
        sift_up(p->ranked, (struct bob_ranked){priority, p->puts, item}, p->len);
    else
        p->stack[p->len] = item;
    p->len++;
    p->puts++;
    return true;
}

void *
bob_pile_get_(struct bob_pile *p)
{
    size_t last = p->len - 1;
    void *item;

    if (p->is_heap) {
        item = p->ranked[0].item;
        if (last > 0)
            sift_down(p->ranked, p->ranked[last], last);
    } else {
        item = p->stack[last];
    }
    p->len = last;
    if (!p->is_fixed && p->room > ROOM_MIN && p->len <= p->room / 4)
        (void)!set_room(p, p->room / 2); /* if not: it is only memory */
    return item;
}
