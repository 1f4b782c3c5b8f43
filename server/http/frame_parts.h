/* frame_parts.h - what the files of the frame share: its states, what a state makes of the bytes it
 * is shown, which bytes may stand where.
 *
 * Private to frame.c (lines, bodies) and frame_head.c (fields, and what they say of the body).
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_FRAME_PARTS_H
#define BOBBIND_FRAME_PARTS_H

#include "http/frame.h"

enum at {
    AT_START, /* of a request; empty lines before it are left out (RFC 9112, 2.2) */
    AT_METHOD,
    AT_GAP,
    AT_URI,
    AT_VERSION,
    AT_LINE, /* of a head or a trailer */
    AT_NAME,
    AT_VALUE,
    AT_BEHIND, /* a head or a trailer: never stayed at */
    AT_BODY,
    AT_SIZE, /* of a chunk */
    AT_EXTENSION,
    AT_CHUNK,
    AT_EOL, /* of any line: CR LF, or in a head LF alone (RFC 9112, 2.2); then after_ */
    AT_LF,
    AT_COUNT_
};

enum { TOKEN = 1, TEXT = 2, TARGET = 4 };

/* TOKEN: of methods and names (RFC 9110, 5.6.2).  TEXT: of values, blanks too.  TARGET: of a
 * URI.  Bytes above 127 may be in the last two: who reads the URI says what is wrong with them. */
extern const unsigned char frame_kind_of[256];

static inline size_t
run_of(const char *at, size_t len, unsigned char kind)
{
    size_t n = 0;

    while (n < len && frame_kind_of[(unsigned char)at[n]] & kind)
        n++;
    return n;
}

static inline bool
is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* What a state has made of the bytes it was shown. */
struct step {
    size_t taken;
    size_t kept; /* of these, the first ones are handed on */
};

static inline struct step
keep(size_t n)
{
    return (struct step){n, n};
}

static inline struct step
skip(size_t n)
{
    return (struct step){n, 0};
}

static inline struct step
refuse(struct frame *f, enum why why, const char *wrong)
{
    if (!f->why) {
        f->why = why;
        f->wrong = wrong;
    }
    return skip(0);
}

static inline struct step
malformed(struct frame *f, const char *wrong)
{
    return refuse(f, WHY_BAD_REQUEST, wrong);
}

/* Counts @n bytes of the head or trailer; false: refused, there are too many. */
static inline bool
count(struct frame *f, size_t n)
{
    f->len_ += (unsigned)n;
    if (f->len_ > HEAD_MAX)
        refuse(f, WHY_HEADERS_TOO_LARGE, "the header has more than 8192 bytes");
    return !f->why;
}
_Static_assert(HEAD_MAX == 8192 && URI_MAX == 4096 && HEADERS_MAX == 100, "the sentences say so");

/* Gathers the bytes of a word or value that matters; one that has no room is longer than any
 * that passes. */
static inline void
gather(struct frame *f, const char *at, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (f->text_len_ == 0 && is_blank(at[i]))
            continue;
        if (f->text_len_ < sizeof f->text_)
            f->text_[f->text_len_] = at[i];
        if (f->text_len_ < UINT8_MAX)
            f->text_len_++;
    }
}

/* A line ends here; @next is what follows it. */
static inline struct step
end_line(struct frame *f, enum at next, bool left_out)
{
    f->at_ = AT_EOL;
    f->after_ = (unsigned char)next;
    f->left_out_ = left_out;
    return skip(0);
}

static inline bool
is_eol(char c)
{
    return c == '\r' || c == '\n';
}

static inline void
end_request(struct frame *f)
{
    f->at_ = AT_START;
    f->len_ = 0;
    f->ended++;
}

static inline struct step
too_large(struct frame *f)
{
    return refuse(f, WHY_TOO_LARGE, "the body is too large");
}

/* ---- states (frame_head.c) ---- */

struct step read_line(struct frame *f, const char *at, size_t len);
struct step read_name(struct frame *f, const char *at, size_t len);
struct step read_value(struct frame *f, const char *at, size_t len);
/* The blanks held back, which stand at @at, are part of the value.  Returns how many are handed on. */
size_t keep_blanks(struct frame *f, const char *at);

/* The last byte of a head or trailer is there, and not handed on yet: so nobody believes a head
 * that is refused here. */
void end_head(struct frame *f);

/* ---- frame.c ---- */

void begin_chunk(struct frame *f);

#endif
