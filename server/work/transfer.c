/* transfer.c - the only file that knows libcurl.
 *
 * The address rule stands in the open-socket callback: it sees the address curl is about to connect to, after names, redirects and
 * odd spellings of numbers are behind it.  A connection used again was checked when it was made; it is checked once
 * more before the request goes out on it, for the rule may not be the same.  A proxy would make all of that void, so
 * there is none, whatever the environment says.
 *
 * SPDX-License-Identifier: MIT */
#include "work/transfer.h"

#if defined(HAVE_CURL)

#include <arpa/inet.h>
#include <bobbin/time.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum {
    CONNECT_TIMEOUT_MS = 15000,
    STALLED_SECONDS = 60, /* without a byte a second */
    BUFFER_BYTES = 128 * 1024,
};
#define AFTER_MOST_MS (INT64_C(1000) * 1000 * 1000 * 1000) /* far off, and countable in ns */

static _Thread_local CURL *mine; /* this thread's, with its connections; NULL until first used */

enum why
transfer_start(struct fault *f)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return fault_set(f, WHY_INTERNAL, "libcurl could not be started");
    return WHY_OK;
}

void
transfer_thread_ends(void)
{
    curl_easy_cleanup(mine);
    mine = NULL;
}

/* ---- what curl calls ---- */

static curl_socket_t
open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct transfer *t = arg;
    const char *what = t->refuse ? t->refuse(&address->addr) : NULL;

    if (purpose != CURLSOCKTYPE_IPCXN)
        what = "not an internet address";
    if (what) {
        t->refused_ = t->tried_ ? NULL : what; /* of a host with another that may be used */
        return CURL_SOCKET_BAD;
    }
    t->tried_ = true;
    t->refused_ = NULL;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* A connection is there, new or kept: once more, by its far end as text. */
