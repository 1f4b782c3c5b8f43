/* record.c - see record.h.  A record is a version byte, then fields: one byte of tag, its top bit set for a text, then a
 * varint (7 bits a byte, lowest first): a number folded so that small negative ones stay short, or a text's length and
 * its bytes.  The version byte keeps an empty record apart from none; a record of another version is not sound.
 *
 * SPDX-License-Identifier: MIT */
#include "store/record.h"

#include <assert.h>
#include <string.h>

enum { RECORD_VERSION = 1, TEXT_BIT = 0x80, VARINT_MAX = 10 };

static void
put_byte(struct record *r, unsigned byte)
{
    if (r->at_ == r->end_)
        r->failed_ = true;
    else
        *r->at_++ = (unsigned char)byte;
}

static void
put_varint(struct record *r, uint64_t n)
{
    for (; n >= 0x80; n >>= 7)
        put_byte(r, (unsigned)(n & 0x7f) | 0x80);
    put_byte(r, (unsigned)n);
}

static void
put_tag(struct record *r, char tag, unsigned type)
{
    assert(tag > 0); /* ASCII: the top bit is the type's */
    put_byte(r, (unsigned)tag | type);
}

void
record_start(struct record *r, void *buf, size_t cap)
{
    r->start_ = r->at_ = buf;
    r->end_ = r->start_ + cap;
    r->failed_ = false;
    put_byte(r, RECORD_VERSION);
}

void
record_int(struct record *r, char tag, int64_t n)
{
    put_tag(r, tag, 0);
    put_varint(r, (uint64_t)n << 1 ^ (n < 0 ? UINT64_MAX : 0));
}

void
record_text(struct record *r, char tag, const char *text, size_t len)
{
    put_tag(r, tag, TEXT_BIT);
    put_varint(r, len);
    if (r->failed_ || (size_t)(r->end_ - r->at_) < len) {
        r->failed_ = true;
        return;
    }
    if (len > 0)
        memcpy(r->at_, text, len);
    r->at_ += len;
}

size_t
record_end(struct record *r)
{
    return r->failed_ ? 0 : (size_t)(r->at_ - r->start_);
}

static bool
get_varint(const unsigned char **at, const unsigned char *end, uint64_t *ret)
{
    uint64_t n = 0;

    for (int i = 0; i < VARINT_MAX && *at < end; i++) {
        unsigned byte = *(*at)++;

        if (i == VARINT_MAX - 1 && byte > 1)
            return false; /* more than 64 bits */
        n |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            *ret = n;
            return true;
        }
    }
    return false;
}

bool
record_next(const void *data, size_t len, const unsigned char **at, struct field *ret)
{
    const unsigned char *start = data, *end = start + len;
    const unsigned char *p = *at;
    struct field f = {0};
    uint64_t n;

    if (!p) {
        if (len == 0 || start[0] != RECORD_VERSION)
            return false;
        p = start + 1;
    }
    if (p == end || (*p & ~TEXT_BIT) == 0)
        return false;
    f.is_text = *p & TEXT_BIT;
    f.tag = (char)(*p++ & ~TEXT_BIT);
    if (!get_varint(&p, end, &n))
        return false;
    if (f.is_text) {
        if (n > (size_t)(end - p))
            return false;
        f.text = (const char *)p;
        f.len = (size_t)n;
        p += n;
    } else {
        f.n = (int64_t)(n >> 1 ^ (n & 1 ? UINT64_MAX : 0));
    }
    *at = p;
    *ret = f;
    return true;
}

bool
record_sound(const void *data, size_t len)
{
    const unsigned char *start = data, *at = NULL;
    struct field f;

    if (len == 0 || start[0] != RECORD_VERSION)
        return false;
    while (record_next(data, len, &at, &f))
        ;
    return at ? at == start + len : len == 1;
}
