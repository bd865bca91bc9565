/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The subcommands of `dfota`: what each takes, and what it does with it. man/dfota.1 is the contract. */
#ifndef DFOTA_DELTA_COMMAND_H
#define DFOTA_DELTA_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include "base/error.h"
#include "base/sha256.h"
#include "delta/engine.h"

/* Largest image of `diff` unless it is told otherwise: as the server limits an upload. */
#define COMMAND_MAX_IMAGE ((size_t)64 << 20)
/* Largest new image of `patch` and `verify` unless they are told otherwise: no module has more flash. */
#define COMMAND_MAX_OUTPUT ((size_t)256 << 20)
/* Largest file that `patch` and `verify` read: more than that no format can hold. */
#define COMMAND_MAX_INPUT ((size_t)INT32_MAX)

struct command_options { /* what the command line said; a NULL pointer or 0 was not said */
    const struct engine *engine;
    const struct sha256 *expect_old;
    const struct sha256 *expect_new;
    size_t max_bytes; /* always set. `diff`: of either image; `patch`, `verify`: of the new image alone */
    const struct engine_options *making; /* always set */
    bool any_size;           /* `patch`, `verify`: also of a package that no module has room for */
    bool brief;              /* `inspect`: one line for programs */
    bool ec618_given;        /* an option was given that only formats with `is_ec618` know */
    const char *suffix_file; /* where the index of old is kept */
};

/* `file` holds the operands in order. Each but `inspect` prints one line "sha256=… size=…" of its result on
   success, and on standard error what is to be said beside it. When
   only that line cannot be written, OUT is in place and whole all the same. Errors by code: ERROR_INVALID,
   ERROR_CORRUPT and ERROR_TOO_LARGE lie in the files, ERROR_BAD_REQUEST in the command line, all others in
   the machine. */
bool command_diff(const struct command_options *options, char **file, size_t count, struct error *err);
bool command_patch(const struct command_options *options, char **file, size_t count, struct error *err);
bool command_verify(const struct command_options *options, char **file, size_t count, struct error *err);
bool command_inspect(const struct command_options *options, char **file, size_t count, struct error *err);

#endif
