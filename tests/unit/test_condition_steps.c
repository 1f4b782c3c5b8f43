/* test_condition_steps.c - lib/condition.c: a thread comes to wait at any instruction of a notify, and gets as far as any of its own.
 *
 * Both run under the processor's trap flag: after each instruction comes a SIGTRAP.  In the k-th of
 * the notify the newcomer is let in, who stops in the j-th of his wait; then the notify goes on to
 * its end, or until it needs him to, and after that he does.  Whatever k and j are, the next
 * notify, under the lock, must wake him.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/condition.h>
#include <bobbin/thread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <ucontext.h>

#include <cmocka.h>

#include "sanitized.h"
#include "unit/asleep.h"

#if defined(__x86_64__) && !defined(SANITIZED)
#define HAS_STEPS 1
#endif

#ifdef HAS_STEPS

enum { TRAP_FLAG = 0x100, STEPS_MOST = 2000 };
/* Of k, and of j, which starts elsewhere each time: so both go through whatever lasts as long. */
enum { STRIDE = 13 };

static struct bob_lock lock = BOB_LOCK_INIT(NULL);
static struct bob_condition changed;
static bool first_may_go, newcomer_may_go;
static struct task_path newcomer_path, notifier_path;

/* One that goes step by step: the notify, and the newcomer's wait. */
struct walk {
    int stop_at, step;
    int is_there, may_go_on; /* atomic: at that step; from it */
};
static struct walk notify_walk, wait_walk;
static __thread struct walk *my_walk;
static int is_let_in, is_notified; /* atomic */

static void
set_flag(int *flag)
{
    __atomic_store_n(flag, 1, __ATOMIC_SEQ_CST);
}

static bool
is_flag_set(const int *flag)
{
    return __atomic_load_n(flag, __ATOMIC_SEQ_CST);
}

static void
until_set(const int *flag)
{
    while (!is_flag_set(flag))
        (void)sched_yield();
}

static void
until_it_stops(const struct walk *w, const struct task_path *path)
{
    while (!is_flag_set(&w->is_there) && !is_asleep(path))
        (void)sched_yield();
}

static void
after_a_step(int signal_number, siginfo_t *info, void *context)
{
    ucontext_t *there = context;
    struct walk *w = my_walk;

    (void)signal_number, (void)info;
    if (!w || ++w->step != w->stop_at)
        return;
    there->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG; /* the rest goes at a run */
    set_flag(&w->is_there);
    until_set(&w->may_go_on);
}

static void
walk(struct walk *w)
{
    uint64_t flags;

    my_walk = w;
    __asm__ volatile("pushfq\n\tpopq %0" : "=r"(flags)::"memory");
    __asm__ volatile("pushq %0\n\tpopfq" ::"r"(flags | TRAP_FLAG) : "memory", "cc");
}

static void
run(void)
{
    uint64_t flags;

    __asm__ volatile("pushfq\n\tpopq %0" : "=r"(flags)::"memory");
    __asm__ volatile("pushq %0\n\tpopfq" ::"r"(flags & ~(uint64_t)TRAP_FLAG) : "memory", "cc");
    my_walk = NULL;
}

static void *
be_first(void *arg)
{
    bob_lock_hold(&lock);
    while (!first_may_go)
        assert_int_equal(bob_condition_wait(&changed, &lock, BOB_FOREVER), BOB_OK);
    (void)bob_lock_release(&lock);
    return arg;
}

static void *
be_newcomer(void *arg)
{
    enum bob_err err;

    until_set(&is_let_in);
    bob_lock_hold(&lock);
    walk(&wait_walk);
    err = bob_condition_wait(&changed, &lock, BOB_FOREVER);
    run();
    while (!err && !newcomer_may_go)
        err = bob_condition_wait(&changed, &lock, BOB_FOREVER);
    (void)bob_lock_release(&lock);
    return err ? NULL : arg;
}

/* When the notify stops, lets the newcomer go as far as he may, and then the notify go on; and him,
 * once that is over or wants a lock that he holds. */
