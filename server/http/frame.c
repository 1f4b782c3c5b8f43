/* frame.c - see frame.h: a machine of states, a function for each, that takes as many bytes as it
 * can at once.
 *
 * It runs for every byte of every request, so the states that see most bytes (the URI, a name, a
 * value, a body) look for the end of their run in one tight loop.
 *
 * SPDX-License-Identifier: MIT */
#include "http/frame.h"

#include <string.h>

#include "base/hex.h"
#include "http/frame_parts.h"

/* clang-format off */
#define T (TOKEN | TEXT | TARGET)
#define V (TEXT | TARGET)
#define B TEXT
#define V16 V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V
#define T16 T, T, T, T, T, T, T, T, T, T, T, T, T, T, T, T
const unsigned char frame_kind_of[256] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, B, 0, 0, 0, 0, 0, 0, /* only the tab */
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    B, T, V, T, T, T, T, T, V, V, T, T, V, T, T, V, /*  !"#$%&'()*+,-./ */
    T, T, T, T, T, T, T, T, T, T, V, V, V, V, V, V, /* 0123456789:;<=>? */
    V, T, T, T, T, T, T, T, T, T, T, T, T, T, T, T, /* @A */
    T, T, T, T, T, T, T, T, T, T, T, V, V, V, T, T, /* PQRSTUVWXYZ[\]^_ */
    T16,                                            /* `a */
    T, T, T, T, T, T, T, T, T, T, T, V, T, V, T, 0, /* pqrstuvwxyz{|}~ */
    V16, V16, V16, V16, V16, V16, V16, V16,
};
#undef T
#undef V
#undef B
/* clang-format on */

enum { VERSION_LEN = sizeof "HTTP/1.1" - 1, DIGITS_MAX = 16 };
static const char not_a_request_line[] =
    "the first line is not \"METHOD PATH HTTP/1.1\" (or HTTP/1.0)";

void
begin_chunk(struct frame *f)
{
    f->at_ = AT_SIZE;
    f->left_ = 0;
    f->digits_ = 0;
    f->len_ = 0;
}

static struct step
read_eol(struct frame *f, const char *at, size_t len)
{
    (void)len;
    f->at_ = AT_LF;
    if (*at != '\r')
        return f->strict_ ? malformed(f, "a line of a chunked body ends without a CR") : skip(0);
    return count(f, 1) ? (struct step){1, !f->left_out_} : skip(0);
}

static struct step
read_lf(struct frame *f, const char *at, size_t len)
{
    (void)len;
    if (*at != '\n')
        return malformed(f, "a line has a CR without a LF");
    f->at_ = f->after_;
    if (!count(f, 1))
        return skip(0);
    if (f->at_ == AT_BEHIND)
        end_head(f);
    else if (f->at_ == AT_SIZE)
        begin_chunk(f);
    return f->why ? skip(0) : (struct step){1, !f->left_out_};
}

/* ---- the first line ---- */

static struct step
read_start(struct frame *f, const char *at, size_t len)
{
    (void)len;
    f->is_head = false;
    if (is_eol(*at))
        return end_line(f, AT_START, true);
    *f = (struct frame){
        .body_most = f->body_most,
        .ended = f->ended,
        .at_ = AT_METHOD,
        .len_ = f->len_,
    };
    return skip(0);
}

static struct step
read_method(struct frame *f, const char *at, size_t len)
{
    size_t n = run_of(at, len, TOKEN);

    gather(f, at, n);
    if (f->text_len_ > METHOD_MAX)
        return malformed(f, "the method is too long");
    if (n < len && (at[n] != ' ' || f->text_len_ == 0))
        return malformed(f, not_a_request_line);
    if (n < len) {
        f->is_head = f->text_len_ == 4 && memcmp(f->text_, "HEAD", 4) == 0;
        f->text_len_ = 0;
        f->at_ = AT_GAP;
        n++;
    }
    return count(f, n) ? keep(n) : skip(0);
}

/* Of some spaces the first was handed on, with the method. */
static struct step
read_gap(struct frame *f, const char *at, size_t len)
{
    (void)len;
    if (*at == ' ')
        return count(f, 1) ? skip(1) : skip(0);
    f->at_ = AT_URI;
    return skip(0);
}

static struct step
read_uri(struct frame *f, const char *at, size_t len)
{
    size_t n = run_of(at, len, TARGET);

    f->uri_len_ += (unsigned)n;
    if (f->uri_len_ > URI_MAX)
        return refuse(f, WHY_URI_TOO_LONG, "the URI has more than 4096 bytes");
    if (n < len && at[n] == '\0')
        return malformed(f, "the request line has a NUL");
    if (n < len && (at[n] != ' ' || f->uri_len_ == 0))
        return malformed(f, not_a_request_line);
    if (n < len) {
        f->at_ = AT_VERSION;
        n++;
    }
    return count(f, n) ? keep(n) : skip(0);
}

