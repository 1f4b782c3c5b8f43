/* json_scan.h - the grammar of JSON, a step at a time over a text: the only one there is here.
 *
 *     struct scan s = {.start = text, .at = text, .end = text + len, .fault = f};
 *     if (scan_value(&s) && scan_end(&s))      // at is behind what was read
 *
 * A step that fails leaves `at` where it failed, and has set the fault: WHY_INVALID with the byte, counted from 1.
 * Memory: nothing is allocated; the depth is bounded by JSON_DEPTH_MAX.  Threads: pure functions.
 *
 * Private to base/json.c.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_JSON_SCAN_H
#define BOBBIND_JSON_SCAN_H

#include "base/fault.h"

#include <stdbool.h>

struct scan {
    const char *start, *at, *end;
    int depth, nodes;
    struct fault *fault;
};

void scan_space(struct scan *s);
bool scan_take(struct scan *s, int byte); /* false, and no fault: the next byte is another one */
bool scan_value(struct scan *s);          /* one, with the white space before it */
bool scan_name(struct scan *s);           /* of a member, with its colon */
bool scan_end(struct scan *s);            /* white space only is left */

#endif
