/* bobbin/thread.h - named threads that can be joined by a deadline and listed, after Python's threading.Thread.
 *
 *     struct bob_thread *t;
 *     err = bob_thread_start(&t, "resizer", resize, photo, NULL);     // void *resize(void *photo)
 *     ...
 *     err = bob_thread_join(t, bob_in_seconds(10), &result);          // BOB_ERR_TIMEOUT: still running
 *     bob_thread_free(t);                                             // waits, if nobody joined
 *
 *     struct bob_thread_info list[64];                                // who is there, and doing what
 *     size_t n = bob_thread_enumerate(list, 64);
 *
 * A thread ends when its function returns, or with NULL by pthread_exit.  One that fails says so with its last words:
 * return bob_thread_fail(BOB_ERR_INVALID, "%s: no photo", path);  Whoever joins can read that, and the hook is told.
 *
 * Differs from Python: start makes and starts, so no thread can be started twice, or joined before.  Nothing waits
 *          at the program's end by itself: main calls bob_thread_join_all.  A thread does not inherit `daemon`.  The
 *          handle is the ident, and the native id is the kernel's.  The main thread, and one of another library, is
 *          listed once it, or bob_thread_main, has asked for its record; nobody can join those.  The list holds copies
 *          and no handles, as each handle has one owner.
 *
 * Order:   the list is in the order in which threads came.
 * Threads: every function may be called from any thread at once; a handle only until it is freed.  The started
 *          function is called on its own thread, and so is the hook.  Not in the child of a fork.  A thread inside a
 *          call of the library must not be ended by pthread_cancel.
 * Locks:   the library's own are leaves: every call may be made under any lock of yours, but join and free wait
 *          for a thread that may want that lock.  No lock of the library's is held in a call of the hook.
 * Memory:  a handle is its owner's until bob_thread_free.  Names, notes and messages are copied, roles are not.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIN_THREAD_H
#define BOBBIN_THREAD_H

#include <bobbin/annotate.h>
#include <bobbin/error.h>
#include <bobbin/time.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

BOB_BEGIN_DECLS

struct bob_thread;

/* In bytes.  Longer ones are cut, never within a UTF-8 character. */
enum { BOB_THREAD_NAME_MAX = 31, BOB_THREAD_NOTE_MAX = 95 };

/* ---- start and join ---- */

struct bob_thread_options {
    const char *role;   /* what kind of thread, for lists; static storage; NULL: "" */
    size_t stack_bytes; /* 0: bob_thread_stack_bytes(); too small: the system's minimum */
    bool daemon;        /* not waited for by bob_thread_join_all */
};

/* Starts a thread that runs fn(arg), and returns once it is in the list.  All signals are blocked in it, but those
 * that a fault of its own raises (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS).  @options may be NULL.  The
 * caller owns *ret_thread: join it, then free it.  @name is copied (the kernel shows its first 15 bytes); NULL: "Thread-"
 * and a number.
 *   BOB_ERR_SYSTEM     the system refused another thread, or one with such a stack
 *   BOB_ERR_INVALID    @fn or @ret_thread is NULL
 *   BOB_ERR_NO_MEMORY */
BOB_MUST_USE enum bob_err bob_thread_start(struct bob_thread **ret_thread, const char *name,
                                           void *(*fn)(void *), void *arg,
                                           const struct bob_thread_options *options);

/* Waits until @t has ended; *ret_value (may be NULL) is what fn returned.  May be called again, and by several
 * threads at once.
 *   BOB_ERR_TIMEOUT   still running at the deadline, or in destructors of its thread-local values
 *   BOB_ERR_INVALID   @t is the calling thread, or was not started by this library */
BOB_MUST_USE enum bob_err bob_thread_join(struct bob_thread *t, bob_time deadline,
                                          void **ret_value);

/* Joins @t, if nobody has, and frees the handle; NULL is allowed.  A thread that frees its own handle goes on and
 * ends unjoined.  Does nothing to the record of an adopted thread. */
void bob_thread_free(struct bob_thread *t);

/* Waits until every thread that was started and is no daemon has ended, but for the calling one.  Their handles
 * are still their owners' to free.
 *   BOB_ERR_TIMEOUT  some still run at the deadline */
BOB_MUST_USE enum bob_err bob_thread_join_all(bob_time deadline);

