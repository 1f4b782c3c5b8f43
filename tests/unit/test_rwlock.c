/* test_rwlock.c - lib/rwlock.c: readers together, writers alone, and neither kept out for ever.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/event.h>
#include <bobbin/rwlock.h>
#include <bobbin/thread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct bob_lock_class tested = {"tested", 10};

enum way { READS, WRITES };

/* A second thread that asks for the lock, and holds it until `let_go`. */
struct other {
    struct bob_rwlock *lock;
    enum way way;
    bob_time deadline;
    struct bob_event held, let_go;
    struct bob_thread *thread;
    enum bob_err err;
};

static void *
hold_until_told(void *arg)
{
    struct other *o = arg;

    o->err = o->way == READS ? bob_rwlock_read_acquire(o->lock, o->deadline)
                             : bob_rwlock_write_acquire(o->lock, o->deadline);
    if (o->err)
        return NULL;
    bob_event_set(&o->held);
    (void)!bob_event_wait(&o->let_go, bob_in_seconds(20));
    if (o->way == READS)
        o->err = bob_rwlock_read_release(o->lock);
    else
        o->err = bob_rwlock_write_release(o->lock);
    return NULL;
}

static void
begin(struct other *o, struct bob_rwlock *l, enum way way, bob_time deadline)
{
    *o = (struct other){.lock = l, .way = way, .deadline = deadline};
    bob_event_init(&o->held);
    bob_event_init(&o->let_go);
    assert_int_equal(bob_thread_start(&o->thread, "other", hold_until_told, o, NULL), BOB_OK);
}

static void
begin_and_hold(struct other *o, struct bob_rwlock *l, enum way way)
{
    begin(o, l, way, BOB_FOREVER);
    assert_int_equal(bob_event_wait(&o->held, bob_in_seconds(20)), BOB_OK);
}

static enum bob_err
end(struct other *o)
{
    bob_event_set(&o->let_go);
    assert_int_equal(bob_thread_join(o->thread, bob_in_seconds(20), NULL), BOB_OK);
    bob_thread_free(o->thread);
    bob_event_fini(&o->let_go);
    bob_event_fini(&o->held);
    return o->err;
}

/* Until that many stand in line: nobody else moves meanwhile. */
static void
wait_for_line(struct bob_rwlock *l, unsigned readers, unsigned writers)
{
    bool stands = false;

    while (!stands) {
        bob_lock_hold(&l->lock_);
        stands = l->readers_wait_ == readers && l->writers_wait_ == writers;
        (void)bob_lock_release(&l->lock_);
        (void)sched_yield();
    }
}

static void
readers_read_together_and_writers_write_alone(void **state)
{
    struct bob_rwlock l;
    struct other reader, writer;

    (void)state;
    bob_rwlock_init(&l, &tested);
    begin_and_hold(&reader, &l, READS);
    assert_int_equal(bob_rwlock_read_acquire(&l, BOB_AT_ONCE), BOB_OK);
    assert_int_equal(bob_rwlock_read_release(&l), BOB_OK);
    assert_int_equal(bob_rwlock_write_acquire(&l, BOB_AT_ONCE), BOB_ERR_TIMEOUT);
    assert_int_equal(bob_rwlock_write_acquire(&l, bob_in_ms(2)), BOB_ERR_TIMEOUT);
    assert_int_equal(end(&reader), BOB_OK);
    begin_and_hold(&writer, &l, WRITES);
    assert_false(bob_rwlock_write_is_mine(&l));
    assert_int_equal(bob_rwlock_read_acquire(&l, bob_now()), BOB_ERR_TIMEOUT);
    assert_int_equal(bob_rwlock_write_acquire(&l, bob_in_ms(2)), BOB_ERR_TIMEOUT);
    assert_int_equal(end(&writer), BOB_OK);
    bob_rwlock_write_hold(&l);
    assert_true(bob_rwlock_write_is_mine(&l));
    assert_int_equal(bob_rwlock_write_release(&l), BOB_OK);
    bob_rwlock_fini(&l);
}

static void
a_reader_that_comes_stands_behind_a_writer_that_waits(void **state)
{
    struct bob_rwlock l = BOB_RWLOCK_INIT(&tested);
    struct other reader, writer, late;

    (void)state;
    begin_and_hold(&reader, &l, READS);
    begin(&writer, &l, WRITES, BOB_FOREVER);
    wait_for_line(&l, 0, 1);
    assert_int_equal(bob_rwlock_read_acquire(&l, BOB_AT_ONCE), BOB_ERR_TIMEOUT);
    begin(&late, &l, READS, BOB_FOREVER);
    wait_for_line(&l, 1, 1);
    assert_int_equal(end(&reader), BOB_OK);
    assert_int_equal(bob_event_wait(&writer.held, bob_in_seconds(20)), BOB_OK);
    assert_false(bob_event_is_set(&late.held));
    assert_int_equal(end(&writer), BOB_OK);
    assert_int_equal(bob_event_wait(&late.held, bob_in_seconds(20)), BOB_OK);
    assert_int_equal(end(&late), BOB_OK);
}

