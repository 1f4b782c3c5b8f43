/* test_address.c - work/address.c: what may be fetched from.
 *
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/un.h>

#include "work/address.h"

static const char *
refusal(const char *text)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};

    if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
        return address_refusal((const struct sockaddr *)&in);
    assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
    return address_refusal((const struct sockaddr *)&in6);
}

static void
special_addresses_are_refused_with_a_word_and_public_ones_are_not(void **state)
{
    static const struct {
        const char *address, *what; /* NULL: public */
    } T[] = {
        {"0.0.0.0", "unspecified"},
        {"0.255.255.255", "unspecified"},
        {"1.1.1.1", NULL},
        {"9.255.255.255", NULL},
        {"10.0.0.0", "private"},
        {"10.255.255.255", "private"},
        {"11.0.0.0", NULL},
        {"100.63.255.255", NULL},
        {"100.64.0.0", "carrier"},
        {"100.127.255.255", "carrier"},
        {"100.128.0.0", NULL},
        {"126.255.255.255", NULL},
        {"127.0.0.1", "loopback"},
        {"127.255.255.254", "loopback"},
        {"128.0.0.0", NULL},
        {"169.253.255.255", NULL},
        {"169.254.169.254", "link-local"},
        {"169.255.0.0", NULL},
        {"172.15.255.255", NULL},
        {"172.16.0.1", "private"},
        {"172.31.255.255", "private"},
        {"172.32.0.0", NULL},
        {"192.0.0.8", "reserved"},
        {"192.0.1.0", NULL},
        {"192.0.2.1", "documentation"},
        {"192.0.3.0", NULL},
        {"192.88.98.255", NULL},
        {"192.88.99.1", "6to4"},
        {"192.167.255.255", NULL},
        {"192.168.0.1", "private"},
        {"192.169.0.0", NULL},
        {"198.17.255.255", NULL},
        {"198.18.0.1", "benchmarking"},
        {"198.19.255.255", "benchmarking"},
        {"198.20.0.0", NULL},
        {"198.51.100.1", "documentation"},
        {"203.0.113.1", "documentation"},
        {"223.255.255.255", NULL},
        {"224.0.0.1", "multicast"},
        {"239.255.255.255", "multicast"},
        {"240.0.0.1", "reserved"},
        {"255.255.255.255", "reserved"},
        {"::", "unspecified"},
        {"::1", "loopback"},
        {"::2", "compatible"},
        {"::127.0.0.1", "compatible"},
        {"::ffff:127.0.0.1", "mapped"},
        {"::ffff:8.8.8.8", "mapped"},
        {"64:ff9b::7f00:1", "NAT64"},
        {"64:ff9b:1::1", "NAT64"},
        {"100::1", "reserved"},
        {"1fff:ffff::1", "reserved"},
        {"2000::1", NULL},
        {"2001::1", "Teredo"},
        {"2001:0:4136:e378:8000:63bf:3fff:fdd2", "Teredo"},
        {"2001:2::1", "reserved"},
        {"2001:10::1", "reserved"},
        {"2001:1ff:ffff::1", "reserved"},
        {"2001:200::1", NULL},
        {"2001:4860:4860::8888", NULL},
        {"2001:db7:ffff::1", NULL},
        {"2001:db8::1", "documentation"},
        {"2001:db9::1", NULL},
        {"2002:7f00:1::1", "6to4"},
        {"2003::1", NULL},
        {"2606:4700::1111", NULL},
        {"3fff::1", "documentation"},
        {"3fff:1000::1", NULL},
        {"4000::1", "reserved"},
        {"5f00::1", "reserved"},
        {"fc00::1", "private"},
        {"fdff::1", "private"},
        {"fe80::1", "link-local"},
        {"febf::1", "link-local"},
        {"fec0::1", "private"},
        {"ff02::1", "multicast"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        const char *got = refusal(T[i].address);

        if (!got != !T[i].what || (got && !strstr(got, T[i].what)))
            fail_msg("%s: got %s, want %s", T[i].address, got ? got : "public",
                     T[i].what ? T[i].what : "public");
    }
}

static void
what_is_no_internet_address_is_refused(void **state)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};

    (void)state;
    assert_non_null(address_refusal((const struct sockaddr *)&un));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(special_addresses_are_refused_with_a_word_and_public_ones_are_not),
        cmocka_unit_test(what_is_no_internet_address_is_refused),
    };

    return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
