/* fuzz_route.c - any path reaches a row, or none; a name it gives lies inside the path.
 *
 * SPDX-License-Identifier: MIT */
#include "fuzz/fuzz.h"

#include <string.h>

#include "http/route.h"

enum { PATH_MOST = 4096 };

static enum why
never(struct request *req, struct reply *reply)
{
    (void)req;
    (void)reply;
    abort();
}

static const struct route ROUTES[] = {
    {GET, "/", never, NULL, BODY_NONE, SHOWS, ""},
    {GET, "/v1/locks", never, NULL, BODY_NONE, SHOWS, ""},
    {GET, "/v1/locks/{name}", never, NULL, BODY_NONE, SHOWS, ""},
    {DELETE, "/v1/locks/{name}", never, NULL, BODY_NONE, SHOWS, ""},
    {POST, "/v1/locks/{name}/acquire", never, NULL, BODY_PARAMS, SHOWS, ""},
    {GET, "/v1/executors/{name}/tasks/{id}", never, NULL, BODY_NONE, SHOWS, ""},
    {GET, "/js/views/{name}", never, NULL, BODY_NONE, SHOWS, ""},
};

FUZZ(route)
{
    static int ready;
    struct fault fault = {0};
    char path[PATH_MOST], name[NAME_ROOM];

    promise(ready || !routes_set(ROUTES, sizeof ROUTES / sizeof ROUTES[0], &fault));
    ready = 1;
    if (size == 0 || size > PATH_MOST)
        return 0;
    enum method method = (enum method)(data[0] % METHOD_COUNT_);
    memcpy(path, data + 1, size - 1);
    path[size - 1] = '\0';
    struct route_match m = route_find(method, path);
    promise(!m.route || (m.route->method == method && m.allowed & 1u << method));
    for (int i = 0; m.route && i < ROUTE_NAMES_MAX && m.name[i].at; i++) {
        struct fault why = {0};

        promise(m.name[i].at > path && m.name[i].len > 0);
        promise(m.name[i].at + m.name[i].len <= path + strlen(path));
        promise(!memchr(m.name[i].at, '/', m.name[i].len));
        promise(name_check(m.name[i].at, m.name[i].len, &why) ? why.detail[0]
                                                              : m.name[i].len <= 200);
        why = (struct fault){0};
        if (name_take(m.name[i].at, m.name[i].len, name, &why))
            promise(why.detail[0]);
        else
            promise(!name_check(name, strlen(name), &why));
    }
    return 0;
}
