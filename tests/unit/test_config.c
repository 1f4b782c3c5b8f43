/* test_config.c - base/config*.c: every row by default, environment and flag; what is refused, and
 * with which words.
 *
 * SPDX-License-Identifier: MIT */
#include "base/config.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/process.h"

#define FACT(name) static void name(void **state __attribute__((unused)))

/* ---- running config_read: what it did, and what it printed ---- */

enum { ARGS_MAX = 12 };
static struct config c;
static char out[65536], err[4096];

static void
take_output(int fd, FILE *file, int real, char *ret, size_t cap)
{
    fflush(fd == STDOUT_FILENO ? stdout : stderr);
    assert_true(dup2(real, fd) >= 0);
    close(real);
    rewind(file);
    ret[fread(ret, 1, cap - 1, file)] = '\0';
    fclose(file);
}

static enum config_action
read_args(const char *const *args)
{
    char *argv[ARGS_MAX + 2] = {(char *)(uintptr_t) "bobbind"};
    int argc = 1;
    FILE *files[2] = {tmpfile(), tmpfile()};

    for (; args[argc - 1]; argc++)
        argv[argc] = (char *)(uintptr_t)args[argc - 1];
    assert_non_null(files[0]);
    assert_non_null(files[1]);
    fflush(stdout);
    int real[2] = {dup(STDOUT_FILENO), dup(STDERR_FILENO)};

    dup2(fileno(files[0]), STDOUT_FILENO);
    dup2(fileno(files[1]), STDERR_FILENO);
    enum config_action action = config_read(&c, argc, argv);

    take_output(STDOUT_FILENO, files[0], real[0], out, sizeof out);
    take_output(STDERR_FILENO, files[1], real[1], err, sizeof err);
    return action;
}
#define READ(...) read_args((const char *const[]){__VA_ARGS__, NULL})

static int
clean_environment(void **state)
{
    (void)state;
    clearenv();
    return setenv("HOME", "/home/somebody", 1);
}

static const struct config_row *
row_of(const char *flag)
{
    for (size_t i = 0; i < CONFIG_ROWS; i++) {
        if (strcmp(config_rows[i].flag, flag) == 0)
            return &config_rows[i];
    }
    fail_msg("no row %s", flag);
    return NULL;
}

/* The field of @row as text. */
static const char *
field_text(const struct config_row *row)
{
    static char text[256];
    const void *field = (const char *)&c + row->offset;
    const struct texts *texts = field;

    switch (row->type) {
    case CONFIG_TEXT:
        return *(const char *const *)field;
    case CONFIG_TEXTS:
        text[0] = '\0';
        for (int i = 0; i < texts->len; i++)
            snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i ? "," : "",
                     texts->at[i]);
        return text;
    case CONFIG_BOOL:
        return *(const bool *)field ? "yes" : "no";
    case CONFIG_CHOICE:
        return config_choices(row)[*(const int *)field];
    case CONFIG_COUNT:
    case CONFIG_BYTES:
    case CONFIG_DURATION:
        break;
    }
    snprintf(text, sizeof text, "%lld",
             (long long)*(const int64_t *)field /
                 (row->type == CONFIG_DURATION ? NS_PER_SECOND : 1));
    return text;
}

/* A value of @row that is allowed and not its default, as a user writes it and as field_text shows
 * it. */
struct sample {
    const char *written, *shown;
};
static struct sample
sample_of(const struct config_row *row)
{
    static char written[64], shown[64];

    switch (row->type) {
    case CONFIG_TEXT:
        return (struct sample){"/somewhere/else", "/somewhere/else"};
    case CONFIG_TEXTS:
        return (struct sample){"[::1]:7171", "[::1]:7171"};
    case CONFIG_BOOL:
        return (struct sample){"yes", "yes"};
    case CONFIG_CHOICE:
        return config_choices(row) == config_choices(row_of("durability"))
                   ? (struct sample){"relaxed", "relaxed"}
                   : (struct sample){"debug", "debug"};
    case CONFIG_BYTES:
        snprintf(written, sizeof written, "%lldK", (long long)(row->most / 1024));
        snprintf(shown, sizeof shown, "%lld", (long long)row->most);
        return (struct sample){written, shown};
    case CONFIG_COUNT:
    case CONFIG_DURATION:
        break;
    }
    snprintf(written, sizeof written, "%lld%s", (long long)row->most,
             row->type == CONFIG_DURATION ? "s" : "");
    snprintf(shown, sizeof shown, "%lld", (long long)row->most);
    return (struct sample){written, shown};
}

