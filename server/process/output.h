/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The output of a child, read from a pipe into limited memory, as text that can be shown and stored. */
#ifndef DFOTA_SERVER_PROCESS_OUTPUT_H
#define DFOTA_SERVER_PROCESS_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct process_output {
    char *text; /* belongs to the caller */
    size_t size, used;
    bool to_end;   /* keep the end too: the second half of `text` has the last bytes */
    uint64_t lost; /* bytes that were dropped between the halves */
};

/* Reads what is available on a non-blocking descriptor and keeps what fits. False: there was nothing. */
bool process_output_take(int fd, struct process_output *heard);
/* Makes the text one line: control characters become spaces, invalid UTF-8 becomes question marks. `text`
   needs room for a NUL at `used`. */
void process_output_clean(char *text, size_t used);
/* Writes the text as lines of UTF-8. If bytes were dropped, a line in the middle tells how many. */
void process_output_write(const struct process_output *heard, char *log, size_t log_size);

#endif
