/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Files that libmagic recognises and that are not firmware: documents, pictures, sound, programs,
   archives. Only types with a long signature are used, because firmware can match a short one by chance. */
#ifndef DFOTA_DELTA_RECOGNISE_FOREIGN_H
#define DFOTA_DELTA_RECOGNISE_FOREIGN_H

#include "delta/recognise/recognise.h"

/* NULL: not such a file, or libmagic has no database (a note is then printed to standard error). */
const struct recognised *foreign_recognise(struct bytes bytes);

#endif
