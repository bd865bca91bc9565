/* Delta jobs: takes queued packages from storage and makes them in `dfota` child processes under limits.

   A package is published only after a second child, `dfota verify`, has applied it to the old image and found
   the new one by its SHA-256. A child that says the inputs do not fit makes the package `failed`; one that
   dies is a crash, and three crashes are a failure; a server that is asked to stop puts the package back. */
#ifndef DFOTA_SERVER_JOBS_H
#define DFOTA_SERVER_JOBS_H

#include "base/error.h"

struct daemon;
struct jobs;

/* Starts config.jobs threads. Packages that a killed server left `generating` count a crash first. */
bool jobs_start(struct daemon *daemon, struct jobs **ret, struct error *err);
void jobs_wake(struct jobs *jobs); /* something may be queued; any thread */
/* Cancels the children, puts their packages back, ends the threads. Before the writer is stopped. NULL is
 * fine. */
void jobs_stop(struct jobs *jobs);
void jobs_free(
    struct jobs *jobs); /* after the writer is stopped, whose last tasks may wake it; NULL is fine */

#endif
