/* watch.c - whether valgrind runs this program; see watch.h.
 *
 * SPDX-License-Identifier: MIT */
#include "watch.h"

#if defined(BOB_ASKS_VALGRIND)

bool bob_under_valgrind_;

static void ask(void) __attribute__((constructor));

static void
ask(void)
{
    bob_under_valgrind_ = bob_is_watched_();
}

void
bob_valgrind_birth_(void *lock)
{
    VALGRIND_HG_MUTEX_INIT_POST(lock, 0);
}

void
bob_valgrind_end_(void *lock)
{
    VALGRIND_HG_MUTEX_DESTROY_PRE(lock);
}

void
bob_valgrind_asks_(void *lock, bool tries)
{
    VALGRIND_HG_MUTEX_LOCK_PRE(lock, tries);
}

void
bob_valgrind_asked_(void *lock)
{
    VALGRIND_HG_MUTEX_LOCK_POST(lock);
}

void
bob_valgrind_releases_(void *lock)
{
    VALGRIND_HG_MUTEX_UNLOCK_PRE(lock);
}

void
bob_valgrind_released_(void *lock)
{
    VALGRIND_HG_MUTEX_UNLOCK_POST(lock);
}

void
bob_valgrind_publishes_(const void *word)
{
    ANNOTATE_HAPPENS_BEFORE(word);
}

void
bob_valgrind_sees_(const void *word)
{
    ANNOTATE_HAPPENS_AFTER(word);
}

void
bob_valgrind_forgets_(const void *word)
{
    ANNOTATE_HAPPENS_BEFORE_FORGET_ALL(word);
}

void
bob_valgrind_trusts_(void *bytes, size_t len)
{
    VALGRIND_HG_DISABLE_CHECKING(bytes, len);
}

#endif
