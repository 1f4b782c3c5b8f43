/* json_write.c - the writer half of json.h: straight into the buffer, nothing allocated, no printf
 * on the way of a usual reply.
 *
 * SPDX-License-Identifier: MIT */
#include "base/json.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"

/* What a byte of a text needs: itself, a letter after a backslash, \u00XX (HEX), or a look at the
 * whole character (WIDE). */
enum { HEX = 1, WIDE = 2 };
/* clang-format off */
#define WIDE_ROW WIDE, WIDE, WIDE, WIDE, WIDE, WIDE, WIDE, WIDE, WIDE, WIDE, WIDE, WIDE, WIDE, WIDE, WIDE, WIDE
static const char escapes[256] = {
    HEX, HEX, HEX, HEX, HEX, HEX, HEX, HEX, 'b', 't', 'n', HEX, 'f', 'r', HEX, HEX,
    HEX, HEX, HEX, HEX, HEX, HEX, HEX, HEX, HEX, HEX, HEX, HEX, HEX, HEX, HEX, HEX,
    ['"'] = '"', ['\\'] = '\\', [0x7F] = HEX,
    [0x80] = WIDE_ROW, WIDE_ROW, WIDE_ROW, WIDE_ROW, WIDE_ROW, WIDE_ROW, WIDE_ROW, WIDE_ROW,
};
/* clang-format on */

/* bytes_add of one byte, without a call when there is room. */
static inline void
add_byte(struct bytes *b, char c)
{
    if ((b->len < b->cap && !b->failed) || bytes_room(b, 1))
        b->at[b->len++] = c;
}

/* True after a value has ended: what comes next needs a comma. */
static bool
value_ended(const struct bytes *b)
{
    if (b->len == 0)
        return false;
    char last = b->at[b->len - 1];
    return last == '"' || last == '}' || last == ']' || (last >= '0' && last <= '9') ||
           last == 'e' || last == 'l'; /* true, false, null */
}

/* One byte that is not itself: @left bytes of the text from @at on are there.  Returns how many it
 * used. */
static size_t
add_escaped(struct bytes *b, const char *at, size_t left)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char c = (unsigned char)*at;
    size_t len;

    switch (escapes[c]) {
    case WIDE:
        len = utf8_char(at, left);
        if (len == 0)
            bytes_add(b, "\xEF\xBF\xBD", 3); /* U+FFFD */
        else
            bytes_add(b, at, len);
        return len ? len : 1;
    case HEX:
        bytes_add(b, (char[]){'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]}, 6);
        return 1;
    default:
        bytes_add(b, (char[]){'\\', escapes[c]}, 2);
        return 1;
    }
}

/* The rest of a text, from its first byte that is not itself. */
static void
add_rest(struct bytes *b, const char *text, size_t len)
{
    for (size_t i = 0; i < len;) {
        size_t plain = i;

        while (plain < len && !escapes[(unsigned char)text[plain]])
            plain++;
        bytes_add(b, text + i, plain - i);
        i = plain;
        if (i < len)
            i += add_escaped(b, text + i, len - i);
    }
    add_byte(b, '"');
}

/* Nearly every text is plain: copied while it is looked at, in one go. */
static void
add_string(struct bytes *b, const char *text, size_t len)
{
    if (!bytes_room(b, len + 2))
        return;
    char *at = b->at + b->len;
    size_t i = 0;

    *at++ = '"';
    for (; i < len && !escapes[(unsigned char)text[i]]; i++)
        *at++ = text[i];
    if (i == len)
        *at++ = '"';
    b->len = (size_t)(at - b->at);
    if (i < len)
        add_rest(b, text + i, len - i);
}

/* The comma and the key before a value. */
static void
begin(struct bytes *b, const char *key)
{
    if (value_ended(b))
        add_byte(b, ',');
    if (key) {
        add_string(b, key, strlen(key));
        add_byte(b, ':');
    }
}

void
json_open(struct bytes *b, char bracket)
{
    json_open_in(b, NULL, bracket);
}

void
json_open_in(struct bytes *b, const char *key, char bracket)
{
    assert(bracket == '{' || bracket == '[');
    begin(b, key);
    add_byte(b, bracket);
}

void
json_close(struct bytes *b, char bracket)
{
    assert(bracket == '}' || bracket == ']');
    add_byte(b, bracket);
}

void
json_text(struct bytes *b, const char *key, const char *utf8)
{
    if (utf8)
        json_textn(b, key, utf8, strlen(utf8));
    else
        json_null(b, key);
}

void
json_textn(struct bytes *b, const char *key, const char *utf8, size_t len)
{
    begin(b, key);
    add_string(b, utf8, len);
}

void
json_int(struct bytes *b, const char *key, int64_t n)
{
    begin(b, key);
    bytes_add_i64(b, n);
}

void
json_uint(struct bytes *b, const char *key, uint64_t n)
{
    begin(b, key);
    bytes_add_u64(b, n);
}

void
json_seconds(struct bytes *b, const char *key, int64_t ns)
{
    uint64_t size = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
    uint64_t ms = size / 1000000 + (size % 1000000 >= 500000);
    unsigned part = (unsigned)(ms % 1000);

    begin(b, key);
    if (ns < 0 && ms > 0)
        add_byte(b, '-');
    bytes_add_u64(b, ms / 1000);
    bytes_add(b,
              (char[]){'.', (char)('0' + part / 100), (char)('0' + part / 10 % 10),
                       (char)('0' + part % 10)},
              4);
}

/* With as many digits as it takes to read the same number back: usually 15 do. */
void
json_number(struct bytes *b, const char *key, double n)
{
    char text[40];

    if (!isfinite(n)) {
        json_null(b, key);
        return;
    }
    begin(b, key);
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", digits, n);
        if (strtod(text, NULL) == n)
            break;
    }
    bytes_adds(b, text);
}

void
json_bool(struct bytes *b, const char *key, bool yes)
{
    begin(b, key);
    bytes_add(b, yes ? "true" : "false", yes ? 4 : 5);
}

void
json_null(struct bytes *b, const char *key)
{
    begin(b, key);
    bytes_add(b, "null", 4);
}

void
json_moment(struct bytes *b, const char *key, int64_t wall_ms)
{
    char text[CLOCK_TEXT_LEN];

    if (wall_ms == 0) {
        json_null(b, key);
        return;
    }
    clock_text(text, wall_ms);
    json_textn(b, key, text, CLOCK_TEXT_LEN - 1);
}

void
json_raw(struct bytes *b, const char *key, const char *json, size_t len)
{
    begin(b, key);
    bytes_add(b, json, len);
}
