/* fuzz_sse.c - any data as a server-sent event: no bare CR, no line that is not ours, and a reader gets the same lines.
 *
 * SPDX-License-Identifier: MIT */
#include "fuzz/fuzz.h"

#include <string.h>

#include "api/sse.h"

/* @data with CRLF and CR as LF, and an LF behind the last line: what a reader has, who puts one behind each. */
static void
as_read(struct bytes *ret, const char *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (data[i] == '\r' && i + 1 < len && data[i + 1] == '\n')
            continue;
        bytes_add(ret, data[i] == '\r' ? "\n" : data + i, 1);
    }
    bytes_add(ret, "\n", 1);
}

FUZZ(sse)
{
    static const char head[] = "event: lock\n", field[] = "data: ";
    struct bytes sent = {0}, wanted = {0}, got = {0};

    sse_event(&sent, "lock", (const char *)data, size);
    as_read(&wanted, (const char *)data, size);
    const char *at = sent.at, *end = sent.at + sent.len;
    promise(!memchr(at, '\r', sent.len));
    promise(sent.len > sizeof head && memcmp(at, head, sizeof head - 1) == 0);
    for (at += sizeof head - 1; at < end && *at != '\n';) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));

        promise(stop && (size_t)(stop - at) >= sizeof field - 1 &&
                memcmp(at, field, sizeof field - 1) == 0);
        bytes_add(&got, at + sizeof field - 1, (size_t)(stop + 1 - at) - (sizeof field - 1));
        at = stop + 1;
    }
    promise(at + 1 == end); /* one empty line, and nothing behind it */
    promise(got.len == wanted.len && memcmp(got.at, wanted.at, got.len) == 0);
    bytes_free(&sent);
    bytes_free(&wanted);
    bytes_free(&got);
    return 0;
}
