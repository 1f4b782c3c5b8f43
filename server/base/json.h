/* json.h - JSON out: a writer straight into bytes; JSON in: cJSON behind checks it does not make
 * itself.
 *
 *     json_open(b, '{');
 *     json_text(b, "name", name);
 *     json_int(b, "value", 42);
 *     json_close(b, '}');                     // {"name":"x","value":42}
 *
 * The writer keeps no state but the buffer: it puts a comma when the last byte is one a value ends
 * with, and none after an opening bracket, a space, a newline or a colon (so it may follow "data:
 * ").  Replies are on the hot path, and a tree that is built to be printed once costs five times
 * the request's own work. cJSON takes duplicate keys, depth 1,000 and bad UTF-8: json_parse refuses
 * them first.
 *
 *     struct cJSON *tree = json_parse(text, len, f);
 *     struct json_walk w;
 *     if (tree && json_members(&w, tree, text, len))
 *         while (json_next(&w, &name, &value))    // value.json: its bytes as they stand in text
 *             ... given_whole(&value, &n) ...
 *     json_free(tree);
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_JSON_H
#define BOBBIND_JSON_H

#include "base/bytes.h"
#include "base/fault.h"
#include "base/given.h"
#include "base/utf8.h"

#include <stdbool.h>
#include <stdint.h>

/* In an object @key is the member's name; in an array, or for a whole document, NULL. */
void json_open(struct bytes *b, char bracket); /* '{' or '[', as an element or the document */
void json_open_in(struct bytes *b, const char *key, char bracket); /* as the member @key */
void json_close(struct bytes *b, char bracket);                    /* '}' or ']' */
/* A NULL text is null; bad UTF-8 in it becomes U+FFFD. */
void json_text(struct bytes *b, const char *key, const char *utf8);
void json_textn(struct bytes *b, const char *key, const char *utf8, size_t len);
void json_int(struct bytes *b, const char *key, int64_t n);
void json_uint(struct bytes *b, const char *key, uint64_t n);
void json_seconds(struct bytes *b, const char *key, int64_t ns); /* 1.250 */
void json_number(struct bytes *b, const char *key, double n);    /* NaN, infinite: null */
void json_bool(struct bytes *b, const char *key, bool yes);
void json_null(struct bytes *b, const char *key);
void json_moment(struct bytes *b, const char *key, int64_t wall_ms); /* RFC 3339; 0: null */
/* What is JSON already: copied as it is. */
void json_raw(struct bytes *b, const char *key, const char *json, size_t len);

struct cJSON; /* what it is, only json.c knows */
enum { JSON_DEPTH_MAX = 64, JSON_NODES_MAX = 10000 };
/* Parses a whole document (nothing after it but white space).  NULL with @f set: not UTF-8, a
 * duplicate key, deeper than JSON_DEPTH_MAX, more than JSON_NODES_MAX values, a NUL in a text, a
 * number beyond a double, no JSON: WHY_INVALID with the byte where (counted from 1), or
 * WHY_NO_MEMORY.  Give it to json_free. */
struct cJSON *json_parse(const char *text, size_t len, struct fault *f);
void json_free(struct cJSON *tree);                /* NULL is allowed */
const char *json_string(const struct cJSON *tree); /* NULL: it is no text */
bool json_is_number(const char *text, size_t len); /* as a whole, by the grammar of JSON */

/* The members of an object in their order, each with the bytes it has in the text: what is only
 * passed on is passed on as those, for a number printed anew is another number. */
struct json_walk {
    const struct cJSON *node;
    const char *at, *end;
};
/* @tree is json_parse's of @text.  False: it is no object. */
bool json_members(struct json_walk *w, const struct cJSON *tree, const char *text, size_t len);
/* False: there is no other.  Name and text live as long as the tree, the bytes as the text. */
bool json_next(struct json_walk *w, const char **ret_name, struct given *ret);

#endif
