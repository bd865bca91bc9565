/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Suffix arrays of old images in data_dir/suffix, so that all packages from one image need only one sort.
   `dfota diff` makes and checks the files. They can be made again at any time. */
#ifndef DFOTA_SERVER_BUILD_SUFFIX_CACHE_H
#define DFOTA_SERVER_BUILD_SUFFIX_CACHE_H

#include <stdbool.h>
#include <stddef.h>

struct daemon;
struct sha256;

/* The path of the suffix array of an image. False: use none, because there is no room for it. Makes room:
   the files that were not used for the longest time are removed. Any thread. */
bool suffix_cache_place(const struct daemon *daemon, const struct sha256 *image, char *out, size_t out_size);

#endif
