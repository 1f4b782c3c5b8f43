/* fuzz_json.c - json_parse takes any bytes: a document or a fault, and what it took it takes again once printed; the bytes of
 * a member are that member.
 *
 * SPDX-License-Identifier: MIT */
#include "fuzz/fuzz.h"

#include <cjson/cJSON.h>
#include <string.h>

#include "base/json.h"

static void
values(const struct given *g, const cJSON *node)
{
    int64_t n;
    double number;
    bool yes;

    promise((g->text != NULL) == cJSON_IsString(node) && given_null(g) == cJSON_IsNull(node));
    promise(given_object(g) == cJSON_IsObject(node) && given_bool(g, &yes) == cJSON_IsBool(node));
    promise(given_number(g, &number) == cJSON_IsNumber(node));
    if (!cJSON_IsNumber(node))
        promise(!given_whole(g, &n));
    else if (given_whole(g, &n) && n > -(INT64_C(1) << 53) && n < INT64_C(1) << 53)
        promise((double)n == node->valuedouble);
    promise(!cJSON_IsNumber(node) || (given_duration(g, &n) && number == node->valuedouble));
}

/* Each member once, in order, and its bytes are the value that the tree has. */
static void
members(const cJSON *doc, const char *text, size_t len)
{
    struct json_walk walk;
    struct given value;
    const char *name, *end = text;
    const cJSON *node = doc->child;

    promise(json_members(&walk, doc, text, len) == cJSON_IsObject(doc));
    while (cJSON_IsObject(doc) && json_next(&walk, &name, &value)) {
        struct fault fault = {0};
        const char *at = value.json.at;
        cJSON *again = json_parse(at, value.json.len, &fault);

        promise(at > end && at + value.json.len < text + len && !strchr(" \t\r\n", *at));
        promise(node && strcmp(name, node->string) == 0 && cJSON_Compare(again, node, true));
        values(&value, node);
        cJSON_Delete(again);
        end = at + value.json.len;
        node = node->next;
    }
    promise(!cJSON_IsObject(doc) || !node);
}

FUZZ(json)
{
    struct fault fault = {0};
    struct bytes out = {0};
    cJSON *doc = json_parse((const char *)data, size, &fault);
    char *text = doc ? cJSON_PrintUnformatted(doc) : NULL;

    promise(doc ? fault.why == WHY_OK : fault.why != WHY_OK && fault.detail[0]);
    if (text) {
        cJSON *again = json_parse(text, strlen(text), &fault);

        promise(again && cJSON_Compare(doc, again, true));
        cJSON_Delete(again);
        cJSON_free(text);
    }
    if (doc)
        members(doc, (const char *)data, size);
    cJSON_Delete(doc);

    /* Whatever the bytes, the writer makes a text that is valid JSON. */
    json_open(&out, '{');
    json_textn(&out, "text", (const char *)data, size);
    json_close(&out, '}');
    doc = cJSON_ParseWithLength(out.at, out.len);
    promise(doc && utf8_valid(out.at, out.len));
    cJSON_Delete(doc);
    bytes_free(&out);
    return 0;
}
