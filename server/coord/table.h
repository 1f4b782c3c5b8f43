/* table.h - a hash table that grows a bucket at a time (linear hashing), so that no step pays for all entries.
 *
 * Intrusive: what is kept embeds a node, whose hash the owner has set.  It never shrinks.  Buckets stand in segments of 1,024
 * behind a directory that is made whole at the start.
 *
 * Private to coord/; guarded by whoever owns the table.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_TABLE_H
#define BOBBIND_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table_node {
    struct table_node *next; /* in its bucket */
    uint64_t hash;
};

struct table {
    /* private */
    struct table_node ***segment_;
    size_t segments_max_;
    size_t buckets_; /* in use */
    size_t mask_;    /* the power of two this round of splits began with, less one */
    size_t len_;
};

/* For about @most entries; more fit, in longer chains.  False: no memory. */
bool table_init(struct table *t, size_t most);
void table_fini(struct table *t); /* the entries are the owner's */

void table_add(struct table *t,
               struct table_node *n); /* n->hash is set; equal hashes are allowed */
void table_remove(struct table *t, struct table_node *n); /* it is in there */
/* The chain that holds every entry of @hash, and others. */
struct table_node *table_chain(const struct table *t, uint64_t hash);
static inline size_t
table_len(const struct table *t)
{
    return t->len_;
}
/* For walks: the buckets are numbered from 0; an entry only ever moves to a higher one. */
static inline size_t
table_buckets(const struct table *t)
{
    return t->buckets_;
}
struct table_node *table_bucket(const struct table *t, size_t number);

#endif
