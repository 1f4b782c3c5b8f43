/* kinds.h - every kind there is: a new one is declared here, and has a row in kinds.c.
 *
 * Private to work/.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_KINDS_H
#define BOBBIND_KINDS_H

#include "work/work.h"

/* One value into the field of its row, at @to.  WHY_INVALID names the argument, and says what it takes. */
enum why arg_read(const struct arg *a, const struct given *g, void *to, struct fault *f);

extern const struct kind kind_command, kind_download, kind_sleep, kind_square;

#endif
