/* failing_malloc.h - malloc and friends before libc's: the n-th call of a thread from now on can be made to fail.
 *
 *     left = n;                    // so many calls of this thread succeed, and then none
 *     made = make_it();
 *     left = -1;                   // all succeed
 *
 * For a test program of one file.  Not under a sanitizer, which brings its own: SANITIZED is defined then.
 *
 * SPDX-License-Identifier: MIT */
#ifndef FAILING_MALLOC_H
#define FAILING_MALLOC_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

#ifndef SANITIZED

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void __libc_free(void *p);
void *malloc(size_t size);
void *calloc(size_t n, size_t size);
void *realloc(void *p, size_t size);
void *reallocarray(void *p, size_t n, size_t size);
void free(void *p);

static __thread int left = -1; /* calls of this thread that still succeed; below 0: all */
static __thread int held;      /* blocks that this thread allocated, less those it freed */

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
    held += p != NULL;
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
realloc(void *p, size_t size)
{
    if (is_out())
        return NULL;
    return p ? __libc_realloc(p, size) : counted(__libc_malloc(size));
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
    held -= p != NULL;
    __libc_free(p);
}

#endif

#endif
