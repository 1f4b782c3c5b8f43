/* config.c - see config.h: the environment, then the flags, through one reader; then what the
 * defaults left open.
 *
 * SPDX-License-Identifier: MIT */
#include "base/config.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/process.h"

enum { NEAR = 2 }; /* letters */

static enum config_from froms[CONFIG_ROWS];

enum config_from
config_from(const struct config_row *row)
{
    return froms[row - config_rows];
}

/* Lists of texts stay until the process ends.  They are held here so that a leak checker still
 * finds them. */
static struct kept {
    struct kept *next;
    const char *at[];
} * kept_first;

static struct texts
texts_with(struct texts old, const char *one)
{
    size_t len = (size_t)old.len;
    struct kept *k = malloc(sizeof *k + (len + 1) * sizeof *k->at);

    if (!k) {
        log_fatal("out of memory");
        exit(EXIT_FAILURE); /* NOLINT(concurrency-mt-unsafe): there are no threads yet */
    }
    if (len > 0)
        memcpy(k->at, old.at, len * sizeof *k->at);
    k->at[len] = one;
    k->next = kept_first;
    kept_first = k;
    return (struct texts){k->at, old.len + 1};
}

static const char *
joined(const char *first, const char *second, const char *third)
{
    size_t len = strlen(first) + strlen(second) + strlen(third) + 1;
    struct kept *k = malloc(sizeof *k + len);

    if (!k) {
        log_fatal("out of memory");
        exit(EXIT_FAILURE); /* NOLINT(concurrency-mt-unsafe): there are no threads yet */
    }
    char *text = (char *)k + sizeof *k;
    (void)snprintf(text, len, "%s%s%s", first, second, third);
    k->next = kept_first;
    kept_first = k;
    return text;
}

static bool
read_bool(const char *text, bool *ret)
{
    static const char *const yes[] = {"yes", "true", "on", "1"}, *const no[] = {"no", "false",
                                                                                "off", "0"};

    for (int i = 0; i < 4; i++) {
        if (strcmp(text, yes[i]) == 0 || strcmp(text, no[i]) == 0) {
            *ret = strcmp(text, yes[i]) == 0;
            return true;
        }
    }
    return false;
}

static bool
read_choice(const char *const *choices, const char *text, int *ret)
{
    for (int i = 0; choices[i]; i++) {
        if (strcmp(choices[i], text) == 0) {
            *ret = i;
            return true;
        }
    }
    return false;
}

/* One value, as a user would write it, into its field; false: not allowed, and the field is as it
 * was. */
static bool
read_value(const struct config_row *row, struct config *c, const char *text)
{
    void *field = (char *)c + row->offset;
    int64_t unit = row->type == CONFIG_DURATION ? NS_PER_SECOND : 1, n;

    switch (row->type) {
    case CONFIG_TEXT:
        *(const char **)field = text;
        return true;
    case CONFIG_TEXTS:
        *(struct texts *)field = texts_with(*(struct texts *)field, text);
        return *text != '\0';
    case CONFIG_BOOL:
        return read_bool(text, field);
    case CONFIG_CHOICE:
        return read_choice(config_choices(row), text, field);
    case CONFIG_COUNT:
        if (strspn(text, "0123456789") != strlen(text) || !bytes_size_parse(text, &n))
            return false;
        break;
    case CONFIG_BYTES:
        if (!bytes_size_parse(text, &n))
            return false;
        break;
    case CONFIG_DURATION:
        if (!duration_parse(text, &n))
            return false;
        break;
    }
    if (n < row->least * unit || n > row->most * unit)
        return false;
    *(int64_t *)field = n;
    return true;
}

static enum config_action
refuse(const char *where, const struct config_row *row, const char *text)
{
    char allowed[CONFIG_ALLOWED_LEN];

    config_allowed(allowed, row);
    log_fatal("%s: \"%.79s\" is not %s", where, text, allowed);
    return CONFIG_EXIT_USAGE;
}

/* Each text between commas; empty ones count for nothing. */
static bool
read_texts(const struct config_row *row, struct config *c, const char *text)
{
    char *copy = (char *)(uintptr_t)joined(text, "", "");
    char *rest = NULL;

    for (char *one = strtok_r(copy, ",", &rest); one; one = strtok_r(NULL, ",", &rest)) {
        size_t len;

        one += strspn(one, " ");
        for (len = strlen(one); len > 0 && one[len - 1] == ' '; len--)
            one[len - 1] = '\0';
        if (*one && !read_value(row, c, one))
            return false;
    }
    return true;
}

