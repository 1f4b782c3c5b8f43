/* test_semantics_threading.c - what users of threading.Lock, RLock, Condition, Semaphore, Event and Barrier will try.
 *
 * SPDX-License-Identifier: MIT */
#include <sched.h>

#include "unit/asleep.h"
#include "unit/semantics.h"

static bool
never(void *arg)
{
    (void)arg;
    return false;
}

static bool
set_by_now(void *arg)
{
    return *(bool *)arg;
}

/* ---- Lock ---- */

static enum bob_err
lock_release_unlocked(void)
{
    struct bob_lock l = BOB_LOCK_INIT(NULL);

    return bob_lock_release(&l);
}

static void *
release_it(void *lock)
{
    return (void *)(intptr_t)bob_lock_release(lock);
}

static enum bob_err
lock_release_by_another(void)
{
    struct bob_lock l = BOB_LOCK_INIT(NULL);
    enum bob_err err;

    bob_lock_hold(&l);
    err = (enum bob_err)(intptr_t)in_another_thread(release_it, &l);
    assert_true(bob_lock_locked(&l));
    assert_int_equal(bob_lock_release(&l), BOB_OK);
    return err;
}

static enum bob_err
lock_at_once(void)
{
    struct bob_lock l = BOB_LOCK_INIT(NULL);
    enum bob_err err;

    assert_int_equal(bob_lock_acquire(&l, BOB_AT_ONCE), BOB_OK);
    err = bob_lock_acquire(&l, BOB_AT_ONCE);
    (void)bob_lock_release(&l);
    return err;
}

/* ---- RLock ---- */

static void *
release_rlock(void *lock)
{
    return (void *)(intptr_t)bob_rlock_release(lock);
}

static enum bob_err
rlock_release_by_non_owner(void)
{
    struct bob_rlock l = BOB_RLOCK_INIT(NULL);
    enum bob_err err;

    bob_rlock_hold(&l);
    err = (enum bob_err)(intptr_t)in_another_thread(release_rlock, &l);
    assert_int_equal(bob_rlock_release(&l), BOB_OK);
    return err;
}

static enum bob_err
rlock_counts(void)
{
    struct bob_rlock l = BOB_RLOCK_INIT(NULL);

    for (int i = 0; i < 3; i++)
        assert_int_equal(bob_rlock_acquire(&l, BOB_AT_ONCE), BOB_OK);
    for (int i = 0; i < 3; i++) {
        assert_true(bob_rlock_locked(&l));
        assert_int_equal(bob_rlock_release(&l), BOB_OK);
    }
    assert_false(bob_rlock_locked(&l));
    return bob_rlock_release(&l);
}

struct meeting {
    struct bob_rlock lock;
    struct bob_condition came;
    bool is_here;
};

static void *
come(void *arg)
{
    struct meeting *m = arg;

    bob_rlock_hold(&m->lock); /* possible only if the waiting thread gave all of it up */
    m->is_here = true;
    bob_condition_notify(&m->came);
    (void)bob_rlock_release(&m->lock);
    return NULL;
}

static enum bob_err
condition_saves_the_whole_count(void)
{
    struct meeting m = {BOB_RLOCK_INIT(NULL), BOB_CONDITION_INIT, false};
    struct bob_thread *t;
    int depth = 0;

    for (int i = 0; i < 3; i++)
        bob_rlock_hold(&m.lock);
    assert_int_equal(bob_thread_start(&t, "comer", come, &m, NULL), BOB_OK);
    assert_true(
        bob_condition_wait_for_rlock(&m.came, &m.lock, set_by_now, &m.is_here, BOB_FOREVER));
    while (bob_rlock_release(&m.lock) == BOB_OK)
        depth++;
    bob_thread_free(t);
    return holds(depth == 3);
}

/* ---- Condition ---- */

static enum bob_err
condition_wait_without_the_lock(void)
{
    struct bob_condition c = BOB_CONDITION_INIT;
    struct bob_lock l = BOB_LOCK_INIT(NULL);

    return bob_condition_wait(&c, &l, BOB_FOREVER);
}

