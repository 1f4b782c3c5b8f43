/* semaphore.c - two tills, five customers: a semaphore lets no more in than there are permits.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/lock.h>
#include <bobbin/semaphore.h>
#include <bobbin/thread.h>
#include <stdio.h>

enum { TILLS = 2, CUSTOMERS = 5 };

static struct bob_semaphore *tills;
static struct bob_lock lock = BOB_LOCK_INIT(NULL);
static int paying, most, served; /* under lock */

static void *
pay(void *arg)
{
    (void)arg;
    if (bob_semaphore_acquire(tills, bob_in_seconds(30)))
        return NULL;
    bob_lock_hold(&lock);
    paying++;
    if (paying > most)
        most = paying;
    bob_lock_release(&lock);

    bob_lock_hold(&lock);
    paying--;
    served++;
    bob_lock_release(&lock);
    bob_semaphore_release(tills, 1);
    return NULL;
}

int
main(void)
{
    struct bob_thread *customers[CUSTOMERS];

    tills = bob_semaphore_new_bounded(TILLS);
    if (!tills)
        return 1;
    for (int i = 0; i < TILLS; i++)
        if (bob_semaphore_acquire(tills, BOB_AT_ONCE))
            return 1;
    printf("both tills are closed, one more: %s\n",
           bob_strerror(bob_semaphore_acquire(tills, BOB_AT_ONCE)));

    for (int i = 0; i < CUSTOMERS; i++)
        if (bob_thread_start(&customers[i], "customer", pay, NULL, NULL))
            return 1;
    bob_lock_hold(&lock);
    printf("they open; served before: %d\n", served);
    bob_lock_release(&lock);
    bob_semaphore_release(tills, TILLS);
    for (int i = 0; i < CUSTOMERS; i++)
        bob_thread_free(customers[i]);

    printf("served: %d, never more than %d at once: %s\n", served, TILLS,
           most <= TILLS ? "yes" : "no");
    printf("a third till, given back: %s\n", bob_strerror(bob_semaphore_release(tills, 1)));
    bob_semaphore_free(tills);
    return 0;
}
