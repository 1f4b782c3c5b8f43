/* fuzz_json.c - json_parse takes any bytes: a document or a fault, and what it took it takes again once printed.
 *
 * SPDX-License-Identifier: MIT */
#include "fuzz/fuzz.h"

#include <cjson/cJSON.h>

#include "base/json.h"

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
