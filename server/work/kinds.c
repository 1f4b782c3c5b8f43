/* kinds.c - the table of kinds, and the reading of their arguments.
 *
 * Arguments are read twice from the same table: when a task is submitted, so that a wrong one never gets in, and when it runs,
 * for only the JSON is kept.
 *
 * SPDX-License-Identifier: MIT */
#include "work/kinds.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <strings.h>

#include "base/clock.h"
#include "base/json.h"
#include "work/command.h"

static const struct kind *const kinds[] = {
    &kind_command, /* stays the first: see first_kind */
#if defined(HAVE_CURL) && defined(HAVE_NETTLE)
    &kind_download,
#endif
    &kind_sleep,
    &kind_square,
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

/* A server that was given no commands has no kind for them. */
static size_t
first_kind(void)
{
    return commands_any() ? 0 : 1;
}

const struct kind *
kind_find(const char *name)
{
    for (size_t i = first_kind(); i < KINDS; i++) {
        if (strcmp(kinds[i]->name, name) == 0)
            return kinds[i];
    }
    return NULL;
}

const struct kind *const *
kinds_all(size_t *ret_n)
{
    *ret_n = KINDS - first_kind();
    return kinds + first_kind();
}

/* ---- one value ---- */

/* Whether @n is in the range of @a, which is in units of @worth. */
static enum why
in_range(const struct arg *a, double n, double worth, struct fault *f)
{
    if (n >= a->least * worth && n <= a->most * worth)
        return WHY_OK;
    return fault_set(f, WHY_INVALID, "%s: must be %.15g to %.15g%s", a->name, a->least, a->most,
                     a->type == ARG_DURATION ? " seconds" : "");
}

static enum why
malformed(const struct arg *a, const char *what, struct fault *f)
{
    return fault_set(f, WHY_INVALID, "%s: must be %s", a->name, what);
}

static bool
whole_parse(const char *text, int64_t *ret)
{
    char *end;

    if (*text != '-' && (*text < '0' || *text > '9'))
        return false;
    errno = 0;
    *ret = strtoll(text, &end, 10);
    return errno == 0 && *end == '\0' && end[-1] != '-' && *ret >= -WHOLE_MAX && *ret <= WHOLE_MAX;
}

/* A number of JSON that is whole. */
static bool
whole_number(const cJSON *value, int64_t *ret)
{
    if (!cJSON_IsNumber(value) || floor(value->valuedouble) != value->valuedouble ||
        fabs(value->valuedouble) > (double)WHOLE_MAX)
        return false;
    *ret = (int64_t)value->valuedouble;
    return true;
}

static enum why
read_text(const struct arg *a, const cJSON *value, void *to, struct fault *f)
{
    const char *wrong = NULL;
    size_t len;

    if (!cJSON_IsString(value))
        return malformed(a, "a text", f);
    len = strlen(value->valuestring);
    if ((double)len < a->least || (double)len > a->most)
        return fault_set(f, WHY_INVALID, "%s: must be %.0f to %.0f bytes", a->name, a->least,
                         a->most);
    if (a->wrong && (wrong = a->wrong(value->valuestring)))
        return fault_set(f, WHY_INVALID, "%s: %s", a->name, wrong);
    *(const char **)to = value->valuestring;
    return WHY_OK;
}

static enum why
read_whole(const struct arg *a, const cJSON *value, void *to, struct fault *f)
{
    int64_t n;
    bool good;

    if (!cJSON_IsString(value))
        good = whole_number(value, &n);
    else if (a->type == ARG_BYTES)
        good = bytes_size_parse(value->valuestring, &n);
    else
        good = whole_parse(value->valuestring, &n);
    if (!good)
        return malformed(
            a, a->type == ARG_BYTES ? "a number of bytes, like 65536 or 64K" : "a whole number", f);
    if (in_range(a, (double)n, 1, f))
        return WHY_INVALID;
    *(int64_t *)to = n;
    return WHY_OK;
}

static enum why
read_number(const struct arg *a, const cJSON *value, void *to, struct fault *f)
{
    double n = NAN;
    char *end;

    if (cJSON_IsNumber(value)) {
        n = value->valuedouble;
    } else if (cJSON_IsString(value)) {
        n = strtod(value->valuestring, &end);
        if (end == value->valuestring || *end != '\0')
            n = NAN;
    }
    if (!isfinite(n))
        return malformed(a, "a number", f);
    if (in_range(a, n, 1, f))
        return WHY_INVALID;
    *(double *)to = n;
    return WHY_OK;
}

static enum why
read_duration(const struct arg *a, const cJSON *value, void *to, struct fault *f)
{
    int64_t ns;

    if (cJSON_IsNumber(value)) {
        double seconds = value->valuedouble;

        if (in_range(a, seconds, 1, f))
            return WHY_INVALID;
        ns = llround(seconds * (double)NS_PER_SECOND);
    } else if (!cJSON_IsString(value) || !duration_parse(value->valuestring, &ns)) {
        return malformed(a, "a duration of 0 or more, like 2.5 or \"250ms\"", f);
    } else if (in_range(a, (double)ns, (double)NS_PER_SECOND, f)) {
        return WHY_INVALID;
    }
    *(int64_t *)to = ns;
    return WHY_OK;
}

static enum why
read_bool(const struct arg *a, const cJSON *value, void *to, struct fault *f)
{
    static const struct {
        const char *text;
        bool yes;
    } words[] = {{"true", true}, {"false", false}, {"yes", true},
                 {"no", false},  {"1", true},      {"0", false}};

    if (cJSON_IsBool(value)) {
        *(bool *)to = cJSON_IsTrue(value);
        return WHY_OK;
    }
    for (size_t i = 0; cJSON_IsString(value) && i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(words[i].text, value->valuestring) == 0) {
            *(bool *)to = words[i].yes;
            return WHY_OK;
        }
    }
    return malformed(a, "true or false", f);
}

