/* The files that a running server depends on, and whether they are still where they were.

   A file that is removed, renamed or replaced under the server takes writes as before, but nobody finds them again.
   So each is opened once (without access to its bytes) and compared with what its path leads to now. Filled by one
   thread; after that any thread may check. Once a check has failed all later ones fail too: what was read or written
   meanwhile may belong to another file. */
#ifndef DFOTA_STORAGE_PLACE_H
#define DFOTA_STORAGE_PLACE_H

#include <stdbool.h>
#include "base/error.h"

#define PLACE_FILES_MAX 8

struct place;

bool place_open(struct place **ret, struct error *err) __attribute__((warn_unused_result));
/* A file or directory that must stay at `path`; at most PLACE_FILES_MAX. */
bool place_add(struct place *place, const char *path, struct error *err) __attribute__((warn_unused_result));
/* ERROR_UNAVAILABLE, with the path, when one of them is no longer there. A few microseconds. */
bool place_check(struct place *place, struct error *err) __attribute__((warn_unused_result));
void place_close(struct place *place); /* NULL is fine */

#endif
