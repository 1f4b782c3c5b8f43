/* test_required.c - <bobbin/...>: what a call keeps, or uses only later, is asked for at once: NULL
 * is an error there.
 *
 * A row is a call without one thing that it needs.  The headers are read too: no function of theirs
 * that is given a function is without a row, or without a word here that it may be NULL.
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/bobbin.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <ctype.h>
#include <string.h>

static struct bob_future *pending, *done, *failed;
static struct bob_executor *executor;
static struct bob_timers *timers;
static struct bob_queue *queue;
static struct bob_lock lock = BOB_LOCK_INIT(NULL);
static struct bob_rlock rlock = BOB_RLOCK_INIT(NULL);
static struct bob_condition condition = BOB_CONDITION_INIT;
static struct bob_once once = BOB_ONCE_INIT, once_done = BOB_ONCE_INIT;
static void *nothing[1];

/* Where NULL comes instead of a pointer, or false: that is the error. */
static enum bob_err
invalid_if(bool is_refused)
{
    return is_refused ? BOB_ERR_INVALID : BOB_OK;
}

static enum bob_err
work(void *arg, void **ret_value)
{
    (void)arg, (void)ret_value;
    return BOB_OK;
}

static enum bob_err
succeed(void *arg)
{
    (void)arg;
    return BOB_OK;
}

static void *
run(void *arg)
{
    return arg;
}

static enum bob_err
callback_of_pending(void)
{
    return bob_future_add_done_callback(pending, NULL, NULL);
}

static enum bob_err
callback_of_done(void)
{
    return bob_future_add_done_callback(done, NULL, NULL);
}

static enum bob_err
wait_for_no_futures(void)
{
    return bob_future_wait(NULL, 1, BOB_FIRST_COMPLETED, BOB_AT_ONCE, NULL);
}

static enum bob_err
wait_for_all_of_no_futures(void)
{
    return bob_future_wait(NULL, 1, BOB_ALL_COMPLETED, BOB_AT_ONCE, NULL);
}

static enum bob_err
as_completed_of_no_futures(void)
{
    return invalid_if(!bob_as_completed_new(NULL, 1));
}

static enum bob_err
next_to_nowhere(void)
{
    struct bob_as_completed *it = bob_as_completed_new(&done, 1);
    enum bob_err err = bob_as_completed_next(it, BOB_FOREVER, NULL);

    bob_as_completed_free(it);
    return err;
}

static enum bob_err
submit_nothing(void)
{
    return bob_executor_submit(executor, NULL, NULL, NULL);
}

static enum bob_err
map_nothing(void)
{
    return bob_executor_map(executor, NULL, nothing, 1, NULL, NULL);
}

static enum bob_err
map_nothing_over_none(void)
{
    return bob_executor_map(executor, NULL, NULL, 0, NULL, NULL);
}

static enum bob_err
map_over_no_array(void)
{
    return bob_executor_map(executor, work, NULL, 1, NULL, NULL);
}

static enum bob_err
start_nothing(void)
{
    struct bob_thread *t;

    return bob_thread_start(&t, "nothing", NULL, NULL, NULL);
}

static enum bob_err
start_without_a_handle(void)
{
    return bob_thread_start(NULL, "lost", run, NULL, NULL);
}

static enum bob_err
timer_of_nothing(void)
{
    return invalid_if(!bob_timer_start(timers, BOB_AT_ONCE, 0, NULL, NULL));
}

static enum bob_err
named_timer_of_nothing(void)
{
    return invalid_if(!bob_timer_start_named(timers, "nothing", BOB_AT_ONCE, 0, NULL, NULL));
}

static enum bob_err
nothing_once(void)
{
    return bob_once_call(&once, NULL, NULL);
}

static enum bob_err
nothing_once_more(void)
{
    assert_int_equal(bob_once_call(&once_done, succeed, NULL), BOB_OK);
    return bob_once_call(&once_done, NULL, NULL);
}

