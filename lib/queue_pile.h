/* queue_pile.h - where the other queues keep their items: an array, as a stack or as a heap of priorities.
 *
 * The caller's lock guards all of it.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOB_QUEUE_PILE_H
#define BOB_QUEUE_PILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bob_ranked {
    int64_t priority; /* lowest first */
    uint64_t serial;  /* of the put: decides among equals */
    void *item;
};

struct bob_pile {
    bool is_heap;
    bool is_fixed; /* room never changes */
    size_t len;
    size_t room;   /* places allocated */
    uint64_t puts; /* ever */
    union {
        void **stack;              /* oldest first */
        struct bob_ranked *ranked; /* if is_heap: those of i are at 2i + 1 and 2i + 2 */
    };
};

/* An empty pile with room for @maxsize, if that is not 0, and else growing.  False when memory is out. */
bool bob_pile_init_(struct bob_pile *p, bool is_heap, size_t maxsize);
void bob_pile_fini_(struct bob_pile *p);

/* @priority counts only in a heap.  False when memory is out: nothing is changed then. */
bool bob_pile_put_(struct bob_pile *p, void *item, int64_t priority);
void *bob_pile_get_(struct bob_pile *p); /* there must be one */

#endif
