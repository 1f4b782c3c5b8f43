/* json.c - the reading half of json.h: a strict check of the text by RFC 8259, then cJSON, then the
 * check that needs the tree.
 *
 * cJSON alone takes numbers like 01 and 1., raw control bytes in texts, any byte below 33 as white
 * space, a thousand levels, bad UTF-8 and duplicate keys; and what it reads, others on the way may
 * read differently.  So nothing reaches it that is not JSON to everybody.  Keys are compared once
 * decoded: "a" and "\u0061" are the same key.
 *
 * SPDX-License-Identifier: MIT */
#include "base/json.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>

#include "base/json_scan.h"

static int
compare_keys(const void *a, const void *b)
{
    const char *const *left = a, *const *right = b;

    return strcmp(*left, *right);
}

/* Sorted, because a stranger may send ten thousand keys: comparing each with each would take a
 * tenth of a second. */
static bool
keys_unique(const cJSON *object, struct fault *f)
{
    size_t n = 0;
    const char *few[32];
    const char **keys = few;
    const char *twice = NULL;

    for (const cJSON *m = object->child; m; m = m->next)
        n++;
    if (n > sizeof few / sizeof few[0] && !(keys = malloc(n * sizeof *keys))) {
        fault_set(f, WHY_NO_MEMORY, "%s", "");
        return false;
    }
    n = 0;
    for (const cJSON *m = object->child; m; m = m->next)
        keys[n++] = m->string;
    qsort(keys, n, sizeof *keys, compare_keys);
    for (size_t i = 1; i < n && !twice; i++)
        twice = strcmp(keys[i - 1], keys[i]) == 0 ? keys[i] : NULL;
    if (twice)
        fault_set(f, WHY_INVALID, "JSON: the key \"%.60s\" stands twice in an object", twice);
    if (keys != few)
        free(keys);
    return !twice;
}

static bool
tree_sound(const cJSON *node, struct fault *f)
{
    if (cJSON_IsNumber(node) && !isfinite(node->valuedouble)) {
        fault_set(f, WHY_INVALID, "JSON: a number beyond the range of a double");
        return false;
    }
    if (cJSON_IsObject(node) && !keys_unique(node, f))
        return false;
    for (const cJSON *m = node->child; m; m = m->next) {
        if (!tree_sound(m, f))
            return false;
    }
    return true;
}

struct cJSON *
json_parse(const char *text, size_t len, struct fault *f)
{
    struct scan s = {.start = text, .at = text, .end = text + len, .fault = f};

    if (!scan_value(&s) || !scan_end(&s))
        return NULL;
    cJSON *root = cJSON_ParseWithLength(text, len);
    if (!root) {
        fault_set(f, WHY_NO_MEMORY, "%s", ""); /* the text is sound: nothing else can have failed */
        return NULL;
    }
    if (!tree_sound(root, f)) {
        cJSON_Delete(root);
        return NULL;
    }
    return root;
}

void
json_free(struct cJSON *tree)
{
    cJSON_Delete(tree);
}

const char *
json_string(const struct cJSON *tree)
{
    return cJSON_GetStringValue(tree);
}

bool
json_is_number(const char *text, size_t len)
{
    struct fault unused = {0};
    struct scan s = {.start = text, .at = text, .end = text + len, .fault = &unused};

    return len > 0 && (*text == '-' || (*text >= '0' && *text <= '9')) && scan_value(&s) &&
           s.at == s.end;
}

bool
json_members(struct json_walk *w, const struct cJSON *tree, const char *text, size_t len)
{
    struct scan s = {.start = text, .at = text, .end = text + len};

    if (!cJSON_IsObject(tree))
        return false;
    scan_space(&s);
    scan_take(&s, '{');
    *w = (struct json_walk){tree->child, s.at, s.end};
    return true;
}

/* The tree has the members in the order of the text: name and text come from there, decoded. */
bool
json_next(struct json_walk *w, const char **ret_name, struct given *ret)
{
    struct fault unused = {0};
    struct scan s = {.start = w->at, .at = w->at, .end = w->end, .fault = &unused};

    if (!w->node)
        return false;
    bool sound = scan_name(&s);
    scan_space(&s);
    const char *from = s.at;
    sound = sound && scan_value(&s);
    assert(sound); /* json_parse took it */
    *ret_name = w->node->string;
    *ret = (struct given){cJSON_GetStringValue(w->node), {from, (size_t)(s.at - from)}};
    scan_space(&s);
    scan_take(&s, ',');
    w->at = s.at;
    w->node = w->node->next;
    return true;
}
