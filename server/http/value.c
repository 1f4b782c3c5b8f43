/* value.c - see value.h.
 *
 * SPDX-License-Identifier: MIT */
#include "http/value.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"

#define TOKEN_MAX INT64_C(9007199254740991) /* 2^53-1 */

union value {
    const char *text;
    int64_t n;
    bool yes;
    int choice;
    const struct cJSON *json;
};

static enum why
out_of_range(struct fault *f, const struct param *p)
{
    char least[UNIT_TEXT_LEN], most[UNIT_TEXT_LEN];

    if (p->type == PARAM_TEXT && p->least == 0)
        return fault_set(f, WHY_INVALID, "%s: must be at most %" PRId64 " bytes long", p->name,
                         p->most);
    if (p->type != PARAM_DURATION)
        return fault_set(f, WHY_INVALID, "%s: must be between %" PRId64 " and %" PRId64 "%s",
                         p->name, p->least, p->most, p->type == PARAM_TEXT ? " bytes long" : "");
    duration_text(least, p->least);
    duration_text(most, p->most);
    return fault_set(f, WHY_INVALID, "%s: must be between %s and %s", p->name, least, most);
}

static enum why
malformed(struct fault *f, const struct param *p)
{
    static const char *const what[] = {
        [PARAM_TEXT] = "a text",
        [PARAM_INT] = "a whole number",
        [PARAM_DURATION] = "a number of seconds, or a text like \"250ms\", \"30s\" or \"5m\"",
        [PARAM_TOKEN] = "the token that the grant gave: a whole number above 0",
        [PARAM_BOOL] = "true or false",
        [PARAM_JSON] = "a JSON object, in a JSON body",
    };
    char list[160] = "";

    if (p->type != PARAM_CHOICE)
        return fault_set(f, WHY_INVALID, "%s: must be %s", p->name, what[p->type]);
    for (int i = 0; p->choices[i]; i++) {
        size_t len = strlen(list);

        (void)snprintf(list + len, sizeof list - len, "%s%s", i ? ", " : "", p->choices[i]);
    }
    return fault_set(f, WHY_INVALID, "%s: must be %s%s", p->name, p->choices[1] ? "one of " : "",
                     list);
}

/* One beyond int64_t becomes the end of its range, which no parameter allows: it is out of range, not malformed. */
static bool
whole_number(const char *text, int64_t *ret)
{
    char *end;

    if (*text != '-' && (*text < '0' || *text > '9'))
        return false;
    *ret = strtoll(text, &end, 10);
    return end != text && !*end; /* "-" alone has no end behind its beginning */
}

/* A negative one is out of range, not malformed. */
static bool
duration(const char *text, int64_t *ret)
{
    if (*text != '-')
        return duration_parse(text, ret);
    if (!duration_parse(text + 1, ret))
        return false;
    *ret = -*ret;
    return true;
}

static bool
choose(const struct param *p, const char *text, int *ret)
{
    for (int i = 0; p->choices[i]; i++) {
        if (strcmp(p->choices[i], text) == 0) {
            *ret = i;
            return true;
        }
    }
    return false;
}

static bool
from_text(const struct param *p, const char *text, union value *ret)
{
    switch (p->type) {
    case PARAM_TEXT:
        ret->text = text;
        return true;
    case PARAM_INT:
    case PARAM_TOKEN:
        return whole_number(text, &ret->n);
    case PARAM_DURATION:
        return duration(text, &ret->n);
    case PARAM_BOOL:
        ret->yes = strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
        return ret->yes || strcmp(text, "false") == 0 || strcmp(text, "0") == 0;
    case PARAM_CHOICE:
        return choose(p, text, &ret->choice);
    case PARAM_JSON:
    default:
        return false;
    }
}

/* A JSON number with no fraction; one that a double may not hold exactly becomes the end of the range. */
static bool
json_whole(const struct cJSON *json, int64_t *ret)
{
    double n = json->valuedouble;

    if (!cJSON_IsNumber(json) || n != trunc(n))
        return false;
    *ret = fabs(n) <= (double)TOKEN_MAX ? (int64_t)n : n < 0 ? INT64_MIN : INT64_MAX;
    return true;
}

static bool
from_json(const struct param *p, const struct cJSON *json, union value *ret)
{
    switch (p->type) {
    case PARAM_TEXT:
        ret->text = json->valuestring;
        return cJSON_IsString(json);
    case PARAM_INT:
    case PARAM_TOKEN:
        return json_whole(json, &ret->n);
    case PARAM_DURATION:
        if (cJSON_IsString(json))
            return duration(json->valuestring, &ret->n);
        if (!cJSON_IsNumber(json))
            return false;
        ret->n = fabs(json->valuedouble) < 9e9 ? (int64_t)llround(json->valuedouble * 1e9)
                 : json->valuedouble < 0       ? INT64_MIN
                                               : INT64_MAX;
        return true;
    case PARAM_BOOL:
        ret->yes = cJSON_IsTrue(json);
        return cJSON_IsBool(json);
    case PARAM_CHOICE:
        return cJSON_IsString(json) && choose(p, json->valuestring, &ret->choice);
    case PARAM_JSON:
        ret->json = json;
        return cJSON_IsObject(json);
    default:
        return false;
    }
}

static void
put(const struct param *p, const union value *v, char *args)
{
    char *to = args + p->offset;

    switch (p->type) {
    case PARAM_TEXT:
        memcpy(to, &v->text, sizeof v->text);
        break;
    case PARAM_INT:
    case PARAM_DURATION:
    case PARAM_TOKEN: /* it is positive: an int64_t and a uint64_t alike */
        memcpy(to, &v->n, sizeof v->n);
        break;
    case PARAM_BOOL:
        memcpy(to, &v->yes, sizeof v->yes);
        break;
    case PARAM_CHOICE:
        memcpy(to, &v->choice, sizeof v->choice);
        break;
    case PARAM_JSON:
    default:
        memcpy(to, &v->json, sizeof v->json);
        break;
    }
}

enum why
value_take(const struct param *p, const char *text, const struct cJSON *json, void *args,
           struct fault *f)
{
    union value v = {0};

    if (!(text ? from_text(p, text, &v) : from_json(p, json, &v)))
        return malformed(f, p);
    int64_t n = p->type == PARAM_TEXT ? (int64_t)strlen(v.text) : v.n;
    if (p->type == PARAM_TOKEN && (n < 1 || n > TOKEN_MAX))
        return malformed(f, p);
    if ((p->type == PARAM_TEXT || p->type == PARAM_INT || p->type == PARAM_DURATION) &&
        (n < p->least || n > p->most))
        return out_of_range(f, p);
    put(p, &v, args);
    return WHY_OK;
}
