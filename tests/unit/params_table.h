/* params_table.h - a call with a parameter of each type: what test_params.c and the fuzz target read into.
 *
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_PARAMS_TABLE_H
#define TESTS_PARAMS_TABLE_H

#include "http/exchange.h"

struct args {
    const char *owner;
    int64_t n, ttl;
    uint64_t token;
    bool deep;
    int order;
    struct json_slice args;
};
static const char *const ORDERS[] = {"fifo", "lifo", NULL};
/* clang-format off */
static const struct param PARAMS[] = {
    {"owner", PARAM_TEXT,     PARAM_AT(struct args, owner), false, 0,         8,                  "nobody", NULL,   ""},
    {"n",     PARAM_INT,      PARAM_AT(struct args, n),     false, -10,       10,                 "1",      NULL,   ""},
    {"ttl",   PARAM_DURATION, PARAM_AT(struct args, ttl),   false, NS_PER_MS, 60 * NS_PER_SECOND, "30s",    NULL,   ""},
    {"token", PARAM_TOKEN,    PARAM_AT(struct args, token), false, 0,         0,                  NULL,     NULL,   ""},
    {"deep",  PARAM_BOOL,     PARAM_AT(struct args, deep),  false, 0,         0,                  NULL,     NULL,   ""},
    {"order", PARAM_CHOICE,   PARAM_AT(struct args, order), false, 0,         0,                  "lifo",   ORDERS, ""},
    {"args",  PARAM_JSON,     PARAM_AT(struct args, args),  false, 0,         0,                  NULL,     NULL,   ""},
    {0},
};
/* clang-format on */

#endif
