/* bytes.c - see bytes.h.  It doubles; whole numbers are written by hand, two digits at a time,
 * since replies are made of them.
 *
 * SPDX-License-Identifier: MIT */
#include "base/bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIRST_CAP = 256, U64_DIGITS = 20 };

static bool
grow(struct bytes *b, size_t more)
{
    size_t cap = b->cap < FIRST_CAP ? FIRST_CAP : b->cap;

    if (more > SIZE_MAX / 2 - b->len) {
        b->failed = true;
        return false;
    }
    while (cap < b->len + more)
        cap *= 2;
    char *at = realloc(b->at, cap);
    if (!at) {
        b->failed = true;
        return false;
    }
    b->at = at;
    b->cap = cap;
    return true;
}

bool
bytes_room(struct bytes *b, size_t more)
{
    if (b->failed)
        return false;
    return b->cap - b->len >= more || grow(b, more);
}

void
bytes_add(struct bytes *b, const void *data, size_t len)
{
    if (len == 0 || !bytes_room(b, len))
        return;
    memcpy(b->at + b->len, data, len);
    b->len += len;
}

void
bytes_addf(struct bytes *b, const char *fmt, ...)
{
    va_list args;

    if (!bytes_room(b, 1))
        return;
    va_start(args, fmt);
    int len = vsnprintf(b->at + b->len, b->cap - b->len, fmt, args);
    va_end(args);
    if (len >= 0 && (size_t)len >= b->cap - b->len) {
        if (!bytes_room(b, (size_t)len + 1))
            return;
        va_start(args, fmt);
        len = vsnprintf(b->at + b->len, b->cap - b->len, fmt, args);
        va_end(args);
    }
    if (len < 0)
        b->failed = true;
    else
        b->len += (size_t)len;
}

void
bytes_add_u64(struct bytes *b, uint64_t n)
{
    static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                                "25262728293031323334353637383940414243444546474849"
                                "50515253545556575859606162636465666768697071727374"
                                "75767778798081828384858687888990919293949596979899";
    char digits[U64_DIGITS];
    size_t at = sizeof digits;

    if (!bytes_room(b, U64_DIGITS))
        return;
    while (n >= 100) {
        at -= 2;
        memcpy(digits + at, pairs + n % 100 * 2, 2);
        n /= 100;
    }
    if (n >= 10) {
        at -= 2;
        memcpy(digits + at, pairs + n * 2, 2);
    } else {
        digits[--at] = (char)('0' + n);
    }
    while (at < sizeof digits)
        b->at[b->len++] = digits[at++];
}

void
bytes_add_i64(struct bytes *b, int64_t n)
{
    if (n < 0)
        bytes_add(b, "-", 1);
    bytes_add_u64(b, n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
}

const char *
bytes_text(struct bytes *b)
{
    if (!bytes_room(b, 1))
        return "";
    b->at[b->len] = '\0';
    return b->at;
}

void
bytes_clear(struct bytes *b)
{
    b->len = 0;
    b->failed = false;
}

void
bytes_free(struct bytes *b)
{
    free(b->at);
    *b = (struct bytes){0};
}
