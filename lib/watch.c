/* watch.c - whether ThreadSanitizer or valgrind looks on, and how each is told; see watch.h.
 *
 * The sanitizer's functions are weak: those of the program that has it, or none.  They are those of
 * <sanitizer/tsan_interface.h>, which is not there with every compiler that builds this library.  A
 * request to valgrind does nothing elsewhere.
 *
 * SPDX-License-Identifier: MIT */
#include "watch.h"

#include <stdint.h>

#if __has_include(<valgrind/helgrind.h>)
#include <valgrind/helgrind.h>
#include <valgrind/valgrind.h>
#else
#define RUNNING_ON_VALGRIND 0
#define VALGRIND_HG_MUTEX_INIT_POST(lock, recursive) ((void)0)
#define VALGRIND_HG_MUTEX_DESTROY_PRE(lock) ((void)0)
#define VALGRIND_HG_MUTEX_LOCK_PRE(lock, tries) ((void)0)
#define VALGRIND_HG_MUTEX_LOCK_POST(lock) ((void)0)
#define VALGRIND_HG_MUTEX_UNLOCK_PRE(lock) ((void)0)
#define VALGRIND_HG_MUTEX_UNLOCK_POST(lock) ((void)0)
#define VALGRIND_HG_DISABLE_CHECKING(bytes, len) ((void)0)
#define ANNOTATE_HAPPENS_BEFORE(word) ((void)0)
#define ANNOTATE_HAPPENS_AFTER(word) ((void)0)
#define ANNOTATE_HAPPENS_BEFORE_FORGET_ALL(word) ((void)0)
#endif

#if defined(__SANITIZE_THREAD__)
#define UNDER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define UNDER_TSAN 1
#endif
#endif

#if defined(UNDER_TSAN)
enum { KNOWS_ATOMICS = true }; /* those of this library: what they order it sees for itself */
#else
enum { KNOWS_ATOMICS = false };
#endif

enum { TRY_LOCK = 1 << 4, TRY_LOCK_FAILED = 1 << 5 };

#define WEAK __attribute__((weak))
/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl*): the names are the sanitizer's */
WEAK void __tsan_acquire(void *word);
WEAK void __tsan_release(void *word);
WEAK void __tsan_mutex_create(void *lock, unsigned flags);
WEAK void __tsan_mutex_destroy(void *lock, unsigned flags);
WEAK void __tsan_mutex_pre_lock(void *lock, unsigned flags);
WEAK void __tsan_mutex_post_lock(void *lock, unsigned flags, int recursion);
WEAK int __tsan_mutex_pre_unlock(void *lock, unsigned flags);
WEAK void __tsan_mutex_post_unlock(void *lock, unsigned flags);
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl*) */

bool bob_watched_ = KNOWS_ATOMICS;

static bool
has_tsan(void)
{
    return __tsan_acquire && __tsan_release && __tsan_mutex_create && __tsan_mutex_destroy &&
           __tsan_mutex_pre_lock && __tsan_mutex_post_lock && __tsan_mutex_pre_unlock &&
           __tsan_mutex_post_unlock;
}

/* Before the constructors of a program that has this library in it. */
static void ask(void) __attribute__((constructor(101)));

static void
ask(void)
{
    bob_watched_ = has_tsan() || RUNNING_ON_VALGRIND;
}

void
bob_tell_birth_(void *lock)
{
    if (has_tsan())
        __tsan_mutex_create(lock, 0);
    VALGRIND_HG_MUTEX_INIT_POST(lock, 0);
}

/* One that was made by its initializer and never taken helgrind does not know yet. */
void
bob_tell_end_(void *lock)
{
    if (has_tsan())
        __tsan_mutex_destroy(lock, 0);
    VALGRIND_HG_MUTEX_INIT_POST(lock, 0);
    VALGRIND_HG_MUTEX_DESTROY_PRE(lock);
}

void
bob_tell_asks_(void *lock, bool tries)
{
    if (has_tsan())
        __tsan_mutex_pre_lock(lock, tries ? TRY_LOCK : 0);
    VALGRIND_HG_MUTEX_LOCK_PRE(lock, tries);
}

void
bob_tell_asked_(void *lock, bool tries, bool had)
{
    if (has_tsan())
        __tsan_mutex_post_lock(lock, (tries ? TRY_LOCK : 0) | (had ? 0 : TRY_LOCK_FAILED), 1);
    if (had)
        VALGRIND_HG_MUTEX_LOCK_POST(lock);
}

void
bob_tell_releases_(void *lock)
{
    if (has_tsan())
        (void)__tsan_mutex_pre_unlock(lock, 0);
    VALGRIND_HG_MUTEX_UNLOCK_PRE(lock);
}

void
bob_tell_released_(void *lock)
{
    if (has_tsan())
        __tsan_mutex_post_unlock(lock, 0);
    VALGRIND_HG_MUTEX_UNLOCK_POST(lock);
}

void
bob_tell_publishes_(const void *word)
{
    if (has_tsan() && !KNOWS_ATOMICS)
        __tsan_release((void *)(uintptr_t)word);
    ANNOTATE_HAPPENS_BEFORE(word);
}

void
bob_tell_sees_(const void *word)
{
    if (has_tsan() && !KNOWS_ATOMICS)
        __tsan_acquire((void *)(uintptr_t)word);
    ANNOTATE_HAPPENS_AFTER(word);
}

void
bob_tell_forgets_(const void *word)
{
    (void)word;
    ANNOTATE_HAPPENS_BEFORE_FORGET_ALL(word);
}

void
bob_tell_trusts_(void *bytes, size_t len)
{
    (void)bytes, (void)len;
    VALGRIND_HG_DISABLE_CHECKING(bytes, len);
}
