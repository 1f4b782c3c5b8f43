/* cond.c - what a call that must not fail says when it does; see cond.h.
 *
 * SPDX-License-Identifier: MIT */
#include "cond.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void
bob_die_(const char *fmt, ...)
{
    char sentence[256];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(sentence, sizeof sentence, fmt, args);
    va_end(args);
    (void)fprintf(stderr, "bobbin: %s\n", sentence);
    abort();
}

void
bob_must_failed_(const char *call, const char *file, int line, int errnum)
{
    bob_die_("%s:%d: %s: error %d", file, line, call, errnum);
}

bool
bob_has_passed_(bob_time deadline)
{
    if (deadline == BOB_FOREVER)
        return false;
    return deadline <= BOB_AT_ONCE || deadline <= bob_now();
}
