/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Firmware as shown by more than one command. */
#ifndef DFOTA_CTL_FIRMWARE_H
#define DFOTA_CTL_FIRMWARE_H

#include <jansson.h>
#include "ctl/session.h"

/* *ret: the firmware as the API tells it, owned by the caller. */
bool firmware_fetch(struct session *session, const char *firmware, json_t **ret, struct failure *fail);

/* Says on standard error which command gives the firmware a format. */
void firmware_note_format(const json_t *firmware);
/* The same by name; where the firmware cannot be fetched the command is told without the format that fits. */
void firmware_note_format_of(struct session *session, const char *firmware);

#endif
