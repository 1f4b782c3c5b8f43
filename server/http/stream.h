/* stream.h - an answer that goes on, as those who feed it see it; reply_stream begins one.
 *
 *     hub: lock; collect the streams that have news, each with stream_ref; unlock; for each: stream_wake, stream_unref.
 *
 * A stream sleeps when its reader has nothing to give.  stream_wake makes MHD's thread call the reader again; http_tick does so
 * for a stream that slept for HEARTBEAT_S seconds, and a reader that finds nothing new then says so ("\n" or ": \n").  When the
 * client leaves or the server drains, the reader is not called again: @ended is.
 *
 * Threads: any.  stream_wake calls into MHD: never under a lock.
 * Memory:  counted.  A reference keeps the struct, not the connection: a wake after the end does nothing.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_STREAM_H
#define BOBBIND_STREAM_H

#include "http/reply.h"

enum { HEARTBEAT_S = 10 };

struct stream *stream_ref(struct stream *s);
void stream_unref(struct stream *s);

#endif
