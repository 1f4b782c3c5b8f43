/* metrics.c - see metrics.h.  Each row has a cache line of its own: the http threads count on all
 * of them at once.
 *
 * SPDX-License-Identifier: MIT */
#include "base/metrics.h"

#include <assert.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/process.h"

enum type { COUNTER, GAUGE, HISTOGRAM };

static const struct row {
    enum type type;
    const char *name, *help;
} rows[] = {
#define X(name, type, prometheus, help) {type, prometheus, help},
    METRICS(X)
#undef X
};

static const struct bound {
    int64_t ns;
    const char *text;
} bounds[] = {
    {100000, "0.0001"},  {250000, "0.00025"}, {500000, "0.0005"},  {1000000, "0.001"},
    {2500000, "0.0025"}, {5000000, "0.005"},  {10000000, "0.01"},  {25000000, "0.025"},
    {50000000, "0.05"},  {100000000, "0.1"},  {250000000, "0.25"}, {500000000, "0.5"},
    {1000000000, "1"},   {2500000000, "2.5"}, {5000000000, "5"},   {10000000000, "10"},
};
enum { BOUNDS = sizeof bounds / sizeof bounds[0], LINE_BYTES = 64 };

/* value: of a counter or gauge; of a histogram the sum in nanoseconds. */
static struct cell {
    _Alignas(LINE_BYTES) _Atomic int64_t value;
    _Atomic int64_t bucket[BOUNDS + 1]; /* not cumulative; the last is above all bounds */
} cells[M_COUNT_];

static int64_t
read_cell(const _Atomic int64_t *cell)
{
    return atomic_load_explicit(cell, memory_order_relaxed);
}

static void
add_cell(_Atomic int64_t *cell, int64_t n)
{
    atomic_fetch_add_explicit(cell, n, memory_order_relaxed);
}

void
metric_add(enum metric m, int64_t n)
{
    assert(rows[m].type == GAUGE || (rows[m].type == COUNTER && n >= 0));
    add_cell(&cells[m].value, n);
}

void
metric_set(enum metric m, int64_t value)
{
    assert(rows[m].type == GAUGE);
    atomic_store_explicit(&cells[m].value, value, memory_order_relaxed);
}

void
metric_observe_ns(enum metric m, int64_t ns)
{
    int i = 0;

    assert(rows[m].type == HISTOGRAM);
    while (i < BOUNDS && ns > bounds[i].ns)
        i++;
    add_cell(&cells[m].bucket[i], 1);
    add_cell(&cells[m].value, ns);
}

int64_t
metric_get(enum metric m)
{
    int64_t n = 0;

    if (rows[m].type != HISTOGRAM)
        return read_cell(&cells[m].value);
    for (int i = 0; i <= BOUNDS; i++)
        n += read_cell(&cells[m].bucket[i]);
    return n;
}

static void
seconds(struct bytes *b, int64_t ns)
{
    bytes_addf(b, "%lld.%09lld", (long long)(ns / NS_PER_SECOND), (long long)(ns % NS_PER_SECOND));
}

/* The count is the sum of the buckets as they were read, so that both agree while others go on
 * counting. */
static void
histogram_text(struct bytes *b, const char *name, const struct cell *cell)
{
    int64_t n = 0;

    for (int i = 0; i <= BOUNDS; i++) {
        n += read_cell(&cell->bucket[i]);
        bytes_addf(b, "%s_bucket{le=\"%s\"} %lld\n", name, i < BOUNDS ? bounds[i].text : "+Inf",
                   (long long)n);
    }
    bytes_addf(b, "%s_sum ", name);
    seconds(b, read_cell(&cell->value));
    bytes_addf(b, "\n%s_count %lld\n", name, (long long)n);
}

static void
head(struct bytes *b, const char *name, const char *type, const char *help)
{
    bytes_addf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void
process_text(struct bytes *b)
{
    struct process p;

    process_look(&p);
    head(b, "process_cpu_seconds_total", "counter", "Processor time, user and system");
    bytes_adds(b, "process_cpu_seconds_total ");
    seconds(b, p.cpu_ns);
    head((bytes_adds(b, "\n"), b), "process_start_time_seconds", "gauge", "When it started");
    bytes_addf(b, "process_start_time_seconds %lld\n", (long long)(p.started_wall_ms / 1000));

    const struct {
        const char *name, *help;
        int64_t value;
    } gauges[] = {
        {"process_resident_memory_bytes", "Memory resident", p.resident_bytes},
        {"process_virtual_memory_bytes", "Memory mapped", p.virtual_bytes},
        {"process_open_fds", "File descriptors open", p.fds},
        {"process_max_fds", "File descriptors allowed", p.fds_max},
        {"process_threads", "Threads", p.threads},
    };
    for (size_t i = 0; i < sizeof gauges / sizeof gauges[0]; i++) {
        head(b, gauges[i].name, "gauge", gauges[i].help);
        bytes_addf(b, "%s %lld\n", gauges[i].name, (long long)gauges[i].value);
    }
}

void
metrics_text(struct bytes *b)
{
    static const char *const type_name[] = {"counter", "gauge", "histogram"};

    for (int m = 0; m < M_COUNT_; m++) {
        const struct row *r = &rows[m];

        head(b, r->name, type_name[r->type], r->help);
        if (r->type == HISTOGRAM)
            histogram_text(b, r->name, &cells[m]);
        else
            bytes_addf(b, "%s %lld\n", r->name, (long long)read_cell(&cells[m].value));
    }
    head(b, "bobbin_build_info", "gauge", "Always 1; the version is its label");
    bytes_addf(b, "bobbin_build_info{version=\"%s\"} 1\n", PACKAGE_VERSION);
    process_text(b);
}
