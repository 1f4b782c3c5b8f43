/* rank.c - the list of ranked locks a thread holds: its rare paths, and the library's own classes.
 *
 * SPDX-License-Identifier: MIT */
#include "rank.h"

#include "cond.h"
#include "lockorder.h"

__thread struct bob_ranks bob_ranks_;

#define X(cls, after) [RANK_##cls - RANK_FIRST] = {"bobbin's " #cls, RANK_##cls},
const struct bob_lock_class bob_classes_[] = {LOCK_ORDER(X)};
#undef X

void
bob_rank_wrong_(bob_held h)
{
    const struct bob_ranks *r = &bob_ranks_;
    const struct bob_lock_class *wanted = *h, *top = *r->held[r->len - 1];

    if (top->rank >= wanted->rank)
        bob_die_("lock order: %s (rank %d) is taken while holding %s (rank %d)", wanted->name,
                 wanted->rank, top->name, top->rank);
    bob_die_("lock order: %s (rank %d) is taken while holding %d locks", wanted->name, wanted->rank,
             r->len);
}

/* A lock released before one taken after it: allowed, and the list stays sorted. */
void
bob_rank_drop_(bob_held h)
{
    struct bob_ranks *r = &bob_ranks_;
    int i = r->len - 1;

    while (i >= 0 && r->held[i] != h)
        i--;
    if (i < 0)
        bob_die_("lock order: %s (rank %d) is released by a thread that does not list it",
                 (*h)->name, (*h)->rank);
    r->len--;
    for (; i < r->len; i++)
        r->held[i] = r->held[i + 1];
}
