/* downloads.c - several downloads at once with libcurl: downloads URL...; one line for each, in the order given.
 *
 * cc downloads.c $(pkg-config --cflags --libs bobbin libcurl)
 *
 * SPDX-License-Identifier: MIT */
#include <bobbin/executor.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct download {
    size_t bytes;
    long status;
};

static size_t
count_bytes(char *data, /* NOLINT(readability-non-const-parameter): as curl has it */
            size_t size, size_t n, void *arg)
{
    struct download *d = arg;

    (void)data; /* a program would write it to a file */
    d->bytes += size * n;
    return size * n;
}

static enum bob_err
download(void *url, void **ret_value)
{
    struct download *d = calloc(1, sizeof *d);
    CURL *curl = d ? curl_easy_init() : NULL;

    if (!curl) {
        free(d);
        return bob_fail(BOB_ERR_NO_MEMORY, "no memory for a download");
    }
    curl_easy_setopt(curl, CURLOPT_URL, (char *)url);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, count_bytes);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, d);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 20000L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L); /* as always among threads */
    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &d->status);
    curl_easy_cleanup(curl);
    if (code) {
        free(d);
        return bob_fail(BOB_ERR_SYSTEM, "%s", curl_easy_strerror(code));
    }
    *ret_value = d;
    return BOB_OK;
}

static void
show(const char *url, struct bob_future *f)
{
    const char *slash = strrchr(url, '/');
    const char *name = slash ? slash + 1 : url;
    void *value;
    enum bob_err err = bob_future_result(f, BOB_FOREVER, &value);

    if (err) {
        printf("%-12s failed\n", name);
        fprintf(stderr, "%s: %s\n", url, bob_future_message(f));
        return;
    }
    struct download *d = value;
    if (d->status == 200)
        printf("%-12s %zu bytes\n", name, d->bytes);
    else
        printf("%-12s refused: %ld\n", name, d->status);
    free(d);
}

int
main(int argc, char **argv)
{
    struct bob_executor_options options = {.role = "downloads", .max_workers = 4};
    struct bob_executor *x = bob_executor_new("download", &options);
    struct bob_future **futures = calloc((size_t)argc, sizeof *futures);

    if (!x || !futures || curl_global_init(CURL_GLOBAL_DEFAULT)) /* before there are threads */
        return 1;
    for (int i = 1; i < argc; i++)
        if (bob_executor_submit(x, download, argv[i], &futures[i]))
            fprintf(stderr, "%s: not begun\n", argv[i]);
    for (int i = 1; i < argc; i++) {
        if (futures[i])
            show(argv[i], futures[i]);
        bob_future_unref(futures[i]);
    }
    bob_executor_free(x);
    free(futures);
    curl_global_cleanup();
    return 0;
}
