/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Reasons in answers of the server, in the language of the person. */
#ifndef DFOTA_CTL_REASON_H
#define DFOTA_CTL_REASON_H

#include <jansson.h>
#include "upgrade/reason.h"

/* From LC_ALL, LC_MESSAGES and LANG: the first that is set. Chinese if it begins with "zh", else English. */
enum reason_language reason_language_of_user(void);

/* Where an object has `reason_code` and `reason_params`, or another name than `reason`, its `reason` is
   worded anew. A reason that this program does not know stays as the server said it. */
void reason_translate(json_t *answer, enum reason_language language);

#endif
