/* http.h - the front door: start it, drain it, stop it.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_HTTP_H
#define BOBBIND_HTTP_H

#include "base/config.h"
#include "base/fault.h"
#include "http/route.h"

#include <stdint.h>

struct http;

/* Binds what the configuration says, or takes systemd's sockets; nothing else is touched, and
 * nobody can connect yet to what was bound here.  @app is request_app's.  WHY_INVALID: an
 * address that is malformed, or off loopback without --insecure, or no socket that listens;
 * WHY_INTERNAL: bind failed, and why. */
enum why http_open(struct http **ret, const struct config *c, const struct route *routes, size_t n,
                   void *app, struct fault *f);
/* Listens; starts MHD's pool, the acceptor, the park watcher.  A failure leaves it to http_stop. */
enum why http_start(struct http *h, struct fault *f);

const char *http_url(
    const struct http *h); /* "http://127.0.0.1:7070", of the first socket, with the real port */
void http_tick(
    struct http *h); /* once a second: cuts what is too slow, wakes streams for their heartbeat */
int64_t http_oldest_beat_ms(
    const struct http *
        h); /* for the watchdog: how long ago the slowest http thread came round while it had work; 0: fine */

/* In this order.  drain: from now every reply says Connection: close, and what begins something
 * gets 503 (the column effect of the routes); new connections are taken as before.  quiet:
 * closes the listening sockets, ends streams, and waits until no request is under way, at most
 * until the deadline (half a second, over all calls, for clients that are slow to send or to
 * read); then every later one gets 503; may be called again.  stop: ends everything, started or
 * only opened; every request has been answered or its connection closed. */
void http_drain(struct http *h);
bool http_quiet(struct http *h, int64_t deadline); /* bob_time */
void http_stop(struct http *h);

#endif
