/* test_uncaught.c - lib/uncaught.c: what a thread says with its last words reaches who joins it, and the hook.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/event.h>
#include <bobbin/thread.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <string.h>
#include <unistd.h>

#include "failing_malloc.h"
#include "uncaught.h"

/* What the hook was told last. */
static struct {
    int times;
    char name[64], message[BOB_FAILURE_MESSAGE_MAX + 1], origin[BOB_FAILURE_ORIGIN_MAX + 1];
    enum bob_err code;
    pid_t native_id, ran_in;
    bool was_alive;
} told;

static void
note_down(const struct bob_uncaught *u, void *arg)
{
    (void)arg;
    told.times++;
    (void)snprintf(told.name, sizeof told.name, "%s", u->thread_name);
    (void)snprintf(told.message, sizeof told.message, "%s", u->failure.message);
    (void)snprintf(told.origin, sizeof told.origin, "%s", u->failure.origin);
    told.code = u->failure.code;
    told.native_id = u->native_id;
    told.ran_in = gettid();
}

static void
remember(const struct bob_uncaught *u, void *arg)
{
    note_down(u, NULL);
    told.was_alive = bob_thread_is_alive(bob_thread_current());
    if (arg)
        ++*(int *)arg;
}

static int
forget(void **state)
{
    (void)state;
    bob_set_excepthook(NULL, NULL);
    memset(&told, 0, sizeof told);
    return 0;
}

/* Runs @fn in a thread called "worker" to its end; the caller frees it. */
static struct bob_thread *
worker_ran(void *(*fn)(void *), void *arg)
{
    struct bob_thread *t;

    assert_int_equal(bob_thread_start(&t, "worker", fn, arg, NULL), BOB_OK);
    assert_int_equal(bob_thread_join(t, bob_in_seconds(20), NULL), BOB_OK);
    return t;
}

/* What is printed to standard error while @fn runs in a thread. */
static void
printed_by(char *ret_text, size_t cap, void *(*fn)(void *), void *arg)
{
    int before = dup(STDERR_FILENO), ends[2];
    ssize_t len;

    assert_int_equal(pipe(ends), 0);
    assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
    bob_thread_free(worker_ran(fn, arg));
    assert_true(dup2(before, STDERR_FILENO) >= 0);
    (void)close(before);
    (void)close(ends[1]);
    len = read(ends[0], ret_text, cap - 1);
    (void)close(ends[0]);
    assert_true(len >= 0);
    ret_text[len] = '\0';
}

static int line_of_fail; /* in this file */

static void *
fail_by_seven(void *arg)
{
    (void)arg;
    line_of_fail = __LINE__ + 1;
    return bob_thread_fail(BOB_ERR_BROKEN, "lost %d of %s", 7, "ten");
}

static void *
end_well(void *arg)
{
    (void)arg;
    return NULL;
}

static void
a_failure_reaches_the_hook_and_who_joins(void **state)
{
    struct bob_failure f = {0};
    char origin[64];
    int calls = 0;
    struct bob_thread *t;

    (void)state;
    bob_set_excepthook(remember, &calls);
    t = worker_ran(fail_by_seven, NULL);
    (void)snprintf(origin, sizeof origin, "test_uncaught.c:%d in worker", line_of_fail);
    assert_int_equal(calls, 1);
    assert_string_equal(told.name, "worker");
    assert_int_equal(told.native_id, bob_thread_native_id(t));
    assert_int_equal(told.ran_in, told.native_id);
    assert_true(told.was_alive);
    assert_int_equal(told.code, BOB_ERR_BROKEN);
    assert_string_equal(told.message, "lost 7 of ten");
    assert_string_equal(told.origin, origin);
    assert_true(bob_thread_failure(t, &f));
    assert_int_equal(f.code, BOB_ERR_BROKEN);
    assert_string_equal(f.message, "lost 7 of ten");
    assert_string_equal(f.origin, origin);
    bob_thread_free(t);
}

static void
one_that_ends_well_has_no_failure(void **state)
{
    struct bob_failure f = {.code = BOB_ERR_FULL};
    struct bob_thread *t;

    (void)state;
    bob_set_excepthook(remember, NULL);
    t = worker_ran(end_well, NULL);
    assert_false(bob_thread_failure(t, &f));
    assert_int_equal(f.code, BOB_ERR_FULL); /* as it was */
    assert_int_equal(told.times, 0);
    bob_thread_free(t);
    assert_false(bob_thread_failure(bob_thread_main(), &f));
}

static void *
think_again(void *arg)
{
    (void)bob_thread_fail(BOB_ERR_BROKEN, "nearly");
    return arg;
}

static void
one_that_goes_on_and_returns_something_has_not_failed(void **state)
{
    struct bob_failure f;
    struct bob_thread *t;

    (void)state;
    bob_set_excepthook(remember, NULL);
    t = worker_ran(think_again, &f);
    assert_false(bob_thread_failure(t, &f));
    assert_int_equal(told.times, 0);
    bob_thread_free(t);
}

