/* fuzz_address.c - what a task may fetch: no address that the system's own macros call private, and no URL without a host.
 *
 * The input: 4 or 16 bytes are an address; anything is a URL, and the JSON arguments of a download.
 *
 * SPDX-License-Identifier: MIT */
#include "fuzz/fuzz.h"

#include <netinet/in.h>
#include <string.h>

#include "base/json.h"
#include "work/address.h"
#include "work/kinds.h"

static bool
is_inside4(uint32_t a)
{
    return a >> 24 == 0 || a >> 24 == 10 || a >> 24 == 127 || a >> 20 == 0xac1 ||
           a >> 16 == 0xc0a8 || a >> 16 == 0xa9fe || IN_MULTICAST(a) || a == INADDR_BROADCAST;
}

static bool
is_inside6(const struct in6_addr *a)
{
    return IN6_IS_ADDR_LOOPBACK(a) || IN6_IS_ADDR_UNSPECIFIED(a) || IN6_IS_ADDR_LINKLOCAL(a) ||
           IN6_IS_ADDR_SITELOCAL(a) || IN6_IS_ADDR_MULTICAST(a) || IN6_IS_ADDR_V4MAPPED(a) ||
           IN6_IS_ADDR_V4COMPAT(a) || (a->s6_addr[0] & 0xfe) == 0xfc;
}

static void
look_at_address(const uint8_t *data, size_t size)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    const char *what;

    if (size == 4) {
        memcpy(&in.sin_addr, data, 4);
        what = address_refusal((const struct sockaddr *)&in);
        promise(what || !is_inside4(ntohl(in.sin_addr.s_addr)));
    }
    if (size == 16) {
        memcpy(&in6.sin6_addr, data, 16);
        what = address_refusal((const struct sockaddr *)&in6);
        promise(what || !is_inside6(&in6.sin6_addr));
    }
}

/* Arguments of every kind there is; the text of a URL that is taken has a scheme, a host and no byte a header must not have. */
static void
look_at_arguments(const char *text, size_t len)
{
    size_t n;
    const struct kind *const *kinds = kinds_all(&n);

    for (size_t i = 0; i < n; i++) {
        const struct kind *k = kinds[i];
        struct fault f = {0};
        void *args = calloc(1, k->args_size);

        promise(args != NULL);
        struct cJSON *json = kind_args(k, text, len, args, &f);
        promise(json ? f.why == WHY_OK : f.why != WHY_OK && f.detail[0]);
        for (const struct arg *a = k->args; json && a->name; a++) {
            if (a->type != ARG_URL)
                continue;
            const char *url = *(const char **)(void *)((char *)args + a->offset);
            const char *host = url ? strstr(url, "://") : NULL;

            promise(host && strcspn(host + 3, "/?#@") > 0);
            for (const char *at = url; *at; at++)
                promise((unsigned char)*at > ' ' && *at != 0x7f);
        }
        json_free(json);
        free(args);
    }
}

FUZZ(address)
{
    struct bytes url = {0};

    look_at_address(data, size);
    look_at_arguments((const char *)data, size);
    json_open(&url, '{');
    json_textn(&url, "url", (const char *)data, size);
    json_close(&url, '}');
    look_at_arguments(url.at, url.len);
    bytes_free(&url);
    return 0;
}
