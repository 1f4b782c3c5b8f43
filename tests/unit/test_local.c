/* test_local.c - lib/local.c: each thread its own value, and each value ended once.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/event.h>
#include <bobbin/local.h>
#include <bobbin/thread.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "failing_malloc.h"

enum { MANY = 30 };

static struct bob_local *a, *b;
static int ended[8]; /* numbers of the values that were ended, in order */
static int n_ended;  /* atomic */
static int of[8] = {0, 1, 2, 3, 4, 5, 6, 7};

static void
note_end(void *value)
{
    ended[__atomic_fetch_add(&n_ended, 1, __ATOMIC_SEQ_CST) % 8] = *(int *)value;
}

static void
run(void *(*fn)(void *), void *arg)
{
    struct bob_thread *t;
    void *value = NULL;

    assert_int_equal(bob_thread_start(&t, "thread", fn, arg, NULL), BOB_OK);
    assert_int_equal(bob_thread_join(t, bob_in_seconds(20), &value), BOB_OK);
    bob_thread_free(t);
    assert_ptr_equal(value, arg);
}

static void *
set_three(void *arg)
{
    struct bob_local *c = arg;
    bool good = !bob_local_get(a) && !bob_local_set(a, &of[1]) && !bob_local_set(b, &of[2]) &&
                !bob_local_set(c, &of[3]) && !bob_local_set(a, &of[4]);

    return good && bob_local_get(a) == &of[4] && bob_local_get(b) == &of[2] ? arg : NULL;
}

static void
each_thread_has_its_own_and_ends_the_newest_first(void **state)
{
    struct bob_local *c = bob_local_new(NULL);

    (void)state;
    a = bob_local_new(note_end);
    b = bob_local_new(note_end);
    n_ended = 0;
    assert_null(bob_local_get(a));
    assert_int_equal(bob_local_set(a, &of[7]), BOB_OK);
    run(set_three, c);
    assert_int_equal(n_ended, 2); /* c has no destructor; what was replaced is the caller's */
    assert_int_equal(ended[0], 2);
    assert_int_equal(ended[1], 4);
    assert_ptr_equal(bob_local_get(a), &of[7]);
    bob_local_free(c);
    bob_local_free(b);
    assert_int_equal(n_ended, 2);
    bob_local_free(a);
    assert_int_equal(n_ended, 3);
    assert_int_equal(ended[2], 7);
    bob_local_free(NULL);
}

static struct bob_event is_set, may_end;

static void *
set_and_wait(void *arg)
{
    enum bob_err err = bob_local_set(a, arg);

    bob_event_set(&is_set);
    if (!err)
        err = bob_event_wait(&may_end, bob_in_seconds(20));
    return err ? NULL : arg;
}

