/* ring.h - the works that wait for a worker, oldest first: put under a lock, taken without one.
 *
 * Places are numbered from 0, for ever; head is the next to be taken, tail the next to be filled.  They lie in pieces of
 * some hundred, which a table lists in a ring: place i is in piece i / PIECE & mask.  A taker reads the slot of head
 * and then moves head on by compare-and-exchange: if that succeeds, nobody had taken it before, so nobody had filled
 * the slot anew, and what it read is right.  A piece whose last place was taken is filled again when its turn comes.
 *
 * When all pieces of the table are in use, a table of twice the length takes its place, with the same pieces.  A
 * taker may still read the old one; so old tables are kept until the owner knows that nobody takes (bob_ring_trim_).
 * And one who is late may look for his place in a newer one, to find there that head has moved: every entry leads to
 * some piece, the stand-in if there is none yet.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOB_RING_H
#define BOB_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "watch.h"

enum { BOB_CACHE_LINE = 64, BOB_RING_PIECE = 128, BOB_RING_AHEAD = 4 };

struct bob_future;

struct bob_ring_piece {
    struct bob_future *slot[BOB_RING_PIECE]; /* atomic */
};

struct bob_ring_table {
    struct bob_ring_table *older;   /* kept for takers who still read it */
    uint64_t mask;                  /* pieces it has room for, less 1 */
    struct bob_ring_piece *piece[]; /* atomic */
};

/* What takers write, what who puts writes, and what both only read lie on lines of their own. */
struct bob_ring {
    struct bob_ring_table *table;    /* atomic; replaced under the lock */
    struct bob_ring_piece *stand_in; /* never filled */
    char apart_a[BOB_CACHE_LINE];
    uint64_t head; /* atomic; written by takers */
    char apart_b[BOB_CACHE_LINE];
    uint64_t tail;                /* atomic; written under the owner's lock, which should follow */
    uint64_t head_seen;           /* by who puts: head is this or more */
    uint64_t room_until;          /* places below this can be filled, in: */
    struct bob_ring_piece *piece; /* that of tail; means nothing without room */
};

bool bob_ring_init_(struct bob_ring *r); /* false: no memory */
void bob_ring_fini_(struct bob_ring *r);

/* Finds or makes the piece of tail, under the owner's lock; false: no memory, and nothing is changed. */
bool bob_ring_next_piece_(struct bob_ring *r);

/* Under the lock, while it is empty and nobody takes: gives back what a long queue needed. */
void bob_ring_trim_(struct bob_ring *r);

static inline size_t
bob_ring_len_(const struct bob_ring *r)
{
    uint64_t head = __atomic_load_n(&r->head, __ATOMIC_SEQ_CST); /* first: it only grows */
    uint64_t tail = __atomic_load_n(&r->tail, __ATOMIC_SEQ_CST);

    return (size_t)(tail - head);
}

/* Whether @n or more wait; under the lock.  Most times that is known without a look at head, which takers write. */
static inline bool
bob_ring_holds_(struct bob_ring *r, size_t n)
{
    if (r->tail - r->head_seen >= n)
        r->head_seen = __atomic_load_n(&r->head, __ATOMIC_SEQ_CST);
    return r->tail - r->head_seen >= n;
}

/* Makes room for one more; under the lock.  False: no memory. */
static inline bool
bob_ring_reserve_(struct bob_ring *r)
{
    return r->tail < r->room_until || bob_ring_next_piece_(r);
}

/* Under the lock, after a reserve. */
static inline void
bob_ring_put_(struct bob_ring *r, struct bob_future *f)
{
    uint64_t tail = r->tail;

    bob_watch_publishes_(f);
    __atomic_store_n(&r->piece->slot[tail % BOB_RING_PIECE], f, __ATOMIC_RELAXED);
    __atomic_store_n(&r->tail, tail + 1, __ATOMIC_RELEASE); /* *f and the slot come before */
}

static inline struct bob_future *const *
bob_ring_slot_(const struct bob_ring_table *table, uint64_t place)
{
    struct bob_ring_piece *const *entry = &table->piece[place / BOB_RING_PIECE & table->mask];

    return &__atomic_load_n(entry, __ATOMIC_ACQUIRE)->slot[place % BOB_RING_PIECE];
}

/* The oldest, or NULL.  *tail_seen is the taker's own: tail is that or more; 0 at first. */
static inline struct bob_future *
bob_ring_take_(struct bob_ring *r, uint64_t *tail_seen)
{
    uint64_t head = __atomic_load_n(&r->head, __ATOMIC_ACQUIRE);
    const struct bob_ring_table *table;
    struct bob_future *f;

    do {
        if (head >= *tail_seen) {
            *tail_seen = __atomic_load_n(&r->tail, __ATOMIC_ACQUIRE);
            if (head >= *tail_seen)
                return NULL;
        }
        /* After tail: the table when that place was filled, or a newer one. */
        table = __atomic_load_n(&r->table, __ATOMIC_ACQUIRE);
        f = __atomic_load_n(bob_ring_slot_(table, head), __ATOMIC_RELAXED);
        /* Release: this read of the slot comes before whoever fills it anew. */
    } while (!__atomic_compare_exchange_n(&r->head, &head, head + 1, false, __ATOMIC_ACQ_REL,
                                          __ATOMIC_ACQUIRE));
    bob_watch_sees_(f);
    if (head + BOB_RING_AHEAD < *tail_seen) /* likely to be taken soon, and to be written then */
        __builtin_prefetch(
            __atomic_load_n(bob_ring_slot_(table, head + BOB_RING_AHEAD), __ATOMIC_RELAXED), 1);
    return f;
}

#endif
