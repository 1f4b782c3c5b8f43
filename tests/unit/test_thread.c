/* test_thread.c - lib/thread.c: start, join by a deadline, and the end.
 *
 * SPDX-License-Identifier: MIT */
#include "unit/other_thread.h"

#include <bobbin/local.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>

/* Stands before libc's, which can then be made to refuse. */
static bool is_refused;
static size_t stack_asked; /* for the last one */

int
pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *), void *arg)
{
    int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

    if (is_refused)
        return EAGAIN;
    if (attr && pthread_attr_getstacksize(attr, &stack_asked))
        return EINVAL;
    *(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
    return real(thread, attr, fn, arg);
}

static void
a_thread_runs_and_gives_its_value(void **state)
{
    struct other o = {0};
    void *value = NULL;
    bob_time until = bob_in_ms(3);

    (void)state;
    other_start(&o, "one", NULL);
    assert_true(bob_thread_is_alive(o.thread));
    assert_string_equal(bob_thread_name(o.thread), "one");
    assert_ptr_equal(o.seen, o.thread);
    assert_int_equal(bob_thread_native_id(o.thread), o.native_id);
    assert_int_equal(bob_thread_join(o.thread, BOB_AT_ONCE, &value), BOB_ERR_TIMEOUT);
    assert_int_equal(bob_thread_join(o.thread, until, &value), BOB_ERR_TIMEOUT);
    assert_true(bob_now() >= until);
    assert_null(value);
    bob_event_set(&o.let_go);
    assert_int_equal(bob_thread_join(o.thread, bob_in_seconds(20), &value), BOB_OK);
    assert_ptr_equal(value, &o);
    assert_false(bob_thread_is_alive(o.thread));
    value = NULL;
    assert_int_equal(bob_thread_join(o.thread, BOB_AT_ONCE, &value), BOB_OK); /* again */
    assert_ptr_equal(value, &o);
    assert_int_equal(bob_thread_join(o.thread, BOB_AT_ONCE, NULL), BOB_OK);
    other_end(&o);
    bob_thread_free(NULL);
}

static void
only_faults_are_not_blocked(void **state)
{
    static const int blocked[] = {SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGUSR1, SIGCHLD, SIGALRM};
    static const int open[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS};
    struct other o = {0};
    sigset_t before, after;

    (void)state;
    (void)pthread_sigmask(SIG_SETMASK, NULL, &before);
    other_start(&o, "masked", NULL);
    (void)pthread_sigmask(SIG_SETMASK, NULL, &after);
    other_end(&o);
    for (size_t i = 0; i < sizeof blocked / sizeof blocked[0]; i++)
        assert_true(sigismember(&o.blocked, blocked[i]));
    for (size_t i = 0; i < sizeof open / sizeof open[0]; i++)
        assert_false(sigismember(&o.blocked, open[i]));
    for (int i = 1; i < SIGRTMIN; i++) /* the starter's own is as it was */
        assert_int_equal(sigismember(&before, i), sigismember(&after, i));
}

static void
names_are_cut_between_characters(void **state)
{
    static const struct {
        const char *name, *kept, *kernel;
    } T[] = {
        {"", "", ""},
        {"short", "short", "short"},
        {"fifteen-letters", "fifteen-letters", "fifteen-letters"},
        {"0123456789012345678901234567890", "0123456789012345678901234567890", "012345678901234"},
        {"0123456789012345678901234567890X", "0123456789012345678901234567890", "012345678901234"},
        {"0123456789012\xc3\xa9tail", "0123456789012\xc3\xa9tail", "0123456789012\xc3\xa9"},
        {"01234567890123\xc3\xa9", "01234567890123\xc3\xa9", "01234567890123"},
        {"012345678901234567890123456789\xc3\xa9", "012345678901234567890123456789",
         "012345678901234"},
        {"0123456789012345678901234567\xe2\x82\xac\xe2\x82\xac",
         "0123456789012345678901234567\xe2\x82\xac", "012345678901234"},
        {"0123456789012345678901234567\xf0\x9f\xa7\xb5", "0123456789012345678901234567",
         "012345678901234"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        struct other o = {0};

        other_start(&o, T[i].name, NULL);
        assert_string_equal(bob_thread_name(o.thread), T[i].kept);
        assert_string_equal(o.kernel_name, T[i].kernel);
        other_end(&o);
    }
}

static void *
join_myself(void *arg)
{
    (void)arg;
    return (void *)(intptr_t)bob_thread_join(bob_thread_current(), BOB_FOREVER, NULL);
}

static void
a_thread_cannot_join_itself(void **state)
{
    struct bob_thread *t;
    void *value;

    (void)state;
    assert_int_equal(bob_thread_start(&t, "narcissus", join_myself, NULL, NULL), BOB_OK);
    assert_int_equal(bob_thread_join(t, bob_in_seconds(20), &value), BOB_OK);
    assert_int_equal((intptr_t)value, BOB_ERR_INVALID);
    bob_thread_free(t);
}

static void *
join_other(void *other)
{
    return bob_thread_join(other, bob_in_seconds(20), NULL) ? NULL : other;
}

static void
many_may_join_one(void **state)
{
    struct other o = {0};
    struct bob_thread *t[4];
    void *value;

    (void)state;
    other_start(&o, "one", NULL);
    for (int i = 0; i < 4; i++)
        assert_int_equal(bob_thread_start(&t[i], "joiner", join_other, o.thread, NULL), BOB_OK);
    bob_event_set(&o.let_go);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(bob_thread_join(t[i], bob_in_seconds(20), &value), BOB_OK);
        assert_ptr_equal(value, o.thread);
        bob_thread_free(t[i]);
    }
    other_end(&o);
}

static void *
free_myself(void *arg)
{
    struct bob_event *done = ((void **)arg)[0];
    struct bob_event *start = ((void **)arg)[1];

    if (bob_event_wait(start, bob_in_seconds(20)))
        return NULL;
    bob_thread_free(bob_thread_current());
    bob_event_set(done);
    return NULL;
}

static void
a_thread_may_free_itself(void **state)
{
    struct bob_event done, start;
    void *both[] = {&done, &start};
    struct bob_thread *t;

    (void)state;
    bob_event_init(&done);
    bob_event_init(&start);
    assert_int_equal(bob_thread_start(&t, "selfless", free_myself, both, NULL), BOB_OK);
    bob_event_set(&start);
    assert_int_equal(bob_event_wait(&done, bob_in_seconds(20)), BOB_OK);
    assert_int_equal(bob_thread_join_all(bob_in_seconds(20)), BOB_OK);
    bob_event_fini(&start);
    bob_event_fini(&done);
}

static void
join_all_waits_for_all_but_daemons(void **state)
{
    static const struct bob_thread_options daemon = {.daemon = true};
    struct other a = {0}, d = {0};

    (void)state;
    assert_int_equal(bob_thread_join_all(BOB_AT_ONCE), BOB_OK);
    other_start(&d, "daemon", &daemon);
    assert_int_equal(bob_thread_join_all(BOB_AT_ONCE), BOB_OK);
    other_start(&a, "normal", NULL);
    assert_int_equal(bob_thread_join_all(BOB_AT_ONCE), BOB_ERR_TIMEOUT);
    assert_int_equal(bob_thread_join_all(bob_in_ms(2)), BOB_ERR_TIMEOUT);
    bob_event_set(&a.let_go);
    assert_int_equal(bob_thread_join_all(bob_in_seconds(20)), BOB_OK);
    assert_false(bob_thread_is_alive(a.thread));
    assert_true(bob_thread_is_alive(d.thread));
    assert_true(bob_thread_is_daemon(d.thread));
    assert_false(bob_thread_is_daemon(a.thread));
    other_end(&a);
    other_end(&d);
}

static void *
end_by_exit(void *arg)
{
    bob_thread_note("leaving");
    pthread_exit(arg);
}

static void
a_thread_that_exits_has_ended_with_null(void **state)
{
    size_t before = bob_thread_active_count();
    struct bob_thread *t;
    void *value = &t;

    (void)state;
    assert_int_equal(bob_thread_start(&t, "quitter", end_by_exit, &t, NULL), BOB_OK);
    assert_int_equal(bob_thread_join(t, bob_in_seconds(20), &value), BOB_OK);
    assert_null(value);
    assert_false(bob_thread_is_alive(t));
    assert_int_equal(bob_thread_active_count(), before);
    assert_int_equal(bob_thread_join_all(BOB_AT_ONCE), BOB_OK);
    bob_thread_free(t);
}

static void
a_start_that_is_refused_leaves_nothing(void **state)
{
    struct bob_thread *t = NULL;
    size_t before = bob_thread_active_count();

    (void)state;
    is_refused = true;
    assert_int_equal(bob_thread_start(&t, "one too many", join_myself, NULL, NULL), BOB_ERR_SYSTEM);
    is_refused = false;
    assert_int_equal(bob_thread_start(&t, "nothing", NULL, NULL, NULL), BOB_ERR_INVALID);
    assert_null(t);
    assert_int_equal(bob_thread_active_count(), before);
    assert_int_equal(bob_thread_join_all(BOB_AT_ONCE), BOB_OK);
}

static void
without_a_name_a_thread_gets_a_number(void **state)
{
    struct other a = {0}, b = {0};
    int of_a = 0, of_b = 0;

    (void)state;
    other_start(&a, NULL, NULL);
    other_start(&b, NULL, NULL);
    assert_int_equal(sscanf(bob_thread_name(a.thread), "Thread-%d", &of_a), 1);
    assert_int_equal(sscanf(bob_thread_name(b.thread), "Thread-%d", &of_b), 1);
    assert_int_equal(of_b, of_a + 1);
    other_end(&a);
    other_end(&b);
}

static void
only_threads_started_here_can_be_joined(void **state)
{
    (void)state;
    assert_int_equal(bob_thread_join(bob_thread_main(), BOB_FOREVER, NULL), BOB_ERR_INVALID);
    bob_thread_free(bob_thread_main()); /* does nothing */
    assert_true(bob_thread_is_alive(bob_thread_main()));
    assert_ptr_equal(bob_thread_main(), bob_thread_current());
}

static size_t
stack_given(size_t asked)
{
    const struct bob_thread_options options = {.stack_bytes = asked};
    struct other o = {0};

    other_start(&o, "stacked", &options);
    other_end(&o);
    return stack_asked;
}

static void
the_default_stack_is_for_those_that_ask_for_none(void **state)
{
    enum { KIB = 1024, MIB = 1024 * KIB };
    size_t of_system = stack_given(0);

    (void)state;
    assert_int_equal(bob_thread_stack_bytes(), 0);
    assert_int_equal(bob_thread_set_stack_bytes(256 * KIB), BOB_OK);
    assert_int_equal(bob_thread_stack_bytes(), 256 * KIB);
    assert_int_equal(stack_given(0), 256 * KIB);
    assert_int_equal(stack_given(3 * MIB), 3 * MIB);
    assert_int_equal(bob_thread_set_stack_bytes(1), BOB_ERR_INVALID);
    assert_int_equal(bob_thread_set_stack_bytes(8 * KIB), BOB_ERR_INVALID);
    assert_int_equal(bob_thread_stack_bytes(), 256 * KIB);
    assert_int_equal(bob_thread_set_stack_bytes(SIZE_MAX / 2), BOB_OK); /* nobody can say yet */
    assert_int_equal(bob_thread_start(&(struct bob_thread *){0}, "huge", join_myself, NULL, NULL),
                     BOB_ERR_SYSTEM);
    assert_int_equal(bob_thread_set_stack_bytes(0), BOB_OK);
    assert_int_equal(stack_given(0), of_system);
}

static void
a_stack_may_be_small_and_not_absurd(void **state)
{
    static const struct bob_thread_options small = {.stack_bytes = 1};
    static const struct bob_thread_options absurd = {.stack_bytes = SIZE_MAX / 2};
    struct bob_thread *t = NULL;
    struct bob_event e;
    size_t before = bob_thread_active_count();

    (void)state;
    bob_event_init(&e);
    bob_event_set(&e);
    assert_int_equal(bob_thread_start(&t, "small", join_myself, &e, &small), BOB_OK);
    bob_thread_free(t);
    t = NULL;
    assert_int_equal(bob_thread_start(&t, "absurd", join_myself, &e, &absurd), BOB_ERR_SYSTEM);
    assert_null(t);
    assert_int_equal(bob_thread_active_count(), before);
    bob_event_fini(&e);
}

/* A thread at its end, in the destructor of a thread-local value. */
struct ending {
    struct bob_local *local;
    struct bob_thread *thread;
    struct bob_event started, is_there, let_go;
    enum bob_err joined_itself, waited;
};

static void
be_destroyed(void *arg)
{
    struct ending *e = arg;

    e->joined_itself = bob_thread_join(e->thread, BOB_FOREVER, NULL);
    bob_event_set(&e->is_there);
    e->waited = bob_event_wait(&e->let_go, bob_in_seconds(20));
}

static void *
leave_a_value(void *arg)
{
    struct ending *e = arg;

    if (bob_event_wait(&e->started, bob_in_seconds(20)) || bob_local_set(e->local, e))
        return NULL;
    return e;
}

static void
a_join_by_a_deadline_does_not_wait_for_destructors(void **state)
{
    struct ending e = {.local = bob_local_new(be_destroyed)};
    void *value = NULL;

    (void)state;
    assert_non_null(e.local);
    bob_event_init(&e.started);
    bob_event_init(&e.is_there);
    bob_event_init(&e.let_go);
    assert_int_equal(bob_thread_start(&e.thread, "ends", leave_a_value, &e, NULL), BOB_OK);
    bob_event_set(&e.started);
    assert_int_equal(bob_event_wait(&e.is_there, bob_in_seconds(20)), BOB_OK);
    assert_false(bob_thread_is_alive(e.thread));
    assert_int_equal(bob_thread_join(e.thread, BOB_AT_ONCE, &value), BOB_ERR_TIMEOUT);
    assert_null(value);
    bob_event_set(&e.let_go);
    assert_int_equal(bob_thread_join(e.thread, bob_in_seconds(20), &value), BOB_OK);
    assert_ptr_equal(value, &e);
    assert_int_equal(e.joined_itself, BOB_ERR_INVALID);
    assert_int_equal(e.waited, BOB_OK);
    bob_thread_free(e.thread);
    bob_local_free(e.local);
    bob_event_fini(&e.let_go);
    bob_event_fini(&e.is_there);
    bob_event_fini(&e.started);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thread_runs_and_gives_its_value),
        cmocka_unit_test(only_faults_are_not_blocked),
        cmocka_unit_test(names_are_cut_between_characters),
        cmocka_unit_test(a_thread_cannot_join_itself),
        cmocka_unit_test(many_may_join_one),
        cmocka_unit_test(a_thread_may_free_itself),
        cmocka_unit_test(join_all_waits_for_all_but_daemons),
        cmocka_unit_test(a_thread_that_exits_has_ended_with_null),
        cmocka_unit_test(a_start_that_is_refused_leaves_nothing),
        cmocka_unit_test(without_a_name_a_thread_gets_a_number),
        cmocka_unit_test(only_threads_started_here_can_be_joined),
        cmocka_unit_test(the_default_stack_is_for_those_that_ask_for_none),
        cmocka_unit_test(a_stack_may_be_small_and_not_absurd),
        cmocka_unit_test(a_join_by_a_deadline_does_not_wait_for_destructors),
    };

    return cmocka_run_group_tests_name("thread", tests, NULL, NULL);
}
