/* hash.c - see hash.h.
 *
 * SPDX-License-Identifier: MIT */
#include "base/hash.h"

#include <assert.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/random.h>

#ifdef HAVE_NETTLE

#include <nettle/sha2.h>

_Static_assert(sizeof(struct sha256_ctx) <= sizeof(struct sha256), "sha256: state_ is too small");
_Static_assert(_Alignof(struct sha256_ctx) <= _Alignof(struct sha256), "sha256: alignment");

static struct sha256_ctx *
context(struct sha256 *h)
{
    return (struct sha256_ctx *)h->state_;
}

void
sha256_start(struct sha256 *h)
{
    sha256_init(context(h));
}

void
sha256_add(struct sha256 *h, const void *data, size_t len)
{
    sha256_update(context(h), len, data);
}

void
sha256_hex(struct sha256 *h, char ret_hex[SHA256_HEX_LEN])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t digest[SHA256_DIGEST_SIZE];

    sha256_digest(context(h), sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++) {
        *ret_hex++ = digits[digest[i] >> 4];
        *ret_hex++ = digits[digest[i] & 15];
    }
    *ret_hex = '\0';
}

#endif

/* The key is drawn before it is needed by the first to come; the others wait for the few moments
 * that takes.  It is written before the release of KEY_SET and read after its acquire, and never
 * changes again. */
enum { KEY_NONE, KEY_COMING, KEY_SET };
static _Atomic int key_state = KEY_NONE;
static uint64_t key0, key1;

static uint64_t
little_endian(const uint8_t *at)
{
    uint64_t n = 0;

    for (int i = 7; i >= 0; i--)
        n = n << 8 | at[i];
    return n;
}

static void
draw_key(void)
{
    int none = KEY_NONE;

    if (atomic_compare_exchange_strong(&key_state, &none, KEY_COMING)) {
        uint8_t key[16];
        ssize_t n = getrandom(key, sizeof key, 0); /* up to 256 bytes come whole */

        assert(n == sizeof key);
        (void)n;
        hash_seed(key);
        return;
    }
    while (atomic_load_explicit(&key_state, memory_order_acquire) != KEY_SET)
        sched_yield();
}

void
hash_seed(const uint8_t key[16])
{
    key0 = little_endian(key);
    key1 = little_endian(key + 8);
    atomic_store_explicit(&key_state, KEY_SET, memory_order_release);
}

static uint64_t
rotate(uint64_t n, int by)
{
    return n << by | n >> (64 - by);
}

static void
sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] = rotate(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] = rotate(v[2], 32);
}

uint64_t
hash_name(const void *data, size_t len)
{
    const uint8_t *at = data;
    uint8_t last[8] = {0};

    if (atomic_load_explicit(&key_state, memory_order_acquire) != KEY_SET)
        draw_key();
    uint64_t v[4] = {key0 ^ UINT64_C(0x736f6d6570736575), key1 ^ UINT64_C(0x646f72616e646f6d),
                     key0 ^ UINT64_C(0x6c7967656e657261), key1 ^ UINT64_C(0x7465646279746573)};
    size_t left = len;

    for (; left >= 8; left -= 8, at += 8) {
        uint64_t word = little_endian(at);

        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    if (left > 0)
        memcpy(last, at, left);
    last[7] = (uint8_t)len;
    uint64_t word = little_endian(last);

    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
