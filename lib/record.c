/* record.c - what one thread is called, does and died of; see record.h.
 *
 * L_THREAD guards what a record says.  A thread writes its own note often, and any thread may read it or rename
 * another: so each has a lock of its own, which is nearly always free.
 *
 * SPDX-License-Identifier: MIT */
#include "record.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cut.h"
#include "uncaught.h"
#include "watch.h"

enum { LINE_AND_IN = 16 }; /* bytes of ":<line> in " */

static void
lock(struct bob_thread *t) BOB_ACQUIRES(L_THREAD)
{
    bob_record_lock_(t);
}

static void
unlock(struct bob_thread *t) BOB_RELEASES(L_THREAD)
{
    bob_record_unlock_(t);
}

/* Formats into @text of @cap bytes, cut between characters. */
static void format(char *text, size_t cap, const char *fmt, va_list args) BOB_PRINTF(3, 0);

static void
format(char *text, size_t cap, const char *fmt, va_list args)
{
    int len = vsnprintf(text, cap, fmt, args);

    if (len < 0)
        *text = '\0';
    else if ((size_t)len >= cap)
        bob_drop_half_character_(text, cap - 1);
}

/* ---- birth and death ---- */

struct bob_thread *
bob_record_new_(const char *name, const char *role, int refs) BOB_UNSHARED
{
    struct bob_thread *t = calloc(1, sizeof *t);

    if (!t)
        return NULL;
    bob_lock_init(&t->lock, LOCK_CLASS(L_THREAD));
    bob_condition_init(&t->changed);
    t->refs = refs;
    t->role = role ? role : "";
    t->note_since = bob_now();
    bob_copy_cut_(t->name, BOB_THREAD_NAME_MAX, name);
    return t;
}

