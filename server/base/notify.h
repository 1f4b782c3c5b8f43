/* notify.h - systemd: ready, status, stopping, watchdog, inherited sockets.  Without libsystemd,
 * or not under systemd, all of it does nothing and says so by its return value.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_NOTIFY_H
#define BOBBIND_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

bool notify_heard(void);      /* somebody listens */
bool notify_is_service(void); /* systemd has started us, or whoever did */
void notify_ready(const char *status);
void notify_status(const char *status);
/* It will take at most @ms from now, however short TimeoutStopSec= is.  Said again, the later
 * word counts. */
void notify_stopping(const char *status, int64_t ms);
void notify_watchdog(void);
int64_t notify_watchdog_ms(void);      /* it must be fed at least so often; 0: no watchdog */
int notify_sockets(int *ret_first_fd); /* how many listening sockets systemd passed on */
/* Lets go who waits at these sockets, for a start that another would not mend: else systemd
 * makes that at once, again and again, for as long as the client waits. */
void notify_turn_away(void);

#endif
