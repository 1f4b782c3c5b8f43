/* test_process_memory.c - lib/process*.c when memory is out, at each allocation in turn: an error, and nothing stays.
 *
 * Not under a sanitizer: see failing_malloc.h.
 *
 * SPDX-License-Identifier: MIT */
#include "failing_malloc.h"
#include "process_world.h"

#ifndef SANITIZED

static void
a_run_is_whole_or_leaves_nothing(void **state)
{
    const struct bob_command command = {.argv =
                                            ARGV("sh", "-c", "cat; head -c 100000 /dev/zero >&2"),
                                        .input = "x",
                                        .input_len = 1};
    enum bob_err err = BOB_ERR_NO_MEMORY;
    int tries;

    (void)state;
    for (tries = 0; err && tries < 50; tries++) {
        struct bob_process *p = NULL;

        left = tries;
        err = bob_process_new(&command, &p);
        assert_true(!p == (err != BOB_OK));
        if (!err)
            err = bob_process_run(p, bob_in_ms(PATIENCE_MS));
        left = -1;
        assert_true(err == BOB_OK || err == BOB_ERR_NO_MEMORY);
        if (p && err)
            assert_string_equal(bob_process_message(p), "sh: no memory for its output");
        assert_int_equal(fds_open(), fds_before);
        assert_false(has_children());
        bob_process_free(p);
    }
    assert_in_range(tries, 6, 49); /* handle, command, future, two sinks and their growth */
}

static void
an_empty_output_needs_memory_too(void **state)
{
    struct bob_process *p = process_of(&(struct bob_command){.argv = ARGV("/bin/true")});
    enum bob_err err;

    (void)state;
    left = 1;
    err = bob_process_run(p, bob_in_ms(PATIENCE_MS));
    left = -1;
    assert_int_equal(err, BOB_ERR_NO_MEMORY);
    assert_null(bob_process_result(p));
    bob_process_free(p);
}

static void
a_submit_is_queued_or_refused(void **state)
{
    const struct bob_command command = {.argv = ARGV("/bin/true")};
    struct bob_process_pool *pool = NULL;
    struct bob_process *p = NULL;
    int tries;

    (void)state;
    for (tries = 0; !pool && tries < 20; tries++) {
        left = tries;
        pool = bob_process_pool_new("pool", NULL);
        left = -1;
    }
    assert_in_range(tries, 3, 19);
    for (tries = 0; !p && tries < 30; tries++) {
        enum bob_err err;

        left = tries;
        err = bob_process_pool_submit(pool, &command, &p);
        left = -1;
        assert_true(err == BOB_OK || err == BOB_ERR_NO_MEMORY || err == BOB_ERR_SYSTEM);
        assert_true(!p == (err != BOB_OK));
    }
    assert_in_range(tries, 6, 29);
    assert_int_equal(bob_future_result(bob_process_future(p), bob_in_ms(PATIENCE_MS), NULL),
                     BOB_OK);
    bob_process_free(p);
    bob_process_pool_free(pool);
}

#endif

int
main(int argc, char **argv)
{
#ifdef SANITIZED
    (void)argc;
    (void)argv;
    (void)has_children;
    (void)world_begin;
    (void)world_end;
    (void)play;
    (void)puts("1..0 # SKIP a sanitizer has a malloc of its own");
    return 0;
#else
    const struct CMUnitTest tests[] = {
        FACT(a_run_is_whole_or_leaves_nothing),
        FACT(an_empty_output_needs_memory_too),
        FACT(a_submit_is_queued_or_refused),
    };

    play(argc, argv);
    return cmocka_run_group_tests_name("process_memory", tests, NULL, NULL);
#endif
}
