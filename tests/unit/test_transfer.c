/* test_transfer.c - work/transfer.c, by way of a download, against a server of the test's own on loopback.
 *
 * SPDX-License-Identifier: MIT */
#if defined(HAVE_CURL) && defined(HAVE_NETTLE)

#include "download_world.h"

static void
what_fails_says_why_and_leaves_nothing(void **state)
{
    static const struct {
        const char *path, *code;
        bool retry;
    } T[] = {
        {"/status/404", "http_404", false},
        {"/status/408", "http_408", true},
        {"/status/410", "http_410", false},
        {"/status/425", "http_425", true},
        {"/status/429", "http_429", true},
        {"/status/500", "http_500", true},
        {"/status/501", "http_501", false},
        {"/status/503", "http_503", true},
        {"/status/505", "http_505", false},
        {"/status/304", "http_304", false},
        {"/status/206", "http_206", false}, /* a part, and nobody asked for one */
        {"/cut/1000", "cut_off", true},
        {"/reset", "cut_off", true},
        {"/odd/0", "bad_reply", false},
        {"/odd/1", "bad_reply", false},
        {"/odd/2", "bad_reply", false},
        {"/file/2000000", "too_large", false},
        {"/chunked/2000000", "too_large", false},
        {"/redirect/21/file/5", "too_many_redirects", false},
        {"/to?file:///etc/passwd", "bad_url", false},
        {"/to?gopher://127.0.0.1/", "bad_url", false},
        {"/to?ftp://127.0.0.1/", "bad_url", false},
        {"/to?http://user:secret@127.0.0.1/", "bad_url", false},
    };
    struct shop *s = *state;

    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        if (fetch(s, T[i].path))
            fail_msg("%s: succeeded", T[i].path);
        if (strcmp(s->run.code, T[i].code) != 0 || s->run.retry != T[i].retry)
            fail_msg("%s: %s (%s), retry %d", T[i].path, s->run.code, s->run.message, s->run.retry);
        assert_true(s->run.message[0] != '\0');
        assert_int_equal(count_files(s), 0);
    }
}

static void
every_status_is_tried_again_or_is_final(void **state)
{
    static const long may_pass[] = {408, 421, 425, 429};
    static const long final[] = {501, 505, 506, 508, 510, 511};

    (void)state;
    for (long status = 300; status < 600; status++) {
        bool expected = status >= 500;

        for (size_t i = 0; i < sizeof may_pass / sizeof may_pass[0]; i++)
            expected = expected || may_pass[i] == status;
        for (size_t i = 0; i < sizeof final / sizeof final[0]; i++)
            expected = expected && final[i] != status;
        if (transfer_may_pass(status) != expected)
            fail_msg("%ld: %d", status, !expected);
    }
}

