/* check.h - a number over a row of the store, kept beside it: a byte that changed on the disk changes the number.
 *
 *     check = check_change(check_of_the_change_before, &change)    // a chain: a lost or moved row shows
 *     check = check_change(CHECK_START, &object)                   // a row that stands alone
 *
 * Against decay, not against an enemy: who can write the store can write the numbers.
 *
 * Threads: any.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_CHECK_H
#define BOBBIND_CHECK_H

#include "store/batch.h"

#include <stddef.h>
#include <stdint.h>

#define CHECK_START UINT64_C(0xcbf29ce484222325)

/* Takes @len bytes into @so_far.  The same on every machine.  Texts of different lengths may give the same: mix the length too. */
uint64_t check_mix(uint64_t so_far, const void *data, size_t len);

/* Over everything in @c, and over @before. */
uint64_t check_change(uint64_t before, const struct change *c);

#endif
