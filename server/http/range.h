/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The Range header of a download: bytes=N- or bytes=A-B, with or without blanks. */
#ifndef DFOTA_SERVER_HTTP_RANGE_H
#define DFOTA_SERVER_HTTP_RANGE_H

#include "base/slice.h"
#include "upgrade/decision.h"

/* Another value gives present and bad. Without the header present is false. */
void range_parse(bool present, struct slice value, struct range *ret);

#endif
