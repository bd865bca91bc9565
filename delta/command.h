/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The subcommands of `dfota`. man/dfota.1 is the contract. */
#ifndef DFOTA_DELTA_COMMAND_H
#define DFOTA_DELTA_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include "base/error.h"
#include "base/sha256.h"
#include "delta/engine.h"

/* The largest image of `diff`, in bytes, unless an option sets another limit. The server has the same
   limit for an upload. */
#define COMMAND_MAX_IMAGE ((size_t)64 << 20)
/* The largest new image of `patch` and `verify`, in bytes, unless an option sets another limit. No module
   has more flash. */
#define COMMAND_MAX_OUTPUT ((size_t)256 << 20)
/* The largest file that `patch` and `verify` read, in bytes. No format can describe a larger one. */
#define COMMAND_MAX_INPUT ((size_t)INT32_MAX)

struct command_options { /* from the command line. NULL or 0: the option was not given. */
    const struct engine *engine;
    const struct sha256 *expect_old;
    const struct sha256 *expect_new;
    size_t max_bytes; /* always set. `diff`: limit of each image; `patch`, `verify`: limit of the new
                         image */
    const struct engine_options *making; /* always set; `patch` and `verify` use only the chip */
    bool any_size;           /* `patch`, `verify`: also accept a package that is too large for a module */
    bool full;               /* `verify`: the operands are a full package and its image */
    bool brief;              /* `inspect`: one line of JSON */
    bool part_given;         /* `diff`: --part */
    const char *suffix_file; /* file that keeps the index of the old image */
};

/* `file` holds the operands in order. Each command except `inspect` prints one line "sha256=… size=…"
   about its result. Notes go to standard error. When only that line cannot be printed, OUT is complete
   and in place. ERROR_INVALID, ERROR_CORRUPT and ERROR_TOO_LARGE: the files are the cause;
   ERROR_BAD_REQUEST: the command line; all others: the machine. */
bool command_diff(const struct command_options *options, char **file, size_t count, struct error *err);
bool command_patch(const struct command_options *options, char **file, size_t count, struct error *err);
bool command_verify(const struct command_options *options, char **file, size_t count, struct error *err);
/* Makes a full package of CSDK for an EC618. */
bool command_full(const struct command_options *options, char **file, size_t count, struct error *err);
/* Takes what an archive of a vendor is about: OUT is a .soc without the files that nothing needs, or the one
   firmware in the archive. Prints a second line: the name of the firmware in the archive, or nothing; and a
   third: the files that were left out. */
bool command_unpack(const struct command_options *options, char **file, size_t count, struct error *err);
bool command_inspect(const struct command_options *options, char **file, size_t count, struct error *err);

#endif
