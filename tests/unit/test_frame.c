/* test_frame.c - http/frame.c: what a stream of bytes is taken for, in whatever pieces it comes.
 *
 * SPDX-License-Identifier: MIT */
#include "http/frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FACT(name) static void name(void **state __attribute__((unused)))
#define H "Host: h\r\n"
#define GET "GET / HTTP/1.1\r\n" H
#define POST "POST / HTTP/1.1\r\n" H
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"
/* A text with its length: some have a NUL. */
#define IS(text) text, sizeof(text) - 1

enum { BODY_MOST = 1000, ROOM = 32768 };

/* What comes of some bytes. */
struct seen {
    enum why why;
    const char *wrong;
    unsigned ended;
    size_t len;
    char out[ROOM];
    bool was_held[ROOM];
};

/* A tab that was held back comes out as a space. */
static bool
same(const struct seen *s, const char *out, size_t len)
{
    if (s->len != len)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (s->out[i] != out[i] && !(s->was_held[i] && out[i] == '\t'))
            return false;
    }
    return true;
}

/* Reads @in in pieces of which the first has @first bytes, and each other @each. */
static void
read_in_pieces(struct seen *s, const char *in, size_t len, size_t first, size_t each)
{
    struct frame f = {.body_most = BODY_MOST};
    char *buf = malloc(ROOM);
    size_t at = 0, n = first;

    *s = (struct seen){0};
    assert_non_null(buf);
    for (; at < len && !f.why; at += n, n = each) {
        size_t held = f.held;

        if (n > len - at)
            n = len - at;
        if (n == 0)
            continue;
        memcpy(buf + held, in + at, n);
        size_t kept = frame_read(&f, buf, held + n);
        memcpy(s->out + s->len, buf, kept);
        for (size_t i = 0; held > 0 && i < kept && buf[i] == ' '; i++)
            s->was_held[s->len + i] = true;
        s->len += kept;
        s->ended += f.ended;
    }
    s->why = f.why;
    s->wrong = f.wrong;
    free(buf);
}

