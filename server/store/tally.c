/* tally.c - see tally.h.  As bytes: its numbers in the order of the struct, lowest byte first, then a check over them.
 *
 * SPDX-License-Identifier: MIT */
#include "store/tally.h"

#include <endian.h>
#include <string.h>

#include "store/check.h"

enum { NUMBERS = TALLY_LEN / sizeof(uint64_t) - 1 };
_Static_assert(sizeof(struct tally) == NUMBERS * sizeof(uint64_t), "numbers and nothing else");

void
tally_start(struct tally *t)
{
    *t = (struct tally){.base = CHECK_START, .last_check = CHECK_START};
}

void
tally_add(struct tally *t, const struct change *c, uint64_t *ret_check)
{
    t->last_check = check_change(t->last_check, c);
    t->last_seq = c->seq;
    *ret_check = t->last_check;
}

void
tally_trim(struct tally *t, uint64_t last_check)
{
    t->base = last_check;
}

void
tally_put(struct tally *t, uint64_t check)
{
    t->objects++;
    t->objects_sum += check;
}

void
tally_drop(struct tally *t, uint64_t check)
{
    t->objects--;
    t->objects_sum -= check;
}

void
tally_write(const struct tally *t, unsigned char ret[TALLY_LEN])
{
    uint64_t number[NUMBERS + 1];

    memcpy(number, t, sizeof *t);
    for (int i = 0; i < NUMBERS; i++)
        number[i] = htole64(number[i]);
    number[NUMBERS] = htole64(check_mix(CHECK_START, number, sizeof *t));
    memcpy(ret, number, TALLY_LEN);
}

bool
tally_read(struct tally *ret, const void *data, size_t len)
{
    uint64_t number[NUMBERS + 1];

    if (len != TALLY_LEN)
        return false;
    memcpy(number, data, TALLY_LEN);
    if (le64toh(number[NUMBERS]) != check_mix(CHECK_START, number, sizeof *ret))
        return false;
    for (int i = 0; i < NUMBERS; i++)
        number[i] = le64toh(number[i]);
    memcpy(ret, number, sizeof *ret);
    return true;
}