static enum bob_err
wait_for_nothing(void)
{
    bool is_true;

    bob_lock_hold(&lock);
    is_true = bob_condition_wait_for(&condition, &lock, NULL, NULL, BOB_FOREVER);
    (void)bob_lock_release(&lock);
    return invalid_if(!is_true);
}

static enum bob_err
wait_for_nothing_with_an_rlock(void)
{
    bool is_true;

    bob_rlock_hold(&rlock);
    is_true = bob_condition_wait_for_rlock(&condition, &rlock, NULL, NULL, BOB_FOREVER);
    (void)bob_rlock_release(&rlock);
    return invalid_if(!is_true);
}

static enum bob_err
get_to_nowhere(void)
{
    enum bob_err err;

    assert_int_equal(bob_queue_put(queue, nothing, BOB_AT_ONCE), BOB_OK);
    err = bob_queue_get(queue, NULL, BOB_AT_ONCE);
    assert_int_equal(bob_queue_size(queue), 1); /* nothing was taken */
    return err;
}

static const char *const program[] = {"/bin/true", NULL};

static enum bob_err
process_of_nothing(void)
{
    struct bob_process *p;

    return bob_process_new(NULL, &p);
}

static enum bob_err
process_to_nowhere(void)
{
    return bob_process_new(&(struct bob_command){.argv = program}, NULL);
}

static enum bob_err
process_without_its_input(void)
{
    struct bob_process *p;

    return bob_process_new(&(struct bob_command){.argv = program, .input_len = 1}, &p);
}

static const struct row {
    const char *name; /* of the function */
    const char *without;
    enum bob_err (*call)(void);
} rows[] = {
    {"bob_as_completed_new", "futures", as_completed_of_no_futures},
    {"bob_as_completed_next", "a place for the future", next_to_nowhere},
    {"bob_condition_wait_for", "a predicate", wait_for_nothing},
    {"bob_condition_wait_for_rlock", "a predicate", wait_for_nothing_with_an_rlock},
    {"bob_executor_map", "a function", map_nothing},
    {"bob_executor_map", "a function, over no items", map_nothing_over_none},
    {"bob_executor_map", "an array", map_over_no_array},
    {"bob_executor_submit", "a function", submit_nothing},
    {"bob_future_add_done_callback", "a function", callback_of_pending},
    {"bob_future_add_done_callback", "a function, when it is done", callback_of_done},
    {"bob_future_wait", "futures", wait_for_no_futures},
    {"bob_future_wait", "futures, for all", wait_for_all_of_no_futures},
    {"bob_once_call", "a function", nothing_once},
    {"bob_once_call", "a function, when it is done", nothing_once_more},
    {"bob_process_new", "a command", process_of_nothing},
    {"bob_process_new", "a place for the handle", process_to_nowhere},
    {"bob_process_new", "the input whose length it has", process_without_its_input},
    {"bob_queue_get", "a place for the item", get_to_nowhere},
    {"bob_thread_start", "a function", start_nothing},
    {"bob_thread_start", "a place for the handle", start_without_a_handle},
    {"bob_timer_start", "a function", timer_of_nothing},
    {"bob_timer_start_named", "a function", named_timer_of_nothing},
};
enum { ROWS = sizeof rows / sizeof rows[0] };

/* What they are given may be NULL, and their headers say so. */
static const char *const optional[] = {
    "bob_barrier_new",
    "bob_local_new",
    "bob_queue_shut_down_now",
    "bob_set_excepthook",
};

static void
what_is_needed_is_asked_for_at_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].call() != BOB_ERR_INVALID)
            fail_msg("%s without %s is taken", rows[i].name, rows[i].without);
}

static void
what_is_only_told_may_go_nowhere(void **state)
{
    struct bob_thread *t;

    (void)state;
    assert_true(bob_future_failure(failed, NULL));
    assert_false(bob_future_failure(done, NULL));
    assert_int_equal(bob_future_result(done, BOB_AT_ONCE, NULL), BOB_OK);
    assert_int_equal(bob_thread_start(&t, "idle", run, NULL, NULL), BOB_OK);
    assert_int_equal(bob_thread_join(t, BOB_FOREVER, NULL), BOB_OK);
    assert_false(bob_thread_failure(t, NULL));
    bob_thread_free(t);
    assert_true(bob_thread_enumerate(NULL, 8) > 0); /* the executor's, or the timers' */
}

