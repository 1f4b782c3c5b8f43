/* test_process_end.c - lib/process*.c: how a program is ended, and that nothing of it stays.
 *
 * SPDX-License-Identifier: MIT */
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "process_world.h"

/* Waits until the process, which is not ours to wait for, has ended. */
static void
ends(pid_t pid)
{
    struct pollfd fd = {(int)syscall(SYS_pidfd_open, pid, 0), POLLIN, 0};

    if (fd.fd < 0) {
        assert_int_equal(errno, ESRCH);
        return;
    }
    assert_int_equal(poll(&fd, 1, PATIENCE_MS), 1);
    (void)close(fd.fd);
}

/* ---- ending one when it is ready ---- */

struct killer {
    struct bob_thread *thread;
    struct bob_process *process;
    char said[64]; /* through the fifo */
};

static void *
kill_when_ready(void *arg)
{
    struct killer *k = arg;
    int fd = open(fifo, O_RDONLY | O_CLOEXEC);
    size_t len = 0;
    ssize_t n;

    while (fd >= 0 && (n = read(fd, k->said + len, sizeof k->said - 1 - len)) > 0)
        len += (size_t)n;
    (void)close(fd);
    bob_process_kill(k->process);
    return NULL;
}

static void
killer_start(struct killer *k, struct bob_process *p)
{
    *k = (struct killer){.process = p};
    assert_int_equal(bob_thread_start(&k->thread, "killer", kill_when_ready, k, NULL), BOB_OK);
}

/* ---- by time ---- */

static void
time_ends_it(void **state)
{
    struct bob_process *p;
    const struct bob_process_result *r =
        ran(&p, (struct bob_command){.argv = ARGV("/bin/sleep", "1000"), .timeout_ms = 20});

    (void)state;
    assert_int_equal(r->signal, SIGKILL);
    assert_int_equal(r->exit_status, -1);
    assert_true(r->timed_out);
    assert_false(r->killed);
    assert_true(r->wall_ns >= 20 * 1000 * 1000);
    bob_process_free(p);
}

static void
a_deadline_ends_it_like_its_own_timeout(void **state)
{
    struct bob_process *p = process_of(&(struct bob_command){
        .argv = ARGV("/bin/sleep", "1000"), .timeout_ms = INT64_MAX, .grace_ms = PATIENCE_MS});

    (void)state;
    assert_int_equal(bob_process_run(p, bob_in_ms(20)), BOB_OK);
    assert_true(bob_process_result(p)->timed_out);
    assert_int_equal(bob_process_result(p)->signal, SIGTERM);
    bob_process_free(p);
}

static void
one_that_has_closed_its_output_is_still_bounded(void **state)
{
    struct bob_process *p;
    const struct bob_process_result *r = ran(
        &p, (struct bob_command){.argv = SH("exec >&- 2>&-; exec sleep 1000"), .timeout_ms = 50});

    (void)state;
    assert_true(r->timed_out);
    bob_process_free(p);
}

static void
one_that_floods_is_still_bounded(void **state)
{
    (void)state;
    for (int64_t ms = 100, len = 0; len == 0;
         ms *= 5) { /* one that has not begun has not flooded */
        struct bob_process *p;
        const struct bob_process_result *r =
            ran(&p, (struct bob_command){
                        .argv = ARGV("/bin/cat", "/dev/zero"), .timeout_ms = ms, .output_max = 10});

        assert_true(r->timed_out);
        len = (int64_t)r->out.len;
        assert_true(len == 0 || (len == 10 && r->out.truncated));
        bob_process_free(p);
    }
}

static void
one_that_is_stopped_hears_it_all_the_same(void **state)
{
    struct bob_process *p;
    const struct bob_process_result *r =
        ran(&p, (struct bob_command){
                    .argv = SH("kill -STOP $$"), .timeout_ms = 50, .grace_ms = PATIENCE_MS});

    (void)state;
    assert_int_equal(r->signal, SIGTERM);
    assert_true(r->timed_out);
    bob_process_free(p);
}

