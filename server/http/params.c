/* params.c - the values of a request, from its query, JSON body or form body alike, into the handler's struct.
 *
 * First all pairs are gathered, as texts or JSON values, then each finds its row by name.  Doubt is an error: a name given
 * twice (in query and body, too) or unknown is refused with the names that exist, so that a misspelt "tll" cannot be a default.
 *
 * SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/hex.h"
#include "base/json.h"
#include "http/exchange.h"
#include "http/value.h"

enum { PAIRS_MAX = 128 };

struct pairs {
    struct request *req;
    int len;
    struct named at[PAIRS_MAX];
};

static bool
add_pair(struct pairs *all, const char *name, struct given value)
{
    struct fault *f = &all->req->fault;

    if (all->len == PAIRS_MAX) {
        fault_set(f, WHY_INVALID, "more than %d parameters", PAIRS_MAX);
        return false;
    }
    for (int i = 0; i < all->len; i++) {
        if (strcmp(all->at[i].name, name) == 0) {
            fault_set(f, WHY_INVALID, "%.100s: given twice", name);
            return false;
        }
    }
    all->at[all->len++] = (struct named){name, value};
    return true;
}

/* ---- percent encoding ---- */

/* Decodes @at in place; false: malformed, a NUL, or not UTF-8. */
static bool
decode(char *at, size_t len)
{
    size_t to = 0;

    for (size_t from = 0; from < len; from++, to++) {
        int high = -1, low = -1;

        at[to] = at[from] == '+' ? ' ' : at[from];
        if (at[from] != '%') {
            if (!at[from])
                return false;
            continue;
        }
        if (from + 2 < len) {
            high = hex_digit(at[from + 1]);
            low = hex_digit(at[from + 2]);
        }
        if (high < 0 || low < 0 || !(high | low))
            return false;
        at[to] = (char)(high << 4 | low);
        from += 2;
    }
    at[to] = '\0';
    return utf8_valid(at, to);
}

/* ---- where they come from ---- */

/* What a query or a form holds is cut and decoded where it stands; a NUL stands behind it. */
static void
see_pairs(struct pairs *all, const char *what, char *at, size_t len)
{
    const char *end = at + len;

    while (at < end) {
        char *stop = memchr(at, '&', (size_t)(end - at));
        stop = stop ? stop : at + (end - at);
        char *equals = memchr(at, '=', (size_t)(stop - at));
        char *value = equals ? equals + 1 : stop;

        if (stop > at) {
            if (!decode(at, (size_t)((equals ? equals : stop) - at)) ||
                !decode(value, (size_t)(stop - value))) {
                fault_set(&all->req->fault, WHY_INVALID, "the %s is not percent-encoded UTF-8",
                          what);
                return;
            }
            if (!add_pair(all, at, (struct given){.text = value}))
                return;
        }
        at = stop + 1;
    }
}

static void
see_json(struct pairs *all)
{
    struct request *req = all->req;
    struct json_walk members;
    struct given value;
    const char *name;

    req->json = json_parse(req->body.at, req->body.len, &req->fault);
    if (!req->json)
        return;
    if (!json_members(&members, req->json, req->body.at, req->body.len)) {
        fault_set(&req->fault, WHY_INVALID, "the body is no JSON object");
        return;
    }
    while (json_next(&members, &name, &value)) {
        if (!add_pair(all, name, value))
            return;
    }
}

static const char json_type[] = "application/json";
static const char form_type[] = "application/x-www-form-urlencoded";

static bool
type_is(struct guard_text type, const char *name)
{
    size_t len = strlen(name);

    if (type.len < len || strncasecmp(type.at, name, len) != 0)
        return false;
    while (len < type.len && (type.at[len] == ' ' || type.at[len] == '\t'))
        len++;
    return len == type.len || type.at[len] == ';';
}

static bool
looks_like_json(const char *text)
{
    text += strspn(text, " \t\r\n");
    return *text == '{' || *text == '[';
}

