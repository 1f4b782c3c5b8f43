/* start_join.c - start a thread, go on with something else, and join it for its result.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/thread.h>
#include <stdio.h>

struct sum {
    int from, to;
    long total;
};

static void *
add_up(void *arg)
{
    struct sum *sum = arg;

    for (int i = sum->from; i <= sum->to; i++)
        sum->total += i;
    return &sum->total; /* what join gives */
}

int
main(void)
{
    struct sum sum = {.from = 1, .to = 1000};
    struct bob_thread *t;
    void *result;

    enum bob_err err = bob_thread_start(&t, "adder", add_up, &sum, NULL);
    if (err) {
        fprintf(stderr, "no thread: %s\n", bob_strerror(err));
        return 1;
    }
    printf("main: \"%s\" adds up %d to %d\n", bob_thread_name(t), sum.from, sum.to);

    err = bob_thread_join(t, bob_in_seconds(30), &result); /* BOB_ERR_TIMEOUT: it still runs */
    if (!err)
        printf("main: it says %ld\n", *(long *)result);
    printf("main: it is %s\n", bob_thread_is_alive(t) ? "alive" : "over");
    bob_thread_free(t);
    return err != BOB_OK;
}
