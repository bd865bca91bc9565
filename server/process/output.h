/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What a child says on a pipe, in bounded memory, and as text that may be shown and stored. */
#ifndef DFOTA_SERVER_PROCESS_OUTPUT_H
#define DFOTA_SERVER_PROCESS_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct process_output {
    char *text; /* the caller's */
    size_t size, used;
    bool to_end;   /* keep the end too: the second half of `text` slides */
    uint64_t lost; /* bytes between the two */
};

/* Takes what has come on a descriptor that does not block, and keeps what is asked for. False when there was nothing. */
bool process_output_take(int fd, struct process_output *heard);
/* One line: blanks for control characters, question marks for what is no UTF-8. There is room for a NUL behind `used`. */
void process_output_clean(char *text, size_t used);
/* Lines of UTF-8, with a line that counts what was lost in the middle. */
void process_output_write(const struct process_output *heard, char *log, size_t log_size);

#endif
