/* test_headers.c - the usage that opens each public header, as a program: it compiles, and it does what it says.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/bobbin.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

static int cell = 5;

static void
of_time_h(void **state)
{
    static const struct bob_lock_class class = {"usage", 10};
    struct bob_lock l = BOB_LOCK_INIT(&class);
    struct bob_condition c;
    enum bob_err err = BOB_OK;
    bool ready = false;

    (void)state;
    bob_condition_init(&c);
    bob_lock_hold(&l);
    bob_time until = bob_in_ms(2);
    while (!ready && !err)
        err = bob_condition_wait(&c, &l, until); // the same deadline, however often it loops
    bob_lock_release(&l);
    assert_int_equal(err, BOB_ERR_TIMEOUT);
    bob_condition_fini(&c);
}

static void
of_lock_h(void **state)
{
    int balance = 0;

    (void)state;
    static const struct bob_lock_class accounts = {"accounts", 10};
    struct bob_lock lock = BOB_LOCK_INIT(&accounts); // or bob_lock_init
    bob_lock_hold(&lock);                            // waits as long as it takes
    balance += 1;
    bob_lock_release(&lock);
    bob_lock_fini(&lock);
    assert_int_equal(balance, 1);
}

static void
of_rlock_h(void **state)
{
    (void)state;
    static const struct bob_lock_class tree = {"tree", 20};
    struct bob_rlock lock = BOB_RLOCK_INIT(&tree); // or bob_rlock_init
    bob_rlock_hold(&lock);
    bob_rlock_hold(&lock);    // does not wait for itself
    bob_rlock_release(&lock); // still held
    assert_true(bob_rlock_is_mine(&lock));
    bob_rlock_release(&lock); // free
    assert_false(bob_rlock_locked(&lock));
    bob_rlock_fini(&lock);
}

static void
of_rwlock_h(void **state)
{
    int found, entered = 1;

    (void)state;
    static const struct bob_lock_class table = {"table", 30};
    struct bob_rwlock lock = BOB_RWLOCK_INIT(&table); // or bob_rwlock_init
    bob_rwlock_read_hold(&lock);                      // together with other readers
    found = entered;
    bob_rwlock_read_release(&lock);
    bob_rwlock_write_hold(&lock); // alone
    entered = 2;
    bob_rwlock_write_release(&lock);
    bob_rwlock_fini(&lock);
    assert_int_equal(found + entered, 3);
}

static enum bob_err
open_log(void *path)
{
    ++*(int *)path;
    return BOB_OK;
}

static void
of_once_h(void **state)
{
    int opens = 0;

    (void)state;
    static struct bob_once opened = BOB_ONCE_INIT;
    for (int i = 0; i < 2; i++) {
        enum bob_err err =
            bob_once_call(&opened, open_log, &opens); // opens it, or waits for who does
        assert_int_equal(err, BOB_OK);
    }
    assert_int_equal(opens, 1);
}

static void
close_connection(void *connection)
{
    *(int *)connection = 0;
}

static void
of_local_h(void **state)
{
    int open = 1;
    enum bob_err err = BOB_OK;

    (void)state;
    struct bob_local *connection = bob_local_new(close_connection);
    void *mine = bob_local_get(connection); // NULL: this thread has none yet
    assert_null(mine);
    if (!mine)
        err = bob_local_set(connection, mine = &open);
    assert_int_equal(err, BOB_OK);
    assert_ptr_equal(bob_local_get(connection), mine);
    bob_local_free(connection); // closes those of all threads
    assert_int_equal(open, 0);
}

struct game {
    struct bob_barrier *barrier;
    int swaps, drawn[2];
};

static enum bob_err
swap_buffers(void *arg)
{
    struct game *game = arg;

    return ++game->swaps == 3 ? BOB_ERR_CANCELLED
                              : BOB_OK; /* two rounds, and then the game is over */
}

static void *
play(void *arg)
{
    struct game *game = arg;
    struct bob_barrier *b = game->barrier;
    unsigned index;

    while (bob_barrier_wait(b, bob_in_seconds(20), &index) == BOB_OK)
        game->drawn[index]++;
    bob_barrier_abort(b); // whoever still comes need not wait
    return NULL;
}

static void
of_barrier_h(void **state)
{
    struct game game = {NULL, 0, {0, 0}};
    struct bob_thread *other;

    (void)state;
    struct bob_barrier *b =
        bob_barrier_new(2, swap_buffers, &game); // swap_buffers(&game) once a round
    game.barrier = b;
    assert_int_equal(bob_thread_start(&other, "other", play, &game, NULL), BOB_OK);
    (void)play(&game);
    bob_thread_free(other);
    bob_barrier_free(b);
    assert_int_equal(game.drawn[0], 2);
    assert_int_equal(game.drawn[1], 2);
}