static enum bob_err
condition_wait_times_out(void)
{
    struct bob_condition c = BOB_CONDITION_INIT;
    struct bob_lock l = BOB_LOCK_INIT(NULL);
    enum bob_err err;

    bob_lock_hold(&l);
    err = bob_condition_wait(&c, &l, bob_in_ms(1));
    assert_true(bob_lock_is_mine(&l));
    (void)bob_lock_release(&l);
    return err;
}

static enum bob_err
condition_wait_for_gives_the_predicate(void)
{
    struct bob_condition c = BOB_CONDITION_INIT;
    struct bob_lock l = BOB_LOCK_INIT(NULL);
    bool yes = true, true_at_once, false_at_last;

    bob_lock_hold(&l);
    true_at_once = bob_condition_wait_for(&c, &l, set_by_now, &yes, BOB_AT_ONCE);
    false_at_last = bob_condition_wait_for(&c, &l, never, NULL, bob_in_ms(1));
    (void)bob_lock_release(&l);
    return holds(true_at_once && !false_at_last);
}

struct crowd {
    struct bob_lock lock;
    struct bob_condition called, changed;
    int waiting, tickets, gone, returns; /* of waits */
};

static void *
wait_for_a_ticket(void *arg)
{
    struct crowd *c = arg;

    bob_lock_hold(&c->lock);
    c->waiting++;
    bob_condition_notify(&c->changed);
    while (c->tickets == 0) {
        assert_int_equal(bob_condition_wait(&c->called, &c->lock, BOB_FOREVER), BOB_OK);
        c->returns++;
    }
    c->tickets--;
    c->gone++;
    bob_condition_notify(&c->changed);
    (void)bob_lock_release(&c->lock);
    return NULL;
}

/* Four sleep; two tickets and a notify for two, and the other two sleep on; then the same again. */
static enum bob_err
condition_notify_n(void)
{
    struct crowd c = {.lock = BOB_LOCK_INIT(NULL)};
    struct bob_thread *t[4];
    struct task_path path[4];
    int returns_of_two, asleep = 0;

    bob_condition_init(&c.called);
    bob_condition_init(&c.changed);
    for (int i = 0; i < 4; i++)
        assert_int_equal(bob_thread_start(&t[i], "called", wait_for_a_ticket, &c, NULL), BOB_OK);
    for (int i = 0; i < 4; i++) {
        path[i] = task_path(t[i]);
        until_asleep(&path[i]);
    }
    bob_lock_hold(&c.lock);
    c.tickets = 2;
    bob_condition_notify_n(&c.called, 2);
    while (c.gone < 2)
        assert_int_equal(bob_condition_wait(&c.changed, &c.lock, BOB_FOREVER), BOB_OK);
    (void)bob_lock_release(&c.lock);
    while (asleep < 2) { /* who was woken in vain is counted before he sleeps again */
        asleep = 0;
        for (int i = 0; i < 4; i++)
            asleep += bob_thread_is_alive(t[i]) && is_asleep(&path[i]);
    }
    bob_lock_hold(&c.lock);
    returns_of_two = c.returns;
    c.tickets = 2;
    bob_condition_notify_n(&c.called, 2);
    (void)bob_lock_release(&c.lock);
    for (int i = 0; i < 4; i++)
        bob_thread_free(t[i]);
    return holds(returns_of_two == 2 && c.gone == 4 && c.tickets == 0);
}

/* ---- Semaphore ---- */

static enum bob_err
semaphore_release(struct bob_semaphore *s, unsigned n, unsigned value_after)
{
    enum bob_err err = bob_semaphore_release(s, n);

    assert_int_equal(bob_semaphore_value(s), value_after);
    bob_semaphore_free(s);
    return err;
}

static enum bob_err
semaphore_release_of_none(void)
{
    return semaphore_release(bob_semaphore_new(1), 0, 1);
}

static enum bob_err
semaphore_release_of_several(void)
{
    return semaphore_release(bob_semaphore_new(0), 3, 3);
}

static enum bob_err
semaphore_grows_beyond_its_value(void)
{
    return semaphore_release(bob_semaphore_new(1), 1, 2);
}

static enum bob_err
semaphore_bounded_over_release(void)
{
    return semaphore_release(bob_semaphore_new_bounded(2), 1, 2);
}

