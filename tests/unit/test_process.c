/* test_process.c - lib/process*.c: what a program gets, and what comes back of it.
 *
 * SPDX-License-Identifier: MIT */
#include <sys/resource.h>
#include <sys/syscall.h>

#include "process_world.h"

enum { MEGABYTE = 1000 * 1000 };

/* ---- what it gets ---- */

static void
arguments_go_through_no_shell(void **state)
{
    (void)state;
    says((struct bob_command){.argv = ARGV("/usr/bin/printf", "%s|", "a b", "$HOME", "*", ";", "")},
         "a b|$HOME|*|;||");
}

static void
the_command_may_be_forgotten_once_it_is_given(void **state)
{
    char text[] = "first", program[] = "/bin/cat", input[] = "input";
    const char *argv[] = {program, NULL};
    struct bob_command command = {.argv = argv, .input = input, .input_len = 5};
    struct bob_process *p = process_of(&command);

    (void)state;
    memset(program, 'x', sizeof program - 1);
    memset(input, 'x', sizeof input - 1);
    argv[0] = text;
    memset(&command, 0xFF, sizeof command);
    assert_int_equal(bob_process_run(p, BOB_FOREVER), BOB_OK);
    assert_string_equal(bob_process_result(p)->out.bytes, "input");
    bob_process_free(p);
}

static void
its_environment_is_the_one_given(void **state)
{
    (void)state;
    says((struct bob_command){.argv = ARGV("/usr/bin/env"), .env = ARGV("A=1", "B=two words")},
         "A=1\nB=two words\n");
    says((struct bob_command){.argv = ARGV("/usr/bin/env")},
         "PATH=/usr/local/bin:/usr/bin:/bin\nLANG=C.UTF-8\n");
    says((struct bob_command){.argv = ARGV("/usr/bin/env"), .env = (const char *const[]){NULL}},
         "");
}

static void
a_name_without_a_slash_is_looked_for_in_its_own_path(void **state)
{
    char path[128];
    struct bob_command command = {.argv = ARGV("true"), .env = ARGV("PATH=/nowhere:")};
    struct bob_process *p;

    (void)state;
    says((struct bob_command){.argv = ARGV("true")}, "");
    (void)snprintf(path, sizeof path, "PATH=/nowhere::%s:/bin", folder);
    says((struct bob_command){.argv = ARGV("true"), .env = ARGV("X=1", path)}, "");
    p = process_of(&command);
    assert_int_equal(bob_process_run(p, BOB_FOREVER), BOB_ERR_SYSTEM);
    assert_string_equal(bob_process_message(p), "true: cannot be run: No such file or directory");
    bob_process_free(p);
}

static void
it_works_in_the_folder_given(void **state)
{
    char line[sizeof folder + 1];

    (void)state;
    (void)snprintf(line, sizeof line, "%s\n", folder);
    says((struct bob_command){.argv = ARGV("/bin/pwd"), .cwd = folder}, line);
}

static void
it_has_three_descriptors(void **state)
{
    int extra[5];

    (void)state;
    for (int i = 0; i < 5; i++)
        extra[i] = dup(STDERR_FILENO); /* not close-on-exec */
    says((struct bob_command){.argv = ARGV(SELF, "fds")}, "0 1 2 ");
    for (int i = 0; i < 5; i++)
        (void)close(extra[i]);
}

static void
it_runs_from_a_program_that_has_closed_its_own(void **state)
{
    struct bob_process *p;

    (void)state;
    assert_int_equal(ran(&p, (struct bob_command){.argv = ARGV(SELF, "closed")})->exit_status, 42);
    bob_process_free(p);
}

static void
no_signal_is_blocked_or_ignored(void **state)
{
    const uint64_t ignored[8] = {(uint64_t)(uintptr_t)SIG_IGN}, plain[8] = {0};
    sigset_t some, before;

    (void)state;
    (void)sigemptyset(&some);
    (void)sigaddset(&some, SIGTERM);
    (void)sigaddset(&some, SIGUSR1);
    (void)sigprocmask(SIG_BLOCK, &some, &before);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGINT, SIG_IGN);
    (void)syscall(SYS_rt_sigaction, 33, ignored, NULL, (size_t)8); /* libc's own */
    says(
        (struct bob_command){.argv = ARGV("/bin/grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status")},
        "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
    (void)syscall(SYS_rt_sigaction, 33, plain, NULL, (size_t)8);
    (void)signal(SIGPIPE, SIG_DFL);
    (void)signal(SIGINT, SIG_DFL);
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
}

