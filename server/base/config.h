/* config.h - every setting of bobbind, in one table: flag, environment variable, --help, README,
 * man page.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_CONFIG_H
#define BOBBIND_CONFIG_H

#include "base/bytes.h"
#include "base/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* clang-format off */
/*    field                 type      default            least    most       flag                      what it says */
#define CONFIG(X)                                                                                                                     \
    X(listen,               TEXTS,    "127.0.0.1:7070",  0,       0,         "listen",                 "address to listen on: HOST:PORT or [HOST]:PORT (port 0: any free one); may be repeated") \
    X(data,                 TEXT,     "",                0,       0,         "data",                   "folder of the store and of downloaded files (default: $STATE_DIRECTORY, else $XDG_STATE_HOME/bobbin, else ~/.local/state/bobbin)") \
    X(www,                  TEXT,     "",                0,       0,         "www",                    "folder of the dashboard's files (default: where make install put them)") \
    X(http_threads,         COUNT,    "0",               0,       256,       "http-threads",           "threads that read and answer requests (0: one for each processor, at least 2)") \
    X(request_threads,      COUNT,    "0",               0,       4096,      "request-threads",        "requests that may work at once, each on its own thread (0: 4 for each processor)") \
    X(task_threads,         COUNT,    "64",              1,       4096,      "task-threads",           "tasks that may run at once, over all executors") \
    X(durability,           CHOICE,   "full",            0,       0,         "durability",             "full: an answer means it is on disk; relaxed: a crash may lose the last moments") \
    X(reserve,              BYTES,    "16M",             65536,   1 << 30,   "reserve",                "room kept in the store's own files, so that releases pass when the disk is full") \
    X(accept_cut_log,       BOOL,     "no",              0,       0,         "accept-cut-log",         "start although the store's log is damaged in its middle, and lose the changes behind that place") \
    X(log_level,            CHOICE,   "info",            0,       0,         "log-level",              "least level that is logged: debug, info, warning or error") \
    X(access_log,           BOOL,     "no",              0,       0,         "access-log",             "log one line for every request (costs about a tenth of the speed); the journal gets some hundred a second") \
    X(allow_host,           TEXTS,    "",                0,       0,         "allow-host",             "name that clients may use in the Host header, beside the loopback names; may be repeated") \
    X(insecure,             BOOL,     "no",              0,       0,         "insecure",               "listen off loopback although anybody who can connect may then do anything") \
    X(allow_private_fetch,  BOOL,     "no",              0,       0,         "allow-private-fetch",    "let tasks fetch from private, loopback and link-local addresses") \
    X(command,              TEXTS,    "",                0,       0,         "command",                "program that tasks may run, by its name: NAME=/PROGRAM with its arguments after spaces; never through a shell; may be repeated") \
    X(command_write,        TEXTS,    "",                0,       0,         "command-write",          "folder that those programs may write to, beside the one that each run has as its HOME, TMPDIR and working folder; / for anywhere; may be repeated") \
    X(command_memory,       BYTES,    "4G",              0,       INT64_C(1) << 50, "command-memory",  "address space that each of those programs may use (0: no limit)") \
    X(max_connections,      COUNT,    "16384",           1,       1000000,   "max-connections",        "connections at once") \
    X(max_waiters,          COUNT,    "100000",          1,       10000000,  "max-waiters",            "requests standing in a line, over all objects") \
    X(max_waiters_per_object, COUNT,  "20000",           1,       10000000,  "max-waiters-per-object", "requests standing in the line of one object") \
    X(max_objects,          COUNT,    "1000000",         1,       100000000, "max-objects",            "locks, semaphores, counters and executors together; a lock that nobody holds makes room") \
    X(max_tasks,            COUNT,    "100000",          1,       10000000,  "max-tasks",              "tasks kept, finished ones too") \
    X(max_task_memory,      BYTES,    "256M",            1 << 20, INT64_C(1) << 40, "max-task-memory", "memory for the arguments and results of tasks; a quarter is kept for results, and the oldest make way for new ones") \
    X(max_body,             BYTES,    "1M",              1024,    1 << 28,   "max-body",               "largest request body") \
    X(max_download,         BYTES,    "10G",             1,       INT64_C(1) << 50, "max-download",    "largest file a download task may write") \
    X(header_timeout,       DURATION, "10s",             1,       600,       "header-timeout",         "time a client has to send a request's header") \
    X(body_timeout,         DURATION, "30s",             1,       3600,      "body-timeout",           "time a client has to send a request's body") \
    X(reply_timeout,        DURATION, "30s",             1,       3600,      "reply-timeout",          "time a client has to read a reply, and a second more for each 64 KiB of it") \
    X(idle_timeout,         DURATION, "120s",            1,       86400,     "idle-timeout",           "time a connection may stay open without a request") \
    X(result_ttl,           DURATION, "24h",             1,       31536000,  "result-ttl",             "time a finished task and its result are kept") \
    X(stop_timeout,         DURATION, "20s",             0,       3600,      "stop-timeout",           "time that running work has to finish after SIGTERM")
