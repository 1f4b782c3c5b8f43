/* value.h - one value as a client wrote it, into its field: the types of struct param.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_VALUE_H
#define BOBBIND_VALUE_H

#include "base/fault.h"
#include "http/route.h"

struct cJSON;

/* From @text, or from @json when @text is NULL.  WHY_INVALID, naming the parameter and what it takes; @args is untouched then.
 * A text stays where it is. */
enum why value_take(const struct param *p, const char *text, const struct cJSON *json, void *args,
                    struct fault *f);

#endif