static enum bob_err
semaphore_at_once(void)
{
    struct bob_semaphore *s = bob_semaphore_new(1);
    enum bob_err err;

    assert_int_equal(bob_semaphore_acquire(s, BOB_AT_ONCE), BOB_OK);
    err = bob_semaphore_acquire(s, BOB_AT_ONCE);
    bob_semaphore_free(s);
    return err;
}

/* ---- Event ---- */

static enum bob_err
event_set_clear_wait(void)
{
    struct bob_event e;
    enum bob_err err;

    bob_event_init(&e);
    assert_false(bob_event_is_set(&e));
    bob_event_set(&e);
    bob_event_set(&e);
    assert_int_equal(bob_event_wait(&e, BOB_AT_ONCE), BOB_OK);
    bob_event_clear(&e);
    err = bob_event_wait(&e, bob_in_ms(1));
    bob_event_fini(&e);
    return err;
}

/* ---- Barrier ---- */

enum { PARTIES = 3 };

struct party {
    struct bob_barrier *barrier;
    bob_time deadline;
    int seen[PARTIES];          /* atomic: how often each index was given */
    int actions;                /* by the action, one thread at a time */
    int actions_seen;           /* atomic: by those let go, once each */
    int failed[BOB_ERR_COUNT_]; /* atomic */
    enum bob_err action_gives;
};

static enum bob_err
act(void *arg)
{
    struct party *p = arg;

    p->actions++;
    return p->action_gives;
}

static void *
wait_at_barrier(void *arg)
{
    struct party *p = arg;
    unsigned index = PARTIES;
    enum bob_err err = bob_barrier_wait(p->barrier, p->deadline, &index);

    __atomic_fetch_add(&p->failed[err], 1, __ATOMIC_SEQ_CST);
    if (!err) {
        __atomic_fetch_add(&p->seen[index], 1, __ATOMIC_SEQ_CST);
        __atomic_fetch_add(&p->actions_seen, p->actions, __ATOMIC_SEQ_CST);
    }
    return NULL;
}

static void
run_party(struct party *p, int n, void (*meanwhile)(struct bob_barrier *))
{
    struct bob_thread *t[PARTIES];

    for (int i = 0; i < n; i++)
        assert_int_equal(bob_thread_start(&t[i], "party", wait_at_barrier, p, NULL), BOB_OK);
    if (meanwhile)
        meanwhile(p->barrier);
    for (int i = 0; i < n; i++)
        bob_thread_free(t[i]);
}

/* Returns once @n wait. */
static void
let_come(struct bob_barrier *b, unsigned n)
{
    while (bob_barrier_n_waiting(b) < n)
        sched_yield();
}

static void
abort_two(struct bob_barrier *b)
{
    let_come(b, 2);
    bob_barrier_abort(b);
}

static void
reset_two(struct bob_barrier *b)
{
    let_come(b, 2);
    bob_barrier_reset(b);
}

static enum bob_err
barrier_indices_and_action(void)
{
    struct party p = {.deadline = BOB_FOREVER, .action_gives = BOB_OK};

    p.barrier = bob_barrier_new(PARTIES, act, &p);
    run_party(&p, PARTIES, NULL);
    assert_int_equal(bob_barrier_parties(p.barrier), PARTIES);
    bob_barrier_free(p.barrier);
    for (int i = 0; i < PARTIES; i++)
        assert_int_equal(p.seen[i], 1);
    return holds(p.actions == 1 && p.actions_seen == PARTIES); /* it ran before anybody went on */
}

static enum bob_err
barrier_failing_action_breaks_it(void)
{
    struct party p = {.deadline = BOB_FOREVER, .action_gives = BOB_ERR_SYSTEM};

    p.barrier = bob_barrier_new(PARTIES, act, &p);
    run_party(&p, PARTIES, NULL);
    assert_true(bob_barrier_broken(p.barrier));
    bob_barrier_free(p.barrier);
    return holds(p.failed[BOB_ERR_SYSTEM] == 1 && p.failed[BOB_ERR_BROKEN] == PARTIES - 1);
}

