/* pledges.h - a list of pledges, in the order they were made, so the oldest is first.
 *
 * Threads: none of its own; the journal's lock guards a list until it is cut out to be kept.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_PLEDGES_H
#define BOBBIND_PLEDGES_H

#include "store/journal.h"

struct pledges {
    struct pledge *first, *last; /* both NULL: none */
};

static inline void
pledges_add(struct pledges *l, struct pledge *p)
{
    p->next_ = NULL;
    if (l->last)
        l->last->next_ = p;
    else
        l->first = p;
    l->last = p;
}

/* Takes out those that were made at @since or before. */
static inline struct pledges
pledges_cut(struct pledges *l, int64_t since)
{
    struct pledges old = {0};

    while (l->first && l->first->since_ <= since) {
        struct pledge *p = l->first;

        l->first = p->next_;
        pledges_add(&old, p);
    }
    if (!l->first)
        l->last = NULL;
    return old;
}

/* Keeps all of them, first to last; no lock is held. */
static inline void
pledges_keep(struct pledges l, enum why why)
{
    for (struct pledge *p = l.first, *next; p; p = next) {
        next = p->next_; /* once kept, it is no longer ours */
        p->kept(p, why);
    }
}

#endif
