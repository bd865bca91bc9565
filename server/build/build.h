/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Makes one package: runs the child processes, has the result verified, and stores it as a blob. It does
   not know the queue and changes no row. */
#ifndef DFOTA_SERVER_BUILD_BUILD_H
#define DFOTA_SERVER_BUILD_BUILD_H

#include <limits.h>

#include "server/process/process.h"
#include "server/config/firmware_section.h"
#include "storage/package.h"

struct daemon;

/* How a build ended. */
enum make_end {
    MAKE_READY,
    MAKE_FAILED,   /* it would fail again */
    MAKE_CRASHED,  /* a child process crashed: the next try may work */
    MAKE_PUT_BACK, /* cancelled */
    MAKE_LATER     /* the disk is full or read-only */
};

struct build {
    struct daemon *daemon;
    int cancel_fd;          /* becomes readable when the build must stop */
    struct package package; /* the package to make */
    enum package_effort effort;
    uint64_t below_bytes;                   /* keep only a smaller package; 0: keep any */
    bool outdated;                          /* no firmware has this recipe any more */
    const struct firmware_section *section; /* section of the firmware with this recipe; NULL: none */
    char firmware[FIRMWARE_NAME_SIZE];      /* the firmware of that section */

    /* The result: */
    char workdir[PATH_MAX - 64], made[PATH_MAX]; /* the job's folder; the file in it */
    struct sha256 sha256;
    int64_t uncounted_bytes; /* of the size: as package.uncounted_bytes */
    uint64_t size_bytes;     /* 0 with MAKE_READY: it is not smaller than below_bytes and was not kept */
    bool proven;
    char note[PACKAGE_NOTE_SIZE];
    char log[PACKAGE_LOG_SIZE];      /* output of an external command, also of one that failed; else "" */
    char reason[PACKAGE_ERROR_SIZE]; /* set unless MAKE_READY */
};

/* With MAKE_READY the package is a blob; sha256 and size_bytes name it. The caller stores the state of the
   package. Job thread. */
enum make_end build_package(struct build *making);

/* For build_external.c. */

struct process_limits build_limits(const struct build *making);
/* Turns the end of a child into the end of the build. Fills making->reason unless MAKE_READY. */
enum make_end build_judge(struct build *making, const struct process_outcome *outcome, const char *said);
/* Runs `dfota verify` on making->made. MAKE_READY with *ret_known: the package was applied and gave the
   new image. MAKE_READY without *ret_known: dfota does not know the format. */
enum make_end build_verify(struct build *making, bool *ret_known);
/* Writes making->reason as printf does, and returns `end`. */
enum make_end build_fail(struct build *making, enum make_end end, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
