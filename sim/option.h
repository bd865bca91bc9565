/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The command line of dfota-sim: one table of options, read into what the run needs. */
#ifndef DFOTA_SIM_OPTION_H
#define DFOTA_SIM_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "sim/release.h"

/* Enumerator, long name, short letter or 0, what its argument is called or NULL, help. */
#define OPTION_TABLE(X)                                                                                      \
    X(OPTION_URL, "url", 0, "URL", "the server; with a path, the query is glued to it as real clients do")   \
    X(OPTION_PRODUCT_KEY, "product-key", 0, "KEY", "the product")                                            \
    X(OPTION_FIRMWARE, "firmware", 0, "NAME", "the firmware's name")                                         \
    X(OPTION_VERSION, "version", 0, "VERSION", "what the module says it runs (else its image knows)")        \
    X(OPTION_IMAGE, "image", 0, "FILE", "the image it runs")                                                 \
    X(OPTION_KNOW, "know", 0, "VERSION=FILE", "these bytes are that version; may be repeated")               \
    X(OPTION_IMEI, "imei", 0, "IMEI", "its IMEI, or other id (866597071234569); further ones count up")      \
    X(OPTION_COUNT, "count", 0, "N", "so many modules (1)")                                                  \
    X(OPTION_DIALECT, "dialect", 0, "NAME",                                                                  \
      "luatos, luatos-2024, fota2, fota2-mac, uid-bytes, air724, csdk, at (luatos)")                         \
    X(OPTION_LINK, "link", 0, "URL", "asks this link instead of --url")                                      \
    X(OPTION_LINKS, "links", 0, "FILE", "a module for each line: URL, or imei,version,url,report_url")       \
    X(OPTION_REPORT, "report", 0, NULL, "its host reports after a reboot and follows the next link")         \
    X(OPTION_TRANSCRIPT, "transcript", 0, NULL, "with --report: the host sends what it captured")            \
    X(OPTION_UNTIL, "until", 0, "VERSION|idle", "stop when it runs VERSION, or at code 27 (idle)")           \
    X(OPTION_ASKS, "asks", 0, "N", "ask N times, whatever the answers")                                      \
    X(OPTION_EXPECT, "expect", 0, "VERSION", "fail unless it ends at VERSION")                               \
    X(OPTION_INTERVAL, "interval", 0, "SECONDS", "between two asks (2; air724 30)")                          \
    X(OPTION_PARTITION, "partition", 0, "BYTES", "the largest package it can take (491520)")                 \
    X(OPTION_CUT_AT, "cut-at", 0, "BYTES", "loses the connection there once, and asks for the rest")         \
    X(OPTION_PARALLEL, "parallel", 0, "N", "so many exchanges at a time (16)")                               \
    X(OPTION_QUIET, "quiet", 'q', NULL, "no line for every step")                                            \
    X(OPTION_OUTPUT, "output", 'o', "json", "the summary as JSON; the steps go to standard error")           \
    X(OPTION_MAKE_IMAGE, "make-image", 0, "VERSION", "write a generated image to FILE and end")              \
    X(OPTION_SIZE, "size", 0, "BYTES", "of the generated image (614400)")                                    \
    X(OPTION_SEED, "seed", 0, "N", "of the generated image (1): another seed, another firmware")             \
    X(OPTION_HELP, "help", 'h', NULL, "this text")                                                           \
    X(OPTION_PROGRAM_VERSION, "program-version", 'V', NULL, "the version of dfota-sim")

enum option_id {
#define X(id, name, letter, argument, help) id,
    OPTION_TABLE(X)
#undef X
        OPTIONS
};

#define KNOW_MAX 64

struct known_file {
    char version[RELEASE_SIZE];
    const char *path;
};

struct options {
    const char *value[OPTIONS]; /* borrowed from argv; "" for one without an argument; NULL when not given */
    struct known_file know[KNOW_MAX];
    size_t know_count;
    const char *file; /* the operand; NULL: none */
};

/* ERROR_BAD_REQUEST says what is wrong with the command line. */
bool option_parse(int argc, char **argv, struct options *ret, struct error *err)
    __attribute__((warn_unused_result));

/* These take the value of an option, or what stands for it when it is not given. */
bool option_number(const struct options *options, enum option_id id, uint64_t least, uint64_t most,
                   uint64_t *value, struct error *err) __attribute__((warn_unused_result));
bool option_release(const struct options *options, enum option_id id, char value[RELEASE_SIZE],
                    struct error *err) __attribute__((warn_unused_result));
bool option_seconds(const struct options *options, enum option_id id, int64_t *value_ms, struct error *err)
    __attribute__((warn_unused_result));

void option_print_help(void);

#endif
