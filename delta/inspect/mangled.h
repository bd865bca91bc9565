/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Finds traces of a transfer as text in a binary file: line ends that were removed or changed, bytes that
   were replaced because they are not text. */
#ifndef DFOTA_DELTA_INSPECT_MANGLED_H
#define DFOTA_DELTA_INSPECT_MANGLED_H

#include "base/buffer.h"

/* A sentence about the trace (static storage), or NULL: no trace. A trace is not a proof. Small files
   have no traces. */
const char *mangled_find(struct bytes bytes);

#endif
