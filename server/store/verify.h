/* verify.h - whether every row of the store is there, and is the one that was written.
 *
 *     why = verify_rows(db, &tally, f)     // at the start, before anything is believed
 *
 * SQLite's own examination sees a page that makes no sense, and nothing of a byte that changed inside a record.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_VERIFY_H
#define BOBBIND_VERIFY_H

#include "base/fault.h"
#include "store/sqlite.h"

/* Reads every row; *ret is what they add up to.  WHY_INVALID: one is not what was written, or
 * lacks, and the sentence names it.  WHY_NO_MEMORY. */
enum why verify_rows(struct sqlite *db, struct tally *ret, struct fault *f);

#endif
