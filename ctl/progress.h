/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* One line on standard error with the progress of a transfer; only if standard error is a terminal. Main
   thread only. */
#ifndef DFOTA_CTL_PROGRESS_H
#define DFOTA_CTL_PROGRESS_H

#include <stdint.h>

/* Shows `label` with the bytes so far, at most ten times a second. total_bytes 0: not known. */
void progress_show(const char *label, int64_t done_bytes, int64_t total_bytes);

/* Shows `label` with a state in words, at most ten times a second. */
void progress_say(const char *label, const char *state);

/* Removes the line, if there is one. Call this before printing anything else. */
void progress_end(void);

#endif
