/* blob.c - texts that never change and are shared by counting, so that arguments and results of some hundred kilobytes change hands
 * under the state lock for the price of an addition.
 *
 * SPDX-License-Identifier: MIT */
#include "coord/queue.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct blob *
blob_new(const char *text, size_t len)
{
    struct blob *b = malloc(sizeof *b + len + 1);

    if (!b)
        return NULL;
    atomic_init(&b->refs, 1);
    b->len = len;
    memcpy(b->text, text, len);
    b->text[len] = '\0';
    return b;
}

struct blob *
blob_ref(struct blob *b)
{
    if (b)
        atomic_fetch_add(&b->refs, 1);
    return b;
}

void
blob_unref(struct blob *b)
{
    if (!b)
        return;
    int before = atomic_fetch_sub(&b->refs, 1);
    assert(before > 0);
    if (before == 1)
        free(b);
}
