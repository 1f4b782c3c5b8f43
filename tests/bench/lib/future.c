/* future.c - what futures cost in memory, counted by standing in front of malloc; no peer.
 *
 *     future-bytes          asked for by bob_future_new
 *     submit-bytes          asked for by a submit with a future, and its share of what is allocated for several
 *     submit-allocations    made by it
 *
 * All futures are kept until the end, so that none lives on memory of another.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/executor.h>
#include <stdbool.h>
#include <stddef.h>

#include "measure.h"

enum { FUTURES = 10000 };

static size_t allocations, bytes; /* atomic */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static void
count(size_t size)
{
    __atomic_add_fetch(&allocations, 1, __ATOMIC_RELAXED);
    __atomic_add_fetch(&bytes, size, __ATOMIC_RELAXED);
}

void *
malloc(size_t size)
{
    count(size);
    return __libc_malloc(size);
}

void *
calloc(size_t n, size_t size)
{
    count(n * size);
    return __libc_calloc(n, size);
}

void *
realloc(void *old, size_t size)
{
    count(size);
    return __libc_realloc(old, size);
}

void *
aligned_alloc(size_t alignment, size_t size)
{
    count(size);
    return __libc_memalign(alignment, size);
}

int
posix_memalign(void **ret, size_t alignment, size_t size)
{
    count(size);
    *ret = __libc_memalign(alignment, size);
    return *ret ? 0 : 12; /* ENOMEM */
}

static struct {
    size_t allocations, bytes;
} before;

static void
begin(void)
{
    before.allocations = __atomic_load_n(&allocations, __ATOMIC_RELAXED);
    before.bytes = __atomic_load_n(&bytes, __ATOMIC_RELAXED);
}

/* Prints what each of FUTURES took since begin(). */
static void
end(const char *what)
{
    double n = (double)(__atomic_load_n(&allocations, __ATOMIC_RELAXED) - before.allocations);
    double size = (double)(__atomic_load_n(&bytes, __ATOMIC_RELAXED) - before.bytes);

    (void)printf("%s-allocations bobbin %.2f\n", what, n / FUTURES);
    (void)printf("%s-bytes bobbin %.1f\n", what, size / FUTURES);
}

static enum bob_err
same(void *arg, void **ret_value)
{
    *ret_value = arg;
    return BOB_OK;
}

static struct bob_future *future[FUTURES];

/* Submits and waits for each. */
static void
submit_all(struct bob_executor *x)
{
    int i;

    for (i = 0; i < FUTURES; i++)
        must(!bob_executor_submit(x, same, NULL, &future[i]) &&
                 !bob_future_result(future[i], BOB_FOREVER, NULL),
             "submit");
}

static void
unref_all(void)
{
    int i;

    for (i = 0; i < FUTURES; i++)
        bob_future_unref(future[i]);
}

int
main(void)
{
    const struct bob_executor_options options = {.max_workers = 2};
    struct bob_executor *x = bob_executor_new("bench", &options);
    struct bob_future *f = NULL;
    int i;

    must(x && !bob_executor_submit(x, same, NULL, &f) && !bob_future_result(f, BOB_FOREVER, NULL),
         "executor");
    bob_future_unref(f);
    (void)setvbuf(stdout, NULL, _IONBF, 0); /* so that stdio allocates nothing */

    begin();
    for (i = 0; i < FUTURES; i++)
        must((future[i] = bob_future_new()) != NULL, "bob_future_new");
    end("future");
    unref_all();

    begin();
    submit_all(x);
    end("submit");
    unref_all();
    bob_executor_free(x);
    return 0;
}