static void
it_leads_a_group_under_the_normal_policy(void **state)
{
    const struct sched_param plain = {0};

    (void)state;
    assert_int_equal(sched_setscheduler(0, SCHED_BATCH, &plain), 0);
    says((struct bob_command){.argv = ARGV(SELF, "manners")}, "policy 0, leader 1\n");
    (void)sched_setscheduler(0, SCHED_OTHER, &plain);
}

static void
its_limits_are_set(void **state)
{
    (void)state;
    says(
        (struct bob_command){
            .argv = SH("ulimit -t; ulimit -v; ulimit -f; ulimit -n; ulimit -c; ulimit -Ht"),
            .limits = {.cpu_seconds = 7,
                       .memory_bytes = 1 << 30,
                       .file_bytes = 512 * 100,
                       .open_files = 33}},
        "7\n1048576\n100\n33\n0\n8\n");
}

static void
the_kernel_ends_it_sooner_than_this_program(void **state)
{
    static const unsigned asked[] = {1000, 999, 5000};
    static const char *const got[] = {"1000\n", "999\n", "1000\n"};
    FILE *f = fopen("/proc/self/oom_score_adj", "r");
    char own[16];

    (void)state;
    if (!f || !fgets(own, sizeof own, f))
        skip();
    (void)fclose(f);
    for (int i = strtol(own, NULL, 10) > 999 ? 2 : 0; i < 3; i++) /* only raised by anybody */
        says((struct bob_command){.argv = SH("cat /proc/self/oom_score_adj"),
                                  .limits = {.oom_score_adj = asked[i]}},
             got[i]);
    says((struct bob_command){.argv = SH("cat /proc/self/oom_score_adj")}, own);
}

static void
a_limit_above_our_own_is_our_own(void **state)
{
    struct rlimit own;
    char line[64];

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &own), 0);
    (void)snprintf(line, sizeof line, "%llu\n", (unsigned long long)own.rlim_max);
    says((struct bob_command){.argv = SH("ulimit -n"), .limits = {.open_files = UINT64_MAX}}, line);
}

/* ---- input and output ---- */

static void
input_reaches_it(void **state)
{
    (void)state;
    says((struct bob_command){.argv = ARGV("/usr/bin/sort"), .input = "c\na\nb\n", .input_len = 6},
         "a\nb\nc\n");
    says((struct bob_command){.argv = ARGV("/bin/cat")}, "");
    says((struct bob_command){.argv = ARGV("/bin/cat", "/dev/stdin"), .input = "x", .input_len = 1},
         "x");
}

static char *
pattern(size_t len)
{
    char *bytes = malloc(len);

    assert_non_null(bytes);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (char)(i * 31 + i / 251);
    return bytes;
}

static void
two_megabytes_go_in_and_out(void **state)
{
    char *bytes = pattern(2 * MEGABYTE);
    struct bob_process *p;
    const struct bob_process_result *r = ran(&p, (struct bob_command){.argv = ARGV("/bin/cat"),
                                                                      .input = bytes,
                                                                      .input_len = 2 * MEGABYTE,
                                                                      .output_max = SIZE_MAX});

    (void)state;
    assert_int_equal(r->out.len, 2 * MEGABYTE);
    assert_false(r->out.truncated);
    assert_memory_equal(r->out.bytes, bytes, 2 * MEGABYTE);
    assert_int_equal(r->out.bytes[2 * MEGABYTE], 0);
    bob_process_free(p);
    free(bytes);
}

static void
it_may_write_much_before_it_reads_or_never_read(void **state)
{
    char *bytes = pattern(MEGABYTE);
    struct bob_process *p;
    const struct bob_process_result *r =
        ran(&p, (struct bob_command){
                    .argv = SH("head -c 900000 /dev/zero; head -c 900000 /dev/zero >&2; wc -c"),
                    .input = bytes,
                    .input_len = MEGABYTE});

    (void)state;
    assert_int_equal(r->out.len, 900000 + 8);
    assert_int_equal(r->err.len, 900000);
    bob_process_free(p);
    says((struct bob_command){.argv = ARGV("/bin/true"), .input = bytes, .input_len = MEGABYTE},
         "");
    free(bytes);
}

static void
it_cannot_change_its_input(void **state)
{
    struct bob_process *p;

    (void)state;
    assert_int_not_equal(ran(&p, (struct bob_command){.argv = SH("echo more >>/dev/stdin"),
                                                      .input = "text",
                                                      .input_len = 4})
                             ->exit_status,
                         0);
    bob_process_free(p);
}