static void
one_that_hears_nothing_is_killed_after_its_grace(void **state)
{
    struct bob_process *p =
        process_of(&(struct bob_command){.argv = ARGV(SELF, "deaf", folder), .grace_ms = 30});
    struct killer k;

    (void)state;
    killer_start(&k, p);
    assert_int_equal(bob_process_run(p, bob_in_ms(PATIENCE_MS)), BOB_OK);
    bob_thread_free(k.thread);
    assert_int_equal(bob_process_result(p)->signal, SIGKILL);
    assert_true(bob_process_result(p)->killed);
    assert_false(bob_process_result(p)->timed_out);
    assert_true(bob_process_result(p)->wall_ns >= 30 * 1000 * 1000);
    bob_process_free(p);
}

/* ---- by a kill ---- */

static void
one_that_is_killed_may_say_goodbye(void **state)
{
    struct bob_process *p = process_of(
        &(struct bob_command){.argv = ARGV(SELF, "polite", folder), .grace_ms = PATIENCE_MS});
    struct killer k;

    (void)state;
    killer_start(&k, p);
    assert_int_equal(bob_process_run(p, bob_in_ms(PATIENCE_MS)), BOB_OK);
    bob_thread_free(k.thread);
    assert_int_equal(bob_process_result(p)->exit_status, 3);
    assert_string_equal(bob_process_result(p)->out.bytes, "bye\n");
    assert_true(bob_process_result(p)->killed);
    bob_process_kill(p); /* again, and after its end: nothing */
    bob_process_free(p);
}

static void
a_deaf_grandchild_goes_with_its_leader(void **state)
{
    struct bob_process *p = process_of(
        &(struct bob_command){.argv = ARGV(SELF, "family", folder), .grace_ms = PATIENCE_MS});
    struct killer k;

    (void)state;
    killer_start(&k, p);
    assert_int_equal(bob_process_run(p, bob_in_ms(PATIENCE_MS)), BOB_OK);
    bob_thread_free(k.thread);
    assert_int_equal(bob_process_result(p)->signal, SIGTERM);
    assert_true(atoi(k.said) > 1);
    ends(atoi(k.said));
    bob_process_free(p);
}

/* ---- what it leaves ---- */

static void
what_it_leaves_in_its_group_is_killed(void **state)
{
    struct bob_process *p;
    const struct bob_process_result *r =
        ran(&p, (struct bob_command){.argv = SH("sleep 1000 & echo $!; exit 5")});

    (void)state;
    assert_int_equal(r->exit_status, 5);
    assert_false(r->killed);
    assert_true(atoi(r->out.bytes) > 1);
    ends(atoi(r->out.bytes));
    bob_process_free(p);
}

/* As for process 1, to whom orphans come. */
static void
what_is_killed_in_its_group_leaves_no_zombie_of_ours(void **state)
{
    struct bob_process *p;
    const struct bob_process_result *r;

    (void)state;
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    r = ran(&p, (struct bob_command){.argv = SH("(sleep 1000 & wait) & sleep 1000 & exit 5")});
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
    assert_int_equal(r->exit_status, 5);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    bob_process_free(p);
}

static void
one_that_has_left_the_group_is_not_waited_for(void **state)
{
    struct bob_process *p;
    const struct bob_process_result *r =
        ran(&p, (struct bob_command){.argv = ARGV(SELF, "runaway")});
    pid_t runaway = atoi(r->out.bytes);

    (void)state;
    assert_int_equal(r->exit_status, 0);
    assert_true(runaway > 1);
    assert_int_equal(kill(runaway, 0), 0); /* as the header says */
    assert_int_equal(kill(runaway, SIGKILL), 0);
    ends(runaway);
    bob_process_free(p);
}

