/* test_download.c - work/download.c: files, names, and what is left of those that fail.
 *
 * SPDX-License-Identifier: MIT */
#if defined(HAVE_CURL) && defined(HAVE_NETTLE)

#include "download_world.h"

static void
a_whole_file_is_there_under_its_name_with_its_hash(void **state)
{
    static const int sizes[] = {0, 1, 1000, 300000};
    struct shop *s = *state;
    char path[64];

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        (void)snprintf(path, sizeof path, "/file/%d?query#x", sizes[i]);
        assert_true(fetch(s, path));
        (void)snprintf(path, sizeof path, "files/t17/%d", sizes[i]);
        check_file(s, path, sizes[i]);
        assert_int_equal(s->done, sizes[i]);
        assert_int_equal(s->total, sizes[i]);
    }
    assert_non_null(strstr(bytes_text(&s->run.result), "\"status\":200"));
    assert_non_null(strstr(bytes_text(&s->run.result), "\"content_type\":\"text/x-test\""));
    assert_int_equal(s->server.connections, 1); /* the thread's handle kept it */
    assert_int_equal(count_files(s), 4);
}

static void
a_file_without_a_length_is_as_good(void **state)
{
    struct shop *s = *state;

    assert_true(fetch(s, "/chunked/50000"));
    check_file(s, "files/t17/50000", 50000);
}

static void
names_are_taken_from_the_url_or_given_and_never_lead_elsewhere(void **state)
{
    static const struct {
        const char *path, *filename, *name;
    } T[] = {
        {"/file/5", NULL, "5"},         {"/file/5", "my-file_1.0~rc.txt", "my-file_1.0~rc.txt"},
        {"/file/5/..", NULL, "file"}, /* curl folds it away: /file/ */
        {"/file/5/%2e%2e", NULL, NULL}, {"/file/5/.hidden", NULL, "_hidden"},
        {"/file/5/-rf", NULL, "_rf"},   {"/file/5/a%2Fb", NULL, "a_2Fb"},
        {"/file/5/", NULL, "download"}, {"/file/5?x=/etc/passwd", NULL, "5"},
    };
    struct shop *s = *state;
    char url[200], path[200];

    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        uint64_t number = 100 + i;
        bool got;

        (void)snprintf(url, sizeof url, "http://127.0.0.1:%d%s", s->server.port, T[i].path);
        got = fetch_as(s, number, url, T[i].filename);
        if (!got || !T[i].name || strcmp(T[i].name, "file") == 0)
            continue; /* what curl makes of dots is its own */
        (void)snprintf(path, sizeof path, "files/t%d/%s", (int)number, T[i].name);
        check_file(s, path, 5);
    }
}

static void
filenames_that_could_lead_elsewhere_are_refused_at_submit(void **state)
{
    static const char *const wrong[] = {
        "", ".", "..", "../x", "a/b", "/etc/passwd", ".hidden", "a b", "a\\\\b", "a\\u0000b"};
    union {
        max_align_t align;
        char bytes[64];
    } args;
    char json[200];

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct fault f = {0};

        (void)snprintf(json, sizeof json, "{\"url\":\"http://a/\",\"filename\":\"%s\"}", wrong[i]);
        assert_null(kind_args(&kind_download, json, strlen(json), &args, &f));
        assert_true(f.detail[0] != '\0');
    }
}

static void
a_second_attempt_replaces_what_the_first_left_and_nobody_elses(void **state)
{
    struct shop *s = *state;
    char url[80];

    (void)snprintf(url, sizeof url, "http://127.0.0.1:%d/file/5", s->server.port);
    assert_true(fetch_as(s, 1, url, "same"));
    assert_true(fetch_as(s, 2, url, "same"));
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%d/file/9", s->server.port);
    assert_true(fetch_as(s, 2, url, "same"));
    check_file(s, "files/t2/same", 9);
    assert_int_equal(count_files(s), 2);
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%d/cut/99", s->server.port);
    assert_false(fetch_as(s, 2, url, "same")); /* one that fails leaves the last whole one */
    assert_int_equal(count_files(s), 2);
}

static void
links_put_in_the_way_are_not_followed(void **state)
{
    struct shop *s = *state;
    char link[100], outside[100], url[80];
    struct stat st;

    (void)snprintf(outside, sizeof outside, "%s/outside", s->data);
    assert_int_equal(mkdir(outside, 0700), 0);
    (void)snprintf(link, sizeof link, "%s/t5", s->folder);
    assert_int_equal(symlink(outside, link), 0);
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%d/file/5", s->server.port);
    assert_false(fetch_as(s, 5, url, NULL));
    assert_string_equal(s->run.code, "io_failed");
    assert_int_equal(count_files_in(outside), 0);
    (void)snprintf(link, sizeof link, "%s/.partial/t6", s->folder);
    (void)snprintf(outside, sizeof outside, "%s/outside/x", s->data);
    assert_int_equal(symlink(outside, link), 0);
    assert_true(fetch_as(s, 6, url, NULL)); /* the link itself went */
    assert_int_not_equal(lstat(outside, &st), 0);
}

static void
a_shortage_of_descriptors_may_pass(void **state)
{
    struct shop *s = *state;
    struct rlimit as_is, none;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &as_is), 0);
    none = as_is;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    bool good = fetch(s, "/file/5");
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &as_is), 0);
    assert_false(good);
    assert_string_equal(s->run.code, "io_failed");
    assert_true(s->run.retry);
    assert_true(fetch(s, "/file/5"));
}

static void
what_a_crash_left_half_written_is_removed_at_start(void **state)
{
    struct shop *s = *state;
    struct fault f = {0};
    char path[100];
    int fd;

    (void)snprintf(path, sizeof path, "%s/.partial/t3", s->folder);
    fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    (void)close(fd);
    assert_int_equal(count_files(s), 1);
    assert_int_equal(downloads_start(s->folder, &f), WHY_OK);
    assert_int_equal(count_files(s), 0);
}

static void
a_folder_that_is_not_there_is_an_error_that_names_it(void **state)
{
    struct fault f = {0};

    (void)state;
    assert_int_equal(downloads_start("/nonexistent/bobbin/files", &f), WHY_INTERNAL);
    assert_non_null(strstr(f.detail, "/nonexistent/bobbin/files"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        FACT(a_whole_file_is_there_under_its_name_with_its_hash),
        FACT(a_file_without_a_length_is_as_good),
        FACT(names_are_taken_from_the_url_or_given_and_never_lead_elsewhere),
        FACT(filenames_that_could_lead_elsewhere_are_refused_at_submit),
        FACT(a_second_attempt_replaces_what_the_first_left_and_nobody_elses),
        FACT(links_put_in_the_way_are_not_followed),
        FACT(a_shortage_of_descriptors_may_pass),
        FACT(what_a_crash_left_half_written_is_removed_at_start),
        FACT(a_folder_that_is_not_there_is_an_error_that_names_it),
    };
    struct fault f = {0};

    if (transfer_start(&f))
        return 1;
    return cmocka_run_group_tests_name("download", tests, NULL, NULL);
}

#else

#include <stdio.h>

int
main(void)
{
    (void)puts("1..0 # SKIP built without libcurl or nettle");
    return 0;
}

#endif