void
bob_record_unref_(struct bob_thread *t)
{
    /* Release: what this side wrote comes before; acquire: the last one sees what the other wrote. */
    bob_watch_publishes_(&t->refs);
    if (__atomic_sub_fetch(&t->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    bob_watch_sees_(&t->refs);
    bob_watch_forgets_(&t->refs);
    bob_condition_fini(&t->changed);
    bob_lock_fini(&t->lock);
    free(t);
}

void
bob_record_set_stage_(struct bob_thread *t, enum bob_thread_stage stage)
{
    lock(t);
    t->stage = stage;
    bob_condition_notify_all(&t->changed);
    unlock(t);
}

void
bob_record_end_(struct bob_thread *t, void *value)
{
    lock(t);
    t->value = value;
    t->stage = BOB_THREAD_ENDED;
    bob_condition_notify_all(&t->changed);
    unlock(t);
}

bool
bob_thread_is_alive(struct bob_thread *t)
{
    bool is_alive;

    lock(t);
    is_alive = t->stage < BOB_THREAD_ENDED;
    unlock(t);
    return is_alive;
}

/* ---- names and notes ---- */

const char *
bob_thread_name(const struct bob_thread *t) BOB_UNSHARED
{
    return t->name;
}

pid_t
bob_thread_native_id(const struct bob_thread *t)
{
    return t->native_id;
}

bool
bob_thread_is_daemon(const struct bob_thread *t)
{
    return t->is_daemon;
}

bool
bob_thread_is_main(const struct bob_thread *t)
{
    return t->is_main;
}

/* The kernel is told under the lock: as long as that is held, one that is alive cannot end, and its pthread_t means
 * it and no other.  The main thread's name there is the program's and stays. */
static void
rename_locked(struct bob_thread *t, const char *name) BOB_HOLDS(L_THREAD)
{
    char cut[BOB_KERNEL_NAME_MAX + 1];

    bob_copy_cut_(t->name, BOB_THREAD_NAME_MAX, name);
    if (t->is_main || t->stage != BOB_THREAD_ALIVE)
        return;
    bob_copy_cut_(cut, BOB_KERNEL_NAME_MAX, name);
    (void)pthread_setname_np(t->pthread, cut); /* only a display */
}

void
bob_thread_rename(struct bob_thread *t, const char *name)
{
    lock(t);
    rename_locked(t, name);
    unlock(t);
}

void
bob_thread_adopt(const char *name, const char *role)
{
    struct bob_thread *t = bob_thread_current();

    if (!t)
        return;
    lock(t);
    rename_locked(t, name);
    t->role = role ? role : "";
    unlock(t);
}

/* Only the thread itself writes its note: here it reads it without the lock. */
static bool
has_note(const struct bob_thread *t) BOB_UNSHARED
{
    return *t->note;
}

void
bob_thread_note(const char *fmt, ...)
{
    struct bob_thread *t = bob_thread_current();
    char note[BOB_THREAD_NOTE_MAX + 1];
    va_list args;

    if (!t || (!fmt && !has_note(t))) /* an executor clears the note after each work */
        return;
    note[0] = '\0';
    va_start(args, fmt);
    if (fmt)
        format(note, sizeof note, fmt, args);
    va_end(args);
    lock(t);
    if (*note || *t->note) { /* idle since when it became so, not since it last said so */
        memcpy(t->note, note, strlen(note) + 1);
        t->note_since = bob_now();
    }
    unlock(t);
}

void
bob_thread_describe(struct bob_thread *t, struct bob_thread_info *ret_info)
{
    lock(t);
    memcpy(ret_info->name, t->name, sizeof ret_info->name);
    ret_info->role = t->role;
    ret_info->native_id = t->native_id;
    ret_info->is_main = t->is_main;
    ret_info->is_daemon = t->is_daemon;
    ret_info->is_alive = t->stage < BOB_THREAD_ENDED;
    ret_info->note_since = t->note_since;
    memcpy(ret_info->note, t->note, sizeof ret_info->note);
    unlock(t);
}

/* ---- failures ---- */

/* "file.c:12 in name". */
static void
format_origin(char origin[BOB_FAILURE_ORIGIN_MAX + 1], const char *file, int line, const char *name)
{
    const char *slash = strrchr(file, '/');
    char place[BOB_FAILURE_ORIGIN_MAX - BOB_THREAD_NAME_MAX - LINE_AND_IN + 1];

    bob_copy_cut_(place, sizeof place - 1, slash ? slash + 1 : file);
    (void)snprintf(origin, BOB_FAILURE_ORIGIN_MAX + 1, "%s:%d in %s", place, line, name);
}

void *
bob_thread_fail_at(enum bob_err code, const char *file, int line, const char *fmt, ...)
{
    struct bob_thread *t = bob_thread_current();
    char message[BOB_FAILURE_MESSAGE_MAX + 1], origin[BOB_FAILURE_ORIGIN_MAX + 1];
    struct bob_thread_info me = {.name = ""};
    va_list args;

    va_start(args, fmt);
    format(message, sizeof message, fmt, args);
    va_end(args);
    if (t)
        bob_thread_describe(t, &me);
    format_origin(origin, file, line, me.name);
    if (code <= BOB_OK || code >= BOB_ERR_COUNT_)
        code = BOB_ERR_INVALID;
    if (!t || t->is_adopted) { /* whose end this library does not see */
        bob_uncaught_(&(struct bob_failure){code, message, origin});
        return NULL;
    }
    lock(t);
    t->failed_by = code;
    memcpy(t->message, message, sizeof message);
    memcpy(t->origin, origin, sizeof origin);
    unlock(t);
    return NULL;
}

/* Only the thread itself writes its failure: here it reads it without the lock, under which the hook must not run. */
void
bob_record_tell_failure_(struct bob_thread *t, const void *value) BOB_UNSHARED
{
    if (!t->failed_by)
        return;
    if (value) { /* it went on after all */
        lock(t);
        t->failed_by = BOB_OK;
        unlock(t);
        return;
    }
    bob_uncaught_(&(struct bob_failure){t->failed_by, t->message, t->origin});
}

bool
bob_thread_failure(struct bob_thread *t, struct bob_failure *ret_failure)
{
    bool has_failed;

    lock(t);
    has_failed = t->stage >= BOB_THREAD_ENDED && t->failed_by;
    if (has_failed && ret_failure) /* nobody writes the message any more */
        *ret_failure = (struct bob_failure){t->failed_by, t->message, t->origin};
    unlock(t);
    return has_failed;
}
