/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Suffix arrays of old images, kept in data_dir/suffix so that a whole row of the matrix pays for one sort. `dfota diff`
   makes and checks the files; they hold nothing that could not be made again. */
#ifndef DFOTA_SERVER_BUILD_SUFFIX_CACHE_H
#define DFOTA_SERVER_BUILD_SUFFIX_CACHE_H

#include <stdbool.h>
#include <stddef.h>

struct daemon;
struct sha256;

/* Where the one of an image of so many bytes stands or may be put; false where none is to be used, because there is no
   room for it. Makes room on the shelf: those used longest ago are removed. Any thread. */
bool suffix_cache_place(const struct daemon *daemon, const struct sha256 *image, char *out, size_t out_size);

#endif
