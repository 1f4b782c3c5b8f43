/* run.c - what a run says of its end.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/time.h>
#include <stdarg.h>
#include <stdio.h>

#include "work/work.h"

bool
run_fail(struct run *run, bool retry, const char *code, const char *fmt, ...)
{
    va_list args;

    run->retry = retry;
    run->retry_after_ns = 0;
    run->cut_short = false;
    (void)snprintf(run->code, sizeof run->code, "%s", code);
    va_start(args, fmt);
    (void)vsnprintf(run->message, sizeof run->message, fmt, args);
    va_end(args);
    return false;
}

bool
run_stopping(const struct run *run)
{
    return bob_event_is_set(run->stop) || bob_now() >= run->until;
}

bool
run_cut_short(struct run *run)
{
    if (bob_event_is_set(run->stop))
        (void)run_fail(run, true, "stopped", "it was told to stop");
    else
        (void)run_fail(run, true, "timeout", "it was not over when its time was");
    run->cut_short = true;
    return false;
}
