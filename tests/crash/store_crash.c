/* store_crash.c - the store under kill -9, failing syncs and a full disk: what was acknowledged is there afterwards.
 *
 * The victim is this program again, as a child, with shim.so preloaded where a test wants it.  Its steps are of two changes, "a" and
 * "b", both with the step's number as record; the number is written to standard output once the pledge is kept.  The test reads,
 * kills, and recovers.  CRASH_SHIM names the shim; without it, it is looked for beside this program.
 *
 * SPDX-License-Identifier: MIT */
#include "unit/store_world.h"

#include <bobbin/time.h>

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>

enum { AT_ONCE = 32, STEPS_MAX = 200000 };

/* ---- the victim ---- */

static atomic_long acknowledged;

struct numbered {
    struct pledge pledge;
    long n;
};

static void
say(struct pledge *p, enum why why)
{
    struct numbered *m = (struct numbered *)(void *)p;
    char line[24];
    int len = snprintf(line, sizeof line, "%ld\n", m->n);

    if (why || write(STDOUT_FILENO, line, (size_t)len) != len)
        _exit(3);
    atomic_fetch_add(&acknowledged, 1);
}

static uint64_t
step(struct world *w, bool grows, long n)
{
    char record[24];
    size_t len = (size_t)snprintf(record, sizeof record, "%ld", n);
    uint64_t seq;

    world_lock(w);
    if (journal_reserve(w->journal, grows, 2 * len))
        _exit(4);
    (void)journal_append(w->journal, "counter", "a", record, len);
    seq = journal_append(w->journal, "counter", "b", record, len);
    world_unlock(w);
    return seq;
}

static void
victim_start_journal(struct world *w)
{
    struct fault f = {0};

    bob_lock_init(&w->state, LOCK_CLASS(L_STATE));
    if (journal_start(&w->journal, w->store, &f)) {
        (void)fprintf(stderr, "# %s\n", f.detail);
        _exit(1);
    }
}

/* Steps from @first on, as many as @steps, no more than @at_once unacknowledged. */
static int
victim_writes(struct world *w, long first, long steps, long at_once)
{
    static struct numbered all[STEPS_MAX];

    victim_start_journal(w);
    for (long i = 0; i < steps; i++) {
        all[i].n = first + i;
        all[i].pledge.kept = say;
        if (!journal_await(w->journal, &all[i].pledge, step(w, true, first + i)))
            say(&all[i].pledge, WHY_OK);
        while (i + 1 - atomic_load(&acknowledged) >= at_once)
            (void)sched_yield();
    }
    world_close(w);
    return 0;
}

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            (void)fprintf(stderr, "# %s:%d: %s\n", __FILE__, __LINE__, #condition);                \
            _exit(5);                                                                              \
        }                                                                                          \
    } while (0)

static enum why
reserve_only(struct world *w, bool grows)
{
    enum why why;

    world_lock(w);
    why = journal_reserve(w->journal, grows, 0);
    world_unlock(w);
    return why;
}

static bool
gate_is(struct world *w, bool full, int64_t within_ms)
{
    bob_time until = bob_in_ms(within_ms);
    struct journal_health health;

    do {
        journal_health(w->journal, &health);
        (void)usleep(5000);
    } while (health.full != full && bob_ms_until(until) > 0);
    return health.full == full;
}

/* The disk is full while the file SHIM_NO_ROOM is there. */
static int
victim_on_a_full_disk(struct world *w)
{
    const char *no_room = getenv("SHIM_NO_ROOM");
    struct promise first, back, late;
    FILE *file;

    victim_start_journal(w);
    promise_make(w, &first, step(w, true, 1));
    MUST(promise_wait(&first) == WHY_OK);

    file = fopen(no_room, "w");
    MUST(file && fclose(file) == 0);
    promise_make(w, &first, step(w, true, 2));
    MUST(gate_is(w, true, 9000));
    MUST(reserve_only(w, true) == WHY_STORE_FULL);
    MUST(reserve_only(w, false) == WHY_OK);
    MUST(!bob_event_is_set(&first.told));
    promise_make(w, &back, step(w, false, 3));

    /* Ten seconds later nobody waits any more, but the changes are not given up. */
    MUST(promise_wait(&first) == WHY_OUTCOME_UNKNOWN);
    promise_make(w, &late, step(w, false, 4));
    MUST(promise_wait(&back) == WHY_OUTCOME_UNKNOWN);
    MUST(gate_is(w, true, 0));
    MUST(unlink(no_room) == 0);
    MUST(promise_wait(&late) == WHY_OK);
    MUST(gate_is(w, false, 30000));
    MUST(reserve_only(w, true) == WHY_OK);
    world_close(w);
    return 0;
}

