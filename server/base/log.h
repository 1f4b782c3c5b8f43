/* log.h - one line for one event on standard error: level, what, then key=value pairs.
 *
 *     log_line(LOG_LEVEL_INFO, "listening", "url=%s threads=%d", url, n);
 *     2026-11-22T10:00:30.120Z info  listening url=http://127.0.0.1:7070 threads=2
 *
 * Under systemd (JOURNAL_STREAM) the time is left out and <N> prefixes give the level.  Control
 * bytes and bad UTF-8 in the formatted text become '?'; a line is cut at 1 KiB.  Texts from outside
 * go through log_quote.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_LOG_H
#define BOBBIND_LOG_H

#include <bobbin/annotate.h>
#include <stdbool.h>

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };

void log_start(enum log_level least);
bool log_wants(enum log_level level);
void log_line(enum log_level level, const char *event, const char *fmt, ...) BOB_PRINTF(3, 4);

/* The same for lines of which clients decide how many there are.  The journal drops what comes
 * too quickly, the line that matters with the others; so it gets some hundred of these a second,
 * and then how many were left out.  A file or a terminal gets them all. */
void log_often(enum log_level level, const char *event, const char *fmt, ...) BOB_PRINTF(3, 4);
void log_tick(void); /* once a second, and at the end */

/* "bobbind: " and why it does not start: a sentence for a terminal, an error for systemd.  Needs
 * no log_start. */
void log_fatal(const char *fmt, ...) BOB_PRINTF(1, 2);

/* Writes @text into @out, quoted if it holds a space, quote or '='; returns @out. */
const char *log_quote(char *out, unsigned cap, const char *text);

#endif
