/* slab.h - futures of a burst of submits, allocated several at once.
 *
 * A submit allocates one block.  When works come faster than they are taken, malloc is the largest part of it; then
 * an executor opens a slab and takes blocks off it.  A slab is freed when all its blocks are, so one future that is
 * kept keeps a slab of 1 KiB; outside a burst each has a block of its own.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOB_SLAB_H
#define BOB_SLAB_H

#include <stddef.h>
#include <stdint.h>

enum { BOB_SLAB_BLOCK = 32, BOB_SLAB_PLACES = 31 }; /* bytes; places are numbered from 1 */

struct bob_slab {
    unsigned live; /* atomic: blocks not given back, and those not taken yet */
    unsigned next; /* place to be taken next; under its owner's lock */
    uint64_t pad;  /* blocks as malloc's */
    char places[BOB_SLAB_PLACES][BOB_SLAB_BLOCK];
};

struct bob_slab *bob_slab_new_(void); /* NULL: no memory */
void bob_slab_drop_(struct bob_slab *s, unsigned blocks);

static inline void *
bob_slab_block_(struct bob_slab *s, unsigned place)
{
    return s->places[place - 1];
}

static inline struct bob_slab *
bob_slab_of_(void *block, unsigned place)
{
    return (struct bob_slab *)(void *)((char *)block - (size_t)(place - 1) * BOB_SLAB_BLOCK -
                                       offsetof(struct bob_slab, places));
}

#endif
