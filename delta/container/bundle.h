/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Archives as vendors publish firmware in: 7z and ZIP, in memory, read by libarchive. The bytes are untrusted:
   an archive with a link, an absolute path, `..`, too many entries or too much data is refused as a whole. */
#ifndef DFOTA_DELTA_CONTAINER_BUNDLE_H
#define DFOTA_DELTA_CONTAINER_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>
#include "base/buffer.h"
#include "base/error.h"

#define BUNDLE_ENTRIES_MAX 100
#define BUNDLE_NAME_SIZE   200
#define BUNDLE_BYTES_MAX   (256 << 20) /* all entries together, unpacked */
/* Above BUNDLE_FREE_BYTES, an archive unpacks to at most this many times its size. */
#define BUNDLE_RATIO_MAX  200
#define BUNDLE_FREE_BYTES (32 << 20)

struct bundle { /* the files; folders are left out */
    size_t count;
    struct bundle_file {
        char name[BUNDLE_NAME_SIZE]; /* without its folders */
        size_t index;                /* place in the archive, folders counted */
        size_t bytes;                /* unpacked */
    } file[BUNDLE_ENTRIES_MAX];
};

bool bundle_owns(struct bytes bytes); /* whether it begins as a 7z or a ZIP */

/* Lists the files. ERROR_INVALID: an archive that is refused, with the reason; ERROR_CORRUPT: damaged, or
   encrypted; ERROR_INTERNAL: no memory. */
bool bundle_list(struct bytes bytes, struct bundle *ret, struct error *err)
    __attribute__((warn_unused_result));

/* Finds the file with this name, compared without case. *ret NULL: none. ERROR_INVALID: two files have the name. */
bool bundle_find(const struct bundle *bundle, const char *name, const struct bundle_file **ret,
                 struct error *err) __attribute__((warn_unused_result));

/* Unpacks one file of the list. The caller frees *ret. ERROR_TOO_LARGE: more than max_bytes; ERROR_CORRUPT:
   damaged, or a method that libarchive does not know; ERROR_INTERNAL: no memory. */
bool bundle_unpack(struct bytes bytes, const struct bundle_file *file, size_t max_bytes, struct buffer *ret,
                   struct error *err) __attribute__((warn_unused_result));

/* The one firmware in an archive: the only file whose name ends as firmware does (.bin, .binpkg, .soc, …). Other
   files are left out. The caller frees *ret. ERROR_INVALID: no such file, or several; else as bundle_list() and
   bundle_unpack(). */
struct bundle_firmware {
    char name[BUNDLE_NAME_SIZE];
    char left_out[300]; /* names, with commas */
};
bool bundle_take_firmware(struct bytes bytes, size_t max_bytes, struct bundle_firmware *ret_found,
                          struct buffer *ret, struct error *err) __attribute__((warn_unused_result));

/* A ZIP without compression, the same bytes for the same files. */
struct bundle_source {
    const char *name;
    struct bytes bytes;
};
bool bundle_pack(const struct bundle_source *source, size_t count, struct buffer *ret, struct error *err)
    __attribute__((warn_unused_result));

#endif
