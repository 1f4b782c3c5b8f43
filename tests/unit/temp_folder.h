/* temp_folder.h - a folder of a test's own under /tmp, removed with all that is in it.
 *
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_TEMP_FOLDER_H
#define TESTS_TEMP_FOLDER_H

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* @path gets its name. */
static inline void
temp_folder_make(char path[static 64])
{
    strcpy(path, "/tmp/bobbin-test-XXXXXX");
    assert_non_null(mkdtemp(path));
}

static inline int
temp_folder_remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

static inline void
temp_folder_remove(const char *path)
{
    assert_int_equal(nftw(path, temp_folder_remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

#endif
