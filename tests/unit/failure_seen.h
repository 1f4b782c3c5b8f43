/* failure_seen.h - a failure as it is seen: by who asks the future of its work, and by the hook for those nobody asks for.
 *
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_FAILURE_SEEN_H
#define TESTS_FAILURE_SEEN_H

#include <bobbin/future.h>
#include <bobbin/thread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Once it is done; @f must have ended with @code. */
static inline struct bob_failure
failure_of(struct bob_future *f, enum bob_err code)
{
    struct bob_failure failure = {BOB_OK, NULL, NULL};

    assert_int_equal(bob_future_result(f, bob_in_seconds(20), NULL), code);
    assert_true(bob_future_failure(f, &failure));
    assert_int_equal(failure.code, code);
    return failure;
}

/* What the hook was told last, and how often since it was set. */
static struct {
    int calls;
    enum bob_err code;
    char message[64], thread[32];
} told;

static inline void
write_down(const struct bob_uncaught *uncaught, void *arg)
{
    (void)arg;
    told.calls++;
    told.code = uncaught->failure.code;
    (void)snprintf(told.message, sizeof told.message, "%s", uncaught->failure.message);
    (void)snprintf(told.thread, sizeof told.thread, "%s", uncaught->thread_name);
}

static inline void
hook_set(void)
{
    memset(&told, 0, sizeof told);
    bob_set_excepthook(write_down, NULL);
}

#endif
