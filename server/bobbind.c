/* bobbind.c - see bobbind.h.  Parts start in the order of one table and stop in the reverse; a
 * start that fails stops those above it.  A part stops only when nothing above it can still call
 * it: requests before hands, hands before the journal that keeps their last words.
 *
 * SPDX-License-Identifier: MIT */
#include "bobbind.h"

#include <bobbin/timer.h>
#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>

#include "api/stream.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/notify.h"
#include "http/files.h"
#include "http/http.h"
#include "store/journal.h"
#include "store/store.h"
#include "work/work.h"

enum {
    TICK_MS = 1000,
    STALL_MS = 10000, /* a thread that has not come round for so long is stuck */
    LAST_MS = 12000,  /* what hangs on the disk is told after 10 s at the latest */
    SPARE_FDS = 256,  /* beside connections: store, downloads, epolls */
};

/* ---- the parts ---- */

/* An address that cannot be had is told at once: no folder is made for it, and no store read. */
static enum why
address_take(struct bobbind *b, struct fault *f)
{
    return http_open(&b->http, b->config, api_routes, api_routes_len, &b->app, f);
}

/* In two rows of the table, as hands_stop: addresses are had first, but requests end before what
 * they call. */
static void
door_stop(struct bobbind *b)
{
    if (b->http)
        http_stop(b->http);
    b->http = NULL;
}

static enum why
limits_start(struct bobbind *b, struct fault *f)
{
    struct rlimit limit, raised;
    int64_t most;

    (void)f;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return WHY_OK; /* a sandbox may forbid to ask; its maker has set the limit then */
    raised = (struct rlimit){limit.rlim_max, limit.rlim_max};
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
        limit = raised;
    most = limit.rlim_cur > INT32_MAX ? INT32_MAX : (int64_t)limit.rlim_cur;
    most = most / 2 > SPARE_FDS ? most - SPARE_FDS : most / 2;
    if (b->config->max_connections > most) {
        log_line(LOG_LEVEL_WARNING, "few_descriptors",
                 "max_connections=%" PRId64 " asked=%" PRId64 " open_files=%" PRIu64, most,
                 b->config->max_connections, (uint64_t)limit.rlim_cur);
        b->config->max_connections = most;
    }
    return WHY_OK;
}

static enum why
store_start(struct bobbind *b, struct fault *f)
{
    const struct store_options options = {
        .folder = b->config->data,
        .durability = b->config->durability,
        .reserve_bytes = b->config->reserve,
        .accept_cut_log = b->config->accept_cut_log,
    };

    return store_open(&b->store, &options, f);
}

static void
store_stop(struct bobbind *b)
{
    store_close(b->store);
}

static enum why
coord_make(struct bobbind *b, struct fault *f)
{
    const struct coord_options options = {
        .max_waiters = b->config->max_waiters,
        .max_waiters_per_object = b->config->max_waiters_per_object,
        .max_objects = b->config->max_objects,
        .max_tasks = b->config->max_tasks,
        .max_task_memory = b->config->max_task_memory,
        .task_threads = b->config->task_threads,
        .result_ttl_ns = b->config->result_ttl,
    };
    enum why why = coord_new(&b->coord, &options, f);

    if (!why)
        admit_resize(b->coord, b->config->request_threads);
    return why;
}

static void
coord_unmake(struct bobbind *b)
{
    coord_free(b->coord);
}

static enum why
hands_start(struct bobbind *b, struct fault *f)
{
    return work_start(&b->work, b->config, b->coord, f);
}

/* In two rows of the table: hands must be there before tasks are recovered, and end before the
 * journal. */
static void
hands_stop(struct bobbind *b)
{
    if (b->work)
        work_stop(b->work);
    b->work = NULL;
}

static enum why
recover(struct bobbind *b, struct fault *f)
{
    return store_recover(b->store, coord_load, b->coord, f);
}

static enum why
write_ahead_start(struct bobbind *b, struct fault *f)
{
    return journal_start(&b->journal, b->store, f);
}

static void
write_ahead_stop(struct bobbind *b)
{
    b->lost = !journal_stop(b->journal);
}

static enum why
deadlines_start(struct bobbind *b, struct fault *f)
{
    return coord_start(b->coord, b->journal, clock_now(), f);
}

static void
deadlines_stop(struct bobbind *b)
{
    coord_stop(b->coord);
}

static enum why
streams_start(struct bobbind *b, struct fault *f)
{
    b->hub = hub_start(b->coord, f);
    return b->hub ? WHY_OK : fault_set(f, WHY_NO_MEMORY, "no memory for event streams");
}

static void
streams_stop(struct bobbind *b)
{
    hub_stop(b->hub);
}

/* A folder that was asked for must be there; one that is only the default may be missing: a program
 * just built is not installed. */
static enum why
pages_start(struct bobbind *b, struct fault *f)
{
    struct fault missing = {0};

    b->files = files_load(b->config->www, &missing);
    if (b->files)
        return WHY_OK;
    if (config_from(&config_rows[CONFIG_ROW_www]) != CONFIG_FROM_DEFAULT)
        return fault_set(f, missing.why, "%s", missing.detail);
    log_line(LOG_LEVEL_WARNING, "no_dashboard", "why=\"%s\"", missing.detail);
    b->files = files_load("", f);
    return b->files ? WHY_OK : fault_set(f, WHY_NO_MEMORY, "no memory for the dashboard");
}

