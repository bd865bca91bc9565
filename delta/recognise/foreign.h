/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Files of no interest to modules that libmagic knows: documents, pictures, sound, programs, archives.
   Only types that it knows by long signatures count: its weak ones fit random bytes, and so firmware. */
#ifndef DFOTA_DELTA_RECOGNISE_FOREIGN_H
#define DFOTA_DELTA_RECOGNISE_FOREIGN_H

#include "delta/recognise/recognise.h"

/* NULL: it is none of these, or there is no database of libmagic (then a note goes to standard error). */
const struct recognised *foreign_recognise(struct bytes bytes);

#endif
