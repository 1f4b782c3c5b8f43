/* test_future_chain.c - lib/future.c, lib/executor.c: a chain of callbacks, however long, takes the
 * stack of one.
 *
 * Each row is a way in which a callback can have the next one called.  The chains are longer than
 * any stack would bear, and run on a small one.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/event.h>
#include <bobbin/executor.h>
#include <bobbin/thread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <string.h>

enum { LINKS = 60000, STACK_BYTES = 256 * 1024 };

static struct bob_future *chain[LINKS];
static struct bob_executor *full; /* whose submits the caller runs */
static size_t called;             /* callbacks */
static size_t inside, deepest;    /* how many run just now, and at most did */

/* ---- the ways on ---- */

static void
sets_a_result(struct bob_future *f)
{
    assert_int_equal(bob_future_set_result(f, NULL), BOB_OK);
}

static void
sets_an_error(struct bob_future *f)
{
    assert_int_equal(bob_future_set_error(f, BOB_ERR_BROKEN, "snapped"), BOB_OK);
}

static void
cancels(struct bob_future *f)
{
    assert_true(bob_future_cancel(f));
}

static void call_next(struct bob_future *f, void *arg);

static void
adds_to_a_done_one(struct bob_future *f)
{
    (void)bob_future_set_result(f, NULL); /* nobody was added to it yet */
    assert_int_equal(bob_future_add_done_callback(f, call_next, NULL), BOB_OK);
}

static enum bob_err
nothing(void *arg, void **ret_value)
{
    (void)arg, (void)ret_value;
    return BOB_OK;
}

static void
submits_what_the_caller_runs(struct bob_future *f)
{
    struct bob_future *work;

    (void)f;
    assert_int_equal(bob_executor_submit(full, nothing, NULL, &work), BOB_OK);
    assert_int_equal(bob_future_add_done_callback(work, call_next, NULL), BOB_OK);
    bob_future_unref(work);
}

static const struct way {
    const char *says;
    void (*goes_on)(struct bob_future *);
    bool adds; /* the callback itself, to one that is done */
} ways[] = {
    {"set_result", sets_a_result, false},
    {"set_error", sets_an_error, false},
    {"cancel", cancels, false},
    {"add_done_callback to a future that is done", adds_to_a_done_one, true},
    {"a submit that the caller runs", submits_what_the_caller_runs, true},
};
static const struct way *way;

static void
call_next(struct bob_future *f, void *arg)
{
    (void)f, (void)arg;
    if (++inside > deepest)
        deepest = inside;
    if (++called < LINKS)
        way->goes_on(chain[called]);
    inside--;
}

/* ---- an executor that is full ---- */

static enum bob_err
wait_for(void *event, void **ret_value)
{
    (void)ret_value;
    return bob_event_wait(event, BOB_FOREVER);
}

/* One work runs and one waits, until @let_go. */
static struct bob_executor *
full_executor(struct bob_event *let_go)
{
    const struct bob_executor_options options = {
        .max_workers = 1, .max_queue = 1, .on_full = BOB_FULL_CALLER_RUNS};
    struct bob_executor *x = bob_executor_new("full", &options);

    assert_non_null(x);
    bob_event_init(let_go);
    for (int i = 0; i < 2; i++)
        assert_int_equal(bob_executor_submit(x, wait_for, let_go, NULL), BOB_OK);
    return x;
}

static void
end_full_executor(struct bob_executor *x, struct bob_event *let_go)
{
    bob_event_set(let_go);
    bob_executor_free(x);
    bob_event_fini(let_go);
}

static void *
run_chain(void *arg)
{
    called = deepest = 0;
    for (size_t i = 0; i < LINKS; i++) {
        chain[i] = bob_future_new();
        assert_non_null(chain[i]);
        if (!way->adds)
            assert_int_equal(bob_future_add_done_callback(chain[i], call_next, NULL), BOB_OK);
    }
    way->goes_on(chain[0]);
    assert_int_equal(called, LINKS); /* when the outermost call returns, all were called */
    for (size_t i = 0; i < LINKS; i++)
        bob_future_unref(chain[i]);
    return arg;
}