static struct texts *
texts_of(const struct config_row *row, struct config *c)
{
    return (void *)((char *)c + row->offset);
}

static void
forget_texts(const struct config_row *row, struct config *c)
{
    if (row->type == CONFIG_TEXTS)
        *texts_of(row, c) = (struct texts){0};
}

static void
read_defaults(struct config *c)
{
    memset(c, 0, sizeof *c);
    for (const struct config_row *row = config_rows; row < config_rows + CONFIG_ROWS; row++) {
        froms[row - config_rows] = CONFIG_FROM_DEFAULT;
        if (row->type == CONFIG_TEXTS)
            (void)read_texts(row, c, row->fallback);
        else
            (void)read_value(row, c, row->fallback);
    }
}

static enum config_action
read_environment(struct config *c)
{
    for (const struct config_row *row = config_rows; row < config_rows + CONFIG_ROWS; row++) {
        char name[CONFIG_ENV_LEN];

        config_env_name(name, row);
        const char *text = getenv(name);
        if (!text || !*text)
            continue;
        forget_texts(row, c);
        froms[row - config_rows] = CONFIG_FROM_ENVIRONMENT;
        if (row->type == CONFIG_TEXTS ? !read_texts(row, c, text) : !read_value(row, c, text))
            return refuse(name, row, text);
    }
    return CONFIG_RUN;
}

/* How many letters must be changed, put in or left out to make @a of @b; never more than ROOM. */
static size_t
distance(const char *a, const char *b)
{
    enum { ROOM = CONFIG_ENV_LEN };
    size_t row[ROOM], len = strlen(b);

    if (len >= ROOM)
        return ROOM;
    for (size_t i = 0; i <= len; i++)
        row[i] = i;
    for (size_t n = 1; *a; a++, n++) {
        size_t before = row[0]; /* of the row above, one to the left */

        row[0] = n;
        for (size_t i = 1; i <= len; i++) {
            size_t best = before + (*a != b[i - 1]);

            best = row[i] + 1 < best ? row[i] + 1 : best;
            before = row[i];
            row[i] = row[i - 1] + 1 < best ? row[i - 1] + 1 : best;
        }
    }
    return row[len] < ROOM ? row[len] : ROOM;
}

const struct config_row *
config_nearest(const char *name)
{
    const struct config_row *nearest = NULL;
    size_t least = NEAR + 1;

    for (const struct config_row *row = config_rows; row < config_rows + CONFIG_ROWS; row++) {
        char known[CONFIG_ENV_LEN];

        config_env_name(known, row);
        size_t far = distance(name, known);
        if (far < least) {
            least = far;
            nearest = row;
        }
    }
    return nearest;
}

void
config_log_unknown(void)
{
    for (char **at = environ; at && *at; at++) {
        char name[2 * CONFIG_ENV_LEN], shown[2 * sizeof name], known[CONFIG_ENV_LEN] = "";
        int len = (int)strcspn(*at, "=");

        if (strncmp(*at, "BOBBIN_", 7) != 0)
            continue;
        (void)snprintf(name, sizeof name, "%.*s", len, *at);
        const struct config_row *row = config_nearest(name);
        if (row)
            config_env_name(known, row);
        if (strcmp(known, name) != 0)
            log_line(LOG_LEVEL_WARNING, "unknown_variable", "name=%s nearest=%s",
                     log_quote(shown, sizeof shown, name), row ? known : "none");
    }
}

static enum config_action
print(void (*fill)(struct bytes *))
{
    AUTO_BYTES b = {0};

    fill(&b);
    if (b.failed || fwrite(b.at, 1, b.len, stdout) != b.len || fflush(stdout) != 0) {
        log_fatal("cannot write to standard output");
        return CONFIG_EXIT_USAGE;
    }
    return CONFIG_EXIT_OK;
}

static void
version(struct bytes *b)
{
    bytes_addf(b, "bobbind %s\n", PACKAGE_VERSION);
}