static void *
be_usher(void *arg)
{
    until_set(&notify_walk.is_there);
    set_flag(&is_let_in);
    until_it_stops(&wait_walk, &newcomer_path);
    set_flag(&notify_walk.may_go_on);
    while (!is_flag_set(&is_notified) && !is_asleep(&notifier_path))
        (void)sched_yield();
    set_flag(&wait_walk.may_go_on);
    return arg;
}

static void
set_under_the_lock(bool *may_go)
{
    bob_lock_hold(&lock);
    *may_go = true;
    if (may_go == &newcomer_may_go)
        bob_condition_notify_all(&changed);
    (void)bob_lock_release(&lock);
}

struct reached {
    bool k, j;
};

/* The notify stops at its step @k, and what the newcomer does meanwhile at his step @j; tells which of the two got so far. */
static struct reached
newcomer_is_woken(int k, int j, void (*notify)(struct bob_condition *))
{
    struct bob_thread *first, *newcomer, *usher;
    struct task_path first_path;
    struct reached reached;

    bob_condition_init(&changed);
    first_may_go = newcomer_may_go = false;
    is_let_in = is_notified = 0;
    notify_walk = (struct walk){.stop_at = k};
    wait_walk = (struct walk){.stop_at = j};
    assert_int_equal(bob_thread_start(&first, "first", be_first, NULL, NULL), BOB_OK);
    assert_int_equal(bob_thread_start(&newcomer, "newcomer", be_newcomer, NULL, NULL), BOB_OK);
    assert_int_equal(bob_thread_start(&usher, "usher", be_usher, NULL, NULL), BOB_OK);
    first_path = task_path(first);
    notifier_path = task_path(bob_thread_current());
    newcomer_path = task_path(newcomer);
    until_asleep(&first_path);

    set_under_the_lock(&first_may_go);
    walk(&notify_walk);
    notify(&changed); /* without the lock: the header allows it */
    run();
    set_flag(&is_notified);
    reached.k = is_flag_set(&notify_walk.is_there);
    set_flag(&notify_walk.is_there);            /* else the newcomer comes now */
    until_it_stops(&wait_walk, &newcomer_path); /* or has stopped, and gone on */
    reached.j = is_flag_set(&wait_walk.is_there);

    assert_int_equal(bob_thread_join(first, bob_in_seconds(20), NULL), BOB_OK);
    until_asleep(&newcomer_path);
    set_under_the_lock(&newcomer_may_go);
    if (bob_thread_join(newcomer, bob_in_seconds(20), NULL))
        fail_msg("step %d of the notify, step %d of the wait: it sleeps, though it was notified", k,
                 j);
    bob_thread_free(usher);
    bob_thread_free(newcomer);
    bob_thread_free(first);
    bob_condition_fini(&changed);
    return reached;
}

static void
wakes_who_comes_at_any_step(void (*notify)(struct bob_condition *))
{
    struct sigaction action = {.sa_sigaction = after_a_step, .sa_flags = SA_SIGINFO}, before;
    struct reached reached = {true, true};
    int k, j = 0;

    assert_int_equal(sigaction(SIGTRAP, &action, &before), 0);
    for (k = 1; reached.k; k += STRIDE) {
        for (j = 1 + k / STRIDE % STRIDE, reached.j = true; reached.j; j += STRIDE)
            reached = newcomer_is_woken(k, j, notify);
        assert_true(k < STEPS_MOST && j < STEPS_MOST);
    }
    assert_true(k > 10 && j > 10); /* they did go step by step */
    assert_int_equal(sigaction(SIGTRAP, &before, NULL), 0);
}

static void
who_comes_at_any_step_of_a_notify_is_woken_by_the_next(void **state)
{
    (void)state;
    wakes_who_comes_at_any_step(bob_condition_notify);
}

static void
who_comes_at_any_step_of_a_notify_all_is_woken_by_the_next(void **state)
{
    (void)state;
    wakes_who_comes_at_any_step(bob_condition_notify_all);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_comes_at_any_step_of_a_notify_is_woken_by_the_next),
        cmocka_unit_test(who_comes_at_any_step_of_a_notify_all_is_woken_by_the_next),
    };

    return cmocka_run_group_tests_name("condition_steps", tests, NULL, NULL);
}

#else

int
main(void)
{
    (void)puts("1..0 # SKIP no trap flag here, or a sanitizer, which takes ten times the steps");
    return 0;
}

#endif
