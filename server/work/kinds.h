/* kinds.h - every kind there is: a new one is declared here, and has a row in kinds.c.
 *
 * Private to work/.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_KINDS_H
#define BOBBIND_KINDS_H

#include "work/work.h"

extern const struct kind kind_command, kind_download, kind_sleep, kind_square;

/* kind_args of a whole text; what it returns holds the texts in @args: kind_args_free it when the run is over.  NULL with @f set. */
struct cJSON *kind_args_parse(const struct kind *k, const char *text, size_t len, void *args,
                              struct fault *f);
void kind_args_free(struct cJSON *json); /* NULL is allowed */

#endif
