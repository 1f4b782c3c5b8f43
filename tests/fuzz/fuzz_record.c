/* fuzz_record.c - a damaged record is an end or "not sound", never a read outside it.
 *
 * SPDX-License-Identifier: MIT */
#include "fuzz/fuzz.h"

#include <string.h>

#include "store/record.h"

FUZZ(record)
{
    unsigned char copy[4096];
    const unsigned char *at = NULL;
    struct field field;
    struct record r;
    size_t sum = 0;

    while (record_next(data, size, &at, &field)) {
        promise(at > data && at <= data + size);
        for (size_t i = 0; field.is_text && i < field.len; i++)
            sum += (unsigned char)field.text[i];
    }
    (void)record_sound(data, size);

    /* What is written is read back. */
    record_start(&r, copy, sizeof copy);
    record_int(&r, 'n', (int64_t)sum);
    record_text(&r, 't', (const char *)data, size);
    size_t len = record_end(&r);
    if (len == 0)
        return 0;
    at = NULL;
    promise(record_sound(copy, len) && record_next(copy, len, &at, &field));
    promise(field.tag == 'n' && !field.is_text && field.n == (int64_t)sum);
    promise(record_next(copy, len, &at, &field) && field.tag == 't' && field.len == size);
    promise(size == 0 || memcmp(field.text, data, size) == 0);
    promise(!record_next(copy, len, &at, &field));
    return 0;
}