static void
a_chain_takes_the_stack_of_one_callback(void **state)
{
    const struct bob_thread_options options = {.stack_bytes = STACK_BYTES};
    struct bob_event let_go;

    (void)state;
    full = full_executor(&let_go);
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        struct bob_thread *t;

        way = &ways[i];
        print_message("%s\n", way->says);
        assert_int_equal(bob_thread_start(&t, "chain", run_chain, NULL, &options), BOB_OK);
        bob_thread_free(t);
        assert_int_equal(called, LINKS);
        assert_int_equal(deepest, 1);
    }
    end_full_executor(full, &let_go);
}

/* ---- in which order ---- */

static char calls[16];

static void
note_call(struct bob_future *f, void *letter)
{
    size_t len = strlen(calls);

    assert_true(bob_future_done(f) && len + 1 < sizeof calls);
    calls[len] = *(char *)letter;
}

/* What a callback finishes: two futures, of which the first finishes a third. */
static struct bob_future *first, *second, *third;

static void
finish_two(struct bob_future *f, void *letter)
{
    note_call(f, letter);
    assert_int_equal(bob_future_set_result(first, NULL), BOB_OK);
    assert_true(bob_future_done(first)); /* at once: only its callbacks come later */
    assert_true(bob_future_cancel(second));
    note_call(f, letter);
}

static void
finish_third(struct bob_future *f, void *letter)
{
    note_call(f, letter);
    assert_int_equal(bob_future_set_result(third, NULL), BOB_OK);
}

static void
what_a_callback_finishes_is_called_after_it_and_before_the_others(void **state)
{
    static const struct {
        int of; /* 0 to 3: the one that is set, first, second, third */
        void (*fn)(struct bob_future *, void *);
        const char *letter;
    } T[] = {
        {0, finish_two, "a"}, {0, note_call, "z"}, {1, finish_third, "b"}, {1, note_call, "d"},
        {2, note_call, "e"},  {3, note_call, "c"}, {2, note_call, "f"},
    };
    struct bob_future *f[4];

    (void)state;
    memset(calls, 0, sizeof calls);
    for (int i = 0; i < 4; i++)
        assert_non_null(f[i] = bob_future_new());
    first = f[1], second = f[2], third = f[3];
    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++)
        assert_int_equal(
            bob_future_add_done_callback(f[T[i].of], T[i].fn, (void *)(uintptr_t)T[i].letter),
            BOB_OK);
    assert_int_equal(bob_future_set_result(f[0], NULL), BOB_OK);
    assert_string_equal(calls, "aabcdefz");
    for (int i = 0; i < 4; i++)
        bob_future_unref(f[i]);
}

static void
unref_all(struct bob_future *f, void *arg)
{
    (void)arg;
    bob_future_unref(f);
    assert_int_equal(bob_future_set_result(first, NULL), BOB_OK);
    bob_future_unref(first); /* its callback, which is still to come, has a reference of its own */
}

static void
a_callback_that_is_due_keeps_its_future(void **state)
{
    struct bob_future *f = bob_future_new();

    (void)state;
    memset(calls, 0, sizeof calls);
    first = bob_future_new();
    assert_true(f && first);
    assert_int_equal(bob_future_add_done_callback(f, unref_all, NULL), BOB_OK);
    assert_int_equal(bob_future_add_done_callback(first, note_call, (void *)(uintptr_t) "a"),
                     BOB_OK);
    assert_int_equal(bob_future_add_done_callback(first, note_call, (void *)(uintptr_t) "b"),
                     BOB_OK);
    assert_int_equal(bob_future_set_result(f, NULL), BOB_OK);
    assert_string_equal(calls, "ab");
}

/* ---- work that submits work ---- */

static size_t works;

static enum bob_err
submit_another(void *arg, void **ret_value)
{
    (void)arg, (void)ret_value;
    works++;
    return bob_executor_submit(full, submit_another, NULL, NULL);
}

static void
ignore(const struct bob_uncaught *uncaught, void *arg)
{
    (void)uncaught, (void)arg;
}

static void
works_that_the_caller_runs_inside_one_another_are_bounded(void **state)
{
    struct bob_event let_go;

    (void)state;
    bob_set_excepthook(ignore, NULL); /* the innermost fails, and so all do */
    full = full_executor(&let_go);
    for (int i = 0; i < 2; i++) {
        works = 0;
        assert_int_equal(bob_executor_submit(full, submit_another, NULL, NULL), BOB_OK);
        assert_int_equal(works, BOB_CALLER_RUNS_MAX);
    }
    end_full_executor(full, &let_go);
    bob_set_excepthook(NULL, NULL);
}

