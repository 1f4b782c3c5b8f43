/* download_world.h - a run of download without a hand: a server on loopback, a folder, and what came of it.
 *
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_DOWNLOAD_WORLD_H
#define TESTS_DOWNLOAD_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "base/json.h"
#include "file_server.h"
#include "temp_folder.h"
#include "work/address.h"
#include "work/download.h"
#include "work/kinds.h"
#include "work/transfer.h"

struct shop {
    struct file_server server;
    struct config config;
    char data[64], folder[80];
    struct bob_event stop;
    struct run run;
    const char *more;    /* arguments, after the URL */
    int64_t done, total; /* told last */
    int told;
};

static inline void
tell(struct run *run, int64_t done, int64_t total, const char *unit)
{
    struct shop *s = run->teller;

    assert_string_equal(unit, "bytes");
    assert_true(done >= s->done);
    s->done = done;
    s->total = total;
    s->told++;
}

static inline int
shop_open(void **state)
{
    struct shop *s = calloc(1, sizeof *s);
    struct fault f = {0};

    file_server_open(&s->server);
    temp_folder_make(s->data);
    (void)snprintf(s->folder, sizeof s->folder, "%s/files", s->data);
    assert_int_equal(downloads_start(s->folder, &f), WHY_OK);
    s->config.allow_private_fetch = true;
    s->config.max_download = 1 << 20;
    bob_event_init(&s->stop);
    *state = s;
    return 0;
}

static inline int
shop_close(void **state)
{
    struct shop *s = *state;

    bytes_free(&s->run.result);
    transfer_thread_ends();
    file_server_close(&s->server);
    bob_event_fini(&s->stop);
    temp_folder_remove(s->data);
    free(s);
    return 0;
}

/* Runs a download of @path as task 17; *ret_code: why it failed, "" when it did not. */
static inline bool
fetch_as(struct shop *s, uint64_t number, const char *url, const char *filename)
{
    char json[3000];
    struct fault f = {0};
    union {
        max_align_t align;
        char bytes[64];
    } args;
    struct cJSON *doc;
    bool good;

    (void)snprintf(json, sizeof json, "{\"url\":\"%s\"%s%s%s%s}", url,
                   filename ? ",\"filename\":\"" : "", filename ? filename : "",
                   filename ? "\"" : "", s->more ? s->more : "");
    doc = kind_args(&kind_download, json, strlen(json), &args, &f);
    if (!doc)
        fail_msg("%s", f.detail);
    bytes_free(&s->run.result);
    s->run = (struct run){
        .kind = &kind_download,
        .args = &args,
        .number = number,
        .folder = s->folder,
        .config = &s->config,
        .stop = &s->stop,
        .until = s->run.until ? s->run.until : BOB_FOREVER,
        .tell = tell,
        .teller = s,
    };
    s->done = s->total = 0;
    s->told = 0;
    good = kind_download.run(&s->run);
    json_free(doc);
    return good;
}

static inline bool
fetch(struct shop *s, const char *path)
{
    char url[2000];

    (void)snprintf(url, sizeof url, "http://127.0.0.1:%d%s", s->server.port, path);
    return fetch_as(s, 17, url, NULL);
}

static int files_counted;

static inline int
count_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)path;
    (void)st;
    (void)ftw;
    files_counted += type != FTW_D;
    return 0;
}

static inline int
count_files_in(const char *folder)
{
    files_counted = 0;
    assert_int_equal(nftw(folder, count_one, 8, FTW_PHYS), 0);
    return files_counted;
}

static inline int
count_files(struct shop *s)
{
    return count_files_in(s->folder);
}

static inline void
check_file(struct shop *s, const char *path, int64_t n)
{
    char *full, hex[SHA256_HEX_LEN];
    struct sha256 hash;
    FILE *file;

    assert_true(asprintf(&full, "%s/%s", s->data, path) > 0);
    file = fopen(full, "rb");
    free(full);
    assert_non_null(file);
    sha256_start(&hash);
    for (int64_t at = 0; at < n; at++) {
        unsigned char byte = file_byte(at);

        assert_int_equal(fgetc(file), byte);
        sha256_add(&hash, &byte, 1);
    }
    assert_int_equal(fgetc(file), EOF);
    (void)fclose(file);
    sha256_hex(&hash, hex);
    assert_non_null(strstr(bytes_text(&s->run.result), hex));
    assert_non_null(strstr(bytes_text(&s->run.result), path));
}

#define FACT(f) cmocka_unit_test_setup_teardown(f, shop_open, shop_close)

#endif
