/* test_crew.c - work/crew.c, by the threads that the hands have: how many there are, and when they end.
 *
 * SPDX-License-Identifier: MIT */
#include "hands_world.h"

#include <sched.h>

static int
hands_noting(const char *word)
{
    struct bob_thread_info list[64];
    size_t n = bob_thread_enumerate(list, 64);
    int found = 0;

    for (size_t i = 0; i < n && i < 64; i++)
        found += strcmp(list[i].role, "task") == 0 && strstr(list[i].note, word) != NULL;
    return found;
}

static void
as_many_threads_work_as_the_executor_has_hands_and_say_at_what(void **state)
{
    char note[TASK_ID_LEN + 8];
    struct shop s;
    uint64_t number[12];

    (void)state;
    shop_open(&s, 8);
    put(&s, "a", 4);
    for (int i = 0; i < 12; i++)
        number[i] = submit(&s, "a", "sleep", "{\"seconds\":3600}", 0);
    assert_int_equal(show(&s, "a").running, 4);
    for (bob_time until = bob_in_seconds(30); hands_noting(" sleep") < 4 && bob_now() < until;)
        (void)sched_yield();
    assert_int_equal(hands_noting(" sleep"), 4);
    task_id(note, number[0]);
    strcat(note, " sleep");
    assert_int_equal(hands_noting(note), 1);
    put(&s, "a", 6); /* more hands, at once */
    assert_int_equal(show(&s, "a").running, 6);
    for (int i = 0; i < 12; i++) {
        assert_int_equal(cancel(&s, number[i]), WHY_OK);
        assert_int_equal(ended(&s, number[i]), TASK_CANCELLED);
    }
    shop_close(&s);
}

/* Runs @n tasks on @executor at the same time, to their end: so that it has as many threads. */
static void
employ(struct shop *s, const char *executor, int n)
{
    uint64_t number[16];

    for (int i = 0; i < n; i++)
        number[i] = submit(s, executor, "sleep", "{\"seconds\":3600}", 0);
    for (bob_time until = bob_in_seconds(30); hands_noting(" sleep") < n && bob_now() < until;)
        (void)sched_yield();
    for (int i = 0; i < n; i++) {
        assert_int_equal(cancel(s, number[i]), WHY_OK);
        assert_int_equal(ended(s, number[i]), TASK_CANCELLED);
    }
}

/* A hand is busy a moment longer than its task, and a thread that was told to end lives for another: more may be told than need be. */
static void
tick_until(struct shop *s, bob_time since_now, int threads)
{
    for (bob_time until = bob_in_seconds(30); hands_noting("") > threads && bob_now() < until;) {
        work_tick(s->work, bob_now() + since_now);
        (void)sched_yield();
    }
    assert_true(hands_noting("") <= threads);
}

static void
threads_without_work_give_way_to_those_that_have_some(void **state)
{
    static const char *const executors[] = {"a", "b", "c", "d", "e"};
    struct shop s;
    uint64_t slow;

    (void)state;
    shop_open(&s, 4);
    for (int i = 0; i < 5; i++) {
        put(&s, executors[i], 4);
        employ(&s, executors[i], 4);
    }
    tick_until(&s, 0, 4);
    slow = submit(&s, "a", "sleep", "{\"seconds\":3600}", 0); /* one of its threads has work */
    employ(&s, "a", 3);
    employ(&s, "b", 3);
    tick_until(&s, 0, 4);
    assert_int_equal(cancel(&s, slow), WHY_OK);
    employ(&s, "a", 4); /* those that gave way come back */
    tick_until(&s, 0, 4);
    shop_close(&s);
}

static void
a_crew_without_work_for_a_minute_is_disbanded_by_the_clock_alone(void **state)
{
    struct shop s;

    (void)state;
    shop_open(&s, 8);
    put(&s, "a", 4);
    put(&s, "b", 4);
    employ(&s, "a", 2);
    employ(&s, "b", 3);
    work_tick(s.work, bob_now() + 50 * SECOND);
    assert_int_equal(hands_noting(""), 5);
    tick_until(&s, 61 * SECOND, 0);
    shop_close(&s);
}

static void
the_crew_of_an_executor_that_is_gone_is_disbanded_at_once(void **state)
{
    struct asking q;
    struct shop s;
    char name[16];

    (void)state;
    shop_open(&s, 40);
    for (int i = 0; i < 35; i++) {
        (void)snprintf(name, sizeof name, "e%d", i);
        put(&s, name, 1);
        employ(&s, name, 1);
    }
    for (int i = 0; i < 34; i++) {
        (void)snprintf(name, sizeof name, "e%d", i);
        assert_int_equal(end(&q, executor_delete(s.w.c, clock_now(), name, begin(&q))), WHY_OK);
    }
    tick_until(&s, 0, 1);
    shop_close(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_many_threads_work_as_the_executor_has_hands_and_say_at_what),
        cmocka_unit_test(threads_without_work_give_way_to_those_that_have_some),
        cmocka_unit_test(a_crew_without_work_for_a_minute_is_disbanded_by_the_clock_alone),
        cmocka_unit_test(the_crew_of_an_executor_that_is_gone_is_disbanded_at_once),
    };

    return cmocka_run_group_tests_name("crew", tests, NULL, NULL);
}