static void
when_to_come_again_is_read_as_seconds_and_as_a_date(void **state)
{
    const int64_t wall_ms = INT64_C(1445412480) * 1000 + 400; /* Wed, 21 Oct 2015 07:28:00 GMT */
    static const struct {
        const char *text;
        int64_t ms;
    } T[] = {
        {"0", 0},
        {"4", 4000},
        {"120", 120000},
        {"Wed, 21 Oct 2015 07:28:30 GMT", 29600},
        {"Wednesday, 21-Oct-15 07:28:30 GMT", 29600},
        {"Wed Oct 21 07:28:30 2015", 29600},
        {"Wed, 21 Oct 2015 07:27:59 GMT", 0},
        {"", 0},
        {"-4", 0},
        {"4 seconds", 0},
        {"soon", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        if (transfer_retry_after_ns(T[i].text, wall_ms) != T[i].ms * NS_PER_MS)
            fail_msg("%s", T[i].text);
    }
    int64_t most = transfer_retry_after_ns("9999999999999999999999", wall_ms);
    assert_true(most > INT64_C(3600) * NS_PER_SECOND);
    assert_int_equal(transfer_retry_after_ns("999999999", wall_ms), 999999999 * NS_PER_SECOND);
    assert_true(transfer_retry_after_ns("Fri, 31 Dec 9999 23:59:59 GMT", wall_ms) <= most);
}

static void
a_server_that_says_when_is_heard_where_it_may_help(void **state)
{
    struct shop *s = *state;

    assert_false(fetch(s, "/after/503/4"));
    assert_true(s->run.retry);
    assert_int_equal(s->run.retry_after_ns, 4 * NS_PER_SECOND);
    assert_false(fetch(s, "/status/503"));
    assert_int_equal(s->run.retry_after_ns, 0);
    assert_false(fetch(s, "/after/429/soon"));
    assert_int_equal(s->run.retry_after_ns, 0);
    assert_false(fetch(s, "/after/404/4"));
    assert_false(s->run.retry);
}

static void
a_port_where_nobody_listens_is_connect_failed(void **state)
{
    struct shop *s = *state;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    int probe = socket(AF_INET, SOCK_STREAM, 0);
    char url[64];

    assert_int_equal(bind(probe, (struct sockaddr *)&at, len), 0);
    assert_int_equal(getsockname(probe, (struct sockaddr *)&at, &len), 0);
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%d/", ntohs(at.sin_port));
    assert_false(fetch_as(s, 17, url, NULL));
    assert_string_equal(s->run.code, "connect_failed");
    assert_true(s->run.retry);
    (void)close(probe);
}

static void
redirects_are_followed_as_many_as_it_was_told(void **state)
{
    struct shop *s = *state;

    assert_true(fetch(s, "/redirect/20/file/77"));
    check_file(s, "files/t17/77", 77);
    assert_non_null(strstr(bytes_text(&s->run.result), "/file/77\""));
    s->more = ",\"max_redirects\":1";
    assert_true(fetch(s, "/redirect/1/file/77"));
    assert_false(fetch(s, "/redirect/2/file/77"));
    assert_string_equal(s->run.code, "too_many_redirects");
    s->more = ",\"max_redirects\":0";
    assert_true(fetch(s, "/file/77"));
    assert_false(fetch(s, "/redirect/1/file/77"));
    assert_string_equal(s->run.code, "too_many_redirects");
}

static void
a_gate_that_sets_a_cookie_opens_and_the_next_transfer_begins_without(void **state)
{
    struct shop *s = *state;

    for (int i = 1; i <= 3; i++) {
        assert_true(fetch(s, "/gate/file/5"));
        check_file(s, "files/t17/5", 5);
        assert_int_equal(s->server.requests, 2 * i);
    }
    assert_true(fetch(s, "/bare/file/5"));
}

static void
a_cookie_is_for_the_host_that_set_it(void **state)
{
    static const struct {
        const char *host, *code;
    } T[] = {{"127.0.0.1", "http_400"}, {"localhost", ""}};
    struct shop *s = *state;
    char path[100];

    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        (void)snprintf(path, sizeof path, "/set?http://%s:%d/bare/file/5", T[i].host,
                       s->server.port);
        (void)fetch(s, path);
        assert_string_equal(s->run.code, T[i].code);
    }
}

static void
a_redirect_may_lead_to_a_longer_url_and_not_to_one_without_end(void **state)
{
    struct shop *s = *state;

    assert_true(fetch(s, "/longer/3000"));
    check_file(s, "files/t17/5", 5);
    assert_true(s->run.result.len > 3000); /* the URL is there as it is */
    assert_false(fetch(s, "/longer/9000"));
    assert_string_equal(s->run.code, "bad_url");
}

static void
a_slow_server_runs_into_the_timeout(void **state)
{
    static const char *const paths[] = {"/slow", "/silent"};
    struct shop *s = *state;

    for (size_t i = 0; i < 2; i++) {
        s->run.until = bob_in_ms(50);
        assert_false(fetch(s, paths[i]));
        assert_string_equal(s->run.code, "timeout");
        assert_int_equal(count_files(s), 0);
    }
    s->run.until = BOB_AT_ONCE + 1; /* over before it began */
    assert_false(fetch(s, "/file/5"));
    assert_string_equal(s->run.code, "timeout");
}

static void *
stop_when_slow(void *arg)
{
    struct shop *s = arg;

    if (bob_event_wait(&s->server.slow_began, bob_in_seconds(30)) == BOB_OK)
        bob_event_set(&s->stop);
    return NULL;
}

static void
a_cancelled_download_ends_midway_and_leaves_nothing(void **state)
{
    struct shop *s = *state;
    struct bob_thread *t;

    assert_int_equal(bob_thread_start(&t, "canceller", stop_when_slow, s, NULL), BOB_OK);
    assert_false(fetch(s, "/slow"));
    assert_string_equal(s->run.code, "stopped");
    assert_int_equal(count_files(s), 0);
    bob_thread_free(t);
}

static void
private_addresses_are_refused_however_they_are_spelled(void **state)
{
    static const char *const hosts[] = {"127.0.0.1", "2130706433",         "0x7f.1",
                                        "127.1",     "0177.0.0.1",         "localhost",
                                        "[::1]",     "[::ffff:127.0.0.1]", "0.0.0.0"};
    struct shop *s = *state;
    char url[100];

    s->config.allow_private_fetch = false;
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        (void)snprintf(url, sizeof url, "http://%s:%d/file/5", hosts[i], s->server.port);
        assert_false(fetch_as(s, 17, url, NULL));
        if (strcmp(s->run.code, "address_refused") != 0)
            fail_msg("%s: %s (%s)", url, s->run.code, s->run.message);
        assert_non_null(strstr(s->run.message, "address"));
        assert_false(s->run.retry);
    }
    assert_int_equal(s->server.connections, 0);
}

