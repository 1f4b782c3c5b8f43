/* orphans.c - what outlived a server that crashed; see orphans.h.
 *
 * The kernel ends a program together with us, but not the program's children.  They are known by their environment, which says
 * HOME=FOLDER/tN.  Those that left their group with setsid wanted to stay, and may, as while the server runs.
 *
 * SPDX-License-Identifier: MIT */
#include "work/orphans.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"

enum { ENVIRONMENT_READ = 64 * 1024, DEATH_MS = 1000 };

static bool
has_home_in(const char *environment, size_t len, const char *folder)
{
    char want[PATH_MAX + 16];
    size_t want_len = (size_t)snprintf(want, sizeof want, "HOME=%s/t", folder);

    for (const char *at = environment, *end = at + len; at < end; at += strnlen(at, end - at) + 1) {
        if ((size_t)(end - at) >= want_len && memcmp(at, want, want_len) == 0)
            return true;
    }
    return false;
}

static bool
is_orphan(pid_t pid, const char *folder, char *room)
{
    char path[64];
    size_t len = 0;
    ssize_t n;
    int fd;

    if (pid == getpid() || getpgid(pid) == getsid(pid))
        return false;
    (void)snprintf(path, sizeof path, "/proc/%d/environ", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) /* another user's, or gone */
        return false;
    while (len < ENVIRONMENT_READ && (n = read(fd, room + len, ENVIRONMENT_READ - len)) > 0)
        len += (size_t)n;
    (void)close(fd);
    return has_home_in(room, len, folder);
}

/* By a handle: its id cannot become another's meanwhile. */
static void
end_if_orphan(pid_t pid, const char *folder, char *room)
{
    struct pollfd gone = {.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};

    if (gone.fd < 0)
        return;
    if (is_orphan(pid, folder, room) &&
        syscall(SYS_pidfd_send_signal, gone.fd, SIGKILL, NULL, 0) == 0) {
        log_often(LOG_LEVEL_WARNING, "orphan_killed",
                  "pid=%d why=\"a command of a server that crashed\"", (int)pid);
        (void)poll(&gone, 1, DEATH_MS);
    }
    (void)close(gone.fd);
}

void
orphans_end(const char *folder)
{
    DIR *d = opendir("/proc");
    char *room = malloc(ENVIRONMENT_READ);
    const struct dirent *entry;

    while (d && room && (entry = readdir(d))) {
        long pid = strtol(entry->d_name, NULL, 10);

        if (pid > 0)
            end_if_orphan((pid_t)pid, folder, room);
    }
    free(room);
    if (d)
        (void)closedir(d);
}
