/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Makes packages with a command from the configuration: the vendor's own tool, for formats that dfota
   cannot write. */
#ifndef DFOTA_SERVER_BUILD_BUILD_EXTERNAL_H
#define DFOTA_SERVER_BUILD_BUILD_EXTERNAL_H

#include "server/build/build.h"

/* Runs the command in an empty private folder with copies of the images, under the limits of all jobs. The
   result is inspected, and proven if dfota or `external_verify` can apply it. Fills making->made, proven,
   note and log. Job thread. */
enum make_end build_external(struct build *making);

#endif
