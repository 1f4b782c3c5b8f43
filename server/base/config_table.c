/* config_table.c - the table of config.h as rows, and what can be said of a row.
 *
 * SPDX-License-Identifier: MIT */
#include "base/config.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"

const struct config_row config_rows[CONFIG_ROWS] = {
#define X(field, type, def, least, most, flag, doc)                                                \
    {CONFIG_##type, flag, def, doc, least, most, offsetof(struct config, field)},
    CONFIG(X)
#undef X
};

const char *const config_from_name[] = {"default", "environment", "flag"};

const char *const *
config_choices(const struct config_row *row)
{
    static const char *const durability[] = {"full", "relaxed", NULL};
    static const char *const log_level[] = {"debug", "info", "warning", "error", NULL};
    static const char *const none[] = {NULL};

    if (row->type != CONFIG_CHOICE)
        return none;
    return strcmp(row->flag, "durability") == 0 ? durability : log_level;
}

void
config_env_name(char ret_name[CONFIG_ENV_LEN], const struct config_row *row)
{
    (void)snprintf(ret_name, CONFIG_ENV_LEN, "BOBBIN_%s", row->flag);
    for (char *c = ret_name; *c; c++)
        *c = (char)(*c == '-' ? '_' : toupper((unsigned char)*c));
}

void
config_allowed(char ret_text[CONFIG_ALLOWED_LEN], const struct config_row *row)
{
    char least[UNIT_TEXT_LEN], most[UNIT_TEXT_LEN];
    int len = 0;

    switch (row->type) {
    case CONFIG_COUNT:
        (void)snprintf(ret_text, CONFIG_ALLOWED_LEN, "a whole number from %" PRId64 " to %" PRId64,
                       row->least, row->most);
        break;
    case CONFIG_BYTES:
        bytes_size_text(least, row->least);
        bytes_size_text(most, row->most);
        (void)snprintf(ret_text, CONFIG_ALLOWED_LEN,
                       "a size from %s to %s, such as 64K, 16M or 10G", least, most);
        break;
    case CONFIG_DURATION:
        duration_text(least, row->least * NS_PER_SECOND);
        duration_text(most, row->most * NS_PER_SECOND);
        (void)snprintf(ret_text, CONFIG_ALLOWED_LEN,
                       "a time from %s to %s, such as 250ms, 30s or 5m", least, most);
        break;
    case CONFIG_BOOL:
        (void)snprintf(ret_text, CONFIG_ALLOWED_LEN, "yes or no");
        break;
    case CONFIG_CHOICE:
        for (const char *const *c = config_choices(row); *c; c++)
            len += snprintf(ret_text + len, (size_t)(CONFIG_ALLOWED_LEN - len), "%s%s",
                            len == 0 ? ""
                            : c[1]   ? ", "
                                     : " or ",
                            *c);
        break;
    case CONFIG_TEXT:
    case CONFIG_TEXTS:
        (void)snprintf(ret_text, CONFIG_ALLOWED_LEN, "a text");
        break;
    }
}
