/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Makes one package: runs the children, has the result proven, makes it a blob. Knows no queue and changes no
 * row. */
#ifndef DFOTA_SERVER_BUILD_BUILD_H
#define DFOTA_SERVER_BUILD_BUILD_H

#include <limits.h>

#include "server/process/process.h"
#include "server/config/firmware_section.h"
#include "storage/package.h"

struct daemon;

/* What became of it. */
enum make_end {
    MAKE_READY,
    MAKE_FAILED,   /* it would fail again */
    MAKE_CRASHED,  /* a process died: another time it may not */
    MAKE_PUT_BACK, /* cancelled */
    MAKE_LATER     /* the disk is full or read-only */
};

struct build {
    struct daemon *daemon;
    int cancel_fd;          /* readable once it is to end */
    struct package package; /* what is wanted */
    enum package_effort effort;
    uint64_t below_bytes;                   /* only a smaller package is of use; 0: any is */
    bool outdated;                          /* no firmware has its recipe any more */
    const struct firmware_section *section; /* of the firmware with its recipe; NULL: it has none */
    char firmware[FIRMWARE_NAME_SIZE];      /* whose section that is */

    /* of what was made */
    char workdir[PATH_MAX - 64], made[PATH_MAX]; /* the job's folder; the file in it */
    struct sha256 sha256;
    uint64_t size_bytes; /* 0 with MAKE_READY: it is not smaller than below_bytes, and was not kept */
    bool proven;
    char note[PACKAGE_NOTE_SIZE];
    char log[PACKAGE_LOG_SIZE];      /* of an external command, also of one that failed; else "" */
    char reason[PACKAGE_ERROR_SIZE]; /* unless MAKE_READY */
};

/* With MAKE_READY the package is a blob, sha256 and size_bytes say which; the caller tells storage. A job's
 * thread. */
enum make_end build_package(struct build *making);

/* For external.c. */

struct process_limits build_limits(const struct build *making);
/* What the end of a child means for the package; fills making->reason unless MAKE_READY. */
enum make_end build_judge(struct build *making, const struct process_outcome *outcome, const char *said);
/* `dfota verify` on making->made. MAKE_READY: applied, and the new image came out, where *ret_known; else
   nothing here knows its format. */
enum make_end build_verify(struct build *making, bool *ret_known);
/* Fails, with the reason as printf has it. */
enum make_end build_fail(struct build *making, enum make_end end, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
