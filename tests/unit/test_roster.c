/* test_roster.c - lib/roster.c and lib/record.c: the list of who does what, and what one thread says of itself.
 *
 * SPDX-License-Identifier: MIT */
#include "unit/other_thread.h"

#include <string.h>

enum { LIST = 32 };

/* The place of the entry called @name, copied to *@ret_info, or -1. */
static int
find(const char *name, struct bob_thread_info *ret_info)
{
    struct bob_thread_info list[LIST];
    size_t n = bob_thread_enumerate(list, LIST);

    for (size_t i = 0; i < n && i < LIST; i++) {
        if (strcmp(list[i].name, name) == 0) {
            *ret_info = list[i];
            return (int)i;
        }
    }
    return -1;
}

static bool
is_listed(const char *name)
{
    struct bob_thread_info info;

    return find(name, &info) >= 0;
}

static struct bob_thread_info
entry(const char *name)
{
    struct bob_thread_info info = {.note = "no such thread"};

    assert_true(find(name, &info) >= 0);
    return info;
}

static void *
ask_for_main(void *arg)
{
    (void)arg;
    return bob_thread_main();
}

static void
the_main_thread_has_a_record_before_it_asks(void **state)
{
    size_t before = bob_thread_active_count();
    struct bob_thread *t;
    void *main;

    (void)state;
    assert_false(is_listed("main"));
    assert_int_equal(bob_thread_start(&t, "asker", ask_for_main, NULL, NULL), BOB_OK);
    assert_int_equal(bob_thread_join(t, bob_in_seconds(20), &main), BOB_OK);
    assert_int_equal(bob_thread_active_count(), before + 1);
    assert_ptr_equal(bob_thread_current(), main);
    assert_ptr_equal(bob_thread_main(), main);
    assert_int_equal(bob_thread_active_count(), before + 1);
    assert_string_equal(bob_thread_name(main), "main");
    assert_int_equal(bob_thread_native_id(main), getpid());
    assert_true(bob_thread_is_main(main) && bob_thread_is_alive(main));
    assert_false(bob_thread_is_daemon(main));
    assert_false(bob_thread_is_main(t));
    bob_thread_free(t);
}

static void
the_list_says_who_does_what(void **state)
{
    static const struct bob_thread_options options = {.role = "worker"};
    struct other a = {.note = "spinning"}, b = {0};
    struct bob_thread_info first = {0}, second = {0};
    size_t before = bob_thread_active_count();

    (void)state;
    other_start(&a, "first", &options);
    other_start(&b, "second", NULL);
    assert_int_equal(bob_thread_active_count(), before + 2);
    assert_int_equal(bob_thread_enumerate(NULL, 0), before + 2);
    assert_true(find("first", &first) >= 0);
    assert_true(find("first", &first) < find("second", &second)); /* oldest first */
    assert_string_equal(first.role, "worker");
    assert_string_equal(first.note, "spinning");
    assert_int_equal(first.native_id, a.native_id);
    assert_string_equal(second.role, "");
    assert_string_equal(second.note, "");
    assert_true(first.note_since <= bob_now() && first.note_since > 0);
    other_end(&a);
    assert_false(is_listed("first"));
    other_end(&b);
    assert_int_equal(bob_thread_active_count(), before);
}

static void
a_short_list_gets_the_oldest_and_the_whole_number(void **state)
{
    struct other o[3] = {0};
    struct bob_thread_info two[2] = {0};
    size_t before = bob_thread_active_count();

    (void)state;
    for (int i = 0; i < 3; i++)
        other_start(&o[i], i == 0 ? "a" : i == 1 ? "b" : "c", NULL);
    memset(two, 0, sizeof two);
    assert_int_equal(bob_thread_enumerate(two, 1), before + 3);
    assert_string_equal(two[1].name, "");
    for (int i = 0; i < 3; i++)
        other_end(&o[i]);
}

static void
the_main_thread_is_listed_once_it_asks(void **state)
{
    char before[16], after[16];

    (void)state;
    (void)pthread_getname_np(pthread_self(), before, sizeof before);
    bob_thread_adopt("main", "boss");
    assert_string_equal(entry("main").role, "boss");
    assert_int_equal(entry("main").native_id, getpid());
    assert_ptr_equal(bob_thread_current(), bob_thread_current());
    assert_string_equal(bob_thread_name(bob_thread_current()), "main");
    (void)pthread_getname_np(pthread_self(), after, sizeof after);
    assert_string_equal(before, after); /* the process keeps its name */
    bob_thread_adopt("main", NULL);
    assert_string_equal(entry("main").role, "");
}

static void
a_note_is_shown_until_the_next(void **state)
{
    char long_note[201];
    bob_time since;

    (void)state;
    bob_thread_adopt("main", "boss");
    bob_thread_note("task %d of %s", 7, "ten");
    assert_string_equal(entry("main").note, "task 7 of ten");
    memset(long_note, 'x', 200);
    memcpy(long_note + 94, "\xc3\xa9", 2);
    long_note[200] = '\0';
    bob_thread_note("%s", long_note);
    assert_int_equal(strlen(entry("main").note), 94); /* not half a character */
    bob_thread_note(NULL);
    assert_string_equal(entry("main").note, "");
    since = entry("main").note_since;
    bob_thread_note(NULL); /* idle as before: since then */
    assert_true(entry("main").note_since == since);
}

