/* as_completed.c - results as they come, and not in the order in which they were asked for.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/event.h>
#include <bobbin/executor.h>
#include <stdio.h>

enum { SHIPS = 3 };

static struct ship {
    const char *name;
    struct bob_event arrived;
} ships[SHIPS] = {{.name = "Anna"}, {.name = "Berta"}, {.name = "Clara"}};

static enum bob_err
sail(void *arg, void **ret_value)
{
    struct ship *ship = arg;

    *ret_value = ship;
    return bob_event_wait(&ship->arrived, bob_in_seconds(30));
}

static void
report(struct bob_future *f, void *arg)
{
    (void)f;
    bob_event_set(arg);
}

int
main(void)
{
    struct bob_executor_options options = {.max_workers = SHIPS};
    struct bob_executor *x = bob_executor_new("ship", &options);
    struct bob_future *futures[SHIPS], *f;
    size_t n_done;

    if (!x)
        return 1;
    for (int i = 0; i < SHIPS; i++) {
        bob_event_init(&ships[i].arrived);
        if (bob_executor_submit(x, sail, &ships[i], &futures[i]))
            return 1;
    }
    /* The wind: Clara comes first, and when she is there Anna, then Berta. */
    if (bob_future_add_done_callback(futures[2], report, &ships[0].arrived) ||
        bob_future_add_done_callback(futures[0], report, &ships[1].arrived))
        return 1;
    enum bob_err err = bob_future_wait(futures, SHIPS, BOB_FIRST_COMPLETED, bob_in_ms(20), &n_done);
    printf("no wind: %s, %zu are there\n", bob_strerror(err), n_done);
    struct bob_as_completed *harbour = bob_as_completed_new(futures, SHIPS); /* before they come */
    bob_event_set(&ships[2].arrived);

    while (harbour && !bob_as_completed_next(harbour, bob_in_seconds(30), &f)) {
        void *ship;
        if (!bob_future_result(f, BOB_AT_ONCE, &ship))
            printf("%s is there\n", ((struct ship *)ship)->name);
    }
    bob_as_completed_free(harbour);

    for (int i = 0; i < SHIPS; i++)
        bob_future_unref(futures[i]);
    bob_executor_free(x);
    return 0;
}
