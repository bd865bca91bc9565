/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Traces that a transfer as text leaves in a binary file: line ends dropped or changed, bytes that were no
   text replaced. */
#ifndef DFOTA_DELTA_INSPECT_MANGLED_H
#define DFOTA_DELTA_INSPECT_MANGLED_H

#include "base/buffer.h"

/* A sentence that says what was found, static storage; NULL: nothing. A trace is no proof. Small files
   have none. */
const char *mangled_find(struct bytes bytes);

#endif
