/* test_stream.c - http/stream.c: a wake that comes at a bad moment is not lost.
 *
 * The file is taken in whole, with the one store of its reader replaced: what others do just before it, or just after it, is
 * done there.  MHD is played here.
 *
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdatomic.h>

static void (*before_store)(void), (*after_store)(void);

static void
call_once(void (**fn)(void))
{
    void (*one)(void) = *fn;

    *fn = NULL;
    if (one)
        one();
}

#undef atomic_store
#define atomic_store(at, value)                                                                    \
    (call_once(&before_store), atomic_store_explicit(at, value, memory_order_seq_cst),             \
     call_once(&after_store))
#include "http/stream.c" /* NOLINT(bugprone-suspicious-include) */
#undef atomic_store
#define atomic_store(at, value) atomic_store_explicit(at, value, memory_order_seq_cst)

#define FACT(name) static void name(void **state __attribute__((unused)))

static int suspended, resumed;

void
MHD_suspend_connection(struct MHD_Connection *connection)
{
    (void)connection;
    suspended++;
}

void
MHD_resume_connection(struct MHD_Connection *connection)
{
    (void)connection;
    resumed++;
}

static ssize_t
nothing_to_say(struct stream *s, void *arg, char *buf, size_t max)
{
    (void)s;
    (void)arg;
    (void)buf;
    (void)max;
    return 0;
}

static struct http http;
static struct stream stream;

static int
fresh(void **state)
{
    (void)state;
    http = (struct http){0};
    stream = (struct stream){.http = &http, .read = nothing_to_say};
    suspended = resumed = 0;
    return 0;
}

static void
client_leaves(void)
{
    atomic_store(&stream.gone, true);
    stream_wake(&stream);
}

static void
server_stops(void)
{
    atomic_store(&http.ending, true);
    stream_wake(&stream);
}

static void
ends(void)
{
    char buf[16];

    assert_int_equal(next_piece(&stream, 0, buf, sizeof buf), MHD_CONTENT_READER_END_OF_STREAM);
    assert_int_equal(suspended, 0);
}

FACT(a_client_that_leaves_before_the_reader_is_awake_ends_it)
{
    before_store = client_leaves;
    ends();
}

FACT(a_client_that_leaves_once_the_reader_is_awake_ends_it)
{
    after_store = client_leaves;
    ends();
}

FACT(a_stop_before_the_reader_is_awake_ends_it)
{
    before_store = server_stops;
    ends();
}

FACT(a_stop_once_the_reader_is_awake_ends_it)
{
    after_store = server_stops;
    ends();
}

FACT(without_news_it_sleeps_until_it_is_woken)
{
    char buf[16];

    assert_int_equal(next_piece(&stream, 0, buf, sizeof buf), 0);
    assert_int_equal(suspended, 1);
    assert_int_equal(resumed, 0);
    stream_wake(&stream);
    stream_wake(&stream);
    assert_int_equal(resumed, 1);
    assert_int_equal(atomic_load(&http.parked), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_client_that_leaves_before_the_reader_is_awake_ends_it, fresh),
        cmocka_unit_test_setup(a_client_that_leaves_once_the_reader_is_awake_ends_it, fresh),
        cmocka_unit_test_setup(a_stop_before_the_reader_is_awake_ends_it, fresh),
        cmocka_unit_test_setup(a_stop_once_the_reader_is_awake_ends_it, fresh),
        cmocka_unit_test_setup(without_news_it_sleeps_until_it_is_woken, fresh),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
