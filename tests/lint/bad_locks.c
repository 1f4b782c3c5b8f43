/* bad_locks.c - every line marked BAD must be reported by clang; locks.test compares the numbers of the lines.
 *
 * SPDX-License-Identifier: MIT */
#include "base/lockorder.h"

struct thing {
    int n BOB_GUARDED_BY(L_STATE);
};

void state_lock(void) BOB_ACQUIRES(L_STATE);
void state_unlock(void) BOB_RELEASES(L_STATE);
void journal_lock(void) BOB_ACQUIRES(L_JOURNAL);
void journal_unlock(void) BOB_RELEASES(L_JOURNAL);
void slot_lock(void) BOB_ACQUIRES(L_SLOT);
void slot_unlock(void) BOB_RELEASES(L_SLOT);
void tell_waiter(void) BOB_NOT_HOLDING(L_STATE);
void thing_grow_locked(struct thing *t) BOB_HOLDS(L_STATE);

int read_without_lock(struct thing *t);
int write_under_another_lock(struct thing *t);
void call_locked_without_lock(struct thing *t);
int leave_locked(struct thing *t, int early);
void lock_twice(void);
void unlock_what_is_free(void);
void lock_inside_out(void);
void lock_inside_out_by_two_rows(void);
void call_out_under_lock(void);
int all_is_well(struct thing *t);

int
read_without_lock(struct thing *t)
{
    return t->n; /* BAD */
}

int
write_under_another_lock(struct thing *t)
{
    slot_lock();
    t->n = 1; /* BAD */
    slot_unlock();
    return 0;
}

void
call_locked_without_lock(struct thing *t)
{
    thing_grow_locked(t); /* BAD */
}

int
leave_locked(struct thing *t, int early)
{
    state_lock();
    if (early)
        return 0;
    t->n = 2;
    state_unlock();
    return 1;
} /* BAD */

void
lock_twice(void)
{
    state_lock();
    state_lock(); /* BAD */
    state_unlock();
}

void
unlock_what_is_free(void)
{
    state_unlock(); /* BAD */
}

void
lock_inside_out(void)
{
    journal_lock();
    state_lock(); /* BAD */
    state_unlock();
    journal_unlock();
}

void
lock_inside_out_by_two_rows(void)
{
    slot_lock();
    state_lock(); /* BAD */
    state_unlock();
    slot_unlock();
}

void
call_out_under_lock(void)
{
    state_lock();
    tell_waiter(); /* BAD */
    state_unlock();
}

int
all_is_well(struct thing *t)
{
    int n;

    state_lock();
    thing_grow_locked(t);
    n = t->n;
    journal_lock();
    journal_unlock();
    state_unlock();
    tell_waiter();
    return n;
}
