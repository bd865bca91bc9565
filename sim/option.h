/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The command line of dfota-sim: its table of options (base/options.h), and the values of one run. */
#ifndef DFOTA_SIM_OPTION_H
#define DFOTA_SIM_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "sim/release.h"
#include "upgrade/stage_option.h"

#define KNOW_MAX        64
#define SEED_NONE       UINT64_MAX /* --seed is not given */
#define CORE_ID_NONE    UINT64_MAX /* --core-id is not given */
#define INTERVAL_NONE   (-1)       /* --interval is not given */
#define DEFAULT_IMEI    "866597071234569"
#define DEFAULT_THREADS 16
#define FROM_MAX        16
#define STAGES_MAX      16
#define SET_MAX         16

struct known_file {
    char version[RELEASE_SIZE];
    const char *path;
};

/* Texts are borrowed from argv. NULL, 0, "" or false: not given. Versions are as release_read() leaves
   them. */
struct sim_options {
    const char *url, *product_key, *firmware, *imei, *dialect, *link, *links, *client, *model;
    uint64_t core_id; /* or CORE_ID_NONE */
    uint64_t count;
    bool report, transcript;

    const char *image;
    char version[RELEASE_SIZE];
    struct known_files {
        struct known_file file[KNOW_MAX];
        size_t count;
    } know;
    uint64_t partition_bytes;
    const char *chip; /* NULL: not given */

    struct option_until {
        bool idle;
        char version[RELEASE_SIZE];
    } until;
    char expect[RELEASE_SIZE];
    uint64_t asks;
    int64_t interval_ms; /* or INTERVAL_NONE */

    uint64_t cut_bytes, parallel;
    bool quiet, help, program_version;
    const char *output;

    char campaign[RELEASE_SIZE]; /* the target of a rehearsal */
    struct option_from {
        struct modules_from {
            char version[RELEASE_SIZE];
            uint64_t count;
        } group[FROM_MAX];
        size_t count;
    } from;
    struct option_stages {
        struct stage_option stage[STAGES_MAX];
        size_t count;
    } stages;
    struct option_texts {
        char *text[SET_MAX];
        size_t count;
    } set, waypoints;
    uint64_t loss, resets, refuse, speed; /* percent; speed 0: not given */
    const char *server;

    char make_image[RELEASE_SIZE];
    uint64_t size_bytes, seed; /* seed: or SEED_NONE */
    const char *file;          /* the file of --make-image */
};

/* ERROR_BAD_REQUEST: the command line is wrong. */
bool option_parse(int argc, char **argv, struct sim_options *ret, struct error *err)
    __attribute__((warn_unused_result));

/* Prints the text of --help on standard output. */
void option_print_help(void);

#endif
