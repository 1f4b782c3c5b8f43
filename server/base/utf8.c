/* utf8.c - see utf8.h.
 *
 * SPDX-License-Identifier: MIT */
#include "base/utf8.h"

static bool
continues(unsigned char c)
{
    return (c & 0xC0) == 0x80;
}

/* The second byte has a narrower range after four of the first ones: that is all there is to
 * overlong forms, surrogates and what lies above U+10FFFF. */
static bool
second_fits(unsigned char first, unsigned char second)
{
    switch (first) {
    case 0xE0:
        return second >= 0xA0 && second <= 0xBF;
    case 0xED:
        return second >= 0x80 && second <= 0x9F;
    case 0xF0:
        return second >= 0x90 && second <= 0xBF;
    case 0xF4:
        return second >= 0x80 && second <= 0x8F;
    default:
        return continues(second);
    }
}

size_t
utf8_char(const char *at, size_t left)
{
    const unsigned char *c = (const unsigned char *)at;
    size_t len;

    if (c[0] < 0x80)
        return 1;
    if (c[0] >= 0xC2 && c[0] <= 0xDF)
        len = 2;
    else if (c[0] >= 0xE0 && c[0] <= 0xEF)
        len = 3;
    else if (c[0] >= 0xF0 && c[0] <= 0xF4)
        len = 4;
    else
        return 0;
    if (left < len || !second_fits(c[0], c[1]))
        return 0;
    for (size_t i = 2; i < len; i++) {
        if (!continues(c[i]))
            return 0;
    }
    return len;
}

bool
utf8_valid(const char *text, size_t len)
{
    for (size_t i = 0; i < len;) {
        size_t step = utf8_char(text + i, len - i);

        if (step == 0)
            return false;
        i += step;
    }
    return true;
}

size_t
utf8_cut(const char *text, size_t len)
{
    size_t back = 0;

    while (back < 3 && back < len && continues((unsigned char)text[len - 1 - back]))
        back++;
    if (back < len && (unsigned char)text[len - 1 - back] >= 0xC0 &&
        utf8_char(text + len - 1 - back, back + 1) == 0)
        return len - 1 - back;
    return len;
}

void
utf8_clean(char *text, size_t len)
{
    for (size_t i = 0; i < len;) {
        size_t step = utf8_char(text + i, len - i);

        if (step == 0 || (unsigned char)text[i] < 0x20 || text[i] == 0x7F) {
            text[i] = '?';
            step = 1;
        }
        i += step;
    }
}
