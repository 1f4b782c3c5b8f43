/* clock.h - the two clocks of the server.
 *
 * Deadlines and leases run on CLOCK_BOOTTIME (it goes on while the machine sleeps, and setting the
 * wall clock changes nothing) and live in memory only; the wall clock is for people.  A step takes
 * `now` as an argument, so that tests can drive time by hand.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_CLOCK_H
#define BOBBIND_CLOCK_H

#include <stddef.h>
#include <stdint.h>

typedef int64_t moment; /* nanoseconds of CLOCK_BOOTTIME */

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_SECOND INT64_C(1000000000)

moment clock_now(void);      /* CLOCK_BOOTTIME */
int64_t clock_wall_ms(void); /* milliseconds since 1970, UTC */
/* What the wall clock showed, or will show, at @m, if nobody sets it. */
int64_t clock_to_wall_ms(moment m);

enum { CLOCK_TEXT_LEN = 25 }; /* "2026-11-22T10:00:30.120Z" and its NUL */
/* Writes @wall_ms as RFC 3339 in UTC with milliseconds. */
void clock_text(char ret_text[CLOCK_TEXT_LEN], int64_t wall_ms);

#endif
