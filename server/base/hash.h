/* hash.h - SHA-256 over nettle (absent in a build without it: HAVE_NETTLE), and the keyed hash of
 * our tables.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_HASH_H
#define BOBBIND_HASH_H

#include <stddef.h>
#include <stdint.h>

enum { SHA256_HEX_LEN = 65 };

struct sha256 {
    /* private */
    uint64_t state_[16];
};

void sha256_start(struct sha256 *h);
void sha256_add(struct sha256 *h, const void *data, size_t len);
void sha256_hex(struct sha256 *h, char ret_hex[SHA256_HEX_LEN]); /* ends it */

/* SipHash-1-3 with a key drawn at start: names come from strangers, and a table must not be made
 * slow by them. */
uint64_t hash_name(const void *data, size_t len);
void hash_seed(const uint8_t key[16]); /* tests; otherwise the first use draws one with getrandom */

#endif
