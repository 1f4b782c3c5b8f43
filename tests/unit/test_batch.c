/* test_batch.c - store/batch.c: what goes in comes out, in order, with consecutive sequences.
 *
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/batch.h"

static void
changes_come_out_as_they_went_in(void **state)
{
    static const struct change in[] = {
        {.kind = "lock", .kind_len = 4, .name = "a", .name_len = 1, .record = "xyz", .len = 3},
        {.kind = "lock", .kind_len = 4, .name = "a", .name_len = 1, .record = NULL, .len = 0},
        {.kind = "", .kind_len = 0, .name = "", .name_len = 0, .record = "", .len = 0},
        {.kind = "counter",
         .kind_len = 7,
         .name = "a.long:name~",
         .name_len = 12,
         .record = "\0\0",
         .len = 2},
    };
    enum { N = sizeof in / sizeof in[0] };
    struct batch b = {.first = 41};
    struct change out = {0};
    size_t at = 0, i = 0;

    (void)state;
    assert_true(batch_room(&b, 200));
    for (; i < N; i++)
        batch_add(&b, &in[i]);
    assert_int_equal(b.n, N);
    for (i = 0; batch_next(&b, &at, &out); i++) {
        assert_int_equal(out.seq, 41 + i);
        assert_int_equal(out.kind_len, in[i].kind_len);
        assert_memory_equal(out.kind, in[i].kind, in[i].kind_len);
        assert_int_equal(out.name_len, in[i].name_len);
        assert_memory_equal(out.name, in[i].name, in[i].name_len);
        assert_int_equal(out.record != NULL, in[i].record != NULL);
        assert_int_equal(out.len, in[i].len);
        assert_memory_equal(out.record ? out.record : "", in[i].record ? in[i].record : "",
                            in[i].len);
    }
    assert_int_equal(i, N);
    batch_free(&b);
}

static void
an_empty_batch_has_no_changes(void **state)
{
    struct batch b = {0};
    struct change out;
    size_t at = 0;

    (void)state;
    assert_false(batch_next(&b, &at, &out));
    assert_true(batch_room(&b, 1));
    assert_false(batch_next(&b, &at, &out));
    batch_free(&b);
}

static void
room_that_cannot_be_had_changes_nothing(void **state)
{
    struct batch b = {0};

    (void)state;
    assert_true(batch_room(&b, 10));
    size_t cap = b.cap;
    assert_false(batch_room(&b, SIZE_MAX / 2));
    assert_int_equal(b.cap, cap);
    batch_free(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_come_out_as_they_went_in),
        cmocka_unit_test(an_empty_batch_has_no_changes),
        cmocka_unit_test(room_that_cannot_be_had_changes_nothing),
    };

    return cmocka_run_group_tests_name("batch", tests, NULL, NULL);
}
