/* value.h - one value as a client gave it, into its field: the types of struct param.  What each takes
 * from a text and from JSON is base/given.h's table.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_VALUE_H
#define BOBBIND_VALUE_H

#include "base/fault.h"
#include "base/given.h"
#include "http/route.h"

/* WHY_INVALID, naming the parameter and what it takes; @args is untouched then.  Texts and JSON stay where
 * they are. */
enum why value_take(const struct param *p, const struct given *g, void *args, struct fault *f);

#endif