static void
a_proxy_in_the_environment_is_not_used(void **state)
{
    struct shop *s = *state;
    char proxy[64];

    (void)snprintf(proxy, sizeof proxy, "http://127.0.0.1:%d", s->server.port);
    assert_int_equal(setenv("http_proxy", proxy, 1), 0);
    s->config.allow_private_fetch = false;
    assert_false(fetch_as(s, 17, "http://169.254.169.254/file/5", NULL));
    assert_int_equal(unsetenv("http_proxy"), 0);
    assert_string_equal(s->run.code, "address_refused");
    assert_int_equal(s->server.connections, 0);
}

/* For a redirect from an address that is allowed to one that is not: here 127.0.0.1 is public and 127.0.0.2 is not. */
static const char *
only_one(const struct sockaddr *address)
{
    struct sockaddr_in in;

    memcpy(&in, address, sizeof in);
    return in.sin_addr.s_addr == htonl(INADDR_LOOPBACK) ? NULL : "a denied address";
}

/* An address that is refused beside one that may be used and does not answer just now. */
static const char *
no_ipv6(const struct sockaddr *address)
{
    return address->sa_family == AF_INET ? NULL : "a denied address";
}

static bool
count(struct transfer *t, const void *data, size_t len)
{
    (void)data;
    (void)len;
    return t->bytes > 0;
}

static const char *
nobody(const struct sockaddr *address)
{
    (void)address;
    return "a denied address";
}

static void
every_address_on_the_way_is_checked(void **state)
{
    struct shop *s = *state;
    char near[80], far[120];
    struct run run = {.stop = &s->stop, .until = BOB_FOREVER};
    struct transfer t = {.from = near,
                         .run = &run,
                         .refuse = only_one,
                         .max_bytes = 100,
                         .max_redirects = 1,
                         .write = count};

    (void)snprintf(near, sizeof near, "http://127.0.0.1:%d/redirect/1/file/5", s->server.port);
    assert_true(transfer_get(&t));
    assert_int_equal(t.bytes, 5);
    (void)snprintf(far, sizeof far, "http://127.0.0.1:%d/to?http://127.0.0.2:%d/file/5",
                   s->server.port, s->server.port);
    t.from = far;
    assert_false(transfer_get(&t));
    assert_string_equal(run.code, "address_refused");
    assert_int_equal(t.bytes, 0);
}

static void
a_host_of_which_one_address_may_be_used_is_not_refused(void **state)
{
    struct shop *s = *state;
    struct run run = {.stop = &s->stop, .until = BOB_FOREVER};
    struct transfer t = {.from = "http://localhost:1/",
                         .run = &run,
                         .refuse = no_ipv6,
                         .max_bytes = 100,
                         .write = count};

    assert_false(transfer_get(&t));
    assert_string_equal(run.code, "connect_failed");
    assert_true(run.retry);
    t.refuse = nobody;
    assert_false(transfer_get(&t));
    assert_string_equal(run.code, "address_refused");
}

static void
a_connection_that_was_kept_is_checked_again(void **state)
{
    struct shop *s = *state;
    char url[80];
    struct run run = {.stop = &s->stop, .until = BOB_FOREVER};
    struct transfer t = {.from = url,
                         .run = &run,
                         .refuse = only_one,
                         .max_bytes = 100,
                         .max_redirects = 1,
                         .write = count};

    (void)snprintf(url, sizeof url, "http://127.0.0.1:%d/file/5", s->server.port);
    assert_true(transfer_get(&t));
    t.refuse = nobody;
    assert_false(transfer_get(&t));
    assert_string_equal(run.code, "address_refused");
    assert_int_equal(s->server.requests, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        FACT(what_fails_says_why_and_leaves_nothing),
        cmocka_unit_test(every_status_is_tried_again_or_is_final),
        cmocka_unit_test(when_to_come_again_is_read_as_seconds_and_as_a_date),
        FACT(a_server_that_says_when_is_heard_where_it_may_help),
        FACT(a_port_where_nobody_listens_is_connect_failed),
        FACT(redirects_are_followed_as_many_as_it_was_told),
        FACT(a_gate_that_sets_a_cookie_opens_and_the_next_transfer_begins_without),
        FACT(a_cookie_is_for_the_host_that_set_it),
        FACT(a_redirect_may_lead_to_a_longer_url_and_not_to_one_without_end),
        FACT(a_slow_server_runs_into_the_timeout),
        FACT(a_cancelled_download_ends_midway_and_leaves_nothing),
        FACT(private_addresses_are_refused_however_they_are_spelled),
        FACT(a_proxy_in_the_environment_is_not_used),
        FACT(every_address_on_the_way_is_checked),
        FACT(a_host_of_which_one_address_may_be_used_is_not_refused),
        FACT(a_connection_that_was_kept_is_checked_again),
    };
    struct fault f = {0};

    if (transfer_start(&f))
        return 1;
    return cmocka_run_group_tests_name("transfer", tests, NULL, NULL);
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
