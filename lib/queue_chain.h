/* queue_chain.h - where a first-in-first-out queue keeps its items: blocks of slots, linked.
 *
 * The two ends share nothing but a spare block, so one thread may put while another gets.  The caller orders them:
 * he gets only what he knows, by an acquire of what the putter released, to have been put; puts by different
 * threads exclude each other, and so do gets.
 *
 * With a maxsize there is one block of as many slots, linked to itself: a ring.  The caller puts no more than fit.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOB_QUEUE_CHAIN_H
#define BOB_QUEUE_CHAIN_H

#include <stdbool.h>
#include <stddef.h>

struct bob_block {
    struct bob_block *next; /* written before anything is put there */
    void *slot[];
};

struct bob_chain {
    size_t block_len;        /* slots of each block */
    bool is_ring;            /* one block, its own next */
    struct bob_block *spare; /* atomic: an empty block, or NULL; set by getters, taken by putters */
};

struct bob_chain_end {
    struct bob_block *block;
    size_t at; /* the next slot; block_len: the first one of block->next */
};

/* Makes both ends stand before the first slot.  False when memory is out. */
bool bob_chain_init_(struct bob_chain *c, size_t maxsize, struct bob_chain_end *put,
                     struct bob_chain_end *get);

/* Frees the blocks from @get on, and the spare; zeroed memory, or done before: does nothing. */
void bob_chain_fini_(struct bob_chain *c, struct bob_chain_end *get);

bool bob_chain_grow_(struct bob_chain *c, struct bob_chain_end *put); /* false: memory is out */
void bob_chain_step_(struct bob_chain *c, struct bob_chain_end *get);

/* False when memory is out: nothing is changed then. */
static inline bool
bob_chain_put_(struct bob_chain *c, struct bob_chain_end *put, void *item)
{
    if (put->at == c->block_len && !bob_chain_grow_(c, put))
        return false;
    put->block->slot[put->at++] = item;
    return true;
}

static inline void *
bob_chain_get_(struct bob_chain *c, struct bob_chain_end *get)
{
    if (get->at == c->block_len)
        bob_chain_step_(c, get);
    return get->block->slot[get->at++];
}

#endif
