/* The subcommands of `dfota`: what each takes, and what it does with it. man/dfota.1 is the contract. */
#ifndef DFOTA_DELTA_COMMAND_H
#define DFOTA_DELTA_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include "base/error.h"
#include "base/sha256.h"
#include "delta/engine.h"

#define COMMAND_MAX_IMAGE                                                                                    \
    ((size_t)64 << 20) /* `diff` by default: the server's own default limit of an image */
#define COMMAND_MAX_OUTPUT ((size_t)256 << 20) /* `patch` and `verify` by default: no module has more flash  \
                                                */

struct command_options { /* what the command line said; a NULL pointer or 0 was not said */
    const struct engine *format;
    const struct sha256 *expect_old;
    const struct sha256 *expect_new;
    size_t max_bytes; /* per image; always set */
};

/* `file` holds the operands in order. Each prints one line "sha256=… size=…" of its result on success. Errors
   by code: ERROR_INVALID, ERROR_CORRUPT and ERROR_TOO_LARGE lie in the files, ERROR_BAD_REQUEST in the
   command line, all others in the machine. */
bool command_diff(const struct command_options *options, char **file, size_t count, struct error *err);
bool command_patch(const struct command_options *options, char **file, size_t count, struct error *err);
bool command_verify(const struct command_options *options, char **file, size_t count, struct error *err);

#endif
