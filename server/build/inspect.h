/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What an uploaded file is, by its content. `dfota` inspects it in a child under limits: the server itself
   reads no untrusted bytes. The content, and the name that came with the file, decide what it may be
   stored as. */
#ifndef DFOTA_SERVER_BUILD_INSPECT_H
#define DFOTA_SERVER_BUILD_INSPECT_H

#include "server/context.h"
#include "storage/firmware.h"
#include "storage/image.h"
#include "storage/package.h"

#define CONTENT_RELEASES_MAX 8
#define CONTENT_REASON_SIZE  320

struct content { /* the answer of `dfota inspect --brief`, see delta/inspect/inspect_json.h */
    char kind[20], role[12];
    char format[FORMAT_SIZE]; /* the package format that applies it, "": none */
    char summary[CONTENT_SIZE];
    /* what is damaged, what is unusual; "": nothing */
    char wrong[CONTENT_REASON_SIZE], odd[CONTENT_REASON_SIZE];
    bool changes_core; /* full package: what its head says about cores; 0: nothing */
    uint32_t leads_to_core, allows_core;
    char mangled[CONTENT_REASON_SIZE]; /* a sign that a transfer as text changed the file; "": none */
    bool production;                   /* a .binpkg with more than bootloader, AP and CP */
    struct full_script script;         /* of a .soc or a full package */
    char chip[CHIP_SIZE];              /* of an image: the chip, or its family; "": not known */
    char core[VERSION_TEXT_SIZE];      /* a .soc: the version of its core; "": not stated, or not a .soc */
    size_t releases;
    char release[CONTENT_RELEASES_MAX][FIRMWARE_NAME_SIZE];
    char unseen[CONTENT_REASON_SIZE]; /* why dfota could not inspect it; then nothing above is known */
    bool cancelled;                   /* unseen because the server is stopping: the file must not be stored */
};

/* Inspects a file on the disk, in the calling thread. If the child cannot be run, crashes, or takes too
   long, this is not an error: the file is then `unseen`. */
void inspect_upload(const struct daemon *daemon, const char *path, struct content *ret);

/* The module family that the file is for, by its kind or by a release name in it; NULL: not known. */
const struct family *content_family(const struct content *content);

/* Decides whether the file may be stored as the image of that version. Fills image->kind, core, content
   script and warnings. `firmware` has name and format. `raw`: the admin says that it is a raw image; if it looks
   different, a warning is stored. ERROR_NOT_AN_IMAGE says what the file is instead; ERROR_UNAVAILABLE: the
   inspection was cancelled. */
bool inspect_accept_image(const struct content *content, const struct firmware *firmware,
                          const struct version *version, bool raw, struct image *image, struct error *err)
    __attribute__((warn_unused_result));

struct inspect_pair { /* the two images of a package */
    const struct image *from, *to;
    const struct firmware *firmware; /* the package must have the format of this firmware */
    bool raw; /* the admin says that it is a package, whatever it looks like; only for the format external */
    const char *chip; /* of the modules, for the ec7xx formats; NULL: not known */
};

/* Decides whether the inspected file at `path` may be stored as the package of that pair. If dfota can
   apply it, a child applies it: *ret_proven. `note` gets what dfota said about it, or why it could not be
   applied. ERROR_NOT_A_PACKAGE says what is wrong; ERROR_UNAVAILABLE: it could not be checked now, try
   again later. */
bool inspect_accept_package(const struct daemon *daemon, const struct content *content, const char *path,
                            const struct inspect_pair *pair, bool *ret_proven, char note[PACKAGE_NOTE_SIZE],
                            struct error *err) __attribute__((warn_unused_result));

/* The smaller of two limits; 0: no limit. */
uint64_t inspect_smaller_limit(uint64_t a, uint64_t b);

#endif
