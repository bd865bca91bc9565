/* What a device said of itself at its check-ins last, to see two modules behind one id. */
#ifndef DFOTA_STORAGE_SAID_H
#define DFOTA_STORAGE_SAID_H

#include "storage/db.h"
#include "upgrade/identity.h"
#include "upgrade/version.h"

struct said {
    int64_t device_id;
    int64_t forms; /* of its id, as id_form() tells them; together */
    char version[VERSION_TEXT_SIZE], before[VERSION_TEXT_SIZE]; /* the last two, "": none */
    int64_t since_ms, before_ms;
    int64_t shared_ms; /* since when two modules seem to share the id; 0: they do not */
};

/* All zero but device_id where nothing is stored. */
bool said_of(struct db *db, int64_t device_id, struct said *ret, struct error *err);
bool said_set(struct db *db, const struct said *said, struct error *err);

#endif
