/* process.h - what the kernel says of this process, and what it is told.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_PROCESS_H
#define BOBBIND_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct process {
    int64_t cpu_ns;
    int64_t started_wall_ms;
    int64_t resident_bytes, virtual_bytes;
    int64_t fds, fds_max;
    int64_t threads;
};
void process_look(struct process *ret); /* what cannot be known is 0 */

/* One thread, as the kernel sees it. */
struct process_thread {
    pid_t native_id;
    char name[16];
    char state; /* of /proc: R running, S sleeping, D blocked on a device, Z, T, ... */
    int64_t cpu_ns;
    int64_t started_wall_ms;
};
/* Fills up to @cap of them and returns how many there are. */
size_t process_threads(struct process_thread *ret_list, size_t cap);

/* Opens those of the descriptors 0, 1 and 2 that are closed, on /dev/null: else the next file
 * that is opened becomes one of them, and what is meant for standard error is written into it.
 * Before anything else is opened.  Output stays closed for writing, so that who asks for some
 * and gives no place for it hears of it.  False: there is no /dev/null. */
bool process_fill_standard(void);

/* Tells the scheduler (sched(7)'s SCHED_BATCH) that this process, and every thread it starts from now on, would rather finish what
 * it is at than run the moment it is woken: its threads wake one another all the time.  A policy that somebody has
 * chosen for it is left alone. */
void process_prefer_throughput(void);

/* How many processors this process may run on: 1 or more. */
int64_t process_processors(void);

#endif
