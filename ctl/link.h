/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#ifndef DFOTA_CTL_LINK_H
#define DFOTA_CTL_LINK_H

#include "ctl/session.h"

/* Whether the command line of device revoke names what to revoke. EXIT_USAGE: no, or twice. */
bool link_check_revoke(const struct session *session, struct failure *fail);

#endif
