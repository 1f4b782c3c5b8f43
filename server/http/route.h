/* route.h - which method and path reach which handler, and the parameters it takes: one table says all.
 *
 * A row is the whole contract of a call: the router, the reading of parameters, the refusal of unknown ones, Allow, and the test
 * of openapi.json come from it, and what passes while the server is stopping.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_ROUTE_H
#define BOBBIND_ROUTE_H

#include "base/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct request;
struct reply;

enum method { GET, POST, PUT, DELETE, METHOD_COUNT_ }; /* HEAD is answered as GET */

/* A handler is called once, in MHD's thread, when the request is whole.  It returns
 *   WHY_OK       the reply is filled
 *   WHY_PENDING  request_later's answer will fill it, or request_work runs it
 *   else         what request_fault says, as problem+json (the reply may carry extra members: reply_problem_extra) */
typedef enum why handler_fn(struct request *req, struct reply *reply);

enum param_type {
    PARAM_TEXT,     /* const char *   least..most: bytes */
    PARAM_INT,      /* int64_t        least..most */
    PARAM_DURATION, /* int64_t ns     least..most */
    PARAM_TOKEN,    /* uint64_t       1 ... 2^53-1 */
    PARAM_BOOL,     /* bool */
    PARAM_CHOICE,   /* int: index in choices */
    PARAM_JSON,     /* struct json_slice: an object, as it was sent; only in a JSON body */
};

struct param {
    const char *name;
    enum param_type type;
    unsigned short offset; /* into the struct of arguments */
    bool required;
    int64_t least, most;
    const char
        *fallback; /* as a client would write it; NULL with !required: the field is left zero */
    const char *const *choices; /* NULL-terminated */
    const char *doc;
};
#define PARAM_AT(type, field) ((unsigned short)offsetof(type, field))

enum body {
    BODY_NONE,
    BODY_PARAMS,
    BODY_OPEN
}; /* OPEN: unknown parameters are kept, for request_rest (a kind's arguments) */

/* What a call does, seen from a server that is stopping: a row that does not say is refused there. */
enum effect {
    BEGINS, /* something that the stop would have to wait for, or that nobody is there to end: 503 */
    SHOWS,
    KEEPS, /* what is held, for longer */
    ENDS   /* gives back, forgets, or reports an end */
};

struct route {
    enum method method;
    const char *path; /* "/v1/locks/{name}/acquire": a {part} is a name of the alphabet */
    handler_fn *handler;
    const struct param *params; /* ends with a row without a name; NULL: takes none */
    enum body body;
    enum effect effect;
    const char *doc; /* one line */
};

enum { ROUTE_NAMES_MAX = 2 };
struct route_match {
    const struct route *route; /* NULL: none */
    unsigned allowed; /* bit (1 << method) for each method this path has; 0: no such path */
    struct {
        const char *at; /* into the path given; raw */
        size_t len;
    } name[ROUTE_NAMES_MAX];
};

/* Prepares @table (@n rows, kept; it must outlive every call) for route_find.  WHY_INTERNAL: two rows alike. */
enum why routes_set(const struct route *table, size_t n, struct fault *f);
struct route_match route_find(enum method method, const char *path);
const struct route *routes_all(size_t *ret_n);

/* A name is 1-200 bytes of A-Za-z0-9._:~- and neither "." nor ".."; WHY_INVALID with the reason. */
enum why name_check(const char *at, size_t len, struct fault *f);
/* The name of a path's segment: as it stands, or with bytes of the alphabet percent-encoded, as careful clients send them (%3A for a
 * colon).  An escape of any other byte is no name. */
enum { NAME_ROOM = 204 };
enum why name_take(const char *at, size_t len, char ret_name[NAME_ROOM], struct fault *f);

extern const char *const method_name[METHOD_COUNT_];

#endif
