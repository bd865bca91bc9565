/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The dialect's refusals: what stands in their body and what their codes mean. */
#ifndef DFOTA_SIM_CODE_H
#define DFOTA_SIM_CODE_H

#include <stdbool.h>
#include "delta/bytes.h"

#define CODE_IDLE 27
#define CODE_WAIT 43

/* `{"code":43,…}`. False: no such object. */
bool code_read(struct bytes body, int *ret);

bool code_is_known(int code);    /* in the dialect; statuses such as 404 are not */
const char *code_text(int code); /* "please wait" */

#endif
