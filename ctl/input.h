/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Files that a command reads. The name "-" is standard input, everywhere. */
#ifndef DFOTA_CTL_INPUT_H
#define DFOTA_CTL_INPUT_H

#include <stdbool.h>
#include <stdio.h>
#include "ctl/failure.h"

/* *ret is the caller's (fclose). EXIT_USAGE: the file cannot be read, it is a directory, or standard input was read
   before. */
bool input_open(const char *name, FILE **ret, struct failure *fail);

#endif
