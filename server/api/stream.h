/* stream.h - the hub: one thread that tells every event stream what changed.
 *
 *     GET /v1/stream?mode=latest&topics=lock,task
 *     event: reset                       the whole state follows: forget what you knew
 *     data: {}
 *
 *     event: lock
 *     data: {"name":"db","rev":17,...}   as GET /v1/locks/db; one that is gone: {"name":"db","gone":true}
 *
 *     event: ready                       that was the whole state; from here on, changes
 *     data: {}
 *
 *     :                                  nothing changed for a while; the connection lives
 *
 * Order:   none between objects; of one object the newest state is last.
 * Threads: a reader's buffer is filled by the hub's thread and emptied by MHD's.
 * Locks:   L_HUB; under it nothing is called.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_API_STREAM_H
#define BOBBIND_API_STREAM_H

#include "base/fault.h"

struct coord;
struct hub;

/* NULL: no memory or no thread, with the fault set. */
struct hub *hub_start(struct coord *c, struct fault *f);
/* After http_stop (every stream has ended), before coord_stop.  Joins the thread, frees the hub.  NULL is allowed. */
void hub_stop(struct hub *hub);

#endif
