/* planted.c - bugs put here on purpose: run.sh must find each of them, or its silence about the others means nothing.
 *
 * SPDX-License-Identifier: MIT */
#include "fuzz/fuzz.h"

#include <limits.h>
#include <string.h>

FUZZ(planted)
{
    static volatile int most = INT_MAX, sink;
    char *copy;

    if (size < 4 || memcmp(data, "boom", 4) != 0)
        return 0;
    switch (PLANTED) {
    case 1: /* a broken promise */
        promise(0);
        break;
    case 2: /* a byte too far */
        copy = malloc(size);
        promise(copy != NULL);
        memcpy(copy, data, size);
        sink = copy[size];
        free(copy);
        break;
    default: /* undefined, though nothing is touched */
        sink = most + (int)size;
        break;
    }
    return 0;
}
