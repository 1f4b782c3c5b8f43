/* slab.c - how a slab begins and ends; see slab.h.
 *
 * SPDX-License-Identifier: MIT */
#include "slab.h"

#include <stdlib.h>

struct bob_slab *
bob_slab_new_(void)
{
    struct bob_slab *s = malloc(sizeof *s);

    if (s) {
        s->live = BOB_SLAB_PLACES;
        s->next = 1;
    }
    return s;
}

void
bob_slab_drop_(struct bob_slab *s, unsigned blocks)
{
    /* Release: what was done to a block comes before the free; acquire: whoever frees comes after. */
    if (__atomic_sub_fetch(&s->live, blocks, __ATOMIC_ACQ_REL) == 0)
        free(s);
}
