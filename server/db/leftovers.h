/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Finds the files of a server in a data directory without a database: the database was lost or not
   restored, or a backup was copied to the wrong place. A server must not begin with an empty database
   beside them. */
#ifndef DFOTA_SERVER_DB_LEFTOVERS_H
#define DFOTA_SERVER_DB_LEFTOVERS_H

#include <stdbool.h>
#include "base/error.h"

/* True when the directory has no file of a server. Else ERROR_UNAVAILABLE with what was found and what to
   do. Looks some levels deep. */
bool leftovers_refuse(const char *directory, struct error *err) __attribute__((warn_unused_result));

#endif