static void *
fail_and_exit(void *arg)
{
    (void)bob_thread_fail(BOB_ERR_STATE, "no way out");
    pthread_exit(arg);
}

static void
one_that_exits_has_failed_too(void **state)
{
    struct bob_failure f;
    struct bob_thread *t;

    (void)state;
    bob_set_excepthook(remember, NULL);
    t = worker_ran(fail_and_exit, &f);
    assert_true(bob_thread_failure(t, &f));
    assert_string_equal(f.message, "no way out");
    assert_int_equal(told.times, 1);
    bob_thread_free(t);
}

struct waiting {
    struct bob_event failed, go;
};

static void *
fail_and_wait(void *arg)
{
    struct waiting *w = arg;
    void *ret = bob_thread_fail(BOB_ERR_FULL, "first");

    ret = bob_thread_fail(BOB_ERR_EMPTY, "second");
    bob_event_set(&w->failed);
    return bob_event_wait(&w->go, bob_in_seconds(20)) ? w : ret;
}

static void
the_last_failure_counts_and_not_before_the_end(void **state)
{
    struct waiting w;
    struct bob_failure f;
    struct bob_thread *t;

    (void)state;
    bob_set_excepthook(remember, NULL);
    bob_event_init(&w.failed);
    bob_event_init(&w.go);
    assert_int_equal(bob_thread_start(&t, "worker", fail_and_wait, &w, NULL), BOB_OK);
    assert_int_equal(bob_event_wait(&w.failed, bob_in_seconds(20)), BOB_OK);
    assert_false(bob_thread_failure(t, &f));
    bob_event_set(&w.go);
    assert_int_equal(bob_thread_join(t, bob_in_seconds(20), NULL), BOB_OK);
    assert_true(bob_thread_failure(t, &f));
    assert_int_equal(f.code, BOB_ERR_EMPTY);
    assert_string_equal(f.message, "second");
    assert_int_equal(told.times, 1);
    bob_thread_free(t);
    bob_event_fini(&w.go);
    bob_event_fini(&w.failed);
}

static void
a_code_that_is_none_counts_as_invalid(void **state)
{
    static const int codes[] = {BOB_OK, -1, BOB_ERR_COUNT_, 9999};

    (void)state;
    bob_set_excepthook(remember, NULL);
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        assert_null(bob_thread_fail((enum bob_err)codes[i], "%d", codes[i]));
        assert_int_equal(told.code, BOB_ERR_INVALID);
    }
}

static void
long_messages_and_origins_are_cut_between_characters(void **state)
{
    char message[400], file[200];

    (void)state;
    bob_set_excepthook(remember, NULL);
    memset(message, 'x', sizeof message);
    memcpy(message + BOB_FAILURE_MESSAGE_MAX - 1, "\xc3\xa9", 2);
    message[sizeof message - 1] = '\0';
    memset(file, 'f', sizeof file);
    file[sizeof file - 1] = '\0';
    bob_thread_adopt("01234567890123456789012345678901", NULL);
    assert_null(bob_thread_fail_at(BOB_ERR_FULL, file, 2147483647, "%s", message));
    assert_int_equal(strlen(told.message), BOB_FAILURE_MESSAGE_MAX - 1);
    assert_string_equal(strchr(told.origin, ':'), ":2147483647 in 0123456789012345678901234567890");
    bob_thread_adopt("main", NULL);
}

static void *
fail_in_foreign(void *arg)
{
    int before = told.times;

    (void)pthread_setname_np(pthread_self(), "foreign");
    *(bool *)arg = !bob_thread_fail(BOB_ERR_SYSTEM, "here") && told.times == before + 1;
    return NULL;
}

