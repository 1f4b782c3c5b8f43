/* guard.c - see guard.h.
 *
 * guard_see runs for every header of every request: one pass over its bytes, and a look at its length decides which
 * names it can be.
 *
 * SPDX-License-Identifier: MIT */
#include "http/guard.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

enum { TCHAR = 1, VCHAR = 2 };

/* TCHAR: may be in a header's name (RFC 9110, 5.6.2).  VCHAR: may be in its value; bytes above 127 may. */
/* clang-format off */
#define T (TCHAR | VCHAR)
#define V VCHAR
#define V16 V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V
#define T16 T, T, T, T, T, T, T, T, T, T, T, T, T, T, T, T
static const unsigned char kind_of[256] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, V, 0, 0, 0, 0, 0, 0, /* only the tab */
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    V, T, V, T, T, T, T, T, V, V, T, T, V, T, T, V, /*  !"#$%&'()*+,-./ */
    T, T, T, T, T, T, T, T, T, T, V, V, V, V, V, V, /* 0123456789:;<=>? */
    V, T, T, T, T, T, T, T, T, T, T, T, T, T, T, T, /* @A */
    T, T, T, T, T, T, T, T, T, T, T, V, V, V, T, T, /* PQRSTUVWXYZ[\]^_ */
    T16,                                            /* `a */
    T, T, T, T, T, T, T, T, T, T, T, V, T, V, T, 0, /* pqrstuvwxyz{|}~ */
    V16, V16, V16, V16, V16, V16, V16, V16,
};
#undef T
#undef V
/* clang-format on */

static bool
all_of(const char *at, size_t len, unsigned char kind)
{
    unsigned char all = kind;

    for (size_t i = 0; i < len; i++)
        all &= kind_of[(unsigned char)at[i]];
    return all == kind;
}

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

    if (++g->headers > HEADERS_MAX)
        g->why = WHY_HEADERS_TOO_LARGE;
    if (!name || name_len == 0 || !all_of(name, name_len, TCHAR) || !all_of(v.at, v.len, VCHAR)) {
        g->why = WHY_BAD_REQUEST;
        return;
    }
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
        break;
    case 12:
        if (is(n, "Content-Type"))
            note(&g->type, &g->types, v);
        break;
    case 14:
        if (is(n, "Content-Length"))
            note(&g->length, &g->lengths, v);
        else if (is(n, "Sec-Fetch-Site"))
            note(&g->fetch_site, &g->fetch_sites, v);
        break;
    case 16:
        if (is(n, "Content-Encoding") && v.len > 0 && !is(v, "identity"))
            g->encoded = true;
        break;
    case 17:
        if (is(n, "Transfer-Encoding"))
            note(&g->coding, &g->codings, v);
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
    return g->codings > 0 || guard_length(g) > 0;
}

enum why
guard_framing(const struct guard *g, bool http11, const char *path, struct fault *f)
{
    const char *wrong = NULL;

    if (g->why == WHY_HEADERS_TOO_LARGE)
        return fault_set(f, g->why, "more than %d header fields", HEADERS_MAX);
    if (g->why)
        return fault_set(f, g->why, "a header field is malformed");
    if (g->hosts > 1 || (g->hosts == 0 && http11))
        wrong = "exactly one Host is needed";
    else if (g->lengths > 1)
        wrong = "more than one Content-Length";
    else if (g->codings > 1)
        wrong = "more than one Transfer-Encoding";
    else if (g->lengths && g->codings)
        wrong = "both Content-Length and Transfer-Encoding";
    else if (g->codings && !http11)
        wrong = "Transfer-Encoding in HTTP/1.0";
    else if (g->origins > 1 || g->fetch_sites > 1 || g->types > 1)
        wrong = "Origin, Sec-Fetch-Site or Content-Type given twice";
    else if (*path != '/')
        wrong = "the path does not begin with a slash";
    for (size_t i = 0; !wrong && i < g->length.len; i++) {
        if (g->length.at[i] < '0' || g->length.at[i] > '9')
            wrong = "Content-Length is no number";
    }
    if (!wrong && g->lengths && g->length.len == 0)
        wrong = "Content-Length is no number";
    if (wrong)
        return fault_set(f, WHY_BAD_REQUEST, "%s", wrong);
    if (g->codings && !is(g->coding, "chunked"))
        return fault_set(f, WHY_NOT_IMPLEMENTED, "the only transfer coding is chunked");
    return WHY_OK;
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
    if (g->origins && !is_ours(g->origin, g->host))
        return fault_set(f, WHY_FORBIDDEN, "Origin: %.*s is not this server",
                         (int)(g->origin.len < 100 ? g->origin.len : 100), g->origin.at);
    if (changes && g->fetch_sites && !is(g->fetch_site, "same-origin") &&
        !is(g->fetch_site, "none"))
        return fault_set(f, WHY_FORBIDDEN,
                         "Sec-Fetch-Site: only this server's own pages may change anything");
    return WHY_OK;
}
