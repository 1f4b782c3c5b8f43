/* asleep.h - whether another thread sleeps in the kernel, as /proc says: how a test waits until one waits.
 *
 * It says so also of one that sleeps for a lock: a test that asks holds none that the other may want.  Safe in a
 * signal handler.
 *
 * SPDX-License-Identifier: MIT */
#ifndef ASLEEP_H
#define ASLEEP_H

#include <bobbin/thread.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* "/proc/self/task/ID/stat" */
struct task_path {
    char text[48];
};

static inline struct task_path
task_path(struct bob_thread *t)
{
    struct bob_thread_info info;
    struct task_path path;

    bob_thread_describe(t, &info);
    (void)snprintf(path.text, sizeof path.text, "/proc/self/task/%d/stat", (int)info.native_id);
    return path;
}

static inline bool
is_asleep(const struct task_path *path)
{
    char stat[128] = "";
    int fd = open(path->text, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, stat, sizeof stat - 1);
    const char *name_end = n > 0 ? strrchr(stat, ')') : NULL;

    if (fd >= 0)
        (void)close(fd);
    return name_end && name_end[1] == ' ' && name_end[2] == 'S';
}

static inline void
until_asleep(const struct task_path *path)
{
    while (!is_asleep(path))
        (void)sched_yield();
}

#endif
