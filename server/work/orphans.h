/* orphans.h - ends what the commands of a server that crashed have left running.
 *
 * Private to work/.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_ORPHANS_H
#define BOBBIND_ORPHANS_H

/* Kills the processes whose home is in @folder, an absolute path with no links in it; once, before any task runs.  Where there
 * is no /proc, none. */
void orphans_end(const char *folder);

#endif
