/* kinds.c - GET /v1/kinds, and the reading of a kind's arguments; see kinds.h.
 *
 * SPDX-License-Identifier: MIT */
#include "api/kinds.h"

#include "base/json.h"

static const char *const type_name[] = {
    [ARG_TEXT] = "text",         [ARG_INT] = "int",     [ARG_NUMBER] = "number",
    [ARG_DURATION] = "duration", [ARG_BYTES] = "bytes", [ARG_BOOL] = "bool",
    [ARG_URL] = "url",           [ARG_JSON] = "json",
};

const struct kind *
kinds_find(struct request *req, const char *name, enum why why)
{
    const struct kind *found = kind_find(name);
    AUTO_BYTES known = {0};
    size_t n;

    if (found)
        return found;
    const struct kind *const *all = kinds_all(&n);
    for (size_t i = 0; i < n; i++) {
        bytes_adds(&known, i ? ", " : "");
        bytes_adds(&known, all[i]->name);
    }
    fault_set(request_fault(req), why, "kind: none is called %.40s; there are: %s", name,
              bytes_text(&known));
    return NULL;
}

/* A name that stands flat and that nobody knows may have been meant as either: so both are told. */
static bool
tell_both(struct request *req, const struct kind *kind, const char *name)
{
    AUTO_BYTES args = {0}, params = {0};

    kind_arg_names(kind, &args);
    request_param_names(req, &params);
    fault_set(request_fault(req), WHY_INVALID,
              "%.60s: unknown parameter; %s takes %s; this call takes %s", name, kind->name,
              bytes_text(&args), bytes_text(&params));
    return false;
}

static bool
add_flat(struct request *req, const struct kind *kind, const struct named *flat, size_t n,
         struct bytes *b)
{
    json_open(b, '{');
    for (size_t i = 0; i < n; i++) {
        const struct arg *a = kind_arg(kind, flat[i].name);

        if (!a)
            return tell_both(req, kind, flat[i].name);
        if (arg_add(a, &flat[i].value, b, request_fault(req)))
            return false;
    }
    json_close(b, '}');
    return true;
}

struct cJSON *
kinds_args(struct request *req, const struct kind *kind, struct json_slice args,
           struct bytes *ret_json, void *values)
{
    size_t n;
    const struct named *flat = request_rest(req, &n);

    if (args.at && n > 0) {
        fault_set(request_fault(req), WHY_INVALID,
                  "%.60s: arguments stand in args or beside it, not both", flat[0].name);
        return NULL;
    }
    if (args.at)
        bytes_add(ret_json, args.at, args.len);
    else if (!add_flat(req, kind, flat, n, ret_json))
        return NULL;
    const char *text = bytes_text(ret_json);
    if (!ret_json->failed)
        return kind_args(kind, text, ret_json->len, values, request_fault(req));
    fault_set(request_fault(req), WHY_NO_MEMORY, "no memory for the arguments");
    return NULL;
}

/* The text a JSON string stands for; anything else as it is. */
void
kinds_reply_text(struct reply *reply, const char *json, size_t len)
{
    struct bytes *b = reply_body(reply, 200, "text/plain; charset=utf-8");
    struct fault f = {0};
    struct cJSON *value = len > 0 && *json == '"' ? json_parse(json, len, &f) : NULL;

    if (value)
        bytes_adds(b, json_string(value));
    else
        bytes_add(b, json, len);
    bytes_adds(b, "\n");
    json_free(value);
}

static void
argument(struct bytes *b, const struct arg *a)
{
    json_open(b, '{');
    json_text(b, "name", a->name);
    json_text(b, "type", type_name[a->type]);
    json_bool(b, "required", a->required);
    json_text(b, "default", a->fallback);
    if (a->most > a->least) {
        json_number(b, "least", a->least);
        json_number(b, "most", a->most);
    }
    json_text(b, "doc", a->doc);
    json_close(b, '}');
}

/* GET /v1/kinds: every kind of task with its arguments */
enum why
api_kinds_list(struct request *req, struct reply *reply)
{
    const struct kind *const *all;
    size_t n;

    (void)req;
    all = kinds_all(&n);
    struct bytes *b = reply_json(reply, 200);
    json_open(b, '{');
    json_open_in(b, "items", '[');
    for (size_t i = 0; i < n; i++) {
        json_open(b, '{');
        json_text(b, "name", all[i]->name);
        json_text(b, "doc", all[i]->doc);
        json_bool(b, "by_request", all[i]->by_request);
        json_open_in(b, "args", '[');
        for (const struct arg *a = all[i]->args; a->name; a++)
            argument(b, a);
        json_close(b, ']');
        json_close(b, '}');
    }
    json_close(b, ']');
    json_null(b, "next_cursor");
    json_close(b, '}');
    return WHY_OK;
}