struct readiness {
    struct bob_lock lock;
    struct bob_condition became_ready;
    bool ready;
};

static void *
make_ready(void *arg)
{
    struct readiness *r = arg;

    bob_lock_hold(&r->lock);
    r->ready = true;
    bob_condition_notify_all(&r->became_ready);
    bob_lock_release(&r->lock);
    return NULL;
}

static void
of_condition_h(void **state)
{
    struct readiness r = {.lock = BOB_LOCK_INIT(NULL)};
    bob_time until = bob_in_seconds(20);
    enum bob_err err = BOB_OK;
    struct bob_thread *t;
    bool seen = false;

    (void)state;
    bob_condition_init(&r.became_ready);
    assert_int_equal(bob_thread_start(&t, "maker", make_ready, &r, NULL), BOB_OK);
    bob_lock_hold(&r.lock);
    while (!r.ready && !err)
        err = bob_condition_wait(&r.became_ready, &r.lock, until);
    if (r.ready) // ask the predicate, not the error
        seen = true;
    bob_lock_release(&r.lock);
    assert_true(seen);
    bob_thread_free(t);
    bob_condition_fini(&r.became_ready);
}

static void
of_semaphore_h(void **state)
{
    bool used = false;

    (void)state;
    struct bob_semaphore *s = bob_semaphore_new_bounded(4); // at most four at once
    if (bob_semaphore_acquire(s, bob_in_seconds(2)) == BOB_OK) {
        used = true;
        bob_semaphore_release(s, 1); // by this thread or any other
    }
    bob_semaphore_free(s);
    assert_true(used);
}

static void *
set_it(void *stop)
{
    bob_event_set(stop);
    return NULL;
}

static void
of_event_h(void **state)
{
    struct bob_thread *t;
    int seconds = 0;

    (void)state;
    struct bob_event stop = BOB_EVENT_INIT; // or bob_event_init
    assert_int_equal(bob_thread_start(&t, "setter", set_it, &stop, NULL), BOB_OK);
    while (bob_event_wait(&stop, bob_in_seconds(1)) == BOB_ERR_TIMEOUT)
        seconds++;
    bob_event_fini(&stop);
    bob_thread_free(t);
}

static void *
resize_alone(void *photo)
{
    return photo;
}

static void
of_thread_h(void **state)
{
    int photo;
    void *result = NULL;
    enum bob_err err;

    (void)state;
    struct bob_thread *t;
    err = bob_thread_start(&t, "resizer", resize_alone, &photo, NULL); // void *resize(void *photo)
    assert_int_equal(err, BOB_OK);
    err = bob_thread_join(t, bob_in_seconds(10), &result); // BOB_ERR_TIMEOUT: still running
    bob_thread_free(t);                                    // waits, if nobody joined
    assert_int_equal(err, BOB_OK);
    assert_ptr_equal(result, &photo);

    struct bob_thread_info list[64]; // who is there, and doing what
    size_t n = bob_thread_enumerate(list, 64);
    assert_true(n < 64);
}

static void
of_queue_h(void **state)
{
    void *job = &cell, *item = NULL;
    enum bob_err err;

    (void)state;
    struct bob_queue *q = bob_queue_new(64);     // 64 slots; NULL if memory is out
    err = bob_queue_put(q, job, bob_in_ms(250)); // waits up to 250 ms for a slot
    assert_int_equal(err, BOB_OK);
    err = bob_queue_get(q, &item, BOB_FOREVER);
    assert_int_equal(err, BOB_OK);
    assert_ptr_equal(item, job);
    bob_queue_task_done(q); // once for every get
    bob_queue_shut_down(q); // putters fail now, getters once it is empty
    bob_queue_free(q);
}

static void
of_future_h(void **state)
{
    void *answer = &cell, *value = NULL;
    enum bob_err err;

    (void)state;
    struct bob_future *f = bob_future_new();
    // the worker, with a reference of its own:
    if (bob_future_start(f)) // false: cancelled meanwhile
        bob_future_set_result(f, answer);
    // the caller:
    struct bob_failure failure;
    err = bob_future_result(f, bob_in_seconds(5), &value);
    assert_false(bob_future_failure(f, &failure));
    bob_future_unref(f);
    assert_int_equal(err, BOB_OK);
    assert_ptr_equal(value, answer);
}

static enum bob_err
resize(void *photo, void **ret)
{
    *ret = photo;
    return BOB_OK;
}

