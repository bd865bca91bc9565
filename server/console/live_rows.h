/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The rows of the ledger for the streams of events: new rows, read once for all, and pages for a stream that catches
   up. Internal to live.c; its thread. */
#ifndef DFOTA_SERVER_CONSOLE_LIVE_ROWS_H
#define DFOTA_SERVER_CONSOLE_LIVE_ROWS_H

#include "server/console/live_state.h"

/* Takes newcomers, and reads rows where some may be due. What fails is logged, and tried again at live->again_ms. */
void live_rows_look(struct live *live);
/* A stream has room for rows that were committed earlier. */
bool live_rows_anyone_behind(const struct live *live);

#endif
