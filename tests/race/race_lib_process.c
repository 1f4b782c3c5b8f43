/* race_lib_process.c - a process pool under several threads that submit, kill, cancel, free and shut down at once; TAP.
 *
 * Each round ends with a sum: every process that was taken has come to exactly one end, and no child and no descriptor
 * is left.  Bounded by counts; for ThreadSanitizer, and without it a test all the same.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/process.h>
#include <bobbin/thread.h>
#include <dirent.h>
#include <stdio.h>
#include <sys/wait.h>

#include "race.h"

enum { THREADS = 4, EACH = 12 };

static struct bob_process_pool *pool;
static int taken, refused, ended;  /* atomic */
static int finished, killed, gone; /* atomic: what the ends were */

static void
count_end(struct bob_future *f, void *arg)
{
    void *value = NULL;
    enum bob_err err = bob_future_result(f, BOB_AT_ONCE, &value);
    const struct bob_process_result *r = value;

    (void)arg;
    add(&ended, 1);
    expect(!err || err == BOB_ERR_CANCELLED);
    add(err ? &gone : r->killed ? &killed : &finished, 1);
}

/* One of each fate: left alone, killed, cancelled, freed unread. */
static void
one(int i)
{
    static const char *const quick[] = {"/bin/cat", NULL}, *const slow[] = {"/bin/sleep", "1000",
                                                                            NULL};
    const struct bob_command command = {
        .argv = i % 4 == 1 || i % 4 == 3 ? slow : quick, .input = "text", .input_len = 4};
    struct bob_process *p;

    if (bob_process_pool_submit(pool, &command, &p)) {
        add(&refused, 1);
        return;
    }
    add(&taken, 1);
    expect(bob_future_add_done_callback(bob_process_future(p), count_end, NULL) == BOB_OK);
    if (i % 4 == 1)
        bob_process_kill(p);
    if (i % 4 == 2)
        (void)bob_future_cancel(bob_process_future(p));
    if (i % 4 != 3)
        expect(bob_future_result(bob_process_future(p), bob_in_seconds(60), NULL) !=
               BOB_ERR_TIMEOUT);
    if (i % 4 == 0 && bob_process_result(p) && !bob_process_result(p)->killed)
        expect(bob_process_result(p)->out.len == 4);
    bob_process_free(p);
}

static void *
submit_many(void *arg)
{
    for (int i = 0; i < EACH; i++)
        one(i + *(int *)arg);
    return NULL;
}

static void *
run_alone(void *arg)
{
    static const char *const argv[] = {"/bin/true", NULL};

    for (int i = 0; i < EACH; i++) {
        const struct bob_command command = {.argv = argv};
        struct bob_process *p;
        bool good = !bob_process_new(&command, &p) && !bob_process_run(p, bob_in_seconds(60)) &&
                    bob_process_result(p)->exit_status == 0;

        expect(good);
        if (good)
            bob_process_free(p);
    }
    return arg;
}

static int
fds_open(void)
{
    DIR *d = opendir("/proc/self/fd");
    int n = 0;

    while (d && readdir(d))
        n++;
    (void)closedir(d);
    return n;
}

static bool
a_round(bool cancel)
{
    const struct bob_process_pool_options options = {.max_children = 3};
    struct bob_thread *t[THREADS + 1];

    taken = refused = ended = 0;
    pool = bob_process_pool_new("racing", &options);
    crew_start(t, THREADS, submit_many);
    crew_start(t + THREADS, 1, run_alone);
    if (cancel)
        expect(bob_process_pool_shut_down(pool, true, bob_in_seconds(60)) == BOB_OK);
    crew_end(t, THREADS + 1);
    bob_process_pool_free(pool);
    return kept() && taken == ended && taken + refused == THREADS * EACH &&
           (cancel || refused == 0);
}

int
main(void)
{
    int fds = (bob_thread_current(), fds_open());
    int rounds = rounds_of(4, 2);
    bool good = true;

    (void)printf("1..2\n");
    for (int i = 0; i < rounds; i++)
        good = a_round(i % 2) && good;
    (void)printf("%sok 1 - every process comes to one end (%d finished, %d killed, %d not begun)\n",
                 good ? "" : "not ", finished, killed, gone);
    good = waitpid(-1, NULL, WNOHANG) < 0 && fds_open() == fds;
    (void)printf("%sok 2 - no child and no descriptor is left\n", good ? "" : "not ");
    return 0;
}
