/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Whether the settings of a firmware fit each other. */
#ifndef DFOTA_SERVER_ADMIN_FIRMWARE_CHECK_H
#define DFOTA_SERVER_ADMIN_FIRMWARE_CHECK_H

#include "storage/firmware.h"

bool firmware_check_may_go_without_canary(const struct firmware *firmware);

/* Checks format, limit, canary and full packages together, because a request may change only one of them.
   ERROR_INVALID with a sentence. */
bool firmware_check(const struct firmware *firmware, struct error *err) __attribute__((warn_unused_result));

#endif
