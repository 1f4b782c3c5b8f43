/* guard.h - the headers that matter to every request, and where it may come from: foreign hosts and
 * other sites' pages are refused.
 *
 * A server on localhost is reachable by every web page its user opens: DNS rebinding shows as a
 * foreign Host, a page's own requests as a foreign Origin or Sec-Fetch-Site.  That fields and their
 * values are well formed, frame.h has seen to.
 *
 * Pure functions: no clock, no state, no memory of their own.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_GUARD_H
#define BOBBIND_GUARD_H

#include "base/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct guard_text {
    const char *at; /* NULL: no such header */
    size_t len;     /* without white space around it */
};

/* The headers of one request, as far as they matter to all: filled one by one. */
struct guard {
    struct guard_text host, origin, fetch_site, type, accept, length;
    uint16_t hosts, origins, fetch_sites, types;
    bool chunked;
    bool encoded; /* the body is not what it stands for */
    bool expects; /* its client waits for 100 Continue before it sends the body */
};

void guard_see(struct guard *g, const char *name, size_t name_len, const char *value,
               size_t value_len);

/* Content-Length; -1: none given. */
int64_t guard_length(const struct guard *g);
/* Whether a body follows. */
bool guard_has_body(const struct guard *g);

/* Names by which clients may call this server.  A port is not compared: it cannot be forged by
 * rebinding, and a tunnel or container may show another one; Origin is compared with its port. */
enum { GUARD_HOSTS_MAX = 64 };
struct guard_hosts {
    struct guard_text name[GUARD_HOSTS_MAX]; /* an IPv6 address with its brackets */
    int len;
    bool any_address; /* bound to the wildcard: any numeric address; rebinding needs a name */
};
bool guard_hosts_add(struct guard_hosts *hosts, const char *name); /* kept; false: full */
bool guard_host_ok(const struct guard_hosts *hosts, struct guard_text host);

/* Whether the request may come from where it says.  @changes: it is not GET or HEAD.
 *   WHY_FORBIDDEN  from elsewhere    WHY_BAD_REQUEST  it says so twice */
enum why guard_site(const struct guard *g, const struct guard_hosts *hosts, bool changes,
                    struct fault *f);

#endif
