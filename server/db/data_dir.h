/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The data directory of a running server. It is created when it is missing, locked against a second
   server, made private, and refused when its database is missing. */
#ifndef DFOTA_SERVER_DB_DATA_DIR_H
#define DFOTA_SERVER_DB_DATA_DIR_H

#include <stdbool.h>
#include "base/error.h"

struct data_dir {
    int directory_fd, lock_fd, database_fd; /* each has a lock; -1: not open */
};

#define DATA_DIR_RESTORING "restoring" /* the folder of a restore that has not ended */
#define DATA_DIR_CLOSED    ((struct data_dir){-1, -1, -1})

/* Call it before SQLite opens the database, and data_dir_close() after SQLite has closed it: closing a
   descriptor of the database drops SQLite's locks.

   ERROR_UNAVAILABLE: another server uses this directory, under any name, or this database; the directory
   has no database but other files of a server (leftovers.h); or its files cannot be made private. *ret is
   DATA_DIR_CLOSED before, and the caller closes it in any case. */
bool data_dir_open(const char *directory, struct data_dir *ret, struct error *err)
    __attribute__((warn_unused_result));

/* Only locks: creates and changes nothing. For reading the files without a server, and for a restore into an
   empty directory. ERROR_UNAVAILABLE: a server uses the directory. Otherwise as data_dir_open(). */
bool data_dir_lock(const char *directory, struct data_dir *ret, struct error *err)
    __attribute__((warn_unused_result));
void data_dir_close(struct data_dir *data);

#endif