/* ---- facts ---- */

FACT(the_defaults_are_those_of_the_table_and_are_allowed)
{
    assert_int_equal(read_args((const char *const[]){NULL}), CONFIG_RUN);
    assert_string_equal(err, "");
    assert_string_equal(out, "");
    assert_int_equal(c.listen.len, 1);
    assert_string_equal(c.listen.at[0], "127.0.0.1:7070");
    assert_string_equal(c.data, "/home/somebody/.local/state/bobbin");
    assert_int_equal(c.task_threads, 64);
    assert_int_equal(c.durability, DURABILITY_FULL);
    assert_int_equal(c.reserve, 16 << 20);
    assert_int_equal(c.log_level, LOG_LEVEL_INFO);
    assert_false(c.access_log || c.insecure || c.allow_private_fetch);
    assert_int_equal(c.allow_host.len, 0);
    assert_int_equal(c.max_connections, 16384);
    assert_int_equal(c.max_body, 1 << 20);
    assert_int_equal(c.max_download, INT64_C(10) << 30);
    assert_int_equal(c.result_ttl, 24 * 3600 * NS_PER_SECOND);
    for (size_t i = 0; i < CONFIG_ROWS; i++)
        assert_int_equal(config_from(&config_rows[i]), CONFIG_FROM_DEFAULT);
}

FACT(what_the_defaults_leave_open_is_settled)
{
    READ("--http-threads=0", "--request-threads=0");
    assert_int_equal(c.http_threads, process_processors() < 2 ? 2 : process_processors());
    assert_int_equal(c.request_threads, 4 * process_processors());
    READ("--http-threads=1", "--request-threads=1");
    assert_int_equal(c.http_threads, 2); /* libmicrohttpd's pool cannot be one */
    assert_int_equal(c.request_threads, 1);
    assert_true(strlen(c.www) >= 3 && strcmp(c.www + strlen(c.www) - 3, "www") == 0);
}

FACT(every_row_can_be_set_by_flag_in_both_spellings)
{
    for (size_t i = 0; i < CONFIG_ROWS; i++) {
        const struct config_row *row = &config_rows[i];
        struct sample s = sample_of(row);
        char joined[128], flag[64];

        snprintf(flag, sizeof flag, "--%s", row->flag);
        snprintf(joined, sizeof joined, "%s=%s", flag, s.written);
        assert_int_equal(READ(joined), CONFIG_RUN);
        assert_string_equal(field_text(row), s.shown);
        assert_int_equal(config_from(row), CONFIG_FROM_FLAG);
        if (row->type == CONFIG_BOOL)
            assert_int_equal(READ(flag), CONFIG_RUN);
        else
            assert_int_equal(READ(flag, s.written), CONFIG_RUN);
        assert_string_equal(field_text(row), s.shown);
    }
}

FACT(every_row_can_be_set_by_environment_and_a_flag_wins)
{
    for (size_t i = 0; i < CONFIG_ROWS; i++) {
        const struct config_row *row = &config_rows[i];
        struct sample s = sample_of(row);
        char env[CONFIG_ENV_LEN], joined[128];

        config_env_name(env, row);
        for (const char *at = env; *at; at++)
            assert_true(isupper((unsigned char)*at) || *at == '_');
        setenv(env, s.written, 1);
        assert_int_equal(read_args((const char *const[]){NULL}), CONFIG_RUN);
        assert_string_equal(field_text(row), s.shown);
        assert_int_equal(config_from(row), CONFIG_FROM_ENVIRONMENT);
        if (*row->fallback && row->type != CONFIG_TEXTS && strcmp(row->fallback, "0") != 0) {
            snprintf(joined, sizeof joined, "--%s=%s", row->flag, row->fallback);
            assert_int_equal(READ(joined), CONFIG_RUN);
            assert_string_not_equal(field_text(row), s.shown);
        }
        setenv(env, "", 1); /* an empty one counts for nothing */
        assert_int_equal(read_args((const char *const[]){NULL}), CONFIG_RUN);
        assert_int_equal(config_from(row), CONFIG_FROM_DEFAULT);
        unsetenv(env);
    }
}

