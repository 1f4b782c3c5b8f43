/* bobbin/bobbin.h - all of libbobbin.
 *
 * In the child of a fork nothing of it may be used before an exec: a lock of the library's may have been held by a
 * thread that is not there, and ids of threads may mean others.  In a signal handler nothing of it may be used either:
 * what the signal interrupted may hold such a lock.  Block the signals that end a program before any thread is started,
 * and let one thread wait for them with sigwait(3).
 *
 * ThreadSanitizer, in a program built with -fsanitize=thread, and valgrind's helgrind are told what
 * the library's locks, queues and futures order, also when the library itself was built without:
 * what they report is the program's.
 *
 * What the library calls (work, initializers, actions, timers' calls, destructors) returns: no pthread_exit, no longjmp
 * and, in C++, no exception out of it.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIN_BOBBIN_H
#define BOBBIN_BOBBIN_H

#include <bobbin/annotate.h>
#include <bobbin/barrier.h>
#include <bobbin/condition.h>
#include <bobbin/error.h>
#include <bobbin/event.h>
#include <bobbin/executor.h>
#include <bobbin/future.h>
#include <bobbin/local.h>
#include <bobbin/lock.h>
#include <bobbin/once.h>
#include <bobbin/process.h>
#include <bobbin/queue.h>
#include <bobbin/rlock.h>
#include <bobbin/rwlock.h>
#include <bobbin/semaphore.h>
#include <bobbin/thread.h>
#include <bobbin/time.h>
#include <bobbin/timer.h>

#endif