enum why
params_type(struct request *req)
{
    if (req->route->body == BODY_NONE)
        return fault_set(&req->fault, WHY_INVALID, "this call takes no body");
    if (req->guard.encoded)
        return fault_set(&req->fault, WHY_MEDIA_TYPE,
                         "Content-Encoding: a body is taken as it is only");
    if (type_is(req->guard.type, json_type) || type_is(req->guard.type, form_type))
        return WHY_OK;
    return fault_set(&req->fault, WHY_MEDIA_TYPE, "a body is %s or %s, and says so in Content-Type",
                     json_type, form_type);
}

static enum why
gather(struct pairs *all, struct request *req)
{
    all->req = req;
    all->len = 0;
    assert(!req->params_read);
    req->params_read = true;
    if (req->query)
        see_pairs(all, "query", req->query, req->query_len);
    if (req->fault.why || req->body.len == 0)
        return req->fault.why;
    if (params_type(req))
        return req->fault.why;
    if (type_is(req->guard.type, json_type))
        see_json(all);
    else if (looks_like_json(bytes_text(&req->body))) /* curl -d calls all that it sends a form */
        fault_set(&req->fault, WHY_INVALID,
                  "the body is JSON, but says that it is a form; send it with "
                  "-H 'Content-Type: application/json'");
    else if (req->body.failed)
        fault_set(&req->fault, WHY_NO_MEMORY, "no memory for the form");
    else
        see_pairs(all, "form", req->body.at, req->body.len);
    return req->fault.why;
}

/* ---- the whole ---- */

static int
row_of(const struct param *params, const char *name)
{
    for (int i = 0; params && params[i].name; i++) {
        if (strcmp(params[i].name, name) == 0)
            return i;
    }
    return -1;
}

void
request_param_names(const struct request *req, struct bytes *b)
{
    const struct param *p = req->route->params;

    for (int i = 0; p && p[i].name; i++) {
        bytes_adds(b, i ? ", " : "");
        bytes_adds(b, p[i].name);
    }
    bytes_adds(b, p && p->name ? "" : "none");
}

static enum why
unknown(struct request *req, const char *name)
{
    AUTO_BYTES names = {0};

    request_param_names(req, &names);
    return fault_set(&req->fault, WHY_INVALID, "%.60s: unknown parameter; this call takes %s", name,
                     bytes_text(&names));
}

/* What an open route does not know waits for request_rest; @most in all. */
static enum why
put_by(struct request *req, const struct named *pair, int most)
{
    if (!req->rest)
        req->rest = malloc((size_t)most * sizeof *req->rest);
    if (!req->rest)
        return fault_set(&req->fault, WHY_NO_MEMORY, "no memory for the parameters");
    req->rest[req->rest_len++] = *pair;
    return WHY_OK;
}

enum why
params_none(struct request *req)
{
    struct pairs all;

    if (!req->query && req->body.len == 0)
        return WHY_OK;
    if (gather(&all, req))
        return req->fault.why;
    return all.len > 0 ? unknown(req, all.at[0].name) : WHY_OK;
}

enum why
request_args(struct request *req, void *args)
{
    const struct param *params = req->route->params;
    struct fault *f = &req->fault;
    uint64_t given = 0;
    struct pairs all;

    all.len = 0;
    if ((req->query || req->body.len > 0) && gather(&all, req))
        return f->why;
    for (int i = 0; i < all.len; i++) {
        int row = row_of(params, all.at[i].name);

        if (row < 0 && req->route->body == BODY_OPEN) {
            if (put_by(req, &all.at[i], all.len))
                return f->why;
            continue;
        }
        if (row < 0)
            return unknown(req, all.at[i].name);
        if (given_null(&all.at[i].value)) /* as if it were not there */
            continue;
        if (value_take(&params[row], &all.at[i].value, args, f))
            return f->why;
        given |= UINT64_C(1) << row;
    }
    for (int i = 0; params && params[i].name; i++) {
        const char *fallback = params[i].fallback;

        if (given & UINT64_C(1) << i)
            continue;
        if (params[i].required)
            return fault_set(f, WHY_INVALID, "%s: is needed", params[i].name);
        if (fallback && value_take(&params[i], &(struct given){.text = fallback}, args, f))
            return f->why;
    }
    return WHY_OK;
}

const struct named *
request_rest(const struct request *req, size_t *ret_n)
{
    *ret_n = req->rest_len;
    return req->rest;
}
