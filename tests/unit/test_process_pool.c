/* test_process_pool.c - lib/process_pool.c: a bounded number at once, results of all, and an end that leaves nothing.
 *
 * SPDX-License-Identifier: MIT */
#include "process_world.h"

static struct bob_process_pool *
pool_of(unsigned max_children, unsigned max_queue)
{
    const struct bob_process_pool_options options = {.max_children = max_children,
                                                     .max_queue = max_queue};
    struct bob_process_pool *pool = bob_process_pool_new("children", &options);

    assert_non_null(pool);
    return pool;
}

static struct bob_process *
submitted(struct bob_process_pool *pool, struct bob_command command)
{
    struct bob_process *p = NULL;

    assert_int_equal(bob_process_pool_submit(pool, &command, &p), BOB_OK);
    return p;
}

static enum bob_err
outcome(struct bob_process *p)
{
    return bob_future_result(bob_process_future(p), bob_in_ms(PATIENCE_MS), NULL);
}

/* A part that waits for ever has begun when the fifo can be opened. */
static void
has_begun(void)
{
    int fd = open(fifo, O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    (void)close(fd);
}

static void
a_program_runs_and_its_result_is_kept(void **state)
{
    struct bob_process_pool *pool = bob_process_pool_new("sorter", NULL);
    struct bob_process *p = submitted(
        pool,
        (struct bob_command){.argv = ARGV("sort", "-n"), .input = "3\n1\n2\n", .input_len = 6});
    struct bob_process *q = submitted(pool, (struct bob_command){.argv = ARGV("/no/such")});
    void *value = NULL;

    (void)state;
    assert_int_equal(bob_future_result(bob_process_future(p), bob_in_ms(PATIENCE_MS), &value),
                     BOB_OK);
    assert_ptr_equal(value, bob_process_result(p));
    assert_int_equal(outcome(q), BOB_ERR_SYSTEM);
    assert_int_equal(bob_process_run(p, BOB_FOREVER), BOB_ERR_STATE);
    bob_process_pool_free(pool); /* the handles stay */
    assert_string_equal(bob_process_result(p)->out.bytes, "1\n2\n3\n");
    assert_string_equal(bob_process_message(q),
                        "/no/such: cannot be run: No such file or directory");
    bob_process_free(p);
    bob_process_free(q);
}

/* ---- programs that were written a moment ago ---- */

enum { WRITERS = 8, WRITES = 100 };

/* Its descriptor, still open; -1: it could not be written.  Slowly, so that it is open when
 * others start a child. */
static int
write_program(const char *path)
{
    static const char script[] =
        "#!/bin/true                                                    \n";
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);

    for (const char *c = script; *c && fd >= 0; c++)
        if (write(fd, c, 1) != 1)
            return -1;
    return fd;
}

/* Writes a program and runs it, again and again; how often it did not run. */
static void *
write_and_run(void *arg)
{
    const char *path = arg;
    const struct bob_command command = {.argv = ARGV(path)};
    uintptr_t failed = 0;

    for (int i = 0; i < WRITES; i++) {
        struct bob_process *p = NULL;

        failed += close(write_program(path)) != 0 || bob_process_new(&command, &p) != BOB_OK ||
                  bob_process_run(p, BOB_FOREVER) != BOB_OK;
        bob_process_free(p);
    }
    return (void *)failed;
}

static void
what_threads_have_just_written_runs_while_others_start_children(void **state)
{
    char path[WRITERS][sizeof folder + 16];
    struct bob_thread *thread[WRITERS];

    (void)state;
    for (int i = 0; i < WRITERS; i++) {
        (void)snprintf(path[i], sizeof path[i], "%s/w%d", folder, i);
        assert_int_equal(bob_thread_start(&thread[i], "writer", write_and_run, path[i], NULL),
                         BOB_OK);
    }
    for (int i = 0; i < WRITERS; i++) {
        void *failed = NULL;

        assert_int_equal(bob_thread_join(thread[i], BOB_FOREVER, &failed), BOB_OK);
        assert_int_equal((uintptr_t)failed, 0);
        bob_thread_free(thread[i]);
    }
}

/* A process whose program is open for writing, until *ret_fd is closed. */
static struct bob_process *
busy_process(int *ret_fd)
{
    char path[sizeof folder + 16];

    (void)snprintf(path, sizeof path, "%s/busy", folder);
    *ret_fd = write_program(path);
    assert_true(*ret_fd >= 0);
    return process_of(&(struct bob_command){.argv = ARGV(path)});
}

static void
one_that_stays_open_for_writing_is_given_up(void **state)
{
    char message[sizeof folder + 64];
    int fd;
    struct bob_process *p = busy_process(&fd);

    (void)state;
    (void)snprintf(message, sizeof message, "%s/busy: cannot be run: Text file busy", folder);
    assert_int_equal(bob_process_run(p, BOB_FOREVER), BOB_ERR_SYSTEM);
    assert_string_equal(bob_process_message(p), message);
    bob_process_free(p);
    (void)close(fd);
}

