/* test_rank.c - lib/rank.c and the misuse that aborts: each in a child, whose last words are read.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/condition.h>
#include <bobbin/event.h>
#include <bobbin/executor.h>
#include <bobbin/local.h>
#include <bobbin/lock.h>
#include <bobbin/rlock.h>
#include <bobbin/rwlock.h>
#include <bobbin/thread.h>
#include <bobbin/timer.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lockorder.h"

static const struct bob_lock_class outer = {"the outer", 10}, inner = {"the inner", 20};
static const struct bob_lock_class unranked = {"unranked", 0};

/* Runs @fn in a child; the words it left on standard error, and whether it died by SIGABRT. */
static bool
aborts(void (*fn)(void), char words[512])
{
    int ends[2], status = 0;
    size_t len = 0;
    ssize_t n;
    pid_t child;

    assert_int_equal(pipe(ends), 0);
    (void)fflush(NULL);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        static const struct rlimit no_core = {0, 0};

        (void)setrlimit(RLIMIT_CORE, &no_core);
        (void)signal(SIGABRT, SIG_DFL); /* cmocka's handler would jump */
        (void)dup2(ends[1], STDERR_FILENO);
        fn();
        _exit(0);
    }
    (void)close(ends[1]);
    while (len < 511 && (n = read(ends[0], words + len, 511 - len)) > 0)
        len += (size_t)n;
    words[len] = '\0';
    (void)close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void
inside_out(void)
{
    struct bob_lock a = BOB_LOCK_INIT(&outer), b = BOB_LOCK_INIT(&inner);

    bob_lock_hold(&b);
    bob_lock_hold(&a);
}

static void
two_of_one_class(void)
{
    struct bob_lock a = BOB_LOCK_INIT(&inner), b = BOB_LOCK_INIT(&inner);

    bob_lock_hold(&a);
    bob_lock_hold(&b);
}

static void
inside_out_without_waiting(void)
{
    struct bob_lock a = BOB_LOCK_INIT(&outer), b = BOB_LOCK_INIT(&inner);

    bob_lock_hold(&b);
    if (bob_lock_acquire(&a, BOB_AT_ONCE))
        return;
}

static void
users_lock_above_the_library(void)
{
    struct bob_lock a = BOB_LOCK_INIT(&outer), b = BOB_LOCK_INIT(LOCK_CLASS(L_THREAD));

    bob_lock_hold(&b);
    bob_lock_hold(&a);
}

static void
wait_under_a_higher_lock(void)
{
    struct bob_lock a = BOB_LOCK_INIT(&outer), b = BOB_LOCK_INIT(&inner);
    struct bob_condition c;

    bob_condition_init(&c);
    bob_lock_hold(&a);
    bob_lock_hold(&b);
    if (bob_condition_wait(&c, &a, bob_in_ms(1)))
        return;
}

static void
order_after_release_out_of_order(void)
{
    struct bob_lock a = BOB_LOCK_INIT(&outer), b = BOB_LOCK_INIT(&inner);

    bob_lock_hold(&a);
    bob_lock_hold(&b);
    (void)bob_lock_release(&a); /* allowed; b is still held, so a may not be taken again */
    bob_lock_hold(&a);
}

static void
hold_twice(void)
{
    struct bob_lock a = BOB_LOCK_INIT(&outer);

    bob_lock_hold(&a);
    bob_lock_hold(&a);
}

static void
wait_for_oneself_forever(void)
{
    struct bob_lock a = BOB_LOCK_INIT(NULL);

    bob_lock_hold(&a);
    if (bob_lock_acquire(&a, BOB_FOREVER))
        return;
}

static void
destroy_while_held(void)
{
    struct bob_lock a = BOB_LOCK_INIT(&outer);

    bob_lock_hold(&a);
    bob_lock_fini(&a);
}

static void
too_many_at_once(void)
{
    static struct bob_lock_class class[40];
    static struct bob_lock lock[40];

    for (int i = 0; i < 40; i++) {
        class[i] = (struct bob_lock_class){"one of many", i + 1};
        bob_lock_init(&lock[i], &class[i]);
        bob_lock_hold(&lock[i]);
    }
}

static void
rlock_inside_out(void)
{
    struct bob_rlock a = BOB_RLOCK_INIT(&outer), b = BOB_RLOCK_INIT(&inner);

    bob_rlock_hold(&b);
    bob_rlock_hold(&a);
}

static void
rlock_held_too_often(void)
{
    struct bob_rlock a = BOB_RLOCK_INIT(&outer);

    bob_rlock_hold(&a);
    a.depth_ = UINT_MAX;
    bob_rlock_hold(&a);
}

static void
rwlock_inside_out(void)
{
    struct bob_rwlock a = BOB_RWLOCK_INIT(&outer), b = BOB_RWLOCK_INIT(&inner);

    bob_rwlock_read_hold(&b);
    bob_rwlock_write_hold(&a);
}

static void
read_twice(void)
{
    struct bob_rwlock a = BOB_RWLOCK_INIT(&outer);

    bob_rwlock_read_hold(&a);
    bob_rwlock_read_hold(&a);
}

static void
write_twice_without_rank(void)
{
    struct bob_rwlock a = BOB_RWLOCK_INIT(NULL);

    bob_rwlock_write_hold(&a);
    bob_rwlock_write_hold(&a);
}

static void
destroy_while_read(void)
{
    struct bob_rwlock a = BOB_RWLOCK_INIT(&outer);

    bob_rwlock_read_hold(&a);
    bob_rwlock_fini(&a);
}

struct waited_for {
    struct bob_lock lock;
    struct bob_condition c;
    bool waits;
};

