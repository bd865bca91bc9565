/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* libfota3: asks for JSON, downloads the file, and sends the result. */
#ifndef DFOTA_SIM_LUATOS_TURNKEY_H
#define DFOTA_SIM_LUATOS_TURNKEY_H

#include "sim/luatos_runner.h"

/* One ask and all that follows. False: the module has ended. */
bool luatos_turnkey_ask(struct luatos_runner *run, const struct buffer *target);

#endif
