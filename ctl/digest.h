/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The SHA-256 of a file that is sent. With it the server notices bytes that were changed on the way. */
#ifndef DFOTA_CTL_DIGEST_H
#define DFOTA_CTL_DIGEST_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include "ctl/failure.h"

#define DIGEST_SIZE 64 /* of the header value, with NUL */

struct digest_file {          /* of one request */
    FILE *file;               /* send from here; positioned at the beginning */
    int64_t size;             /* bytes */
    char digest[DIGEST_SIZE]; /* for Repr-Digest: sha-256=:BASE64: */
    FILE *copy; /* temporary copy, if the original can be read only once: the same as `file`; else NULL */
};

/* Reads `file` once to its end. A pipe is copied to a temporary file. EXIT_USAGE: it cannot be read. */
bool digest_open(FILE *file, struct digest_file *ret, struct failure *fail);
void digest_close(struct digest_file *file);

#endif