/* clang-format on */

/* Types: TEXT const char *; TEXTS struct texts; COUNT, BYTES int64_t; DURATION int64_t nanoseconds
 * (least and most in seconds); BOOL bool; CHOICE int (an enum below). */
struct texts {
    const char *const *at;
    int len;
};
enum durability { DURABILITY_FULL, DURABILITY_RELAXED };

#define CONFIG_TYPE_TEXT const char *
#define CONFIG_TYPE_TEXTS struct texts
#define CONFIG_TYPE_COUNT int64_t
#define CONFIG_TYPE_BYTES int64_t
#define CONFIG_TYPE_DURATION int64_t
#define CONFIG_TYPE_BOOL bool
#define CONFIG_TYPE_CHOICE int

struct config {
#define X(field, type, def, least, most, flag, doc) CONFIG_TYPE_##type field;
    CONFIG(X)
#undef X
};

enum config_action { CONFIG_RUN, CONFIG_EXIT_OK, CONFIG_EXIT_USAGE };

/* Reads defaults, then the environment (BOBBIN_ and the flag in capitals, '-' as '_'), then the
 * flags.  Prints --help, --version or what is wrong itself.  Texts live as long as the process.
 * TEXTS: every flag adds one, the first of them replaces the default or the environment; in the
 * environment they are separated by commas, with spaces beside them or not.  What a default leaves open (data, www, the two counts
 * of threads) is settled here, so @c says what is so. */
enum config_action config_read(struct config *c, int argc, char **argv);

/* Logs a warning for each variable BOBBIN_... that is no setting.  No error: other programs read the same environment. */
void config_log_unknown(void);
/* The row whose variable @name may be a misspelling of; NULL: none is so near. */
const struct config_row *config_nearest(const char *name);

void config_help(struct bytes *b);     /* --help */
void config_markdown(struct bytes *b); /* --help=markdown: README's table */
void config_man(struct bytes *b);      /* --help=man: the page bobbind.8 */

/* ---- the table as data ---- */

enum config_type {
    CONFIG_TEXT,
    CONFIG_TEXTS,
    CONFIG_COUNT,
    CONFIG_BYTES,
    CONFIG_DURATION,
    CONFIG_BOOL,
    CONFIG_CHOICE
};
enum config_from {
    CONFIG_FROM_DEFAULT,
    CONFIG_FROM_ENVIRONMENT,
    CONFIG_FROM_FLAG,
    CONFIG_FROM_COUNT_
};
struct config_row {
    enum config_type type;
    const char *flag, *fallback, *doc;
    int64_t least, most; /* of a COUNT, BYTES or DURATION; of a DURATION in seconds */
    size_t offset;       /* into struct config */
};
enum {
#define X(field, type, def, least, most, flag, doc) CONFIG_ROW_##field,
    CONFIG(X)
#undef X
        CONFIG_ROWS
};
extern const struct config_row config_rows[CONFIG_ROWS]; /* in the order of CONFIG */
/* Of a CHOICE; ends with NULL.  Of others empty. */
const char *const *config_choices(const struct config_row *row);
enum { CONFIG_ENV_LEN = 48, CONFIG_ALLOWED_LEN = 128 };
void config_env_name(char ret_name[CONFIG_ENV_LEN], const struct config_row *row);
/* What a value may be, in words: "a whole number from 1 to 256". */
void config_allowed(char ret_text[CONFIG_ALLOWED_LEN], const struct config_row *row);
/* Where the last config_read had its value from. */
enum config_from config_from(const struct config_row *row);
extern const char *const config_from_name[CONFIG_FROM_COUNT_];

/* The settings as the member @key, an array: {"name","value","from","flag","environment","doc"}
 * each. */
void config_json(struct bytes *b, const char *key, const struct config *c);

/* "250ms", "30s", "5m", "1h", "1d" or a number of seconds; "64K", "16M", "10G" or a number of
 * bytes.  False: malformed or over what an int64_t holds. */
bool duration_parse(const char *text, int64_t *ret_ns);
bool bytes_size_parse(const char *text, int64_t *ret_bytes);

enum { UNIT_TEXT_LEN = 24 };
/* The largest unit that is exact: "90s", "2m", "250ms" (a duration is cut to whole ones); "16M",
 * "1536K", "1000". */
void duration_text(char ret_text[UNIT_TEXT_LEN], int64_t ns);
void bytes_size_text(char ret_text[UNIT_TEXT_LEN], int64_t bytes);

#endif
