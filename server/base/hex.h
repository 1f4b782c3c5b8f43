/* hex.h - a hexadecimal digit, wherever one is read: escapes of URLs and of JSON, sizes of chunks.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_HEX_H
#define BOBBIND_HEX_H

/* Its value; -1: @c is none. */
static inline int
hex_digit(int c)
{
    return c >= '0' && c <= '9'                     ? c - '0'
           : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                    : -1;
}

#endif
