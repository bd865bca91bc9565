/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Delta jobs: threads that take packages from storage and have them made (make.h), in this order:

   1. what is queued and wanted by a plan or an admin, what most devices wait for first, with little effort;
   2. what is over a limit, but so little that more effort may bring it below;
   3. packages that devices will take, with more effort (`idle_effort`);
   4. what is queued for the matrix only;
   5. all other packages, with more effort.

   From 3 on it is background: it has a share of the threads, and is cancelled when something of the first
   kind comes and no thread is free. A package is published only after a second child has applied it and
   compared. A child that says the inputs do not fit makes the package `failed`; one that dies is a crash, and
   three crashes are a failure; a server that is asked to stop puts the package back. What more effort came to
   never takes a package out of `ready`. */
#ifndef DFOTA_SERVER_BUILD_SCHEDULER_H
#define DFOTA_SERVER_BUILD_SCHEDULER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct daemon;
struct scheduler;

/* Starts config.scheduler threads. Packages that a killed server left `generating` count a crash first. */
bool scheduler_start(struct daemon *daemon, struct scheduler **ret, struct error *err);
void scheduler_wake(struct scheduler *scheduler); /* there may be something to do; any thread */
void scheduler_wake_wanted(
    struct scheduler *scheduler); /* something wanted has been queued: background makes way; any thread */
/* More effort is spent on this package at this moment. Any thread. */
bool scheduler_is_improving(struct scheduler *scheduler, int64_t package_id);
/* Cancels the children, puts their packages back, ends the threads. Before the writer is stopped. NULL is
 * fine. */
void scheduler_stop(struct scheduler *scheduler);
void scheduler_free(
    struct scheduler
        *scheduler); /* after the writer is stopped, whose last tasks may wake it; NULL is fine */

#endif