static void
output_beyond_its_bound_is_dropped_and_flagged(void **state)
{
    struct bob_process *p;
    struct bob_command command = {.argv = SH("head -c 300000 /dev/zero; echo last >&2"),
                                  .output_max = 5};
    const struct bob_process_result *r = ran(&p, command);

    (void)state;
    assert_int_equal(r->exit_status, 0);
    assert_int_equal(r->out.len, 5);
    assert_true(r->out.truncated);
    assert_string_equal(r->err.bytes, "last\n");
    assert_false(r->err.truncated);
    bob_process_free(p);

    command.output_max = 299999;
    r = ran(&p, command);
    assert_int_equal(r->out.len, 299999);
    assert_true(r->out.truncated);
    bob_process_free(p);
}

/* ---- its end ---- */

static void
an_exit_status_is_a_result(void **state)
{
    struct bob_process *p;
    const struct bob_process_result *r =
        ran(&p, (struct bob_command){.argv = SH("echo o; echo e >&2; exit 7")});

    (void)state;
    assert_int_equal(r->exit_status, 7);
    assert_int_equal(r->signal, 0);
    assert_string_equal(r->out.bytes, "o\n");
    assert_string_equal(r->err.bytes, "e\n");
    assert_false(r->timed_out || r->killed);
    assert_true(r->wall_ns > 0 && r->cpu_ns > 0);
    bob_process_free(p);
}

static void
a_signal_is_a_result(void **state)
{
    struct bob_process *p;
    const struct bob_process_result *r = ran(&p, (struct bob_command){.argv = SH("kill -SEGV $$")});

    (void)state;
    assert_int_equal(r->exit_status, -1);
    assert_int_equal(r->signal, SIGSEGV);
    assert_false(r->timed_out || r->killed);
    bob_process_free(p);
}

