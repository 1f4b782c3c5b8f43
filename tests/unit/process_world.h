/* process_world.h - what the tests of processes share: this program as a child, its words, and what must not be left.
 *
 * A test program runs itself: main() calls play() first, and "child WORD ..." as its arguments makes it a part of PARTS.
 * Children tell that they are ready through a fifo: opening it for reading waits for that, without looking again and again.
 *
 * SPDX-License-Identifier: MIT */
#ifndef PROCESS_WORLD_H
#define PROCESS_WORLD_H

#include <bobbin/process.h>
#include <bobbin/thread.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define ARGV(...) ((const char *const[]){__VA_ARGS__, NULL})
#define SELF "/proc/self/exe", "child"
#define SH(script) ARGV("/bin/sh", "-c", script)

enum { PATIENCE_MS = 60000 };

/* ---- what must not be left ---- */

static int
fds_open(void)
{
    DIR *d = opendir("/proc/self/fd");
    int n = 0;

    assert_non_null(d);
    while (readdir(d))
        n++;
    (void)closedir(d);
    return n;
}

static bool
has_children(void)
{
    siginfo_t info;

    return waitid(P_ALL, 0, &info, WEXITED | WNOWAIT | WNOHANG) == 0;
}

static char folder[64]; /* of this test */
static char fifo[80];   /* in it */
static int fds_before;

static int
world_begin(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/bob_process.XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    (void)snprintf(fifo, sizeof fifo, "%s/ready", folder);
    if (mkfifo(fifo, 0600) != 0)
        return -1;
    (void)bob_thread_current();
    fds_before = fds_open();
    return 0;
}

