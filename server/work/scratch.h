/* scratch.h - a folder for one run, below the data folder, that goes with all that is in it.
 *
 * Private to work/.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_SCRATCH_H
#define BOBBIND_SCRATCH_H

#include "base/fault.h"
#include "coord/queue.h"

#include <limits.h>
#include <stdbool.h>

/* Makes @data/scratch, and ends and removes what runs of a server that crashed have left; what cannot be removed is logged. */
enum why scratch_start(const char *data, struct fault *f);

/* The folder of task @number, empty, by its absolute path.  False: errno says why. */
bool scratch_make(uint64_t number, char ret_path[PATH_MAX]);
bool scratch_remove(uint64_t number); /* false: something is left, which the next start removes */

#endif
