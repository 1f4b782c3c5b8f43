/* address.c - the special addresses, from IANA's registries of special-purpose addresses.
 *
 * IPv4: all is public but what the table names.  IPv6: only 2000::/3 is, without what the table names in it; so forms that carry
 * an IPv4 address (mapped, compatible, NAT64) fall out, and 6to4 and Teredo, which lie inside, are named.
 *
 * SPDX-License-Identifier: MIT */
#include "work/address.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* clang-format off */
static const struct range {
    uint8_t prefix[16];
    uint8_t bits;
    const char *what;
} ipv4[] = {
    {{0},               8, "an unspecified address"},
    {{10},              8, "a private address"},
    {{100, 64},        10, "a carrier's private address"},
    {{127},             8, "a loopback address"},
    {{169, 254},       16, "a link-local address"},
    {{172, 16},        12, "a private address"},
    {{192, 0, 0},      24, "a reserved address"},
    {{192, 0, 2},      24, "a documentation address"},
    {{192, 88, 99},    24, "a 6to4 relay's address"},
    {{192, 168},       16, "a private address"},
    {{198, 18},        15, "a benchmarking address"},
    {{198, 51, 100},   24, "a documentation address"},
    {{203, 0, 113},    24, "a documentation address"},
    {{224},             4, "a multicast address"},
    {{240},             4, "a reserved address"},
}, ipv6[] = {
    {{0x20, 0x01, 0x00, 0x00},  32, "a Teredo address"},
    {{0x20, 0x01, 0x00},        23, "a reserved address"},
    {{0x20, 0x01, 0x0D, 0xB8},  32, "a documentation address"},
    {{0x20, 0x02},              16, "a 6to4 address"},
    {{0x3F, 0xFF, 0x00},        20, "a documentation address"},
}, ipv6_outside[] = { /* of 2000::/3: for the sentence */
    {{[15] = 1},                                         128, "a loopback address"},
    {{0},                                                128, "an unspecified address"},
    {{[10] = 0xFF, 0xFF},                                 96, "an IPv4-mapped address"},
    {{0},                                                 96, "an IPv4-compatible address"},
    {{0x00, 0x64, 0xFF, 0x9B},                            32, "a NAT64 address"},
    {{0xFC},                                               7, "a private address"},
    {{0xFE, 0x80},                                        10, "a link-local address"},
    {{0xFE, 0xC0},                                        10, "a private address"},
    {{0xFF},                                               8, "a multicast address"},
    {{0},                                                  0, "a reserved address"},
};
/* clang-format on */
enum { IPV4 = sizeof ipv4 / sizeof ipv4[0], IPV6 = sizeof ipv6 / sizeof ipv6[0] };
enum { IPV6_OUTSIDE = sizeof ipv6_outside / sizeof ipv6_outside[0] };

static bool
begins_with(const uint8_t *address, const struct range *r)
{
    unsigned whole = r->bits / 8, rest = r->bits % 8;

    if (memcmp(address, r->prefix, whole) != 0)
        return false;
    return rest == 0 || (address[whole] ^ r->prefix[whole]) >> (8 - rest) == 0;
}

static const char *
find(const uint8_t *address, const struct range *ranges, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (begins_with(address, &ranges[i]))
            return ranges[i].what;
    }
    return NULL;
}

static const char *
refusal4(const struct in_addr *address)
{
    return find((const uint8_t *)address, ipv4, IPV4);
}

static const char *
refusal6(const struct in6_addr *address)
{
    if (address->s6_addr[0] >> 5 != 1)
        return find(address->s6_addr, ipv6_outside, IPV6_OUTSIDE);
    return find(address->s6_addr, ipv6, IPV6);
}

const char *
address_refusal(const struct sockaddr *address)
{
    struct sockaddr_in in;
    struct sockaddr_in6 in6;

    if (address->sa_family == AF_INET) {
        memcpy(&in, address, sizeof in);
        return refusal4(&in.sin_addr);
    }
    if (address->sa_family == AF_INET6) {
        memcpy(&in6, address, sizeof in6);
        return refusal6(&in6.sin6_addr);
    }
    return "not an internet address";
}
