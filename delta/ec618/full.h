/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Full packages of CSDK for an EC618: the whole AP and CP, compressed, for any base. Only an application that
   contains the vendor's code for them can take one. A module checks neither base nor length, so all limits
   are checked here. Layout and limits: doc/package-formats.md. */
#ifndef DFOTA_DELTA_EC618_FULL_H
#define DFOTA_DELTA_EC618_FULL_H

#include <stdbool.h>
#include "base/buffer.h"
#include "base/error.h"
#include "base/package_format.h"

/* A module keeps the package in the flash behind the AP image. A longer AP would be written over the package
   while the bootloader reads it. */
#define EC618_FULL_AP_MAX      (1984 * 1024)
#define EC618_FULL_CP_MAX      (512 * 1024)                  /* the flash of CP */
#define EC618_FULL_PACKAGE_MAX PACKAGE_FORMAT_EC618_FULL_MAX /* the flash from there to the file system */

/* Makes the package from a .binpkg with AP and CP, unpacks the package again and compares. The same image
   gives the same package. The caller frees *ret. ERROR_INVALID: another kind of file, a part is missing, or the
   AP is for another address; ERROR_CORRUPT: damaged; ERROR_TOO_LARGE: a part or the package is over its limit;
   ERROR_INTERNAL: no memory, or the proof failed. */
bool ec618_full_make(struct bytes image, struct buffer *ret, struct error *err)
    __attribute__((warn_unused_result));

/* Unpacks every block, and compares AP and CP with those of the image. ERROR_CORRUPT: what a module refuses, or
   would write wrongly; ERROR_INVALID: not a full package, another image, or this image can have none;
   ERROR_TOO_LARGE: over a limit; ERROR_INTERNAL: no memory. */
bool ec618_full_verify(struct bytes package, struct bytes image, struct error *err)
    __attribute__((warn_unused_result));

#endif
