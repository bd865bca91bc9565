/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What servers leave, found in a data directory that has no database: a database that was lost or not restored, or a
   backup that was copied to another place than it belongs. A server must not begin with nothing beside it. */
#ifndef DFOTA_SERVER_DB_LEFTOVERS_H
#define DFOTA_SERVER_DB_LEFTOVERS_H

#include <stdbool.h>
#include "base/error.h"

/* False, and ERROR_UNAVAILABLE with what was found and what to do, unless the directory holds nothing of a server. It is
   searched some levels deep. */
bool leftovers_refuse(const char *directory, struct error *err) __attribute__((warn_unused_result));

#endif
