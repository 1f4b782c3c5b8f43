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

/* Out of line: a request is an array on the stack, for which its caller should not make room. */

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