static void *
not_ours(void *arg)
{
    struct bob_thread_info me = {0};
    bool *good = arg;

    (void)pthread_setname_np(pthread_self(), "foreign");
    bob_thread_note("reading");
    good[0] = find("foreign", &me) >= 0 && me.native_id == gettid() &&
              strcmp(me.note, "reading") == 0 && !*me.role;
    bob_thread_adopt("adopted", "mhd");
    good[1] = find("adopted", &me) >= 0 && strcmp(me.role, "mhd") == 0 && !is_listed("foreign");
    good[2] = bob_thread_join(bob_thread_current(), BOB_FOREVER, NULL) == BOB_ERR_INVALID;
    bob_thread_free(bob_thread_current()); /* not ours to free: nothing happens */
    good[3] = is_listed("adopted");
    good[4] =
        bob_thread_is_daemon(bob_thread_current()) && !bob_thread_is_main(bob_thread_current());
    good[5] = bob_thread_own_id() == gettid();
    return NULL;
}

static void
a_foreign_thread_is_adopted_and_leaves_at_its_end(void **state)
{
    bool good[6] = {false};
    pthread_t thread;
    size_t before = bob_thread_active_count();

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, not_ours, good), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    for (int i = 0; i < 6; i++)
        assert_true(good[i]);
    assert_false(is_listed("adopted"));
    assert_int_equal(bob_thread_active_count(), before);
}

static void
a_thread_may_be_renamed_by_any(void **state)
{
    struct other o = {0};
    struct bob_thread_info info;
    char kernel[2][16];
    pthread_t thread = pthread_self();

    (void)state;
    other_start(&o, "caterpillar", NULL);
    bob_thread_rename(o.thread, "01234567890123456789012345678\xc3\xa9\xc3\xa9");
    bob_thread_describe(o.thread, &info);
    assert_string_equal(info.name, "01234567890123456789012345678\xc3\xa9");
    assert_string_equal(bob_thread_name(o.thread), info.name);
    assert_true(is_listed(info.name));
    assert_false(is_listed("caterpillar"));
    bob_thread_rename(o.thread, NULL);
    assert_string_equal(bob_thread_name(o.thread), "");
    bob_event_set(&o.let_go);
    assert_int_equal(bob_thread_join(o.thread, bob_in_seconds(20), NULL), BOB_OK);
    bob_thread_rename(o.thread, "butterfly"); /* only its record is left */
    assert_string_equal(bob_thread_name(o.thread), "butterfly");
    other_end(&o);

    (void)pthread_getname_np(thread, kernel[0], sizeof kernel[0]);
    bob_thread_rename(bob_thread_main(), "boss");
    (void)pthread_getname_np(thread, kernel[1], sizeof kernel[1]);
    assert_string_equal(bob_thread_name(bob_thread_current()), "boss");
    assert_string_equal(kernel[0], kernel[1]);
}

static void *
rename_myself(void *kernel_name)
{
    bob_thread_rename(bob_thread_current(), "a name longer than 15");
    (void)pthread_getname_np(pthread_self(), kernel_name, 16);
    return NULL;
}

static void
the_kernel_hears_of_a_new_name(void **state)
{
    char kernel_name[16];
    struct bob_thread *t;

    (void)state;
    assert_int_equal(bob_thread_start(&t, "old", rename_myself, kernel_name, NULL), BOB_OK);
    bob_thread_free(t);
    assert_string_equal(kernel_name, "a name longer t");
}

static void
a_record_says_all_that_is_known(void **state)
{
    static const struct bob_thread_options options = {.role = "worker", .daemon = true};
    struct other o = {.note = "spinning"};
    struct bob_thread_info info;

    (void)state;
    other_start(&o, "one", &options);
    bob_thread_describe(o.thread, &info);
    assert_string_equal(info.name, "one");
    assert_string_equal(info.role, "worker");
    assert_string_equal(info.note, "spinning");
    assert_int_equal(info.native_id, o.native_id);
    assert_true(info.is_alive && info.is_daemon && !info.is_main);
    bob_event_set(&o.let_go);
    assert_int_equal(bob_thread_join(o.thread, bob_in_seconds(20), NULL), BOB_OK);
    bob_thread_describe(o.thread, &info);
    assert_false(info.is_alive);
    bob_thread_describe(bob_thread_main(), &info);
    assert_true(info.is_alive && info.is_main && !info.is_daemon);
    other_end(&o);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_main_thread_has_a_record_before_it_asks),
        cmocka_unit_test(the_list_says_who_does_what),
        cmocka_unit_test(a_short_list_gets_the_oldest_and_the_whole_number),
        cmocka_unit_test(the_main_thread_is_listed_once_it_asks),
        cmocka_unit_test(a_note_is_shown_until_the_next),
        cmocka_unit_test(a_foreign_thread_is_adopted_and_leaves_at_its_end),
        cmocka_unit_test(a_thread_may_be_renamed_by_any),
        cmocka_unit_test(the_kernel_hears_of_a_new_name),
        cmocka_unit_test(a_record_says_all_that_is_known),
    };

    return cmocka_run_group_tests_name("roster", tests, NULL, NULL);
}