FACT(texts_may_be_repeated_and_replace_what_came_before)
{
    const struct config_row *listen = row_of("listen");

    READ("--listen=a:1", "--listen", "b:2", "--listen=c:3");
    assert_string_equal(field_text(listen), "a:1,b:2,c:3");
    setenv("BOBBIN_LISTEN", "x:1, y:2,", 1);
    read_args((const char *const[]){NULL});
    assert_string_equal(field_text(listen), "x:1,y:2");
    READ("--listen=z:9");
    assert_string_equal(field_text(listen), "z:9");
    READ("--allow-host=one", "--allow-host=two");
    assert_string_equal(field_text(row_of("allow-host")), "one,two");
    assert_string_equal(field_text(listen), "x:1,y:2");
}

FACT(of_other_flags_the_last_one_wins)
{
    READ("--max-waiters=5", "--max-waiters=6", "--access-log", "--access-log=no");
    assert_int_equal(c.max_waiters, 6);
    assert_false(c.access_log);
}

FACT(the_data_folder_is_where_the_system_says)
{
    setenv("XDG_STATE_HOME", "/xdg", 1);
    read_args((const char *const[]){NULL});
    assert_string_equal(c.data, "/xdg/bobbin");
    setenv("STATE_DIRECTORY", "/var/lib/bobbin:/var/lib/other", 1);
    read_args((const char *const[]){NULL});
    assert_string_equal(c.data, "/var/lib/bobbin");
    READ("--data=mine");
    assert_string_equal(c.data, "mine");
    unsetenv("STATE_DIRECTORY");
    setenv("XDG_STATE_HOME", "relative", 1); /* the rule is to ignore such a one */
    read_args((const char *const[]){NULL});
    assert_string_equal(c.data, "/home/somebody/.local/state/bobbin");
    unsetenv("HOME");
    assert_int_equal(read_args((const char *const[]){NULL}), CONFIG_EXIT_USAGE);
    assert_non_null(strstr(err, "--data: needed"));
}

