/* time.c - moments on CLOCK_MONOTONIC; see <bobbin/time.h>.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/time.h>

#include <time.h>

enum { NS_PER_S = 1000000000, NS_PER_MS = 1000000 };

bob_time
bob_now(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail on Linux */
    return (bob_time)now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* Now + @ns, never above BOB_FOREVER; @ns is 0 or more. */
static bob_time
in_ns(int64_t ns)
{
    bob_time now = bob_now();

    return ns > BOB_FOREVER - now ? BOB_FOREVER : now + ns;
}

bob_time
bob_in_ms(int64_t ms)
{
    if (ms < 0)
        ms = 0;
    return ms > BOB_FOREVER / NS_PER_MS ? BOB_FOREVER : in_ns(ms * NS_PER_MS);
}

bob_time
bob_in_seconds(double s)
{
    double ns = s * NS_PER_S;

    if (!(ns > 0)) /* NaN too */
        ns = 0;
    return ns >= (double)BOB_FOREVER ? BOB_FOREVER : in_ns((int64_t)ns);
}

int64_t
bob_ms_until(bob_time moment)
{
    bob_time now = bob_now();

    if (moment == BOB_FOREVER)
        return INT64_MAX;
    if (moment <= now)
        return 0;
    return (moment - now - 1) / NS_PER_MS + 1;
}