/* As it may where a worker runs it. */
static enum bob_err
count_on_a_callback(void *arg, void **ret_value)
{
    struct bob_future *f = bob_future_new();

    (void)arg, (void)ret_value;
    assert_non_null(f);
    assert_int_equal(bob_future_add_done_callback(f, note_call, (void *)(uintptr_t) "w"), BOB_OK);
    assert_int_equal(bob_future_set_result(f, NULL), BOB_OK);
    bob_future_unref(f);
    assert_non_null(strchr(calls, 'w'));
    return BOB_OK;
}

static void
finish_one_and_submit(struct bob_future *f, void *letter)
{
    note_call(f, letter);
    assert_int_equal(bob_future_set_result(first, NULL), BOB_OK);
    assert_int_equal(bob_executor_submit(full, count_on_a_callback, NULL, NULL), BOB_OK);
    assert_int_equal(bob_future_set_result(second, NULL), BOB_OK);
}

static void
work_that_a_callback_runs_may_count_on_callbacks_of_its_own(void **state)
{
    struct bob_future *f = bob_future_new();
    struct bob_event let_go;

    (void)state;
    memset(calls, 0, sizeof calls);
    full = full_executor(&let_go);
    first = bob_future_new(), second = bob_future_new();
    assert_true(f && first && second);
    assert_int_equal(
        bob_future_add_done_callback(f, finish_one_and_submit, (void *)(uintptr_t) "a"), BOB_OK);
    assert_int_equal(bob_future_add_done_callback(f, note_call, (void *)(uintptr_t) "d"), BOB_OK);
    assert_int_equal(bob_future_add_done_callback(first, note_call, (void *)(uintptr_t) "b"),
                     BOB_OK);
    assert_int_equal(bob_future_add_done_callback(second, note_call, (void *)(uintptr_t) "c"),
                     BOB_OK);
    assert_int_equal(bob_future_set_result(f, NULL), BOB_OK);
    assert_string_equal(calls, "awbcd");
    bob_future_unref(f);
    bob_future_unref(first);
    bob_future_unref(second);
    end_full_executor(full, &let_go);
}

static enum bob_err
finish_next(void *next, void **ret_value)
{
    (void)ret_value;
    return bob_future_set_result(next, NULL);
}

static void
submit_next(struct bob_future *f, void *arg)
{
    (void)f, (void)arg;
    if (++called < LINKS)
        assert_int_equal(bob_executor_submit(full, finish_next, chain[called], NULL), BOB_OK);
}

static void *
run_chain_of_works(void *arg)
{
    called = 0;
    for (size_t i = 0; i < LINKS; i++) {
        assert_non_null(chain[i] = bob_future_new());
        assert_int_equal(bob_future_add_done_callback(chain[i], submit_next, NULL), BOB_OK);
    }
    assert_int_equal(bob_future_set_result(chain[0], NULL), BOB_OK);
    for (size_t i = 0; i < LINKS; i++)
        bob_future_unref(chain[i]);
    return arg;
}

static void
a_chain_of_callbacks_and_works_has_no_end_of_stack(void **state)
{
    const struct bob_thread_options options = {.stack_bytes = STACK_BYTES};
    struct bob_event let_go;
    struct bob_thread *t;

    (void)state;
    full = full_executor(&let_go);
    assert_int_equal(bob_thread_start(&t, "chain", run_chain_of_works, NULL, &options), BOB_OK);
    bob_thread_free(t);
    assert_int_equal(called, LINKS);
    end_full_executor(full, &let_go);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_callback_finishes_is_called_after_it_and_before_the_others),
        cmocka_unit_test(a_callback_that_is_due_keeps_its_future),
        cmocka_unit_test(a_chain_takes_the_stack_of_one_callback),
        cmocka_unit_test(works_that_the_caller_runs_inside_one_another_are_bounded),
        cmocka_unit_test(work_that_a_callback_runs_may_count_on_callbacks_of_its_own),
        cmocka_unit_test(a_chain_of_callbacks_and_works_has_no_end_of_stack),
    };

    return cmocka_run_group_tests_name("future_chain", tests, NULL, NULL);
}
