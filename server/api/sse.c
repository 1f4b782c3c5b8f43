/* sse.c - see sse.h.
 *
 * CR, LF and CRLF all end a line there, and a line without "data:" would be lost or taken for a field: so every line of the
 * data gets its own.
 *
 * SPDX-License-Identifier: MIT */
#include "api/sse.h"

static size_t
line_len(const char *at, size_t len)
{
    size_t n = 0;

    while (n < len && at[n] != '\n' && at[n] != '\r')
        n++;
    return n;
}

void
sse_event(struct bytes *b, const char *name, const char *data, size_t len)
{
    const char *end = data + len;

    bytes_adds(b, "event: ");
    bytes_adds(b, name);
    for (bool more = true; more;) {
        size_t n = line_len(data, (size_t)(end - data));

        bytes_adds(b, "\ndata: ");
        bytes_add(b, data, n);
        data += n;
        more = data < end;
        if (more)
            data += end - data > 1 && data[0] == '\r' && data[1] == '\n' ? 2 : 1;
    }
    bytes_adds(b, "\n\n");
}

void
sse_comment(struct bytes *b)
{
    bytes_adds(b, ":\n\n");
}

void
sse_retry(struct bytes *b, int64_t ms)
{
    bytes_adds(b, "retry: ");
    bytes_add_i64(b, ms);
    bytes_adds(b, "\n\n");
}