/* The row of "--flag" or "--flag=value"; *ret_value is NULL without '='. */
static const struct config_row *
find_row(const char *arg, const char **ret_value)
{
    size_t len = strcspn(arg, "=");

    *ret_value = arg[len] ? arg + len + 1 : NULL;
    for (const struct config_row *row = config_rows; row < config_rows + CONFIG_ROWS; row++) {
        if (len > 2 && strncmp(arg, "--", 2) == 0 && strlen(row->flag) == len - 2 &&
            strncmp(arg + 2, row->flag, len - 2) == 0)
            return row;
    }
    return NULL;
}

static enum config_action
refuse_arg(const char *arg, const char *what)
{
    log_fatal("%.79s: %s (see bobbind --help)", arg, what);
    return CONFIG_EXIT_USAGE;
}

/* The names of variables say how near: what is misspelt in one is so in the other. */
static enum config_action
refuse_flag(const char *arg)
{
    char name[2 * CONFIG_ENV_LEN], what[2 * CONFIG_ENV_LEN] = "no such option";
    int len = snprintf(name, sizeof name, "BOBBIN_%.*s", (int)strcspn(arg + 2, "="), arg + 2);

    for (int i = 0; i < len && i < (int)sizeof name; i++)
        name[i] = name[i] == '-' ? '_' : (char)toupper((unsigned char)name[i]);
    const struct config_row *row = config_nearest(name);
    if (row)
        (void)snprintf(what, sizeof what, "no such option; is --%s meant?", row->flag);
    return refuse_arg(arg, what);
}

/* One flag at argv[*i]; moves *i on to the value when that stands in the next argument. */
static enum config_action
read_flag(struct config *c, char **argv, int *i)
{
    const char *arg = argv[*i], *text;
    char where[CONFIG_ENV_LEN];

    if (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0)
        return print(config_help);
    if (strcmp(arg, "--help=markdown") == 0)
        return print(config_markdown);
    if (strcmp(arg, "--help=man") == 0)
        return print(config_man);
    if (strcmp(arg, "--version") == 0)
        return print(version);

    const struct config_row *row = find_row(arg, &text);
    if (!row && strncmp(arg, "--", 2) == 0)
        return refuse_flag(arg);
    if (!row)
        return refuse_arg(arg, *arg == '-' ? "no such option" : "takes no arguments, only options");
    if (!text)
        text = row->type == CONFIG_BOOL ? "yes" : argv[++*i];
    if (!text)
        return refuse_arg(arg, "needs a value");

    if (froms[row - config_rows] != CONFIG_FROM_FLAG)
        forget_texts(row, c);
    froms[row - config_rows] = CONFIG_FROM_FLAG;
    (void)snprintf(where, sizeof where, "--%s", row->flag);
    return read_value(row, c, text) ? CONFIG_RUN : refuse(where, row, text);
}

static bool
absolute(const char *path)
{
    return path && *path == '/';
}

/* systemd gives several folders separated by colons: the first is ours. */
static const char *
default_data(void)
{
    const char *state = getenv("STATE_DIRECTORY"), *xdg = getenv("XDG_STATE_HOME"),
               *home = getenv("HOME");

    if (absolute(state)) {
        char *first = (char *)(uintptr_t)joined(state, "", "");

        first[strcspn(first, ":")] = '\0';
        return first;
    }
    if (absolute(xdg))
        return joined(xdg, "/bobbin", "");
    if (absolute(home))
        return joined(home, "/.local/state/bobbin", "");
    return NULL;
}

static enum config_action
settle(struct config *c)
{
    int64_t processors = process_processors();

    if (!*c->data && !(c->data = default_data()))
        return refuse_arg("--data",
                          "needed: neither STATE_DIRECTORY, XDG_STATE_HOME nor HOME is set");
#ifdef PKGDATADIR
    if (!*c->www)
        c->www = PKGDATADIR "/www";
#else
    if (!*c->www)
        c->www = "www";
#endif
    if (c->http_threads == 0)
        c->http_threads = processors < 256 ? processors : 256;
    if (c->http_threads < 2)
        c->http_threads = 2;
    if (c->request_threads == 0)
        c->request_threads = processors < 1024 ? 4 * processors : 4096;
    return CONFIG_RUN;
}

enum config_action
config_read(struct config *c, int argc, char **argv)
{
    read_defaults(c);
    enum config_action action = read_environment(c);

    for (int i = 1; i < argc && action == CONFIG_RUN; i++)
        action = read_flag(c, argv, &i);
    return action == CONFIG_RUN ? settle(c) : action;
}
