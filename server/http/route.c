/* route.c - see route.h.
 *
 * The table becomes a tree of path segments in one array.  A node's literal children lie side by side, so a lookup compares
 * a few lengths and first bytes for each segment; a {part} is tried when no literal leads to a row.
 *
 * SPDX-License-Identifier: MIT */
#include "http/route.h"

#include <string.h>

#include "base/hex.h"
#include "http/exchange.h"

enum { NODES_MAX = 1024, SEGMENTS_MAX = 8 };

const char *const method_name[METHOD_COUNT_] = {"GET", "POST", "PUT", "DELETE"};

struct node {
    const char *at; /* the literal; NULL: a {part} */
    size_t len;
    unsigned short child,
        next; /* first child, next sibling; 0: none.  Literals come before the part */
    unsigned short row[METHOD_COUNT_]; /* index in the table + 1; 0: none */
};

static struct {
    const struct route *table;
    size_t len;
    struct node node[NODES_MAX]; /* the first is "/" */
    unsigned short nodes;
} routes;

static size_t
segment_len(const char *at)
{
    return (size_t)(strchrnul(at, '/') - at);
}

/* The child of @parent for the segment, made if it is new; 0: no room. */
static unsigned short
grow(unsigned short parent, const char *at, size_t len)
{
    bool part = *at == '{';
    unsigned short *link = &routes.node[parent].child;

    for (; *link; link = &routes.node[*link].next) {
        const struct node *n = &routes.node[*link];

        if (part ? !n->at : n->at && n->len == len && memcmp(n->at, at, len) == 0)
            return *link;
        if (!part && !n->at)
            break; /* a literal goes before the part */
    }
    if (routes.nodes == NODES_MAX)
        return 0;
    unsigned short made = routes.nodes++;
    routes.node[made] = (struct node){.at = part ? NULL : at, .len = len, .next = *link};
    *link = made;
    return made;
}

static enum why
plant(size_t row, struct fault *f)
{
    const struct route *r = &routes.table[row];
    unsigned short at = 0;
    int parts = 0;

    if (r->path[0] != '/')
        return fault_set(f, WHY_INTERNAL, "route %s: no slash at its start", r->path);
    for (const char *segment = r->path + 1; *segment;) {
        size_t len = segment_len(segment);

        parts += *segment == '{';
        at = grow(at, segment, len);
        if (!at || parts > ROUTE_NAMES_MAX)
            return fault_set(f, WHY_INTERNAL, "route %s: too many nodes or {parts}", r->path);
        segment += len + (segment[len] == '/');
    }
    if (routes.node[at].row[r->method])
        return fault_set(f, WHY_INTERNAL, "route %s %s: two rows alike", method_name[r->method],
                         r->path);
    routes.node[at].row[r->method] = (unsigned short)(row + 1);
    return WHY_OK;
}

enum why
routes_set(const struct route *table, size_t n, struct fault *f)
{
    routes.table = table;
    routes.len = n;
    routes.nodes = 1;
    routes.node[0] = (struct node){.at = ""};
    for (size_t i = 0; i < n; i++) {
        if (plant(i, f))
            return f->why;
    }
    return WHY_OK;
}

static bool
arrive(const struct node *node, enum method method, struct route_match *m)
{
    unsigned allowed = 0;

    for (int i = 0; i < METHOD_COUNT_; i++)
        allowed |= node->row[i] ? 1u << i : 0;
    if (!allowed)
        return false;
    m->allowed = allowed;
    m->route = node->row[method] ? &routes.table[node->row[method] - 1] : NULL;
    return true;
}

/* Whether a row hangs below @parent for the rest of the path at @at. */
static bool
walk(unsigned short parent, const char *at, enum method method, int names, struct route_match *m)
{
    size_t len = segment_len(at);

    if (len == 0)
        return false;
    for (unsigned short i = routes.node[parent].child; i; i = routes.node[i].next) {
        const struct node *n = &routes.node[i];
        int more = names;

        if (!n->at) {
            m->name[names].at = at;
            m->name[names].len = len;
            more++;
        } else if (n->len != len || *n->at != *at || memcmp(n->at, at, len) != 0) {
            continue;
        }
        if (at[len] ? walk(i, at + len + 1, method, more, m) : arrive(n, method, m))
            return true;
    }
    return false;
}

struct route_match
route_find(enum method method, const char *path)
{
    struct route_match m = {0};

    if (path[0] != '/')
        return m;
    if (!path[1])
        (void)arrive(&routes.node[0], method, &m);
    else
        (void)walk(0, path + 1, method, 0, &m);
    return m;
}

const struct route *
routes_all(size_t *ret_n)
{
    *ret_n = routes.len;
    return routes.table;
}

bool
route_while_draining(const struct route *route)
{
    return route->effect != BEGINS;
}

static bool
is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == ':' || c == '~' || c == '-';
}

enum why
name_check(const char *at, size_t len, struct fault *f)
{
    if (len == 0 || len > 200)
        return fault_set(f, WHY_INVALID, "a name has 1-200 bytes, this one %zu", len);
    for (size_t i = 0; i < len; i++) {
        if (!is_name_byte(at[i]))
            return fault_set(f, WHY_INVALID, "%.*s: a name is made of A-Z a-z 0-9 . _ : ~ -",
                             (int)(len < 100 ? len : 100), at);
    }
    if (at[0] == '.' && (len == 1 || (len == 2 && at[1] == '.')))
        return fault_set(f, WHY_INVALID, "%.*s is no name: clients fold it away", (int)len, at);
    return WHY_OK;
}

/* The byte that the escape at @at stands for; 0: it is none. */
static char
unescape(const char *at, size_t len)
{
    int high = len < 3 ? -1 : hex_digit(at[1]), low = len < 3 ? -1 : hex_digit(at[2]);

    return (char)(high < 0 || low < 0 ? 0 : high << 4 | low);
}

enum why
name_take(const char *at, size_t len, char ret_name[NAME_ROOM], struct fault *f)
{
    size_t n = 0;

    for (size_t from = 0; from < len; from++) {
        char c = at[from] == '%' ? unescape(at + from, len - from) : 0;

        if (n == NAME_ROOM - 1) /* longer than a name may be, whatever follows */
            return fault_set(f, WHY_INVALID, "a name has 1-200 bytes, this one more");
        if (is_name_byte(c))
            from += 2;
        else
            c = at[from];
        ret_name[n++] = c;
    }
    ret_name[n] = '\0';
    return name_check(ret_name, n, f);
}
