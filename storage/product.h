/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Products: a project with its product_key. */
#ifndef DFOTA_STORAGE_PRODUCT_H
#define DFOTA_STORAGE_PRODUCT_H

#include "storage/db.h"
#include "upgrade/name.h"

#define PRODUCT_NAME_SIZE 201

struct product {
    int64_t id;
    char product_key[PRODUCT_KEY_SIZE];
    char name[PRODUCT_NAME_SIZE];
    int64_t created_ms;
    int64_t check_ins_trusted_ms; /* since when its check-ins are trusted; 0: they are not */
};

/* ERROR_PRODUCT_EXISTS when the key is taken. Fills product->id. */
bool product_add(struct db *db, struct product *product, struct error *err);
bool product_find(struct db *db, const char *product_key, struct product *ret, bool *ret_found,
                  struct error *err);
/* As product_find; ERROR_PRODUCT_NOT_FOUND when it is not there. */
bool product_get(struct db *db, const char *product_key, struct product *ret, struct error *err);
bool product_by_id(struct db *db, int64_t id, struct product *ret, bool *ret_found, struct error *err);
/* In order of creation; *ret is the caller's (free). */
bool product_list(struct db *db, struct product **ret, size_t *ret_count, struct error *err);
/* Its check-ins are trusted from now on. A link that was handed out before counts as made before, whatever its time says:
   the clock may have run ahead then. */
bool product_trust(struct db *db, struct product *product, int64_t now_ms, struct error *err);
bool product_distrust(struct db *db, struct product *product, struct error *err);
/* Where they are trusted since a time that lies ahead of now_ms: since now_ms. */
bool product_clamp_trusted(struct db *db, struct product *product, int64_t now_ms, struct error *err);
bool product_count(struct db *db, int64_t *ret, struct error *err);

/* New devices that came by themselves on a UTC day (milliseconds / 86,400,000). */
bool product_admissions(struct db *db, int64_t product_id, int64_t day, int64_t *ret, struct error *err);
bool product_admit(struct db *db, int64_t product_id, int64_t day, struct error *err);

struct admission_network { /* what one network has brought on a day; "": all, of which only `told` is kept */
    char product[PRODUCT_KEY_SIZE], network[48];
    int64_t devices, told; /* told: the ledger says that no more are taken */
};
/* Zeros where there was none. */
bool product_network(struct db *db, int64_t product_id, int64_t day, const char *network,
                     struct admission_network *ret, struct error *err);
bool product_network_add(struct db *db, int64_t product_id, int64_t day, const char *network, int64_t devices,
                         bool told, struct error *err);
/* Those that take no more on that day; *ret is the caller's (free). */
bool product_networks_full(struct db *db, int64_t day, struct admission_network **ret, size_t *ret_count,
                           struct error *err);
/* Removes all of other days: those before, and those that a clock dated which ran ahead. */
bool product_networks_remove(struct db *db, int64_t day, struct error *err);

#endif
