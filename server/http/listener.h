/* listener.h - the listening sockets, and the one thread that accepts.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_LISTENER_H
#define BOBBIND_LISTENER_H

#include "http/exchange.h"

/* Binds what the configuration says, or takes systemd's sockets; fills url and the names for the
 * guard. */
enum why listener_open(struct http *h, struct fault *f);
enum why listener_start(struct http *h, struct fault *f); /* from now on clients can connect */
void listener_stop(struct http *h); /* joins the acceptor, closes the sockets; twice is harmless */

/* Gives @fd to MHD, which closes it when it fails, too.  It counts from here on, not from when
 * MHD's thread comes round to it: a burst would pass any limit meanwhile. */
bool listener_hand_on(struct http *h, int fd, const struct sockaddr *from, socklen_t len);

#endif