static void
of_executor_h(void **state)
{
    void *photo = &cell, *value = NULL;
    struct bob_future *f;
    enum bob_err err;

    (void)state;
    struct bob_executor_options options = {.role = "resize", .max_workers = 4};
    struct bob_executor *x = bob_executor_new("resizer", &options);
    err = bob_executor_submit(x, resize, photo, &f);
    assert_int_equal(err, BOB_OK);
    err = bob_future_result(f, BOB_FOREVER, &value);
    assert_int_equal(err, BOB_OK);
    bob_future_unref(f);
    void *photos[] = {photo, photo}, *small[2];
    size_t n = 2;
    err = bob_executor_map(x, resize, photos, n, small,
                           NULL); // all of an array, results in its order
    assert_int_equal(err, BOB_OK);
    assert_memory_equal(small, photos, sizeof small);
    err = bob_executor_shut_down(x, false, bob_in_seconds(30));
    bob_executor_free(x);
    assert_int_equal(err, BOB_OK);
    assert_ptr_equal(value, photo);
}

static enum bob_err
load(void *path, void **ret_value)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return bob_fail(BOB_ERR_SYSTEM, "cannot open %s", (const char *)path);
    *ret_value = path;
    return close(fd) ? BOB_ERR_SYSTEM : BOB_OK;
}

static void
of_error_h(void **state)
{
    struct bob_executor *x = bob_executor_new("loader", NULL);
    char path[] = "/no such file";
    struct bob_failure failure;
    struct bob_future *f;

    (void)state;
    assert_int_equal(bob_executor_submit(x, load, path, &f), BOB_OK);
    assert_int_equal(bob_future_result(f, BOB_FOREVER, NULL), BOB_ERR_SYSTEM);
    assert_true(bob_future_failure(f, &failure));
    assert_string_equal(failure.message, "cannot open /no such file");
    bob_future_unref(f);
    bob_executor_free(x);
}

static void
of_process_h(void **state)
{
    enum bob_err err;

    (void)state;
    const struct bob_command sort = {.argv = (const char *const[]){"sort", "-n", NULL},
                                     .input = "3\n1\n2\n",
                                     .input_len = 6,
                                     .timeout_ms = 10000,
                                     .limits = {.memory_bytes = 1 << 28}};
    struct bob_process_pool *pool = bob_process_pool_new("sorter", NULL);
    struct bob_process *p;
    err = bob_process_pool_submit(pool, &sort, &p);
    assert_int_equal(err, BOB_OK);
    err = bob_future_result(bob_process_future(p), BOB_FOREVER,
                            NULL); // or bob_process_message says why not
    assert_int_equal(err, BOB_OK);
    const struct bob_process_result *r = bob_process_result(p); // r->exit_status, r->out.bytes, ...
    assert_int_equal(r->exit_status, 0);
    assert_string_equal(r->out.bytes, "1\n2\n3\n");
    bob_process_free(p);
    bob_process_pool_free(pool);
}

static void
remind(void *note)
{
    *(int *)note = 1;
}

static void
tick(void *arg)
{
    (void)arg;
}

static void
of_timer_h(void **state)
{
    int reminded = 0;
    int *note = &reminded;

    (void)state;
    struct bob_timers *ts = bob_timers_new("clockwork");
    struct bob_timer *t = bob_timer_start(ts, bob_in_ms(60000), 0, remind, note);
    struct bob_timer *beat = bob_timer_start(ts, bob_in_ms(1000), 1000, tick, NULL); // every second
    assert_true(bob_timer_cancel(t)); // remind will not be called
    bob_timer_free(t);
    bob_timer_free(beat);
    bob_timers_free(ts);
    assert_int_equal(reminded, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_time_h),      cmocka_unit_test(of_lock_h),
        cmocka_unit_test(of_rlock_h),     cmocka_unit_test(of_rwlock_h),
        cmocka_unit_test(of_once_h),      cmocka_unit_test(of_local_h),
        cmocka_unit_test(of_barrier_h),   cmocka_unit_test(of_condition_h),
        cmocka_unit_test(of_semaphore_h), cmocka_unit_test(of_event_h),
        cmocka_unit_test(of_thread_h),    cmocka_unit_test(of_queue_h),
        cmocka_unit_test(of_future_h),    cmocka_unit_test(of_executor_h),
        cmocka_unit_test(of_error_h),     cmocka_unit_test(of_process_h),
        cmocka_unit_test(of_timer_h),
    };

    return cmocka_run_group_tests_name("headers", tests, NULL, NULL);
}
