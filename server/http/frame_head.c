/* frame_head.c - see frame.h: the fields of a head or trailer, and what a head says of the body
 * behind it.
 *
 * SPDX-License-Identifier: MIT */
#include <string.h>
#include <strings.h>

#include "http/frame_parts.h"

struct step
read_line(struct frame *f, const char *at, size_t len)
{
    (void)len;
    if (is_eol(*at))
        return end_line(f, AT_BEHIND, false);
    if (is_blank(*at))
        return malformed(f, "a line of the header is folded: it begins with a blank");
    if (++f->fields_ > HEADERS_MAX)
        return refuse(f, WHY_HEADERS_TOO_LARGE, "more than 100 header fields");
    f->name_len_ = f->text_len_ = 0;
    f->at_ = AT_NAME;
    return skip(0);
}

static bool
named(const struct frame *f, const char *name, size_t len)
{
    return f->name_len_ == len && memcmp(f->name_, name, len) == 0;
}
#define IS(f, name) named(f, name, sizeof(name) - 1)

struct step
read_name(struct frame *f, const char *at, size_t len)
{
    size_t n = run_of(at, len, TOKEN);

    for (size_t i = 0; i < n && f->name_len_ < sizeof f->name_; i++)
        f->name_[f->name_len_++] = (char)(at[i] >= 'A' && at[i] <= 'Z' ? at[i] | 0x20 : at[i]);
    if (n < len && (at[n] != ':' || f->name_len_ == 0))
        return malformed(f, "a line of the header has no name before a colon");
    if (n < len) {
        f->at_ = AT_VALUE;
        f->matters_ = IS(f, "content-length") || IS(f, "transfer-encoding");
        n++;
    }
    return count(f, n) ? (struct step){n, f->in_trailer_ ? 0 : n} : skip(0);
}

/* Twice is as bad as often. */
static void
once_more(unsigned char *n)
{
    if (*n < 2)
        (*n)++;
}

/* One that is no number, or too large for any body, is refused as such; what text_ has no room
 * for is too large. */
static void
end_length(struct frame *f)
{
    size_t len = f->text_len_ < sizeof f->text_ ? f->text_len_ : sizeof f->text_;

    once_more(&f->lengths_);
    f->length_ = f->text_len_ > len ? INT64_MAX : 0;
    if (len == 0)
        malformed(f, "Content-Length is no number");
    for (size_t i = 0; i < len; i++) {
        if (f->text_[i] < '0' || f->text_[i] > '9')
            malformed(f, "Content-Length is no number");
        else if (f->length_ < INT64_MAX / 100)
            f->length_ = f->length_ * 10 + (f->text_[i] - '0');
    }
}

static void
end_field(struct frame *f)
{
    if (f->in_trailer_)
        return;
    if (IS(f, "host")) {
        once_more(&f->hosts_);
    } else if (IS(f, "content-length")) {
        end_length(f);
    } else if (IS(f, "transfer-encoding")) {
        once_more(&f->codings_);
        f->is_chunked_ = f->text_len_ == 7 && strncasecmp(f->text_, "chunked", 7) == 0;
    }
}

/* The blanks at the end of a piece are held back: if the line ends behind them they are no part
 * of the value, and MHD would take them for one. */
struct step
read_value(struct frame *f, const char *at, size_t len)
{
    size_t n = run_of(at, len, TEXT), kept = n;

    while (kept > 0 && is_blank(at[kept - 1]))
        kept--;
    if (n < len && !is_eol(at[n]))
        return malformed(f, "the value of a header field has a control byte");
    if (f->matters_)
        gather(f, at, kept);
    if (n == len) {
        f->held = n - kept;
        if (f->len_ + f->held > HEAD_MAX)
            return refuse(f, WHY_HEADERS_TOO_LARGE, "the header has more than 8192 bytes");
        return count(f, kept) ? (struct step){n, f->in_trailer_ ? 0 : kept} : skip(0);
    }
    end_field(f);
    (void)end_line(f, AT_LINE, f->in_trailer_);
    return count(f, n) ? (struct step){n, f->in_trailer_ ? 0 : kept} : skip(0);
}

size_t
keep_blanks(struct frame *f, const char *at)
{
    if (f->matters_)
        gather(f, at, f->held);
    return count(f, f->held) && !f->in_trailer_ ? f->held : 0;
}

/* What is wrong with a whole head; NULL: nothing. */
static const char *
wrong_head(const struct frame *f)
{
    if (f->hosts_ > 1 || (f->hosts_ == 0 && !f->http10_))
        return "exactly one Host is needed";
    if (f->lengths_ > 1)
        return "more than one Content-Length";
    if (f->codings_ > 1)
        return "more than one Transfer-Encoding";
    if (f->lengths_ && f->codings_)
        return "both Content-Length and Transfer-Encoding";
    if (f->codings_ && f->http10_)
        return "Transfer-Encoding in HTTP/1.0";
    return NULL;
}

void
end_head(struct frame *f)
{
    const char *wrong = f->in_trailer_ ? NULL : wrong_head(f);

    f->len_ = 0;
    if (wrong)
        malformed(f, wrong);
    else if (f->codings_ && !f->is_chunked_)
        refuse(f, WHY_NOT_IMPLEMENTED, "the only transfer coding is chunked");
    else if (f->length_ > f->body_most)
        too_large(f);
    if (f->why)
        return;
    f->left_ = f->length_;
    f->strict_ = f->codings_ > 0 && !f->in_trailer_;
    if (f->strict_)
        begin_chunk(f);
    else if (f->left_ > 0 && !f->in_trailer_)
        f->at_ = AT_BODY;
    else
        end_request(f);
}
