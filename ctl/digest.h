/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What a file that is sent has for a SHA-256, so that the server can tell when it was changed on its way. */
#ifndef DFOTA_CTL_DIGEST_H
#define DFOTA_CTL_DIGEST_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include "ctl/failure.h"

#define DIGEST_SIZE 64 /* of a header's value, NUL included */

struct digest_file {          /* of one request */
    FILE *file;               /* to be sent from here: stands at its beginning */
    int64_t size;             /* bytes */
    char digest[DIGEST_SIZE]; /* for Repr-Digest: sha-256=:BASE64: */
    FILE *copy;               /* `file` is this, where the original can be read only once; else NULL */
};

/* Reads `file` once to its end. A pipe is copied to a temporary file. EXIT_USAGE where it cannot be read. */
bool digest_open(FILE *file, struct digest_file *ret, struct failure *fail);
void digest_close(struct digest_file *file);

#endif