FACT(what_is_wrong_is_named_with_what_is_allowed)
{
    static const struct {
        const char *args[3], *says;
    } T[] = {
        {{"--max-waiters=0"},
         "bobbind: --max-waiters: \"0\" is not a whole number from 1 to 10000000\n"},
        {{"--max-waiters=10000001"},
         "bobbind: --max-waiters: \"10000001\" is not a whole number from 1 to 10000000\n"},
        {{"--max-waiters=-1"},
         "bobbind: --max-waiters: \"-1\" is not a whole number from 1 to 10000000\n"},
        {{"--max-waiters=5K"},
         "bobbind: --max-waiters: \"5K\" is not a whole number from 1 to 10000000\n"},
        {{"--max-waiters="},
         "bobbind: --max-waiters: \"\" is not a whole number from 1 to 10000000\n"},
        {{"--max-waiters", "many"},
         "bobbind: --max-waiters: \"many\" is not a whole number from 1 to 10000000\n"},
        {{"--max-body=1"},
         "bobbind: --max-body: \"1\" is not a size from 1K to 256M, such as 64K, 16M or 10G\n"},
        {{"--max-body=1X"},
         "bobbind: --max-body: \"1X\" is not a size from 1K to 256M, such as 64K, 16M or 10G\n"},
        {{"--idle-timeout=0"},
         "bobbind: --idle-timeout: \"0\" is not a time from 1s to 1d, such as 250ms, 30s or 5m\n"},
        {{"--idle-timeout=2w"},
         "bobbind: --idle-timeout: \"2w\" is not a time from 1s to 1d, such as 250ms, 30s or 5m\n"},
        {{"--durability=maybe"}, "bobbind: --durability: \"maybe\" is not full or relaxed\n"},
        {{"--log-level", "loud"},
         "bobbind: --log-level: \"loud\" is not debug, info, warning or error\n"},
        {{"--insecure=perhaps"}, "bobbind: --insecure: \"perhaps\" is not yes or no\n"},
        {{"--listen="}, "bobbind: --listen: \"\" is not a text\n"},
        {{"--listen"}, "bobbind: --listen: needs a value (see bobbind --help)\n"},
        {{"--lisen=x"},
         "bobbind: --lisen=x: no such option; is --listen meant? (see bobbind --help)\n"},
        {{"--max_body=1K"},
         "bobbind: --max_body=1K: no such option; is --max-body meant? (see bobbind --help)\n"},
        {{"--Insecure"},
         "bobbind: --Insecure: no such option; is --insecure meant? (see bobbind --help)\n"},
        {{"--"}, "bobbind: --: no such option (see bobbind --help)\n"},
        {{"-x"}, "bobbind: -x: no such option (see bobbind --help)\n"},
        {{"--max"}, "bobbind: --max: no such option (see bobbind --help)\n"},
        {{"--insecure", "yes"},
         "bobbind: yes: takes no arguments, only options (see bobbind --help)\n"},
        {{"--help=html"}, "bobbind: --help=html: no such option (see bobbind --help)\n"},
        {{"--max-waiters=1\n2"},
         "bobbind: --max-waiters: \"1?2\" is not a whole number from 1 to 10000000\n"},
    };

    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        assert_int_equal(read_args(T[i].args), CONFIG_EXIT_USAGE);
        assert_string_equal(err, T[i].says);
        assert_string_equal(out, "");
    }
}

FACT(a_wrong_variable_is_named)
{
    setenv("BOBBIN_MAX_WAITERS", "lots", 1);
    assert_int_equal(READ("--max-waiters=5"), CONFIG_EXIT_USAGE);
    assert_string_equal(
        err, "bobbind: BOBBIN_MAX_WAITERS: \"lots\" is not a whole number from 1 to 10000000\n");
}

FACT(a_misspelt_variable_is_near_to_one_that_is)
{
    static const struct {
        const char *name, *flag; /* NULL: none */
    } T[] = {
        {"BOBBIN_MAX_BODY", "max-body"},
        {"BOBBIN_MAX_BODDY", "max-body"},
        {"BOBBIN_MAXBODY", "max-body"},
        {"BOBBIN_MAX_BODIES", NULL},
        {"BOBBIN_max_body", NULL},
        {"BOBBIN_URL", NULL},
        {"BOBBIN_IDLE_TIMEOUTS", "idle-timeout"},
        {"BOBBIN_", NULL},
        {"BOBBIN_MAX_WAITERS_PER_OBJECTS_OF_A_NAME_THAT_IS_VERY_LONG", NULL},
    };

    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        const struct config_row *row = config_nearest(T[i].name);

        if (!T[i].flag != !row || (row && strcmp(row->flag, T[i].flag) != 0))
            fail_msg("%s: %s", T[i].name, row ? row->flag : "none");
    }
}

FACT(help_names_every_flag_with_its_default)
{
    assert_int_equal(READ("--help"), CONFIG_EXIT_OK);
    for (size_t i = 0; i < CONFIG_ROWS; i++) {
        char flag[64];

        snprintf(flag, sizeof flag, "  --%s", config_rows[i].flag);
        const char *at = strstr(out, flag);

        assert_non_null(at);
        assert_non_null(strchr("= \n", at[strlen(flag)]));
        if (*config_rows[i].fallback) {
            snprintf(flag, sizeof flag, "[%s]", config_rows[i].fallback);
            assert_non_null(strstr(at, flag));
        }
    }
    for (char *rest = out, *line; (line = strsep(&rest, "\n"));)
        assert_in_range(strlen(line), 0, 96);
}

