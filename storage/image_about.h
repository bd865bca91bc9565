/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What an admin says about an image: its purpose, a release note, an advisory, and an SBOM (a list of the software in it).
   They are not in struct image, because most readers of images need none of them. */
#ifndef DFOTA_STORAGE_IMAGE_ABOUT_H
#define DFOTA_STORAGE_IMAGE_ABOUT_H

#include "storage/db.h"

#define IMAGE_NOTE_MAX     4000
#define IMAGE_ADVISORY_MAX 300
#define IMAGE_SBOM_MAX     (1 << 20)

enum image_purpose { PURPOSE_NONE, PURPOSE_SECURITY_FIX, PURPOSE_BUG_FIX, PURPOSE_FEATURE, PURPOSE_OTHER };
extern const struct enum_names image_purpose_names; /* "", "security-fix", "bug-fix", "feature", "other" */

struct image_about {
    enum image_purpose purpose;
    char release_note[IMAGE_NOTE_MAX + 1], advisory[IMAGE_ADVISORY_MAX + 1]; /* "": none */
    int64_t sbom_size;                                                       /* 0: there is no SBOM */
    struct sha256 sbom_sha256;
    char sbom_format[12]; /* "CycloneDX", "SPDX", "": neither */
};

/* All empty when nothing was said. */
bool image_about_load(struct db *db, int64_t image_id, struct image_about *ret, struct error *err)
    __attribute__((warn_unused_result));
/* Stores purpose, release_note and advisory. */
bool image_about_set(struct db *db, int64_t image_id, const struct image_about *about, struct error *err)
    __attribute__((warn_unused_result));
/* Stores the SBOM with sbom_sha256 and sbom_format; no bytes: removes it. */
bool image_about_set_sbom(struct db *db, int64_t image_id, struct slice sbom, const struct image_about *about,
                          struct error *err) __attribute__((warn_unused_result));
/* *ret is the caller's (free ptr). *ret_found false: there is none. */
bool image_about_sbom(struct db *db, int64_t image_id, struct slice *ret, bool *ret_found, struct error *err)
    __attribute__((warn_unused_result));

#endif