static void
the_deadline_ends_the_tries_of_one_that_stays_open_for_writing(void **state)
{
    int fd;
    struct bob_process *p = busy_process(&fd);

    (void)state;
    assert_int_equal(bob_process_run(p, bob_in_ms(20)), BOB_ERR_TIMEOUT);
    assert_null(bob_process_result(p));
    bob_process_free(p);
    (void)close(fd);
}

/* Once there is what it would be told by, beside the program that is open. */
static void *
kill_when_tried(void *process)
{
    while (fds_open() < fds_before + 2)
        (void)sched_yield();
    bob_process_kill(process);
    return NULL;
}

static void
a_kill_ends_the_tries_of_one_that_stays_open_for_writing(void **state)
{
    int fd;
    struct bob_process *p = busy_process(&fd);
    struct bob_thread *killer;

    (void)state;
    assert_int_equal(bob_thread_start(&killer, "killer", kill_when_tried, p, NULL), BOB_OK);
    assert_int_equal(bob_process_run(p, BOB_FOREVER), BOB_ERR_CANCELLED);
    assert_int_equal(bob_thread_join(killer, BOB_FOREVER, NULL), BOB_OK);
    bob_thread_free(killer);
    assert_null(bob_process_result(p));
    bob_process_free(p);
    (void)close(fd);
}

static void
two_hundred_run_four_at_a_time(void **state)
{
    enum { MANY = 200 };
    struct bob_process_pool *pool = pool_of(4, 0);
    struct bob_process *p[MANY];

    (void)state;
    for (int i = 0; i < MANY; i++)
        p[i] = submitted(pool, (struct bob_command){.argv = ARGV(SELF, "place", folder)});
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(outcome(p[i]), BOB_OK);
        assert_int_equal(bob_process_result(p[i])->exit_status, 0);
        bob_process_free(p[i]);
    }
    bob_process_pool_free(pool);
}

static void
one_that_waits_its_turn_can_be_cancelled(void **state)
{
    struct bob_process_pool *pool = pool_of(1, 0);
    struct bob_process *first =
        submitted(pool, (struct bob_command){.argv = ARGV(SELF, "deaf", folder)});
    struct bob_process *second = submitted(pool, (struct bob_command){.argv = ARGV("/bin/true")});
    struct bob_process *third = submitted(pool, (struct bob_command){.argv = ARGV("/bin/true")});
    struct bob_process *fourth = submitted(pool, (struct bob_command){.argv = ARGV("/bin/true")});

    (void)state;
    has_begun();
    assert_true(bob_future_running(bob_process_future(first)));
    assert_false(bob_future_cancel(bob_process_future(first))); /* it runs: only a kill ends it */
    bob_process_kill(second);
    assert_int_equal(outcome(second), BOB_ERR_CANCELLED);
    assert_true(bob_future_cancel(bob_process_future(third)));
    bob_process_kill(first);
    assert_int_equal(outcome(first), BOB_OK);
    assert_true(bob_process_result(first)->killed);
    assert_int_equal(outcome(fourth), BOB_OK);
    bob_process_free(first);
    bob_process_free(second);
    bob_process_free(third);
    bob_process_free(fourth);
    bob_process_pool_free(pool);
}

static void
a_handle_that_is_freed_takes_its_process_along(void **state)
{
    struct bob_process_pool *pool = pool_of(1, 0);
    struct bob_process *runs =
        submitted(pool, (struct bob_command){.argv = ARGV(SELF, "deaf", folder)});
    struct bob_process *waits =
        submitted(pool, (struct bob_command){.argv = ARGV("/bin/sleep", "1000")});
    struct bob_future *f = bob_future_ref(bob_process_future(runs));

    (void)state;
    has_begun();
    bob_process_free(waits);
    bob_process_free(runs);
    assert_int_equal(bob_future_result(f, bob_in_ms(PATIENCE_MS), NULL), BOB_OK);
    bob_future_unref(f);
    bob_process_pool_free(pool);
}

static void
without_a_handle_it_runs_all_the_same(void **state)
{
    struct bob_process_pool *pool = pool_of(1, 0);
    char path[sizeof folder + 8];

    (void)state;
    (void)snprintf(path, sizeof path, "%s/made", folder);
    assert_int_equal(
        bob_process_pool_submit(pool, &(struct bob_command){.argv = ARGV("mkdir", path)}, NULL),
        BOB_OK);
    assert_int_equal(bob_process_pool_shut_down(pool, false, bob_in_ms(PATIENCE_MS)), BOB_OK);
    assert_int_equal(rmdir(path), 0);
    bob_process_pool_free(pool);
}

