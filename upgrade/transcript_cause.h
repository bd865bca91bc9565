/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Internal to upgrade: the cause of the outcome of a try in a transcript. */
#ifndef DFOTA_UPGRADE_TRANSCRIPT_CAUSE_H
#define DFOTA_UPGRADE_TRANSCRIPT_CAUSE_H

#include "upgrade/transcript.h"

/* Sets outcome, cause and words from the other fields of the try. */
void transcript_judge(struct transcript_try *try);

#endif
