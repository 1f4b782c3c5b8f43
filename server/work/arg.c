/* arg.c - one argument of a kind, by the type of its row: into the kind's struct, or as the JSON that is kept.
 *
 * SPDX-License-Identifier: MIT */
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/json.h"
#include "work/kinds.h"

/* ---- into its field ---- */

/* Whether @n is in the range of @a, which is in units of @worth. */
static enum why
in_range(const struct arg *a, double n, double worth, struct fault *f)
{
    AUTO_BYTES range = {0};

    if (n >= a->least * worth && n <= a->most * worth)
        return WHY_OK;
    json_number(&range, NULL, a->least);
    bytes_adds(&range, " to ");
    json_number(&range, NULL, a->most);
    return fault_set(f, WHY_INVALID, "%s: must be %s%s", a->name, bytes_text(&range),
                     a->type == ARG_DURATION ? " seconds" : "");
}

static enum why
malformed(const struct arg *a, const char *what, struct fault *f)
{
    return fault_set(f, WHY_INVALID, "%s: must be %s", a->name, what);
}

static enum why
read_text(const struct arg *a, const struct given *g, void *to, struct fault *f)
{
    const char *wrong = NULL;
    size_t len;

    if (!g->text)
        return malformed(a, "a text", f);
    len = strlen(g->text);
    if ((double)len < a->least || (double)len > a->most)
        return fault_set(f, WHY_INVALID, "%s: must be %.0f to %.0f bytes", a->name, a->least,
                         a->most);
    if (a->wrong && (wrong = a->wrong(g->text)))
        return fault_set(f, WHY_INVALID, "%s: %s", a->name, wrong);
    *(const char **)to = g->text;
    return WHY_OK;
}

/* clang-format off */
static const struct {
    bool (*given)(const struct given *g, int64_t *ret);
    const char *what;
    double worth; /* of what least and most count */
} wholes[] = {
    [ARG_INT] =      {given_whole,    "a whole number", 1},
    [ARG_DURATION] = {given_duration, "a duration of 0 or more, like 2.5 or \"250ms\"", (double)NS_PER_SECOND},
    [ARG_BYTES] =    {given_size,     "a number of bytes, like 65536 or \"64K\"", 1},
};
/* clang-format on */

static enum why
read_whole(const struct arg *a, const struct given *g, void *to, struct fault *f)
{
    int64_t n;

    if (!wholes[a->type].given(g, &n))
        return malformed(a, wholes[a->type].what, f);
    if (in_range(a, (double)n, wholes[a->type].worth, f))
        return f->why;
    *(int64_t *)to = n;
    return WHY_OK;
}

static enum why
read_number(const struct arg *a, const struct given *g, void *to, struct fault *f)
{
    double n;

    if (!given_number(g, &n))
        return malformed(a, "a number", f);
    if (in_range(a, n, 1, f))
        return f->why;
    *(double *)to = n;
    return WHY_OK;
}

static enum why
read_bool(const struct arg *a, const struct given *g, void *to, struct fault *f)
{
    return given_bool(g, to) ? WHY_OK : malformed(a, "true or false", f);
}

/* http or https with a host; more is the transfer's to say. */
static enum why
read_url(const struct arg *a, const struct given *g, void *to, struct fault *f)
{
    const char *text = g->text ? g->text : "";
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
    return read_text(a, g, to, f);
}

static enum why
read_json(const struct arg *a, const struct given *g, void *to, struct fault *f)
{
    (void)a;
    (void)f;
    *(struct json_slice *)to = g->json;
    return WHY_OK;
}

/* ---- from a query or form, as JSON ---- */

/* Each adds what the text of @g says; one that says nothing of the kind stays a text, and is refused as one. */

static enum why
add_text(const struct arg *a, const struct given *g, struct bytes *b, struct fault *f)
{
    (void)f;
    json_text(b, a->name, g->text);
    return WHY_OK;
}

static enum why
add_whole(const struct arg *a, const struct given *g, struct bytes *b, struct fault *f)
{
    int64_t n;

    if (!given_whole(g, &n))
        return add_text(a, g, b, f);
    json_int(b, a->name, n);
    return WHY_OK;
}

static enum why
add_number(const struct arg *a, const struct given *g, struct bytes *b, struct fault *f)
{
    size_t len = strlen(g->text);

    if (!json_is_number(g->text, len))
        return add_text(a, g, b, f);
    json_raw(b, a->name, g->text, len);
    return WHY_OK;
}

static enum why
add_bool(const struct arg *a, const struct given *g, struct bytes *b, struct fault *f)
{
    bool yes;

    if (!given_bool(g, &yes))
        return add_text(a, g, b, f);
    json_bool(b, a->name, yes);
    return WHY_OK;
}

/* What is JSON is that, and the rest is a text.  But for what begins like an object, an array or a quoted text and is none:
 * it was meant as one. */
static enum why
add_json(const struct arg *a, const struct given *g, struct bytes *b, struct fault *f)
{
    const char *blank = " \t\r\n", *at = g->text + strspn(g->text, blank);
    size_t len = strlen(at);
    struct fault why = {0};

    while (len > 0 && strchr(blank, at[len - 1]))
        len--;
    struct cJSON *tree = json_parse(at, len, &why);
    if (tree)
        json_raw(b, a->name, at, len);
    else if (why.why == WHY_NO_MEMORY || *at == '{' || *at == '[' || *at == '"' ||
             json_is_number(at, len))
        return fault_set(f, why.why, "%s: %s", a->name, why.detail);
    else
        json_text(b, a->name, g->text);
    json_free(tree);
    return WHY_OK;
}

/* clang-format off */
static const struct {
    enum why (*read)(const struct arg *a, const struct given *g, void *to, struct fault *f);
    enum why (*add)(const struct arg *a, const struct given *g, struct bytes *b, struct fault *f);
} types[] = {
    [ARG_TEXT] =     {read_text,   add_text},
    [ARG_INT] =      {read_whole,  add_whole},
    [ARG_NUMBER] =   {read_number, add_number},
    [ARG_DURATION] = {read_whole,  add_number},
    [ARG_BYTES] =    {read_whole,  add_number},
    [ARG_BOOL] =     {read_bool,   add_bool},
    [ARG_URL] =      {read_url,    add_text},
    [ARG_JSON] =     {read_json,   add_json},
};
/* clang-format on */

enum why
arg_read(const struct arg *a, const struct given *g, void *to, struct fault *f)
{
    return types[a->type].read(a, g, to, f);
}

enum why
arg_add(const struct arg *a, const struct given *g, struct bytes *b, struct fault *f)
{
    if (!g->json.at)
        return types[a->type].add(a, g, b, f);
    json_raw(b, a->name, g->json.at, g->json.len);
    return WHY_OK;
}