static void
free_ends_the_values_of_all_threads_the_first_set_first(void **state)
{
    struct bob_thread *t[3];

    (void)state;
    a = bob_local_new(note_end);
    n_ended = 0;
    bob_event_init(&is_set);
    bob_event_init(&may_end);
    assert_int_equal(bob_local_set(a, NULL), BOB_OK); /* nothing to end */
    for (int i = 0; i < 3; i++) {
        bob_event_clear(&is_set);
        assert_int_equal(bob_thread_start(&t[i], "holder", set_and_wait, &of[i], NULL), BOB_OK);
        assert_int_equal(bob_event_wait(&is_set, bob_in_seconds(20)), BOB_OK);
    }
    bob_local_free(a);
    assert_int_equal(n_ended, 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(ended[i], i);
    bob_event_set(&may_end);
    for (int i = 0; i < 3; i++)
        bob_thread_free(t[i]);
    assert_int_equal(bob_thread_join_all(bob_in_seconds(20)), BOB_OK);
    assert_int_equal(n_ended, 3);
    bob_event_fini(&may_end);
    bob_event_fini(&is_set);
}

static void *
set_in_many(void *arg)
{
    struct bob_local **many = arg;

    for (int i = 0; i < MANY; i++)
        if (bob_local_get(many[i]) || bob_local_set(many[i], &of[i % 8]))
            return NULL;
    for (int i = 0; i < MANY; i++)
        if (bob_local_get(many[i]) != &of[i % 8])
            return NULL;
    return arg;
}

static void
a_place_that_is_used_again_is_empty(void **state)
{
    struct bob_local *many[MANY];

    (void)state;
    for (int round = 0; round < 3; round++) {
        n_ended = 0;
        for (int i = 0; i < MANY; i++)
            many[i] = bob_local_new(note_end);
        assert_ptr_equal(set_in_many(many), many);
        run(set_in_many, many);
        assert_int_equal(n_ended, MANY);
        for (int i = 0; i < MANY; i++)
            bob_local_free(many[i]);
        assert_int_equal(n_ended, 2 * MANY);
    }
}

static void
set_again(void *value)
{
    note_end(value);
    if (bob_local_get(a) || bob_local_set(a, value))
        abort();
}

static void *
set_once(void *arg)
{
    return bob_local_set(a, arg) ? NULL : arg;
}

static void
a_destructor_may_set_again_but_not_for_ever(void **state)
{
    (void)state;
    a = bob_local_new(set_again);
    n_ended = 0;
    run(set_once, &of[1]);
    assert_int_equal(n_ended, 4);
    bob_local_free(a);
    assert_int_equal(n_ended, 4);
}

static void
one_that_is_freed_may_be_set_by_its_destructor_and_leaves_nothing(void **state)
{
    struct bob_local *next;

    (void)state;
    a = bob_local_new(set_again);
    n_ended = 0;
    assert_int_equal(bob_local_set(a, &of[1]), BOB_OK); /* of this thread, which goes on */
    bob_local_free(a);
    assert_int_equal(n_ended, 4);
    next = bob_local_new(NULL); /* in the same place */
    assert_null(bob_local_get(next));
    bob_local_free(next);
}

static struct bob_event in_destructor, let_go;

static void
end_when_told(void *value)
{
    bob_event_set(&in_destructor);
    (void)!bob_event_wait(&let_go, bob_in_seconds(20));
    note_end(value);
}

static void *
free_a(void *arg)
{
    bob_local_free(a);
    return n_ended == 1 ? arg : NULL;
}

static void
free_waits_for_a_destructor_that_runs(void **state)
{
    struct bob_thread *ends, *frees;
    void *value = NULL;

    (void)state;
    a = bob_local_new(end_when_told);
    n_ended = 0;
    bob_event_init(&in_destructor);
    bob_event_init(&let_go);
    assert_int_equal(bob_thread_start(&ends, "ends", set_once, &of[1], NULL), BOB_OK);
    assert_int_equal(bob_event_wait(&in_destructor, bob_in_seconds(20)), BOB_OK);
    assert_int_equal(bob_thread_start(&frees, "frees", free_a, &of[2], NULL), BOB_OK);
    bob_event_set(&let_go);
    assert_int_equal(bob_thread_join(frees, bob_in_seconds(20), &value), BOB_OK);
    assert_ptr_equal(value, &of[2]);
    assert_int_equal(bob_thread_join(ends, bob_in_seconds(20), NULL), BOB_OK);
    bob_thread_free(frees);
    bob_thread_free(ends);
    bob_event_fini(&let_go);
    bob_event_fini(&in_destructor);
    assert_int_equal(n_ended, 1);
}

#ifndef SANITIZED
static void *
set_with_little_memory(void *arg)
{
    enum bob_err err = BOB_ERR_NO_MEMORY;
    int tries;

    for (tries = 0; err == BOB_ERR_NO_MEMORY && tries < 20; tries++) {
        left = tries;
        err = bob_local_set(a, arg);
        left = -1;
        if ((bob_local_get(a) != NULL) != !err)
            return NULL;
    }
    return !err && tries > 2 ? arg : NULL; /* room, table, value */
}

static void
without_memory_nothing_is_made_or_set(void **state)
{
    int tries;

    (void)state;
    a = NULL;
    n_ended = 0;
    for (tries = 0; !a && tries < 20; tries++) {
        left = tries;
        a = bob_local_new(note_end);
        left = -1;
    }
    assert_non_null(a);
    assert_in_range(tries, 2, 19);
    run(set_with_little_memory, &of[3]);
    assert_int_equal(n_ended, 1);
    bob_local_free(a);
}
#endif

/* In a child, before its parent ever set a value: run first. */
static void
without_a_key_nothing_is_set(void **state)
{
    int status = 0;
    pid_t child = fork();

    (void)state;
    assert_true(child >= 0);
    if (child == 0) {
        struct bob_local *l = bob_local_new(NULL);
        pthread_key_t key, one = 0;
        int n = 0;

        while (pthread_key_create(&key, NULL) == 0 && n++ < 100000)
            one = key;
        if (bob_local_set(l, &of[1]) != BOB_ERR_SYSTEM || bob_local_get(l))
            _exit(1);
        (void)pthread_key_delete(one);
        _exit(bob_local_set(l, &of[1]) != BOB_OK || bob_local_get(l) != &of[1]);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_key_nothing_is_set),
        cmocka_unit_test(each_thread_has_its_own_and_ends_the_newest_first),
        cmocka_unit_test(free_ends_the_values_of_all_threads_the_first_set_first),
        cmocka_unit_test(a_place_that_is_used_again_is_empty),
        cmocka_unit_test(a_destructor_may_set_again_but_not_for_ever),
        cmocka_unit_test(one_that_is_freed_may_be_set_by_its_destructor_and_leaves_nothing),
        cmocka_unit_test(free_waits_for_a_destructor_that_runs),
#ifndef SANITIZED
        cmocka_unit_test(without_memory_nothing_is_made_or_set),
#endif
    };

    return cmocka_run_group_tests_name("local", tests, NULL, NULL);
}
