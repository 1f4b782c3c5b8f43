/* cut.c - see cut.h.
 *
 * SPDX-License-Identifier: MIT */
#include "cut.h"

#include <string.h>

void
bob_drop_half_character_(char *text, size_t len)
{
    size_t lead = len;
    size_t want;

    while (lead > 0 && ((unsigned char)text[lead - 1] & 0xC0) == 0x80)
        lead--;
    if (lead == 0)
        return; /* no UTF-8 at all: left as it is */
    want = (unsigned char)text[lead - 1] >= 0xF0   ? 4
           : (unsigned char)text[lead - 1] >= 0xE0 ? 3
           : (unsigned char)text[lead - 1] >= 0xC0 ? 2
                                                   : 1;
    if (len - (lead - 1) < want)
        text[lead - 1] = '\0';
}

void
bob_copy_cut_(char *to, size_t max, const char *from)
{
    size_t len = from ? strnlen(from, max + 1) : 0;

    memcpy(to, from ? from : "", len < max ? len : max);
    to[len < max ? len : max] = '\0';
    if (len > max)
        bob_drop_half_character_(to, max);
}
