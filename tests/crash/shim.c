/* shim.c - a library to be preloaded: counts the syncs of a program, makes them fail or slow, and pretends that the disk is full.
 *
 *     LD_PRELOAD=shim.so SHIM_COUNT=/tmp/count SHIM_FAIL_AFTER=100 bobbind ...
 *
 *   SHIM_KIND=log|database|all   which files' syncs count, fail and are slow: SQLite's log ("*-wal", the default), its
 *                                database ("*.db"), or every file
 *   SHIM_COUNT=FILE              FILE holds how many there were in this process, as text; "0" from the start
 *   SHIM_FAIL_AFTER=N            N succeed, every later one fails with EIO
 *   SHIM_SLOW_MS=N               each takes N ms more
 *   SHIM_NO_ROOM=FILE            while FILE exists, nothing can be written to a file, as on a full disk that copies on write: ENOSPC
 *
 * A log is synced once for each commit, and once more when it begins anew and before a checkpoint.  Do not preload it into a
 * sanitizer's build.
 *
 * SPDX-License-Identifier: MIT */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static struct {
    int (*fsync)(int);
    int (*fdatasync)(int);
    ssize_t (*pwrite)(int, const void *, size_t, off_t);
    int (*posix_fallocate)(int, off_t, off_t);
    const char *kind, *no_room;
    long fail_after, slow_ms; /* fail_after -1: never */
    int count_fd;             /* -1: nobody asks */
} shim = {.count_fd = -1, .fail_after = -1};
static atomic_long syncs;
static atomic_flag showing = ATOMIC_FLAG_INIT;
static long shown = -1; /* while showing */

/* Two threads may come here in the wrong order: the file never goes back. */
static void
show_count(long n)
{
    char text[24];
    int len = snprintf(text, sizeof text, "%ld\n", n);

    while (atomic_flag_test_and_set(&showing))
        (void)sched_yield();
    if (n > shown && shim.count_fd >= 0 && shim.pwrite(shim.count_fd, text, (size_t)len, 0) != len)
        abort();
    shown = n > shown ? n : shown;
    atomic_flag_clear(&showing);
}

static void *
next(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);

    if (!found)
        abort();
    return found;
}

/* Also called from the functions below: another library's constructor may sync before ours has run. */
static void
load(void)
{
    static atomic_bool loaded;
    const char *text;

    if (atomic_exchange(&loaded, true))
        return;
    *(void **)&shim.fsync = next("fsync");
    *(void **)&shim.fdatasync = next("fdatasync");
    *(void **)&shim.pwrite = next("pwrite64");
    *(void **)&shim.posix_fallocate = next("posix_fallocate64");
    shim.kind = getenv("SHIM_KIND");
    shim.no_room = getenv("SHIM_NO_ROOM");
    text = getenv("SHIM_FAIL_AFTER");
    if (text)
        shim.fail_after = atol(text);
    text = getenv("SHIM_SLOW_MS");
    if (text)
        shim.slow_ms = atol(text);
    text = getenv("SHIM_COUNT");
    if (text)
        shim.count_fd = open(text, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    show_count(0);
}

static void __attribute__((constructor)) start(void)
{
    load();
}

static bool
ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), n = strlen(end);

    return len >= n && strcmp(text + len - n, end) == 0;
}

static bool
counts(int fd)
{
    const char *kind = shim.kind ? shim.kind : "log";
    char link[40], path[4096];
    ssize_t len;

    if (strcmp(kind, "all") == 0)
        return true;
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    len = readlink(link, path, sizeof path - 1);
    path[len < 0 ? 0 : len] = '\0';
    return ends_with(path, strcmp(kind, "database") == 0 ? ".db" : "-wal");
}

static int
sync_with(int (*real)(int), int fd)
{
    if (counts(fd)) {
        long n = atomic_fetch_add(&syncs, 1) + 1;
        struct timespec slow = {.tv_sec = shim.slow_ms / 1000,
                                .tv_nsec = shim.slow_ms % 1000 * 1000000};

        if (shim.slow_ms > 0)
            (void)nanosleep(&slow, NULL);
        if (shim.fail_after >= 0 && n > shim.fail_after) {
            errno = EIO;
            return -1;
        }
        show_count(n);
    }
    return real(fd);
}

int
fsync(int fd)
{
    load();
    return sync_with(shim.fsync, fd);
}

int
fdatasync(int fd)
{
    load();
    return sync_with(shim.fdatasync, fd);
}

static bool
no_room_for(int fd)
{
    struct stat st;

    return shim.no_room && access(shim.no_room, F_OK) == 0 && fstat(fd, &st) == 0 &&
           S_ISREG(st.st_mode);
}

ssize_t
pwrite(int fd, const void *data, size_t len, off_t at)
{
    load();
    if (no_room_for(fd)) {
        errno = ENOSPC;
        return -1;
    }
    return shim.pwrite(fd, data, len, at);
}

ssize_t
pwrite64(int fd, const void *data, size_t len, off64_t at)
{
    return pwrite(fd, data, len, at);
}

int
posix_fallocate(int fd, off_t at, off_t len)
{
    load();
    return no_room_for(fd) ? ENOSPC : shim.posix_fallocate(fd, at, len);
}

int
posix_fallocate64(int fd, off64_t at, off64_t len)
{
    return posix_fallocate(fd, at, len);
}
