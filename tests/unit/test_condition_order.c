/* test_condition_order.c - lib/condition.c: as many come back as were notified, the longest waiting
 * first, wherever each is between its unlock and its sleep.
 *
 * This program stands between the library and the kernel: each waiter whose bit is in `held` is
 * kept at the door of its sleep, the lock given up, until the notify is over.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/condition.h>
#include <bobbin/thread.h>
#include <dlfcn.h>
#include <linux/futex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "unit/asleep.h"

enum { WAITERS_MAX = 8 };

struct waiter {
    struct bob_thread *thread;
    struct task_path path;
    bool is_held;
    int is_at_door; /* atomic */
    int came_back;  /* atomic: in which phase, or 0 */
};

static struct bob_lock lock = BOB_LOCK_INIT(NULL);
static struct bob_condition changed;
static struct waiter waiters[WAITERS_MAX];
static int phase;        /* under the lock */
static int door_is_open; /* atomic */
static __thread struct waiter *me;

static int
look(const int *flag)
{
    return __atomic_load_n(flag, __ATOMIC_SEQ_CST);
}

static void
set(int *flag, int value)
{
    __atomic_store_n(flag, value, __ATOMIC_SEQ_CST);
}

/* Before libc's. */
long
syscall(long number, ...)
{
    static long (*next)(long, ...);
    long a[6];
    va_list args;

    va_start(args, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(args, long);
    va_end(args);
    if (me && number == SYS_futex && (a[1] & FUTEX_CMD_MASK) == FUTEX_WAIT_BITSET) {
        set(&me->is_at_door, 1);
        while (me->is_held && !look(&door_is_open))
            (void)sched_yield();
    }
    if (!next)
        next = (long (*)(long, ...))(uintptr_t)dlsym(RTLD_NEXT, "syscall");
    return next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static void *
wait_once(void *arg)
{
    struct waiter *w = arg;

    bob_lock_hold(&lock);
    me = w;
    assert_int_equal(bob_condition_wait(&changed, &lock, BOB_FOREVER), BOB_OK);
    me = NULL;
    set(&w->came_back, phase);
    (void)bob_lock_release(&lock);
    return arg;
}

static int
in_phase(int n, int which)
{
    int found = 0;

    for (int i = 0; i < n; i++)
        found += look(&waiters[i].came_back) == which;
    return found;
}

static void
notify_in_phase(int which, unsigned n)
{
    bob_lock_hold(&lock);
    phase = which;
    bob_condition_notify_n(&changed, n);
    (void)bob_lock_release(&lock);
}

/* Of @n that wait, those of the bits @held on their way to sleep, @k are notified. */
static void
the_first_come_back(int n, unsigned held, int k)
{
    bob_condition_init(&changed);
    set(&door_is_open, 0);
    phase = 0;
    for (int i = 0; i < n; i++) {
        waiters[i] = (struct waiter){.is_held = held >> i & 1};
        assert_int_equal(
            bob_thread_start(&waiters[i].thread, "waiter", wait_once, &waiters[i], NULL), BOB_OK);
        waiters[i].path = task_path(waiters[i].thread);
        while (!look(&waiters[i].is_at_door)) /* so they come in turn */
            (void)sched_yield();
        if (!waiters[i].is_held)
            until_asleep(&waiters[i].path);
    }
    notify_in_phase(1, (unsigned)k);
    set(&door_is_open, 1);
    while (in_phase(n, 1) < k)
        (void)sched_yield();
    for (int i = 0; i < n; i++)
        while (!look(&waiters[i].came_back) && !is_asleep(&waiters[i].path))
            (void)sched_yield();

    notify_in_phase(2, WAITERS_MAX);
    for (int i = 0; i < n; i++)
        assert_int_equal(bob_thread_join(waiters[i].thread, bob_in_seconds(60), NULL), BOB_OK);
    for (int i = 0; i < n; i++) {
        bob_thread_free(waiters[i].thread);
        if (look(&waiters[i].came_back) != (i < k ? 1 : 2))
            fail_msg("%d wait, held %#x, %d notified: number %d came back in phase %d, %d in all",
                     n, held, k, i, look(&waiters[i].came_back), in_phase(n, 1));
    }
    bob_condition_fini(&changed);
}

static void
of_eight_on_their_way_to_sleep_one_comes_back(void **state)
{
    (void)state;
    the_first_come_back(WAITERS_MAX, 0xFF, 1);
}

static void
those_asleep_do_not_go_before_one_on_its_way(void **state)
{
    (void)state;
    the_first_come_back(WAITERS_MAX, 0x01, 1);
}

static void
wherever_each_is_the_first_come_back(void **state)
{
    enum { N = 4 };

    (void)state;
    for (unsigned held = 0; held < 1u << N; held++)
        for (int k = 1; k <= N; k++)
            the_first_come_back(N, held, k);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_eight_on_their_way_to_sleep_one_comes_back),
        cmocka_unit_test(those_asleep_do_not_go_before_one_on_its_way),
        cmocka_unit_test(wherever_each_is_the_first_come_back),
    };

    return cmocka_run_group_tests_name("condition_order", tests, NULL, NULL);
}
