/* test_hash.c - base/hash.c: SHA-256 against the standard's examples, SipHash-1-3 against vectors
 * of another implementation.
 *
 * SPDX-License-Identifier: MIT */
#include "base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define FACT(name) static void name(void **state __attribute__((unused)))

#ifdef HAVE_NETTLE

FACT(sha_256_is_that_of_the_standard)
{
    static const struct {
        const char *text, *hex;
    } T[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };

    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        struct sha256 h;
        char hex[SHA256_HEX_LEN];

        sha256_start(&h);
        sha256_add(&h, T[i].text, strlen(T[i].text));
        sha256_hex(&h, hex);
        assert_string_equal(hex, T[i].hex);
    }
}

FACT(sha_256_of_a_million_bytes_in_pieces)
{
    struct sha256 h;
    char hex[SHA256_HEX_LEN], piece[1000];

    memset(piece, 'a', sizeof piece);
    sha256_start(&h);
    for (size_t n = 0, step = 1; n < 1000000; n += step, step = step % 1000 + 1) {
        if (step > 1000000 - n)
            step = 1000000 - n;
        sha256_add(&h, piece, step);
    }
    sha256_hex(&h, hex);
    assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

#endif

/* The two keys, and hashes of the bytes 0, 1, 2 ... under them as CPython 3.11 gives them
 * (PYTHONHASHSEED 0 and 42). */
static const uint8_t zero_key[16];
static const uint8_t other_key[16] = {175, 144, 205, 104, 211, 79,  80, 220,
                                      193, 233, 153, 254, 159, 187, 32, 185};
static const struct {
    size_t len;
    uint64_t zero, other;
} sips[] = {
    {1, 0x68a914128e01e473, 0xce880c366bcf3489},  {7, 0x2f098ab0c751325a, 0xce280fabc397fbda},
    {8, 0xead411e67ebe2eea, 0x60866c3c108c6afb},  {9, 0x75927f9d95124362, 0x68814005f7469e03},
    {15, 0xf30eb725bb91c9ea, 0x94ace24d68c18cf8}, {16, 0x8972188433a5c5b7, 0x339176f3ac59ce05},
    {17, 0x4883c49a2c009c1d, 0xed2706b414c296f1}, {63, 0x385d3e39e5f37359, 0x06e24d6f0d014c37},
};

FACT(siphash_is_that_of_another_implementation)
{
    uint8_t data[64];

    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)i;
    for (size_t i = 0; i < sizeof sips / sizeof sips[0]; i++) {
        hash_seed(zero_key);
        assert_int_equal(hash_name(data, sips[i].len), sips[i].zero);
        hash_seed(other_key);
        assert_int_equal(hash_name(data, sips[i].len), sips[i].other);
    }
}

FACT(names_have_one_hash_and_different_ones_differ)
{
    uint64_t seen[1000];

    for (size_t i = 0; i < 1000; i++) {
        char name[8];
        size_t len = (size_t)snprintf(name, sizeof name, "n%zu", i);

        seen[i] = hash_name(name, len);
        assert_int_equal(seen[i], hash_name(name, len));
        for (size_t k = 0; k < i; k++)
            assert_int_not_equal(seen[k], seen[i]);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
#ifdef HAVE_NETTLE
        cmocka_unit_test(sha_256_is_that_of_the_standard),
        cmocka_unit_test(sha_256_of_a_million_bytes_in_pieces),
#endif
        cmocka_unit_test(names_have_one_hash_and_different_ones_differ),
        cmocka_unit_test(siphash_is_that_of_another_implementation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
