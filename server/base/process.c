/* process.c - see process.h.  Reads /proc, which costs a few system calls and waits for no disk.
 *
 * SPDX-License-Identifier: MIT */
#include "base/process.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bobbin/annotate.h>

#include "base/clock.h"

/* Reads the whole of a small file; false when it cannot (a thread may have ended meanwhile). */
static bool
read_small(const char *path, char *ret_text, size_t cap)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? -1 : read(fd, ret_text, cap - 1);

    if (fd >= 0)
        (void)close(fd);
    if (len < 0)
        return false;
    ret_text[len] = '\0';
    return true;
}

static int64_t
ticks_to_ns(long long ticks)
{
    return ticks * (NS_PER_SECOND / sysconf(_SC_CLK_TCK));
}

struct stat_line {
    char name[16];
    char state;
    long long utime, stime, threads, start, virtual_bytes, resident_pages;
};

/* A line of proc(5)'s "stat".  The name stands in brackets and may hold any byte, so what follows
 * is found from the right. */
static bool
stat_read(const char *path, struct stat_line *ret)
{
    char text[1024];
    char *open, *close;

    if (!read_small(path, text, sizeof text) || !(open = strchr(text, '(')) ||
        !(close = strrchr(text, ')')))
        return false;
    *close = '\0';
    (void)snprintf(ret->name, sizeof ret->name, "%s", open + 1);
    return sscanf(close + 1,
                  " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lld %lld %*d %*d %*d %*d %lld "
                  "%*d %lld %lld %lld",
                  &ret->state, &ret->utime, &ret->stime, &ret->threads, &ret->start,
                  &ret->virtual_bytes, &ret->resident_pages) == 7;
}

/* @ticks: since the machine started, as CLOCK_BOOTTIME counts. */
static int64_t
started_wall_ms(long long ticks)
{
    return clock_to_wall_ms(ticks_to_ns(ticks));
}

/* Newer kernels give the number as the folder's size; elsewhere it is counted. */
static int64_t
count_fds(void)
{
    struct stat st;
    int64_t n = 0;

    if (stat("/proc/self/fd", &st) == 0 && st.st_size > 0)
        return st.st_size;
    DIR *folder = opendir("/proc/self/fd");
    if (!folder)
        return 0;
    while (readdir(folder))
        n++;
    (void)closedir(folder);
    return n > 3 ? n - 3 : 0; /* ".", ".." and the folder itself */
}

void
process_look(struct process *ret)
{
    struct stat_line line;
    struct rlimit limit;

    *ret = (struct process){0};
    if (stat_read("/proc/self/stat", &line)) {
        ret->cpu_ns = ticks_to_ns(line.utime + line.stime);
        ret->started_wall_ms = started_wall_ms(line.start);
        ret->resident_bytes = line.resident_pages * sysconf(_SC_PAGESIZE);
        ret->virtual_bytes = line.virtual_bytes;
        ret->threads = line.threads;
    }
    ret->fds = count_fds();
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        ret->fds_max = limit.rlim_cur > INT64_MAX ? INT64_MAX : (int64_t)limit.rlim_cur;
}

/* The scheduler's own count is in nanoseconds; "stat" knows hundredths of a second. */
static int64_t
thread_cpu_ns(pid_t id, const struct stat_line *line)
{
    char path[64], text[128];
    long long ns;

    (void)snprintf(path, sizeof path, "/proc/self/task/%d/schedstat", (int)id);
    if (read_small(path, text, sizeof text) && sscanf(text, "%lld", &ns) == 1)
        return ns;
    return ticks_to_ns(line->utime + line->stime);
}

static void
close_folder(DIR *const *folder)
{
    if (*folder)
        (void)closedir(*folder);
}

size_t
process_threads(struct process_thread *ret_list, size_t cap)
{
    BOB_CLEANUP(close_folder) DIR *folder = opendir("/proc/self/task");
    const struct dirent *entry;
    struct stat_line line;
    size_t n = 0;

    while (folder && (entry = readdir(folder))) {
        char path[64];

        if (!isdigit((unsigned char)entry->d_name[0]))
            continue;
        pid_t id = (pid_t)strtol(entry->d_name, NULL, 10);
        (void)snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)id);
        if (!stat_read(path, &line))
            continue;
        if (n < cap) {
            struct process_thread *t = &ret_list[n];

            t->native_id = id;
            memcpy(t->name, line.name, sizeof t->name);
            t->state = line.state;
            t->cpu_ns = thread_cpu_ns(id, &line);
            t->started_wall_ms = started_wall_ms(line.start);
        }
        n++;
    }
    return n;
}

/* The lowest free descriptor is the one that is opened. */
bool
process_fill_standard(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        int mode = fd == STDOUT_FILENO ? O_RDONLY : O_RDWR;

        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", mode) != fd)
            return false;
    }
    return true;
}

void
process_prefer_throughput(void)
{
    const struct sched_param none = {.sched_priority = 0};

    if (sched_getscheduler(0) == SCHED_OTHER)
        (void)sched_setscheduler(0, SCHED_BATCH, &none); /* refused: only slower */
}

int64_t
process_processors(void)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0)
        return CPU_COUNT(&set);
    long n = sysconf(_SC_NPROCESSORS_ONLN); /* more processors than the set holds */
    return n > 0 ? n : 1;
}
