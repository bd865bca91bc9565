/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/process/output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/slice.h"

/* Returns how many bytes fit. With to_end, the oldest bytes of the second half are dropped to make room. */
static size_t make_room(struct process_output *heard, size_t wanted)
{
    size_t half = heard->size / 2, room = heard->size - heard->used;
    if (!heard->to_end || wanted <= room)
        return wanted < room ? wanted : room;
    size_t drop = wanted - room; /* at most the second half: process_output_take() reads no more at once */
    memmove(heard->text + half, heard->text + half + drop, heard->used - half - drop);
    heard->used -= drop;
    heard->lost += drop;
    return wanted;
}

bool process_output_take(int fd, struct process_output *heard)
{
    char bytes[4096];
    size_t most = heard->to_end && heard->size / 2 < sizeof bytes ? heard->size / 2 : sizeof bytes;
    ssize_t got = read(fd, bytes, most);
    if (got <= 0)
        return got < 0 && errno == EINTR;
    size_t take = make_room(heard, (size_t)got);
    memcpy(heard->text + heard->used, bytes, take);
    heard->used += take;
    return true;
}

void process_output_clean(char *text, size_t used)
{
    for (size_t i = 0; i < used; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7F)
            text[i] = ' ';
    for (size_t cut = 0; cut <= 3 && cut <= used; cut++)
        if (slice_is_clean_utf8((struct slice){text, used - cut})) {
            used -= cut; /* the text ended inside a character */
            break;
        }
    while (used > 0 && text[used - 1] == ' ')
        used--;
    if (!slice_is_clean_utf8((struct slice){text, used}))
        for (size_t i = 0; i < used; i++)
            if (text[i] & 0x80)
                text[i] = '?';
    text[used] = '\0';
}

/* Adds text as lines of UTF-8, as far as there is room. Returns the new end. */
static size_t add_clean(char *log, size_t at, size_t log_size, const char *text, size_t len)
{
    for (size_t i = 0; i < len && at + 4 < log_size;) {
        unsigned char first = (unsigned char)text[i];
        size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 1;
        if (size > len - i || !slice_is_clean_utf8((struct slice){text + i, size})) {
            log[at++] = first == '\n' ? '\n' : first < 0x80 ? ' ' : '?';
            i++;
            continue;
        }
        memcpy(log + at, text + i, size);
        at += size;
        i += size;
    }
    return at;
}

void process_output_write(const struct process_output *heard, char *log, size_t log_size)
{
    char gap[64];
    size_t half = heard->size / 2, head = heard->lost ? half : heard->used, at = 0;
    at = add_clean(log, at, log_size, heard->text, head);
    if (heard->lost) {
        snprintf(gap, sizeof gap, "\n(%llu bytes are left out here)\n", (unsigned long long)heard->lost);
        at = add_clean(log, at, log_size, gap, strlen(gap));
        at = add_clean(log, at, log_size, heard->text + half, heard->used - half);
    }
    while (at > 0 && (log[at - 1] == '\n' || log[at - 1] == ' '))
        at--;
    log[at] = '\0';
}
