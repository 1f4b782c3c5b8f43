/* failing_malloc.h - malloc and friends before libc's: the n-th call of a thread from now on can be made to fail.
 *
 *     left = n;                    // so many calls of this thread succeed, and then none
 *     made = make_it();
 *     left = -1;                   // all succeed
 *
 * They count what a thread holds.  For a test program of one file.  Not under a sanitizer, which brings its own: SANITIZED
 * is defined then, left changes nothing, and the counts are not there.
 *
 * SPDX-License-Identifier: MIT */
#ifndef FAILING_MALLOC_H
#define FAILING_MALLOC_H

#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "sanitized.h"

/* Calls of this thread that still succeed; below 0: all. */
static __thread int left __attribute__((unused)) = -1;

#ifndef SANITIZED

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *p);

static __thread int held_blocks;   /* blocks that this thread allocated, less those it freed */
static __thread size_t held_bytes; /* theirs, as malloc_usable_size says */

static bool
is_out(void)
{
    if (left < 0)
        return false;
    if (left > 0) {
        left--;
        return false;
    }
    errno = ENOMEM;
    return true;
}

static void *
counted(void *p)
{
    held_blocks += p != NULL;
    held_bytes += p ? malloc_usable_size(p) : 0;
    return p;
}

void *
malloc(size_t size)
{
    return is_out() ? NULL : counted(__libc_malloc(size));
}

void *
calloc(size_t n, size_t size)
{
    return is_out() ? NULL : counted(__libc_calloc(n, size));
}

void *
aligned_alloc(size_t alignment, size_t size)
{
    return is_out() ? NULL : counted(__libc_memalign(alignment, size));
}

void *
realloc(void *p, size_t size)
{
    size_t had = p ? malloc_usable_size(p) : 0;
    void *moved = is_out() ? NULL : counted(__libc_realloc(p, size));

    held_blocks -= p && moved;
    held_bytes -= moved ? had : 0;
    return moved;
}

void *
reallocarray(void *p, size_t n, size_t size)
{
    if (size && n > SIZE_MAX / size)
        return NULL;
    return realloc(p, n * size);
}

void
free(void *p)
{
    held_blocks -= p != NULL;
    held_bytes -= p ? malloc_usable_size(p) : 0;
    __libc_free(p);
}

#endif

#endif
