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
