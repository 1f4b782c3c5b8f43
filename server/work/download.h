/* download.h - where downloads are kept: FOLDER/tNN/NAME, one folder for each task, so that no task can touch another's file.
 *
 * While it comes, a file is FOLDER/.partial/tNN; it has its final name only when it is whole and on the disk.
 *
 * Private to work/.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_DOWNLOAD_H
#define BOBBIND_DOWNLOAD_H

#include "base/fault.h"

#if defined(HAVE_CURL) && defined(HAVE_NETTLE)

/* Makes @folder, and removes what runs of a server that crashed have left in .partial. */
enum why downloads_start(const char *folder, struct fault *f);

#else

static inline enum why
downloads_start(const char *folder, struct fault *f)
{
    (void)folder;
    (void)f;
    return WHY_OK;
}

#endif

#endif
