/* tally.h - what the store's rows add up to, written beside them: a row that is lost shows.
 *
 *     tally_add(&t, &change, &check)                  // a change is inserted, with this check
 *     tally_trim(&t, check)                           // the changes up to the one with that check are dropped
 *     tally_drop(&t, was); tally_put(&t, check)          // an object's row, in place of the one that was
 *     tally_write(&t, bytes)                          // one row of `meta`
 *
 * Live records are made of two things, the changes and the objects they were folded into; so a chain over the changes, with both of
 * its ends, and a count and a sum over the objects speak for every live record.
 *
 * Threads: none of its own.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_TALLY_H
#define BOBBIND_TALLY_H

#include "store/batch.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tally {
    uint64_t limit; /* sequences below it may have been used */
    uint64_t
        base; /* check of the change before the oldest that is kept; CHECK_START: there was none */
    uint64_t last_seq, last_check; /* of the newest change; 0 and base: there was none */
    uint64_t objects, objects_sum; /* rows of `object`, and the sum of their checks */
};

enum { TALLY_LEN = 7 * sizeof(uint64_t) };

void tally_start(struct tally *t); /* of a store with nothing in it */
void tally_add(struct tally *t, const struct change *c, uint64_t *ret_check);
void tally_trim(struct tally *t, uint64_t last_check);
void tally_put(struct tally *t, uint64_t check);
void tally_drop(struct tally *t, uint64_t check);

void tally_write(const struct tally *t, unsigned char ret[TALLY_LEN]);
/* False: these are not bytes that tally_write wrote. */
bool tally_read(struct tally *ret, const void *data, size_t len);

#endif
