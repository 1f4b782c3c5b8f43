/* utf8.h - what counts as text: UTF-8 by RFC 3629, no surrogates, nothing overlong, nothing above
 * U+10FFFF.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_UTF8_H
#define BOBBIND_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Length of the character at @at, of which @left bytes (1 or more) are there: 1 to 4, or 0 when it
 * is malformed or cut off. */
size_t utf8_char(const char *at, size_t left);

bool utf8_valid(const char *text, size_t len);

/* The largest length up to @len at which @text does not end inside a character. */
size_t utf8_cut(const char *text, size_t len);

/* Makes @text one clean line: control bytes and malformed ones become '?'. */
void utf8_clean(char *text, size_t len);

#endif
