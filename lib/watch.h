/* watch.h - what ThreadSanitizer and helgrind are told of the library's locks and words, which are not pthread's.
 *
 * Both know pthread_mutex_t by its calls; of a lock that is a word they must be told.  ThreadSanitizer is there when
 * the library is built with it; valgrind is asked once, at start.  Under either of them bob_lock takes its slow path
 * only, which tells.  helgrind must be told of atomic words as well: to it each step of one is a plain read, and a
 * plain store a plain write.  Elsewhere that costs a look at a flag that never changes.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOB_WATCH_H
#define BOB_WATCH_H

#include <stdbool.h>
#include <stddef.h>

#if defined(__SANITIZE_THREAD__)
#define BOB_UNDER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define BOB_UNDER_TSAN 1
#endif
#endif

#if defined(BOB_UNDER_TSAN)

#include <sanitizer/tsan_interface.h>

static inline bool
bob_is_watched_(void)
{
    return true;
}
#define BOB_TSAN_(call) call
#define BOB_HELGRIND_(request) ((void)0)

#elif __has_include(<valgrind/helgrind.h>)

#include <valgrind/helgrind.h>
#include <valgrind/valgrind.h>

#define BOB_ASKS_VALGRIND 1
extern bool bob_under_valgrind_ __attribute__((visibility("hidden"))); /* set before main */

/* Out of line: a request is an array on the stack, for which its caller should not make room. */
void bob_valgrind_birth_(void *lock) __attribute__((cold));
void bob_valgrind_end_(void *lock) __attribute__((cold));
void bob_valgrind_asks_(void *lock, bool tries) __attribute__((cold));
void bob_valgrind_asked_(void *lock) __attribute__((cold));
void bob_valgrind_releases_(void *lock) __attribute__((cold));
void bob_valgrind_released_(void *lock) __attribute__((cold));
void bob_valgrind_publishes_(const void *word) __attribute__((cold));
void bob_valgrind_sees_(const void *word) __attribute__((cold));
void bob_valgrind_forgets_(const void *word) __attribute__((cold));
void bob_valgrind_trusts_(void *bytes, size_t len) __attribute__((cold));

static inline bool
bob_is_watched_(void)
{
    return RUNNING_ON_VALGRIND != 0;
}
#define BOB_TSAN_(call) ((void)0)
#define BOB_HELGRIND_(request)                                                                     \
    do {                                                                                           \
        if (__builtin_expect(bob_under_valgrind_, false))                                          \
            (request);                                                                             \
    } while (0)

#else

static inline bool
bob_is_watched_(void)
{
    return false;
}
#define BOB_TSAN_(call) ((void)0)
#define BOB_HELGRIND_(request) ((void)0)

#endif

static inline void
bob_watch_birth_(void *lock)
{
    (void)lock;
    BOB_TSAN_(__tsan_mutex_create(lock, 0));
    BOB_HELGRIND_(bob_valgrind_birth_(lock));
}

static inline void
bob_watch_end_(void *lock)
{
    (void)lock;
    BOB_TSAN_(__tsan_mutex_destroy(lock, 0));
    BOB_HELGRIND_(bob_valgrind_end_(lock));
}

/* Before a lock is asked for; @tries: this may fail. */
static inline void
bob_watch_asks_(void *lock, bool tries)
{
    (void)lock, (void)tries;
    BOB_TSAN_(__tsan_mutex_pre_lock(lock, tries ? __tsan_mutex_try_lock : 0));
    BOB_HELGRIND_(bob_valgrind_asks_(lock, tries));
}

/* After that: it was had, or not. */
static inline void
bob_watch_asked_(void *lock, bool tries, bool had)
{
    (void)lock, (void)tries, (void)had;
    BOB_TSAN_(__tsan_mutex_post_lock(
        lock, (tries ? __tsan_mutex_try_lock : 0) | (had ? 0 : __tsan_mutex_try_lock_failed), 1));
#if !defined(BOB_UNDER_TSAN)
    if (had)
        BOB_HELGRIND_(bob_valgrind_asked_(lock));
#endif
}

static inline void
bob_watch_releases_(void *lock)
{
    (void)lock;
    BOB_TSAN_((void)__tsan_mutex_pre_unlock(lock, 0));
    BOB_HELGRIND_(bob_valgrind_releases_(lock));
}

static inline void
bob_watch_released_(void *lock)
{
    (void)lock;
    BOB_TSAN_(__tsan_mutex_post_unlock(lock, 0));
    BOB_HELGRIND_(bob_valgrind_released_(lock));
}

/* What happened before publishes_(word) is seen after sees_(word).  ThreadSanitizer knows that of atomics. */
static inline void
bob_watch_publishes_(const void *word)
{
    (void)word;
    BOB_HELGRIND_(bob_valgrind_publishes_(word));
}

static inline void
bob_watch_sees_(const void *word)
{
    (void)word;
    BOB_HELGRIND_(bob_valgrind_sees_(word));
}

/* What was published by @word was seen by all whom it concerns: its memory will be another thing. */
static inline void
bob_watch_forgets_(const void *word)
{
    (void)word;
    BOB_HELGRIND_(bob_valgrind_forgets_(word));
}

/* These bytes are atomic, until they are freed: no two steps of them race. */
static inline void
bob_watch_trusts_(void *bytes, size_t len)
{
    (void)bytes, (void)len;
    BOB_HELGRIND_(bob_valgrind_trusts_(bytes, len));
}

#endif
