/* cut.h - texts of a limited length that end between two characters.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOB_CUT_H
#define BOB_CUT_H

#include <stddef.h>

/* Copies @from, NULL: "", into @to, which has room for @max bytes and a '\0'. */
void bob_copy_cut_(char *to, size_t max, const char *from);

/* The end of a text was cut off and @len bytes are left: takes off a UTF-8 sequence that is no longer whole. */
void bob_drop_half_character_(char *text, size_t len);

#endif
