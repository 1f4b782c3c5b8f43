/* batch.h - changes in memory, one behind the other in one buffer, on their way to the store.
 *
 * Sequences are consecutive within a batch, so only the first is kept.
 *
 * Threads: none of its own; its owner guards it.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_BATCH_H
#define BOBBIND_BATCH_H

#include "base/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One change, as it is handed from one part of the store to another: nothing in it is owned, no text has a NUL. */
struct change {
    uint64_t seq;
    const char *kind, *name;
    size_t kind_len, name_len;
    const void *record; /* NULL: the thing is gone */
    size_t len;
};

struct batch {
    unsigned char *at;
    size_t len, cap; /* bytes used and had */
    int64_t n;       /* changes */
    uint64_t first;  /* sequence of the first, also when there is none yet */
    moment since;    /* when the first was added; meaningless while empty */
};

enum {
    KIND_MAX_LEN = 31,
    BATCH_HEAD = 8 /* bytes a change takes beside its texts and its record */
};

/* Makes sure of @more free bytes.  False: no memory, nothing is changed. */
bool batch_room(struct batch *b, size_t more);

/* Adds a change within the room there is; aborts without.  c->seq is not looked at. */
void batch_add(struct batch *b, const struct change *c);

/* Steps through @b; *at starts as 0, and *ret must be that of the call before.  False at the end. */
bool batch_next(const struct batch *b, size_t *at, struct change *ret);

void batch_free(struct batch *b);

#endif