static enum bob_err
barrier_timeout_breaks_it(void)
{
    struct party p = {.deadline = BOB_AT_ONCE};
    enum bob_err err;

    p.barrier = bob_barrier_new(PARTIES, NULL, NULL);
    run_party(&p, 1, NULL);
    assert_int_equal(p.failed[BOB_ERR_TIMEOUT], 1);
    assert_true(bob_barrier_broken(p.barrier));
    err = bob_barrier_wait(p.barrier, BOB_FOREVER, NULL);
    bob_barrier_free(p.barrier);
    return err;
}

static enum bob_err
barrier_abort_breaks_it(void)
{
    struct party p = {.deadline = BOB_FOREVER};
    enum bob_err err;

    p.barrier = bob_barrier_new(PARTIES, NULL, NULL);
    run_party(&p, 2, abort_two);
    assert_int_equal(p.failed[BOB_ERR_BROKEN], 2);
    err = bob_barrier_wait(p.barrier, BOB_FOREVER, NULL);
    bob_barrier_free(p.barrier);
    return err;
}

static enum bob_err
barrier_reset_leaves_it_usable(void)
{
    struct party p = {.deadline = BOB_FOREVER};

    p.barrier = bob_barrier_new(PARTIES, NULL, NULL);
    run_party(&p, 2, reset_two);
    assert_int_equal(p.failed[BOB_ERR_BROKEN], 2);
    assert_false(bob_barrier_broken(p.barrier));
    run_party(&p, PARTIES, NULL);
    bob_barrier_free(p.barrier);
    return holds(p.failed[BOB_OK] == PARTIES);
}

/* clang-format off */
static const struct row rows[] = {
    {"Lock: release of an unlocked lock is refused",                lock_release_unlocked,           BOB_ERR_NOT_OWNER},
    {"Lock: release by another thread is refused (Python allows it)", lock_release_by_another,       BOB_ERR_NOT_OWNER},
    {"Lock: acquire without blocking tells that it is held",        lock_at_once,                    BOB_ERR_TIMEOUT},
    {"RLock: release by one who is not the owner is refused",       rlock_release_by_non_owner,      BOB_ERR_NOT_OWNER},
    {"RLock: holds are counted",                                    rlock_counts,                    BOB_ERR_NOT_OWNER},
    {"RLock: a condition's wait saves and restores the whole count", condition_saves_the_whole_count, BOB_OK},
    {"Condition: wait without the lock is refused",                 condition_wait_without_the_lock, BOB_ERR_NOT_OWNER},
    {"Condition: wait tells of its timeout, and holds the lock",    condition_wait_times_out,        BOB_ERR_TIMEOUT},
    {"Condition: wait_for returns the predicate's last value",      condition_wait_for_gives_the_predicate, BOB_OK},
    {"Condition: notify n wakes n",                                 condition_notify_n,              BOB_OK},
    {"Semaphore: release of none is refused",                       semaphore_release_of_none,       BOB_ERR_INVALID},
    {"Semaphore: release of several",                               semaphore_release_of_several,    BOB_OK},
    {"Semaphore: may grow beyond its first value",                  semaphore_grows_beyond_its_value, BOB_OK},
    {"BoundedSemaphore: over-release is refused, value unchanged",  semaphore_bounded_over_release,  BOB_ERR_INVALID},
    {"Semaphore: acquire without blocking tells that none is free", semaphore_at_once,               BOB_ERR_TIMEOUT},
    {"Event: set twice is set; cleared, a wait times out",          event_set_clear_wait,            BOB_ERR_TIMEOUT},
    {"Barrier: each index once, one action, before anybody goes on", barrier_indices_and_action,     BOB_OK},
    {"Barrier: an action that fails breaks it for all",             barrier_failing_action_breaks_it, BOB_OK},
    {"Barrier: a timeout breaks it for those who come",             barrier_timeout_breaks_it,       BOB_ERR_BROKEN},
    {"Barrier: abort breaks it for all",                            barrier_abort_breaks_it,         BOB_ERR_BROKEN},
    {"Barrier: reset fails those who wait and leaves it usable",    barrier_reset_leaves_it_usable,  BOB_OK},
};
/* clang-format on */

int
main(void)
{
    return run_rows("semantics of threading", rows, sizeof rows / sizeof rows[0]);
}
