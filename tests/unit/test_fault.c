/* test_fault.c - base/fault.c and base/utf8.c: one reason, one clean sentence; and what counts as
 * text.
 *
 * SPDX-License-Identifier: MIT */
#include "base/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/utf8.h"

#define FACT(name) static void name(void **state __attribute__((unused)))

FACT(a_fault_has_its_reason_and_its_sentence)
{
    struct fault f = {0};

    assert_int_equal(fault_set(&f, WHY_INVALID, "ttl: %d is under %s", 0, "100ms"), WHY_INVALID);
    assert_int_equal(f.why, WHY_INVALID);
    assert_string_equal(f.detail, "ttl: 0 is under 100ms");
}

FACT(the_first_fault_wins_and_the_later_reason_is_still_returned)
{
    struct fault f = {0};

    fault_set(&f, WHY_INVALID, "first");
    assert_int_equal(fault_set(&f, WHY_NOT_FOUND, "second"), WHY_NOT_FOUND);
    assert_int_equal(f.why, WHY_INVALID);
    assert_string_equal(f.detail, "first");
}

FACT(control_and_malformed_bytes_become_question_marks)
{
    struct fault f = {0};

    fault_set(&f, WHY_INVALID, "%s", "a\r\nb\x1b[31m\x7f caf\xc3\xa9 \xff\xc3");
    assert_string_equal(f.detail, "a??b?[31m? caf\xc3\xa9 ??");
}

FACT(a_long_sentence_is_cut_and_never_inside_a_character)
{
    for (int lead = 0; lead < 4; lead++) {
        struct fault f = {0};
        char text[600] = "";

        memset(text, 'x', (size_t)lead);
        for (size_t at = (size_t)lead; at + 3 < 500; at += 3)
            memcpy(text + at, "\xe2\x82\xac", 4);
        fault_set(&f, WHY_INVALID, "%s", text);
        size_t len = strlen(f.detail);

        assert_true(len > sizeof f.detail - 5);
        assert_true(utf8_valid(f.detail, len));
        assert_memory_equal(f.detail, text, len);
    }
}

FACT(text_is_what_rfc_3629_says)
{
    static const struct {
        const char *says, *text;
        bool valid;
    } T[] = {
        {"nothing", "", true},
        {"ascii, with controls", "a\x01\x7f", true},
        {"two bytes, the least", "\xc2\x80", true},
        {"two bytes, the most", "\xdf\xbf", true},
        {"three bytes, the least", "\xe0\xa0\x80", true},
        {"below the surrogates", "\xed\x9f\xbf", true},
        {"above the surrogates", "\xee\x80\x80", true},
        {"three bytes, the most", "\xef\xbf\xbf", true},
        {"four bytes, the least", "\xf0\x90\x80\x80", true},
        {"the last character there is", "\xf4\x8f\xbf\xbf", true},
        {"a continuation alone", "\x80", false},
        {"a slash in two bytes", "\xc0\xaf", false},
        {"overlong in two, the last", "\xc1\xbf", false},
        {"overlong in three", "\xe0\x9f\xbf", false},
        {"overlong in four", "\xf0\x8f\xbf\xbf", false},
        {"the first surrogate", "\xed\xa0\x80", false},
        {"the last surrogate", "\xed\xbf\xbf", false},
        {"above the last character", "\xf4\x90\x80\x80", false},
        {"a lead byte that means nothing", "\xf5\x80\x80\x80", false},
        {"no byte of UTF-8", "\xff", false},
        {"two bytes, cut off", "\xc3", false},
        {"three bytes, cut off", "\xe2\x82", false},
        {"four bytes, cut off", "\xf0\x9f\x98", false},
        {"a lead byte followed by ascii", "\xc3(", false},
        {"a third byte that is none", "\xe2\x82(", false},
        {"a fourth byte that is none", "\xf0\x9f\x98(", false},
        {"good, then bad", "caf\xc3\xa9\xe9", false},
    };

    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        if (utf8_valid(T[i].text, strlen(T[i].text)) != T[i].valid)
            fail_msg("%s: not %s", T[i].says, T[i].valid ? "valid" : "refused");
    }
}

FACT(a_cut_keeps_whole_characters)
{
    static const char text[] = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80";
    static const size_t want[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10};

    for (size_t len = 0; len < sizeof want / sizeof want[0]; len++)
        assert_int_equal(utf8_cut(text, len), want[len]);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fault_has_its_reason_and_its_sentence),
        cmocka_unit_test(the_first_fault_wins_and_the_later_reason_is_still_returned),
        cmocka_unit_test(control_and_malformed_bytes_become_question_marks),
        cmocka_unit_test(a_long_sentence_is_cut_and_never_inside_a_character),
        cmocka_unit_test(text_is_what_rfc_3629_says),
        cmocka_unit_test(a_cut_keeps_whole_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
