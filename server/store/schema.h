/* schema.h - whose database it is, and of which version; the tables, as numbered migrations.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_SCHEMA_H
#define BOBBIND_SCHEMA_H

#include "base/fault.h"
#include "store/sqlite.h"

/* Changes nothing.  WHY_INVALID: the database is another program's, of a newer version, or
 * damaged. */
enum why schema_check(struct sqlite *db, const char *path, struct fault *f);

/* Brings the tables to this version, a transaction for each step. */
enum why schema_migrate(struct sqlite *db, struct fault *f);

#endif
