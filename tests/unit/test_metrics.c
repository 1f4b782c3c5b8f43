/* test_metrics.c - base/metrics.c and process.c: the text is what Prometheus reads, and the numbers
 * are those that were counted.
 *
 * SPDX-License-Identifier: MIT */
#include "base/metrics.h"

#include <bobbin/thread.h>
#include <ctype.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/process.h"

#define FACT(name) static void name(void **state __attribute__((unused)))

/* The value on the line that begins with @name and a space. */
static double
shown(const char *name)
{
    AUTO_BYTES b = {0};
    char start[128];

    metrics_text(&b);
    bytes_text(&b);
    snprintf(start, sizeof start, "\n%s ", name);
    const char *at = strstr(b.at, start);

    if (!at)
        fail_msg("%s is not shown", name);
    return at ? strtod(at + strlen(start), NULL) : 0;
}

FACT(counters_count_and_gauges_are_set)
{
    metric_add(M_HTTP_REQUESTS, 1);
    metric_add(M_HTTP_REQUESTS, 41);
    metric_set(M_JOURNAL_FULL, 1);
    metric_add(M_STREAMS, 3);
    metric_add(M_STREAMS, -2);
    assert_int_equal(metric_get(M_HTTP_REQUESTS), 42);
    assert_int_equal(metric_get(M_STREAMS), 1);
    assert_true(shown("bobbin_http_requests_total") == 42);
    assert_true(shown("bobbin_journal_full") == 1);
    assert_true(shown("bobbin_event_streams") == 1);
}

FACT(a_histogram_has_cumulative_buckets_a_sum_and_a_count)
{
    static const struct {
        const char *line;
        double value;
    } T[] = {
        {"bobbin_journal_commit_seconds_bucket{le=\"0.0001\"}",
         2}, /* the bound itself belongs to it */
        {"bobbin_journal_commit_seconds_bucket{le=\"0.00025\"}", 3},
        {"bobbin_journal_commit_seconds_bucket{le=\"0.001\"}", 3},
        {"bobbin_journal_commit_seconds_bucket{le=\"0.0025\"}", 4},
        {"bobbin_journal_commit_seconds_bucket{le=\"10\"}", 4},
        {"bobbin_journal_commit_seconds_bucket{le=\"+Inf\"}", 5},
        {"bobbin_journal_commit_seconds_count", 5},
        {"bobbin_journal_commit_seconds_sum", 60.002200001},
    };

    metric_observe_ns(M_JOURNAL_COMMIT_SECONDS, 0);
    metric_observe_ns(M_JOURNAL_COMMIT_SECONDS, 100000);
    metric_observe_ns(M_JOURNAL_COMMIT_SECONDS, 100001);
    metric_observe_ns(M_JOURNAL_COMMIT_SECONDS, 2000000);
    metric_observe_ns(M_JOURNAL_COMMIT_SECONDS, 60000000000);
    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++)
        assert_true(shown(T[i].line) == T[i].value);
    assert_int_equal(metric_get(M_JOURNAL_COMMIT_SECONDS), 5);
}

static bool
is_name(const char *at, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (!(isalnum((unsigned char)at[i]) || at[i] == '_' || at[i] == ':') ||
            (i == 0 && isdigit((unsigned char)at[i])))
            return false;
    }
    return len > 0;
}

/* Every family is HELP, TYPE, then samples of that name (or its _bucket, _sum, _count); each family
 * comes once. */
FACT(the_text_is_what_prometheus_reads)
{
    AUTO_BYTES b = {0};
    char family[128] = "", type[32] = "", helped[128] = "", families[8192] = "\n";

    metrics_text(&b);
    bytes_text(&b);
    assert_int_equal(b.at[b.len - 1], '\n');
    for (char *rest = b.at, *line; (line = strsep(&rest, "\n")) && rest;) {
        if (sscanf(line, "# HELP %127s", helped) == 1) {
            char once[160];

            assert_true(strlen(line) > strlen("# HELP ") + strlen(helped) + 1);
            snprintf(once, sizeof once, "\n%s\n", helped);
            assert_null(strstr(families, once));
            assert_true(strlen(families) + strlen(once) < sizeof families);
            strcat(families, once + 1);
            continue;
        }
        if (sscanf(line, "# TYPE %127s %31s", family, type) == 2) {
            assert_string_equal(family, helped);
            assert_true(strcmp(type, "counter") == 0 || strcmp(type, "gauge") == 0 ||
                        strcmp(type, "histogram") == 0);
            size_t len = strlen(family);

            if (strcmp(type, "counter") == 0)
                assert_true(len > 6 && strcmp(family + len - 6, "_total") == 0);
            continue;
        }
        size_t name = strcspn(line, "{ ");
        char *end;

        assert_true(is_name(line, name));
        assert_memory_equal(line, family, strlen(family));
        if (strcmp(type, "histogram") != 0)
            assert_int_equal(name, strlen(family));
        const char *value = strrchr(line, ' ');

        assert_non_null(value);
        (void)strtod(value + 1, &end);
        assert_true(end > value + 1 && *end == '\0');
    }
}

enum { ADDERS = 4, ADDS = 20000 };

static void *
add_many(void *arg)
{
    for (int i = 0; i < ADDS; i++) {
        metric_add(M_GRANTS, 1);
        metric_observe_ns(M_JOURNAL_COMMIT_SECONDS, 1000);
    }
    return arg;
}

FACT(nothing_is_lost_when_many_threads_count)
{
    struct bob_thread *adder[ADDERS];
    int64_t grants = metric_get(M_GRANTS), commits = metric_get(M_JOURNAL_COMMIT_SECONDS);

    for (int i = 0; i < ADDERS; i++)
        assert_int_equal(bob_thread_start(&adder[i], "adder", add_many, NULL, NULL), BOB_OK);
    for (int i = 0; i < ADDERS; i++) {
        assert_int_equal(bob_thread_join(adder[i], BOB_FOREVER, NULL), BOB_OK);
        bob_thread_free(adder[i]);
    }
    assert_int_equal(metric_get(M_GRANTS) - grants, ADDERS * ADDS);
    assert_int_equal(metric_get(M_JOURNAL_COMMIT_SECONDS) - commits, ADDERS * ADDS);
}

FACT(the_kernel_knows_this_process)
{
    struct process p;
    int fd = dup(STDOUT_FILENO);
    struct process before;

    assert_true(fd >= 0);
    process_look(&before);
    close(fd);
    process_look(&p);
    assert_int_equal(before.fds - p.fds, 1);
    assert_true(p.resident_bytes > 100000 && p.virtual_bytes > p.resident_bytes);
    assert_true(p.fds_max >= p.fds && p.threads >= 1 && p.started_wall_ms > 1700000000000);
    assert_true(process_processors() >= 1);
}

FACT(the_kernel_knows_its_threads)
{
    struct process_thread list[64];
    size_t n = process_threads(list, 64);
    bool mine = false;

    assert_in_range(n, 1, 64);
    for (size_t i = 0; i < n; i++)
        mine = mine ||
               (list[i].native_id == getpid() && list[i].state == 'R' && strlen(list[i].name) > 0);
    assert_true(mine);
    assert_int_equal(process_threads(list, 0), n);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(counters_count_and_gauges_are_set),
        cmocka_unit_test(a_histogram_has_cumulative_buckets_a_sum_and_a_count),
        cmocka_unit_test(the_text_is_what_prometheus_reads),
        cmocka_unit_test(nothing_is_lost_when_many_threads_count),
        cmocka_unit_test(the_kernel_knows_this_process),
        cmocka_unit_test(the_kernel_knows_its_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
