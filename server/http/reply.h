/* reply.h - an answer: status, a few headers, a body built in this thread's own buffer.
 *
 *     struct bytes *b = reply_json(reply, 200);
 *     json_open(b, '{');
 *     json_int(b, "value", 42);
 *     json_close(b, '}');
 *     return WHY_OK;
 *
 * The body is copied when the reply is queued; nothing here outlives the handler.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_REPLY_H
#define BOBBIND_REPLY_H

#include "base/bytes.h"
#include "base/fault.h"

#include <stdint.h>
#include <sys/types.h>

struct reply;
struct request;

struct bytes *reply_json(struct reply *r, int status);                   /* application/json */
struct bytes *reply_body(struct reply *r, int status, const char *type); /* @type: static storage */
void reply_empty(struct reply *r, int status);                           /* 204, 304 */
void reply_text_u64(struct reply *r, int status,
                    uint64_t n); /* the scalar and a newline, text/plain */
void reply_text_i64(struct reply *r, int status, int64_t n);

/* Headers.  @name: static storage; @value is copied; one with a control byte is a bug and aborts. */
void reply_header(struct reply *r, const char *name, const char *value);
void reply_etag(struct reply *r, uint64_t rev);      /* ETag: "rev" */
void reply_sequence(struct reply *r, uint64_t seq);  /* Bobbin-Sequence */
void reply_retry_after(struct reply *r, int64_t ns); /* whole seconds, rounded up, at least 1 */

/* For a problem: extra members, written as JSON object members (json_* with keys) into this buffer; used only when the handler then
 * returns a fault. */
struct bytes *reply_problem_extra(struct reply *r);

/* An answer that goes on: the body comes from @read until it returns REPLY_END.  @read runs in MHD's thread and must not block; with
 * nothing to give it returns REPLY_SLEEP, and is called again after stream_wake (http/stream.h).  @ended: once, at the end of the
 * connection or the stream, with no lock held. */
enum { REPLY_SLEEP = 0, REPLY_END = -1 };
struct stream;
typedef ssize_t stream_read_fn(struct stream *s, void *arg, char *buf, size_t cap);
typedef void stream_ended_fn(void *arg);
/* NULL: no memory.  The stream lives until @ended has returned. */
struct stream *reply_stream(struct reply *r, int status, const char *type, stream_read_fn *read,
                            stream_ended_fn *ended, void *arg);
void stream_wake(struct stream *s); /* any thread; cheap when it does not sleep */

#endif
