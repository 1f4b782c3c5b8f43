/* sse.h - server-sent events, as the WHATWG standard frames them.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_SSE_H
#define BOBBIND_SSE_H

#include "base/bytes.h"

/* "event: NAME", one "data: " line for each line of @data, and the empty line that sends it off.  @name: without line breaks. */
void sse_event(struct bytes *b, const char *name, const char *data, size_t len);
void sse_comment(struct bytes *b);           /* ":", which readers ignore: the connection lives */
void sse_retry(struct bytes *b, int64_t ms); /* how long a reader waits before it connects again */

#endif
