/* value.c - see value.h.
 *
 * SPDX-License-Identifier: MIT */
#include "http/value.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/config.h"

#define TOKEN_MAX INT64_C(9007199254740991) /* 2^53-1 */

union value {
    const char *text;
    int64_t n;
    bool yes;
    int choice;
    struct json_slice json;
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
read(const struct param *p, const struct given *g, union value *ret)
{
    switch (p->type) {
    case PARAM_TEXT:
        ret->text = g->text;
        return ret->text != NULL;
    case PARAM_INT:
    case PARAM_TOKEN:
        return given_whole(g, &ret->n);
    case PARAM_DURATION:
        return given_duration(g, &ret->n);
    case PARAM_BOOL:
        return given_bool(g, &ret->yes);
    case PARAM_CHOICE:
        return g->text && choose(p, g->text, &ret->choice);
    case PARAM_JSON:
        ret->json = g->json;
        return given_object(g);
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
value_take(const struct param *p, const struct given *g, void *args, struct fault *f)
{
    union value v = {0};

    if (!read(p, g, &v))
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
