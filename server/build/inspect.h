/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What an uploaded file is, by its content. `dfota` looks into it, in a child under limits: the server reads
   no bytes of a stranger. What a file may be kept as follows from that and from the name that it came with.
 */
#ifndef DFOTA_SERVER_BUILD_INSPECT_H
#define DFOTA_SERVER_BUILD_INSPECT_H

#include "server/context.h"
#include "storage/firmware.h"
#include "storage/image.h"
#include "storage/package.h"

#define CONTENT_RELEASES_MAX 8
#define CONTENT_REASON_SIZE  320

struct content { /* as `dfota inspect --brief` tells it, see delta/inspect/inspect_json.h */
    char kind[20], role[12];
    char format[FORMAT_SIZE]; /* the package format that applies it, "": none */
    char summary[CONTENT_SIZE];
    char wrong[CONTENT_REASON_SIZE], odd[CONTENT_REASON_SIZE]; /* "": no */
    bool changes_core; /* of a full package, and what its head says of cores; 0: nothing */
    uint32_t leads_to_core, allows_core;
    char mangled[CONTENT_REASON_SIZE]; /* the trace of a transfer as text, "": none */
    size_t releases;
    char release[CONTENT_RELEASES_MAX][FIRMWARE_NAME_SIZE];
    char unseen[CONTENT_REASON_SIZE]; /* why dfota could not look into it; then nothing above is known */
    bool cancelled; /* it is unseen because the server is being stopped: nobody may keep it */
};

/* Looks into a file on the disk, in the calling thread. A child that cannot be run, crashes, or takes too
   long is no fault of the admin's: the file is `unseen` then. */
void inspect_upload(const struct daemon *daemon, const char *path, struct content *ret);

/* The family of modules that it is for, by its kind or by the name of a release in it; NULL: nothing is known. */
const struct family *content_family(const struct content *content);

/* Whether it may be kept as the image of that version. Fills image->kind, core, content and warnings.
   `firmware` has name and format. `raw`: the admin says that it is a raw image, whatever it looks like; that is kept
   as a warning. ERROR_NOT_AN_IMAGE says what it is instead; ERROR_UNAVAILABLE: it was cancelled. */
bool inspect_accept_image(const struct content *content, const struct firmware *firmware,
                          const struct version *version, bool raw, struct image *image, struct error *err)
    __attribute__((warn_unused_result));

struct inspect_pair { /* what a package leads between */
    const struct image *from, *to;
    const struct firmware *firmware; /* whose format it has to be of */
    bool raw; /* the admin says that it is one, whatever it looks like; of the format external only */
};

/* Whether the file at `path`, which was looked into, may be kept as the package of that pair. What can be applied is
   applied, in a child: *ret_proven. `note` gets what was said beside it, or why it could not be. ERROR_NOT_A_PACKAGE says
   what is wrong with it; ERROR_UNAVAILABLE: nobody could tell, another time will do. */
bool inspect_accept_package(const struct daemon *daemon, const struct content *content, const char *path,
                            const struct inspect_pair *pair, bool *ret_proven, char note[PACKAGE_NOTE_SIZE],
                            struct error *err) __attribute__((warn_unused_result));

/* The smaller limit; 0 is none. */
uint64_t inspect_smaller_limit(uint64_t a, uint64_t b);

#endif
