/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#ifndef DFOTA_CTL_EXPLAIN_H
#define DFOTA_CTL_EXPLAIN_H

#include "ctl/session.h"

/* The answer that the device of the command line would get; *ret is the caller's. */
bool explain_fetch(struct session *session, json_t **ret, struct failure *fail);

#endif
