/* guard.c - see guard.h.
 *
 * guard_see runs for every header of every request: a look at its name's length decides which names it can be.
 *
 * SPDX-License-Identifier: MIT */
#include "http/guard.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

static bool
is(struct guard_text t, const char *word)
{
    return t.len == strlen(word) && strncasecmp(t.at, word, t.len) == 0;
}

static void
note(struct guard_text *ret, uint16_t *count, struct guard_text value)
{
    *ret = value;
    (*count)++;
}

static struct guard_text
trimmed(struct guard_text v)
{
    while (v.len > 0 && (v.at[v.len - 1] == ' ' || v.at[v.len - 1] == '\t'))
        v.len--;
    while (v.len > 0 && (*v.at == ' ' || *v.at == '\t'))
        v.at++, v.len--;
    return v;
}

void
guard_see(struct guard *g, const char *name, size_t name_len, const char *value, size_t value_len)
{
    const struct guard_text n = {name, name_len};
    struct guard_text v = {value ? value : "", value ? value_len : 0};

    v = trimmed(v);

    switch (name_len) {
    case 4:
        if (is(n, "Host"))
            note(&g->host, &g->hosts, v);
        break;
    case 6:
        if (is(n, "Origin"))
            note(&g->origin, &g->origins, v);
        else if (!g->accept.at && is(n, "Accept"))
            g->accept = v;
        else if (is(n, "Expect"))
            g->expects |= is(v, "100-continue");
        break;
    case 12:
        if (is(n, "Content-Type"))
            note(&g->type, &g->types, v);
        break;
    case 14:
        if (is(n, "Content-Length"))
            g->length = v;
        else if (is(n, "Sec-Fetch-Site"))
            note(&g->fetch_site, &g->fetch_sites, v);
        break;
    case 16:
        if (is(n, "Content-Encoding") && v.len > 0 && !is(v, "identity"))
            g->encoded = true;
        break;
    case 17:
        if (is(n, "Transfer-Encoding"))
            g->chunked = true;
        break;
    default:
        break;
    }
}

int64_t
guard_length(const struct guard *g)
{
    int64_t n = 0;

    if (!g->length.at)
        return -1;
    for (size_t i = 0; i < g->length.len && n < INT64_MAX / 100; i++)
        n = n * 10 + (g->length.at[i] - '0');
    return n;
}

bool
guard_has_body(const struct guard *g)
{
    return g->chunked || guard_length(g) > 0;
}

bool
guard_hosts_add(struct guard_hosts *hosts, const char *name)
{
    if (hosts->len == GUARD_HOSTS_MAX)
        return false;
    hosts->name[hosts->len++] = (struct guard_text){name, strlen(name)};
    return true;
}

/* Cuts ":port" off; false: malformed. */
static bool
without_port(struct guard_text host, struct guard_text *ret)
{
    const char *colon = memrchr(host.at, ':', host.len);
    const char *close = memrchr(host.at, ']', host.len);

    *ret = host;
    if (!colon || (close && close > colon))
        return host.len > 0;
    ret->len = (size_t)(colon - host.at);
    for (const char *at = colon + 1; at < host.at + host.len; at++) {
        if (*at < '0' || *at > '9')
            return false;
    }
    return ret->len > 0 && colon + 1 < host.at + host.len;
}

static bool
is_address(struct guard_text name)
{
    char text[INET6_ADDRSTRLEN + 1];
    unsigned char address[16];
    bool six = name.len > 2 && *name.at == '[' && name.at[name.len - 1] == ']';

    if (six)
        name.at++, name.len -= 2;
    if (name.len >= sizeof text)
        return false;
    memcpy(text, name.at, name.len);
    text[name.len] = '\0';
    return inet_pton(six ? AF_INET6 : AF_INET, text, address) == 1;
}

bool
guard_host_ok(const struct guard_hosts *hosts, struct guard_text host)
{
    struct guard_text name;

    if (!host.at || !without_port(host, &name))
        return false;
    for (int i = 0; i < hosts->len; i++) {
        if (hosts->name[i].len == name.len &&
            strncasecmp(hosts->name[i].at, name.at, name.len) == 0)
            return true;
    }
    return hosts->any_address && is_address(name);
}

/* "http://" or "https://" and then what Host says. */
static bool
is_ours(struct guard_text origin, struct guard_text host)
{
    static const char plain[] = "http://", secure[] = "https://";
    size_t skip = origin.len > 8 && strncasecmp(origin.at, secure, 8) == 0  ? 8
                  : origin.len > 7 && strncasecmp(origin.at, plain, 7) == 0 ? 7
                                                                            : 0;

    return skip > 0 && host.at && origin.len - skip == host.len &&
           strncasecmp(origin.at + skip, host.at, host.len) == 0;
}

enum why
guard_site(const struct guard *g, const struct guard_hosts *hosts, bool changes, struct fault *f)
{
    /* HTTP/1.0 has no Host, and no browser speaks it. */
    if (g->hosts && !guard_host_ok(hosts, g->host))
        return fault_set(f, WHY_FORBIDDEN,
                         "Host: %.*s is not a name of this server (see --allow-host)",
                         (int)(g->host.len < 100 ? g->host.len : 100), g->host.at);
    if (g->origins > 1 || g->fetch_sites > 1 || g->types > 1)
        return fault_set(f, WHY_BAD_REQUEST, "Origin, Sec-Fetch-Site or Content-Type given twice");
    if (g->origins && !is_ours(g->origin, g->host))
        return fault_set(f, WHY_FORBIDDEN, "Origin: %.*s is not this server",
                         (int)(g->origin.len < 100 ? g->origin.len : 100), g->origin.at);
    if (changes && g->fetch_sites && !is(g->fetch_site, "same-origin") &&
        !is(g->fetch_site, "none"))
        return fault_set(f, WHY_FORBIDDEN,
                         "Sec-Fetch-Site: only this server's own pages may change anything");
    return WHY_OK;
}
