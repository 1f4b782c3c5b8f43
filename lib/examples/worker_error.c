/* worker_error.c - an error in a worker crosses to who asked: its code, a sentence, and where it came from.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/executor.h>
#include <bobbin/thread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum bob_err
parse(void *arg, void **ret_value)
{
    const char *text = arg;
    char *end;
    long number = strtol(text, &end, 10);

    if (!*text || *end)
        return bob_fail(BOB_ERR_INVALID, "\"%s\" is no number", text);
    *ret_value = (void *)number;
    return BOB_OK;
}

static void
log_uncaught(const struct bob_uncaught *uncaught, void *arg)
{
    (void)arg;
    printf("nobody asked %s, so the hook is told: %s\n", uncaught->thread_name,
           uncaught->failure.message);
}

int
main(void)
{
    char texts[][4] = {"17", "4x", "", "?"};
    struct bob_executor_options options = {.max_workers = 1};
    struct bob_executor *x = bob_executor_new("parser", &options);

    if (!x)
        return 1;
    for (int i = 0; i < 3; i++) {
        struct bob_future *f;
        struct bob_failure failure;
        void *value;

        if (bob_executor_submit(x, parse, texts[i], &f))
            return 1;
        enum bob_err err = bob_future_result(f, BOB_FOREVER, &value);
        if (!err)
            printf("%ld\n", (long)value);
        else if (bob_future_failure(f, &failure))
            printf("%s: %s (%s)\n", bob_strerror(failure.code), failure.message, failure.origin);
        bob_future_unref(f);
    }
    bob_set_excepthook(log_uncaught, NULL); /* or: one line to standard error */
    if (bob_executor_submit(x, parse, texts[3], NULL))
        return 1;
    bob_executor_free(x);
    return 0;
}
