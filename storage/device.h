/* Devices: (product, kind of id, normalised id), and what is known of each. */
#ifndef DFOTA_STORAGE_DEVICE_H
#define DFOTA_STORAGE_DEVICE_H

#include "storage/db.h"
#include "upgrade/decision.h"
#include "upgrade/identity.h"
#include "upgrade/version.h"

#define NOTICE_SIZE       160
#define CONFIRMED_BY_SIZE 16

struct device {
    int64_t id, product_id, firmware_id;
    char id_kind[5];
    char device[IDENTITY_SIZE];
    /* What it, or its host, reported last: nothing else moves these. "" and 0: never. */
    char confirmed_version[VERSION_TEXT_SIZE];
    int64_t confirmed_ms;
    char confirmed_by[CONFIRMED_BY_SIZE];           /* "check-in", "host-report", "transcript", "list" */
    int64_t confirmed_authenticated;                /* 0: whoever knows the id could have said so */
    char asked_version[VERSION_TEXT_SIZE];          /* the base it was last answered for, "" */
    int64_t first_seen_ms, last_seen_ms, check_ins; /* 0: never */
    int64_t last_code; /* of the answer given last: 200, 206 or the dialect's; 0: none */
    char last_reason[REASON_SIZE];
    int64_t last_answer_ms;
    int64_t blocked;
    char notice[NOTICE_SIZE]; /* for the admin, "": none */
};

/* By its id; 14, 15 and 16 digits of one IMEI find the same row, an exact match before any other. */
bool device_find(struct db *db, int64_t product_id, const struct identity *identity, struct device *ret,
                 bool *ret_found, struct error *err);
/* By what an admin wrote: the first of identity_readings() that is there. */
bool device_look_up(struct db *db, int64_t product_id, struct slice text, struct device *ret, bool *ret_found,
                    struct error *err);
/* As device_find; ERROR_DEVICE_NOT_FOUND when it is not there. */
bool device_get(struct db *db, int64_t product_id, const struct identity *identity, struct device *ret,
                struct error *err);
bool device_by_id(struct db *db, int64_t id, struct device *ret, bool *ret_found, struct error *err);
/* A device with no more known than its identity and firmware; fills *ret. */
bool device_add(struct db *db, int64_t product_id, const struct identity *identity, int64_t firmware_id,
                struct device *ret, struct error *err);
/* Stores every field behind `device`, but last_seen_ms and check_ins, which device_seen() counts. */
bool device_update(struct db *db, const struct device *device, struct error *err);
/* Adds check-ins to a device. */
bool device_seen(struct db *db, int64_t id, int64_t check_ins, int64_t last_seen_ms, struct error *err);

/* A page of devices with id > after, in order of id; firmware_id 0: of any. *ret is the caller's (free). */
/* How many a whole list of these has. */
bool device_count_listed(struct db *db, int64_t product_id, int64_t firmware_id, bool only_noticed, int64_t *ret,
                         struct error *err);
bool device_list(struct db *db, int64_t product_id, int64_t firmware_id, bool only_noticed, int64_t after,
                 int64_t limit, struct device **ret, size_t *ret_count, struct error *err);
bool device_count(struct db *db, int64_t *ret, struct error *err);

/* The loop guard: packages begun (not resumed) for a device. */
bool device_begun_add(struct db *db, int64_t id, int64_t now_ms,
                      struct error *err); /* drops what is older than a day */
bool device_begun_count(struct db *db, int64_t id, int64_t since_ms, int64_t *ret, struct error *err);
bool device_begun_forget(struct db *db, int64_t id, struct error *err);

#endif
