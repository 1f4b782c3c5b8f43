/* units.c - durations and sizes as people write them; see config.h.  Whole numbers throughout: 2.5s
 * is exact.
 *
 * SPDX-License-Identifier: MIT */
#include "base/config.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"

struct unit {
    const char *name;
    int64_t worth;
};

/* Largest first. */
static const struct unit durations[] = {
    {"d", 86400 * NS_PER_SECOND}, {"h", 3600 * NS_PER_SECOND}, {"m", 60 * NS_PER_SECOND},
    {"s", NS_PER_SECOND},         {"ms", NS_PER_MS},           {NULL, 0},
};
static const struct unit sizes[] = {
    {"T", INT64_C(1) << 40}, {"G", 1 << 30}, {"M", 1 << 20}, {"K", 1 << 10}, {NULL, 0},
};

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The worth of the unit @name; 0: there is none. */
static int64_t
worth_of(const struct unit *units, const char *name)
{
    for (; units->name; units++) {
        if (strcmp(units->name, name) == 0)
            return units->worth;
    }
    return 0;
}

/* Reads digits at *@at and moves it behind them; false: there are none, or too many. */
static bool
read_whole(const char **at, int64_t *ret)
{
    int64_t n = 0;

    if (!is_digit(**at))
        return false;
    for (; is_digit(**at); (*at)++) {
        if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, **at - '0', &n))
            return false;
    }
    *ret = n;
    return true;
}

static bool
times_plus(int64_t n, int64_t worth, int64_t part, int64_t *ret)
{
    int64_t sum;

    if (__builtin_mul_overflow(n, worth, &sum) || __builtin_add_overflow(sum, part, &sum))
        return false;
    *ret = sum;
    return true;
}

bool
duration_parse(const char *text, int64_t *ret_ns)
{
    const char *fraction = NULL;
    int64_t n, part = 0;

    if (!read_whole(&text, &n))
        return false;
    if (*text == '.') {
        fraction = ++text;
        while (is_digit(*text))
            text++;
        if (text == fraction)
            return false;
    }
    int64_t worth = *text ? worth_of(durations, text) : NS_PER_SECOND;
    if (worth == 0)
        return false;
    /* Every unit can be divided by ten down to the nanosecond; later digits count for nothing. */
    for (int64_t place = worth / 10; fraction && fraction < text && place > 0; place /= 10)
        part += place * (*fraction++ - '0');
    return times_plus(n, worth, part, ret_ns);
}

bool
bytes_size_parse(const char *text, int64_t *ret_bytes)
{
    int64_t n;

    if (!read_whole(&text, &n))
        return false;
    int64_t worth = *text ? worth_of(sizes, text) : 1;
    return worth != 0 && times_plus(n, worth, 0, ret_bytes);
}

static void
unit_text(char ret_text[UNIT_TEXT_LEN], const struct unit *units, int64_t n)
{
    while (units->name && n % units->worth != 0)
        units++;
    if (!units->name || n == 0)
        (void)snprintf(ret_text, UNIT_TEXT_LEN, "%" PRId64, n);
    else
        (void)snprintf(ret_text, UNIT_TEXT_LEN, "%" PRId64 "%s", n / units->worth, units->name);
}

void
duration_text(char ret_text[UNIT_TEXT_LEN], int64_t ns)
{
    unit_text(ret_text, durations, ns / NS_PER_MS * NS_PER_MS);
}

void
bytes_size_text(char ret_text[UNIT_TEXT_LEN], int64_t bytes)
{
    unit_text(ret_text, sizes, bytes);
}