static int
world_end(void **state)
{
    char path[sizeof folder + sizeof((struct dirent *)0)->d_name + 1];
    DIR *d = opendir(folder);
    struct dirent *entry;

    (void)state;
    while (d && (entry = readdir(d))) {
        (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        (void)unlink(path);
        if (entry->d_name[0] != '.')
            (void)rmdir(path);
    }
    (void)closedir(d);
    (void)rmdir(folder);
    if (fds_open() != fds_before || has_children()) {
        (void)fprintf(stderr, "# %d descriptors, before %d; children: %d\n", fds_open(), fds_before,
                      has_children());
        return -1;
    }
    return 0;
}

#define FACT(test) cmocka_unit_test_setup_teardown(test, world_begin, world_end)

/* ---- running one ---- */

static inline struct bob_process *
process_of(const struct bob_command *command)
{
    struct bob_process *p = NULL;

    assert_int_equal(bob_process_new(command, &p), BOB_OK);
    assert_null(bob_process_result(p));
    assert_string_equal(bob_process_message(p), "");
    return p;
}

/* Runs it to its end; the result lives as long as *ret_process. */
static inline const struct bob_process_result *
ran(struct bob_process **ret_process, struct bob_command command)
{
    struct bob_process *p = process_of(&command);
    enum bob_err err = bob_process_run(p, bob_in_ms(PATIENCE_MS));

    if (err)
        print_error("%s: %s\n", bob_strerror(err), bob_process_message(p));
    assert_int_equal(err, BOB_OK);
    *ret_process = p;
    assert_non_null(bob_process_result(p));
    return bob_process_result(p);
}

/* Its standard output must be this, and its exit status 0. */
static inline void
says(struct bob_command command, const char *expected)
{
    struct bob_process *p;
    const struct bob_process_result *r = ran(&p, command);

    assert_string_equal(r->err.bytes, "");
    assert_string_equal(r->out.bytes, expected);
    assert_int_equal(r->exit_status, 0);
    bob_process_free(p);
}

/* ---- parts for a child ---- */

static void
tell_ready(const char *what)
{
    int fd = open(fifo, O_WRONLY | O_CLOEXEC);

    if (fd < 0 || write(fd, what, strlen(what)) < 0)
        _exit(90);
    (void)close(fd);
}

static void
on_term(int signal)
{
    static const char bye[] = "bye\n";

    (void)signal;
    if (write(STDOUT_FILENO, bye, sizeof bye - 1) < 0)
        _exit(91);
    _exit(3);
}

static void
wait_for_ever(void)
{
    for (;;)
        (void)pause();
}

/* Says goodbye when it is asked to end. */
static void
play_polite(void)
{
    (void)signal(SIGTERM, on_term);
    tell_ready("");
    wait_for_ever();
}

static void
play_deaf(void)
{
    (void)signal(SIGTERM, SIG_IGN);
    tell_ready("");
    wait_for_ever();
}

/* A leader with a deaf child of its own. */
static void
play_family(void)
{
    pid_t child = fork();
    char line[32];

    if (child == 0) {
        (void)signal(SIGTERM, SIG_IGN);
        (void)snprintf(line, sizeof line, "%d\n", (int)getpid());
        tell_ready(line);
    }
    wait_for_ever();
}

/* A child that leaves the group and holds the pipes. */
static void
play_runaway(void)
{
    int ends[2];
    char byte = 0;
    pid_t child;

    if (pipe(ends) != 0)
        _exit(92);
    child = fork();
    if (child == 0) {
        (void)setsid();
        if (write(ends[1], &byte, 1) != 1)
            _exit(93);
        wait_for_ever();
    }
    if (read(ends[0], &byte, 1) != 1)
        _exit(94);
    (void)printf("%d\n", (int)child);
}

static void
play_fds(void)
{
    for (int fd = 0; fd < 1000; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            (void)printf("%d ", fd);
}

enum { BIG = 128 << 20 };

/* That much memory, in use. */
static void *
big_memory(void)
{
    void *at = mmap(NULL, BIG, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (at != MAP_FAILED)
        memset(at, 1, BIG);
    return at;
}

static void
play_big(void)
{
    _exit(big_memory() == MAP_FAILED ? 97 : 0);
}

static void
play_manners(void)
{
    (void)printf("policy %d, leader %d\n", sched_getscheduler(0), getpgrp() == getpid());
}

/* Runs a program of its own, which says who it is. */
static void
play_runner(void)
{
    const struct bob_command command = {
        .argv = ARGV("/bin/sh", "-c", "echo $$ >\"$0\"; exec sleep 1000", fifo)};
    struct bob_process *p;

    if (bob_process_new(&command, &p) || bob_process_run(p, BOB_FOREVER))
        _exit(95);
    bob_process_free(p);
}

/* Runs a program while those of its own standard descriptors that are in @mask are closed. */
static void
run_closed(unsigned mask)
{
    const struct bob_command command = {
        .argv = SH("cat; echo aside >&2"), .input = "through", .input_len = 7};
    struct bob_process *p;
    const struct bob_process_result *r;

    for (int fd = 0; fd < 3; fd++)
        if (mask & (1U << fd))
            (void)close(fd);
    if (bob_process_new(&command, &p) || bob_process_run(p, BOB_FOREVER))
        _exit(95);
    r = bob_process_result(p);
    _exit(strcmp(r->out.bytes, "through") == 0 && strcmp(r->err.bytes, "aside\n") == 0 &&
                  r->exit_status == 0
              ? 0
              : 96);
}

static void
play_closed(void)
{
    for (unsigned mask = 1; mask < 8; mask++) {
        pid_t child = fork();
        int status;

        if (child == 0)
            run_closed(mask);
        if (waitpid(child, &status, 0) != child || status != 0)
            _exit((int)mask);
    }
    _exit(42);
}

/* Takes one of four places, of which one must be free. */
static void
play_place(void)
{
    char path[sizeof folder + 16];

    for (int i = 0; i < 4; i++) {
        (void)snprintf(path, sizeof path, "%s/p%d", folder, i);
        if (mkdir(path, 0700) == 0)
            _exit(rmdir(path) == 0 ? 0 : 97);
    }
    _exit(1);
}

static void
play(int argc, char **argv)
{
    static const struct {
        const char *word;
        void (*part)(void);
    } parts[] = {
        {"polite", play_polite},   {"deaf", play_deaf},     {"family", play_family},
        {"runaway", play_runaway}, {"fds", play_fds},       {"manners", play_manners},
        {"runner", play_runner},   {"closed", play_closed}, {"place", play_place},
        {"big", play_big},
    };

    if (argc < 3 || strcmp(argv[1], "child") != 0)
        return;
    if (argc > 3) {
        (void)snprintf(folder, sizeof folder, "%s", argv[3]);
        (void)snprintf(fifo, sizeof fifo, "%s/ready", folder);
    }
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (strcmp(parts[i].word, argv[2]) == 0)
            parts[i].part();
    exit(0);
}

#endif
