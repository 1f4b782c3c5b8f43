/* clock.c - see clock.h.  The date is computed here and not by gmtime_r: that one takes a lock of
 * the C library and is ten times slower, and every reply about a hold has two moments in it.
 *
 * SPDX-License-Identifier: MIT */
#include "base/clock.h"

#include <assert.h>
#include <stdatomic.h>
#include <time.h>

#define MOVED (20 * NS_PER_MS)
#define MS_PER_DAY INT64_C(86400000)
#define EARLIEST_MS (-INT64_C(62135596800000)) /* 0001-01-01T00:00:00.000Z */
#define LATEST_MS INT64_C(253402300799999)     /* 9999-12-31T23:59:59.999Z */

moment
clock_now(void)
{
    struct timespec t;
    int failed = clock_gettime(CLOCK_BOOTTIME, &t);

    assert(!failed);
    (void)failed;
    return t.tv_sec * NS_PER_SECOND + t.tv_nsec;
}

int64_t
clock_wall_ms(void)
{
    struct timespec t;
    int failed = clock_gettime(CLOCK_REALTIME, &t);

    assert(!failed);
    (void)failed;
    return t.tv_sec * 1000 + t.tv_nsec / NS_PER_MS;
}

/* The two clocks cannot be read in one instant, so their difference trembles, and one moment would be shown now as
 * .911Z and now as .912Z.  It is kept, and taken anew only when it has moved: somebody set the wall clock, or its
 * drift has added up. */
int64_t
clock_to_wall_ms(moment m)
{
    static _Atomic int64_t kept;
    struct timespec t;
    int failed = clock_gettime(CLOCK_REALTIME, &t);
    int64_t apart = t.tv_sec * NS_PER_SECOND + t.tv_nsec - clock_now();
    int64_t before =
        atomic_load_explicit(&kept, memory_order_relaxed); /* one number: needs no order */

    assert(!failed);
    (void)failed;
    if (before == 0 || apart - before > MOVED || before - apart > MOVED)
        atomic_store_explicit(&kept, before = apart, memory_order_relaxed);
    return (m + before) / NS_PER_MS;
}

struct date {
    int year, month, day;
};

/* @days since 0001-01-01.  Whole cycles of 400, 100, 4 and 1 years come off in turn; the last day
 * of a cycle of 400 or 4 years would count as a year of its own and is kept in the year before. */
static struct date
date_of(int64_t days)
{
    static const int month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t fours, hundreds, ones;
    int left = (int)(days % 146097);
    struct date d = {1 + 400 * (int)(days / 146097), 1, 1};

    hundreds = left / 36524 < 3 ? left / 36524 : 3;
    left -= (int)hundreds * 36524;
    fours = left / 1461;
    left -= (int)fours * 1461;
    ones = left / 365 < 3 ? left / 365 : 3;
    left -= (int)ones * 365;
    d.year += (int)(100 * hundreds + 4 * fours + ones);

    int leap = ones == 3 && (fours != 24 || hundreds == 3);
    for (int i = 0; i < 12; i++) {
        int len = month_days[i] + (i == 1 && leap);

        if (left < len)
            break;
        left -= len;
        d.month++;
    }
    d.day = 1 + left;
    return d;
}

static char *
put(char *at, int n, int digits, char after)
{
    for (int i = digits - 1; i >= 0; i--) {
        at[i] = (char)('0' + n % 10);
        n /= 10;
    }
    at[digits] = after;
    return at + digits + 1;
}

void
clock_text(char ret_text[CLOCK_TEXT_LEN], int64_t wall_ms)
{
    int64_t at = wall_ms < EARLIEST_MS ? EARLIEST_MS : wall_ms > LATEST_MS ? LATEST_MS : wall_ms;
    int ms = (int)((at - EARLIEST_MS) % MS_PER_DAY);
    struct date d = date_of((at - EARLIEST_MS) / MS_PER_DAY);

    ret_text = put(ret_text, d.year, 4, '-');
    ret_text = put(ret_text, d.month, 2, '-');
    ret_text = put(ret_text, d.day, 2, 'T');
    ret_text = put(ret_text, ms / 3600000, 2, ':');
    ret_text = put(ret_text, ms / 60000 % 60, 2, ':');
    ret_text = put(ret_text, ms / 1000 % 60, 2, '.');
    ret_text = put(ret_text, ms % 1000, 3, 'Z');
    *ret_text = '\0';
}