/* ---- the test's side ---- */

static char self[4096], shim[4096];

struct victim {
    pid_t pid;
    int out;
    char text[64]; /* of the last line, not yet whole */
    size_t len;
    long last; /* the highest number acknowledged */
};

/* @env: NAME=value texts, NULL at the end; with any, the shim is preloaded. */
static struct victim
victim_start(const char *folder, const char *what, long first, long steps, const char *const *env)
{
    struct victim v = {0};
    char a[24], b[24];
    int ends[2];

    (void)snprintf(a, sizeof a, "%ld", first);
    (void)snprintf(b, sizeof b, "%ld", steps);
    assert_int_equal(pipe(ends), 0);
    v.pid = fork();
    assert_true(v.pid >= 0);
    if (v.pid == 0) {
        if (env && setenv("LD_PRELOAD", shim, 1))
            _exit(6);
        for (; env && *env; env++) {
            const char *sign = strchr(*env, '=');
            char name[32];

            (void)snprintf(name, sizeof name, "%.*s", (int)(sign - *env), *env);
            if (setenv(name, sign + 1, 1))
                _exit(6);
        }
        if (dup2(ends[1], STDOUT_FILENO) < 0)
            _exit(6);
        (void)close(ends[0]);
        (void)close(ends[1]);
        (void)execl(self, self, what, folder, a, b, (char *)NULL);
        _exit(6);
    }
    (void)close(ends[1]);
    v.out = ends[0];
    return v;
}

/* Reads for @ms at the most.  False: the victim has ended. */
static bool
victim_read(struct victim *v, int ms)
{
    struct pollfd poll_fd = {.fd = v->out, .events = POLLIN};
    bob_time until = bob_in_ms(ms);

    while (bob_ms_until(until) > 0) {
        char buf[4096];
        ssize_t len;

        if (poll(&poll_fd, 1, (int)bob_ms_until(until)) <= 0)
            continue;
        len = read(v->out, buf, sizeof buf);
        if (len <= 0)
            return false;
        for (ssize_t i = 0; i < len; i++) {
            if (buf[i] != '\n') {
                assert_true(v->len < sizeof v->text - 1);
                v->text[v->len++] = buf[i];
                continue;
            }
            v->text[v->len] = '\0';
            v->len = 0;
            if (atol(v->text) > v->last) /* one durable before it was asked for may overtake */
                v->last = atol(v->text);
        }
    }
    return true;
}

static int
victim_end(struct victim *v)
{
    int status;

    if (victim_read(v, 60000)) {
        (void)kill(v->pid, SIGKILL);
        fail_msg("the victim did not end");
    }
    (void)close(v->out);
    assert_int_equal(waitpid(v->pid, &status, 0), v->pid);
    return status;
}

/* What both things hold; the steps are whole, so it is the same. */
static long
recovered_number(struct world *w)
{
    long a = 0, b = 0;
    struct recovered r;

    world_open(w);
    r = world_recover(w);
    assert_true(r.n == 0 || r.n == 2);
    if (r.n == 2)
        assert_int_equal(sscanf(r.text, "counter a=%ld\ncounter b=%ld\n", &a, &b), 2);
    assert_int_equal(a, b);
    free(r.text);
    world_close(w);
    return a;
}

static void
new_folder(struct world *w)
{
    world_open(w);
    world_close(w);
}

static void
need_shim(void)
{
    if (access(shim, R_OK) != 0)
        skip();
}

static void
killed_at_any_moment_it_has_what_was_acknowledged(void **state)
{
    struct world w = {0};
    long there = 0;
    unsigned seed = (unsigned)getpid();

    (void)state;
    print_message("# seed %u\n", seed);
    new_folder(&w);
    for (int round = 0; round < 15; round++) {
        struct victim v = victim_start(w.folder, "write", there + 1, STEPS_MAX, NULL);
        long before = there;

        v.last = before;
        assert_true(victim_read(&v, 20 + rand_r(&seed) % 150));
        assert_int_equal(kill(v.pid, SIGKILL), 0);
        assert_true(WIFSIGNALED(victim_end(&v)));
        there = recovered_number(&w);
        assert_in_range(there, v.last, v.last + AT_ONCE);
    }
    assert_true(there > 0);
    world_end(&w);
}