static void
it_dies_with_the_program_that_runs_it(void **state)
{
    struct bob_process *p = process_of(&(struct bob_command){.argv = ARGV(SELF, "runner", folder)});
    struct killer k;

    (void)state;
    killer_start(&k,
                 p); /* the inner one has a group of its own: only the death signal reaches it */
    assert_int_equal(bob_process_run(p, bob_in_ms(PATIENCE_MS)), BOB_OK);
    bob_thread_free(k.thread);
    assert_int_equal(bob_process_result(p)->signal, SIGKILL);
    assert_true(atoi(k.said) > 1);
    ends(atoi(k.said));
    bob_process_free(p);
}

static void
an_end_that_another_takes_is_an_error(void **state)
{
    struct bob_process *p = process_of(&(struct bob_command){.argv = ARGV("/bin/true")});

    (void)state;
    (void)signal(SIGCHLD, SIG_IGN);
    assert_int_equal(bob_process_run(p, bob_in_ms(PATIENCE_MS)), BOB_ERR_SYSTEM);
    (void)signal(SIGCHLD, SIG_DFL);
    assert_true(*bob_process_message(p));
    assert_null(bob_process_result(p));
    bob_process_free(p);
}

static void
a_limit_ends_it(void **state)
{
    char path[sizeof folder + 8];
    struct bob_process *p;

    (void)state;
    (void)snprintf(path, sizeof path, "%s/big", folder);
    assert_int_equal(
        ran(&p, (struct bob_command){.argv = ARGV("/bin/sh", "-c",
                                                  "exec head -c 9999 /dev/zero >$0", path),
                                     .limits = {.file_bytes = 4096}})
            ->signal,
        SIGXFSZ);
    bob_process_free(p);
    assert_int_equal(ran(&p, (struct bob_command){.argv = SH("while :; do :; done"),
                                                  .limits = {.cpu_seconds = 1}})
                         ->signal,
                     SIGXCPU);
    assert_true(bob_process_result(p)->cpu_ns > 500 * 1000 * 1000);
    bob_process_free(p);
}

/* Ours grows in the second step, for good: the kernel keeps it as a peak. */
static void
its_peak_of_memory_is_its_own_or_not_known(void **state)
{
    struct bob_process *p;
    void *ours;

    (void)state;
    assert_true(ran(&p, (struct bob_command){.argv = ARGV(SELF, "big")})->max_rss_bytes >= BIG);
    bob_process_free(p);

    ours = big_memory();
    assert_ptr_not_equal(ours, MAP_FAILED);
    assert_int_equal(ran(&p, (struct bob_command){.argv = ARGV("/bin/true")})->max_rss_bytes, 0);
    bob_process_free(p);
    (void)munmap(ours, BIG);
    assert_int_equal(ran(&p, (struct bob_command){.argv = ARGV("/bin/true")})->max_rss_bytes, 0);
    bob_process_free(p);
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        FACT(time_ends_it),
        FACT(a_deadline_ends_it_like_its_own_timeout),
        FACT(one_that_has_closed_its_output_is_still_bounded),
        FACT(one_that_floods_is_still_bounded),
        FACT(one_that_is_stopped_hears_it_all_the_same),
        FACT(one_that_hears_nothing_is_killed_after_its_grace),
        FACT(one_that_is_killed_may_say_goodbye),
        FACT(a_deaf_grandchild_goes_with_its_leader),
        FACT(what_it_leaves_in_its_group_is_killed),
        FACT(what_is_killed_in_its_group_leaves_no_zombie_of_ours),
        FACT(one_that_has_left_the_group_is_not_waited_for),
        FACT(it_dies_with_the_program_that_runs_it),
        FACT(an_end_that_another_takes_is_an_error),
        FACT(a_limit_ends_it),
        FACT(its_peak_of_memory_is_its_own_or_not_known),
    };

    play(argc, argv);
    return cmocka_run_group_tests_name("process_end", tests, NULL, NULL);
}