/* clang-format off */
static const struct {
    const char *says;
    const char *in;
    size_t len;
    enum why why;
    unsigned ended;  /* requests that are whole */
    const char *out; /* what MHD reads of those that pass; NULL: what came */
} T[] = {
    {"a plain one",                 IS(GET "\r\n"), WHY_OK, 1, NULL},
    {"two at once",                 IS(GET "\r\n" GET "\r\n"), WHY_OK, 2, NULL},
    {"in HTTP/1.0 without a Host",  IS("GET / HTTP/1.0\r\n\r\n"), WHY_OK, 1, NULL},
    {"lines that LF alone ends",    IS("GET / HTTP/1.1\nHost: h\n\n"), WHY_OK, 1, NULL},
    {"empty lines before it",       IS("\r\n\n" GET "\r\n"), WHY_OK, 1, GET "\r\n"},
    {"some spaces before the path", IS("GET   / HTTP/1.1\r\n" H "\r\n"), WHY_OK, 1, "GET / HTTP/1.1\r\n" H "\r\n"},
    {"a whole URL",                 IS("GET http://h/x?y=1 HTTP/1.1\r\n" H "\r\n"), WHY_OK, 1, NULL},
    {"bytes above 127",             IS("GET /\xC3\xA9 HTTP/1.1\r\n" H "X: \xC3\xA9\r\n\r\n"), WHY_OK, 1, NULL},
    {"a tab in a value",            IS(GET "X: a\tb\r\n\r\n"), WHY_OK, 1, NULL},
    {"an empty value",              IS(GET "X:\r\n\r\n"), WHY_OK, 1, NULL},
    {"a value of blanks",           IS(GET "X: \t \r\n\r\n"), WHY_OK, 1, GET "X:\r\n\r\n"},
    {"blanks behind a value",       IS(GET "X: a b \t \r\n\r\n"), WHY_OK, 1, GET "X: a b\r\n\r\n"},
    {"a length",                    IS(POST "Content-Length: 2\r\n\r\n{}"), WHY_OK, 1, NULL},
    {"a length with blanks",        IS(POST "content-LENGTH: 2 \r\n\r\n{}" GET "\r\n"), WHY_OK, 2, POST "content-LENGTH: 2\r\n\r\n{}" GET "\r\n"},
    {"a length of nought",          IS(POST "Content-Length: 0\r\n\r\n" GET "\r\n"), WHY_OK, 2, NULL},
    {"a body with a head in it",    IS(POST "Content-Length: 4\r\n\r\n\r\n\r\n" GET "\r\n"), WHY_OK, 2, NULL},
    {"half a head",                 IS("GET / HTTP/1.1\r\nHo"), WHY_OK, 0, NULL},
    {"half a body",                 IS(POST "Content-Length: 4\r\n\r\n{}"), WHY_OK, 0, NULL},
    {"chunks",                      IS(CHUNKED "3\r\n{\"n\r\n4\r\n\":5}\r\n0\r\n\r\n" GET "\r\n"), WHY_OK, 2, NULL},
    {"chunked with a blank",        IS(POST "Transfer-Encoding: chunked \r\n\r\n0\r\n\r\n"), WHY_OK, 1, CHUNKED "0\r\n\r\n"},
    {"CHUNKED with tabs",           IS(POST "transfer-encoding:\tCHUNKED\t \r\n\r\n0\r\n\r\n"), WHY_OK, 1, POST "transfer-encoding:\tCHUNKED\r\n\r\n0\r\n\r\n"},
    {"a chunk's extension",         IS(CHUNKED "2;a=\"b;c\" ; d\r\n{}\r\n0 ;x\r\n\r\n"), WHY_OK, 1, CHUNKED "2\r\n{}\r\n0\r\n\r\n"},
    {"trailer fields",              IS(CHUNKED "0\r\nX: y \r\nContent-Length: 9\r\n\r\n" GET "\r\n"), WHY_OK, 2, CHUNKED "0\r\n\r\n" GET "\r\n"},
    {"a chunk of CR and LF",        IS(CHUNKED "4\r\n\r\n\r\n\r\n0\r\n\r\n"), WHY_OK, 1, NULL},

    {"a folded line",               IS(GET "X: a\r\n b\r\n\r\n"), WHY_BAD_REQUEST, 0, NULL},
    {"a folded length",             IS(POST "Content-Length:\r\n 65\r\n\r\n"), WHY_BAD_REQUEST, 0, NULL},
    {"a fold of a tab",             IS(GET "X: a\r\n\tb\r\n\r\n"), WHY_BAD_REQUEST, 0, NULL},
    {"a fold before any field",     IS("GET / HTTP/1.1\r\n X: a\r\n" H "\r\n"), WHY_BAD_REQUEST, 0, NULL},
    {"a fold behind a bare LF",     IS(GET "X: a\n b\r\n\r\n"), WHY_BAD_REQUEST, 0, NULL},
    {"a field of no name",          IS(GET ": x\r\n\r\n"), WHY_BAD_REQUEST, 0, NULL},
    {"a name that begins with NUL", IS(GET "\0: x\r\n\r\n"), WHY_BAD_REQUEST, 0, NULL},
    {"a line that is NUL",          IS(GET "\0\r\n\r\n"), WHY_BAD_REQUEST, 0, NULL},
    {"a line without a colon",      IS(GET "X\r\n\r\n"), WHY_BAD_REQUEST, 0, NULL},
    {"a blank before the colon",    IS(GET "Content-Length : 4\r\n\r\n"), WHY_BAD_REQUEST, 0, NULL},
    {"a bracket in a name",         IS(GET "X(y): x\r\n\r\n"), WHY_BAD_REQUEST, 0, NULL},
    {"a NUL in a Host",             IS("GET / HTTP/1.1\r\nHost: h\0.evil\r\n\r\n"), WHY_BAD_REQUEST, 0, NULL},
    {"a NUL in a length",           IS(POST "Content-Length: 2\0" "0\r\n\r\n{}"), WHY_BAD_REQUEST, 0, NULL},
    {"a NUL in a coding",           IS(POST "Transfer-Encoding: chunked\0x\r\n\r\n"), WHY_BAD_REQUEST, 0, NULL},
    {"a NUL in an Origin",          IS(GET "Origin: http://h\0.evil\r\n\r\n"), WHY_BAD_REQUEST, 0, NULL},
    {"a bell in a value",           IS(GET "X: \a\r\n\r\n"), WHY_BAD_REQUEST, 0, NULL},
    {"DEL in a value",              IS(GET "X: \x7F\r\n\r\n"), WHY_BAD_REQUEST, 0, NULL},
    {"a CR in a value",             IS(GET "X: a\rContent-Length: 9\r\n\r\n"), WHY_BAD_REQUEST, 0, NULL},
    {"a CR at the end of a line",   IS(GET "X: a\r\r\n\r\n"), WHY_BAD_REQUEST, 0, NULL},
    {"a CR at the end of the head", IS(GET "\rGET / HTTP/1.1\r\n\r\n"), WHY_BAD_REQUEST, 0, NULL},

    {"words behind the path",       IS("GET /livez x HTTP/1.1\r\n" H "\r\n"), WHY_BAD_REQUEST, 0, NULL},
    {"two spaces behind the path",  IS("GET /  HTTP/1.1\r\n" H "\r\n"), WHY_BAD_REQUEST, 0, NULL},
    {"no version",                  IS("GET /\r\n" H "\r\n"), WHY_BAD_REQUEST, 0, NULL},
    {"a version too long",          IS("GET / HTTP/1.1 \r\n" H "\r\n"), WHY_BAD_REQUEST, 0, NULL},
    {"another version",             IS("GET / HTTP/2.0\r\n" H "\r\n"), WHY_BAD_REQUEST, 0, NULL},
    {"a version in small letters",  IS("GET / http/1.1\r\n" H "\r\n"), WHY_BAD_REQUEST, 0, NULL},
    {"a method that is no token",   IS("G@T / HTTP/1.1\r\n" H "\r\n"), WHY_BAD_REQUEST, 0, NULL},
    {"a method of NUL",             IS("GET\0X / HTTP/1.1\r\n" H "\r\n"), WHY_BAD_REQUEST, 0, NULL},
    {"no method",                   IS(" / HTTP/1.1\r\n" H "\r\n"), WHY_BAD_REQUEST, 0, NULL},
    {"a tab for a space",           IS("GET\t/ HTTP/1.1\r\n" H "\r\n"), WHY_BAD_REQUEST, 0, NULL},
    {"a NUL in the path",           IS("GET /\0 HTTP/1.1\r\n" H "\r\n"), WHY_BAD_REQUEST, 0, NULL},
    {"the beginning of TLS",        IS("\x16\x03\x01\x02"), WHY_BAD_REQUEST, 0, NULL},

    {"no Host",                     IS("GET / HTTP/1.1\r\n\r\n"), WHY_BAD_REQUEST, 0, NULL},
    {"two Hosts",                   IS(GET "host: h\r\n\r\n"), WHY_BAD_REQUEST, 0, NULL},
    {"two Hosts in 1.0",            IS("GET / HTTP/1.0\r\n" H H "\r\n"), WHY_BAD_REQUEST, 0, NULL},
    {"two lengths",                 IS(POST "Content-Length: 1\r\nContent-Length: 2\r\n\r\n"), WHY_BAD_REQUEST, 0, NULL},
    {"the same length twice",       IS(POST "Content-Length: 1\r\ncontent-length: 1\r\n\r\n"), WHY_BAD_REQUEST, 0, NULL},
    {"a list of lengths",           IS(POST "Content-Length: 1, 1\r\n\r\n"), WHY_BAD_REQUEST, 0, NULL},
    {"a signed length",             IS(POST "Content-Length: +1\r\n\r\n"), WHY_BAD_REQUEST, 0, NULL},
    {"a hexadecimal length",        IS(POST "Content-Length: 0x1\r\n\r\n"), WHY_BAD_REQUEST, 0, NULL},
    {"an empty length",             IS(POST "Content-Length:\r\n\r\n"), WHY_BAD_REQUEST, 0, NULL},
    {"a length of blanks",          IS(POST "Content-Length:  \t\r\n\r\n"), WHY_BAD_REQUEST, 0, NULL},
    {"length and coding",           IS(POST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"), WHY_BAD_REQUEST, 0, NULL},
    {"two codings",                 IS(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"), WHY_BAD_REQUEST, 0, NULL},
    {"another coding",              IS(POST "Transfer-Encoding: gzip, chunked\r\n\r\n"), WHY_NOT_IMPLEMENTED, 0, NULL},
    {"identity",                    IS(POST "Transfer-Encoding: identity\r\n\r\n"), WHY_NOT_IMPLEMENTED, 0, NULL},
    {"chunked in 1.0",              IS("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), WHY_BAD_REQUEST, 0, NULL},
    {"a length too large",          IS(POST "Content-Length: 1001\r\n\r\n"), WHY_TOO_LARGE, 0, NULL},
    {"one of 2^64 + 1",             IS(POST "Content-Length: 18446744073709551617\r\n\r\n"), WHY_TOO_LARGE, 0, NULL},
    {"one of 40 digits",            IS(POST "Content-Length: 0000000000000000000000000000000000000001\r\n\r\n"), WHY_TOO_LARGE, 0, NULL},

    {"a chunk line of LF alone",    IS(CHUNKED "2\n{}\r\n0\r\n\r\n"), WHY_BAD_REQUEST, 0, NULL},
    {"a chunk that LF alone ends",  IS(CHUNKED "2\r\n{}\n0\r\n\r\n"), WHY_BAD_REQUEST, 0, NULL},
    {"a last chunk of LF alone",    IS(CHUNKED "0\n\r\n"), WHY_BAD_REQUEST, 0, NULL},
    {"a trailer of LF alone",       IS(CHUNKED "0\r\nX: y\n\r\n"), WHY_BAD_REQUEST, 0, NULL},
    {"an end of LF alone",          IS(CHUNKED "0\r\n\n"), WHY_BAD_REQUEST, 0, NULL},
    {"a folded trailer",            IS(CHUNKED "0\r\n x\r\n\r\n"), WHY_BAD_REQUEST, 0, NULL},
    {"a trailer without a name",    IS(CHUNKED "0\r\n: x\r\n\r\n"), WHY_BAD_REQUEST, 0, NULL},
    {"a chunk longer than it says", IS(CHUNKED "2\r\n{} \r\n0\r\n\r\n"), WHY_BAD_REQUEST, 0, NULL},
    {"a size that is none",         IS(CHUNKED "x\r\n\r\n"), WHY_BAD_REQUEST, 0, NULL},
    {"a size of nothing",           IS(CHUNKED "\r\n\r\n"), WHY_BAD_REQUEST, 0, NULL},
    {"an extension alone",          IS(CHUNKED ";x\r\n\r\n"), WHY_BAD_REQUEST, 0, NULL},
    {"a hexadecimal prefix",        IS(CHUNKED "0x2\r\n{}\r\n"), WHY_BAD_REQUEST, 0, NULL},
    {"a negative size",             IS(CHUNKED "-2\r\n"), WHY_BAD_REQUEST, 0, NULL},
    {"a size of 17 digits",         IS(CHUNKED "00000000000000002\r\n{}\r\n"), WHY_BAD_REQUEST, 0, NULL},
    {"a NUL in an extension",       IS(CHUNKED "2;a\0\r\n{}\r\n"), WHY_BAD_REQUEST, 0, NULL},
    {"a chunk too large",           IS(CHUNKED "3e9\r\n"), WHY_TOO_LARGE, 0, NULL},
    {"one of 2^64 - 1",             IS(CHUNKED "ffffffffffffffff\r\n"), WHY_TOO_LARGE, 0, NULL},
    {"chunks too large together",   IS(CHUNKED "2\r\n{}\r\n3e7\r\n"), WHY_TOO_LARGE, 0, NULL},

    {"a good one, then a bad one",  IS(GET "\r\nG@T / HTTP/1.1\r\n"), WHY_BAD_REQUEST, 1, NULL},
};
/* clang-format on */
enum { ROWS = sizeof T / sizeof T[0] };

static void
check(size_t i, const struct seen *s, size_t first, size_t each)
{
    const char *out = T[i].out ? T[i].out : T[i].in;
    size_t len = T[i].out ? strlen(T[i].out) : T[i].len;

    if (s->why != T[i].why || s->ended != T[i].ended || (s->why && !s->wrong))
        fail_msg("%s, cut at %zu and then each %zu: why %d (%s), %u requests", T[i].says, first,
                 each, s->why, s->wrong ? s->wrong : "", s->ended);
    if (!s->why && !same(s, out, len))
        fail_msg("%s, cut at %zu and then each %zu: %.*s", T[i].says, first, each, (int)s->len,
                 s->out);
}

FACT(bytes_mean_the_same_in_whatever_pieces_they_come)
{
    static struct seen s;

    for (size_t i = 0; i < ROWS; i++) {
        for (size_t first = 0; first <= T[i].len; first++) {
            read_in_pieces(&s, T[i].in, T[i].len, first, T[i].len);
            check(i, &s, first, T[i].len);
        }
        for (size_t each = 1; each <= 3; each++) {
            read_in_pieces(&s, T[i].in, T[i].len, each, each);
            check(i, &s, each, each);
        }
    }
}

/* MHD believes a head when it has the LF of its empty line: of one that is refused, it never
 * gets it. */
FACT(the_end_of_a_refused_request_is_not_handed_on)
{
    static struct seen s;

    for (size_t i = 0; i < ROWS; i++) {
        if (!T[i].why || T[i].ended || strncmp(T[i].in, CHUNKED, sizeof CHUNKED - 1) == 0)
            continue;
        read_in_pieces(&s, T[i].in, T[i].len, T[i].len, T[i].len);
        for (size_t at = 0; at + 3 < s.len; at++) {
            if (memcmp(s.out + at, "\r\n\r\n", 4) == 0)
                fail_msg("%s: %.*s", T[i].says, (int)s.len, s.out);
        }
    }
}

/* @before, then @n times @what, then @behind. */
static enum why
verdict(const char *before, const char *what, size_t n, const char *behind)
{
    static struct seen s;
    static char in[ROOM];
    size_t len = strlen(before), one = strlen(what);

    memcpy(in, before, len);
    for (; n > 0 && len + one < sizeof in / 2; n--, len += one)
        memcpy(in + len, what, one);
    memcpy(in + len, behind, strlen(behind));
    len += strlen(behind);
    read_in_pieces(&s, in, len, len, len);
    enum why whole = s.why;
    read_in_pieces(&s, in, len, 7, 7);
    assert_int_equal(s.why, whole);
    return whole;
}

FACT(what_is_too_much_is_told_so)
{
    assert_int_equal(verdict(GET, "X: y\r\n", HEADERS_MAX - 1, "\r\n"), WHY_OK);
    assert_int_equal(verdict(GET, "X: y\r\n", HEADERS_MAX, "\r\n"), WHY_HEADERS_TOO_LARGE);
    assert_int_equal(verdict("GET / HTTP/1.0\r\nX:", "y", HEAD_MAX - 22, "\r\n\r\n"), WHY_OK);
    assert_int_equal(verdict("GET / HTTP/1.0\r\nX:", "y", HEAD_MAX - 21, "\r\n\r\n"),
                     WHY_HEADERS_TOO_LARGE);
    assert_int_equal(verdict("GET / HTTP/1.0\r\nX:", " ", 2 * HEAD_MAX, ""), WHY_HEADERS_TOO_LARGE);
    assert_int_equal(verdict("", "\r\n", HEAD_MAX, GET "\r\n"), WHY_HEADERS_TOO_LARGE);
    assert_int_equal(verdict("GET /", "x", URI_MAX - 1, " HTTP/1.0\r\n\r\n"), WHY_OK);
    assert_int_equal(verdict("GET /", "x", URI_MAX, " HTTP/1.0\r\n\r\n"), WHY_URI_TOO_LONG);
    assert_int_equal(verdict("", "M", METHOD_MAX, " / HTTP/1.0\r\n\r\n"), WHY_OK);
    assert_int_equal(verdict("", "M", METHOD_MAX + 1, " / HTTP/1.0\r\n\r\n"), WHY_BAD_REQUEST);
    assert_int_equal(verdict(CHUNKED "0;", "x", EXTENSIONS_MAX - 1, "\r\n\r\n"), WHY_OK);
    assert_int_equal(verdict(CHUNKED "0;", "x", EXTENSIONS_MAX, "\r\n\r\n"), WHY_BAD_REQUEST);
    assert_int_equal(verdict(CHUNKED, "1;xxxxxxx\r\ny\r\n", EXTENSIONS_MAX / 8, "0\r\n\r\n"),
                     WHY_OK);
    assert_int_equal(verdict(CHUNKED, "1;xxxxxxx\r\ny\r\n", EXTENSIONS_MAX / 8 + 1, "0\r\n\r\n"),
                     WHY_BAD_REQUEST);
    assert_int_equal(verdict(CHUNKED "0\r\n", "X: y\r\n", HEADERS_MAX + 1, "\r\n"),
                     WHY_HEADERS_TOO_LARGE);
    assert_int_equal(verdict(CHUNKED, "1\r\ny\r\n", BODY_MOST, "0\r\n\r\n"), WHY_OK);
    assert_int_equal(verdict(CHUNKED, "1\r\ny\r\n", BODY_MOST + 1, "0\r\n\r\n"), WHY_TOO_LARGE);
}

FACT(limits_count_for_each_request_anew)
{
    static struct seen s;
    static char in[ROOM];
    size_t len = 0;

    for (int i = 0; i < 3; i++)
        len += (size_t)snprintf(in + len, sizeof in - len, "GET / HTTP/1.0\r\nX: %0*d\r\n\r\n",
                                6000, 0);
    read_in_pieces(&s, in, len, 100, 1000);
    assert_int_equal(s.why, WHY_OK);
    assert_int_equal(s.ended, 3);
}

/* MHD's buffer is full, and takes what does not fill it for all there is. */
FACT(what_follows_tells_whether_blanks_are_handed_on)
{
    struct frame f = {.body_most = BODY_MOST};
    char in[] = "GET / HTTP/1.1\r\nAccept: a, ", rest[] = "b\r\nTransfer-Encoding: chunked  ",
         at[2] = "??", end[] = "\r\n\r\n";
    size_t kept = 9;

    assert_int_equal(frame_read(&f, in, sizeof in - 1), sizeof in - 2);
    assert_int_equal(f.held, 1);
    assert_int_equal(frame_settle(&f, at, " \t ", 3, &kept), 3); /* nothing is known yet */
    assert_int_equal(kept, 0);
    assert_int_equal(f.held, 1);
    assert_int_equal(frame_settle(&f, at, " b", 2, &kept), 1);
    assert_int_equal(kept, 1);
    assert_memory_equal(at, " ?", 2);
    assert_int_equal(f.held, 0);

    assert_int_equal(frame_read(&f, rest, sizeof rest - 1), sizeof rest - 3);
    assert_int_equal(f.held, 2);
    assert_int_equal(frame_settle(&f, at, " \r\n", 3, &kept), 1);
    assert_int_equal(kept, 0);
    assert_int_equal(f.held, 0);
    (void)frame_read(&f, end, 4);
    assert_int_equal(f.why, WHY_BAD_REQUEST); /* no Host: the coding is a known one */
    assert_string_equal(f.wrong, "exactly one Host is needed");
}

FACT(blanks_that_are_thrown_away_count)
{
    static char blanks[HEAD_MAX];
    struct frame f = {.body_most = BODY_MOST};
    char in[] = "GET / HTTP/1.1\r\nAccept: a ", at[1];
    size_t kept;

    memset(blanks, ' ', sizeof blanks);
    (void)frame_read(&f, in, sizeof in - 1);
    assert_int_equal(frame_settle(&f, at, blanks, 4000, &kept), 4000);
    assert_int_equal(f.why, WHY_OK);
    (void)frame_settle(&f, at, blanks, sizeof blanks, &kept);
    assert_int_equal(f.why, WHY_HEADERS_TOO_LARGE);
}

FACT(a_refused_head_is_known_as_head)
{
    struct frame f = {.body_most = BODY_MOST};
    char in[] = "HEAD / HTTP/1.1\r\n: x";

    (void)frame_read(&f, in, sizeof in - 1);
    assert_int_equal(f.why, WHY_BAD_REQUEST);
    assert_true(f.is_head);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_mean_the_same_in_whatever_pieces_they_come),
        cmocka_unit_test(the_end_of_a_refused_request_is_not_handed_on),
        cmocka_unit_test(what_is_too_much_is_told_so),
        cmocka_unit_test(limits_count_for_each_request_anew),
        cmocka_unit_test(what_follows_tells_whether_blanks_are_handed_on),
        cmocka_unit_test(blanks_that_are_thrown_away_count),
        cmocka_unit_test(a_refused_head_is_known_as_head),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