/* Whether what is there of the version is the beginning of one that is known. */
static bool
is_version(const struct frame *f)
{
    size_t len = f->text_len_ < VERSION_LEN ? f->text_len_ : VERSION_LEN;

    return f->text_len_ <= VERSION_LEN &&
           (memcmp(f->text_, "HTTP/1.1", len) == 0 || memcmp(f->text_, "HTTP/1.0", len) == 0);
}

static struct step
read_version(struct frame *f, const char *at, size_t len)
{
    size_t n = 0;

    while (n < len && !is_eol(at[n]) && n <= VERSION_LEN)
        n++;
    if (f->text_len_ == 0 && is_blank(*at))
        return malformed(f, not_a_request_line);
    gather(f, at, n);
    if (!is_version(f) || (n < len && f->text_len_ < VERSION_LEN))
        return malformed(f, not_a_request_line);
    if (n < len) {
        f->http10_ = f->text_[VERSION_LEN - 1] == '0';
        (void)end_line(f, AT_LINE, false);
    }
    return count(f, n) ? keep(n) : skip(0);
}

/* ---- the body ---- */

/* Takes what there is of the body or chunk. */
static struct step
take_left(struct frame *f, size_t len)
{
    size_t n = (uint64_t)f->left_ < len ? (size_t)f->left_ : len;

    f->left_ -= (int64_t)n;
    return keep(n);
}

static struct step
read_body(struct frame *f, const char *at, size_t len)
{
    struct step step = take_left(f, len);

    (void)at;
    if (f->left_ == 0)
        end_request(f);
    return step;
}

static struct step
read_chunk(struct frame *f, const char *at, size_t len)
{
    struct step step = take_left(f, len);

    (void)at;
    if (f->left_ == 0)
        (void)end_line(f, AT_SIZE, false);
    return step;
}

static struct step
end_size(struct frame *f)
{
    if (f->digits_ == 0)
        return malformed(f, "a chunk has no size");
    f->body_ += f->left_;
    if (f->body_ > f->body_most)
        return too_large(f);
    if (f->left_ > 0)
        return end_line(f, AT_CHUNK, false);
    f->in_trailer_ = true;
    f->fields_ = 0;
    return end_line(f, AT_LINE, false);
}

static struct step
read_size(struct frame *f, const char *at, size_t len)
{
    size_t n = 0;

    for (; n < len && hex_digit(at[n]) >= 0; n++) {
        f->left_ = f->left_ * 16 + hex_digit(at[n]);
        if (f->left_ > f->body_most)
            return too_large(f);
        if (++f->digits_ > DIGITS_MAX)
            return malformed(f, "the size of a chunk has more than 16 digits");
    }
    if (n < len && is_eol(at[n]))
        (void)end_size(f);
    else if (n < len && f->digits_ > 0 && (at[n] == ';' || is_blank(at[n])))
        f->at_ = AT_EXTENSION;
    else if (n < len)
        malformed(f, "the size of a chunk is no hexadecimal number");
    return f->why ? skip(0) : keep(n);
}

/* Left out: nobody here knows one, and MHD gives up where one has no room (RFC 9112, 7.1.1). */
static struct step
read_extension(struct frame *f, const char *at, size_t len)
{
    size_t n = run_of(at, len, TEXT);

    f->extensions_ += (unsigned)n;
    if (f->extensions_ > EXTENSIONS_MAX)
        return malformed(f, "the extensions of chunks have more than 1024 bytes");
    if (n < len && !is_eol(at[n]))
        return malformed(f, "a chunk's extension has a control byte");
    if (n < len)
        (void)end_size(f);
    return skip(n);
}

/* ---- all of it ---- */

typedef struct step read_fn(struct frame *f, const char *at, size_t len);

static read_fn *const read_at[AT_COUNT_] = {
    [AT_START] = read_start,
    [AT_METHOD] = read_method,
    [AT_GAP] = read_gap,
    [AT_URI] = read_uri,
    [AT_VERSION] = read_version,
    [AT_LINE] = read_line,
    [AT_NAME] = read_name,
    [AT_VALUE] = read_value,
    [AT_BODY] = read_body,
    [AT_SIZE] = read_size,
    [AT_EXTENSION] = read_extension,
    [AT_CHUNK] = read_chunk,
    [AT_EOL] = read_eol,
    [AT_LF] = read_lf,
};

size_t
frame_read(struct frame *f, char *at, size_t len)
{
    char *to = at;

    memset(at, ' ', f->held);
    f->held = 0;
    f->ended = 0;
    for (size_t n = 0; n < len && !f->why;) {
        struct step step = read_at[f->at_](f, at + n, len - n);

        if (to != at + n)
            memmove(to, at + n, step.kept);
        to += step.kept;
        n += step.taken;
    }
    return (size_t)(to - at);
}

size_t
frame_settle(struct frame *f, char *at, const char *next, size_t n, size_t *ret_kept)
{
    size_t blanks = 0;

    *ret_kept = 0;
    while (blanks < n && is_blank(next[blanks]))
        blanks++;
    if (!count(f, blanks) || blanks == n)
        return blanks;
    if (!is_eol(next[blanks])) {
        memset(at, ' ', f->held);
        *ret_kept = keep_blanks(f, at);
    }
    f->held = 0;
    return blanks;
}
