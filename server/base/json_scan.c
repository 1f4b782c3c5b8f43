/* json_scan.c - the grammar of RFC 8259, to the letter; see json_scan.h.
 *
 * SPDX-License-Identifier: MIT */
#include "base/json_scan.h"

#include <string.h>

#include "base/hex.h"
#include "base/json.h"
#include "base/utf8.h"

static bool
bad(struct scan *s, const char *what)
{
    fault_set(s->fault, WHY_INVALID, "JSON, byte %zu: %s", (size_t)(s->at - s->start) + 1, what);
    return false;
}

/* The next byte, or -1 at the end. */
static int
peek(const struct scan *s)
{
    return s->at < s->end ? (unsigned char)*s->at : -1;
}

bool
scan_take(struct scan *s, int byte)
{
    if (peek(s) != byte)
        return false;
    s->at++;
    return true;
}

void
scan_space(struct scan *s)
{
    while (scan_take(s, ' ') || scan_take(s, '\t') || scan_take(s, '\n') || scan_take(s, '\r'))
        ;
}

static bool
word(struct scan *s, const char *text)
{
    size_t len = strlen(text);

    if ((size_t)(s->end - s->at) < len || memcmp(s->at, text, len) != 0)
        return bad(s, "a value expected");
    s->at += len;
    return true;
}

static bool
digits(struct scan *s)
{
    const char *from = s->at;

    while (peek(s) >= '0' && peek(s) <= '9')
        s->at++;
    return s->at > from || bad(s, "a digit expected");
}

static bool
number(struct scan *s)
{
    scan_take(s, '-');
    if (scan_take(s, '0')) {
        if (peek(s) >= '0' && peek(s) <= '9')
            return bad(s, "a number with a leading zero");
    } else if (!digits(s)) {
        return false;
    }
    if (scan_take(s, '.') && !digits(s))
        return false;
    if (scan_take(s, 'e') || scan_take(s, 'E')) {
        if (!scan_take(s, '+'))
            scan_take(s, '-');
        return digits(s);
    }
    return true;
}

/* Four hexadecimal digits; -1 when they are not. */
static int
hex4(struct scan *s)
{
    int n = 0;

    for (int i = 0; i < 4; i++, s->at++) {
        int digit = hex_digit(peek(s));

        if (digit < 0)
            return -1;
        n = n * 16 + digit;
    }
    return n;
}

static bool
escape(struct scan *s)
{
    int c = peek(s);

    if (c < 0 || !strchr("\"\\/bfnrtu", c) || c == 0)
        return bad(s, "no such escape");
    s->at++;
    if (c != 'u')
        return true;

    int unit = hex4(s);
    if (unit < 0)
        return bad(s, "\\u wants four hexadecimal digits");
    if (unit == 0)
        return bad(s, "a text with a NUL in it");
    if (unit < 0xD800 || unit > 0xDFFF)
        return true;
    if (unit > 0xDBFF || !scan_take(s, '\\') || !scan_take(s, 'u'))
        return bad(s, "half of a surrogate pair");
    unit = hex4(s);
    return (unit >= 0xDC00 && unit <= 0xDFFF) || bad(s, "half of a surrogate pair");
}

static bool
string(struct scan *s)
{
    if (!scan_take(s, '"'))
        return bad(s, "a text in double quotes expected");
    while (!scan_take(s, '"')) {
        int c = peek(s);

        if (c < 0)
            return bad(s, "a text without its end");
        if (c < 0x20)
            return bad(s, "a control byte in a text");
        if (scan_take(s, '\\')) {
            if (!escape(s))
                return false;
            continue;
        }
        size_t len = utf8_char(s->at, (size_t)(s->end - s->at));
        if (len == 0)
            return bad(s, "not UTF-8");
        s->at += len;
    }
    return true;
}

bool
scan_name(struct scan *s)
{
    scan_space(s);
    if (!string(s))
        return false;
    scan_space(s);
    return scan_take(s, ':') || bad(s, "a ':' expected");
}

/* The members of an object ('}') or array (']'), whose opening bracket has been read. */
static bool
members(struct scan *s, int close)
{
    scan_space(s);
    if (scan_take(s, close))
        return true;
    do {
        if ((close == '}' && !scan_name(s)) || !scan_value(s))
            return false;
        scan_space(s);
    } while (scan_take(s, ','));
    return scan_take(s, close) ||
           bad(s, close == '}' ? "a ',' or '}' expected" : "a ',' or ']' expected");
}

bool
scan_value(struct scan *s)
{
    bool good;

    scan_space(s);
    if (++s->nodes > JSON_NODES_MAX)
        return bad(s, "more than 10000 values");
    switch (peek(s)) {
    case '{':
    case '[':
        if (++s->depth > JSON_DEPTH_MAX)
            return bad(s, "deeper than 64 levels");
        good = members(s, *s->at++ == '{' ? '}' : ']');
        s->depth--;
        return good;
    case '"':
        return string(s);
    case 't':
        return word(s, "true");
    case 'f':
        return word(s, "false");
    case 'n':
        return word(s, "null");
    case -1:
        return bad(s, "a value expected, the text is over");
    default:
        if (peek(s) == '-' || (peek(s) >= '0' && peek(s) <= '9'))
            return number(s);
        return bad(s, "a value expected");
    }
}
_Static_assert(JSON_NODES_MAX == 10000 && JSON_DEPTH_MAX == 64, "the sentences above say so");

bool
scan_end(struct scan *s)
{
    scan_space(s);
    return s->at == s->end || bad(s, "something after the end of the document");
}
