/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Families of modules that bring an updater of their own: what bspatch can apply is of no use to them. Known by the
   firmware's name, or by what its images are. One table; pure functions. */
#ifndef DFOTA_UPGRADE_FAMILY_H
#define DFOTA_UPGRADE_FAMILY_H

#define FAMILY_NAME_SIZE   20
#define FAMILY_ADVICE_SIZE 320

struct family {
    const char *name;   /* stable, kept with a firmware */
    const char *whom;   /* "EC618 modules with LuatOS" */
    const char *format; /* the package format that fits, or "" where several may */
    const char *advice; /* which format to set, to stand behind "set one: " */
};

const struct family *family_of_name(const char *firmware); /* NULL: of no known family */
const struct family *
family_of_content(const char *kind);                /* a kind of delta/inspect/recognise.h; NULL: of none */
const struct family *family_find(const char *name); /* NULL: there is none */

/* What an admin has to set for a firmware of that name, whose images were found to be of the family `content`
   (NULL: of none). One sentence. */
void family_advise(const char *firmware, const struct family *content, char out[FAMILY_ADVICE_SIZE]);

#endif
