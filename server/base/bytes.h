/* bytes.h - a growing buffer.  When memory runs out it remembers that and ignores what follows; ask
 * once at the end: `if (b.failed)`.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_BYTES_H
#define BOBBIND_BYTES_H

#include <bobbin/annotate.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
    char *at; /* NULL while empty and never grown; not NUL-terminated unless bytes_text says so */
    size_t len;
    size_t cap;
    bool failed;
};

/* Makes sure of @more free bytes; false (and failed) when memory is out. */
bool bytes_room(struct bytes *b, size_t more);
void bytes_add(struct bytes *b, const void *data, size_t len);
void bytes_addf(struct bytes *b, const char *fmt, ...) BOB_PRINTF(2, 3);
void bytes_add_u64(struct bytes *b, uint64_t n);
void bytes_add_i64(struct bytes *b, int64_t n);
const char *bytes_text(struct bytes *b); /* NUL-terminated view, or "" when memory ran out */
void bytes_clear(struct bytes *b);       /* len = 0, failed = false; keeps the memory */
void bytes_free(struct bytes *b);
#define AUTO_BYTES BOB_CLEANUP(bytes_free) struct bytes

static inline void
bytes_adds(struct bytes *b, const char *text)
{
    bytes_add(b, text, strlen(text));
}

#endif
