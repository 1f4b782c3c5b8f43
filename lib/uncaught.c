/* uncaught.c - the hook for failures that nobody will read; see bob_set_excepthook in <bobbin/thread.h>.
 *
 * Hook and argument change together, so a lock guards them and not an atomic; it is given up before the call.
 *
 * SPDX-License-Identifier: MIT */
#include "uncaught.h"

#include <bobbin/thread.h>
#include <stdio.h>
#include <unistd.h>

#include "lockorder.h"

enum { LINE_MAX = 600 };

typedef void hook_fn(const struct bob_uncaught *uncaught, void *arg);

static struct {
    struct bob_lock lock; /* class L_UNCAUGHT */

    hook_fn *hook BOB_GUARDED_BY(L_UNCAUGHT); /* NULL: print */
    void *arg BOB_GUARDED_BY(L_UNCAUGHT);
} uncaught = {.lock = BOB_LOCK_INIT(LOCK_CLASS(L_UNCAUGHT))};

static __thread bool in_hook; /* this thread is inside a call of it */

static void
lock(void) BOB_ACQUIRES(L_UNCAUGHT)
{
    bob_lock_hold(&uncaught.lock);
}

static void
unlock(void) BOB_RELEASES(L_UNCAUGHT)
{
    (void)bob_lock_release(&uncaught.lock);
}

void
bob_set_excepthook(hook_fn *hook, void *arg)
{
    lock();
    uncaught.hook = hook;
    uncaught.arg = arg;
    unlock();
}

/* One line in one write, so that lines of two threads do not mix; what would break it becomes '?'. */
static void
print(const struct bob_uncaught *u)
{
    const struct bob_failure *f = &u->failure;
    char line[LINE_MAX + 1];
    int len =
        snprintf(line, sizeof line, "bobbin: thread %s (%d) failed: %s%s%s%s%s%s", u->thread_name,
                 (int)u->native_id, bob_strerror(f->code), *f->message ? ": " : "", f->message,
                 *f->origin ? " (" : "", f->origin, *f->origin ? ")" : "");

    if (len < 0)
        return;
    if (len > LINE_MAX - 1)
        len = LINE_MAX - 1;
    for (int i = 0; i < len; i++)
        if ((unsigned char)line[i] < ' ' || line[i] == 0x7F)
            line[i] = '?';
    line[len++] = '\n';
    if (write(STDERR_FILENO, line, (size_t)len) < 0)
        return; /* nobody is left to tell */
}

void
bob_uncaught_(const struct bob_failure *f)
{
    struct bob_thread *me = bob_thread_current();
    struct bob_thread_info info = {.native_id = bob_thread_own_id()};
    hook_fn *hook;
    void *arg;

    if (me) /* NULL: memory is out, and so it has no name */
        bob_thread_describe(me, &info);
    const struct bob_uncaught u = {
        .thread_name = info.name, .native_id = info.native_id, .failure = *f};

    lock();
    hook = uncaught.hook;
    arg = uncaught.arg;
    unlock();
    if (!hook || in_hook) {
        print(&u);
        return;
    }
    in_hook = true;
    hook(&u, arg);
    in_hook = false;
}
