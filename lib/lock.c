/* lock.c - one word that knows its holder, and its rank; see <bobbin/lock.h>.
 *
 * The word is 0 when free, else the holder's thread id, with WAITED set when somebody may sleep on it.  So taking and
 * releasing are one compare-and-swap each, and "is it mine" is one load: a thread that reads its own id there wrote
 * it, and still holds the lock; any other value only says "not me", however old it is.
 *
 * A pthread_mutex_t underneath was measured (tests/bench/lib): whatever is put on top of it, two threads that fight
 * for it are slower than on the bare one, and more so the shorter they hold it.
 *
 * Who finds it taken looks twice more, about a microsecond apart, and then sleeps.  Most locks are held for less than
 * that, and looking seldom leaves the holder's cache line alone.  (Who was woken from a condition sleeps at once: see
 * retake.h.)  A sleeper is woken by the release that finds WAITED; it takes the lock with WAITED set, as others may
 * sleep too.  No lock is handed over: who comes first gets it.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/lock.h>

#include <errno.h>
#include <sys/single_threaded.h>
#include <time.h>
#include <unistd.h>

#include "cond.h"
#include "futex.h"
#include "rank.h"
#include "retake.h"
#include "self.h"
#include "watch.h"

#define WAITED 0x80000000u /* thread ids are below 2^30 */

enum { LOOKS = 2, LOOK_NS = 1000 };

#define LIKELY(x) __builtin_expect(!!(x), 1)

__thread int bob_self_id_;

/* The id of a thread does not change; in the child of a fork it stays that of the thread that forked, and so
 * locks held across a fork are still its own. */
int
bob_self_id_slow_(void)
{
    bob_self_id_ = gettid();
    return bob_self_id_;
}

static const char *
name_of(const struct bob_lock *l)
{
    return l->class_ ? l->class_->name : "a lock";
}

static bool
is_held_by(const struct bob_lock *l, unsigned thread)
{
    return (__atomic_load_n(&l->word_, __ATOMIC_RELAXED) & ~WAITED) == thread;
}

/* Changes the word from @from to @to, or fails if it is another.  A process of one thread needs no atomic step for
 * that: libc does the same for its mutexes. */
static inline bool
change(struct bob_lock *l, unsigned from, unsigned to, int order)
{
    if (__libc_single_threaded) {
        if (l->word_ != from)
            return false;
        l->word_ = to;
        return true;
    }
    return __atomic_compare_exchange_n(&l->word_, &from, to, false, order, __ATOMIC_RELAXED);
}

/* Acquires what the last holder did before its release; fails if the word is not free. */
static inline bool
take(struct bob_lock *l, unsigned as)
{
    return change(l, 0, as, __ATOMIC_ACQUIRE);
}

void
bob_lock_init(struct bob_lock *l, const struct bob_lock_class *cls)
{
    l->class_ = cls;
    l->word_ = 0;
    bob_watch_birth_(l);
}

void
bob_lock_fini(struct bob_lock *l)
{
    if (bob_lock_locked(l))
        bob_die_("%s is destroyed while it is held", name_of(l));
    bob_watch_end_(l);
}

static inline void
rest(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield" ::: "memory");
#endif
}

/* Lets about @ns nanoseconds go by, on the real clock whatever time bob_now tells. */
static void
rest_for(long ns)
{
    struct timespec start, now;

    (void)clock_gettime(CLOCK_MONOTONIC, &start);
    do {
        for (int i = 0; i < 32; i++)
            rest();
        (void)clock_gettime(CLOCK_MONOTONIC, &now);
    } while (now.tv_sec == start.tv_sec && now.tv_nsec - start.tv_nsec < ns);
}

/* Waits for the word; @deadline has not passed. */
static enum bob_err
sleep_until_had(struct bob_lock *l, unsigned self, bob_time deadline, int looks)
{
    enum bob_err err = BOB_OK;
    unsigned as = self, seen;

    for (int i = 0; i < looks; i++) {
        rest_for(LOOK_NS);
        if (__atomic_load_n(&l->word_, __ATOMIC_RELAXED) == 0 && take(l, self))
            return BOB_OK;
    }
    for (;;) {
        seen = __atomic_load_n(&l->word_, __ATOMIC_RELAXED);
        if (seen == 0) {
            if (take(l, as))
                return BOB_OK;
            continue;
        }
        if (err)
            return err;
        if (!(seen & WAITED) && !__atomic_compare_exchange_n(&l->word_, &seen, seen | WAITED, false,
                                                             __ATOMIC_RELAXED, __ATOMIC_RELAXED))
            continue;
        err = bob_futex_wait_(&l->word_, seen | WAITED, deadline);
        as = self | WAITED;
    }
}