FACT(the_markdown_table_has_a_row_for_every_flag)
{
    size_t lines = 0;

    assert_int_equal(READ("--help=markdown"), CONFIG_EXIT_OK);
    for (char *rest = out, *line; (line = strsep(&rest, "\n")) && rest; lines++) {
        int bars = 0;

        for (const char *at = line; *at; at++)
            bars += *at == '|';
        assert_int_equal(bars, 5);
    }
    assert_int_equal(lines, CONFIG_ROWS + 2);
}

FACT(the_manual_page_has_its_sections_and_every_option)
{
    static const char *const sections[] = {"NAME",        "SYNOPSIS", "DESCRIPTION", "OPTIONS",
                                           "ENVIRONMENT", "FILES",    "SIGNALS",     "EXIT STATUS",
                                           "EXAMPLES",    "SEE ALSO"};
    const char *at = out;

    assert_int_equal(READ("--help=man"), CONFIG_EXIT_OK);
    assert_memory_equal(out, ".TH BOBBIND 8", 13);
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++) {
        char head[64];

        snprintf(head, sizeof head, "\n.SH %s\n", sections[i]);
        at = strstr(at, head);
        assert_non_null(at);
    }
    for (size_t i = 0; i < CONFIG_ROWS; i++) {
        char env[CONFIG_ENV_LEN];

        config_env_name(env, &config_rows[i]);
        assert_non_null(strstr(out, env));
    }
}

FACT(version_says_the_version)
{
    assert_int_equal(READ("--version"), CONFIG_EXIT_OK);
    assert_string_equal(out, "bobbind " PACKAGE_VERSION "\n");
}

FACT(the_settings_are_shown_as_json)
{
    AUTO_BYTES b = {0};

    READ("--listen=a:1", "--listen=b:2", "--idle-timeout=90s", "--durability=relaxed",
         "--insecure");
    config_json(&b, NULL, &c);
    bytes_text(&b);
    assert_non_null(
        strstr(b.at, "{\"name\":\"listen\",\"value\":[\"a:1\",\"b:2\"],\"from\":\"flag\","));
    assert_non_null(strstr(b.at, "\"name\":\"idle_timeout\",\"value\":90.000,"));
    assert_non_null(strstr(b.at, "\"name\":\"durability\",\"value\":\"relaxed\","));
    assert_non_null(strstr(b.at, "\"name\":\"insecure\",\"value\":true,"));
    assert_non_null(strstr(
        b.at,
        "\"name\":\"max_body\",\"value\":1048576,\"from\":\"default\",\"flag\":\"--max-body\","
        "\"environment\":\"BOBBIN_MAX_BODY\","));
}

int
main(void)
{
#define FRESH(fact) cmocka_unit_test_setup(fact, clean_environment)
    static const struct CMUnitTest tests[] = {
        FRESH(the_defaults_are_those_of_the_table_and_are_allowed),
        FRESH(what_the_defaults_leave_open_is_settled),
        FRESH(every_row_can_be_set_by_flag_in_both_spellings),
        FRESH(every_row_can_be_set_by_environment_and_a_flag_wins),
        FRESH(texts_may_be_repeated_and_replace_what_came_before),
        FRESH(of_other_flags_the_last_one_wins),
        FRESH(the_data_folder_is_where_the_system_says),
        FRESH(what_is_wrong_is_named_with_what_is_allowed),
        FRESH(a_wrong_variable_is_named),
        FRESH(a_misspelt_variable_is_near_to_one_that_is),
        FRESH(help_names_every_flag_with_its_default),
        FRESH(the_markdown_table_has_a_row_for_every_flag),
        FRESH(the_manual_page_has_its_sections_and_every_option),
        FRESH(version_says_the_version),
        FRESH(the_settings_are_shown_as_json),
    };

    /* The tests clear the environment, and with it what the build asks of cmocka. */
    if (getenv("CMOCKA_MESSAGE_OUTPUT") && strcmp(getenv("CMOCKA_MESSAGE_OUTPUT"), "TAP") == 0)
        cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
