/* What is done from time to time: attempts that nobody reports on become `silent`, the ledger's old rows are removed,
   the wall clock is looked at. One thread, which waits for the writer. */
#ifndef DFOTA_SERVER_MAINTENANCE_H
#define DFOTA_SERVER_MAINTENANCE_H

#include "server/daemon.h"

struct chores;

bool chores_start(struct daemon *daemon, struct chores **ret, struct error *err) __attribute__((warn_unused_result));
void chores_stop(struct chores *chores); /* before the writer; NULL is fine */

#endif
