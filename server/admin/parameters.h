/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Which parameters a call takes: nothing that a caller sends is ignored. */
#ifndef DFOTA_SERVER_ADMIN_PARAMETERS_H
#define DFOTA_SERVER_ADMIN_PARAMETERS_H

#include "server/http/request.h"

/* Checks that each parameter of the query is one of `names`, at most 60 and separated by blanks, or `by` of a change, that
   no name is given twice, and that a call without a body has none. Any thread. ERROR_BAD_REQUEST names what
   the call takes. */
bool parameters_check(const struct request *request, const char *names, struct error *err)
    __attribute__((warn_unused_result));

#endif
