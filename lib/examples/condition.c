/* condition.c - a shelf for one thing, between who makes and who takes: each waits for the other's change.
 *
 * (A shelf for many is bobbin/queue.h.)
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/condition.h>
#include <bobbin/thread.h>
#include <stdio.h>

enum { THINGS = 5 };

static struct bob_lock lock = BOB_LOCK_INIT(NULL);
static struct bob_condition filled, emptied;
static int thing; /* under lock; 0: the shelf is empty */

static bool
is_full(void *arg)
{
    (void)arg;
    return thing != 0;
}
static bool
is_empty(void *arg)
{
    (void)arg;
    return thing == 0;
}

static void *
make(void *arg)
{
    (void)arg;
    for (int i = 1; i <= THINGS; i++) {
        bob_lock_hold(&lock);
        bob_condition_wait_for(&emptied, &lock, is_empty, NULL, BOB_FOREVER);
        thing = i * 10;
        bob_condition_notify(&filled);
        bob_lock_release(&lock);
    }
    return NULL;
}

int
main(void)
{
    struct bob_thread *maker;

    bob_condition_init(&filled);
    bob_condition_init(&emptied);
    if (bob_thread_start(&maker, "maker", make, NULL, NULL))
        return 1;
    for (int i = 0; i < THINGS; i++) {
        bob_lock_hold(&lock);
        if (bob_condition_wait_for(&filled, &lock, is_full, NULL, bob_in_seconds(30))) {
            printf("took %d\n", thing);
            thing = 0;
            bob_condition_notify(&emptied);
        }
        bob_lock_release(&lock);
    }
    bob_thread_free(maker);

    bob_lock_hold(&lock);
    bool more = bob_condition_wait_for(&filled, &lock, is_full, NULL, bob_in_ms(20));
    bob_lock_release(&lock);
    printf("one more within 20 ms: %s\n", more ? "yes" : "no");
    bob_condition_fini(&filled);
    bob_condition_fini(&emptied);
    return 0;
}
