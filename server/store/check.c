/* check.c - see check.h.  FNV-1a, but by words of eight bytes.  For a given word each step maps what there was so far onto another
 * number and no two onto the same, and for what there was so far no two words onto the same; so whatever changed within one word
 * changes the result, for certain and not only very likely.
 *
 * SPDX-License-Identifier: MIT */
#include "store/check.h"

#include <endian.h>
#include <string.h>

#define PRIME UINT64_C(0x100000001b3)

static uint64_t
mix_word(uint64_t so_far, uint64_t word)
{
    so_far = (so_far ^ word) * PRIME;
    return so_far ^ so_far >> 32; /* the high bits reach the low ones, which a product never does */
}

uint64_t
check_mix(uint64_t so_far, const void *data, size_t len)
{
    const unsigned char *at = data;
    uint64_t word;

    for (; len >= sizeof word; len -= sizeof word, at += sizeof word) {
        memcpy(&word, at, sizeof word);
        so_far = mix_word(so_far, le64toh(word));
    }
    word = 0;
    for (size_t i = 0; i < len; i++)
        word |= (uint64_t)at[i] << 8 * i;
    return len ? mix_word(so_far, word) : so_far;
}

uint64_t
check_change(uint64_t before, const struct change *c)
{
    uint64_t check = mix_word(before, c->seq);

    check = mix_word(check, c->kind_len);
    check = mix_word(check, c->name_len);
    check = mix_word(check, c->record ? c->len : UINT64_MAX);
    check = check_mix(check, c->kind, c->kind_len);
    check = check_mix(check, c->name, c->name_len);
    return c->record ? check_mix(check, c->record, c->len) : check;
}
