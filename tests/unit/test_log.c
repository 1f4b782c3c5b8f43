/* test_log.c - base/log.c: one event is one clean line, whole, from any thread.
 *
 * SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <bobbin/thread.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define FACT(name) static void name(void **state __attribute__((unused)))

/* Standard error goes to a file while a test collects. */
static int real_stderr = -1;
static FILE *collected;

static void
collect(void)
{
    collected = tmpfile();
    assert_non_null(collected);
    real_stderr = dup(STDERR_FILENO);
    assert_true(dup2(fileno(collected), STDERR_FILENO) >= 0);
}

/* What was written since collect. */
static char *
collected_text(void)
{
    assert_true(dup2(real_stderr, STDERR_FILENO) >= 0);
    close(real_stderr);
    long len = ftell((fseek(collected, 0, SEEK_END), collected));
    char *text = calloc(1, (size_t)len + 1);

    assert_non_null(text);
    rewind(collected);
    assert_int_equal(fread(text, 1, (size_t)len, collected), (size_t)len);
    fclose(collected);
    return text;
}

FACT(a_line_has_its_time_its_level_and_its_event)
{
    collect();
    log_start(LOG_LEVEL_DEBUG);
    log_line(LOG_LEVEL_INFO, "listening", "url=%s threads=%d", "http://127.0.0.1:7070", 2);
    log_line(LOG_LEVEL_ERROR, "failed", "%s", "");
    char *text = collected_text();
    char *second = strchr(text, '\n') + 1;

    assert_int_equal(strlen("2026-11-22T10:00:30.120Z"), 24);
    assert_int_equal(text[10], 'T');
    assert_int_equal(text[23], 'Z');
    second[-1] = '\0';
    assert_string_equal(text + 24, " info  listening url=http://127.0.0.1:7070 threads=2");
    assert_string_equal(second + 24, " error failed\n");
    free(text);
}

FACT(what_is_below_the_least_level_is_not_logged)
{
    collect();
    log_start(LOG_LEVEL_WARNING);
    assert_false(log_wants(LOG_LEVEL_INFO));
    assert_true(log_wants(LOG_LEVEL_WARNING));
    log_line(LOG_LEVEL_DEBUG, "one", "x=1");
    log_line(LOG_LEVEL_INFO, "two", "x=2");
    log_line(LOG_LEVEL_WARNING, "three", "x=3");
    log_line(LOG_LEVEL_ERROR, "four", "x=4");
    char *text = collected_text();

    assert_null(strstr(text, "one"));
    assert_null(strstr(text, "two"));
    assert_non_null(strstr(text, "three x=3\n"));
    assert_non_null(strstr(text, "four x=4\n"));
    free(text);
}

FACT(the_journal_gets_a_number_and_no_time)
{
    struct stat st;
    char stream[64];

    collect();
    assert_int_equal(fstat(STDERR_FILENO, &st), 0);
    snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)st.st_dev,
             (unsigned long long)st.st_ino);
    assert_int_equal(setenv("JOURNAL_STREAM", stream, 1), 0);
    log_start(LOG_LEVEL_INFO);
    log_line(LOG_LEVEL_INFO, "ready", "n=1");
    log_line(LOG_LEVEL_WARNING, "slow", "n=2");
    log_line(LOG_LEVEL_ERROR, "broken", "n=3");
    log_fatal("%d is odd", 7);
    char *text = collected_text();

    assert_string_equal(text, "<6>ready n=1\n<4>slow n=2\n<3>broken n=3\n<3>bobbind: 7 is odd\n");
    free(text);

    collect();
    assert_int_equal(setenv("JOURNAL_STREAM", "1:1", 1), 0); /* somebody else's */
    log_start(LOG_LEVEL_INFO);
    log_line(LOG_LEVEL_INFO, "ready", "n=1");
    log_fatal("%d is odd", 7);
    text = collected_text();
    assert_non_null(strstr(text, "Z info  ready n=1\nbobbind: 7 is odd\n"));
    free(text);
    unsetenv("JOURNAL_STREAM");
    log_start(LOG_LEVEL_INFO);
}

/* How many lines of @text begin with @start. */
static int
count(const char *text, const char *start)
{
    int n = 0;

    for (; text; text = strchr(text, '\n'), text += text ? 1 : 0)
        n += strncmp(text, start, strlen(start)) == 0;
    return n;
}

FACT(what_clients_cause_leaves_the_journal_room_for_what_matters)
{
    struct stat st;
    char stream[64];

    collect();
    assert_int_equal(fstat(STDERR_FILENO, &st), 0);
    (void)snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)st.st_dev,
                   (unsigned long long)st.st_ino);
    assert_int_equal(setenv("JOURNAL_STREAM", stream, 1), 0);
    log_start(LOG_LEVEL_INFO);
    for (int i = 0; i < 1000; i++)
        log_often(LOG_LEVEL_INFO, "request", "n=%d", i);
    log_often(LOG_LEVEL_ERROR, "request_failed", "n=1");
    log_often(LOG_LEVEL_DEBUG, "unwanted", "n=1");
    log_line(LOG_LEVEL_INFO, "stopping", "n=1");
    log_tick();
    log_often(LOG_LEVEL_INFO, "again", "n=1");
    log_tick();
    char *text = collected_text();
    int logged = count(text, "<6>request ");
    char left_out[64];

    assert_in_range(logged, 100, 500);
    (void)snprintf(left_out, sizeof left_out, "<4>lines_left_out n=%d ", 1000 - logged);
    assert_int_equal(count(text, left_out), 1);
    assert_int_equal(count(text, "<4>"), 1);
    assert_int_equal(count(text, "<3>request_failed "), 1);
    assert_int_equal(count(text, "<6>stopping "), 1);
    assert_int_equal(count(text, "<6>again "), 1);
    free(text);
    unsetenv("JOURNAL_STREAM");

    collect();
    log_start(LOG_LEVEL_INFO);
    for (int i = 0; i < 1000; i++)
        log_often(LOG_LEVEL_INFO, "request", "n=%d", i);
    log_tick();
    text = collected_text();
    assert_int_equal(count(text, "20"), 1000);
    assert_null(strstr(text, "left_out"));
    free(text);
}

