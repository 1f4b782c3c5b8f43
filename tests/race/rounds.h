/* rounds.h - how long a race test runs: BOBBIN_RACE_PERCENT of its own number of rounds, 100 if that is not set.
 *
 * helgrind is some fifty times slower than the bare program, and so gets few; a long run gets 1000 or more.
 *
 * SPDX-License-Identifier: MIT */
#ifndef RACE_ROUNDS_H
#define RACE_ROUNDS_H

#include <stdlib.h>

/* At least @least, and at most a hundred times @rounds. */
static inline int
rounds_of(int rounds, int least)
{
    const char *set = getenv("BOBBIN_RACE_PERCENT");
    long percent = set ? strtol(set, NULL, 10) : 100;
    long long n = (long long)rounds * (percent < 0 ? 0 : percent > 10000 ? 10000 : percent) / 100;

    return n < least ? least : (int)n;
}

#endif
