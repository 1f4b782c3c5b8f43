/* main.c - bobbind: reads its settings, starts the server, waits for signals, stops it.
 *
 * Signals are blocked before the first thread and taken here with sigtimedwait: no handler, so
 * nothing runs at a bad moment.  Between them this thread feeds systemd's watchdog and tells it how
 * the server is, and only looks at memory to do so.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/thread.h>
#include <bobbin/time.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/config.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/notify.h"
#include "base/process.h"
#include "bobbind.h"
#include "http/http.h"

enum {
    LOOK_MS = 50,
    NOTIFY_MS = 1000,
    END_MS = 60000, /* bobbind_stop: its own deadlines come to half of that */
    EXIT_USAGE = 2, /* what it was given is wrong, and would be so at the next start */
};

/* All but those that a fault of our own raises, and those with which a terminal stops or quits a
 * program. */
static void
block_signals(void)
{
    static const int spared[] = {SIGSEGV, SIGBUS,  SIGFPE,  SIGILL,  SIGABRT, SIGTRAP, SIGSYS,
                                 SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU, SIGCONT, SIGPROF};
    sigset_t set;

    sigfillset(&set);
    for (size_t i = 0; i < sizeof spared / sizeof spared[0]; i++)
        sigdelset(&set, spared[i]);
    sigprocmask(SIG_SETMASK, &set, NULL); /* NOLINT(concurrency-mt-unsafe): no threads yet */
}

/* The next SIGTERM, SIGINT or SIGHUP within @ms; 0: none came.  @ms negative: waits as long as it
 * takes. */
static int
next_signal(int64_t ms)
{
    struct timespec wait = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * NS_PER_MS};
    sigset_t set;
    int got;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    do
        got = sigtimedwait(&set, NULL, ms < 0 ? NULL : &wait);
    while (got < 0 && errno == EINTR);
    return got < 0 ? 0 : got;
}

/* Four times as often as it must be fed: one look that comes at a bad moment is no reason to be
 * killed. */
static void
feed_watchdog(struct bobbind *b, bob_time *next)
{
    int64_t ms = notify_watchdog_ms();

    if (ms == 0 || bob_now() < *next)
        return;
    *next = bob_in_ms(ms / 4);
    if (bobbind_is_well(b))
        notify_watchdog();
}

/* `systemctl status` shows what /readyz says; @told is what it shows. */
static void
tell_status(struct bobbind *b, const char **told)
{
    const char *why = bobbind_not_ready(b);
    char status[300];

    if (why == *told)
        return;
    *told = why;
    (void)snprintf(status, sizeof status, "%s%s%s", http_url(b->http), why ? " is not ready: " : "",
                   why ? why : "");
    notify_status(status);
}

/* Returns when the server is to stop. */
static void
serve(struct bobbind *b)
{
    const char *told = NULL;
    bob_time fed_next = 0;
    int64_t look_ms = notify_heard() ? NOTIFY_MS : -1;

    if (notify_watchdog_ms() > 0 && notify_watchdog_ms() / 4 < look_ms)
        look_ms = notify_watchdog_ms() / 4 + 1;
    for (;;) {
        int number = next_signal(look_ms);

        if (number == SIGTERM || number == SIGINT) {
            log_line(LOG_LEVEL_INFO, "stopping",
                     "signal=%s tasks_running=%" PRId64 " at_most_s=%.6g",
                     number == SIGTERM ? "SIGTERM" : "SIGINT", metric_get(M_TASKS_RUNNING),
                     (double)b->config->stop_timeout / (double)NS_PER_SECOND);
            return;
        }
        if (number == SIGHUP)
            bobbind_reload(b);
        feed_watchdog(b, &fed_next);
        tell_status(b, &told);
    }
}

/* Lets what runs finish until the time given for it is over, or a second signal comes.  Returns the exit status. */
static int
stop(struct bobbind *b)
{
    int64_t ms = b->config->stop_timeout / NS_PER_MS;
    bob_time until = bob_in_ms(ms);
    bool at_once = false, idle = false;
    int status;

    notify_stopping("stopping: running work may finish", ms + END_MS);
    bob_thread_note("stopping");
    bobbind_drain(b);
    while (!(idle = bobbind_idle(b)) && bob_now() < until && !at_once) {
        int number = next_signal(LOOK_MS);

        at_once = number == SIGTERM || number == SIGINT;
    }
    if (!idle)
        log_line(LOG_LEVEL_WARNING, "stopping_at_once", "why=\"%s\" tasks_put_back=%" PRId64,
                 at_once ? "a second signal came" : "the time of --stop-timeout is over",
                 metric_get(M_TASKS_RUNNING));
    notify_stopping("stopping", END_MS);
    status = bobbind_stop(b) ? EXIT_SUCCESS : EXIT_FAILURE;
    log_line(LOG_LEVEL_INFO, "stopped", "status=%d", status);
    return status;
}

/* A failure in one of our threads that nobody asked for: it is in the log at least. */
static void
log_uncaught(const struct bob_uncaught *u, void *arg)
{
    const struct bob_failure *f = &u->failure;
    char thread[80], message[600], origin[240]; /* twice as long as they are: all may be escaped */

    (void)arg;
    log_line(LOG_LEVEL_ERROR, "uncaught", "thread=%s code=%d message=%s origin=%s",
             log_quote(thread, sizeof thread, u->thread_name), (int)f->code,
             log_quote(message, sizeof message, *f->message ? f->message : bob_strerror(f->code)),
             log_quote(origin, sizeof origin, f->origin));
}

/* --routes: for tests, and for those who look for a call. */
static int
print_routes(void)
{
    AUTO_BYTES text = {0};

    api_routes_print(&text);
    if (fputs(bytes_text(&text), stdout) >= 0 && fflush(stdout) == 0)
        return EXIT_SUCCESS;
    log_fatal("cannot write to standard output");
    return EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
    static struct config config;
    struct bobbind b = {.config = &config};
    struct fault fault = {0};

    if (!process_fill_standard()) {
        log_fatal("cannot open /dev/null"); /* to nobody, if that is what is closed */
        return EXIT_FAILURE;
    }
    if (argc == 2 && strcmp(argv[1], "--routes") == 0)
        return print_routes();
    switch (config_read(&config, argc, argv)) {
    case CONFIG_RUN:
        break;
    case CONFIG_EXIT_OK:
        return EXIT_SUCCESS;
    case CONFIG_EXIT_USAGE:
        notify_turn_away();
        return EXIT_USAGE;
    }
    umask(077);
    block_signals();
    process_prefer_throughput();
    log_start((enum log_level)config.log_level);
    config_log_unknown();
    bob_set_excepthook(log_uncaught, NULL);
    bob_thread_adopt("main", "main");
    notify_status("reading the store");
    if (bobbind_start(&b, &fault)) {
        log_fatal("cannot start: %s", fault.detail);
        return fault.why == WHY_INVALID ? EXIT_USAGE : EXIT_FAILURE;
    }
    log_line(LOG_LEVEL_INFO, "listening", "url=%s data=%s durability=%s http_threads=%" PRId64,
             http_url(b.http), config.data,
             config.durability == DURABILITY_FULL ? "full" : "relaxed", config.http_threads);
    notify_ready(http_url(b.http));
    serve(&b);
    return stop(&b);
}