FACT(a_stranger_cannot_forge_a_line)
{
    collect();
    log_line(LOG_LEVEL_INFO, "request", "path=%s",
             "/x\n2026 error forged\r\x1b[0m\xff caf\xc3\xa9");
    char *text = collected_text();

    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
    assert_non_null(strstr(text, "path=/x?2026 error forged??[0m? caf\xc3\xa9\n"));
    free(text);
}

FACT(a_line_is_cut_at_a_kibibyte_and_not_inside_a_character)
{
    char *longest = calloc(1, 5000);

    assert_non_null(longest);
    for (size_t at = 0; at + 4 < 5000; at += 3)
        memcpy(longest + at, "\xe2\x82\xac", 3);
    for (int lead = 0; lead < 3; lead++) {
        collect();
        log_line(LOG_LEVEL_INFO, "long", "%.*s%s", lead, "xxx", longest);
        char *text = collected_text();
        size_t len = strlen(text);

        assert_in_range(len, 1020, 1024);
        assert_int_equal(text[len - 1], '\n');
        assert_memory_equal(text + len - 4, "\xe2\x82\xac", 3);
        free(text);
    }
    free(longest);
}

FACT(errno_stays_as_it_was)
{
    collect();
    errno = ENOSPC;
    log_line(LOG_LEVEL_INFO, "disk", "why=%s", "full");
    assert_int_equal(errno, ENOSPC);
    free(collected_text());
}

FACT(a_text_is_quoted_when_it_must_be)
{
    static const struct {
        const char *text, *quoted;
    } T[] = {
        {"plain", "plain"},
        {"http://x/y?z", "http://x/y?z"},
        {"", "\"\""},
        {"two words", "\"two words\""},
        {"a=b", "\"a=b\""},
        {"say \"x\"", "\"say \\\"x\\\"\""},
        {"back\\slash", "\"back\\\\slash\""},
    };
    char out[64];

    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++)
        assert_string_equal(log_quote(out, sizeof out, T[i].text), T[i].quoted);
}

FACT(a_quoted_text_never_leaves_its_room_and_keeps_its_last_quote)
{
    static const char *const T[] = {"plain_and_long_enough", "with spaces and \"quotes\" and \\",
                                    "caf\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9",
                                    "caf\xc3\xa9 \xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"};

    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        for (unsigned cap = 1; cap < 24; cap++) {
            char *out = malloc(cap);

            assert_non_null(out);
            log_quote(out, cap, T[i]);
            size_t len = strlen(out);

            assert_true(len < cap);
            if (len > 0 && out[0] == '"')
                assert_true(len >= 2 && out[len - 1] == '"');
            free(out);
        }
    }
}

enum { WRITERS = 4, LINES = 500 };

static void *
write_lines(void *arg)
{
    for (int i = 0; i < LINES; i++)
        log_line(LOG_LEVEL_INFO, "from", "writer=%s line=%d", (const char *)arg, i);
    return NULL;
}

FACT(lines_of_many_threads_never_mix)
{
    static char names[WRITERS][2] = {"a", "b", "c", "d"};
    struct bob_thread *writer[WRITERS];
    int next[WRITERS] = {0};

    collect();
    for (int i = 0; i < WRITERS; i++)
        assert_int_equal(bob_thread_start(&writer[i], "writer", write_lines, names[i], NULL),
                         BOB_OK);
    for (int i = 0; i < WRITERS; i++) {
        assert_int_equal(bob_thread_join(writer[i], BOB_FOREVER, NULL), BOB_OK);
        bob_thread_free(writer[i]);
    }
    char *text = collected_text();

    for (char *rest = text, *line; (line = strsep(&rest, "\n")) && *line;) {
        char who;
        int n;

        assert_int_equal(sscanf(line + 24, " info  from writer=%c line=%d", &who, &n), 2);
        assert_in_range(who, 'a', 'a' + WRITERS - 1);
        assert_int_equal(n, next[who - 'a']++);
    }
    for (int i = 0; i < WRITERS; i++)
        assert_int_equal(next[i], LINES);
    free(text);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_its_time_its_level_and_its_event),
        cmocka_unit_test(what_is_below_the_least_level_is_not_logged),
        cmocka_unit_test(the_journal_gets_a_number_and_no_time),
        cmocka_unit_test(what_clients_cause_leaves_the_journal_room_for_what_matters),
        cmocka_unit_test(a_stranger_cannot_forge_a_line),
        cmocka_unit_test(a_line_is_cut_at_a_kibibyte_and_not_inside_a_character),
        cmocka_unit_test(errno_stays_as_it_was),
        cmocka_unit_test(a_text_is_quoted_when_it_must_be),
        cmocka_unit_test(a_quoted_text_never_leaves_its_room_and_keeps_its_last_quote),
        cmocka_unit_test(lines_of_many_threads_never_mix),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
