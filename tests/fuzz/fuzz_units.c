/* fuzz_units.c - durations and sizes: refused, or in range, and the same again once printed.
 *
 * SPDX-License-Identifier: MIT */
#include "fuzz/fuzz.h"

#include <string.h>

#include "base/clock.h"
#include "base/config.h"

FUZZ(units)
{
    char text[128], shown[UNIT_TEXT_LEN];
    int64_t n, again;

    if (size >= sizeof text)
        return 0;
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    if (duration_parse(text, &n)) {
        promise(n >= 0);
        duration_text(shown, n);
        promise(duration_parse(shown, &again) && again == n / NS_PER_MS * NS_PER_MS);
    }
    if (bytes_size_parse(text, &n)) {
        promise(n >= 0);
        bytes_size_text(shown, n);
        promise(bytes_size_parse(shown, &again) && again == n);
    }
    return 0;
}
