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

struct scan {
    const char *start, *at, *end;
    int depth, nodes;
    struct fault *fault;
};

static bool value(struct scan *s);

static bool
bad(struct scan *s, const char *what)
{
    fault_set(s->fault, WHY_INVALID, "JSON, byte %zu: %s", (size_t)(s->at - s->start) + 1, what);
    return false;
}

/* The next byte, or -1 at the end. */
static int
peek(const struct scan *s)
{
    return s->at < s->end ? (unsigned char)*s->at : -1;
}

static bool
take(struct scan *s, int byte)
{
    if (peek(s) != byte)
        return false;
    s->at++;
    return true;
}

static void
space(struct scan *s)
{
    while (take(s, ' ') || take(s, '\t') || take(s, '\n') || take(s, '\r'))
        ;
}

static bool
word(struct scan *s, const char *text)
{
    size_t len = strlen(text);

    if ((size_t)(s->end - s->at) < len || memcmp(s->at, text, len) != 0)
        return bad(s, "a value expected");
    s->at += len;
    return true;
}

static bool
digits(struct scan *s)
{
    const char *from = s->at;

    while (peek(s) >= '0' && peek(s) <= '9')
        s->at++;
    return s->at > from || bad(s, "a digit expected");
}

static bool
number(struct scan *s)
{
    take(s, '-');
    if (take(s, '0')) {
        if (peek(s) >= '0' && peek(s) <= '9')
            return bad(s, "a number with a leading zero");
    } else if (!digits(s)) {
        return false;
    }
    if (take(s, '.') && !digits(s))
        return false;
    if (take(s, 'e') || take(s, 'E')) {
        if (!take(s, '+'))
            take(s, '-');
        return digits(s);
    }
    return true;
}

/* Four hexadecimal digits; -1 when they are not. */
static int
hex4(struct scan *s)
{
    int n = 0;

    for (int i = 0; i < 4; i++, s->at++) {
        int c = peek(s);

        if (c >= '0' && c <= '9')
            n = n * 16 + c - '0';
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            n = n * 16 + (c | 0x20) - 'a' + 10;
        else
            return -1;
    }
    return n;
}

static bool
escape(struct scan *s)
{
    int c = peek(s);

    if (c < 0 || !strchr("\"\\/bfnrtu", c) || c == 0)
        return bad(s, "no such escape");
    s->at++;
    if (c != 'u')
        return true;

    int unit = hex4(s);
    if (unit < 0)
        return bad(s, "\\u wants four hexadecimal digits");
    if (unit == 0)
        return bad(s, "a text with a NUL in it");
    if (unit < 0xD800 || unit > 0xDFFF)
        return true;
    if (unit > 0xDBFF || !take(s, '\\') || !take(s, 'u'))
        return bad(s, "half of a surrogate pair");
    unit = hex4(s);
    return (unit >= 0xDC00 && unit <= 0xDFFF) || bad(s, "half of a surrogate pair");
}

static bool
string(struct scan *s)
{
    if (!take(s, '"'))
        return bad(s, "a text in double quotes expected");
    while (!take(s, '"')) {
        int c = peek(s);

        if (c < 0)
            return bad(s, "a text without its end");
        if (c < 0x20)
            return bad(s, "a control byte in a text");
        if (take(s, '\\')) {
            if (!escape(s))
                return false;
            continue;
        }
        size_t len = utf8_char(s->at, (size_t)(s->end - s->at));
        if (len == 0)
            return bad(s, "not UTF-8");
        s->at += len;
    }
    return true;
}

/* The members of an object ('}') or array (']'), whose opening bracket has been read. */
static bool
members(struct scan *s, int close)
{
    space(s);
    if (take(s, close))
        return true;
    do {
        space(s);
        if (close == '}') {
            if (!string(s))
                return false;
            space(s);
            if (!take(s, ':'))
                return bad(s, "a ':' expected");
        }
        if (!value(s))
            return false;
        space(s);
    } while (take(s, ','));
    return take(s, close) ||
           bad(s, close == '}' ? "a ',' or '}' expected" : "a ',' or ']' expected");
}

static bool
value(struct scan *s)
{
    bool good;

    space(s);
    if (++s->nodes > JSON_NODES_MAX)
        return bad(s, "more than 10000 values");
    switch (peek(s)) {
    case '{':
    case '[':
        if (++s->depth > JSON_DEPTH_MAX)
            return bad(s, "deeper than 64 levels");
        good = members(s, *s->at++ == '{' ? '}' : ']');
        s->depth--;
        return good;
    case '"':
        return string(s);
    case 't':
        return word(s, "true");
    case 'f':
        return word(s, "false");
    case 'n':
        return word(s, "null");
    case -1:
        return bad(s, "a value expected, the text is over");
    default:
        if (peek(s) == '-' || (peek(s) >= '0' && peek(s) <= '9'))
            return number(s);
        return bad(s, "a value expected");
    }
}
_Static_assert(JSON_NODES_MAX == 10000 && JSON_DEPTH_MAX == 64, "the sentences above say so");

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

    if (!value(&s))
        return NULL;
    space(&s);
    if (s.at < s.end) {
        bad(&s, "something after the end of the document");
        return NULL;
    }
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