/* http or https with a host; more is the transfer's to say. */
static enum why
read_url(const struct arg *a, const cJSON *value, void *to, struct fault *f)
{
    const char *text = cJSON_IsString(value) ? value->valuestring : "";
    size_t scheme = strncasecmp(text, "https://", 8) == 0  ? 8
                    : strncasecmp(text, "http://", 7) == 0 ? 7
                                                           : 0;

    if (scheme == 0 || text[scheme] == '\0' || strchr("/?#:@", text[scheme]))
        return malformed(a, "an http or https URL", f);
    for (const char *at = text; *at; at++) {
        if ((unsigned char)*at <= ' ' || *at == 0x7F || *at == '\\')
            return malformed(a,
                             "a URL without spaces, backslashes and control characters; a form is "
                             "decoded once: curl --data-urlencode sends %20 and & as they are",
                             f);
    }
    if (memchr(text + scheme, '@',
               strcspn(text + scheme, "/?#"))) /* it would be stored, and shown */
        return malformed(a, "a URL without a user's name or password", f);
    return read_text(a, value, to, f);
}

/* Anything; a text must be JSON itself, as from a query. */
static enum why
read_json(const struct arg *a, const cJSON *value, void *to, struct fault *f)
{
    if (cJSON_IsString(value)) {
        struct fault why = {0};
        cJSON *json = json_parse(value->valuestring, strlen(value->valuestring), &why);

        if (!json)
            return fault_set(f, why.why, "%s: as a text it must be JSON: %s", a->name, why.detail);
        cJSON_Delete(json);
    }
    *(const cJSON **)to = value;
    return WHY_OK;
}

static enum why
read_value(const struct arg *a, const cJSON *value, void *to, struct fault *f)
{
    switch (a->type) {
    case ARG_TEXT:
        return read_text(a, value, to, f);
    case ARG_INT:
    case ARG_BYTES:
        return read_whole(a, value, to, f);
    case ARG_NUMBER:
        return read_number(a, value, to, f);
    case ARG_DURATION:
        return read_duration(a, value, to, f);
    case ARG_BOOL:
        return read_bool(a, value, to, f);
    case ARG_URL:
        return read_url(a, value, to, f);
    case ARG_JSON:
        return read_json(a, value, to, f);
    default:
        abort();
    }
}

/* ---- all of them ---- */

const struct arg *
kind_arg(const struct kind *k, const char *name)
{
    for (const struct arg *a = k->args; a->name; a++) {
        if (strcmp(a->name, name) == 0)
            return a;
    }
    return NULL;
}

void
kind_arg_names(const struct kind *k, struct bytes *b)
{
    for (const struct arg *a = k->args; a->name; a++) {
        bytes_adds(b, a == k->args ? "" : ", ");
        bytes_adds(b, a->name);
    }
}

static enum why
unknown(const struct kind *k, const char *name, struct fault *f)
{
    AUTO_BYTES known = {0};

    kind_arg_names(k, &known);
    return fault_set(f, WHY_INVALID, "%.60s: %s takes no such argument; it takes: %s", name,
                     k->name, bytes_text(&known));
}

enum why
kind_args(const struct kind *k, const struct cJSON *json, void *args, struct fault *f)
{
    const cJSON *value;
    enum why why;

    memset(args, 0, k->args_size);
    if (!cJSON_IsObject(json))
        return fault_set(f, WHY_INVALID, "args: must be an object");
    cJSON_ArrayForEach(value, json)
    {
        if (!kind_arg(k, value->string))
            return unknown(k, value->string, f);
    }
    for (const struct arg *a = k->args; a->name; a++) {
        cJSON fallback = {.type = cJSON_String};

        value = cJSON_GetObjectItemCaseSensitive(json, a->name);
        if (!value && a->required)
            return fault_set(f, WHY_INVALID, "%s: %s needs it: %s", a->name, k->name, a->doc);
        if (!value && !a->fallback)
            continue;
        fallback.valuestring = (char *)(uintptr_t)a->fallback; /* only read */
        why = read_value(a, value ? value : &fallback, (char *)args + a->offset, f);
        if (why)
            return why;
    }
    return WHY_OK;
}

struct cJSON *
kind_args_parse(const struct kind *k, const char *text, size_t len, void *args, struct fault *f)
{
    struct cJSON *json = json_parse(text, len, f);

    if (json && kind_args(k, json, args, f)) {
        cJSON_Delete(json);
        return NULL;
    }
    return json;
}

void
kind_args_free(struct cJSON *json)
{
    cJSON_Delete(json);
}
