/* test_hands.c - work/hands.c and crew.c, with the real coord behind them and a journal that keeps its word at once.
 *
 * SPDX-License-Identifier: MIT */
#include "coord_world.h"

#include <bobbin/bobbin.h>
#include <ftw.h>
#include <sched.h>
#include <unistd.h>

#include "work/work.h"

struct shop {
    struct world w;
    struct work *work;
    struct config config;
    char folder[64];
};

static void
shop_open(struct shop *s, int64_t task_threads)
{
    struct coord_options o = world_options();
    struct fault f = {0};

    memset(s, 0, sizeof *s);
    strcpy(s->folder, "/tmp/bobbin-hands-XXXXXX");
    assert_non_null(mkdtemp(s->folder));
    o.task_threads = task_threads;
    s->config.data = s->folder;
    s->config.task_threads = task_threads;
    world_open_with(&s->w, &o);
    s->w.journal.relaxed = true;
    assert_int_equal(work_start(&s->work, &s->config, s->w.c, &f), WHY_OK);
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static void
shop_close(struct shop *s)
{
    coord_drain(s->w.c);
    work_drain(s->work, BOB_AT_ONCE);
    work_stop(s->work);
    world_close(&s->w);
    (void)nftw(s->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* ---- an asking that a thread waits for ---- */

struct asking {
    struct ask ask;
    struct bob_event told;
};

static void
tell(struct ask *a)
{
    bob_event_set(&STRUCT_OF(a, struct asking, ask)->told);
}

static struct ask *
begin(struct asking *q)
{
    memset(q, 0, sizeof *q);
    bob_event_init(&q->told);
    q->ask.tell = tell;
    return &q->ask;
}

static enum why
end(struct asking *q, enum why why)
{
    if (why == WHY_PENDING)
        assert_int_equal(bob_event_wait(&q->told, bob_in_seconds(60)), BOB_OK);
    bob_event_fini(&q->told);
    return q->ask.outcome.why;
}

static void
put(struct shop *s, const char *name, int64_t max_workers, int64_t max_attempts)
{
    const struct executor_terms t = {
        .max_workers = max_workers, .max_queue = 100000, .max_attempts = max_attempts};
    struct executor_view view;
    struct asking q;

    assert_int_equal(end(&q, executor_put(s->w.c, clock_now(), name, &t, &view, begin(&q))),
                     WHY_OK);
}

static struct executor_view
show(struct shop *s, const char *name)
{
    struct executor_view view;
    struct asking q;

    assert_int_equal(end(&q, executor_show(s->w.c, name, &view, begin(&q))), WHY_OK);
    return view;
}

static uint64_t
submit(struct shop *s, const char *executor, const char *kind, const char *args, int64_t timeout_ns)
{
    const struct submission what = {.kind = kind, .args = args, .timeout_ns = timeout_ns};
    struct asking q;

    assert_int_equal(end(&q, task_submit(s->w.c, clock_now(), executor, &what, begin(&q))), WHY_OK);
    return q.ask.outcome.task;
}

/* The task once it is over; its blobs are the caller's. */
static struct task_view
outcome(struct shop *s, uint64_t number)
{
    struct task_view view;
    struct asking q;

    assert_int_equal(end(&q, task_wait(s->w.c, clock_now(), number, 60 * SECOND, &view, begin(&q))),
                     WHY_OK);
    return view;
}

static struct task_view
look(struct shop *s, uint64_t number)
{
    struct task_view view;
    struct asking q;

    assert_int_equal(end(&q, task_wait(s->w.c, clock_now(), number, 0, &view, begin(&q))), WHY_OK);
    task_view_free(&view);
    return view;
}

static enum why
cancel(struct shop *s, uint64_t number)
{
    struct asking q;

    return end(&q, task_cancel(s->w.c, clock_now(), number, begin(&q)));
}

static enum task_state
ended(struct shop *s, uint64_t number)
{
    struct task_view view = outcome(s, number);

    task_view_free(&view);
    return view.state;
}

/* ---- facts ---- */

static void
a_task_runs_and_its_result_is_kept(void **state)
{
    struct task_view view;
    struct shop s;

    (void)state;
    shop_open(&s, 8);
    put(&s, "a", 2, 1);
    view = outcome(&s, submit(&s, "a", "square", "{\"n\":12}", 0));
    assert_int_equal(view.state, TASK_SUCCEEDED);
    assert_string_equal(view.result->text, "144");
    assert_string_equal(view.worker, "a-0");
    task_view_free(&view);
    view = outcome(&s, submit(&s, "a", "sleep", "{\"seconds\":0.001}", 0));
    assert_int_equal(view.state, TASK_SUCCEEDED);
    assert_true(view.done == 1 && view.total == 1);
    assert_string_equal(view.unit, "ms");
    task_view_free(&view);
    shop_close(&s);
}

static void
what_cannot_run_fails_as_data(void **state)
{
    static const struct {
        const char *kind, *args, *code, *says;
        int64_t timeout_ns;
    } T[] = {
        {"nonsense", "{}", "unknown_kind", "nonsense", 0},
        {"square", "{}", "bad_arguments", "n: ", 0},
        {"square", "{\"n\":", "bad_arguments", "", 0},
        {"sleep", "{\"seconds\":3600}", "timeout", "0.01 seconds", 10 * NS_PER_MS},
    };
    struct shop s;

    (void)state;
    shop_open(&s, 8);
    put(&s, "a", 2, 1);
    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        struct task_view view = outcome(&s, submit(&s, "a", T[i].kind, T[i].args, T[i].timeout_ns));

        assert_int_equal(view.state, TASK_FAILED);
        assert_string_equal(view.error_code, T[i].code);
        assert_non_null(strstr(view.error_message, T[i].says));
        assert_int_equal(view.attempts, 1);
        task_view_free(&view);
    }
    shop_close(&s);
}

static void
a_running_task_is_cancelled_and_its_hand_is_free_again(void **state)
{
    struct shop s;
    uint64_t running, next;

    (void)state;
    shop_open(&s, 8);
    put(&s, "a", 1, 1);
    running = submit(&s, "a", "sleep", "{\"seconds\":3600}", 0);
    next = submit(&s, "a", "square", "{\"n\":2}", 0);
    assert_int_equal(look(&s, running).state, TASK_RUNNING);
    assert_int_equal(cancel(&s, running), WHY_OK);
    assert_int_equal(ended(&s, running), TASK_CANCELLED);
    assert_int_equal(ended(&s, next), TASK_SUCCEEDED);
    shop_close(&s);
}

static int
hands_noting(const char *word)
{
    struct bob_thread_info list[64];
    size_t n = bob_thread_enumerate(list, 64);
    int found = 0;

    for (size_t i = 0; i < n && i < 64; i++)
        found += strcmp(list[i].role, "task") == 0 && strstr(list[i].note, word) != NULL;
    return found;
}

static void
as_many_threads_work_as_the_executor_has_hands_and_say_at_what(void **state)
{
    char note[TASK_ID_LEN + 8];
    struct shop s;
    uint64_t number[12];

    (void)state;
    shop_open(&s, 8);
    put(&s, "a", 4, 1);
    for (int i = 0; i < 12; i++)
        number[i] = submit(&s, "a", "sleep", "{\"seconds\":3600}", 0);
    assert_int_equal(show(&s, "a").running, 4);
    for (bob_time until = bob_in_seconds(30); hands_noting(" sleep") < 4 && bob_now() < until;)
        (void)sched_yield();
    assert_int_equal(hands_noting(" sleep"), 4);
    task_id(note, number[0]);
    strcat(note, " sleep");
    assert_int_equal(hands_noting(note), 1);
    put(&s, "a", 6, 1); /* more hands, at once */
    assert_int_equal(show(&s, "a").running, 6);
    for (int i = 0; i < 12; i++) {
        assert_int_equal(cancel(&s, number[i]), WHY_OK);
        assert_int_equal(ended(&s, number[i]), TASK_CANCELLED);
    }
    shop_close(&s);
}

static void
drain_waits_for_what_runs(void **state)
{
    struct shop s;
    uint64_t quick;

    (void)state;
    shop_open(&s, 8);
    put(&s, "a", 2, 1);
    quick = submit(&s, "a", "sleep", "{\"seconds\":0.02}", 0);
    coord_drain(s.w.c);
    work_drain(s.work, BOB_FOREVER);
    assert_int_equal(look(&s, quick).state, TASK_SUCCEEDED);
    shop_close(&s);
}

static void
drain_puts_back_what_is_not_over_in_time(void **state)
{
    struct shop s;
    uint64_t slow;

    (void)state;
    shop_open(&s, 8);
    put(&s, "a", 2, 1);
    slow = submit(&s, "a", "sleep", "{\"seconds\":3600}", 0);
    coord_drain(s.w.c);
    work_drain(s.work, BOB_AT_ONCE);
    assert_int_equal(look(&s, slow).state, TASK_READY);
    assert_int_equal(look(&s, slow).attempts, 1);
    shop_close(&s);
}

static void
a_claim_that_comes_after_the_hands_have_stopped_goes_back(void **state)
{
    const struct submission what = {.kind = "sleep", .args = "{\"seconds\":3600}"};
    struct asking q;
    struct shop s;
    uint64_t number;

    (void)state;
    shop_open(&s, 8);
    put(&s, "a", 1, 1);
    s.w.journal.relaxed = false;
    assert_int_equal(task_submit(s.w.c, clock_now(), "a", &what, begin(&q)), WHY_PENDING);
    coord_drain(s.w.c);
    work_drain(s.work, BOB_AT_ONCE);
    work_stop(s.work);
    world_commit(&s.w);
    assert_int_equal(end(&q, WHY_PENDING), WHY_OK);
    number = q.ask.outcome.task;
    world_commit(&s.w);
    assert_int_equal(look(&s, number).state, TASK_READY);
    s.work = NULL;
    world_close(&s.w);
    (void)nftw(s.folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* Runs @n tasks on @executor at the same time, to their end: so that it has as many threads. */
static void
employ(struct shop *s, const char *executor, int n)
{
    uint64_t number[16];

    for (int i = 0; i < n; i++)
        number[i] = submit(s, executor, "sleep", "{\"seconds\":3600}", 0);
    for (bob_time until = bob_in_seconds(30); hands_noting(" sleep") < n && bob_now() < until;)
        (void)sched_yield();
    for (int i = 0; i < n; i++) {
        assert_int_equal(cancel(s, number[i]), WHY_OK);
        assert_int_equal(ended(s, number[i]), TASK_CANCELLED);
    }
}

/* A hand is busy a moment longer than its task, and a thread that was told to end lives for another: more may be told than need be. */
static void
tick_until(struct shop *s, bob_time since_now, int threads)
{
    for (bob_time until = bob_in_seconds(30); hands_noting("") > threads && bob_now() < until;) {
        work_tick(s->work, bob_now() + since_now);
        (void)sched_yield();
    }
    assert_true(hands_noting("") <= threads);
}

static void
threads_without_work_give_way_to_those_that_have_some(void **state)
{
    static const char *const executors[] = {"a", "b", "c", "d", "e"};
    struct shop s;
    uint64_t slow;

    (void)state;
    shop_open(&s, 4);
    for (int i = 0; i < 5; i++) {
        put(&s, executors[i], 4, 1);
        employ(&s, executors[i], 4);
    }
    tick_until(&s, 0, 4);
    slow = submit(&s, "a", "sleep", "{\"seconds\":3600}", 0); /* one of its threads has work */
    employ(&s, "a", 3);
    employ(&s, "b", 3);
    tick_until(&s, 0, 4);
    assert_int_equal(cancel(&s, slow), WHY_OK);
    employ(&s, "a", 4); /* those that gave way come back */
    tick_until(&s, 0, 4);
    shop_close(&s);
}

static void
a_crew_without_work_for_a_minute_is_disbanded_by_the_clock_alone(void **state)
{
    struct shop s;

    (void)state;
    shop_open(&s, 8);
    put(&s, "a", 4, 1);
    put(&s, "b", 4, 1);
    employ(&s, "a", 2);
    employ(&s, "b", 3);
    work_tick(s.work, bob_now() + 50 * SECOND);
    assert_int_equal(hands_noting(""), 5);
    tick_until(&s, 61 * SECOND, 0);
    shop_close(&s);
}

static void
the_crew_of_an_executor_that_is_gone_is_disbanded_at_once(void **state)
{
    struct asking q;
    struct shop s;
    char name[16];

    (void)state;
    shop_open(&s, 40);
    for (int i = 0; i < 35; i++) {
        (void)snprintf(name, sizeof name, "e%d", i);
        put(&s, name, 1, 1);
        employ(&s, name, 1);
    }
    for (int i = 0; i < 34; i++) {
        (void)snprintf(name, sizeof name, "e%d", i);
        assert_int_equal(end(&q, executor_delete(s.w.c, clock_now(), name, begin(&q))), WHY_OK);
    }
    tick_until(&s, 0, 1);
    shop_close(&s);
}

/* ---- all at once ---- */

enum { SUBMITTERS = 6, EACH = 150 };

struct submitter {
    struct shop *s;
    int number;
    int succeeded, cancelled;
    struct bob_thread *thread;
};

static void *
submit_many(void *arg)
{
    struct submitter *me = arg;
    static const char *const executors[] = {"a", "b", "c"};
    char args[64];

    for (int i = 0; i < EACH; i++) {
        bool sleeps = i % 3 == 0;
        enum task_state state;
        uint64_t number;

        (void)snprintf(args, sizeof args, sleeps ? "{\"seconds\":%d}" : "{\"n\":%d}",
                       sleeps ? 3600 : me->number * 1000 + i);
        number = submit(me->s, executors[i % 3], sleeps ? "sleep" : "square", args, 0);
        if (sleeps)
            (void)cancel(me->s, number);
        state = ended(me->s, number);
        me->succeeded += state == TASK_SUCCEEDED;
        me->cancelled += state == TASK_CANCELLED;
    }
    return NULL;
}

static void
many_submit_and_cancel_and_every_task_ends_as_it_should(void **state)
{
    struct submitter crowd[SUBMITTERS];
    struct shop s;
    int succeeded = 0, cancelled = 0;

    (void)state;
    shop_open(&s, 5);
    put(&s, "a", 2, 1);
    put(&s, "b", 3, 1);
    put(&s, "c", 1, 1);
    for (int i = 0; i < SUBMITTERS; i++) {
        crowd[i] = (struct submitter){.s = &s, .number = i};
        assert_int_equal(
            bob_thread_start(&crowd[i].thread, "submitter", submit_many, &crowd[i], NULL), BOB_OK);
    }
    for (int i = 0; i < SUBMITTERS; i++) {
        bob_thread_free(crowd[i].thread);
        succeeded += crowd[i].succeeded;
        cancelled += crowd[i].cancelled;
    }
    assert_int_equal(cancelled, SUBMITTERS * EACH / 3);
    assert_int_equal(succeeded, SUBMITTERS * EACH - cancelled);
    assert_int_equal(show(&s, "b").running + show(&s, "a").running + show(&s, "c").running, 0);
    shop_close(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_task_runs_and_its_result_is_kept),
        cmocka_unit_test(what_cannot_run_fails_as_data),
        cmocka_unit_test(a_running_task_is_cancelled_and_its_hand_is_free_again),
        cmocka_unit_test(as_many_threads_work_as_the_executor_has_hands_and_say_at_what),
        cmocka_unit_test(drain_waits_for_what_runs),
        cmocka_unit_test(drain_puts_back_what_is_not_over_in_time),
        cmocka_unit_test(a_claim_that_comes_after_the_hands_have_stopped_goes_back),
        cmocka_unit_test(threads_without_work_give_way_to_those_that_have_some),
        cmocka_unit_test(a_crew_without_work_for_a_minute_is_disbanded_by_the_clock_alone),
        cmocka_unit_test(the_crew_of_an_executor_that_is_gone_is_disbanded_at_once),
        cmocka_unit_test(many_submit_and_cancel_and_every_task_ends_as_it_should),
    };

    return cmocka_run_group_tests_name("hands", tests, NULL, NULL);
}
