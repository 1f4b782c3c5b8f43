/* pages.c - the dashboard: files of www/, each by its own path.
 *
 * SPDX-License-Identifier: MIT */
#include "api/api.h"
#include "http/files.h"

/* GET /, /style.css, /js/..., /openapi.json
 *   200 the file    304 its ETag is If-None-Match    404 */
enum why
api_page(struct request *req, struct reply *reply)
{
    return files_reply(app_of(req)->files, NULL, req, reply);
}
