/* queue_chain.c - linked blocks of slots; see queue_chain.h.
 *
 * A block is 1 KiB: malloc is asked once in 127 puts, and after a burst all but two blocks have been freed.  A queue
 * that stays short goes round between those two, as the getter leaves the block it has emptied for the putter.
 *
 * SPDX-License-Identifier: MIT */
#include "queue_chain.h"

#include <stdint.h>
#include <stdlib.h>

#include "watch.h"

enum { BLOCK_LEN = 1024 / sizeof(void *) - 1 };

static struct bob_block *
new_block(size_t len)
{
    struct bob_block *block;

    if (len > (PTRDIFF_MAX - sizeof *block) / sizeof(void *))
        return NULL;
    block = malloc(sizeof *block + len * sizeof(void *));
    if (block)
        block->next = NULL;
    return block;
}

bool
bob_chain_init_(struct bob_chain *c, size_t maxsize, struct bob_chain_end *put,
                struct bob_chain_end *get)
{
    c->is_ring = maxsize > 0;
    c->block_len = maxsize > 0 ? maxsize : BLOCK_LEN;
    c->spare = NULL;
    bob_watch_trusts_(&c->spare, sizeof c->spare);
    put->block = get->block = new_block(c->block_len);
    put->at = get->at = 0;
    if (!put->block)
        return false;
    if (c->is_ring)
        put->block->next = put->block;
    return true;
}

void
bob_chain_fini_(struct bob_chain *c, struct bob_chain_end *get)
{
    struct bob_block *block = get->block, *next;

    if (block && c->is_ring)
        block->next = NULL;
    for (; block; block = next) {
        next = block->next;
        free(block);
    }
    free(__atomic_exchange_n(&c->spare, NULL, __ATOMIC_ACQUIRE)); /* two may shut down at once */
    get->block = NULL;
}

bool
bob_chain_grow_(struct bob_chain *c, struct bob_chain_end *put)
{
    struct bob_block *block = put->block;

    if (!c->is_ring) {
        block = __atomic_exchange_n(&c->spare, NULL, __ATOMIC_ACQUIRE);
        bob_watch_sees_(&c->spare);
        if (!block)
            block = new_block(c->block_len);
        if (!block)
            return false;
        block->next = NULL;
        put->block->next = block;
    }
    put->block = block;
    put->at = 0;
    return true;
}

void
bob_chain_step_(struct bob_chain *c, struct bob_chain_end *get)
{
    struct bob_block *emptied = get->block;

    get->block = emptied->next;
    get->at = 0;
    if (c->is_ring)
        return;
    if (__atomic_load_n(&c->spare, __ATOMIC_RELAXED)) { /* only a getter sets it: that is us */
        free(emptied);
    } else {
        bob_watch_publishes_(&c->spare);
        __atomic_store_n(&c->spare, emptied, __ATOMIC_RELEASE);
    }
}
