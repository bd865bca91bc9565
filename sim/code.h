/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Refusals of the dialect: the code in their body, and what a code means. */
#ifndef DFOTA_SIM_CODE_H
#define DFOTA_SIM_CODE_H

#include <stdbool.h>
#include "base/buffer.h"

#define CODE_IDLE 27
#define CODE_WAIT 43

/* Reads `{"code":43,…}`. False: the body is not such an object. */
bool code_read(struct bytes body, int *ret);

bool code_is_known(int code);    /* a code of the dialect; a status such as 404 is not */
const char *code_text(int code); /* "please wait" */

#endif
