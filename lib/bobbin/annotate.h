/* bobbin/annotate.h - promises about locks and results that the compiler can check.
 *
 * A lock CLASS is a name for "the lock of any queue", "the state lock".  It is a token, never defined and
 * never linked.  Guards name the class and not the instance because, in C, clang 14 cannot parse
 * GUARDED_BY(sibling), and later clangs parse it but never match it (LLVM issue 161854).  What a class
 * cannot see - holding queue A's lock while touching queue B - ThreadSanitizer sees.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIN_ANNOTATE_H
#define BOBBIN_ANNOTATE_H

#if defined(__clang__)
#define BOB_TS_(x) __attribute__((x))
#else
#define BOB_TS_(x)
#endif

#define BOB_LOCK_CLASS(name)                                                                       \
    extern struct BOB_TS_(capability("lock")) bob_class_##name {                                   \
        char token;                                                                                \
    } name

#define BOB_AFTER(cls) BOB_TS_(acquired_after(cls))
#define BOB_GUARDED_BY(cls) BOB_TS_(guarded_by(cls))
#define BOB_HOLDS(cls) BOB_TS_(requires_capability(cls))
#define BOB_NOT_HOLDING(cls) BOB_TS_(locks_excluded(cls))
#define BOB_ACQUIRES(cls) BOB_TS_(acquire_capability(cls)) BOB_TS_(no_thread_safety_analysis)
#define BOB_RELEASES(cls) BOB_TS_(release_capability(cls)) BOB_TS_(no_thread_safety_analysis)
#define BOB_HOLDS_SHARED(cls) BOB_TS_(requires_shared_capability(cls)) /* to read: bob_rwlock */
#define BOB_ACQUIRES_SHARED(cls)                                                                   \
    BOB_TS_(acquire_shared_capability(cls)) BOB_TS_(no_thread_safety_analysis)
#define BOB_RELEASES_SHARED(cls)                                                                   \
    BOB_TS_(release_shared_capability(cls)) BOB_TS_(no_thread_safety_analysis)
#define BOB_UNSHARED BOB_TS_(no_thread_safety_analysis) /* constructors, destructors: one owner */

/* What else a declaration can promise.
 *   BOB_MUST_USE  the result is looked at; to gcc a cast to void is no look
 *   BOB_CLEANUP   fn(&variable) is called when it goes out of scope: a function of yours, as bob_queue_free and its like
 *                 take the pointer itself
 *   BOB_PRINTF    which of the arguments are those of printf */
#define BOB_MUST_USE __attribute__((warn_unused_result))
#define BOB_CLEANUP(fn) __attribute__((cleanup(fn)))
#define BOB_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

#ifdef __cplusplus
#define BOB_BEGIN_DECLS extern "C" {
#define BOB_END_DECLS }
#else
#define BOB_BEGIN_DECLS
#define BOB_END_DECLS
#endif

#endif
