/* test_sse.c - api/sse.c: what is on the wire for an event.
 *
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api/sse.h"

static void
an_event_has_a_name_its_data_and_an_empty_line(void **state)
{
    struct bytes b = {0};

    (void)state;
    sse_event(&b, "lock", "{\"name\":\"db\"}", 13);
    assert_string_equal(bytes_text(&b), "event: lock\ndata: {\"name\":\"db\"}\n\n");
    bytes_free(&b);
}

static void
every_line_of_the_data_gets_a_field_of_its_own(void **state)
{
    static const struct {
        const char *says, *data, *want;
    } T[] = {
        {"LF", "a\nb", "event: x\ndata: a\ndata: b\n\n"},
        {"CR", "a\rb", "event: x\ndata: a\ndata: b\n\n"},
        {"CRLF is one end", "a\r\nb", "event: x\ndata: a\ndata: b\n\n"},
        {"LFCR are two", "a\n\rb", "event: x\ndata: a\ndata: \ndata: b\n\n"},
        {"an empty line does not end the event", "a\n\nb",
         "event: x\ndata: a\ndata: \ndata: b\n\n"},
        {"nothing at all", "", "event: x\ndata: \n\n"},
        {"CR at the very end is data", "a\r", "event: x\ndata: a\ndata: \n\n"},
        {"LF at the very end is data", "a\n", "event: x\ndata: a\ndata: \n\n"},
        {"what looks like a field stays data", "event: y", "event: x\ndata: event: y\n\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        struct bytes b = {0};

        sse_event(&b, "x", T[i].data, strlen(T[i].data));
        if (strcmp(bytes_text(&b), T[i].want) != 0)
            fail_msg("%s: got %s", T[i].says, bytes_text(&b));
        bytes_free(&b);
    }
}

static void
a_comment_and_a_retry_are_whole_by_themselves(void **state)
{
    struct bytes b = {0};

    (void)state;
    sse_retry(&b, 1000);
    sse_comment(&b);
    assert_string_equal(bytes_text(&b), "retry: 1000\n\n:\n\n");
    bytes_free(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_has_a_name_its_data_and_an_empty_line),
        cmocka_unit_test(every_line_of_the_data_gets_a_field_of_its_own),
        cmocka_unit_test(a_comment_and_a_retry_are_whole_by_themselves),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
