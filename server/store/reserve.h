/* reserve.h - a file that holds room on the disk, so that there is some to give back when there is none.
 *
 *     reserve_open(&r, "/folder/reserve", 16 << 20, f)   // the file is there, perhaps empty
 *     if (!reserve_take(&r, 4 << 20)) ...                // the disk has not that much, and 4 MB beside it
 *     reserve_give(&r);                                  // now it has
 *     reserve_close(&r);
 *
 * Threads: one at a time.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_RESERVE_H
#define BOBBIND_RESERVE_H

#include "base/fault.h"

#include <stdbool.h>
#include <stdint.h>

struct reserve {
    int fd; /* -1: not open.  Kept, so that giving back needs nothing */
    int64_t size_bytes;
};

/* WHY_INTERNAL: the file cannot be made. */
enum why reserve_open(struct reserve *r, const char *path, int64_t size_bytes, struct fault *f);
void reserve_close(struct reserve *r);

/* Allocates what is missing, if @beside_bytes more can be had, which then stay free.  False: no room for all of it, and then none
 * is held. */
bool reserve_take(struct reserve *r, int64_t beside_bytes);
void reserve_give(struct reserve *r);

#endif
