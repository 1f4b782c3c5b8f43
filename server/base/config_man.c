/* config_man.c - the manual page bobbind.8, written by the program itself, so that it cannot name
 * an option that is not there.
 *
 * SPDX-License-Identifier: MIT */
#include "base/config.h"

/* Plain text for troff: a dash that can be copied, no command at the start of a line, no escape. */
static void
add_text(struct bytes *b, const char *text)
{
    if (*text == '.' || *text == '\'')
        bytes_adds(b, "\\&");
    for (; *text; text++) {
        switch (*text) {
        case '\\':
            bytes_adds(b, "\\e");
            break;
        case '-':
            bytes_adds(b, "\\-");
            break;
        case '~':
            bytes_adds(b, "\\(ti");
            break;
        default:
            bytes_add(b, text, 1);
        }
    }
}

static void
add_option(struct bytes *b, const struct config_row *row)
{
    char env[CONFIG_ENV_LEN], allowed[CONFIG_ALLOWED_LEN];

    bytes_adds(b, ".TP\n.B ");
    add_text(b, "--");
    add_text(b, row->flag);
    if (row->type != CONFIG_BOOL)
        bytes_adds(b, "=\\fIVALUE\\fP");
    bytes_adds(b, "\n");
    add_text(b, row->doc);
    bytes_adds(b, ".\n");
    if (row->type != CONFIG_TEXT && row->type != CONFIG_TEXTS && row->type != CONFIG_BOOL) {
        config_allowed(allowed, row);
        bytes_adds(b, "It is ");
        add_text(b, allowed);
        bytes_adds(b, ".\n");
    }
    if (*row->fallback) {
        bytes_adds(b, "Default: ");
        add_text(b, row->fallback);
        bytes_adds(b, ".\n");
    }
    config_env_name(env, row);
    bytes_addf(b, "Environment: \\fB%s\\fP.\n", env);
}

static const char before[] =
    ".SH NAME\n"
    "bobbind \\- named locks, semaphores, counters and executors over HTTP\n"
    ".SH SYNOPSIS\n"
    ".B bobbind\n"
    "[\\fIOPTION\\fP]...\n"
    ".SH DESCRIPTION\n"
    "\\fBbobbind\\fP is a server that gives programs on any number of processes and machines what "
    "Python's\n"
    ".B threading\n"
    "and\n"
    ".B concurrent.futures\n"
    "give the threads of one: named locks, semaphores and counters, and executors that do work.\n"
    "Clients speak HTTP with JSON; a browser that opens the address sees what happens.\n"
    ".PP\n"
    "Every answer that something was changed means that the change is on disk, unless\n"
    ".B \\-\\-durability=relaxed\n"
    "was chosen.  Objects, their holds and tasks are kept in an SQLite database in the data "
    "folder;\n"
    "one server at a time may use a folder.\n"
    ".PP\n"
    "It listens on the loopback interface only, and refuses any other address unless\n"
    ".B \\-\\-insecure\n"
    "is given: there are no passwords yet, and whoever can connect may do anything.\n"
    ".SH OPTIONS\n"
    "Options come from the environment first, then from the command line.\n";