/* The stack of every thread started from now on that does not ask for one, in bytes; 0: the system's default, as
 * it is at the start (Python's threading.stack_size).
 *   BOB_ERR_INVALID  under the system's minimum (16 KiB or more); nothing is changed */
BOB_MUST_USE enum bob_err bob_thread_set_stack_bytes(size_t bytes);
size_t bob_thread_stack_bytes(void);

/* ---- who it is ---- */

bool bob_thread_is_alive(struct bob_thread *t);
bool
bob_thread_is_daemon(const struct bob_thread *t); /* an adopted one is, but for the main thread */
bool bob_thread_is_main(const struct bob_thread *t);
const char *bob_thread_name(const struct bob_thread *t); /* until it is freed, or renamed */
pid_t bob_thread_native_id(const struct bob_thread *t);

/* Renames @t, which may be any thread that has not been freed; NULL: "".  The kernel is told too, but for the main
 * thread, whose name there is the program's.  Whoever reads a name while another thread may change it asks
 * bob_thread_describe. */
void bob_thread_rename(struct bob_thread *t, const char *name);

/* The calling thread's record; not to be freed.  A thread that this library did not start is registered on its
 * first call, by its kernel name ("main" for the main thread), with role ""; it leaves the list when it ends, and its
 * record is gone then.  NULL only when memory is out. */
struct bob_thread *bob_thread_current(void);

/* The record of the main thread: as above, but it is never gone. */
struct bob_thread *bob_thread_main(void);

pid_t bob_thread_own_id(void); /* the calling thread's native id, asked of the kernel once */

/* Names the calling thread, also one that this library did not start; @role is static storage or NULL: "".  When
 * memory is out the thread stays unlisted. */
void bob_thread_adopt(const char *name, const char *role);

/* Says what the calling thread is doing, for lists: printf-like.  NULL: idle. */
void bob_thread_note(const char *fmt, ...) BOB_PRINTF(1, 2);

struct bob_thread_info {
    char name[BOB_THREAD_NAME_MAX + 1];
    const char *role; /* never NULL */
    pid_t native_id;
    bool is_main, is_daemon;
    bool is_alive;                      /* its function has not returned */
    bob_time note_since;                /* since when it does that, or has been idle */
    char note[BOB_THREAD_NOTE_MAX + 1]; /* "": idle */
};

/* What is known of @t, all of one moment. */
void bob_thread_describe(struct bob_thread *t, struct bob_thread_info *ret_info);

/* Fills up to @cap entries, oldest thread first, and returns how many threads there are: if that is
 * more, some are missing at the end.  @ret_list may be NULL: it only counts.  Each entry is whole;
 * all are of nearly one moment. */
size_t bob_thread_enumerate(struct bob_thread_info *ret_list, size_t cap);
size_t bob_thread_active_count(void);

/* ---- failures ---- */

/* The last words of a thread that failed: return bob_thread_fail(code, "printf-like", ...).  Is NULL.  The hook is told
 * once fn has returned NULL; if it returns anything else it has not failed after all.  On a thread that this library
 * did not start the hook is told at once.  @code is not BOB_OK (that counts as BOB_ERR_INVALID). */
#define bob_thread_fail(code, ...) bob_thread_fail_at((code), __FILE__, __LINE__, __VA_ARGS__)
void *bob_thread_fail_at(enum bob_err code, const char *file, int line, const char *fmt, ...)
    BOB_PRINTF(4, 5);

/* Whether @t has ended by failing; if so *ret_failure (may be NULL) says how, its texts until @t is
 * freed. */
bool bob_thread_failure(struct bob_thread *t, struct bob_failure *ret_failure);

/* A failure that nobody is sure to read. */
struct bob_uncaught {
    const char *thread_name; /* of the thread that failed, which is the calling one */
    pid_t native_id;
    struct bob_failure failure;
}; /* all of it only as long as the call lasts */

/* Sets what is called, with @arg, in every thread that fails, before it counts as ended, and for the work of an
 * executor that fails and has no future.  NULL, as at the start, prints one line to standard error.  A call of the
 * hook that was set before may still be running when this returns.  A failure inside the hook is printed. */
void bob_set_excepthook(void (*hook)(const struct bob_uncaught *uncaught, void *arg), void *arg);

BOB_END_DECLS

#endif
