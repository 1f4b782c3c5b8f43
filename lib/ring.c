/* ring.c - the rare paths of ring.h: a ring gets another piece, a longer table, and becomes short again.
 *
 * SPDX-License-Identifier: MIT */
#include "ring.h"

#include <stdlib.h>

enum { PIECES_FIRST = 8 };

static struct bob_ring_table *
table_new(const struct bob_ring *r, uint64_t n)
{
    struct bob_ring_table *t = malloc(sizeof *t + n * sizeof(struct bob_ring_piece *));

    if (!t)
        return NULL;
    bob_watch_trusts_(t, sizeof *t + n * sizeof(struct bob_ring_piece *));
    t->older = NULL;
    t->mask = n - 1;
    for (uint64_t i = 0; i < n; i++)
        t->piece[i] = r->stand_in;
    return t;
}

static void
free_tables(struct bob_ring_table *t)
{
    struct bob_ring_table *older;

    for (; t; t = older) {
        older = t->older;
        free(t);
    }
}

/* Those of the newest table are all there are. */
static void
free_pieces(struct bob_ring *r, const struct bob_ring_piece *but)
{
    for (uint64_t i = 0; i <= r->table->mask; i++)
        if (r->table->piece[i] != r->stand_in && r->table->piece[i] != but)
            free(r->table->piece[i]);
}

bool
bob_ring_init_(struct bob_ring *r)
{
    *r = (struct bob_ring){.stand_in = calloc(1, sizeof *r->stand_in)};
    bob_watch_trusts_(&r->table, sizeof r->table);
    bob_watch_trusts_(&r->tail, sizeof r->tail);
    if (r->stand_in && (r->table = table_new(r, PIECES_FIRST)) && bob_ring_next_piece_(r))
        return true;
    free(r->table);
    free(r->stand_in);
    return false;
}

void
bob_ring_fini_(struct bob_ring *r)
{
    free_pieces(r, NULL);
    free_tables(r->table);
    free(r->stand_in);
}

/* Every piece is in use, and so every entry has one. */
static bool
lengthen_table(struct bob_ring *r)
{
    struct bob_ring_table *old = r->table;
    struct bob_ring_table *t = table_new(r, (old->mask + 1) * 2);

    if (!t)
        return false;
    for (uint64_t i = r->tail / BOB_RING_PIECE, left = old->mask + 1; left > 0; left--) {
        i--;
        t->piece[i & t->mask] = old->piece[i & old->mask];
    }
    t->older = old;
    __atomic_store_n(&r->table, t, __ATOMIC_RELEASE); /* before the tail that needs it */
    return true;
}

bool
bob_ring_next_piece_(struct bob_ring *r)
{
    uint64_t number = r->tail / BOB_RING_PIECE;
    struct bob_ring_piece **entry, *piece;

    r->head_seen = __atomic_load_n(&r->head, __ATOMIC_ACQUIRE);
    if (number - r->head_seen / BOB_RING_PIECE > r->table->mask && !lengthen_table(r))
        return false;
    entry = &r->table->piece[number & r->table->mask];
    piece = *entry;
    if (piece == r->stand_in) {
        piece = malloc(sizeof *piece);
        if (!piece)
            return false;
        bob_watch_trusts_(piece, sizeof *piece);
        __atomic_store_n(entry, piece, __ATOMIC_RELEASE); /* also for who is late */
    }
    r->piece = piece;
    r->room_until = (number + 1) * BOB_RING_PIECE;
    return true;
}

void
bob_ring_trim_(struct bob_ring *r)
{
    uint64_t number = r->tail / BOB_RING_PIECE;
    struct bob_ring_table *old = r->table;
    struct bob_ring_table *t = old->mask < PIECES_FIRST ? NULL : table_new(r, PIECES_FIRST);

    if (!t) {
        free_tables(old->older);
        old->older = NULL;
        return;
    }
    if (r->tail < r->room_until) {
        t->piece[number & t->mask] = r->piece;
        free_pieces(r, r->piece);
    } else {
        free_pieces(r, NULL);
    }
    __atomic_store_n(&r->table, t, __ATOMIC_RELEASE);
    free_tables(old);
}