/* ---- the headers ---- */

static bool
is_known(const char *name)
{
    for (size_t i = 0; i < ROWS; i++)
        if (strcmp(rows[i].name, name) == 0)
            return true;
    for (size_t i = 0; i < sizeof optional / sizeof optional[0]; i++)
        if (strcmp(optional[i], name) == 0)
            return true;
    return false;
}

/* What is no declaration becomes blanks: comments, and the preprocessor's lines. */
static void
blank_out(char *text)
{
    bool in_comment = false, in_directive = false;

    for (char *c = text; *c; c++) {
        if (c == text || c[-1] == '\n')
            in_directive = *c == '#' || (in_directive && c - text > 1 && c[-2] == '\\');
        if (strncmp(c, "/*", 2) == 0)
            in_comment = true;
        if (in_comment && c - text > 1 && c[-2] == '*' && c[-1] == '/')
            in_comment = false;
        if (in_comment)
            *c = *c == '*' || *c == '/' ? *c : ' ';
        else if (in_directive && *c != '\n' && *c != '\\')
            *c = ' ';
    }
}

/* The name of the function that @declaration declares; "": none. */
static const char *
name_of(char *declaration)
{
    char *open = strchr(declaration, '('), *name = open;

    while (name && name > declaration && (isalnum((unsigned char)name[-1]) || name[-1] == '_'))
        name--;
    if (!name || strncmp(name, "bob_", 4) != 0)
        return "";
    *open = '\0';
    return name;
}

static unsigned
check_header(const char *path)
{
    static char text[64 * 1024];
    FILE *file = fopen(path, "r");
    unsigned found = 0;
    size_t len;

    assert_non_null(file);
    len = fread(text, 1, sizeof text - 1, file);
    assert_int_equal(fclose(file), 0);
    assert_true(len > 0 && len < sizeof text - 1);
    text[len] = '\0';
    blank_out(text);
    for (char *d = strtok(text, ";"); d; d = strtok(NULL, ";")) {
        bool takes_one = strstr(d, "(*") || strstr(d, "_fn fn");
        const char *name = takes_one ? name_of(d) : "";

        if (*name && !is_known(name))
            fail_msg("%s: %s is given a function, and has no row", path, name);
        found += *name != '\0';
    }
    return found;
}

static void
each_function_that_is_given_one_has_a_row(void **state)
{
    const char *root = getenv("srcdir");
    char pattern[4096];
    unsigned found = 0;
    glob_t headers;

    (void)state;
    (void)snprintf(pattern, sizeof pattern, "%s/lib/bobbin/*.h", root ? root : ".");
    assert_int_equal(glob(pattern, 0, NULL, &headers), 0);
    for (size_t i = 0; i < headers.gl_pathc; i++)
        found += check_header(headers.gl_pathv[i]);
    globfree(&headers);
    assert_int_equal(found, 13); /* it can read them */
}

static int
make_all(void **state)
{
    (void)state;
    pending = bob_future_new();
    done = bob_future_new();
    failed = bob_future_new();
    executor = bob_executor_new("executor", NULL);
    timers = bob_timers_new("timers");
    queue = bob_queue_new(0);
    return !pending || !done || !failed || !executor || !timers || !queue ||
           bob_future_set_result(done, NULL) || bob_future_set_error(failed, BOB_ERR_BROKEN, NULL);
}

static int
free_all(void **state)
{
    (void)state;
    bob_queue_free(queue);
    bob_timers_free(timers);
    bob_executor_free(executor);
    bob_future_unref(failed);
    bob_future_unref(done);
    bob_future_unref(pending);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_needed_is_asked_for_at_once),
        cmocka_unit_test(what_is_only_told_may_go_nowhere),
        cmocka_unit_test(each_function_that_is_given_one_has_a_row),
    };

    return cmocka_run_group_tests_name("required", tests, make_all, free_all);
}
