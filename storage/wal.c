/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/wal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

#define VERSION       3007000
#define MAGIC         0x377f0682 /* in a log with MAGIC + 1 the checksums are of big-endian words */
#define HEADER_SIZE   32
#define FRAME_HEADER  24
#define PAGE_SIZE_MAX 65536

/* What a log holds. */
struct log {
    bool is_there;   /* it has more than a header */
    bool has_header; /* and the header is whole */
    bool high_first; /* byte order of the checksums */
    uint32_t page_size;
    unsigned char salt[8];
    uint32_t sum[2];    /* of all bytes so far */
    uint32_t committed; /* frames up to the last commit that can be read */
};

/* How far the log was committed, as the file beside the log says; all 0 when that file says nothing. */
struct mark {
    uint32_t committed; /* frames */
    uint32_t moved;     /* of these frames: already in the database */
    unsigned char salt[8];
};

static uint32_t word(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void add_sum(bool high_first, const unsigned char *bytes, size_t len, uint32_t sum[2])
{
    for (size_t i = 0; i + 8 <= len; i += 8) {
        uint32_t pair[2] = {word(bytes + i), word(bytes + i + 4)};
        if (!high_first) {
            pair[0] = __builtin_bswap32(pair[0]);
            pair[1] = __builtin_bswap32(pair[1]);
        }
        sum[0] += pair[0] + sum[1];
        sum[1] += pair[1] + sum[0];
    }
}

/* *ret_got is less than `len` only at the end of the file. */
static bool read_at(int fd, const char *path, unsigned char *out, size_t len, off_t at, size_t *ret_got,
                    struct error *err)
{
    *ret_got = 0;
    while (*ret_got < len) {
        ssize_t got = pread(fd, out + *ret_got, len - *ret_got, at + (off_t)*ret_got);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_errno(err, errno, "cannot read %s", path);
        if (got == 0)
            break;
        *ret_got += (size_t)got;
    }
    return true;
}

/* *ret_fd is -1 when there is no such file. */
static bool open_beside(const char *path, const char *ending, char name[PATH_MAX], int *ret_fd,
                        struct error *err)
{
    snprintf(name, PATH_MAX, "%s%s", path, ending);
    *ret_fd = open(name, O_RDONLY | O_CLOEXEC);
    return *ret_fd >= 0 || errno == ENOENT || error_errno(err, errno, "cannot open %s", name);
}

/* The log */

static void take_header(const unsigned char *header, struct log *log)
{
    log->page_size = word(header + 8);
    log->high_first = word(header) & 1;
    memcpy(log->salt, header + 16, sizeof log->salt);
    log->sum[0] = log->sum[1] = 0;
    add_sum(log->high_first, header, HEADER_SIZE - 8, log->sum);
    log->has_header = (word(header) & ~1u) == MAGIC && word(header + 4) == VERSION && log->page_size >= 512 &&
                      log->page_size <= PAGE_SIZE_MAX && (log->page_size & (log->page_size - 1)) == 0 &&
                      word(header + 24) == log->sum[0] && word(header + 28) == log->sum[1];
}

/* Adds a frame to the checksum. True when the frame belongs to this log and follows the frames before. */
static bool take_frame(const unsigned char *frame, struct log *log)
{
    add_sum(log->high_first, frame, 8, log->sum);
    add_sum(log->high_first, frame + FRAME_HEADER, log->page_size, log->sum);
    return word(frame) != 0 && memcmp(frame + 8, log->salt, sizeof log->salt) == 0 &&
           word(frame + 16) == log->sum[0] && word(frame + 20) == log->sum[1];
}

static bool read_frames(int fd, const char *name, struct log *log, struct error *err)
{
    size_t size = FRAME_HEADER + log->page_size, got;
    _cleanup_(cleanup_free) unsigned char *frame = malloc(size);
    if (!frame)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    for (uint32_t number = 1;; number++) {
        if (!read_at(fd, name, frame, size, HEADER_SIZE + (off_t)(number - 1) * (off_t)size, &got, err))
            return false;
        if (got < size || !take_frame(frame, log))
            return true;
        if (word(frame + 4)) /* the size of the database after this commit */
            log->committed = number;
    }
}

static bool read_log(const char *path, struct log *ret, struct error *err)
{
    char name[PATH_MAX];
    unsigned char header[HEADER_SIZE + 1];
    size_t got;
    _cleanup_(cleanup_close) int fd = -1;
    *ret = (struct log){.is_there = false};
    if (!open_beside(path, "-wal", name, &fd, err))
        return false;
    if (fd < 0)
        return true;
    if (!read_at(fd, name, header, sizeof header, 0, &got, err))
        return false;
    ret->is_there = got > HEADER_SIZE;
    if (ret->is_there)
        take_header(header, ret);
    return !ret->has_header || read_frames(fd, name, ret, err);
}

/* The file beside the log has two copies of one header, then the number of frames that were moved to the
   database. After a kill one copy may be older. Numbers are in the byte order of this machine. */

#define MARK_SIZE 48
#define MOVED_AT  (2 * MARK_SIZE)

static uint32_t own_word(const unsigned char *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static void take_mark(const unsigned char *copy, struct mark *mark)
{
    static const uint32_t one = 1;
    uint32_t sum[2] = {0, 0};
    add_sum(*(const unsigned char *)&one == 0, copy, MARK_SIZE - 8, sum);
    if (own_word(copy) != VERSION || !copy[12] || own_word(copy + 40) != sum[0] ||
        own_word(copy + 44) != sum[1] || own_word(copy + 16) < mark->committed)
        return;
    mark->committed = own_word(copy + 16);
    memcpy(mark->salt, copy + 32, sizeof mark->salt);
}

static bool read_mark(const char *path, struct mark *ret, struct error *err)
{
    char name[PATH_MAX];
    unsigned char head[MOVED_AT + 4];
    size_t got;
    _cleanup_(cleanup_close) int fd = -1;
    *ret = (struct mark){0};
    if (!open_beside(path, "-shm", name, &fd, err))
        return false;
    if (fd < 0)
        return true;
    if (!read_at(fd, name, head, sizeof head, 0, &got, err))
        return false;
    if (got < sizeof head)
        return true;
    take_mark(head + MARK_SIZE, ret);
    take_mark(head, ret);
    ret->moved = own_word(head + MOVED_AT);
    return true;
}

bool wal_check(const char *path, struct error *err)
{
    struct log log;
    struct mark mark;
    if (!read_log(path, &log, err) || !read_mark(path, &mark, err))
        return false;
    if (!log.is_there)
        return mark.moved >= mark.committed || error_set(err, ERROR_CORRUPT, "its write-ahead log is gone");
    if (!log.has_header)
        return error_set(err, ERROR_CORRUPT, "the header of its write-ahead log cannot be read");
    /* Another salt: the log was begun anew. SQLite does so only after all frames were moved to the
       database. */
    if (memcmp(log.salt, mark.salt, sizeof log.salt) != 0 || log.committed >= mark.committed)
        return true;
    return error_set(err, ERROR_CORRUPT, "of %u pages in its write-ahead log %u can be read", mark.committed,
                     log.committed);
}
