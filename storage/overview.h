/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What the overview of the console shows: counts of a firmware, and what waits for a person. The counts come from
   fleet.h; every list is bounded, and no statement reads the fleet. */
#ifndef DFOTA_STORAGE_OVERVIEW_H
#define DFOTA_STORAGE_OVERVIEW_H

#include "storage/campaign.h"
#include "storage/device.h"
#include "storage/quarantine.h"

struct overview_counts {             /* active devices of a firmware */
    int64_t devices, asked, blocked; /* asked: at least once */
    int64_t waiting, sending, delivered,
        silent;     /* delivered: not confirmed yet; silent: for a target that is live */
    int64_t images; /* full images and packages */
    /* Bytes that were acknowledged on the way to targets whose image is here; and the size of that image for each device
       that confirmed the target after a package from here. */
    int64_t bytes_sent, bytes_full;
};
bool overview_counts(struct db *db, int64_t firmware_id, struct overview_counts *ret, struct error *err)
    __attribute__((warn_unused_result));

struct overview_device { /* a device that waits for a person */
    char product[PRODUCT_KEY_SIZE], firmware[FIRMWARE_NAME_SIZE];
    enum id_kind id_kind;
    char device[IDENTITY_SIZE];
    char version[VERSION_TEXT_SIZE], confirmed[VERSION_TEXT_SIZE]; /* of a claim */
    int64_t since_ms;                                              /* 0: not known */
};
/* In the lists of this file `product` is a product key, or "" for all products; at most `limit` rows; *ret is the caller's
   (free). */

/* Devices with a claim; devices that need a new link. */
bool overview_claims(struct db *db, const char *product, int64_t limit, struct overview_device **ret,
                     size_t *ret_count, struct error *err) __attribute__((warn_unused_result));
bool overview_stale_links(struct db *db, const char *product, int64_t limit, struct overview_device **ret,
                          size_t *ret_count, struct error *err) __attribute__((warn_unused_result));

/* Devices whose id came with the secret of another owner since `since_ms`. */
bool overview_secret_conflicts(struct db *db, int64_t since_ms, const char *product, int64_t limit,
                               struct overview_device **ret, size_t *ret_count, struct error *err)
    __attribute__((warn_unused_result));

/* Campaigns that a gate has paused, that are paused after their last stage, or
   whose next stage waits for an approval. *ret has their ids. */
bool overview_campaigns(struct db *db, const char *product, int64_t limit, int64_t **ret, size_t *ret_count,
                        struct error *err) __attribute__((warn_unused_result));
struct overview_campaign {
    const char *product, *firmware, *name;
};
/* When the campaign was paused, from the ledger; 0: not known. */
bool overview_paused_ms(struct db *db, const struct overview_campaign *campaign, int64_t *ret,
                        struct error *err) __attribute__((warn_unused_result));

struct overview_hop { /* out of service */
    char product[PRODUCT_KEY_SIZE], firmware[FIRMWARE_NAME_SIZE];
    char from[VERSION_TEXT_SIZE], to[VERSION_TEXT_SIZE]; /* from "": a full package */
    char from_variant[VARIANT_SIZE], to_variant[VARIANT_SIZE];
    bool from_several, to_several; /* the version has other builds */
    char reason[QUARANTINE_REASON_SIZE];
    int64_t since_ms;
};
bool overview_quarantines(struct db *db, const char *product, int64_t limit, struct overview_hop **ret,
                          size_t *ret_count, struct error *err) __attribute__((warn_unused_result));

struct overview_version {
    char version[VERSION_TEXT_SIZE];
    int64_t devices;
};
/* Versions of several builds without a default, with the devices that ask from one and whose build is not known: most
   devices first. Reads the devices of the firmware for each of these versions. */
bool overview_several_builds(struct db *db, int64_t firmware_id, struct overview_version **ret,
                             size_t *ret_count, struct error *err) __attribute__((warn_unused_result));
/* Versions that devices ask from, most devices first. */
bool overview_asked(struct db *db, int64_t firmware_id, int64_t limit, struct overview_version **ret,
                    size_t *ret_count, struct error *err) __attribute__((warn_unused_result));

/* Versions that devices ask from, whose package to `target` is over the limit of the firmware. */
struct overview_oversize {
    char from[VERSION_TEXT_SIZE];
    int64_t devices, size_bytes, counted_bytes;
};
bool overview_oversize(struct db *db, int64_t firmware_id, const char *target, int64_t limit,
                       struct overview_oversize **ret, size_t *ret_count, struct error *err)
    __attribute__((warn_unused_result));

#define OVERVIEW_HELD_MAX 1000
/* Devices of a product that an admin has to admit, at most OVERVIEW_HELD_MAX. */
bool overview_held(struct db *db, int64_t product_id, int64_t *ret, struct error *err)
    __attribute__((warn_unused_result));
/* Whether a link was ever made. */
bool overview_any_link(struct db *db, bool *ret, struct error *err) __attribute__((warn_unused_result));

#endif
