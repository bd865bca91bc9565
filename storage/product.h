/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Products: a project with its product_key. */
#ifndef DFOTA_STORAGE_PRODUCT_H
#define DFOTA_STORAGE_PRODUCT_H

#include "storage/db.h"
#include "upgrade/name.h"

#define PRODUCT_NAME_SIZE 201

/* What happens to a device that is not known, at its first check-in. */
enum unknown_devices {
    UNKNOWN_DEVICES_ADMITTED,
    UNKNOWN_DEVICES_HELD,   /* stored; it gets no package until an admin admits it */
    UNKNOWN_DEVICES_REFUSED /* not stored */
};
extern const struct enum_names unknown_devices_names; /* "admitted", "held", "refused" */

/* Whether its devices must show a secret (storage/device_secret.h). */
enum device_secret_rule { DEVICE_SECRET_OPTIONAL, DEVICE_SECRET_REQUIRED };
extern const struct enum_names device_secret_names; /* "optional", "required" */

struct product {
    int64_t id;
    char product_key[PRODUCT_KEY_SIZE];
    char name[PRODUCT_NAME_SIZE];
    int64_t created_ms;
    int64_t check_ins_trusted_ms; /* since when its check-ins are trusted; 0: they are not */
    enum unknown_devices unknown_devices;
    enum device_secret_rule device_secret;
};

/* ERROR_PRODUCT_EXISTS when the key is taken. Fills product->id. */
bool product_add(struct db *db, struct product *product, struct error *err);
bool product_find(struct db *db, const char *product_key, struct product *ret, bool *ret_found,
                  struct error *err);
/* As product_find(); ERROR_PRODUCT_NOT_FOUND when there is no such product. */
bool product_get(struct db *db, const char *product_key, struct product *ret, struct error *err);
bool product_by_id(struct db *db, int64_t id, struct product *ret, bool *ret_found, struct error *err);
/* Stores name, unknown_devices and device_secret. */
bool product_update(struct db *db, const struct product *product, struct error *err);
/* In order of creation; *ret is the caller's (free). */
bool product_list(struct db *db, struct product **ret, size_t *ret_count, struct error *err);
/* Its check-ins are trusted from now on. Links that were handed out before count as made before, also
   those that a clock that ran ahead has dated later. */
bool product_trust(struct db *db, struct product *product, int64_t now_ms, struct error *err);
bool product_distrust(struct db *db, struct product *product, struct error *err);
/* When check_ins_trusted_ms is ahead of now_ms: sets it to now_ms. */
bool product_clamp_trusted(struct db *db, struct product *product, int64_t now_ms, struct error *err);
bool product_count(struct db *db, int64_t *ret, struct error *err);

/* New devices that were admitted by a check-in on a UTC day (milliseconds / 86,400,000). */
bool product_admissions(struct db *db, int64_t product_id, int64_t day, int64_t *ret, struct error *err);
bool product_admit(struct db *db, int64_t product_id, int64_t day, struct error *err);

/* New devices of one network on a day. Of the network "", which is all networks, only `told` is stored. */
struct admission_network {
    char product[PRODUCT_KEY_SIZE], network[48];
    int64_t devices;
    bool told; /* the ledger says that no more devices are admitted */
};
/* Zeros when there is no such row. */
bool product_network(struct db *db, int64_t product_id, int64_t day, const char *network,
                     struct admission_network *ret, struct error *err);
bool product_network_add(struct db *db, int64_t product_id, int64_t day, const char *network, int64_t devices,
                         bool told, struct error *err);
/* The networks that are full on that day; *ret is the caller's (free). */
bool product_networks_full(struct db *db, int64_t day, struct admission_network **ret, size_t *ret_count,
                           struct error *err);
/* Removes the networks of all other days: earlier ones, and later ones that a clock that ran ahead has
   written. */
bool product_networks_remove(struct db *db, int64_t day, struct error *err);

#endif
