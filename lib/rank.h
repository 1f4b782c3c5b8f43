/* rank.h - which ranked locks the calling thread holds, and that their ranks grow.
 *
 * Because a lock may only be taken above all others held, the list is sorted by itself: the last entry is the
 * highest, and one comparison decides.  An entry is the place of a lock's class_, so it tells the lock from others
 * of its class.  Inline, as it stands on the path of every lock.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOB_RANK_H
#define BOB_RANK_H

#include <bobbin/lock.h>

enum { BOB_RANKS_MAX = 32 }; /* more classes than anybody nests */

typedef const struct bob_lock_class *const *bob_held; /* &lock->class_ */

struct bob_ranks {
    unsigned fast_self; /* this thread's id; 0: bob_lock is to take its slow path */
    int len;
    bob_held held[BOB_RANKS_MAX]; /* lowest rank first */
};

/* One for each thread.  initial-exec: one load, also from a shared library. */
extern __thread struct bob_ranks bob_ranks_ __attribute__((tls_model("initial-exec")));

_Noreturn void bob_rank_wrong_(bob_held h);
void bob_rank_drop_(bob_held h);

static inline bool
bob_is_ranked_(const struct bob_lock_class *cls)
{
    return cls && cls->rank > 0;
}

/* Whether one more lock of @cls may be taken by the thread of @r. */
static inline bool
bob_rank_allows_(const struct bob_ranks *r, const struct bob_lock_class *cls)
{
    int n = r->len;

    return !bob_is_ranked_(cls) || n == 0 ||
           (n < BOB_RANKS_MAX && (*r->held[n - 1])->rank < cls->rank);
}

/* Aborts, naming both, unless @h may be taken now. */
static inline void
bob_rank_check_(bob_held h)
{
    if (!bob_rank_allows_(&bob_ranks_, *h))
        bob_rank_wrong_(h);
}

/* Notes @h, which was checked and has been taken. */
static inline void
bob_rank_push_(bob_held h)
{
    struct bob_ranks *r = &bob_ranks_;

    if (bob_is_ranked_(*h))
        r->held[r->len++] = h;
}

/* Forgets @h, most often the last one taken. */
static inline void
bob_rank_pop_(bob_held h)
{
    struct bob_ranks *r = &bob_ranks_;

    if (!bob_is_ranked_(*h))
        return;
    if (r->len > 0 && r->held[r->len - 1] == h)
        r->len--;
    else
        bob_rank_drop_(h);
}

/* Aborts, naming both, unless @h, which is held, is the one of the highest rank: it will be let go and taken again. */
static inline void
bob_rank_check_top_(bob_held h)
{
    const struct bob_ranks *r = &bob_ranks_;

    if (bob_is_ranked_(*h) && r->held[r->len - 1] != h)
        bob_rank_wrong_(h);
}

/* Whether this thread holds @h, which is ranked. */
static inline bool
bob_rank_lists_(bob_held h)
{
    const struct bob_ranks *r = &bob_ranks_;

    for (int i = r->len - 1; i >= 0; i--)
        if (r->held[i] == h)
            return true;
    return false;
}

#endif