static void *
wait_forever(void *arg)
{
    struct waited_for *s = arg;

    bob_lock_hold(&s->lock);
    s->waits = true;
    (void)!bob_condition_wait(&s->c, &s->lock, BOB_FOREVER);
    return NULL;
}

static void
destroy_while_waited_for(void)
{
    static struct waited_for s;
    struct bob_thread *t;
    bool waits = false;

    if (bob_thread_start(&t, "waiter", wait_forever, &s, NULL))
        return;
    while (!waits) {
        bob_lock_hold(&s.lock);
        waits = s.waits;
        (void)bob_lock_release(&s.lock);
    }
    bob_condition_fini(&s.c);
}

static struct bob_local *own;

static void
free_own(void *value)
{
    (void)value;
    bob_local_free(own);
}

static void
local_freed_by_its_own_destructor(void)
{
    own = bob_local_new(free_own);
    if (bob_local_set(own, &own) == BOB_OK)
        bob_local_free(own);
}

static enum bob_err
free_the_executor(void *x, void **ret_value)
{
    (void)ret_value;
    bob_executor_free(x);
    return BOB_OK;
}

static void
executor_freed_by_its_own_work(void)
{
    struct bob_executor *x = bob_executor_new("self", NULL);
    struct bob_future *f;

    if (x && bob_executor_submit(x, free_the_executor, x, &f) == BOB_OK)
        if (bob_future_result(f, bob_in_seconds(20), NULL))
            return;
}

static void
free_the_timers(void *ts)
{
    bob_timers_free(*(struct bob_timers **)ts);
}

static void
timers_freed_by_their_own_call(void)
{
    struct bob_timers *ts = bob_timers_new("self");
    struct bob_event never;

    bob_event_init(&never);
    if (ts && bob_timer_start(ts, BOB_AT_ONCE, 0, free_the_timers, &ts))
        if (bob_event_wait(&never, bob_in_seconds(20)))
            return;
}

static void
each_misuse_aborts_and_says_which(void **state)
{
    static const struct {
        const char *says;
        void (*fn)(void);
        const char *words;
    } T[] = {
        {"a wrong order", inside_out,
         "lock order: the outer (rank 10) is taken while holding the inner (rank 20)"},
        {"two of one class", two_of_one_class,
         "the inner (rank 20) is taken while holding the inner"},
        {"a wrong order, not waiting", inside_out_without_waiting, "lock order: the outer"},
        {"the library's locks are below", users_lock_above_the_library,
         "bobbin's L_THREAD (rank 10"},
        {"waiting under a higher lock", wait_under_a_higher_lock, "lock order: the outer"},
        {"releases may cross, holds not", order_after_release_out_of_order,
         "lock order: the outer"},
        {"holding twice", hold_twice, "the outer is taken by the thread that holds it"},
        {"waiting for oneself", wait_for_oneself_forever, "a lock is waited for, forever, by the"},
        {"destroying a held lock", destroy_while_held, "the outer is destroyed while it is held"},
        {"33 locks", too_many_at_once, "one of many (rank 33) is taken while holding 32 locks"},
        {"an rlock's wrong order", rlock_inside_out, "lock order: the outer"},
        {"an rlock's depth", rlock_held_too_often, "the outer is taken 4294967295 times by one"},
        {"an rwlock's wrong order", rwlock_inside_out, "lock order: the outer"},
        {"reading twice", read_twice, "the outer (rank 10) is taken while holding the outer"},
        {"writing twice", write_twice_without_rank, "an rwlock is waited for, forever, by the"},
        {"destroying what is read", destroy_while_read, "the outer is destroyed while it is held"},
        {"destroying under waiters", destroy_while_waited_for, "a condition is destroyed while"},
        {"a local's own free", local_freed_by_its_own_destructor, "a local is freed by its own"},
        {"an executor's own free", executor_freed_by_its_own_work, "executor self is freed by one"},
        {"timers' own free", timers_freed_by_their_own_call, "timers self are freed by a call"},
    };
    char words[512];

    (void)state;
    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        if (!aborts(T[i].fn, words))
            fail_msg("%s: no abort; said: %s", T[i].says, words);
        if (!strstr(words, T[i].words))
            fail_msg("%s: said: %s", T[i].says, words);
    }
}

static void
the_right_order_is_quiet(void **state)
{
    struct bob_lock a = BOB_LOCK_INIT(&outer), b = BOB_LOCK_INIT(&inner), lib;
    struct bob_lock free1 = BOB_LOCK_INIT(&unranked), free2 = BOB_LOCK_INIT(NULL);

    (void)state;
    bob_lock_init(&lib, LOCK_CLASS(L_EXECUTOR));
    for (int i = 0; i < 3; i++) {
        bob_lock_hold(&free2);
        bob_lock_hold(&a);
        bob_lock_hold(&b);
        bob_lock_hold(&lib);
        bob_lock_hold(&free1); /* unranked: anywhere */
        (void)bob_lock_release(&a);
        (void)bob_lock_release(&free2);
        (void)bob_lock_release(&free1);
        (void)bob_lock_release(&lib);
        bob_lock_hold(&lib);
        (void)bob_lock_release(&b);
        (void)bob_lock_release(&lib);
    }
    bob_lock_fini(&lib);
}

static void
the_librarys_ranks_grow_from_1000(void **state)
{
    static const struct bob_lock_class *const rows[] = {
#define X(cls, after) LOCK_CLASS(cls),
        LOCK_ORDER(X)
#undef X
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(rows[i]->rank, 1000 + i);
        assert_non_null(rows[i]->name);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_misuse_aborts_and_says_which),
        cmocka_unit_test(the_right_order_is_quiet),
        cmocka_unit_test(the_librarys_ranks_grow_from_1000),
    };

    return cmocka_run_group_tests_name("rank", tests, NULL, NULL);
}
