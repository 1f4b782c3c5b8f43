/* frame.h - where each request of a connection begins and ends, found in its bytes before
 * libmicrohttpd reads them.
 *
 *     struct frame f = {.body_most = 1 << 20};         // of a connection, from its first byte on
 *     got = recv(fd, buf + f.held, cap - f.held, 0);
 *     kept = frame_read(&f, buf, f.held + got);        // the first kept bytes are to be handed on
 *     if (f.why) ...                                   // what follows them is refused: f.wrong
 *
 * MHD 0.9.75 glues a folded line to the name before it, ends a value at a NUL, a line at a bare CR,
 * takes the first of two lengths and a value with the blanks behind it; MHD 1.0 takes a second
 * space behind the method for a part of the target.  Each lets two readers of the same bytes see
 * different requests (CWE-444).  What comes out of here has one meaning: one space stands before
 * the target, names are tokens, values have no blanks around them, lines are not folded, there is
 * one length or one coding, chunks have no extensions, trailer fields are gone (RFC 9112; a
 * recipient may drop both).
 *
 * Bytes go through in pieces of any size: the same bytes in other pieces come out the same, but
 * that a tab held back between two pieces comes out as a space, which is the same to who reads a
 * value (RFC 9110, 5.6.3).  Pure: no clock, no memory of its own.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_FRAME_H
#define BOBBIND_FRAME_H

#include "base/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    URI_MAX = 4096,
    HEAD_MAX = 8192, /* bytes of a request's head, and of a chunked body's trailer */
    HEADERS_MAX = 100,
    METHOD_MAX = 32,
    EXTENSIONS_MAX = 1024, /* bytes beside the sizes of a body's chunks */
};

struct frame {
    int64_t body_most; /* bytes that a body may have; constant */

    enum why why;      /* WHY_OK, or why the connection ends behind what was handed on */
    const char *wrong; /* the sentence; static storage */
    /* Blanks that ended the last piece: whether they are part of a value shows later. */
    size_t held;
    unsigned ended; /* requests whose last byte was in the last piece */
    bool is_head;   /* the request at hand is HEAD */
    /* private */
    unsigned char at_, after_; /* enum at */
    unsigned char hosts_, lengths_, codings_;
    bool http10_, is_chunked_, in_trailer_;
    bool strict_;   /* lines end with CR and LF */
    bool left_out_; /* the end of line at hand */
    bool matters_;  /* the value at hand */
    unsigned char name_len_, text_len_;
    char name_[20]; /* lower case, of the field at hand: longer ones are none that matter here */
    /* The method, the version, or the value of a Content-Length or Transfer-Encoding. */
    char text_[24];
    unsigned len_, uri_len_, fields_, extensions_;
    int64_t length_; /* as given */
    int64_t left_;   /* bytes of the body, or of the chunk, still to come */
    int64_t body_;   /* bytes that chunks have brought, this one counted whole */
    int digits_;
};

/* Looks at the next @len bytes of the connection, the first @f->held of which are the blanks held
 * back last time: the caller leaves room for them.  Returns how many bytes, from @at on, are to be
 * handed on; it moves them together where something is left out.  Once @f->why is set it returns
 * 0. */
size_t frame_read(struct frame *f, char *at, size_t len);

/* Where there is room for what is held back, and for nothing behind it: @next are @n bytes that
 * follow.  The blanks among them are to be thrown away, for a run of so many means the same when it
 * is shorter; returns how many that are.  The byte behind them decides: what is held back is part
 * of the value, and stands at @at for *ret_kept bytes to be handed on, or it is left out. */
size_t frame_settle(struct frame *f, char *at, const char *next, size_t n, size_t *ret_kept);

#endif
