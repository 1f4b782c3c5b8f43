/* record.h - the small binary format of a change's record: fields one after another, each a tag, a type and a value.
 *
 *     record_start(&r, buf, sizeof buf);
 *     record_int(&r, 'v', value);
 *     record_text(&r, 'o', owner, strlen(owner));
 *     len = record_end(&r);                                  // 0: did not fit
 *
 *     for (at = NULL; record_next(data, len, &at, &field);) ...   // unknown tags are skipped: an older reader lives on
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_RECORD_H
#define BOBBIND_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct record {
    /* private */
    unsigned char *start_, *at_, *end_;
    bool failed_;
};
void record_start(struct record *r, void *buf, size_t cap);
void record_int(struct record *r, char tag, int64_t n);
void record_text(struct record *r, char tag, const char *text, size_t len);
size_t record_end(struct record *r);

struct field {
    char tag;
    bool is_text;
    int64_t n;        /* when not text */
    const char *text; /* when text; not NUL-terminated */
    size_t len;
};
/* Steps through @data; *at starts as NULL.  False at the end, and on a damaged record (then record_sound is false). */
bool record_next(const void *data, size_t len, const unsigned char **at, struct field *ret);
bool record_sound(const void *data, size_t len);

#endif
