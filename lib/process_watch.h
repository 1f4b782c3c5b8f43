/* process_watch.h - a child from its start to its end, and what it wrote.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOB_PROCESS_WATCH_H
#define BOB_PROCESS_WATCH_H

#include "process_child.h"

/* Output as it comes. */
struct bob_sink {
    char *at; /* cap bytes and a NUL's room; NULL: cap is 0 */
    size_t len, cap, max;
    bool truncated;
    bool failed; /* no memory */
};

struct bob_end {
    int status; /* as of wait(2) */
    bool timed_out, killed;
    bob_time cpu_ns;
    uint64_t max_rss_bytes;   /* 0: not known */
    struct bob_sink out, err; /* the caller's to free, whatever is returned */
};

/* Stays with @child until it has been waited for: ends it at @deadline, or when @stop_fd (an eventfd) is written to.
 * Its descriptors are closed and its group is killed on every path.
 *   BOB_ERR_SYSTEM     its end was taken by somebody else
 *   BOB_ERR_NO_MEMORY  for its output: it was killed */
BOB_MUST_USE enum bob_err bob_child_watch_(struct bob_child *child,
                                           const struct bob_command *command, int stop_fd,
                                           bob_time deadline, struct bob_end *ret_end);

#endif
