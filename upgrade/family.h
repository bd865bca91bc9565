/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Families of modules that have their own updater and cannot use packages for bspatch. Found by the name of
   the firmware or by the content of its images. Pure. */
#ifndef DFOTA_UPGRADE_FAMILY_H
#define DFOTA_UPGRADE_FAMILY_H

#define FAMILY_NAME_SIZE   20
#define FAMILY_ADVICE_SIZE 320

struct family {
    const char *name;   /* stable, stored with a firmware */
    const char *whom;   /* "EC618 modules with LuatOS" */
    const char *format; /* the package format that fits; "" if several may fit */
    const char *advice; /* which format to set; follows "set one: " */
};

/* Each returns NULL if there is no such family. */
const struct family *family_of_name(const char *firmware);
const struct family *family_of_content(const char *kind); /* a kind of delta/recognise/recognise.h */
const struct family *family_find(const char *name);

/* One sentence: which format an admin must set for this firmware. `content`: the family of its images, or
   NULL. */
void family_advise(const char *firmware, const struct family *content, char out[FAMILY_ADVICE_SIZE]);

#endif
