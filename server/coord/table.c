/* table.c - linear hashing.
 *
 * Entry h stands in bucket h mod 2^k, or, when that bucket has been split already in this round, in h mod 2^(k+1).  Each added
 * entry that would make the table fuller than one for each bucket splits the next bucket in turn: a chain is walked, no
 * more.  Segments never move, so growing copies nothing.
 *
 * SPDX-License-Identifier: MIT */
#include "coord/table.h"

#include <assert.h>
#include <stdlib.h>

enum { SEGMENT_BITS = 10, SEGMENT_LEN = 1 << SEGMENT_BITS };

static struct table_node **
bucket(const struct table *t, size_t number)
{
    return &t->segment_[number >> SEGMENT_BITS][number & (SEGMENT_LEN - 1)];
}

static struct table_node **
bucket_of(const struct table *t, uint64_t hash)
{
    size_t number = (size_t)hash & (t->mask_ << 1 | 1);

    if (number >= t->buckets_)
        number &= t->mask_;
    return bucket(t, number);
}

bool
table_init(struct table *t, size_t most)
{
    *t = (struct table){.segments_max_ = (most >> SEGMENT_BITS) + 1};
    t->segment_ = calloc(t->segments_max_, sizeof(*t->segment_));
    if (!t->segment_)
        return false;
    t->segment_[0] = calloc(SEGMENT_LEN, sizeof(**t->segment_));
    if (!t->segment_[0]) {
        free(t->segment_);
        t->segment_ = NULL;
        return false;
    }
    t->buckets_ = SEGMENT_LEN;
    t->mask_ = SEGMENT_LEN - 1;
    return true;
}

void
table_fini(struct table *t)
{
    for (size_t i = 0; t->segment_ && i < t->segments_max_; i++)
        free(t->segment_[i]);
    free(t->segment_);
    *t = (struct table){0};
}

/* Splits the next bucket.  Without memory, or at the bound, chains become longer instead. */
static void
grow(struct table *t)
{
    size_t added = t->buckets_, segment = added >> SEGMENT_BITS;

    if (segment >= t->segments_max_)
        return;
    if (!t->segment_[segment])
        t->segment_[segment] = calloc(SEGMENT_LEN, sizeof(**t->segment_));
    if (!t->segment_[segment])
        return;

    if (added > (t->mask_ << 1 | 1)) /* every bucket of the round has been split */
        t->mask_ = t->mask_ << 1 | 1;
    size_t wide = t->mask_ << 1 | 1;
    struct table_node **from = bucket(t, added & t->mask_), **to = bucket(t, added);
    while (*from) {
        struct table_node *n = *from;

        if (((size_t)n->hash & wide) == added) {
            *from = n->next;
            n->next = NULL;
            *to = n;
            to = &n->next;
        } else {
            from = &n->next;
        }
    }
    t->buckets_++;
}

void
table_add(struct table *t, struct table_node *n)
{
    if (t->len_ >= t->buckets_)
        grow(t);

    struct table_node **at = bucket_of(t, n->hash);
    n->next = *at;
    *at = n;
    t->len_++;
}

void
table_remove(struct table *t, struct table_node *n)
{
    struct table_node **at = bucket_of(t, n->hash);

    while (*at != n) {
        assert(*at);
        at = &(*at)->next;
    }
    *at = n->next;
    n->next = NULL;
    t->len_--;
}

struct table_node *
table_chain(const struct table *t, uint64_t hash)
{
    return *bucket_of(t, hash);
}

struct table_node *
table_bucket(const struct table *t, size_t number)
{
    assert(number < t->buckets_);
    return *bucket(t, number);
}