static void
waiting_readers_go_before_the_next_writer(void **state)
{
    struct bob_rwlock l = BOB_RWLOCK_INIT(&tested);
    struct other reader[2], writer;

    (void)state;
    bob_rwlock_write_hold(&l);
    begin(&writer, &l, WRITES, BOB_FOREVER);
    for (int i = 0; i < 2; i++)
        begin(&reader[i], &l, READS, BOB_FOREVER);
    wait_for_line(&l, 2, 1);
    assert_int_equal(bob_rwlock_write_release(&l), BOB_OK);
    for (int i = 0; i < 2; i++)
        assert_int_equal(bob_event_wait(&reader[i].held, bob_in_seconds(20)), BOB_OK);
    assert_false(bob_event_is_set(&writer.held));
    for (int i = 0; i < 2; i++)
        assert_int_equal(end(&reader[i]), BOB_OK);
    assert_int_equal(bob_event_wait(&writer.held, bob_in_seconds(20)), BOB_OK);
    assert_int_equal(end(&writer), BOB_OK);
}

static void
a_writer_that_gives_up_lets_the_readers_behind_it_in(void **state)
{
    struct bob_rwlock l = BOB_RWLOCK_INIT(&tested);
    struct other reader, writer, late;

    (void)state;
    begin_and_hold(&reader, &l, READS);
    begin(&writer, &l, WRITES, bob_in_ms(20));
    begin(&late, &l, READS, BOB_FOREVER); /* before it, behind it, or after its time */
    assert_int_equal(bob_event_wait(&late.held, bob_in_seconds(20)), BOB_OK);
    assert_int_equal(end(&writer), BOB_ERR_TIMEOUT);
    assert_int_equal(end(&late), BOB_OK);
    assert_int_equal(end(&reader), BOB_OK);
    assert_int_equal(bob_rwlock_write_acquire(&l, BOB_AT_ONCE), BOB_OK);
    assert_int_equal(bob_rwlock_write_release(&l), BOB_OK);
}

static void
a_reader_that_gives_up_is_not_let_in_later(void **state)
{
    struct bob_rwlock l = BOB_RWLOCK_INIT(NULL);
    struct other writer, late;

    (void)state;
    begin_and_hold(&writer, &l, WRITES);
    begin(&late, &l, READS, bob_in_ms(2));
    assert_int_equal(end(&late), BOB_ERR_TIMEOUT);
    assert_int_equal(end(&writer), BOB_OK);
    assert_int_equal(bob_rwlock_write_acquire(&l, BOB_AT_ONCE), BOB_OK);
    assert_int_equal(bob_rwlock_write_release(&l), BOB_OK);
}

static void
who_does_not_hold_it_cannot_release_it(void **state)
{
    struct bob_rwlock l = BOB_RWLOCK_INIT(&tested), same_class = BOB_RWLOCK_INIT(&tested);
    struct bob_rwlock unranked = BOB_RWLOCK_INIT(NULL);
    struct other o;

    (void)state;
    assert_int_equal(bob_rwlock_read_release(&l), BOB_ERR_NOT_OWNER);
    assert_int_equal(bob_rwlock_write_release(&l), BOB_ERR_NOT_OWNER);
    assert_int_equal(bob_rwlock_read_release(&unranked), BOB_ERR_NOT_OWNER);
    begin_and_hold(&o, &l, READS);
    assert_int_equal(bob_rwlock_read_release(&l), BOB_ERR_NOT_OWNER); /* another reads */
    bob_rwlock_read_hold(&same_class);
    assert_int_equal(bob_rwlock_read_release(&l), BOB_ERR_NOT_OWNER);
    assert_int_equal(bob_rwlock_write_release(&same_class), BOB_ERR_NOT_OWNER);
    assert_int_equal(bob_rwlock_read_release(&same_class), BOB_OK);
    assert_int_equal(end(&o), BOB_OK);
    begin_and_hold(&o, &l, WRITES);
    assert_int_equal(bob_rwlock_write_release(&l), BOB_ERR_NOT_OWNER);
    assert_int_equal(bob_rwlock_read_release(&l), BOB_ERR_NOT_OWNER);
    assert_int_equal(end(&o), BOB_OK);
    bob_rwlock_write_hold(&l);
    assert_int_equal(bob_rwlock_read_release(&l), BOB_ERR_NOT_OWNER);
    assert_int_equal(bob_rwlock_write_release(&l), BOB_OK);
}

static void
its_writer_waits_for_itself_in_vain(void **state)
{
    struct bob_rwlock l = BOB_RWLOCK_INIT(NULL);

    (void)state;
    bob_rwlock_write_hold(&l);
    assert_int_equal(bob_rwlock_write_acquire(&l, BOB_AT_ONCE), BOB_ERR_TIMEOUT);
    assert_int_equal(bob_rwlock_read_acquire(&l, bob_in_ms(2)), BOB_ERR_TIMEOUT);
    assert_int_equal(bob_rwlock_write_release(&l), BOB_OK);
    bob_rwlock_fini(&l);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers_read_together_and_writers_write_alone),
        cmocka_unit_test(a_reader_that_comes_stands_behind_a_writer_that_waits),
        cmocka_unit_test(waiting_readers_go_before_the_next_writer),
        cmocka_unit_test(a_writer_that_gives_up_lets_the_readers_behind_it_in),
        cmocka_unit_test(a_reader_that_gives_up_is_not_let_in_later),
        cmocka_unit_test(who_does_not_hold_it_cannot_release_it),
        cmocka_unit_test(its_writer_waits_for_itself_in_vain),
    };

    return cmocka_run_group_tests_name("rwlock", tests, NULL, NULL);
}
