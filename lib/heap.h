/* heap.h - a binary heap of moments whose items know their place, so that any of them can be removed.
 *
 *     struct bob_heap heap = {0};
 *     if (!bob_heap_reserve_(&heap, n_things)) ...  // room is made when a thing is made, so that push cannot fail
 *     thing->due.at = bob_in_ms(50);                // thing has a field: struct bob_heap_item due;
 *     bob_heap_push_(&heap, &thing->due);
 *     first = bob_heap_first_(&heap);               // the earliest, or NULL
 *     bob_heap_remove_(&heap, &thing->due);
 *     bob_heap_fini_(&heap);
 *
 * Order: earliest first; of one moment, in the order they were pushed.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOB_HEAP_H
#define BOB_HEAP_H

#include <bobbin/time.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bob_heap_item {
    bob_time at;
    uint64_t serial; /* of the push */
    size_t place;    /* 1 or more; 0 when in no heap, so zeroed memory is right */
};

struct bob_heap {
    struct bob_heap_item **slot; /* slot[i] has place i + 1 */
    size_t len;
    size_t room; /* slots allocated */
    uint64_t pushes;
};

void bob_heap_fini_(struct bob_heap *h); /* the items are not touched */

/* Makes room for @n items in all.  False when memory is out, and then nothing is changed. */
bool bob_heap_reserve_(struct bob_heap *h, size_t n);

void bob_heap_push_(struct bob_heap *h, struct bob_heap_item *item); /* there must be room */
void bob_heap_remove_(struct bob_heap *h,
                      struct bob_heap_item *item); /* one in no heap: does nothing */

static inline struct bob_heap_item *
bob_heap_first_(const struct bob_heap *h)
{
    return h->len > 0 ? h->slot[0] : NULL;
}

#endif