static const char after[] =
    ".TP\n"
    ".BR \\-\\-help [ =markdown | =man ]\n"
    "Prints all options, as a text, a Markdown table or this page, and exits.\n"
    ".TP\n"
    ".B \\-\\-version\n"
    "Prints the version, and exits.\n"
    ".SH ENVIRONMENT\n"
    "Each option has a variable: BOBBIN_ and its name in capitals, with an underscore for a dash.\n"
    "An option that may be repeated takes several values there, separated by commas.\n"
    "An empty variable counts for nothing.\n"
    ".TP\n"
    ".BR STATE_DIRECTORY \", \" XDG_STATE_HOME \", \" HOME\n"
    "Where the data folder is when\n"
    ".B \\-\\-data\n"
    "does not say.\n"
    ".TP\n"
    ".BR LISTEN_FDS \", \" NOTIFY_SOCKET \", \" WATCHDOG_USEC \", \" JOURNAL_STREAM\n"
    "As\n"
    ".BR systemd (1)\n"
    "sets them: sockets to listen on, readiness, watchdog, and log lines with priorities.\n"
    ".SH SYSTEMD\n"
    "The units bobbind.service and, if systemd shall listen in its place, bobbind.socket are "
    "installed with it.\n"
    "Where systemd gives the sockets,\n"
    ".B \\-\\-listen\n"
    "counts for nothing.\n"
    "The status that\n"
    ".BR systemctl (1)\n"
    "shows is the address, and why it is not ready, as /readyz says.\n"
    "A stop may take as long as\n"
    ".B \\-\\-stop\\-timeout\n"
    "says: systemd is told.\n"
    "After a crash it is started again, after exit status 2 it is not.\n"
    "A data folder other than /var/lib/bobbin must be named in the unit, in\n"
    ".BR ReadWritePaths= ,\n"
    "and be the folder of its\n"
    ".BR User= .\n"
    ".SH FILES\n"
    ".TP\n"
    "\\fIDATA\\fP/\n"
    "The data folder, of mode 0700: the database with its log, and the lock that keeps a second "
    "server\n"
    "out.\n"
    ".TP\n"
    "\\fIDATA\\fP/files/\n"
    "What download tasks have fetched.\n"
    ".TP\n"
    "\\fIDATA\\fP/scratch/\n"
    "A folder for each command that runs.  With those of\n"
    ".B \\-\\-command\\-write\n"
    "and the devices null, zero, full, random, urandom and tty it is all that a command may write "
    "to;\n"
    "/tmp and /dev/shm are not.  The kernel's Landlock sees to that, from Linux 6.2 on, and from "
    "5.13 on\n"
    "but for truncating files; where it does not, the log says commands_not_confined at the "
    "start.\n"
    "Reading is not restricted, nor are locks, modes, owners and times of files, nor signals to "
    "its user's processes.\n"
    ".SH SIGNALS\n"
    ".TP\n"
    ".BR SIGTERM \", \" SIGINT\n"
    "Stop: nothing new is begun, waiting requests are told, running work may finish within\n"
    ".BR \\-\\-stop\\-timeout ,\n"
    "and until it has, one may look, renew and release;\n"
    "what is not finished runs again after the next start.  A second one: stop at once.\n"
    "Nothing that was answered is lost either way.\n"
    ".TP\n"
    ".B SIGHUP\n"
    "Read the dashboard's files again.\n"
    ".SH EXIT STATUS\n"
    ".TP\n"
    ".B 0\n"
    "Stopped as it was told to.\n"
    ".TP\n"
    ".B 1\n"
    "It could not start, or the store failed; standard error says why, and another start may "
    "succeed.\n"
    ".TP\n"
    ".B 2\n"
    "An option is wrong, or the store is damaged, of another program or of a newer version:\n"
    "another start would say the same.\n"
    ".SH EXAMPLES\n"
    ".EX\n"
    "bobbind \\-\\-data=/tmp/bobbin &\n"
    "curl \\-X POST http://127.0.0.1:7070/v1/counters/visits/add\n"
    "curl \\-X POST http://127.0.0.1:7070/v1/locks/backup/acquire \\-d wait=30 \\-d ttl=5m\n"
    ".EE\n"
    ".SH SEE ALSO\n"
    ".BR curl (1),\n"
    ".BR systemd (1),\n"
    ".BR systemd.service (5)\n";

void
config_man(struct bytes *b)
{
    bytes_addf(b, ".TH BOBBIND 8 \"\" \"bobbind %s\" \"System Administration\"\n", PACKAGE_VERSION);
    bytes_adds(b, before);
    for (const struct config_row *row = config_rows; row < config_rows + CONFIG_ROWS; row++)
        add_option(b, row);
    bytes_adds(b, after);
}
