/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Finds devices that wait for a package which is ready by now, and tells webhooks of them. The package may have come in any
   way: made, made smaller, uploaded, released, or fitting since the limit was raised. So the plans of waiting devices are
   looked at after each change, and not each change is told from where it happens. That a device was told is durable. */
#ifndef DFOTA_SERVER_PLANNING_READY_H
#define DFOTA_SERVER_PLANNING_READY_H

#include "server/context.h"

struct ready_finder;

/* `daemon` is borrowed. */
bool ready_finder_open(struct daemon *daemon, struct ready_finder **ret, struct error *err)
    __attribute__((warn_unused_result));
void ready_finder_close(struct ready_finder *finder); /* NULL is fine */
/* One thread at a time, which waits for the writer: looks where anything has changed. True: a part is done, call again. What
   fails is logged and tried again at the next call. */
bool ready_finder_run(struct ready_finder *finder);

#endif
