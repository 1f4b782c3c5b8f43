/* config_help.c - the table of settings as --help, as the README's table and as GET /v1/config.
 *
 * SPDX-License-Identifier: MIT */
#include "base/config.h"

#include <stdio.h>

#include "base/json.h"

enum { FLAG_WIDTH = 32, TEXT_WIDTH = 62 };

/* A group begins with the flag named here and goes on to the next. */
static const struct group {
    const char *first, *title;
} groups[] = {
    {"listen", "Where"},         {"http-threads", "Threads"},       {"durability", "Store"},
    {"log-level", "Log"},        {"allow-host", "Who may do what"}, {"max-connections", "Limits"},
    {"header-timeout", "Times"},
};

static const char *
group_title(const struct config_row *row)
{
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
        if (strcmp(groups[i].first, row->flag) == 0)
            return groups[i].title;
    }
    return NULL;
}

/* The flag with the word that stands for its value. */
static void
flag_text(char *ret, size_t cap, const struct config_row *row)
{
    static const char *const words[] = {
        [CONFIG_TEXT] = "FOLDER", [CONFIG_TEXTS] = "HOST",    [CONFIG_COUNT] = "N",
        [CONFIG_BYTES] = "SIZE",  [CONFIG_DURATION] = "TIME", [CONFIG_BOOL] = NULL,
        [CONFIG_CHOICE] = NULL,
    };
    const char *word = strcmp(row->flag, "listen") == 0    ? "HOST:PORT"
                       : strcmp(row->flag, "command") == 0 ? "NAME=/PROGRAM"
                                                           : words[row->type];
    int len = snprintf(ret, cap, "--%s", row->flag);

    if (row->type == CONFIG_CHOICE) {
        for (const char *const *c = config_choices(row); *c; c++)
            len += snprintf(ret + len, cap - (size_t)len, "%c%s",
                            c == config_choices(row) ? '=' : '|', *c);
    } else if (row->type != CONFIG_BOOL) {
        (void)snprintf(ret + len, cap - (size_t)len, "=%s", word);
    }
}

/* @text in lines of at most TEXT_WIDTH, the later ones indented to where the first began. */
static void
add_wrapped(struct bytes *b, const char *text)
{
    size_t used = 0;

    while (*text) {
        size_t len = strcspn(text, " ");

        if (used > 0 && used + 1 + len > TEXT_WIDTH) {
            bytes_addf(b, "\n%*s", FLAG_WIDTH, "");
            used = 0;
        }
        if (used > 0) {
            bytes_add(b, " ", 1);
            used++;
        }
        bytes_add(b, text, len);
        used += len;
        text += len;
        text += strspn(text, " ");
    }
    bytes_add(b, "\n", 1);
}

void
config_help(struct bytes *b)
{
    bytes_adds(b, "Usage: bobbind [OPTION]...\n"
                  "A server of named locks, semaphores, counters and executors over HTTP.\n");
    for (const struct config_row *row = config_rows; row < config_rows + CONFIG_ROWS; row++) {
        char flag[64], line[512];
        const char *title = group_title(row);

        if (title)
            bytes_addf(b, "\n%s\n", title);
        flag_text(flag, sizeof flag, row);
        if (*row->fallback)
            (void)snprintf(line, sizeof line, "%s [%s]", row->doc, row->fallback);
        else
            (void)snprintf(line, sizeof line, "%s", row->doc);
        if (strlen(flag) + 3 > FLAG_WIDTH)
            bytes_addf(b, "  %s\n%*s", flag, FLAG_WIDTH, "");
        else
            bytes_addf(b, "  %-*s", FLAG_WIDTH - 2, flag);
        add_wrapped(b, line);
    }
    bytes_adds(
        b,
        "\nOther\n"
        "  --help                        this text; --help=markdown and --help=man: as a table, a "
        "page\n"
        "  --version                     its version\n"
        "\n"
        "Each option can be set in the environment: --max-body is BOBBIN_MAX_BODY.  A SIZE is a\n"
        "number of bytes or 64K, 16M, 10G; a TIME a number of seconds or 250ms, 30s, 5m, 1h, "
        "1d.\n");
}

void
config_markdown(struct bytes *b)
{
    bytes_adds(b, "| flag | environment | default | what it says |\n| --- | --- | --- | --- |\n");
    for (const struct config_row *row = config_rows; row < config_rows + CONFIG_ROWS; row++) {
        char env[CONFIG_ENV_LEN];

        config_env_name(env, row);
        bytes_addf(b, "| `--%s` | `%s` | ", row->flag, env);
        if (*row->fallback)
            bytes_addf(b, "`%s`", row->fallback);
        bytes_addf(b, " | %s |\n", row->doc);
    }
}

static void
json_value(struct bytes *b, const struct config_row *row, const void *field)
{
    const struct texts *texts = field;

    switch (row->type) {
    case CONFIG_TEXT:
        json_text(b, "value", *(const char *const *)field);
        break;
    case CONFIG_TEXTS:
        json_open_in(b, "value", '[');
        for (int i = 0; i < texts->len; i++)
            json_text(b, NULL, texts->at[i]);
        json_close(b, ']');
        break;
    case CONFIG_COUNT:
    case CONFIG_BYTES:
        json_int(b, "value", *(const int64_t *)field);
        break;
    case CONFIG_DURATION:
        json_seconds(b, "value", *(const int64_t *)field);
        break;
    case CONFIG_BOOL:
        json_bool(b, "value", *(const bool *)field);
        break;
    case CONFIG_CHOICE:
        json_text(b, "value", config_choices(row)[*(const int *)field]);
        break;
    }
}

void
config_json(struct bytes *b, const char *key, const struct config *c)
{
    json_open_in(b, key, '[');
    for (const struct config_row *row = config_rows; row < config_rows + CONFIG_ROWS; row++) {
        char name[CONFIG_ENV_LEN], flag[CONFIG_ENV_LEN];

        (void)snprintf(flag, sizeof flag, "--%s", row->flag);
        (void)snprintf(name, sizeof name, "%s", row->flag);
        for (char *at = name; *at; at++)
            *at = (char)(*at == '-' ? '_' : *at);
        json_open(b, '{');
        json_text(b, "name", name);
        json_value(b, row, (const char *)c + row->offset);
        json_text(b, "from", config_from_name[config_from(row)]);
        json_text(b, "flag", flag);
        config_env_name(name, row);
        json_text(b, "environment", name);
        json_text(b, "doc", row->doc);
        json_close(b, '}');
    }
    json_close(b, ']');
}