/* Only this thread could release it: nothing to wait for but the time. */
static enum bob_err
wait_for_myself(const struct bob_lock *l, bob_time deadline)
{
    struct timespec until = {.tv_sec = deadline / 1000000000, .tv_nsec = deadline % 1000000000};

    if (deadline == BOB_FOREVER)
        bob_die_("%s is waited for, forever, by the thread that holds it", name_of(l));
    if (!bob_has_passed_(deadline))
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
            ;
    return BOB_ERR_TIMEOUT;
}

enum caller { ACQUIRE, HOLD, RETAKE };

/* All of an acquire, for whatever the fast path does not do. */
__attribute__((noinline)) static enum bob_err
acquire_slowly(struct bob_lock *l, bob_time deadline, enum caller caller)
{
    unsigned self = (unsigned)bob_self_();
    bool tries = deadline != BOB_FOREVER;
    enum bob_err err = BOB_OK;

    if (!bob_is_watched_())
        bob_ranks_.fast_self = self;
    if (is_held_by(l, self)) {
        if (caller != ACQUIRE)
            bob_die_("%s is taken by the thread that holds it", name_of(l));
        return wait_for_myself(l, deadline);
    }
    bob_rank_check_(&l->class_);
    bob_watch_asks_(l, tries);
    if (!take(l, self))
        err = bob_has_passed_(deadline)
                  ? BOB_ERR_TIMEOUT
                  : sleep_until_had(l, self, deadline, caller == RETAKE ? 0 : LOOKS);
    bob_watch_asked_(l, tries, !err);
    if (!err)
        bob_rank_push_(&l->class_);
    return err;
}

/* Takes @l if that needs nothing but one compare-and-swap. */
static inline bool
acquire_fast(struct bob_lock *l)
{
    struct bob_ranks *r = &bob_ranks_;
    unsigned self = r->fast_self;

    if (!LIKELY(self != 0 && bob_rank_allows_(r, l->class_) && take(l, self)))
        return false;
    bob_rank_push_(&l->class_);
    return true;
}

void
bob_lock_hold(struct bob_lock *l)
{
    if (!LIKELY(acquire_fast(l)))
        (void)acquire_slowly(l, BOB_FOREVER, HOLD);
}

void
bob_lock_retake_(struct bob_lock *l)
{
    if (!LIKELY(acquire_fast(l)))
        (void)acquire_slowly(l, BOB_FOREVER, RETAKE);
}

enum bob_err
bob_lock_acquire(struct bob_lock *l, bob_time deadline)
{
    return LIKELY(acquire_fast(l)) ? BOB_OK : acquire_slowly(l, deadline, ACQUIRE);
}

__attribute__((noinline)) static enum bob_err
release_slowly(struct bob_lock *l)
{
    unsigned before;

    if (!is_held_by(l, (unsigned)bob_self_()))
        return BOB_ERR_NOT_OWNER;
    bob_rank_pop_(&l->class_);
    bob_watch_releases_(l);
    before = __atomic_exchange_n(&l->word_, 0, __ATOMIC_RELEASE);
    bob_watch_released_(l);
    if (before & WAITED)
        bob_futex_wake_(&l->word_, 1);
    return BOB_OK;
}

/* After the word is 0 another may destroy the lock, so nothing of it is read. */
enum bob_err
bob_lock_release(struct bob_lock *l)
{
    struct bob_ranks *r = &bob_ranks_;
    unsigned self = r->fast_self;
    bool ranked = bob_is_ranked_(l->class_);

    if (!LIKELY(self != 0 && (!ranked || (r->len > 0 && r->held[r->len - 1] == &l->class_)) &&
                change(l, self, 0, __ATOMIC_RELEASE)))
        return release_slowly(l);
    r->len -= ranked;
    return BOB_OK;
}

bool
bob_lock_locked(const struct bob_lock *l)
{
    return !is_held_by(l, 0);
}

bool
bob_lock_is_mine(const struct bob_lock *l)
{
    return is_held_by(l, (unsigned)bob_self_());
}
