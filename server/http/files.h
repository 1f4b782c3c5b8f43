/* files.h - the dashboard's files, read into memory at start and again on demand, never while a request is answered.
 *
 * Order:   a request has the files as they were before a reload or after it, whole.
 * Threads: files_reply in handlers; files_reload from any one thread meanwhile.
 * Locks:   takes L_SLOT for a moment (its own).
 * Memory:  a replaced set lives until the last reply that uses it was queued.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_FILES_H
#define BOBBIND_FILES_H

#include "base/fault.h"
#include "http/reply.h"
#include "http/request.h"

struct files;

/* Reads every regular file under @folder whose path has no part that is a link or begins with a dot.  NULL with the fault set: the folder
 * cannot be read, or holds more than 1,000 files or 64 MiB.  "" is no folder: every path is WHY_NOT_FOUND. */
struct files *files_load(const char *folder, struct fault *f);
enum why files_reload(struct files *files); /* logs what fails; the old ones stay then */
void files_free(struct files *files);       /* after http_stop; NULL is allowed */

/* Answers with the file at @path, "/js/main.js"; "/" is "/index.html"; NULL is the request's own path.  304 when If-None-Match
 * names its ETag.  WHY_NOT_FOUND. */
enum why files_reply(struct files *files, const char *path, struct request *req,
                     struct reply *reply);

#endif
