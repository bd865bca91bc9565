/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Inside upgrade only: why a try of a transcript ended as it did. */
#ifndef DFOTA_UPGRADE_TRANSCRIPT_CAUSE_H
#define DFOTA_UPGRADE_TRANSCRIPT_CAUSE_H

#include "upgrade/transcript.h"

/* Fills outcome, cause and words from what else stands in the try. */
void transcript_judge(struct transcript_try *try);

#endif
