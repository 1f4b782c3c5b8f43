/* test_task_memory.c - coord/place.c: what arguments and results may take together, and who goes when it is too much.
 *
 * SPDX-License-Identifier: MIT */
#include "queue_world.h"

enum { MEMORY = 4 << 20, ARGS = 60000, RESULT = 200000 };

static char args[ARGS + 1], result[RESULT];

static void
open_small(struct shop *s)
{
    struct coord_options o = world_options();

    memset(args, ' ', ARGS);
    args[0] = '{';
    args[ARGS - 1] = '}';
    memset(result, '1', sizeof result);
    o.max_task_memory = MEMORY;
    shop_open_with(s, &o);
    (void)shop_put(s, "a", terms(1));
}

static enum why
try_submit(struct shop *s)
{
    struct client client = {0};
    struct submission what = {.kind = "sleep", .args = args};

    return settled(s, &client, task_submit(s->w.c, NOW, "a", &what, ask_of(&s->w, &client)));
}

static void
succeed_with_much(struct shop *s, int i)
{
    shop_finish_at(
        s, NOW, i,
        (struct task_end){.state = TASK_SUCCEEDED, .result = blob_new(result, sizeof result)});
    world_commit(&s->w);
}

static bool
is_there(struct shop *s, uint64_t number)
{
    struct task_view view;
    struct client client = {0};
    enum why why =
        settled(s, &client, task_wait(s->w.c, NOW, number, 0, &view, ask_of(&s->w, &client)));

    task_view_free(&view);
    return why == WHY_OK;
}

static void
arguments_of_unfinished_tasks_take_three_quarters_at_most(void **state)
{
    struct shop s;
    enum why why;
    int n = 0;

    (void)state;
    open_small(&s);
    while ((why = try_submit(&s)) == WHY_OK)
        n++;
    assert_int_equal(why, WHY_NO_MEMORY);
    assert_int_equal(n, MEMORY / 4 * 3 / (ARGS + 64));
    assert_int_equal(try_submit(&s), WHY_NO_MEMORY);
    (void)shop_submit(&s, "a", 0); /* a small one still fits */

    shop_succeed(&s, 0); /* finished: its arguments count as a result does */
    assert_int_equal(try_submit(&s), WHY_OK);
    assert_int_equal(try_submit(&s), WHY_NO_MEMORY);
    assert_true(is_there(&s, s.claim[0]->number));
    shop_close(&s);
}

static void
the_oldest_of_those_that_are_over_go_first(void **state)
{
    struct shop s;
    uint64_t number[40];
    int n = 0;

    (void)state;
    open_small(&s);
    for (; n < 40; n++) {
        number[n] = shop_submit(&s, "a", 0);
        succeed_with_much(&s, n);
        (void)deadline_serve(s.w.c, NOW);
        world_commit(&s.w);
        assert_true(s.w.c->queues->bytes <= MEMORY);
        assert_true(is_there(&s, number[n]));
    }
    n = 0;
    while (!is_there(&s, number[n]))
        n++;
    assert_int_equal(n, 40 - MEMORY / RESULT);
    for (; n < 40; n++)
        assert_true(is_there(&s, number[n]));
    assert_int_equal(s.w.c->queues->bytes, s.w.c->queues->bytes_over);
    shop_close(&s);
}

static void
what_is_kept_is_counted_again_after_a_crash(void **state)
{
    struct shop s;
    int64_t bytes;

    (void)state;
    open_small(&s);
    (void)shop_submit(&s, "a", 0);
    succeed_with_much(&s, 0);
    assert_int_equal(try_submit(&s), WHY_OK);
    assert_int_equal(try_submit(&s), WHY_OK);
    bytes = s.w.c->queues->bytes;
    assert_true(bytes > RESULT + 2 * ARGS);
    shop_crash(&s, NOW);
    assert_int_equal(s.w.c->queues->bytes, bytes);
    world_commit(&s.w); /* the claims that the start made come to the hands */

    s.w.c->options.max_task_memory =
        RESULT; /* less than there is: the finished one goes at the start */
    shop_crash(&s, NOW);
    (void)deadline_serve(s.w.c, NOW);
    world_commit(&s.w);
    assert_int_equal(s.w.c->queues->bytes_over, 0);
    assert_int_equal(shop_show(&s, "a").succeeded, 0);
    assert_int_equal(shop_show(&s, "a").ready + shop_show(&s, "a").running, 2);
    shop_close(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_of_unfinished_tasks_take_three_quarters_at_most),
        cmocka_unit_test(the_oldest_of_those_that_are_over_go_first),
        cmocka_unit_test(what_is_kept_is_counted_again_after_a_crash),
    };

    return cmocka_run_group_tests_name("task_memory", tests, NULL, NULL);
}
