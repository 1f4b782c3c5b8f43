/* replay.c - gives every fuzz target its committed corpus, without libFuzzer: what was found once is looked for at each make check.
 *
 * SPDX-License-Identifier: MIT */
#include "fuzz/fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

enum { INPUT_MOST = 65536 };

/* clang-format off */
#define TARGETS(X) \
    X(address) X(coord) X(frame) X(guard) X(json) X(names) X(params) X(record) X(route) X(sse) X(units)
/* clang-format on */
#define X(name) fuzz_fn fuzz_##name;
TARGETS(X)
#undef X

static const struct {
    const char *name;
    fuzz_fn *fn;
} targets[] = {
#define X(name) {#name, fuzz_##name},
    TARGETS(X)
#undef X
};
enum { N_TARGETS = sizeof targets / sizeof targets[0] };

/* A copy of just the right size, so that AddressSanitizer sees a byte too far. */
static void
give(fuzz_fn *fn, const char *path)
{
    static uint8_t whole[INPUT_MOST];
    FILE *file = fopen(path, "rb");
    size_t len = file ? fread(whole, 1, sizeof whole, file) : 0;
    uint8_t *copy = malloc(len ? len : 1);

    promise(file && copy);
    memcpy(copy, whole, len);
    (void)fn(copy, len);
    free(copy);
    (void)fclose(file);
}

/* How many inputs there were. */
static int
replay(const char *folder, fuzz_fn *fn)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    char path[4096];
    int n = 0;

    while (dir && (entry = readdir(dir))) {
        if (*entry->d_name == '.')
            continue;
        (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        (void)printf("# %s\n", path);
        (void)fflush(stdout); /* the last one named is the one that crashed */
        give(fn, path);
        n++;
    }
    if (dir)
        (void)closedir(dir);
    return n;
}

int
main(void)
{
    const char *srcdir = getenv("srcdir");
    char folder[2048];

    (void)printf("1..%d\n", N_TARGETS);
    for (int i = 0; i < N_TARGETS; i++) {
        (void)snprintf(folder, sizeof folder, "%s/tests/fuzz/corpus/%s", srcdir ? srcdir : ".",
                       targets[i].name);
        int n = replay(folder, targets[i].fn);

        (void)printf("%sok %d - %s: %d inputs\n", n ? "" : "not ", i + 1, targets[i].name, n);
    }
    return 0;
}
