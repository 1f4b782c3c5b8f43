/* fuzz_guard.c - headers: what the guard lets pass comes from a name of ours.
 *
 * The input: a byte of flags, then lines "Name: value".  What is let pass is looked at a second time, by other means.
 *
 * SPDX-License-Identifier: MIT */
#include "fuzz/fuzz.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "http/guard.h"

enum { CHANGES = 2, ANY_ADDRESS = 4 };

struct seen {
    int hosts, lengths, codings, origins, sites;
    bool odd_length;
    char host[512], origin[512], site[512];
};

static void
copy(char to[512], const char *at, size_t len)
{
    while (len > 0 && (at[len - 1] == ' ' || at[len - 1] == '\t'))
        len--;
    while (len > 0 && (*at == ' ' || *at == '\t'))
        at++, len--;
    (void)snprintf(to, 512, "%.*s", (int)len, at);
}

static void
see(struct guard *g, struct seen *s, const char *line, size_t len)
{
    const char *colon = memchr(line, ':', len);
    size_t name = colon ? (size_t)(colon - line) : len;
    const char *value = colon ? colon + 1 : NULL;
    size_t value_len = colon ? len - name - 1 : 0;

    guard_see(g, line, name, value, value_len);
    if (name == 4 && strncasecmp(line, "host", 4) == 0 && ++s->hosts)
        copy(s->host, value ? value : "", value_len);
    if (name == 6 && strncasecmp(line, "origin", 6) == 0 && ++s->origins)
        copy(s->origin, value ? value : "", value_len);
    if (name == 14 && strncasecmp(line, "sec-fetch-site", 14) == 0 && ++s->sites)
        copy(s->site, value ? value : "", value_len);
    if (name == 14 && strncasecmp(line, "content-length", 14) == 0) {
        s->lengths++;
        for (size_t i = 0; i < value_len; i++)
            s->odd_length |= value[i] < '0' || value[i] > '9';
    }
    s->codings += name == 17 && strncasecmp(line, "transfer-encoding", 17) == 0;
}

/* Whether @host, with or without a port, is localhost, 127.0.0.1 or [::1], or, with @any, any address. */
static bool
is_ours(const char *host, bool any)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
    char name[512], address[16];
    const char *end = *host == '[' ? strchr(host, ']') : NULL;

    end = end ? end + 1 : host + strcspn(host, ":");
    if (*end && (*end != ':' || !end[1] || end[1 + strspn(end + 1, "0123456789")]))
        return false;
    (void)snprintf(name, sizeof name, "%.*s", (int)(end - host), host);
    for (int i = 0; i < 3; i++) {
        if (strcasecmp(name, names[i]) == 0)
            return true;
    }
    if (!any)
        return false;
    if (*name != '[')
        return inet_pton(AF_INET, name, address) == 1;
    name[strlen(name) - 1] = '\0';
    return inet_pton(AF_INET6, name + 1, address) == 1;
}

static void
came_from_us(const struct seen *s, unsigned flags)
{
    const char *authority = strstr(s->origin, "://");

    promise(!s->hosts || is_ours(s->host, flags & ANY_ADDRESS));
    promise(!s->origins || (s->hosts && authority && strcasecmp(authority + 3, s->host) == 0));
    promise(!(flags & CHANGES) || !s->sites || strcasecmp(s->site, "same-origin") == 0 ||
            strcasecmp(s->site, "none") == 0);
}

FUZZ(guard)
{
    struct guard_hosts hosts = {0};
    struct guard g = {0};
    struct seen s = {0};
    struct fault site = {0};
    unsigned flags = size ? data[0] : 0;

    if (size == 0 || size > 400) /* a header that fits the copies above */
        return 0;
    if (memchr(data + 1, '\0', size - 1)) /* frame.c refuses it */
        return 0;
    for (const uint8_t *at = data + 1, *end = data + size, *stop; at < end; at = stop + 1) {
        stop = memchr(at, '\n', (size_t)(end - at));
        stop = stop ? stop : end;
        see(&g, &s, (const char *)at, (size_t)(stop - at));
    }
    (void)guard_hosts_add(&hosts, "localhost");
    (void)guard_hosts_add(&hosts, "127.0.0.1");
    (void)guard_hosts_add(&hosts, "[::1]");
    hosts.any_address = flags & ANY_ADDRESS;

    if (s.hosts > 1 || s.lengths > 1 || s.odd_length) /* frame.c refuses those */
        return 0;
    promise(guard_length(&g) >= (s.lengths ? 0 : -1));
    promise(guard_has_body(&g) == (s.codings || guard_length(&g) > 0));
    if (guard_site(&g, &hosts, flags & CHANGES, &site))
        promise((site.why == WHY_FORBIDDEN || site.why == WHY_BAD_REQUEST) && site.detail[0]);
    else
        came_from_us(&s, flags);
    return 0;
}
