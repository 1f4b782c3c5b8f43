/* watch.h - what ThreadSanitizer and helgrind are told of the library's locks and words, which are not pthread's.
 *
 * Both know pthread_mutex_t by its calls; of a lock that is a word they must be told.  Whether one
 * of them looks on is asked once, before main, of the process and not of the compiler: a program
 * that is built with -fsanitize=thread brings the sanitizer's functions along, also for a library
 * that was built without, and valgrind runs whatever it is given.  Under either, bob_lock takes its
 * slow path only, which tells.
 *
 * A library that is built without the sanitizer must tell it of atomic words as well, and helgrind
 * always: to it each step of one is a plain read, and a plain store a plain write.  Elsewhere all
 * that costs a look at a flag that never changes.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOB_WATCH_H
#define BOB_WATCH_H

#include <stdbool.h>
#include <stddef.h>

extern bool bob_watched_
    __attribute__((visibility("hidden"))); /* by one of them; set before main */

/* Out of line: a request to valgrind is an array on the stack, for which the caller should not make
 * room. */
void bob_tell_birth_(void *lock) __attribute__((cold));
void bob_tell_end_(void *lock) __attribute__((cold));
void bob_tell_asks_(void *lock, bool tries) __attribute__((cold));
void bob_tell_asked_(void *lock, bool tries, bool had) __attribute__((cold));
void bob_tell_releases_(void *lock) __attribute__((cold));
void bob_tell_released_(void *lock) __attribute__((cold));
void bob_tell_publishes_(const void *word) __attribute__((cold));
void bob_tell_sees_(const void *word) __attribute__((cold));
void bob_tell_forgets_(const void *word) __attribute__((cold));
void bob_tell_trusts_(void *bytes, size_t len) __attribute__((cold));

static inline bool
bob_is_watched_(void)
{
    return __builtin_expect(bob_watched_, false);
}

static inline void
bob_watch_birth_(void *lock)
{
    if (bob_is_watched_())
        bob_tell_birth_(lock);
}

static inline void
bob_watch_end_(void *lock)
{
    if (bob_is_watched_())
        bob_tell_end_(lock);
}

/* Before a lock is asked for; @tries: this may fail. */
static inline void
bob_watch_asks_(void *lock, bool tries)
{
    if (bob_is_watched_())
        bob_tell_asks_(lock, tries);
}

/* After that: it was had, or not. */
static inline void
bob_watch_asked_(void *lock, bool tries, bool had)
{
    if (bob_is_watched_())
        bob_tell_asked_(lock, tries, had);
}

static inline void
bob_watch_releases_(void *lock)
{
    if (bob_is_watched_())
        bob_tell_releases_(lock);
}

static inline void
bob_watch_released_(void *lock)
{
    if (bob_is_watched_())
        bob_tell_released_(lock);
}

/* What happened before publishes_(word) is seen after sees_(word). */
static inline void
bob_watch_publishes_(const void *word)
{
    if (bob_is_watched_())
        bob_tell_publishes_(word);
}

static inline void
bob_watch_sees_(const void *word)
{
    if (bob_is_watched_())
        bob_tell_sees_(word);
}

/* What was published by @word was seen by all whom it concerns: its memory will be another thing. */
static inline void
bob_watch_forgets_(const void *word)
{
    if (bob_is_watched_())
        bob_tell_forgets_(word);
}

/* These bytes are atomic, until they are freed: no two steps of them race. */
static inline void
bob_watch_trusts_(void *bytes, size_t len)
{
    if (bob_is_watched_())
        bob_tell_trusts_(bytes, len);
}

#endif
