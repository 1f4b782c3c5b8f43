/* given.h - a value as a client gave it, and what it may be read as: the one table for every
 * parameter of every call, and for the arguments of every kind.
 *
 *     read as    in a query or a form              in a JSON body
 *     text       the text                          a text
 *     whole      digits, maybe after a minus       a number that is whole, however it is
 *                                                  written: 5, 5.0, 1e3
 *     number     what is a number in JSON          a number
 *     duration   "2.5", "250ms", "5m"              a number of seconds, or such a text
 *     size       "65536", "64K"                    a whole number, or such a text
 *     bool       true, false, 1, 0                 true or false
 *     object     never                             an object
 *
 * What stands in JSON says itself what it is: the text "5" is a text there, and no number.  Only
 * durations and sizes are texts by themselves, for JSON has no units.  A null is not given.
 * Threads: pure functions.  Memory: nothing is copied.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_GIVEN_H
#define BOBBIND_GIVEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* JSON as it was sent, from the first byte of the value to its last; at NULL: there is none. */
struct json_slice {
    const char *at;
    size_t len;
};
struct given {
    const char *text;       /* decoded; NULL: JSON that is no text */
    struct json_slice json; /* of a JSON body; none: it came by query or form */
};

bool given_null(const struct given *g);
bool given_object(const struct given *g);
/* Each of these is false, and *ret as it was, when it is not that.  A number beyond the range of *ret
 * becomes the end of it, which no parameter allows: it is out of range, not malformed. */
bool given_whole(const struct given *g, int64_t *ret); /* exactly, whatever a double holds */
bool given_number(const struct given *g, double *ret); /* what a double does not hold is none */
bool given_duration(const struct given *g, int64_t *ret_ns); /* may be negative */
bool given_size(const struct given *g, int64_t *ret_bytes);
bool given_bool(const struct given *g, bool *ret);

#endif