static void
on_a_thread_not_started_here_the_hook_is_told_at_once(void **state)
{
    bool at_once = false;
    pthread_t thread;

    (void)state;
    bob_set_excepthook(remember, NULL);
    assert_int_equal(pthread_create(&thread, NULL, fail_in_foreign, &at_once), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(at_once);
    assert_string_equal(told.name, "foreign");
    assert_null(bob_thread_fail(BOB_ERR_SYSTEM, "there"));
    assert_string_equal(told.name, "main");
    assert_string_equal(told.message, "there");
    assert_int_equal(told.native_id, getpid());
}

static void *
fail_unlisted(void *arg)
{
    left = 0;
    (void)bob_thread_fail(BOB_ERR_NO_MEMORY, "not a byte");
    left = -1;
    return arg;
}

static void
a_thread_there_is_no_memory_for_is_told_of_all_the_same(void **state)
{
    pthread_t thread;

    (void)state;
    bob_set_excepthook(note_down, NULL);
    assert_int_equal(pthread_create(&thread, NULL, fail_unlisted, NULL), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(told.times, 1);
    assert_string_equal(told.message, "not a byte");
#ifndef SANITIZED
    assert_string_equal(told.name, "");
#endif
}

static void
the_library_tells_of_its_own_threads(void **state)
{
    (void)state;
    bob_set_excepthook(remember, NULL);
    bob_uncaught_(&(struct bob_failure){BOB_ERR_FULL, "m", "o"});
    assert_int_equal(told.times, 1);
    assert_int_equal(told.code, BOB_ERR_FULL);
    assert_string_equal(told.message, "m");
    assert_string_equal(told.origin, "o");
}

/* ---- without a hook ---- */

static void
without_a_hook_one_line_is_printed(void **state)
{
    char text[800], want[200], digits[16];

    (void)state;
    bob_set_excepthook(remember, NULL);
    bob_set_excepthook(NULL, NULL);
    printed_by(text, sizeof text, fail_by_seven, NULL);
    assert_int_equal(told.times, 0);
    assert_int_equal(sscanf(text, "bobbin: thread worker (%15[0-9])", digits), 1);
    (void)snprintf(want, sizeof want,
                   "bobbin: thread worker (%s) failed: broken: another party gave up: lost 7 of "
                   "ten (test_uncaught.c:%d in worker)\n",
                   digits, line_of_fail);
    assert_string_equal(text, want);
}

static void *
fail_in_lines(void *arg)
{
    (void)arg;
    return bob_thread_fail(BOB_ERR_FULL, "one\ntwo\x1b[31m\x7f \xc3\xa9");
}

static void *
fail_at_length(void *arg)
{
    char name[BOB_THREAD_NAME_MAX + 1], message[BOB_FAILURE_MESSAGE_MAX + 1];

    (void)arg;
    memset(name, 'n', sizeof name - 1);
    memset(message, 'm', sizeof message - 1);
    name[sizeof name - 1] = message[sizeof message - 1] = '\0';
    bob_thread_rename(bob_thread_current(), name);
    return bob_thread_fail(BOB_ERR_FULL, "%s", message);
}

static void *
tell_bare(void *arg)
{
    (void)arg;
    bob_uncaught_(&(struct bob_failure){BOB_ERR_FULL, "", ""});
    return NULL;
}

static void
the_line_stays_one_line(void **state)
{
    char text[800];

    (void)state;
    printed_by(text, sizeof text, fail_in_lines, NULL);
    assert_non_null(strstr(text, "full: one?two?[31m? \xc3\xa9 ("));
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
    printed_by(text, sizeof text, fail_at_length, NULL);
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
    assert_non_null(strstr(text, "nnn)\n")); /* nothing is cut */
    printed_by(text, sizeof text, tell_bare, NULL);
    assert_non_null(strstr(text, ") failed: full\n"));
}

/* ---- inside the hook ---- */

static void
fail_inside(const struct bob_uncaught *u, void *arg)
{
    remember(u, arg);
    bob_uncaught_(&(struct bob_failure){BOB_ERR_EMPTY, "inside", ""});
}

static void
a_failure_inside_the_hook_is_printed(void **state)
{
    char text[800];

    (void)state;
    bob_set_excepthook(fail_inside, NULL);
    printed_by(text, sizeof text, fail_by_seven, NULL);
    assert_int_equal(told.times, 1);
    assert_non_null(strstr(text, "failed: empty: inside\n"));
}

static void
use_the_library(const struct bob_uncaught *u, void *arg)
{
    struct bob_thread_info list[8];

    bob_set_excepthook(remember, arg); /* for the next */
    remember(u, NULL);
    bob_thread_free(worker_ran(fail_by_seven, NULL));
    bob_thread_note("in the hook");
    bob_thread_rename(bob_thread_current(), "renamed");
    (void)bob_thread_enumerate(list, 8);
}

static void
the_hook_runs_under_no_lock(void **state)
{
    int calls = 0;

    (void)state;
    bob_set_excepthook(use_the_library, &calls);
    bob_thread_free(worker_ran(fail_by_seven, NULL));
    assert_int_equal(told.times, 2); /* it, and the one of the thread that it started */
    assert_int_equal(calls, 1);
    bob_thread_free(worker_ran(fail_by_seven, NULL));
    assert_int_equal(calls, 2);
}

int
main(void)
{
#define hooked(fn) cmocka_unit_test_setup_teardown(fn, forget, forget)
    const struct CMUnitTest tests[] = {
        hooked(a_failure_reaches_the_hook_and_who_joins),
        hooked(one_that_ends_well_has_no_failure),
        hooked(one_that_goes_on_and_returns_something_has_not_failed),
        hooked(one_that_exits_has_failed_too),
        hooked(the_last_failure_counts_and_not_before_the_end),
        hooked(a_code_that_is_none_counts_as_invalid),
        hooked(long_messages_and_origins_are_cut_between_characters),
        hooked(on_a_thread_not_started_here_the_hook_is_told_at_once),
        hooked(a_thread_there_is_no_memory_for_is_told_of_all_the_same),
        hooked(the_library_tells_of_its_own_threads),
        hooked(without_a_hook_one_line_is_printed),
        hooked(the_line_stays_one_line),
        hooked(a_failure_inside_the_hook_is_printed),
        hooked(the_hook_runs_under_no_lock),
    };

    return cmocka_run_group_tests_name("uncaught", tests, NULL, NULL);
}
