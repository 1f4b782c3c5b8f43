/* command.h - the programs a task may run: those of --command, and no others.
 *
 *     --command 'resize=/usr/local/bin/resize --quality 90'
 *
 * A name, an absolute path, and arguments that every run gets, split at spaces: there is no
 * shell and no quoting.  It may write to the folder of its run and to those of --command-write,
 * if the kernel has Landlock.
 *
 * Private to work/.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_COMMAND_H
#define BOBBIND_COMMAND_H

#include "base/config.h"
#include "base/fault.h"

#include <stdbool.h>

/* Reads --command and --command-write, and empties the folder its programs run in; once, before
 * any task runs.  Logs what cannot be confined.  WHY_INVALID names the one that is malformed. */
enum why commands_start(const struct config *c, struct fault *f);
bool commands_any(void); /* whether there are some */

#endif
