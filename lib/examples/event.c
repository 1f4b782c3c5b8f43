/* event.c - three runners wait for the shot; one event lets all of them go.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/event.h>
#include <bobbin/semaphore.h>
#include <bobbin/thread.h>
#include <stdatomic.h>
#include <stdio.h>

enum { RUNNERS = 3 };

static struct bob_event shot;
static struct bob_semaphore *ready;
static atomic_int under_way;

static void *
run(void *arg)
{
    (void)arg;
    bob_semaphore_release(ready, 1);
    if (!bob_event_wait(&shot, bob_in_seconds(30)))
        under_way++;
    return NULL;
}

int
main(void)
{
    struct bob_thread *runners[RUNNERS];

    bob_event_init(&shot);
    ready = bob_semaphore_new(0);
    if (!ready)
        return 1;
    for (int i = 0; i < RUNNERS; i++)
        if (bob_thread_start(&runners[i], "runner", run, NULL, NULL))
            return 1;
    for (int i = 0; i < RUNNERS; i++)
        (void)!bob_semaphore_acquire(ready, BOB_FOREVER);
    printf("nobody shoots: %s\n", bob_strerror(bob_event_wait(&shot, bob_in_ms(20))));
    printf("under way: %d\n", under_way);

    bob_event_set(&shot);
    for (int i = 0; i < RUNNERS; i++)
        bob_thread_free(runners[i]);
    printf("shot: %s\n", bob_event_is_set(&shot) ? "yes" : "no");
    printf("under way: %d\n", under_way);

    bob_event_clear(&shot); /* for the next race */
    bob_event_fini(&shot);
    bob_semaphore_free(ready);
    return 0;
}
