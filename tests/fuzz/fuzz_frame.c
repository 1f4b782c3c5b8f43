/* fuzz_frame.c - the bytes of a connection: they mean the same in whatever pieces they come, and
 * what is handed on means what it seems.
 *
 * The input: a byte that says how large the pieces are, then the stream.
 *
 * SPDX-License-Identifier: MIT */
#include "fuzz/fuzz.h"

#include <string.h>

#include "http/frame.h"

enum { BODY_MOST = 100000 };

struct read {
    enum why why;
    unsigned ended;
    size_t len;
    char *out;
};

static struct read
read_all(const char *in, size_t size, size_t piece)
{
    struct frame f = {.body_most = BODY_MOST};
    struct read r = {.out = malloc(size + 1)};

    promise(r.out != NULL);
    for (size_t at = 0, n; at < size && !f.why; at += n) {
        n = piece < size - at ? piece : size - at;
        size_t held = f.held;
        char *buf = malloc(held + n); /* of just the right size */

        promise(buf != NULL);
        memcpy(buf + held, in + at, n);
        size_t kept = frame_read(&f, buf, held + n);
        promise(kept + f.held <= held + n);
        for (size_t i = 0; i < kept; i++) /* a tab that is held back comes out as a space */
            r.out[r.len + i] = buf[i] == '\t' ? ' ' : buf[i];
        r.len += kept;
        r.ended += f.ended;
        free(buf);
    }
    promise(!f.why || f.wrong != NULL);
    promise(f.held <= HEAD_MAX);
    r.why = f.why;
    return r;
}

/* No NUL, no other control byte but blanks and ends of lines, no bare CR, no fold: of a stream
 * without bodies. */
static void
is_plain(const char *out, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)out[i];

        promise(c >= ' ' || c == '\t' || c == '\r' || c == '\n');
        promise(c != 127);
        promise(c != '\r' || i + 1 == len || out[i + 1] == '\n');
        promise(c != '\n' || i + 1 == len || (out[i + 1] != ' ' && out[i + 1] != '\t'));
        promise((c != ' ' && c != '\t') || i + 1 == len ||
                (out[i + 1] != '\r' && out[i + 1] != '\n') || (i > 0 && out[i - 1] == ':'));
    }
}

FUZZ(frame)
{
    const char *in = (const char *)data + 1;

    if (size < 2)
        return 0;
    struct read whole = read_all(in, size - 1, size - 1);
    struct read pieces = read_all(in, size - 1, data[0] % 16 + 1);

    promise(whole.why == pieces.why && whole.ended == pieces.ended);
    if (!whole.why) {
        promise(whole.len == pieces.len && memcmp(whole.out, pieces.out, whole.len) == 0);
        struct read again = read_all(whole.out, whole.len, whole.len ? whole.len : 1);
        promise(!again.why && again.ended == whole.ended && again.len == whole.len);
        promise(memcmp(again.out, whole.out, whole.len) == 0);
        free(again.out);
        if (!memchr(in, '-', size - 1)) /* no Content-Length, no Transfer-Encoding */
            is_plain(whole.out, whole.len);
    }
    free(whole.out);
    free(pieces.out);
    return 0;
}
