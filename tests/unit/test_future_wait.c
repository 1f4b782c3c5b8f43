/* test_future_wait.c - lib/future_wait.c: several futures waited for, and taken as they finish.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/future.h>
#include <bobbin/thread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

enum { MANY = 40 };

/* One future for each letter: p pending, r running, d done, f failed, c cancelled. */
static size_t
make(const char *letters, struct bob_future **fs)
{
    size_t n = strlen(letters);

    for (size_t i = 0; i < n; i++) {
        fs[i] = bob_future_new();
        assert_non_null(fs[i]);
        if (letters[i] == 'r')
            assert_true(bob_future_start(fs[i]));
        else if (letters[i] == 'd')
            assert_int_equal(bob_future_set_result(fs[i], NULL), BOB_OK);
        else if (letters[i] == 'f')
            assert_int_equal(bob_future_set_error(fs[i], BOB_ERR_FULL, NULL), BOB_OK);
        else if (letters[i] == 'c')
            assert_true(bob_future_cancel(fs[i]));
    }
    return n;
}

static void
drop(struct bob_future **fs, size_t n)
{
    for (size_t i = 0; i < n; i++)
        bob_future_unref(fs[i]);
}

static void
a_wait_ends_by_what_is_done(void **state)
{
    static const struct {
        const char *says, *futures;
        enum bob_return_when when;
        enum bob_err err;
        size_t n_done;
    } T[] = {
        {"none at all", "", BOB_FIRST_COMPLETED, BOB_OK, 0},
        {"none at all", "", BOB_FIRST_EXCEPTION, BOB_OK, 0},
        {"none at all", "", BOB_ALL_COMPLETED, BOB_OK, 0},
        {"nothing is done", "pr", BOB_FIRST_COMPLETED, BOB_ERR_TIMEOUT, 0},
        {"one is done", "pd", BOB_FIRST_COMPLETED, BOB_OK, 1},
        {"one failed", "fp", BOB_FIRST_COMPLETED, BOB_OK, 1},
        {"a cancelled one is done", "pcp", BOB_FIRST_COMPLETED, BOB_OK, 1},
        {"nothing failed", "pd", BOB_FIRST_EXCEPTION, BOB_ERR_TIMEOUT, 1},
        {"one failed", "pdf", BOB_FIRST_EXCEPTION, BOB_OK, 2},
        {"a cancel is no failure", "pcr", BOB_FIRST_EXCEPTION, BOB_ERR_TIMEOUT, 1},
        {"none failed, all are done", "dcd", BOB_FIRST_EXCEPTION, BOB_OK, 3},
        {"one is left", "dfp", BOB_ALL_COMPLETED, BOB_ERR_TIMEOUT, 2},
        {"all are done", "dfc", BOB_ALL_COMPLETED, BOB_OK, 3},
        {"more than a few", "pppppppppppppppppppd", BOB_FIRST_COMPLETED, BOB_OK, 1},
        {"more than a few", "pppppppppppppppppppd", BOB_ALL_COMPLETED, BOB_ERR_TIMEOUT, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof T / sizeof *T; i++) {
        static const bob_time waits[] = {BOB_AT_ONCE, 1};
        struct bob_future *fs[MANY];
        size_t n = make(T[i].futures, fs);

        for (int j = 0; j < 2; j++) {
            bob_time deadline = waits[j] == BOB_AT_ONCE ? BOB_AT_ONCE : bob_in_ms(2);
            size_t n_done = 99;

            assert_int_equal(bob_future_wait(fs, n, T[i].when, deadline, &n_done), T[i].err);
            assert_int_equal(n_done, T[i].n_done);
            assert_int_equal(bob_future_wait(fs, n, T[i].when, deadline, NULL), T[i].err);
        }
        drop(fs, n);
    }
}

static void *
fail_and_finish(void *arg)
{
    struct bob_future **fs = arg;

    (void)bob_future_set_result(fs[0], NULL);
    (void)bob_future_set_error(fs[2], BOB_ERR_BROKEN, "snapped");
    (void)bob_future_cancel(fs[1]);
    return NULL;
}

static void
a_wait_is_woken(void **state)
{
    static const enum bob_return_when whens[] = {BOB_FIRST_COMPLETED, BOB_FIRST_EXCEPTION,
                                                 BOB_ALL_COMPLETED};

    (void)state;
    for (int i = 0; i < 3; i++) {
        struct bob_future *fs[4];
        struct bob_thread *t;
        size_t n_done = 0;

        make("ppp", fs);
        fs[3] = fs[0]; /* twice */
        assert_int_equal(bob_thread_start(&t, "finisher", fail_and_finish, fs, NULL), BOB_OK);
        assert_int_equal(bob_future_wait(fs, 4, whens[i], bob_in_seconds(20), &n_done), BOB_OK);
        assert_true(n_done >= (whens[i] == BOB_FIRST_COMPLETED ? 1 : 2));
        if (whens[i] == BOB_FIRST_EXCEPTION)
            assert_true(bob_future_done(fs[2]));
        if (whens[i] == BOB_ALL_COMPLETED)
            assert_int_equal(n_done, 4);
        bob_thread_free(t);
        drop(fs, 3);
    }
}

/* ---- as completed ---- */

static void
futures_come_as_they_finish(void **state)
{
    struct bob_future *fs[4], *f = NULL;
    struct bob_as_completed *it;

    (void)state;
    make("pdpf", fs);
    it = bob_as_completed_new(fs, 4);
    assert_non_null(it);
    assert_int_equal(bob_as_completed_next(it, BOB_AT_ONCE, &f), BOB_OK);
    assert_ptr_equal(f, fs[1]);
    assert_int_equal(bob_future_set_result(fs[2], NULL), BOB_OK);
    assert_int_equal(bob_as_completed_next(it, BOB_AT_ONCE, &f), BOB_OK);
    assert_ptr_equal(f, fs[3]); /* done before the iterator was */
    assert_int_equal(bob_as_completed_next(it, BOB_AT_ONCE, &f), BOB_OK);
    assert_ptr_equal(f, fs[2]);
    f = NULL;
    assert_int_equal(bob_as_completed_next(it, bob_in_ms(2), &f), BOB_ERR_TIMEOUT);
    assert_null(f);
    assert_true(bob_future_cancel(fs[0]));
    assert_int_equal(bob_as_completed_next(it, BOB_FOREVER, &f), BOB_OK);
    assert_ptr_equal(f, fs[0]);
    for (int i = 0; i < 2; i++)
        assert_int_equal(bob_as_completed_next(it, BOB_FOREVER, &f), BOB_ERR_EMPTY);
    drop(fs, 4); /* the iterator has its own references */
    assert_true(bob_future_cancelled(f));
    bob_as_completed_free(it);
    bob_as_completed_free(NULL);
}

static void
of_none_all_were_given(void **state)
{
    struct bob_as_completed *it = bob_as_completed_new(NULL, 0);
    struct bob_future *f;

    (void)state;
    assert_int_equal(bob_as_completed_next(it, BOB_FOREVER, &f), BOB_ERR_EMPTY);
    bob_as_completed_free(it);
    assert_null(bob_as_completed_new(NULL, SIZE_MAX));
}

static void
one_that_is_there_twice_comes_twice(void **state)
{
    struct bob_future *fs[3], *f;
    struct bob_as_completed *it;
    int came = 0;

    (void)state;
    make("pp", fs);
    fs[2] = fs[0];
    it = bob_as_completed_new(fs, 3);
    assert_int_equal(bob_future_set_result(fs[0], NULL), BOB_OK);
    while (bob_as_completed_next(it, BOB_AT_ONCE, &f) == BOB_OK) {
        assert_ptr_equal(f, fs[0]);
        came++;
    }
    assert_int_equal(came, 2);
    bob_as_completed_free(it);
    drop(fs, 2);
}

static void
an_iterator_may_go_at_any_time_and_leaves_no_trace(void **state)
{
    struct bob_future *fs[4], *f;
    struct bob_as_completed *it;

    (void)state;
    make("pdpp", fs);
    it = bob_as_completed_new(fs, 4);
    assert_int_equal(bob_as_completed_next(it, BOB_AT_ONCE, &f), BOB_OK);
    assert_int_equal(bob_future_set_result(fs[0], NULL), BOB_OK); /* is not taken */
    bob_as_completed_free(it);
    assert_int_equal(bob_future_set_result(fs[2], NULL), BOB_OK);
    assert_true(bob_future_cancel(fs[3]));
    drop(fs, 4);
}

struct share {
    struct bob_as_completed *it;
    int took;
};

static void *
take_all(void *arg)
{
    struct share *s = arg;
    struct bob_future *f;
    enum bob_err err;

    while ((err = bob_as_completed_next(s->it, bob_in_seconds(20), &f)) == BOB_OK)
        s->took += bob_future_done(f);
    return err == BOB_ERR_EMPTY ? s : NULL;
}

static void
several_threads_may_take_from_one(void **state)
{
    struct bob_future *fs[MANY];
    struct share share[3];
    struct bob_thread *t[3];
    int took = 0;

    (void)state;
    for (int i = 0; i < MANY; i++)
        fs[i] = bob_future_new();
    share[0].it = bob_as_completed_new(fs, MANY);
    for (int i = 0; i < 3; i++) {
        share[i] = (struct share){share[0].it, 0};
        assert_int_equal(bob_thread_start(&t[i], "taker", take_all, &share[i], NULL), BOB_OK);
    }
    for (int i = 0; i < MANY; i++)
        assert_int_equal(bob_future_set_result(fs[i], NULL), BOB_OK);
    for (int i = 0; i < 3; i++) {
        void *ended = NULL;

        assert_int_equal(bob_thread_join(t[i], bob_in_seconds(20), &ended), BOB_OK);
        assert_non_null(ended);
        bob_thread_free(t[i]);
        took += share[i].took;
    }
    assert_int_equal(took, MANY);
    bob_as_completed_free(share[0].it);
    drop(fs, MANY);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wait_ends_by_what_is_done),
        cmocka_unit_test(a_wait_is_woken),
        cmocka_unit_test(futures_come_as_they_finish),
        cmocka_unit_test(of_none_all_were_given),
        cmocka_unit_test(one_that_is_there_twice_comes_twice),
        cmocka_unit_test(an_iterator_may_go_at_any_time_and_leaves_no_trace),
        cmocka_unit_test(several_threads_may_take_from_one),
    };

    return cmocka_run_group_tests_name("future_wait", tests, NULL, NULL);
}
