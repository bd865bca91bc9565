/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Packages by a command of the configuration: the vendor's own tool, for formats that nobody here can write.
 */
#ifndef DFOTA_SERVER_BUILD_BUILD_EXTERNAL_H
#define DFOTA_SERVER_BUILD_BUILD_EXTERNAL_H

#include "server/build/build.h"

/* In an empty private folder with copies of the images, under the limits of our own children. What comes out
   is looked at, and proven where dfota or `external_verify` can: making->made, proven, note and log tell. A
   job's thread. */
enum make_end build_external(struct build *making);

#endif
