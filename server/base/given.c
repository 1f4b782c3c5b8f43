/* given.c - see given.h.
 *
 * Whole numbers are read from their digits: a double takes 9007199254740990.6 for a whole number, and
 * 9007199254740993 for another one.
 *
 * SPDX-License-Identifier: MIT */
#include "base/given.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "base/json.h"

/* Above what any number of zeros in a body could bring back into the range. */
enum { EXPONENT_MOST = 1000000000 };

/* A decimal number as m * 10^power; m does not end in zero, but for 0 itself. */
struct decimal {
    int64_t m, power;
    bool negative, big; /* m is beyond int64_t */
};

static bool
is_digit(const char *at, const char *end)
{
    return at < end && *at >= '0' && *at <= '9';
}

static void
times_ten(struct decimal *d, int64_t times)
{
    for (; times > 0 && d->m != 0 && !d->big; times--)
        d->big = __builtin_mul_overflow(d->m, 10, &d->m);
}

/* Adds the digits from *@at on to @d, whose last @*zeros are not in m yet.  Returns how many there are. */
static int64_t
digits(const char **at, const char *end, struct decimal *d, int64_t *zeros)
{
    const char *from = *at;

    for (; is_digit(*at, end); (*at)++) {
        if (**at == '0') {
            (*zeros)++;
            continue;
        }
        times_ten(d, *zeros + 1);
        d->big = d->big || __builtin_add_overflow(d->m, **at - '0', &d->m);
        *zeros = 0;
    }
    return *at - from;
}

static bool
exponent(const char *at, const char *end, int64_t *ret)
{
    bool negative = at < end && *at == '-';
    int64_t n = 0;

    at += at < end && (*at == '-' || *at == '+');
    if (!is_digit(at, end))
        return false;
    for (; is_digit(at, end); at++)
        n = n < EXPONENT_MOST ? n * 10 + *at - '0' : n;
    *ret = negative ? -n : n;
    return at == end;
}

/* False: it is no number. */
static bool
decimal(const char *at, size_t len, struct decimal *d)
{
    const char *end = at + len;
    int64_t zeros = 0, fraction = 0, power = 0;

    d->negative = at < end && *at == '-';
    at += d->negative;
    if (digits(&at, end, d, &zeros) == 0)
        return false;
    if (at < end && *at == '.') {
        at++;
        if ((fraction = digits(&at, end, d, &zeros)) == 0)
            return false;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        if (!exponent(at + 1, end, &power))
            return false;
        at = end;
    }
    d->power = zeros - fraction + power;
    return at == end;
}

static bool
whole(const char *at, size_t len, int64_t *ret)
{
    struct decimal d = {0};

    if (!decimal(at, len, &d))
        return false;
    if (d.power < 0 && (d.m != 0 || d.big))
        return false;
    times_ten(&d, d.power);
    if (d.big)
        *ret = d.negative ? INT64_MIN : INT64_MAX;
    else
        *ret = d.negative ? -d.m : d.m;
    return true;
}

/* What is to be read: the JSON as it stands, else the text. */
static struct json_slice
words(const struct given *g)
{
    assert(g->json.at || g->text);
    return g->json.at ? g->json : (struct json_slice){g->text, strlen(g->text)};
}

static bool
is(struct json_slice s, const char *word)
{
    return s.len == strlen(word) && memcmp(s.at, word, s.len) == 0;
}

bool
given_null(const struct given *g)
{
    return g->json.at && *g->json.at == 'n';
}

bool
given_object(const struct given *g)
{
    return g->json.at && *g->json.at == '{';
}

bool
given_whole(const struct given *g, int64_t *ret)
{
    struct json_slice s = words(g);

    if (!g->json.at && s.at[(*s.at == '-') + strspn(s.at + (*s.at == '-'), "0123456789")])
        return false; /* people write digits: 1e3 is a slip of the hand */
    return whole(s.at, s.len, ret);
}

/* Behind the last digit stands what is none: the end of a text, or what ends a member. */
bool
given_number(const struct given *g, double *ret)
{
    struct json_slice s = words(g);

    if (!json_is_number(s.at, s.len))
        return false;
    double n = strtod(s.at, NULL);
    if (!isfinite(n))
        return false;
    *ret = n;
    return true;
}

bool
given_duration(const struct given *g, int64_t *ret_ns)
{
    double seconds;

    if (g->text) {
        bool negative = *g->text == '-';

        if (!duration_parse(g->text + negative, ret_ns))
            return false;
        *ret_ns = negative ? -*ret_ns : *ret_ns;
        return true;
    }
    if (!given_number(g, &seconds))
        return false;
    *ret_ns = fabs(seconds) < 9e9 ? (int64_t)llround(seconds * 1e9)
              : seconds < 0       ? INT64_MIN
                                  : INT64_MAX;
    return true;
}

bool
given_size(const struct given *g, int64_t *ret_bytes)
{
    return g->text ? bytes_size_parse(g->text, ret_bytes) : given_whole(g, ret_bytes);
}

bool
given_bool(const struct given *g, bool *ret)
{
    struct json_slice s = words(g);
    bool yes = is(s, "true") || (!g->json.at && is(s, "1"));

    if (!yes && !is(s, "false") && (g->json.at || !is(s, "0")))
        return false;
    *ret = yes;
    return true;
}
