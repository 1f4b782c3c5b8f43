/* notify.c - see notify.h.
 *
 * SPDX-License-Identifier: MIT */
#include "base/notify.h"

#include <stdlib.h>

bool
notify_is_service(void)
{
    return getenv("INVOCATION_ID") || getenv("NOTIFY_SOCKET");
}

#ifdef HAVE_SYSTEMD

#include <inttypes.h>
#include <poll.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

static int sockets; /* passed on; written before there are threads */

bool
notify_heard(void)
{
    return getenv("NOTIFY_SOCKET") != NULL;
}

void
notify_status(const char *status)
{
    (void)sd_notifyf(0, "STATUS=%s", status);
}

void
notify_ready(const char *status)
{
    (void)sd_notifyf(0, "READY=1\nSTATUS=%s", status);
}

void
notify_stopping(const char *status, int64_t ms)
{
    (void)sd_notifyf(0, "STOPPING=1\nSTATUS=%s\nEXTEND_TIMEOUT_USEC=%" PRId64, status, ms * 1000);
}

void
notify_watchdog(void)
{
    (void)sd_notify(0, "WATCHDOG=1");
}

int64_t
notify_watchdog_ms(void)
{
    uint64_t us = 0;

    if (sd_watchdog_enabled(0, &us) <= 0)
        return 0;
    return us < 1000 ? 1 : (int64_t)(us / 1000);
}

int
notify_sockets(int *ret_first_fd)
{
    /* 1: takes the variables out of the environment, so that no program we start believes the
     * sockets are its own. */
    int n = sd_listen_fds(1);

    if (n <= 0)
        return 0;
    sockets = n;
    *ret_first_fd = SD_LISTEN_FDS_START;
    return n;
}

void
notify_turn_away(void)
{
    int first = SD_LISTEN_FDS_START;

    if (sockets == 0)
        (void)notify_sockets(&first);
    for (int i = 0; i < sockets; i++) {
        struct pollfd ready = {.fd = first + i, .events = POLLIN};
        int fd;

        while (poll(&ready, 1, 0) == 1 && (fd = accept4(ready.fd, NULL, NULL, SOCK_CLOEXEC)) >= 0)
            (void)close(fd);
    }
}

#else

bool
notify_heard(void)
{
    return false;
}

void
notify_status(const char *status)
{
    (void)status;
}

void
notify_ready(const char *status)
{
    (void)status;
}

void
notify_stopping(const char *status, int64_t ms)
{
    (void)status;
    (void)ms;
}

void
notify_watchdog(void)
{
}

int64_t
notify_watchdog_ms(void)
{
    return 0;
}

void
notify_turn_away(void)
{
}

int
notify_sockets(int *ret_first_fd)
{
    (void)ret_first_fd;
    return 0;
}

#endif