static long
read_number(const char *path)
{
    FILE *file = fopen(path, "r");
    long n = -1;

    assert_non_null(file);
    assert_int_equal(fscanf(file, "%ld", &n), 1);
    (void)fclose(file);
    return n;
}

static void
each_of_two_hundred_steps_is_synced(void **state)
{
    struct world w = {0};
    char path[96], count[128];
    const char *const env[] = {count, NULL};
    struct victim v;

    (void)state;
    need_shim();
    new_folder(&w);
    (void)snprintf(path, sizeof path, "%s/count", w.folder);
    (void)snprintf(count, sizeof count, "SHIM_COUNT=%s", path);
    v = victim_start(w.folder, "write-one", 1, 200, env);
    assert_int_equal(victim_end(&v), 0);
    assert_int_equal(v.last, 200);
    assert_in_range(read_number(path), 200, 300);
    assert_int_equal(recovered_number(&w), 200);
    world_end(&w);
}

static void
after_a_failed_sync_nothing_is_acknowledged(void **state)
{
    static const struct {
        const char *kind, *what;
        int after;
    } T[] = {
        {"log", "write", 0},      {"log", "write", 1},          {"log", "write", 2},
        {"log", "write", 3},      {"log", "write", 17},         {"log", "write", 150},
        {"log", "write-one", 40}, {"database", "write", 0},     {"database", "write-one", 1},
        {"all", "write", 33},     {"database", "write-one", 0},
    };

    (void)state;
    need_shim();
    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        struct world w = {0};
        char after[40], kind[40];
        const char *const env[] = {kind, after, NULL};
        struct victim v;
        int status;
        long there;

        new_folder(&w);
        (void)snprintf(kind, sizeof kind, "SHIM_KIND=%s", T[i].kind);
        (void)snprintf(after, sizeof after, "SHIM_FAIL_AFTER=%d", T[i].after);
        v = victim_start(w.folder, T[i].what, 1, STEPS_MAX, env);
        status = victim_end(&v);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 1)
            fail_msg("%s, sync of the %s %d: status %d", T[i].what, T[i].kind, T[i].after, status);
        there = recovered_number(&w);
        assert_in_range(there, v.last, v.last + AT_ONCE);
        world_end(&w);
    }
}

static void
on_a_full_disk_it_waits_and_goes_on(void **state)
{
    struct world w = {0};
    char no_room[128];
    const char *const env[] = {no_room, NULL};
    struct victim v;

    (void)state;
    need_shim();
    new_folder(&w);
    (void)snprintf(no_room, sizeof no_room, "SHIM_NO_ROOM=%s/no-room", w.folder);
    v = victim_start(w.folder, "full", 0, 0, env);
    assert_int_equal(victim_end(&v), 0);
    assert_int_equal(recovered_number(&w), 4);
    world_end(&w);
}

static int
be_the_victim(char **argv)
{
    struct world w = {0};
    struct fault f = {0};

    (void)snprintf(w.folder, sizeof w.folder, "%s", argv[2]);
    if (world_try_open(&w, &f)) {
        (void)fprintf(stderr, "# %s\n", f.detail);
        return 1;
    }
    if (strcmp(argv[1], "full") == 0)
        return victim_on_a_full_disk(&w);
    return victim_writes(&w, atol(argv[3]), atol(argv[4]),
                         strcmp(argv[1], "write-one") ? AT_ONCE : 1);
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_at_any_moment_it_has_what_was_acknowledged),
        cmocka_unit_test(each_of_two_hundred_steps_is_synced),
        cmocka_unit_test(after_a_failed_sync_nothing_is_acknowledged),
        cmocka_unit_test(on_a_full_disk_it_waits_and_goes_on),
    };
    ssize_t len;
    char *slash;

    if (argc == 5)
        return be_the_victim(argv);
    len = readlink("/proc/self/exe", self, sizeof self - 1);
    if (len < 0)
        return 1;
    (void)snprintf(shim, sizeof shim, "%s", self);
    slash = strrchr(shim, '/');
    (void)snprintf(slash, sizeof shim - (size_t)(slash - shim), "/shim.so");
    if (getenv("CRASH_SHIM"))
        (void)snprintf(shim, sizeof shim, "%s", getenv("CRASH_SHIM"));
    return cmocka_run_group_tests_name("store_crash", tests, NULL, NULL);
}