static int
before_request(void *arg, char *far_ip, char *near_ip, /* NOLINT: curl's signature */
               int far_port, int near_port)
{
    struct transfer *t = arg;
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    const char *what;

    (void)near_ip;
    (void)far_port;
    (void)near_port;
    t->tried_ = false; /* a redirect begins anew */
    if (!t->refuse)
        return CURL_PREREQFUNC_OK;
    if (inet_pton(AF_INET, far_ip, &in.sin_addr) == 1)
        what = t->refuse((const struct sockaddr *)&in);
    else if (inet_pton(AF_INET6, far_ip, &in6.sin6_addr) == 1)
        what = t->refuse((const struct sockaddr *)&in6);
    else
        what = "not an internet address";
    t->refused_ = what;
    return what ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static bool
too_large(struct transfer *t)
{
    return run_fail(t->run, false, "too_large",
                    "more than the %lld bytes that --max-download allows", (long long)t->max_bytes);
}

static size_t
came(char *data, size_t one, size_t len, void *arg)
{
    struct transfer *t = arg;
    curl_off_t total = -1;

    len *= one;
    if (t->bytes == 0 && !curl_easy_getinfo(mine, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &total))
        t->total = total;
    if ((int64_t)len > t->max_bytes - t->bytes) {
        (void)too_large(t);
        return CURL_WRITEFUNC_ERROR;
    }
    t->bytes += (int64_t)len;
    return t->write(t, data, len) ? len : CURL_WRITEFUNC_ERROR;
}

static int
go_on(void *arg, curl_off_t total, curl_off_t got, curl_off_t to_send, curl_off_t sent)
{
    const struct transfer *t = arg;

    (void)total;
    (void)got;
    (void)to_send;
    (void)sent;
    return run_stopping(t->run);
}

/* ---- one transfer ---- */

static CURLcode
prepare(struct transfer *t, char *error)
{
    int64_t ms = t->run->until == BOB_FOREVER ? 0 : bob_ms_until(t->run->until) + 1;
    CURLcode bad = CURLE_OK;

    if (!mine && !(mine = curl_easy_init()))
        return CURLE_OUT_OF_MEMORY;
    curl_easy_reset(mine);
#define SET(option, value) (bad = bad ? bad : curl_easy_setopt(mine, CURLOPT_##option, value))
    SET(URL, t->from);
    SET(PROTOCOLS_STR, "http,https");
    SET(REDIR_PROTOCOLS_STR, "http,https");
    SET(FOLLOWLOCATION, 1L);
    SET(MAXREDIRS, (long)t->max_redirects);
    SET(COOKIEFILE, ""); /* cookies, in memory */
    SET(FAILONERROR, 1L);
    SET(PROXY, "");
    SET(NETRC, (long)CURL_NETRC_IGNORED);
    SET(DISALLOW_USERNAME_IN_URL, 1L);
    SET(OPENSOCKETFUNCTION, open_socket);
    SET(OPENSOCKETDATA, t);
    SET(PREREQFUNCTION, before_request);
    SET(PREREQDATA, t);
    SET(WRITEFUNCTION, came);
    SET(WRITEDATA, t);
    SET(NOPROGRESS, 0L);
    SET(XFERINFOFUNCTION, go_on);
    SET(XFERINFODATA, t);
    SET(MAXFILESIZE_LARGE, (curl_off_t)t->max_bytes);
    SET(TIMEOUT_MS, (long)(ms < INT32_MAX ? ms : 0)); /* go_on sees a later end */
    SET(CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
    SET(LOW_SPEED_LIMIT, 1L);
    SET(LOW_SPEED_TIME, (long)STALLED_SECONDS);
    SET(BUFFERSIZE, (long)BUFFER_BYTES);
    SET(NOSIGNAL, 1L);
    SET(QUICK_EXIT,
        1L); /* a name server that is silent does not outlast the timeout, or a cancel */
    SET(ERRORBUFFER, error);
    SET(USERAGENT, "bobbind/" PACKAGE_VERSION);
#undef SET
    return bad;
}

/* clang-format off */
static const struct failure {
    CURLcode of;
    const char *code;
    bool retry;
} failures[] = {
    {CURLE_COULDNT_RESOLVE_HOST,     "connect_failed",     true},
    {CURLE_COULDNT_CONNECT,          "connect_failed",     true},
    {CURLE_OPERATION_TIMEDOUT,       "timeout",            true},
    {CURLE_PARTIAL_FILE,             "cut_off",            true},
    {CURLE_RECV_ERROR,               "cut_off",            true},
    {CURLE_SEND_ERROR,               "cut_off",            true},
    {CURLE_GOT_NOTHING,              "cut_off",            true},
    {CURLE_HTTP2,                    "cut_off",            true},
    {CURLE_HTTP2_STREAM,             "cut_off",            true},
    {CURLE_FILESIZE_EXCEEDED,        "too_large",          false},
    {CURLE_URL_MALFORMAT,            "bad_url",            false},
    {CURLE_UNSUPPORTED_PROTOCOL,     "bad_url",            false},
    {CURLE_PEER_FAILED_VERIFICATION, "tls_failed",         false},
    {CURLE_SSL_CIPHER,               "tls_failed",         false},
    {CURLE_SSL_CACERT_BADFILE,       "tls_failed",         false},
    {CURLE_SSL_CLIENTCERT,           "tls_failed",         false},
    {CURLE_SSL_CONNECT_ERROR,        "tls_failed",         true},
    {CURLE_WEIRD_SERVER_REPLY,       "bad_reply",          false},
    {CURLE_BAD_CONTENT_ENCODING,     "bad_reply",          false},
    {CURLE_UNRECOVERABLE_POLL,       "transfer_failed",    true},
    {CURLE_OUT_OF_MEMORY,            "out_of_memory",      true},
    {CURLE_OK,                       "transfer_failed",    false}, /* all others */
};
/* clang-format on */

static bool
fail(struct transfer *t, CURLcode result, const char *error)
{
    const struct failure *f = failures;

    if (result == CURLE_WRITE_ERROR && t->run->code[0])
        return false; /* the writer has said why */
    if (t->refused_ && (result == CURLE_COULDNT_CONNECT || result == CURLE_ABORTED_BY_CALLBACK))
        return run_fail(t->run, false, "address_refused",
                        "the host is at %s, from where nothing is fetched without "
                        "--allow-private-fetch",
                        t->refused_);
    if (result == CURLE_ABORTED_BY_CALLBACK ||
        (result == CURLE_OPERATION_TIMEDOUT && run_stopping(t->run)))
        return run_cut_short(t->run);
    if (result == CURLE_FILESIZE_EXCEEDED)
        return too_large(t);
    if (result ==
        CURLE_TOO_MANY_REDIRECTS) /* what curl wrote may be of a connection before the last */
        return run_fail(t->run, false, "too_many_redirects", "more than %lld redirects",
                        (long long)t->max_redirects);
    if (result == CURLE_LOGIN_DENIED)
        return run_fail(t->run, false, "bad_url", "a redirect to a URL with a user's name in it");
    if (result == CURLE_UNSUPPORTED_PROTOCOL && t->status == 0)
        result = CURLE_WEIRD_SERVER_REPLY; /* our own URL is http: so what came is not */
    while (f->of != result && f->of != CURLE_OK)
        f++;
    return run_fail(t->run, f->retry, f->code, "%s", *error ? error : curl_easy_strerror(result));
}

/* Whether what came is all there is: nobody asked for a part, and 206 says it is one. */
static bool
is_whole(long status)
{
    return status / 100 == 2 && status != 206;
}

/* Those that are not as others of their class (RFC 9110, 15): 5xx may pass, and the rest is
 * final. */
/* clang-format off */
static const struct {
    short status;
    bool may_pass;
} statuses[] = {
    {408, true},  /* Request Timeout */
    {421, true},  /* Misdirected Request: the next is on a connection of its own */
    {425, true},  /* Too Early */
    {429, true},  /* Too Many Requests */
    {501, false}, /* Not Implemented */
    {505, false}, /* HTTP Version Not Supported */
    {506, false}, /* Variant Also Negotiates */
    {508, false}, /* Loop Detected */
    {510, false}, /* Not Extended */
    {511, false}, /* Network Authentication Required */
};
/* clang-format on */

bool
transfer_may_pass(long status)
{
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        if (statuses[i].status == status)
            return statuses[i].may_pass;
    }
    return status / 100 == 5;
}

int64_t
transfer_retry_after_ns(const char *text, int64_t wall_ms)
{
    size_t digits = strspn(text, "0123456789");
    int64_t ms;

    if (text[digits] == '\0') {
        ms = digits < 10 ? atoll(text) * 1000 : AFTER_MOST_MS;
    } else {
        time_t date = curl_getdate(text, NULL);

        ms = date < AFTER_MOST_MS ? (int64_t)date * 1000 - wall_ms : AFTER_MOST_MS;
    }
    if (ms > AFTER_MOST_MS)
        ms = AFTER_MOST_MS;
    return ms > 0 ? ms * NS_PER_MS : 0;
}

/* Of the answer that came last: what a redirect on the way says is about that redirect. */
static int64_t
retry_after_ns(void)
{
    struct curl_header *h;

    if (curl_easy_header(mine, "Retry-After", 0, CURLH_HEADER, -1, &h) != CURLHE_OK)
        return 0;
    return transfer_retry_after_ns(h->value, clock_wall_ms());
}

static bool
fail_status(struct transfer *t, int64_t retry_after)
{
    bool may_pass = transfer_may_pass(t->status);
    char code[CODE_MAX_LEN + 1];

    (void)snprintf(code, sizeof code, "http_%ld", t->status);
    (void)run_fail(t->run, may_pass, code, "the server answered %ld", t->status);
    t->run->retry_after_ns = retry_after;
    return false;
}

static void
keep(char *to, size_t cap, const char *from)
{
    (void)snprintf(to, cap, "%s", from ? from : "");
}

bool
transfer_get(struct transfer *t)
{
    char error[CURL_ERROR_SIZE] = "";
    char *url = NULL, *type = NULL;
    size_t url_len;
    int64_t retry_after = 0;
    CURLcode result;

    t->bytes = 0;
    t->total = -1;
    t->status = 0;
    t->refused_ = NULL;
    t->tried_ = false;
    t->run->code[0] = '\0';
    if (run_stopping(t->run))
        return run_cut_short(t->run);
    result = prepare(t, error);
    if (!result)
        result = curl_easy_perform(mine);
    if (mine) {
        (void)curl_easy_getinfo(mine, CURLINFO_RESPONSE_CODE, &t->status);
        (void)curl_easy_getinfo(mine, CURLINFO_EFFECTIVE_URL, &url);
        (void)curl_easy_getinfo(mine, CURLINFO_CONTENT_TYPE, &type);
        retry_after = retry_after_ns();
        (void)curl_easy_setopt(mine, CURLOPT_ERRORBUFFER, NULL);
        /* Forgets the cookies, which curl_easy_reset keeps, and the list of files, which it
         * leaks. */
        (void)curl_easy_setopt(mine, CURLOPT_COOKIEFILE, NULL);
    }
    url_len = url ? strlen(url) : 0;
    keep(t->url, sizeof t->url, url);
    keep(t->content_type, sizeof t->content_type, type);
    if (result)
        transfer_thread_ends(); /* libcurl 7.88 may leave a handle that failed in a state that refuses options */
    if (result == CURLE_HTTP_RETURNED_ERROR || (result == CURLE_OK && !is_whole(t->status)))
        return fail_status(t, retry_after);
    if (result)
        return fail(t, result, error);
    if (url_len > TRANSFER_LAST_URL_MAX)
        return run_fail(t->run, false, "bad_url", "redirected to a URL of %zu bytes, above %d",
                        url_len, TRANSFER_LAST_URL_MAX);
    return true;
}

#endif