static void
what_cannot_be_started_says_why(void **state)
{
    static const struct {
        const char *program, *cwd, *message;
    } T[] = {
        {"/no/such", NULL, "/no/such: cannot be run: No such file or directory"},
        {"/etc/passwd", NULL, "/etc/passwd: cannot be run: Permission denied"},
        {"/tmp", NULL, "/tmp: cannot be run: Permission denied"},
        {"/bin/true", "/no/such",
         "/bin/true: cannot enter its folder /no/such: No such file or directory"},
        {"/bin/true", "/etc/passwd",
         "/bin/true: cannot enter its folder /etc/passwd: Not a directory"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        struct bob_process *p =
            process_of(&(struct bob_command){.argv = ARGV(T[i].program), .cwd = T[i].cwd});

        assert_int_equal(bob_process_run(p, BOB_FOREVER), BOB_ERR_SYSTEM);
        assert_string_equal(bob_process_message(p), T[i].message);
        assert_null(bob_process_result(p));
        assert_int_equal(bob_future_result(bob_process_future(p), BOB_AT_ONCE, NULL),
                         BOB_ERR_SYSTEM);
        assert_string_equal(bob_future_message(bob_process_future(p)), T[i].message);
        bob_process_free(p);
    }
}

static void
a_script_without_an_interpreter_is_none(void **state)
{
    char path[sizeof folder + 8];
    struct bob_process *p;
    FILE *f;

    (void)state;
    (void)snprintf(path, sizeof path, "%s/script", folder);
    f = fopen(path, "w");
    assert_non_null(f);
    (void)fputs("echo no\n", f);
    (void)fclose(f);
    assert_int_equal(chmod(path, 0700), 0);
    p = process_of(&(struct bob_command){.argv = ARGV(path)});
    assert_int_equal(bob_process_run(p, BOB_FOREVER), BOB_ERR_SYSTEM);
    assert_non_null(strstr(bob_process_message(p), "Exec format error"));
    bob_process_free(p);
}

static void
a_malformed_command_is_refused(void **state)
{
    struct bob_process *p = NULL;
    const char *const none[] = {NULL};

    (void)state;
    assert_int_equal(bob_process_new(&(struct bob_command){0}, &p), BOB_ERR_INVALID);
    assert_int_equal(bob_process_new(&(struct bob_command){.argv = none}, &p), BOB_ERR_INVALID);
    assert_int_equal(bob_process_new(&(struct bob_command){.argv = ARGV("")}, &p), BOB_ERR_INVALID);
    assert_int_equal(
        bob_process_new(&(struct bob_command){.argv = ARGV("a"), .timeout_ms = -1}, &p),
        BOB_ERR_INVALID);
    assert_int_equal(bob_process_new(&(struct bob_command){.argv = ARGV("a"), .grace_ms = -1}, &p),
                     BOB_ERR_INVALID);
    assert_null(p);
}

static void
its_future_is_told(void **state)
{
    struct bob_process *p = process_of(&(struct bob_command){.argv = ARGV("/bin/echo", "x")});
    struct bob_future *f = bob_future_ref(bob_process_future(p));
    void *value = NULL;

    (void)state;
    assert_false(bob_future_done(f));
    assert_int_equal(bob_process_run(p, BOB_FOREVER), BOB_OK);
    assert_int_equal(bob_future_result(f, BOB_AT_ONCE, &value), BOB_OK);
    assert_ptr_equal(value, bob_process_result(p));
    assert_int_equal(bob_process_run(p, BOB_FOREVER), BOB_ERR_STATE); /* once is all */
    assert_string_equal(bob_process_result(p)->out.bytes, "x\n");
    bob_process_free(p);
    assert_true(bob_future_done(f));
    bob_future_unref(f);
}

static void
one_that_did_not_begin_is_cancelled(void **state)
{
    const struct bob_command command = {.argv = ARGV("/bin/true")};
    struct bob_process *p = process_of(&command);

    (void)state;
    bob_process_free(p);
    p = process_of(&command);
    bob_process_kill(p);
    assert_true(bob_future_cancelled(bob_process_future(p)));
    assert_int_equal(bob_process_run(p, BOB_FOREVER), BOB_ERR_CANCELLED);
    bob_process_kill(p);
    bob_process_free(p);
    p = process_of(&command);
    assert_true(bob_future_cancel(bob_process_future(p)));
    assert_int_equal(bob_process_run(p, BOB_FOREVER), BOB_ERR_CANCELLED);
    assert_null(bob_process_result(p));
    bob_process_free(p);
    p = process_of(&command);
    assert_int_equal(bob_process_run(p, BOB_AT_ONCE), BOB_ERR_TIMEOUT);
    assert_int_equal(bob_future_result(bob_process_future(p), BOB_AT_ONCE, NULL), BOB_ERR_TIMEOUT);
    bob_process_free(p);
    bob_process_free(NULL);
}

/* One descriptor more is allowed each time, until there are enough. */
static void
without_descriptors_it_is_an_error_and_nothing_stays(void **state)
{
    struct rlimit before, few;
    int top = dup(STDERR_FILENO), tries = 0;
    enum bob_err err = BOB_ERR_SYSTEM;

    (void)state;
    (void)close(top);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    for (; err && tries < 20; tries++) {
        struct bob_process *p = process_of(
            &(struct bob_command){.argv = ARGV("/bin/cat"), .input = "x", .input_len = 1});

        few = (struct rlimit){(rlim_t)(top + tries), before.rlim_max};
        (void)setrlimit(RLIMIT_NOFILE, &few);
        err = bob_process_run(p, BOB_FOREVER);
        (void)setrlimit(RLIMIT_NOFILE, &before);
        assert_true(err == BOB_OK || err == BOB_ERR_SYSTEM);
        assert_int_equal(*bob_process_message(p) != '\0', err != BOB_OK);
        assert_int_equal(fds_open(), fds_before);
        assert_false(has_children());
        bob_process_free(p);
    }
    assert_in_range(tries, 6, 19);
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        FACT(arguments_go_through_no_shell),
        FACT(the_command_may_be_forgotten_once_it_is_given),
        FACT(its_environment_is_the_one_given),
        FACT(a_name_without_a_slash_is_looked_for_in_its_own_path),
        FACT(it_works_in_the_folder_given),
        FACT(it_has_three_descriptors),
        FACT(it_runs_from_a_program_that_has_closed_its_own),
        FACT(no_signal_is_blocked_or_ignored),
        FACT(it_leads_a_group_under_the_normal_policy),
        FACT(its_limits_are_set),
        FACT(the_kernel_ends_it_sooner_than_this_program),
        FACT(a_limit_above_our_own_is_our_own),
        FACT(input_reaches_it),
        FACT(two_megabytes_go_in_and_out),
        FACT(it_may_write_much_before_it_reads_or_never_read),
        FACT(it_cannot_change_its_input),
        FACT(output_beyond_its_bound_is_dropped_and_flagged),
        FACT(an_exit_status_is_a_result),
        FACT(a_signal_is_a_result),
        FACT(what_cannot_be_started_says_why),
        FACT(a_script_without_an_interpreter_is_none),
        FACT(a_malformed_command_is_refused),
        FACT(its_future_is_told),
        FACT(one_that_did_not_begin_is_cancelled),
        FACT(without_descriptors_it_is_an_error_and_nothing_stays),
    };

    play(argc, argv);
    return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}
