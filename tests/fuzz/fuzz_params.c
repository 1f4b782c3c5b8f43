/* fuzz_params.c - query, form and JSON body into a handler's struct: a fault with a sentence, or values that are in range.
 *
 * The input: a byte for the route, a byte for the body's type, the query up to the first newline, then the body.
 *
 * SPDX-License-Identifier: MIT */
#include "fuzz/fuzz.h"

#include <cjson/cJSON.h>
#include <string.h>

#include "base/json.h"
#include "http/problem.h"
#include "unit/params_table.h"
#include "work/work.h"

/* clang-format off */
static const struct route ROUTES[] = {
    {POST, "/x", NULL, PARAMS, BODY_PARAMS, SHOWS, ""},
    {POST, "/x", NULL, PARAMS, BODY_OPEN, SHOWS, ""},
    {GET, "/x", NULL, PARAMS, BODY_NONE, SHOWS, ""},
};
/* clang-format on */
static const char *const TYPES[] = {"application/json", "application/x-www-form-urlencoded",
                                    "application/json; charset=utf-8", "text/plain", ""};
enum { N_ROUTES = 3, N_TYPES = 5 };

/* The sentence is clean, and the page that tells it is JSON. */
static void
refused(const struct fault *f)
{
    struct bytes page = {0};
    cJSON *json;

    promise(f->why == WHY_INVALID || f->why == WHY_MEDIA_TYPE);
    promise(f->detail[0] && utf8_valid(f->detail, strlen(f->detail)));
    for (const char *at = f->detail; *at; at++)
        promise((unsigned char)*at >= ' ' && *at != 0x7f);
    problem_json(&page, f, NULL);
    json = cJSON_ParseWithLength(page.at, page.len);
    promise(json != NULL);
    cJSON_Delete(json);
    bytes_free(&page);
}

static void
taken(const struct args *a)
{
    promise(a->owner && strlen(a->owner) <= 8 && utf8_valid(a->owner, strlen(a->owner)));
    promise(a->n >= -10 && a->n <= 10);
    promise(a->ttl >= NS_PER_MS && a->ttl <= 60 * NS_PER_SECOND);
    promise(a->token < UINT64_C(1) << 53);
    promise(a->order == 0 || a->order == 1);
    promise(!a->args.at || (a->args.at[0] == '{' && a->args.at[a->args.len - 1] == '}'));
}

/* As an argument of each type it becomes JSON, or is refused. */
static void
as_argument(const struct given *g)
{
    for (enum arg_type type = ARG_TEXT; type <= ARG_JSON; type++) {
        const struct arg arg = {.name = "a", .type = type};
        struct fault fault = {0};
        struct bytes b = {0};

        json_open(&b, '{');
        if (arg_add(&arg, g, &b, &fault)) {
            promise(type == ARG_JSON && fault.detail[0]);
        } else {
            json_close(&b, '}');
            cJSON *json = cJSON_ParseWithLength(b.at, b.len);
            promise(cJSON_GetArraySize(json) == 1);
            cJSON_Delete(json);
        }
        bytes_free(&b);
    }
}

static void
rest_too(const struct request *req)
{
    size_t n;
    const struct named *rest = request_rest(req, &n);

    for (size_t i = 0; i < n; i++) {
        for (int row = 0; PARAMS[row].name; row++)
            promise(strcmp(rest[i].name, PARAMS[row].name) != 0);
        promise(rest[i].value.text || rest[i].value.json.len > 0);
        as_argument(&rest[i].value);
    }
}

/* Of a size that AddressSanitizer guards, which request_keep's room is not. */
static char *
exact_copy(const char *at, size_t len)
{
    char *copy = malloc(len + 1);

    promise(copy != NULL);
    memcpy(copy, at, len);
    copy[len] = '\0';
    return copy;
}

FUZZ(params)
{
    static struct request req;
    struct args a = {0};
    const char *type;

    if (size < 2)
        return 0;
    const uint8_t *body = memchr(data + 2, '\n', size - 2);
    size_t query_len = (size_t)((body ? body : data + size) - (data + 2));
    type = TYPES[data[1] % N_TYPES];

    request_begin(&req);
    req.route = &ROUTES[data[0] % N_ROUTES];
    char *query = exact_copy((const char *)data + 2, query_len);
    req.query = query_len > 0 ? query : NULL;
    req.query_len = query_len;
    req.guard.type = (struct guard_text){type, strlen(type)};
    if (body)
        bytes_add(&req.body, (const char *)body + 1, size - query_len - 3);

    if (request_args(&req, &a)) {
        refused(&req.fault);
    } else {
        taken(&a);
        if (req.route->body == BODY_OPEN)
            rest_too(&req);
    }
    request_end(&req);
    free(query);
    bytes_free(&req.body);
    return 0;
}