static void
what_is_too_much_or_too_late_is_refused(void **state)
{
    struct bob_process_pool *pool = pool_of(1, 1);
    const struct bob_command command = {.argv = ARGV("/bin/true")};
    struct bob_process *runs =
        submitted(pool, (struct bob_command){.argv = ARGV(SELF, "deaf", folder)});
    struct bob_process *waits, *none = NULL;

    (void)state;
    has_begun();
    waits = submitted(pool, command);
    assert_int_equal(bob_process_pool_submit(pool, &command, &none), BOB_ERR_FULL);
    assert_int_equal(bob_process_pool_submit(pool, &(struct bob_command){0}, &none),
                     BOB_ERR_INVALID);
    assert_int_equal(bob_process_pool_shut_down(pool, false, BOB_AT_ONCE), BOB_ERR_TIMEOUT);
    assert_int_equal(bob_process_pool_submit(pool, &command, &none), BOB_ERR_SHUT_DOWN);
    assert_null(none);
    bob_process_kill(runs);
    assert_int_equal(outcome(waits), BOB_OK);
    bob_process_free(runs);
    bob_process_free(waits);
    bob_process_pool_free(pool);
}

static void
a_cancel_ends_what_runs_and_what_waits(void **state)
{
    enum { MANY = 20 };
    struct bob_process_pool *pool = pool_of(2, 0);
    struct bob_process *first =
        submitted(pool, (struct bob_command){.argv = ARGV(SELF, "deaf", folder)});
    struct bob_process *p[MANY];

    (void)state;
    for (int i = 0; i < MANY; i++)
        p[i] = submitted(pool, (struct bob_command){.argv = ARGV("/bin/sleep", "1000")});
    has_begun();
    assert_int_equal(bob_process_pool_shut_down(pool, false, bob_in_ms(1)), BOB_ERR_TIMEOUT);
    assert_int_equal(bob_process_pool_shut_down(pool, true, bob_in_ms(PATIENCE_MS)), BOB_OK);
    assert_true(bob_future_done(bob_process_future(first)));
    assert_int_equal(bob_process_result(first)->signal, SIGKILL);
    assert_true(bob_process_result(first)->killed);
    for (int i = 0; i < MANY; i++) {
        enum bob_err err = bob_future_result(bob_process_future(p[i]), BOB_AT_ONCE, NULL);

        assert_true(err == BOB_ERR_CANCELLED || (!err && bob_process_result(p[i])->killed));
        bob_process_free(p[i]);
    }
    bob_process_free(first);
    assert_int_equal(bob_process_pool_shut_down(pool, true, BOB_AT_ONCE), BOB_OK);
    bob_process_pool_free(pool);
}

static struct bob_process_pool *own_pool;
static enum bob_err from_callback;

static void
shut_down_from_within(struct bob_future *f, void *arg)
{
    (void)f;
    from_callback = bob_process_pool_shut_down(own_pool, true, BOB_FOREVER);
    bob_process_free(arg);
}

static void
its_own_thread_cannot_wait_for_it_but_may_free_the_handle(void **state)
{
    struct bob_process *p;

    (void)state;
    own_pool = pool_of(1, 0);
    p = submitted(own_pool,
                  (struct bob_command){.argv = ARGV(SELF, "polite", folder), .timeout_ms = 1});
    assert_int_equal(bob_future_add_done_callback(bob_process_future(p), shut_down_from_within, p),
                     BOB_OK);
    bob_process_pool_free(own_pool);
    assert_int_equal(from_callback, BOB_ERR_INVALID);
}

static void
null_is_freed_in_peace(void **state)
{
    (void)state;
    bob_process_pool_free(NULL);
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        FACT(a_program_runs_and_its_result_is_kept),
        FACT(what_threads_have_just_written_runs_while_others_start_children),
        FACT(one_that_stays_open_for_writing_is_given_up),
        FACT(the_deadline_ends_the_tries_of_one_that_stays_open_for_writing),
        FACT(a_kill_ends_the_tries_of_one_that_stays_open_for_writing),
        FACT(two_hundred_run_four_at_a_time),
        FACT(one_that_waits_its_turn_can_be_cancelled),
        FACT(a_handle_that_is_freed_takes_its_process_along),
        FACT(without_a_handle_it_runs_all_the_same),
        FACT(what_is_too_much_or_too_late_is_refused),
        FACT(a_cancel_ends_what_runs_and_what_waits),
        FACT(its_own_thread_cannot_wait_for_it_but_may_free_the_handle),
        FACT(null_is_freed_in_peace),
    };

    play(argc, argv);
    return cmocka_run_group_tests_name("process_pool", tests, NULL, NULL);
}
