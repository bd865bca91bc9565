/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Jobs: threads that take packages from storage and have them made (build.h), in this order:

   1. queued packages that a plan or an admin wants, those with the most waiting devices first, with little
   effort;
   2. packages a little over a limit, if more effort may bring them below it;
   3. packages that devices will take, with more effort (`idle_effort`);
   4. packages that are queued only for the matrix;
   5. all other packages, with more effort.

   Numbers 3 to 5 are background jobs. They may use a share of the threads, and one is cancelled when work
   of number 1 comes and no thread is free. A package is published only after a second child has applied it
   and compared the result. If the child says that the inputs do not fit, the package is `failed`. If the
   child dies, this is a crash; after three crashes the package is `failed`. A server that is asked to stop
   puts its packages back into the queue. A try with more effort never takes a package out of `ready`. */
#ifndef DFOTA_SERVER_BUILD_SCHEDULER_H
#define DFOTA_SERVER_BUILD_SCHEDULER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct daemon;
struct scheduler;

/* Starts config.jobs threads. Before, it counts a crash for each package that a killed server left
   `generating`. */
bool scheduler_start(struct daemon *daemon, struct scheduler **ret, struct error *err);
/* There may be new work. Any thread. */
void scheduler_wake(struct scheduler *scheduler);
/* Wanted work was queued: cancels a background job if no thread is free. Any thread. */
void scheduler_wake_wanted(struct scheduler *scheduler);
/* True: more effort is being spent on this package now. Any thread. */
bool scheduler_is_improving(struct scheduler *scheduler, int64_t package_id);
/* Cancels the children, puts their packages back into the queue, ends the threads. Call before the writer
   is stopped. NULL is fine. */
void scheduler_stop(struct scheduler *scheduler);
/* Call after the writer is stopped, because its last tasks may wake the scheduler. NULL is fine. */
void scheduler_free(struct scheduler *scheduler);

#endif
