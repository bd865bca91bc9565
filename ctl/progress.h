/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* One line on standard error that says how far a transfer is. Nothing is written unless that is a terminal.
 */
#ifndef DFOTA_CTL_PROGRESS_H
#define DFOTA_CTL_PROGRESS_H

#include <stdint.h>

/* Shows `label` with how much is done, at most ten times a second. total_bytes 0: not known. */
void progress_show(const char *label, int64_t done_bytes, int64_t total_bytes);

/* The same for a state in words. */
void progress_say(const char *label, const char *state);

/* Removes the line, if there is one. Call before anything else is printed. */
void progress_end(void);

#endif