static void
pages_stop(struct bobbind *b)
{
    files_free(b->files);
}

static enum why
door_start(struct bobbind *b, struct fault *f)
{
    enum why why;

    b->app.config = b->config;
    b->app.coord = b->coord;
    b->app.journal = b->journal;
    b->app.hub = b->hub;
    b->app.files = b->files;
    why = http_start(b->http, f);
    if (why)
        door_stop(b);
    return why;
}

static void
tick(void *arg)
{
    struct bobbind *b = arg;

    log_tick();
    http_tick(b->http);
    work_tick(b->work, bob_now());
}

static enum why
timers_start(struct bobbind *b, struct fault *f)
{
    b->timers = bob_timers_new("timers");
    b->tick = b->timers ? bob_timer_start(b->timers, bob_in_ms(TICK_MS), TICK_MS, tick, b) : NULL;
    if (b->tick)
        return WHY_OK;
    bob_timers_free(b->timers);
    return fault_set(f, WHY_NO_MEMORY, "no memory, or no thread, for the timers");
}

static void
timers_stop(struct bobbind *b)
{
    bob_timer_free(b->tick);
    bob_timers_free(b->timers);
}

/* clang-format off */
static const struct part {
    const char *name;
    enum why (*start)(struct bobbind *b, struct fault *f);
    void (*stop)(struct bobbind *b); /* in the reverse order */
    const char *hint;                /* what to do if it does not start */
} parts[] = {
    {"address",   address_take,      door_stop,        ""},
    {"limits",    limits_start,      NULL,             ""},
    {"store",     store_start,       store_stop,       ""},
    {"state",     coord_make,        coord_unmake,     ""},
    {"work",      hands_start,       hands_stop,       ""},
    {"recovery",  recover,           NULL,             ""},
    {"journal",   write_ahead_start, write_ahead_stop, ""},
    {"deadlines", deadlines_start,   deadlines_stop,   ""},
    {"hands",     NULL,              hands_stop,       ""},
    {"streams",   streams_start,     streams_stop,     ""},
    {"dashboard", pages_start,       pages_stop,       " (--www says which folder)"},
    {"http",      door_start,        door_stop,        ""},
    {"timers",    timers_start,      timers_stop,      ""},
};
/* clang-format on */
enum { PARTS = sizeof parts / sizeof parts[0] };

static void
stop_parts(struct bobbind *b, int started)
{
    while (started-- > 0) {
        log_line(LOG_LEVEL_DEBUG, "part_stops", "part=%s", parts[started].name);
        if (parts[started].stop)
            parts[started].stop(b);
    }
}

enum why
bobbind_start(struct bobbind *b, struct fault *f)
{
    for (int i = 0; i < PARTS; i++) {
        log_line(LOG_LEVEL_DEBUG, "part_starts", "part=%s", parts[i].name);
        enum why why = parts[i].start ? parts[i].start(b, f) : WHY_OK;

        if (why) {
            if (b->coord)
                coord_drain(b->coord); /* what the hands put back is not claimed again */
            if (why == WHY_INVALID)
                notify_turn_away();
            stop_parts(b, i);
            fault_set(f, why, "the %s did not start", parts[i].name);
            strncat(f->detail, parts[i].hint, sizeof f->detail - strlen(f->detail) - 1);
            return why;
        }
    }
    b->beat_seen = bob_now();
    return WHY_OK;
}

/* ---- while it runs ---- */

bool
bobbind_is_well(struct bobbind *b)
{
    int64_t beat = coord_deadline_beat(b->coord);

    if (beat != b->beat) {
        b->beat = beat;
        b->beat_seen = bob_now();
    }
    int64_t deadline_ms = (bob_now() - b->beat_seen) / NS_PER_MS;
    int64_t http_ms = http_oldest_beat_ms(b->http);

    if (deadline_ms < STALL_MS && http_ms < STALL_MS)
        return true;
    log_line(LOG_LEVEL_ERROR, "stuck", "deadline_thread_ms=%" PRId64 " http_thread_ms=%" PRId64,
             deadline_ms, http_ms);
    return false;
}

const char *
bobbind_not_ready(struct bobbind *b)
{
    return app_not_ready(&b->app);
}

void
bobbind_reload(struct bobbind *b)
{
    (void)files_reload(b->files);
}

void
bobbind_drain(struct bobbind *b)
{
    b->app.draining = true;
    http_drain(b->http);
    coord_drain(b->coord);
}

bool
bobbind_idle(struct bobbind *b)
{
    return coord_working(b->coord) == 0;
}

bool
bobbind_stop(struct bobbind *b)
{
    api_runs_stop();
    work_drain(b->work, BOB_AT_ONCE);
    if (!http_quiet(b->http, bob_in_ms(LAST_MS)))
        log_line(LOG_LEVEL_WARNING, "requests_cut", "after_ms=%d", LAST_MS);
    stop_parts(b, PARTS);
    log_tick();
    return !b->lost;
}
