/* fault.c - see fault.h.  The sentence ends up in logs, headers and problem pages, so it is made
 * one clean line here, once.
 *
 * SPDX-License-Identifier: MIT */
#include "base/fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

enum why
fault_set(struct fault *f, enum why why, const char *fmt, ...)
{
    va_list args;

    if (f->why != WHY_OK)
        return why;
    f->why = why;
    va_start(args, fmt);
    int len = vsnprintf(f->detail, sizeof f->detail, fmt, args);
    va_end(args);
    if (len < 0)
        f->detail[0] = '\0';
    if ((size_t)len >= sizeof f->detail)
        f->detail[utf8_cut(f->detail, sizeof f->detail - 1)] = '\0';
    utf8_clean(f->detail, strlen(f->detail));
    return why;
}
