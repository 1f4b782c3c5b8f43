/* metrics.h - what /metrics shows: a table of counters, gauges and histograms.
 *
 * Threads: any, lock-free: relaxed atomics (a counter needs no order).  Rows are added to the
 * table, never by name at run time.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_METRICS_H
#define BOBBIND_METRICS_H

#include "base/bytes.h"

#include <stdint.h>

/* clang-format off */
/*    name                    type       Prometheus name                          help */
#define METRICS(X)                                                                                                       \
    X(HTTP_REQUESTS,          COUNTER,   "bobbin_http_requests_total",            "Requests answered")                   \
    X(HTTP_CLIENT_ERRORS,     COUNTER,   "bobbin_http_client_errors_total",       "Requests answered 4xx")               \
    X(HTTP_SERVER_ERRORS,     COUNTER,   "bobbin_http_server_errors_total",       "Requests answered 5xx")               \
    X(HTTP_CONNECTIONS,       GAUGE,     "bobbin_http_connections",               "Open connections")                    \
    X(HTTP_CONNECTIONS_REFUSED, COUNTER, "bobbin_http_connections_refused_total", "Connections over the limit")          \
    X(HTTP_SLOW_CUT,          COUNTER,   "bobbin_http_slow_clients_cut_total",    "Connections cut: header, body or reading too slow") \
    X(HTTP_PARKED,            GAUGE,     "bobbin_http_parked_requests",           "Requests waiting without a thread")   \
    X(HTTP_UNREAD,            GAUGE,     "bobbin_http_unread_replies",            "Replies under way, not yet read by their clients; each second") \
    X(HTTP_UNREAD_BYTES,      GAUGE,     "bobbin_http_unread_reply_bytes",        "Bytes of their bodies") \
    X(STREAMS,                GAUGE,     "bobbin_event_streams",                  "Open event streams")                  \
    X(WAITERS,                GAUGE,     "bobbin_waiters",                        "Requests standing in a line")         \
    X(WAITERS_LEFT,           COUNTER,   "bobbin_waiters_left_total",             "Waiters whose client went away")      \
    X(OBJECTS,                GAUGE,     "bobbin_objects",                        "Named objects")                       \
    X(GRANTS,                 COUNTER,   "bobbin_grants_total",                   "Locks and permits granted")           \
    X(GRANTS_RETURNED,        COUNTER,   "bobbin_grants_returned_total",          "Grants given back: no client was told") \
    X(LEASES_EXPIRED,         COUNTER,   "bobbin_leases_expired_total",           "Holds ended by their ttl")            \
    X(JOURNAL_CHANGES,        COUNTER,   "bobbin_journal_changes_total",          "Changes committed")                   \
    X(JOURNAL_COMMITS,        COUNTER,   "bobbin_journal_commits_total",          "Commits; changes over commits is the batch") \
    X(JOURNAL_COMMIT_SECONDS, HISTOGRAM, "bobbin_journal_commit_seconds",         "Time of one commit")                  \
    X(JOURNAL_FULL,           GAUGE,     "bobbin_journal_full",                   "1 while the disk has no room")        \
    X(RUNS,                   COUNTER,   "bobbin_runs_total",                     "Requests run on the request pool")    \
    X(RUNS_REFUSED,           COUNTER,   "bobbin_runs_refused_total",             "Runs refused: all request threads busy") \
    X(TASKS_SUBMITTED,        COUNTER,   "bobbin_tasks_submitted_total",          "Tasks accepted")                      \
    X(TASKS_SUCCEEDED,        COUNTER,   "bobbin_tasks_succeeded_total",          "Tasks that succeeded")                \
    X(TASKS_FAILED,           COUNTER,   "bobbin_tasks_failed_total",             "Tasks that failed")                   \
    X(TASKS_CANCELLED,        COUNTER,   "bobbin_tasks_cancelled_total",          "Tasks that were cancelled")           \
    X(TASKS_RUNNING,          GAUGE,     "bobbin_tasks_running",                  "Tasks running now")                  \
    X(TASK_BYTES,             GAUGE,     "bobbin_task_bytes",                     "Memory that arguments and results of tasks take")
/* clang-format on */

enum metric {
#define X(name, type, prometheus, help) M_##name,
    METRICS(X)
#undef X
        M_COUNT_
};

void metric_add(enum metric m, int64_t n);         /* counter (n > 0) or gauge */
void metric_set(enum metric m, int64_t value);     /* gauge */
void metric_observe_ns(enum metric m, int64_t ns); /* histogram, in seconds when shown */
int64_t metric_get(enum metric m);                 /* of a histogram: how many were observed */

/* Prometheus text format 0.0.4, with process_* and bobbin_build_info. */
void metrics_text(struct bytes *b);

#endif
