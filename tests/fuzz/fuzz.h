/* fuzz.h - one target for each parser that reads what a stranger wrote, or a damaged disk.
 *
 *     FUZZ(json)                     // tests/fuzz/fuzz_json.c; its corpus: tests/fuzz/corpus/json
 *     {
 *         ... data[0 ... size - 1] is any bytes; abort when a promise is broken ...
 *         return 0;
 *     }
 *
 * Built by run.sh it is libFuzzer's target; with REPLAY, a function that replay.c gives the corpus to (make check).
 *
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

typedef int fuzz_fn(const uint8_t *data, size_t size);

#ifdef REPLAY
#define FUZZ(name)                                                                                 \
    fuzz_fn fuzz_##name;                                                                           \
    int fuzz_##name(const uint8_t *data, size_t size)
#else
#define FUZZ(name)                                                                                 \
    fuzz_fn LLVMFuzzerTestOneInput;                                                                \
    int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
#endif

/* A promise: what does not hold is a crash, and so a finding. */
static inline void
promise(int holds)
{
    if (!holds)
        abort();
}

#endif
