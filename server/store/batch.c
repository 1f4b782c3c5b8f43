/* batch.c - see batch.h.  A change is a head of eight bytes (length of the record, or GONE; of the name; of the kind), then
 * kind, name and record.  Nothing is aligned: heads are copied.
 *
 * SPDX-License-Identifier: MIT */
#include "store/batch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define GONE UINT32_MAX

struct head {
    uint32_t len;
    uint16_t name_len;
    uint16_t kind_len;
};
_Static_assert(sizeof(struct head) == BATCH_HEAD, "BATCH_HEAD is what callers count on");

bool
batch_room(struct batch *b, size_t more)
{
    size_t cap = b->cap ? b->cap : 4096;
    unsigned char *at;

    if (b->cap - b->len >= more)
        return true;
    while (cap - b->len < more) {
        if (cap > SIZE_MAX / 4)
            return false;
        cap *= 2;
    }
    at = realloc(b->at, cap);
    if (!at)
        return false;
    b->at = at;
    b->cap = cap;
    return true;
}

void
batch_add(struct batch *b, const struct change *c)
{
    struct head head = {
        .len = c->record ? (uint32_t)c->len : GONE,
        .name_len = (uint16_t)c->name_len,
        .kind_len = (uint16_t)c->kind_len,
    };
    unsigned char *at = b->at + b->len;
    size_t len = c->record ? c->len : 0;

    assert(c->kind_len <= KIND_MAX_LEN && c->name_len <= UINT16_MAX && len < GONE);
    assert(b->cap - b->len >= sizeof head + c->kind_len + c->name_len + len);
    memcpy(at, &head, sizeof head);
    at += sizeof head;
    memcpy(at, c->kind, c->kind_len);
    at += c->kind_len;
    memcpy(at, c->name, c->name_len);
    at += c->name_len;
    if (len > 0)
        memcpy(at, c->record, len);
    b->len = (size_t)(at + len - b->at);
    b->n++;
}

bool
batch_next(const struct batch *b, size_t *at, struct change *ret)
{
    const unsigned char *p = b->at + *at;
    struct head head;

    if (*at == b->len)
        return false;
    ret->seq = *at == 0 ? b->first : ret->seq + 1;
    memcpy(&head, p, sizeof head);
    p += sizeof head;
    ret->kind = (const char *)p;
    ret->kind_len = head.kind_len;
    p += head.kind_len;
    ret->name = (const char *)p;
    ret->name_len = head.name_len;
    p += head.name_len;
    ret->record = head.len == GONE ? NULL : p;
    ret->len = head.len == GONE ? 0 : head.len;
    *at = (size_t)(p + ret->len - b->at);
    return true;
}

void
batch_free(struct batch *b)
{
    free(b->at);
    *b = (struct batch){0};
}
