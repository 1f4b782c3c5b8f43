/* kinds.c - GET /v1/kinds, and the reading of a kind's arguments; see kinds.h.
 *
 * SPDX-License-Identifier: MIT */
#include "api/kinds.h"

#include "base/json.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

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

/* A name that kind_args did not know, and that stands flat, may have been meant as either: so both are told. */
static void
tell_both(struct request *req, const struct kind *kind, const struct cJSON *flat)
{
    AUTO_BYTES args = {0}, params = {0};

    for (const struct cJSON *given = flat->child; given; given = given->next) {
        if (kind_arg(kind, given->string))
            continue;
        kind_arg_names(kind, &args);
        request_param_names(req, &params);
        fault_set(request_fault(req), WHY_INVALID,
                  "%.60s: unknown parameter; %s takes %s; this call takes %s", given->string,
                  kind->name, bytes_text(&args), bytes_text(&params));
        return;
    }
}

struct cJSON *
kinds_args(struct request *req, const struct kind *kind, const struct cJSON *args, void *values)
{
    struct cJSON *flat = request_rest(req), *given = NULL;
    struct fault f = {0};

    if (!flat)
        return NULL;
    if (!args) {
        given = flat;
    } else if (flat->child) {
        fault_set(request_fault(req), WHY_INVALID,
                  "%.60s: arguments stand in args or beside it, not both", flat->child->string);
        cJSON_Delete(flat);
        return NULL;
    } else {
        cJSON_Delete(flat);
        given = cJSON_Duplicate(args, true);
        if (!given)
            fault_set(request_fault(req), WHY_NO_MEMORY, "no memory for the arguments");
    }
    if (given && kind_args(kind, given, values, &f)) {
        if (!args)
            tell_both(req, kind, given);
        fault_set(request_fault(req), f.why, "%s", f.detail); /* the first that is set stays */
        cJSON_Delete(given);
        given = NULL;
    }
    return given;
}

/* The text a JSON string stands for; anything else as it is. */
void
kinds_reply_text(struct reply *reply, const char *json, size_t len)
{
    struct bytes *b = reply_body(reply, 200, "text/plain; charset=utf-8");
    struct fault f = {0};
    cJSON *value = len > 0 && *json == '"' ? json_parse(json, len, &f) : NULL;

    if (value)
        bytes_adds(b, cJSON_GetStringValue(value));
    else
        bytes_add(b, json, len);
    bytes_adds(b, "\n");
    cJSON_Delete(value);
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
