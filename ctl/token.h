/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What the commands of tokens share. */
#ifndef DFOTA_CTL_TOKEN_H
#define DFOTA_CTL_TOKEN_H

#include "ctl/session.h"

/* The path of the token that the first argument names: by its name when it is not revoked, else by its number. EXIT_USAGE:
   there is none. */
bool token_find(struct session *session, struct client_path *ret, struct failure *fail);

#endif
