/* log.c - see log.h.  A line is formatted on the caller's stack, cleaned, and written by one
 * write(2) under a lock of its own, so that lines of many threads never mix, not even when a write
 * is cut short.
 *
 * SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/lockorder.h"
#include "base/utf8.h"

enum {
    LINE_MAX_BYTES = 1024,
    LEVELS = LOG_LEVEL_ERROR + 1,
    OFTEN_MOST = 200, /* a second, of each level: the unit's LogRateLimitBurst= allows for it */
};

static const struct level {
    const char *name;
    const char *prefix; /* syslog's number, as the journal reads it */
} levels[] = {
    [LOG_LEVEL_DEBUG] = {"debug", "<7>"},
    [LOG_LEVEL_INFO] = {"info ", "<6>"},
    [LOG_LEVEL_WARNING] = {"warning", "<4>"},
    [LOG_LEVEL_ERROR] = {"error", "<3>"},
};

static struct bob_lock writing = BOB_LOCK_INIT(LOCK_CLASS(L_LOG));
static _Atomic int least_level = LOG_LEVEL_INFO;
static _Atomic bool to_journal;
static _Atomic int64_t often[LEVELS]; /* since the last tick */

static void
log_lock(void) BOB_ACQUIRES(L_LOG)
{
    bob_lock_hold(&writing);
}

static void
log_unlock(void) BOB_RELEASES(L_LOG)
{
    bob_lock_release(&writing);
}

/* systemd names the device and inode of the stream it reads; a child whose standard error goes
 * elsewhere has the variable too. */
static bool
stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat st;

    return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
           fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

void
log_start(enum log_level least)
{
    atomic_store(&least_level, (int)least);
    atomic_store(&to_journal, stderr_is_journal());
}

static bool
is_journal(void)
{
    return atomic_load_explicit(&to_journal, memory_order_relaxed);
}

bool
log_wants(enum log_level level)
{
    return (int)level >= atomic_load_explicit(&least_level, memory_order_relaxed);
}

/* What cannot be written is lost: there is nobody to tell. */
static void
write_line(const char *line, size_t len)
{
    log_lock();
    while (len > 0) {
        ssize_t n = write(STDERR_FILENO, line, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        line += n;
        len -= (size_t)n;
    }
    log_unlock();
}

/* Ends the line that begins with @len bytes of @line. */
BOB_PRINTF(3, 0)
static void
finish(char line[LINE_MAX_BYTES + 1], size_t len, const char *fmt, va_list args)
{
    int n = vsnprintf(line + len, LINE_MAX_BYTES + 1 - len, fmt, args);

    len += n < 0 ? 0 : (size_t)n;
    if (len >= LINE_MAX_BYTES)
        len = utf8_cut(line, LINE_MAX_BYTES - 1);
    while (len > 0 && line[len - 1] == ' ')
        len--;
    utf8_clean(line, len);
    line[len] = '\n';
    write_line(line, len + 1);
}

BOB_PRINTF(3, 0)
static void
write_event(enum log_level level, const char *event, const char *fmt, va_list args)
{
    char line[LINE_MAX_BYTES + 1]; /* the final newline has room */
    char now[CLOCK_TEXT_LEN];
    int saved = errno; /* a log line changes nothing for its caller */
    int n;

    clock_text(now, clock_wall_ms());
    if (is_journal())
        n = snprintf(line, sizeof line, "%s%s ", levels[level].prefix, event);
    else
        n = snprintf(line, sizeof line, "%s %s %s ", now, levels[level].name, event);
    finish(line, n < 0 ? 0 : (size_t)n < sizeof line ? (size_t)n : sizeof line - 1, fmt, args);
    errno = saved;
}

void
log_line(enum log_level level, const char *event, const char *fmt, ...)
{
    va_list args;

    if (!log_wants(level))
        return;
    va_start(args, fmt);
    write_event(level, event, fmt, args);
    va_end(args);
}

void
log_often(enum log_level level, const char *event, const char *fmt, ...)
{
    va_list args;

    if (!log_wants(level) || (is_journal() && atomic_fetch_add(&often[level], 1) >= OFTEN_MOST))
        return;
    va_start(args, fmt);
    write_event(level, event, fmt, args);
    va_end(args);
}

void
log_tick(void)
{
    int64_t left_out = 0;

    for (int i = 0; i < LEVELS; i++) {
        int64_t n = atomic_exchange(&often[i], 0);

        left_out += n > OFTEN_MOST ? n - OFTEN_MOST : 0;
    }
    if (left_out > 0)
        log_line(LOG_LEVEL_WARNING, "lines_left_out", "n=%" PRId64 " why=\"over %d a second\"",
                 left_out, OFTEN_MOST);
}

void
log_fatal(const char *fmt, ...)
{
    char line[LINE_MAX_BYTES + 1];
    va_list args;
    int n = snprintf(line, sizeof line,
                     "%sbobbind: ", stderr_is_journal() ? levels[LOG_LEVEL_ERROR].prefix : "");

    va_start(args, fmt);
    finish(line, (size_t)n, fmt, args);
    va_end(args);
}

const char *
log_quote(char *out, unsigned cap, const char *text)
{
    size_t len = 0;

    if (cap < 3) {
        if (cap > 0)
            *out = '\0';
        return out;
    }
    if (*text && !strpbrk(text, " \"=\\")) {
        (void)snprintf(out, cap, "%s", text);
        if (strlen(text) >= cap)
            out[utf8_cut(out, cap - 1)] = '\0';
        return out;
    }
    out[len++] = '"';
    for (; *text; text++) {
        size_t more = *text == '"' || *text == '\\' ? 2 : 1;

        if (len + more + 2 > cap)
            break;
        if (more == 2)
            out[len++] = '\\';
        out[len++] = *text;
    }
    if (*text)
        len = utf8_cut(out, len);
    out[len++] = '"';
    out[len] = '\0';
    return out;
}
