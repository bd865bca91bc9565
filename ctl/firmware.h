/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* A firmware, for several commands. */
#ifndef DFOTA_CTL_FIRMWARE_H
#define DFOTA_CTL_FIRMWARE_H

#include <jansson.h>
#include "ctl/session.h"

/* *ret: the firmware object of the API, owned by the caller. */
bool firmware_fetch(struct session *session, const char *firmware, json_t **ret, struct failure *fail);

/* Prints on standard error the command that sets the format of the firmware. */
void firmware_note_format(const json_t *firmware);
/* The same by name. If the firmware cannot be fetched, the printed command has FORMAT instead of a format. */
void firmware_note_format_of(struct session *session, const char *firmware);

#endif
